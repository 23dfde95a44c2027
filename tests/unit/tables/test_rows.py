"""Rows, however somebody has them, become the same features; what breaks the schema is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tacit.errors import DataError
from tacit.tables import Schema
from tacit.tables.column import Column
from tacit.tables.rows import encoded_rows

SCHEMA = Schema(
    label="y",
    columns=(
        Column("amount", "number", (0.0, 100.0), missing="mean"),
        Column("age", "integer", (0.0, 50.0), missing="zero"),
        Column("kind", "category", categories=("a", "b"), missing="category"),
        Column("new", "boolean"),
        Column("y", "boolean"),
    ),
)
EXPECTED = [[-0.5, 0.0, 1, 0, 0, 1], [1.0, -1.0, 0, 0, 1, 0]]
GIVEN: list[dict[str, Any]] = [
    {"amount": 25, "age": 25, "kind": "a", "new": 1, "other": "x"},
    {"amount": 100.0, "age": None, "kind": None, "new": False, "other": "x"},
]


def test_all_kinds_of_rows(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("new;kind;amount;age\nyes;a;25,0;25\n0;;100;\n")
    table = tmp_path / "rows.parquet"
    frame = pd.DataFrame(GIVEN).astype({"new": bool})
    frame.to_parquet(table)
    columns = {name: [row[name] for row in GIVEN] for name in ("amount", "age", "kind", "new")}
    array = [[row[name] for name in columns] for row in GIVEN]
    for given in (file, str(file), table, frame, GIVEN, columns, array, np.array(array, object)):
        assert encoded_rows(SCHEMA, given).tolist() == EXPECTED, type(given)
    assert encoded_rows(SCHEMA, GIVEN[0]).tolist() == EXPECTED[:1]


@pytest.mark.parametrize(
    ("changed", "column"),
    [
        ({"amount": None}, "amount"),
        ({"amount": 101}, "amount"),
        ({"amount": float("nan")}, "amount"),
        ({"amount": float("inf")}, "amount"),
        ({"age": 2.5}, "age"),
        ({"kind": "c"}, "kind"),
        ({"new": 2}, "new"),
        ({"new": None}, "new"),
    ],
)
def test_what_breaks_the_schema(changed: dict[str, Any], column: str) -> None:
    with pytest.raises(DataError) as error:
        encoded_rows(SCHEMA, [GIVEN[0], GIVEN[0] | changed])
    assert f'row 2, column "{column}"' in error.value.message


def test_a_column_that_is_not_there() -> None:
    rows = [{k: v for k, v in row.items() if k != "kind"} for row in GIVEN]
    with pytest.raises(DataError) as error:
        encoded_rows(SCHEMA, rows)
    assert '"kind"' in error.value.message


def test_a_file_keeps_its_own_style(tmp_path: Path) -> None:
    columns = (
        Column("amount", "number", (0.0, 100.0)),
        Column("day", "date", ("2024-01-01", "2024-12-31")),
        Column("y", "boolean"),
    )
    file = tmp_path / "rows.csv"
    file.write_bytes(b"\xef\xbb\xbfamount;day\r\n62,5;31/12/2024\r\n25;01/02/2024\r\n")
    plain = [{"amount": 62.5, "day": "2024-12-31"}, {"amount": 25, "day": "2024-02-01"}]
    schema = Schema(label="y", columns=columns)
    assert np.allclose(encoded_rows(schema, file), encoded_rows(schema, plain))
