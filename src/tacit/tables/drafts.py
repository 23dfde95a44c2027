"""A schema from an owner's own file, where the owners agreed on none beforehand.

Each owner drafts one from its file and shows it to the others; merging (``merging.py``) is
deterministic, so all owners reach the same schema. What a draft shows to the others: column names
and types; per number the powers of two that enclose its values (the order of magnitude, not the
extremes), per date the years; and the list of categories only where the owner agrees to that. That
some value is near such a bound shows too.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from tacit.errors import SchemaError, StorageError
from tacit.tables.column import MAX_NAME, SCHEMA_VERSION, UNTOLD, Column, column_problems
from tacit.tables.files import TableFile, open_table
from tacit.tables.inference import MAX_CATEGORIES, Inference, Policy
from tacit.tables.problems import Problem, Violation

__all__ = ["MAX_CATEGORIES", "Draft", "Inferred", "draft", "infer"]

_MAX_BYTES: Final = 16 << 20


class Draft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one owner proposes, and shows to the others.

    Attributes
    ----------
    label : str
        The column to predict.
    columns : tuple of Column
        In the file's order; categories are None unless the owner shares them. A private column has
        a name and a type, and bounds or categories if its owner wrote them in.
    version : int
        Of the schema's format.
    """

    label: str
    columns: tuple[Column, ...]
    version: int = SCHEMA_VERSION

    def private(self, names: Collection[str]) -> Draft:
        """The same with these columns private: of what the file holds only their types are left."""
        columns = tuple(
            Column(column.name, column.type, private=True) if column.name in names else column
            for column in self.columns
        )
        return Draft(self.label, columns, self.version)

    def save(self, path: str | Path) -> Path:
        """Write a JSON file: a schema, or with private columns a draft to be merged."""
        target = Path(path)
        plain = msgspec.to_builtins(self)
        data = {"version": plain.pop("version"), **plain}
        try:
            target.write_bytes(msgspec.json.format(msgspec.json.encode(data), indent=2) + b"\n")
        except OSError as error:
            raise StorageError(
                f"The draft cannot be written to {path}: {error.strerror}.",
                next_step="choose a path that can be written.",
                case=2,
            ) from None
        return target

    @staticmethod
    def load(path: str | Path) -> Draft:
        """Read a draft or a schema from a file.

        Raises
        ------
        SchemaError
            It cannot be read (TC-2200) or is malformed (TC-2201).
        """
        try:
            with Path(path).open("rb") as file:
                data = file.read(_MAX_BYTES + 1)
        except OSError as error:
            raise SchemaError(
                f"The draft {path} cannot be read: {error.strerror}.",
                next_step="check the path and its permissions.",
                case=0,
            ) from None
        return Draft.from_bytes(data, Path(path).stem)

    def to_bytes(self) -> bytes:
        """JSON, for the other parties."""
        return msgspec.json.encode(self)

    @staticmethod
    def from_bytes(data: bytes, party: str) -> Draft:
        """Decode and check what `party` sent.

        Raises
        ------
        SchemaError
            Malformed (TC-2201), naming the party.
        """
        problem = f"longer than {_MAX_BYTES >> 20} MiB" if len(data) > _MAX_BYTES else ""
        if not problem:
            try:
                received = msgspec.json.decode(data, type=Draft)
                for column in received.columns:
                    for entry, text in column_problems(column):
                        if text != UNTOLD:
                            problem = f'column "{column.name}", {entry}: {text}'
                if received.version > SCHEMA_VERSION:
                    problem = f"its format version is {received.version}"
                if not problem:
                    return received
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                problem = str(error)
        raise SchemaError(
            f"The draft of {party}'s schema is malformed: {problem}.",
            next_step="run the same version of tacit at all parties, or draft it anew with"
            " `tacit schema infer`.",
            case=1,
            parties=(party,),
        )


@dataclass(frozen=True, slots=True)
class Inferred:
    """A draft, and what its owner should know of how it came about; for the owner alone.

    Attributes
    ----------
    draft : Draft
    rows : int
        Of the file.
    remarks : dict of str to list of str
        Sentences by column.
    left_out : dict of str to str
        Columns that can be no feature, and why.
    """

    draft: Draft
    rows: int
    remarks: dict[str, list[str]]
    left_out: dict[str, str]


