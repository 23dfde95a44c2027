"""Every way in which an owner's file can be wrong: line and column are named, values never."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tacit.errors import DataError
from tacit.tables import Column, Schema, check, notice_for_others, spool

SCHEMA = Schema(
    label="y",
    columns=(
        Column("amount", "number", bounds=(0, 100)),
        Column("age", "integer", bounds=(0, 120)),
        Column("member", "boolean"),
        Column("shop", "category", categories=("fuel", "grocery")),
        Column("y", "boolean"),
    ),
)
HEADER = "amount,age,member,shop,y"
GOOD = ["1.5,30,1,fuel,0", "99,40,true,grocery,1", "0,41,False,fuel,1"]
SECRET = "4711"


def write(tmp_path: Path, *lines: str, name: str = "bank.csv", end: str = "\n") -> Path:
    path = tmp_path / name
    path.write_bytes((end.join(lines) + end).encode())
    return path


@pytest.mark.parametrize(
    ("line", "place", "text", "code"),
    [
        (f"x{SECRET},30,1,fuel,0", 'line 3, column "amount"', "not a number", "TC-2102"),
        (f"1,3.{SECRET},1,fuel,0", 'line 3, column "age"', "not an integer", "TC-2102"),
        (f"1,30,{SECRET},fuel,0", 'line 3, column "member"', "not a boolean", "TC-2102"),
        (",30,1,fuel,0", 'line 3, column "amount"', "missing value", "TC-2103"),
        ("1,NA,1,fuel,0", 'line 3, column "age"', "missing value", "TC-2103"),
        ("1,30, ,fuel,0", 'line 3, column "member"', "missing value", "TC-2103"),
        ("1,30,1,,0", 'line 3, column "shop"', "missing value", "TC-2103"),
        ("1,30,1,fuel,", 'line 3, column "y"', "missing value", "TC-2103"),
        ("nan,30,1,fuel,0", 'line 3, column "amount"', "NaN", "TC-2104"),
        ("-inf,30,1,fuel,0", 'line 3, column "amount"', "infinity", "TC-2105"),
        ("1e999,30,1,fuel,0", 'line 3, column "amount"', "infinity", "TC-2105"),
        (f"{SECRET},30,1,fuel,0", 'line 3, column "amount"', "outside the bounds", "TC-2106"),
        (f"1,30,1,{SECRET},0", 'line 3, column "shop"', "unknown category", "TC-2107"),
        (f"1,30,1,fuel,{SECRET}", 'line 3, column "y"', "a label other than", "TC-2108"),
        (f"1,30,1,fuel,0,{SECRET}", "line 3", "more or fewer fields", "TC-2111"),
        (f"{SECRET},30", "line 3", "more or fewer fields", "TC-2111"),
    ],
)
def test_csv(tmp_path: Path, line: str, place: str, text: str, code: str) -> None:
    path = write(tmp_path, HEADER, GOOD[0], line, *GOOD[1:])
    findings = check(path, SCHEMA)
    assert [str(v) for v in findings.violations] == [str(findings.violations[0])]
    assert str(findings.violations[0]).startswith(f"{place}: {text}")
    for attempt in (findings.raise_if_any, lambda: spool(path, SCHEMA, owner="bank_a")):
        with pytest.raises(DataError) as caught:
            attempt()
        assert caught.value.code == code
        assert f"bank.csv: {place}: {text}" in caught.value.message
        assert caught.value.next_step
        assert SECRET not in str(caught.value).replace(str(path), "")


def arrays(**changes: Any) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "amount": pa.array([1.5, 99.0, 0.0]),
        "age": pa.array([30, 40, 41], pa.int16()),
        "member": pa.array([True, False, True]),
        "shop": pa.array(["fuel", "grocery", "fuel"]).dictionary_encode(),
        "y": pa.array([0, 1, 1], pa.int8()),
    }
    return {name: values for name, values in {**columns, **changes}.items() if values is not None}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"amount": pa.array([1, None, 3.0])}, 'row 2, column "amount": missing value'),
        ({"amount": pa.array([1, 2, float("nan")])}, 'row 3, column "amount": NaN'),
        ({"amount": pa.array([float("inf"), 2, 3])}, 'row 1, column "amount": infinity'),
        ({"amount": pa.array([1, 2, 101])}, 'row 3, column "amount": outside the bounds'),
        ({"amount": pa.array(["1", "2", "3"])}, 'column "amount": the file stores another type'),
        ({"amount": pa.array([True, False, True])}, 'column "amount": the file stores another'),
        ({"age": pa.array([1.0, 2.0, 2.5])}, 'row 3, column "age": not an integer'),
        ({"member": pa.array([0, 1, 2])}, 'row 3, column "member": not a boolean'),
        ({"shop": pa.array(["fuel", "x", ""])}, 'row 2, column "shop": unknown category'),
        ({"shop": pa.array([1.0, 2.0, 3.0])}, 'column "shop": the file stores another type'),
        ({"y": pa.array([0, 1, 2])}, 'row 3, column "y": a label other than 0 and 1'),
        ({"y": pa.array([1, 1, 1])}, 'column "y": all labels are the same'),
        ({"y": None}, 'column "y": the column is missing'),
        ({"amount": pa.nulls(3)}, 'row 1, column "amount": missing value'),
    ],
)
def test_parquet(tmp_path: Path, changes: dict[str, Any], expected: str) -> None:
    path = tmp_path / "bank.parquet"
    pq.write_table(pa.table(arrays(**changes)), path)
    violations = check(path, SCHEMA).violations
    assert str(violations[0]).startswith(expected)
    with pytest.raises(DataError) as caught:
        spool(path, SCHEMA)
    assert str(violations[0]) in caught.value.message


def test_good_files_pass(tmp_path: Path) -> None:
    findings = check(write(tmp_path, HEADER, *GOOD), SCHEMA)
    assert (findings.rows, findings.total, findings.violations) == (3, 0, ())
    findings.raise_if_any()
    pq.write_table(pa.table(arrays()), tmp_path / "bank.parquet")
    assert check(tmp_path / "bank.parquet", SCHEMA).total == 0


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_other_separators_column_order_and_extra_columns(tmp_path: Path, separator: str) -> None:
    rows = ["id,y,shop,member,age,amount", "7,0,fuel,1,30,1.5", "8,1,fuel,0,31,2"]
    path = write(tmp_path, *(row.replace(",", separator) for row in rows), end="\r\n")
    assert check(path, SCHEMA).total == 0


def test_lines_are_counted_as_an_editor_does(tmp_path: Path) -> None:
    """Byte order mark, blank lines, quoted line breaks, ragged lines before the error."""
    schema = Schema(
        label="y",
        columns=(Column("t", "category", categories=("a\nb", "c")), Column("y", "boolean")),
    )
    lines = ["\ufefft,y", '"a\nb",0', "", '"c",1', "c", "c,1", "d,0"]
    violations = check(write(tmp_path, *lines), schema).violations
    assert [str(v) for v in violations] == [
        "line 6: more or fewer fields than the header",
        'line 8, column "t": unknown category',
    ]


def test_several_problems_are_listed_up_to_a_limit(tmp_path: Path) -> None:
    bad = ["101,x,1,fuel,0", "102,121,maybe,fuel,7"]
    path = write(tmp_path, HEADER, *GOOD, *bad)
    findings = check(path, SCHEMA, limit=4)
    assert findings.total == 6
    assert [str(v) for v in findings.violations] == [
        'line 5, column "amount": outside the bounds',
        'line 5, column "age": not a number',
        'line 6, column "amount": outside the bounds',
        'line 6, column "age": outside the bounds',
    ]
    with pytest.raises(DataError, match=r"\(and 5 more\)"):
        findings.raise_if_any()


def test_lines_are_right_far_into_a_file(tmp_path: Path) -> None:
    lines = [GOOD[0], GOOD[1]] * 100_000
    lines[170_001] = "1,30,1,fuel,5"
    findings = check(write(tmp_path, HEADER, *lines), SCHEMA)
    assert [str(v) for v in findings.violations] == [
        'line 170003, column "y": a label other than 0 and 1'
    ]
    assert findings.rows == 200_000


def damaged_parquet(path: Path) -> None:
    pq.write_table(pa.table(arrays()), path)
    path.write_bytes(path.read_bytes()[:-20])


@pytest.mark.parametrize(
    ("make", "text", "code"),
    [
        (lambda p: None, "No such file", "TC-2100"),
        (lambda p: p.mkdir(), "Is a directory", "TC-2100"),
        (lambda p: p.write_bytes(b""), "there are no rows", "TC-2110"),
        (lambda p: p.write_bytes(b"\n \n"), "there are no rows", "TC-2110"),
        (lambda p: p.write_bytes(b"a\0b"), "neither CSV text nor Parquet", "TC-2100"),
        (lambda p: p.write_bytes(b"\x1f\x8b123"), "compressed", "TC-2100"),
        (lambda p: p.write_bytes(b"amount,\xff\n1,2\n"), "not UTF-8", "TC-2100"),
        (lambda p: p.write_bytes(b"a,b,a\n1,2,3\n"), 'column "a": two columns', "TC-2112"),
        (damaged_parquet, "damaged or cut short", "TC-2100"),
        (lambda p: pq.write_table(pa.table(arrays()).slice(0, 0), p), "no rows", "TC-2110"),
    ],
)
def test_files_that_are_no_tables(
    tmp_path: Path, make: Callable[[Path], object], text: str, code: str
) -> None:
    path = tmp_path / "bank"
    make(path)
    for attempt in (lambda: check(path, SCHEMA), lambda: spool(path, SCHEMA)):
        with pytest.raises(DataError, match=text) as caught:
            attempt()
        assert caught.value.code == code


def test_header_alone_and_missing_columns(tmp_path: Path) -> None:
    assert str(check(write(tmp_path, HEADER), SCHEMA).violations[0]) == "there are no rows"
    findings = check(write(tmp_path, "amount,Age,member,shop", "1,2,1,fuel"), SCHEMA)
    assert [str(v) for v in findings.violations] == [
        'column "age": the column is missing; the file has "Age"',
        'column "y": the column is missing',
    ]
    with pytest.raises(DataError, match="there are no rows"):
        spool(write(tmp_path, HEADER), SCHEMA)


def test_bytes_that_are_not_text_in_the_middle(tmp_path: Path) -> None:
    path = tmp_path / "bank.csv"
    rows = "\n".join([HEADER, *GOOD * 10_000]).encode()
    path.write_bytes(rows + b"\n1,30,1,f\xff,0\n")
    with pytest.raises(DataError, match="not UTF-8"):
        check(path, SCHEMA)


def test_other_parties_hear_neither_where_nor_what(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER, GOOD[0], f"{SECRET},30,1,fuel,0")
    with pytest.raises(DataError) as caught:
        spool(path, SCHEMA, owner="bank_a")
    assert caught.value.parties == ("bank_a",)
    notice = notice_for_others(caught.value, "bank_a")
    for word in ("line", "amount", "bounds", str(path), SECRET):
        assert word not in str(notice)
    assert notice.parties == ("bank_a",)


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@SUM(1)", " =1"])
def test_names_of_columns_are_no_formulas_in_the_list_of_errors(tmp_path: Path, name: str) -> None:
    """A spreadsheet that opens the list would compute what another owner wrote into the schema."""
    columns = (Column(name, "number", bounds=(0, 1)), Column("y", "boolean"))
    path = tmp_path / "bank.csv"
    path.write_text(f"{name},y\n7,0\n")
    found = check(path, Schema(label="y", columns=columns))
    lines = found.save(tmp_path / "errors.csv").read_text().splitlines()
    assert len(lines) == 2
    assert f",'{name}," in lines[1]
