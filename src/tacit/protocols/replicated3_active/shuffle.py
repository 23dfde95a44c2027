"""Secret permutations: drawn by all, known to nobody, applied to arrays and taken back, proved.

Passes of Laur, Willemson, Zhang 2011, one for each pair of parties, with a column of one-time
MACs beside the data as in Asharov et al. 2022 (ePrint 2022/1595, section 5). Active, t = 1, abort.

A permutation is the product of three, each drawn by a pair from its common key
(``replicated3/shuffle.py``). In the pass of key k the parties P = k-1 and Q = k, who know π_k, send
R = k+1 new shares of π_k(x), masked from key k. A corrupt one of them can only add to the new
sharing what it chooses: whatever it sends is the right message plus something it knows.

The key r is the sum of the six pieces of a coin that nobody knows before it is tossed
(``coin.py``); m = r x over Z_2^128. x and m pass together. Then the coin is tossed, r is
public, and r y - m = 0 is checked after the product and after each pass, **one after the other**:
an error made in an earlier pass stands at a place in the later ones that tells a permutation
its maker does not know, so nothing of a later check may be seen once an earlier one has failed.

Rounds and bytes: 1 for m, 3 passes, 1 coin, 4 checks: 9 rounds, 16 + 3 · 2 · 32 / 3 = 80 bytes an
element and party, 352 check bytes. Bits are moved as the lowest bits of numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tacit.encoding.ring import Elements
from tacit.encoding.wide import RING128
from tacit.protocols.replicated3.shuffle import PairPermutations, permutation
from tacit.protocols.replicated3_active.arithmetic import lifted, lowered
from tacit.protocols.replicated3_active.coin import seal_coin, toss
from tacit.protocols.replicated3_active.openings import Pair, require_zero
from tacit.rounds.contract import Round, Step
from tacit.sharing.bits import ReplicatedBits, pack_bits, unpack_bits
from tacit.sharing.replicated import Replicated
from tacit.sharing.rows import Positions, moved, places_of, require_rows

if TYPE_CHECKING:
    from tacit.protocols.replicated3_active.party import Replicated3ActiveParty

__all__ = ["permutation", "permute", "permute_bits"]

_ZERO_SHARE = 0


def permute(
    party: Replicated3ActiveParty,
    permutation: PairPermutations,
    x: Replicated,
    inverse: bool = False,
) -> Step[Replicated]:
    """Every row's elements in the order of its secret permutation, proved. 9 rounds.

    Parameters
    ----------
    permutation : PairPermutations
        Of shape (rows, count).
    x : Replicated
        (rows, count, …): what stands behind the first two axes travels together.
    inverse : bool
        Back to the order before.
    """
    require_rows(permutation.shape, x.shape)
    return lowered((yield from _permuted(party, permutation, lifted(x), inverse)))


def permute_bits(
    party: Replicated3ActiveParty,
    permutation: PairPermutations,
    a: ReplicatedBits,
    inverse: bool = False,
) -> Step[ReplicatedBits]:
    """The same for plain bits (rows, count, …). 9 rounds.

    The share bits a_0, a_1, a_2 as ring elements are shares of a number whose lowest bit is a; the
    lowest bits of the shares of the moved number are shares of the moved bit.
    """
    require_rows(permutation.shape, a.shape)
    number = Replicated(*(unpack_bits(s, a.shape).astype(np.uint64) for s in (a.own, a.next)))
    moved = lowered((yield from _permuted(party, permutation, lifted(number), inverse)))
    one = np.uint64(1)
    return ReplicatedBits(pack_bits(moved.own & one), pack_bits(moved.next & one), a.shape)


def _permuted(
    party: Replicated3ActiveParty, permutation: PairPermutations, x: Replicated, inverse: bool
) -> Step[Replicated]:
    """The three passes over Z_2^128, with their checks."""
    factors = {party.index: permutation.own, party.next: permutation.next}
    places = {k: places_of(factor, inverse) for k, factor in factors.items()}
    sealed = seal_coin(party)
    m = yield from _times_key(party, sealed.key(), x)
    states = [(x, m)]
    for k in (2, 1, 0) if inverse else (0, 1, 2):
        x, m = yield from _one_pass(party, k, places.get(k), x, m)
        states.append((x, m))
    coin = yield from toss(party, sealed)
    for state in states:
        yield from require_zero(party, [_remainder(coin.key, *state)])
    return x


def _times_key(party: Replicated3ActiveParty, key: Replicated, x: Replicated) -> Step[Replicated]:
    """r x by the multiplication of [AFLNO16]. 1 round, 16 bytes an element and party."""
    z = RING128.add(
        RING128.multiply(x.own, RING128.add(key.own, key.next)), RING128.multiply(x.next, key.own)
    )
    z = np.ascontiguousarray(z)
    RING128.kernels.add_zero_share(
        z.reshape(-1), party.key_own, party.key_next, party.nonce(), _ZERO_SHARE
    )
    z_next = np.empty_like(z)
    yield Round(send={party.previous: (z,)}, receive={party.next: (z_next,)})
    return Replicated(z, z_next)


def _remainder(key: Elements, x: Replicated, m: Replicated) -> Pair:
    """Shares of r x - m for the key r, public by now."""
    return Pair(
        RING128.subtract(RING128.multiply(x.own, key), m.own),
        RING128.subtract(RING128.multiply(x.next, key), m.next),
    )


def _one_pass(
    party: Replicated3ActiveParty, k: int, places: Positions | None, x: Replicated, m: Replicated
) -> Step[tuple[Replicated, Replicated]]:
    """π_k of x and m, newly shared. 1 round, 32 bytes an element from each of P and Q.

    P = k-1 and Q = k draw ζ, η from key k. The new shares: y_{k-1} = π(x_{k-1}) + ζ, which P
    sends R; y_{k+1} = π(x_{k+1}) + η, which Q sends R; y_k = π(x_k) - ζ - η.
    """
    nonce = party.nonce()
    size, columns = x.size, (x, m)
    if places is None:
        # R = k+1 holds the shares k+1 (own) and k-1 (next).
        own, following = RING128.empty(2 * size), RING128.empty(2 * size)
        yield Round(receive={party.previous: (own,), party.next: (following,)})
    else:
        key = party.key_own if party.index == k else party.key_next
        zeta, eta = RING128.empty(2 * size), RING128.empty(2 * size)
        RING128.kernels.fill(key, nonce, 0, zeta)
        RING128.kernels.fill(key, nonce, 1, eta)
        new_own = np.concatenate([_ordered(c.own, places) for c in columns])
        new_next = np.concatenate([_ordered(c.next, places) for c in columns])
        common = RING128.add(zeta, eta)
        if party.index == k:
            # Q holds the shares k (own) and k+1 (next).
            own, following = RING128.subtract(new_own, common), RING128.add(new_next, eta)
            yield Round(send={party.next: (following,)})
        else:
            # P holds the shares k-1 (own) and k (next).
            own, following = RING128.add(new_own, zeta), RING128.subtract(new_next, common)
            yield Round(send={party.previous: (own,)})
    shape = x.shape
    return (
        Replicated(own[:size].reshape(shape), following[:size].reshape(shape)),
        Replicated(own[size:].reshape(shape), following[size:].reshape(shape)),
    )


def _ordered(share: Elements, places: Positions) -> Elements:
    return moved(np.ascontiguousarray(share), places).reshape(-1)
