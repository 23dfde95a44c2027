"""Sums and means over axes."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from tacit.encoding.types import fixed, int64
from tacit.errors import ShapeError
from tacit.programs.manipulation import normal_axis
from tacit.programs.operation import Attributes, Operation, ResultValues
from tacit.programs.promotion import counted_type
from tacit.programs.scaling import divide_by_count
from tacit.programs.types import ArrayType, Operand, SecretValue
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

__all__ = ["REDUCTION", "Axes"]


class Axes(Attributes, frozen=True):
    """The axes to reduce, all of them by default, and whether they stay with length one."""

    axis: int | tuple[int, ...] | None = None
    keepdims: bool = False


def _axes(name: str, shape: tuple[int, ...], attributes: Axes) -> tuple[int, ...]:
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


def _reduced(shape: tuple[int, ...], axes: tuple[int, ...], keepdims: bool) -> tuple[int, ...]:
    if keepdims:
        return tuple(1 if place in axes else extent for place, extent in enumerate(shape))
    return tuple(extent for place, extent in enumerate(shape) if place not in axes)


def _sum_rule(types: Sequence[ArrayType], attributes: Axes) -> ArrayType:
    shape = types[0].shape
    axes = _axes("sum", shape, attributes)
    dtype = counted_type(types[0].dtype)
    return ArrayType(dtype, _reduced(shape, axes, attributes.keepdims))


def _sum(party: Party, operands: Sequence[Operand], attributes: Axes) -> Step[ResultValues]:
    """The sum over axes. Local for numbers; booleans are counted as integers first."""
    value = operands[0]
    assert isinstance(value, SecretValue)
    axes = _axes("sum", value.shape, attributes)
    share, dtype = value.share, value.dtype
    if dtype.kind == "bool":
        share, dtype = (yield from party.bit_to_arithmetic(share)), int64
    return SecretValue(dtype, party.sum(share, axes, attributes.keepdims))


def _mean_rule(types: Sequence[ArrayType], attributes: Axes) -> ArrayType:
    shape = types[0].shape
    axes = _axes("mean", shape, attributes)
    if prod(shape[axis] for axis in axes) == 0:
        raise ShapeError(
            f"mean: there are no elements along axes {axes} of an array of shape {shape}.",
            next_step="check that the array is not empty first.",
            case=18,
            stage="mean",
        )
    dtype = types[0].dtype if types[0].dtype.kind == "fixed" else fixed
    return ArrayType(dtype, _reduced(shape, axes, attributes.keepdims))


def _mean(party: Party, operands: Sequence[Operand], attributes: Axes) -> Step[ResultValues]:
    """The mean over axes: the sum, then a division by the public count."""
    value = operands[0]
    assert isinstance(value, SecretValue)
    axes = _axes("mean", value.shape, attributes)
    count = prod(value.shape[axis] for axis in axes)
    total = yield from _sum(party, operands, attributes)
    assert isinstance(total, SecretValue)
    dtype = value.dtype if value.dtype.kind == "fixed" else fixed
    share = yield from divide_by_count(
        party, total.share, total.dtype.fraction_bits, count, dtype.fraction_bits
    )
    return SecretValue(dtype, share)


REDUCTION = (
    Operation("sum", _sum_rule, _sum, Axes),
    Operation("mean", _mean_rule, _mean, Axes),
)
