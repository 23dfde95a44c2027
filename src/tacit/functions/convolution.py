"""Convolution, its gradients, and pooling: local indexing around one matrix product.

A convolution is the product of a matrix of windows (each row the numbers under the kernel at
one place) with the kernels as columns. Windows are picked from shares without communication, so
only the result is communicated, however large the kernels are: the dot product's price in
replicated sharing (Araki et al. 2016, section 2.3). The gradients are the same
matrix product transposed (Chellapilla, Puri, Simard 2006, for plain data).

Arrays are (N, C, *extents) with kernels (O, C / groups, *extents): images and series alike, with
any number of spatial axes. As in neural networks kernels are not mirrored. Padding is by zeros.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.errors import ShapeError
from tacit.functions.class_probabilities import largest_by_row, largest_by_row_cost
from tacit.functions.costs import Costs
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = [
    "Geometry",
    "convolution",
    "convolution_cost",
    "input_gradient",
    "input_gradient_cost",
    "kernel_columns",
    "max_pool",
    "max_pool_cost",
    "placed",
    "weight_gradient",
    "weight_gradient_cost",
    "window_rows",
    "windows",
]

Extents = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where a kernel is laid on an array: public.

    Attributes
    ----------
    kernel : tuple of int
        Its extents along the spatial axes.
    stride, padding, dilation : tuple of int
        Steps between places; zeros added at both ends; steps between the kernel's entries.
    groups : int
        Channels are cut into this many groups, each with kernels of its own.
    """

    kernel: Extents
    stride: Extents
    padding: Extents
    dilation: Extents
    groups: int = 1

    def reach(self) -> Extents:
        """How far a kernel extends, dilated."""
        return tuple((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    def places(self, extents: Extents) -> Extents:
        """How many places there are along every spatial axis.

        Raises
        ------
        ShapeError
            The kernel is larger than the padded array, or a parameter is not positive (TC-1143).
        """
        positive = all(v >= 1 for v in (*self.kernel, *self.stride, *self.dilation, self.groups))
        padded = [e + 2 * p for e, p in zip(extents, self.padding, strict=True)]
        fits = all(p >= 0 for p in self.padding) and all(
            r <= e for r, e in zip(self.reach(), padded, strict=True)
        )
        if not (positive and fits):
            raise ShapeError(
                f"A kernel of extents {self.kernel} with stride {self.stride}, padding"
                f" {self.padding} and dilation {self.dilation} has no place in {extents}.",
                next_step="use positive steps, and a kernel no larger than the padded array.",
                case=43,
            )
        return tuple(
            (e - r) // s + 1 for e, r, s in zip(padded, self.reach(), self.stride, strict=True)
        )

    def held(self, shape: Extents) -> int:
        """How many numbers are held at a time for an array (N, C, *extents): padded, or windows."""
        extents = shape[2:]
        padded = prod(e + 2 * p for e, p in zip(extents, self.padding, strict=True))
        return prod(shape[:2]) * max(padded, prod(self.places(extents)) * prod(self.kernel))


# Local indexing.


def windows(array: NDArray[Any], geometry: Geometry, fill: Any = None) -> NDArray[Any]:
    """The numbers under the kernel at each place: (N, C, *places, *kernel), mostly a view.

    Works on shares, ring elements and plain arrays alike. `fill` is the padding, zeros by default.
    """
    count = len(geometry.kernel)
    if any(geometry.padding):
        extents = [e + 2 * p for e, p in zip(array.shape[2:], geometry.padding, strict=True)]
        padded = np.zeros((*array.shape[:2], *extents), array.dtype)
        if fill is not None:
            padded[...] = fill
        inside = (slice(p, p + e) for p, e in zip(geometry.padding, array.shape[2:], strict=True))
        padded[(slice(None), slice(None), *inside)] = array
        array = padded
    axes = tuple(range(2, 2 + count))
    view = np.lib.stride_tricks.sliding_window_view(array, geometry.reach(), axes)
    steps = [slice(None, None, s) for s in (*geometry.stride, *geometry.dilation)]
    result: NDArray[Any] = view[(slice(None), slice(None), *steps)]
    return result


def window_rows(array: NDArray[Any], geometry: Geometry) -> NDArray[Any]:
    """Windows as matrices, (groups, N · places, C / groups · kernel); two axes for one group."""
    picked = windows(array, geometry)
    count, groups = len(geometry.kernel), geometry.groups
    n, channels = picked.shape[:2]
    places = picked.shape[2 : 2 + count]
    split = picked.reshape(n, groups, channels // groups, *places, *geometry.kernel)
    middle = tuple(range(3, 3 + count))
    last = tuple(range(3 + count, 3 + 2 * count))
    rows = split.transpose(1, 0, *middle, 2, *last)
    shape = (n * prod(places), channels // groups * prod(geometry.kernel))
    return rows.reshape(shape if groups == 1 else (groups, *shape))


def kernel_columns(kernels: NDArray[Any], geometry: Geometry) -> NDArray[Any]:
    """Kernels as columns, (groups, C / groups · kernel, O / groups); two axes for one group."""
    groups = geometry.groups
    outputs = kernels.shape[0]
    columns = kernels.reshape(groups, outputs // groups, -1).transpose(0, 2, 1)
    return columns[0] if groups == 1 else columns


def placed(result: NDArray[Any], n: int, places: Extents, geometry: Geometry) -> NDArray[Any]:
    """(groups, N · places, O / groups) as (N, O, *places)."""
    groups = geometry.groups
    split = result.reshape(groups, n, *places, -1)
    middle = tuple(range(2, 2 + len(places)))
    moved = split.transpose(1, 0, 2 + len(places), *middle)
    return moved.reshape(n, -1, *places)


def _unplaced(array: NDArray[Any], geometry: Geometry) -> NDArray[Any]:
    """The way back from `placed`: (N, O, *places) as (groups, N · places, O / groups)."""
    groups = geometry.groups
    n, outputs, *places = array.shape
    split = array.reshape(n, groups, outputs // groups, *places)
    middle = tuple(range(3, 3 + len(places)))
    shape = (n * prod(places), outputs // groups)
    moved = split.transpose(1, 0, *middle, 2)
    return moved.reshape(shape if groups == 1 else (groups, *shape))


def _folded(party: Party, rows: NDArray[Any], shape: Extents, geometry: Geometry) -> NDArray[Any]:
    """Windows added back where they came from, the transpose of `window_rows`.

    One addition of arrays for each entry of the kernel.
    """
    n, channels, *extents = shape
    groups, count = geometry.groups, len(geometry.kernel)
    places = geometry.places(tuple(extents))
    split = rows.reshape(groups, n, *places, channels // groups, *geometry.kernel)
    middle = tuple(range(2, 2 + count))
    last = tuple(range(3 + count, 3 + 2 * count))
    picked = split.transpose(1, 0, 2 + count, *middle, *last)
    picked = picked.reshape(n, channels, *places, *geometry.kernel)
    padded = party.ring.zeros(
        (n, channels, *(e + 2 * p for e, p in zip(extents, geometry.padding, strict=True)))
    )
    whole: tuple[Any, ...] = (slice(None), slice(None))
    for entry in product(*map(range, geometry.kernel)):
        steps = zip(entry, geometry.dilation, geometry.stride, places, strict=True)
        at = (*whole, *(slice(e * d, e * d + (p - 1) * s + 1, s) for e, d, s, p in steps))
        source: tuple[Any, ...] = (*whole, *[slice(None)] * count, *entry)
        padded[at] = party.ring.add(padded[at], picked[source])
    inside = (slice(p, p + e) for p, e in zip(geometry.padding, extents, strict=True))
    return padded[(*whole, *inside)]


# With communication.


def convolution(party: Party, x: Any, kernels: Any, geometry: Geometry, bits: int) -> Step[Any]:
    """Kernels laid on an array at every place, products summed.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing, (N, C, *extents)
    kernels : arithmetic sharing, (O, C / groups, *kernel)
    geometry : Geometry
    bits : int
        To truncate by: the fractional bits of one of the operands, 0 for integers.

    Returns
    -------
    arithmetic sharing, (N, O, *places)
        Error, and range of the sums: those of a matrix product.

    Notes
    -----
    Rounds and bytes of a matrix product with as many elements as the result.
    """
    places = geometry.places(x.shape[2:])
    rows = x.map(lambda share: window_rows(share, geometry))
    columns = kernels.map(lambda share: kernel_columns(share, geometry))
    result = yield from _matmul(party, rows, columns, bits)
    return result.map(lambda share: placed(share, x.shape[0], places, geometry))


def weight_gradient(party: Party, x: Any, slopes: Any, geometry: Geometry, bits: int) -> Step[Any]:
    """The gradient of a sum over a convolution's results, for its kernels.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing, (N, C, *extents)
        What was convolved.
    slopes : arithmetic sharing, (N, O, *places)
        The gradient for the result.
    geometry : Geometry
    bits : int

    Returns
    -------
    arithmetic sharing, (O, C / groups, *kernel)
        Bytes of its own size only, however long the sums over all places are.
    """
    rows = x.map(lambda share: np.swapaxes(window_rows(share, geometry), -1, -2))
    right = slopes.map(lambda share: _unplaced(share, geometry))
    result = yield from _matmul(party, rows, right, bits)
    shape = (slopes.shape[1], x.shape[1] // geometry.groups, *geometry.kernel)
    return result.map(lambda share: np.swapaxes(share, -1, -2).reshape(shape))


def input_gradient(
    party: Party, slopes: Any, kernels: Any, shape: Extents, geometry: Geometry, bits: int
) -> Step[Any]:
    """The gradient of a sum over a convolution's results, for its input of this shape.

    Parameters
    ----------
    party : Party
    slopes : arithmetic sharing, (N, O, *places)
    kernels : arithmetic sharing, (O, C / groups, *kernel)
    shape : (N, C, *extents)
    geometry : Geometry
    bits : int

    Returns
    -------
    arithmetic sharing, (N, C, *extents)
        Error: one unit for each window that covers a place. Bytes: N · places · C / groups · kernel
        elements a group, because sums over windows follow the truncation.
    """
    left = slopes.map(lambda share: _unplaced(share, geometry))
    right = kernels.map(lambda share: np.swapaxes(kernel_columns(share, geometry), -1, -2))
    rows = yield from _matmul(party, left, right, bits)
    return rows.map(lambda share: _folded(party, share, shape, geometry))


def max_pool(party: Party, x: Any, geometry: Geometry) -> Step[Any]:
    """The largest number under the kernel at every place, exact.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing, (N, C, *extents)
        Magnitudes below a quarter of the ring's half. Padding never wins.
    geometry : Geometry
        Padding of at most half the kernel, so that no window is padding alone; see
        :meth:`Geometry.places`.

    Returns
    -------
    arithmetic sharing, (N, C, *places)

    Notes
    -----
    Rounds: `largest_by_row` (11 for `replicated3` and a kernel of 2 x 2).
    """
    places = geometry.places(x.shape[2:])
    rows = prod(x.shape[:2]) * prod(places), prod(geometry.kernel)
    picked = x.map(lambda share: windows(share, geometry).reshape(rows))
    if any(geometry.padding):
        least = -(1 << (party.ring.bits - 3))
        outside = windows(np.zeros(x.shape, np.bool_), geometry, fill=True).reshape(rows)
        picked = party.add_public(
            picked,
            party.ring.multiply(
                party.ring.elements(outside.astype(np.int64)), party.ring.elements(least)
            ),
        )
    largest = yield from largest_by_row(party, picked)
    return largest.map(lambda share: share.reshape(*x.shape[:2], *places))


def _matmul(party: Party, x: Any, y: Any, bits: int) -> Step[Any]:
    if not bits:
        return (yield from party.matmul(x, y))
    return (yield from party.matmul_truncate(x, y, bits))


# Costs.


def _product_cost(
    costs: Costs, left: Sequence[int], right: Sequence[int], groups: int, bits: int
) -> Declaration:
    batch = () if groups == 1 else (groups,)
    shapes = (*batch, *left), (*batch, *right)
    return costs["matmul_truncate"](*shapes, bits) if bits else costs["matmul"](*shapes)


def _sizes(shape: Extents, outputs: int, geometry: Geometry) -> tuple[int, int, int]:
    """Rows of windows, numbers in a window, and kernels, for one group."""
    places = geometry.places(shape[2:])
    return (
        shape[0] * prod(places),
        shape[1] // geometry.groups * prod(geometry.kernel),
        outputs // geometry.groups,
    )


def convolution_cost(
    costs: Costs, shape: Extents, outputs: int, geometry: Geometry, bits: int = 18
) -> Declaration:
    """Of `convolution` of an array of this shape with so many kernels."""
    rows, inner, columns = _sizes(shape, outputs, geometry)
    return _product_cost(costs, (rows, inner), (inner, columns), geometry.groups, bits)


def weight_gradient_cost(
    costs: Costs, shape: Extents, outputs: int, geometry: Geometry, bits: int = 18
) -> Declaration:
    """Of `weight_gradient`."""
    rows, inner, columns = _sizes(shape, outputs, geometry)
    return _product_cost(costs, (inner, rows), (rows, columns), geometry.groups, bits)


def input_gradient_cost(
    costs: Costs, shape: Extents, outputs: int, geometry: Geometry, bits: int = 18
) -> Declaration:
    """Of `input_gradient`."""
    rows, inner, columns = _sizes(shape, outputs, geometry)
    return _product_cost(costs, (rows, columns), (columns, inner), geometry.groups, bits)


def max_pool_cost(costs: Costs, shape: Extents, geometry: Geometry) -> Declaration:
    """Of `max_pool`."""
    rows = prod(shape[:2]) * prod(geometry.places(shape[2:]))
    return largest_by_row_cost(costs, rows, prod(geometry.kernel))
