"""Operations on one row as operations on many rows at once, which stand along a new first axis.

What JAX calls ``vmap``, for graphs: each rule says what a node becomes whose operands have rows, or
some of them. Operations without a rule are left to loops. Results are the same, element by element:
every row is computed as before, beside the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np

from tacit.errors import TacitError
from tacit.operations.manipulation import Integer, Positions, Slice
from tacit.programs.building import Value
from tacit.programs.inference import CheckedNode
from tacit.programs.optimising.products_of_rows import product_of_rows
from tacit.programs.optimising.rewriting import Draft, Row

__all__ = ["batched", "spread_out"]


def batched(
    draft: Draft, node: CheckedNode, operands: Sequence[Row], length: int
) -> list[Row] | None:
    """What a body's node is for all rows at once.

    Parameters
    ----------
    draft : Draft
    node : CheckedNode
        Of the body: its types are those of one row.
    operands : sequence of Row
    length : int
        How many rows there are.

    Returns
    -------
    list of Row or None
        The results; None where there is no rule. They have no rows where no operand has.
    """
    if node.operation is None or node.node.operation in ("shuffle",):
        return None
    if not any(one.many for one in operands):
        return [Row(value, False) for value in draft.copy(node, [one.value for one in operands])]
    name = node.node.operation
    rule = _RULES.get(name) or (_each if node.operation.elementwise else None)
    if rule is None:
        return None
    try:
        found = rule(_Call(draft, node, operands, length))
    except TacitError:  # not of arrays with one more axis
        return None
    if found is None:
        return None
    results = list(found) if isinstance(found, list) else [found]
    expected = [(one.dtype, (length, *one.shape), one.public) for one in node.results]
    if [(v.type.dtype, v.type.shape, v.type.public) for v in results] != expected:
        return None
    return [Row(value, True) for value in results]


def spread_out(draft: Draft, row: Row, length: int) -> Value:
    """The value of every row, along the first axis."""
    if row.many:
        return row.value
    shape = row.value.type.shape
    return draft.apply("broadcast_to", row.value, shape=(length, *shape))


@dataclass(frozen=True, slots=True)
class _Call:
    draft: Draft
    node: CheckedNode
    operands: Sequence[Row]
    length: int

    @property
    def name(self) -> str:
        return self.node.node.operation

    @property
    def result(self) -> tuple[int, ...]:
        """The shape of a row's result."""
        return self.node.results[0].shape

    def shape(self, place: int = 0) -> tuple[int, ...]:
        """The shape of a row's operand."""
        return self.operands[place].shape

    def apply(self, *operands: Value, **changed: Any) -> Value | list[Value]:
        """The node's operation with some parameters changed."""
        attributes = msgspec.structs.replace(self.node.attributes, **changed)
        found = self.draft.node(self.name, operands, attributes)
        return found[0] if len(found) == 1 else found

    def whole(self, place: int = 0) -> Value:
        """An operand of every row, along the first axis."""
        return spread_out(self.draft, self.operands[place], self.length)

    def reshaped(self, value: Value, shape: tuple[int, ...]) -> Value:
        same = value.type.shape == shape
        return value if same else self.draft.apply("reshape", value, shape=shape)


Found: TypeAlias = "Value | list[Value] | None"
_Rule: TypeAlias = Callable[[_Call], Found]


# Element by element.


def _each(call: _Call) -> Found:
    ndim = len(call.result)
    values = []
    for one in call.operands:
        value, shape = one.value, one.shape
        if one.many and len(shape) < ndim:
            value = call.reshaped(value, (call.length, *(1,) * (ndim - len(shape)), *shape))
        values.append(value)
    return call.apply(*values)


def _as_it_is(call: _Call) -> Found:
    """The first operand has rows, and others none: the axis in front changes nothing."""
    first, *others = call.operands
    if not first.many or any(one.many for one in others):
        return None
    return call.apply(first.value, *(one.value for one in others))


