"""One suite for all protocols: every primitive of ``protocols/interface.py``, against NumPy.

A protocol joins by its name in ``PROTOCOLS``. Inputs go in by ``input`` and come out by
``reveal``, so that nothing here knows what a sharing looks like.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from simulation import EDGES, SIZES, Simulation, integers, ring, uniform

from tacit.encoding import RING64, Ring, ring_of
from tacit.errors import UsageError
from tacit.protocols import PROTOCOLS, protocol_named
from tacit.protocols.interface import Party

Signed = NDArray[np.int64]


class Session(Simulation):
    """Sharings by the protocol's own input and reveal."""

    def __init__(self, protocol: str, over: Ring = RING64, seed: int = 3) -> None:
        super().__init__(seed, protocol=protocol, over=over)

    def enter(self, values: Any, owner: int = 0) -> list[Any]:
        words = np.asarray(self.ring.elements(np.asarray(values)), order="C")
        return self.run(lambda p: p.input(owner, words if p.index == owner else None, words.shape))

    def enter_bits(self, bits: Any, owner: int = 0) -> list[Any]:
        array = np.asarray(bits, np.uint8)
        return self.run(
            lambda p: p.input_bits(owner, array if p.index == owner else None, array.shape)
        )

    def leave(self, parts: list[Any]) -> Signed:
        opened = self.run(lambda p, x: p.reveal(x, range(p.size)), parts)
        for values in opened[1:]:
            np.testing.assert_array_equal(values, opened[0])
        return self.ring.low_words(opened[0]).reshape(parts[0].shape)

    def leave_bits(self, parts: list[Any]) -> NDArray[np.uint8]:
        opened = self.run(lambda p, x: p.reveal_bits(x, range(p.size)), parts)
        for values in opened[1:]:
            np.testing.assert_array_equal(values, opened[0])
        assert opened[0].dtype == np.uint8
        return opened[0]

    def both(self, values: Any) -> list[Any]:
        """A sharing with three non-trivial shares: inputs of two owners added."""
        elements = self.ring.elements(np.asarray(values, np.int64))
        blind = uniform(self.rng, elements.shape, self.ring)
        hidden = self.ring.subtract(elements, blind)
        return self.local(lambda p, a, b: p.add(a, b), self.enter(hidden, 1), self.enter(blind, 2))


def in_every_ring() -> list[Any]:
    """Each protocol over each of its rings; numbers of 64 bits, results modulo 2^64."""
    return [
        pytest.param((name, ring_of(bits)), id=f"{name}-{bits}")
        for name in sorted(PROTOCOLS)
        for bits in PROTOCOLS[name].rings
    ]


@pytest.fixture(params=in_every_ring())
def session(request: pytest.FixtureRequest) -> Session:
    return Session(*request.param)


RNG = np.random.default_rng(7)
EVERY = pytest.mark.parametrize("size", SIZES)
SHAPES = pytest.mark.parametrize("shape", [(), (0,), (1,), (5, 0), (3, 4), (2, 3, 5), (130,)])


def test_every_protocol_is_here_and_found_by_name() -> None:
    for name, protocol in PROTOCOLS.items():
        assert protocol.name == name
        assert protocol_named(name) is protocol
        assert protocol.security.parties >= 2
        assert protocol.security.describe().endswith(".")
    with pytest.raises(UsageError, match="replicated3"):
        protocol_named("no such protocol")


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
def test_every_primitive_of_the_interface_is_there(name: str) -> None:
    party = Session(name).parties[0]
    for primitive, declared in vars(Party).items():
        if not primitive.startswith("_") and callable(declared):
            wanted = list(inspect.signature(declared).parameters)[1:]
            given = list(inspect.signature(getattr(party, primitive)).parameters)
            assert given == wanted, primitive
    assert party.size == len(party.names) == PROTOCOLS[name].security.parties


def test_this_suite_tests_every_primitive() -> None:
    """A primitive added to the interface without a test here fails."""
    source = inspect.getsource(inspect.getmodule(test_this_suite_tests_every_primitive))  # type: ignore[arg-type]
    for primitive, declared in vars(Party).items():
        if not primitive.startswith("_") and callable(declared):
            assert f"p.{primitive}(" in source, primitive


