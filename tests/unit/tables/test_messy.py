"""Files as people send them: dates, decimal commas, marks and separators, wrong columns."""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tacit.errors import DataError, SchemaError
from tacit.tables import Column, Draft, Schema, check, doubts, infer, merge, spool
from tacit.tables.dates import days_of_text, part_of
from tacit.tables.encode import denormalise
from tacit.tables.files import MAX_COLUMNS
from tacit.tables.problems import Problem

DAY = 19783.0
"""2024-03-01."""


def example() -> ModuleType:
    path = Path(__file__).parents[3] / "examples" / "messy_files.py"
    found = importlib.util.spec_from_file_location("messy_files", path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_three_banks_files_become_one_schema_that_all_fit(tmp_path: Path) -> None:
    """Three separators and styles of dates and numbers, a byte order mark, CRLF, a wrong column."""
    messy = example()
    files = messy.write(tmp_path / "sent", 80)
    drafts = {n: infer(p, "is_fraud", exclude=["customer"]) for n, p in files.items()}
    with pytest.raises(SchemaError, match=r'bank_c lacks "merchant".*"Merchant"') as caught:
        merge({name: found.draft for name, found in drafts.items()})
    assert "upper and lower case" in str(caught.value.next_step)
    files = messy.write(tmp_path / "mended", 80, mended=True)
    drafts = {n: infer(p, "is_fraud", exclude=["customer"]) for n, p in files.items()}
    schema = merge({name: found.draft for name, found in drafts.items()})
    by_name = {column.name: column for column in schema.columns}
    assert by_name["opened"].type == "date"
    assert by_name["amount"].type == "number"
    assert by_name["age"].missing == "mean"
    assert set(by_name["merchant"].categories or ()) == set(messy.MERCHANTS)
    for name, path in files.items():
        assert check(path, schema).total == 0, name
    wrong = check(tmp_path / "sent" / "bank_c.csv", schema)
    assert [str(v) for v in wrong.violations] == [
        'column "merchant": the column is missing; the file has "Merchant"'
    ]
    assert wrong.rows == 80


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2024-03-01", DAY),
        ("2024-3-1", DAY),
        ("2024/03/01", DAY),
        ("20240301", DAY),
        ("1.3.2024", DAY),
        ("01.03.2024 06:00", DAY + 0.25),
        ("2024-03-01T12:00:00Z", DAY + 0.5),
        ("2024-03-01T00:00:00+02:00", DAY - 1 / 12),
        ("2024-03-01 18:00:00.000", DAY + 0.75),
        ("1/3/2024", DAY),
        ("1-3-2024", DAY),
        ("2024-02-29", DAY - 1),
        ("2023-02-29", None),
        ("2024-13-01", None),
        ("2024-03-01T24:30", None),
        ("1.3.24", None),
        ("1.3/2024", None),
        ("31.04.2024", None),
        ("0000-01-01", None),
        ("first of May", None),
    ],
)
def test_texts_of_dates(text: str, days: float | None) -> None:
    found, wrong, _ = days_of_text(pa.array([text, None]), day_first=True)
    assert wrong.tolist() == [days is None, False]
    assert days is None or found[0] == pytest.approx(days, abs=1e-9)


def test_parts_of_dates() -> None:
    days = np.array([DAY, DAY + 0.999999, DAY + 13 / 24, -1.0])
    assert part_of(days, "weekday").tolist() == [4, 4, 4, 2]  # a Friday; a Wednesday
    assert part_of(days, "month").tolist() == [2, 2, 2, 11]
    assert part_of(days, "hour").tolist() == [0, 23, 13, 0]


def dated(*parts: str) -> Schema:
    column = Column("d", "date", bounds=("2024-01-01", "2024-12-31"), parts=parts)  # type: ignore[arg-type]
    return Schema(label="y", columns=(column, Column("y", "boolean")))


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "a.csv"
    path.write_text(text)
    return path


