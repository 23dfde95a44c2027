"""Four processes over TLS, one of which is killed: the other three end with the right result."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from guarded_job import Settings

from tacit.errors import PartyLostError
from tacit.network import NetworkSettings
from tacit.sessions import launch

NAMES = ("alice", "bob", "carol", "dave")
SEED = 20251129

pytestmark = pytest.mark.processes


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))


def run(lost: str | None = None, **settings: Any) -> tuple[dict[str, Any], list[Any]]:
    told: list[Any] = []
    results = launch(
        NAMES,
        "guarded_job",
        {name: Settings(**settings) if name == lost else Settings() for name in NAMES},
        protocol="fantastic4",
        tolerate=1,
        settings=NetworkSettings(patience=20),
        on_incident=lambda party, incident: told.append((party, incident)),
    )
    return results, told


def check(results: dict[str, Any], told: list[Any], lost: str, stages: tuple[int, ...]) -> None:
    others = [name for name in NAMES if name != lost]
    assert sorted(results) == others
    assert sorted(party for party, _ in told) == others
    for name in others:
        assert results[name]["error"] < 1e-3
        assert results[name]["outcome"] == "abort"
    for _, incident in told:
        assert (incident.kind, incident.party, incident.dropped) == ("lost", lost, (lost,))
        assert incident.stage in stages
        assert incident.protocol == "replicated3_active"


def test_without_a_fault() -> None:
    results, told = run()
    assert not told
    assert sorted(results) == list(NAMES)
    for result in results.values():
        assert result["error"] < 1e-3
        assert result["outcome"] == "guaranteed output"


@pytest.mark.parametrize("lost", ["alice", "carol"])
def test_killed_between_two_operations(lost: str) -> None:
    check(*run(lost, step=2), lost, (1,))


@pytest.mark.parametrize("case", range(3))
def test_killed_at_a_random_moment(case: int) -> None:
    rng = np.random.default_rng([SEED, case])
    lost = NAMES[int(rng.integers(4))]
    check(*run(lost, step=1, after=float(rng.uniform(0.001, 0.06))), lost, (1,))


def test_an_error_of_its_own_is_its_loss() -> None:
    """A full disk at one party: it stops, the others hear it and go on."""
    check(*run("carol", step=3, interrupted=True), "carol", (1,))


def test_a_second_loss_ends_the_session() -> None:
    with pytest.raises(PartyLostError):
        launch(
            NAMES,
            "guarded_job",
            {name: Settings(step=step) for name, step in zip(NAMES, (-1, 2, 4, -1), strict=True)},
            protocol="fantastic4",
            tolerate=1,
            settings=NetworkSettings(patience=20),
        )
