"""Weights, masks and places that the recipient gives itself: what they can single out of others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tacit
from tacit import ArraySpec

ROWS = 2000


def spec(shape: tuple[int, ...], owner: str = "alice", **options: Any) -> ArraySpec:
    dtype = options.pop("dtype", tacit.fixed)
    return ArraySpec(shape, dtype, owner=owner, bounds=options.pop("bounds", (-1, 1)))


X, TABLE = spec((ROWS,)), spec((ROWS, 5))
Y = spec((ROWS,), "bob")
MASK = spec((ROWS,), "bob", dtype=tacit.bool, bounds=None)
PLACE = spec((), "bob", dtype=tacit.int64, bounds=(0, ROWS - 1))
PLACES = spec((50,), "bob", dtype=tacit.int64, bounds=(0, ROWS - 1))
MODEL = spec((5,), "bob")

Case = tuple[Callable[..., Any], tuple[ArraySpec, ...]]


def findings(function: Callable[..., Any], *specs: ArraySpec, to: str = "bob") -> set[Any]:
    program = tacit.trace(function, *specs, to=to)
    return {
        (one.severity, one.kind)
        for one in program.explain().findings
        if to in one.recipients and one.kind in ("chosen-weights", "queries")
    }


def added_up(x: Any, y: Any) -> Any:
    return tacit.scan(lambda c, r: ([c[0] + r[0] * r[1]], []), [np.zeros(())], [x, y])[0][0]


def again_and_again(x: Any, y: Any) -> Any:
    body = lambda i, c: [c[0] + (x * y).sum()]  # noqa: E731
    return tacit.fori_loop(0, 100, body, [np.zeros(())])[0]


CHOSEN: dict[str, Case] = {
    "weights": (lambda x, y: (x * y).sum(), (X, Y)),
    "weights of a mean": (
        lambda x, y: (x * y).sum() / tacit.clip(y.sum(), 1, ROWS), (X, Y),
    ),
    "weights made of others": (lambda x, y: tacit.softmax(y) @ x, (X, Y)),
    "a product of matrices": (lambda x, y: y @ x, (TABLE, Y)),
    "a mask": (lambda x, m: tacit.where(m, x, 0).sum(), (X, MASK)),
    "a mask as numbers": (lambda x, m: (m.astype(tacit.fixed) * x).sum(), (X, MASK)),
    "limits": (lambda x, y: tacit.minimum(x, y).sum(), (X, Y)),
    "a place": (lambda x, i: tacit.take(x, i), (X, spec((1,), "bob", dtype=tacit.int64))),
    "places": (lambda x, i: tacit.take(x, i).sum(), (X, PLACES)),
    "a place as a row of ones and zeros": (
        lambda x, i: tacit.one_hot(i, ROWS).astype(tacit.fixed) @ x, (X, PLACE),
    ),
    "columns of everybody's rows": (lambda x, w: tacit.relu(x @ w), (TABLE, MODEL)),
    "a kernel": (
        lambda x, k: tacit.conv2d(x, k), (spec((20, 1, 8, 8)), spec((1, 1, 3, 3), "bob")),
    ),
    "rows of two others": (
        lambda x, z, y: (tacit.concat([x, z]) * y).sum(),
        (X, spec((500,), "dora"), spec((2500,), "bob")),
    ),
    "a gradient": (
        lambda x, y: x.T @ (x @ np.ones(5) - y), (spec((ROWS, 5), "bob"), spec((ROWS,))),
    ),
    "in a loop over rows": (added_up, (X, Y)),
    "in a loop": (again_and_again, (X, Y)),
    "a mask behind a count of another": (
        lambda x, m, y: tacit.where((y > 0).sum() >= 10, tacit.where(m, x, 0).sum(), 0),
        (X, MASK, Y),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CHOSEN)
def test_what_the_recipient_can_single_out_is_found(case: str) -> None:
    function, specs = CHOSEN[case]
    assert findings(function, *specs) == {("high", "chosen-weights")}


@pytest.mark.parametrize("case", ["weights", "a mask", "columns of everybody's rows"])
def test_who_does_not_give_the_weights_chooses_nothing(case: str) -> None:
    function, specs = CHOSEN[case]
    assert findings(function, *specs, to="carol") == set()


GOOD: dict[str, Case] = {
    "one factor for all": (lambda x, y: (x * y).sum(), (X, spec((), "bob"))),
    "factors of columns, over all rows": (lambda x, y: (x * y).sum(), (TABLE, MODEL)),
    "a mean of predictions": (lambda x, w: (x @ w).mean(), (TABLE, MODEL)),
    "weights that are alike": (
        lambda x, y: (x * y).sum(), (X, spec((ROWS,), "bob", bounds=(1, 2))),
    ),
    "a mask behind its count": (
        lambda x, m: tacit.where(m.sum() >= 10, tacit.where(m, x, 0).sum(), 0), (X, MASK),
    ),
    "weights behind the count of those that are not 0": (
        lambda x, y: tacit.where((y != 0).sum() >= 10, (x * y).sum(), 0), (X, Y),
    ),
    "hidden among another owner's": (
        lambda x, z, y: (x * y).sum() + z.sum(), (X, spec((500,), "dora"), Y),
    ),
    "a statistic as a scale": (
        lambda x, y: (y - x.mean()) / tacit.sqrt(x.var()), (X, spec((100,), "bob")),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", GOOD)
def test_what_cannot_be_singled_out_is_not_found(case: str) -> None:
    function, specs = GOOD[case]
    assert findings(function, *specs) == set()


def test_weights_that_may_differ_somewhat_are_less_bad() -> None:
    bounded = spec((ROWS,), "bob", bounds=(1, 1000))
    assert findings(lambda x, y: (x * y).sum(), X, bounded) == {("medium", "chosen-weights")}
    counted = findings(lambda x, y: (x < y).sum(), X, Y)
    assert counted == {("medium", "chosen-weights")}


def test_questions_to_a_model_are_medium_and_one_finding() -> None:
    def predict(x: Any, w: Any, v: Any, b: Any) -> Any:
        return tacit.sigmoid(tacit.sigmoid(x @ w) @ v + b)

    for rows in (1, 7):
        model = (spec((50, 20)), spec((20,)), spec(()))
        program = tacit.trace(predict, spec((rows, 50), "bob"), *model, to="bob")
        (one,) = program.explain().findings
        assert (one.severity, one.kind) == ("medium", "queries")
        assert (one.inputs, one.recipients) == (("w", "v", "b"), ("bob",))


def test_a_question_without_rows_is_told_to_have_one() -> None:
    for shape, told in (((50,), True), ((1, 50), False)):
        program = tacit.trace(lambda x, w: x @ w, spec(shape, "bob"), spec((50,)), to="bob")
        (one,) = program.explain().findings
        assert ("shape (1, n)" in one.advice) == told
        assert one.severity == ("high" if told else "medium")


def test_training_is_told_as_training() -> None:
    def train(x: Any, y: Any) -> Any:
        def body(i: Any, carry: list[Any]) -> list[Any]:
            (w,) = carry
            return [w - x.T @ (tacit.sigmoid(x @ w) - y) * 0.0001]

        return tacit.fori_loop(0, 10, body, [np.zeros(5)])[0]

    program = tacit.trace(train, TABLE, Y)
    assert {one.kind for one in program.explain().findings} == {"trained"}
