"""The operations that are linear in their secret operands, on forms.

Each rule gives the form of the result, or None where it cannot be written down: then the result
becomes a source of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isfinite, prod
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tacit.operations.dynamic import clamped_starts
from tacit.operations.manipulation import Integer, NewAxis, Slice
from tacit.programs.explaining.forms import (
    MOST,
    Block,
    Form,
    added,
    broadcasted,
    dense,
    entries,
    indexed,
    moved,
    scaled,
    summed,
    transposed,
)
from tacit.programs.explaining.reaching import index_items, reduced_axes_of
from tacit.programs.explaining.values import Value
from tacit.programs.public import PUBLIC

__all__ = ["MOVES", "linear_form"]

Sources: TypeAlias = Mapping[int, tuple[int, ...]]
Rule: TypeAlias = Callable[[Sequence[Value], Any, tuple[int, ...], Sources], Form | None]

_PLACES: Final = 1 << 17
"""The most elements whose places are worked out one by one."""


def linear_form(
    name: str, attributes: Any, operands: Sequence[Value], shape: tuple[int, ...], sources: Sources
) -> Form | None:
    """The form of an operation's result; None if it is not linear, or too large to be written."""
    if not any(operand.form for operand in operands) and all(
        operand.known is not None or operand.type.public or _is_constant(operand)
        for operand in operands
    ):
        return {}
    rule = _RULES.get(name)
    with np.errstate(over="ignore", invalid="ignore"):
        form = None if rule is None else rule(operands, attributes, shape, sources)
    return form if form is None or all(map(_is_finite, form.values())) else None


def _is_finite(block: Block) -> bool:
    """Whether coefficients are numbers: factors of factors grow beyond float64."""
    if isinstance(block, np.ndarray):
        return bool(np.isfinite(block).all())
    return all(isfinite(term.coefficient) for term in block)


def _is_constant(value: Value) -> bool:
    return not value.form and not value.inputs


# Sums.


def _add(o: Sequence[Value], a: Any, shape: tuple[int, ...], sources: Sources) -> Form | None:
    return added([one.form for one in o], [one.shape for one in o], shape, sources)


def _subtract(o: Sequence[Value], a: Any, shape: tuple[int, ...], sources: Sources) -> Form | None:
    forms = [o[0].form, scaled(o[1].form, -1.0)]
    return added(forms, [one.shape for one in o], shape, sources)


def _negative(o: Sequence[Value], a: Any, shape: tuple[int, ...], sources: Sources) -> Form | None:
    return scaled(o[0].form, -1.0)


def _same(o: Sequence[Value], a: Any, shape: tuple[int, ...], sources: Sources) -> Form | None:
    return dict(o[0].form)


def _sum(o: Sequence[Value], a: Any, shape: tuple[int, ...], sources: Sources) -> Form | None:
    axes = reduced_axes_of(a, o[0].shape) or ()
    return summed(o[0].form, o[0].shape, axes, a.keepdims)


def _mean(o: Sequence[Value], a: Any, shape: tuple[int, ...], sources: Sources) -> Form | None:
    axes = reduced_axes_of(a, o[0].shape) or ()
    count = prod(o[0].shape[axis] for axis in axes)
    return scaled(summed(o[0].form, o[0].shape, axes, a.keepdims), 1.0 / max(count, 1))


def _alone(o: Sequence[Value], a: Any, shape: tuple[int, ...], sources: Sources) -> Form | None:
    """Reductions of one element are that element."""
    axes = reduced_axes_of(a, o[0].shape)
    if not axes and not (axes == () and o[0].shape == shape):
        return None
    if prod(o[0].shape[axis] for axis in axes or ()) != 1 or hasattr(a, "q"):
        return None
    return summed(o[0].form, o[0].shape, axes or (), a.keepdims)


# Products with public numbers.


def _multiply(o: Sequence[Value], a: Any, shape: tuple[int, ...], sources: Sources) -> Form | None:
    secret, factor = _factor(o)
    return None if secret is None else _times(secret, factor, shape, sources)


def _factor(o: Sequence[Value]) -> tuple[Value | None, NDArray[Any] | None]:
    for secret, other in (o, o[::-1]):
        if not other.form and not other.inputs and other.known is not None:
            return secret, other.known
    return None, None


def _times(
    secret: Value, factor: NDArray[Any] | None, shape: tuple[int, ...], sources: Sources
) -> Form | None:
    if factor is None:
        return None
    found = broadcasted(secret.form, secret.shape, shape, sources)
    if found is None or not factor.size:
        return None
    first = factor.flat[0]
    if (factor == first).all():
        return scaled(found, float(first))
    if prod(shape) > _PLACES:
        return None
    column = np.broadcast_to(factor.astype(np.float64), shape).reshape(-1, 1)
    return _rows(found, column, shape, sources)


