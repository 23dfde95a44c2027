"""What can be wrong with a value of an owner's file, and the error that says so.

An error names file, line and column for the owner; it never holds the value. What the other
parties may hear is :func:`notice_for_others`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from tacit.errors import DataError, TacitError

__all__ = ["Problem", "Violation", "data_error", "notice_for_others"]


class Problem(Enum):
    """Case of the error TC-21xx, what is wrong, what to do next."""

    UNREADABLE = (0, "the file cannot be read", "check the path, its permissions and its format.")
    MISSING_COLUMN = (
        1,
        "the column is missing",
        "add it, or correct its name in the file's header; names are case-sensitive.",
    )
    NOT_A_NUMBER = (
        2,
        "not a number",
        "write numbers without units or thousands separators, with a decimal point (or a comma, in"
        " files whose fields are not separated by commas).",
    )
    NOT_AN_INTEGER = (2, "not an integer", "round it, or make the column a number in the schema.")
    NOT_A_BOOLEAN = (2, "not a boolean", "write 0 and 1, true and false, or yes and no.")
    WRONG_TYPE = (2, "the file stores another type", "store the column in the schema's type.")
    MISSING = (
        3,
        "missing value",
        'fill it in or drop the row, or agree on a policy ("missing" in the schema;'
        " --missing without one).",
    )
    NAN = (4, "NaN", "write an empty field (CSV) or null (Parquet) where a value is missing.")
    INFINITE = (5, "infinity", "replace it by a number within the bounds, or drop the row.")
    OUT_OF_BOUNDS = (
        6,
        "outside the bounds",
        "correct it, or agree with the other owners on wider bounds in the schema.",
    )
    UNKNOWN_CATEGORY = (
        7,
        "unknown category",
        "correct it, or agree with the other owners on one more category in the schema.",
    )
    NOT_A_LABEL = (8, "a label other than 0 and 1", "write 0 and 1, true and false, or yes and no.")
    ONE_CLASS = (
        9,
        "all labels are the same",
        "check that this is the label's column; an owner needs rows of both classes.",
    )
    EMPTY = (10, "there are no rows", "check that this is the right file.")
    RAGGED = (
        11,
        "more or fewer fields than the header",
        "check for unquoted separators and line breaks in this line.",
    )
    DUPLICATE_COLUMN = (12, "two columns have this name", "rename or drop one of them.")
    NOT_A_DATE = (
        2,
        "not a date",
        "write dates as 2024-12-31, with 24 hours if there is a time: 2024-12-31T18:30.",
    )
    UNCLEAR_DATE = (
        14,
        "a date whose day and month cannot be told apart",
        "write dates as 2024-12-31: no date in this column shows whether the day or the month"
        " comes first, or some show one and some the other.",
    )
    MIXED_DECIMALS = (
        15,
        "decimal points and decimal commas in one column",
        "write all numbers of the column alike, without separators of thousands.",
    )
    TOO_WIDE = (
        16,
        "too many columns",
        "check that lines are separated as they should be; keep the columns that a model needs.",
    )
    NO_MEAN = (
        13,
        "no value at all, so there is no mean to fill in",
        'drop the column from the schema, or agree on "zero" for missing values.',
    )

    def __init__(self, case: int, text: str, next_step: str) -> None:
        self.case = case
        self.text = text
        self.next_step = next_step


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong with a file.

    Attributes
    ----------
    problem : Problem
        What is wrong.
    column : str or None
        Where; None when the whole line or file is meant.
    line : int or None
        The line of a CSV file (the header is line 1) or the row of a Parquet file (from 1); None
        when the whole column or file is meant.
    unit : {"line", "row"}
        Which of the two.
    hint : str
        What it may be instead, from the file's header alone.
    """

    problem: Problem
    column: str | None = None
    line: int | None = None
    unit: str = "line"
    hint: str = ""

    def __str__(self) -> str:
        place = [] if self.line is None else [f"{self.unit} {self.line}"]
        if self.column is not None:
            place.append(f'column "{self.column}"')
        return (", ".join(place) + ": " if place else "") + self.problem.text + self.hint


def data_error(
    path: str | Path, violation: Violation, *, owner: str | None = None, detail: str = ""
) -> DataError:
    """The error for one violation, for the owner alone."""
    return DataError(
        f"{path}: {violation}{detail}.",
        next_step=violation.problem.next_step,
        case=violation.problem.case,
        parties=() if owner is None else (owner,),
        stage="reading",
    )


def notice_for_others(error: TacitError, owner: str) -> DataError:
    """What the other parties hear: that `owner`'s file breaks the schema, not where or how."""
    return DataError(
        f"{owner}'s file cannot be used; {owner} has been told why.",
        next_step=f"nothing was shared; run again when {owner} has corrected it.",
        case=99,
        parties=(owner,),
        stage=error.stage,
    )
