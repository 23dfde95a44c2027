"""Over how many rows of others an output goes at least."""

from __future__ import annotations

from collections.abc import Collection
from math import prod

import numpy as np

from tacit.programs.explaining.forms import Keep
from tacit.programs.explaining.values import ALL, Source, Value
from tacit.programs.explaining.walk import Walk

__all__ = ["per_row", "rows_of"]


def rows_of(walk: Walk, value: Value, foreign: Collection[int]) -> int:
    """The least number of rows of some inputs that an element depends on.

    Parameters
    ----------
    walk : Walk
    value : Value
    foreign : collection of int
        The inputs whose rows count.
    """
    if value.minimum is not None and value.minimum > 0:
        return value.minimum
    several = [value.reach[i].rows for i in foreign if i in value.reach]
    best = max(several, default=0)
    if ALL in value.reach:
        own = sum(value.reach[i].rows for i in value.inputs - set(foreign) if i in value.reach)
        best = max(best, value.reach[ALL].rows - own)
    linear = [number for number in value.form if walk.sources[number].how == "input"]
    if len(linear) == len(value.form):
        numbers = {walk.of_input[i] for i in foreign}
        counts = [_of_source(value, walk.sources[n]) for n in linear if n in numbers]
        best = max(best, sum(counts))
    return best


def _of_source(value: Value, source: Source) -> int:
    """Rows of a source with a coefficient: in every element at least so many."""
    block = value.form[source.number]
    if source.rows is None:
        return 1
    if isinstance(block, np.ndarray):
        rows = source.shape[0]
        if not block.size:
            return 0
        there = (block.reshape(len(block), rows, -1) != 0).any(2).sum(1)
        return int(there[there > 0].min(initial=rows)) if there.any() else 0
    counts = []
    for term in block:
        one = term.axes[0]
        covers = all(
            (low, high) == (0, extent)
            for (low, high), extent in zip(term.window, value.shape, strict=True)
        )
        counts.append(1 if isinstance(one, Keep) or not covers else one.count)
    return max(counts, default=0) if prod(value.shape) else 0


def per_row(value: Value, number: int) -> bool:
    """Whether a value has a result for each row of an input."""
    reach = value.reach.get(number)
    return (
        reach is not None
        and reach.axis is not None
        and reach.axis < len(value.shape)
        and value.shape[reach.axis] > 1
    )
