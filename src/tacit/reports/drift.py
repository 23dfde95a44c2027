"""Whether owners' data differ: one mark for each owner and column that was compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from tacit.reports.elements import heading_cells, section, table

if TYPE_CHECKING:
    from tacit.reports.content import Report

__all__ = ["DriftTable", "drift"]


@dataclass(frozen=True, slots=True)
class DriftTable:
    """What all owners learned of the differences between their data.

    Attributes
    ----------
    threshold : float
        Of the distance between an owner's distribution and that of the others together.
    minimum : int
        Rows that an owner needs to be compared.
    columns : sequence of str
    above : mapping of str to sequence of str
        By owner, the columns above the threshold.
    too_few : sequence of str
        Owners that were not compared.
    private : sequence of str
        Columns that were not compared, because the schema marks them private.
    """

    threshold: float
    minimum: int
    columns: Sequence[str]
    above: Mapping[str, Sequence[str]]
    too_few: Sequence[str] = ()
    private: Sequence[str] = ()

    @property
    def sentences(self) -> list[str]:
        """In words: what differs, and what was not compared."""
        found = [
            f"{owner} differs from the other owners in {', '.join(columns)}"
            f" (distance above {self.threshold:g})."
            for owner, columns in self.above.items()
            if columns
        ]
        if self.above and not found:
            found.append(
                f"No owner differs from the others by more than {self.threshold:g} in any of"
                f" {len(self.columns)} columns."
            )
        if self.too_few:
            owners = ", ".join(self.too_few)
            found.append(f"Not compared: {owners}, with fewer than {self.minimum} rows on a side.")
        if self.private:
            found.append(f"Not compared, since they are private: {', '.join(self.private)}.")
        return found


def drift(report: Report) -> str:
    """A column for each owner and a row for each column of the data."""
    found = report.drift
    if found is None:
        return ""
    owners = list(found.above)
    rows = ""
    for column in found.columns:
        cells = ""
        for owner in owners:
            above = column in found.above[owner]
            cells += f"<td>{'<b>differs</b>' if above else 'alike'}</td>"
        rows += f'<tr><th scope="row">{escape(column)}</th>{cells}</tr>'
    sub = " ".join(map(escape, found.sentences))
    head = heading_cells(["Column", *owners], numbers=False)
    note = (
        "<p>Distance between the owner's distribution and that of the others together:"
        " Kolmogorov-Smirnov over public bins for numbers and dates, total variation for"
        f" categories. Only whether it is above {found.threshold:g} was computed on shares and"
        " opened, to all owners.</p>"
    )
    return section("Do the owners' data differ?", (table(head, rows) if owners else "") + note, sub)