# Input and reveal.


@SHAPES
@pytest.mark.parametrize("owner", [0, 1, 2])
def test_input_and_reveal(session: Session, shape: tuple[int, ...], owner: int) -> None:
    x = integers(RNG, shape)
    parts = session.enter(x, owner)
    assert all(p.shape == shape and p.size == x.size and p.ndim == len(shape) for p in parts)
    np.testing.assert_array_equal(session.leave(parts), x)


@SHAPES
@pytest.mark.parametrize("owner", [0, 1, 2])
def test_input_bits_and_reveal_bits(session: Session, shape: tuple[int, ...], owner: int) -> None:
    bits = RNG.integers(0, 2, shape, dtype=np.uint8)
    parts = session.enter_bits(bits, owner)
    assert all(p.shape == shape and p.planes == () for p in parts)
    np.testing.assert_array_equal(session.leave_bits(parts), bits)


@pytest.mark.parametrize("to", [(), (0,), (1,), (2,), (0, 1), (2, 1), (0, 2), (0, 1, 2)])
def test_reveal_reaches_its_recipients_alone(session: Session, to: tuple[int, ...]) -> None:
    x, bits = integers(RNG, 70), RNG.integers(0, 2, 70, dtype=np.uint8)
    numbers = session.run(lambda p, a: p.reveal(a, to), session.both(x))
    opened = session.run(lambda p, a: p.reveal_bits(a, to), session.enter_bits(bits))
    for i in range(len(session.parties)):
        if i in to:
            np.testing.assert_array_equal(session.ring.low_words(numbers[i]), x)
            np.testing.assert_array_equal(opened[i], bits)
        else:
            assert numbers[i] is None
            assert opened[i] is None


# Local arithmetic.

Binary = tuple[Callable[[Any, Any, Any], Any], Callable[[Any, Any], Any]]

LOCAL: dict[str, Binary] = {
    "add": (lambda p, x, y: p.add(x, y), np.add),
    "subtract": (lambda p, x, y: p.subtract(x, y), np.subtract),
}


@pytest.mark.parametrize("name", LOCAL)
def test_local_binary(session: Session, name: str) -> None:
    ours, numpys = LOCAL[name]
    x, y = np.meshgrid(EDGES, EDGES)
    got = session.leave(session.local(ours, session.both(x), session.both(y)))
    np.testing.assert_array_equal(got, numpys(x, y))


def test_negate(session: Session) -> None:
    got = session.leave(session.local(lambda p, x: p.negate(x), session.both(EDGES)))
    np.testing.assert_array_equal(got, np.negative(EDGES))


@pytest.mark.parametrize(
    "c",
    [
        3,
        -5,
        1 << 62,
        -(1 << 63),
        (1 << 64) - 1,
        np.int64(-7),
        np.uint64(1 << 63),
        EDGES,
        ring(EDGES),
    ],
    ids=str,
)
def test_public_operands(session: Session, c: Any) -> None:
    if session.ring != RING64 and np.asarray(c).dtype == np.uint64 and not isinstance(c, int):
        with pytest.raises(TypeError, match="Z_2"):
            session.parties[0].add_public(session.both(EDGES)[0], c)
        return
    x = session.both(EDGES)
    words = np.array(c % (1 << 64), np.uint64) if isinstance(c, int) else np.asarray(c)
    words = words if words.dtype == np.uint64 else words.astype(np.int64).view(np.uint64)
    plus = session.leave(session.local(lambda p, a: p.add_public(a, c), x))
    times = session.leave(session.local(lambda p, a: p.multiply_public(a, c), x))
    np.testing.assert_array_equal(plus.view(np.uint64), ring(EDGES) + words)
    np.testing.assert_array_equal(times.view(np.uint64), ring(EDGES) * words)


