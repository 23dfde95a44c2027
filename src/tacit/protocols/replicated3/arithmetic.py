"""Multiplication and matrix products in the ring.

Araki, Furukawa, Lindell, Nof, Ohara 2016 (ePrint 2016/768), protocol 3.1 in its ring form
(section 2.3). Passive, t = 1.

Notation: party i holds x_i = ``own`` and x_{i+1} = ``next``; alpha_i = F(k_i) - F(k_{i+1}) sums
to zero over the parties.

Rounds and bytes: 1 round, one ring element (8 bytes in Z_2^64) for an element of the *result* from
each party, however long the sums are. Deviation from the paper: none.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.ring import Elements
from tacit.protocols.replicated3.roles import Thirds, thirds
from tacit.rounds.contract import Round, Step
from tacit.sharing.replicated import Replicated

if TYPE_CHECKING:
    from tacit.protocols.replicated3.party import Replicated3Party

__all__ = [
    "as_matrices",
    "flat",
    "matmul",
    "multiply",
    "product_terms",
    "product_terms_by_row",
    "reshare",
]

_ZERO_SHARE = 0


def flat(array: NDArray[Any]) -> NDArray[Any]:
    """A contiguous vector of the elements; a copy only where strides demand it."""
    if array.ndim == 1 and array.flags.c_contiguous:
        return array
    return np.ascontiguousarray(array).reshape(-1)


def multiply(party: Replicated3Party, x: Replicated, y: Replicated) -> Step[Replicated]:
    """Product of two sharings, element by element. 1 round, one ring element each a party.

    Step 1: z_i = x_i y_i + x_i y_{i+1} + x_{i+1} y_i + alpha_i. Step 2: z_i goes to party i-1.
    """
    z = party.ring.empty(x.shape)
    party.ring.kernels.multiply_share(
        flat(x.own),
        flat(x.next),
        flat(y.own),
        flat(y.next),
        party.key_own,
        party.key_next,
        party.nonce(),
        _ZERO_SHARE,
        z.reshape(-1),
    )
    return (yield from _send_share(party, z))


def matmul(party: Replicated3Party, x: Replicated, y: Replicated) -> Step[Replicated]:
    """Matrix product of two sharings. 1 round, one ring element a result and party."""
    x, y, shape = as_matrices(x, y)
    if x.ndim == 2 and y.ndim == 2 and x.shape[0] >= 3:
        z = product_terms_by_row(party, x, y, thirds(x.shape[0], party.index))
    else:
        z = product_terms(party, x, y)
    result = yield from reshare(party, z)
    return result.reshape(*shape)


def as_matrices(x: Replicated, y: Replicated) -> tuple[Replicated, Replicated, tuple[int, ...]]:
    """Operands of a matrix product with vectors as one row or column, and the result's shape."""
    row, column = x.ndim == 1, y.ndim == 1
    if row:
        x = x.map(lambda share: share[None, :])
    if column:
        y = y.map(lambda share: share[:, None])
    shape = (*np.broadcast_shapes(x.shape[:-2], y.shape[:-2]), x.shape[-2], y.shape[-1])
    if column:
        shape = shape[:-1]
    if row:
        shape = (*shape[: len(shape) - 2 + column], *(() if column else shape[-1:]))
    return x, y, shape


def product_terms(party: Replicated3Party, x: Replicated, y: Replicated) -> Elements:
    """This party's additive part of x @ y: x_i (y_i + y_{i+1}) + x_{i+1} y_i, two products."""
    ring = party.ring
    z = ring.matmul(x.own, ring.add(y.own, y.next), threads=party.threads)
    return ring.matmul(x.next, y.own, out=z, accumulate=True, threads=party.threads)


def product_terms_by_row(
    party: Replicated3Party, x: Replicated, y: Replicated, by_row: Thirds
) -> Elements:
    """Additive parts of x @ y in five local products for all parties instead of six.

    Roles rotate over row blocks (``roles.py``). Of the nine terms of a row block A computes the
    four in s_x s_y with one product; B computes x_{j+1} y_{j+2} + x_{j+2} (y_{j+1} + y_{j+2}),
    C computes x_{j+2} y_j + x_j y_{j+2}.
    """
    ring = party.ring
    matmul = partial(ring.matmul, threads=party.threads)
    z = ring.empty((x.shape[0], y.shape[1]))
    y_sum = ring.add(y.own, y.next)
    a, b, c = by_row.a, by_row.b, by_row.c
    matmul(x.own[b], y.next, out=z[b])
    matmul(x.next[b], y_sum, out=z[b], accumulate=True)
    matmul(x.own[c], y.next, out=z[c])
    matmul(x.next[c], y.own, out=z[c], accumulate=True)
    matmul(ring.add(x.own[a], x.next[a]), y_sum, out=z[a])
    return z


def reshare(party: Replicated3Party, z: Elements) -> Step[Replicated]:
    """Turn additive parts z_i (C-contiguous, overwritten) into a replicated sharing.

    Steps 1 and 2 of the multiplication: add alpha_i, send to party i-1. 1 round, one ring
    element each a party.
    """
    add_zero_share = party.ring.kernels.add_zero_share
    add_zero_share(z.reshape(-1), party.key_own, party.key_next, party.nonce(), _ZERO_SHARE)
    return (yield from _send_share(party, z))


def _send_share(party: Replicated3Party, z: Elements) -> Step[Replicated]:
    z_next = np.empty_like(z)
    yield Round(send={party.previous: (z,)}, receive={party.next: (z_next,)})
    return Replicated(own=z, next=z_next)
