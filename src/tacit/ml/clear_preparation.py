"""The private preparation in the clear: what an owner does alone, and what joint runs compare to.

The same limits, codes, means and deviations as ``preparing.py``, in float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

import numpy as np
from numpy.typing import NDArray

from tacit.ml.expanding import SCALE_BITS
from tacit.ml.standardization import DEVIATION_FLOOR_BITS
from tacit.tables import Layout, Summaries
from tacit.tables.layout import FOLDS, SMOOTHING, Clipped

__all__ = ["ClearPreparation"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ClearPreparation:
    """See :class:`tacit.ml.preparing.Prepared`.

    Attributes
    ----------
    layout : Layout
    mean, inverse : (width,) float64
    low, high : (c,) float64
    codes : (FOLDS + 1, categories) float64
    """

    layout: Layout
    mean: Floats
    inverse: Floats
    low: Floats
    high: Floats
    codes: Floats

    @staticmethod
    def of(parts: Sequence[Summaries], layout: Layout) -> ClearPreparation:
        """From what owners summed up of their training rows: all of them, or one."""
        joint = parts[0]
        for part in parts[1:]:
            joint = joint + part
        total = joint.moments.count
        low, high, means, variances = (
            np.array([_clipped(c, joint, place, total) for place, c in enumerate(layout.clipped)])
            .reshape(-1, 4)
            .T
        )
        codes, code_means, code_variances = _codes(parts, layout)
        plain_means, plain_variances = _plain(parts, layout.plain)
        mean = np.concatenate([plain_means, means, code_means])[layout.order]
        variance = np.concatenate([plain_variances, variances, code_variances])[layout.order]
        inverse = 1.0 / np.sqrt(variance + 4.0**-DEVIATION_FLOOR_BITS)
        return ClearPreparation(
            layout,
            np.where(layout.scaled, mean, 0.0),
            np.where(layout.scaled, inverse, 1.0),
            low,
            high,
            codes,
        )

    def rows(self, features: Floats, folds: NDArray[np.int64]) -> Floats:
        """Prepared rows, (n, width), of encoded ones; see ``Preparation.rows_of``."""
        layout = self.layout
        columns = [features[:, layout.plain]]
        if layout.clipped:
            places = [column.feature for column in layout.clipped]
            columns.append(np.clip(features[:, places], self.low, self.high))
        first = 0
        for target in layout.targets:
            own = self.codes[:, first : first + target.category_count]
            one_hot = features[:, target.first : target.stop]
            columns.append((one_hot * own[folds]).sum(axis=1, keepdims=True))
            first += target.category_count
        joined = np.concatenate(columns, axis=1)[:, layout.order]
        prepared: Floats = (joined - self.mean) * self.inverse
        return prepared

    def expanded(self, parameters: Sequence[Floats]) -> list[Floats]:
        """Parameters for encoded rows, from those for prepared (standardised) columns."""
        layout = self.layout
        weights, bias, *above = parameters
        scaled = weights * self.inverse[:, None]
        bias = bias - self.mean @ scaled
        full = np.zeros((layout.features, weights.shape[1]))
        inverse_order = np.argsort(layout.order)
        columns = [*layout.plain, *(c.feature for c in layout.clipped)]
        full[columns] = scaled[inverse_order[: len(columns)]]
        first = 0
        for target in layout.targets:
            own = self.codes[FOLDS, first : first + target.category_count]
            full[target.first : target.stop] = own[:, None] * scaled[target.place]
            first += target.category_count
        if not layout.clipped:
            return [full, bias, *above]
        clipped = [column.feature for column in layout.clipped]
        starts = np.full(layout.features, -1.0)
        starts[clipped] = self.low
        eye, one = np.eye(layout.features), float(1 << SCALE_BITS)
        return [
            np.concatenate([eye, eye[:, clipped]], axis=1) * one,
            -np.concatenate([starts, self.high]) * one,
            np.concatenate([full, -full[clipped]]) / one,
            bias + starts @ full,
            *above,
        ]


def _plain(parts: Sequence[Summaries], plain: NDArray[np.int64]) -> tuple[Floats, Floats]:
    rows = np.array([part.moments.count for part in parts], np.float64)
    means = np.stack([part.moments.mean()[plain] for part in parts])
    within = np.stack([part.moments.deviation()[plain] ** 2 for part in parts])
    weight = (rows / rows.sum())[:, None]
    mean = (weight * means).sum(axis=0)
    return mean, (weight * (within + (means - mean) ** 2)).sum(axis=0)


def _clipped(column: Clipped, joint: Summaries, place: int, total: int) -> tuple[float, ...]:
    counts, edges = joint.counts[place], column.edges
    up_to = np.cumsum(counts)
    left = up_to <= floor(column.quantiles[0] * total)
    right = up_to - counts >= total - floor((1 - column.quantiles[1]) * total)
    low = float(edges[int(left.sum())])
    high = float(edges[len(counts) - int(right.sum())])
    inside = ~left & ~right
    lower, weights = edges[:-1], counts / total
    sums, squares = joint.sums[place] / total, joint.squares[place] / total
    beyond = weights[left].sum(), weights[right].sum()
    mean = float((sums + lower * weights)[inside].sum() + low * beyond[0] + high * beyond[1])
    apart = lower - mean
    within = (squares + apart * (2 * sums + weights * apart))[inside].sum()
    ends = beyond[0] * (low - mean) ** 2 + beyond[1] * (high - mean) ** 2
    return low, high, mean, float(within + ends)


def _codes(parts: Sequence[Summaries], layout: Layout) -> tuple[Floats, Floats, Floats]:
    total = sum(part.moments.count for part in parts)
    positives = sum(part.positives for part in parts) + np.zeros(1)
    negatives = sum(part.negatives for part in parts) + np.zeros(1)
    others = sum(part.others for part in parts) + np.zeros(1)
    codes = np.zeros((FOLDS + 1, layout.category_total))
    means, variances, first = [], [], 0
    for place, target in enumerate(layout.targets):
        part = slice(first, first + target.category_count)
        p = _without_each_fold(positives[:, part])
        n = p + _without_each_fold(negatives[:, part])
        other = _without_each_fold(others[:, :, place].T)
        known = n.sum(axis=1) + other.sum(axis=1)
        prior = ((p.sum(axis=1) + other[:, 0]) / np.maximum(known, 1))[:, None]
        codes[:, part] = (p - n * prior) / (n + SMOOTHING)
        weights = n[FOLDS] / total
        mean = float(weights @ codes[FOLDS, part])
        means.append(mean)
        variances.append(float(weights @ codes[FOLDS, part] ** 2) - mean**2)
        first = part.stop
    return codes, np.array(means), np.array(variances)


def _without_each_fold(counts: Floats) -> Floats:
    """(FOLDS, k): sums of the other folds, then of all of them: (FOLDS + 1, k)."""
    whole = counts.sum(axis=0, keepdims=True)
    return np.concatenate([whole - counts, whole])
