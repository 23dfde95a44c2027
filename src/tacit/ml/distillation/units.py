"""The privacy units of an owner's rows: who or what a guarantee protects as a whole."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tacit.tables.files import open_table
from tacit.tables.problems import Problem, Violation

__all__ = ["units_of"]


def units_of(path: str, column: str, *, owner: str) -> NDArray[np.int64]:
    """A number for each row, equal for equal values of the column. The owner's own affair.

    Values are compared as text without space around them; missing ones are one unit.

    Raises
    ------
    DataError
        The file has no such column (TC-2101), or cannot be read.
    """
    file = open_table(path, owner=owner)
    if column not in file.columns:
        file.refuse(Violation(Problem.MISSING_COLUMN, column=column, unit=file.unit))
    known: dict[str, int] = {}
    found: list[int] = []
    for batch in file.batches([column]):
        array = batch.column(0)
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        text = pc.utf8_trim_whitespace(pc.cast(array, pa.string()).fill_null(""))
        found += [known.setdefault(value, len(known)) for value in text.to_pylist()]
    return np.array(found, np.int64)
