"""Arrays rearranged and joined. Local: nothing is sent."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tacit.arrays.array import Axis, SecretArray, applied, secret_operand
from tacit.encoding.types import DType
from tacit.errors import ShapeError
from tacit.operations.manipulation import normal_axis
from tacit.operations.promotion import broadcast_shape
from tacit.operations.rearrangement import PadMode

__all__ = [
    "astype",
    "broadcast_arrays",
    "broadcast_shapes",
    "broadcast_to",
    "concat",
    "concatenate",
    "diag",
    "diagonal",
    "expand_dims",
    "flip",
    "hsplit",
    "matrix_transpose",
    "meshgrid",
    "moveaxis",
    "pad",
    "permute_dims",
    "repeat",
    "reshape",
    "roll",
    "split",
    "squeeze",
    "stack",
    "swapaxes",
    "tile",
    "tril",
    "triu",
    "unstack",
    "vsplit",
]


def _several(values: Any) -> tuple[int, ...]:
    """One integer or several, as a tuple of Python integers."""
    try:
        return (operator.index(values),)
    except TypeError:
        return tuple(map(operator.index, values))


# Shapes and axes.


def reshape(
    x: SecretArray, /, shape: int | Sequence[int], *, copy: bool | None = None
) -> SecretArray:
    """The same elements under another shape; one extent may be -1."""
    return applied("reshape", x, shape=_several(shape))


def permute_dims(x: SecretArray, /, axes: Sequence[int]) -> SecretArray:
    """The axes in another order."""
    return applied("transpose", x, axes=_several(axes))


def matrix_transpose(x: SecretArray, /) -> SecretArray:
    """The last two axes exchanged."""
    return secret_operand("matrix_transpose", x).mT


def swapaxes(x: SecretArray, axis1: int, axis2: int, /) -> SecretArray:
    """Two axes exchanged."""
    ndim = secret_operand("swapaxes", x).ndim
    order = list(range(ndim))
    first, second = (normal_axis("swapaxes", axis, ndim) for axis in (axis1, axis2))
    order[first], order[second] = second, first
    return permute_dims(x, order)


def moveaxis(
    x: SecretArray, source: int | Sequence[int], destination: int | Sequence[int], /
) -> SecretArray:
    """Axes moved to other places; the others keep their order."""
    ndim = secret_operand("moveaxis", x).ndim
    old, new = (
        [normal_axis("moveaxis", axis, ndim) for axis in _several(axes)]
        for axes in (source, destination)
    )
    if len(old) != len(new) or len(set(old)) != len(old) or len(set(new)) != len(new):
        raise ShapeError(
            f"moveaxis: {len(old)} axes do not go to {len(new)} places.",
            next_step="name each axis and each place once.",
            case=14,
            stage="moveaxis",
        )
    order = [axis for axis in range(ndim) if axis not in old]
    for place, axis in sorted(zip(new, old, strict=True)):
        order.insert(place, axis)
    return permute_dims(x, order)


def expand_dims(x: SecretArray, /, axis: int | Sequence[int] = 0) -> SecretArray:
    """Axes of length one inserted at places of the result."""
    shape = secret_operand("expand_dims", x).shape
    places = _several(axis)
    ndim = len(shape) + len(places)
    new = {normal_axis("expand_dims", place, ndim) for place in places}
    if len(new) != len(places):
        raise ShapeError(
            f"expand_dims: a place is named twice in {places}.",
            next_step="name each place once.",
            case=14,
            stage="expand_dims",
        )
    old = iter(shape)
    return reshape(x, [1 if place in new else next(old) for place in range(ndim)])


def squeeze(x: SecretArray, /, axis: Axis = None) -> SecretArray:
    """Axes of length one removed, all of them by default."""
    shape = secret_operand("squeeze", x).shape
    if axis is None:
        return reshape(x, [extent for extent in shape if extent != 1])
    gone = {normal_axis("squeeze", place, len(shape)) for place in _several(axis)}
    if any(shape[place] != 1 for place in gone):
        raise ShapeError(
            f"squeeze: of the shape {shape} not all of the axes {sorted(gone)} have length one.",
            next_step="name axes of length one, or reduce the others first.",
            case=60,
            stage="squeeze",
        )
    return reshape(x, [extent for place, extent in enumerate(shape) if place not in gone])


# Broadcasting.


def broadcast_to(x: SecretArray, /, shape: Sequence[int]) -> SecretArray:
    """Elements repeated to a shape."""
    return applied("broadcast_to", x, shape=_several(shape))


def broadcast_shapes(*shapes: Sequence[int]) -> tuple[int, ...]:
    """The shape that shapes have in common by NumPy's rules."""
    return broadcast_shape("broadcast_shapes", *map(_several, shapes)) if shapes else ()


