"""The bench's own arithmetic, and one small measurement of every kind."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from bench import (
    active,
    faults,
    faulty_party,
    floor,
    machine,
    profile,
    results,
    training,
    workloads,
)
from bench.interleave import Job, Sample, chosen, interleaved, summary
from bench.peers import comparison, in_the_clear, inputs, serving
from bench.peers.driving import Contestant
from bench.tables import compared, duration, tables
from tacit.cli.demos import fraud

CLOCK = {"seconds": 0.002, "max_error": 0.0, "rounds": 3, "bytes": 36, "peak_memory": 1 << 20}
ROW = {**CLOCK, "name": "multiply_1e6", "processor_seconds": 0.003}


def printed(*things: object) -> str:
    console = Console(width=160, no_color=True)
    with console.capture() as capture:
        for thing in things:
            console.print(thing)
    return capture.get()


# Repeats and medians.


def test_repeats_are_taken_in_turn() -> None:
    order: list[str] = []

    def job(name: str, repeats: int) -> Job:
        def measure() -> Sample:
            order.append(name)
            return {"seconds": 1.0}

        return Job(name, measure, repeats)

    interleaved([job("a", 3), job("b", 1), job("c", 2)])
    assert "".join(order) == "abcaca"


def test_a_failure_is_not_repeated_and_does_not_stop_the_others() -> None:
    def failing() -> Sample:
        raise RuntimeError("no luck")

    bad, good = Job("bad", failing, 3), Job("good", lambda: {"seconds": 1.0}, 2)
    interleaved([bad, good])
    assert summary("bad", bad.samples) == {"name": "bad", "error": "RuntimeError: no luck"}
    assert len(good.samples) == 2


def test_a_long_repeat_is_not_made_again() -> None:
    job = Job("slow", lambda: {"seconds": 1.0}, 5, long_seconds=0.0)
    interleaved([job])
    assert len(job.samples) == 1


def test_a_short_job_is_called_until_its_turn_is_over() -> None:
    seconds = iter([0.05, 0.01, 0.02, 0.03, 0.2, 0.01])
    job = Job("short", lambda: {"seconds": next(seconds)}, 2, turn_seconds=0.1)
    job.take()
    job.take()
    assert [sample["seconds"] for sample in job.samples] == [0.03, 0.2]


def test_a_summary_has_medians_of_times_and_maxima_of_errors() -> None:
    samples = [{**CLOCK, "seconds": s, "max_error": e} for s, e in [(3, 1e-6), (1, 2e-6), (2, 0)]]
    row = summary("x", samples)
    assert (row["seconds"], row["fastest"], row["slowest"]) == (2, 1, 3)
    assert (row["max_error"], row["repeats"], row["rounds"]) == (2e-6, 3, 3)


def test_workloads_are_chosen_by_globs() -> None:
    names = ["matmul_256", "relu_1e6", "log_1e5"]
    assert chosen(names, "*") == names
    assert chosen(names, "log*, matmul*") == ["matmul_256", "log_1e5"]
    assert chosen(names, "sort*") == []


# Results.


def test_a_run_compares_with_a_saved_one(tmp_path: Path) -> None:
    before = {"machine": {"cores": 2}, "workloads": [ROW, {"name": "gone", "seconds": 1.0}]}
    path = tmp_path / "before.json"
    results.save(before, path)
    now = {"machine": {"cores": 2}, "workloads": [{**ROW, "seconds": 0.003}]}
    ratios = results.ratios(now, results.load(results.find(str(path))))
    assert ratios == {("workloads", "multiply_1e6"): pytest.approx(1.5)}
    assert "1.50 slower" in printed(*tables(now, ratios))


@pytest.mark.parametrize(
    ("ratio", "text"), [(1.1, "slower"), (1.09, "1.09"), (0.8, "faster"), (None, "–")]
)
def test_marks_begin_at_ten_percent(ratio: float | None, text: str) -> None:
    assert text in compared(ratio)


def test_a_missing_or_foreign_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no measurement 'nothing'"):
        results.find("nothing")
    foreign = tmp_path / "foreign.json"
    foreign.write_text(json.dumps([1]))
    with pytest.raises(ValueError, match="no measurement"):
        results.load(foreign)


def test_durations_keep_about_three_digits() -> None:
    seconds = (2643.2, 12.42, 4.2104, 0.01734, 0.00234, 31e-6)
    texts = ["2,643 s", "12.4 s", "4,210 ms", "17.3 ms", "2.34 ms", "31.0 µs"]
    assert [duration(s) for s in seconds] == texts


def test_the_machine_is_described() -> None:
    here = machine.describe()
    assert here["cores"] >= 1
    assert here["versions"]["numpy"]
    assert machine.differences(here, {**here, "cores": 0, "load": -1}) == [
        f"cores: {here['cores']}, was 0"
    ]


# tacit's workloads.


@pytest.fixture(scope="module")
def session() -> Iterator[workloads.TacitSession]:
    opened = workloads.TacitSession()
    yield opened
    opened.close()


@pytest.fixture
def smaller(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """For workloads of one shape only, whose shape a test changes."""
    inputs.of_own_size.cache_clear()
    yield monkeypatch
    inputs.of_own_size.cache_clear()


@pytest.mark.processes
@pytest.mark.parametrize("name", [n for n in workloads.names() if inputs.size_of(n)])
def test_a_workload_is_right(session: workloads.TacitSession, name: str) -> None:
    found = session.measure(name, size=20 if name.startswith("matmul") else 300)
    assert found["max_error"] < 2e-3
    assert found["seconds"] > 0
    assert found["rounds"] >= 3
    assert found["bytes"] > 0
    assert found["peak_memory"] > 1 << 20


@pytest.mark.processes
@pytest.mark.parametrize(
    "name",
    [
        *(n for n, v in workloads.VARIANTS.items() if v.protocol == "replicated3"),
        *(f"fantastic4_{n}" for n in ("matmul_256", "relu_1e6", "sigmoid_1e5", "sort_1e4")),
        *(f"replicated3_active_{n}" for n in ("matmul_128", "relu_1e5", "sort_1e4")),
    ],
)
def test_a_variant_of_a_workload_is_right(session: workloads.TacitSession, name: str) -> None:
    found = session.measure(name, size=20 if "matmul" in name else 300)
    assert found["max_error"] < 2e-3
    variant = workloads.VARIANTS[name]
    like = session.measure(variant.workload, size=20 if "matmul" in name else 300)
    active = variant.protocol != "replicated3"
    assert (found["bytes"] > like["bytes"]) == (active or variant.ring == 128)
    assert (found["check_bytes"] > 0) == active


@pytest.mark.processes
def test_the_logistic_epoch_is_right(
    session: workloads.TacitSession, smaller: pytest.MonkeyPatch
) -> None:
    smaller.setattr(inputs, "LOGISTIC_STEPS", 2)
    assert session.measure("logistic_epoch")["max_error"] < 1e-3


@pytest.mark.processes
@pytest.mark.parametrize("name", ["mlp_infer_1", "mlp_train_128"])
def test_the_perceptron_is_right(
    session: workloads.TacitSession, smaller: pytest.MonkeyPatch, name: str
) -> None:
    smaller.setattr(inputs, "MLP_LAYERS", (20, 16, 5))
    assert session.measure(name)["max_error"] < 1e-3


def test_every_workload_is_done_or_skipped_with_a_reason(
    session: workloads.TacitSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert set(workloads.names()) | set(workloads.SKIPPED) == set(inputs.names())
    monkeypatch.setitem(workloads.SKIPPED, "sort_1e4", "no sort today")
    with pytest.raises(serving.Skipped, match="no sort"):
        session.measure("sort_1e4")


@pytest.mark.processes
def test_the_sort_is_right(session: workloads.TacitSession) -> None:
    assert session.measure("sort_1e4", 500)["max_error"] < 1e-5


@pytest.mark.processes
def test_a_party_can_be_profiled() -> None:
    parties = profile.profiled("compare_1e6", repeats=1, size=500)
    assert set(parties) == {"alice", "bob", "carol"}
    for party in parties.values():
        assert party.rounds == 7
        kinds = {name for name, _ in profile.KINDS if profile.seconds_of(party.entries, name)[0]}
        assert {"links", "kernels", "Python: protocols, sharing"} <= kinds


@pytest.mark.processes
def test_the_main_job_is_measured_by_phase(tmp_path: Path) -> None:
    found = training.measure(fraud.generate(tmp_path, rows=3_000), epochs=1)
    phases = {phase["name"]: phase for phase in found["phases"]}
    assert phases["training"]["rounds"] > 0
    assert "alone" not in phases
    assert sum(phase["seconds"] for phase in found["phases"]) <= 3 * found["seconds"]


# Side by side.


def test_the_floor_adds_kernels_bytes_and_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(2)))
    rows = [
        {"bytes": 64, "seconds": 1e-3, "fastest": 1e-4},
        {"bytes": 2_000_000, "seconds": 1e-2, "fastest": 3e-3},
    ]
    found = floor.floor_of({"bytes": 4e9, "rounds": 10}, 3.0, floor.links_from(rows))
    assert found.seconds == pytest.approx(1.5 + 2.0 + 1e-3)


def test_kernel_seconds_are_some_of_the_time() -> None:
    assert 0 < floor.kernel_seconds("multiply_1e6", size=1000, repeats=1) < 1


def test_tables_side_by_side_go_into_the_page(tmp_path: Path) -> None:
    theirs = {"seconds": 0.004, "max_error": 1e-5, "scaled_from": 10}
    run = {
        "machine": machine.describe(),
        "when": results.stamp(),
        "repeats": 3,
        "systems": {"tacit": "0.1", "peer": "9"},
        "links": {"round_seconds": 4e-5, "bytes_per_second": 2e9},
        "workloads": {
            "multiply_1e6": {
                "rows": {"tacit": ROW, "peer": theirs},
                "floor": {"kernels": 1e-3, "bytes": 0.0, "rounds": 0.0},
                "in_the_clear": {"seconds": 0.5e-3},
            },
            "sort_1e4": {"rows": {"tacit": {"skipped": "no"}, "peer": {"error": "no"}}},
        },
    }
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nafter\n")
    comparison.write_between_markers(page, comparison.in_markdown(run))
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert r"| multiply_1e6 | 2.00 ms | 4.00 ms \* | 2.0 × |" in text
    assert "| multiply_1e6 | 2.00 ms | 500 µs | 4.0 × |" in text
    assert "| multiply_1e6 | 2.00 ms | 1.00 ms | 1.00 ms |" in text
    assert "| sort_1e4 | – | failed | – |" in text
    comparison.write_between_markers(page, "again")
    assert "again" in page.read_text()
    with pytest.raises(ValueError, match="markers"):
        comparison.write_between_markers(page, "text", "another")


ECHO = """
import json, sys
for line in sys.stdin:
    name = json.loads(line)["workload"]
    if name == "die":
        sys.exit(3)
    print(json.dumps({"peer": "p", "version": "1", "workload": name, "seconds": 0.5}), flush=True)
