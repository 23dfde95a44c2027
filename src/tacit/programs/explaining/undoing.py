"""What else follows for somebody who knows results: their functions undone, one by one or together.

Each result that is known, and was made element by element, is tried as a function of one number;
see trying.py. Results that are functions of the same number are taken together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tacit.programs.explaining.budget import Budget
from tacit.programs.explaining.regions import Region
from tacit.programs.explaining.trying import Trial, told_apart, trials_of
from tacit.programs.explaining.values import Made, Value

__all__ = ["Known", "Undoing", "Undone"]

_MOST: Final = 64
"""The most results of one number that are taken together."""


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """A result that is known.

    Attributes
    ----------
    made : Made
    region : Region
        Which of its elements.
    outputs : frozenset of str
        It follows from these.
    through : tuple of str
        What was undone before.
    """

    made: Made
    region: Region
    outputs: frozenset[str]
    through: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Undone:
    """A value that is known after undoing functions of it.

    Attributes
    ----------
    value : Value
    region : Region
        Which of its elements.
    outputs : frozenset of str
    through : tuple of str
        The operations that were undone.
    together : bool
        Whether several results were needed.
    """

    value: Value
    region: Region
    outputs: frozenset[str]
    through: tuple[str, ...]
    together: bool


class Undoing:
    """Results of one recipient, as functions of single numbers.

    Parameters
    ----------
    budget : Budget
        How much may be tried.

    Attributes
    ----------
    skipped : set of str
        Outputs with functions that were not tried.
    """

    def __init__(self, budget: Budget) -> None:
        self.skipped: set[str] = set()
        self._budget = budget
        self._looked: dict[int, int] = {}
        self._seen: set[int] = set()
        self._of: dict[int, list[tuple[Known, Trial]]] = {}
        self._done: set[int] = set()

    def learned(self, one: Known, is_known: Callable[[Value], bool]) -> None:
        """Take note of a result."""
        if id(one.made) in self._seen:
            return
        self._seen.add(id(one.made))
        refused = self._budget.refused
        for trial in trials_of(one.made, one.region.shape, is_known, self._budget):
            several = self._of.setdefault(id(trial.root), [])
            if len(several) < _MOST:
                several.append((one, trial))
        if self._budget.refused > refused:
            self.skipped |= one.outputs

    def undone(self) -> Iterator[Undone]:
        """The values that follow, each once."""
        for number, several in self._of.items():
            if number in self._done or self._looked.get(number) == len(several):
                continue
            self._looked[number] = len(several)
            refused = self._budget.refused
            enough = _enough(several, self._budget)
            if self._budget.refused > refused:
                self.skipped |= frozenset[str]().union(*(one.outputs for one, _ in several))
            if enough:
                self._done.add(number)
                yield _joined(enough)


def _enough(several: Sequence[tuple[Known, Trial]], budget: Budget) -> list[tuple[Known, Trial]]:
    """Results that tell the values of their root apart: one if one does, else as few as seen."""
    for one in several:
        if told_apart([one[1]], budget):
            return [one]
    whole = list(several)
    if len(whole) < 2 or not told_apart([trial for _, trial in whole], budget):
        return []
    for one in several:
        rest = [other for other in whole if other is not one]
        if rest and told_apart([trial for _, trial in rest], budget):
            whole = rest
    return whole


def _joined(several: Sequence[tuple[Known, Trial]]) -> Undone:
    root = several[0][1].root
    region = several[0][0].region
    for one, _ in several[1:]:
        region = _both(region, one.region)
    through = [name for one, trial in several for name in (*one.through, *trial.through)]
    outputs = frozenset[str]().union(*(one.outputs for one, _ in several))
    return Undone(root, region, outputs, tuple(dict.fromkeys(through)), len(several) > 1)


def _both(one: Region, other: Region) -> Region:
    """The elements that are in two regions."""
    if one.whole:
        return other
    if other.whole or one.mask is None or other.mask is None:
        return one
    mask = one.mask & other.mask
    return Region.of(mask) if mask.any() else Region(one.shape, 0, np.zeros(one.shape, np.bool_))