def test_public_operands_broadcast(session: Session) -> None:
    x, row, column = integers(RNG, (4, 3)), integers(RNG, (3,)), integers(RNG, (4, 1))
    shared, narrow = session.both(x), session.both(column)
    for c in (row, column, np.int64(9)):
        got = session.leave(session.local(lambda p, a, c=c: p.add_public(a, c), shared))
        np.testing.assert_array_equal(got, x + c)
        got = session.leave(session.local(lambda p, a, c=c: p.multiply_public(a, c), shared))
        np.testing.assert_array_equal(got, x * c)
    got = session.leave(session.local(lambda p, a: p.add_public(a, row), narrow))
    np.testing.assert_array_equal(got, column + row)
    got = session.leave(session.local(lambda p, a: p.multiply_public(a, row), narrow))
    np.testing.assert_array_equal(got, column * row)


def test_public_floats_are_refused(session: Session) -> None:
    x = session.both(EDGES)
    for operation in ("add_public", "multiply_public"):
        with pytest.raises(TypeError):
            getattr(session.parties[0], operation)(x[0], 0.5)


@pytest.mark.parametrize(
    "values", [EDGES, ring(EDGES), np.int32(-4), np.zeros((2, 0), np.int64)], ids=str
)
def test_public_values(session: Session, values: Any) -> None:
    if session.ring != RING64 and np.asarray(values).dtype == np.uint64:
        return  # refused, as above
    parts = session.local(lambda p: p.public(values))
    words = np.asarray(values)
    np.testing.assert_array_equal(
        session.leave(parts).view(np.uint64),
        words if words.dtype == np.uint64 else words.astype(np.int64).view(np.uint64),
    )


@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 2), (0, 1, 2)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_sum(session: Session, axis: Any, keepdims: bool) -> None:
    for shape in ((2, 3, 4), (0, 3, 4)):
        x = integers(RNG, shape)
        parts = session.local(lambda p, a: p.sum(a, axis, keepdims), session.both(x))
        np.testing.assert_array_equal(session.leave(parts), x.sum(axis=axis, keepdims=keepdims))


def test_broadcast(session: Session) -> None:
    x = integers(RNG, (3, 1))
    parts = session.local(lambda p, a: p.broadcast(a, (2, 3, 4)), session.both(x))
    np.testing.assert_array_equal(session.leave(parts), np.broadcast_to(x, (2, 3, 4)))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_concatenate(session: Session, axis: int) -> None:
    x, y = integers(RNG, (3, 3)), integers(RNG, (3, 3))
    parts = session.local(
        lambda p, a, b: p.concatenate([a, b, a], axis), session.both(x), session.both(y)
    )
    np.testing.assert_array_equal(session.leave(parts), np.concatenate([x, y, x], axis))


def test_sharings_rearrange_like_arrays(session: Session) -> None:
    x = integers(RNG, (4, 6))
    shared = session.both(x)
    for f in (
        lambda a: a[1:3, ::2],
        lambda a: a[-1],
        lambda a: a[2, 3],
        lambda a: a.reshape(3, 8),
        lambda a: a.reshape(-1),
    ):
        np.testing.assert_array_equal(session.leave([f(a) for a in shared]), f(x))
    transposed = [a.map(lambda share: share.T) for a in shared]
    np.testing.assert_array_equal(session.leave(transposed), x.T)


@pytest.mark.parametrize("shape", [(), (0,), (130,), (3, 4)])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_linear_combination(session: Session, shape: tuple[int, ...], count: int) -> None:
    xs = [integers(RNG, shape, 40) for _ in range(count)]
    factors, constant = [3, -1, 1 << 20][:count], -12345
    parts = session.local(
        lambda p, *s: p.linear_combination(s, factors, constant), *map(session.both, xs)
    )
    total = sum(factor * x for factor, x in zip(factors, xs, strict=True)) + constant
    assert parts[0].shape == shape
    np.testing.assert_array_equal(session.leave(parts), total)
    turned = session.both(integers(RNG, (3, 5), 40))
    parts = session.local(
        lambda p, a: p.linear_combination([a.map(np.transpose), a.map(np.transpose)], [1, 2]),
        turned,
    )
    np.testing.assert_array_equal(session.leave(parts), 3 * session.leave(turned).T)


