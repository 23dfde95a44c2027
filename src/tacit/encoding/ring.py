"""The ring that shares are elements of: Z_2^k, its NumPy form and its local arithmetic.

A party carries its ring (``party.ring``), and protocols and functions do all arithmetic on
elements through it: the same text then runs over every ring. An array of elements has the
dtype ``ring.dtype``; indexing, reshaping, transposing, broadcasting, joining and ``np.take``
are NumPy's own on it. Arithmetic is not: it goes through the methods here.

Loops that fuse several steps with pseudorandom streams are in ``ring.kernels``, a module with
the names of :mod:`tacit.kernels.reference`.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence
from types import ModuleType
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tacit import kernels

__all__ = ["RING64", "Axis", "Elements", "Integers", "Ring", "Ring64"]

Elements: TypeAlias = NDArray[Any]
"""An array of ring elements: its dtype is the ring's."""

Integers: TypeAlias = NDArray[Any] | Sequence[int] | int
"""Public integers: an array of integers or booleans, Python's integers of any size."""

Axis: TypeAlias = int | tuple[int, ...] | None


class Ring(abc.ABC):
    """Z_2^bits, elements read as two's complement where signs matter.

    Attributes
    ----------
    bits : int
        Elements are integers mod 2^bits.
    dtype : numpy.dtype
        Of arrays of elements.
    kernels : module
        The fused loops over elements of this ring.
    most_fraction_bits : int
        The finest fixed point that leaves room for numbers and their products.

    Notes
    -----
    Frozen: there is one object a ring. Binary operations broadcast; an operand that is given as
    `out` may be one of the inputs.
    """

    __slots__ = ()

    bits: int
    dtype: np.dtype[Any]
    kernels: ModuleType
    most_fraction_bits: int

    def __repr__(self) -> str:
        return f"Ring(2^{self.bits})"

    @property
    def element_bytes(self) -> int:
        """Bytes of one element, in memory and on the wire."""
        return self.bits // 8

    @property
    def top_bit(self) -> int:
        """The place of the sign: the highest bit."""
        return self.bits - 1

    @property
    def magnitude_bits(self) -> int:
        """What is truncated lies in [-2^magnitude_bits, 2^magnitude_bits): it never wraps."""
        return self.bits - 2

    # Making arrays.

    def empty(self, shape: int | tuple[int, ...]) -> Elements:
        """An array whose elements are yet to be written."""
        return np.empty(shape, self.dtype)

    def zeros(self, shape: int | tuple[int, ...]) -> Elements:
        """An array of zeros."""
        return np.zeros(shape, self.dtype)

    @abc.abstractmethod
    def elements(self, values: Integers) -> Elements:
        """Public integers as elements, in the shape of `values`; elements are left as they are.

        Raises
        ------
        TypeError
            Values that are no integers.
        """

    @abc.abstractmethod
    def powers_of_two(self, count: int) -> Elements:
        """2^0, …, 2^(count-1), a vector."""

    @abc.abstractmethod
    def integers(self, elements: Elements) -> NDArray[Any]:
        """Elements as signed integers: int64 where they all fit by type, else Python's."""

    @abc.abstractmethod
    def low_words(self, elements: Elements) -> NDArray[np.int64]:
        """Elements mod 2^64 as signed integers, a copy."""

    @abc.abstractmethod
    def trailing_zeros(self, elements: Elements) -> int:
        """The greatest k so that 2^k divides all elements; `bits` where all are 0."""

    @abc.abstractmethod
    def from_floats(self, values: NDArray[np.float64]) -> Elements:
        """Whole numbers below 2^(bits-1) in magnitude, exactly. C-contiguous."""

    @abc.abstractmethod
    def to_floats(self, elements: Elements) -> NDArray[np.float64]:
        """Elements as signed numbers, rounded to the nearest float64."""

    # Arithmetic.

    @abc.abstractmethod
    def add(self, a: Elements, b: Elements, out: Elements | None = None) -> Elements:
        """a + b."""

    @abc.abstractmethod
    def subtract(self, a: Elements, b: Elements, out: Elements | None = None) -> Elements:
        """a - b."""

    @abc.abstractmethod
    def negate(self, a: Elements) -> Elements:
        """-a."""

    @abc.abstractmethod
    def multiply(self, a: Elements, b: Elements) -> Elements:
        """a · b, element by element."""

    @abc.abstractmethod
    def matmul(
        self,
        a: Elements,
        b: Elements,
        out: Elements | None = None,
        accumulate: bool = False,
        threads: int = 1,
    ) -> Elements:
        """a @ b for arrays with at least two axes, batched with broadcasting; any strides.

        Large products are spread over up to `threads` threads.
        """

    def linear_combination(
        self, terms: Sequence[Elements], factors: Sequence[int], constant: int = 0
    ) -> Elements:
        """Σ factor · term + constant over terms of one shape, at least one; a new array."""
        total = np.broadcast_to(self.elements(constant), terms[0].shape)
        for term, factor in zip(terms, factors, strict=True):
            total = self.add(total, self.multiply(term, self.elements(factor)))
        return total

    def cross_terms(
        self, pairs: Sequence[tuple[Elements, Elements, Elements, Elements]], addend: Elements
    ) -> Elements:
        """addend + Σ (x_own y_own + x_own y_next + x_next y_own); C-contiguous vectors."""
        term = np.empty_like(addend)
        for pair in pairs:
            self.kernels.cross_terms(*pair, term)
            addend = self.add(addend, term)
        return addend

    @abc.abstractmethod
    def sum(self, a: Elements, axis: Axis = None, keepdims: bool = False) -> Elements:
        """The sum over axes."""

    @abc.abstractmethod
    def cumulative_sum(self, a: Elements, axis: int) -> Elements:
        """Sums of the elements so far, along an axis."""

    @abc.abstractmethod
    def shift_left(self, a: Elements, bits: int) -> Elements:
        """a · 2^bits for 0 <= bits < self.bits."""

    @abc.abstractmethod
    def shift_right(self, a: Elements, bits: int, out: Elements | None = None) -> Elements:
        """floor(a / 2^bits), a read as a signed number, for 0 <= bits < self.bits."""


