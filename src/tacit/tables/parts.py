"""Owners with different columns of the same rows: each one's part of the schema, and the whole."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from tacit.errors import SchemaError
from tacit.tables.column import Column
from tacit.tables.drafts import Draft
from tacit.tables.files import open_table
from tacit.tables.merging import merge
from tacit.tables.schema import Schema

__all__ = ["SchemaPart", "join", "own_draft", "part_of"]


class SchemaPart(Schema, frozen=True, kw_only=True):
    """The columns of a schema that one owner has; it reads that owner's file and no more.

    The label is empty where another owner has it.
    """

    def __post_init__(self) -> None:
        """Nothing to check: the whole schema is."""


def part_of(schema: Schema, names: Collection[str]) -> SchemaPart:
    """The columns of these names, in the schema's order."""
    return SchemaPart(
        version=schema.version,
        label=schema.label if schema.label in names else "",
        columns=tuple(column for column in schema.columns if column.name in names),
    )


def own_draft(schema: Schema, path: str, *, owner: str | None = None) -> Draft:
    """What an owner shows of a schema that all agreed on: the columns that its file has."""
    names = open_table(path, owner=owner).columns
    part = part_of(schema, names)
    return Draft(part.label, part.columns)


def join(drafts: Mapping[str, Draft], label: str, whole: Schema | None = None) -> Schema:
    """The schema of all columns; the same at all parties.

    The one that was agreed on, or else the drafts one after the other.

    Parameters
    ----------
    drafts : mapping of str to Draft
        By owner, in the owners' order.
    label : str
    whole : Schema, optional
        The schema that was agreed on, all of whose columns some owner must have.

    Raises
    ------
    SchemaError
        A column is in two files, or in none (TC-2202); the label is in two files or in none
        (TC-2205); nobody shows a column's categories (TC-2204).
    """
    holders: dict[str, list[str]] = {}
    for owner, drafted in drafts.items():
        for column in drafted.columns:
            holders.setdefault(column.name, []).append(owner)
    found = holders.get(label, [])
    if whole is not None and whole.label != label:
        raise SchemaError(
            f'The label is "{label}", and in the schema it is "{whole.label}".',
            next_step="name the schema's label with --label, or agree on another schema.",
            case=5,
        )
    if len(found) != 1:
        where = f"in the files of {' and '.join(found)}" if found else "in no owner's file"
        raise SchemaError(
            f'The label "{label}" is {where}; one owner has it.',
            next_step="name the label with --label as it is in one file's header, and leave it out"
            " of the others.",
            case=5,
            parties=tuple(found),
        )
    for name, owners in holders.items():
        if len(owners) > 1:
            raise SchemaError(
                f'Mismatched columns: "{name}" is in the files of {" and ".join(owners)}.',
                next_step="with --vertical every column is in one file: rename or --exclude it, or"
                " give it as --key if it says which customer a row is of.",
                case=2,
                parties=tuple(owners),
            )
    lacking = [] if whole is None else [c.name for c in whole.columns if c.name not in holders]
    if lacking:
        raise SchemaError(
            f"Mismatched columns: no owner's file has {', '.join(lacking)}.",
            next_step="add the columns to a file, or take them out of the schema.",
            case=2,
        )
    if whole is not None:
        return whole
    columns = [c for owner, drafted in drafts.items() for c in _settled(owner, drafted, label)]
    return Schema(label=label, columns=tuple(columns))


def _settled(owner: str, drafted: Draft, label: str) -> Sequence[Column]:
    """An owner's columns with types and bounds as a schema has them."""
    columns = drafted.columns
    own_label = any(column.name == label for column in columns)
    if len(columns) == own_label:  # the label and nothing else, or nothing
        return columns
    if not own_label:
        columns = (*columns, Column(label, "boolean"))
    settled = merge({owner: msgspec.structs.replace(drafted, label=label, columns=columns)})
    return [column for column in settled.columns if own_label or column.name != label]
