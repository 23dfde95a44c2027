"""Large products of four parties: right at the edges, and nothing to see in the first round.

By counting: the real code over Z_4 on matrices of one element and sketches of one column. All
values of the four masks that a receiver does not know are run through; the receiver's view comes
as often whatever the shares that it lacks hold.
"""

from __future__ import annotations

import itertools
from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from simulation import FOUR, Listener, Simulation, integers

from tacit.encoding import RING64, RING128, Ring
from tacit.protocols import PROTOCOLS
from tacit.protocols.fantastic4 import large_products
from tacit.rounds import LockstepDriver
from tacit.sharing import Replicated4

RNG = np.random.default_rng(12)
RINGS = pytest.mark.parametrize("over", [RING64, RING128], ids=repr)


@pytest.fixture(autouse=True)
def every_matrix_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_products, "ENOUGH", float("inf"))


# Results.


@RINGS
@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 7, 3), (64, 33, 70), (2, 600, 513)])
def test_products_at_most_one_unit_above_the_floor(over: Ring, shape: tuple[int, ...]) -> None:
    m, k, n = shape
    x, y = integers(RNG, (m, k), 25), integers(RNG, (k, n), 25)
    s = Simulation(4, protocol="fantastic4", over=over)
    got = s.open(s.run(lambda p, a, b: p.matmul_truncate(a, b, 18), s.share(x), s.share(y)))
    above = np.asarray(got - ((x @ y) >> 18), np.int64)
    assert set(np.unique(above).tolist()) <= {0, 1}


@pytest.mark.parametrize("bits", [1, 15, 17, 31, 33, 61])
def test_sums_up_to_the_limit(bits: int) -> None:
    """[-2^61, 2^61), where one more bit leaves the field as wide."""
    limit = 1 << 61
    x = np.array([[limit - 1], [-limit], [1], [-1], [0]])
    s = Simulation(4, protocol="fantastic4")
    one = np.ones((1, 400), np.int64)
    assert large_products.is_large(RING64, x.shape, one.shape, bits)
    got = s.open(s.run(lambda p, a, b: p.matmul_truncate(a, b, bits), s.share(x), s.share(one)))
    assert set(np.unique(got - ((x @ one) >> bits)).tolist()) <= {0, 1}


def test_which_products_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    for shape, large in (((1024, 1024, 1024), True), ((512, 512, 512), True),
                         ((256, 256, 256), False), ((128, 784, 128), False),
                         ((1024, 1024, 1), False), ((0, 5, 3), False)):  # fmt: skip
        m, k, n = shape
        assert large_products.is_large(RING64, (m, k), (k, n), 18) == large
    big = (1024, 1024)
    assert not large_products.is_large(RING64, (1024,), big, 18)
    assert not large_products.is_large(RING64, (2, *big), (2, *big), 18)
    # One more bit would widen the field, or there is none.
    assert [m for m in range(1, 63) if not large_products.is_large(RING64, big, big, m)] == [
        16, 32, 62,
    ]  # fmt: skip


@RINGS
def test_declared_is_measured(over: Ring) -> None:
    shapes = (5, 7), (7, 3)
    for bits in (15, 18, 40):
        s = Simulation(4, LockstepDriver(FOUR), "fantastic4", over=over)
        x, y = (s.share(integers(RNG, shape, 20)) for shape in shapes)
        s.run(lambda p, a, b, m=bits: p.matmul_truncate(a, b, m), x, y)
        declared = PROTOCOLS["fantastic4"].costs_with(ring=over)["matmul_truncate"](*shapes, bits)
        cost = s.driver.cost()
        assert {c.rounds for c in s.driver.counters} == {declared.rounds} == {3}
        assert tuple(cost.bytes_sent[n] for n in FOUR) == tuple(declared.bytes_sent)
        assert tuple(cost.check_bytes[n] for n in FOUR) == tuple(declared.check_bytes)


@pytest.mark.parametrize("rounding", ["exact", "nearest"])
def test_deterministic_rounding_takes_the_other_way(rounding: Any) -> None:
    """And keeps the last bit of range."""
    x = np.array([[(1 << 62) - (1 << 20)], [-(1 << 62)]])
    s = Simulation(4, protocol="fantastic4", rounding=rounding)
    one = np.ones((1, 3), np.int64)
    got = s.open(s.run(lambda p, a, b: p.matmul_truncate(a, b, 18), s.share(x), s.share(one)))
    np.testing.assert_array_equal(got, (x @ one) >> 18)


# What the receivers see.

MODULUS = 4


