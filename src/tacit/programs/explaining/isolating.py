"""Statistics of few rows that follow from equations: exactly, or but for what hardly weighs."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tacit.programs.explaining.matrix import EXACT, TINY, System
from tacit.programs.explaining.values import ALL, Source
from tacit.programs.explaining.weighing import participation

__all__ = ["Isolated", "few_rows"]

_MOST_PAIRS: Final = 128
"""The most equations of which all pairs are subtracted."""

_MOST_NEAR: Final = 16
"""The most rows that are looked at so."""

_NEAR: Final = 0.5
"""How much of a combination of equations has to lie on some rows, for them to be looked at."""


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
    effective : float, optional
        Where others have a little weight in it, too: how many rows of equal weight would be as
        spread out.
    """

    source: int
    rows: int
    first: int
    equations: tuple[int, ...]
    effective: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Rows of a source that all equations treat alike."""

    source: int
    count: int
    first: int
    columns: NDArray[np.int64]
    each: int

    @property
    def reached(self) -> int:
        """How many rows of inputs stand behind them."""
        return self.count * self.each


def few_rows(system: System, few: int) -> list[Isolated]:
    """Statistics of fewer rows than `few` that are determined.

    Parameters
    ----------
    system : System
    few : int
    """
    groups = _groups(system)
    found: list[Isolated] = []
    near: list[tuple[_Rows, NDArray[np.float64]]] = []
    for one in groups:
        if one.reached >= few:
            continue
        u, s, _ = np.linalg.svd(system.basis[:, one.columns], full_matrices=False)
        alone = u[:, s > 1 - TINY]
        if alone.size and not system.budget.take(2 * system.basis.size * alone.shape[1]):
            system.left_out += sorted(set(system.origin.tolist()))
            break
        used = _isolated(system, one, alone) if alone.size else frozenset()
        if used:
            found.append(Isolated(one.source, one.reached, one.first, tuple(sorted(used))))
        elif s.size and s[0] ** 2 > _NEAR and len(near) < _MOST_NEAR:
            near.append((one, u[:, 0] @ system.basis))
    if not found and len(system.matrix) <= _MOST_PAIRS:
        found += _combined(system, groups, few)
    return found or _nearly(system, groups, near, few)


def _groups(system: System) -> list[_Rows]:
    groups: list[_Rows] = []
    for source in system.order:
        begin, counts = system.first[source], [len(e) - 1 for e in system.cells[source]]
        axis, edges = system.sources[source].rows, system.cells[source]
        inside = (system.columns >= begin) & (system.columns < begin + prod(counts))
        there = np.flatnonzero(inside)
        if not there.size:
            continue
        places = np.unravel_index(system.columns[there] - begin, counts or [1])
        single = axis is None or not counts
        along = np.zeros(there.size, int) if single else places[axis]  # type: ignore[index]
        each = max(system.sources[source].each, 1)
        for k in np.unique(along):
            inside = there[along == k]
            begins = (0, 1) if single else edges[axis][k : k + 2]  # type: ignore[index]
            count, first = int(begins[1] - begins[0]), int(begins[0])
            if system.sources[source].operation == "reshape":
                elements = system.sizes(source)[system.columns[inside] - begin].sum()
                count = max(count, -(-int(elements) // _elements_of_a_row(system.sources[source])))
            groups.append(_Rows(source, count, first, inside, each))
    return groups


def _elements_of_a_row(source: Source) -> int:
    """How many elements each row has of what was reshaped; all, where that is not known."""
    value = source.of[0]
    every = value.reach.get(ALL)
    if every is None or every.axis is None or every.axis >= len(value.shape):
        return prod(value.shape)
    return prod(value.shape) // value.shape[every.axis]


def _isolated(system: System, rows: _Rows, alone: NDArray[np.float64]) -> frozenset[int]:
    functional = alone.T @ system.basis
    outside = np.abs(np.delete(functional, rows.columns, 1)).max(1, initial=0)
    functional = functional[outside < EXACT]
    return system.used(functional @ system.combine) if functional.size else frozenset()


def _nearly(
    system: System,
    groups: Sequence[_Rows],
    near: Sequence[tuple[_Rows, NDArray[np.float64]]],
    few: int,
) -> list[Isolated]:
    """Combinations, of several values, in which some rows have nearly all the weight."""
    if not near:
        return []
    spans = [system.sources[one.source].span for one in groups]
    scales = [span or 1.0 for span in spans] if all(spans) else [1.0] * len(groups)
    sizes = {source: system.sizes(source) for source in system.order}
    share = np.zeros((system.columns.size, len(groups)))
    for k, (one, scale) in enumerate(zip(groups, scales, strict=True)):
        cells = system.columns[one.columns] - system.first[one.source]
        share[one.columns, k] = scale * sizes[one.source][cells] / one.count
    counts = np.array([one.count for one in groups], np.float64)
    found: list[Isolated] = []
    for rows, line in near:
        effective = float(participation(np.abs(line) @ share, counts)) * rows.each
        used = system.used((line @ system.combine)[None])
        if effective < few and len(used) > 1:
            every = tuple(sorted(used))
            found.append(Isolated(rows.source, rows.reached, rows.first, every, effective))
    return found


def _combined(system: System, groups: Sequence[_Rows], few: int) -> list[Isolated]:
    """Outputs, and differences of two, that go over few groups of rows."""
    group_of = np.full(system.columns.size, -1)
    for k, group in enumerate(groups):
        group_of[group.columns] = k
    a = system.matrix[:, system.columns]
    rows = np.array([group.reached for group in groups], np.int64)
    of = np.array([group.source for group in groups], np.int64)
    pairs = itertools.combinations(range(len(a)), 2)
    for pair in itertools.chain(((k,) for k in range(len(a))), pairs):
        line = a[pair[0]] - a[pair[1]] if len(pair) == 2 else a[pair[0]]
        there = np.unique(group_of[np.abs(line) > TINY])
        if there.size and rows[there].sum() < few and (of[there] == of[there[0]]).all():
            used = {int(system.origin[p]) for p in pair}
            one = groups[there[0]]
            count = int(rows[there].sum())
            return [Isolated(one.source, count, one.first, tuple(sorted(used)))]
    return []
