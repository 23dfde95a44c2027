"""Programs from files whose claims are false: in loops, and where an analysis gives up."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

import tacit
from tacit import ArraySpec, Program
from tacit.errors import ProgramError, RangeError
from tacit.operations.bit_chains import BitStep, Chain
from tacit.programs.bounding import analysis, checking


def _sorting(limit: float) -> Program:
    """A loop whose rounds sort a carry that stays within the limit."""

    def function(x: Any) -> Any:
        return tacit.fori_loop(
            0, 3, lambda i, c: [tacit.sort(tacit.clip(c[0], -limit, limit))], [x]
        )

    spec = ArraySpec((4,), owner="alice", bounds=(-8, 8))
    return tacit.trace(lambda x: function(x)[0], spec)


def test_keys_in_loops_that_are_not_looked_at_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sort says one bit more than units: its keys have 22."""
    honest, narrow = _sorting(8), _sorting(0.25)
    (sort,) = (n for n in narrow.form.bodies[0].nodes if n.operation == "sort")
    body = honest.form.bodies[0]
    nodes = tuple(sort if n.operation == "sort" else n for n in body.nodes)
    assert nodes != body.nodes
    forged = Program(
        msgspec.structs.replace(honest.form, bodies=(msgspec.structs.replace(body, nodes=nodes),))
    )
    values = {"x": np.array([5.0, -3, 7, 0])}
    for most in (analysis.MOST_VISITED, -1):
        # As in a file with so many loops before this one that nothing is looked at any more.
        monkeypatch.setattr(analysis, "MOST_VISITED", most)
        checking._found_when_run.cache_clear()
        with pytest.raises(ProgramError, match="sort"):
            forged.check()
        with tacit.local(seed=1) as mpc, pytest.raises(RangeError, match="TC-1373"):
            mpc.run(forged, values)
    checking._found_when_run.cache_clear()


def test_a_chain_of_bits_that_drops_some_is_bounded_by_nothing() -> None:
    """(x << 40) >> 40 of 64 bits is not x where x has 30: a file may hold such a chain."""
    spec = ArraySpec((2,), tacit.int64, owner="alice", bounds=(-(2**30), 2**30))
    program = tacit.trace(lambda x: ((x & x) >> 3) >> 1, spec).optimize()

    def shifted(places: int) -> Program:
        (node,) = program.form.main.nodes
        steps = Chain((BitStep("left", 0, places), BitStep("right", 1, places)))
        forged = msgspec.structs.replace(node, attributes=msgspec.msgpack.encode(steps))
        main = msgspec.structs.replace(program.form.main, nodes=(forged,))
        return Program(msgspec.structs.replace(program.form, main=main))

    assert shifted(20).bounds()["output"] == (-(2**30), 2**30)
    assert shifted(40).bounds()["output"] is None


@pytest.mark.parametrize("name", ["and", "or", "xor", "chain"])
@pytest.mark.parametrize("other", ["int8", "int16", "uint8", "int64"])
def test_bits_of_integers_lie_within_their_bounds(name: str, other: str) -> None:
    """Also of small ones that are held outside of their type: 100 + 100 is -56 of 8 bits."""

    def function(x: Any, y: Any) -> Any:
        wrapped = x + x
        match name:
            case "and":
                return wrapped & y
            case "or":
                return wrapped | y
            case "xor":
                return wrapped ^ y
        return ((wrapped & y) ^ (wrapped | 3)) >> 1

    x = ArraySpec((40,), tacit.int8, owner="alice", bounds=(90, 120))
    y = ArraySpec((40,), getattr(tacit, other), owner="bob", bounds=(0, 90))
    plain = tacit.trace(function, x, y)
    rng = np.random.default_rng(1)
    values = {
        "x": rng.integers(90, 121, 40).astype(np.int8),
        "y": rng.integers(0, 91, 40).astype(other),
    }
    for program in (plain, plain.optimize()):
        bounds = program.bounds()["output"]
        with tacit.local(seed=1) as mpc:
            found = mpc.run(program, values)["output"]
        np.testing.assert_array_equal(found, function(values["x"], values["y"]))
        assert bounds is not None
        assert bounds[0] <= found.min()
        assert found.max() <= bounds[1]
