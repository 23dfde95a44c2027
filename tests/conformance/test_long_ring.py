"""Numbers of 128 bits through every primitive, against Python's integers.

``test_primitives.py`` runs over every ring too, with numbers of 64 bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from simulation import SIZES, Simulation

from tacit.encoding import RING128
from tacit.errors import InternalError
from tacit.protocols import PROTOCOLS

MODULUS = 1 << 128
Integers = NDArray[Any]
PROTOCOLS_128 = [name for name in sorted(PROTOCOLS) if 128 in PROTOCOLS[name].rings]

EDGES = np.array(
    [
        0, 1, -1, 2, -2, (1 << 126) - 1, -(1 << 126), 1 << 126, (1 << 127) - 1, -(1 << 127),
        1 - (1 << 127), 1 << 63, -(1 << 63), (1 << 63) - 1, 1 << 64, -(1 << 64), (1 << 64) - 1,
        1 - (1 << 64), (1 << 127) - (1 << 64), (1 << 96) + 1, -(1 << 96) - 1,
    ],
    object,
)  # fmt: skip
"""Values where a carry runs from one word into the other, or into the sign."""

TRUNCATIONS = (1, 16, 17, 32, 33, 63, 64, 65, 100, 125, 126)


def signed(values: Any) -> Integers:
    """Integers modulo 2^128, as two's complement."""
    return np.asarray((values + (MODULUS >> 1)) % MODULUS - (MODULUS >> 1), object)


def integers(rng: np.random.Generator, shape: Any, bits: int = 127) -> Integers:
    """Random integers in [-2^bits, 2^bits)."""
    size = int(np.prod(shape))
    numbers = [int.from_bytes(rng.bytes(16), "little") >> (127 - bits) for _ in range(size)]
    return np.array([n - (1 << bits) for n in numbers], object).reshape(shape)


@pytest.fixture(params=PROTOCOLS_128)
def session(request: pytest.FixtureRequest) -> Simulation:
    return Simulation(5, protocol=request.param, over=RING128)


RNG = np.random.default_rng(17)
EVERY = pytest.mark.parametrize("size", [n for n in SIZES if n < 5000])
REPEATED = np.tile(EDGES, 40)


def test_every_protocol_over_long_rings_is_here() -> None:
    assert PROTOCOLS_128 == ["fantastic4", "replicated3"]


@pytest.mark.parametrize(
    ("ours", "pythons"),
    [
        (lambda p, x, y: p.add(x, y), lambda x, y: x + y),
        (lambda p, x, y: p.subtract(x, y), lambda x, y: x - y),
        (lambda p, x, y: p.negate(x), lambda x, y: -x),
        (lambda p, x, y: p.multiply_public(x, -(1 << 100)), lambda x, y: x * -(1 << 100)),
        (lambda p, x, y: p.add_public(x, (1 << 127) - 5), lambda x, y: x + (1 << 127) - 5),
        (lambda p, x, y: p.sum(x, 0, True), lambda x, y: x.sum(axis=0, keepdims=True)),
        (lambda p, x, y: p.sum(x, (0, 1)), lambda x, y: np.asarray(x.sum())),
        (
            lambda p, x, y: p.linear_combination([x, y], [3, -(1 << 90)], 1 << 120),
            lambda x, y: 3 * x - (y << 90) + (1 << 120),
        ),
    ],
)
def test_local_arithmetic(
    session: Simulation, ours: Callable[..., Any], pythons: Callable[..., Any]
) -> None:
    x, y = np.meshgrid(EDGES, EDGES)
    got = session.open(session.local(ours, session.share(x), session.share(y)))
    np.testing.assert_array_equal(got, signed(pythons(x, y)))


@pytest.mark.parametrize("owner", [0, 1, 2])
def test_input_and_reveal(session: Simulation, owner: int) -> None:
    elements = RING128.elements(EDGES)
    shared = session.run(
        lambda p: p.input(owner, elements if p.index == owner else None, elements.shape)
    )
    for i, opened in enumerate(session.run(lambda p, x: p.reveal(x, (0, 2)), shared)):
        if i not in (0, 2):
            assert opened is None
        else:
            np.testing.assert_array_equal(RING128.integers(opened), EDGES)


def test_random_numbers_fill_both_words(session: Simulation) -> None:
    values = session.open(session.local(lambda p: p.random((2000,))))
    for place in range(128):
        assert 850 < sum((int(v) >> place) & 1 for v in values) < 1150, place
    assert len(set(values.tolist())) == 2000


@EVERY
def test_multiply(session: Simulation, size: int) -> None:
    x, y = integers(RNG, size), integers(RNG, size)
    got = session.run(lambda p, a, b: p.multiply(a, b), session.share(x), session.share(y))
    np.testing.assert_array_equal(session.open(got), signed(x * y))


@pytest.mark.parametrize(
    ("left", "right"),
    [((3, 4), (4, 5)), ((7, 2), (2, 3)), ((5, 0), (0, 4)), ((6, 3), (3,)), ((2, 5, 3), (3, 4)),
     ((66, 130), (130, 17))],
)  # fmt: skip
def test_matmul(session: Simulation, left: tuple[int, ...], right: tuple[int, ...]) -> None:
    x, y = integers(RNG, left), integers(RNG, right)
    got = session.run(lambda p, a, b: p.matmul(a, b), session.share(x), session.share(y))
    expected = np.matmul(x, y) if x.size else np.zeros((5, 4), object)
    np.testing.assert_array_equal(session.open(got), signed(expected))


