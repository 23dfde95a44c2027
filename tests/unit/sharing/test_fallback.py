"""A sharing of four becomes one of three: all sharings over Z_4, and every form of shares."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from simulation import bit_parts_of, parts_of

from tacit.encoding import RING64, RING128, Ring
from tacit.sharing import (
    Replicated4,
    Replicated4Bits,
    reconstruct,
    reconstruct_bits,
    split4,
    split4_bits,
    unpack_bits,
)
from tacit.sharing.fallback import drop, from_lacking, members_without, parts_by_lacking

DROPPED = pytest.mark.parametrize("dropped", range(4))


class Modulo4:
    """Addition in Z_4."""

    @staticmethod
    def add(a: Any, b: Any) -> Any:
        return (a + b) % 4


def of_three(parts: Any, dropped: int, into: int | None = None, ring: Any = None) -> list[Any]:
    dropped_parts = [drop(part, i, dropped, into, ring) for i, part in enumerate(parts)]
    assert dropped_parts.pop(dropped) is None
    return dropped_parts


@DROPPED
def test_all_sharings_of_four_numbers(dropped: int) -> None:
    """The secret stays, holders have the same, and who lacks what lacks it as before."""
    members = members_without(dropped)
    every = np.array(list(product(range(4), repeat=4)), np.uint8).T
    for into in members:
        three = of_three(parts_of(list(every)), dropped, into, Modulo4)
        assert ((three[0].own + three[0].next + three[1].next) % 4 == every.sum(axis=0) % 4).all()
        for position, member in enumerate(members):
            np.testing.assert_array_equal(three[position].next, three[(position + 1) % 3].own)
            lacking = (three[(position + 1) % 3].next).astype(int)
            held = [j for j in range(4) if j != member]
            # Under each choice of what the member held, what it lacks takes every value once.
            for known in product(range(4), repeat=3):
                rows = (known == every[held].T).all(axis=1)
                assert sorted(lacking[rows]) == [0, 1, 2, 3]


def test_the_one_that_leaves_lacks_the_share_that_the_two_who_serve_it_hold() -> None:
    """With `into`, the other suspect; another choice gives it that share in the clear."""
    every = list(np.array(list(product(range(4), repeat=4)), np.uint8).T)
    for suspect, dropped in product(range(4), repeat=2):
        if suspect == dropped:
            continue
        members = members_without(dropped)
        helpers = [m for m in members if m != suspect]
        for into in members:
            three = of_three(parts_of(every), dropped, into, Modulo4)
            common = [
                parts_by_lacking(three[members.index(m)], m, members)[suspect] for m in helpers
            ]
            np.testing.assert_array_equal(*common)
            known = np.zeros(len(every[0]), np.int64)
            for j in range(4):
                if j != dropped:
                    known = known * 4 + every[j]
            values = [set(common[0][known == code]) for code in range(64)]
            assert all(len(v) == (4 if into == suspect else 1) for v in values)


SHAPES = [(), (0,), (1,), (70,), (3, 5), (2, 0, 4), (2, 3, 64)]


@DROPPED
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("ring", [RING64, RING128])
def test_numbers_of_every_shape(shape: tuple[int, ...], dropped: int, ring: Ring) -> None:
    rng = np.random.default_rng(4)
    values = np.empty(shape, np.int64)
    values[...] = rng.integers(-1000, 1000, shape)
    elements = ring.elements(values)
    three = of_three(split4(elements, rng.bytes, ring), dropped)
    assert three[0].shape == shape
    assert (ring.integers(reconstruct(three, ring)) == values).all()


@DROPPED
@pytest.mark.parametrize("shape", SHAPES)
def test_bits_of_every_shape(shape: tuple[int, ...], dropped: int) -> None:
    rng = np.random.default_rng(5)
    values = np.empty(shape, np.uint8)
    values[...] = rng.integers(0, 2, shape)
    three = of_three(split4_bits(values, rng.bytes), dropped)
    assert three[0].shape == shape
    np.testing.assert_array_equal(reconstruct_bits(three), values)


@DROPPED
def test_planes_and_equal_padding(dropped: int) -> None:
    """Also behind the last bit the holders of a share have the same."""
    rng = np.random.default_rng(6)
    shares = [rng.integers(0, 1 << 64, (3, 2, 2), np.uint64) for _ in range(4)]
    three = of_three(bit_parts_of(shares, (70,)), dropped)
    assert three[0].planes == (3, 2)
    total = unpack_bits(np.bitwise_xor.reduce(shares), (70,))
    np.testing.assert_array_equal(reconstruct_bits(three), total)
    for i in range(3):
        np.testing.assert_array_equal(three[i].next, three[(i + 1) % 3].own)


@DROPPED
def test_views_and_broadcasts(dropped: int) -> None:
    rng = np.random.default_rng(7)
    values = rng.integers(0, 1 << 64, (6, 8), np.uint64)
    parts = split4(values, rng.bytes)
    for form in (
        lambda share: share[::2, ::-1],
        lambda share: share.T,
        lambda share: np.broadcast_to(share[0], (5, 8)),
    ):
        three = of_three([part.map(form) for part in parts], dropped)
        np.testing.assert_array_equal(reconstruct(three), form(values))


def test_what_is_not_merged_is_not_copied() -> None:
    part = Replicated4({j: np.ones(4, np.uint64) for j in (1, 2, 3)})
    mine = drop(part, 0, 3, 0)
    assert mine is not None
    assert {id(mine.own), id(mine.next)} == {id(part.shares[1]), id(part.shares[2])}
    bits = Replicated4Bits(part.shares, (256,))
    assert repr(drop(bits, 0, 3)) == "ReplicatedBits(shape=(256,), planes=())"


def test_a_share_cannot_go_to_the_one_that_leaves() -> None:
    part = Replicated4({j: np.ones(4, np.uint64) for j in (1, 2, 3)})
    with pytest.raises(ValueError, match="one that stays"):
        drop(part, 0, 3, 3)


@DROPPED
def test_parts_by_who_lacks_them(dropped: int) -> None:
    members = members_without(dropped)
    three = of_three(split4(np.arange(5, dtype=np.uint64), np.random.default_rng(8).bytes), dropped)
    for part, member in zip(three, members, strict=True):
        parts = parts_by_lacking(part, member, members)
        assert set(parts) == set(members) - {member}
        again: Any = from_lacking(parts, member, members)
        assert again.own is part.own
        assert again.next is part.next
