"""Values times public numbers, element by element, for many elements.

What each element is multiplied by would be a diagonal matrix, too large for many elements. So the
product is a source of its own, and is taken back to what was multiplied once it has been added up.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.programs.explaining.cells import MOST_COLUMNS
from tacit.programs.explaining.forms import MOST, Block, Form, added, entries
from tacit.programs.explaining.values import Source, Value

__all__ = ["factor_of", "taken_back"]


def factor_of(
    name: str, operands: Sequence[Value], shape: tuple[int, ...]
) -> tuple[Value, NDArray[np.float64]] | None:
    """What is multiplied, and by which public numbers; None if it is no such product.

    Parameters
    ----------
    name, operands
        The operation.
    shape : tuple of int
        Of its result.
    """
    scales = name in ("multiply", "divide", "bitwise_left_shift") and len(operands) == 2
    if not scales or prod(shape) > MOST:
        return None
    secret, other = operands
    if name == "multiply" and not secret.inputs:
        secret, other = other, secret
    if not secret.inputs or other.inputs or other.known is None or secret.shape != shape:
        return None
    numbers = other.known.astype(np.float64)
    if name == "divide":
        numbers = 1.0 / numbers if numbers.all() else np.zeros(())
    if name == "bitwise_left_shift":
        numbers = 2.0**numbers
    return (secret, np.broadcast_to(numbers, shape)) if numbers.any() else None


def taken_back(form: Form, shape: tuple[int, ...], sources: Sequence[Source]) -> Form:
    """A value in terms of what was multiplied, where that is not too large."""
    while True:
        number = next((n for n in form if sources[n].factor is not None), None)
        if number is None:
            return form
        rest = {n: block for n, block in form.items() if n != number}
        with np.errstate(over="ignore", invalid="ignore"):
            back = _one_back(form[number], shape, sources[number], sources)
        shapes = {n: sources[n].shape for n in (*rest, *(back or ()))}
        total = None if back is None else added([rest, back], [shape, shape], shape, shapes)
        if total is None:
            return form
        form = total


def _one_back(
    block: Block, shape: tuple[int, ...], source: Source, sources: Sequence[Source]
) -> Form | None:
    value = source.of[0]
    if source.factor is None or prod(source.shape) > MOST_COLUMNS:
        return None
    there = entries(block, shape, source.shape)
    if there is None:
        return None
    rows, columns, weights = there
    weights = weights * source.factor.ravel()[columns]
    found: dict[int, Any] = {}
    for number, inner in value.form.items():
        size = prod(sources[number].shape)
        inside = entries(inner, value.shape, sources[number].shape)
        if inside is None or prod(shape) * size > MOST or size > MOST_COLUMNS:
            return None
        matrix = np.zeros((prod(shape), size))
        order = np.argsort(inside[0], kind="stable")
        starts = np.searchsorted(inside[0][order], np.arange(prod(value.shape) + 1))
        counts = np.diff(starts)[columns]
        picks = np.repeat(starts[columns], counts) + _counted(counts)
        at = order[picks]
        np.add.at(
            matrix,
            (np.repeat(rows, counts), inside[1][at]),
            np.repeat(weights, counts) * inside[2][at],
        )
        if not np.isfinite(matrix).all():
            return None
        found[number] = matrix
    return found


def _counted(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """0, 1, …, up to each count."""
    ends = np.cumsum(counts)
    numbers: NDArray[np.int64] = np.arange(ends[-1] if ends.size else 0) - np.repeat(
        ends - counts, counts
    )
    return numbers
