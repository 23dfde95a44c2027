"""What each primitive costs, exactly: rounds and bytes a party, from public sizes alone.

The cost tests compare every entry with the measured traffic. Bytes are those each party sends,
by index; the roles' shares of the work follow ``roles.py``. Figures in the texts are for Z_2^64.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tacit.circuits.carry import carry_tree
from tacit.circuits.prefix import sklansky
from tacit.encoding.digest import DIGEST_BYTES
from tacit.encoding.ring import RING64, Ring
from tacit.protocols.interface import Rounding
from tacit.protocols.replicated3.roles import Thirds, length, thirds
from tacit.protocols.replicated3.sign import block_width
from tacit.protocols.replicated3.truncation import field_type
from tacit.rounds.cost import Declaration, product_size
from tacit.sharing.bits import word_count

__all__ = ["COSTS"]

WORD = 8
"""Bytes of 64 packed bits."""


def _by_role(
    size: int, unit: int, per_party: Callable[[int, int, int], int]
) -> tuple[int, int, int]:
    """Bytes a party from the sizes of its slices as A, B and C."""

    def of(index: int) -> int:
        parts: Thirds = thirds(size, index, unit)
        return per_party(length(parts.a), length(parts.b), length(parts.c))

    return of(0), of(1), of(2)


def multiply(size: int, ring: Ring = RING64) -> Declaration:
    """1 round, 8 bytes an element a party."""
    return Declaration(1, (ring.element_bytes * size,) * 3)


def matmul(x_shape: tuple[int, ...], y_shape: tuple[int, ...], ring: Ring = RING64) -> Declaration:
    """1 round, 8 bytes an element of the result a party."""
    return multiply(product_size(x_shape, y_shape), ring)


def input_(size: int, owner: int, ring: Ring = RING64) -> Declaration:
    """1 round, 8 bytes an element, by the owner."""
    return _by_owner(ring.element_bytes * size, owner)


def _by_owner(payload: int, owner: int) -> Declaration:
    sent = [0, 0, 0]
    sent[owner] = payload
    return Declaration(1, tuple(sent))


def input_bits(size: int, owner: int, ring: Ring = RING64) -> Declaration:
    """1 round, 8 bytes a word of 64 bits, by the owner."""
    return _by_owner(WORD * word_count(size), owner)


def reveal(size: int, to: Sequence[int], ring: Ring = RING64) -> Declaration:
    """1 round; to each recipient 8 bytes an element and one hash."""
    return _opening(ring.element_bytes * size, to)


def _opening(payload: int, to: Sequence[int]) -> Declaration:
    sent = tuple(payload if (i + 1) % 3 in to else 0 for i in range(3))
    check = tuple(DIGEST_BYTES if (i - 1) % 3 in to else 0 for i in range(3))
    return Declaration(1, sent, check)


def reveal_bits(size: int, to: Sequence[int], planes: int = 1, ring: Ring = RING64) -> Declaration:
    """1 round; to each recipient 8 bytes a word and one hash."""
    return _opening(WORD * planes * word_count(size), to)


def truncate(
    size: int, bits: int = 18, rounding: Rounding = "probabilistic", ring: Ring = RING64
) -> Declaration:
    """Probabilistic: 2 rounds, 8 + 3w bytes an element in all; exact and nearest: 9 rounds."""
    element, field = ring.element_bytes, field_type(ring, bits).itemsize
    if rounding == "probabilistic":
        return Declaration(2, _by_role(size, 1, lambda a, b, c: element * a + field * (a + b + c)))
    unit = 64 * block_width(size)
    rough = _by_role(size, unit, lambda a, b, c: element * a + field * (a + b + c))
    carry = _carry(size, ring, with_top=False)
    digits = bit_to_arithmetic(size, ring).bytes_sent
    total = tuple(r + s + d for r, s, d in zip(rough, carry, digits, strict=True))
    return Declaration(carry_tree(ring.top_bit).rounds + 2, total)


def multiply_truncate(
    size: int, bits: int = 18, rounding: Rounding = "probabilistic", ring: Ring = RING64
) -> Declaration:
    """3 rounds, 24 + 3w bytes an element in all; exact and nearest: 10 rounds."""
    if rounding != "probabilistic":
        product, rounded = multiply(size, ring), truncate(size, bits, rounding, ring)
        total = tuple(map(sum, zip(product.bytes_sent, rounded.bytes_sent, strict=True)))
        return Declaration(product.rounds + rounded.rounds, total)
    width = field_type(ring, bits).itemsize
    return Declaration(3, _by_role(size, 1, lambda a, b, c: _product(a, b, c, width, ring)))


def sum_products_truncate(
    size: int,
    bits: int = 18,
    pairs: int = 1,
    rounding: Rounding = "probabilistic",
    ring: Ring = RING64,
) -> Declaration:
    """As one product, however many pairs; one truncation for the sum."""
    return multiply_truncate(size, bits, rounding, ring)


def matmul_truncate(
    x_shape: tuple[int, ...],
    y_shape: tuple[int, ...],
    bits: int = 18,
    rounding: Rounding = "probabilistic",
    ring: Ring = RING64,
) -> Declaration:
    """3 rounds; bytes by the size of the result; exact and nearest: 10 rounds."""
    result = product_size(x_shape, y_shape)
    if rounding != "probabilistic":
        return multiply_truncate(result, bits, rounding, ring)
    if len(x_shape) == 2 and len(y_shape) <= 2 and x_shape[0] >= 3:
        columns = result // x_shape[0]
        width = field_type(ring, bits).itemsize
        return Declaration(
            3,
            _by_role(
                x_shape[0],
                1,
                lambda a, b, c: columns * _product(a, b, c, width, ring),
            ),
        )
    return multiply_truncate(result, bits, ring=ring)


def _product(a: int, b: int, c: int, width: int, ring: Ring) -> int:
    return (ring.element_bytes + width) * (a + b + c)


def bitwise_and(size: int, planes: int = 1, ring: Ring = RING64) -> Declaration:
    """1 round, 8 bytes a word a party."""
    return Declaration(1, (WORD * planes * word_count(size),) * 3)


def most_significant_bit(size: int, ring: Ring = RING64) -> Declaration:
    """7 rounds, 335 bits a value in all, whole blocks."""
    return Declaration(carry_tree(ring.top_bit).rounds, _carry(size, ring, with_top=True))


def _carry(size: int, ring: Ring, *, with_top: bool) -> tuple[int, int, int]:
    circuit = carry_tree(ring.top_bit)
    width = block_width(size)
    blocks = -(-size // (64 * width))
    plane = WORD * width
    planes, leaves = circuit.monomials + with_top, circuit.leaf_planes
    tree = sum(level.planes for level in circuit.levels) * plane * blocks
    by_role = _by_role(blocks, 1, lambda a, b, c: plane * (planes * a + leaves * (b + c)))
    return (by_role[0] + tree, by_role[1] + tree, by_role[2] + tree)


def to_bits(size: int, ring: Ring = RING64) -> Declaration:
    """8 rounds: the bits of s, generate, six levels of the prefix network."""
    words = word_count(size)
    masks = _by_role(words, 1, lambda a, b, c: WORD * ring.bits * a)
    levels = [len(high) + int(inner.sum()) for high, _, inner in sklansky(ring.bits)]
    network = WORD * words * (ring.bits + sum(levels))
    return Declaration(2 + len(levels), tuple(m + network for m in masks))


def from_bits(size: int, planes: int = 64, ring: Ring = RING64) -> Declaration:
    """2 rounds, 24 bytes a bit in all, whole words."""
    return bit_to_arithmetic(planes * word_count(size) * 64, ring)


def bit_to_arithmetic(size: int, ring: Ring = RING64) -> Declaration:
    """2 rounds, 24 bytes (3 elements) a bit in all."""
    element = ring.element_bytes
    return Declaration(2, _by_role(size, 64, lambda a, b, c: element * (a + b + c)))


def inject(size: int, ring: Ring = RING64) -> Declaration:
    """2 rounds, 32 bytes (4 elements) an element in all."""
    element = ring.element_bytes
    return Declaration(2, _by_role(size, 64, lambda a, b, c: element * (2 * a + b + c)))


def lookup(size: int, tables: int = 1, ring: Ring = RING64) -> Declaration:
    """2 rounds, 24 bytes (3 elements) an element and 16 more for each table in all."""
    element = ring.element_bytes
    return Declaration(2, _by_role(size, 64, lambda a, b, c: element * (3 * a + tables * (b + c))))


def permute(size: int, inverse: bool = False, ring: Ring = RING64) -> Declaration:
    """2 rounds, 32 bytes (4 elements) an element in all: half of them by party 1."""
    sent = ring.element_bytes * size
    return Declaration(2, (sent, 2 * sent, sent))


def permute_bits(size: int, inverse: bool = False, ring: Ring = RING64) -> Declaration:
    """2 rounds, 32 bytes a word of 64 bits in all: half of them by party 1."""
    return permute(word_count(size))


COSTS: Mapping[str, Callable[..., Declaration]] = {
    "input": input_,
    "input_bits": input_bits,
    "reveal": reveal,
    "reveal_bits": reveal_bits,
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
    "lookup": lookup,
    "select": inject,
    "permute": permute,
    "permute_bits": permute_bits,
}