"""


def test_a_contestant_answers_and_is_started_anew_after_its_death(tmp_path: Path) -> None:
    script = tmp_path / "echo.py"
    script.write_text(ECHO)
    contestant = Contestant("p", [sys.executable, str(script)], tmp_path)
    try:
        assert contestant.measure("x") == {"seconds": 0.5}
        with pytest.raises(RuntimeError, match="p ended"):
            contestant.measure("die")
        assert contestant.measure("y") == {"seconds": 0.5}
        assert contestant.version == "1"
    finally:
        contestant.close()
        contestant.close()


def test_numpy_computes_when_the_answer_is_wanted_and_once() -> None:
    asked = []

    def answer() -> tuple[np.ndarray, ...]:
        asked.append(1)
        return (np.zeros(2),)

    job = inputs.Workload("x", {}, answer)
    assert not asked
    assert job.error((np.ones(2),)) == job.error((-np.ones(2),)) == 1.0
    assert len(asked) == 1


def test_matrix_products_are_measured_in_the_clear_too() -> None:
    assert in_the_clear.is_measured("matmul_256")
    assert not in_the_clear.is_measured("multiply_1e6")
    assert 0 < in_the_clear.measure("matmul_256", 30)["seconds"] < 1


def test_inputs_are_the_same_on_every_call() -> None:
    assert inputs.workload("exp_1e5") is inputs.workload("exp_1e5")
    one, other = (inputs.workload("log_1e5", size=50) for _ in range(2))
    for a, b in itertools.chain(
        zip(one.inputs.values(), other.inputs.values(), strict=True),
        zip(one.expected, other.expected, strict=True),
    ):
        assert (a == b).all()


def test_tables_beside_figures_that_others_need() -> None:
    row = {"floor": 0.05, "rounds": 3, "bytes": 9e7, "check_bytes": 10, "fastest": 1, "slowest": 2}
    rows = {
        "fantastic4_multiply_1e6": {"seconds": 0.1, **row},
        "multiply_1e6": {"seconds": 0.025},
        "replicated3_active_relu_1e5": {"seconds": 0.2, **row},
    }
    four, three = active._grids(rows)
    assert four.rows == [
        ["`multiply_1e6`", "100 ms", "25.0 ms", "4.0 ×", "1,280 ms", "13 ×", "77.0 ms", "50.0 ms",
         "2.0 ×", "3", "90"],
    ]  # fmt: skip
    assert three.rows[0][:4] == ["`relu_1e5`", "200 ms", "600 ms", "3.0 ×"]
    run = {"rows": rows, "when": "2026-11-29", "machine": machine.describe()}
    assert "2.0 times" in active._explained(run)
    for protocol, names in active.MP_SPDZ.items():
        assert {f"{protocol}_{name}" for name in names} <= set(workloads.VARIANTS)


def test_the_table_of_a_loss() -> None:
    rates = dict.fromkeys(faulty_party.OPERATIONS, 0.01)
    runs = [{"before": rates, "evidence": rates, "after": rates, "protocol": "replicated3_active"}]
    grid = faults._grid(runs)
    assert len(grid.rows) == len(faulty_party.OPERATIONS)
    assert grid.rows[0][1:] == ["10.0 ms", "10.0 ms", "10.0 ms", "1.0 ×"]
