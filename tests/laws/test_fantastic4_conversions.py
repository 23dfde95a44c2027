"""Truncation, sign, conversions and shuffle of ``fantastic4``, at the edges."""

from __future__ import annotations

from itertools import permutations, product
from typing import Any

import numpy as np
import pytest
from simulation import FOUR, Simulation, integers

from tacit.circuits.carry import carry_tree
from tacit.encoding import RING64, RING128, Ring
from tacit.errors import InternalError
from tacit.protocols.fantastic4 import shifting
from tacit.protocols.fantastic4.pairs import CROSS_ROLES, PAIR_ROLES
from tacit.protocols.fantastic4.shuffle import FactorPermutations, pass_roles
from tacit.protocols.fantastic4.sign import _leaf_terms, _monomials
from tacit.rounds.adversary import Adversary

RNG = np.random.default_rng(8)
RINGS = pytest.mark.parametrize("over", [RING64, RING128], ids=repr)


def simulation(over: Ring = RING64, **others: Any) -> Simulation:
    return Simulation(4, protocol="fantastic4", over=over, **others)


# Roles.


def test_those_who_send_and_vouch_hold_what_they_speak_of() -> None:
    """By index: a party lacks its own share, so it cannot speak of it."""
    for (sender, backup, receiver), known in zip(PAIR_ROLES, ((0, 1), (2, 3)), strict=True):
        assert {sender, backup}.isdisjoint(known)
        assert receiver in known
    for (i, j), (sender, backup, receiver) in CROSS_ROLES.items():
        assert {sender, backup} == {0, 1, 2, 3} - {i, j}
        assert receiver in (i, j)
    for position in range(3):
        assert sorted(roles[position] for roles in CROSS_ROLES.values()) == [0, 1, 2, 3]
    for k in range(4):
        for sender, backup, receiver in pass_roles(k):
            assert receiver == k
            assert len({sender, backup, receiver}) == 3
        assert sorted(6 - sum(roles) for roles in pass_roles(k)) == [j for j in range(4) if j != k]


# Truncation.


@pytest.mark.parametrize("bits", [1, 16, 18, 33, 62])
def test_two_hundred_thousand_truncations_near_the_limits(bits: int) -> None:
    """A million in all five cases: at most one unit away, and none wraps."""
    limit, size = 1 << 62, 200_000
    near = RNG.integers(0, 1 << 20, size)
    x = np.where(RNG.integers(0, 2, size) == 1, limit - 1 - near, near - limit)
    x[:4] = [limit - 1, -limit, 0, -1]
    s = simulation()
    got = s.open(s.run(lambda p, a: p.truncate(a, bits, "probabilistic"), s.share(x)))
    above = got - (x >> bits)
    assert set(np.unique(above).tolist()) <= {0, 1}
    # One more with probability (x mod 2^m + 1) / 2^m.
    expected = ((x & ((1 << bits) - 1)) + 1) / (1 << bits)
    assert abs(float((above - expected).mean())) < 0.005


