"""Operations as they run: each different one, or chunk of one, timed once as a whole.

What an operation does between its messages, and what of its arrays the caches still hold, belongs
to its seconds as much as its primitives do. So it is run on random sharings of zeros by all
parties, where that takes little enough memory and time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final

from tacit.encoding.ring import Ring
from tacit.operations.types import Operand, SecretValue, reshaped
from tacit.programs.planning.calls import MATRICES, numbers_of
from tacit.programs.planning.party import Call
from tacit.programs.planning.profile import Profiler
from tacit.programs.planning.shortening import settle
from tacit.programs.planning.watching import Profile
from tacit.rounds.contract import Round, Step

__all__ = ["Piece", "Real", "operand_of", "piece_of"]

MOST_ELEMENTS: Final = 1 << 24
"""Elements of all primitives of an operation that is run as a whole."""

MOST_PRODUCTS: Final = 1 << 31
"""Multiplications of its matrix products."""

Real = Callable[[Any], Callable[[], Step[Any]]]
"""What makes the step of a party that computes, its operands made before."""


@dataclass(frozen=True, eq=False)
class Piece:
    """One operation, or a chunk of one.

    Attributes
    ----------
    name : str
    calls : Counter of Call
        The primitives that it calls.
    profile : Profile
        What it does.
    """

    name: str
    calls: Counter[Call]
    profile: Profile

    @property
    def rounds(self) -> int:
        """How often it yields."""
        return len(self.profile.links)


def operand_of(operand: Operand, party: Any) -> Operand:
    """A party's sharing of zeros in the place of a secret operand; public ones as they are."""
    if not isinstance(operand, SecretValue):
        return operand
    axes = operand.shape or (1,)
    share: Any
    if operand.dtype.kind == "bool":
        bits = party.random_bits(axes)
        share = party.xor(bits, bits)
    else:
        share = party.random(axes)
        share = party.subtract(share, share)
    return SecretValue(operand.dtype, reshaped(share, operand.shape), operand.held)


def piece_of(
    name: str, rounds: Sequence[Round], profiler: Profiler, rounding: str, real: Real
) -> Piece | None:
    """Run a part of a program that was counted; None where its primitives stand for it.

    Parameters
    ----------
    name : str
    rounds : sequence of Round
        What the party that counts yielded for it.
    profiler : Profiler
    rounding : str
        The session's.
    real : callable
        ``real(party)()`` is the step of a party that computes.
    """
    calls: Counter[Call] = Counter()
    for one in rounds:
        if one.split:
            return None
        for token in one.send.get(0, ()):
            called: Any = token
            if isinstance(called[0], Call) and called[1] == 0:
                calls[called[0]] += 1
    if not _is_small(calls, profiler.ring):
        return None
    members = profiler.members(rounding)
    makers = [real(party) for party in members]
    profile = profiler.driver.profile(lambda: [make() for make in makers])
    if len(profile.links) != len(rounds):
        return None  # a batch of comparisons more or fewer, in the order that was drawn here
    parties = range(len(members))
    settle(
        profile,
        [sum(call.bytes_sent[one] * times for call, times in calls.items()) for one in parties],
        [sum(call.check_bytes[one] * times for call, times in calls.items()) for one in parties],
    )
    profile.products = _products(calls, profile, profiler)
    return Piece(name, calls, profile)


def _products(calls: Counter[Call], profile: Profile, profiler: Profiler) -> float:
    """Which part of an operation's seconds is matrix products."""
    count = sum(n * numbers_of(call) for call, n in calls.items() if call.primitive in MATRICES)
    if not count:
        return 0.0
    whole = sum(map(sum, profile.compute))
    return min(1.0, count * profiler.product_seconds / whole) if whole else 0.0


def _is_small(calls: Counter[Call], ring: Ring) -> bool:
    elements = products = 0
    for call, times in calls.items():
        if call.primitive in MATRICES:
            products += times * numbers_of(call)
            elements += times * sum(map(prod, call.arguments[:2]))
        else:
            elements += times * numbers_of(call)
    return elements * (ring.bits // 64) <= MOST_ELEMENTS and products <= MOST_PRODUCTS
