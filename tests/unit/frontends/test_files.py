"""Owners' files as inputs of programs: every format, and every way to be wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tacit
from tacit.errors import DataError, ProgramError
from tacit.frontends.files import read_inputs
from tacit.programs.graph import Input, ValueType
from tacit.programs.program import Program

MATRIX = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.5]])
SECRET = "77177.25"
"""A value that no error may hold."""


def inputs(*specs: tacit.ArraySpec, **named: tacit.ArraySpec) -> tuple[Input, ...]:
    def keep(*arrays: Any, **others: Any) -> list[Any]:
        return [*arrays, *others.values()]

    program: Program = tacit.trace(keep, *specs, **named)
    return program.inputs


MATRIX_INPUT = inputs(x=tacit.ArraySpec((3, 2), owner="a", bounds=(0, 10)))
PAIR = inputs(
    wage=tacit.ArraySpec((3,), owner="a", bounds=(0, 10)),
    old=tacit.ArraySpec((3,), tacit.bool, owner="a"),
)


def read(path: Path, wanted: tuple[Input, ...] = MATRIX_INPUT) -> dict[str, Any]:
    return read_inputs([("", str(path))], wanted)


def test_one_matrix_from_every_format(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", MATRIX)
    np.savez(tmp_path / "x.npz", x=MATRIX, y=MATRIX)
    (tmp_path / "x.json").write_text(json.dumps(MATRIX.tolist()))
    (tmp_path / "y.json").write_text(json.dumps({"x": MATRIX.tolist(), "z": 1}))
    (tmp_path / "x.csv").write_text("p;q\n1;2\n3;4\n5;6.5\n")
    pq.write_table(pa.table({"p": MATRIX[:, 0], "q": MATRIX[:, 1]}), tmp_path / "x.parquet")
    for path in tmp_path.iterdir():
        np.testing.assert_array_equal(read(path)["x"], MATRIX)


def test_several_inputs_are_taken_by_name(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("name,old,wage\n" + "a,true,1\nb,False,2\nc,true,3\n")
    found = read(tmp_path / "x.csv", PAIR)
    np.testing.assert_array_equal(found["wage"], [1, 2, 3])
    assert found["old"].dtype == np.bool_
    np.testing.assert_array_equal(found["old"], [True, False, True])


def test_a_named_file_goes_before_the_others(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(json.dumps({"wage": [1, 2, 3], "old": [0, 0, 1]}))
    np.save(tmp_path / "w.npy", np.array([3.0, 2.0, 1.0]))
    files = [("", str(tmp_path / "x.json")), ("wage", str(tmp_path / "w.npy"))]
    np.testing.assert_array_equal(read_inputs(files, PAIR)["wage"], [3, 2, 1])


def test_whole_numbers_stay_what_they_are(tmp_path: Path) -> None:
    (wanted,) = inputs(x=tacit.ArraySpec((2,), tacit.int64, owner="a"))
    (tmp_path / "x.json").write_text("[1, 9007199254740993]")
    assert read(tmp_path / "x.json", (wanted,))["x"].tolist() == [1, 9007199254740993]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("x.csv", f"p,q\n1,2\n3,4\n5,{SECRET}x\n", "TC-1592"),
        ("x.csv", "p,q\n1,2\n3,4\n5,\n", "TC-1592"),
        ("x.csv", "p,q\n1,2\n3,4\n5,6,7\n", "TC-1592"),
        ("x.csv", "1,2\n3,4\n5,6\n7,8\n", "TC-1592"),
        ("x.csv", "p,q\n1,2\n", "TC-1593"),
        ("x.csv", f"p,q\n1,2\n3,4\n5,{SECRET}\n", "TC-1594"),
        ("x.csv", "p,q\n1,2\n3,4\n5,nan\n", "TC-1594"),
        ("x.csv", "", "TC-2110"),
        ("x.json", "[[1, 2], [3]]", "TC-1592"),
        ("x.json", "[[1, 2], [3, 4], [5, null]]", "TC-1593"),
        ("x.json", '[["a", "b"], ["c", "d"], ["e", "f"]]', "TC-1593"),
        ("x.json", "[" * 100_000, "TC-1592"),
        ("x.json", "{", "TC-1592"),
        ("x.json", '{"a": 1, "b": 2}', "TC-1592"),
        ("x.npy", "hello", "TC-1592"),
        ("x.npz", "hello", "TC-1592"),
        ("x.pkl", "hello", "TC-1592"),
    ],
)
def test_what_is_wrong_is_said_without_a_value(
    tmp_path: Path, name: str, content: str, code: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises((ProgramError, DataError)) as caught:
        read(tmp_path / name)
    assert caught.value.code == code
    assert "77177" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ProgramError, match="unpickles"):
        read(tmp_path / "x.npy")


def test_fractions_are_no_integers(tmp_path: Path) -> None:
    wanted = Input("x", ValueType("int", 0, 64, True, (2,)), "a")
    (tmp_path / "x.json").write_text("[1, 2.5]")
    with pytest.raises(ProgramError, match="TC-1593"):
        read(tmp_path / "x.json", (wanted,))


def test_an_input_without_a_file_is_named() -> None:
    with pytest.raises(ProgramError, match="'x'"):
        read_inputs([], MATRIX_INPUT)
