"""Cells of sources: boxes of elements that all equations treat alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tacit.programs.explaining.forms import Block, Keep, Term
from tacit.programs.explaining.regions import Region
from tacit.programs.explaining.values import Source, Value

__all__ = ["MOST_COLUMNS", "coefficients_of", "edges_of", "selected"]

MOST_COLUMNS: Final = 2048
"""The most cells of a system of equations."""


def selected(
    value: Value, sources: Sequence[Source], known: Mapping[int, Region]
) -> tuple[int, Region] | None:
    """The elements that a value is a copy of, times a number each."""
    rest = {s: b for s, b in value.form.items() if s not in known or not known[s].whole}
    if len(rest) != 1:
        return None
    ((source, block),) = rest.items()
    if isinstance(block, np.ndarray) or len(block) != 1 or not block[0].is_selection:
        return None
    (term,) = block
    shape = sources[source].shape
    if any(low >= high for low, high in term.window):
        return None
    key = []
    for one in term.axes:
        if isinstance(one, Keep):
            low, high = term.window[one.axis]
            last = one.start + (high - low - 1) * one.step
            key.append(slice(min(one.start, last), max(one.start, last) + 1, abs(one.step)))
        else:
            key.append(slice(one.start, one.start + 1, 1))
    return source, Region.box(shape, key)


def coefficients_of(
    term: Term, shape: tuple[int, ...], edges: Sequence[NDArray[np.int64]]
) -> NDArray[np.float64]:
    """The coefficients of one element of each cell."""
    ndim = len(shape) + len(edges)
    part = np.full((1,) * ndim, term.coefficient)
    for place, one in enumerate(term.axes):
        begins = edges[place][:-1]
        lengths = [1] * ndim
        lengths[len(shape) + place] = begins.size
        if isinstance(one, Keep):
            low, high = term.window[one.axis]
            grid = np.zeros((shape[one.axis], begins.size))
            positions = one.start + one.step * np.arange(high - low)
            grid[np.arange(low, high), np.searchsorted(begins, positions)] = 1
            lengths[one.axis] = shape[one.axis]
            part = part * grid.reshape(lengths)
        else:
            last = one.start + one.step * (one.count - 1)
            low, high = min(one.start, last), max(one.start, last)
            inside = (begins >= low) & (begins <= high) & ((begins - one.start) % one.step == 0)
            part = part * inside.astype(np.float64).reshape(lengths)
    for axis, (low, high) in enumerate(term.window):
        there = (np.arange(shape[axis]) >= low) & (np.arange(shape[axis]) < high)
        lengths = [1] * ndim
        lengths[axis] = shape[axis]
        part = part * there.reshape(lengths)
    return part


def edges_of(
    blocks: Sequence[tuple[Block, tuple[int, ...]]],
    shape: tuple[int, ...],
    known: Region | None,
) -> list[NDArray[np.int64]] | None:
    """Where classes of positions begin along every axis; None if there are too many."""
    single = any(isinstance(block, np.ndarray) for block, _ in blocks)
    single = single or (known is not None and known.mask is not None)
    if single:
        if prod(shape) > MOST_COLUMNS:
            return None
        return [np.arange(extent + 1) for extent in shape]
    edges = [{0, extent} for extent in shape]
    for block, _ in blocks:
        assert isinstance(block, tuple)
        for term in block:
            for place, one in enumerate(term.axes):
                if isinstance(one, Keep):
                    low, high = term.window[one.axis]
                    count, tight = high - low, False
                else:
                    count, tight = one.count, one.step in (1, -1)
                last = one.start + one.step * (count - 1)
                if tight:
                    edges[place] |= {min(one.start, last), max(one.start, last) + 1}
                elif count > MOST_COLUMNS:
                    return None
                else:
                    places = one.start + one.step * np.arange(count)
                    edges[place] |= set(places.tolist()) | set((places + 1).tolist())
    return [np.array(sorted(one), np.int64) for one in edges]
