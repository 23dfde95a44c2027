"""Several small integers packed into one number: x + 10 y tells both digits.

A weighted sum of integers within bounds can be taken apart if every weight is larger than all that
the smaller ones can add up to (a superincreasing sequence). Other weights may do, too; they are not
looked for.
"""

from __future__ import annotations

from collections.abc import Collection
from math import prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tacit.programs.explaining.forms import dense
from tacit.programs.explaining.values import Value
from tacit.programs.explaining.walk import Walk

__all__ = ["packed_inputs"]

_MOST: Final = 64


def packed_inputs(walk: Walk, value: Value, foreign: Collection[int]) -> list[int]:
    """The inputs of others whose elements a sum of integers gives away.

    Parameters
    ----------
    walk : Walk
    value : Value
    foreign : collection of int
        The inputs that the recipient does not know.
    """
    numbers = [i for i in foreign if walk.of_input[i] in value.form]
    known = {walk.of_input[i] for i in value.inputs if i not in foreign}
    unknown = set(value.form) - known
    if not numbers or unknown - {walk.of_input[i] for i in numbers}:
        return []
    if prod(value.shape) > _MOST or any(prod(walk.shapes[s]) > _MOST for s in unknown):
        return []
    spans: list[NDArray[np.float64]] = []
    blocks: list[NDArray[np.float64]] = []
    owners: list[NDArray[np.int64]] = []
    for i in numbers:
        span = _span(walk, i)
        source = walk.of_input[i]
        block = dense(value.form[source], value.shape, walk.shapes[source])
        if span is None or block is None:
            return []
        blocks.append(block)
        spans.append(np.full(block.shape[1], span))
        owners.append(np.full(block.shape[1], i))
    span_of, owner = np.concatenate(spans), np.concatenate(owners)
    found: set[int] = set()
    for weights in np.concatenate(blocks, 1):
        there = np.flatnonzero(weights)
        order = there[np.argsort(np.abs(weights[there]))]
        sizes = np.abs(weights[order])
        reach = np.cumsum(sizes * span_of[order])
        if order.size > 1 and (sizes[1:] > reach[:-1]).all():
            found |= set(owner[order].tolist())
    return sorted(found)


def _span(walk: Walk, number: int) -> float | None:
    """The largest difference of two values of an integer input; None where it is not known."""
    one = walk.program.inputs[number]
    if one.type.kind == "bool":
        return 1.0
    if one.type.kind != "int" or one.bounds is None:
        return None
    return float(one.bounds[1]) - float(one.bounds[0])
