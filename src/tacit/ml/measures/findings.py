"""What an evaluation found: the numbers that were opened, and which ones were held back."""

from __future__ import annotations

from msgspec import Struct

__all__ = ["CalibrationBin", "Findings"]


class CalibrationBin(Struct, frozen=True):
    """Rows of similar predictions.

    Attributes
    ----------
    rows : int
    predicted : float
        Their mean predicted probability.
    observed : float
        The share of them that is positive.
    """

    rows: int
    predicted: float
    observed: float


class Findings(Struct, frozen=True, kw_only=True):
    """What the recipients learned.

    Attributes
    ----------
    rows : int
        How many rows were measured; public.
    minimum : int
        Groups of fewer rows are hidden.
    overall : dict of str to float or None
        By measure; None where it is held back: too few rows of a class, or none.
    groups : dict of str to dict of str to float or None
        The same by group.
    calibration : list of CalibrationBin
        From the lowest predictions to the highest; empty if it was not asked for.
    """

    rows: int
    minimum: int
    overall: dict[str, float | None]
    groups: dict[str, dict[str, float | None]]
    calibration: list[CalibrationBin]

    @property
    def calibration_error(self) -> float | None:
        """The mean difference of predicted and observed over the bins, by rows (ECE)."""
        if not self.calibration:
            return None
        total = sum(b.rows for b in self.calibration)
        return sum(b.rows * abs(b.predicted - b.observed) for b in self.calibration) / total

    @property
    def hidden(self) -> list[str]:
        """Groups of which at least one number is held back."""
        return [name for name, found in self.groups.items() if None in found.values()]
