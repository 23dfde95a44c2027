"""Polynomials and piecewise polynomials that the caller gives, with public coefficients.

`polyval` takes any x whose powers fit. A piecewise function goes through ``piecewise.py``: all
breakpoints are compared at once and no piece is selected by a product. Its first and last piece
are constants, so that it has a right value for every number, however large.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import frexp, isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.errors import RangeError
from tacit.functions.approximation import PiecewisePolynomial
from tacit.functions.costs import NOTHING, Costs, in_sequence
from tacit.functions.piecewise import SUM_BITS, power_scales
from tacit.functions.polynomials import powers, powers_cost, uniform_scales
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = [
    "MOST_DEGREE",
    "interpolation_table",
    "polyval",
    "polyval_cost",
    "public_table",
]

MOST_DEGREE = 8
"""Of a piece."""

_ROOM = 61


def polyval(
    party: Party, x: Any, coefficients: NDArray[Any], coefficient_bits: int, fraction_bits: int
) -> Step[Any]:
    """Σ c_k x^k for public coefficients.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        Any shape, f = `fraction_bits` fractional bits (0 for integers).
    coefficients : ndarray, (d + 1,)
        Ring integers c_0 … c_d with g = `coefficient_bits` fractional bits.
    coefficient_bits, fraction_bits : int

    Returns
    -------
    arithmetic sharing
        f fractional bits. Exact in the ring for integers. Else all powers of x below
        2^(62 - 2f), the sum below 2^(62 - f - g); for M = max(1, |x|) the error is at most 1
        unit in the last place, Σ |c_k| (k - 1) M^(k - 1) units, and Σ |x|^k 2^-(g + 1) from the
        rounded coefficients.

    Notes
    -----
    Rounds: ceil(log2 d) products and a truncation. Bytes: d - 1 products and a truncation.
    """
    degree = len(coefficients) - 1
    constant = int(coefficients[0]) << fraction_bits
    total: Any = None
    if degree:
        power = yield from powers(party, x, uniform_scales(fraction_bits, degree), degree)
        for exponent in range(1, degree + 1):
            term = party.multiply_public(power[exponent].share, int(coefficients[exponent]))
            total = term if total is None else party.add(total, term)
    else:
        total = party.multiply_public(x, 0)
    total = party.add_public(total, constant)
    if coefficient_bits:
        total = yield from party.truncate(total, coefficient_bits)
    return total


def polyval_cost(
    costs: Costs, size: int, degree: int, coefficient_bits: int, fraction_bits: int = 18
) -> Declaration:
    """Of `polyval`."""
    return in_sequence(
        powers_cost(costs, size, uniform_scales(fraction_bits, degree), degree)
        if degree
        else NOTHING,
        costs["truncate"](size, coefficient_bits) if coefficient_bits else NOTHING,
    )


def public_table(
    name: str,
    breakpoints: Sequence[float],
    pieces: Sequence[Sequence[float]],
    fraction_bits: int,
) -> PiecewisePolynomial:
    """A caller's piecewise polynomial, ready for `piecewise`.

    Parameters
    ----------
    name : str
        Of the operation, for errors.
    breakpoints : sequence of float, (n,)
        Strictly increasing.
    pieces : sequence of sequence of float, (n + 1)
        c_0, c_1, … of powers of x; the first and the last piece have c_0 alone.
    fraction_bits : int

    Returns
    -------
    PiecewisePolynomial
        Evaluated with an error of 2 units in the last place and Σ 2k |c_k| (2^r)^k 2^-26 with 2^r
        the power of two that is at least 0.8 times the largest breakpoint's magnitude.

    Raises
    ------
    RangeError
        Breakpoints that do not increase (TC-1344), pieces that do not fit them (TC-1345), or
        values too large for the sum (TC-1346).
    """
    _require_increasing(name, breakpoints)
    fits = len(pieces) == len(breakpoints) + 1 and all(pieces)
    if fits:
        degree = max(map(len, pieces)) - 1
        fits = len(pieces[0]) == len(pieces[-1]) == 1 and degree <= MOST_DEGREE
    if not fits:
        raise RangeError(
            f"{name}: {len(breakpoints)} breakpoints need {len(breakpoints) + 1} pieces of degree"
            f" up to {MOST_DEGREE}, the first and the last of them constants.",
            next_step="add breakpoints where the data ends, and a constant beyond each.",
            case=45,
            stage=name,
        )
    range_bits = max(frexp(0.8 * max(map(abs, breakpoints)))[1], 0)
    scaled = tuple(
        tuple(float(c) * 2.0 ** (k * range_bits) for k, c in enumerate(piece)) for piece in pieces
    )
    _require_room(name, scaled, fraction_bits, range_bits, degree)
    # A constant alone is evaluated as a polynomial of degree 1.
    padded = tuple(piece if degree else (*piece, 0.0) for piece in scaled)
    return PiecewisePolynomial(tuple(map(float, breakpoints)), padded, range_bits, error=0.0)


def _require_room(
    name: str,
    pieces: Sequence[Sequence[float]],
    fraction_bits: int,
    range_bits: int,
    degree: int,
) -> None:
    """Sums of |c_k| 1.25^k, and integers that stand for coefficients, fit the ring."""
    scales = power_scales(fraction_bits + range_bits, max(degree, 1))
    total = fraction_bits + SUM_BITS
    for piece in pieces:
        room = all(map(isfinite, piece))
        for k, coefficient in enumerate(piece):
            scale = total - scales[k] if k else fraction_bits
            room = room and scale >= 0 and abs(coefficient) * 2.0**scale < 2.0**_ROOM
        varying = sum(abs(c) * 1.25**k for k, c in enumerate(piece) if k)
        if not (room and varying * 2.0**total < 2.0**_ROOM):
            raise RangeError(
                f"{name}: a piece is too large, or its range too wide, for"
                f" {fraction_bits} fractional bits.",
                next_step=f"keep what varies in a piece below {2.0 ** (_ROOM - total):g}"
                " and breakpoints small: scale x or the result.",
                case=46,
                stage=name,
            )


def interpolation_table(
    xp: Sequence[float],
    fp: Sequence[float],
    left: float | None,
    right: float | None,
    fraction_bits: int,
) -> PiecewisePolynomial:
    """Linear between public points (xp, fp), constant outside: NumPy's ``interp``."""
    _require_increasing("interp", xp)
    with np.errstate(all="ignore"):  # what is not finite is refused below
        slopes = np.diff(fp) / np.diff(xp)
        lines = [(float(y - s * x), float(s)) for x, y, s in zip(xp, fp, slopes, strict=False)]
    first, last = fp[0] if left is None else left, fp[-1] if right is None else right
    return public_table("interp", xp, [(first,), *lines, (last,)], fraction_bits)


def _require_increasing(name: str, breakpoints: Sequence[float]) -> None:
    finite = bool(breakpoints) and all(map(isfinite, breakpoints))
    if not finite or (np.diff(breakpoints) <= 0).any():
        raise RangeError(
            f"{name}: the breakpoints are not finite numbers in increasing order.",
            next_step="give at least one, each larger than the one before.",
            case=44,
            stage=name,
        )
