"""Convolution and pooling as operations."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, Final

from tacit.encoding.ring import Ring
from tacit.encoding.types import DType, fixed
from tacit.errors import ShapeError
from tacit.functions.convolution import (
    Geometry,
    convolution,
    kernel_columns,
    max_pool,
    placed,
    window_rows,
    windows,
)
from tacit.operations.arithmetic import ARITHMETIC
from tacit.operations.operation import Attributes, Operation, ResultValues
from tacit.operations.precision import of_products
from tacit.operations.promotion import numeric, product_type
from tacit.operations.scaling import divide_by_count
from tacit.operations.types import ArrayType, Operand, PublicArray, SecretValue, operand_types
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

__all__ = ["CONVOLUTION", "Laid", "Pooled"]

_MATMUL = next(operation for operation in ARITHMETIC if operation.name == "matmul")


class Laid(Attributes, frozen=True):
    """How kernels are laid on an array: one number a spatial axis each."""

    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int = 1


class Pooled(Attributes, frozen=True):
    """Which numbers are pooled: one number a spatial axis each."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]


# Convolution.


def _require_room(
    name: str, geometry: Geometry, shape: tuple[int, ...], others: Sequence[tuple[int, ...]]
) -> None:
    """Refuse padding and windows that are many times as large as all that goes in and comes out."""
    visible = prod(shape) + sum(map(prod, others))
    held = geometry.held(shape)
    if held > max(_LEAST_HELD, _MOST_TIMES * visible):
        raise ShapeError(
            f"{name}: kernel {geometry.kernel}, stride {geometry.stride} and padding"
            f" {geometry.padding} make {held:.3g} numbers of an array {shape}.",
            next_step="use padding and kernels that are not much larger than the array.",
            case=46,
            stage=name,
        )


_LEAST_HELD: Final = 1 << 24
_MOST_TIMES: Final = 4096
"""Windows of 64 × 64 at every place hold so many times the array."""


def _laid(types: Sequence[ArrayType], attributes: Laid) -> Geometry:
    x, kernels = (t.shape for t in types)
    spatial = len(x) - 2
    parameters = (attributes.stride, attributes.padding, attributes.dilation)
    groups = attributes.groups
    fits = (
        spatial >= 1
        and len(kernels) == len(x)
        and all(len(p) == spatial for p in parameters)
        and groups >= 1
        and x[1] == kernels[1] * groups
        and kernels[0] % groups == 0
        and bool(x[1])
        and bool(kernels[0])
    )
    if not fits:
        raise ShapeError(
            f"convolution: an array {x} and kernels {kernels} in {groups} groups do not fit.",
            next_step="pass an array (N, C, *extents), kernels (O, C / groups, *extents), O a"
            " multiple of the groups, and one stride, padding and dilation for each extent.",
            case=44,
            stage="convolution",
        )
    return Geometry(kernels[2:], *parameters, groups)


def _convolution_rule(types: Sequence[ArrayType], attributes: Laid) -> ArrayType:
    dtype = product_type("convolution", types)
    geometry = _laid(types, attributes)
    x, kernels = types
    shape = (x.shape[0], kernels.shape[0], *geometry.places(x.shape[2:]))
    _require_room("convolution", geometry, x.shape, (kernels.shape, shape))
    return ArrayType(dtype, shape)


def _convolution(party: Party, operands: Sequence[Operand], attributes: Laid) -> Step[ResultValues]:
    """Windows times kernels: a matrix product; local where one of them is public."""
    types = operand_types(operands)
    geometry = _laid(types, attributes)
    x, kernels = operands
    dtype = product_type("convolution", types)
    if isinstance(x, SecretValue) and isinstance(kernels, SecretValue):
        both = x.dtype.kind == "fixed" and kernels.dtype.kind == "fixed"
        bits = max(x.dtype.fraction_bits, kernels.dtype.fraction_bits) if both else 0
        share = yield from convolution(party, x.share, kernels.share, geometry, bits)
        return SecretValue(dtype, share)
    left = _mapped(x, lambda part: window_rows(part, geometry))
    right = _mapped(kernels, lambda part: kernel_columns(part, geometry))
    found = yield from _MATMUL.meaning(party, [left, right], None)
    assert isinstance(found, SecretValue)
    n, places = types[0].shape[0], geometry.places(types[0].shape[2:])
    return SecretValue(found.dtype, found.share.map(lambda part: placed(part, n, places, geometry)))


