"""Long arrays in chunks: the same results, the declared cost, and bounded memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from simulation import NAMES, Simulation
from test_operation_table import CASES, Case

from tacit.encoding.ring import RING64
from tacit.encoding.rings import ring_of
from tacit.encoding.types import bool_, fixed, int64
from tacit.encoding.wide import RING128
from tacit.functions import exponential, selection
from tacit.functions.costs import Costs
from tacit.operations import OPERATIONS, chunks
from tacit.operations.chunks import (
    CHUNK_SIZE,
    LARGEST_WHOLE,
    chunk_size,
    chunked_cost,
    in_chunks,
    is_long,
)
from tacit.operations.operation import Operation
from tacit.operations.types import ArrayType, SecretValue, operand_types
from tacit.protocols import protocol_named
from tacit.rounds.cost import Declaration
from tacit.sessions import LocalSession
from tacit.sessions.handles import Reference

CHUNK = 128
RNG = np.random.default_rng(5)


@pytest.fixture(scope="module", params=[64, 128], ids=["ring 64", "ring 128"])
def session(request: pytest.FixtureRequest) -> Iterator[LocalSession]:
    with LocalSession(protocol_named("replicated3"), NAMES, ring=ring_of(request.param)) as opened:
        yield opened


def shared(simulation: Simulation, values: NDArray[Any]) -> list[SecretValue]:
    """A secret array of the kind of its values; floats as fixed point."""
    if values.dtype == np.bool_:
        return [SecretValue(bool_, part) for part in simulation.share_bits(values)]
    scaled = np.rint(values * 2.0**18).astype(np.int64) if values.dtype.kind == "f" else values
    dtype = fixed if values.dtype.kind == "f" else int64
    return [SecretValue(dtype, part) for part in simulation.share(scaled)]


def chunked(
    operation: Operation, operands: Sequence[Any], secret: Sequence[bool], in_flight: int = 2
) -> tuple[Simulation, NDArray[Any]]:
    """What an operation gives in chunks of `CHUNK` elements, opened."""
    simulation = Simulation()
    parts = [shared(simulation, v) if s else [v] * 3 for v, s in zip(operands, secret, strict=True)]
    attributes = operation.attributes()
    (expected,) = operation.result_types(operand_types([p[0] for p in parts]), attributes)

    def step(party: Any, *mine: Any) -> Any:
        return in_chunks(
            operation.meaning, party, mine, attributes, expected.shape,
            chunk_size=CHUNK, in_flight=in_flight,
        )  # fmt: skip

    values = simulation.run(step, *parts)
    assert {value.shape for value in values} == {expected.shape}
    assert {value.dtype for value in values} == {expected.dtype}
    shares = [value.share for value in values]
    if expected.dtype == bool_:
        return simulation, simulation.open_bits(shares).astype(bool)
    return simulation, simulation.open(shares) / 2.0**expected.dtype.fraction_bits


X = np.round(RNG.normal(size=(7, 60)), 3)
ROW, COLUMN, ONE = X[3], X[:, 5:6], np.array([1.25])
BITS = X > 0
WHOLE = RNG.integers(-50, 50, (7, 60))


@pytest.mark.parametrize("in_flight", [1, 2, 3])
@pytest.mark.parametrize(
    ("name", "operands", "secret", "function"),
    [
        ("multiply", (X, X[::-1]), "ss", np.multiply),
        ("multiply", (X, ROW), "ss", np.multiply),
        ("multiply", (COLUMN, ROW), "ss", np.multiply),
        ("multiply", (X, ONE), "ss", np.multiply),
        ("multiply", (ROW, X), "ps", np.multiply),
        ("multiply", (X, COLUMN), "sp", np.multiply),
        ("multiply", (np.array(0.5), X), "ps", np.multiply),
        ("multiply", (BITS, X), "ss", np.multiply),
        ("multiply", (BITS[:1], X), "ss", np.multiply),
        ("divide", (X, np.array(4)), "sp", np.divide),
        ("add", (X, WHOLE), "ss", np.add),
        ("add", (COLUMN, X), "ps", np.add),
        ("subtract", (X, ROW), "ss", np.subtract),
        ("negative", (X,), "s", np.negative),
        ("less", (X, ROW), "ss", np.less),
        ("less", (X, np.array(0)), "sp", np.less),
        ("equal", (BITS, BITS[:, :1]), "ss", np.equal),
        ("bitwise_and", (BITS, BITS[2]), "ss", np.logical_and),
        ("bitwise_xor", (BITS, BITS[:, 3:4]), "sp", np.logical_xor),
        ("bitwise_or", (BITS[:, :1], BITS[2:3]), "ss", np.logical_or),
        ("bitwise_invert", (BITS,), "s", np.logical_not),
        ("where", (BITS, X, ROW), "sss", np.where),
        ("where", (BITS[:, :1], ROW, COLUMN), "psp", np.where),
        ("maximum", (WHOLE, WHOLE[::-1]), "ss", np.maximum),
        ("abs", (X,), "s", np.abs),
        ("relu", (X,), "s", lambda x: np.maximum(x, 0)),
        ("exp", (X,), "s", np.exp),
        ("sigmoid", (X,), "s", lambda x: 1 / (1 + np.exp(-x))),
    ],
)
def test_chunks_give_what_the_whole_gives(
    name: str, operands: Sequence[Any], secret: str, function: Callable[..., Any], in_flight: int
) -> None:
    operation = OPERATIONS[name]
    assert operation.elementwise
    _, found = chunked(operation, operands, [s == "s" for s in secret], in_flight)
    np.testing.assert_allclose(found, function(*operands), atol=2e-4, rtol=2e-4)


@pytest.mark.parametrize("axis", [0, 1])
def test_operands_in_another_memory_order(axis: int) -> None:
    """A transposed operand is read in the order of its axes, not of its memory."""
    simulation = Simulation()
    turned = [
        SecretValue(value.dtype, value.share.map(np.transpose))
        for value in shared(simulation, np.ascontiguousarray(X.T))
    ]
    plain = shared(simulation, X)
    operands = [turned, plain][:: 1 if axis else -1]

    def step(party: Any, *mine: Any) -> Any:
        return in_chunks(OPERATIONS["multiply"].meaning, party, mine, None, X.shape, chunk_size=64)

    opened = simulation.open([v.share for v in simulation.run(step, *operands)])
    np.testing.assert_allclose(opened / 2.0**18, X * X, atol=1e-5)


# The cost.


DECLARED: dict[str, tuple[int, Callable[[Costs, int], Declaration]]] = {
    "multiply": (2, lambda costs, n: costs["multiply_truncate"](n, 18)),
    "less": (2, lambda costs, n: costs["most_significant_bit"](n)),
    "relu": (1, selection.maximum_cost),
    "exp": (1, lambda costs, n: exponential.exp_cost(costs, n, 18)),
}


@pytest.mark.parametrize("in_flight", [1, 2, 4])
@pytest.mark.parametrize("size", [129, 256, 5 * CHUNK, 6 * CHUNK + 1])
@pytest.mark.parametrize("name", DECLARED)
def test_chunks_cost_what_they_declare(name: str, size: int, in_flight: int) -> None:
    count, declare = DECLARED[name]
    simulation, _ = chunked(
        OPERATIONS[name], [np.linspace(-2, 2, size)] * count, [True] * count, in_flight
    )
    declared = chunked_cost(
        lambda n: declare(simulation.parties[0].costs, n),
        size,
        largest_whole=CHUNK,
        chunk_size=CHUNK,
        in_flight=in_flight,
    )
    cost = simulation.driver.cost()
    assert {c.rounds for c in simulation.driver.counters} == {declared.rounds}
    assert tuple(cost.bytes_sent[n] for n in NAMES) == tuple(declared.bytes_sent)
    assert tuple(cost.check_bytes[n] for n in NAMES) == tuple(declared.check_bytes)


def test_short_arrays_cost_what_the_whole_costs() -> None:
    declared = Declaration(3, (1, 2, 3))
    assert chunked_cost(lambda _: declared, LARGEST_WHOLE) is declared
    assert chunked_cost(lambda _: declared, LARGEST_WHOLE + 1).rounds > 3


# When arrays are cut, and what it is good for.


def peak_of(step: Callable[..., Any], simulation: Simulation, *parts: Any) -> int:
    """The most memory that Python and NumPy had at a time beyond what was there before."""
    tracemalloc.start()
    try:
        results = simulation.run(step, *parts)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    del results
    return peak


def test_the_memory_of_a_long_operation_is_its_result_and_a_few_chunks() -> None:
    size = 4 * LARGEST_WHOLE
    simulation = Simulation()
    x = shared(simulation, np.ones(size))
    relu = OPERATIONS["relu"]
    shares_out = 3 * 2 * 8 * size
    in_pieces = peak_of(lambda p, a: relu.evaluate(p, [a], relu.attributes()), simulation, x)
    at_once = peak_of(lambda p, a: relu.meaning(p, [a], relu.attributes()), simulation, x)
    slack = 3 * (64 << 20)
    assert in_pieces < shares_out + slack
    assert at_once > shares_out + slack


def test_what_is_cut_is_decided_by_the_common_shape() -> None:
    half = 1 << 10
    values = [np.zeros((half, 1)), np.zeros((1, half))]
    assert not is_long(values)
    assert is_long([np.zeros((half, 1)), np.zeros((1, half + 1))])


@pytest.mark.parametrize("scalar", [False, True])
def test_a_long_operation_is_cut(monkeypatch: pytest.MonkeyPatch, scalar: bool) -> None:
    cut: list[tuple[int, ...]] = []
    original = chunks.in_chunks

    def watched(*arguments: Any, **options: Any) -> Any:
        cut.append(arguments[-1])
        return original(*arguments, **options)

    monkeypatch.setattr("tacit.operations.operation.in_chunks", watched)
    simulation = Simulation()
    x = shared(simulation, np.full(LARGEST_WHOLE + 1, 0.5))
    other = shared(simulation, np.array(3.0)) if scalar else x
    add = OPERATIONS["add"]
    ((value,), *_) = simulation.run(lambda p, a, b: add.evaluate(p, [a, b], None), x, other)
    assert cut == [(LARGEST_WHOLE + 1,)] * 3
    assert value.shape == (LARGEST_WHOLE + 1,)


def test_chunks_are_smaller_where_more_is_under_way() -> None:
    of_fixed, of_integers, of_bits = (
        [ArrayType(dtype, (5,))] * 2 for dtype in (fixed, int64, bool_)
    )
    widths = {name: o.width for name, o in OPERATIONS.items() if o.width is not None}
    assert widths["sinh"](of_fixed) == widths["cosh"](of_fixed) == 2
    assert widths["bitwise_and"](of_integers) == 8
    assert widths["bitwise_and"](of_bits) == 1
    assert chunk_size(RING64) == CHUNK_SIZE
    for ring in (RING64, RING128):
        for width in (1, 2, 8, 64):
            size = chunk_size(ring, width)
            assert size % 64 == 0  # packed bits are cut between words
            assert size * width * ring.bits == CHUNK_SIZE * 64


@pytest.mark.parametrize(
    "case", [case for case in CASES if OPERATIONS[case[0]].elementwise], ids=lambda case: case[0]
)
def test_whatever_calls_itself_elementwise_is(
    session: LocalSession, monkeypatch: pytest.MonkeyPatch, case: Case
) -> None:
    """Cut into a vector, each operation gives what it gives on its operands as they are."""
    name, operands, attributes = case
    handles = [v if d is None else session.share(v, "alice", dtype=d) for v, d in operands]
    whole = session.apply(name, handles, **attributes)
    monkeypatch.setattr("tacit.operations.operation.LARGEST_WHOLE", 0)
    monkeypatch.setattr("tacit.operations.chunks.LARGEST_WHOLE", 0)
    pieces = session.apply(name, handles, **attributes)
    assert isinstance(whole, Reference)
    assert isinstance(pieces, Reference)
    assert (pieces.dtype, pieces.shape) == (whole.dtype, whole.shape)
    np.testing.assert_allclose(
        session.reveal_to_all(pieces), session.reveal_to_all(whole), atol=2e-3, rtol=2e-3
    )