def _rows(
    form: Form, column: NDArray[np.float64], shape: tuple[int, ...], sources: Sources
) -> Form | None:
    found: Form = {}
    for source, block in form.items():
        matrix = dense(block, shape, sources[source])
        if matrix is None:
            return None
        matrix = matrix * column
        if matrix.any():
            found[source] = matrix
    return found


def _divide(o: Sequence[Value], a: Any, shape: tuple[int, ...], sources: Sources) -> Form | None:
    x, y = o
    if y.known is None or y.form or y.inputs or not y.known.all():
        return None
    return _times(x, 1.0 / y.known.astype(np.float64), shape, sources)


def _shift(o: Sequence[Value], a: Any, shape: tuple[int, ...], sources: Sources) -> Form | None:
    if o[1].known is None or o[1].inputs:
        return None
    return _times(o[0], 2.0 ** o[1].known.astype(np.float64), shape, sources)


def _where(o: Sequence[Value], a: Any, shape: tuple[int, ...], sources: Sources) -> Form | None:
    condition = o[0].known
    if condition is None or o[0].inputs:
        return None
    yes = _times(o[1], condition.astype(np.float64), shape, sources)
    no = _times(o[2], (~condition.astype(np.bool_)).astype(np.float64), shape, sources)
    if yes is None or no is None:
        return None
    return added([yes, no], [shape, shape], shape, sources)


def _matmul(o: Sequence[Value], a: Any, shape: tuple[int, ...], sources: Sources) -> Form | None:
    x, y = o
    left = y.known is None or bool(y.inputs)
    secret, matrix = (y, x.known) if left else (x, y.known)
    if matrix is None or (x.inputs and y.inputs):
        return None
    found: Form = {}
    for source, block in secret.form.items():
        columns = prod(sources[source])
        if prod(shape) * columns > MOST:
            return None
        if len(matrix.shape) <= 2 and len(secret.shape) <= 2:
            placed = _contracted(block, secret.shape, matrix, left, shape, sources[source])
            if placed is None:
                return None
            if placed.any():
                found[source] = placed
            continue
        coefficients = dense(block, secret.shape, sources[source])
        if coefficients is None:
            return None
        tall = np.moveaxis(coefficients.reshape(*secret.shape, columns), -1, 0)
        real = matrix.astype(np.float64)
        if len(secret.shape) == 1:
            product = (tall @ real) if not left else np.moveaxis(real @ tall.T, -1, 0)
        else:
            product = tall @ real if not left else real @ tall
        flat = product.reshape(columns, prod(shape)).T
        if flat.any():
            found[source] = np.ascontiguousarray(flat)
    return found


def _contracted(
    block: Block,
    own: tuple[int, ...],
    matrix: NDArray[Any],
    left: bool,
    shape: tuple[int, ...],
    of: tuple[int, ...],
) -> NDArray[np.float64] | None:
    """The coefficients of a product of a public matrix and a block, from either side."""
    there = entries(block, own, of)
    if there is None:
        return None
    rows, columns, coefficients = there
    inner = own[-1] if not left or len(own) == 1 else own[0]
    real = matrix.astype(np.float64).reshape((-1, inner) if left else (inner, -1))
    other = 0 if len(own) == 1 else 1
    if left:  # out[g, j] takes real[g, i] from element [i, j]
        i, j = (rows, np.zeros_like(rows)) if not other else np.divmod(rows, own[1])
        total = np.zeros((len(real), own[1] if other else 1, prod(of)))
        places: Any = (slice(None), j, columns)
        np.add.at(total, places, real[:, i] * coefficients)
    else:  # out[j, g] takes real[i, g] from element [j, i]
        j, i = (np.zeros_like(rows), rows) if not other else np.divmod(rows, own[1])
        total = np.zeros((own[0] if other else 1, real.shape[1], prod(of)))
        by_column = (real[i] * coefficients[:, None]).T
        places = (slice(None), j, columns)
        np.add.at(total.transpose(1, 0, 2), places, by_column)
    return total.reshape(prod(shape), prod(of))


# Moves.


def _transpose(o: Sequence[Value], a: Any, shape: tuple[int, ...], sources: Sources) -> Form | None:
    ndim = len(o[0].shape)
    order = a.axes if a.axes is not None else tuple(range(ndim))[::-1]
    return transposed(o[0].form, o[0].shape, [axis % ndim for axis in order])


