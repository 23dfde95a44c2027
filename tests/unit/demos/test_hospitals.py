"""The hospitals demo: every biopsy at exactly one hospital, case mixes apart, formats mixed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer

from tacit.cli.demos import hospitals
from tacit.tables import Schema, check, denormalise, spool


def test_hospitals(tmp_path: Path) -> None:
    demo = hospitals.generate(tmp_path)
    assert [path.suffix for path in demo.files.values()] == [".csv", ".parquet", ".parquet"]
    assert sum(demo.rows.values()) == 569
    schema = Schema.load(demo.schema)
    assert len(schema.features) == 30
    values, shares = [], []
    for hospital, path in demo.files.items():
        assert check(path, schema, owner=hospital).total == 0
        with spool(path, schema) as rows:
            features, labels = rows.take(np.arange(rows.rows))
        columns = zip(schema.inputs, features.T, strict=True)
        values.append(np.stack([denormalise(u, c.bounds) for c, u in columns if c.bounds], axis=1))
        shares.append(labels.mean())
    assert 0.02 < shares[0] < 0.15
    assert 0.2 < shares[1] < 0.5
    assert shares[2] > 0.6
    everything = np.concatenate(values)
    original = load_breast_cancer().data
    np.testing.assert_allclose(
        everything[np.lexsort(everything.T)], original[np.lexsort(original.T)], rtol=1e-9, atol=1e-9
    )


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    first = hospitals.generate(tmp_path / "1")
    again = hospitals.generate(tmp_path / "2")
    for hospital, path in first.files.items():
        assert path.read_bytes() == again.files[hospital].read_bytes()
    assert first.schema.read_bytes() == again.schema.read_bytes()