def _of_second(call: _Call) -> Found:
    """The last operand alone has rows, and the result its axes."""
    *others, last = call.operands
    axis: int = getattr(call.node.attributes, "axis", 0)
    if not last.many or any(one.many for one in others) or axis:
        return None
    return call.apply(*(one.value for one in others), last.value)


# Along axes.


def _reduction(call: _Call) -> Found:
    attributes, ndim = call.node.attributes, len(call.shape())
    if not getattr(attributes, "single", True) or not ndim:
        return None
    axis = attributes.axis
    axes = range(ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    moved = tuple(a % ndim + 1 for a in axes)
    return call.apply(call.whole(), axis=moved[0] if isinstance(axis, int) else moved)


def _along(call: _Call) -> Found:
    ndim = len(call.shape())
    return call.apply(call.whole(), axis=call.node.attributes.axis % ndim + 1) if ndim else None


def _position(call: _Call) -> Found:
    """Of the largest: along one axis, or of all elements."""
    ndim, axis = len(call.shape()), call.node.attributes.axis
    if axis is not None:
        return call.apply(call.whole(), axis=axis % ndim + 1) if ndim else None
    if call.node.attributes.keepdims:
        return None
    flat = call.reshaped(call.whole(), (call.length, prod(call.shape())))
    return call.apply(flat, axis=1)


# Rearrangements.


def _reshape(call: _Call) -> Found:
    return call.reshaped(call.whole(), (call.length, *call.result))


def _broadcast(call: _Call) -> Found:
    shape = call.shape()
    lead = (1,) * (len(call.result) - len(shape))
    value = call.reshaped(call.whole(), (call.length, *lead, *shape))
    return call.apply(value, shape=(call.length, *call.result))


def _transpose(call: _Call) -> Found:
    ndim = len(call.shape())
    axes = call.node.attributes.axes
    axes = tuple(range(ndim))[::-1] if axes is None else axes
    return call.apply(call.whole(), axes=(0, *(axis % ndim + 1 for axis in axes)))


def _getitem(call: _Call) -> Found:
    items = call.node.attributes.items
    arrays = sum(isinstance(one, Positions) for one in items)
    if arrays > 1 or (arrays and any(isinstance(one, Integer) for one in items)):
        return None  # NumPy would move the axes of such an index to the front
    return call.apply(call.whole(), items=(Slice(), *items))


def _joined(call: _Call) -> Found:
    ndim = len(call.result)
    wholes = [call.whole(place) for place in range(len(call.operands))]
    return call.apply(*wholes, axis=call.node.attributes.axis % ndim + 1)


def _roll(call: _Call) -> Found:
    axis, ndim = call.node.attributes.axis, len(call.shape())
    if axis is None and ndim != 1:
        return None
    return call.apply(call.whole(), axis=tuple(a % ndim + 1 for a in (axis or (0,))))


def _tile(call: _Call) -> Found:
    given, shape = call.node.attributes.repetitions, call.shape()
    lead = (1,) * (len(given) - len(shape))
    value = call.reshaped(call.whole(), (call.length, *lead, *shape))
    return call.apply(value, repetitions=(1, *(1,) * (len(shape) - len(given)), *given))


def _pad(call: _Call) -> Found:
    return call.apply(call.whole(), widths=((0, 0), *call.node.attributes.widths))


def _triangle(call: _Call) -> Found:
    return call.apply(call.whole()) if len(call.shape()) > 1 else None


def _diagonal(call: _Call) -> Found:
    a, ndim = call.node.attributes, len(call.shape())
    return call.apply(call.whole(), axis1=a.axis1 % ndim + 1, axis2=a.axis2 % ndim + 1)


def _take(call: _Call) -> Found:
    array, positions = call.operands
    axis = call.node.attributes.axis % len(array.shape)
    if not positions.many:
        return call.apply(array.value, positions.value, axis=axis + 1)
    return None if array.many else _gathered(call, array.value, positions.value, axis)


def _gathered(call: _Call, array: Value, positions: Value, axis: int) -> Value:
    """Positions of every row in one array, (rows, …, their own axes in the axis' place, …)."""
    found = call.draft.apply("take", array, positions, axis=axis)
    ndim = len(found.type.shape)
    if not axis:
        return found
    axes = (axis, *(place for place in range(ndim) if place != axis))
    return call.draft.apply("transpose", found, axes=axes)


def _dynamic_slice(call: _Call) -> Found:
    array, *starts = call.operands
    sizes = call.node.attributes.sizes
    moving = [place for place, one in enumerate(starts) if one.many]
    if not moving:
        first = call.draft.constant(np.zeros((), np.int64))
        values = [one.value for one in starts]
        return call.apply(array.value, first, *values, sizes=(call.length, *sizes))
    if array.many or len(moving) > 1:
        return None
    return _slice_of_every_row(call, array, starts, moving[0])


def _slice_of_every_row(call: _Call, array: Row, starts: Sequence[Row], axis: int) -> Found:
    """Parts of one array that begin elsewhere for every row: their positions are taken."""
    sizes, extent = call.node.attributes.sizes, array.shape[axis]
    known = call.draft.array(starts[axis].value)
    if known is not None:
        first = np.clip(known.astype(np.int64), 0, extent - sizes[axis])
        positions = call.draft.constant(first[:, None] + np.arange(sizes[axis]))
    elif sizes[axis] == 1:
        positions = call.reshaped(starts[axis].value, (call.length, 1))
    else:
        return None
    zero = call.draft.constant(np.zeros((), np.int64))
    others = [zero if place == axis else one.value for place, one in enumerate(starts)]
    part = array.value
    wide = tuple(extent if place == axis else size for place, size in enumerate(sizes))
    if wide != array.shape:
        part = call.draft.apply("dynamic_slice", part, *others, sizes=wide)
    return _gathered(call, part, positions, axis)


def _update(call: _Call) -> Found:
    starts = call.operands[2:]
    if any(one.many for one in starts):
        return None
    zero = call.draft.constant(np.zeros((), np.int64))
    return call.apply(call.whole(0), call.whole(1), zero, *(one.value for one in starts))


# Rows of rows: operations whose operand has rows of its own, which are all alike.


def _more_rows(call: _Call) -> Found:
    """The first operand's rows of every row in one; the others the same for all."""
    first, *others = call.operands
    if not first.many or any(one.many for one in others) or not first.shape:
        return None
    count, *rest = first.shape
    merged = call.reshaped(first.value, (call.length * count, *rest))
    found = call.apply(merged, *(one.value for one in others))
    assert isinstance(found, Value)
    return call.reshaped(found, (call.length, *call.result))


def _matmul(call: _Call) -> Found:
    left, right = call.operands
    return product_of_rows(call.draft, left, right, call.length, call.result)


_RULES: Final[Mapping[str, _Rule]] = {
    "divmod": _each,
    "constant": _as_it_is,
    "matmul": _matmul,
    **dict.fromkeys(
        ("sum", "prod", "mean", "max", "min", "any", "all", "var", "logsumexp", "median",
         "quantile"),
        _reduction,
    ),
    **dict.fromkeys(
        ("cumulative_sum", "cumulative_prod", "diff", "softmax", "log_softmax", "sort", "argsort",
         "topk", "repeat"),
        _along,
    ),
    **dict.fromkeys(("argmax", "argmin"), _position),
    "reshape": _reshape,
    "broadcast_to": _broadcast,
    "transpose": _transpose,
    "getitem": _getitem,
    "concatenate": _joined,
    "stack": _joined,
    "roll": _roll,
    "tile": _tile,
    "pad": _pad,
    "tril": _triangle,
    "triu": _triangle,
    "diagonal": _diagonal,
    "take": _take,
    "take_secret": _of_second,
    "searchsorted": _of_second,
    "isin": _as_it_is,
    "one_hot": _as_it_is,
    "dynamic_slice": _dynamic_slice,
    "dynamic_update_slice": _update,
    **dict.fromkeys(
        ("convolution", "max_pool", "avg_pool", "mlp_forward", "class_of_largest"), _more_rows
    ),
}  # fmt: skip
"""By name; operations that are element-wise have one rule, others none."""
