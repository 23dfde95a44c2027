"""Schemas inferred from the owners' own files, and made one."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit.errors import DataError, SchemaError
from tacit.tables import Column, Draft, Schema, check, draft, merge
from tacit.tables.drafts import MAX_CATEGORIES

CSV = "amount,age,flag,vip,shop,y\n3.5,17,0,true,fuel,0\n-1,64,1,false,grocery,1\n"


def write(tmp_path: Path, text: str, name: str = "a.csv") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_types_and_orders_of_magnitude(tmp_path: Path) -> None:
    found = draft(write(tmp_path, CSV), "y")
    assert found.columns == (
        Column("amount", "number", bounds=(-1, 4)),
        Column("age", "integer", bounds=(0, 64)),
        Column("flag", "integer", bounds=(0, 1)),
        Column("vip", "boolean"),
        Column("shop", "category"),
        Column("y", "boolean"),
    )


def test_categories_only_by_consent(tmp_path: Path) -> None:
    path = write(tmp_path, CSV)
    assert b"fuel" not in draft(path, "y").to_bytes()
    shared = draft(path, "y", share_categories=True)
    assert shared.columns[4].categories == ("fuel", "grocery")


@given(st.lists(st.floats(-1e9, 1e9), min_size=1))
def test_only_powers_of_two_enclose_the_values(values: list[float]) -> None:
    from tacit.tables.inference import _widened

    low, high = _widened(min(values), max(values))
    assert low <= min(values)
    assert max(values) <= high
    for bound, value in ((low, min(values)), (high, max(values))):
        mantissa, _ = np.frexp(abs(bound))
        assert bound in (0, 1) or mantissa == 0.5
        assert bound in (0, 1) or abs(bound) < 2 * abs(value)


def test_parquet_types(tmp_path: Path) -> None:
    table = pa.table(
        {
            "n": pa.array([0.25, 0.5, None]),
            "i": pa.array([1, 2, 3], pa.uint8()),
            "b": [True, False, None],
            "c": pa.array(["x", "y", None]).dictionary_encode(),
            "y": [0, 1, 1],
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    found = draft(tmp_path / "a.parquet", "y", share_categories=True, missing="mean")
    assert found.columns == (
        Column("n", "number", bounds=(0, 0.5), missing="mean"),
        Column("i", "integer", bounds=(0, 4), missing="mean"),
        Column("b", "boolean", missing="mean"),
        Column("c", "category", categories=("x", "y"), missing="category"),
        Column("y", "boolean"),
    )
    assert check(tmp_path / "a.parquet", merge({"a": found})).total == 0


def test_excluded_columns_are_not_drafted(tmp_path: Path) -> None:
    found = draft(write(tmp_path, CSV), "y", exclude=["shop", "vip"])
    assert [column.name for column in found.columns] == ["amount", "age", "flag", "y"]


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("x,z\n1,2\n", DataError, 'column "y": the column is missing'),
        ("x,y\n1,2\n", DataError, 'line 2, column "y": a label other than'),
        ("x,y\n1,\n", DataError, 'line 2, column "y": missing value'),
        ("x,y\ninf,1\n", DataError, 'line 2, column "x": infinity'),
        ("x,y\n1,1\n" * 1 + "2,0\n" * 99 + "1o,0\n", DataError, 'line 102, column "x": not a num'),
        ("x,y\n1,1,2\n", DataError, "line 2: more or fewer fields"),
        ("x,y\n,1\n,0\n", SchemaError, 'column "x" cannot be a feature: it has no values'),
        ("x,y\n", DataError, "there are no rows"),
        (
            "x,y\n" + "".join(f"n{i},1\n" for i in range(MAX_CATEGORIES + 1)),
            SchemaError,
            "more than 1,000 different texts",
        ),
    ],
)
def test_what_cannot_be_drafted(
    tmp_path: Path, text: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        draft(write(tmp_path, text), "y")


def test_dates_become_whole_years(tmp_path: Path) -> None:
    times = pa.array([1_700_000_000, None, 1_720_000_000], pa.timestamp("s"))
    pq.write_table(pa.table({"when": times, "y": [0, 1, 1]}), tmp_path / "a.parquet")
    found = draft(tmp_path / "a.parquet", "y", missing="mean")
    assert found.columns[0] == Column(
        "when", "date", bounds=("2023-01-01", "2024-12-31"), missing="mean"
    )
    assert check(tmp_path / "a.parquet", merge({"a": found})).total == 0


def test_what_is_no_feature_names_owner_and_column(tmp_path: Path) -> None:
    table = pa.table({"when": pa.array([0, 1], pa.time64("us")), "y": [0, 1]})
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(SchemaError, match='"when" cannot be a feature') as caught:
        draft(tmp_path / "a.parquet", "y", owner="bank_a")
    assert caught.value.code == "TC-2206"
    assert caught.value.parties == ("bank_a",)


def owners() -> dict[str, Draft]:
    label = Column("y", "boolean")
    return {
        "c": Draft(
            "y",
            (
                label,
                Column("k", "category", categories=("z", "a")),
                Column("f", "boolean"),
                Column("x", "number", bounds=(-2, 4)),
            ),
        ),
        "a": Draft(
            "y",
            (
                Column("x", "integer", bounds=(0, 16)),
                Column("f", "integer", bounds=(0, 1)),
                Column("k", "category", categories=("m",)),
                label,
            ),
        ),
        "b": Draft(
            "y",
            (
                Column("x", "integer", bounds=(-8, 0)),
                Column("f", "integer", bounds=(0, 1)),
                Column("k", "category", categories=("a", "m")),
                label,
            ),
        ),
    }


def test_merging_is_the_same_in_every_order() -> None:
    expected = Schema(
        label="y",
        columns=(
            Column("x", "number", bounds=(-8, 16)),
            Column("f", "boolean"),
            Column("k", "category", categories=("a", "m", "z")),
            Column("y", "boolean"),
        ),
    )
    for order in itertools.permutations(owners().items()):
        assert merge(dict(order)) == expected


def replaced(owner: str, index: int, column: Column | None) -> dict[str, Draft]:
    drafts = owners()
    columns = list(drafts[owner].columns)
    columns[index : index + 1] = [] if column is None else [column]
    return {**drafts, owner: Draft("y", tuple(columns))}


def test_all_columns_that_can_be_no_features_are_named_at_once(tmp_path: Path) -> None:
    rows = "".join(f",n{i},1,{i % 2}\n" for i in range(MAX_CATEGORIES + 1))
    with pytest.raises(SchemaError) as caught:
        draft(write(tmp_path, "empty,name,fine,y\n" + rows), "y", owner="bank_a")
    first, second = caught.value.message.split("\n")
    assert 'column "empty" cannot be a feature: it has no values' in first
    assert 'column "name" cannot be a feature: it has more than' in second
    assert caught.value.parties == ("bank_a",)


def test_all_columns_that_are_not_known_to_all_are_named_at_once() -> None:
    def drafted(*shown: str) -> Draft:
        texts = {name: ("s", "t") if name in shown else None for name in ("city", "shop", "job")}
        columns = [Column(name, "category", categories=texts[name]) for name in texts]
        return Draft(
            "y", (*columns, Column("age", "integer", private=True), Column("y", "boolean"))
        )

    with pytest.raises(SchemaError) as caught:
        merge({"a": drafted("shop"), "b": drafted()})
    assert caught.value.code == "TC-2204"
    assert caught.value.parties == ("a", "b")
    assert caught.value.message == (
        'Not known to all: the categories of "city", "job", which a, b did not show; the categories'
        ' of "shop", which b did not show; the bounds of "age", which a, b did not show.'
    )


@pytest.mark.parametrize(
    ("drafts", "owner", "code", "texts"),
    [
        (replaced("b", 0, None), "b", "TC-2202", ['b lacks "x"']),
        (
            replaced("b", 0, Column("w", "integer", bounds=(0, 1))),
            "b",
            "TC-2202",
            ['b lacks "x"', 'a lacks "w", which b has'],
        ),
        (replaced("c", 3, Column("x", "category")), "c", "TC-2203", ['"x"', "category"]),
        (replaced("b", 1, Column("f", "integer", bounds=(0, 4))), "c", "TC-2203", ['"f"']),
        (replaced("b", 2, Column("k", "category")), "b", "TC-2204", ['"k"', "--share-categories"]),
        (
            {
                **replaced("b", 0, Column("x", "number", bounds=(0, 1), missing="mean")),
                "c": Draft(
                    "y",
                    (*owners()["c"].columns[:3], Column("x", "number", (0, 1), missing="zero")),
                ),
            },
            "c",
            "TC-2205",
            ['"x"', "mean"],
        ),
        ({**owners(), "b": Draft("f", owners()["b"].columns)}, "b", "TC-2205", ['"f"']),
    ],
)
def test_mismatches_name_party_and_column(
    drafts: dict[str, Draft], owner: str, code: str, texts: list[str]
) -> None:
    with pytest.raises(SchemaError) as caught:
        merge(drafts)
    assert caught.value.code == code
    assert owner in caught.value.parties
    for text in [owner, *texts]:
        assert text in str(caught.value)


def test_drafts_travel_as_bytes() -> None:
    for mine in owners().values():
        assert Draft.from_bytes(mine.to_bytes(), "a") == mine


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b'{"label": "y"}',
        b'{"label": "y", "columns": [{"name": "x", "type": "number", "bounds": [2, 1]}]}',
        b'{"label": "y", "columns": [], "more": 1}',
        b" " * (17 << 20),
    ],
)
def test_malformed_drafts_name_the_party(data: bytes) -> None:
    with pytest.raises(SchemaError, match="bank_b's schema is malformed") as caught:
        Draft.from_bytes(data, "bank_b")
    assert caught.value.parties == ("bank_b",)
