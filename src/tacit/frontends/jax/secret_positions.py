"""Elements at secret positions, by one-hot masks: nobody learns what is looked at.

A position outside gives 0 where JAX fills, and changes nothing where JAX drops.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from jax import lax

from tacit.arrays import functions as tacit
from tacit.encoding.types import int64
from tacit.frontends.jax.rules import Call, advised
from tacit.frontends.jax.shapes import shaped
from tacit.frontends.jax.values import is_secret, plain, settled

__all__ = ["gathered_secretly", "scattered_secretly", "sliced_secretly", "updated_secretly"]

_IDIOM = (
    "index along one axis with integers (x[i], jnp.take, take_along_axis), or multiply with a"
    " one-hot mask."
)


def _mask(call: Call, indices: Any, extents: list[int], *, clip: bool) -> Any:
    """(*index, product of the extents) integers: 1 at the position that an index names."""
    mask = None
    for place, extent in enumerate(extents):
        index = indices[..., place]
        index = index if index.dtype == int64 else index.astype(int64)
        if clip:
            index = tacit.clip(index, 0, extent - 1)
        one = tacit.one_hot(index, extent)
        if mask is None:
            mask = one
        else:
            both = mask[..., :, None] & one[..., None, :]
            mask = tacit.reshape(both, (*one.shape[:-1], mask.shape[-1] * extent))
    if mask is None:
        raise advised(call, "no axis is indexed.", _IDIOM)
    return mask.astype(int64)


def _clips(call: Call) -> bool:
    return bool(call["mode"] == lax.GatherScatterMode.CLIP)


def _array(x: Any) -> Any:
    return x if is_secret(x) else plain(x)


def _moved(x: Any, axes: list[int]) -> Any:
    if axes == list(range(len(axes))):
        return x
    return tacit.permute_dims(x, axes) if is_secret(x) else x.transpose(axes)


def _shaped(x: Any, shape: tuple[int, ...]) -> Any:
    return shaped(x, shape) if is_secret(x) else x.reshape(shape)


def gathered_secretly(call: Call, x: Any, indices: Any) -> Any:
    """Elements along axes at secret positions: a product with one-hot rows."""
    numbers = call["dimension_numbers"]
    axes = list(numbers.start_index_map)
    batch = list(numbers.operand_batching_dims)
    sizes = call["slice_sizes"]
    if any(sizes[a] != 1 for a in axes):
        raise advised(call, "several neighbours at secret positions.", _IDIOM)
    array = _array(x)
    shape = np.shape(array)
    kept = [a for a in range(len(shape)) if a not in axes and a not in batch]
    if any(sizes[a] != shape[a] for a in kept):
        array = array[tuple(slice(sizes[a] if a in kept else None) for a in range(len(shape)))]
        shape = array.shape
    places = list(numbers.start_indices_batching_dims)
    extents = [shape[a] for a in axes]
    mask = _mask(call, indices, extents, clip=_clips(call))
    free = [a for a in range(mask.ndim - 1) if a not in places]
    batches = [shape[a] for a in batch]
    index_shape = [mask.shape[a] for a in free]
    rows = _moved(mask, [*places, *free, mask.ndim - 1])
    rows = _shaped(rows, (*batches, prod(index_shape), prod(extents)))
    table = _moved(array, [*batch, *axes, *kept])
    table = _shaped(table, (*batches, prod(extents), prod(shape[a] for a in kept)))
    found = tacit.matmul(rows, _numbers(table))
    # Axes of slices, those of one element among them, in the order of the array's.
    slices = [a for a in range(len(shape)) if a not in (*numbers.collapsed_slice_dims, *batch)]
    found = _shaped(
        found, (*batches, *index_shape, *(1 if a in axes else shape[a] for a in slices))
    )
    # In the result the axes of positions keep their order around those of slices.
    found = _moved(found, _result_order(call, places, free, len(slices)))
    if is_secret(x) and x.dtype.kind == "bool":
        return found != 0
    return settled(found, call.dtype)


def _numbers(x: Any) -> Any:
    if is_secret(x):
        return x.astype(int64) if x.dtype.kind == "bool" else x
    return x.astype(np.int64) if x.dtype.kind == "b" else x


def _result_order(call: Call, places: list[int], free: list[int], kept: int) -> list[int]:
    """How axes (batching, free positions, slices) stand in JAX's result."""
    offset = list(call["dimension_numbers"].offset_dims)
    positions = [*places, *free]  # the axis of positions that each of our first axes is
    count = len(positions) + kept
    outer = [a for a in range(count) if a not in offset]
    order = [0] * count
    for ours, theirs in enumerate(positions):
        order[outer[theirs]] = ours
    for ours, theirs in enumerate(offset):
        order[theirs] = len(positions) + ours
    return order