def test_csv_and_parquet_give_the_same_features(tmp_path: Path) -> None:
    schema = dated("weekday", "month")
    text = write(tmp_path, "d,y\n2024-03-01,0\n2024-12-31,1\n")
    times = pa.array([1709251200, 1735603200], pa.timestamp("s", "UTC"))
    pq.write_table(pa.table({"d": times, "y": [0, 1]}), tmp_path / "a.parquet")
    days = pa.array([19783, 20088], pa.int32()).cast(pa.date32())
    pq.write_table(pa.table({"d": days, "y": [0, 1]}), tmp_path / "b.parquet")
    found = []
    for path in (text, tmp_path / "a.parquet", tmp_path / "b.parquet"):
        with spool(path, schema) as rows:
            found.append(rows.take(np.arange(2))[0])
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])
    limits = schema.columns[0].limits
    assert limits is not None
    np.testing.assert_allclose(denormalise(found[0][:, 0], limits), [19783, 20088])
    assert schema.features[1] == "d weekday=mon"
    assert found[0][:, 1:8].argmax(axis=1).tolist() == [4, 1]
    assert found[0][:, 8:].argmax(axis=1).tolist() == [2, 11]
    assert found[0][:, 1:].sum() == 4


@pytest.mark.parametrize(
    ("rows", "problems"),
    [
        (["31/12/2024,0", "03/04/2024,1"], []),
        (["12/31/2024,0", "03/04/2024,1"], []),
        (["01/02/2024,0", "03/04/2024,1"], [(2, "UNCLEAR_DATE"), (3, "UNCLEAR_DATE")]),
        (["31/12/2024,0", "12/31/2024,1"], [(2, "UNCLEAR_DATE"), (3, "UNCLEAR_DATE")]),
        (["2024-02-30,0", "tomorrow,1"], [(2, "NOT_A_DATE"), (3, "NOT_A_DATE")]),
        (["2025-01-01,0", "2023-12-31,1"], [(2, "OUT_OF_BOUNDS"), (3, "OUT_OF_BOUNDS")]),
        ([",0", "2024-12-31T23:59:59,1"], [(2, "MISSING")]),
    ],
)
def test_days_and_months_are_not_guessed(
    tmp_path: Path, rows: list[str], problems: list[tuple[int, str]]
) -> None:
    found = check(write(tmp_path, "\n".join(["d,y", *rows]) + "\n"), dated())
    assert [(v.line, v.problem.name) for v in found.violations] == problems


NUMBERS = Schema(
    label="y", columns=(Column("x", "number", bounds=(0, 4096)), Column("y", "boolean"))
)


@pytest.mark.parametrize(
    ("separator", "values", "problems"),
    [
        (";", ["1,5", " 2,25 "], []),
        (";", ["1.5", "2,25"], ["MIXED_DECIMALS"]),
        (";", ["1,5", "2.25"], ["MIXED_DECIMALS"]),
        (";", ["1.234,5", "2"], ["NOT_A_NUMBER"]),
        (";", ["1,234,567", "2"], ["NOT_A_NUMBER"]),
        (",", ['"1,5"', "2"], ["NOT_A_NUMBER"]),
        ("\t", ["1,5e2", "7"], []),
    ],
)
def test_decimal_commas(
    tmp_path: Path, separator: str, values: list[str], problems: list[str]
) -> None:
    lines = [separator.join(["x", "y"]), *(f"{v}{separator}{i}" for i, v in enumerate(values))]
    found = check(write(tmp_path, "\n".join(lines) + "\n"), NUMBERS)
    assert sorted({v.problem.name for v in found.violations}) == problems


def test_mixed_decimals_far_apart_are_found(tmp_path: Path) -> None:
    lines = ["x;y", *(f"{i % 9},5;{i % 2}" for i in range(20_000)), "3.25;1"]
    found = check(write(tmp_path, "\n".join(lines) + "\n"), NUMBERS)
    assert [(v.line, v.problem) for v in found.violations] == [(20_002, Problem.MIXED_DECIMALS)]


