"""The private preparation against the same in the clear, and in its place in a model."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from preparations import LAYOUT, SCHEMA, Rows, owners_of
from simulation import Simulation

from tacit.errors import UsageError
from tacit.ml.clear_preparation import ClearPreparation
from tacit.ml.expanding import check_expansion, expanded, expanded_form
from tacit.ml.preparing import Preparation, Prepared, folds_of
from tacit.ml.standardization import INPUT_BITS
from tacit.ml.target_encoding import CODE_BITS
from tacit.models import ClearModel, ModelForm, scores
from tacit.tables import Column, Layout, Schema
from tacit.tables.layout import FOLDS

F = 18
COUNTS = (170, 95, 231)
PLAN = Preparation(LAYOUT, COUNTS, F)


@pytest.fixture(scope="module")
def owners() -> list[Rows]:
    return owners_of(COUNTS)


@pytest.fixture(scope="module")
def clear(owners: list[Rows]) -> ClearPreparation:
    return ClearPreparation.of([rows.summaries() for rows in owners], LAYOUT)


def prepare(simulation: Simulation, owners: list[Rows]) -> list[Prepared]:
    shared: list[list[Any]] = [[] for _ in simulation.parties]
    for owner, rows in enumerate(owners):
        arrays = PLAN.encoded(rows.summaries(), owner)
        for numbers, (shape, (low, high)) in zip(arrays, PLAN.arrays(owner), strict=True):
            signed = numbers.view(np.int64)
            assert signed.shape == shape
            assert signed.min() >= low
            assert signed.max() <= high
            for party, part in enumerate(simulation.share(signed)):
                shared[party].append(part)
    return simulation.driver.run(
        [PLAN.combined(p, shared[i]) for i, p in enumerate(simulation.parties)]
    )


@pytest.fixture(scope="module", params=["replicated3", "replicated3_active", "fantastic4"])
def run(request: pytest.FixtureRequest, owners: list[Rows]) -> tuple[Simulation, list[Prepared]]:
    simulation = Simulation(protocol=request.param)
    return simulation, prepare(simulation, owners)


def test_limits_and_codes_are_those_of_the_pooled_rows(
    run: tuple[Simulation, list[Prepared]], clear: ClearPreparation, owners: list[Rows]
) -> None:
    simulation, parts = run
    low = simulation.open([p.low for p in parts]) / 2.0**INPUT_BITS
    high = simulation.open([p.high for p in parts]) / 2.0**INPUT_BITS
    np.testing.assert_array_equal(low, clear.low)
    np.testing.assert_array_equal(high, clear.high)
    for place, column in enumerate(LAYOUT.clipped):
        values = np.concatenate([rows.features[:, column.feature] for rows in owners])
        assert (values < low[place]).mean() <= column.quantiles[0]
        assert (values > high[place]).mean() <= 1 - column.quantiles[1]
        # The quantiles themselves, rounded outwards to the next public edge.
        inner = np.quantile(values, column.quantiles, method="inverted_cdf")
        assert low[place] <= inner[0] + 1e-9
        assert (
            np.searchsorted(column.edges, inner[0]) - np.searchsorted(column.edges, low[place])
            <= 1 + (column.edges == low[place]).sum()
        )
    codes = simulation.open([p.codes for p in parts]) / 2.0**CODE_BITS
    np.testing.assert_allclose(codes, clear.codes, atol=2e-4)


def test_means_and_deviations_are_those_of_the_prepared_rows(
    run: tuple[Simulation, list[Prepared]], clear: ClearPreparation, owners: list[Rows]
) -> None:
    simulation, parts = run
    mean = simulation.open([p.by.mean for p in parts]) / 2.0**INPUT_BITS
    inverse = simulation.open([p.by.inverse_deviation for p in parts]) / 2.0**F
    np.testing.assert_allclose(mean, clear.mean, atol=1e-5)
    np.testing.assert_allclose(inverse, clear.inverse, rtol=3e-3)
    features = np.concatenate([rows.features for rows in owners])
    prepared = clear.rows(features, np.full(len(features), FOLDS))
    scaled = LAYOUT.scaled
    np.testing.assert_allclose(prepared[:, scaled].mean(axis=0), 0.0, atol=1e-6)
    np.testing.assert_allclose(prepared[:, scaled].std(axis=0), 1.0, rtol=5e-3)


def test_rows_are_prepared_as_in_the_clear(
    run: tuple[Simulation, list[Prepared]], clear: ClearPreparation, owners: list[Rows]
) -> None:
    simulation, parts = run
    features, folds = owners[0].features[:60], folds_of(np.arange(60))
    shared = simulation.share(np.rint(features * 2.0**INPUT_BITS).astype(np.int64))
    opened = simulation.open(
        simulation.driver.run(
            [PLAN.rows_of(p, shared[i], parts[i], folds) for i, p in enumerate(simulation.parties)]
        )
    )
    np.testing.assert_allclose(opened / 2.0**F, clear.rows(features, folds), atol=2e-2)


@pytest.mark.parametrize("hidden", [(), (3,)])
def test_an_expanded_model_scores_encoded_rows_as_the_model_of_prepared_ones(
    run: tuple[Simulation, list[Prepared]],
    clear: ClearPreparation,
    owners: list[Rows],
    hidden: tuple[int, ...],
) -> None:
    simulation, parts = run
    rng = np.random.default_rng(3)
    widths = (LAYOUT.width, *hidden, 1)
    raw = [rng.normal(size=s) for a, b in pairwise(widths) for s in [(a, b), b]]
    # In the parameters' precision, standardisation folded in.
    scaled = [raw[0] * clear.inverse[:, None], *raw[1:]]
    scaled[1] = raw[1] - clear.mean @ scaled[0]
    shared = [simulation.share(np.rint(p * 2.0**F).astype(np.int64)) for p in scaled]
    opened = simulation.driver.run(
        [
            expanded(p, LAYOUT, parts[i], [share[i] for share in shared], F)
            for i, p in enumerate(simulation.parties)
        ]
    )
    parameters = [
        simulation.open([part[k] for part in opened]) / 2.0**F for k in range(len(opened[0]))
    ]
    form = ModelForm(kind="mlp" if hidden else "logistic", schema=SCHEMA, hidden=hidden)
    model = ClearModel(expanded_form(form, LAYOUT), parameters)
    expected = ClearModel(expanded_form(form, LAYOUT), clear.expanded(raw))
    rows = owners[1].features
    a = clear.rows(rows, np.full(len(rows), FOLDS))
    for place in range(len(hidden) + 1):
        a = a @ raw[2 * place] + raw[2 * place + 1]
        a = np.maximum(a, 0) if place < len(hidden) else a
    np.testing.assert_allclose(expected.decision_function(rows), a[:, 0], atol=1e-9)
    np.testing.assert_allclose(model.decision_function(rows), a[:, 0], atol=2e-2)
    # On shares, as a service scores a client's row: units have fewer bits than rows.
    x = simulation.share(form.encoded(rows).view(np.int64))
    scored = simulation.driver.run(
        [scores(p, model.form, list(opened[i]), x[i]) for i, p in enumerate(simulation.parties)]
    )
    np.testing.assert_allclose(simulation.open(scored) / 2.0**F, a[:, 0], atol=2e-2)


def test_a_row_is_not_encoded_by_its_own_label(clear: ClearPreparation, owners: list[Rows]) -> None:
    changed = Rows.__new__(Rows)
    changed.names, changed.features = owners[0].names, owners[0].features
    changed.labels = owners[0].labels.copy()
    changed.labels[7] ^= 1
    parts = [changed.summaries(), *(rows.summaries() for rows in owners[1:])]
    other = ClearPreparation.of(parts, LAYOUT)
    fold = int(folds_of(np.array([7]))[0])
    np.testing.assert_array_equal(other.codes[fold], clear.codes[fold])
    assert (other.codes[FOLDS] != clear.codes[FOLDS]).any()


def test_what_clipping_cannot_be_put_into_is_refused() -> None:
    with pytest.raises(UsageError, match="ReLU") as caught:
        check_expansion(SCHEMA, (8,), "tanh")
    assert caught.value.code == "TC-1068"
    check_expansion(SCHEMA, (), "tanh")
    with pytest.raises(UsageError, match="training rows") as caught:
        Preparation(LAYOUT, (1 << 23, 1))
    assert caught.value.code == "TC-1067"


def test_a_plain_schema_needs_nothing_more() -> None:
    schema = Schema(
        label="y", columns=(Column("x", "number", bounds=(0, 1)), Column("y", "boolean"))
    )
    layout = Layout.of(schema)
    form = ModelForm(kind="logistic", schema=schema)
    assert layout.is_plain
    assert expanded_form(form, layout) is form
    assert len(Preparation(layout, (10, 10)).arrays(0)) == 3
