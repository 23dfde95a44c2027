"""The curves and the calibration: their arithmetic, and one small measurement."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from bench import curves, results, training
from bench.networks import calibration
from bench.networks.measured import Run
from bench.operation_party import OPERATIONS
from bench.peers import comparison
from bench.peers.__main__ import added
from tacit.rounds import Network


@pytest.mark.processes
@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_is_measured(operation: str) -> None:
    found = curves.measure_operation(operation, 300, repeats=2)
    assert found["max_error"] < 1e-3
    assert found["rounds"] >= 3
    assert found["bytes"] > 300
    assert found["peak_memory"] > found["shares"] > 300 * 16


@pytest.mark.processes
def test_depth_multiplies_rounds_and_bytes() -> None:
    once, often = (curves.measure_operation("relu", 128, depth=depth) for depth in (1, 5))
    assert often["rounds"] == 5 * once["rounds"]
    assert often["bytes"] == 5 * once["bytes"]


def test_the_page_gets_tables_and_a_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"seconds": 0.5, "rounds": 9, "bytes": 10**6, "peak_memory": 3 << 20, "shares": 1 << 20}
    run = {
        "machine": {},
        "parts": {
            "relu": [{"size": size, **row} for size in (100, 1000)],
            "rounds": [{"depth": 1, **row}],
            "threads": [{"threads": 1, "seconds": {"256": 0.25}, "in_turn": {"256": 0.125}}],
        },
    }
    page = tmp_path / "performance.md"
    page.write_text("<!-- curves:begin -->\n<!-- curves:end -->\n")
    results.save(run, tmp_path / "curves.json")
    monkeypatch.setattr(curves, "SAVED", tmp_path / "curves.json")
    monkeypatch.setattr(curves, "PAGE", page)
    monkeypatch.setattr(curves, "FIGURE", tmp_path / "figures" / "curves.svg")
    monkeypatch.setattr(sys, "argv", ["curves", "--page"])
    assert curves.main() == 0
    text = page.read_text()
    assert "| 1,000 | 500 ms | 500,000 ns | 9 | 1.000 | 1000.0 | 3 | 2 |" in text
    assert "| 9 | 500 ms | 55.6 ms | 1,000,000 |" in text
    assert "| 1 | 250 ms | 125 ms |" in text
    assert "relu" in (tmp_path / "figures" / "curves.svg").read_text()


@pytest.mark.processes
def test_the_main_job_goes_into_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "performance.md"
    page.write_text("<!-- large:begin -->\n<!-- large:end -->\n")
    monkeypatch.setattr(training, "PAGE", page)
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    monkeypatch.setattr(sys, "argv", ["training", "--rows", "3000", "--page"])
    assert training.main() == 0
    text = page.read_text()
    assert "3,000 rows" in text
    assert "| training |" in text
    assert (tmp_path / "training-3000.json").exists()


def test_sections_of_a_page_do_not_touch_each_other(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- a:begin --><!-- a:end --> <!-- b:begin --><!-- b:end -->")
    comparison.write_between_markers(page, "one", "a")
    comparison.write_between_markers(page, "two", "b")
    comparison.write_between_markers(page, "three", "a")
    first, second = page.read_text().split("<!-- a:end -->")
    assert first.split("\n\n") == ["<!-- a:begin -->", "three", ""]
    assert second.split("\n\n") == [" <!-- b:begin -->", "two", "<!-- b:end -->"]


def test_calibration_finds_the_factors(monkeypatch: pytest.MonkeyPatch) -> None:
    """From runs that are made of known parts, whatever their sizes."""
    truth = {"compute_scale": 1.5, "message_seconds": 4e-5, "byte_seconds": 1e-9}
    rng = np.random.default_rng(3)
    runs = [Run("multiply_1e6", size, 2) for size in (10, 100, 1000, 10_000)]
    parts = {
        run.size: {
            "compute_scale": rng.uniform(0, 0.1),
            "message_seconds": rng.integers(1, 100),
            "byte_seconds": rng.integers(1, 10**8),
        }
        for run in runs
    }

    def virtual(runs: list[Run], network: Network, **machine: float) -> list[list[float]]:
        assert network.latency_seconds == 0
        seconds = [sum(machine[k] * v for k, v in parts[run.size].items()) for run in runs]
        return [[99.0, each] for each in seconds]

    monkeypatch.setattr(calibration, "predicted", virtual)
    monkeypatch.setattr(
        calibration, "measured", lambda runs: virtual(runs, Network(0.0, 1.0), **truth)
    )
    found = calibration.calibrated(runs).as_arguments()
    assert found == pytest.approx(truth, rel=1e-6)


def test_runs_beside_peers_can_be_made_in_pieces() -> None:
    before = {
        "systems": {"tacit": "1", "spu": "2"},
        "repeats": 5,
        "when": "then",
        "workloads": {"relu_1e6": "old", "matmul_256": "old"},
    }
    run = {
        "systems": {"tacit": "1", "mpyc": "3"},
        "repeats": 3,
        "when": "now",
        "workloads": {"multiply_1e6": "new", "relu_1e6": "new"},
    }
    both = added(before, run)
    assert list(both["workloads"].items()) == [
        ("matmul_256", "old"), ("multiply_1e6", "new"), ("relu_1e6", "new"),
    ]  # fmt: skip
    assert both["systems"] == {"tacit": "1", "spu": "2", "mpyc": "3"}
    assert both["when"] == "now"
