"""Choosing by secret booleans: where, extrema, absolute value, ReLU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tacit import functions
from tacit.encoding.types import DType, bool_
from tacit.errors import TypeMismatchError
from tacit.programs.operation import Meaning, Operation, ResultValues, Rule
from tacit.programs.promotion import (
    boolean_share,
    broadcast_shape,
    broadcasted,
    broadcasted_bits,
    check_encodable,
    common_type,
    numeric,
    secret_share,
)
from tacit.programs.types import ArrayType, Operand, PublicArray, SecretValue, operand_types
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
    types: Sequence[ArrayType], values: Sequence[PublicArray | None], attributes: Any
) -> None:
    check_encodable(types[1:], values[1:], attributes)


def _extremum(name: str, function: Callable[[Party, Any, Any], Step[Any]]) -> Operation:
    def rule(types: Sequence[ArrayType], attributes: Any) -> ArrayType:
        dtype = common_type(name, types)
        return ArrayType(dtype, broadcast_shape(name, *(t.shape for t in types)))

    def meaning(party: Party, operands: Sequence[Operand], attributes: Any) -> Step[ResultValues]:
        """The larger or smaller of two, element by element. Exact."""
        result = rule(operand_types(operands), attributes)
        x, y = (
            broadcasted(party, secret_share(party, operand, result.dtype), result.shape)
            for operand in operands
        )
        return SecretValue(result.dtype, (yield from function(party, x, y)))

    return Operation(name, rule, meaning, check=check_encodable, elementwise=True)


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
)
