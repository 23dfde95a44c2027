"""Gathers and scatters in loops, at public positions that change from one iteration to the next.

Where elements stand is an equation of its own here, computed beforehand with all else that is
public of the loop; what is left for the program is to take elements at positions.
"""

from __future__ import annotations

from math import prod
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from tacit.arrays import functions as tacit
from tacit.errors import ProgramError
from tacit.frontends.jax.body import Atom, Body, Equation, Variable, atom_shape
from tacit.frontends.jax.indexing import gather_places, taken, update_places
from tacit.frontends.jax.rules import Call, rule
from tacit.frontends.jax.values import is_secret, plain, settled

__all__ = ["with_positions"]


def with_positions(body: Body) -> None:
    """Part gathers and scatters at varying positions into positions and moves."""
    made: list[Equation] = []
    for equation in body.equations:
        for inner in equation.bodies:
            with_positions(inner)
        parted = _PARTED.get(equation.primitive)
        varying = parted is not None and equation.secret and _varies(equation.operands[1])
        made += parted(equation) if varying and parted is not None else [equation]
    body.equations = made
    body.index()


def _varies(atom: Atom) -> bool:
    return isinstance(atom, Variable) and atom.varying and not atom.secret


def _public(
    equation: Equation,
    name: str,
    operands: list[Atom],
    shape: tuple[int, ...],
    function: Any,
    dtype: Any = np.int32,
) -> tuple[Variable, Equation]:
    """An equation on what is public, and its result."""
    result = Variable(shape, np.dtype(dtype), varying=True)
    made = Equation(name, operands, [result], {}, (), lambda given: [function(*given)],
                    equation.source, equation.function)  # fmt: skip
    return result, made


def _secret(
    equation: Equation, name: str, operands: list[Atom], results: list[Variable], **parameters: Any
) -> Equation:
    return Equation(name, operands, results, parameters, (), None, equation.source,
                    equation.function)  # fmt: skip


def _row_axis(axes: Any, batching: Any, extents: list[int], shape: tuple[int, ...]) -> int | None:
    """The axis along which whole slices are taken, where it is only one."""
    if len(axes) != 1 or batching:
        return None
    (axis,) = axes
    whole = all(e == (1 if a == axis else shape[a]) for a, e in enumerate(extents))
    return int(axis) if whole else None


# Gather.


def _gather(equation: Equation) -> list[Equation]:
    x, indices = equation.operands
    parameters, shape = equation.parameters, atom_shape(x)
    numbers = parameters["dimension_numbers"]
    axis = _row_axis(
        numbers.start_index_map,
        numbers.operand_batching_dims,
        list(parameters["slice_sizes"]),
        shape,
    )
    if axis is None or not shape[axis]:
        result = equation.results[0]
        places, first = _public(
            equation, "places", [indices], result.shape,
            lambda given: gather_places(parameters, shape, given),
        )  # fmt: skip
        return [first, _secret(equation, "take_flat", [x, places], equation.results)]
    rows = atom_shape(indices)[:-1]
    places, first = _public(
        equation, "rows", [indices], rows,
        lambda given: _inside(given[..., 0], shape[axis], parameters["mode"]),
    )  # fmt: skip
    # Ours: axes before the rows' axis, those of positions, those behind; JAX's: as it names them.
    collapsed = tuple(numbers.collapsed_slice_dims) == (axis,)
    slices = [a for a in range(len(shape)) if not (collapsed and a == axis)]
    offset = dict(zip(slices, numbers.offset_dims, strict=True))
    count = len(rows) + len(slices)
    outer = [a for a in range(count) if a not in numbers.offset_dims]
    ours = [offset[a] for a in range(axis)] + outer
    ours += [] if collapsed else [offset[axis]]
    ours += [offset[a] for a in range(axis + 1, len(shape))]
    order = tuple(int(a) for a in np.argsort(ours))
    return [
        first,
        _secret(equation, "take_rows", [x, places], equation.results,
                axis=axis, keep=not collapsed, order=order),
    ]  # fmt: skip


