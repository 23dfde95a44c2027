"""Programs in segments: the same results and rounds as in one piece, wherever they are cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import tacit
from tacit import ArraySpec
from tacit.programs import segments
from tacit.programs.calling import Code
from tacit.programs.program import Program
from tacit.programs.segments import Segment, rounds_of, segments_of
from tacit.protocols import PROTOCOLS

INTEGERS = tacit.int64
A = np.array([[3, -4, 1], [2, 0, -1]])
B = np.array([[1, 2, -2], [-1, 5, 3]])


def straight(a: Any, b: Any, n: Any) -> Any:
    """A chain, and beside it one of other lengths."""
    c = a
    for _ in range(6):
        c = tacit.maximum(c * b, c) - c
        c = tacit.minimum(tacit.maximum(c, -50), 50)
    d = a * b * a
    return c, d + c, d


def counting(a: Any, b: Any, n: Any) -> Any:
    """Loops whose public carry decides how often the next one turns."""

    def body(i: Any, carry: Sequence[Any]) -> list[Any]:
        x, k = carry
        return [tacit.maximum(x + b * i, -9) - x, k + i]

    x, k = tacit.fori_loop(0, 7, body, [a, n])

    def on(carry: Sequence[Any]) -> Any:
        return carry[1] > 10

    def further(carry: Sequence[Any]) -> list[Any]:
        y, left = carry
        return [tacit.minimum(y * 2, b * left), left - 3]

    y, left = tacit.while_loop(on, further, [x, k])
    return x, y * left


def nested(a: Any, b: Any, n: Any) -> Any:
    """A scan whose body is longer than a segment, and what it gives in each turn."""

    def epoch(carry: list[Any], rows: list[Any]) -> Any:
        def batch(i: Any, inner: Sequence[Any]) -> list[Any]:
            return [tacit.maximum(inner[0] * rows[0], inner[0]) - inner[0] + i]

        (x,) = tacit.fori_loop(0, 4, batch, carry)
        return [x], [x > 0]

    (last,), (signs,) = tacit.scan(epoch, [a[0]], [b], reverse=True)
    return last, signs


def beside(a: Any, b: Any, n: Any) -> Any:
    """Two loops of equal bodies that do not wait for each other."""

    def body(i: Any, carry: Sequence[Any]) -> list[Any]:
        return [tacit.maximum(carry[0] * b, -carry[0]) - i]

    one = tacit.fori_loop(0, 5, body, [a])[0]
    other = tacit.fori_loop(0, 3, body, [b])[0]
    return one + other


PROGRAMS = (straight, counting, nested, beside)


def traced(function: Callable[..., Any]) -> Program:
    return tacit.trace(
        function,
        ArraySpec(A.shape, INTEGERS, owner="alice"),
        ArraySpec(B.shape, INTEGERS, owner="bob"),
        ArraySpec((), INTEGERS, public=True),
    )


def cut(program: Program, protocol: str) -> list[Segment]:
    session: Any = tacit.local(protocol).session
    kinds = [one.type.array_type() for one in program.inputs[:2]]
    code = Code(program.canonical)
    return list(
        segments_of(code, [*kinds, np.asarray(2)], session.protocol, session.rounding, session.ring)
    )


def run(program: Program, parts: Sequence[Segment], protocol: str) -> tuple[list[Any], int]:
    """The results, revealed, and the rounds of the segments."""
    with tacit.local(protocol) as mpc:
        session: Any = mpc.session
        given = [mpc.share(A, "alice"), mpc.share(B, "bob")]
        shares = [list(one.reference.parts) for one in given]
        held = {id(n): s for n, s in zip(parts[0].needs, shares, strict=True)}
        before = mpc.total_cost.rounds
        made: list[Any] = []
        for part in parts:
            needed = [held[id(one)] for one in part.needs]

            def step(party: Any, part: Segment = part, needed: Any = needed) -> Any:
                return part.step(party, [parts[party.index] for parts in needed])

            found = session._run(step, "segment")
            made = [list(one) for one in zip(*found, strict=True)]
            held.update((id(n), m) for n, m in zip(part.made, made, strict=True))
            held = {id(one): held[id(one)] for one in part.keeps}
        rounds = mpc.total_cost.rounds - before
        results = []
        for one in made:
            reference = type(given[0].reference)(tuple(one))
            results.append(session.reveal_to_all(reference).tolist())
        return results, rounds


def whole(program: Program, protocol: str) -> tuple[list[Any], int]:
    with tacit.local(protocol) as mpc:
        found = mpc.run(program, {"a": A, "b": B, "n": 2})
        parts = [one.tolist() for one in found.values()]
        return parts, mpc.total_cost.rounds


@pytest.mark.parametrize("function", PROGRAMS)
@pytest.mark.parametrize("budget", [1, 17, 60])
def test_a_cut_changes_neither_results_nor_rounds(
    function: Callable[..., Any], budget: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = traced(function)
    expected, _ = whole(program, "fantastic4")
    monkeypatch.setattr(segments, "ROUNDS", 1 << 40)
    monkeypatch.setattr(segments, "BYTES", 1 << 60)
    (single,) = cut(program, "fantastic4")
    found, rounds = run(program, [single], "fantastic4")
    assert (found, rounds) == (expected, single.rounds)
    monkeypatch.setattr(segments, "ROUNDS", budget)
    parts = cut(program, "fantastic4")
    assert len(parts) > (2 if budget < 60 else 0)
    assert all(part.rounds >= budget for part in parts[:-1])
    assert run(program, parts, "fantastic4") == (expected, single.rounds)
    assert sum(part.rounds for part in parts) == single.rounds
    assert parts[-1].before + parts[-1].rounds == single.rounds


@pytest.mark.parametrize("function", PROGRAMS)
@pytest.mark.parametrize("protocol", ["replicated3", "replicated3_active"])
def test_segments_of_one_protocol_run_under_another(
    function: Callable[..., Any], protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a fault the others go on with three, whose rounds are others."""
    program = traced(function)
    monkeypatch.setattr(segments, "ROUNDS", 11)
    parts = cut(program, "fantastic4")
    assert len(parts) > 2
    found, _ = run(program, parts, protocol)
    assert found == whole(program, "fantastic4")[0]


def test_a_long_body_is_cut_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "ROUNDS", 20)
    parts = cut(traced(nested), "fantastic4")
    (place,) = parts[0].end.inside if parts[0].end is not None else ()
    assert any(p.end is not None and p.end.inside[place].body is not None for p in parts[:-1])


def test_many_bytes_end_a_segment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "BYTES", 100)
    assert len(cut(traced(straight), "fantastic4")) > 3


def test_short_programs_stay_whole() -> None:
    (single,) = cut(traced(lambda a, b, n: a * b), "fantastic4")
    assert single.end is None


def test_rounds_are_those_of_the_plan() -> None:
    for function in PROGRAMS:
        program = traced(function)
        plan = program.plan("fantastic4", seconds=False, public={"n": 2})
        computing = next(phase.rounds for phase in plan.phases if phase.name == "compute")
        assert sum(part.rounds for part in cut(program, "fantastic4")) == computing
        kinds = [one.type.array_type() for one in program.inputs[:2]]
        code, ring = Code(program.canonical), tacit.local("fantastic4").session.ring
        found = rounds_of(
            code, [*kinds, np.asarray(2)], PROTOCOLS["fantastic4"], "probabilistic", ring
        )
        assert found == computing
