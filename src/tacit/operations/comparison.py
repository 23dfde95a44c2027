"""Comparisons: secret booleans from secret numbers.

A public number is rounded to the fixed-point type that it is compared with, so that a shared
0.1 equals 0.1. Integers compare with public fractions exactly, and with public integers of every
size: where the difference could wrap, the sign of the secret decides as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tacit import functions
from tacit.encoding.ring import Elements, Ring
from tacit.encoding.types import bool_, int64
from tacit.operations.operation import Meaning, Operation, ResultValues, Rule
from tacit.operations.promotion import (
    boolean_share,
    broadcast_shape,
    broadcasted,
    broadcasted_bits,
    check_encodable,
    common_type,
    extremes,
    is_far,
    rescaled_up,
    ring_constant,
)
from tacit.operations.types import ArrayType, Operand, PublicArray, SecretValue, operand_types
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

__all__ = ["COMPARISON"]

_MIRRORED = {
    "less": "greater",
    "greater": "less",
    "less_equal": "greater_equal",
    "greater_equal": "less_equal",
    "equal": "equal",
    "not_equal": "not_equal",
}
_EXACT: dict[str, Callable[[Any], Any]] = {
    "less": np.ceil,
    "greater_equal": np.ceil,
    "greater": np.floor,
    "less_equal": np.floor,
}


def _rule(name: str) -> Rule:
    def rule(types: Sequence[ArrayType], attributes: Any) -> ArrayType:
        if not (_equality(name) and all(t.dtype.kind == "bool" for t in types)):
            common_type(name, types)
        return ArrayType(bool_, broadcast_shape(name, *(t.shape for t in types)))

    return rule


def _equality(name: str) -> bool:
    return name in ("equal", "not_equal")


def _meaning(name: str) -> Meaning:
    def meaning(party: Party, operands: Sequence[Operand], attributes: Any) -> Step[ResultValues]:
        """x compared with y: the sign of a difference; is it zero, for equality."""
        types = operand_types(operands)
        shape = broadcast_shape(name, *(t.shape for t in types))
        x, y = operands
        relation = name
        if not isinstance(x, SecretValue):
            x, y, relation = y, x, _MIRRORED[name]
        assert isinstance(x, SecretValue)
        if x.dtype.kind == "bool":
            return SecretValue(bool_, _same_bits(party, x, y, shape, relation == "equal"))
        if isinstance(y, SecretValue):
            dtype = common_type(name, types)
            left = broadcasted(party, rescaled_up(party, x, dtype), shape)
            right = broadcasted(party, rescaled_up(party, y, dtype), shape)
            difference = party.subtract(left, right)
            return SecretValue(bool_, (yield from _compare(party, difference, relation)))
        return (yield from _with_public(party, x, y, shape, relation))

    return meaning


def _same_bits(
    party: Party, x: SecretValue, y: Operand, shape: tuple[int, ...], equal: bool
) -> Any:
    left = broadcasted_bits(x.share, shape)
    right = broadcasted_bits(boolean_share(party, y), shape)
    different = party.xor(left, right)
    return party.invert(different) if equal else different


def _with_public(
    party: Party, x: SecretValue, y: PublicArray, shape: tuple[int, ...], relation: str
) -> Step[SecretValue]:
    whole = None
    if x.dtype.kind == "int" and y.dtype.kind == "f":
        rounded = np.asarray(_EXACT.get(relation, np.rint)(y))
        if _equality(relation):
            whole = np.broadcast_to(rounded == y, shape)  # a fraction equals no integer
        y = rounded
    share = broadcasted(party, x.share, shape)
    constant = ring_constant(party, y, x.dtype)
    if is_far(y, x.dtype, party.ring) and not _equality(relation):
        constant = np.broadcast_to(constant, shape)
        return SecretValue(bool_, (yield from _compare_far(party, share, constant, relation)))
    difference = party.add_public(share, party.ring.negate(constant))
    bits = yield from _compare(party, difference, relation)
    if whole is not None and not whole.all():
        bits = bits.map(lambda plain: plain & whole)
        if relation == "not_equal":
            bits = party.xor_public(bits, ~whole)
    return SecretValue(bool_, bits)


def _compare(party: Party, difference: Any, relation: str) -> Step[Any]:
    """[x ? y] from x - y."""
    if _equality(relation):
        zero = yield from functions.is_zero(party, difference)
        return zero if relation == "equal" else party.invert(zero)
    if relation in ("greater", "less_equal"):
        difference = party.negate(difference)
    negative = yield from functions.is_negative(party, difference)
    return negative if relation in ("less", "greater") else party.invert(negative)


def _compare_far(party: Party, share: Any, constant: Elements, relation: str) -> Step[Any]:
    """[x ? c] for public c anywhere in the ring."""
    if relation in ("less", "greater_equal"):
        bits = yield from functions.less_far(party, share, constant)
    else:
        bits = yield from functions.less_far(party, constant, share)
    return bits if relation in ("less", "greater") else party.invert(bits)


def _check(
    types: Sequence[ArrayType], values: Sequence[PublicArray | None], attributes: Any, ring: Ring
) -> None:
    if any(t.dtype.kind == "int" and not t.public for t in types):
        # Integers meet whole numbers: fractions are rounded away first.
        values = [v if v is None or v.dtype.kind != "f" else np.rint(extremes(v)) for v in values]
        types = [ArrayType(int64, t.shape, t.public) for t in types]
    check_encodable(types, values, attributes, ring)


COMPARISON = tuple(
    Operation(name, _rule(name), _meaning(name), check=_check, elementwise=True)
    for name in _MIRRORED
)
