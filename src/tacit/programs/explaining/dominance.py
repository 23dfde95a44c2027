"""Weights that leave one row in charge: how many rows a weighted sum goes over in effect."""

from __future__ import annotations

from collections.abc import Collection
from math import prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tacit.programs.explaining.cells import coefficients_of, edges_of
from tacit.programs.explaining.forms import Block, entries
from tacit.programs.explaining.values import Source, Value
from tacit.programs.explaining.walk import Walk
from tacit.programs.explaining.weighing import participation

__all__ = ["effective_rows"]

_MOST: Final = 1 << 20
"""The most coefficients that are written out."""

Numbers = NDArray[np.float64]


def effective_rows(
    walk: Walk, value: Value, foreign: Collection[int]
) -> tuple[float, float] | None:
    """Over how many rows of others the element that goes over the fewest goes in effect.

    Parameters
    ----------
    walk : Walk
    value : Value
    foreign : collection of int
        The inputs whose rows count.

    Returns
    -------
    (float, float) or None
        In effect, and as many as have a weight at all; None where it is no weighted sum, or too
        large.
    """
    if not value.form or not prod(value.shape):
        return None
    inside = _inside(walk, value)
    if inside is not None:
        return effective_rows(walk, inside, foreign)
    numbers = {walk.of_input[i] for i in foreign if i in walk.of_input}
    known = set(walk.of_input.values()) - numbers
    sources = [walk.sources[s] for s in value.form if s not in known]
    if any(one.rows is None and one.how != "input" for one in sources):
        return None
    inputs = [one for one in sources if one.how == "input"]
    spans = [one.span for one in inputs]
    total, plain = np.zeros((2, prod(value.shape)))
    found: list[tuple[Numbers, Numbers]] = []
    for source in sources:
        line = _by_row(value.form[source.number], value.shape, source)
        if line is None:
            return None
        weights, rows = line
        plain += (weights > 0) @ rows * max(source.each, 1)
        if source.how == "input":
            scale = 1.0 if None in spans or not source.span else source.span
            found.append((weights * scale, rows))
        else:
            own = participation(weights, rows)
            total += np.where(np.isfinite(own), own * max(source.each, 1), 0.0)
    if found:
        together = participation(
            np.concatenate([weights for weights, _ in found], 1),
            np.concatenate([rows for _, rows in found]),
        )
        total += np.where(np.isfinite(together), together, 0.0)
    there = total > 0
    return (float(total[there].min()), float(plain[there].min())) if there.any() else None


def _inside(walk: Walk, value: Value) -> Value | None:
    """What is withheld, undone or divided to give a value, if it is made of that alone."""
    if len(value.form) != 1:
        return None
    source = walk.sources[next(iter(value.form))]
    if source.rows is not None or source.factor is not None or not source.of:
        return None
    if source.how in ("guarded", "invertible") and len(source.of) == 1:
        return source.of[0]
    return source.of[0] if source.operation == "divide" and source.of[0].inputs else None


def _by_row(block: Block, shape: tuple[int, ...], source: Source) -> tuple[Numbers, Numbers] | None:
    """The weight of one row of each kind in each element of a value, and rows of each kind."""
    axis, of = source.rows, source.shape
    if source.factor is not None:
        there = entries(block, shape, of)
        if there is None or prod(shape) * prod(of) > _MOST:
            return None
        rows, columns, numbers = there
        weights = np.zeros((prod(shape), prod(of)))
        np.add.at(weights, (rows, columns), numbers * source.factor.ravel()[columns])
        weights = np.abs(weights).reshape(len(weights), *of)
        lengths = [np.ones(extent) for extent in of]
    elif isinstance(block, np.ndarray):
        weights = np.abs(block).reshape(len(block), *of)
        lengths = [np.ones(extent) for extent in of]
    else:
        edges = edges_of([(block, shape)], of, None)
        if edges is None or prod(shape) * prod(len(e) - 1 for e in edges) > _MOST:
            return None
        cells = [len(e) - 1 for e in edges]
        coefficients = np.zeros((*shape, *cells))
        for term in block:
            coefficients += coefficients_of(term, shape, edges)
        weights = np.abs(coefficients).reshape(prod(shape), *cells)
        lengths = [np.diff(e).astype(np.float64) for e in edges]
    if axis is None:
        return weights.reshape(len(weights), -1).sum(1, keepdims=True), np.ones(1)
    for place in range(len(of)):
        if place != axis:
            kept = [1] * weights.ndim
            kept[1 + place] = lengths[place].size
            weights = weights * lengths[place].reshape(kept)
    others = tuple(1 + place for place in range(len(of)) if place != axis)
    return weights.sum(others), lengths[axis]