# Local bits.


@EVERY
def test_xor_invert_and_public_bits(session: Session, size: int) -> None:
    a, b = (RNG.integers(0, 2, size, dtype=np.uint8) for _ in range(2))
    x, y = session.enter_bits(a, 1), session.enter_bits(b, 2)
    got = session.leave_bits(session.local(lambda p, s, t: p.xor(s, t), x, y))
    np.testing.assert_array_equal(got, a ^ b)
    got = session.leave_bits(session.local(lambda p, s: p.xor_public(s, b), x))
    np.testing.assert_array_equal(got, a ^ b)
    np.testing.assert_array_equal(
        session.leave_bits(session.local(lambda p, s: p.invert(s), x)), 1 - a
    )
    np.testing.assert_array_equal(session.leave_bits(session.local(lambda p: p.public_bits(b))), b)


def test_bits_rearrange_like_arrays(session: Session) -> None:
    bits = RNG.integers(0, 2, (5, 26), dtype=np.uint8)
    shared = session.enter_bits(bits)
    moved = [a.map(lambda x: x[1:4, ::-1].T) for a in shared]
    np.testing.assert_array_equal(session.leave_bits(moved), bits[1:4, ::-1].T)
    flat = [a.reshape(13, -1) for a in shared]
    np.testing.assert_array_equal(session.leave_bits(flat), bits.reshape(13, 10))


@pytest.mark.parametrize("axis", [0, 1])
def test_concatenate_bits(session: Session, axis: int) -> None:
    a, b = (RNG.integers(0, 2, (7, 7), dtype=np.uint8) for _ in range(2))
    parts = session.local(
        lambda p, x, y: p.concatenate_bits([x, y], axis),
        session.enter_bits(a),
        session.enter_bits(b, 2),
    )
    np.testing.assert_array_equal(session.leave_bits(parts), np.concatenate([a, b], axis))


def test_stack_planes(session: Session) -> None:
    rows = RNG.integers(0, 2, (4, 3, 30), dtype=np.uint8)
    shared = [session.enter_bits(row, k % 3) for k, row in enumerate(rows)]
    parts = session.local(lambda p, *x: p.stack_planes(x), *shared)
    assert parts[0].planes == (4,)
    assert parts[0].shape == (3, 30)
    np.testing.assert_array_equal(session.leave_bits(parts), rows)
    for k in range(4):
        np.testing.assert_array_equal(
            session.leave_bits([part.plane(k) for part in parts]), rows[k]
        )
    some = [part.plane(slice(1, 3)) for part in parts]
    np.testing.assert_array_equal(session.leave_bits(some), rows[1:3])


# Randomness.


def test_random_values_are_consistent_fresh_and_spread(session: Session) -> None:
    first, second = (session.local(lambda p: p.random((1000,))) for _ in range(2))
    a, b = session.leave(first).view(np.uint64), session.leave(second).view(np.uint64)
    assert len(np.unique(np.concatenate([a, b]))) == 2000
    ones = [(int(((a >> np.uint64(k)) & np.uint64(1)).sum())) for k in range(64)]
    assert all(400 < count < 600 for count in ones)


def test_random_bits_are_consistent_fresh_and_spread(session: Session) -> None:
    first, second = (session.local(lambda p: p.random_bits((10, 100))) for _ in range(2))
    a, b = session.leave_bits(first), session.leave_bits(second)
    assert a.shape == (10, 100)
    assert 400 < a.sum() < 600
    assert 400 < (a ^ b).sum() < 600


# Products.


@EVERY
def test_multiply(session: Session, size: int) -> None:
    x, y = integers(RNG, size), integers(RNG, size)
    got = session.run(lambda p, a, b: p.multiply(a, b), session.both(x), session.both(y))
    np.testing.assert_array_equal(session.leave(got), x * y)


def test_multiply_edges(session: Session) -> None:
    x, y = np.meshgrid(EDGES, EDGES)
    got = session.run(lambda p, a, b: p.multiply(a, b), session.both(x), session.both(y))
    np.testing.assert_array_equal(session.leave(got), x * y)


