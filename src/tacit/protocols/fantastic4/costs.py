"""What each primitive costs, exactly: rounds and bytes a party, from public sizes alone.

The cost tests compare every entry with the measured traffic. Bytes are those each party sends, by
index; check bytes are the digests of backups. Figures in the texts are for Z_2^64.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from tacit.encoding.digest import DIGEST_BYTES
from tacit.encoding.ring import RING64, Ring
from tacit.protocols.fantastic4.arithmetic import PRODUCT_ROLES
from tacit.rounds.cost import Declaration, product_size
from tacit.sharing.bits import word_count

__all__ = ["COSTS", "exchanged"]

WORD = 8
"""Bytes of 64 packed bits."""


def exchanged(messages: Iterable[tuple[int, int, int, int]]) -> Declaration:
    """One exchange of joint messages, each given as (S, B, R, bytes): one digest a roles."""
    sent, check = [0] * 4, [0] * 4
    roles: set[tuple[int, int, int]] = set()
    for sender, backup, receiver, size in messages:
        sent[sender] += size
        roles.add((sender, backup, receiver))
    for _, backup, _ in roles:
        check[backup] += DIGEST_BYTES
    return Declaration(1, tuple(sent), tuple(check))


def multiply(size: int, ring: Ring = RING64) -> Declaration:
    """1 round, 48 bytes (6 elements) an element in all, six digests."""
    return exchanged((*roles, ring.element_bytes * size) for roles in PRODUCT_ROLES)


def matmul(x_shape: tuple[int, ...], y_shape: tuple[int, ...], ring: Ring = RING64) -> Declaration:
    """1 round, 48 bytes an element of the result in all, six digests."""
    return multiply(product_size(x_shape, y_shape), ring)


def bitwise_and(size: int, planes: int = 1, ring: Ring = RING64) -> Declaration:
    """1 round, 48 bytes a word of 64 bits in all, six digests."""
    return exchanged((*roles, WORD * planes * word_count(size)) for roles in PRODUCT_ROLES)


def input_(size: int, owner: int, ring: Ring = RING64) -> Declaration:
    """2 rounds, 16 bytes (2 elements) an element by the owner, a digest from two others."""
    return _shared(ring.element_bytes * size, owner)


def input_bits(size: int, owner: int, ring: Ring = RING64) -> Declaration:
    """2 rounds, 16 bytes a word of 64 bits by the owner, a digest from two others."""
    return _shared(WORD * word_count(size), owner)


def _shared(payload: int, owner: int) -> Declaration:
    sent, check = [0] * 4, [0] * 4
    sent[owner] = 2 * payload
    for peer in (1, 2):
        check[(owner + peer) % 4] = DIGEST_BYTES
    return Declaration(2, tuple(sent), tuple(check))


def reveal(size: int, to: Sequence[int], ring: Ring = RING64) -> Declaration:
    """1 round; to each recipient 8 bytes an element and one digest."""
    return _opened(ring.element_bytes * size, to)


def reveal_bits(size: int, to: Sequence[int], planes: int = 1, ring: Ring = RING64) -> Declaration:
    """1 round; to each recipient 8 bytes a word and one digest."""
    return _opened(WORD * planes * word_count(size), to)


def _opened(payload: int, to: Sequence[int]) -> Declaration:
    return exchanged(((i - 1) % 4, (i + 1) % 4, i, payload) for i in set(to))


COSTS: Mapping[str, Callable[..., Declaration]] = {
    "input": input_,
    "input_bits": input_bits,
    "reveal": reveal,
    "reveal_bits": reveal_bits,
    "multiply": multiply,
    "matmul": matmul,
    "bitwise_and": bitwise_and,
}