def off_by_at_most_one(got: Any, floor: Any) -> None:
    assert set(np.asarray(got - floor, object).reshape(-1).tolist()) <= {0, 1}


@pytest.mark.parametrize("bits", TRUNCATIONS)
def test_truncate_edges(session: Simulation, bits: int) -> None:
    x = np.array([v for v in REPEATED if -(1 << 126) <= v < 1 << 126], object)
    shared = session.share(x)
    got = session.open(session.run(lambda p, a: p.truncate(a, bits), shared))
    off_by_at_most_one(got, x >> bits)
    got = session.open(session.run(lambda p, a: p.truncate(a, bits, "exact"), shared))
    np.testing.assert_array_equal(got, x >> bits)
    half = 1 << (bits - 1)
    near = np.array([v for v in x if v < (1 << 126) - half], object)
    step = session.run(lambda p, a: p.truncate(a, bits, "nearest"), session.share(near))
    np.testing.assert_array_equal(session.open(step), (near + half) >> bits)


@EVERY
def test_truncate_exactly(session: Simulation, size: int) -> None:
    x = integers(RNG, size, 126)
    got = session.run(lambda p, a: p.truncate(a, 70, "exact"), session.share(x))
    np.testing.assert_array_equal(session.open(got), x >> 70)


@pytest.mark.parametrize("bits", TRUNCATIONS)
@pytest.mark.parametrize("size", [1, 65, 1000])
def test_products_with_truncation(session: Simulation, size: int, bits: int) -> None:
    x, y = integers(RNG, size, 62), integers(RNG, size, 62)
    a, b = session.share(x), session.share(y)
    got = session.run(lambda p, s, t: p.multiply_truncate(s, t, bits), a, b)
    off_by_at_most_one(session.open(got), (x * y) >> bits)
    pairs = session.run(lambda p, s, t: p.sum_products_truncate([(s, t), (t, t)], bits, s), a, b)
    off_by_at_most_one(session.open(pairs), (x * y + y * y + x) >> bits)


@pytest.mark.parametrize(
    ("left", "right"), [((5, 7), (7, 3)), ((9,), (9,)), ((66, 130), (130, 17))]
)
def test_matmul_truncate(
    session: Simulation, left: tuple[int, ...], right: tuple[int, ...]
) -> None:
    x, y = integers(RNG, left, 57), integers(RNG, right, 57)
    got = session.run(
        lambda p, a, b: p.matmul_truncate(a, b, 51), session.share(x), session.share(y)
    )
    off_by_at_most_one(session.open(got), np.matmul(x, y) >> 51)


@pytest.mark.parametrize("bits", [0, 127])
def test_what_cannot_be_truncated(session: Simulation, bits: int) -> None:
    x = session.share(EDGES)
    with pytest.raises(InternalError, match="1 to 126"):
        session.run(lambda p, a: p.multiply_truncate(a, a, bits), x)


@EVERY
def test_sign_bits(session: Simulation, size: int) -> None:
    x = integers(RNG, size)
    got = session.run(lambda p, a: p.most_significant_bit(a), session.share(x))
    np.testing.assert_array_equal(session.open_bits(got), x < 0)


def test_sign_bits_of_neighbours_across_every_carry(session: Simulation) -> None:
    """Shares that add up to powers of two and their neighbours: carries run through all blocks."""
    powers = [s * (1 << k) + d for k in range(127) for s in (1, -1) for d in (-1, 0, 1)]
    x = np.array(powers + REPEATED.tolist(), object)
    got = session.run(lambda p, a: p.most_significant_bit(a), session.share(x))
    np.testing.assert_array_equal(session.open_bits(got), x < 0)


@pytest.mark.parametrize("size", [0, 1, 65, 300])
def test_bits_and_back(session: Simulation, size: int) -> None:
    x = integers(RNG, size)
    bits = session.run(lambda p, a: p.to_bits(a), session.share(x))
    opened = session.open_bits(bits)
    assert opened.shape == (128, size)
    for place in range(128):
        np.testing.assert_array_equal(opened[place], (x >> place) & 1)
    back = session.run(lambda p, a: p.from_bits(a), bits)
    np.testing.assert_array_equal(session.open(back), x)


@EVERY
def test_bits_times_numbers(session: Simulation, size: int) -> None:
    bits, x, y = RNG.integers(0, 2, size), integers(RNG, size), integers(RNG, size)
    chosen, a, b = session.share_bits(bits), session.share(x), session.share(y)
    digits = session.run(lambda p, s: p.bit_to_arithmetic(s), chosen)
    np.testing.assert_array_equal(session.open(digits), bits)
    product = session.run(lambda p, s, u: p.inject(s, u), chosen, a)
    np.testing.assert_array_equal(session.open(product), bits.astype(object) * x)
    selected = session.run(lambda p, s, u, v: p.select(s, u, v), chosen, a, b)
    np.testing.assert_array_equal(session.open(selected), np.where(bits == 1, x, y))


def test_permutations_move_both_words(session: Simulation) -> None:
    x = integers(RNG, (2, 40))
    secret = session.local(lambda p: p.permutation(2, 40))
    moved = session.run(lambda p, s, a: p.permute(s, a), secret, session.share(x))
    got = session.open(moved)
    assert [sorted(row) for row in got.tolist()] == [sorted(row) for row in x.tolist()]
    assert (got != x).any()
