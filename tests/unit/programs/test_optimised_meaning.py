"""What optimising must not do: merge random operations, decide by rounding, lose precision."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tacit
from tacit import ArraySpec
from tacit.errors import ProgramError, RangeError


def test_shuffles_in_equal_bodies_stay_two() -> None:
    """Two loops that are equal, over rows that they shuffle: two orders, not one."""

    def function(x: Any) -> dict[str, Any]:
        def row(carry: list[Any], rows: list[Any]) -> tuple[list[Any], list[Any]]:
            return [], [tacit.shuffle(rows[0])]

        (first,) = tacit.scan(row, [], [x])[1]
        (second,) = tacit.scan(row, [], [x])[1]
        return {"first": first, "second": second}

    spec = ArraySpec((2, 40), owner="alice", bounds=(0, 100))
    program = tacit.trace(function, spec, to={"first": "alice", "second": "bob"})
    better = program.optimize()
    assert [node.operation for node in better.form.main.nodes] == ["scan", "scan"]
    assert len(set(better.form.main.results)) == 2
    with tacit.local(seed=1) as mpc:
        found = mpc.run(better, {"x": np.arange(80.0).reshape(2, 40)})
    assert (found["first"]["alice"] != found["second"]["bob"]).any()


def test_division_by_a_choice_is_as_precise_as_a_division() -> None:
    """The reciprocal of 1000 in fixed point is off by 0.05 %: a quotient is closer."""

    def function(x: Any, y: Any, divisor: float) -> Any:
        return x / tacit.where(y > 0, divisor, 1.0)

    x = ArraySpec((2,), owner="alice", bounds=(-1e6, 1e6))
    y = ArraySpec((2,), owner="bob", bounds=(-1, 1))
    values = {"x": np.array([1e6, 654321.0]), "y": np.array([1.0, 1.0])}
    for divisor in (1000.0, 700.0, 150.0, 3.0, 2.0):
        better = tacit.trace(lambda x, y, d=divisor: function(x, y, d), x, y).optimize()
        with tacit.local(seed=1) as mpc:
            found = mpc.run(better, values)["output"]
        np.testing.assert_allclose(found, values["x"] / divisor, rtol=2e-4)


def test_no_comparison_is_decided_where_the_encoding_decides_it() -> None:
    """0.04 becomes a sixteenth in fixed point of four bits: nothing is above it then."""
    coarse = ArraySpec((3,), tacit.fixed_point(4), owner="alice", bounds=(1 / 16, 1))
    program = tacit.trace(lambda x: (x > 0.04).sum(), coarse)
    with tacit.local(seed=1) as mpc:
        values = {"x": np.full(3, 1 / 16)}
        assert mpc.run(program, values) == mpc.run(program.optimize(), values)


@pytest.mark.parametrize("kind", ["int8", "int16", "uint8", "int64"])
def test_a_chain_of_bits_keeps_what_was_known(kind: str) -> None:
    """A sort after it was told how narrow its keys are; the optimised program ran no more."""
    dtype = getattr(tacit, kind)

    def function(x: Any, y: Any) -> dict[str, Any]:
        halves = ((x & y) ^ (x | y)) >> 1
        return {"sorted": tacit.sort(~halves), "more": tacit.sort((~halves >> 2) << 1)}

    spec = ArraySpec((8,), dtype, owner="alice", bounds=(0, 100))
    program = tacit.trace(function, spec, ArraySpec((8,), dtype, owner="bob", bounds=(0, 100)))
    better = program.optimize()
    assert "bit_chain" in {node.operation for node in better.form.main.nodes}
    rng = np.random.default_rng(3)
    values = {name: rng.integers(0, 101, 8).astype(kind) for name in ("x", "y")}
    with tacit.local(seed=1) as mpc:
        expected, found = mpc.run(program, values), mpc.run(better, values)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)
        low, high = better.bounds()[name] or (-np.inf, np.inf)
        assert low <= array.min()
        assert array.max() <= high


def test_what_was_accepted_is_accepted_optimised() -> None:
    """One product with both factors needs bits that two do not: none are left at wide bounds."""

    def function(x: Any) -> Any:
        return (x * 0.375) * 3.970703125

    for power in np.arange(44, 20, -0.125):
        spec = ArraySpec((3,), owner="alice", bounds=(0, 2.0**power))
        try:
            program = tacit.trace(function, spec)
            program.check()
        except (RangeError, ProgramError):
            continue
        break
    better = program.optimize()
    assert better.check().complete
    values = {"x": np.full(3, 2.0**power)}
    with tacit.local(seed=1) as mpc:
        found = mpc.run(better, values)["output"]
    np.testing.assert_allclose(found, function(values["x"]), rtol=1e-5)
    narrow = tacit.trace(function, ArraySpec((3,), owner="alice", bounds=(0, 1000)))
    assert len(narrow.optimize().form.main.nodes) == 1


def test_loops_that_begin_at_their_limits_are_optimised() -> None:
    """Of a clip that bounds decide on one side an extremum stays: its limit is the same number."""

    def function(x: Any) -> Any:
        below = x - tacit.max(x, axis=1, keepdims=True)

        def body(i: Any, carry: list[Any]) -> list[Any]:
            return [carry[0] * 1.1 + below]

        return tacit.fori_loop(0, 40, body, [below], bounds=[(-50, 50)], enforce="clip")[0]

    program = tacit.trace(function, ArraySpec((2, 3), owner="alice", bounds=(-1e6, 1e6)))
    better = program.optimize()
    assert better.check().complete
    values = {"x": np.array([[1.0, 2, 3], [-1e6, 1e6, 0]])}
    with tacit.local(seed=1) as mpc:
        expected, found = mpc.run(program, values), mpc.run(better, values)
    np.testing.assert_allclose(found["output"], expected["output"], atol=1e-2)