def _broadcast(o: Sequence[Value], a: Any, shape: tuple[int, ...], sources: Sources) -> Form | None:
    return broadcasted(o[0].form, o[0].shape, shape, sources)


def _getitem(o: Sequence[Value], a: Any, shape: tuple[int, ...], sources: Sources) -> Form | None:
    items = index_items(a, len(o[0].shape))
    if all(isinstance(item, Integer | NewAxis | Slice) for item in items):
        found = indexed(o[0].form, [_key(item) for item in items], o[0].shape)
        if found is not None:
            return found
    return _by_places("getitem", o, a, shape, sources)


def _key(item: Any) -> Any:
    match item:
        case Integer(value):
            return value
        case Slice(start, stop, step):
            return slice(start, stop, step)
    return None


def _reshape(o: Sequence[Value], a: Any, shape: tuple[int, ...], sources: Sources) -> Form | None:
    """Axes of one element come and go; everything else by the places of elements."""
    own = o[0].shape
    if [e for e in own if e != 1] == [e for e in shape if e != 1]:
        squeezed = indexed(o[0].form, [0 if e == 1 else slice(None) for e in own], own)
        if squeezed is not None:
            kept = tuple(e for e in own if e != 1)
            key = [None if e == 1 else slice(None) for e in shape]
            return indexed(squeezed, key, kept)
    return _by_places("reshape", o, a, shape, sources)


def _by_places(
    name: str, o: Sequence[Value], a: Any, shape: tuple[int, ...], sources: Sources
) -> Form | None:
    own = o[0].shape
    if prod(own) > _PLACES or prod(shape) > MOST:
        return None
    starts = [one.known for one in o[1:]]
    if any(start is None for start in starts):
        return None
    places = np.arange(prod(own), dtype=np.int64).reshape(own)
    move = _MOVES.get(name) or PUBLIC[name]
    return moved(o[0].form, np.asarray(move([places, *starts], a)), sources, own)  # type: ignore[list-item]


def _moving(name: str) -> Rule:
    return lambda o, a, shape, sources: _by_places(name, o, a, shape, sources)


def _masked(name: str) -> Rule:
    """Moves that leave elements empty: places count from one, so that zero is empty."""

    def rule(o: Sequence[Value], a: Any, shape: tuple[int, ...], sources: Sources) -> Form | None:
        own = o[0].shape
        if prod(own) > _PLACES or prod(shape) > _PLACES:
            return None
        places = np.arange(1, prod(own) + 1, dtype=np.int64).reshape(own)
        move = _MOVES.get(name) or PUBLIC[name]
        return moved(o[0].form, np.asarray(move([places], a)) - 1, sources, own)

    return rule


def _pad(arrays: Sequence[NDArray[Any]], a: Any) -> NDArray[Any]:
    return np.pad(arrays[0], a.widths, a.mode) if arrays[0].ndim else arrays[0]


_MOVES: Final[Mapping[str, Callable[[Sequence[NDArray[Any]], Any], NDArray[Any]]]] = {
    "repeat": lambda o, a: np.repeat(o[0], a.repeats, a.axis),
    "pad": _pad,
}


def _dynamic_slice(
    o: Sequence[Value], a: Any, shape: tuple[int, ...], sources: Sources
) -> Form | None:
    starts = [one.known for one in o[1:]]
    if any(start is None for start in starts):
        return None
    key = clamped_starts([int(s) for s in starts if s is not None], a.sizes, o[0].shape)
    found = indexed(o[0].form, key, o[0].shape)
    return _by_places("dynamic_slice", o, a, shape, sources) if found is None else found


def _joined(o: Sequence[Value], a: Any, shape: tuple[int, ...], sources: Sources) -> Form | None:
    axis = a.axis % len(shape)
    return _laid([one.form for one in o], [one.shape for one in o], axis, shape, sources)


def _stacked(o: Sequence[Value], a: Any, shape: tuple[int, ...], sources: Sources) -> Form | None:
    axis = a.axis % len(shape)
    key: list[Any] = [slice(None)] * (len(shape) - 1)
    key.insert(axis, None)
    forms: list[Form] = []
    for one in o:
        matrices = {s: block for s, block in one.form.items() if isinstance(block, np.ndarray)}
        terms = {s: block for s, block in one.form.items() if s not in matrices}
        forms.append({**matrices, **(indexed(terms, key, one.shape) or {})})
    flat = [(*one.shape[:axis], 1, *one.shape[axis:]) for one in o]
    return _laid(forms, flat, axis, shape, sources)


