"""Booleans combined: AND, OR, XOR, NOT. Packed, 64 to a word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tacit.encoding.types import bool_
from tacit.errors import TypeMismatchError
from tacit.programs.operation import Operation, ResultValues, Rule
from tacit.programs.promotion import broadcast_shape, broadcasted_bits
from tacit.programs.types import ArrayType, Operand, SecretValue, operand_types
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

__all__ = ["LOGIC"]


def _rule(name: str) -> Rule:
    def rule(types: Sequence[ArrayType], attributes: Any) -> ArrayType:
        for place, array_type in enumerate(types):
            if array_type.dtype.kind != "bool":
                raise TypeMismatchError(
                    f"{name}: operand {place + 1} is {array_type.dtype!r}, not tacit.bool.",
                    next_step="compare first, for instance x != 0.",
                    case=12,
                    stage=name,
                )
        return ArrayType(bool_, broadcast_shape(name, *(t.shape for t in types)))

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


def _masked(bits: Any, public: Any) -> Any:
    return bits.map(lambda plain: plain & public)


def _and(party: Party, operands: Sequence[Operand], attributes: Any) -> Step[ResultValues]:
    """a AND b: one round; local where one is public."""
    a, b, secret = _pair(operands, "bitwise_and")
    if not secret:
        return SecretValue(bool_, _masked(a, b))
    return SecretValue(bool_, (yield from party.bitwise_and(a, b)))


def _or(party: Party, operands: Sequence[Operand], attributes: Any) -> Step[ResultValues]:
    """a OR b = NOT (NOT a AND NOT b): one round; local where one is public."""
    a, b, secret = _pair(operands, "bitwise_or")
    if not secret:
        return SecretValue(bool_, party.xor_public(_masked(a, ~b), b))
    neither = yield from party.bitwise_and(party.invert(a), party.invert(b))
    return SecretValue(bool_, party.invert(neither))


def _xor(party: Party, operands: Sequence[Operand], attributes: Any) -> Step[ResultValues]:
    """a XOR b. Local."""
    a, b, secret = _pair(operands, "bitwise_xor")
    return SecretValue(bool_, party.xor(a, b) if secret else party.xor_public(a, b))
    yield  # a generator without rounds


def _invert(party: Party, operands: Sequence[Operand], attributes: Any) -> Step[ResultValues]:
    """NOT a. Local."""
    a = operands[0]
    assert isinstance(a, SecretValue)
    return SecretValue(bool_, party.invert(a.share))
    yield  # a generator without rounds


LOGIC = (
    Operation("bitwise_and", _rule("bitwise_and"), _and, elementwise=True),
    Operation("bitwise_or", _rule("bitwise_or"), _or, elementwise=True),
    Operation("bitwise_xor", _rule("bitwise_xor"), _xor, elementwise=True),
    Operation("bitwise_invert", _rule("bitwise_invert"), _invert, elementwise=True),
)
