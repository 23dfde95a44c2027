"""Polynomials, interpolation and piecewise functions; what defines them is public."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from tacit.arrays.array import SecretArray, applied

__all__ = [
    "interp",
    "piecewise",
    "polyval",
]


def polyval(p: ArrayLike, x: SecretArray, /) -> SecretArray:
    """The polynomial with public coefficients p, the highest power first, at secret x.

    Integers stay integers if all coefficients are.
    """
    return applied("polyval", x, coefficients=tuple(np.ravel(np.asarray(p)).tolist()))


def interp(
    x: SecretArray,
    xp: ArrayLike,
    fp: ArrayLike,
    /,
    left: float | None = None,
    right: float | None = None,
) -> SecretArray:
    """Linear interpolation between public points, constant beyond them.

    xp increases; `left` and `right` are fp's ends by default. One comparison an element and
    point.
    """
    return applied("interp", x, xp=_reals(xp), fp=_reals(fp), left=_real(left), right=_real(right))


def piecewise(
    x: SecretArray, breakpoints: ArrayLike, pieces: Sequence[ArrayLike], /
) -> SecretArray:
    """A piecewise polynomial: piece i from breakpoint i - 1 on, up to breakpoint i.

    Coefficients have the highest power first, as for :func:`polyval`. There is one piece more
    than there are breakpoints; the first and the last are constants, so that numbers beyond the
    breakpoints have a right value too.
    """
    return applied(
        "piecewise", x, breakpoints=_reals(breakpoints), pieces=tuple(map(_reals, pieces))
    )


def _reals(values: ArrayLike) -> tuple[float, ...]:
    return tuple(float(v) for v in np.ravel(np.asarray(values, np.float64)))


def _real(value: float | None) -> float | None:
    return None if value is None else float(value)
