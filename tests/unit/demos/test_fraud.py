"""The fraud demo's generator: shape, determinism, and that joining pays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from tacit.cli.demos import fraud
from tacit.cli.demos.files import DemoFiles
from tacit.errors import UsageError
from tacit.tables import Schema, check, spool, standardised

ROWS = 45_000


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoFiles:
    return fraud.generate(tmp_path_factory.mktemp("fraud"), rows=ROWS)


def test_three_banks_of_different_size_fit_the_schema(demo: DemoFiles) -> None:
    assert sorted(path.name for path in demo.files.values()) == [
        "bank_a.parquet",
        "bank_b.parquet",
        "bank_c.parquet",
    ]
    assert sum(demo.rows.values()) == ROWS
    assert len(set(demo.rows.values())) == 3
    schema = Schema.load(demo.schema)
    assert schema == fraud.SCHEMA
    assert len(schema.features) == 30
    for name, path in demo.files.items():
        findings = check(path, schema)
        assert (findings.rows, findings.total) == (demo.rows[name], 0)


def test_about_one_percent_is_fraud_and_amounts_are_heavy_tailed(demo: DemoFiles) -> None:
    for path in demo.files.values():
        table = pq.read_table(path, columns=["amount", "is_fraud"])
        assert 0.0065 < np.mean(table["is_fraud"].to_numpy()) < 0.0135
        amounts = table["amount"].to_numpy()
        assert np.mean(amounts) > 1.5 * np.median(amounts)
        assert np.max(amounts) > 20 * np.median(amounts)


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    first = fraud.generate(tmp_path / "1", rows=3_000, seed=5)
    again = fraud.generate(tmp_path / "2", rows=3_000, seed=5)
    other = fraud.generate(tmp_path / "3", rows=3_000, seed=6)
    for bank, path in first.files.items():
        assert path.read_bytes() == again.files[bank].read_bytes()
        assert path.read_bytes() != other.files[bank].read_bytes()


def test_every_ring_names_columns_of_the_schema_and_one_home() -> None:
    names = {column.name for column in fraud.SCHEMA.inputs}
    assert set(fraud.ORDINARY) == names
    for method in fraud.RINGS.values():
        assert set(method) <= names
    homes = [ring for bank in fraud.BANKS.values() for ring in bank.rings]
    assert sorted(homes) == sorted(fraud.RINGS)


def test_the_joint_model_beats_every_bank_alone(demo: DemoFiles) -> None:
    schema = Schema.load(demo.schema)
    mask = standardised(schema)
    train, test = {}, {}
    for bank, path in demo.files.items():
        with spool(path, schema) as rows:
            held_out = np.arange(rows.rows) % 3 == 0
            train[bank] = rows.take(np.flatnonzero(~held_out))
            test[bank] = rows.take(np.flatnonzero(held_out))
    features, labels = (np.concatenate(part) for part in zip(*train.values(), strict=True))
    unseen, truth = (np.concatenate(part) for part in zip(*test.values(), strict=True))
    mean = np.where(mask, features.mean(axis=0), 0.0)
    deviation = np.where(mask, features.std(axis=0), 1.0)

    def auc(rows: np.ndarray, classes: np.ndarray) -> float:
        model = LogisticRegression(max_iter=200).fit((rows - mean) / deviation, classes)
        return float(roc_auc_score(truth, model.decision_function((unseen - mean) / deviation)))

    joint = auc(features, labels)
    alone = {bank: auc(*rows) for bank, rows in train.items()}
    assert 0.90 < joint < 0.97
    assert all(value < 0.88 for value in alone.values()), alone
    assert joint - max(alone.values()) > 0.06


def test_too_few_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="too little fraud"):
        fraud.generate(tmp_path, rows=2_999)
