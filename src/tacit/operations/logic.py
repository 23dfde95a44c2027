"""Booleans combined: AND, OR, XOR, NOT. Packed, 64 to a word. The same on bits of integers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tacit.encoding.types import bool_
from tacit.errors import TypeMismatchError
from tacit.operations.integers import integer_bits, integer_type
from tacit.operations.operation import Operation, ResultValues, Rule
from tacit.operations.promotion import broadcast_shape, broadcasted_bits
from tacit.operations.types import ArrayType, Operand, SecretValue, operand_types
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

__all__ = ["LOGIC"]


def _rule(name: str) -> Rule:
    def rule(types: Sequence[ArrayType], attributes: Any) -> ArrayType:
        shape = broadcast_shape(name, *(t.shape for t in types))
        if all(t.dtype.kind == "int" for t in types):
            return ArrayType(integer_type(name, types), shape)
        for place, array_type in enumerate(types):
            if array_type.dtype.kind != "bool":
                raise TypeMismatchError(
                    f"{name}: operand {place + 1} is {array_type.dtype!r}; all must be"
                    " tacit.bool, or all integers.",
                    next_step="compare first, for instance x != 0, or convert with x.astype.",
                    case=12,
                    stage=name,
                )
        return ArrayType(bool_, shape)

    return rule


def _pair(operands: Sequence[Operand], name: str) -> tuple[Any, Any, bool]:
    """Both operands at their common shape, a secret one first, and whether both are secret."""
    types = operand_types(operands)
    shape = broadcast_shape(name, types[0].shape, types[1].shape)
    x, y = operands
    if not isinstance(x, SecretValue):
        x, y = y, x
    assert isinstance(x, SecretValue)
    left = broadcasted_bits(x.share, shape)
    if isinstance(y, SecretValue):
        return left, broadcasted_bits(y.share, shape), True
    return left, np.broadcast_to(y, shape), False


def _are_integers(operands: Sequence[Operand]) -> bool:
    return all(t.dtype.kind == "int" for t in operand_types(operands))


def _masked(bits: Any, public: Any) -> Any:
    return bits.map(lambda plain: plain & public)


def _and(party: Party, operands: Sequence[Operand], attributes: Any) -> Step[ResultValues]:
    """a AND b: one round; local where one is public. Integers: ``integers.py``."""
    if _are_integers(operands):
        return (yield from integer_bits(party, "bitwise_and", operands))
    a, b, secret = _pair(operands, "bitwise_and")
    if not secret:
        return SecretValue(bool_, _masked(a, b))
    return SecretValue(bool_, (yield from party.bitwise_and(a, b)))


def _or(party: Party, operands: Sequence[Operand], attributes: Any) -> Step[ResultValues]:
    """a OR b = NOT (NOT a AND NOT b): one round; local where one is public."""
    if _are_integers(operands):
        return (yield from integer_bits(party, "bitwise_or", operands))
    a, b, secret = _pair(operands, "bitwise_or")
    if not secret:
        return SecretValue(bool_, party.xor_public(_masked(a, ~b), b))
    neither = yield from party.bitwise_and(party.invert(a), party.invert(b))
    return SecretValue(bool_, party.invert(neither))


def _xor(party: Party, operands: Sequence[Operand], attributes: Any) -> Step[ResultValues]:
    """a XOR b. Local for booleans."""
    if _are_integers(operands):
        return (yield from integer_bits(party, "bitwise_xor", operands))
    a, b, secret = _pair(operands, "bitwise_xor")
    return SecretValue(bool_, party.xor(a, b) if secret else party.xor_public(a, b))


def _invert(party: Party, operands: Sequence[Operand], attributes: Any) -> Step[ResultValues]:
    """NOT a. Local. Of integers -1 - a, or 2^N - 1 - a without sign."""
    a = operands[0]
    assert isinstance(a, SecretValue)
    if a.dtype.kind == "int":
        ones = -1 if a.dtype.signed else (1 << a.dtype.bits) - 1
        return SecretValue(a.dtype, party.add_public(party.negate(a.share), ones))
    return SecretValue(bool_, party.invert(a.share))
    yield  # a generator without rounds


def _width(types: Sequence[ArrayType]) -> int:
    """All bits of an integer become elements, which are then summed."""
    return max(t.dtype.bits // 8 if t.dtype.kind == "int" else 1 for t in types)


LOGIC = (
    *(
        Operation(name, _rule(name), meaning, elementwise=True, integers="bits", width=_width)
        for name, meaning in (("bitwise_and", _and), ("bitwise_or", _or), ("bitwise_xor", _xor))
    ),
    Operation(
        "bitwise_invert", _rule("bitwise_invert"), _invert, elementwise=True, integers="bits"
    ),
)
