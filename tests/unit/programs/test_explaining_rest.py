"""A count that leaves enough rows out is a minimum of those that it leaves out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import tacit
from tacit import ArraySpec

ROWS = 500
PAY = ArraySpec((ROWS,), owner="alice", bounds=(0, 100))
WOMEN = ArraySpec((ROWS,), tacit.bool, owner="bob")


def withheld(enough: Callable[[Any], Any], *, by_number: bool = True) -> set[tuple[str, str]]:
    """Findings on the mean pay of women less that of men, withheld unless groups are large."""

    def program(pay: Any, of_women: Any) -> Any:
        if by_number:
            women = of_women.astype(tacit.fixed)
            sums = (pay * women).sum(), (pay * (1 - women)).sum()
            count = women.sum()
        else:
            sums = tacit.where(of_women, pay, 0).sum(), tacit.where(~of_women, pay, 0).sum()
            count = of_women.sum()
        ends = tacit.clip(count, 10, ROWS), tacit.clip(ROWS - count, 10, ROWS)
        return tacit.where(enough(count), sums[0] / ends[0] - sums[1] / ends[1], 0)

    findings = tacit.trace(program, PAY, WOMEN, to="carol").explain().findings
    return {(one.severity, one.kind) for one in findings}


@pytest.mark.parametrize("by_number", [True, False])
@pytest.mark.parametrize(
    "enough",
    [
        lambda count: (count >= 10) & (count <= ROWS - 10),
        lambda count: (count > 9) & (count < ROWS - 9),
        lambda count: (count >= 10) & ~(count > ROWS - 10),
        lambda count: (count >= 10) & ~(count >= ROWS - 9),
    ],
)
def test_what_a_count_leaves_out_is_counted(enough: Callable[[Any], Any], by_number: bool) -> None:
    assert withheld(enough, by_number=by_number) == set()


def test_as_many_as_are_left_out_are_the_minimum() -> None:
    assert withheld(lambda count: (count >= 10) & (count <= ROWS - 7)) == {("low", "low-minimum")}
    assert withheld(lambda count: (count >= 10) & (count < ROWS - 8.5)) == {("low", "low-minimum")}


@pytest.mark.parametrize(
    "enough",
    [
        lambda count: count >= 10,
        lambda count: (count >= 10) & (count <= ROWS),
        lambda count: (count >= 10) & (count - count <= ROWS - 10),
        lambda count: (count >= 10) & (count - 20 <= ROWS - 10),
        lambda count: (count >= 10) & (count / 2 <= ROWS - 10),
        lambda count: (count >= 10) | (count <= ROWS - 10),
    ],
)
def test_what_does_not_bound_the_rest_is_no_minimum(enough: Callable[[Any], Any]) -> None:
    assert ("medium", "no-minimum") in withheld(enough)
