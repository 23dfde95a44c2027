"""Columns that a schema marks private: what drafts, merging and comparisons leave out."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from tacit.errors import SchemaError
from tacit.tables import (
    Column,
    Draft,
    Schema,
    check,
    infer,
    merge,
    private_columns,
    profile,
    profiles_of,
    refuse_private_groups,
    refuse_readable_preparation,
    spool,
)

HIDDEN = ("age", "shop", "born")

SCHEMA = Schema(
    label="y",
    columns=(
        Column("age", "integer", bounds=(0, 128), private=True),
        Column("shop", "category", categories=("bar", "fuel"), private=True),
        Column("debt", "number", bounds=(0, 8)),
        Column("y", "boolean"),
    ),
)


def write(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.write_text("\n".join(("age,shop,born,y", *lines)) + "\n")
    return path


def test_drafts_are_the_same_whatever_is_in_private_columns(tmp_path: Path) -> None:
    one = write(tmp_path, "a.csv", "17,fuel,1999-02-01,0", "18,bar,2001-03-04,1")
    # Other orders of magnitude, texts and years, and missing values.
    other = write(tmp_path, "b.csv", "99000,café,1900-01-01,0", ",,,1")
    drafts = [infer(path, "y").draft.private(HIDDEN) for path in (one, other)]
    assert drafts[0].to_bytes() == drafts[1].to_bytes()
    public = [infer(path, "y").draft for path in (one, other)]
    assert public[0].to_bytes() != public[1].to_bytes()


def test_one_owners_word_makes_a_column_private(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "17,fuel,1999-02-01,0", "18,bar,2001-03-04,1")
    mine = infer(path, "y").draft.private(HIDDEN)
    theirs = infer(path, "y").draft
    joint = merge({"a": mine, "b": theirs})
    assert private_columns(joint) == HIDDEN
    assert joint == merge({"b": theirs, "a": mine})
    assert joint.columns[0].bounds == theirs.columns[0].bounds
    assert check(path, joint).total == 0
    with pytest.raises(SchemaError, match="without looking at the data") as caught:
        merge({"a": mine, "b": mine})
    assert caught.value.code == "TC-2204"


def test_bounds_that_an_owner_writes_in_are_taken(tmp_path: Path) -> None:
    columns = (Column("age", "integer", private=True), Column("y", "boolean"))
    silent = Draft("y", columns)
    written = Draft("y", (msgspec.structs.replace(columns[0], bounds=(0, 120)), columns[1]))
    path = written.save(tmp_path / "b.json")
    joint = merge({"a": silent, "b": Draft.load(path)})
    assert joint.columns[0] == Column("age", "integer", bounds=(0, 120), private=True)
    # With its bounds a draft is a schema; without them it says what is lacking.
    assert Schema.load(path) == joint
    with pytest.raises(SchemaError, match="does not tell those of a private column"):
        Schema.load(silent.save(tmp_path / "a.json"))
    named = Draft("y", (Column("shop", "category", private=True), columns[1]))
    with pytest.raises(SchemaError, match="does not tell those of a private column"):
        Schema.load(named.save(tmp_path / "c.json"))
    public = Draft("y", (Column("age", "integer"), columns[1]))
    with pytest.raises(SchemaError, match="need bounds"):
        Draft.from_bytes(public.to_bytes(), "mallory")


def test_the_mark_is_signed() -> None:
    public = msgspec.structs.replace(
        SCHEMA, columns=tuple(msgspec.structs.replace(c, private=False) for c in SCHEMA.columns)
    )
    assert public.digest() != SCHEMA.digest()
    assert Schema.from_bytes(msgspec.json.encode(SCHEMA)) == SCHEMA
    assert b"private" not in msgspec.json.encode(public)


@pytest.mark.parametrize(
    ("column", "version", "where"),
    [
        (Column("y", "boolean", private=True), 2, "label: every metric"),
        (Column("z", "boolean", private=True), 1, "version: .* need version 2"),
    ],
)
def test_labels_and_old_versions_know_no_privacy(column: Column, version: int, where: str) -> None:
    columns = [column, Column("x", "boolean")]
    columns += [Column("y", "boolean")] if column.name != "y" else []
    with pytest.raises(SchemaError, match=where):
        Schema(version=version, label="y", columns=tuple(columns))


def test_rows_of_private_columns_are_not_counted(tmp_path: Path) -> None:
    counts = []
    for number, (age, shop) in enumerate(((17, "bar"), (90, "fuel"))):
        path = tmp_path / f"{number}.csv"
        path.write_text("age,shop,debt,y\n" + f"{age},{shop},7,1\n" * 3 + f"{age},{shop},1,0\n")
        with spool(path, SCHEMA) as rows:
            counts.append(profile(rows, profiles_of(SCHEMA)))
    assert [item.column for item in profiles_of(SCHEMA)] == ["debt", "y"]
    np.testing.assert_array_equal(counts[0], counts[1])
    assert counts[0][:32].sum() == 4
    assert counts[0][16:32].sum() == 3  # the debts of 7, and not another column's values
    assert counts[0][32:].tolist() == [1, 3]


def test_groups_and_preparation_that_would_tell_are_refused() -> None:
    refuse_private_groups(SCHEMA, "debt")
    refuse_private_groups(SCHEMA, "no such column")
    with pytest.raises(SchemaError, match='"age"') as caught:
        refuse_private_groups(SCHEMA, "age")
    assert caught.value.code == "TC-2216"
    for change, told in (
        ({"clip": (0.1, 0.9)}, "quantiles"),
        ({"encode": "target"}, "label means"),
    ):
        place = 0 if "clip" in change else 1
        columns = list(SCHEMA.columns)
        columns[place] = msgspec.structs.replace(columns[place], **change)
        prepared = msgspec.structs.replace(SCHEMA, columns=tuple(columns))
        refuse_readable_preparation(prepared, ())
        with pytest.raises(SchemaError, match=told) as caught:
            refuse_readable_preparation(prepared, ("bank",))
        assert caught.value.code == "TC-2217"
        columns[place] = msgspec.structs.replace(columns[place], private=False)
        shown = msgspec.structs.replace(SCHEMA, columns=tuple(columns))
        refuse_readable_preparation(shown, ("bank",))