def _mapped(operand: Operand, function: Any) -> Operand:
    if isinstance(operand, SecretValue):
        return SecretValue(operand.dtype, operand.share.map(function))
    result: PublicArray = function(operand)
    return result


def _convolution_check(
    types: Sequence[ArrayType], values: Sequence[PublicArray | None], attributes: Any, ring: Ring
) -> None:
    assert _MATMUL.check is not None
    _MATMUL.check(types, values, attributes, ring)


# Pooling.


def _pooled(name: str, shape: tuple[int, ...], attributes: Pooled) -> Geometry:
    spatial = len(shape) - 2
    parameters = (attributes.kernel, attributes.stride, attributes.padding)
    fits = spatial >= 1 and all(len(p) == spatial for p in parameters)
    if not fits or any(
        2 * p > k for p, k in zip(attributes.padding, attributes.kernel, strict=True)
    ):
        raise ShapeError(
            f"{name}: kernel {attributes.kernel}, stride {attributes.stride} and padding"
            f" {attributes.padding} do not fit an array {shape}.",
            next_step="pass an array (N, C, *extents), one number for each extent, and a padding"
            " of at most half the kernel.",
            case=45,
            stage=name,
        )
    return Geometry(*parameters, dilation=(1,) * spatial)


def _pooled_shape(name: str, shape: tuple[int, ...], attributes: Pooled) -> tuple[int, ...]:
    geometry = _pooled(name, shape, attributes)
    found = (*shape[:2], *geometry.places(shape[2:]))
    _require_room(name, geometry, shape, (found,))
    return found


def _max_rule(types: Sequence[ArrayType], attributes: Pooled) -> ArrayType:
    numeric("max_pool", types)
    return ArrayType(types[0].dtype, _pooled_shape("max_pool", types[0].shape, attributes))


def _max_pool(party: Party, operands: Sequence[Operand], attributes: Pooled) -> Step[ResultValues]:
    """The largest number of every window. Exact."""
    value = operands[0]
    assert isinstance(value, SecretValue)
    geometry = _pooled("max_pool", value.shape, attributes)
    return SecretValue(value.dtype, (yield from max_pool(party, value.share, geometry)))


def _mean_dtype(dtype: DType) -> DType:
    return dtype if dtype.kind == "fixed" else fixed


def _average_rule(types: Sequence[ArrayType], attributes: Pooled) -> ArrayType:
    numeric("avg_pool", types)
    shape = _pooled_shape("avg_pool", types[0].shape, attributes)
    return ArrayType(_mean_dtype(types[0].dtype), shape)


def _avg_pool(party: Party, operands: Sequence[Operand], attributes: Pooled) -> Step[ResultValues]:
    """The mean of every window, zeros of the padding included: local sums, then a division."""
    value = operands[0]
    assert isinstance(value, SecretValue)
    geometry = _pooled("avg_pool", value.shape, attributes)
    dtype = _mean_dtype(value.dtype)
    picked = value.share.map(lambda part: windows(part, geometry))
    axes = tuple(range(-len(geometry.kernel), 0))
    total = party.sum(picked, axes)
    share = yield from divide_by_count(
        party, total, value.dtype.fraction_bits, prod(geometry.kernel), dtype.fraction_bits
    )
    return SecretValue(dtype, share)


CONVOLUTION: Any = (
    Operation(
        "convolution",
        _convolution_rule,
        _convolution,
        Laid,
        check=_convolution_check,
        finest=of_products,
    ),
    Operation("max_pool", _max_rule, _max_pool, Pooled),
    Operation("avg_pool", _average_rule, _avg_pool, Pooled, finest=of_products),
)
