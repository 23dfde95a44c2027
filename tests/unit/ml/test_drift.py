"""Drift on shares against the same distances in the clear; what is never said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hub import Ground, Hub
from numpy.typing import NDArray
from simulation import FOUR, Simulation

from tacit.ml.drift import Drift, compared, drifted, find_drift
from tacit.protocols import PROTOCOLS
from tacit.sessions import PartySession
from tacit.tables import Column, Schema, profile, profiles_of, spool

SCHEMA = Schema(
    label="y",
    columns=(
        Column("amount", "number", bounds=(0, 1024)),
        Column("shop", "category", categories=("a", "b", "c")),
        Column("online", "boolean"),
        Column("day", "date", bounds=("2020-01-01", "2023-12-31"), parts=("month",)),
        Column("y", "boolean"),
    ),
)
PROFILES = profiles_of(SCHEMA)
ROWS = (200, 150, 260)


def counts_of(rng: np.random.Generator, rows: int, shift: float) -> NDArray[np.int64]:
    parts = []
    for item in PROFILES:
        width = item.stop - item.first
        weights = np.ones(width)
        weights[0] += shift * width
        parts.append(rng.multinomial(rows, weights / weights.sum()))
    return np.concatenate(parts)


def distances(counts: list[NDArray[np.int64]], owner: int) -> list[float]:
    mine, rest = counts[owner], sum(c for o, c in enumerate(counts) if o != owner)
    found = []
    for item in PROFILES:
        a, r = (part[item.first : item.stop] / part[:32].sum() for part in (mine, rest))
        if item.ordered:
            found.append(float(np.abs(np.cumsum(a) - np.cumsum(r)).max()))
        else:
            found.append(float(np.abs(a - r).sum() / 2))
    return found


@pytest.mark.parametrize("protocol", ["replicated3", "fantastic4"])
def test_bits_are_those_of_the_distances(protocol: str) -> None:
    rng = np.random.default_rng(4)
    counts = [counts_of(rng, rows, shift) for rows, shift in zip(ROWS, (0, 0.1, 1.5), strict=True)]
    simulation = Simulation(protocol=protocol)
    shared = [simulation.share(part) for part in counts]
    expected = np.array([distances(counts, owner) for owner in range(3)])
    for threshold in (0.05, 0.2, 0.5):
        bits = simulation.open_bits(
            simulation.driver.run(
                [
                    drifted(p, [part[i] for part in shared], ROWS, (0, 1, 2), PROFILES, threshold)
                    for i, p in enumerate(simulation.parties)
                ]
            )
        )
        np.testing.assert_array_equal(bits, expected > threshold)


def test_small_groups_are_not_compared() -> None:
    assert compared((500, 20, 400), 100) == [0, 2]
    assert compared((500, 20, 30), 100) == []  # the others of the first are too few
    assert compared((5, 0, 5), 0) == [0, 2]


def write(folder: Path, name: str, rows: int, start: int) -> Path:
    lines = ["amount,shop,online,day,y"]
    for row in range(rows):
        day = f"2021-{row % 12 + 1:02}-11"
        lines.append(f"{start + row},{'abc'[row % 3]},{row % 2},{day},{row % 2}")
    path = folder / f"{name}.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_owners_learn_bits_and_the_helper_nothing(tmp_path: Path) -> None:
    """Under guaranteed output, from files; carol has other amounts, dave no rows."""
    counts = []
    for name, rows, start in (("alice", 60, 0), ("bob", 66, 0), ("carol", 12, 900)):
        with spool(write(tmp_path, name, rows, start), SCHEMA) as own:
            counts.append(profile(own, PROFILES))
    totals = tuple(int(part[:32].sum()) for part in counts)
    assert totals == (60, 66, 12)

    def program(ground: Ground) -> Any:
        index = FOUR.index(ground.name)
        mine = counts[index] if index < 3 else None
        with ground.connect(FOUR, "fantastic4", b"job", {}) as mesh:
            session = PartySession.over(PROTOCOLS["fantastic4"], mesh, threads=1)  # type: ignore[arg-type]
            session.hold_inputs()
            with session:
                few = find_drift(session, mine, totals, PROFILES, Drift(minimum=13))
                return few, find_drift(session, mine, totals, PROFILES, Drift(minimum=10))

    outcome = Hub(FOUR).run(dict.fromkeys(FOUR, program))
    assert outcome.errors == {}, outcome.errors
    assert outcome.results["dave"] == (None, None)
    few, all_three = outcome.results["bob"]
    assert few.too_few == ("carol",)
    assert "carol" not in few.above
    assert all_three.above == {"alice": (), "bob": (), "carol": ("amount",)}


@pytest.mark.parametrize("protocol", ["replicated3_active", "fantastic4"])
@pytest.mark.parametrize(("bin_", "change"), [(0, 5), (33, -1), (-1, 1)])
def test_counts_that_do_not_add_up_are_refused(protocol: str, bin_: int, change: int) -> None:
    """Each within its bounds; bob's are of more or fewer rows than it says, in one column."""
    rng = np.random.default_rng(5)
    counts = [counts_of(rng, rows, 0.5) for rows in ROWS]
    assert counts[1][33] > 0
    counts[1][bin_] += change
    names = FOUR if protocol == "fantastic4" else FOUR[:3]

    def program(ground: Ground) -> Any:
        index = FOUR.index(ground.name)
        mine = counts[index] if index < 3 else None
        with ground.connect(names, protocol, b"job", {}) as mesh:
            session = PartySession.over(PROTOCOLS[protocol], mesh, threads=1)  # type: ignore[arg-type]
            session.hold_inputs()
            with session:
                return find_drift(session, mine, ROWS, PROFILES, Drift())

    errors = Hub(names).run(dict.fromkeys(names, program)).errors
    assert {name: error.code for name, error in errors.items()} == dict.fromkeys(names, "TC-5400")
    assert all("bob" in error.message for error in errors.values())
