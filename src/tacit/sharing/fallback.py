"""From four parties to three without a message: the share of the party that leaves joins another.

Dalskov, Escudero, Keller 2021 (ePrint 2020/1330). Of x = x_0 + x_1 + x_2 + x_3, where
party i lacks x_i, the three that stay all hold x_b of the party b that leaves, and so both holders
of another x_a can add it: x = (x_a + x_b) + x_c + x_d, where party a lacks the first share, c the
second, d the third. That is a replicated sharing of three (``replicated.py``).

Who learns what: nobody anything. Each of the three holds what can be computed from what it held,
and lacks what it lacked. Cost: one addition of local arrays at two parties.

In a sharing of three, position p (the members in ascending order of their index among four)
holds shares p and p + 1 and lacks p + 2 (mod 3): so the share that p lacks has number p + 2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.ring import RING64, Ring
from tacit.encoding.wide import RING128
from tacit.sharing.additive import Parts
from tacit.sharing.bits import ReplicatedBits
from tacit.sharing.replicated import REPLICATED_FORM, Replicated
from tacit.sharing.replicated4 import Replicated4, Replicated4Bits

__all__ = ["OfFour", "OfThree", "drop", "from_lacking", "members_without", "parts_by_lacking"]

OfFour: TypeAlias = Replicated4 | Replicated4Bits
OfThree: TypeAlias = Replicated | ReplicatedBits


def members_without(dropped: int) -> tuple[int, int, int]:
    """The three of four parties that stay, by their index among four, ascending."""
    a, b, c = (i for i in range(4) if i != dropped)
    return a, b, c


@overload
def drop(
    share: Replicated4,
    index: int,
    dropped: int,
    into: int | None = None,
    ring: Ring | None = None,
) -> Replicated | None: ...
@overload
def drop(
    share: Replicated4Bits,
    index: int,
    dropped: int,
    into: int | None = None,
    ring: Ring | None = None,
) -> ReplicatedBits | None: ...
def drop(
    share: OfFour,
    index: int,
    dropped: int,
    into: int | None = None,
    ring: Ring | None = None,
) -> OfThree | None:
    """A party's part of the sharing of three that a sharing of four becomes. Local.

    Parameters
    ----------
    share : Replicated4 or Replicated4Bits
        Of any shape, planes included.
    index : int
        Which of the four parties this is, 0 to 3.
    dropped : int
        Which one leaves.
    into : int, optional
        Whose missing share takes in that of the one that leaves; by default the lowest member's.
        Of a pair of suspects the one that stays: then the one that leaves lacks that share, the
        two others hold it, and both serve it (decision 0051).
    ring : Ring, optional
        By default the one whose elements the shares are.

    Returns
    -------
    Replicated or ReplicatedBits or None
        None at the party that leaves. Shares that do not change are views of the old ones.
    """
    members = members_without(dropped)
    into = members[0] if into is None else into
    if into not in members:
        raise ValueError("the share of the one that leaves goes to one that stays")
    if index == dropped:
        return None
    if isinstance(share, Replicated4Bits):
        add: Callable[..., NDArray[Any]] = np.bitwise_xor
    else:
        add = (ring or _ring_of(share)).add
    held: dict[int, NDArray[Any]] = {}
    for member in members:
        if member != index:
            part = share.shares[member]
            held[member] = add(part, share.shares[dropped]) if member == into else part
    shape = share.shape if isinstance(share, Replicated4Bits) else None
    return from_lacking(held, index, members, shape)


def parts_by_lacking(share: OfThree, index: int, members: tuple[int, int, int]) -> Parts:
    """The two shares that a party holds, each under the member that lacks it.

    Parameters
    ----------
    share : Replicated or ReplicatedBits
    index : int
        The party, as in `members`.
    members : tuple of int
        Who the three are, by position.
    """
    parts = REPLICATED_FORM.parts(members.index(index), share)
    return {members[(number - 2) % 3]: part for number, part in parts.items()}


def from_lacking(
    parts: Parts, index: int, members: tuple[int, int, int], shape: tuple[int, ...] | None = None
) -> OfThree:
    """The inverse of :func:`parts_by_lacking`; bits of this shape where one is given."""
    position = members.index(index)
    numbers = {(members.index(member) + 2) % 3: part for member, part in parts.items()}
    own, following = numbers[position], numbers[(position + 1) % 3]
    return Replicated(own, following) if shape is None else ReplicatedBits(own, following, shape)


def _ring_of(share: Replicated4) -> Ring:
    dtype = next(iter(share.shares.values())).dtype
    return RING64 if dtype == RING64.dtype else RING128