def scattered_secretly(call: Call, x: Any, indices: Any, updates: Any, *, add: bool) -> Any:
    """Updates along axes at secret positions: a product with one-hot columns."""
    numbers = call["dimension_numbers"]
    axes = list(numbers.scatter_dims_to_operand_dims)
    batch = list(numbers.operand_batching_dims)
    shape = np.shape(x)
    given = _array(updates)
    window = list(numbers.update_window_dims)
    slices = [a for a in range(len(shape)) if a not in (*numbers.inserted_window_dims, *batch)]
    for a, width in zip(slices, (given.shape[w] for w in window), strict=True):
        if width != (1 if a in axes else shape[a]):
            raise advised(call, "parts of slices at secret positions.", _IDIOM)
    places = list(numbers.scatter_indices_batching_dims)
    kept = [a for a in range(len(shape)) if a not in axes and a not in batch]
    extents = [shape[a] for a in axes]
    mask = _mask(call, indices, extents, clip=_clips(call))
    free = [a for a in range(mask.ndim - 1) if a not in places]
    count = prod(mask.shape[a] for a in free)
    if not add and count != 1:
        raise advised(call, "several values are set at secret positions.", _IDIOM)
    batches = [shape[a] for a in batch]
    columns = _moved(mask, [*places, mask.ndim - 1, *free])
    columns = _shaped(columns, (*batches, prod(extents), count))
    outer = [a for a in range(len(given.shape)) if a not in window]
    order = [outer[a] for a in (*places, *free)] + window
    rows = _moved(given, order)
    rows = _shaped(rows, (*batches, count, prod(shape[a] for a in kept)))
    landed = tacit.matmul(columns, _numbers(rows))
    ours = [*batch, *axes, *kept]
    landed = _moved(_shaped(landed, tuple(shape[a] for a in ours)), _inverse(ours))
    if add:
        if not is_secret(x) and not plain(x).any():
            return settled(landed, call.dtype)
        return settled(tacit.add(_array(x), landed), call.dtype)
    hit = _shaped(columns, (*batches, *extents, *(1 for _ in kept)))
    hit = _moved(hit, _inverse(ours))
    if call.dtype == np.bool_:
        landed = landed != 0
    return settled(tacit.where(hit != 0, landed, _array(x)), call.dtype)


def _inverse(order: list[int]) -> list[int]:
    return [int(place) for place in np.argsort(order)]


def sliced_secretly(call: Call, x: Any, starts: Any) -> Any:
    """A part of an array that begins at secret positions, axis by axis."""
    found = _array(x)
    for axis, (start, size) in enumerate(zip(starts, call["slice_sizes"], strict=True)):
        extent = found.shape[axis]
        if size == extent:
            continue
        if not is_secret(start):
            first = min(max(int(start), 0), extent - size)
            found = found[(*(slice(None),) * axis, slice(first, first + size))]
            continue
        chosen = tacit.one_hot(tacit.clip(start, 0, extent - size), extent - size + 1)
        places = np.arange(extent - size + 1)[:, None] + np.arange(size)
        front = _moved(found, [axis, *(a for a in range(len(found.shape)) if a != axis)])
        rest = front.shape[1:]
        windows = front[places]
        table = _shaped(windows, (places.shape[0], size * prod(rest)))
        row = tacit.matmul(chosen.astype(int64), _numbers(table))
        back = _shaped(row, (size, *rest))
        found = _moved(back, [*range(1, axis + 1), 0, *range(axis + 1, len(rest) + 1)])
    if is_secret(x) and x.dtype.kind == "bool" and found.dtype.kind != "bool":
        found = found != 0
    return settled(found, call.dtype)


def updated_secretly(call: Call, x: Any, part: Any, starts: Any) -> Any:
    """An array with a part of it replaced from secret positions on."""
    shape, extents = np.shape(x), np.shape(part)
    grown, inside = _array(part), np.ones(extents, np.int64)
    covered: Any = inside
    for axis, (start, extent) in enumerate(zip(starts, shape, strict=True)):
        size = extents[axis]
        count = extent - size + 1
        rows = np.arange(extent)[:, None] - np.arange(count)  # which row of the part lies here
        hit = (rows >= 0) & (rows < size)
        if is_secret(start):
            chosen = tacit.one_hot(tacit.clip(start, 0, count - 1), count).astype(int64)
        else:
            chosen = (np.arange(count) == min(max(int(start), 0), count - 1)).astype(np.int64)
        # placement[t, r]: whether row r of the part lies at t.
        tensor = (rows[:, :, None] == np.arange(size)) & hit[:, :, None]
        flat = tensor.transpose(1, 0, 2).reshape(count, extent * size).astype(np.int64)
        if is_secret(chosen):
            placement = tacit.reshape(tacit.matmul(chosen, flat), (extent, size))
        else:
            placement = (chosen @ flat).reshape(extent, size)
        grown = _along(placement, _numbers(grown), axis)
        covered = _along(placement, covered, axis)
    new = grown != 0 if call.dtype == np.bool_ else grown
    return settled(tacit.where(covered != 0, new, _array(x)), call.dtype)


def _along(matrix: Any, x: Any, axis: int) -> Any:
    """A matrix applied along an axis."""
    front = _moved(x, [axis, *(a for a in range(len(x.shape)) if a != axis)])
    rest = front.shape[1:]
    flat = _shaped(front, (front.shape[0], prod(rest)))
    both_public = not is_secret(matrix) and not is_secret(flat)
    found = matrix @ flat if both_public else tacit.matmul(matrix, flat)
    found = _shaped(found, (matrix.shape[0], *rest))
    return _moved(found, [*range(1, axis + 1), 0, *range(axis + 1, len(rest) + 1)])
