"""What each primitive costs, exactly: rounds and bytes a party, from public sizes alone.

The cost tests compare every entry with the measured traffic. All parties send the same, inputs
and openings apart. A primitive's proof is part of it: it counts what the primitive multiplies
(:class:`_Work`), and the triples of its ANDs follow from their number
(``buckets.bucket_plan``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from tacit.circuits.prefix import sklansky
from tacit.encoding.digest import DIGEST_BYTES
from tacit.encoding.ring import RING64, Ring
from tacit.encoding.wide import RING128
from tacit.protocols.interface import Rounding
from tacit.protocols.replicated3 import costs as passive
from tacit.protocols.replicated3.arithmetic import as_matrices
from tacit.protocols.replicated3_active.arithmetic import masks_left
from tacit.protocols.replicated3_active.buckets import bucket_plan
from tacit.protocols.replicated3_active.coin import COIN_BYTES
from tacit.rounds.cost import Declaration
from tacit.sharing.bits import word_count
from tacit.sharing.replicated import Replicated

__all__ = ["COSTS"]

WORD = passive.WORD
WIDE = RING128.element_bytes

COIN_CHECK = 2 * (COIN_BYTES + DIGEST_BYTES)
OPENING_CHECK = DIGEST_BYTES
ZERO_CHECK = 2 * DIGEST_BYTES


@dataclass(frozen=True, slots=True)
class _Work:
    """What a step multiplies before it proves it.

    Attributes
    ----------
    rounds : int
        Before the proof.
    words : int
        Words of ANDs.
    results, masked : int
        Elements of sums of products, and of the factors that their proofs mask.
    ands : bool
        Whether the step has ANDs, be they of no bits.
    """

    rounds: int
    words: int = 0
    results: int = 0
    masked: int = 0
    ands: bool = True

    def __add__(self, other: _Work) -> _Work:
        """One after the other."""
        return _Work(
            self.rounds + other.rounds,
            self.words + other.words,
            self.results + other.results,
            self.masked + other.masked,
            self.ands or other.ands,
        )

    def proved(self) -> Declaration:
        """With the proof."""
        plan = bucket_plan(self.words)
        opened = 2 * plan.bucket * plan.balls + 3 * plan.opened
        words = self.words + plan.width * (plan.triples + opened)
        sent = WORD * words + WIDE * (2 * self.results + self.masked)
        check = COIN_CHECK + OPENING_CHECK + ZERO_CHECK
        return Declaration(self.rounds + 3 + self.ands, (sent,) * 3, (check,) * 3)


def _products(count: int, rounds: int = 1) -> _Work:
    return _Work(rounds, 0, count, count, ands=False)


def _planes(planes: int, words: int, rounds: int = 1) -> _Work:
    return _Work(rounds, planes * words)


def multiply(size: int, ring: Ring = RING64) -> Declaration:
    """4 rounds, 48 bytes an element and party."""
    return _products(size).proved()


def matmul(x_shape: tuple[int, ...], y_shape: tuple[int, ...], ring: Ring = RING64) -> Declaration:
    """4 rounds, 32 bytes a result, 16 an element of the smaller factor."""
    return _matrices(x_shape, y_shape).proved()


def _matrices(x_shape: tuple[int, ...], y_shape: tuple[int, ...]) -> _Work:
    x, y = (np.broadcast_to(np.uint64(0), shape) for shape in (x_shape, y_shape))
    left, right, shape = as_matrices(Replicated(x, x), Replicated(y, y))
    masked = left if masks_left(left.shape, right.shape) else right
    return _Work(1, 0, int(np.prod(shape)), masked.size, ands=False)


def _digits(count: int) -> _Work:
    return _products(2 * count, rounds=2)


def bit_to_arithmetic(size: int, ring: Ring = RING64) -> Declaration:
    """5 rounds, 96 bytes a bit and party."""
    return _digits(size).proved()


def from_bits(size: int, planes: int = 64, ring: Ring = RING64) -> Declaration:
    """5 rounds, 64 bytes a bit and party and 32 bytes a number, whole words."""
    return _weighted_digits(planes, word_count(size)).proved()


def _weighted_digits(planes: int, words: int) -> _Work:
    numbers = 64 * words
    return _products(planes * numbers) + _Work(1, 0, numbers, planes * numbers, ands=False)


def inject(size: int, ring: Ring = RING64) -> Declaration:
    """6 rounds, 144 bytes an element and party."""
    return (_digits(size) + _products(size)).proved()


def bitwise_and(size: int, planes: int = 1, ring: Ring = RING64) -> Declaration:
    """5 rounds, 8 (1 + M / N + 2B + 3C / N) bytes for each of N words."""
    return _planes(planes, word_count(size)).proved()


def _carry_out(bits: int, words: int) -> _Work:
    work, count = _planes(bits, words), bits
    while count > 1:
        work += _planes(2 * (count // 2) - 1, words)
        count = count // 2 + count % 2
    return work


def most_significant_bit(size: int, ring: Ring = RING64) -> Declaration:
    """12 rounds."""
    words = word_count(size)
    return (_planes(ring.top_bit, words) + _carry_out(ring.top_bit - 1, words)).proved()


def to_bits(size: int, ring: Ring = RING64) -> Declaration:
    """12 rounds: carry save, generate, six levels of the prefix network, the proof."""
    words, top = word_count(size), ring.top_bit
    work = _planes(top, words) + _planes(top - 1, words)
    for high, _, inner in sklansky(top - 1):
        work += _planes(len(high) + int(inner.sum()), words)
    return work.proved()


def _truncation(size: int, bits: int, rounding: Rounding, ring: Ring) -> _Work:
    words = word_count(size)
    four = _weighted_digits(4, words)
    if rounding == "probabilistic":
        return _planes(10, words, rounds=3) + four
    low = _planes(bits, words)
    if bits > 1:
        low += _carry_out(bits - 1, words)
    return _Work(max(3, low.rounds), 5 * words + low.words) + four


def truncate(
    size: int, bits: int = 18, rounding: Rounding = "probabilistic", ring: Ring = RING64
) -> Declaration:
    """Probabilistic: 9 rounds; exact and nearest: 2 + log2(bits - 1) + 6 where that is more."""
    return _truncation(size, bits, rounding, ring).proved()


def multiply_truncate(
    size: int, bits: int = 18, rounding: Rounding = "probabilistic", ring: Ring = RING64
) -> Declaration:
    """One round more than the truncation, 48 bytes an element and party more."""
    return (_products(size) + _truncation(size, bits, rounding, ring)).proved()


def sum_products_truncate(
    size: int,
    bits: int = 18,
    pairs: int = 1,
    rounding: Rounding = "probabilistic",
    ring: Ring = RING64,
) -> Declaration:
    """As one product, and 16 bytes an element and party for every further pair."""
    products = _Work(1, 0, size, pairs * size, ands=False)
    return (products + _truncation(size, bits, rounding, ring)).proved()


def matmul_truncate(
    x_shape: tuple[int, ...],
    y_shape: tuple[int, ...],
    bits: int = 18,
    rounding: Rounding = "probabilistic",
    ring: Ring = RING64,
) -> Declaration:
    """A matrix product and a truncation of its result, one proof."""
    product = _matrices(x_shape, y_shape)
    return (product + _truncation(product.results, bits, rounding, ring)).proved()


def permute(size: int, inverse: bool = False, ring: Ring = RING64) -> Declaration:
    """9 rounds, 80 bytes an element and party."""
    check = COIN_CHECK + 4 * ZERO_CHECK
    return Declaration(9, (5 * WIDE * size,) * 3, (check,) * 3)


def input_(size: int, owner: int, ring: Ring = RING64) -> Declaration:
    """2 rounds, 8 bytes an element by the owner, 32 check bytes by its successor."""
    return _acknowledged(passive.input_(size, owner, ring), owner)


def input_bits(size: int, owner: int, ring: Ring = RING64) -> Declaration:
    """2 rounds, 8 bytes a word of 64 bits by the owner, 32 check bytes by its successor."""
    return _acknowledged(passive.input_bits(size, owner, ring), owner)


def _acknowledged(message: Declaration, owner: int) -> Declaration:
    check = tuple(DIGEST_BYTES if (i - 1) % 3 == owner else 0 for i in range(3))
    return Declaration(message.rounds + 1, message.bytes_sent, check)


COSTS: Mapping[str, Callable[..., Declaration]] = {
    "input": input_,
    "input_bits": input_bits,
    "reveal": passive.reveal,
    "reveal_bits": passive.reveal_bits,
    "multiply": multiply,
    "matmul": matmul,
    "truncate": truncate,
    "multiply_truncate": multiply_truncate,
    "matmul_truncate": matmul_truncate,
    "sum_products_truncate": sum_products_truncate,
    "bitwise_and": bitwise_and,
    "most_significant_bit": most_significant_bit,
    "to_bits": to_bits,
    "from_bits": from_bits,
    "bit_to_arithmetic": bit_to_arithmetic,
    "inject": inject,
    "select": inject,
    "permute": permute,
    "permute_bits": permute,
}
