"""Running sums, running products and differences along one axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from tacit import functions
from tacit.encoding.types import int64
from tacit.errors import ShapeError
from tacit.operations.manipulation import normal_axis, rearranged
from tacit.operations.operation import Attributes, Operation, ResultValues, Rule, local
from tacit.operations.precision import of_products
from tacit.operations.promotion import counted_type, numeric
from tacit.operations.types import ArrayType, Operand, SecretValue
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

__all__ = ["SCAN"]


class Along(Attributes, frozen=True):
    """The axis, and whether the result begins with the value for no elements."""

    axis: int = -1
    include_initial: bool = False


def _scan_rule(name: str) -> Rule:
    def rule(types: Sequence[ArrayType], attributes: Along) -> ArrayType:
        shape = types[0].shape
        axis = normal_axis(name, attributes.axis, len(shape))
        dtype = counted_type(types[0].dtype)
        extent = shape[axis] + attributes.include_initial
        return ArrayType(dtype, (*shape[:axis], extent, *shape[axis + 1 :]))

    return rule


def _numbers(party: Party, operands: Sequence[Operand]) -> Step[SecretValue]:
    value = operands[0]
    assert isinstance(value, SecretValue)
    if value.dtype.kind != "bool":
        return SecretValue(counted_type(value.dtype), value.share)
    return SecretValue(int64, (yield from party.bit_to_arithmetic(value.share)))


def _with_initial(party: Party, value: SecretValue, axis: int, initial: int) -> SecretValue:
    shape = (*value.shape[:axis], 1, *value.shape[axis + 1 :])
    first = party.public(np.full(shape, initial, np.int64))
    return SecretValue(value.dtype, party.concatenate([first, value.share], axis))


def _cumulative_sum(
    party: Party, operands: Sequence[Operand], attributes: Along
) -> Step[ResultValues]:
    """Sums of the first 1, 2, …, n. Local for numbers; booleans are counted."""
    value = yield from _numbers(party, operands)
    axis = normal_axis("cumulative_sum", attributes.axis, len(value.shape))
    sums = rearranged(value, lambda part: party.ring.cumulative_sum(part, axis))
    return _with_initial(party, sums, axis, 0) if attributes.include_initial else sums


def _cumulative_prod(
    party: Party, operands: Sequence[Operand], attributes: Along
) -> Step[ResultValues]:
    """Products of the first 1, 2, …, n, in ceil(log2 n) products in sequence."""
    value = yield from _numbers(party, operands)
    axis = normal_axis("cumulative_prod", attributes.axis, len(value.shape))
    rows = value.share.map(lambda part: np.moveaxis(part, axis, 0))
    share = yield from functions.cumulative_prod(party, rows, value.dtype.fraction_bits)
    products = SecretValue(value.dtype, share.map(lambda part: np.moveaxis(part, 0, axis)))
    if attributes.include_initial:
        return _with_initial(party, products, axis, 1 << value.dtype.fraction_bits)
    return products


MOST_DIFFERENCES: Final = 1000
"""How often differences of differences are taken at most: each time is one more pass."""


class Difference(Attributes, frozen=True):
    """The axis, and how often differences are taken."""

    axis: int = -1
    n: int = 1


def _diff_rule(types: Sequence[ArrayType], attributes: Difference) -> ArrayType:
    numeric("diff", types)
    shape = types[0].shape
    axis = normal_axis("diff", attributes.axis, len(shape))
    if not 0 <= attributes.n <= MOST_DIFFERENCES:
        raise ShapeError(
            f"diff: differences cannot be taken {attributes.n} times.",
            next_step=f"choose n from 0 to {MOST_DIFFERENCES}.",
            case=60,
            stage="diff",
        )
    extent = max(shape[axis] - attributes.n, 0)
    return ArrayType(types[0].dtype, (*shape[:axis], extent, *shape[axis + 1 :]))


def _diff(party: Party, operands: Sequence[Operand], attributes: Difference) -> SecretValue:
    """Each element minus the one before it, n times. Local."""
    value = operands[0]
    assert isinstance(value, SecretValue)
    share = value.share
    axis = normal_axis("diff", attributes.axis, len(value.shape))
    before = (slice(None),) * axis
    later, earlier = (*before, slice(1, None)), (*before, slice(None, -1))
    for _ in range(min(attributes.n, value.shape[axis])):
        share = party.subtract(share[later], share[earlier])
    return SecretValue(value.dtype, share)


SCAN: tuple[Operation, ...] = (
    Operation("cumulative_sum", _scan_rule("cumulative_sum"), _cumulative_sum, Along),
    Operation(
        "cumulative_prod",
        _scan_rule("cumulative_prod"),
        _cumulative_prod,
        Along,
        finest=of_products,
    ),
    Operation("diff", _diff_rule, local(_diff), Difference),
)
