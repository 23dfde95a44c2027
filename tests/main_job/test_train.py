"""``tacit train`` and ``tacit check``: options, files with faults, lost parties, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command_line import COMMAND, Run
from commands import tacit_here
from thinning import EVERYTHING

from tacit.cli.demos.files import DemoFiles
from tacit.models import ClearModel

pytestmark = pytest.mark.processes


def owners(files: DemoFiles) -> list[str]:
    return [f"{name}={path}" for name, path in files.files.items()]


def options(files: DemoFiles, out: Path, *more: str) -> list[str]:
    return ["--label", files.label, "--epochs", "1", "--out", str(out), *more]


def with_value(source: Path, target: Path, column: str, row: int, value: float) -> Path:
    """A copy of a Parquet file with one number changed."""
    table = pq.read_table(source)
    index = table.column_names.index(column)
    numbers = table.column(index).to_numpy().astype(np.float64)
    numbers[row] = value
    pq.write_table(table.set_column(index, column, pa.array(numbers)), target)
    return target


@dataclass(frozen=True)
class Done:
    """A run that ended well, and its folder."""

    said: str
    out: Path


@pytest.fixture(scope="module")
def plain(wards: DemoFiles, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """A training without a schema, of which one owner alone gets the model."""
    out = tmp_path_factory.mktemp("plain")
    done = tacit_here("train", *owners(wards), *options(wards, out, "--reveal-to", "general"))
    assert done.returncode == 0, done.stderr
    return Done(done.stdout, out)


def test_without_a_schema_csv_and_parquet_mix(plain: Done, wards: DemoFiles) -> None:
    assert {path.suffix for path in wards.files.values()} == {".csv", ".parquet"}
    assert "joint" in plain.said
    page = (plain.out / "index.html").read_text()
    assert "order of magnitude" in page
    assert "loss values" not in page
    log = [json.loads(line) for line in (plain.out / "log.jsonl").read_text().splitlines()]
    assert {e["event"] for e in log} == {
        "parties connected",
        "training started",
        "phase finished",
        "training finished",
    }


def test_the_model_goes_to_the_named_owners_alone(plain: Done, wards: DemoFiles) -> None:
    for name in wards.files:
        own = json.loads((plain.out / name / "result.json").read_text())
        assert (own["coefficients"] is not None) == (name == "general")
        assert (plain.out / name / "model.json").exists() == (name == "general")
        assert own["losses"] == []
    model = ClearModel.load(plain.out / "general" / "model.json")
    assert model.to_sklearn().coef_.shape == (1, len(model.form.feature_names))


def test_categories_are_shown_only_when_the_owners_say_so(
    tacit_command: Run, banks: DemoFiles, tmp_path: Path
) -> None:
    job = ("train", *owners(banks), *options(banks, tmp_path))
    refused = tacit_command(*job)
    assert refused.returncode == 3
    assert "TC-2204" in refused.stderr
    done = tacit_command(*job, "--share-categories", "--batch-size", "4096")
    assert done.returncode == 0, done.stderr
    assert "each owner&#x27;s categories" in (tmp_path / "index.html").read_text()


def test_reveal_loss_and_schema(tacit_command: Run, wards: DemoFiles, tmp_path: Path) -> None:
    done = tacit_command(
        "train",
        *owners(wards),
        *options(wards, tmp_path, "--reveal-loss", "--schema", str(wards.schema)),
        "--compare-pooled",
        "--batch-size",
        "64",
    )
    assert done.returncode == 0, done.stderr
    assert "read ALL owners' files" in done.stdout
    own = json.loads((tmp_path / "general" / "result.json").read_text())
    assert own["losses"]


@pytest.mark.parametrize(
    ("value", "code", "words"),
    [(np.nan, "TC-2104", "NaN"), (np.inf, "TC-2105", "infinity"), (1e12, "TC-2106", "bounds")],
)
def test_a_wrong_value_is_named_by_row_and_column_to_its_owner(
    tacit_command: Run, wards: DemoFiles, tmp_path: Path, value: float, code: str, words: str
) -> None:
    """`check` says it before anybody starts, `train` as it reads: that of one, by default."""
    name, source = next((n, p) for n, p in wards.files.items() if p.suffix == ".parquet")
    column = pq.read_schema(source).names[0]
    bad = with_value(source, tmp_path / "bad.parquet", column, 17, value)
    checked = tacit_command("check", bad, "--schema", wards.schema)
    assert checked.returncode == 3
    said = [checked.stdout]
    if EVERYTHING or value == np.inf:
        files = {**wards.files, name: bad}
        done = tacit_command(
            "train",
            *(f"{n}={p}" for n, p in files.items()),
            *options(wards, tmp_path / "out", "--schema", str(wards.schema)),
        )
        assert done.returncode == 3
        assert code in done.stderr
        said.append(done.stderr)
    for text in said:
        for part in ("row 18", column, words):
            assert part in text, text


def test_mismatched_columns(tacit_command: Run, wards: DemoFiles, tmp_path: Path) -> None:
    name, source = next((n, p) for n, p in wards.files.items() if p.suffix == ".parquet")
    table = pq.read_table(source)
    pq.write_table(table.drop_columns([table.column_names[0]]), tmp_path / "narrow.parquet")
    files = {**wards.files, name: tmp_path / "narrow.parquet"}
    done = tacit_command(
        "train", *(f"{n}={p}" for n, p in files.items()), *options(wards, tmp_path / "out")
    )
    assert done.returncode == 3
    assert "TC-2202" in done.stderr
    assert name in done.stderr


def test_labels_of_one_class(tacit_command: Run, wards: DemoFiles, tmp_path: Path) -> None:
    name, source = next((n, p) for n, p in wards.files.items() if p.suffix == ".parquet")
    table = pq.read_table(source)
    index = table.column_names.index(wards.label)
    zeros = pa.array(np.zeros(table.num_rows, np.int64)).cast(table.schema.field(index).type)
    pq.write_table(table.set_column(index, wards.label, zeros), tmp_path / "one.parquet")
    files = {**wards.files, name: tmp_path / "one.parquet"}
    done = tacit_command(
        "train", *(f"{n}={p}" for n, p in files.items()), *options(wards, tmp_path / "out")
    )
    assert done.returncode == 3
    assert "TC-2109" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "status"),
    [
        (["a.csv", "b=b.csv", "c=c.csv", "--label", "y"], "TC-1040", 2),
        (["a=a.csv", "a=b.csv", "c=c.csv", "--label", "y"], "TC-1041", 2),
        (["a=a.csv", "--label", "y"], "TC-1021", 2),
        (["a=a", "b=b", "c=c", "--label", "y", "--helper", "d"], "TC-1021", 2),
        (["a=a", "helper=b", "--label", "y"], "TC-1022", 2),
        (["a=a", "b=b", "c=c", "--label", "y", "--threads", "0"], "TC-1038", 2),
        (["a=a.csv", "b=b.csv", "c=c.csv", "--label", "y"], "TC-2100", 3),
        (["a=a", "b=b", "c=c", "--label", "y", "--protocol", "magic"], "TC-1001", 2),
        (["a=a", "b=b", "c=c", "--label", "y", "--model", "forest"], "TC-1043", 2),
        (["a=a", "b=b", "c=c", "--label", "y", "--reveal-to", "d"], "TC-1044", 2),
        (["a=a", "b=b", "c=c", "--label", "y", "--test-size", "1.5"], "TC-1045", 2),
    ],
)
def test_wrong_calls_say_what_to_do(
    tacit_command: Run, tmp_path: Path, arguments: list[str], code: str, status: int
) -> None:
    done = tacit_command("train", *arguments, "--out", tmp_path, "--json")
    assert done.returncode == status, done.stderr
    error = json.loads(done.stderr.strip().splitlines()[-1])["error"]
    assert error["code"] == code
    assert error["next_step"]


def test_a_phase_ends_at_its_deadline(tacit_command: Run, wards: DemoFiles, tmp_path: Path) -> None:
    job = ("train", *owners(wards), "--label", wards.label, "--out", tmp_path)
    done = tacit_command(*job, "--epochs", "100000", "--deadline", "8")
    assert done.returncode == 4
    assert "TC-35" in done.stderr
    assert "training" in done.stderr


def test_help_teaches(tacit_command: Run) -> None:
    for command in ([], ["train"], ["check"], ["demo"]):
        done = tacit_command(*command, "--help")
        assert done.returncode == 0
    assert "--share-categories" in tacit_command("train", "--help").stdout


class Running:
    """A training that goes on until it is disturbed."""

    def __init__(self, files: DemoFiles, out: Path) -> None:
        self.process = subprocess.Popen(
            [
                *(*COMMAND, "train", *owners(files), "--label", files.label),
                *("--schema", str(files.schema), "--epochs", "100000", "--out", str(out)),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def children(self) -> list[int]:
        """The parties' processes."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in listed.read_text().split()]

    def wait_for_training(self) -> list[int]:
        """Wait until all three parties compute: their processor time passes that of starting."""
        while True:
            assert self.process.poll() is None, self.process.communicate()[1]
            children = self.children()
            if len(children) == 3 and all(cpu_seconds(pid) > 1.5 for pid in children):
                return children
            time.sleep(0.05)


def cpu_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.fixture
def running(wards: DemoFiles, tmp_path: Path) -> Iterator[Running]:
    training = Running(wards, tmp_path)
    yield training
    training.process.kill()
    training.process.wait()
    for stream in (training.process.stdout, training.process.stderr):
        if stream:
            stream.close()


def test_a_killed_party_is_named_and_ends_the_run(running: Running, wards: DemoFiles) -> None:
    children = running.wait_for_training()
    os.kill(children[1], signal.SIGKILL)
    _, errors = running.process.communicate(timeout=120)
    assert running.process.returncode == 4
    assert list(wards.files)[1] in errors
    assert "TC-34" in errors
    assert not any(map(alive, children))


def test_ctrl_c_leaves_no_process_behind(running: Running) -> None:
    children = running.wait_for_training()
    running.process.send_signal(signal.SIGINT)
    _, errors = running.process.communicate(timeout=120)
    assert running.process.returncode == 130
    assert "Interrupted" in errors
    assert not any(map(alive, children))
