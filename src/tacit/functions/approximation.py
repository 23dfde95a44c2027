"""The data types of the coefficient tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ExpPolynomial",
    "OddPolynomial",
    "PiecewisePolynomial",
    "Polynomial",
    "ReciprocalQuadratic",
    "scaled_integer",
]


def scaled_integer(value: float, scale: int) -> int:
    """The ring integer nearest to value · 2^scale."""
    return round(value * 2.0**scale)


@dataclass(frozen=True, slots=True)
class PiecewisePolynomial:
    """A public piecewise polynomial, as the coefficient tables hold it.

    Attributes
    ----------
    breakpoints : tuple of float
        t_1 < … < t_n; piece i covers [t_i, t_{i+1}).
    pieces : tuple of tuple of float
        n + 1 rows of coefficients c_0, c_1, … of powers of u = x / 2^range_bits.
    range_bits : int
        Pieces that are not constant lie within |u| <= 1.25.
    error : float
        Largest absolute error in exact arithmetic.
    """

    breakpoints: tuple[float, ...]
    pieces: tuple[tuple[float, ...], ...]
    range_bits: int
    error: float

    @property
    def degree(self) -> int:
        """The highest power."""
        return max(map(len, self.pieces)) - 1

    def weights(self, scales: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Integers W, (degree + 1, n), and c, (degree + 1,), with C = W b + c.

        `scales` gives the scale of each coefficient. Rounding happens before differences are
        taken, so constant pieces give exact zeros.
        """
        return _piece_weights(self.pieces, tuple(scales))


@lru_cache(maxsize=64)
def _piece_weights(
    pieces: tuple[tuple[float, ...], ...], scales: tuple[int, ...]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    degree = max(map(len, pieces)) - 1
    table = np.zeros((len(pieces), degree + 1), np.int64)
    for row, piece in enumerate(pieces):
        for power, coefficient in enumerate(piece):
            table[row, power] = scaled_integer(coefficient, scales[power])
    weights, constants = np.ascontiguousarray((table[:-1] - table[1:]).T), table[-1]
    weights.flags.writeable = constants.flags.writeable = False
    return weights, constants


@dataclass(frozen=True, slots=True)
class Polynomial:
    """A public polynomial, in v = 4x - 3 for x in [1/2, 1] unless its table says otherwise.

    Attributes
    ----------
    coefficients : tuple of float
        c_0, c_1, …
    error : float
        Largest error in exact arithmetic; relative to what the table says.
    """

    coefficients: tuple[float, ...]
    error: float


@dataclass(frozen=True, slots=True)
class OddPolynomial:
    """c_1 u + c_3 u^3 + c_5 u^5 + c_7 u^7 for |u| <= 1.

    Attributes
    ----------
    coefficients : tuple of float
        c_1, c_3, c_5, c_7; the last two are multiples of 2^-16.
    error : float
        Largest absolute error in exact arithmetic.
    """

    coefficients: tuple[float, float, float, float]
    error: float


@dataclass(frozen=True, slots=True)
class ReciprocalQuadratic:
    """slope (x - vertex)^2 + intercept for 1 / x, x in [1/2, 1].

    Attributes
    ----------
    slope : float
        A multiple of 1/32.
    vertex, intercept : float
    error : float
        Largest relative error in exact arithmetic.
    """

    slope: float
    vertex: float
    intercept: float
    error: float


@dataclass(frozen=True, slots=True)
class ExpPolynomial:
    """exp(s) as a polynomial of degree 8 with three products, in t = s / 2.

    With y = t^2 and q = y (y + a t + b): exp(s) = q (d_3 q + d_2 y + d_1 t + d_0) + e_2 y +
    e_1 t + e_0.

    Attributes
    ----------
    inner : (a, b)
        Multiples of 1/4.
    outer : (d_3, d_2, d_1, d_0)
        The first three are multiples of 2^-16.
    rest : (e_2, e_1, e_0)
    reach : float
        |s| <= reach.
    error : float
        Largest relative error in exact arithmetic.
    """

    inner: tuple[float, float]
    outer: tuple[float, float, float, float]
    rest: tuple[float, float, float]
    reach: float
    error: float
