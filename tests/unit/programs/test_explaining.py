"""Explanations: every kind of finding where it belongs, none where it does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tacit
from tacit import ArraySpec, Program
from tacit.errors import ProgramError


def spec(shape: tuple[int, ...], owner: str = "alice", **options: Any) -> ArraySpec:
    return ArraySpec(shape, owner=owner, bounds=options.pop("bounds", (-1, 1)), **options)


X, Y = spec((2000,)), spec((2000,), "bob")
TABLE = spec((2000, 5))


def kinds(program: Program, recipient: str | None = None) -> set[tuple[str, str]]:
    return {
        (one.severity, one.kind)
        for one in program.explain().findings
        if recipient is None or recipient in one.recipients
    }


def pay_gap(x: Any, group: Any) -> dict[str, Any]:
    member = group > 0
    count = member.sum()
    total = tacit.where(member, x, 0).sum()
    return {"mean": tacit.where(count >= 10, total / tacit.clip(count, 10, 2000), 0)}


def wrong_way_round(x: Any, group: Any) -> Any:
    member = group > 0
    return tacit.where(member.sum() < 10, tacit.where(member, x, 0).sum(), 0)


def training(x: Any, y: Any) -> Any:
    def body(i: Any, carry: list[Any]) -> list[Any]:
        (w,) = carry
        return [w - x.T @ (tacit.sigmoid(x @ w) - y) * 0.0001]

    return tacit.fori_loop(0, 100, body, [np.zeros(5)])[0]


def weighted(x: Any, y: Any) -> Any:
    return (x * y).sum()


CASES: dict[str, tuple[Callable[..., Any], tuple[ArraySpec, ...], str, set[tuple[str, str]]]] = {
    "the input itself": (lambda x: x, (X,), "bob", {("high", "reveals-input")}),
    "moved and scaled": (
        lambda x: (x.reshape((5, 400)).T * -3 + 1)[::-1],
        (X,), "bob", {("high", "reveals-input")},
    ),
    "undone functions": (
        lambda x: tacit.exp(tacit.tanh(x) * 2), (TABLE,), "bob", {("high", "reveals-input")},
    ),
    "running sums": (
        lambda x: tacit.cumulative_sum(x), (spec((50,)),), "bob", {("high", "reveals-input")},
    ),
    "linear of full rank": (
        lambda x: np.array([[1.0, 2.0], [3.0, 4.0]]) @ x,
        (spec((2,)),), "bob", {("high", "reveals-input")},
    ),
    "linear of less rank": (
        lambda x: np.array([[1.0, 2.0], [2.0, 4.0]]) @ x,
        (spec((2,)),), "bob", {("medium", "few-rows")},
    ),
    "a sum": (lambda x: x.sum(), (X,), "bob", set()),
    "a sum of one": (lambda x: x[7:8].sum(), (X,), "bob", {("high", "reveals-input")}),
    "a sum of three": (lambda x: x[7:10].sum(), (X,), "bob", {("medium", "few-rows")}),
    "n and n - 1": (
        lambda x: (x.sum(), x[:-1].mean()), (X,), "bob", {("high", "difference")},
    ),
    "the difference of two in the program": (
        lambda x: x.sum() - x[1:].sum(), (X,), "bob", {("high", "reveals-input")},
    ),
    "n and n - 3": (lambda x: (x.sum(), x[3:].sum()), (X,), "bob", {("high", "difference")}),
    "two halves": (lambda x: (x[:1000].sum(), x[1000:].sum()), (X,), "bob", set()),
    "overlapping counts": (
        lambda x: ((x > 0).sum(), (x > 0)[1:].sum()), (X,), "bob",
        {("high", "difference"), ("low", "bit")},
    ),
    "one's own part is known": (lambda x, y: x + y, (X, Y), "bob", {("high", "own-subtracted")}),
    "the other's total": (
        lambda x, y: tacit.concat([x, y]).mean(), (X, Y), "bob", {("low", "others-total")},
    ),
    "a scalar product": (weighted, (X, Y), "carol", set()),
    "more predictions than weights": (
        lambda x, w: tacit.sigmoid(x @ w), (TABLE, spec((5,), "bob")), "alice",
        {("high", "own-subtracted")},
    ),
    "predictions": (
        lambda x, w: tacit.relu(x @ w), (TABLE, spec((5,), "bob")), "bob",
        {("high", "chosen-weights"), ("medium", "part")},
    ),
    "predictions for one's own rows": (
        lambda x, w: tacit.relu(x @ w), (spec((4, 5)), spec((5,), "bob")), "alice",
        {("medium", "few-rows"), ("medium", "part")},
    ),
    "sorted": (lambda x: tacit.sort(x), (X,), "bob", {("high", "order")}),
    "the largest": (lambda x: tacit.max(x), (X,), "bob", {("medium", "extreme")}),
    "where the largest is": (lambda x: tacit.argmax(x), (X,), "bob", {("medium", "index")}),
    "a count": (lambda x: (x > 0).sum(), (X,), "bob", {("low", "count")}),
    "a comparison of means": (
        lambda x, y: x.mean() > y.mean(), (X, Y), "carol", {("low", "bit")},
    ),
    "squares": (lambda x: x * x, (X,), "bob", {("medium", "row-by-row")}),
    "sizes": (lambda x: abs(x), (X,), "bob", {("high", "sign")}),
    "groups without a minimum": (
        lambda x, g: tacit.where(g > 0, x, 0).sum(), (X, Y), "carol", {("medium", "no-minimum")},
    ),
    "groups with a minimum": (pay_gap, (X, Y), "carol", set()),
    "a minimum the wrong way round": (
        wrong_way_round, (X, Y), "carol", {("medium", "no-minimum")},
    ),
    "a model": (training, (TABLE, Y), "carol", {("medium", "trained")}),
    "one's own": (lambda x: x.sum(), (X,), "alice", {("note", "own-only")}),
    "nothing secret": (lambda x: np.ones(3), (X,), "bob", {("note", "constant")}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_recipient_is_told_about(case: str) -> None:
    function, specs, to, expected = CASES[case]
    assert kinds(tacit.trace(function, *specs, to=to), to) == expected


def test_everybody_is_everybody() -> None:
    program = tacit.trace(lambda x, y: {"sum": x + y}, X, Y)
    found = {(one.kind, one.recipients) for one in program.explain().findings}
    assert found == {
        ("own-subtracted", ("alice",)),
        ("own-subtracted", ("bob",)),
        ("row-by-row", ("everybody but alice and bob",)),
    }


def test_what_is_given_or_made_for_nothing() -> None:
    program = tacit.trace(lambda x, y: {"a": x.sum()}, X, Y, to={"a": None})
    assert kinds(program) == {("low", "unused-input"), ("note", "kept-secret")}


def test_bodies_are_looked_into() -> None:
    def step(i: Any, carry: list[Any]) -> list[Any]:
        return [carry[0] * 2]

    for count, expected in ((3, ("high", "reveals-input")), (1000, ("medium", "row-by-row"))):
        loop = tacit.trace(
            lambda x, n=count: tacit.fori_loop(0, n, step, [x])[0],
            spec((20,), bounds=None),
            to="bob",
        )
        assert kinds(loop, "bob") == {expected}
    rows = tacit.trace(lambda x: tacit.scan(lambda c, r: (c, [r[0] * 2]), [], [x])[1][0], TABLE)
    assert ("high", "reveals-input") in kinds(rows)
    for condition, leaks in ((True, {("high", "reveals-input")}), (False, set())):
        chosen = tacit.trace(
            lambda x, yes=condition: tacit.cond(np.bool_(yes), lambda v: [v], lambda v: [v * 0], x)[
                0
            ],
            X,
            to="bob",
        )
        assert {one for one in kinds(chosen, "bob") if one[0] == "high"} == leaks


def test_findings_can_be_fatal() -> None:
    program = tacit.trace(lambda x: x.sum(), X, to="bob")
    assert program.explain().require("note").findings == ()
    leaking = tacit.trace(lambda x: tacit.max(x), X, to="bob").explain()
    assert leaking.require("high") is leaking
    with pytest.raises(ProgramError, match="TC-1550"):
        leaking.require("medium")
    with pytest.raises(ProgramError, match="TC-1551"):
        leaking.require("severe")
    with pytest.raises(ProgramError, match="TC-1551"):
        program.explain(0)


def test_the_explanation_says_who_gives_and_who_learns_what() -> None:
    program = tacit.trace(
        lambda x, w: {"scores": tacit.sigmoid(x @ w), "mean": x.mean(axis=0)},
        TABLE, spec((5,), "bob"), to={"scores": "alice", "mean": ("bob", "carol")}, name="scoring",
    )  # fmt: skip
    found = program.explain()
    text = str(found)
    for part in (
        "scoring", program.digest, "2,000 rows of 5 numbers", "within [-1, 1]", "one row each",
        "2,000 rows", "bob, carol", "sigmoid: 1 / (1 + exp(-x)): at most 2 units",
        "multiply x and w as matrices", "add up to", "add up:",
    ):  # fmt: skip
        assert (part in text) == (part != "add up to"), part
    assert max(map(len, text.splitlines())) <= 130
    plain = found.as_dict()
    assert plain["gives"][1]["owner"] == "bob"
    assert [one["rows"] for one in plain["learns"]] == [1, 2000]
    assert {one["operation"] for one in plain["approximations"]} == {"sigmoid"}
    assert "<table>" in found._repr_html_()


def test_hints_are_named() -> None:
    def hinted(x: Any) -> Any:
        with tacit.hint("garbled"):
            return (x > 0).sum()

    public = tacit.trace(hinted, X, to="bob").explain().public
    assert any("(garbled)" in text for text in public)


def test_loops_are_told_as_loops() -> None:
    steps = tacit.trace(training, TABLE, Y).explain().steps
    assert steps[0].what == "repeat for each whole number from 0 to before 100:"
    assert {step.depth for step in steps[1:]} == {1}


def test_a_large_program_is_explained_at_once() -> None:
    def long(x: Any) -> Any:
        for k in range(500):
            x = x * 0.5 + k
        return {"x": x.sum(), "y": x[1:].sum()}

    program = tacit.trace(long, spec((1000, 1000)), to="bob")
    assert len(program.main.nodes) >= 1000
    assert ("high", "difference") in kinds(program, "bob")


def test_a_program_that_runs_itself_over_and_over_is_cut() -> None:
    """Each body calls the one before twice: 2^14 operations, and one explanation."""
    import msgspec

    from tacit.programs.control import Call
    from tacit.programs.graph import Graph, Node

    form = tacit.trace(lambda x: x + x, X, to="bob").form
    inside = msgspec.structs.replace(form.main.inputs[0], name="", owner="", bounds=None)
    first = Graph((inside,), (), form.main.nodes, form.main.results)
    bodies = [first]
    for k in range(14):
        code = msgspec.msgpack.encode(Call(k))
        bodies.append(
            Graph((inside,), (), (Node("call", (0,), code), Node("call", (1,), code)), (2,))
        )
    main = msgspec.structs.replace(
        form.main, nodes=(Node("call", (0,), msgspec.msgpack.encode(Call(14))),), results=(1,)
    )
    program = Program(msgspec.structs.replace(form, main=main, bodies=tuple(bodies)))
    found = program.explain()
    assert "too long" in found.limits[-1]
    assert ("medium", "trained") in kinds(program, "bob")
    assert "<svg" in program.draw().svg
    assert "call" in str(program)