def draft(
    path: str | Path,
    label: str,
    *,
    owner: str | None = None,
    exclude: Collection[str] = (),
    share_categories: bool = False,
    missing: Policy = "refuse",
) -> Draft:
    """Infer a schema from an owner's file. Reads it once, as a stream.

    Parameters
    ----------
    path : path
        The owner's file.
    label : str
        The column to predict; empty where another owner has it.
    owner : str, optional
        Whose file it is, for errors.
    exclude : collection of str
        Columns that are no features, such as account numbers.
    share_categories : bool
        Whether the draft lists the categories of text columns, for the other owners to see.
    missing : {"refuse", "zero", "mean", "auto"}
        The policy of all columns but the label; "mean" makes missing categories a category of
        their own; "auto" is that for columns that lack values, and "refuse" for the others.

    Raises
    ------
    DataError
        The file cannot be read, lacks the label, or holds values no schema would allow.
    SchemaError
        Columns can be no features (TC-2206, all of them at once): no values, too many distinct
        texts, another type.
    """
    file = open_table(path, owner=owner)
    begun: dict[str, Inference] = {}
    columns: list[Column] = []
    refused: list[SchemaError] = []
    for name in _names(file, label, exclude):
        try:
            begun[name] = Inference(file, name, name == label)
        except SchemaError as error:
            refused.append(error)
    for inference in _inferences(file, begun)[0].values():
        try:
            columns.append(inference.column(share_categories, missing))
        except SchemaError as error:
            refused.append(error)
    if refused:
        first = refused[0]
        messages = "\n".join(error.message for error in refused)
        raise SchemaError(messages, next_step=first.next_step, case=6, parties=first.parties)
    return Draft(label, tuple(columns))


def infer(path: str | Path, label: str, *, exclude: Collection[str] = ()) -> Inferred:
    """Infer a schema from an owner's file as well as that goes, with remarks.

    Columns that can be no feature are left out. The function behind ``tacit schema infer``.

    Raises
    ------
    DataError
        The file cannot be read, lacks the label, or holds values no schema would allow.
    SchemaError
        No feature is left (TC-2206).
    """
    file = open_table(path)
    left_out: dict[str, str] = {}
    begun: dict[str, Inference] = {}
    for name in _names(file, label, exclude):
        try:
            begun[name] = Inference(file, name, name == label)
        except SchemaError as error:
            left_out[name] = error.message
        if not 0 < len(name) <= MAX_NAME:
            begun.pop(name, None)
            left_out[name] = f"a name has 1 to {MAX_NAME} characters"
    found, rows = _inferences(file, begun)
    columns: list[Column] = []
    for name, inference in found.items():
        try:
            columns.append(inference.column(True, "auto"))
        except SchemaError as error:
            left_out[name] = error.message
    if len(columns) < 2:
        raise SchemaError(
            f"{path}: no column besides the label can be a feature.",
            next_step="check that this is the right file; "
            + ("; ".join(left_out.values()) or "it has no other column"),
            case=6,
        )
    remarks = {name: inference.remarks() for name, inference in found.items()}
    return Inferred(Draft(label, tuple(columns)), rows, remarks, left_out)


def _names(file: TableFile, label: str, exclude: Collection[str]) -> list[str]:
    known = set(file.columns)
    for name in (*filter(None, [label]), *exclude):
        if name not in known:
            file.refuse(Violation(Problem.MISSING_COLUMN, column=name, unit=file.unit))
    return [name for name in file.columns if name not in set(exclude)]


def _inferences(
    file: TableFile, inferences: dict[str, Inference]
) -> tuple[dict[str, Inference], int]:
    """Read the file once; how many rows there are."""
    start = 0
    for batch in file.batches(list(inferences)):
        for index, inference in enumerate(inferences.values()):
            inference.add(batch.column(index), start)
        start += batch.num_rows
    if file.ragged_count:
        file.refuse(Violation(Problem.RAGGED, line=next(iter(file.ragged(1)), None)))
    if start == 0:
        file.refuse(Violation(Problem.EMPTY, unit=file.unit))
    return inferences, start