MATRICES = pytest.mark.parametrize(
    ("left", "right"),
    [
        ((1, 1), (1, 1)),
        ((3, 4), (4, 5)),
        ((7, 2), (2, 3)),
        ((2, 9), (9, 3)),
        ((5, 0), (0, 4)),
        ((0, 3), (3, 2)),
        ((3, 4), (4, 0)),
        ((6, 3), (3,)),
        ((2, 3), (3,)),
        ((3,), (3, 4)),
        ((5,), (5,)),
        ((2, 5, 3), (2, 3, 4)),
        ((2, 5, 3), (3, 4)),
        ((5, 3), (2, 3, 4)),
        ((2, 1, 4, 3), (3, 3, 2)),
        ((100, 30), (30,)),
    ],
    ids=str,
)


@MATRICES
def test_matmul(session: Session, left: tuple[int, ...], right: tuple[int, ...]) -> None:
    x, y = integers(RNG, left), integers(RNG, right)
    got = session.run(lambda p, a, b: p.matmul(a, b), session.both(x), session.both(y))
    expected = np.matmul(x, y)
    assert got[0].shape == np.shape(expected)
    np.testing.assert_array_equal(session.leave(got), expected)


def test_products_take_any_strides(session: Session) -> None:
    x, y = integers(RNG, (6, 8)), integers(RNG, (4, 6))
    shared, other = session.both(x), session.both(y)
    f, g = (lambda a: a.T[::2, ::-1]), (lambda a: a)
    parts = session.run(lambda p, a, b: p.matmul(b, a.map(f).map(np.transpose)), shared, other)
    np.testing.assert_array_equal(session.leave(parts), y @ f(x).T[::-1][::-1])
    parts = session.run(lambda p, a: p.multiply(a.map(f), a.map(f).map(g)), shared)
    np.testing.assert_array_equal(session.leave(parts), f(x) * f(x))
    wide = session.local(lambda p, a: p.broadcast(a[0], (6, 8)), shared)
    parts = session.run(lambda p, a, b: p.multiply(a, b), shared, wide)
    np.testing.assert_array_equal(session.leave(parts), x * x[0])


# Truncation: see also tests/laws for the error's distribution and 10^7 values.

ROUNDINGS = pytest.mark.parametrize("rounding", ["probabilistic", "nearest", "exact"])


def check_rounding(got: Signed, x: Signed, bits: int, rounding: str) -> None:
    floor = x >> bits
    if rounding == "exact":
        np.testing.assert_array_equal(got, floor)
    elif rounding == "nearest":
        np.testing.assert_array_equal(got, (x + (1 << (bits - 1))) >> bits)
    else:
        assert np.isin(got - floor, (0, 1)).all()


@EVERY
@ROUNDINGS
def test_truncate(session: Session, size: int, rounding: str) -> None:
    x = integers(RNG, size, 61)
    got = session.run(lambda p, a: p.truncate(a, 18, rounding), session.both(x))
    check_rounding(session.leave(got), x, 18, rounding)


@ROUNDINGS
@pytest.mark.parametrize("bits", [1, 2, 15, 16, 17, 31, 32, 33, 60, 61, 62])
def test_truncate_by_any_number_of_bits(session: Session, rounding: str, bits: int) -> None:
    limit = (1 << 62) - (1 << (bits - 1) if rounding == "nearest" else 0)
    x = np.array([v for v in EDGES.tolist() if -(1 << 62) <= v < limit] * 40, np.int64)
    got = session.run(lambda p, a: p.truncate(a, bits, rounding), session.both(x))
    check_rounding(session.leave(got), x, bits, rounding)


@EVERY
def test_multiply_truncate(session: Session, size: int) -> None:
    x, y = integers(RNG, size, 30), integers(RNG, size, 31)
    got = session.run(
        lambda p, a, b: p.multiply_truncate(a, b, 18), session.both(x), session.both(y)
    )
    check_rounding(session.leave(got), x * y, 18, "probabilistic")


