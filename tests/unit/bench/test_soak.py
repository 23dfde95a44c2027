"""The soak's own judgement: what is wrong is said to be, and one case of each end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import tacit
from bench.soak.cases import PROTOCOLS, Case, drawn, plain_data, run
from bench.soak.faults import Corruption, altered
from bench.soak.programs import PROGRAMS, array_of, judged, plain
from bench.soak.steady import Growth, grown
from tacit.rounds import Round


def test_cases_are_those_of_the_seed() -> None:
    assert [drawn(3, k) for k in range(50)] == [drawn(3, k) for k in range(50)]
    assert drawn(3, 0) != drawn(4, 0)
    cases = [drawn(5, k) for k in range(400)]
    for protocol, faults in PROTOCOLS.items():
        found = {case.fault for case in cases if case.protocol == protocol}
        assert found == set(faults)
    assert {case.program for case in cases} == set(PROGRAMS)
    assert all((case.corruption is not None) == (case.fault == "tamper") for case in cases)


@pytest.mark.parametrize("name", sorted(PROGRAMS))
@pytest.mark.parametrize("protocol", ["replicated3", "fantastic4"])
def test_right_results_are_right_and_wrong_ones_wrong(name: str, protocol: str) -> None:
    with tacit.local(protocol) as mpc:
        found = PROGRAMS[name][0](mpc, 11, "")
    assert judged(name, 11, found) == ""
    place = next(k for k, one in enumerate(found) if one.get("kind") == "f" and one["values"])
    values = array_of(found[place])
    found[place] = plain(values + 0.5)
    assert "wrong result" in judged(name, 11, found)


def test_a_corrupt_party_changes_one_message_of_a_copy() -> None:
    own = np.arange(8, dtype=np.uint64)
    digest = np.zeros(32, np.uint8)
    honest = Round(send={1: (own,)}, check={2: (digest,)})
    rng = np.random.default_rng(1)
    flipped = altered(honest, "flip", rng)
    (sent,) = flipped.send[1]
    assert np.bitwise_count(sent ^ own.view(np.uint8)).sum() == 1
    np.testing.assert_array_equal(own, np.arange(8))
    checked = altered(honest, "check", rng)
    assert checked.send is honest.send
    assert checked.check[2][0].any()
    assert altered(honest, "short", rng).send[1][0].nbytes == 63
    empty = Round()
    assert altered(empty, "flip", rng) is empty


def test_growth_is_seen() -> None:
    assert grown([5, 1, 1, 1, 1, 1, 1, 1]) == 0
    assert grown(range(100)) == 50
    growth = Growth("x", 1)
    growth.memory = [100 << 20] * 12 + [150 << 20] * 12
    growth.files = [7] * 24
    assert "50 MiB" in growth.problem()
    growth.memory = [100 << 20] * 24
    assert growth.problem() == ""
    growth.files[20:] = [8, 8, 8, 8]
    growth.files[-6:] = [8] * 6
    assert "open files" in growth.problem()


QUIET = Case(0, "inference", "fantastic4", 5, "none", "carol", 0.0, None)


@pytest.mark.processes
@pytest.mark.parametrize(
    ("case", "end"),
    [
        (QUIET, "right"),
        (replace(QUIET, fault="kill"), "recovered"),
        (replace(QUIET, fault="tamper", corruption=Corruption(5, True, "flip", 1)), "recovered"),
        (replace(QUIET, fault="kill", protocol="replicated3"), "ended"),
        (
            replace(
                QUIET,
                fault="tamper",
                protocol="replicated3_active",
                corruption=Corruption(20, False, "flip", 1),
            ),
            "ended",
        ),
    ],
    ids=["nothing", "kill", "tamper", "passive kill", "active tamper"],
)
def test_each_end(case: Case, end: str) -> None:
    outcome = run(case, pace=0.0)
    assert (outcome.end, outcome.problem) == (end, "")
    assert plain_data(outcome)["end"] == end