class Small:
    """Z_4, one element at a time: what the first round asks of a ring."""

    def __init__(self, fill: Any) -> None:
        self.kernels = SimpleNamespace(fill=fill)

    def empty(self, shape: Any) -> Any:
        return np.empty(shape, np.int64)

    def zeros(self, shape: Any) -> Any:
        return np.zeros(shape, np.int64)

    def _result(self, value: Any, out: Any) -> Any:
        if out is None:
            return value % MODULUS
        out[...] = value % MODULUS
        return out

    def add(self, a: Any, b: Any, out: Any = None) -> Any:
        return self._result(a + b, out)

    def subtract(self, a: Any, b: Any, out: Any = None) -> Any:
        return self._result(a - b, out)

    def matmul(self, a: Any, b: Any, threads: int = 1) -> Any:
        return a @ b % MODULUS

    def linear_combination(self, terms: Any, factors: Any) -> Any:
        return sum(f * t for f, t in zip(factors, terms, strict=True)) % MODULUS


def counted(observer: int, x: Any, y: Any, known: Any) -> Counter[tuple[int, ...]]:
    """How often each view of the first round occurs over all masks that the observer lacks."""
    found: Counter[tuple[int, ...]] = Counter()
    for assignment in itertools.product(range(MODULUS), repeat=4):
        listener = Listener(observer, checks=True, names=FOUR)
        s = Simulation(2, listener, "fantastic4")
        names = {id(key): j for p in s.parties for j, key in p.keys.items()}
        places: list[int] = []

        def fill(key: Any, nonce: int, lane: int, out: Any, places: Any = places,
                 values: Any = assignment, names: Any = names) -> None:  # fmt: skip
            j = names[id(key)]
            if j == observer:
                if lane not in places:
                    places.append(lane)
                out[...] = values[places.index(lane)]
            else:
                out[...] = known[j, lane]

        steps = []
        for p in s.parties:
            p.ring = Small(fill)
            u, v = (Replicated4({j: np.full((1, 1), w[j]) for j in p.held}) for w in (x, y))
            half = large_products._receive if p.index >= 2 else large_products._send
            steps.append(half(p, u, v))
        s.driver.run(steps, "test")
        assert len(places) == 4
        found[tuple(int(v) for a in listener.heard for v in a.view(np.int64))] += 1
    return found


@pytest.mark.parametrize("observer", [2, 3])
def test_every_view_of_a_receiver_comes_equally_often(
    observer: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four masks, six messages of which four are uniform and two follow: 256 views, once each.

    And the two that follow do so by what the receiver knows: the views are the same whatever the
    shares hold that it lacks.
    """
    monkeypatch.setattr(large_products, "COLUMNS", 1)
    rng = np.random.default_rng(observer)
    x, y, known = rng.integers(0, 4, 4), rng.integers(0, 4, 4), rng.integers(0, 4, (4, 5))
    views = []
    for x[observer], y[observer] in ((0, 0), (1, 3), (2, 1), (3, 3)):
        histogram = counted(observer, x, y, known)
        assert len(histogram) == MODULUS**4
        assert set(histogram.values()) == {1}
        views.append(histogram)
    assert all(view == views[0] for view in views)


@pytest.mark.parametrize("observer", [2, 3])
def test_counting_sees_a_sketch_without_a_mask(
    observer: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: what the two others say is masked by nothing, or by the message's own mask."""
    monkeypatch.setattr(large_products, "COLUMNS", 1)
    honest = large_products._drawn

    def bare(party: Any, nonce: int, key: int, lane: int, shape: Any) -> Any:
        out = honest(party, nonce, key, lane, shape)
        return out * 0 if lane in large_products._SKETCHES else out

    monkeypatch.setattr(large_products, "_drawn", bare)
    rng = np.random.default_rng(observer)
    x, y, known = rng.integers(0, 4, 4), rng.integers(0, 4, 4), rng.integers(0, 4, (4, 5))
    known[:2, 4] = 1  # R is a unit
    views = []
    for x[observer] in range(4):
        views.append(counted(observer, x, y, known))
    assert any(view != views[0] for view in views)


def test_the_senders_hear_nothing() -> None:
    for observer in (0, 1):
        listener = Listener(observer, checks=True, names=FOUR)
        s = Simulation(2, listener, "fantastic4")
        x, y = s.share(integers(RNG, (3, 4), 20)), s.share(integers(RNG, (4, 5), 20))
        s.run(lambda p, a, b: p.matmul_truncate(a, b, 18), x, y)
        assert 1 not in {number for number, _ in listener.origins}
