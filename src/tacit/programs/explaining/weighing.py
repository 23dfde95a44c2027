"""How many rows there are in effect, if some weigh more than others.

Rows count by their largest contributions w: (sum w)^2 / sum w^2 is the number of rows of equal
weight that would be as spread out (the participation ratio, one over Herfindahl's index). Equal
weights give all rows, one large weight gives one. Statistical disclosure control asks the same
with the (n, k) dominance rule and the p % rule (Hundepool et al. 2012, chapter 4).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["participation"]

Numbers: TypeAlias = NDArray[np.float64]


def participation(weights: Numbers, rows: Numbers) -> Numbers:
    """How many rows of equal weight would be as spread out; infinite where all weights are 0.

    Parameters
    ----------
    weights : ndarray, (..., k)
        Not negative: of one row of each of k kinds.
    rows : ndarray, (k,)
        How many rows of each kind there are.
    """
    squares = np.square(weights) @ rows
    totals = np.square(weights @ rows)
    return np.divide(totals, squares, out=np.full_like(totals, np.inf), where=squares > 0)
