"""What nobody is told of a column that the schema marks private.

The values of all columns are secret. What parties may agree to be told besides a model are numbers
about a column: where its values lie, whether owners differ in it, how good a model is for each of
its categories. Where the schema says ``"private": true`` none of these is computed:

===============================  ===============================================================
a draft of an owner's file       names the column and its type, nothing else that is in the file
``--drift``                      leaves the column out: its rows are not counted
``tacit evaluate --by COLUMN``   is refused (TC-2216)
``clip``, ``encode: target``     are refused where somebody learns the model (TC-2217): joint
                                 quantiles and label means can be read off its weights
===============================  ===============================================================

All of it follows from the schema, which is the same at all parties, so each party refuses alike.
Bounds and categories stand in the schema, for everybody who uses it or the model. And a model is
computed from all columns: what it tells by its weights and scores, it tells of private ones too;
``docs/differential-privacy.md`` is about that.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from tacit.errors import SchemaError
from tacit.tables.schema import Schema

__all__ = ["GROUPS", "private_columns", "refuse_private_groups", "refuse_readable_preparation"]

GROUPS: Final = "groups"
"""The stage at which groups are refused."""


def private_columns(schema: Schema) -> tuple[str, ...]:
    """Their names, in the schema's order."""
    return tuple(column.name for column in schema.columns if column.private)


def refuse_private_groups(schema: Schema, column: str) -> None:
    """Refuse to measure the groups of a private column; at all parties alike.

    Raises
    ------
    SchemaError
        TC-2216.
    """
    if column in private_columns(schema):
        raise SchemaError(
            f'Rows cannot be grouped by "{column}": the schema of the model marks it private.',
            next_step="group by another column, or train by a schema in which all owners have"
            " signed it off as public.",
            case=16,
            stage=GROUPS,
        )


def refuse_readable_preparation(schema: Schema, reveal_to: Collection[str]) -> None:
    """Refuse quantiles and label means of private columns in a model that somebody learns.

    Raises
    ------
    SchemaError
        TC-2217.
    """
    for column in schema.inputs if reveal_to else ():
        if not column.private or (column.clip is None and not column.is_target_encoded):
            continue
        told = "label means" if column.is_target_encoded else "quantiles"
        raise SchemaError(
            f'The column "{column.name}" is private, and its joint {told} could be read off the'
            f" model that {', '.join(reveal_to)} would learn.",
            next_step="keep the model secret (--reveal-to nobody --keep NAME); or take"
            f' "{"encode" if column.is_target_encoded else "clip"}" of this column out of the'
            " schema.",
            case=17,
            stage="schema",
        )
