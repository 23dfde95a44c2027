"""Variances: the mean of squared deviations from the mean."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from tacit.encoding.types import fixed
from tacit.errors import RangeError
from tacit.functions.costs import Costs, in_sequence
from tacit.operations.conversion import converted
from tacit.operations.operation import Operation, ResultValues
from tacit.operations.precision import of_products
from tacit.operations.promotion import numeric
from tacit.operations.reduction import Axes, mean_type, reduced_axes
from tacit.operations.scaling import divide_by_count, divide_by_count_cost
from tacit.operations.types import ArrayType, Operand, SecretValue
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = ["MOMENTS", "variance_cost"]


class Spread(Axes, frozen=True):
    """The axes, and what is taken off the number of elements before dividing by it."""

    correction: float = 0.0


def _var_rule(types: Sequence[ArrayType], attributes: Spread) -> ArrayType:
    numeric("var", types)
    result = mean_type("var", types[0], attributes)
    if not attributes.correction < _count(types[0].shape, attributes):
        raise RangeError(
            "var: the correction leaves no degrees of freedom.",
            next_step="take more elements than the correction, or correction=0.",
            case=60,
            stage="var",
        )
    return result


def _count(shape: tuple[int, ...], attributes: Spread) -> int:
    return prod(shape[axis] for axis in reduced_axes("var", shape, attributes))


def _var(party: Party, operands: Sequence[Operand], attributes: Spread) -> Step[ResultValues]:
    """Σ (x - mean)^2 / (n - correction).

    Each square is truncated by itself, so it is the deviations that stay below 2^(31 - f), not
    the root of their squares' sum. Error at most 4 units in the last place and 2^-f relative:
    one from the squares, two from the division; that of the mean enters squared.
    """
    value = operands[0]
    assert isinstance(value, SecretValue)
    dtype = value.dtype if value.dtype.kind == "fixed" else fixed
    value = yield from converted(party, value, dtype)
    bits = dtype.fraction_bits
    axes = reduced_axes("var", value.shape, attributes)
    count = _count(value.shape, attributes)
    total = party.sum(value.share, axes, True)
    mean = yield from divide_by_count(party, total, bits, count, bits)
    deviations = party.subtract(value.share, party.broadcast(mean, value.shape))
    squares = yield from party.multiply_truncate(deviations, deviations, bits)
    total = party.sum(squares, axes, attributes.keepdims)
    share = yield from divide_by_count(party, total, bits, count - attributes.correction, bits)
    return SecretValue(dtype, share)


def variance_cost(
    costs: Costs, count: int, size: int, fraction_bits: int, correction: float = 0.0
) -> Declaration:
    """Of `var` of `count` fixed-point numbers for each of `size` results."""
    f = fraction_bits
    return in_sequence(
        divide_by_count_cost(costs, size, f, count, f),
        costs["multiply_truncate"](count * size, f),
        divide_by_count_cost(costs, size, f, count - correction, f),
    )


MOMENTS = (Operation("var", _var_rule, _var, Spread, finest=of_products),)
