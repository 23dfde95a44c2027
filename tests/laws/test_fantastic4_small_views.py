"""Every view of ``fantastic4``'s conversions by counting: the real code over a ring of 4 or 5 bits.

All values of all masks that an observer does not know are run through at once: on the last axis of
every array element k is that under the k-th assignment (of packed bits: bit k). What the observer
receives must be uniform over the assignments, whatever the share that it lacks holds.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from simulation import FOUR, Listener, Simulation
from small_rings import Masks, SmallRing

from tacit.protocols.fantastic4 import (
    arithmetic,
    boolean,
    groups,
    joint,
    shifting,
    shuffle,
    sign,
)
from tacit.protocols.fantastic4.groups import Group
from tacit.sharing import Replicated4, Replicated4Bits, pack_bits, unpack_bits

OBSERVERS = pytest.mark.parametrize("observer", range(4), ids=FOUR)


class Case:
    """One primitive over a small ring, and how many bits of masks each observer lacks."""

    def __init__(
        self,
        ring_bits: int,
        mask_bits: tuple[int, int, int, int],
        step: Callable[..., Any],
        expected: Callable[..., Any],
        bits: bool = False,
        result_bits: bool = False,
    ) -> None:
        self.ring_bits, self.mask_bits = ring_bits, mask_bits
        self.step, self.expected = step, expected
        self.bits, self.result_bits = bits, result_bits


def floors(x: Any, result: Any) -> bool:
    return bool(np.isin(result - (x >> 1), (0, 1)).all())


CASES = {
    # Messages: c >> m, c_m and a product to 0 and 2, a product to 1 and 3; a field of 2 bits.
    "truncate": Case(4, (8, 2, 8, 2), lambda p, x, b: p.truncate(x, 1, "probabilistic"), floors),
    "bit_to_arithmetic": Case(
        3, (6, 3, 6, 3), lambda p, x, b: p.bit_to_arithmetic(b), lambda b, r: (r == b).all(), True
    ),
    "inject": Case(
        2,
        (6, 2, 6, 2),
        lambda p, x, b: p.inject(b, x),
        lambda x, b, r: (r == x * b).all(),
        bits=True,
    ),
    # A block of one bit, a block of three, the top: 9 monomials, 3 planes of leaves, one level.
    "most_significant_bit": Case(
        5,
        (13, 4, 14, 5),
        lambda p, x, b: p.most_significant_bit(x),
        lambda x, r: (r == (x < 0)).all(),
        result_bits=True,
    ),
}


def run(
    case: Case, observer: int, x: Any, b: Any, monkeypatch: pytest.MonkeyPatch
) -> tuple[Any, list[Any]]:
    """What the observer receives, an integer for every assignment; and the parties' results."""
    masks = Masks(observer, case.mask_bits[observer])
    listener = Listener(observer, names=FOUR)
    s = Simulation(2, listener, "fantastic4")
    masks.names = {id(key): j for p in s.parties for j, key in p.keys.items()}
    ring = SmallRing(case.ring_bits, masks.integers(case.ring_bits))
    small = SmallRing(2, masks.integers(2))
    field = Group(small.dtype, small.add, small.subtract, small.multiply, masks.integers(2))
    # Products send their messages one by one: the kernel, which sends the same, has no small rings.
    numbers_of = groups.elements_of
    monkeypatch.setattr(arithmetic, "elements_of", lambda r: replace(numbers_of(r), joint=None))
    for module in (boolean, sign):
        monkeypatch.setattr(module, "BITS", replace(groups.BITS, joint=None))
    monkeypatch.setattr(shifting, "field_of", lambda *_: field)
    monkeypatch.setattr(
        groups,
        "kernels",
        SimpleNamespace(fill=lambda key, nonce, lane, out: masks.packed(key, nonce, lane, out)),
    )
    numbers, bits = [], []
    for p in s.parties:
        p.ring = ring
        numbers.append(Replicated4({j: np.full(masks.size, x[j], np.uint8) for j in p.held}))
        words = {j: pack_bits(np.full(masks.size, b[j])) for j in p.held}
        bits.append(Replicated4Bits(words, (masks.size,)))
    results = s.run(lambda p, u, v: case.step(p, u, v), numbers, bits)
    assert masks.used <= case.mask_bits[observer]
    return listener.heard, results


