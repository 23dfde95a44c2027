"""An owner's files as the inputs of a program: NumPy, CSV, Parquet and JSON, checked at once.

Nothing is unpickled, nothing is guessed: an array has the shape and the kind of numbers that the
program says, or the file is refused. No error holds a value.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tacit.encoding.fixed import encode
from tacit.encoding.rings import ring_of
from tacit.errors import ProgramError, RangeError, TypeMismatchError
from tacit.programs.graph import Input
from tacit.tables.files import TableFile, open_table

__all__ = ["READABLE", "read_inputs"]

READABLE: Final = (".npy", ".npz", ".csv", ".tsv", ".parquet", ".pq", ".json")
"""What files are told by."""

_Arrays = dict[str, NDArray[Any]]
_ALL: Final = ""


def read_inputs(
    files: Sequence[tuple[str, str]], inputs: Sequence[Input], *, ring: int = 64
) -> _Arrays:
    """Read the inputs that one party gives.

    Parameters
    ----------
    files : sequence of (str, str)
        An input's name and its file; an empty name for a file with all the other inputs.
    inputs : sequence of Input
        Those that this party gives.
    ring : int
        The ring that they must fit in.

    Returns
    -------
    dict of str to ndarray
        One for each of `inputs`, of its shape.

    Raises
    ------
    ProgramError
        An input has no file (TC-1591), a file cannot be read (TC-1592), an array is not of its
        input's shape or type (TC-1593), or its numbers are not within bounds (TC-1594).
    DataError
        A table is damaged (TC-21xx).
    """
    by_name = {one.name: one for one in inputs}
    named = {name: Path(path) for name, path in files if name != _ALL}
    found: _Arrays = {name: _single(path, by_name[name]) for name, path in named.items()}
    rest = [one for one in inputs if one.name not in named]
    for name, path in files:
        if name == _ALL and rest:
            found.update(_several(Path(path), rest))
    missing = [one.name for one in inputs if one.name not in found]
    if missing:
        raise ProgramError(
            f"There is no file for the input {missing[0]!r}"
            + (f", which {by_name[missing[0]].owner} gives." if by_name[missing[0]].owner else "."),
            next_step=f"name its owner's file, or the input's: --inputs {missing[0]}=FILE.",
            case=91,
            stage="reading",
        )
    return {one.name: _checked(one, found[one.name], ring) for one in inputs}


def _single(path: Path, one: Input) -> NDArray[Any]:
    """A file that holds one input."""
    several = _content(path, [one])
    if one.name in several:
        return several[one.name]
    if len(several) != 1:
        _refuse(path, f"it holds {len(several)} arrays, and none is called {one.name!r}")
    return next(iter(several.values()))


def _several(path: Path, inputs: Sequence[Input]) -> _Arrays:
    """A file that holds all inputs of a party: by name, or just the one."""
    if len(inputs) == 1:
        return {inputs[0].name: _single(path, inputs[0])}
    found = _content(path, inputs)
    missing = [one.name for one in inputs if one.name not in found]
    if missing:
        _refuse(path, f"it holds no array called {missing[0]!r}")
    return {one.name: found[one.name] for one in inputs}


def _content(path: Path, inputs: Sequence[Input]) -> _Arrays:
    """Arrays by name; an unnamed one under the empty name."""
    kind = path.suffix.lower()
    if kind not in READABLE:
        _refuse(path, f"files are told by their endings: {', '.join(READABLE)}")
    if kind in (".npy", ".npz"):
        return _numpy(path)
    if kind == ".json":
        return _json(path)
    return _table(open_table(path), inputs)


def _numpy(path: Path) -> _Arrays:
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {_ALL: loaded}
        with loaded:
            return {name: loaded[name] for name in loaded.files}
    except OSError as error:
        _refuse(path, error.strerror or "it is damaged")
    except (ValueError, EOFError, zipfile.BadZipFile, KeyError):
        _refuse(path, "it is damaged, or holds Python objects, which nothing here unpickles")


def _json(path: Path) -> _Arrays:
    try:
        loaded = json.loads(path.read_text())
    except OSError as error:
        _refuse(path, error.strerror or "it is damaged")
    except (ValueError, RecursionError):
        _refuse(path, "it is not JSON")
    values: Mapping[str, Any] = loaded if isinstance(loaded, dict) else {_ALL: loaded}
    found = {}
    for name, value in values.items():
        try:
            found[str(name)] = np.asarray(value)
        except ValueError:
            _refuse(path, "its lists are not all of one length")
    return found


def _table(table: TableFile, inputs: Sequence[Input]) -> _Arrays:
    """A table as one matrix, or its columns as inputs of one axis each."""
    columns = list(table.columns)
    if any(_is_number(name) for name in columns):
        _refuse(table.path, "its first line holds numbers where the columns' names belong")
    names = [one.name for one in inputs if one.name in columns and len(one.type.shape) == 1]
    if len(names) == len(inputs):
        return dict(zip(names, _columns(table, names).T, strict=True))
    if len(inputs) > 1:
        missing = next(one.name for one in inputs if one.name not in names)
        _refuse(table.path, f"it has no column called {missing!r} of one number a row")
    whole = _columns(table, columns)
    one = inputs[0]
    flat = len(one.type.shape) == 1 and len(columns) == 1
    return {one.name: whole[:, 0] if flat else whole}


def _columns(table: TableFile, names: Sequence[str]) -> NDArray[Any]:
    parts = []
    for batch in table.batches(names):
        parts.append(np.stack([_numbers(table, name, batch[name]) for name in names], -1))
    if table.ragged_count:
        _refuse(table.path, "some lines have more or fewer fields than the header")
    return np.concatenate(parts) if parts else np.zeros((0, len(names)))


def _numbers(table: TableFile, name: str, column: pa.Array) -> NDArray[Any]:
    if column.null_count:
        _refuse(table.path, f"values are missing in the column {name!r}")
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    try:
        if pa.types.is_string(column.type):
            lower = pc.utf8_lower(pc.utf8_trim_whitespace(column))
            truth = pc.equal(lower, "true")
            both = pc.all(pc.or_(truth, pc.equal(lower, "false"))).as_py()
            column = truth if both else lower
        # Arrow's own messages quote the value.
        kind = pa.float64() if not pa.types.is_boolean(column.type) else pa.uint8()
        found: NDArray[Any] = pc.cast(column, kind).to_numpy(zero_copy_only=False)
    except pa.ArrowException:
        _refuse(table.path, f"the column {name!r} holds something that is no number")
    return found.astype(np.float64)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _checked(one: Input, array: NDArray[Any], ring: int) -> NDArray[Any]:
    """An input's array in its own type: shape, kind of numbers and bounds are right."""
    kind = one.type
    if array.shape != kind.shape:
        raise ProgramError(
            f"The array for the input {one.name!r} has the shape {list(array.shape)}; the program"
            f" takes {list(kind.shape)}.",
            next_step="give as many rows and columns as the program says, or trace it for others.",
            case=93,
            stage="reading",
        )
    if array.dtype.kind not in "fiub":
        raise ProgramError(
            f"The array for the input {one.name!r} is of {array.dtype}, which are no numbers.",
            next_step="write numbers or booleans.",
            case=93,
            stage="reading",
        )
    try:
        encode(array, kind.dtype, one.bounds, ring_of(ring))
    except TypeMismatchError as error:
        raise ProgramError(
            f"The input {one.name!r} is {kind}: {error.message}",
            next_step=error.next_step,
            case=93,
            stage="reading",
        ) from None
    except RangeError as error:
        raise ProgramError(
            f"The input {one.name!r} is {kind}: {error.message}",
            next_step=error.next_step,
            case=94,
            stage="reading",
        ) from None
    wide = kind.dtype.kind == "int" and kind.dtype.bits > 64
    return array if wide else array.astype(kind.dtype.numpy, order="C")


def _refuse(path: Path, why: str) -> NoReturn:
    raise ProgramError(
        f"{path} cannot be used: {why}.",
        next_step="give a NumPy file (.npy, .npz), a table of numbers with a header (.csv,"
        " .parquet), or JSON: nested lists, or an object with one for each input.",
        case=92,
        stage="reading",
    )
