"""A sum of products over axes as a product of matrices.

Every axis of the products is one of four: summed over; kept, and of both factors (a batch); kept,
and of the first factor alone (rows) or of the second (columns). Factors are brought into the order
(batch, rows, summed) and (batch, summed, columns), which is local.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, Final

from tacit.operations.manipulation import Integer, Rest
from tacit.operations.table import OPERATIONS
from tacit.programs.building import Value
from tacit.programs.inference import result_types
from tacit.programs.optimising.knowing import Knowledge
from tacit.programs.optimising.rewriting import Draft
from tacit.programs.public import computed

__all__ = ["contracted"]

_FEW: Final = 8
_MANY: Final = 4096
"""So many sums of so few products each are faster element by element than as tiny matrices."""

_LARGEST: Final = 1 << 20
"""The most elements of a constant that is laid out here; larger ones are when the program runs."""


def contracted(
    draft: Draft,
    known: Knowledge,
    x: Value,
    y: Value,
    shape: tuple[int, ...],
    axes: Sequence[int],
    result: tuple[int, ...],
) -> Value | None:
    """sum(x · y, axes) for factors that broadcast to `shape`; None where it could wrap.

    Parameters
    ----------
    shape : tuple of int
        Of the products.
    axes : sequence of int
        What is summed over, counted from the front.
    result : tuple of int
        The shape of the sum.
    """
    first, second = (_unrepeated(draft, one, len(shape)) for one in (x, y))
    own = [_varying(one, shape) for one in (first, second)]
    summed = [axis for axis in axes if shape[axis] > 1]
    kept = [axis for axis in range(len(shape)) if axis not in axes and shape[axis] > 1]
    batch = [axis for axis in kept if axis in own[0] and axis in own[1]]
    rows = [axis for axis in kept if axis in own[0] and axis not in own[1]]
    columns = [axis for axis in kept if axis not in own[0] and axis in own[1]]
    if not summed or len(batch) + len(rows) + len(columns) < len(kept) or 0 in shape:
        return None
    left = _arranged(draft, first, shape, [*batch, *rows, *summed])
    right = _arranged(draft, second, shape, [*batch, *summed, *columns])
    count, inner = (prod(shape[axis] for axis in group) for group in (batch, summed))
    secrets = not (x.type.public or y.type.public)
    few = secrets and inner <= _FEW and count >= _MANY and x.type.dtype.kind == "fixed"
    if few and not rows and not columns:
        found = _few(draft, left, right, count, inner)
    else:
        sizes = [prod(shape[axis] for axis in group) for group in (rows, columns)]
        lead = (count,) if batch else ()
        left = _reshaped(draft, left, (*lead, sizes[0], inner))
        right = _reshaped(draft, right, (*lead, inner, sizes[1]))
        found = draft.apply("matmul", left, right)
    if not known.fits(found):
        return None
    order = [*batch, *rows, *columns]
    found = _reshaped(draft, found, tuple(shape[axis] for axis in order))
    back = tuple(order.index(axis) for axis in kept)
    if back != tuple(range(len(back))):
        found = _moved(draft, "transpose", found, axes=back)
    return _reshaped(draft, found, result)


def _few(draft: Draft, left: Value, right: Value, count: int, inner: int) -> Value:
    """Sums of a few products each: element by element, the terms side by side."""
    parts = []
    sides = [_reshaped(draft, one, (count, inner)) for one in (left, right)]
    for place in range(inner):
        for side in sides:
            parts.append(draft.apply("getitem", side, items=(Rest(), Integer(place))))
    return draft.apply("sum_of_products", *parts)


def _unrepeated(draft: Draft, value: Value, ndim: int) -> Value:
    """A value before it was broadcast, with all axes of the products."""
    made = draft.made(value)
    while made is not None and made.operation == "broadcast_to":
        value = made.operands[0]
        made = draft.made(value)
    shape = value.type.shape
    return _reshaped(draft, value, (*(1,) * (ndim - len(shape)), *shape))


def _varying(value: Value, shape: tuple[int, ...]) -> set[int]:
    return {axis for axis, extent in enumerate(value.type.shape) if extent > 1}


def _arranged(draft: Draft, value: Value, shape: tuple[int, ...], order: Sequence[int]) -> Value:
    """A value with these axes in this order, repeated along those that it has not."""
    full = tuple(shape[axis] if axis in order else 1 for axis in range(len(shape)))
    if value.type.shape != full:
        value = _moved(draft, "broadcast_to", value, shape=full)
    rest = [axis for axis in range(len(shape)) if axis not in order]
    axes = (*order, *rest)
    if axes != tuple(range(len(shape))):
        value = _moved(draft, "transpose", value, axes=axes)
    return _reshaped(draft, value, tuple(shape[axis] for axis in order))


def _reshaped(draft: Draft, value: Value, shape: tuple[int, ...]) -> Value:
    return value if value.type.shape == shape else _moved(draft, "reshape", value, shape=shape)


def _moved(draft: Draft, name: str, value: Value, **attributes: Any) -> Value:
    """A rearrangement; of a constant now."""
    array = draft.array(value)
    if array is None or prod(attributes.get("shape", ())) > _LARGEST:
        return draft.apply(name, value, **attributes)
    parameters = OPERATIONS[name].attributes(**attributes)
    types = result_types(name, OPERATIONS[name], [value.type], parameters)
    return draft.constant(computed(name, [array], parameters, types)[0])