def _inside(rows: Any, extent: int, mode: Any) -> Any:
    """Rows in range; -1 where JAX fills or drops."""
    xp: Any = np if isinstance(rows, np.ndarray) else jnp
    if mode == lax.GatherScatterMode.CLIP or mode == lax.GatherScatterMode.PROMISE_IN_BOUNDS:
        return xp.clip(rows, 0, extent - 1).astype(np.int32)
    return xp.where((rows >= 0) & (rows < extent), rows, -1).astype(np.int32)


@rule("take_rows")
def _take_rows(call: Call, x: Any, rows: Any) -> Any:
    axis = call["axis"]
    extent = x.shape[axis]
    if not _all_inside(rows):
        zeros = np.zeros((*x.shape[:axis], 1, *x.shape[axis + 1 :]), _plain_type(x))
        x = tacit.concat([x, zeros], axis=axis)
        rows = tacit.where(rows < 0, extent, rows) if is_secret(rows) else np.where(
            rows < 0, extent, rows
        )  # fmt: skip
    found = tacit.take(x, rows, axis=axis)
    if call["keep"]:
        place = axis + rows.ndim
        found = tacit.reshape(found, (*found.shape[:place], 1, *found.shape[place:]))
    order = call["order"]
    return found if order == tuple(range(found.ndim)) else tacit.permute_dims(found, order)


def _plain_type(x: Any) -> Any:
    return np.bool_ if x.dtype.kind == "bool" else np.int64


def _all_inside(places: Any) -> bool:
    """Whether no place is below 0, by bounds where it is not known yet."""
    if not is_secret(places):
        return bool((places >= 0).all())
    return places.bounds is not None and places.bounds[0] >= 0


@rule("take_flat")
def _take_flat(call: Call, x: Any, places: Any) -> Any:
    if not is_secret(places):
        return taken(x, np.asarray(places))
    flat = tacit.reshape(x, -1)
    if not _all_inside(places):
        flat = tacit.concat([flat, np.zeros(1, _plain_type(x))])
        places = tacit.where(places < 0, x.size, places)
    return tacit.take(flat, places, axis=0)


# Scatter.


def _scatter(equation: Equation) -> list[Equation]:
    x, indices, updates = equation.operands
    shape, extents = atom_shape(x), atom_shape(updates)
    numbers, mode = equation.parameters["dimension_numbers"], equation.parameters["mode"]

    def chosen(given: Any) -> Any:
        count = jnp.arange(prod(shape), dtype=jnp.int32).reshape(shape)
        new = prod(shape) + jnp.arange(prod(extents), dtype=jnp.int32).reshape(extents)
        return lax.scatter(count, given, new, numbers, mode=mode)

    places, first = _public(equation, "places", [indices], shape, chosen)
    return [first, _secret(equation, "take_either", [x, updates, places], equation.results)]


@rule("take_either")
def _take_either(call: Call, x: Any, updates: Any, places: Any) -> Any:
    both = [tacit.reshape(v, -1) if is_secret(v) else plain(v).reshape(-1) for v in (x, updates)]
    joined = tacit.concat(both)
    found = tacit.take(joined, places, axis=0) if is_secret(places) else joined[places]
    return settled(found, call.dtype)