def integer_array(values: Integers) -> NDArray[Any]:
    """Public integers as an array of int64, uint64 or Python's integers, of their shape."""
    # NumPy would make floats or uint64 of large Python integers.
    given = isinstance(values, np.ndarray | np.generic)
    array = np.asarray(values) if given else np.array(values, object)
    if array.dtype.kind in "ib":
        return array.astype(np.int64, copy=False)
    if array.dtype.kind == "u":
        return array if array.dtype == np.uint64 else array.astype(np.int64)
    if array.dtype.kind == "O" and all(isinstance(v, int | np.integer) for v in array.flat):
        return array
    raise TypeError(f"ring elements are integers, not {array.dtype}")


def trailing_zeros(number: int, bits: int) -> int:
    """The places of zeros below the lowest one of a number; `bits` for 0."""
    return (number & -number).bit_length() - 1 if number else bits


class Ring64(Ring):
    """Z_2^64: elements are uint64, and arithmetic is the processor's."""

    __slots__ = ()

    bits: Final = 64  # type: ignore[misc]
    dtype: Final = np.dtype(np.uint64)  # type: ignore[misc]
    kernels: Final = kernels  # type: ignore[misc]
    most_fraction_bits: Final = 40  # type: ignore[misc]

    def elements(self, values: Integers) -> Elements:
        """Public integers as elements; Python's integers and int64 wrap as two's complement."""
        if isinstance(values, int):
            return np.array(values % (1 << 64), np.uint64)
        array = integer_array(values)
        if array.dtype == np.uint64:
            return array
        if array.dtype == np.int64:
            return array.view(np.uint64)
        return np.asarray(array % (1 << 64)).astype(np.uint64)

    def powers_of_two(self, count: int) -> Elements:
        """2^0, …, 2^(count-1), a vector."""
        powers: Elements = np.uint64(1) << np.arange(count, dtype=np.uint64)
        return powers

    def integers(self, elements: Elements) -> NDArray[Any]:
        """Elements as int64."""
        return elements.view(np.int64)

    def low_words(self, elements: Elements) -> NDArray[np.int64]:
        """Elements as signed integers, a copy."""
        return elements.view(np.int64).copy()

    def trailing_zeros(self, elements: Elements) -> int:
        """The greatest k so that 2^k divides all elements; 64 where all are 0."""
        return trailing_zeros(int(np.bitwise_or.reduce(elements, axis=None)), 64)

    def from_floats(self, values: NDArray[np.float64]) -> Elements:
        """Whole numbers below 2^63 in magnitude, exactly. C-contiguous."""
        return np.asarray(values.astype(np.int64), order="C").view(np.uint64)

    def to_floats(self, elements: Elements) -> NDArray[np.float64]:
        """Elements as signed numbers, rounded to the nearest float64."""
        return elements.view(np.int64).astype(np.float64)

    def add(self, a: Elements, b: Elements, out: Elements | None = None) -> Elements:
        """a + b."""
        return _apply(np.add, a, b, out)

    def subtract(self, a: Elements, b: Elements, out: Elements | None = None) -> Elements:
        """a - b."""
        return _apply(np.subtract, a, b, out)

    def negate(self, a: Elements) -> Elements:
        """-a."""
        return _apply(np.subtract, _ZERO, a, None)

    def multiply(self, a: Elements, b: Elements) -> Elements:
        """a · b, element by element."""
        return _apply(np.multiply, a, b, None)

    def matmul(
        self,
        a: Elements,
        b: Elements,
        out: Elements | None = None,
        accumulate: bool = False,
        threads: int = 1,
    ) -> Elements:
        """a @ b for arrays with at least two axes, batched with broadcasting; any strides."""
        return kernels.matmul(a, b, out=out, accumulate=accumulate, threads=threads)

    def linear_combination(
        self, terms: Sequence[Elements], factors: Sequence[int], constant: int = 0
    ) -> Elements:
        """Σ factor · term + constant over terms of one shape, at least one, in one pass.

        Matrices whose columns lie in one piece are combined, and give a result, in that order.
        """
        if all(_by_columns(term) for term in terms):
            return self.linear_combination([term.T for term in terms], factors, constant).T
        out = np.empty(terms[0].shape, np.uint64)
        kernels.linear_combination(
            [np.ascontiguousarray(term).reshape(-1) for term in terms],
            [factor & _WORD for factor in factors],
            constant & _WORD,
            out.reshape(-1),
        )
        return out

    def cross_terms(
        self, pairs: Sequence[tuple[Elements, Elements, Elements, Elements]], addend: Elements
    ) -> Elements:
        """addend + Σ (x_own y_own + x_own y_next + x_next y_own); C-contiguous vectors."""
        total = addend.copy()
        for pair in pairs:
            kernels.cross_terms(*pair, total, accumulate=True)
        return total

    def sum(self, a: Elements, axis: Axis = None, keepdims: bool = False) -> Elements:
        """The sum over axes."""
        return np.asarray(a.sum(axis=axis, keepdims=keepdims, dtype=np.uint64))

    def cumulative_sum(self, a: Elements, axis: int) -> Elements:
        """Sums of the elements so far, along an axis."""
        return np.cumsum(a, axis=axis, dtype=np.uint64)

    def shift_left(self, a: Elements, bits: int) -> Elements:
        """a · 2^bits for 0 <= bits < 64."""
        return np.asarray(a << np.uint64(bits))

    def shift_right(self, a: Elements, bits: int, out: Elements | None = None) -> Elements:
        """floor(a / 2^bits), a read as a signed number, for 0 <= bits < 64."""
        signed = None if out is None else out.view(np.int64)
        return np.asarray(np.right_shift(a.view(np.int64), bits, out=signed)).view(np.uint64)


def _by_columns(a: Elements) -> bool:
    """Whether a matrix is the transpose of one whose rows lie in one piece."""
    return a.ndim == 2 and a.shape[0] > 1 and a.strides[0] == a.itemsize != a.strides[1]


_ZERO: Final = np.zeros((), np.uint64)
_WORD: Final = (1 << 64) - 1


def _apply(operation: np.ufunc, a: Elements, b: Elements, out: Elements | None) -> Elements:
    """An operation mod 2^64 that gives an array, and no warning, even for arrays without axes."""
    if out is None:
        if a.ndim or b.ndim:
            result: Elements = operation(a, b)
            return result
        out = np.empty((), np.uint64)
    operation(a, b, out=out)
    return out


RING64: Final = Ring64()
"""The ring of all sessions unless another is asked for."""