def broadcast_arrays(*arrays: Any) -> list[Any]:
    """Arrays repeated to the shape that they have in common; public ones stay public."""
    shape = broadcast_shapes(*(np.shape(array) for array in arrays))
    return [
        broadcast_to(array, shape)
        if isinstance(array, SecretArray)
        else np.broadcast_to(array, shape)
        for array in arrays
    ]


def meshgrid(*arrays: SecretArray, indexing: str = "xy") -> list[SecretArray]:
    """The coordinates of a grid from those of its axes, one vector an axis.

    Parameters
    ----------
    *arrays : SecretArray
        (n_i,) each.
    indexing : {"xy", "ij"}
        With ``"xy"`` the first two axes of the results are exchanged.
    """
    vectors = [secret_operand("meshgrid", array) for array in arrays]
    order = list(range(len(vectors)))
    if indexing not in ("xy", "ij") or any(vector.ndim > 1 for vector in vectors):
        raise ShapeError(
            "meshgrid: the arrays are no vectors, or the indexing is neither 'xy' nor 'ij'.",
            next_step="give vectors and indexing='xy' or indexing='ij'.",
            case=60,
            stage="meshgrid",
        )
    if indexing == "xy":
        order[:2] = order[:2][::-1]
    shape = [vectors[i].size for i in order]
    grids = []
    for i, vector in enumerate(vectors):
        own = [vector.size if j == i else 1 for j in order]
        grids.append(broadcast_to(reshape(vector, own), shape))
    return grids


# Joining and splitting.


def concat(arrays: Sequence[Any], /, *, axis: int | None = 0) -> SecretArray:
    """Arrays joined along an axis; flattened first if it is None."""
    if axis is None:
        flat = [a.reshape(-1) if isinstance(a, SecretArray) else np.ravel(a) for a in arrays]
        return applied("concatenate", *flat, axis=0)
    return applied("concatenate", *arrays, axis=axis)


def concatenate(arrays: Sequence[Any], /, axis: int | None = 0) -> SecretArray:
    """Arrays joined along an axis: NumPy's name for :func:`concat`."""
    return concat(arrays, axis=axis)


def stack(arrays: Sequence[Any], /, *, axis: int = 0) -> SecretArray:
    """Arrays of equal shape joined along a new axis."""
    return applied("stack", *arrays, axis=axis)


def unstack(x: SecretArray, /, *, axis: int = 0) -> tuple[SecretArray, ...]:
    """The arrays along an axis, which vanishes."""
    array = secret_operand("unstack", x)
    place = normal_axis("unstack", axis, array.ndim)
    before = (slice(None),) * place
    return tuple(array[(*before, position)] for position in range(array.shape[place]))