def _scatter_add(equation: Equation) -> list[Equation]:
    x, indices, updates = equation.operands
    parameters, shape, extents = equation.parameters, atom_shape(x), atom_shape(updates)
    numbers = parameters["dimension_numbers"]
    landed = Variable(shape, equation.results[0].dtype, secret=_is_hidden(updates))
    total = _secret(equation, "add", [x, landed], equation.results)
    if not landed.secret:

        def everywhere(given: Any, values: Any) -> Any:
            zeros = jnp.zeros(shape, landed.dtype)
            return lax.scatter_add(zeros, given, values, numbers, mode=parameters["mode"])

        landed, first = _public(
            equation, "landed", [indices, updates], shape, everywhere, landed.dtype
        )
        return [first, _secret(equation, "add", [x, landed], equation.results)]
    if prod(atom_shape(indices)[:-1]) == 1:
        # One position: nothing lands twice.
        def single(given: Any) -> Any:
            count = jnp.full(shape, -1, jnp.int32)
            new = jnp.arange(prod(extents), dtype=jnp.int32).reshape(extents)
            return lax.scatter(count, given, new, numbers, mode=parameters["mode"])

        places, first = _public(equation, "places", [indices], shape, single)
        return [first, _secret(equation, "take_flat", [updates, places], [landed]), total]
    window = list(numbers.update_window_dims)
    widths = iter(extents[w] for w in window)
    sizes = [1 if a in numbers.inserted_window_dims else next(widths) for a in range(len(shape))]
    axis = _row_axis(
        numbers.scatter_dims_to_operand_dims, numbers.operand_batching_dims, sizes, shape
    )
    if axis is None or tuple(numbers.inserted_window_dims) != (axis,):
        if prod(shape) * prod(extents) > _MOST_MATRIX:
            raise ProgramError(
                f"{equation.primitive} ({equation.source}): numbers are added at many positions"
                " that change in a loop, along several axes.",
                next_step="add along one axis, x.at[rows].add(updates), or outside of the loop.",
                case=22,
                stage=equation.primitive,
            )

        def flat(given: Any) -> Any:
            places = update_places(parameters, shape, given, extents).reshape(-1)
            return (jnp.arange(prod(shape))[:, None] == places).astype(jnp.int32)

        matrix, first = _public(equation, "matrix", [indices], (prod(shape), prod(extents)), flat)
        order = tuple(range(len(extents)))
        return [first, _secret(equation, "land", [matrix, updates], [landed], order=order,
                               rows=prod(extents), axis=0, shape=shape), total]  # fmt: skip
    count = prod(atom_shape(indices)[:-1])

    def by_rows(given: Any) -> Any:
        rows = _inside(given[..., 0], shape[axis], parameters["mode"]).reshape(-1)
        return (jnp.arange(shape[axis])[:, None] == rows).astype(jnp.int32)

    matrix, first = _public(equation, "matrix", [indices], (shape[axis], count), by_rows)
    outer = [a for a in range(len(extents)) if a not in window]
    return [first, _secret(equation, "land", [matrix, updates], [landed],
                           order=(*outer, *window), rows=count, axis=axis,
                           shape=shape), total]  # fmt: skip


def _scatter_subtract(equation: Equation) -> list[Equation]:
    x, indices, updates = equation.operands
    if not _is_hidden(updates):
        negative, first = _public(
            equation, "negative", [updates], atom_shape(updates), lambda given: -given,
            equation.results[0].dtype,
        )  # fmt: skip
    else:
        negative = Variable(atom_shape(updates), equation.results[0].dtype, secret=True)
        first = _secret(equation, "neg", [updates], [negative])
    added = Equation("scatter-add", [x, indices, negative], equation.results, equation.parameters,
                     (), None, equation.source, equation.function)  # fmt: skip
    return [first, *_scatter_add(added)]


_MOST_MATRIX = 1 << 16


def _is_hidden(atom: Atom) -> bool:
    return isinstance(atom, Variable) and atom.secret


@rule("land")
def _land(call: Call, matrix: Any, updates: Any) -> Any:
    """Sums of updates by the rows in which a public matrix puts them. Local."""
    shape, axis, order = call["shape"], call["axis"], call["order"]
    given = updates if is_secret(updates) else plain(updates)
    if order != tuple(range(len(order))):
        given = tacit.permute_dims(given, order) if is_secret(given) else given.transpose(order)
    given = given.reshape((call["rows"], -1))
    found = tacit.matmul(matrix, given) if is_secret(matrix) or is_secret(given) else matrix @ given
    if prod(shape) == matrix.shape[0]:
        return tacit.reshape(found, shape)
    rest = [extent for a, extent in enumerate(shape) if a != axis]
    back = tacit.reshape(found, (shape[axis], *rest))
    return tacit.moveaxis(back, 0, axis) if axis else back


_PARTED = {
    "gather": _gather,
    "scatter": _scatter,
    "scatter-add": _scatter_add,
    "scatter-sub": _scatter_subtract,
    "scatter_add": _scatter_add,
}
