"""Values as linear forms: how each element is made of elements of sources, times numbers.

A source is a secret input, or the result of an operation that is not linear. What a value takes
from a source is a block: a sum of terms, each a product of one map an axis (keep the axis, or add
it up), whatever the extents; or, where that does not do and the arrays are small, the matrix of
coefficients itself. What is public is left out: it can be subtracted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Block",
    "Form",
    "Keep",
    "Term",
    "Whole",
    "added",
    "broadcasted",
    "dense",
    "entries",
    "identity",
    "indexed",
    "moved",
    "scaled",
    "summed",
    "transposed",
]

MOST: Final = 1 << 18
"""The most coefficients of a matrix."""

_TERMS: Final = 64
"""The most terms of a block."""


@dataclass(frozen=True, slots=True)
class Keep:
    """An axis of the source that stays: position ``start + k * step`` at ``low + k`` of `axis`."""

    axis: int
    start: int
    step: int


@dataclass(frozen=True, slots=True)
class Whole:
    """An axis of the source that is added up over these positions."""

    start: int
    step: int
    count: int


@dataclass(frozen=True, slots=True)
class Term:
    """A coefficient times a part of a source.

    Attributes
    ----------
    coefficient : float
    axes : tuple of Keep or Whole
        For each axis of the source.
    window : tuple of (low, high)
        For each axis of the value, where it is not zero.
    """

    coefficient: float
    axes: tuple[Keep | Whole, ...]
    window: tuple[tuple[int, int], ...]

    @property
    def is_selection(self) -> bool:
        """Whether every element that is not zero is one element of the source."""
        return all(isinstance(one, Keep) or one.count == 1 for one in self.axes)


Block: TypeAlias = tuple[Term, ...] | NDArray[np.float64]
"""Terms, or a matrix: (elements of the value, elements of the source)."""

Form: TypeAlias = dict[int, Block]
"""Blocks by number of the source."""

Shape: TypeAlias = tuple[int, ...]


def identity(source: int, shape: Shape) -> Form:
    """The form of the source itself."""
    axes = tuple(Keep(axis, 0, 1) for axis in range(len(shape)))
    return {source: (Term(1.0, axes, tuple((0, extent) for extent in shape)),)}


def dense(block: Block, shape: Shape, of: Shape) -> NDArray[np.float64] | None:
    """The matrix of a block of a value of some shape; None where it is too large."""
    if isinstance(block, np.ndarray):
        return block
    if prod(shape) * prod(of) > MOST:
        return None
    matrix = np.zeros((*shape, *of))
    for term in block:
        part = np.full((1,) * (len(shape) + len(of)), term.coefficient)
        for place, one in enumerate(term.axes):
            extent = of[place]
            if isinstance(one, Keep):
                low, high = term.window[one.axis]
                grid = np.zeros((shape[one.axis], extent))
                grid[np.arange(low, high), one.start + one.step * np.arange(high - low)] = 1
                kept = [1] * part.ndim
                kept[one.axis], kept[len(shape) + place] = grid.shape
                part = part * grid.reshape(kept)
            else:
                line = np.zeros(extent)
                line[one.start + one.step * np.arange(one.count)] = 1
                kept = [1] * part.ndim
                kept[len(shape) + place] = extent
                part = part * line.reshape(kept)
        for axis, (low, high) in enumerate(term.window):
            there = (np.arange(shape[axis]) >= low) & (np.arange(shape[axis]) < high)
            kept = [1] * part.ndim
            kept[axis] = shape[axis]
            part = part * there.reshape(kept)
        matrix += part
    return matrix.reshape(prod(shape), prod(of))


def entries(
    block: Block, shape: Shape, of: Shape
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]] | None:
    """The coefficients of a block that are not zero: of which element, of what, how much.

    Returns
    -------
    (rows, columns, coefficients) or None
        Flat places in a value of `shape` and in a source of shape `of`; a place may come more than
        once. None if there are too many.
    """
    if isinstance(block, np.ndarray):
        rows, columns = np.nonzero(block)
        return rows, columns, block[rows, columns]
    found: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = []
    for term in block:
        ends = [one.count for one in term.axes if isinstance(one, Whole)]
        spans = [max(high - low, 0) for low, high in term.window]
        if prod(spans) * prod(ends) > MOST:
            return None
        grid = np.indices([*spans, *ends]).reshape(len(spans) + len(ends), -1)
        places = [grid[k] + low for k, (low, _) in enumerate(term.window)]
        column = np.zeros(grid.shape[1], np.int64)
        whole = len(spans)
        for one, extent in zip(term.axes, of, strict=True):
            if isinstance(one, Keep):
                low = term.window[one.axis][0]
                there = one.start + one.step * (places[one.axis] - low)
            else:
                there, whole = one.start + one.step * grid[whole], whole + 1
            column = column * extent + there
        row = np.zeros(grid.shape[1], np.int64)
        for place, extent in zip(places, shape, strict=True):
            row = row * extent + place
        found.append((row, column, np.full(row.size, term.coefficient)))
    if not found:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    return tuple(np.concatenate(parts) for parts in zip(*found, strict=True))  # type: ignore[return-value]


# Sums and multiples.


def added(
    forms: Sequence[Form], shapes: Sequence[Shape], shape: Shape, sources: Mapping[int, Shape]
) -> Form | None:
    """The sum of values, each broadcast to a shape; None where it cannot be written."""
    total: Form = {}
    for form, own in zip(forms, shapes, strict=True):
        found = broadcasted(form, own, shape, sources)
        if found is None:
            return None
        for source, block in found.items():
            if source not in total:
                total[source] = block
                continue
            both = _sum(total.pop(source), block, shape, sources[source])
            if both is None:
                return None
            if len(both):
                total[source] = both
    return total


def _sum(one: Block, other: Block, shape: Shape, of: Shape) -> Block | None:
    if isinstance(one, tuple) and isinstance(other, tuple):
        terms = _merged((*one, *other))
        if len(terms) <= _TERMS:
            return terms
    first, second = dense(one, shape, of), dense(other, shape, of)
    if first is None or second is None:
        return None
    total = first + second
    return total if total.any() else ()


def _merged(terms: Sequence[Term]) -> tuple[Term, ...]:
    found: dict[Any, float] = {}
    for term in terms:
        key = term.axes, term.window
        found[key] = found.get(key, 0.0) + term.coefficient
    return tuple(
        Term(coefficient, axes, window)
        for (axes, window), coefficient in found.items()
        if coefficient
    )


def scaled(form: Form, factor: float) -> Form:
    """A multiple of a value."""
    if not factor:
        return {}
    found: Form = {}
    for source, block in form.items():
        if isinstance(block, tuple):
            found[source] = tuple(replace(t, coefficient=t.coefficient * factor) for t in block)
        else:
            found[source] = block * factor
    return found


# Shapes.


def broadcasted(form: Form, own: Shape, shape: Shape, sources: Mapping[int, Shape]) -> Form | None:
    """The value repeated to a shape."""
    if own == shape:
        return dict(form)
    ahead = len(shape) - len(own)
    found: Form = {}
    for source, block in form.items():
        if isinstance(block, np.ndarray):
            if prod(shape) * prod(sources[source]) > MOST:
                return None
            places = np.broadcast_to(np.arange(prod(own)).reshape(own), shape)
            found[source] = block[places.ravel()]
        else:
            found[source] = tuple(_repeated(term, own, shape, ahead) for term in block)
    return found


def _repeated(term: Term, own: Shape, shape: Shape, ahead: int) -> Term:
    window = [(0, extent) for extent in shape]
    grown = [axis for axis in range(len(own)) if own[axis] != shape[axis + ahead]]
    for axis, span in enumerate(term.window):
        if axis not in grown:
            window[axis + ahead] = span
        elif span[0] >= span[1]:
            window[axis + ahead] = (0, 0)
    axes = tuple(
        one
        if isinstance(one, Whole)
        else Whole(one.start, 1, 1)
        if one.axis in grown
        else replace(one, axis=one.axis + ahead)
        for one in term.axes
    )
    return Term(term.coefficient, axes, tuple(window))


def transposed(form: Form, own: Shape, order: Sequence[int]) -> Form:
    """The value with its axes in another order."""
    where = {old: new for new, old in enumerate(order)}
    found: Form = {}
    for source, block in form.items():
        if isinstance(block, np.ndarray):
            places = np.arange(prod(own)).reshape(own).transpose(order)
            found[source] = block[places.ravel()]
        else:
            found[source] = tuple(
                Term(
                    term.coefficient,
                    tuple(
                        replace(one, axis=where[one.axis]) if isinstance(one, Keep) else one
                        for one in term.axes
                    ),
                    tuple(term.window[old] for old in order),
                )
                for term in block
            )
    return found


def summed(form: Form, own: Shape, axes: Sequence[int], keep: bool) -> Form:
    """The value added up over axes."""
    rest = [axis for axis in range(len(own)) if axis not in axes]
    place = {axis: (axis if keep else rest.index(axis)) for axis in rest}
    found: Form = {}
    for source, block in form.items():
        if isinstance(block, np.ndarray):
            columns = block.shape[1]
            total = block.reshape(*own, columns).sum(tuple(axes))
            found[source] = total.reshape(prod(own[axis] for axis in rest), columns)
        else:
            terms = [_total(term, set(axes), place, keep, len(own)) for term in block]
            found[source] = _merged([term for term in terms if term is not None])
    return {source: block for source, block in found.items() if len(block)}


def _total(term: Term, axes: set[int], place: dict[int, int], keep: bool, ndim: int) -> Term | None:
    coefficient = term.coefficient
    kept = {one.axis for one in term.axes if isinstance(one, Keep)}
    for axis in axes - kept:
        coefficient *= term.window[axis][1] - term.window[axis][0]
    if not coefficient or any(low >= high for low, high in term.window):
        return None
    maps: list[Keep | Whole] = []
    for one in term.axes:
        if isinstance(one, Keep) and one.axis in axes:
            low, high = term.window[one.axis]
            maps.append(Whole(one.start, one.step, high - low))
        elif isinstance(one, Keep):
            maps.append(replace(one, axis=place[one.axis]))
        else:
            maps.append(one)
    window = tuple(
        (0, 1) if axis in axes else term.window[axis]
        for axis in range(ndim)
        if keep or axis not in axes
    )
    return Term(coefficient, tuple(maps), window)


# Moves.


def moved(
    form: Form, places: NDArray[np.int64], sources: Mapping[int, Shape], own: Shape
) -> Form | None:
    """A value whose elements are those at places of another (flat), -1 for none."""
    found: Form = {}
    flat = places.ravel()
    for source, block in form.items():
        matrix = dense(block, own, sources[source])
        if matrix is None or flat.size * matrix.shape[1] > MOST:
            return None
        if not matrix.size:
            continue
        rows = matrix[np.maximum(flat, 0)]
        rows[flat < 0] = 0
        if rows.any():
            found[source] = rows
    return found


def indexed(form: Form, key: Sequence[Any], own: Shape) -> Form | None:
    """Elements at a basic index: integers, slices, None; every axis named.

    None where a block is a matrix: :func:`moved` does those.
    """
    found: Form = {}
    for source, block in form.items():
        if isinstance(block, np.ndarray):
            return None
        terms = [_picked(term, key, own) for term in block]
        kept = _merged([term for term in terms if term is not None])
        if kept:
            found[source] = kept
    return found


def _picked(term: Term, key: Sequence[Any], own: Shape) -> Term | None:
    axes: list[Keep | Whole] = list(term.axes)
    window: list[tuple[int, int]] = []
    reading = {one.axis: k for k, one in enumerate(term.axes) if isinstance(one, Keep)}
    axis = 0
    for item in key:
        if item is None:
            window.append((0, 1))
            continue
        low, high = term.window[axis]
        k = reading.get(axis)
        one = axes[k] if k is not None else None
        if isinstance(item, int):
            position = item % own[axis]
            if not low <= position < high:
                return None
            if isinstance(one, Keep) and k is not None:
                axes[k] = Whole(one.start + (position - low) * one.step, 1, 1)
        else:
            start, stop, step = item.indices(own[axis])
            count = len(range(start, stop, step))
            if step > 0:  # the first k with start + k step >= low; then the first beyond high
                first = max(0, -((start - low) // step))
                last = min(count, -((start - high) // step))
            else:  # the first k with start + k step < high; then the first below low
                first = max(0, -((high - 1 - start) // -step))
                last = min(count, (start - low) // -step + 1)
            if first >= last:
                return None
            if isinstance(one, Keep) and k is not None:
                begin = one.start + (start + first * step - low) * one.step
                axes[k] = Keep(len(window), begin, one.step * step)
            window.append((first, last))
        axis += 1
    return Term(term.coefficient, tuple(axes), tuple(window))
