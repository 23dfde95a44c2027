"""Which groups may be shown: decided on shares, before anything is opened.

The frequency rule of official statistics (Hundepool et al. 2012, *Statistical Disclosure Control*,
chapters 4 and 5): a group of fewer than m rows is hidden (primary suppression). A hidden group can
come out as the total less the groups that are shown; so the rows that are *not* shown must be none
or at least m together, or else the smallest shown group is hidden too (secondary suppression).
Where a measure needs both classes, the rule holds for the rows of each class as well.

What the rule does not prevent: the difference of two evaluations whose rows differ by a few, or by
two columns of groups. For that there is differential privacy, and a limit on how often somebody
may ask.
"""

from __future__ import annotations

import tacit.arrays.functions as F
from tacit.arrays import SecretArray
from tacit.encoding.types import int64

__all__ = ["disjoint", "shown"]


def disjoint(groups: SecretArray) -> SecretArray:
    """The same groups, each row in the first of those that it is in.

    The rule below is about groups that share no row: two groups that differ in one row would tell
    of that row by their difference. So it must not depend on who says which rows are in which
    groups, where somebody else has the labels.

    Parameters
    ----------
    groups : SecretArray of booleans, (n, k)

    Notes
    -----
    Nothing is opened. Rounds: k - 1 ANDs.
    """
    columns = [groups[:, 0]]
    free = ~groups[:, 0]
    for place in range(1, groups.shape[1]):
        columns.append(groups[:, place] & free)
        if place + 1 < groups.shape[1]:
            free = free & ~groups[:, place]
    return F.stack(columns, axis=1)


def shown(counts: SecretArray, minimum: int) -> SecretArray:
    """Which of the groups may be shown.

    Parameters
    ----------
    counts : SecretArray of integers, (criteria, 1 + groups)
        Rows of each kind that must be enough: in all, then in each group. The first criterion
        counts all rows of a group. No row is in two groups (:func:`disjoint`).
    minimum : int
        m, at least 1.

    Returns
    -------
    SecretArray of booleans, (1 + groups,)
        Whether the whole and each group may be shown. The rows in no shown group are none, or at
        least m of each kind, unless all groups are hidden.

    Notes
    -----
    Nothing is opened. Rows that belong to no group count among those that are not shown. Rounds:
    two comparisons, two ANDs over criteria, a minimum over groups.
    """
    enough = F.all(counts >= minimum, axis=0)
    groups = counts.shape[1] - 1
    if not groups:
        return enough
    members, good = counts[:, 1:], enough[1:].astype(int64)
    rest = counts[:, 0] - F.sum(members * good.reshape(1, groups), axis=1)
    harmless = (rest[0] == 0) | F.all(rest >= minimum)
    # The smallest group that is shown: hidden ones count as larger than the whole.
    sizes = F.where(enough[1:], members[0], counts[0, :1] + 1)
    smallest = F.one_hot(F.argmin(sizes), groups)
    hide = smallest & ~harmless
    return F.concat([enough[:1], enough[1:] & ~hide])
