"""What can be measured, and how people write it: ``auc,recall@1%,precision@0.5,brier``."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Final, Literal, NoReturn, TypeAlias

from msgspec import Struct

from tacit.errors import UsageError

__all__ = ["DEFAULT", "Cut", "Measure", "MeasureName", "parse_measures"]

MeasureName: TypeAlias = Literal[
    "auc",
    "recall",
    "precision",
    "fpr",
    "accuracy",
    "selected",
    "brier",
    "log_loss",
    "rate",
    "predicted",
    "rows",
    "calibration",
]

DEFAULT: Final = "auc,recall@1%,precision@1%,brier,log_loss,calibration"

AT_A_CUT: Final = ("recall", "precision", "fpr", "accuracy", "selected")
"""What is measured of the rows above a cut."""

OF_ALL_ROWS: Final = ("brier", "log_loss", "rate", "predicted", "rows")
"""What does not need both classes."""

TITLES: Final[dict[str, str]] = {
    "auc": "ROC AUC",
    "recall": "Recall",
    "precision": "Precision",
    "fpr": "False positive rate",
    "accuracy": "Accuracy",
    "selected": "Share selected",
    "brier": "Brier score",
    "log_loss": "Log loss",
    "rate": "Share of positive rows",
    "predicted": "Mean prediction",
    "rows": "Rows",
    "calibration": "Calibration",
}

_MOST_DIGITS: Final = 6


class Cut(Struct, frozen=True, order=True):
    """Where the rows above begin.

    Attributes
    ----------
    kind : {"false positives", "probability"}
        Above the highest cut that lets through at most this share of the negative rows; or of at
        least this predicted probability.
    value : str
        The share or the probability, as a decimal number between 0 and 1.
    """

    kind: Literal["false positives", "probability"]
    value: str

    @property
    def share(self) -> Fraction:
        """The number, exactly."""
        return Fraction(self.value)

    @property
    def log_odds(self) -> float:
        """Of a probability."""
        p = float(self.value)
        return math.log(p) - math.log1p(-p)

    def __str__(self) -> str:
        if self.kind == "probability":
            return self.value
        return f"{float(self.share * 100):g}%"


class Measure(Struct, frozen=True):
    """One number a group, or the reliability bins.

    Attributes
    ----------
    name : str
    cut : Cut or None
        For what is measured of the rows above one.
    """

    name: MeasureName
    cut: Cut | None = None

    def __str__(self) -> str:
        return self.name if self.cut is None else f"{self.name}@{self.cut}"

    @property
    def title(self) -> str:
        """For tables."""
        if self.cut is None:
            return TITLES[self.name]
        at = f"{self.cut} FP" if self.cut.kind == "false positives" else f"p ≥ {self.cut}"
        return f"{TITLES[self.name]} at {at}"

    def text(self, value: float | None, digits: int) -> str:
        """A value as shown; a dash where it is held back."""
        if value is None:
            return "–"
        return f"{value:,.0f}" if self.name == "rows" else f"{value:.{digits}f}"

    @property
    def needs_classes(self) -> bool:
        """Whether it is shown only where there are enough rows of both classes."""
        return self.name not in OF_ALL_ROWS


def parse_measures(text: str | Sequence[str]) -> tuple[Measure, ...]:
    """Read ``"auc,recall@1%,precision@0.5"``, or a list of such names.

    ``@1%`` is the highest cut that lets through at most 1 % of the negative rows, ``@0.5`` a
    predicted probability of at least 0.5.

    Raises
    ------
    UsageError
        There is no such measure (TC-1072).
    """
    parts = text.split(",") if isinstance(text, str) else list(text)
    found = [_measure(part.strip()) for part in parts if part.strip()]
    if not found:
        _refuse("no measure is named")
    return tuple(dict.fromkeys(found))


_CUT: Final = re.compile(r"(\d*\.?\d+)(\s*%)?")


def _measure(text: str) -> Measure:
    name, at, where = text.partition("@")
    name = {"logloss": "log_loss", "roc_auc": "auc"}.get(name, name)
    if name not in TITLES:
        _refuse(f"there is no measure {text!r}")
    measure: MeasureName = name  # type: ignore[assignment]
    if (name in AT_A_CUT) != bool(at):
        _refuse(f"{text!r} lacks its cut" if not at else f"{name} has no cut")
    if not at:
        return Measure(measure)
    match = _CUT.fullmatch(where.strip())
    if match is None:
        _refuse(f"{where!r} is neither a percentage nor a probability")
    share = Fraction(match[1]) / (100 if match[2] else 1)
    decimal = f"{float(share):.{_MOST_DIGITS}f}".rstrip("0")
    if not 0 < share < 1 or Fraction(decimal) != share:
        _refuse(f"the cut {where!r} is not between 0 and 1, or has more than {_MOST_DIGITS} digits")
    return Measure(measure, Cut("false positives" if match[2] else "probability", decimal))


def _refuse(problem: str) -> NoReturn:
    raise UsageError(
        f"The metrics cannot be read: {problem}.",
        next_step="name some of auc, brier, log_loss, rate, predicted, rows, calibration, and with"
        " a cut recall, precision, fpr, accuracy, selected: recall@1% (at most 1 % of the negative"
        f" rows pass), precision@0.5 (a probability of at least 0.5). The default is {DEFAULT}.",
        case=72,
        stage="metrics",
    )