def split(x: SecretArray, sections: int | Sequence[int], /, *, axis: int = 0) -> list[SecretArray]:
    """An array cut along an axis: into equal parts, or before given positions."""
    array = secret_operand("split", x)
    place = normal_axis("split", axis, array.ndim)
    extent = array.shape[place]
    if isinstance(sections, int | np.integer):
        if sections <= 0 or extent % sections:
            raise ShapeError(
                f"split: an axis of {extent} cannot be cut into {sections} equal parts.",
                next_step="name the positions to cut at instead.",
                case=60,
                stage="split",
            )
        cuts = list(range(0, extent + 1, extent // sections)) if extent else [0] * (sections + 1)
    else:
        cuts = [0, *map(operator.index, sections), extent]
    before = (slice(None),) * place
    return [array[(*before, slice(a, b))] for a, b in pairwise(cuts)]


def hsplit(x: SecretArray, sections: int | Sequence[int], /) -> list[SecretArray]:
    """An array cut along its second axis, a vector along its only one."""
    return split(x, sections, axis=1 if secret_operand("hsplit", x).ndim > 1 else 0)


def vsplit(x: SecretArray, sections: int | Sequence[int], /) -> list[SecretArray]:
    """An array cut along its first axis."""
    return split(x, sections, axis=0)


# Moving elements.


def flip(x: SecretArray, /, *, axis: Axis = None) -> SecretArray:
    """Elements in reverse order along axes, all of them by default."""
    array = secret_operand("flip", x)
    axes = range(array.ndim) if axis is None else _several(axis)
    turned = {normal_axis("flip", place, array.ndim) for place in axes}
    backwards = slice(None, None, -1)
    key = tuple(backwards if place in turned else slice(None) for place in range(array.ndim))
    return array[key] if turned else array


def roll(x: SecretArray, /, shift: int | Sequence[int], *, axis: Axis = None) -> SecretArray:
    """Elements moved along axes; what leaves at one end enters at the other.

    Parameters
    ----------
    x : SecretArray
    shift : int or sequence of int
        How far; one for all axes, or one for each.
    axis : int or sequence of int, optional
        By default along the flattened array.
    """
    shifts = _several(shift)
    if axis is None:
        return applied("roll", x, shift=shifts, axis=None)
    axes = _several(axis)
    shifts, axes = (
        (shifts * len(axes) if len(shifts) == 1 else shifts),
        (axes * len(shifts) if len(axes) == 1 else axes),
    )
    return applied("roll", x, shift=shifts, axis=axes)


def repeat(x: SecretArray, repeats: ArrayLike, /, *, axis: int | None = None) -> SecretArray:
    """Every element several times in a row; the counts are public.

    Parameters
    ----------
    x : SecretArray
    repeats : int or sequence of int
        One count for all, or one for each element of the axis.
    axis : int, optional
        By default the array is flattened first.
    """
    counts = np.asarray(repeats)
    given = operator.index(counts.item()) if counts.size == 1 else tuple(counts.tolist())
    array = reshape(x, -1) if axis is None else x
    return applied("repeat", array, repeats=given, axis=0 if axis is None else axis)


def tile(x: SecretArray, repetitions: int | Sequence[int], /) -> SecretArray:
    """The whole array several times along axes."""
    return applied("tile", x, repetitions=_several(repetitions))


def pad(
    x: SecretArray,
    /,
    pad_width: Any,
    mode: PadMode = "constant",
    *,
    constant_values: float = 0,
) -> SecretArray:
    """Elements added around an array.

    Parameters
    ----------
    x : SecretArray
    pad_width : int, (before, after) or one such pair an axis
        Extents, as NumPy reads them.
    mode : {"constant", "edge", "reflect", "symmetric", "wrap"}
        What is added: a public number, or copies of the array's own elements.
    constant_values : number
        With ``"constant"``.
    """
    array = secret_operand("pad", x)
    pairs = np.broadcast_to(np.asarray(pad_width), (array.ndim, 2)).tolist()
    widths = tuple((operator.index(before), operator.index(after)) for before, after in pairs)
    padded = applied("pad", array, widths=widths, mode=mode)
    if mode != "constant" or not constant_values:
        return padded
    inside = np.pad(np.ones(array.shape, np.bool_), widths)
    return applied("where", inside, padded, _public(array, constant_values))


# Triangles and diagonals.


def tril(x: SecretArray, /, *, k: int = 0) -> SecretArray:
    """The elements of every matrix on and below a diagonal; zero elsewhere."""
    return applied("tril", x, k=operator.index(k))


def triu(x: SecretArray, /, *, k: int = 0) -> SecretArray:
    """The elements of every matrix on and above a diagonal; zero elsewhere."""
    return applied("triu", x, k=operator.index(k))


def diagonal(
    x: SecretArray, /, *, offset: int = 0, axis1: int = -2, axis2: int = -1
) -> SecretArray:
    """A diagonal of two axes, the last two by default, as the last axis."""
    return applied("diagonal", x, offset=offset, axis1=axis1, axis2=axis2)


def diag(x: SecretArray, /, *, k: int = 0) -> SecretArray:
    """The matrix with a vector on a diagonal, or the diagonal of a matrix."""
    array = secret_operand("diag", x)
    if array.ndim != 1:
        return diagonal(array, offset=k)
    extent = array.shape[0] + (k if k >= 0 else -k)
    along = pad(array, (k, 0) if k >= 0 else (0, -k))
    square = broadcast_to(along, (extent, extent))
    # Column j of the result holds at row j - k what `along` holds at j.
    return applied("where", np.eye(extent, k=k, dtype=np.bool_), square, _public(array, 0))


def _public(array: SecretArray, value: float) -> Any:
    """A public number to stand beside an array's elements."""
    return np.bool_(value) if array.dtype.kind == "bool" else value


def astype(
    x: SecretArray, dtype: DType, /, *, copy: bool = True, device: Any = None
) -> SecretArray:
    """The same numbers in another type."""
    return secret_operand("astype", x).astype(dtype)
