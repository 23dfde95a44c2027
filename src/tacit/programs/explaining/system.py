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
from dataclasses import dataclass
from math import prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tacit.programs.explaining.cells import (
    MOST_COLUMNS,
    coefficients_of,
    edges_of,
    selected,
)
from tacit.programs.explaining.forms import Block
from tacit.programs.explaining.regions import Region
from tacit.programs.explaining.values import Source, Value

__all__ = ["Equation", "Isolated", "Solved", "solved"]

_MOST_ROWS: Final = 2048
_MOST_CELLS: Final = 1 << 22
_TINY: Final = 1e-7

Matrix = NDArray[np.float64]


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


@dataclass(frozen=True, slots=True)
class Isolated:
    """A statistic of few rows that is determined.

    Attributes
    ----------
    source : int
    rows : int
        How many.
    first : int
        The first of them.
    equations : tuple of int
        Those that it follows from.
    """

    source: int
    rows: int
    first: int
    equations: tuple[int, ...]


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
    """

    elements: Mapping[int, Region]
    because: Mapping[int, frozenset[int]]
    isolated: Sequence[Isolated]
    left_out: Sequence[int]


def solved(
    equations: Sequence[Equation],
    sources: Sequence[Source],
    known: Mapping[int, Region],
    few: int,
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
    """
    elements: dict[int, Region] = {}
    because: dict[int, frozenset[int]] = {}
    known = dict(known)
    small: list[int] = []
    left_out: list[int] = []
    for number, equation in enumerate(equations):
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
    system = _System([equations[n] for n in small], sources, known)
    left_out += [small[n] for n in system.left_out]
    if system.matrix.size:
        for source, region, used in system.elements():
            elements[source] = region.joined(elements.get(source))
            numbers = {small[n] for n in used}
            there = {s for n in numbers for s in equations[n].value.form}
            direct_ones = (because[s] for s in there if s in because)
            because[source] = frozenset(numbers).union(*direct_ones)
        for one in system.few_rows(few):
            used_here = tuple(small[n] for n in one.equations)
            isolated.append(Isolated(one.source, one.rows, one.first, used_here))
    return Solved(elements, because, isolated, left_out)


