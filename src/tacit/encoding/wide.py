"""Z_2^128: for sums and products that 62 bits do not hold, and for protocols that need room."""

from __future__ import annotations

from math import prod
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.ring import Axis, Elements, Integers, Ring, integer_array, trailing_zeros
from tacit.kernels import wide

__all__ = ["RING128", "Ring128"]

_WORD: Final = 1 << 64


class Ring128(Ring):
    """Z_2^128: elements are pairs of words, and arithmetic is Rust's ``u128``.

    NumPy refuses arithmetic on the dtype, so nothing is ever added word by word by mistake.
    """

    __slots__ = ()

    bits: Final = 128  # type: ignore[misc]
    dtype: Final = wide.WIDE  # type: ignore[misc]
    kernels: Final = wide  # type: ignore[misc]
    most_fraction_bits: Final = 100  # type: ignore[misc]

    def elements(self, values: Integers) -> Elements:
        """Public integers as elements, negative ones as two's complement.

        An array of uint64 is refused: as an element of Z_2^64 it would have another sign.
        """
        if isinstance(values, np.ndarray) and values.dtype == self.dtype:
            return values
        array = integer_array(values)
        out = self.empty(array.shape)
        if array.dtype == np.uint64:
            raise TypeError("elements of Z_2^64 are no elements of Z_2^128; pass int64")
        if array.dtype == np.int64:
            out["low"] = array.view(np.uint64)
            out["high"] = (array >> 63).view(np.uint64)
            return out
        out["low"] = np.asarray(array % _WORD).astype(np.uint64)
        out["high"] = np.asarray(array // _WORD % _WORD).astype(np.uint64)
        return out

    def powers_of_two(self, count: int) -> Elements:
        """2^0, …, 2^(count-1), a vector."""
        return self.elements([1 << place for place in range(count)])

    def integers(self, elements: Elements) -> NDArray[Any]:
        """Elements as Python's integers, in an array of objects."""
        high = elements["high"].view(np.int64).astype(object)
        return np.asarray(high * _WORD + elements["low"].astype(object), object)

    def low_words(self, elements: Elements) -> NDArray[np.int64]:
        """Elements mod 2^64 as signed integers, a copy."""
        return np.array(elements["low"], order="C").view(np.int64)

    def trailing_zeros(self, elements: Elements) -> int:
        """The greatest k so that 2^k divides all elements; 128 where all are 0."""
        low, high = (int(np.bitwise_or.reduce(elements[w], axis=None)) for w in ("low", "high"))
        return trailing_zeros(high * _WORD + low, 128)

    def from_floats(self, values: NDArray[np.float64]) -> Elements:
        """Whole numbers below 2^127 in magnitude, exactly. C-contiguous."""
        flat = np.ascontiguousarray(values, np.float64).reshape(-1)
        out = self.empty(values.shape)
        wide.wide_from_floats(flat.view(np.uint64), wide.words(out))
        return out

    def to_floats(self, elements: Elements) -> NDArray[np.float64]:
        """Elements as signed numbers, rounded to the nearest float64."""
        out = np.empty(elements.shape, np.float64)
        flat = wide.words(np.ascontiguousarray(elements))
        wide.wide_to_floats(flat, out.reshape(-1).view(np.uint64))
        return out

    def add(self, a: Elements, b: Elements, out: Elements | None = None) -> Elements:
        """a + b."""
        return _combine("add", a, b, out)

    def subtract(self, a: Elements, b: Elements, out: Elements | None = None) -> Elements:
        """a - b."""
        return _combine("subtract", a, b, out)

    def negate(self, a: Elements) -> Elements:
        """-a."""
        return _combine("subtract", self.zeros(()), a, None)

    def multiply(self, a: Elements, b: Elements) -> Elements:
        """a · b, element by element."""
        return _combine("multiply", a, b, None)

    def matmul(
        self,
        a: Elements,
        b: Elements,
        out: Elements | None = None,
        accumulate: bool = False,
        threads: int = 1,
    ) -> Elements:
        """a @ b for arrays with at least two axes, batched with broadcasting; any strides."""
        return wide.matmul(a, b, out=out, accumulate=accumulate, threads=threads)

    def sum(self, a: Elements, axis: Axis = None, keepdims: bool = False) -> Elements:
        """The sum over axes."""
        places = range(a.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        axes = {place % a.ndim for place in places}
        kept = [place for place in range(a.ndim) if place not in axes]
        # Neighbouring axes are summed where they are; others are moved to the end.
        outer, inner = kept, []
        if axes and sorted(axes) == list(range(min(axes), max(axes) + 1)):
            outer = [place for place in kept if place < min(axes)]
            inner = kept[len(outer) :]
        order = [*outer, *sorted(axes), *inner]
        count, stride = (prod(a.shape[place] for place in part) for part in (axes, inner))
        out = self.empty(tuple(a.shape[place] for place in kept))
        flat = wide.words(np.ascontiguousarray(a.transpose(order)))
        wide.wide_sum(flat, count, stride, wide.words(out))
        if not keepdims:
            return out
        return out.reshape([1 if place in axes else size for place, size in enumerate(a.shape)])

    def cumulative_sum(self, a: Elements, axis: int) -> Elements:
        """Sums of the elements so far, along an axis."""
        out = np.array(a, order="C")
        axis %= a.ndim
        inner = prod(a.shape[axis + 1 :])
        wide.wide_cumulative_sum(wide.words(out), a.shape[axis], inner)
        return out

    def shift_left(self, a: Elements, bits: int) -> Elements:
        """a · 2^bits for 0 <= bits < 128."""
        out = self.empty(a.shape)
        wide.wide_shift_left(wide.words(np.ascontiguousarray(a)), bits, wide.words(out))
        return out

    def shift_right(self, a: Elements, bits: int, out: Elements | None = None) -> Elements:
        """floor(a / 2^bits), a read as a signed number, for 0 <= bits < 128."""
        result = self.empty(a.shape)
        wide.wide_shift_right(wide.words(np.ascontiguousarray(a)), bits, wide.words(result))
        return result if out is None else _written(result, out)


def _combine(name: Any, a: Elements, b: Elements, out: Elements | None) -> Elements:
    if a.shape == b.shape:
        shape = a.shape
    else:
        shape = np.broadcast_shapes(a.shape, b.shape)
        a, b = (x if x.size == 1 else np.broadcast_to(x, shape) for x in (a, b))
    result = np.empty(shape, wide.WIDE)
    wide.wide_combine(
        name,
        wide.words(np.ascontiguousarray(a)),
        wide.words(np.ascontiguousarray(b)),
        wide.words(result),
    )
    return result if out is None else _written(result, out)


def _written(result: Elements, out: Elements) -> Elements:
    out[...] = result
    return out


RING128: Final = Ring128()
"""The ring of sessions with ``ring=128``."""
