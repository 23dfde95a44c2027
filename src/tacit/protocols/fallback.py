"""From one sharing of three to another one when a party takes the place of another.

Dalskov, Escudero, Keller 2021 (ePrint 2020/1330), after a second fault: of the parties {A, C, D}
that computed after B was dropped, A turns out to be the corrupt one of the pair {A, B}; C and D
go on with B. Of x = x_A + x_C + x_D, where each party lacks the share of its name, C and D both
hold x_A: it becomes the share that B lacks, without a message. C puts in x_D as an input of the
new session, D puts in x_C.

Who learns what: each gets the inputs' shares, fresh under the new session's keys. B gets two of
three shares and lacks the one with x_A; C and D lack one of each other's input.

Rounds and bytes: those of two inputs of the new protocol side by side: two elements in all.
"""

from __future__ import annotations

from functools import reduce
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.errors import InternalError
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration, beside
from tacit.sharing.bits import unpack_bits, without_padding, word_count
from tacit.sharing.fallback import OfThree, from_lacking, parts_by_lacking

__all__ = ["inputs_cost", "put_in_part", "transfer"]

Members = tuple[int, int, int]


def transfer(
    party: Party,
    share: OfThree | None,
    shape: tuple[int, ...],
    *,
    bits: bool,
    old: Members,
    new: Members,
) -> Step[Any]:
    """The sharing that the new three have of what the old three shared. 1 round, two elements.

    Parameters
    ----------
    party : Party
        Of ``replicated3`` (or ``replicated3_active``: 2 rounds), among the new three.
    share : Replicated or ReplicatedBits or None
        This party's part among the old three; None at the one that was not there.
    shape : tuple of int
        Of the secret.
    bits : bool
        Whether it is bits; plain ones, without planes.
    old, new : tuple of int
        Both threes by their index among four, in ascending order; two are in both.
    """
    (left,) = set(old) - set(new)
    (joined,) = set(new) - set(old)
    first, second = (member for member in new if member != joined)
    me = new[party.index]
    parts = {} if share is None else dict(parts_by_lacking(share, me, old))
    if (share is None) != (me == joined) or set(parts) - {left, first, second}:
        raise InternalError("a party has no part of what is handed over, or has one too many")
    common = _known(party, parts.get(left), shape, me, joined, new, bits)
    inputs = []
    for owner, lacking in ((first, second), (second, first)):
        part = parts[lacking] if me == owner else None
        inputs.append(put_in_part(party, new.index(owner), part, shape, bits=bits))
    add = party.xor if bits else party.add
    return reduce(add, (yield from together(*inputs)), common)


def inputs_cost(party: Party, size: int, owners: tuple[int, int], *, bits: bool) -> Declaration:
    """What :func:`transfer` costs: the inputs of the two that were there, side by side."""
    declared = party.costs["input_bits" if bits else "input"]
    return beside(*(declared(size, owner, ring=party.ring) for owner in owners))


def put_in_part(
    party: Party, owner: int, part: NDArray[Any] | None, shape: tuple[int, ...], *, bits: bool
) -> Step[Any]:
    """Share one additive part, ring elements or packed words, which its owner has."""
    if bits:
        values = None if part is None else unpack_bits(part, shape)
        return (yield from party.input_bits(owner, values, shape))
    elements = None if part is None else np.ascontiguousarray(part).reshape(shape)
    return (yield from party.input(owner, elements, shape))


def _known(
    party: Party,
    part: NDArray[Any] | None,
    shape: tuple[int, ...],
    me: int,
    joined: int,
    new: Members,
    bits: bool,
) -> OfThree:
    """The sharing of a part that all but the one who joined hold: its missing share; others 0."""
    size = (word_count(prod(shape)),) if bits else shape
    zero = np.zeros(size, np.uint64) if bits else party.ring.zeros(size)
    parts = {member: zero for member in new if member != me}
    if part is not None:
        parts[joined] = without_padding(part, prod(shape)) if bits else part
    return from_lacking(parts, me, new, shape if bits else None)
