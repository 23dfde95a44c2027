"""Sums, products and means over axes."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from tacit import functions
from tacit.encoding.types import fixed, int64
from tacit.errors import ShapeError
from tacit.operations.manipulation import normal_axis
from tacit.operations.operation import Attributes, Operation, ResultValues, Rule
from tacit.operations.precision import of_products
from tacit.operations.promotion import counted_type
from tacit.operations.scaling import divide_by_count
from tacit.operations.types import ArrayType, Operand, SecretValue, reshaped
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

__all__ = ["REDUCTION", "Axes", "mean_type", "reduced_axes", "reduced_shape"]


class Axes(Attributes, frozen=True):
    """The axes to reduce, all of them by default, and whether they stay with length one."""

    axis: int | tuple[int, ...] | None = None
    keepdims: bool = False


def reduced_axes(name: str, shape: tuple[int, ...], attributes: Axes) -> tuple[int, ...]:
    """The axes that are reduced, counted from the front.

    Raises
    ------
    ShapeError
        There is no such axis (TC-1112), or one is named twice (TC-1114).
    """
    axis = attributes.axis
    if axis is None:
        return tuple(range(len(shape)))
    axes = axis if isinstance(axis, tuple) else (axis,)
    normal = tuple(normal_axis(name, a, len(shape)) for a in axes)
    if len(set(normal)) != len(normal):
        raise ShapeError(
            f"{name}: an axis is named twice in {axes}.",
            next_step="name each axis once.",
            case=14,
            stage=name,
        )
    return normal


def reduced_shape(shape: tuple[int, ...], axes: tuple[int, ...], keepdims: bool) -> tuple[int, ...]:
    """The shape that is left."""
    if keepdims:
        return tuple(1 if place in axes else extent for place, extent in enumerate(shape))
    return tuple(extent for place, extent in enumerate(shape) if place not in axes)


def _counted_rule(name: str) -> Rule:
    def rule(types: Sequence[ArrayType], attributes: Axes) -> ArrayType:
        shape = types[0].shape
        axes = reduced_axes(name, shape, attributes)
        dtype = counted_type(types[0].dtype)
        return ArrayType(dtype, reduced_shape(shape, axes, attributes.keepdims))

    return rule


def _sum(party: Party, operands: Sequence[Operand], attributes: Axes) -> Step[ResultValues]:
    """The sum over axes. Local for numbers; booleans are counted as integers first."""
    value = operands[0]
    assert isinstance(value, SecretValue)
    axes = reduced_axes("sum", value.shape, attributes)
    share, dtype = value.share, value.dtype
    if dtype.kind == "bool":
        share, dtype = (yield from party.bit_to_arithmetic(share)), int64
    return SecretValue(dtype, party.sum(share, axes, attributes.keepdims))


def _prod(party: Party, operands: Sequence[Operand], attributes: Axes) -> Step[ResultValues]:
    """The product over axes: a tree. Booleans count as integers; 1 for no elements.

    ceil(log2 n) products in sequence; fixed-point partial products stay below 2^(62 - 2 f).
    """
    value = operands[0]
    assert isinstance(value, SecretValue)
    axes = reduced_axes("prod", value.shape, attributes)
    share, dtype = value.share, counted_type(value.dtype)
    if value.dtype.kind == "bool":
        share = yield from party.bit_to_arithmetic(share)
    kept = tuple(place for place in range(len(value.shape)) if place not in axes)
    rest = tuple(value.shape[place] for place in kept)
    count = prod(value.shape[axis] for axis in axes)
    factors = share.map(lambda part: part.transpose(*axes, *kept).reshape(count, *rest))
    # A product of all elements has no axes; the primitives want one.
    factors = factors if rest else factors.map(lambda part: part.reshape(count, 1))
    product = yield from functions.prod(party, factors, dtype.fraction_bits)
    shape = reduced_shape(value.shape, axes, attributes.keepdims)
    return SecretValue(dtype, reshaped(product, shape))


def mean_type(name: str, array_type: ArrayType, attributes: Axes) -> ArrayType:
    """The type of a mean: fixed point, and there must be elements.

    Raises
    ------
    ShapeError
        There are none (TC-1118).
    """
    shape = array_type.shape
    axes = reduced_axes(name, shape, attributes)
    if prod(shape[axis] for axis in axes) == 0:
        raise ShapeError(
            f"{name}: there are no elements along axes {axes} of an array of shape {shape}.",
            next_step="check that the array is not empty first.",
            case=18,
            stage=name,
        )
    dtype = array_type.dtype if array_type.dtype.kind == "fixed" else fixed
    return ArrayType(dtype, reduced_shape(shape, axes, attributes.keepdims))


def _mean_rule(types: Sequence[ArrayType], attributes: Axes) -> ArrayType:
    return mean_type("mean", types[0], attributes)


def _mean(party: Party, operands: Sequence[Operand], attributes: Axes) -> Step[ResultValues]:
    """The mean over axes: the sum, then a division by the public count."""
    value = operands[0]
    assert isinstance(value, SecretValue)
    axes = reduced_axes("mean", value.shape, attributes)
    count = prod(value.shape[axis] for axis in axes)
    total = yield from _sum(party, operands, attributes)
    assert isinstance(total, SecretValue)
    dtype = value.dtype if value.dtype.kind == "fixed" else fixed
    share = yield from divide_by_count(
        party, total.share, total.dtype.fraction_bits, count, dtype.fraction_bits
    )
    return SecretValue(dtype, share)


REDUCTION = (
    Operation("sum", _counted_rule("sum"), _sum, Axes),
    Operation("prod", _counted_rule("prod"), _prod, Axes, finest=of_products),
    Operation("mean", _mean_rule, _mean, Axes, finest=of_products),
)