@pytest.mark.parametrize("bits", [1, 16, 17, 32, 33, 62])
def test_multiply_truncate_edges(session: Session, bits: int) -> None:
    edges = np.array([0, 1, -1, 2, -2, (1 << 31) - 1, -(1 << 31), 1 - (1 << 31), 1 << 18], np.int64)
    x, y = (np.tile(grid.reshape(-1), 5) for grid in np.meshgrid(edges, edges))
    keep = (x * y) < 1 << 62
    x, y = x[keep], y[keep]
    got = session.run(
        lambda p, a, b: p.multiply_truncate(a, b, bits), session.both(x), session.both(y)
    )
    check_rounding(session.leave(got), x * y, bits, "probabilistic")


@MATRICES
@pytest.mark.parametrize("bits", [16, 18, 40])
def test_matmul_truncate(
    session: Session, left: tuple[int, ...], right: tuple[int, ...], bits: int
) -> None:
    x, y = integers(RNG, left, 27), integers(RNG, right, 27)
    got = session.run(
        lambda p, a, b: p.matmul_truncate(a, b, bits), session.both(x), session.both(y)
    )
    expected = np.asarray(np.matmul(x, y))
    assert got[0].shape == expected.shape
    check_rounding(session.leave(got), expected, bits, "probabilistic")


@pytest.mark.parametrize("count", [1, 2, 5])
def test_sum_products_truncate(session: Session, count: int) -> None:
    xs = [integers(RNG, (3, 50), 29) for _ in range(2 * count)]
    shared = [session.both(x) for x in xs]
    got = session.run(
        lambda p, *s: p.sum_products_truncate([(s[2 * k], s[2 * k + 1]) for k in range(count)], 18),
        *shared,
    )
    total = sum(xs[2 * k] * xs[2 * k + 1] for k in range(count))
    check_rounding(session.leave(got), np.asarray(total), 18, "probabilistic")
    got = session.run(lambda p, a, b: p.sum_products_truncate([(a, a)], 18, b), *shared[:2])
    total = xs[0] * xs[0] + xs[1]
    check_rounding(session.leave(got), np.asarray(total), 18, "probabilistic")


@pytest.mark.parametrize("shape", [(64, 1024, 16), (70, 90, 200), (192, 80, 70)])
@pytest.mark.parametrize("bits", [15, 16, 18, 31, 61, 62])
def test_matmul_truncate_of_large_matrices(
    session: Session, shape: tuple[int, int, int], bits: int
) -> None:
    """Fewer local products: the same result, up to the stated range of the sums."""
    rows, inner, columns = shape
    x, y = integers(RNG, (rows, inner), 20), integers(RNG, (inner, columns), 20)
    # The sums of the first rows reach ±2^61 (less a little) with one column of y.
    y[:, 0] = 1 << 30
    x[:6] = 0
    x[0, :4], x[1, :4], x[2, :4] = (1 << 29) - 1, -(1 << 29), (1 << 29) - 7
    expected = x @ y
    assert np.abs(expected).max() <= 1 << 61
    got = session.run(
        lambda p, a, b: p.matmul_truncate(a, b, bits), session.both(x), session.both(y)
    )
    check_rounding(session.leave(got), expected, bits, "probabilistic")


# Bits with communication.


@EVERY
def test_bitwise_and(session: Session, size: int) -> None:
    a, b = (RNG.integers(0, 2, size, dtype=np.uint8) for _ in range(2))
    x, y = session.enter_bits(a, 1), session.enter_bits(b, 2)
    got = session.run(lambda p, s, t: p.bitwise_and(s, t), x, y)
    np.testing.assert_array_equal(session.leave_bits(got), a & b)


def test_bitwise_and_of_planes(session: Session) -> None:
    rows = RNG.integers(0, 2, (2, 3, 70), dtype=np.uint8)
    stacks = [
        session.local(lambda p, *x: p.stack_planes(x), *[session.enter_bits(row) for row in matrix])
        for matrix in rows
    ]
    got = session.run(lambda p, s, t: p.bitwise_and(s, t), *stacks)
    np.testing.assert_array_equal(session.leave_bits(got), rows[0] & rows[1])


