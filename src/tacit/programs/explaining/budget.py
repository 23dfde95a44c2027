"""How much work an explanation may be: what is beyond is said to have not been looked at."""

from __future__ import annotations

from typing import Final

__all__ = ["KEEPING", "NAMING", "SOLVING", "TRYING", "Budget"]

SOLVING: Final = 3 * 10**9
"""Products of two numbers, in all systems of equations of an explanation; about a second."""

NAMING: Final = 10**9
"""The same for finding out which equations were needed."""

TRYING: Final = 10**8
"""Comparisons of two results, in all trials of functions; about a second."""

KEEPING: Final = 1 << 24
"""Coefficients that are written out one by one and kept: 128 MB."""


class Budget:
    """An amount of work, used up bit by bit.

    Parameters
    ----------
    amount : int

    Attributes
    ----------
    left : int
        What has not been used.
    refused : int
        How often there was not enough.
    """

    def __init__(self, amount: int) -> None:
        self.left = amount
        self.refused = 0

    def take(self, cost: int) -> bool:
        """Use some, if there is enough."""
        enough = cost <= self.left
        if enough:
            self.left -= cost
        else:
            self.refused += 1
        return enough
