"""Categories encoded by the smoothed joint mean of the label, which nobody learns.

The code of a category is (positives + m · prior) / (rows + m) - prior, over all owners' training
rows, with the prior the mean label of them all and m = ``SMOOTHING`` (Micci-Barreca 2001). Rows
without a category get 0, which is the prior.

Without a leak of labels into training rows. A training row's own label must not be in its code, or
the model would learn to read it there. So a row is encoded from the rows of the other folds alone
(cross-fitting, as scikit-learn's ``TargetEncoder`` does); its fold is public, its number modulo
``FOLDS``. Everything that is scored later takes the codes of all training rows.

Each owner counts its own training rows by fold, category and label and inputs the counts; sums,
quotients and codes exist on shares alone. Who learns what: nobody anything; where parties may
deviate, all learn whether an owner's counts add up to its rows, which an honest owner's do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.functions.division import divide
from tacit.ml.standardization import MOMENT_BITS
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.tables.layout import FOLDS, SMOOTHING, Target
from tacit.tables.summaries import Summaries

__all__ = [
    "CODE_BITS",
    "TargetCodes",
    "encode_targets",
    "encoded_counts",
    "rows_in_folds",
    "slack_of_counts",
    "target_codes",
]

CODE_BITS = 24
"""Fractional bits of codes, which lie within [-1, 1]."""

_QUOTIENT_BITS = 18
_FINER = CODE_BITS - _QUOTIENT_BITS


@dataclass(frozen=True, slots=True, repr=False)
class TargetCodes:
    """A party's part of all codes, and of their moments over the rows.

    Attributes
    ----------
    codes : arithmetic sharing, (FOLDS + 1, categories)
        For training rows of each fold, then for all others; columns side by side;
        :data:`CODE_BITS` fractional bits.
    mean, variance : arithmetic sharing, (targets,)
        With :data:`~tacit.ml.standardization.MOMENT_BITS` fractional bits.
    """

    codes: Any
    mean: Any
    variance: Any


def encoded_counts(own: Summaries) -> NDArray[np.uint64]:
    """What an owner inputs, (2, FOLDS, categories + targets): positives and negatives.

    The last ones are rows without a category of each column.
    """
    by_category = np.stack([own.positives, own.negatives])
    return np.concatenate([by_category, own.others], axis=2).astype(np.int64).view(np.uint64)


def rows_in_folds(count: int) -> NDArray[np.int64]:
    """How many of an owner's `count` training rows are in each fold: (FOLDS,)."""
    return np.bincount(np.arange(count) % FOLDS, minlength=FOLDS).astype(np.int64)


def slack_of_counts(party: Party, targets: Sequence[Target], counts: Any, rows: int) -> Any:
    """Numbers of an owner's input that are not negative if it adds up to its rows. Local."""
    both = party.add(counts[0], counts[1])
    surplus = [
        party.add_public(party.add(party.sum(part, axis=1), rest), -rows_in_folds(rows))
        for part, rest in _by_target(targets, both)
    ]
    return party.concatenate([*surplus, *map(party.negate, surplus)], 0)


def _by_target(targets: Sequence[Target], counts: Any) -> list[tuple[Any, Any]]:
    """Of the last axis: each column's categories, and its rows without one."""
    found, first = [], 0
    categories = sum(target.category_count for target in targets)
    for place, target in enumerate(targets):
        found.append(
            (counts[:, first : first + target.category_count], counts[:, categories + place])
        )
        first += target.category_count
    return found


