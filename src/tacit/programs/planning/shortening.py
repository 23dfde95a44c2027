"""Shorter calls in the place of long ones, and what follows for the long ones.

What a long call computes is in proportion to its length, as no cache holds its arrays. What its
messages come to follows from two short calls, in a straight line: sizes that differ by a multiple
of `PERIOD` divide alike among roles, words and blocks. The line is held against what the protocol
declares for every party; where it misses that, the links' shares are scaled to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from tacit.programs.planning.calls import MATRICES
from tacit.programs.planning.party import Call

__all__ = ["LONG", "Link", "LinkBytes", "Shorter", "extended", "settle", "shorter_call"]

PERIOD: Final = 1536

LONG: Final = 352 * PERIOD
"""Calls of up to so many elements are run as they are. Arrays of more are 4 MiB or longer: the
system gives them pages of another kind, which take less time to come by.
"""

MOST_PRODUCTS: Final = 1 << 30
"""Multiplications of a matrix product that is run as it is."""

Link: TypeAlias = tuple[int, int]
LinkBytes: TypeAlias = dict[Link, tuple[int, int]]
"""By sender and receiver: payload and check bytes."""


@dataclass(frozen=True, slots=True)
class Shorter:
    """What is run in the place of a long call.

    Attributes
    ----------
    timed : tuple
        Arguments of the call that is timed.
    factor : float
        How much more the long one computes.
    pair : tuple of two tuples
        Arguments of the calls whose messages are counted.
    distance : float
        The long call lies at first + distance * (second - first).
    """

    timed: tuple[Any, ...]
    factor: float
    pair: tuple[tuple[Any, ...], tuple[Any, ...]]
    distance: float


def shorter_call(call: Call) -> Shorter | None:
    """What to run in the place of a call; None for the call itself."""
    if call.primitive in MATRICES:
        return _of_matrices(call.arguments)
    size, *rest = call.arguments
    weight = _weight(call)
    if size * weight <= LONG:
        return None
    step = PERIOD if weight == 1 else 64
    first = 3 * PERIOD + size % step
    timed = max(step, LONG // weight)
    return Shorter(
        (timed, *rest),
        size / timed,
        ((first, *rest), (first + step, *rest)),
        (size - first) / step,
    )


def _weight(call: Call) -> int:
    """How many times more than others a call works on an element."""
    if call.primitive == "from_bits":
        return int(call.arguments[1])
    if call.primitive in ("bitwise_and", "reveal_bits"):
        return max(1, int(call.arguments[-1]) // 64)
    return 4 if call.primitive in ("to_bits", "sum_products_truncate") else 1


def _of_matrices(arguments: tuple[Any, ...]) -> Shorter | None:
    x, y, *rest = arguments
    if len(x) != 2 or len(y) != 2 or x[0] * x[1] * y[1] <= MOST_PRODUCTS:
        return None
    rows, inner = x
    timed = max(96, MOST_PRODUCTS // (inner * y[1]))
    if rows <= timed:
        return None
    first, step = 96 + rows % 96, 96
    return Shorter(
        ((timed, inner), y, *rest),
        rows / timed,
        (((first, inner), y, *rest), ((first + step, inner), y, *rest)),
        (rows - first) / step,
    )


def extended(first: list[LinkBytes], second: list[LinkBytes], distance: float) -> list[LinkBytes]:
    """The messages on the straight line through those of two calls."""
    found: list[LinkBytes] = []
    for one, other in zip(first, second, strict=True):
        links: LinkBytes = {}
        for link in {**one, **other}:
            a, b = one.get(link, (0, 0)), other.get(link, (0, 0))
            links[link] = (
                round(a[0] + distance * (b[0] - a[0])),
                round(a[1] + distance * (b[1] - a[1])),
            )
        found.append(links)
    return found


def settle(profile: Any, bytes_sent: Sequence[int], check_bytes: Sequence[int]) -> None:
    """Make a party's messages add up to what it declares, where those of a profile miss it."""
    for party, declared in enumerate(zip(bytes_sent, check_bytes, strict=True)):
        for kind in (0, 1):
            _settle(profile, party, kind, declared[kind])


def _settle(profile: Any, party: int, kind: int, declared: int) -> None:
    places = [(links, link) for links in profile.links for link in links if link[0] == party]
    total = sum(links[link][kind] for links, link in places)
    if total == declared or not places:
        return
    receivers = {link[1] for links, link in places if links[link][kind]}
    profile.exact = profile.exact and len(receivers) <= 1
    share = declared / total if total else 0.0
    largest, link_of_largest = max(places, key=lambda one: one[0][one[1]][kind])
    left = declared
    for links, link in places:
        count = int(links[link][kind] * share)
        left -= count
        links[link] = _with(links[link], kind, count)
    most = largest[link_of_largest]
    largest[link_of_largest] = _with(most, kind, most[kind] + left)


def _with(pair: tuple[int, int], kind: int, count: int) -> tuple[int, int]:
    return (count, pair[1]) if kind == 0 else (pair[0], count)