def _laid(
    forms: Sequence[Form],
    shapes: Sequence[tuple[int, ...]],
    axis: int,
    shape: tuple[int, ...],
    sources: Sources,
) -> Form | None:
    """Arrays one after the other along an axis: each is moved into its window and added."""
    moved_forms: list[Form] = []
    first = 0
    for form, own in zip(forms, shapes, strict=True):
        placed: Form = {}
        for source, block in form.items():
            if isinstance(block, np.ndarray):
                if prod(shape) * block.shape[1] > MOST:
                    return None
                whole = np.zeros((*shape, block.shape[1]))
                key = [slice(None)] * len(shape)
                key[axis] = slice(first, first + own[axis])
                whole[tuple(key)] = block.reshape(*own, block.shape[1])
                placed[source] = whole.reshape(prod(shape), block.shape[1])
            else:
                placed[source] = tuple(_shifted(term, axis, first) for term in block)
        moved_forms.append(placed)
        first += own[axis]
    return added(moved_forms, [shape] * len(forms), shape, sources)


def _shifted(term: Any, axis: int, by: int) -> Any:
    window = list(term.window)
    window[axis] = (window[axis][0] + by, window[axis][1] + by)
    return type(term)(term.coefficient, term.axes, tuple(window))


# Running sums.


def _running(o: Sequence[Value], a: Any, shape: tuple[int, ...], sources: Sources) -> Form | None:
    own = o[0].shape
    axis = a.axis % len(own)
    return _along(
        o[0], lambda one: np.cumsum(_ahead(one, axis, a.include_initial), axis), own, shape, sources
    )


def _ahead(one: NDArray[Any], axis: int, initial: bool) -> NDArray[Any]:
    if not initial:
        return one
    widths = [(0, 0)] * one.ndim
    widths[axis] = (1, 0)
    return np.pad(one, widths)


def _differences(
    o: Sequence[Value], a: Any, shape: tuple[int, ...], sources: Sources
) -> Form | None:
    own = o[0].shape
    axis = a.axis % len(own)
    return _along(o[0], lambda one: np.diff(one, a.n, axis), own, shape, sources)


def _along(
    value: Value,
    function: Callable[[NDArray[Any]], NDArray[Any]],
    own: tuple[int, ...],
    shape: tuple[int, ...],
    sources: Sources,
) -> Form | None:
    found: Form = {}
    for source, block in value.form.items():
        columns = prod(sources[source])
        matrix = dense(block, own, sources[source])
        if matrix is None or prod(shape) * columns > MOST:
            return None
        changed = function(matrix.reshape(*own, columns))
        found[source] = changed.reshape(prod(shape), columns)
    return found


def _astype(o: Sequence[Value], a: Any, shape: tuple[int, ...], sources: Sources) -> Form | None:
    """To a type that holds all the numbers of the old one."""
    kinds = ("bool", "int", "fixed")
    old = o[0].type.dtype
    if kinds.index(a.kind) < kinds.index(old.kind):
        return None
    if a.kind == old.kind and (a.bits < old.bits or a.fraction_bits < old.fraction_bits):
        return None
    return dict(o[0].form)


_RULES: Final[Mapping[str, Rule]] = {
    "add": _add,
    "subtract": _subtract,
    "negative": _negative,
    "bitwise_invert": _negative,
    "multiply": _multiply,
    "divide": _divide,
    "bitwise_left_shift": _shift,
    "matmul": _matmul,
    "where": _where,
    "sum": _sum,
    "mean": _mean,
    "transpose": _transpose,
    "broadcast_to": _broadcast,
    "getitem": _getitem,
    "reshape": _reshape,
    "concatenate": _joined,
    "stack": _stacked,
    "dynamic_slice": _dynamic_slice,
    "cumulative_sum": _running,
    "diff": _differences,
    "astype": _astype,
    "unbounded": lambda o, a, shape, sources: dict(o[0].form),
    "roll": _moving("roll"),
    "tile": _moving("tile"),
    "diagonal": _moving("diagonal"),
    "take": _moving("take"),
    "repeat": _moving("repeat"),
    "tril": _masked("tril"),
    "triu": _masked("triu"),
    "pad": _masked("pad"),
    **dict.fromkeys(("max", "min", "prod", "any", "all"), _alone),
}

MOVES: Final = frozenset(
    {"transpose", "broadcast_to", "getitem", "reshape", "concatenate", "stack", "dynamic_slice",
     "astype", "roll", "tile", "diagonal", "take", "repeat", "tril", "triu", "pad",
     "unbounded"}
)  # fmt: skip
"""Those that put elements elsewhere, as they are."""
