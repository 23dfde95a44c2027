"""Elements at public positions: gathered, scattered, cut out and put in.

Where elements go is found by letting JAX move positions instead of numbers, so that every mode and
every order of axes means what it means in JAX. Secret positions are in ``secret_positions.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from jax import lax

from tacit.arrays import functions as tacit
from tacit.frontends.jax.rules import Call, advised, rule
from tacit.frontends.jax.secret_positions import (
    gathered_secretly,
    scattered_secretly,
    sliced_secretly,
    updated_secretly,
)
from tacit.frontends.jax.values import is_hidden, is_secret, plain, settled

__all__ = ["gather_places", "summed_into", "taken", "update_places"]


def taken(x: Any, places: Any) -> Any:
    """Elements of the flattened array at public places; zero where a place is below 0."""
    if not is_secret(x):
        found = plain(x).reshape(-1)[np.maximum(places, 0)] if x.size else np.zeros(places.shape)
        return np.where(places >= 0, found, np.zeros((), found.dtype))
    inside = places >= 0
    if inside.all():
        return tacit.reshape(x, -1)[places]
    zero: Any = np.zeros(1, np.bool_ if x.dtype.kind == "bool" else np.int64)
    longer = tacit.concat([tacit.reshape(x, -1), zero])
    return longer[np.where(inside, places, x.size)]


def summed_into(parts: Any, places: Any, shape: tuple[int, ...]) -> Any:
    """An array that holds at every place the sum of the parts that belong there.

    Local. Places below 0 belong nowhere.
    """
    size = prod(shape)
    flat = np.asarray(places).reshape(-1)
    order, rank = _ranks(flat)
    total = None
    most = int(rank.max()) + 1 if rank.size else 0
    if most > _MOST_GATHERS:
        return _summed_by_prefixes(parts, flat, shape)
    for level in range(most):
        source = np.full(size, -1)
        chosen = order[rank == level]
        source[flat[chosen]] = chosen
        layer = taken(parts, source)
        total = layer if total is None else total + layer
    if total is None:
        total = taken(parts, np.full(size, -1))
    return tacit.reshape(total, shape)


_MOST_GATHERS = 8


def _ranks(flat: Any) -> tuple[Any, Any]:
    """The parts that belong somewhere, and which one of its place each is."""
    order = np.argsort(flat, kind="stable")
    order = order[flat[order] >= 0]
    targets = flat[order]
    starts = np.flatnonzero(np.r_[True, targets[1:] != targets[:-1]]) if targets.size else targets
    lengths = np.diff(np.r_[starts, targets.size]) if targets.size else targets
    rank = np.arange(targets.size) - np.repeat(starts, lengths) if targets.size else targets
    return order, rank


def _summed_by_prefixes(parts: Any, flat: Any, shape: tuple[int, ...]) -> Any:
    """Differences of running sums in the order of places: exact, as the ring wraps both."""
    order = np.argsort(flat, kind="stable")
    order = order[flat[order] >= 0]
    sums = tacit.cumulative_sum(tacit.reshape(parts, -1)[order], axis=0, include_initial=True)
    ends = np.searchsorted(flat[order], np.arange(prod(shape)), side="right")
    starts = np.searchsorted(flat[order], np.arange(prod(shape)), side="left")
    return tacit.reshape(sums[ends] - sums[starts], shape)


# Gather.


@rule("gather")
def _gather(call: Call, x: Any, indices: Any) -> Any:
    if is_secret(indices):
        return gathered_secretly(call, x, indices)
    places = gather_places(call.equation.parameters, np.shape(x), indices)
    return taken(x, np.asarray(places))


def gather_places(parameters: Any, shape: tuple[int, ...], indices: Any) -> Any:
    """Where in the flattened array the elements of a gather stand; -1 outside. JAX can trace it."""
    count = np.arange(prod(shape), dtype=np.int32).reshape(shape)
    return lax.gather(
        count,
        indices,
        parameters["dimension_numbers"],
        parameters["slice_sizes"],
        indices_are_sorted=parameters["indices_are_sorted"],
        unique_indices=parameters["unique_indices"],
        mode=parameters["mode"],
        fill_value=-1,
    )


@rule("dynamic_slice")
def _dynamic_slice(call: Call, x: Any, *starts: Any) -> Any:
    starts = starts[: np.ndim(x)]
    sizes = call["slice_sizes"]
    if any(map(is_hidden, starts)):
        return sliced_secretly(call, x, starts)
    if any(map(is_secret, starts)):
        return tacit.dynamic_slice(x, starts, sizes)
    first = [
        min(max(int(start), 0), extent - size)
        for start, size, extent in zip(starts, sizes, np.shape(x), strict=True)
    ]
    return x[tuple(slice(a, a + n) for a, n in zip(first, sizes, strict=True))] if sizes else x


@rule("dynamic_update_slice")
def _dynamic_update(call: Call, x: Any, part: Any, *starts: Any) -> Any:
    starts = starts[: np.ndim(x)]
    if any(map(is_hidden, starts)):
        return updated_secretly(call, x, part, starts)
    if any(map(is_secret, starts)):
        return settled(tacit.dynamic_update_slice(x, plain(part), starts), call.dtype)
    count = np.arange(np.size(x) if not is_secret(x) else x.size).reshape(np.shape(x))
    new = count.size + np.arange(prod(np.shape(part))).reshape(np.shape(part))
    first = [
        min(max(int(start), 0), extent - size)
        for start, size, extent in zip(starts, np.shape(part), np.shape(x), strict=True)
    ]
    count[tuple(slice(a, a + n) for a, n in zip(first, np.shape(part), strict=True))] = new
    return _chosen(call, x, part, count)


def _chosen(call: Call, x: Any, parts: Any, count: Any) -> Any:
    """Elements of x, then of parts, at places in both."""
    both = [tacit.reshape(v, -1) if is_secret(v) else plain(v).reshape(-1) for v in (x, parts)]
    return settled(tacit.concat(both)[count], call.dtype)


# Scatter.


@rule("scatter")
def _scatter(call: Call, x: Any, indices: Any, updates: Any) -> Any:
    if is_secret(indices):
        return scattered_secretly(call, x, indices, updates, add=False)
    shape, parts = np.shape(x), np.shape(updates)
    count = np.arange(prod(shape), dtype=np.int32).reshape(shape)
    new = prod(shape) + np.arange(prod(parts), dtype=np.int32).reshape(parts)
    numbers, mode = call["dimension_numbers"], call["mode"]
    places = lax.scatter(count, np.asarray(indices), new, numbers, mode=mode)
    return _chosen(call, x, updates, np.asarray(places))


@rule("scatter-add", "scatter_add")
def _scatter_add(call: Call, x: Any, indices: Any, updates: Any) -> Any:
    if is_secret(indices):
        return scattered_secretly(call, x, indices, updates, add=True)
    places = np.asarray(update_places(call.equation.parameters, np.shape(x), indices,
                                      np.shape(updates)))  # fmt: skip
    if not is_secret(updates):
        total = np.zeros(prod(np.shape(x)), plain(updates).dtype)
        inside = places >= 0
        np.add.at(total, places[inside], plain(updates)[inside])
        return settled(tacit.add(x, total.reshape(np.shape(x))), call.dtype)
    total = summed_into(updates, places, np.shape(x))
    if not is_secret(x) and not plain(x).any():
        return settled(total, call.dtype)
    return settled(tacit.add(plain(x), total), call.dtype)


@rule("scatter-sub", "scatter_sub")
def _scatter_subtract(call: Call, x: Any, indices: Any, updates: Any) -> Any:
    negative = tacit.negative(updates) if is_secret(updates) else -plain(updates)
    return _scatter_add(call, x, indices, negative)


@rule("scatter-mul", "scatter_mul")
def _scatter_multiply(call: Call, x: Any, indices: Any, updates: Any) -> Any:
    return _scatter_with(call, x, indices, updates, tacit.multiply)


@rule("scatter-min", "scatter_min")
def _scatter_minimum(call: Call, x: Any, indices: Any, updates: Any) -> Any:
    return _scatter_with(call, x, indices, updates, tacit.minimum)


@rule("scatter-max", "scatter_max")
def _scatter_maximum(call: Call, x: Any, indices: Any, updates: Any) -> Any:
    return _scatter_with(call, x, indices, updates, tacit.maximum)


def _scatter_with(
    call: Call, x: Any, indices: Any, updates: Any, function: Callable[[Any, Any], Any]
) -> Any:
    """One update of every place after the other."""
    if is_secret(indices):
        raise advised(
            call,
            "the positions are secret, or change in a loop.",
            "combine with a one-hot mask and jnp.where instead.",
        )
    shape = np.shape(x)
    places = np.asarray(update_places(call.equation.parameters, shape, indices, np.shape(updates)))
    flat = places.reshape(-1)
    order, rank = _ranks(flat)
    given = tacit.reshape(updates, -1) if is_secret(updates) else plain(updates).reshape(-1)
    whole = tacit.reshape(x, -1) if is_secret(x) else plain(x).reshape(-1)
    for level in range(int(rank.max()) + 1 if rank.size else 0):
        chosen = order[rank == level]
        count = np.arange(prod(shape))
        count[flat[chosen]] = prod(shape) + np.arange(chosen.size)
        whole = tacit.concat([whole, function(whole[flat[chosen]], given[chosen])])[count]
    return settled(tacit.reshape(whole, shape), call.dtype)


def update_places(
    parameters: Any, shape: tuple[int, ...], indices: Any, updates: tuple[int, ...]
) -> Any:
    """Where in the flattened array each update of a scatter belongs; -1 for none."""
    numbers = parameters["dimension_numbers"]
    window = iter(numbers.update_window_dims)
    batching = tuple(numbers.operand_batching_dims)
    sizes = [
        1 if axis in (*numbers.inserted_window_dims, *batching) else updates[next(window)]
        for axis in range(len(shape))
    ]
    return lax.gather(
        np.arange(prod(shape), dtype=np.int32).reshape(shape),
        indices,
        lax.GatherDimensionNumbers(
            offset_dims=tuple(numbers.update_window_dims),
            collapsed_slice_dims=tuple(numbers.inserted_window_dims),
            start_index_map=tuple(numbers.scatter_dims_to_operand_dims),
            operand_batching_dims=batching,
            start_indices_batching_dims=tuple(numbers.scatter_indices_batching_dims),
        ),
        tuple(sizes),
        mode=_gather_mode(parameters["mode"]),
        fill_value=-1,
    )


def _gather_mode(mode: Any) -> Any:
    return mode if mode is not None else lax.GatherScatterMode.FILL_OR_DROP