@EVERY
def test_most_significant_bit(session: Session, size: int) -> None:
    x = integers(RNG, size)
    got = session.run(lambda p, a: p.most_significant_bit(a), session.both(x))
    assert got[0].shape == x.shape
    np.testing.assert_array_equal(session.leave_bits(got), x < 0)


def test_most_significant_bit_edges(session: Session) -> None:
    x = np.stack([EDGES] * 30)
    got = session.run(lambda p, a: p.most_significant_bit(a), session.both(x))
    np.testing.assert_array_equal(session.leave_bits(got), x < 0)


@EVERY
def test_to_bits(session: Session, size: int) -> None:
    x = integers(RNG, size)
    got = session.run(lambda p, a: p.to_bits(a), session.both(x))
    assert got[0].planes == (session.ring.bits,)
    places = np.arange(session.ring.bits).clip(max=63)
    expected = (x >> places[:, None]) & 1
    np.testing.assert_array_equal(session.leave_bits(got), expected)


@EVERY
def test_from_bits_inverts_to_bits(session: Session, size: int) -> None:
    x = integers(RNG, size)
    planes = session.run(lambda p, a: p.to_bits(a), session.both(x))
    got = session.run(lambda p, a: p.from_bits(a), planes)
    np.testing.assert_array_equal(session.leave(got), x)


@pytest.mark.parametrize("planes", [1, 7, 64])
def test_from_bits_takes_any_number_of_planes(session: Session, planes: int) -> None:
    rows = RNG.integers(0, 2, (planes, 3, 30), dtype=np.uint8)
    stack = session.local(
        lambda p, *x: p.stack_planes(x), *[session.enter_bits(row) for row in rows]
    )
    got = session.run(lambda p, a: p.from_bits(a), stack)
    weights = np.uint64(1) << np.arange(planes, dtype=np.uint64)
    expected = (rows.astype(np.uint64) * weights[:, None, None]).sum(axis=0, dtype=np.uint64)
    np.testing.assert_array_equal(session.leave(got).view(np.uint64), expected)


@EVERY
def test_bit_to_arithmetic(session: Session, size: int) -> None:
    bits = RNG.integers(0, 2, size, dtype=np.uint8)
    got = session.run(lambda p, a: p.bit_to_arithmetic(a), session.enter_bits(bits, 1))
    np.testing.assert_array_equal(session.leave(got), bits)


def test_computed_bits_become_arithmetic(session: Session) -> None:
    """Bits with three non-trivial shares, and padding that is not zero."""
    x = integers(RNG, (5, 39))
    sign = session.run(lambda p, a: p.most_significant_bit(a), session.both(x))
    positive = session.local(lambda p, a: p.invert(a), sign)
    got = session.run(lambda p, a: p.bit_to_arithmetic(a), positive)
    np.testing.assert_array_equal(session.leave(got), x >= 0)


@EVERY
def test_inject(session: Session, size: int) -> None:
    bits, x = RNG.integers(0, 2, size, dtype=np.uint8), integers(RNG, size)
    got = session.run(lambda p, a, b: p.inject(a, b), session.enter_bits(bits, 2), session.both(x))
    np.testing.assert_array_equal(session.leave(got), bits * x)


def test_inject_keeps_the_shape(session: Session) -> None:
    x = integers(RNG, (4, 50))
    sign = session.run(lambda p, a: p.most_significant_bit(a), session.both(x))
    got = session.run(lambda p, a, b: p.inject(a, b), sign, session.both(x))
    assert got[0].shape == (4, 50)
    np.testing.assert_array_equal(session.leave(got), np.minimum(x, 0))


@EVERY
def test_select(session: Session, size: int) -> None:
    bits = RNG.integers(0, 2, size, dtype=np.uint8)
    x, y = integers(RNG, size), integers(RNG, size)
    got = session.run(
        lambda p, a, b, c: p.select(a, b, c),
        session.enter_bits(bits),
        session.both(x),
        session.both(y),
    )
    np.testing.assert_array_equal(session.leave(got), np.where(bits == 1, x, y))


# Secret permutations.