def test_all_problems_are_summed_up_and_written_for_the_owner(tmp_path: Path) -> None:
    secret = "4711"
    lines = ["x,y", "1,0", f"a{secret},1", f"{secret},0", ",1", "5,2", "6,1,7"]
    path = write(tmp_path, "\n".join(lines) + "\n")
    found = check(path, NUMBERS)
    assert found.total == 5
    assert found.sentences() == [
        'column "x": 1 × not a number, 1 × outside the bounds, 1 × missing value',
        'column "y": 1 × a label other than 0 and 1',
        "lines: 1 × more or fewer fields than the header",
    ]
    with pytest.raises(DataError, match=r"line 3, .*\(and 4 more; all are listed in ") as caught:
        spool(path, NUMBERS, owner="bank_a", errors=tmp_path / "errors.csv")
    assert caught.value.parties == ("bank_a",)
    text = (tmp_path / "errors.csv").read_text()
    assert secret not in text
    rows = list(csv.reader(text.splitlines()))
    assert rows[0][0] == "line"
    assert [row[0] for row in rows[1:]] == ["3", "4", "5", "6", "7"]
    assert check(path, NUMBERS, limit=2).total == 5


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "there are no rows"),
        (b"\n\n", "there are no rows"),
        (b"x,y\r\n", "there are no rows"),
        ("x,y\n1,0\n".encode("utf-16"), "UTF-16"),
        ("caf\u00e9,y\n1,0\n".encode("latin-1"), "not UTF-8"),
        (b"x,x,y\n1,2,0\n", "two columns"),
        (b"x,y\n1,good\n2,bad\n", "a label other than"),
        (",".join(map(str, range(MAX_COLUMNS + 1))).encode(), "too many columns"),
    ],
)
def test_files_that_no_schema_is_inferred_from(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    with pytest.raises(DataError, match=message):
        infer(path, "y")


def test_what_can_be_no_feature_is_left_out_with_a_remark(tmp_path: Path) -> None:
    names = "".join(f",n{i},{i * 7 + 1},{i % 2},5 EUR\n" for i in range(1_001))
    found = infer(write(tmp_path, "empty,name,account,y,price\n" + names), "y")
    assert [c.name for c in found.draft.columns] == ["account", "y", "price"]
    assert "no values" in found.left_out["empty"]
    assert "different texts" in found.left_out["name"]
    assert any("identify" in remark for remark in found.remarks["account"])
    assert any("units" in remark for remark in found.remarks["price"])


def test_names_of_rows_are_left_out_and_odd_texts_remarked(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    kinds = ("shop", "Shop", "n/a")
    lines = [f"R{row:03},{kinds[row % 3]},{'yes' if row % 2 else 'no'}" for row in range(40)]
    path.write_text("row,kind,y\n" + "\n".join(lines) + "\n")
    found = infer(path, "y")
    assert [column.name for column in found.draft.columns] == ["kind", "y"]
    assert "nearly every row has a text of its own" in found.left_out["row"]
    said = "; ".join(found.remarks["kind"])
    assert "Shop and shop differ in case or spaces alone" in said
    assert "n/a count as texts" in said


def test_doubts_about_drafts_that_fit() -> None:
    def drafted(top: float, text: str) -> Draft:
        columns = (
            Column("income", "number", (0.0, top)),
            Column("kind", "category", categories=("fuel", text)),
            Column("y", "boolean"),
        )
        return Draft("y", columns)

    same = {"a": drafted(512, "shop"), "b": drafted(1024, "shop")}
    assert doubts(same) == []
    income, kind = doubts(same | {"c": drafted(65_536, "SHOP")})
    assert income == "income: up to 512 at a, up to 65,536 at c. Is it the same unit?"
    assert kind == "kind: SHOP and shop are different categories. On purpose?"