def code(heard: list[Any], size: int, bit_planes: bool) -> Any:
    """The received messages as one integer for each assignment."""
    total = np.zeros(size, np.int64)
    for array in heard:
        if bit_planes:
            for plane in unpack_bits(array.view(np.uint64).reshape(-1, -(-size // 64)), (size,)):
                total = total * 2 + plane
        else:
            for row in array.reshape(-1, size):
                total = total * 16 + row
    return total


def uniform(values: Any, size: int) -> bool:
    """Whether all views that occur occur equally often, and as many as there are masks."""
    _, counts = np.unique(values, return_counts=True)
    return len(counts) == size


@OBSERVERS
@pytest.mark.parametrize("name", CASES)
def test_every_view_is_uniform(name: str, observer: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each assignment gives another view: a bijection between unknown masks and messages.

    With as many masks as messages have values, every view then comes once, for each share that the
    observer lacks.
    """
    case = CASES[name]
    rng = np.random.default_rng(observer)
    x, b = rng.integers(0, 1 << case.ring_bits, 4), rng.integers(0, 2, 4)
    sets = []
    lacking = itertools.product(range(1 << case.ring_bits), range(2) if case.bits else [0])
    for x[observer], b[observer] in lacking:
        if name == "truncate":
            value = int(x.sum() + 8) % 16 - 8
            if not -4 <= value < 4:
                continue
        heard, results = run(case, observer, x, b, monkeypatch)
        size = 1 << case.mask_bits[observer]
        views = code(heard, size, case.result_bits)
        assert uniform(views, size)
        sets.append(np.sort(views))
        check_result(case, name, x, b, results, size)
    for other in sets[1:]:
        np.testing.assert_array_equal(sets[0], other)


def check_result(case: Case, name: str, x: Any, b: Any, results: list[Any], size: int) -> None:
    """The result is right under every assignment, so what was counted is the protocol."""
    half = 1 << (case.ring_bits - 1)
    secret = int(x.sum() + half) % (2 * half) - half
    bit = int(b.sum() % 2)
    shares = {**results[0].shares, 0: results[1].shares[0]}
    if case.result_bits:
        value = unpack_bits(reduce(np.bitwise_xor, shares.values()), (size,))
        assert case.expected(secret, value), name
        return
    total = sum(share.astype(int) for share in shares.values())
    value = (total + half) % (2 * half) - half
    if name == "inject":
        wanted = (secret * bit + half) % (2 * half) - half
        assert (value == wanted).all()
    elif name == "bit_to_arithmetic":
        assert case.expected(bit, value)
    else:
        assert case.expected(secret, value)


HONEST_PIECE = joint._piece


def one_lane(party: Any, message: Any, nonce: int, lane: int) -> Any:
    """Planted: messages of one exchange share their masks."""
    return HONEST_PIECE(party, message, nonce, lane % 2)


@pytest.mark.parametrize("name", ["truncate", "inject"])
def test_masks_used_twice_are_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joint, "_piece", one_lane)
    case = CASES[name]
    x, b = np.array([1, 2, 3, 1]), np.array([0, 1, 1, 0])
    heard, _ = run(case, 0, x, b, monkeypatch)
    size = 1 << case.mask_bits[0]
    assert not uniform(code(heard, size, False), size)


# The shuffle.


@OBSERVERS
@pytest.mark.parametrize("inverse", [False, True])
def test_views_of_the_shuffle(
    observer: int, inverse: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two numbers of 2 bits: the three messages are uniform, whatever factor the observer lacks.

    Together with the opened order nothing is learned but that: for both values of the lacking
    factor the views are the same set, and the result is x in the one order or the other.
    """
    rng = np.random.default_rng(observer)
    x = rng.integers(0, 4, (4, 2))
    known = rng.integers(0, 2, 4)
    orders = [np.array([[0, 1]]), np.array([[1, 0]])]
    seen, opened = [], []
    for lacking, places in itertools.product(itertools.product(range(4), repeat=2), range(2)):
        x[observer] = lacking
        masks = Masks(observer, 12)
        listener = Listener(observer, names=FOUR)
        s = Simulation(2, listener, "fantastic4")
        masks.names = {id(key): j for p in s.parties for j, key in p.keys.items()}
        drawn = {**dict(enumerate(known)), observer: places}

        def permutation(
            key: Any, nonce: int, lane: int, out: Any, m: Any = masks, d: Any = drawn
        ) -> None:
            out[...] = orders[d[m.names[id(key)]]]

        monkeypatch.setattr(shuffle, "kernels", SimpleNamespace(permutation=permutation))
        parts = []
        for p in s.parties:
            p.ring = SmallRing(2, masks.integers(2))
            spread = {
                j: np.repeat(x[j].astype(np.uint8), masks.size).reshape(1, 2, -1) for j in p.held
            }
            parts.append(Replicated4(spread))
        results = s.run(lambda p, a: p.permute(p.permutation(1, 2), a, inverse), parts)
        views = code(listener.heard, masks.size, False)
        assert masks.used == 12
        assert uniform(views, masks.size)
        seen.append(np.sort(views))
        shares = {**results[0].shares, 0: results[1].shares[0]}
        total = sum(share.astype(int) for share in shares.values()) % 4
        secret = x.sum(axis=0) % 4
        swaps = (int(sum(known)) - int(known[observer]) + places) % 2
        wanted = secret[::-1] if swaps else secret
        assert (total[0] == wanted[:, None]).all()
        opened.append(tuple(wanted.tolist()))
    for other in seen[1:]:
        np.testing.assert_array_equal(seen[0], other)
    assert len(set(opened)) > 1
