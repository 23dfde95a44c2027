"""From what the two pairs know of a number to a sharing of the number shifted right.

Parties 2 and 3 know c, parties 0 and 1 know t, and c + t = x + 2^(N-2) =: x' with
0 <= x' < 2^(N-1). With arithmetic shifts,

    x' >> m = (c >> m) + (t >> m) + c_m t_m 2^(N-m)      up to one unit in the last place,

c_m, t_m the top bits. The pairs share c >> m, t >> m, and c_m, t_m in a field of w bytes, as the
product of the bits counts modulo 2^m only; then the product, in four messages (Dalskov, Escudero,
Keller 2021, section 3.3; ``docs/decisions/0038-four-party-truncation.md``). Active, t = 1, abort
with two suspects.

Rounds and bytes: 2 rounds, two ring elements and 6w bytes an element; w = 2, 4, 8 for m <= 16, 32,
62. What is known besides the result: see ``truncation.py``.

For Z_2^64 one kernel each makes what a round sends and adds what is known to the shares; the other
ring takes the same steps one by one, and a test holds both against each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, reduce
from typing import TYPE_CHECKING, Final

import numpy as np

from tacit.encoding.ring import Elements, Ring, Ring64
from tacit.errors import InternalError
from tacit.protocols.fantastic4.groups import Array, Group, elements_of, small_field
from tacit.protocols.fantastic4.joint import Roles, compared, exchange, total
from tacit.protocols.fantastic4.pairs import (
    CROSS_ROLES,
    PAIR_ROLES,
    blocks,
    cross_messages,
    knows_s,
    pair_messages,
    parts_by_share,
)
from tacit.rounds.contract import Step

if TYPE_CHECKING:
    from tacit.protocols.fantastic4.party import Fantastic4Party

__all__ = ["field_of", "shifted"]

_FIELDS: Final = (small_field(np.uint16), small_field(np.uint32), small_field(np.uint64))


@lru_cache(maxsize=256)
def field_of(ring: Ring, bits: int) -> Group:
    """The smallest words that hold numbers mod 2^bits: the carry is needed mod 2^m only."""
    if not 1 <= bits <= ring.magnitude_bits:
        raise InternalError(f"truncation by {bits} bits; possible are 1 to {ring.magnitude_bits}")
    fits = (field for field in _FIELDS if bits <= 8 * field.dtype.itemsize)
    return next(fits, elements_of(ring))


def shifted(
    party: Fantastic4Party, first: Elements, second: Elements | None, bits: int
) -> Step[Mapping[int, Elements]]:
    """The shares of x / 2^bits, from c - 2^(N-2) at parties 2 and 3 and t at parties 0 and 1.

    Parameters
    ----------
    party : Fantastic4Party
    first, second : ndarray
        What this party's pair knows is their sum: contiguous vectors. Without a second, the first.
    bits : int
        1 to N - 2.

    Returns
    -------
    mapping of int to ndarray
        This party's three shares.

    Raises
    ------
    DisputeError
        The sender and the backup of a message contradict each other (TC-5300).
    """
    one_pass = isinstance(party.ring, Ring64)
    step = _by_kernels if one_pass else _one_by_one
    return (yield from step(party, first, second, bits))


def _unit(ring: Ring, bits: int) -> int:
    """What share 0 takes besides: the offset of c, shifted, is taken back; one unit is added."""
    return 1 - (1 << (ring.magnitude_bits - bits))


def _by_kernels(
    party: Fantastic4Party, first: Elements, second: Elements | None, bits: int
) -> Step[Mapping[int, Elements]]:
    ring, field, size = party.ring, field_of(party.ring, bits), first.size
    y, top = yield from _pairs_share(party, first, second, bits, field)
    nonce, unit = party.nonce(), _unit(ring, bits) % (1 << ring.bits)
    send: list[tuple[Roles, list[Array]]] = []
    vouch: list[tuple[Roles, list[Array]]] = []
    received = field.empty((size,))
    for lane, ((i, j), (sender, backup, receiver)) in enumerate(CROSS_ROLES.items()):
        other = i + j - receiver
        roles, offset = (sender, backup, receiver, other), unit if receiver == 0 else 0
        if party.index in (sender, backup):
            rest, key = field.empty((size,)), party.keys[receiver]
            into = y[receiver], y[other], rest
            ring.kernels.joint_carry(top[i], top[j], key, nonce, lane, bits, offset, *into)
            (send if party.index == sender else vouch).append((roles, [rest]))
        elif party.index == receiver:
            got, share = roles, other
        else:
            mask = field.empty((size,))
            field.fill(party.keys[receiver], nonce, lane, mask)
            ring.kernels.joint_placed(mask, bits, offset, y[receiver])
    yield from compared(party, nonce, send, vouch, [(got, [received])])
    ring.kernels.joint_placed(received, bits, 0, y[share])
    return y


def _pairs_share(
    party: Fantastic4Party, first: Elements, second: Elements | None, bits: int, field: Group
) -> Step[tuple[dict[int, Elements], dict[int, Array]]]:
    """Shares of (c >> m) + (t >> m), and those of c_m (0, 1) and of t_m (2, 3). 1 round."""
    ring, nonce, me, shape = party.ring, party.nonce(), party.index, (first.size,)
    lane = 0 if knows_s(party) else 1
    mine, theirs = _with_other(PAIR_ROLES[lane]), _with_other(PAIR_ROLES[1 - lane])
    sender, _, receiver, other = mine
    y = {receiver: ring.empty(shape), other: ring.empty(shape)}
    top = {receiver: field.empty(shape), other: field.empty(shape)}
    ring.kernels.joint_halves(
        first,
        second,
        1 << ring.magnitude_bits if knows_s(party) else 0,
        bits,
        party.keys[receiver],
        nonce,
        (lane, lane + 2),
        *y.values(),
        *top.values(),
    )
    made = [y[other], top[other]]
    # Of the other pair's messages this party hears, or draws their masks.
    hears = me == theirs[2]
    share = theirs[3] if hears else theirs[2]
    y[share], top[share] = ring.empty(shape), field.empty(shape)
    if not hears:
        elements_of(ring).fill(party.keys[share], nonce, 1 - lane, y[share])
        field.fill(party.keys[share], nonce, 3 - lane, top[share])
    yield from compared(
        party,
        nonce,
        send=[(mine, made)] if me == sender else [],
        vouch=[] if me == sender else [(mine, made)],
        receive=[(theirs, [y[share], top[share]])] if hears else [],
    )
    return y, top


def _with_other(roles: tuple[int, int, int]) -> Roles:
    sender, backup, receiver = roles
    return sender, backup, receiver, 6 - sender - backup - receiver


def _one_by_one(
    party: Fantastic4Party, first: Elements, second: Elements | None, bits: int
) -> Step[Mapping[int, Elements]]:
    ring, shape = party.ring, (first.size,)
    elements, field = elements_of(ring), field_of(ring, bits)
    halves, tops = _halves(party, first, second, bits, field)
    pieces = yield from exchange(
        party,
        [*pair_messages(party, elements, shape, halves), *pair_messages(party, field, shape, tops)],
    )
    y, top = total(party, pieces[:2], shape), total(party, pieces[2:], shape)
    products = cross_messages(party, field, shape, lambda i, j: field.multiply(top[i], top[j]))
    carry = parts_by_share((yield from exchange(party, products)))
    offset = ring.elements(_unit(ring, bits))
    for j, share in y.items():
        for block in blocks(first.size):
            sum_ = reduce(field.add, (part[block] for part in carry[j]))
            out = ring.add(share[block], _placed(ring, sum_, bits), out=share[block])
            if j == 0:
                ring.add(out, offset, out=out)
    return y


def _halves(
    party: Fantastic4Party, first: Elements, second: Elements | None, bits: int, field: Group
) -> tuple[Elements, Array]:
    """c >> m and c_m at those that know c, t >> m and t_m at the others: vectors."""
    ring = party.ring
    offset = ring.elements(1 << ring.magnitude_bits if knows_s(party) else 0)
    halves, tops = ring.empty(first.size), field.empty((first.size,))
    for block in blocks(first.size):
        known = ring.add(first[block], offset)
        if second is not None:
            known = ring.add(known, second[block])
        ring.shift_right(known, bits, out=halves[block])
        tops[block] = _top_bit(ring, known, field)
    return halves, tops


def _top_bit(ring: Ring, x: Elements, field: Group) -> Array:
    """The top bits as elements of the field, 0 or 1."""
    bits = np.negative(ring.low_words(ring.shift_right(x, ring.top_bit)))
    return ring.elements(bits) if field.dtype == ring.dtype else bits.astype(field.dtype)


def _placed(ring: Ring, carry: Array, bits: int) -> Elements:
    """carry · 2^(N - bits): what of it lies above 2^bits falls out of the ring."""
    # As signed words: elements of Z_2^64 are no elements of a longer ring.
    words = carry.view(np.int64) if carry.dtype == np.uint64 else carry
    return ring.shift_left(ring.elements(words), ring.bits - bits)
