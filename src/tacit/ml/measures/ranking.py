"""Secret rows in the order of their scores: what the ROC curve is made of.

Rows of equal scores have no order of their own, so they are sorted twice: once with the negative
rows of a tie first and once last. Pairs of a negative below a positive row are counted in both
orders; their mean counts ties one half, as the area under the ROC curve does (Hanley, McNeil
1982). Nobody learns an order (``functions/sorting.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import tacit.arrays.functions as F
from tacit.arrays import SecretArray

__all__ = ["Ranked", "cut_score", "pairs_in_order", "ranked"]


@dataclass(frozen=True, slots=True, repr=False)
class Ranked:
    """Rows in ascending order of their scores, negative ones first in a tie.

    Attributes
    ----------
    score : SecretArray, (n,)
    negative : SecretArray of integers, (n,)
        1 for a row with label 0.
    pairs : SecretArray of integers, (groups,)
        Of each group twice the number of pairs of a negative below a positive row; ties count 1.
    labels : tuple of SecretArray, (n,)
        The labels in both orders.
    others : tuple of SecretArray
        The other columns, in this order.
    """

    score: SecretArray
    negative: SecretArray
    pairs: SecretArray
    labels: tuple[SecretArray, SecretArray]
    others: tuple[SecretArray, ...]


def ranked(
    score: SecretArray,
    positive: SecretArray,
    negative: SecretArray,
    others: tuple[SecretArray, ...] = (),
) -> Ranked:
    """Sort rows by score, both ways.

    Parameters
    ----------
    score : SecretArray, (n,)
        With known bounds a comparison takes one sign bit instead of three.
    positive, negative : SecretArray of integers 0 and 1, (n, groups)
        Which rows of each group have label 1 and 0; the first group is all rows.
    others : tuple of SecretArray, (n,) each
        What else is wanted in this order.

    Notes
    -----
    Two sorts; then as much as the result holds.
    """
    label = positive[:, 0]
    keys = [score, label]
    first, above, below, *rest = F.sort_by([score, positive, negative, *others], keys)
    also_above, also_below = F.sort_by([positive, negative], keys, descending=[False, True])
    pairs = pairs_in_order(above, below) + pairs_in_order(also_above, also_below)
    labels = (above[:, 0], also_above[:, 0])
    return Ranked(first, below[:, 0], pairs, labels, tuple(rest))


def pairs_in_order(positive: SecretArray, negative: SecretArray) -> SecretArray:
    """For each group the pairs of a negative row before a positive one: (n, groups) each."""
    return F.vecdot(positive, F.cumulative_sum(negative, axis=0), axis=0)


def cut_score(ordered: Ranked, share: Fraction) -> SecretArray:
    """The score that rows must exceed so that at most a share of the negative rows does: (1,).

    With K the largest whole number of negative rows within the share, it is the score of the
    negative row K + 1 from above: exceeding it passes at most K negative rows, and every lower
    cut passes more, however scores tie.

    Notes
    -----
    A comparison and a choice for each row. Meaningless without negative rows.
    """
    total = F.sum(ordered.negative)
    # Negative rows at or above each place.
    above = total - F.cumulative_sum(ordered.negative, axis=0) + ordered.negative
    within = above * share.denominator <= total * share.numerator
    # The last place that is not within; what follows the last row is.
    last = F.concat([within[1:], ~(within[-1:] ^ within[-1:])]) & ~within
    return F.sum(F.where(last, ordered.score, 0.0)).reshape(1)
