"""A minimum group size is worth what it counts: the same rows that the statistic goes over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import tacit
from tacit import ArraySpec

X = ArraySpec((2000,), owner="alice", bounds=(-1, 1))
G = ArraySpec((2000,), owner="bob", bounds=(-1, 1))
CLASS = ArraySpec((2000,), tacit.int64, owner="bob", bounds=(0, 4))
BIT = ArraySpec((2000,), tacit.int64, owner="bob", bounds=(0, 1))
OTHERS = (ArraySpec((300,), owner="dora", bounds=(-1, 1)),) * 2

GOOD: set[tuple[str, str]] = set()
TINY = {("medium", "no-minimum")}

Case = tuple[Callable[..., Any], tuple[ArraySpec, ...], set[tuple[str, str]]]


def withheld(count: Any, statistic: Any) -> Any:
    return tacit.where(count >= 10, statistic, 0)


def total(mask: Any, x: Any) -> Any:
    return tacit.where(mask, x, 0).sum()


def by_class(x: Any, g: Any, step: int = 1) -> Any:
    member = tacit.one_hot(g, 5)
    count = member.astype(tacit.int64).sum(axis=0)
    means = (member.astype(tacit.fixed).T @ x) / tacit.maximum(count, 1)
    return tacit.where(count[::step] >= 10, means, 0)


def of_two(x: Any, g: Any, y: Any, h: Any, *, both: bool) -> Any:
    first, second = g > 0, h > 0
    return withheld(
        first.sum() + second.sum(), total(first, x) + total(second, y) if both else total(first, x)
    )


CASES: dict[str, Case] = {
    "its own group": (lambda x, g: withheld((g > 0).sum(), total(g > 0, x)), (X, G), GOOD),
    "as a product": (
        lambda x, g: ((g > 0).sum() >= 10) * ((g > 0).astype(tacit.fixed) * x).sum(), (X, G), GOOD,
    ),
    "a mean of it": (
        lambda x, g: withheld((g > 0).sum(), total(g > 0, x) / tacit.clip((g > 0).sum(), 10, 2000)),
        (X, G), GOOD,
    ),
    "the other way round": (
        lambda x, g: tacit.where((g > 0).sum() < 10, 0, total(g > 0, x)), (X, G), GOOD,
    ),
    "a count added to itself": (
        lambda x, g: withheld((g > 0).sum() + (g > 0).sum(), total(g > 0, x)), (X, G), TINY,
    ),
    "some counted twice": (
        lambda x, g: withheld(
            (g > 0).sum() + (g > 0)[:50].sum(), total(g > 0, x) + total((g > 0)[:50], x[:50])
        ), (X, G), {("low", "low-minimum")},
    ),
    "a declared yes or no": (lambda x, g: withheld(g.sum(), (g * x).sum()), (X, BIT), GOOD),
    "many classes": (by_class, (X, CLASS), GOOD),
    "a larger group": (
        lambda x, g: withheld(((g > 0) & (x > 0)).sum(), total(g > 0, x)), (X, G), GOOD,
    ),
    "two owners' groups": (lambda *o: of_two(*o, both=True), (X, G, *OTHERS), GOOD),
    "one of two owners' groups": (lambda *o: of_two(*o, both=False), (X, G, *OTHERS), TINY),
    "classes in another order": (lambda x, g: by_class(x, g, -1), (X, CLASS), TINY),
    "another group": (lambda x, g: withheld((x > 0).sum(), total(g > 0, x)), (X, G), TINY),
    "those outside": (lambda x, g: withheld((g > 0).sum(), total(~(g > 0), x)), (X, G), TINY),
    "outside, by subtraction": (
        lambda x, g: withheld((g > 0).sum(), ((1 - (g > 0).astype(tacit.fixed)) * x).sum()),
        (X, G), TINY,
    ),
    "a smaller group": (
        lambda x, g: withheld((g > 0).sum(), total((g > 0) & (x > 0), x)), (X, G), TINY,
    ),
    "part of the group": (
        lambda x, g: withheld((g > 0).sum(), total((g > 0)[:100], x[:100])), (X, G), TINY,
    ),
    "a count times five": (
        lambda x, g: withheld((g > 0).sum() * 5, total(g > 0, x)), (X, G),
        {("low", "low-minimum")},
    ),
    "a count and nine": (lambda x, g: withheld((g > 0).sum() + 9, total(g > 0, x)), (X, G), TINY),
    "a count that cannot be small": (
        lambda x, g: withheld(tacit.maximum((g > 0).sum(), 10), total(g > 0, x)), (X, G), TINY,
    ),
    "two limits, neither of it": (
        lambda x, g: tacit.where(
            ((x > 0).sum() >= 10) & ((g > 0).sum() >= 10), total((g > 0) & (x > 0), x), 0
        ),
        (X, G), TINY,
    ),
    "one person": (
        lambda x, g: withheld((x > -0.5).sum(), x[0]), (X, G),
        {("high", "reveals-input")},
    ),
    "three people": (
        lambda x, g: withheld((g > 0).sum(), x[:3].sum()), (X, G), {("medium", "few-rows")},
    ),
    "everybody": (lambda x, g: withheld((g > 0).sum(), x.sum()), (X, G), GOOD),
    "the largest": (
        lambda x, g: withheld((g > 0).sum(), tacit.max(tacit.where(g > 0, x, 0))), (X, G),
        {("medium", "extreme")},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_minimum_is_believed_of_the_rows_that_it_counts(case: str) -> None:
    function, specs, expected = CASES[case]
    findings = tacit.trace(function, *specs, to="carol").explain().findings
    found = [one for one in findings if one.kind != "unused-input"]
    assert {(one.severity, one.kind) for one in found} == expected
    if case in ("another group", "those outside", "a smaller group"):
        (one,) = found
        assert "a count of other rows" in one.why


def test_two_groups_that_differ_by_one_person_are_found_behind_their_minimums() -> None:
    def study(x: Any, g: Any) -> Any:
        inside = g > 0
        return {
            "all": withheld(inside.sum(), total(inside, x)),
            "but one": withheld(inside[1:].sum(), tacit.where(inside, x, 0)[1:].sum()),
        }

    found = tacit.trace(study, X, G, to="carol").explain().findings
    assert ("high", "difference") in {(one.severity, one.kind) for one in found}


def test_what_is_withheld_says_for_how_many() -> None:
    program = tacit.trace(lambda x, g: withheld((g > 0).sum(), total(g > 0, x)), X, G, to="carol")
    assert program.explain().learns[0].over == "groups of 10 or more"


def test_either_side_of_a_choice_about_many_may_be_learned() -> None:
    cases: dict[str, tuple[Callable[..., Any], bool]] = {
        "one person instead of a small group": (
            lambda x, g: tacit.where((g > 0).sum() >= 10, total(g > 0, x), x[0]), True,
        ),
        "one person if a mean is large": (lambda x, g: tacit.where(g.mean() > 0, x[0], 0), True),
        "the positive part of one": (lambda x, g: tacit.where(x[0] > 0, x[0], 0), False),
        "one of two statistics": (
            lambda x, g: tacit.where(g.mean() > 0, x.sum(), x[:1000].sum()), False,
        ),
    }  # fmt: skip
    for name, (function, high) in cases.items():
        found = tacit.trace(function, X, G, to="carol").explain().findings
        assert bool([one for one in found if one.severity == "high"]) == high, name