@pytest.mark.parametrize("size", [1, 130, 600])
@pytest.mark.parametrize("bits", [1, 16, 18, 32, 33, 62])
def test_the_kernels_send_what_the_messages_one_by_one_do(
    bits: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Byte for byte, digests too, and the same shares."""
    x = integers(RNG, size, 62)

    def transcript() -> tuple[Any, Any]:
        driver = Adversary(FOUR, None)
        s = simulation(driver=driver)
        parts = s.run(lambda p, a: p.truncate(a, bits, "probabilistic"), s.share(x))
        messages = [(m.sender, m.receiver, m.payload) for m in driver.sent]
        return messages, [{j: p.shares[j].tobytes() for j in sorted(p.shares)} for p in parts]

    fast = transcript()
    monkeypatch.setattr(shifting, "_by_kernels", shifting._one_by_one)
    assert transcript() == fast


@RINGS
@pytest.mark.parametrize("rounding", ["exact", "nearest"])
def test_deterministic_truncations_are_those_of_python(over: Ring, rounding: Any) -> None:
    limit = 1 << over.magnitude_bits
    for bits in (1, 17, 33, over.magnitude_bits):
        half = (1 << (bits - 1)) if rounding == "nearest" else 0
        x = [0, 1, -1, limit - 1 - half, -limit, half, -half, (1 << bits) - 1, -(1 << bits)]
        # A carry out of the low bits runs over all of them.
        x = [v for v in x if -limit <= v < limit - half] * 30
        s = simulation(over)
        parts = s.share(np.array(x, object))
        got = s.open(s.run(lambda p, a, m=bits: p.truncate(a, m, rounding), parts))
        assert got.tolist() == [(v + half) >> bits for v in x]


def test_products_follow_the_partys_rounding() -> None:
    x, y = integers(RNG, (4, 5), 30), integers(RNG, (5, 3), 30)
    s = simulation(rounding="nearest")
    parts = s.share(x), s.share(y)
    got = s.open(s.run(lambda p, a, b: p.matmul_truncate(a, b, 18), *parts))
    np.testing.assert_array_equal(got, (x @ y + (1 << 17)) >> 18)
    square = s.open(s.run(lambda p, a, b: p.multiply_truncate(a, a, 18), *parts))
    np.testing.assert_array_equal(square, (x * x + (1 << 17)) >> 18)
    added = s.open(s.run(lambda p, a, b: p.sum_products_truncate([(a, a), (a, a)], 18, a), *parts))
    np.testing.assert_array_equal(added, (2 * x * x + x + (1 << 17)) >> 18)


@pytest.mark.parametrize("bits", [0, 63, -1])
def test_truncations_outside_the_ring_are_bugs(bits: int) -> None:
    s = simulation()
    with pytest.raises(InternalError, match="possible are 1 to 62"):
        s.run(lambda p, a: p.truncate(a, bits), s.share([1]))


# The sign.


def test_generate_and_propagate_of_all_blocks_of_three() -> None:
    """All 64 pairs of blocks, with their monomials split at random: g and p come back."""
    tree = carry_tree(63)
    a, b = (np.array(v, np.uint64) for v in zip(*product(range(8), repeat=2), strict=True))

    def planes(values: Any) -> Any:
        bits = [np.packbits(values >> np.uint64(k) & 1, bitorder="little") for k in range(3)]
        words = np.stack([row.view(np.uint64) for row in bits])
        return _monomials(np.concatenate([np.tile(words, (21, 1)), words[:1]]), tree, False)

    m_a, m_b = planes(a), planes(b)
    for _ in range(20):
        masks = [RNG.integers(0, 1 << 64, m_a.shape, dtype=np.uint64) for _ in range(2)]
        pieces_a, pieces_b = (masks[0], m_a ^ masks[0]), (masks[1], m_b ^ masks[1])
        terms = [_leaf_terms(u, v, tree) for u, v in product(pieces_a, pieces_b)]
        leaves = terms[0] ^ terms[1] ^ terms[2] ^ terms[3]
        leaves[21:] ^= m_a[6 * 21 + 1 :] ^ m_b[6 * 21 + 1 :]
        bits = np.unpackbits(leaves.view(np.uint8), bitorder="little").reshape(41, 64)
        np.testing.assert_array_equal(bits[:21], np.tile((a + b) >> np.uint64(3), (21, 1)))
        np.testing.assert_array_equal(bits[21:], np.tile((a ^ b) == 7, (20, 1)))


@RINGS
def test_signs_across_every_carry(over: Ring) -> None:
    """Neighbours of ±2^k, with shares whose sum has its carries wherever the dealer put them."""
    top = over.top_bit
    x = [s * (1 << k) + d for k in range(top) for s in (1, -1) for d in (-1, 0, 1)]
    x = [v for v in x if -(1 << top) <= v < 1 << top]
    s = simulation(over)
    parts = s.share(np.array(x, object))
    got = s.open_bits(s.run(lambda p, a: p.most_significant_bit(a), parts))
    assert got.tolist() == [int(v < 0) for v in x]
    planes = s.open_bits(s.run(lambda p, a: p.to_bits(a), parts))
    assert planes.shape == (over.bits, len(x))
    assert [sum(int(b) << i for i, b in enumerate(column)) for column in planes.T] == [
        v % (1 << over.bits) for v in x
    ]


# The shuffle.


def test_every_order_comes_equally_often_given_what_a_party_knows() -> None:
    """All four factors enumerated: with three of them fixed, each order comes once."""
    orders = list(permutations(range(3)))
    for lacked in range(4):
        for known in product(orders, repeat=3):
            seen = set()
            for factor in orders:
                row = np.arange(3)
                factors = [*known[:lacked], factor, *known[lacked:]]
                for places in factors:
                    row = row[list(places)]
                seen.add(tuple(row.tolist()))
            assert len(seen) == len(orders)


@RINGS
def test_permutations_go_there_and_back_with_several_columns(over: Ring) -> None:
    x = integers(RNG, (3, 50, 2))
    bits = RNG.integers(0, 2, (3, 50), dtype=np.uint8)
    s = simulation(over)
    drawn = s.local(lambda p: p.permutation(3, 50))
    assert repr(drawn[0]) == "FactorPermutations(shape=(3, 50))"
    assert isinstance(drawn[0], FactorPermutations)
    assert [sorted(d.factors) for d in drawn] == [[j for j in range(4) if j != i] for i in range(4)]
    moved = s.run(lambda p, d, a: p.permute(d, a), drawn, s.share(x))
    order = drawn[1].factors[0]
    for k in (1, 2, 3):
        factor = drawn[0].factors[k]
        order = np.take_along_axis(order, factor, axis=1)
    shown = s.open(moved).astype(np.int64)
    np.testing.assert_array_equal(shown, np.take_along_axis(x, order[:, :, None], axis=1))
    back = s.run(lambda p, d, a: p.permute(d, a, True), drawn, moved)
    np.testing.assert_array_equal(s.open(back).astype(np.int64), x)
    moved = s.run(lambda p, d, a: p.permute_bits(d, a), drawn, s.share_bits(bits))
    np.testing.assert_array_equal(s.open_bits(moved), np.take_along_axis(bits, order, axis=1))
    back = s.run(lambda p, d, a: p.permute_bits(d, a, True), drawn, moved)
    np.testing.assert_array_equal(s.open_bits(back), bits)
    with pytest.raises(InternalError, match="rows of its permutation"):
        s.run(lambda p, d, a: p.permute(d, a), drawn, s.share(x[:2]))
