"""Encoding, the spool, sums and splits."""

from __future__ import annotations

import errno
import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit.errors import DataError, StorageError, UsageError
from tacit.tables import (
    Column,
    Schema,
    denormalise,
    moments,
    normalise,
    public_generator,
    split,
    spool,
    standardised,
)
from tacit.tables.spool import Spool

LABEL = Column("y", "boolean")
SCHEMA = Schema(
    label="y",
    columns=(
        Column("x", "number", bounds=(-10, 30)),
        LABEL,
        Column("c", "category", categories=("a", "b"), missing="category"),
        Column("b", "boolean", missing="zero"),
        Column("m", "integer", bounds=(0, 8), missing="mean"),
    ),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    target = tmp_path / "rows.csv"
    target.write_text("y,x,c,b,m\n0,-10,a,1,0\n1,30,,true,\n1,10,b,,4\n0,11,a,0,NA\n")
    return target


def test_encoding(path: Path) -> None:
    assert SCHEMA.features == ("x", "c=a", "c=b", "c=(missing)", "b", "m")
    assert standardised(SCHEMA).tolist() == [True, False, False, False, False, True]
    with spool(path, SCHEMA) as rows:
        features, labels = rows.take(np.arange(4))
    # m: present 0 and 4, u = -1 and 0, mean -0.5.
    expected = [
        [-1.0, 1, 0, 0, 1, -1.0],
        [1.0, 0, 0, 1, 1, -0.5],
        [0.0, 0, 1, 0, 0, 0.0],
        [0.05, 1, 0, 0, 0, -0.5],
    ]
    np.testing.assert_allclose(features, expected, atol=1e-15)
    assert labels.tolist() == [0, 1, 1, 0]
    assert labels.dtype == np.uint8


def test_policies_for_missing_values(tmp_path: Path) -> None:
    columns = (
        Column("z", "number", bounds=(-1, 3), missing="zero"),
        Column("c", "category", categories=("a", "b"), missing="zero"),
        Column("b", "boolean", missing="mean"),
        LABEL,
    )
    file = tmp_path / "rows.parquet"
    table = {
        "z": [None, 3.0, -1.0],
        "c": [None, "a", "b"],
        "b": [True, False, None],
        "y": [0, 1, 1],
    }
    pq.write_table(pa.table(table), file)
    with spool(file, Schema(label="y", columns=columns)) as rows:
        features, _ = rows.take(np.arange(3))
    np.testing.assert_allclose(
        features, [[-0.5, 0, 0, 1], [1, 1, 0, 0], [-1, 0, 1, 0.5]], atol=1e-15
    )


def test_no_value_at_all_has_no_mean(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("y,m,x,c,b\n0,,1,a,1\n1,,2,b,0\n")
    with pytest.raises(DataError, match='column "m": no value at all'):
        spool(file, SCHEMA)


@given(st.floats(0, 1), st.floats(-1e12, 1e12), st.floats(1e-3, 1e3))
def test_normalise_and_back(place: float, low: float, relative: float) -> None:
    width = relative * max(1.0, abs(low))
    bounds = (low, low + width)
    x = np.clip(np.array([low + place * width, *bounds]), *bounds)
    u = normalise(x, bounds)
    assert (np.abs(u) <= 1).all()
    np.testing.assert_allclose(u[1:], [-1, 1], rtol=1e-11)
    scale = max(abs(low), abs(low + width))
    np.testing.assert_allclose(denormalise(u, bounds), x, rtol=0, atol=1e-14 * scale)


def random_file(tmp_path: Path, n: int) -> tuple[Path, Schema, np.ndarray]:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(n, 3)).clip(-8, 8)
    table = {**{f"x{i}": x[:, i] for i in range(3)}, "y": rng.random(n) < 0.3}
    pq.write_table(pa.table(table), tmp_path / "rows.parquet", row_group_size=50_000)
    columns = tuple(Column(f"x{i}", "number", bounds=(-8, 8)) for i in range(3))
    return tmp_path / "rows.parquet", Schema(label="y", columns=(*columns, LABEL)), x / 8


@pytest.mark.parametrize("mapped", [True, False])
def test_rows_in_any_order(tmp_path: Path, mapped: bool) -> None:
    file, schema, u = random_file(tmp_path, 140_000)
    with spool(file, schema) as mapping:
        rows = mapping if mapped else Spool(mapping._file, mapping.names, mapping.labels, 0)
        assert (rows._mapping is not None) == mapped
        order = np.random.default_rng(2).permutation(rows.rows)[:5_000]
        np.testing.assert_array_equal(rows.take(order)[0], u[order])
        np.testing.assert_array_equal(rows.take(np.array([3, 4, 5, 2, -1]))[0], u[[3, 4, 5, 2, -1]])
        assert rows.take(np.array([], np.int64))[0].shape == (0, 3)
        with pytest.raises(IndexError):
            rows.take(np.array([rows.rows]))
        parts = list(rows.chunks(rows=50_000))
        assert [len(part[0]) for part in parts] == [50_000, 50_000, 40_000]
        np.testing.assert_array_equal(np.concatenate([part[0] for part in parts]), u)
        chosen = np.concatenate([part[0] for part in rows.chunks(order, rows=999)])
        np.testing.assert_array_equal(chosen, u[np.sort(order)])


@pytest.mark.parametrize("owners_rows", [2, 140_000])
def test_sums(tmp_path: Path, owners_rows: int) -> None:
    file, schema, u = random_file(tmp_path, 140_000)
    chosen = np.random.default_rng(3).permutation(len(u))[:owners_rows]
    with spool(file, schema) as rows:
        part = moments(rows, chosen)
        whole = moments(rows)
    np.testing.assert_allclose(part.total, u[chosen].sum(axis=0), rtol=1e-11, atol=1e-12)
    assert part.count == owners_rows
    assert whole.count == len(u)
    np.testing.assert_allclose(whole.mean(), u.mean(axis=0), rtol=1e-10)
    np.testing.assert_allclose(whole.deviation(), u.std(axis=0), rtol=1e-10)
    assert "total" not in repr(whole)


def test_progress_and_a_closed_spool(path: Path) -> None:
    seen: list[tuple[int, float]] = []
    rows = spool(path, SCHEMA, progress=lambda n, fraction: seen.append((n, fraction)))
    assert seen[-1] == (4, 1.0)
    rows.close()
    rows.close()
    with pytest.raises(ValueError, match="closed"):
        rows.take(np.arange(2))


def test_rows_never_have_a_file_name(path: Path, tmp_path: Path) -> None:
    private = tmp_path / "spool"
    private.mkdir()
    with spool(path, SCHEMA, directory=private):
        assert list(private.iterdir()) == []


def test_a_full_disk_and_no_directory(path: Path, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be stored") as caught:
        spool(path, SCHEMA, directory=tmp_path / "none")
    assert caught.value.code == "TC-2300"
    # A file may be no longer than 100 bytes: the kernel's answer is that of a full disk's kind.
    program = (
        "import resource, signal, sys\n"
        "from tacit.tables import Schema, spool\n"
        "from tacit.errors import StorageError\n"
        "schema = Schema.load(sys.argv[2])\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "try:\n    spool(sys.argv[1], schema)\n"
        "except StorageError as error:\n    print(error.code)\n"
    )
    schema = SCHEMA.save(tmp_path / "schema.json")
    done = subprocess.run(
        [sys.executable, "-c", program, str(path), str(schema)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.stdout.strip() == "TC-2300", done.stderr


def test_a_full_disk_is_told_apart(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(out: Any, features: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(importlib.import_module("tacit.tables.spool"), "_write_all", full)
    with pytest.raises(StorageError, match="No space left") as caught:
        spool(path, SCHEMA)
    assert caught.value.code == "TC-2301"
    assert "free some space" in caught.value.next_step


def test_memory_does_not_grow_with_rows(tmp_path: Path) -> None:
    """600,000 rows of 30 features are 144 MB encoded; they take little more than 100,000 rows."""
    rng = np.random.default_rng(0)
    names = [f"x{i}" for i in range(30)]
    block = {name: rng.normal(size=100_000).clip(-8, 8) for name in names}
    table = pa.table({**block, "y": rng.random(100_000) < 0.5})
    for blocks in (1, 6):
        with pq.ParquetWriter(tmp_path / f"{blocks}.parquet", table.schema) as writer:
            for _ in range(blocks):
                writer.write_table(table)
    columns = (*(Column(name, "number", bounds=(-8, 8)) for name in names), LABEL)
    schema = Schema(label="y", columns=columns).save(tmp_path / "schema.json")
    program = (
        "import sys\n"
        "from tacit.tables import Schema, spool\n"
        "schema = Schema.load(sys.argv[1])\n"
        "for path in sys.argv[2:]:\n"
        "    with spool(path, schema) as rows:\n"
        "        status = open('/proc/self/status').read()\n"
        "        print(rows.rows, int(status.split('VmHWM:')[1].split()[0]) / 1024)\n"
    )
    files = [str(tmp_path / f"{blocks}.parquet") for blocks in (1, 6)]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, str(schema), *files],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    rows, peak = np.loadtxt(done.stdout.splitlines(), unpack=True)
    assert rows.tolist() == [100_000, 600_000]
    assert peak[1] - peak[0] < 50


@given(st.integers(2, 5_000), st.floats(0.001, 0.999), st.integers(0, 2**64 - 1))
def test_a_split_is_a_partition(rows: int, test_size: float, seed: int) -> None:
    train, test = split(rows, test_size, seed, owner="bank_a")
    assert np.array_equal(np.sort(np.concatenate([train, test])), np.arange(rows))
    assert min(len(train), len(test)) >= 1
    assert abs(len(test) - rows * test_size) <= 1
    again = split(rows, test_size, seed, owner="bank_a")
    assert np.array_equal(again[0], train)
    assert np.array_equal(again[1], test)


def test_owners_and_seeds_have_splits_of_their_own() -> None:
    tests = {
        tuple(split(100, 0.3, seed, owner=owner)[1].tolist())
        for seed in (0, 1)
        for owner in ("a", "b")
    }
    assert len(tests) == 4


def test_what_cannot_be_split() -> None:
    for size in (0.0, 1.0, -0.2, float("nan")):
        with pytest.raises(UsageError, match="test size"):
            split(10, size, 0)
    with pytest.raises(DataError, match="too few rows"):
        split(1, 0.5, 0)
    with pytest.raises(UsageError, match="seed"):
        public_generator("test", -1)
