"""``tacit plan``: tables, JSON, what does not fit, and processes that are measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from commands import tacit_here
from typer.testing import CliRunner, Result

import tacit
from tacit.cli.app import app
from tacit.errors import TacitError
from tacit.protocols import PROTOCOLS


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tacit.trace(
        lambda x, y: {"mean": tacit.sigmoid(x @ y).mean(), "positive": (y > 0).sum()},
        x=tacit.ArraySpec((30, 4), owner="alice", bounds=(-1, 1)),
        y=tacit.ArraySpec((4,), owner="bob", bounds=(-1, 1)),
    )
    path = tmp_path_factory.mktemp("plan") / "one.tacit"
    program.save(path)
    return path


def planned(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["plan", *map(str, arguments)], env={"COLUMNS": "120"})


def test_all_protocols_that_fit_are_compared(file: Path) -> None:
    shown = planned(file, "--network", "wan")
    assert shown.exit_code == 0
    for part in (*PROTOCOLS, "wan (80 ms round trip, 100 Mbit/s)", "Recommended: replicated3"):
        assert part in shown.output
    strict = planned(file, "--adversary", "active", "--outcome", "guaranteed", "--quick")
    assert "Recommended: fantastic4" in strict.output
    assert "Not replicated3: it holds against passive parties only" in strict.output


def test_one_protocol_is_shown_in_detail(file: Path) -> None:
    shown = planned(file, "-p", "replicated3", "--network", "rtt=20ms,bandwidth=100Mbit")
    for part in (
        "20 ms round trip, 100 Mbit/s", "share x", "compute", "reveal mean", "in all", "from … to",
        "most_significant_bit", "what a party computes", "sigmoid", "A party holds about",
    ):  # fmt: skip
        assert part in shown.output


def test_json_is_the_plan(file: Path) -> None:
    program = tacit.Program.load(file)
    one = json.loads(planned(file, "-p", "fantastic4", "--quick", "--json").stdout)
    assert one == json.loads(json.dumps(program.plan("fantastic4", seconds=False).as_dict()))
    assert one["seconds"] == 0.0
    names = "bob,alice,shop"
    several = json.loads(planned(file, "--parties", names, "--quick", "--json").stdout)
    assert [plan["parties"] for plan in several["plans"]] == [names.split(",")] * 2
    assert set(several["refused"]) == {"fantastic4"}
    timed = json.loads(planned(file, "-p", "replicated3", "--network", "lan", "--json").stdout)
    assert timed["seconds"] > 0
    assert timed["rounds"] == program.plan("replicated3", seconds=False).rounds


def test_a_ring_and_a_rounding(file: Path) -> None:
    def of(*options: str) -> Any:
        shown = planned(file, "-p", "replicated3", "--quick", "--json", *options)
        return json.loads(shown.stdout)

    wide, plain, exact = of("--ring", "128"), of(), of("--rounding", "exact")
    assert sum(wide["bytes_sent"].values()) > sum(plain["bytes_sent"].values())
    assert exact["rounds"] > plain["rounds"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--network", "moon"), "TC-1560"),
        (("--network", "rtt=20,bandwidth=1"), "TC-1560"),
        (("-p", "replicated3", "--parties", "alice,carol,dave"), "TC-1561"),
        (("-p", "replicated3_active", "--ring", "128"), "TC-1562"),
        (("--parties", "alice,bob"), "TC-1564"),
        (("--adversary", "nosy"), "TC-1565"),
        (("--outcome", "perhaps"), "TC-1565"),
        (("-p", "unheard_of"), "TC-1001"),
        (("--rounding", "sometimes"), "TC-1070"),
    ],
)
def test_what_does_not_fit_is_refused(file: Path, options: tuple[str, ...], code: str) -> None:
    refused = planned(file, "--quick", *options)
    assert isinstance(refused.exception, TacitError)
    assert refused.exception.code == code
    assert refused.exception.next_step


def test_files_that_are_no_programs(file: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.tacit"
    damaged.write_bytes(file.read_bytes()[:-9])
    for wrong in (damaged, tmp_path / "none.tacit", tmp_path):
        done = tacit_here("plan", wrong, "--quick")
        assert done.returncode == 2
        assert done.stdout == ""
        assert "TC-" in done.stderr
        assert "Traceback" not in done.stderr


def test_help_says_what_can_be_asked() -> None:
    shown = planned("--help")
    assert shown.exit_code == 0
    for part in (
        "--protocol", "--network", "--parties", "--adversary", "--outcome", "--rounding", "--ring",
        "--calibrate", "--quick", "--json", "tacit plan model.tacit --network wan",
    ):  # fmt: skip
        assert part in shown.output


@pytest.mark.processes
def test_processes_are_started_and_measured(file: Path) -> None:
    found = json.loads(planned(file, "-p", "replicated3", "--calibrate", "--json").stdout)
    assert found["network"].startswith("measured (3 parties on ")
    assert found["seconds"] > 0
    quick = json.loads(planned(file, "-p", "replicated3", "--quick", "--json").stdout)
    assert found["rounds"] == quick["rounds"]
