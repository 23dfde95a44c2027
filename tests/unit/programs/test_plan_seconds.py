"""Seconds of plans: operations timed as a whole, processors that are shared, measured networks."""

from __future__ import annotations

from typing import Any

import pytest

import tacit
from tacit import ArraySpec
from tacit.errors import ProgramError
from tacit.programs.planning import pieces
from tacit.programs.planning.clock import Clock, Pace
from tacit.programs.planning.party import Work
from tacit.programs.planning.plan import Plan
from tacit.protocols import PROTOCOLS
from tacit.rounds.contract import Round
from tacit.rounds.virtual import Network

NOWHERE = Network(0.0, 1e12)


def function(x: Any) -> dict[str, Any]:
    return {"sum": tacit.sigmoid(x).sum(), "kept": tacit.relu(x[1:]) @ x[:2].T}


PROGRAM = tacit.trace(function, ArraySpec((6, 4), owner="alice", bounds=(-1, 1)))


def worked(seconds: list[float], processors: int | None) -> float:
    """When three parties are done that compute at the same time."""
    clock = Clock(3, Pace(NOWHERE, processors=processors), _none, lambda work: work.seconds)
    events: list[Any] = [{0: (Work(0, 0, one),)} for one in seconds]
    return sum(clock.pass_over([Round(send=event)]) for event in events)


def _none(_: Any) -> Any:
    raise AssertionError


@pytest.mark.parametrize(("processors", "factor"), [(None, 1.0), (4, 1.0), (3, 1.0), (1, 3.0)])
def test_processors_are_shared(processors: int | None, factor: float) -> None:
    assert worked([1.0, 0.5], processors) == pytest.approx(1.5 * factor)


def test_two_processors_for_three_parties_take_half_as_long_again() -> None:
    assert worked([1.0], 2) == pytest.approx(1.5, rel=0.03)
    # Work that ends within a time slice does not give way: two at once, then the third.
    assert worked([1e-3], 2) == pytest.approx(2e-3)
    # But whoever is ready goes on meanwhile, so that both processors are busy.
    assert worked([1e-3] * 20, 2) == pytest.approx(30e-3, rel=0.05)


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
def test_operations_are_timed_as_a_whole_or_by_their_primitives(
    protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = PROGRAM.plan(protocol, "lan")
    monkeypatch.setattr(pieces, "MOST_ELEMENTS", 5)
    single = PROGRAM.plan(protocol, "lan")
    assert {"sigmoid", "relu", "matmul"} <= names(whole)
    assert not {"sigmoid", "relu"} & names(single)
    assert "most_significant_bit" in names(single)
    for plan in (whole, single):
        assert plan.in_process > 0
        assert plan.seconds > plan.rounds * 0.1e-3
    assert whole.links == single.links
    assert (whole.rounds, whole.bytes_sent, whole.check_bytes, whole.work) == (
        single.rounds, single.bytes_sent, single.check_bytes, single.work,
    )  # fmt: skip


def names(plan: Plan) -> set[str]:
    return {one.operation for one in plan.spent}


def test_a_slice_that_begins_elsewhere_is_not_timed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    timed: list[str] = []
    piece_of = pieces.piece_of

    def noting(name: str, *arguments: Any) -> Any:
        timed.append(name)
        return piece_of(name, *arguments)

    monkeypatch.setattr("tacit.programs.planning.counting.piece_of", noting)
    program = tacit.trace(
        lambda x: x[:2] * x[2:4] + x[4:6] * x[6:8] + x[8:] * x[:2],
        ArraySpec((10, 3), owner="alice", bounds=(-1, 1)),
    )
    program.plan("replicated3", "lan")
    assert timed.count("multiply") == 1
    assert sum(name not in ("multiply", "add") for name in timed) <= 3  # shared, sliced, opened


def test_a_network_in_virtual_time_is_found() -> None:
    network = Network(20e-3, 10e6)
    with tacit.local("replicated3", network=network) as mpc:
        measured = mpc.calibrate()
        plan = PROGRAM.plan(mpc.protocol, measured)
        mpc.run(PROGRAM, {"x": [[0.5] * 4] * 6}, plan=plan)
    found = measured.pace.network
    assert found.latency_seconds == pytest.approx(network.latency_seconds, rel=0.1)
    assert found.bits_per_second == pytest.approx(network.bits_per_second, rel=0.2)
    assert measured.pace.processors is None
    assert plan.network.startswith("measured (")
    assert plan.actual is not None
    assert 0.8 < plan.seconds / plan.actual.seconds < 1.25
    with pytest.raises(ProgramError) as caught:
        PROGRAM.plan("fantastic4", measured)
    assert caught.value.code == "TC-1568"
    with pytest.raises(ProgramError) as caught:
        PROGRAM.plan("fantastic4", {"replicated3": measured})
    assert caught.value.code == "TC-1568"
    plans = PROGRAM.plan(None, {"replicated3": measured})
    assert [one.protocol for one in plans.plans] == ["replicated3"]
    assert plans.refused["fantastic4"] == "was not calibrated"


def test_one_process_has_no_network_to_measure() -> None:
    with tacit.local() as mpc, pytest.raises(ProgramError) as caught:
        mpc.calibrate()
    assert caught.value.code == "TC-1569"


@pytest.mark.parametrize(("wanted", "within"), [("sort", 0.02), ("median", 0.08)])
def test_bytes_of_sorts_are_expected_and_at_most(wanted: str, within: float) -> None:
    size = 8000
    function = {"sort": tacit.sort, "median": tacit.median}[wanted]
    program = tacit.trace(function, ArraySpec((size,), owner="alice", bounds=(-1, 1)))
    plan = program.plan("replicated3", seconds=False)
    assert not plan.exact
    assert any("sorts" in note for note in plan.notes)
    assert "Bytes of all parties" in str(plan)
    most = sum(plan.bytes_at_most.values())
    found = []
    for seed in range(10):
        with tacit.local("replicated3", seed=seed) as mpc:
            mpc.run(program, {"x": [0.25] * size}, plan=plan)
        assert plan.actual is not None
        assert plan.rounds == plan.actual.rounds
        for party, sent in plan.actual.bytes_sent.items():
            assert sent + plan.actual.check_bytes[party] <= plan.bytes_at_most[party]
        found.append(plan.actual.total_bytes + sum(plan.actual.check_bytes.values()))
    assert max(found) <= most
    assert sum(found) / len(found) == pytest.approx(plan.total_bytes, rel=within)


def test_bytes_of_short_sorts_are_exact() -> None:
    program = tacit.trace(tacit.sort, ArraySpec((256,), owner="alice", bounds=(-1, 1)))
    plan = program.plan("replicated3", seconds=False)
    assert plan.exact
    assert not plan.notes
    for seed in range(3):
        with tacit.local("replicated3", seed=seed) as mpc:
            mpc.run(program, {"x": [0.25] * 256}, plan=plan)
        assert plan.actual is not None
        assert plan.bytes_sent == plan.actual.bytes_sent


def test_bytes_without_sorts_are_exact() -> None:
    plan = PROGRAM.plan("replicated3_active", seconds=False)
    assert plan.exact
    assert "Bytes of all parties" not in str(plan)
    for party, sent in plan.bytes_sent.items():
        assert plan.bytes_at_most[party] == sent + plan.check_bytes[party]
