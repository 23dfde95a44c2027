"""Schemas: laws of the digest, and malformed files that say where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit.errors import SchemaError, StorageError
from tacit.tables import Column, Schema

names = st.text(st.characters(codec="utf-8", exclude_characters="="), min_size=1, max_size=8)
bounds = st.tuples(st.floats(-1e6, -1.0), st.floats(1.0, 1e6))


@st.composite
def columns(draw: st.DrawFn, name: str) -> Column:
    kind = draw(st.sampled_from(["number", "integer", "boolean", "category"]))
    if kind in ("number", "integer"):
        missing = draw(st.sampled_from(["refuse", "zero", "mean"]))
        return Column(name, kind, bounds=draw(bounds), missing=missing)
    if kind == "boolean":
        return Column(name, kind, missing=draw(st.sampled_from(["refuse", "zero", "mean"])))
    categories = tuple(draw(st.lists(names, min_size=1, max_size=4, unique=True)))
    return Column(
        name, "category", categories=categories, missing=draw(st.sampled_from(["refuse", "zero"]))
    )


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    unique = draw(st.lists(names, min_size=2, max_size=5, unique=True))
    label, *rest = unique
    return Schema(
        label=label,
        columns=(*(draw(columns(name)) for name in rest), Column(label, "boolean")),
    )


EXAMPLE: dict[str, Any] = {
    "version": 1,
    "label": "y",
    "columns": [
        {"name": "x", "type": "number", "bounds": [0, 8]},
        {"name": "c", "type": "category", "categories": ["a", "b"]},
        {"name": "y", "type": "boolean"},
    ],
}


def changed(path: str, value: Any) -> bytes:
    """The example with one entry set; ``columns.0.bounds`` names it."""
    data = json.loads(json.dumps(EXAMPLE))
    *walk, last = path.split(".")
    place = data
    for step in walk:
        place = place[int(step)] if step.isdigit() else place[step]
    place[last] = value
    return json.dumps(data).encode()


@given(schemas(), schemas())
def test_equal_schemas_and_only_they_have_equal_digests(a: Schema, b: Schema) -> None:
    assert (a == b) == (a.canonical() == b.canonical()) == (a.digest() == b.digest())


@given(schemas())
def test_a_file_keeps_schema_and_digest(schema: Schema) -> None:
    again = Schema.from_bytes(msgspec.json.encode(schema))
    assert again == schema
    assert again.digest() == schema.digest()


@given(schemas())
def test_key_order_and_white_space_do_not_count(schema: Schema) -> None:
    data = json.loads(msgspec.json.encode(schema))
    data["columns"] = [dict(reversed(column.items())) for column in data["columns"]]
    text = json.dumps(dict(reversed(data.items())), indent=3)
    assert Schema.from_bytes(text.encode()).digest() == schema.digest()


def test_integers_negative_zero_and_explicit_defaults_are_the_same_schema() -> None:
    plain = Schema.from_bytes(json.dumps(EXAMPLE).encode())
    assert Schema.from_bytes(changed("columns.0.bounds", [-0.0, 8.0])).digest() == plain.digest()
    assert Schema.from_bytes(changed("columns.0.missing", "refuse")).digest() == plain.digest()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("columns.0.bounds", [0, 9]),
        ("columns.0.missing", "mean"),
        ("columns.0.name", "x2"),
        ("columns.0.type", "integer"),
        ("columns.1.categories", ["b", "a"]),
    ],
)
def test_every_entry_is_in_the_digest(path: str, value: Any) -> None:
    plain = Schema.from_bytes(json.dumps(EXAMPLE).encode())
    assert Schema.from_bytes(changed(path, value)).digest() != plain.digest()


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        ("columns.0.type", "numbr", "$.columns[0].type"),
        ("columns.0.bounds", [8, 0], 'columns[0] ("x").bounds'),
        ("columns.0.bounds", [0, 1e300], 'columns[0] ("x").bounds'),
        ("columns.0.bounds", None, 'columns[0] ("x").bounds'),
        ("columns.0.bounds", [1, 2, 3], "$.columns[0].bounds"),
        ("columns.0.name", "", "columns[0]"),
        ("columns.0.name", "y", 'columns[2] ("y")'),
        ("columns.0.missing", "category", 'columns[0] ("x").missing'),
        ("columns.0.colour", "red", "$.columns[0]"),
        ("columns.1.categories", None, 'columns[1] ("c").categories'),
        ("columns.1.categories", [], 'columns[1] ("c").categories'),
        ("columns.1.categories", ["a", "a"], 'columns[1] ("c").categories'),
        ("columns.1.categories", [""], 'columns[1] ("c").categories'),
        ("columns.1.missing", "mean", 'columns[1] ("c").missing'),
        ("columns.1.bounds", [0, 1], 'columns[1] ("c").bounds'),
        ("columns.2.missing", "zero", "label"),
        ("columns.2.type", "integer", 'columns[2] ("y").bounds'),
        ("label", "z", "label"),
        ("label", "c", "label"),
        ("columns", [{"name": "y", "type": "boolean"}], "columns"),
        ("columns.0.name", "c=a", 'columns[0] ("c=a")'),
    ],
)
def test_a_malformed_entry_is_named(path: str, value: Any, where: str) -> None:
    if where == 'columns[0] ("c=a")':  # Same name as a feature of the category column.
        value, where = "c=a", "columns"
    with pytest.raises(SchemaError) as caught:
        Schema.from_bytes(changed(path, value), source="joint.json")
    assert where in caught.value.message
    assert caught.value.message.startswith("joint.json")
    assert caught.value.code == "TC-2201"
    assert caught.value.next_step


def test_missing_zero_must_lie_within_the_bounds() -> None:
    column = Column("x", "number", bounds=(1, 2), missing="zero")
    with pytest.raises(SchemaError, match="0 lies outside"):
        Schema(label="y", columns=(column, Column("y", "boolean")))


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff\xfe", b'{"version": "1"}', b"null"])
def test_what_is_no_schema_is_refused(data: bytes) -> None:
    with pytest.raises(SchemaError, match="is malformed"):
        Schema.from_bytes(data)


def test_another_version_is_refused_as_such() -> None:
    with pytest.raises(SchemaError, match="format version 3") as caught:
        Schema.from_bytes(b'{"version": 3, "rows": []}')
    assert caught.value.code == "TC-2200"


def test_files_that_cannot_be_read_or_written(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="cannot be read: No such file"):
        Schema.load(tmp_path / "none.json")
    schema = Schema.from_bytes(json.dumps(EXAMPLE).encode())
    with pytest.raises(StorageError, match="cannot be written"):
        schema.save(tmp_path / "none" / "schema.json")
    assert Schema.load(schema.save(tmp_path / "schema.json")) == schema


def test_features_in_order() -> None:
    schema = Schema(
        label="y",
        columns=(
            Column("y", "boolean"),
            Column("c", "category", categories=("b", "a"), missing="category"),
            Column("x", "number", bounds=(0, 1)),
        ),
    )
    assert schema.features == ("c=b", "c=a", "c=(missing)", "x")
    assert [column.name for column in schema.inputs] == ["c", "x"]
    with pytest.raises(SchemaError, match="no column 'z'"):
        schema.column("z")
