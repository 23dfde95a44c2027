"""What the two pairs of parties know of a sharing, and products across the pairs.

x = s + t with s = x_0 + x_1, which parties 2 and 3 know, and t = x_2 + x_3, which parties 0 and 1
know. What a pair computes from its summand it shares by INP (Dalskov, Escudero, Keller 2021,
section 3.1): a value u of parties 2 and 3 as u = u_0 + u_1, a value v of parties 0 and 1 as
v = v_2 + v_3. Then u v is the sum of four products u_i v_j, and each is known to the two parties
outside {i, j}: four INP instead of the six of a general product.

Active, t = 1: every value is known to two parties, and goes through ``joint.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Final

from tacit.protocols.fantastic4.groups import Array, Group
from tacit.protocols.fantastic4.joint import Message, Piece

if TYPE_CHECKING:
    from tacit.protocols.fantastic4.party import Fantastic4Party

__all__ = [
    "CROSS_ROLES",
    "PAIR_ROLES",
    "added",
    "blocks",
    "cross_messages",
    "knows_s",
    "pair_messages",
    "parts_by_share",
    "summand",
]

PAIR_ROLES: Final = ((2, 3, 0), (0, 1, 2))
"""S, B and R of the values of those that know s, then of those that know t."""

CROSS_ROLES: Final[Mapping[tuple[int, int], tuple[int, int, int]]] = {
    (0, 2): (1, 3, 0),
    (0, 3): (2, 1, 3),
    (1, 2): (3, 0, 2),
    (1, 3): (0, 2, 1),
}
"""S, B and R of the product of share i of s and share j of t: every party is each of them once."""

BLOCK: Final = 1 << 14
"""Elements that local steps handle at a time, so that what is between stays in the cache."""


def blocks(size: int) -> Iterator[slice]:
    """Slices of up to `BLOCK` of `size` elements."""
    return (slice(start, min(start + BLOCK, size)) for start in range(0, size, BLOCK))


def knows_s(party: Fantastic4Party) -> bool:
    """Whether the party knows s = x_0 + x_1; the others know t = x_2 + x_3."""
    return party.index >= 2


def summand(
    party: Fantastic4Party, shares: Mapping[int, Array], add: Callable[[Array, Array], Array]
) -> Array:
    """s at parties 2 and 3, t at parties 0 and 1."""
    return reduce(add, (shares[j] for j in ((0, 1) if knows_s(party) else (2, 3))))


def pair_messages(
    party: Fantastic4Party, group: Group, shape: tuple[int, ...], value: Array
) -> list[Message]:
    """INP of the s pair's value and of the t pair's value; each party passes its own pair's.

    The value is overwritten. Their total is the sharing (u_0, u_1, v_2, v_3) of u + v.
    """
    mine = 0 if knows_s(party) else 1
    return [
        Message(*roles, group, shape, value if k == mine else None, fresh=True)
        for k, roles in enumerate(PAIR_ROLES)
    ]


def cross_messages(
    party: Fantastic4Party,
    group: Group,
    shape: tuple[int, ...],
    term: Callable[[int, int], Array],
) -> list[Message]:
    """INP of ``term(i, j)``, a new array of shares i of s and j of t, by those that hold both."""
    return [
        Message(*roles, group, shape, None if party.index in pair else term(*pair), fresh=True)
        for pair, roles in CROSS_ROLES.items()
    ]


def added(group: Group, pieces: Sequence[Piece]) -> dict[int, Array]:
    """The shares of the sum of pieces; the first piece of a share is overwritten with its sum."""
    shares = {}
    for j, (first, *rest) in parts_by_share(pieces).items():
        for part in rest:
            group.add(first, part, out=first)
        shares[j] = first
    return shares


def parts_by_share(pieces: Sequence[Piece]) -> Mapping[int, list[Array]]:
    """The masks and rests that a party holds, by the share of the sum that they are parts of."""
    parts: dict[int, list[Array]] = {}
    for piece in pieces:
        message = piece.message
        for j, part in ((message.receiver, piece.mask), (message.other, piece.rest)):
            if part is not None:
                parts.setdefault(j, []).append(part)
    return parts
