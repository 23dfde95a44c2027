"""Matrix products of many rows at once: one product of larger matrices where a side is shared."""

from __future__ import annotations

from math import prod

from tacit.programs.building import Value
from tacit.programs.optimising.rewriting import Draft, Row

__all__ = ["product_of_rows"]


def product_of_rows(
    draft: Draft, left: Row, right: Row, length: int, result: tuple[int, ...]
) -> Value:
    """left @ right for every row, (length, *result), where at least one of them has rows."""
    if left.many and not right.many and len(right.shape) <= 2:
        found = _shared_right(draft, left, right.value)
    elif right.many and not left.many and len(left.shape) <= 2 and len(right.shape) <= 2:
        found = _shared_left(draft, left.value, right, length)
    else:
        found = draft.apply(
            "matmul", _matrices(draft, left, right, 0), _matrices(draft, right, left, 1)
        )
    return _reshaped(draft, found, (length, *result))


def _shared_right(draft: Draft, left: Row, right: Value) -> Value:
    """One matrix or vector for all: rows of rows are rows."""
    shape = left.value.type.shape
    value = left.value
    if len(right.type.shape) == 2 and len(shape) > 2:
        value = _reshaped(draft, value, (prod(shape[:-1]), shape[-1]))
    return draft.apply("matmul", value, right)


def _shared_left(draft: Draft, left: Value, right: Row, length: int) -> Value:
    """x @ y for one x: yᵀ @ xᵀ, or all columns side by side."""
    matrix = len(left.type.shape) == 2
    if len(right.shape) == 1:
        other = draft.apply("transpose", left, axes=(1, 0)) if matrix else left
        return draft.apply("matmul", right.value, other)
    inner, columns = right.shape
    if not matrix:
        turned = draft.apply("transpose", right.value, axes=(0, 2, 1))
        return draft.apply("matmul", turned, left)
    turned = draft.apply("transpose", right.value, axes=(1, 0, 2))
    beside = _reshaped(draft, turned, (inner, length * columns))
    found = draft.apply("matmul", left, beside)
    rows = left.type.shape[0]
    found = _reshaped(draft, found, (rows, length, columns))
    return draft.apply("transpose", found, axes=(1, 0, 2))


def _matrices(draft: Draft, row: Row, other: Row, side: int) -> Value:
    """A side with axes for a batch as long as the other side's, and vectors as matrices."""
    shape = row.shape
    matrix = shape if len(shape) > 1 else ((1, *shape), (*shape, 1))[side]
    if not row.many:
        return _reshaped(draft, row.value, matrix)
    missing = max(len(other.shape) - len(matrix), 0)
    return _reshaped(draft, row.value, (row.value.type.shape[0], *(1,) * missing, *matrix))


def _reshaped(draft: Draft, value: Value, shape: tuple[int, ...]) -> Value:
    return value if value.type.shape == shape else draft.apply("reshape", value, shape=shape)
