"""From secret labels and scores to the agreed numbers, and nothing else.

Sums over rows are products with the groups' membership, so they cost as much as they hold, not as
many rows as there are. What may be shown is decided on shares (``suppression.py``); everything
else is replaced by 0 before quotients are formed, and one vector is opened in the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

import tacit.arrays.functions as F
from tacit.arrays import SecretArray
from tacit.encoding.types import fixed, int64
from tacit.errors import ShapeError, UsageError
from tacit.ml.checks import opened
from tacit.ml.measures.findings import CalibrationBin, Findings
from tacit.ml.measures.names import DEFAULT, Cut, Measure, parse_measures
from tacit.ml.measures.quotients import quotients
from tacit.ml.measures.ranking import Ranked, cut_score, ranked
from tacit.ml.measures.suppression import shown

__all__ = [
    "LARGEST",
    "MEAN_BITS",
    "MOST_DIGITS",
    "Measured",
    "bins_of",
    "by_bin",
    "check_size",
    "evaluate_scores",
    "measured",
]

LARGEST: Final = 1024.0
"""Log-odds beyond this count as equal to it."""

WORST_LOSS: Final = 8.318
"""The largest log loss of a row: probabilities are taken as at least 2^-12."""

MOST_DIGITS: Final = 8

MEAN_BITS: Final = 18
"""Fractional bits of sums over rows as integers."""

_CHUNK: Final = 1 << 17
"""Rows whose fixed-point numbers are summed in one product."""


@dataclass(slots=True, repr=False)
class Measured:
    """The numbers on shares, and where each one lies.

    Attributes
    ----------
    secret : SecretArray of integers, (size,)
        What is opened: flags, quotients, sums by bin.
    """

    secret: SecretArray
    measures: tuple[Measure, ...]
    groups: tuple[str, ...]
    rows: int
    minimum: int
    digits: int
    bins: list[int] = field(default_factory=list)

    def findings(self, numbers: NDArray[Any]) -> Findings:
        """What the opened vector says."""
        width, scalars = 1 + len(self.groups), _scalars(self.measures)
        flags = numbers[: len(scalars) * width].reshape(len(scalars), width)
        values = numbers[flags.size : 2 * flags.size].reshape(flags.shape) / 10.0**self.digits
        found: list[dict[str, float | None]] = [{} for _ in range(width)]
        for place, measure in enumerate(scalars):
            for group in range(width):
                known = float(values[place, group]) if flags[place, group] else None
                if measure.name == "rows" and known is not None:
                    known = float(round(known * 10.0**self.digits))
                found[group][str(measure)] = known
        bins = numbers[2 * flags.size :].reshape(2, -1)
        return Findings(
            rows=self.rows,
            minimum=self.minimum,
            overall=found[0],
            groups=dict(zip(self.groups, found[1:], strict=True)),
            calibration=[
                CalibrationBin(rows, float(p) / (1 << MEAN_BITS) / rows, float(o) / 2 / rows)
                for rows, p, o in zip(self.bins, bins[0], bins[1], strict=False)
            ],
        )


def evaluate_scores(
    y_true: SecretArray,
    log_odds: SecretArray,
    *,
    metrics: str | Sequence[str] = DEFAULT,
    groups: SecretArray | None = None,
    group_names: Sequence[str] = (),
    min_group_size: int = 10,
    digits: int = 4,
    to: str | Sequence[str],
) -> Any:
    """Measure secret scores of secret labels; the recipients learn the named metrics alone.

    Parameters
    ----------
    y_true : SecretArray, (n,)
        Labels 0 and 1, or booleans.
    log_odds : SecretArray, (n,)
        Scores: the logarithm of the odds of label 1. Beyond ±1024 they count as equal.
    metrics : str or sequence of str
        Such as ``"auc,recall@1%,precision@0.5,brier,calibration"``; see
        :func:`~tacit.ml.measures.parse_measures`.
    groups : SecretArray of booleans or 0 and 1, (n, k), optional
        Which rows belong to each group. How many rows a group has stays secret. No row may be in
        two groups: groups that differ in a few rows would tell of these by their difference.
    group_names : sequence of str
        Their names, public.
    min_group_size : int
        Groups of fewer rows, or with fewer rows of a class where a metric needs both, are held
        back, and one more where a group could be found as the difference from the whole.
    digits : int
        Decimal places, 1 to 8: nothing finer is opened.
    to : "all", or one or several party names

    Returns
    -------
    Findings or dict of str to Findings
        With "all", else for each recipient by name.

    Raises
    ------
    UsageError
        A metric that there is not (TC-1072), or numbers out of range (TC-1073).
    ShapeError
        Labels, scores and groups do not fit (TC-1187).

    Notes
    -----
    Two sorts of n rows, a sigmoid and a few comparisons a row. 10^5 rows with the default metrics
    take seconds; see ``docs/performance.md``.
    """
    found = measured(
        y_true,
        log_odds,
        parse_measures(metrics),
        groups=groups,
        group_names=tuple(group_names),
        minimum=min_group_size,
        digits=digits,
    )
    return opened([found.secret], to, lambda values: found.findings(values[0]))


def measured(
    label: SecretArray,
    log_odds: SecretArray,
    measures: Sequence[Measure],
    *,
    groups: SecretArray | None = None,
    group_names: tuple[str, ...] = (),
    minimum: int = 10,
    digits: int = 4,
    report: Callable[[str], None] = lambda what: None,
) -> Measured:
    """The numbers of :func:`evaluate_scores` on shares. `report` is told what is done next."""
    _check(label, log_odds, groups, group_names, minimum, digits)
    rows = label.size
    positive, negative = _members(label, groups)
    score = F.clip(log_odds, -LARGEST, LARGEST)
    table = _Table(positive, negative)
    chosen = tuple(dict.fromkeys(measures))
    bins = bins_of(rows, minimum) if Measure("calibration") in chosen else []
    probability = None
    if bins or {m.name for m in chosen} & {"brier", "predicted"}:
        report("probabilities")
        probability = F.sigmoid(score)
    cuts, order = _cuts(chosen), None
    if bins or Measure("auc") in chosen or any(cut.kind != "probability" for cut in cuts):
        report("sorting")
        others = () if probability is None or not bins else (probability,)
        order = ranked(score, positive, negative, others)
        table.pairs = order.pairs
    report("counting")
    table.flag(score, cuts, order)
    report("sums")
    table.sums = _sums(chosen, score, label, probability, table)
    report("quotients")
    secret = table.opened(_scalars(chosen), minimum, digits)
    if bins:
        assert order is not None
        secret = F.concat([secret, by_bin(order, bins)])
    return Measured(secret, chosen, group_names, rows, minimum, digits, bins)


def _check(
    label: Any,
    log_odds: Any,
    groups: SecretArray | None,
    names: tuple[str, ...],
    minimum: int,
    digits: int,
) -> None:
    width = 0 if groups is None else groups.shape[-1]
    fits = groups is None or (groups.ndim == 2 and groups.shape[0] == label.size)
    if label.ndim != 1 or log_odds.shape != label.shape or not fits or width != len(names):
        raise ShapeError(
            f"Labels {label.shape}, scores {log_odds.shape},"
            f" groups {None if groups is None else groups.shape} and {len(names)} names of groups"
            " do not fit.",
            next_step="pass a label and a score for each row, and a column and a name for each"
            " group.",
            case=87,
            stage="evaluation",
        )
    check_size(label.size, minimum, digits)


def check_size(rows: int, minimum: int, digits: int) -> None:
    """Refuse too few rows, and decimal places that there are not. Raises UsageError (TC-1073)."""
    if not 1 <= minimum <= rows or not 1 <= digits <= MOST_DIGITS:
        raise UsageError(
            f"{rows} rows cannot be measured with groups of at least {minimum} rows and"
            f" {digits} decimal places.",
            next_step="give at least as many rows as the smallest group has, which is 1 or more,"
            f" and 1 to {MOST_DIGITS} decimal places.",
            case=73,
            stage="evaluation",
        )


def _members(label: SecretArray, groups: SecretArray | None) -> tuple[SecretArray, SecretArray]:
    """Which rows of the whole and of each group have label 1, and which 0: (n, 1 + groups)."""
    positive = _integers(label).reshape(-1, 1)
    if groups is None:
        return positive, 1 - positive
    members = _integers(groups)
    inside = members * positive
    return (
        F.concat([positive, inside], axis=1),
        F.concat([1 - positive, members - inside], axis=1),
    )


def _integers(x: SecretArray) -> SecretArray:
    return x if x.dtype == int64 else x.astype(int64)


def _scalars(measures: Sequence[Measure]) -> list[Measure]:
    return [measure for measure in measures if measure.name != "calibration"]


def _cuts(measures: Sequence[Measure]) -> list[Cut]:
    return sorted({measure.cut for measure in measures if measure.cut is not None})


class _Table:
    """Counts and sums of the whole and of each group, (1 + groups,) each."""

    def __init__(self, positive: SecretArray, negative: SecretArray) -> None:
        self.masks = positive + negative
        self._masks_by_class = positive, negative
        self.positive, self.negative = F.sum(positive, axis=0), F.sum(negative, axis=0)
        self.rows = self.positive + self.negative
        self.pairs: SecretArray | None = None
        self.sums: dict[str, SecretArray] = {}
        self._true: dict[Cut, SecretArray] = {}
        self._false: dict[Cut, SecretArray] = {}

    def flag(self, score: SecretArray, cuts: Sequence[Cut], order: Ranked | None) -> None:
        """Count the rows above each cut."""
        for cut in cuts:
            if cut.kind == "probability":
                above = score >= cut.log_odds
            else:
                assert order is not None
                above = score > cut_score(order, cut.share)
            column = above.astype(int64).reshape(-1, 1)
            true, false = (F.sum(mask.T @ column, axis=1) for mask in self._masks_by_class)
            self._true[cut], self._false[cut] = true, false

    def fraction(self, measure: Measure) -> tuple[SecretArray, SecretArray]:
        """Numerator and denominator of a measure."""
        if measure.name in ("brier", "log_loss", "predicted"):
            return self.sums[measure.name], self.rows * (1 << MEAN_BITS)
        if measure.name == "rate":
            return self.positive, self.rows
        if measure.name == "auc":
            assert self.pairs is not None
            return self.pairs, self.positive * self.negative * 2
        assert measure.cut is not None
        true, false = self._true[measure.cut], self._false[measure.cut]
        if measure.name == "recall":
            return true, self.positive
        if measure.name == "fpr":
            return false, self.negative
        if measure.name == "precision":
            return true, true + false
        if measure.name == "selected":
            return true + false, self.rows
        return true + self.negative - false, self.rows

    def opened(self, measures: Sequence[Measure], minimum: int, digits: int) -> SecretArray:
        """Flags of what may be shown, then the quotients, 0 where it may not."""
        if not measures:
            return F.zeros(0, device=self.rows.session, dtype=int64)
        of_all = shown(F.stack([self.rows]), minimum).astype(int64)
        of_both = of_all
        if any(measure.needs_classes for measure in measures):
            counts = F.stack([self.rows, self.positive, self.negative])
            of_both = shown(counts, minimum).astype(int64)
        flags, tops, bottoms = [], [], []
        for measure in measures:
            allowed = of_both if measure.needs_classes else of_all
            if measure.name == "rows":  # the number itself, not a quotient
                top, bottom = self.rows, None
            else:
                top, bottom = self.fraction(measure)
            if measure.name == "precision":
                assert bottom is not None
                allowed = allowed * (bottom >= minimum).astype(int64)
            flags.append(allowed)
            tops.append(top)
            bottoms.append(self.rows if bottom is None else bottom)
        ratio = np.array([measure.name != "rows" for measure in measures])
        flag, top, bottom = F.stack(flags), F.stack(tops), F.stack(bottoms)
        top, bottom = top * flag, bottom * flag + (1 - flag)
        found = top
        if ratio.any():
            places = np.flatnonzero(ratio)
            rounded = quotients(top[places], bottom[places], digits)
            rows: list[Any] = [top[place] for place in range(len(measures))]
            for place, index in enumerate(places.tolist()):
                rows[index] = rounded[place]
            found = F.stack(rows)
        return F.concat([flag.reshape(-1), found.reshape(-1)])


def _sums(
    measures: Sequence[Measure],
    score: SecretArray,
    label: SecretArray,
    probability: SecretArray | None,
    table: _Table,
) -> dict[str, SecretArray]:
    """Sums over the rows of each group, as integers with fractional bits."""
    wanted = [m.name for m in measures if m.name in ("brier", "log_loss", "predicted")]
    columns: list[SecretArray] = []
    truth = label.astype(fixed) if wanted else label
    for name in wanted:
        if name == "log_loss":
            # -log p of the true label is softplus(z) of a negative row, softplus(-z) of another.
            against = score - 2.0 * (truth * score)
            columns.append(F.softplus(F.clip(against, -16.0, WORST_LOSS)))
        elif name == "brier":
            assert probability is not None
            columns.append(F.square(probability - truth))
        else:
            assert probability is not None
            columns.append(probability)
    if not columns:
        return {}
    numbers = F.stack(columns, axis=1)
    total: Any = 0
    for start in range(0, label.size, _CHUNK):
        part = slice(start, start + _CHUNK)
        total = total + table.masks[part].T @ numbers[part]
    whole = (total * float(1 << MEAN_BITS)).astype(int64)
    return {name: whole[:, place] for place, name in enumerate(wanted)}


def bins_of(rows: int, minimum: int, most: int = 10) -> list[int]:
    """Rows of each reliability bin: of equal size up to one, none below the minimum. Public."""
    count = max(1, min(most, rows // minimum))
    edges = np.linspace(0, rows, count + 1).astype(np.int64).tolist()
    return [b - a for a, b in pairwise(edges)]


def by_bin(order: Ranked, bins: list[int]) -> SecretArray:
    """Sums of predictions, and twice the positive rows, of each bin.

    Of rows that tie across an edge the mean of both orders counts on each side of it.
    """
    edges = np.cumsum([0, *bins]).tolist()
    (probability,) = order.others
    both = order.labels[0] + order.labels[1]
    predicted = [F.sum(probability[a:b]) for a, b in pairwise(edges)]
    observed = [F.sum(both[a:b]) for a, b in pairwise(edges)]
    sums = (F.stack(predicted) * float(1 << MEAN_BITS)).astype(int64)
    return F.concat([sums, F.stack(observed)])