ROWS = pytest.mark.parametrize("rows", [(1, 0), (0, 3), (1, 1), (1, 200), (5, 40), (70, 3)])


@ROWS
def test_permute_and_back(session: Session, rows: tuple[int, int]) -> None:
    """Every row keeps its elements, columns stay together, and the inverse undoes it."""
    x = integers(RNG, (*rows, 3))
    secret = session.local(lambda p: p.permutation(*rows))
    mixed = session.run(lambda p, s, a: p.permute(s, a), secret, session.both(x))
    found = session.leave(mixed)
    for row, before in zip(found, x, strict=True):
        assert sorted(map(tuple, row.tolist())) == sorted(map(tuple, before.tolist()))
    if x.size > 300:
        assert (found != x).any()
    back = session.run(lambda p, s, a: p.permute(s, a, inverse=True), secret, mixed)
    np.testing.assert_array_equal(session.leave(back), x)


@ROWS
def test_permute_bits_goes_along(session: Session, rows: tuple[int, int]) -> None:
    bits = RNG.integers(0, 2, rows, dtype=np.uint8)
    secret = session.local(lambda p: p.permutation(*rows))
    numbers = session.run(
        lambda p, s, a: p.permute(s, a), secret, session.both(bits.astype(np.int64))
    )
    mixed = session.run(lambda p, s, a: p.permute_bits(s, a), secret, session.enter_bits(bits))
    found = session.leave_bits(mixed)
    np.testing.assert_array_equal(found, session.leave(numbers))
    back = session.run(lambda p, s, a: p.permute_bits(s, a, inverse=True), secret, mixed)
    np.testing.assert_array_equal(session.leave_bits(back), bits)


def test_permutations_are_fresh_and_differ_between_rows(session: Session) -> None:
    x = np.broadcast_to(np.arange(50), (2, 50))
    found = []
    for _ in range(2):
        secret = session.local(lambda p: p.permutation(2, 50))
        mixed = session.run(lambda p, s, a: p.permute(s, a), secret, session.both(x))
        found.extend(session.leave(mixed))
    assert len({tuple(row.tolist()) for row in found}) == 4


@SHAPES
def test_primitives_keep_any_shape(session: Session, shape: tuple[int, ...]) -> None:
    x = integers(RNG, shape, 30)
    shared = session.both(x)
    for step, expected in (
        (lambda p, a: p.multiply(a, a), x * x),
        (lambda p, a: p.multiply_truncate(a, a, 8), None),
        (lambda p, a: p.sum_products_truncate([(a, a)], 8), None),
        (lambda p, a: p.truncate(a, 8, "exact"), x >> 8),
        (lambda p, a: p.truncate(a, 8, "nearest"), (x + 128) >> 8),
        (lambda p, a: p.truncate(a, 8), None),
    ):
        got = session.run(step, shared)
        assert got[0].shape == shape
        if expected is not None:
            np.testing.assert_array_equal(session.leave(got), expected)
    for local, expected in (
        (lambda p, a: p.add(a, a), x + x),
        (lambda p, a: p.subtract(p.negate(a), a), -2 * x),
        (lambda p, a: p.add_public(p.multiply_public(a, 3), 5), 3 * x + 5),
        (lambda p, a: p.sum(a), x.sum()),
    ):
        done = session.local(local, shared)
        assert done[0].shape == np.shape(expected)
        np.testing.assert_array_equal(session.leave(done), expected)
    sign = session.run(lambda p, a: p.most_significant_bit(a), shared)
    np.testing.assert_array_equal(session.leave_bits(sign), x < 0)
    digits = session.run(lambda p, a: p.bit_to_arithmetic(a), sign)
    np.testing.assert_array_equal(session.leave(digits), x < 0)
    chosen = session.run(lambda p, a, b: p.inject(a, b), sign, shared)
    np.testing.assert_array_equal(session.leave(chosen), np.minimum(x, 0))
    planes = session.run(lambda p, a: p.to_bits(a), shared)
    assert planes[0].shape == shape
    back = session.run(lambda p, a: p.from_bits(a), planes)
    np.testing.assert_array_equal(session.leave(back), x)
