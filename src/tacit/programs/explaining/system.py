"""Linear equations of one recipient: which elements, and which few rows, they determine.

All outputs that somebody learns are rows of one matrix over elements of sources. A functional of
the elements is determined exactly if it lies in the row space: a unit vector there is an element
that is known, a vector on the elements of few rows a statistic of few people. So outputs that are
harmless alone are found where their difference is not (Dwork and Roth 2014, section 1.1;
Hundepool et al. 2012, section 3.3).

Positions that every equation treats alike are one column, so that a sum over a million rows is a
short row here, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Final

from tacit.programs.explaining.budget import Budget
from tacit.programs.explaining.cells import selected
from tacit.programs.explaining.isolating import Isolated, few_rows
from tacit.programs.explaining.matrix import System
from tacit.programs.explaining.regions import Region
from tacit.programs.explaining.values import Source, Value

__all__ = ["Equation", "Solved", "solved"]

_MOST_ROWS: Final = 2048


@dataclass(frozen=True, slots=True, eq=False)
class Equation:
    """A value that is learned.

    Attributes
    ----------
    name : str
        The output that it comes from.
    value : Value
    """

    name: str
    value: Value


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """What follows from equations.

    Attributes
    ----------
    elements : mapping of int to Region
        By source, which of its elements are determined.
    because : mapping of int to frozenset of int
        By source, the equations that they follow from.
    isolated : list of Isolated
    left_out : list of int
        Equations with too many elements to be solved.
    split : frozenset of int
        Equations that were taken apart into several, digit by digit.
    """

    elements: Mapping[int, Region]
    because: Mapping[int, frozenset[int]]
    isolated: Sequence[Isolated]
    left_out: Sequence[int]
    split: frozenset[int]


def solved(
    equations: Sequence[Equation],
    sources: Sequence[Source],
    known: Mapping[int, Region],
    few: int,
    budget: Budget,
) -> Solved:
    """What equations determine.

    Parameters
    ----------
    equations : sequence of Equation
    sources : sequence of Source
    known : mapping of int to Region
        Elements that are known anyhow, by source.
    few : int
        Statistics over fewer rows are isolated.
    budget : Budget
        How much work is left; equations that are beyond it are left out.
    """
    elements: dict[int, Region] = {}
    because: dict[int, frozenset[int]] = {}
    known = dict(known)
    small: list[int] = []
    left_out: list[int] = []
    for number, equation in enumerate(equations):
        if all(s in known and known[s].whole for s in equation.value.form):
            continue
        direct = selected(equation.value, sources, known)
        if direct is not None:
            source, region = direct
            if source not in known or not known[source].covers(region):
                elements[source] = region.joined(elements.get(source))
                because[source] = because.get(source, frozenset()) | {number}
                known[source] = region.joined(known.get(source))
        elif prod(equation.value.shape) <= _MOST_ROWS:
            small.append(number)
        else:
            left_out.append(number)
    isolated: list[Isolated] = []
    system = System([equations[n].value for n in small], sources, known, budget)
    if system.matrix.size:
        for source, region, used in system.elements():
            elements[source] = region.joined(elements.get(source))
            numbers = {small[n] for n in used}
            there = {s for n in numbers for s in equations[n].value.form}
            direct_ones = (because[s] for s in there if s in because)
            because[source] = frozenset(numbers).union(*direct_ones)
        for one in few_rows(system, few):
            used_here = tuple(small[n] for n in one.equations)
            isolated.append(replace(one, equations=used_here))
    left_out += [small[n] for n in system.left_out]
    split = frozenset(small[n] for n in system.split)
    return Solved(elements, because, isolated, left_out, split)
