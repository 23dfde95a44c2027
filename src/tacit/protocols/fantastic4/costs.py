"""What each primitive costs, exactly: rounds and bytes a party, from public sizes alone.

The cost tests compare every entry with the measured traffic. Bytes are those each party sends, by
index; check bytes are the digests of backups. Figures in the texts are for Z_2^64.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from tacit.circuits.carry import carry_tree
from tacit.circuits.prefix import sklansky
from tacit.encoding.digest import DIGEST_BYTES
from tacit.encoding.ring import RING64, Ring
from tacit.protocols.fantastic4.arithmetic import PRODUCT_ROLES
from tacit.protocols.fantastic4.large_products import COLUMNS, is_large
from tacit.protocols.fantastic4.pairs import CROSS_ROLES, PAIR_ROLES
from tacit.protocols.fantastic4.shifting import field_of
from tacit.protocols.fantastic4.shuffle import pass_roles
from tacit.protocols.interface import Rounding
from tacit.rounds.cost import Declaration, beside, in_turn, product_size
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
    """2 rounds, 16 bytes (2 elements) an element by the owner, two digests from two others."""
    return _shared(ring.element_bytes * size, owner)


def input_bits(size: int, owner: int, ring: Ring = RING64) -> Declaration:
    """2 rounds, 16 bytes a word of 64 bits by the owner, two digests from two others."""
    return _shared(WORD * word_count(size), owner)


def _shared(payload: int, owner: int) -> Declaration:
    sent, check = [0] * 4, [0] * 4
    sent[owner] = 2 * payload
    for peer in (1, 2):
        check[(owner + peer) % 4] = 2 * DIGEST_BYTES  # to each other, and a receipt to the fourth
    return Declaration(2, tuple(sent), tuple(check))


def reveal(size: int, to: Sequence[int], ring: Ring = RING64) -> Declaration:
    """1 round; to each recipient 8 bytes an element and one digest."""
    return _opened(ring.element_bytes * size, to)


def reveal_bits(size: int, to: Sequence[int], planes: int = 1, ring: Ring = RING64) -> Declaration:
    """1 round; to each recipient 8 bytes a word and one digest."""
    return _opened(WORD * planes * word_count(size), to)


def _opened(payload: int, to: Sequence[int]) -> Declaration:
    return exchanged(((i - 1) % 4, (i + 1) % 4, i, payload) for i in set(to))


def _by_pairs(payload: int) -> Declaration:
    """Both pairs share `payload` bytes each."""
    return exchanged((*roles, payload) for roles in PAIR_ROLES)


def _across(payload: int) -> Declaration:
    """Products across the pairs, `payload` bytes each."""
    return exchanged((*roles, payload) for roles in CROSS_ROLES.values())


def truncate(
    size: int, bits: int = 18, rounding: Rounding = "probabilistic", ring: Ring = RING64
) -> Declaration:
    """Probabilistic: 2 rounds, 16 + 6w bytes an element in all; exact and nearest: 9 rounds."""
    field = field_of(ring, bits).dtype.itemsize
    rough = in_turn(_by_pairs((ring.element_bytes + field) * size), _across(field * size))
    if rounding == "probabilistic":
        return rough
    carry = in_turn(_carry(size, ring, with_top=False), bit_to_arithmetic(size, ring))
    return beside(rough, carry)


def multiply_truncate(
    size: int, bits: int = 18, rounding: Rounding = "probabilistic", ring: Ring = RING64
) -> Declaration:
    """3 rounds, 64 + 6w bytes an element in all; exact and nearest: 10 rounds."""
    return in_turn(multiply(size, ring), truncate(size, bits, rounding, ring))


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
    """3 rounds; bytes by the size of the result; exact and nearest: 10 rounds.

    Of large matrices 48 + 6w bytes an element, and check bytes by their rows.
    """
    size = product_size(x_shape, y_shape)
    if rounding == "probabilistic" and is_large(ring, x_shape, y_shape, bits):
        return in_turn(_opened_product(x_shape[0], size, ring), truncate(size, bits + 1, ring=ring))
    return multiply_truncate(size, bits, rounding, ring)


def _opened_product(rows: int, size: int, ring: Ring) -> Declaration:
    """Two parties send their product to two others, and all speak about two messages each."""
    payload, sketch = ring.element_bytes * size, ring.element_bytes * rows * COLUMNS
    return Declaration(1, (2 * payload, 2 * payload, 0, 0), (2 * sketch,) * 4)


def most_significant_bit(size: int, ring: Ring = RING64) -> Declaration:
    """7 rounds, 670 bits a value in all, whole words."""
    return _carry(size, ring, with_top=True)


def _carry(size: int, ring: Ring, *, with_top: bool) -> Declaration:
    tree, word = carry_tree(ring.top_bit), WORD * word_count(size)
    levels = (bitwise_and(size, level.planes) for level in tree.levels)
    return in_turn(
        _by_pairs((tree.monomials + with_top) * word), _across(tree.leaf_planes * word), *levels
    )


def to_bits(size: int, ring: Ring = RING64) -> Declaration:
    """8 rounds: the bits of both summands, generate, six levels of the prefix network."""
    planes = ring.bits * WORD * word_count(size)
    levels = (
        bitwise_and(size, len(high) + int(inner.sum())) for high, _, inner in sklansky(ring.bits)
    )
    return in_turn(_by_pairs(planes), _across(planes), *levels)


def from_bits(size: int, planes: int = 64, ring: Ring = RING64) -> Declaration:
    """2 rounds, 48 bytes a bit in all, whole words."""
    return bit_to_arithmetic(planes * word_count(size) * 64, ring)


def bit_to_arithmetic(size: int, ring: Ring = RING64) -> Declaration:
    """2 rounds, 48 bytes (6 elements) a bit in all."""
    payload = ring.element_bytes * size
    return in_turn(_by_pairs(payload), _across(payload))


def inject(size: int, ring: Ring = RING64) -> Declaration:
    """2 rounds, 64 bytes (8 elements) an element in all."""
    payload = ring.element_bytes * size
    return in_turn(_by_pairs(2 * payload), _across(payload))


def permute(size: int, inverse: bool = False, ring: Ring = RING64) -> Declaration:
    """4 rounds, 96 bytes (12 elements) an element in all."""
    payload = ring.element_bytes * size
    passes = (exchanged((*roles, payload) for roles in pass_roles(k)) for k in range(4))
    return in_turn(*passes)


def permute_bits(size: int, inverse: bool = False, ring: Ring = RING64) -> Declaration:
    """4 rounds, 96 bytes a word of 64 bits in all."""
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
    "select": inject,
    "permute": permute,
    "permute_bits": permute_bits,
}
