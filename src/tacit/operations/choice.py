"""Choosing by secret booleans: where, extrema, absolute value, ReLU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tacit import functions
from tacit.encoding.ring import Ring
from tacit.encoding.types import DType, bool_, fixed
from tacit.errors import TypeMismatchError
from tacit.operations.operation import Attributes, Meaning, Operation, ResultValues, Rule
from tacit.operations.promotion import (
    boolean_share,
    broadcast_shape,
    broadcasted,
    broadcasted_bits,
    check_encodable,
    common_type,
    encoded,
    is_far,
    numeric,
    ring_constant,
    secret_share,
)
from tacit.operations.types import ArrayType, Operand, PublicArray, SecretValue, operand_types
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

__all__ = ["CHOICE"]


def _where_type(types: Sequence[ArrayType]) -> DType:
    condition, *choices = types
    if condition.dtype.kind != "bool":
        raise TypeMismatchError(
            f"where: the condition is {condition.dtype!r}, not tacit.bool.",
            next_step="compare first, for instance tacit.where(x > 0, x, y).",
            case=12,
            stage="where",
        )
    if all(t.dtype.kind == "bool" for t in choices):
        return bool_
    return common_type("where", choices)


def _where_rule(types: Sequence[ArrayType], attributes: Any) -> ArrayType:
    return ArrayType(_where_type(types), broadcast_shape("where", *(t.shape for t in types)))


def _where(party: Party, operands: Sequence[Operand], attributes: Any) -> Step[ResultValues]:
    """x where the condition is true, else y; local where the condition is public."""
    types = operand_types(operands)
    dtype = _where_type(types)
    shape = broadcast_shape("where", *(t.shape for t in types))
    condition, *choices = operands
    if dtype.kind == "bool":
        x, y = (broadcasted_bits(boolean_share(party, choice), shape) for choice in choices)
    else:
        x, y = (broadcasted(party, secret_share(party, choice, dtype), shape) for choice in choices)
    if not isinstance(condition, SecretValue):
        chosen = np.broadcast_to(condition, shape)
        if dtype.kind == "bool":
            kept = x.map(lambda bits: bits & chosen)
            return SecretValue(dtype, party.xor(kept, y.map(lambda bits: bits & ~chosen)))
        kept = party.multiply_public(x, chosen.astype(np.int64))
        rest = party.multiply_public(y, (~chosen).astype(np.int64))
        return SecretValue(dtype, party.add(kept, rest))
    bits = broadcasted_bits(condition.share, shape)
    if dtype.kind == "bool":
        change = yield from party.bitwise_and(bits, party.xor(x, y))
        return SecretValue(dtype, party.xor(y, change))
    return SecretValue(dtype, (yield from functions.where(party, bits, x, y)))


def _check_choices(
    types: Sequence[ArrayType], values: Sequence[PublicArray | None], attributes: Any, ring: Ring
) -> None:
    check_encodable(types[1:], values[1:], attributes, ring)


def _extremum(name: str, function: Callable[[Party, Any, Any], Step[Any]]) -> Operation:
    def rule(types: Sequence[ArrayType], attributes: Any) -> ArrayType:
        dtype = common_type(name, types)
        return ArrayType(dtype, broadcast_shape(name, *(t.shape for t in types)))

    def meaning(party: Party, operands: Sequence[Operand], attributes: Any) -> Step[ResultValues]:
        """The larger or smaller of two, element by element. Exact."""
        result = rule(operand_types(operands), attributes)
        if any(
            not isinstance(o, SecretValue) and is_far(o, result.dtype, party.ring) for o in operands
        ):
            return (yield from _far_extremum(party, operands, result, largest=name == "maximum"))
        x, y = (
            broadcasted(party, secret_share(party, operand, result.dtype), result.shape)
            for operand in operands
        )
        return SecretValue(result.dtype, (yield from function(party, x, y)))

    return Operation(name, rule, meaning, check=check_encodable, elementwise=True)


def _far_extremum(
    party: Party, operands: Sequence[Operand], result: ArrayType, *, largest: bool
) -> Step[SecretValue]:
    """The same with public integers from which the difference of the secret may wrap."""
    x, y = operands if isinstance(operands[0], SecretValue) else operands[::-1]
    assert not isinstance(y, SecretValue)
    shape = result.shape
    share = broadcasted(party, secret_share(party, x, result.dtype), shape)
    constant = np.broadcast_to(ring_constant(party, y, result.dtype), shape)
    smaller = yield from functions.less_far(party, share, constant)
    choices = party.public(constant), share
    chosen = yield from functions.where(party, smaller, *(choices if largest else choices[::-1]))
    return SecretValue(result.dtype, chosen)


def _same_type(name: str) -> Rule:
    def rule(types: Sequence[ArrayType], attributes: Any) -> ArrayType:
        numeric(name, types)
        return types[0]

    return rule


def _signed(function: Callable[[Party, Any], Step[Any]]) -> Meaning:
    def meaning(party: Party, operands: Sequence[Operand], attributes: Any) -> Step[ResultValues]:
        """A function of the sign, exact in every numeric type."""
        value = operands[0]
        assert isinstance(value, SecretValue)
        return SecretValue(value.dtype, (yield from function(party, value.share)))

    return meaning


class Limits(Attributes, frozen=True):
    """Public limits, low up to high."""

    low: int | float
    high: int | float


def _limits(dtype: DType, attributes: Limits, ring: Ring) -> tuple[int, int]:
    ends = np.array([min(attributes.low, attributes.high), attributes.high])
    low, high = ring.integers(encoded(ends, dtype, ring=ring))
    return int(low), int(high)


def _clip_rule(types: Sequence[ArrayType], attributes: Limits) -> ArrayType:
    numeric("clip", types)
    return types[0]


def _check_limits(
    types: Sequence[ArrayType], values: Sequence[PublicArray | None], attributes: Limits, ring: Ring
) -> None:
    _limits(types[0].dtype, attributes, ring)


def _clip(party: Party, operands: Sequence[Operand], attributes: Limits) -> Step[ResultValues]:
    """Limited to public numbers: both comparisons and both choices at once. Exact."""
    value = operands[0]
    assert isinstance(value, SecretValue)
    low, high = _limits(value.dtype, attributes, party.ring)
    return SecretValue(value.dtype, (yield from functions.clip(party, value.share, low, high)))


def _sign(party: Party, operands: Sequence[Operand], attributes: Any) -> Step[ResultValues]:
    """-1, 0 or 1. Exact."""
    value = operands[0]
    assert isinstance(value, SecretValue)
    share = yield from functions.sign(party, value.share)
    bits = value.dtype.fraction_bits
    return SecretValue(value.dtype, party.multiply_public(share, 1 << bits) if bits else share)


def _copysign_rule(types: Sequence[ArrayType], attributes: Any) -> ArrayType:
    dtype = common_type("copysign", types)
    shape = broadcast_shape("copysign", types[0].shape, types[1].shape)
    return ArrayType(dtype if dtype.kind == "fixed" else fixed, shape)


def _copysign(party: Party, operands: Sequence[Operand], attributes: Any) -> Step[ResultValues]:
    """The magnitude of the first with the sign of the second, zero being positive. Exact."""
    types = operand_types(operands)
    result = _copysign_rule(types, attributes)
    signs = result.dtype if types[1].public else types[1].dtype
    x = broadcasted(party, secret_share(party, operands[0], result.dtype), result.shape)
    y = broadcasted(party, secret_share(party, operands[1], signs), result.shape)
    return SecretValue(result.dtype, (yield from functions.copysign(party, x, y)))


CHOICE = (
    Operation(
        "where",
        _where_rule,
        _where,
        check=_check_choices,
        elementwise=True,
        integers="modular",
    ),
    _extremum("maximum", functions.maximum),
    _extremum("minimum", functions.minimum),
    Operation("abs", _same_type("abs"), _signed(functions.absolute), elementwise=True),
    Operation("relu", _same_type("relu"), _signed(functions.relu), elementwise=True),
    Operation("sign", _same_type("sign"), _sign, elementwise=True),
    Operation("clip", _clip_rule, _clip, Limits, _check_limits, elementwise=True),
    Operation("copysign", _copysign_rule, _copysign, check=check_encodable, elementwise=True),
)
