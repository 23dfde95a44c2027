"""Trainings written naively in JAX: optimised, they have at least 1.5 times fewer rounds."""

from __future__ import annotations

import pytest

from bench.optimiser import OTHERS, TRAININGS, measured


@pytest.mark.parametrize("name", TRAININGS)
def test_optimised_trainings_have_fewer_rounds(name: str) -> None:
    row = measured(name, rows=32, batch=16)
    assert row.fewer >= 1.5
    assert row.optimised <= row.traced
    assert row.megabytes[1] <= row.megabytes[0]


@pytest.mark.parametrize("name", ["second moments", "squared distances", "recurrent step"])
def test_sums_of_products_send_what_the_sums_hold(name: str) -> None:
    assert name in OTHERS
    row = measured(name, rows=32)
    assert row.optimised <= row.traced
    assert row.megabytes[1] < 0.75 * row.megabytes[0]


@pytest.mark.parametrize(
    ("name", "fewer"), [("row by row (lax.map)", 8), ("sequence (lax.scan)", 2)]
)
def test_loops_over_rows_have_fewer_rounds(name: str, fewer: int) -> None:
    row = measured(name, rows=12)
    assert fewer * row.optimised <= row.traced
    assert row.megabytes[1] <= row.megabytes[0]
