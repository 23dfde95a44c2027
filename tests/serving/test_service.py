"""Clients get scores of their own rows from parties in this process, under every protocol."""

from __future__ import annotations

import numpy as np
import pytest
from serving_world import World, form, model, query, rows_of

from tacit.serving.settings import ServiceSettings


@pytest.mark.parametrize("protocol", ["replicated3", "replicated3_active", "fantastic4"])
@pytest.mark.parametrize("hidden", [(), (4, 3)], ids=["logistic", "mlp"])
def test_clients_get_their_own_scores(protocol: str, hidden: tuple[int, ...]) -> None:
    world = World(protocol, model(form(hidden=hidden)))
    rows = {name: rows_of(world, count, count) for name, count in (("ann", 1), ("ben", 3))}
    hub = world.run(ann=query(world, rows["ann"]), ben=query(world, rows["ben"]))
    assert hub.outcome.errors == {}
    for name, own in rows.items():
        expected = world.clear.probability(own)
        assert np.allclose(world.results[name], expected, atol=2e-4), name


def test_scores_are_rounded_before_they_leave() -> None:
    world = World("replicated3", model(form()), ServiceSettings(digits=2))
    rows = rows_of(world, 5)
    world.run(ann=query(world, rows))
    found = world.results["ann"]
    assert np.array_equal(found, np.round(found, 2))
    assert np.abs(found - world.clear.probability(rows)).max() <= 0.0053
