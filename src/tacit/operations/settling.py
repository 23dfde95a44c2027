"""Small integers through operations: when the ring elements that hold them are wrapped.

An integer of N < 64 bits is held as a ring element that is right modulo 2^N. A public interval
(``SecretValue.held``) says how far the elements may be outside the type's range; None says that
they are not. Operations that are sums and products modulo 2^N take such elements as they are
(:attr:`Operation.integers` is ``"modular"``), and all others get them wrapped first. Both get
them as ``tacit.int64``, and the results get their types back here. An operation that depends on
the types themselves gets them: ``"typed"`` ones wrapped, ``"bits"`` ones as they are.

What is wrapped when follows from public types alone, equally at every party.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np

from tacit import functions
from tacit.encoding.types import INTEGERS, DType, int64
from tacit.operations.bounds import ANYWHERE, bounds_of_results, dtype_bounds, operand_bounds
from tacit.operations.types import ArrayType, Bounds, Operand, SecretValue
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step

__all__ = ["Integers", "has_narrow", "held_results", "settled_bounds", "settled_operands"]

Integers: TypeAlias = Literal["settled", "modular", "typed", "bits"]
"""How an operation takes small integers."""


def has_narrow(values: Sequence[ArrayType | Operand]) -> bool:
    """Whether small integers are among types, operands or results. Quick: called every time."""
    for value in values:
        dtype = value.dtype
        if dtype.bits < 64 if isinstance(dtype, DType) else dtype in _NARROW:
            return True
    return False


_NARROW = frozenset(dtype.numpy for dtype in INTEGERS.values() if dtype.narrow)


def _stays(dtype: DType, integers: Integers, results: Sequence[ArrayType]) -> bool:
    """Whether elements of this type may go into the operation unwrapped."""
    if integers == "modular":
        return all(result.dtype == dtype for result in results)
    return integers == "bits"


def settled_bounds(
    types: Sequence[ArrayType],
    bounds: Sequence[Bounds | None],
    integers: Integers,
    results: Sequence[ArrayType],
) -> list[Bounds | None]:
    """The intervals of the operands after wrapping, from those before."""
    return [
        dtype_bounds(t.dtype)
        if t.dtype.narrow and not _stays(t.dtype, integers, results) and not _within(b, t.dtype)
        else b
        for t, b in zip(types, bounds, strict=True)
    ]


def _within(bounds: Bounds | None, dtype: DType) -> bool:
    limits = dtype.range
    return (
        bounds is not None
        and limits is not None
        and limits[0] <= bounds[0]
        and bounds[1] <= limits[1]
    )


def settled_operands(
    party: Party,
    operands: Sequence[Operand],
    integers: Integers,
    results: Sequence[ArrayType],
) -> Step[list[Operand]]:
    """Small integers as the operation takes them: as int64 or typed, wrapped or as they are."""
    typed = integers in ("typed", "bits")

    def step(operand: Operand) -> Step[Operand]:
        if not isinstance(operand, SecretValue):
            plain = typed or operand.dtype.kind not in "iu"
            return operand if plain else operand.astype(np.int64)
        dtype, share = operand.dtype, operand.share
        if not dtype.narrow:
            return operand
        if operand.held is not None and not _stays(dtype, integers, results):
            share = yield from functions.wrapped(party, share, dtype, operand.held)
        return SecretValue(dtype if typed else int64, share)

    return list((yield from together(*map(step, operands))))


def held_results(
    name: str,
    operands: Sequence[Operand],
    types: Sequence[ArrayType],
    integers: Integers,
    attributes: Any,
    expected: Sequence[ArrayType],
    values: Sequence[SecretValue],
) -> tuple[SecretValue, ...]:
    """Results with the types that the rule gives, and what is known of how they are held."""
    bounds: list[Bounds | None] = [None] * len(types)
    if has_narrow(expected):
        known = [
            operand_bounds(t, None if isinstance(o, SecretValue) else o)
            for t, o in zip(types, operands, strict=True)
        ]
        values_given = [None if isinstance(o, SecretValue) else o for o in operands]
        settled = settled_bounds(types, known, integers, expected)
        bounds = bounds_of_results(name, types, settled, attributes, expected, values_given)
    else:
        bounds = [None] * len(expected)
    return tuple(
        _typed(value, result, held)
        for value, result, held in zip(values, expected, bounds, strict=True)
    )


def _typed(value: SecretValue, result: ArrayType, held: Bounds | None) -> SecretValue:
    if not result.dtype.narrow:
        return value
    if _within(held, result.dtype):
        return SecretValue(result.dtype, value.share)
    if held is None or held[0] < ANYWHERE[0] or held[1] > ANYWHERE[1]:
        held = ANYWHERE
    return SecretValue(result.dtype, value.share, held)
