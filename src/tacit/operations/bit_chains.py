"""Several operations on the bits of integers as one, which converts each number once.

An integer is kept as an arithmetic sharing; every AND, OR, XOR or shift of its bits alone converts
it to bits and back. A chain of them stays in bits: each operand is converted once, the result once.
Programs are rewritten into this form where it is cheaper (``programs/optimising``); nobody needs to
write it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from msgspec import Struct

from tacit.encoding.types import DType, bool_
from tacit.errors import ShapeError, TypeMismatchError
from tacit.functions.integers import extended, from_planes, public_planes
from tacit.operations.integers import integer_type
from tacit.operations.operation import Attributes, Operation, ResultValues
from tacit.operations.promotion import broadcast_shape, broadcasted
from tacit.operations.types import ArrayType, Operand, SecretValue, operand_types
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step

__all__ = ["BIT_CHAINS", "BitStep", "Chain"]

Kind: TypeAlias = Literal["and", "or", "xor", "not", "left", "right", "nonzero"]

MOST_STEPS: Final = 1000


class BitStep(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One step of a chain.

    Attributes
    ----------
    kind : str
        ``left`` and ``right`` shift by `other` places; ``nonzero`` ends a chain with a boolean.
    value : int
        An operand, or after them an earlier step.
    other : int
        The second value of ``and``, ``or`` and ``xor``, or the places of a shift.
    """

    kind: Kind
    value: int
    other: int = 0


class Chain(Attributes, frozen=True):
    """The steps, of which the last one is the result."""

    steps: tuple[BitStep, ...]


def _rule(types: Sequence[ArrayType], attributes: Chain) -> ArrayType:
    dtype = integer_type("bit_chain", types)
    if dtype.bits > 64:
        raise TypeMismatchError(
            "bit_chain: chains are built for integers of up to 64 bits.",
            next_step="use the operations on bits one by one.",
            case=72,
            stage="bit_chain",
        )
    steps = attributes.steps
    known = len(types)
    for place, step in enumerate(steps):
        before = known + place
        paired = step.kind in ("and", "or", "xor")
        good = 0 <= step.value < before and (not paired or 0 <= step.other < before)
        if step.kind in ("left", "right"):
            good = good and 0 <= step.other < 64
        if step.kind == "nonzero":
            good = good and place == len(steps) - 1
        if not good:
            break
    else:
        if 0 < len(steps) <= MOST_STEPS:
            shape = broadcast_shape("bit_chain", *(t.shape for t in types))
            return ArrayType(bool_ if steps[-1].kind == "nonzero" else dtype, shape)
    raise ShapeError(
        "bit_chain: a step refers to a value that does not come before it.",
        next_step="give 1 to 1,000 steps, each on operands or earlier steps.",
        case=94,
        stage="bit_chain",
    )


def _meaning(party: Party, operands: Sequence[Operand], attributes: Chain) -> Step[ResultValues]:
    """All bits of every secret operand side by side, the steps, and the planes summed."""
    types = operand_types(operands)
    dtype = integer_type("bit_chain", types)
    shape = broadcast_shape("bit_chain", *(t.shape for t in types))

    def bits(operand: Operand) -> Step[Any]:
        if not isinstance(operand, SecretValue):
            values = np.broadcast_to(operand, shape).astype(np.int64)
            return public_planes(party, values, dtype.bits)
            yield  # a generator without rounds
        planes = yield from party.to_bits(broadcasted(party, operand.share, shape))
        return extended(party, planes, operand.dtype, dtype)

    values = list((yield from together(*(bits(operand) for operand in operands))))
    for step in attributes.steps:
        if step.kind == "nonzero":
            return SecretValue(bool_, (yield from _nonzero(party, values[step.value])))
        values.append((yield from _step(party, step, values, dtype)))
    return SecretValue(dtype, (yield from from_planes(party, values[-1], dtype)))


def _step(party: Party, step: BitStep, values: Sequence[Any], dtype: DType) -> Step[Any]:
    a = values[step.value]
    match step.kind:
        case "not":
            return party.invert(a)
        case "xor":
            return party.xor(a, values[step.other])
        case "and":
            return (yield from party.bitwise_and(a, values[step.other]))
        case "or":  # a OR b = NOT (NOT a AND NOT b)
            left, right = party.invert(a), party.invert(values[step.other])
            return party.invert((yield from party.bitwise_and(left, right)))
    planes = [a.plane(k) for k in range(dtype.bits)]
    zero = party.xor(planes[0], planes[0])
    moved = min(step.other, dtype.bits)
    if step.kind == "left":
        return party.stack_planes([zero] * moved + planes[: dtype.bits - moved])
    above = planes[-1] if dtype.signed else zero
    return party.stack_planes(planes[moved:] + [above] * moved)


def _nonzero(party: Party, planes: Any) -> Step[Any]:
    """Whether any plane is 1: a tree of ANDs of the inverted planes."""
    rows = [party.invert(planes.plane(k)) for k in range(planes.planes[0])]
    while len(rows) > 1:
        half = len(rows) // 2
        left, right = party.stack_planes(rows[:half]), party.stack_planes(rows[half : 2 * half])
        both = yield from party.bitwise_and(left, right)
        rows = [*(both.plane(k) for k in range(half)), *rows[2 * half :]]
    return party.invert(rows[0])


def _width(types: Sequence[ArrayType]) -> int:
    return 2 * max(t.dtype.bits // 8 if t.dtype.kind == "int" else 1 for t in types)


BIT_CHAINS = (
    Operation("bit_chain", _rule, _meaning, Chain, elementwise=True, integers="bits", width=_width),
)
