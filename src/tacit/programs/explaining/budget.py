"""How much work an explanation may be: what is beyond is said to have not been looked at."""

from __future__ import annotations

from typing import Final

__all__ = ["NAMING", "SOLVING", "Budget"]

SOLVING: Final = 3 * 10**9
"""Products of two numbers, in all systems of equations of an explanation; about a second."""

NAMING: Final = 10**9
"""The same for finding out which equations were needed."""


class Budget:
    """An amount of work, used up bit by bit.

    Parameters
    ----------
    amount : int

    Attributes
    ----------
    left : int
        What has not been used.
    """

    def __init__(self, amount: int) -> None:
        self.left = amount

    def take(self, cost: int) -> bool:
        """Use some, if there is enough."""
        enough = cost <= self.left
        self.left -= cost if enough else 0
        return enough
