"""``tacit schema``: what it prints, and what others may have written into a draft."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tacit.cli.app import app
from tacit.cli.signoff import digest_of
from tacit.errors import DataError, SchemaError
from tacit.tables import Column, Schema

SCHEMA = Schema(
    label="y",
    columns=(
        Column("x", "number", bounds=(0, 1024), unit="EUR", clip=(0.01, 0.99)),
        Column("d", "date", bounds=("2020-01-01", "2024-12-31"), parts=("month",)),
        Column("c", "category", categories=("[/]", "a\x1b[31mb"), encode="target", private=True),
        Column("y", "boolean"),
    ),
)


def test_show_and_sign_print_the_digest_and_nothing_that_a_terminal_obeys(tmp_path: Path) -> None:
    path = SCHEMA.save(tmp_path / "schema.json")
    shown = CliRunner().invoke(app, ["schema", "show", str(path)])
    assert shown.exit_code == 0
    assert SCHEMA.digest().hex() in shown.stdout
    assert "\x1b[31m" not in shown.stdout
    assert "[/]" in shown.stdout
    assert shown.stdout.count("private") == 2  # the column, and what that means
    note = tmp_path / "a.signoff.json"
    signed = CliRunner().invoke(
        app, ["schema", "sign", str(path), "--name", "bank_a", "-o", str(note)]
    )
    assert signed.exit_code == 0
    assert digest_of(str(note)) == SCHEMA.digest().hex() == digest_of(SCHEMA.digest().hex().upper())
    assert json.loads(note.read_text())["name"] == "bank_a"
    assert digest_of(None) == ""


def test_what_a_draft_keeps_back_is_said_to_its_owner(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,c,y\n4711,fuel,0\n,bar,1\n")
    words = ["schema", "infer", str(tmp_path / "a.csv"), "--label", "y", "--private"]
    drafted = CliRunner().invoke(app, [*words, "x", "--private", "c"])
    assert "fuel" not in drafted.stdout
    assert json.loads(drafted.stdout)["columns"][0] == {
        "name": "x",
        "type": "integer",
        "private": True,
    }
    assert 'write "missing": "mean" into it' in drafted.stderr
    for name in ("y", "z"):
        refused = CliRunner().invoke(app, [*words, name])
        assert isinstance(refused.exception, SchemaError)
        assert refused.exception.code == "TC-2206"


def test_a_model_that_would_tell_of_a_private_column_is_not_trained(tmp_path: Path) -> None:
    path = SCHEMA.save(tmp_path / "schema.json")
    words = [
        "train",
        *(f"{n}={tmp_path / 'a.csv'}" for n in "abc"),
        "-s",
        str(path),
        "--label",
        "y",
    ]
    (tmp_path / "a.csv").touch()
    refused = CliRunner().invoke(app, words)
    assert isinstance(refused.exception, SchemaError)
    assert refused.exception.code == "TC-2217"


@pytest.mark.parametrize("text", ["", "abc", "g" * 64, "0" * 63, "/", "no such file"])
def test_what_is_no_sign_off_is_refused(text: str) -> None:
    with pytest.raises(SchemaError) as caught:
        digest_of(text)
    assert caught.value.code == "TC-2209"


@pytest.mark.parametrize(
    ("entry", "value", "where"),
    [
        ("clip", [0.5, 0.5], "clip"),
        ("clip", [-0.1, 0.5], "clip"),
        ("encode", "target", "encode"),
        ("parts", ["month"], "parts"),
        ("bounds", ["2020-01-01", "2024-12-31"], "bounds"),
        ("unit", "x" * 201, "unit"),
    ],
)
def test_preparation_that_makes_no_sense_is_named(entry: str, value: object, where: str) -> None:
    data = json.loads(
        json.dumps(
            {
                "label": "y",
                "columns": [
                    {"name": "x", "type": "number", "bounds": [0, 1]},
                    {"name": "y", "type": "boolean"},
                ],
                "version": 2,
            }
        )
    )
    data["columns"][0][entry] = value
    with pytest.raises(SchemaError, match=rf'columns\[0\] \("x"\)\.{where}'):
        Schema.from_bytes(json.dumps(data).encode())


@pytest.mark.parametrize(
    "bounds",
    [
        ["20240101", "2024-12-31"],
        ["2024-W01-1", "2024-12-31"],
        ["2024-02-30", "2025-01-01"],
        ["2025-01-01", "2024-01-01"],
        [0, 1],
        ["2024-01-01", 5],
    ],
)
def test_bounds_of_dates_are_written_in_one_way(bounds: list[object]) -> None:
    data = {
        "version": 2,
        "label": "y",
        "columns": [
            {"name": "d", "type": "date", "bounds": bounds},
            {"name": "y", "type": "boolean"},
        ],
    }
    with pytest.raises(SchemaError, match=r"\.bounds"):
        Schema.from_bytes(json.dumps(data).encode())


def test_version_1_keeps_its_digest_and_knows_no_preparation() -> None:
    plain = b'{"version": 1, "label": "y", "columns": [{"name": "x", "type": "number",'
    plain += b'"bounds": [0, 8]}, {"name": "y", "type": "boolean"}]}'
    old = Schema.from_bytes(plain)
    assert old.digest().hex() == DIGEST_OF_VERSION_1
    with pytest.raises(SchemaError, match="need version 2"):
        Schema.from_bytes(plain.replace(b'"bounds"', b'"clip": [0, 0.9], "bounds"'))


DIGEST_OF_VERSION_1 = "d18442dd5f2ed8dd8efa08be8930b81d02cc9f83f1c88057072b6d4e6e2796c8"


def test_a_label_that_the_schema_does_not_predict_and_a_file_that_is_not_there(
    tmp_path: Path,
) -> None:
    path = SCHEMA.save(tmp_path / "schema.json")
    files = {name: tmp_path / f"{name}.csv" for name in ("a", "b", "c")}
    words = ["train", *(f"{name}={file}" for name, file in files.items()), "-s", str(path)]
    gone = CliRunner().invoke(app, [*words, "--label", "y"])
    assert isinstance(gone.exception, DataError)
    assert "a.csv" in gone.exception.message
    for file in files.values():
        file.touch()
    other = CliRunner().invoke(app, [*words, "--label", "x"])
    assert isinstance(other.exception, SchemaError)
    assert 'predicts "y", and --label says "x"' in other.exception.message
