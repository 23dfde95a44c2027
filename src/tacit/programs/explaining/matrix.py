"""The matrix of linear equations, over boxes of elements that all of them treat alike.

Its row space is what can be worked out: a basis of it, and how that is made of the equations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tacit.programs.explaining.budget import Budget
from tacit.programs.explaining.cells import MOST_COLUMNS, coefficients_of, edges_of
from tacit.programs.explaining.forms import Block
from tacit.programs.explaining.packing import segments_of
from tacit.programs.explaining.regions import Region
from tacit.programs.explaining.spans import unit_of
from tacit.programs.explaining.values import Source, Value

__all__ = ["EXACT", "TINY", "System"]

_MOST_CELLS: Final = 1 << 20
"""The most coefficients of a matrix of all equations together."""

_PLACE: Final = 1000
"""How many products of numbers looking for a cut at one place is worth."""

TINY: Final = 1e-7

EXACT: Final = 1e-9
"""What is left of other elements where one is determined: rounding errors alone."""

Numbers = NDArray[np.float64]


def _is_large(value: Value) -> bool:
    """Whether a value weighs elements one by one, and they are too many to be told apart."""
    return any(
        isinstance(block, np.ndarray) and block.shape[1] > MOST_COLUMNS
        for block in value.form.values()
    )


def _work(rows: int, columns: int) -> int:
    """Products of numbers in a singular value decomposition, but for a factor."""
    return rows * columns * min(rows, columns)


class System:
    """The matrix of equations over cells of sources; a cell is a box of equal elements.

    Parameters
    ----------
    equations : sequence of Value
        What is learned.
    sources : sequence of Source
    known : mapping of int to Region
        Elements that are known anyhow, by source.
    budget : Budget
        How much work is left.

    Attributes
    ----------
    matrix : ndarray, (equations, cells)
        What is left of the equations without what is known, each scaled to 1.
    origin : ndarray
        Which value each row comes from.
    columns : ndarray
        The cells that are not all zero.
    basis : ndarray, (rank, columns)
        Orthonormal rows that span the same.
    combine : ndarray, (columns, equations)
        How what lies in their span is made of the equations: ``line @ combine``.
    left_out : list of int
        Values that are too large.
    split : set of int
        Values that were taken apart.
    """

    def __init__(
        self,
        equations: Sequence[Value],
        sources: Sequence[Source],
        known: Mapping[int, Region],
        budget: Budget,
    ) -> None:
        self.sources = sources
        self.budget = budget
        self.left_out: list[int] = []
        self.split: set[int] = set()
        self.cells: dict[int, list[NDArray[np.int64]]] = {}
        """By source and axis, where classes of positions begin, and the end."""
        self.left_out = [n for n, e in enumerate(equations) if _is_large(e)]
        fitting = [e for n, e in enumerate(equations) if n not in self.left_out]
        used = sorted({s for e in fitting for s in e.form})
        hard: set[int] = set()
        for source in used:
            blocks = [(e.form[source], e.shape) for e in fitting if source in e.form]
            edges = edges_of(blocks, sources[source].shape, known.get(source))
            if edges is None:
                hard.add(source)
            else:
                self.cells[source] = edges
        while self.cells and sum(map(self.count, self.cells)) > MOST_COLUMNS:
            largest = max(self.cells, key=self.count)
            hard.add(largest)
            del self.cells[largest]
        self.left_out += [
            n for n, e in enumerate(equations) if hard & e.form.keys() and n not in self.left_out
        ]
        kept = [n for n in range(len(equations)) if n not in set(self.left_out)]
        self.order = [s for s in used if s in self.cells]
        starts = np.cumsum([0, *(self.count(s) for s in self.order)])
        self.first = dict(zip(self.order, starts.tolist(), strict=False))
        rows: list[Numbers] = []
        origin: list[int] = []
        for n in self._fitting(kept, [prod(one.shape) for one in equations], int(starts[-1])):
            value = equations[n]
            part = np.zeros((prod(value.shape), int(starts[-1])))
            for source, block in value.form.items():
                begin = self.first[source]
                part[:, begin : begin + self.count(source)] += self._coefficients(
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
            self._unpack([unit_of(e.type) for e in equations])
            self._reduce()

    def _fitting(self, kept: Sequence[int], sizes: Sequence[int], columns: int) -> list[int]:
        """The equations that there is room and work left for, the shortest first."""
        total, fitting = 0, []
        for n in sorted(kept, key=lambda n: sizes[n]):
            more = total + sizes[n]
            if more * columns <= _MOST_CELLS and _work(more, columns) <= self.budget.left:
                total = more
                fitting.append(n)
            else:
                self.left_out.append(n)
        self.budget.take(_work(total, columns))
        return sorted(fitting)

    def count(self, source: int) -> int:
        """How many cells a source has."""
        return prod(len(edges) - 1 for edges in self.cells[source])

    def _coefficients(self, block: Block, shape: tuple[int, ...], source: int) -> Numbers:
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
                    self.matrix[:, begin : begin + self.count(source)] = 0
                elif region.mask is not None:
                    mask = region.mask[np.ix_(*(e[:-1] for e in edges))]
                    self.matrix[:, begin : begin + mask.size] *= ~mask.ravel()

    def _unpack(self, least: Sequence[float]) -> None:
        """Take apart numbers that hold several as their digits; `least` is what they round to."""
        sizes = np.concatenate([self.sizes(s) for s in self.order]).astype(np.float64)
        about = [self.sources[s] for s in self.order]
        counts = [self.count(s) for s in self.order]
        ranges = sizes * np.repeat([np.inf if s.span is None else s.span for s in about], counts)
        units = np.repeat([one.unit for one in about], counts)
        if not np.isfinite(ranges).any():
            return
        if not self.budget.take(_PLACE * int(np.count_nonzero(self.matrix))):
            self.left_out += sorted(set(self.origin.tolist()))
            return
        most = _MOST_CELLS // self.matrix.shape[1]
        rows: list[Numbers] = []
        origin: list[int] = []
        for row, number in zip(self.matrix, self.origin.tolist(), strict=True):
            there = np.flatnonzero(row)
            parts = [there]
            if there.size > 1:
                found = segments_of(row[there], units[there], ranges[there], least[number])
                parts = [there[one] for one in found]
            if len(parts) > 1:
                self.split.add(number)
            if len(rows) + len(parts) > most:
                break
            for part in parts:
                line = np.zeros(row.size)
                line[part] = row[part]
                rows.append(line)
                origin.append(number)
        if not self.split:
            return
        whole = origin and len(rows) > len(self.matrix) and origin[-1] == self.origin[-1]
        more = _work(len(rows), self.matrix.shape[1]) - _work(*self.matrix.shape)
        if whole and self.budget.take(more):
            self.matrix, self.origin = np.array(rows), np.array(origin, np.int64)
        else:
            self.left_out += sorted(self.split)
            self.split.clear()

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

    def sizes(self, source: int) -> NDArray[np.int64]:
        """How many elements each cell of a source has."""
        size = np.ones((), np.int64)
        for edges in self.cells[source]:
            size = np.multiply.outer(size, np.diff(edges))
        return np.asarray(size).ravel()

    def used(self, rows: Numbers) -> frozenset[int]:
        """The equations that combinations of rows need."""
        there = (np.abs(rows) > TINY * max(1.0, float(np.abs(rows).max()))).any(0)
        return frozenset(self.origin[there].tolist())

    def elements(self) -> list[tuple[int, Region, frozenset[int]]]:
        """By source, the elements that are determined, and the equations that they need."""
        share = np.einsum("rc,rc->c", self.basis, self.basis)
        near = np.flatnonzero(share > 1 - TINY)
        rest = self.basis.T @ self.basis[:, near]
        rest[near, np.arange(near.size)] -= 1
        sure = near[np.abs(rest).max(0, initial=0) < EXACT]
        found = []
        for source in self.order:
            begin, size = self.first[source], self.sizes(source)
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
            found.append((source, region, self.used(self.combine[here])))
        return found
