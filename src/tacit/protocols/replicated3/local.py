"""Local steps on arithmetic sharings: linear maps, public values, random sharings.

Araki et al. 2016, section 2: linear operations need no communication. Passive, t = 1.
A public constant c is the sharing (c, 0, 0): party 0 holds it as ``own``, party 2 as ``next``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tacit import kernels
from tacit.sharing.replicated import Replicated

if TYPE_CHECKING:
    from tacit.protocols.replicated3.party import Replicated3Party

__all__ = [
    "add",
    "add_public",
    "broadcast",
    "concatenate",
    "elements",
    "multiply_public",
    "negate",
    "public",
    "random",
    "subtract",
    "sum_",
]


def elements(values: NDArray[Any] | int) -> NDArray[np.uint64]:
    """Public integers as ring elements; Python and NumPy integers wrap as two's complement."""
    if isinstance(values, int):
        return np.array(values % (1 << 64), np.uint64)
    array = np.asarray(values)
    if array.dtype == np.uint64:
        return array
    if array.dtype.kind not in "iub":
        raise TypeError(f"ring elements are integers, not {array.dtype}")
    return array.astype(np.int64).view(np.uint64)


def _words(operation: np.ufunc, a: NDArray[np.uint64], b: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """An operation mod 2^64 that gives an array, and no warning, even for arrays without axes."""
    if a.ndim or b.ndim:
        result: NDArray[np.uint64] = operation(a, b)
        return result
    out = np.empty((), np.uint64)
    operation(a, b, out=out)
    return out


def public(party: Replicated3Party, values: NDArray[Any]) -> Replicated:
    """The sharing (c, 0, 0) of public ring elements. No communication."""
    c = np.asarray(elements(values), order="C")
    zero = np.zeros_like(c)
    return Replicated(c if party.index == 0 else zero, c if party.index == 2 else zero)


def add(party: Replicated3Party, x: Replicated, y: Replicated) -> Replicated:
    """x + y, share by share."""
    return Replicated(_words(np.add, x.own, y.own), _words(np.add, x.next, y.next))


def subtract(party: Replicated3Party, x: Replicated, y: Replicated) -> Replicated:
    """x - y, share by share."""
    return Replicated(_words(np.subtract, x.own, y.own), _words(np.subtract, x.next, y.next))


def negate(party: Replicated3Party, x: Replicated) -> Replicated:
    """-x, share by share."""
    return x.map(lambda share: _words(np.subtract, np.zeros((), np.uint64), share))


def add_public(party: Replicated3Party, x: Replicated, c: NDArray[Any] | int) -> Replicated:
    """x + c: share 0 takes the constant."""
    c = elements(c)
    shape = np.broadcast_shapes(x.shape, c.shape)
    own = _words(np.add, x.own, c) if party.index == 0 else np.broadcast_to(x.own, shape)
    following = _words(np.add, x.next, c) if party.index == 2 else np.broadcast_to(x.next, shape)
    return Replicated(own, following)


def multiply_public(party: Replicated3Party, x: Replicated, c: NDArray[Any] | int) -> Replicated:
    """x · c mod 2^64, share by share."""
    c = elements(c)
    return x.map(lambda share: _words(np.multiply, share, c))


def sum_(
    party: Replicated3Party,
    x: Replicated,
    axis: int | tuple[int, ...] | None = None,
    keepdims: bool = False,
) -> Replicated:
    """The sum over axes, share by share, mod 2^64."""
    return x.map(lambda share: np.asarray(share.sum(axis=axis, keepdims=keepdims, dtype=np.uint64)))


def broadcast(party: Replicated3Party, x: Replicated, shape: tuple[int, ...]) -> Replicated:
    """x repeated to a shape, without a copy."""
    return x.map(lambda share: np.broadcast_to(share, shape))


def concatenate(party: Replicated3Party, parts: Sequence[Replicated], axis: int = 0) -> Replicated:
    """Parts joined along an axis."""
    return Replicated(
        np.concatenate([p.own for p in parts], axis),
        np.concatenate([p.next for p in parts], axis),
    )


def random(party: Replicated3Party, shape: tuple[int, ...]) -> Replicated:
    """Uniform ring elements that no single party knows: share i is a draw from k_i.

    No communication [Araki et al. 2016, section 3.3].
    """
    nonce = party.nonce()
    own, following = np.empty(shape, np.uint64), np.empty(shape, np.uint64)
    kernels.fill(party.key_own, nonce, 0, own)
    kernels.fill(party.key_next, nonce, 0, following)
    return Replicated(own, following)
