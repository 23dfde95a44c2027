"""Softmax and its relatives along any axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from tacit import functions
from tacit.encoding.types import DType, fixed
from tacit.errors import ShapeError
from tacit.functions.domains import require_least_bits
from tacit.operations.manipulation import normal_axis
from tacit.operations.operation import Attributes, Operation, ResultValues
from tacit.operations.precision import finest_of
from tacit.operations.promotion import numeric, rescaled_up
from tacit.operations.reduction import Axes, reduced_axes, reduced_shape
from tacit.operations.types import ArrayType, Operand, SecretValue
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

__all__ = ["SOFTMAX", "Along"]


class Along(Attributes, frozen=True):
    """The axis along which numbers belong together."""

    axis: int = -1


def _dtype(name: str, types: Sequence[ArrayType]) -> DType:
    numeric(name, types)
    dtype = types[0].dtype if types[0].dtype.kind == "fixed" else fixed
    require_least_bits(name, dtype.fraction_bits)
    return dtype


def _along(name: str, function: Callable[[Party, Any, int], Step[Any]]) -> Operation:
    """A function along one axis, which it keeps."""

    def rule(types: Sequence[ArrayType], attributes: Along) -> ArrayType:
        normal_axis(name, attributes.axis, len(types[0].shape))
        return ArrayType(_dtype(name, types), types[0].shape)

    def meaning(party: Party, operands: Sequence[Operand], attributes: Along) -> Step[ResultValues]:
        """A function of every row along the axis; integers become ``tacit.fixed`` first."""
        value = operands[0]
        assert isinstance(value, SecretValue)
        dtype = value.dtype if value.dtype.kind == "fixed" else fixed
        axis = attributes.axis
        share = rescaled_up(party, value, dtype).map(lambda part: np.moveaxis(part, axis, -1))
        result = yield from function(party, share, dtype.fraction_bits)
        return SecretValue(dtype, result.map(lambda part: np.moveaxis(part, -1, axis)))

    return Operation(name, rule, meaning, Along, finest=finest_of(name))


def _logsumexp_rule(types: Sequence[ArrayType], attributes: Axes) -> ArrayType:
    shape = types[0].shape
    dtype = _dtype("logsumexp", types)
    axes = reduced_axes("logsumexp", shape, attributes)
    if not prod(shape[axis] for axis in axes):
        raise ShapeError(
            "logsumexp: there are no numbers along the axes.",
            next_step="check that the array is not empty first.",
            case=40,
            stage="logsumexp",
        )
    return ArrayType(dtype, reduced_shape(shape, axes, attributes.keepdims))


def _logsumexp(party: Party, operands: Sequence[Operand], attributes: Axes) -> Step[ResultValues]:
    """log Σ exp over axes; integers become ``tacit.fixed`` first."""
    value = operands[0]
    assert isinstance(value, SecretValue)
    dtype = value.dtype if value.dtype.kind == "fixed" else fixed
    axes = reduced_axes("logsumexp", value.shape, attributes)
    kept = [axis for axis in range(len(value.shape)) if axis not in axes]
    shape = tuple(value.shape[axis] for axis in kept)
    count = prod(value.shape[axis] for axis in axes)
    share = rescaled_up(party, value, dtype).map(
        lambda part: part.transpose(*kept, *axes).reshape(*shape, count)
    )
    result = yield from functions.logsumexp(party, share, dtype.fraction_bits)
    final = reduced_shape(value.shape, axes, attributes.keepdims)
    return SecretValue(dtype, result.map(lambda part: part.reshape(final)))


SOFTMAX: Any = (
    _along("softmax", functions.softmax),
    _along("log_softmax", functions.log_softmax),
    Operation("logsumexp", _logsumexp_rule, _logsumexp, Axes, finest=finest_of("logsumexp")),
)