def target_codes(
    party: Party, targets: Sequence[Target], counts: Sequence[Any], rows: Sequence[int]
) -> Step[TargetCodes]:
    """Codes and their moments from what each owner input.

    Parameters
    ----------
    party : Party
    targets : sequence of Target
    counts : sequence of arithmetic sharing, (2, FOLDS, categories + targets)
        Of each owner.
    rows : sequence of int
        Of each owner; together at most 2^23.

    Notes
    -----
    Rounds: those of `divide` and 6 products. Revealed: nothing. Codes are good to 2e-4 of
    themselves and 2^-22.
    """
    added = counts[0]
    for part in counts[1:]:
        added = party.add(added, part)
    in_folds = np.sum([rows_in_folds(count) for count in rows], axis=0)
    # Rows of all other folds for each fold, and of all folds: (FOLDS + 1, …).
    whole = party.sum(added, axis=1, keepdims=True)
    others = party.subtract(party.broadcast(whole, added.shape), added)
    joined = party.concatenate([others, whole], 1)
    totals = np.append(in_folds.sum() - in_folds, in_folds.sum())
    positives, both = joined[0], party.add(joined[0], joined[1])
    priors, counted = [], []
    for (part, rest), (known, _) in zip(
        _by_target(targets, positives), _by_target(targets, both), strict=True
    ):
        all_positives = party.add(party.sum(part, axis=1), rest).reshape(-1, 1)
        priors.append(party.broadcast(all_positives, part.shape))
        counted.append(known)
    n = party.concatenate(counted, 1)
    p = positives[:, : n.shape[1]]
    # The prior with 30 bits, by the public number of rows.
    inverse = np.array([round((1 << (MOMENT_BITS + 20)) / max(1, total)) for total in totals])
    prior = yield from party.truncate(
        party.multiply_public(party.concatenate(priors, 1), inverse.reshape(-1, 1)), 20
    )
    expected = yield from party.multiply_truncate(n, prior, MOMENT_BITS - CODE_BITS)
    above = party.subtract(party.multiply_public(p, 1 << CODE_BITS), expected)
    divisor = party.multiply_public(party.add_public(n, SMOOTHING), 1 << _QUOTIENT_BITS)
    # As a quotient of numbers with 18 bits this is 2^6 times the code, which has 24 bits so.
    codes = yield from divide(party, above, divisor, _QUOTIENT_BITS)
    weights = yield from party.truncate(
        party.multiply_public(n[FOLDS:], round((1 << (MOMENT_BITS + 20)) / sum(rows))), 20
    )
    mean, variance = yield from _moments(party, targets, codes[FOLDS:], weights)
    return TargetCodes(codes, mean, variance)


def _moments(party: Party, targets: Sequence[Target], codes: Any, weights: Any) -> Step[Any]:
    """Σ w e and Σ w e² less the mean squared, of the codes of all rows: codes are around 0."""
    fine = party.multiply_public(codes, 1 << (MOMENT_BITS - CODE_BITS))
    weighted = yield from party.multiply_truncate(weights, fine, MOMENT_BITS)
    means, seconds, first = [], [], 0
    for target in targets:
        part = slice(first, first + target.category_count)
        means.append(party.sum(weighted[:, part], axis=1))
        column = fine[:, part].reshape(target.category_count, 1)
        seconds.append(party.matmul_truncate(weighted[:, part], column, MOMENT_BITS))
        first = part.stop
    mean = party.concatenate(means, 0)
    squares = yield from together(*seconds)
    second = party.concatenate([square.reshape(1) for square in squares], 0)
    squared = yield from party.multiply_truncate(mean, mean, MOMENT_BITS)
    return mean, party.subtract(second, squared)


def encode_targets(
    party: Party, targets: Sequence[Target], x: Any, codes: Any, folds: NDArray[np.int64]
) -> Step[Any]:
    """One column for each target-encoded category: (n, targets).

    Parameters
    ----------
    x : arithmetic sharing, (n, features)
        Rows as their owners encoded them, categories one-hot.
    codes : arithmetic sharing, (FOLDS + 1, categories)
    folds : (n,) int64
        The public fold of each row; FOLDS for rows that no code was made from.

    Notes
    -----
    With x's fractional bits. Rounds: one truncated matrix product. Revealed: nothing.
    """
    order = np.argsort(folds, kind="stable")
    ordered = x[order]
    present, starts = np.unique(folds[order], return_index=True)
    stops = [*starts[1:].tolist(), len(folds)]
    steps, first = [], 0
    for target in targets:
        part = slice(first, first + target.category_count)
        for fold, start, stop in zip(present.tolist(), starts.tolist(), stops, strict=True):
            one_hot = ordered[start:stop, target.first : target.stop]
            column = codes[fold, part].reshape(target.category_count, 1)
            steps.append(party.matmul_truncate(one_hot, column, CODE_BITS))
        first = part.stop
    products = yield from together(*steps)
    columns = [
        party.concatenate(products[place : place + len(present)], 0)
        for place in range(0, len(products), len(present))
    ]
    back = np.argsort(order, kind="stable")
    return party.concatenate(columns, 1)[back]