class _System:
    """The matrix of equations over cells of sources; a cell is a box of equal elements."""

    def __init__(
        self,
        equations: Sequence[Equation],
        sources: Sequence[Source],
        known: Mapping[int, Region],
    ) -> None:
        self.sources = sources
        self.left_out: list[int] = []
        self.cells: dict[int, list[NDArray[np.int64]]] = {}
        """By source and axis, where classes of positions begin, and the end."""
        used = sorted({s for e in equations for s in e.value.form})
        hard: set[int] = set()
        for source in used:
            blocks = [
                (e.value.form[source], e.value.shape) for e in equations if source in e.value.form
            ]
            edges = edges_of(blocks, sources[source].shape, known.get(source))
            if edges is None:
                hard.add(source)
            else:
                self.cells[source] = edges
        while self.cells and sum(map(self._count, self.cells)) > MOST_COLUMNS:
            largest = max(self.cells, key=self._count)
            hard.add(largest)
            del self.cells[largest]
        self.left_out = [n for n, e in enumerate(equations) if hard & e.value.form.keys()]
        kept = [n for n in range(len(equations)) if n not in self.left_out]
        self.order = [s for s in used if s in self.cells]
        starts = np.cumsum([0, *(self._count(s) for s in self.order)])
        self.first = dict(zip(self.order, starts.tolist(), strict=False))
        rows: list[Matrix] = []
        origin: list[int] = []
        for n in kept:
            value = equations[n].value
            part = np.zeros((prod(value.shape), int(starts[-1])))
            if part.size > _MOST_CELLS:
                self.left_out.append(n)
                continue
            for source, block in value.form.items():
                begin = self.first[source]
                part[:, begin : begin + self._count(source)] += self._coefficients(
                    block, value.shape, source
                )
            rows.append(part)
            origin += [n] * len(part)
        self.origin = np.array(origin, np.int64)
        self.matrix = np.concatenate(rows) if rows else np.zeros((0, 0))
        if self.matrix.size:
            self._forget(known)
            there = self.matrix.any(1)
            self.matrix, self.origin = self.matrix[there], self.origin[there]
            self._reduce()

    def _count(self, source: int) -> int:
        return prod(len(edges) - 1 for edges in self.cells[source])

    def _coefficients(self, block: Block, shape: tuple[int, ...], source: int) -> Matrix:
        of = self.sources[source].shape
        edges = self.cells[source]
        if isinstance(block, np.ndarray):
            places = np.arange(prod(of)).reshape(of)[np.ix_(*(e[:-1] for e in edges))]
            return block[:, places.ravel()]
        counts = [len(e) - 1 for e in edges]
        total = np.zeros((*shape, *counts))
        for term in block:
            total += coefficients_of(term, shape, edges)
        return total.reshape(prod(shape), prod(counts))

    def _forget(self, known: Mapping[int, Region]) -> None:
        """Subtract what is known."""
        for source in self.order:
            if source in known:
                edges = self.cells[source]
                region, begin = known[source], self.first[source]
                if region.whole:
                    self.matrix[:, begin : begin + self._count(source)] = 0
                elif region.mask is not None:
                    mask = region.mask[np.ix_(*(e[:-1] for e in edges))]
                    self.matrix[:, begin : begin + mask.size] *= ~mask.ravel()

    def _reduce(self) -> None:
        scale = np.abs(self.matrix).max(1, keepdims=True) if self.matrix.size else 1.0
        self.matrix = self.matrix / scale
        self.columns = np.flatnonzero(self.matrix.any(0)) if self.matrix.size else np.zeros(0, int)
        a = self.matrix[:, self.columns]
        if not a.size:
            self.matrix = np.zeros((0, 0))
            return
        u, s, v = np.linalg.svd(a, full_matrices=False)
        rank = int((s > s[0] * 1e-10 * max(a.shape)).sum())
        self.basis = v[:rank]
        self.combine = (v[:rank].T / s[:rank]) @ u[:, :rank].T

    # What follows.

    def _sizes(self, source: int) -> NDArray[np.int64]:
        """How many elements each cell of a source has."""
        size = np.ones((), np.int64)
        for edges in self.cells[source]:
            size = np.multiply.outer(size, np.diff(edges))
        return np.asarray(size).ravel()

    def _used(self, rows: Matrix) -> frozenset[int]:
        """The equations that combinations of rows need."""
        there = (np.abs(rows) > _TINY * max(1.0, float(np.abs(rows).max()))).any(0)
        return frozenset(self.origin[there].tolist())

    def elements(self) -> list[tuple[int, Region, frozenset[int]]]:
        """By source, the elements that are determined, and the equations that they need."""
        share = np.einsum("rc,rc->c", self.basis, self.basis)
        sure = np.flatnonzero(share > 1 - _TINY)
        found = []
        for source in self.order:
            begin, size = self.first[source], self._sizes(source)
            here = [c for c in sure if 0 <= self.columns[c] - begin < size.size]
            here = [c for c in here if size[self.columns[c] - begin] == 1]
            if not here:
                continue
            counts = [len(e) - 1 for e in self.cells[source]]
            places: list[tuple[int, ...]] = []
            for c in here:
                place = np.unravel_index(self.columns[c] - begin, counts or [1])
                edges = self.cells[source]
                places.append(tuple(int(e[p]) for e, p in zip(edges, place, strict=False)))
            region = Region.places(self.sources[source].shape, places)
            found.append((source, region, self._used(self.combine[here])))
        return found

    def few_rows(self, few: int) -> list[Isolated]:
        """Statistics of fewer rows than `few` that are determined."""
        groups: list[tuple[int, int, int, NDArray[np.int64]]] = []
        group_of = np.full(self.columns.size, -1)
        for source in self.order:
            begin, counts = self.first[source], [len(e) - 1 for e in self.cells[source]]
            axis = self.sources[source].rows
            edges = self.cells[source]
            inside = (self.columns >= begin) & (self.columns < begin + prod(counts))
            there = np.flatnonzero(inside)
            if not there.size:
                continue
            places = np.unravel_index(self.columns[there] - begin, counts or [1])
            along = places[axis] if axis is not None and counts else np.zeros(there.size, int)
            for k in np.unique(along):
                if axis is None or not counts:
                    rows, first = 1, 0
                else:
                    rows, first = int(edges[axis][k + 1] - edges[axis][k]), int(edges[axis][k])
                group_of[there[along == k]] = len(groups)
                rows *= max(self.sources[source].each, 1)
                groups.append((source, rows, first, there[along == k]))
        found: list[Isolated] = []
        for source, rows, first, columns in groups:
            if rows >= few:
                continue
            used = self._isolated(columns)
            if used:
                found.append(Isolated(source, rows, first, tuple(sorted(used))))
        if not found and len(self.matrix) <= 128:
            found += self._combined(few, groups, group_of)
        return found

    def _isolated(self, columns: NDArray[np.int64]) -> frozenset[int]:
        part = self.basis[:, columns]
        u, s, _ = np.linalg.svd(part, full_matrices=False)
        alone = u[:, s > 1 - _TINY]
        if not alone.size:
            return frozenset()
        functional = alone.T @ self.basis
        return self._used(functional @ self.combine)

    def _combined(
        self,
        few: int,
        groups: Sequence[tuple[int, int, int, NDArray[np.int64]]],
        group_of: NDArray[np.int64],
    ) -> list[Isolated]:
        """Outputs, and differences of two, that go over few groups of rows."""
        a = self.matrix[:, self.columns]
        first, second = np.triu_indices(len(a), 1)
        first = np.concatenate([np.arange(len(a)), first])
        second = np.concatenate([np.arange(len(a)), second])
        differences = a[first] - np.where((first == second)[:, None], 0.0, a[second])
        rows = np.array([group[1] for group in groups], np.int64)
        of = np.array([group[0] for group in groups], np.int64)
        for line, pair in zip(differences, zip(first, second, strict=True), strict=True):
            there = np.unique(group_of[np.abs(line) > _TINY])
            if there.size and rows[there].sum() < few and (of[there] == of[there[0]]).all():
                used = {int(self.origin[p]) for p in pair}
                source, _, begin, _ = groups[there[0]]
                return [Isolated(source, int(rows[there].sum()), begin, tuple(sorted(used)))]
        return []
