"""Fit the tables of further functions and write ``elementary_coefficients.py``.

Run ``python scripts/fit_elementary.py`` after changing anything here; ``--check`` only compares.
The method is that of ``fit_functions.py``: minimax by linear programs on Chebyshev nodes,
coefficients that meet secret powers at few bits rounded first.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from fit_functions import (
    NODES,
    Reals,
    log_weight,
    minimax,
    nodes,
    power_fit,
    rounded_minimax,
)
from scipy.optimize import brentq
from scipy.special import erf

TABLE = Path(__file__).resolve().parent.parent / "src/tacit/functions/elementary_coefficients.py"
ONE = np.ones(NODES)


def row(values: list[float] | Reals, indent: str = "    ") -> str:
    """A tuple, one number a line, as the formatter wants it."""
    return "(\n" + "".join(f"{indent}    {float(v)!r},\n" for v in values) + f"{indent})"


def polynomial(name: str, kind: str, values: list[float] | Reals, error: float) -> str:
    """The definition of a table of one polynomial."""
    return f"{name} = {kind}(\n    {row(values)},\n    error={up(error)},\n)"


def up(error: float) -> str:
    """An error stated a little larger than between nodes."""
    return repr(float(f"{error * 1.01:.2e}"))


# Odd polynomials of degree 7 on [-1, 1].


def odd_fit(f: Callable[[Reals], Reals]) -> tuple[list[float], float]:
    """c_1, c_3, c_5, c_7; the last two are multiples of 2^-16. Absolute error."""
    u = nodes(0.0, 1.0)
    columns = {str(k): u**k for k in (1, 3, 5, 7)}
    found, error = rounded_minimax(columns, f(u), ONE, {"7": 16, "5": 16})
    values = sum((found[k] * u ** int(k) for k in columns), np.zeros(NODES))
    return [found[k] for k in columns], max(error, float(np.abs(values - f(u)).max()))


# Polynomials near 0 whose linear term is exactly x, relative error.


def near_zero_fit(f: Callable[[Reals], Reals], powers: list[int]) -> tuple[list[float], float]:
    """c_0 = c_1 = 0 and the others, for f(x) - x on [-1, 1]; error relative to f(x)."""
    x = nodes(-1.0, 1.0)
    values = np.stack([x**k for k in powers], axis=1)
    found, error = minimax(values, f(x) - x, np.abs(f(x)))
    coefficients = [0.0] * (max(powers) + 1)
    for power, coefficient in zip(powers, found, strict=True):
        coefficients[power] = float(coefficient)
    return coefficients, error


def acos_fit(degree: int) -> tuple[Reals, float]:
    """acos(a) / sqrt(1 - a) on [0, 1], absolute error of the product."""
    a = nodes(0.0, 1.0 - 1e-12)
    root = np.sqrt(1 - a)
    return minimax(np.stack([a**k * root for k in range(degree + 1)], axis=1), np.arccos(a), ONE)


# Functions with tails: constant or linear outside, three pieces inside.


@dataclass(frozen=True)
class Tailed:
    """Half of a function with tails: the pieces to the right of 0.

    Attributes
    ----------
    ends : list of float
        Where the centre and the outer pieces end.
    centre : ndarray
        Coefficients of some exponents of x / scale, besides slope x.
    outer : list of ndarray
        Coefficients of all powers of x / scale.
    error : float
        The same everywhere.
    """

    ends: list[float]
    centre: Reals
    outer: list[Reals]
    error: float


def tailed_fit(
    f: Callable[[Reals], Reals],
    tail: Callable[[float], float],
    exponents: list[int],
    slope: float,
    degree: int,
    scale: float,
    reach: tuple[float, float],
    pieces: int = 1,
) -> Tailed:
    """As many outer pieces as asked for; `tail` is the error beyond an end within `reach`."""

    def centre(high: float) -> tuple[Reals, float]:
        x = nodes(0.0, high)
        columns = np.stack([(x / scale) ** k for k in exponents], axis=1)
        return minimax(columns, f(x) - slope * x, ONE)

    def outer(low: float, high: float) -> tuple[Reals, float]:
        x = nodes(low, high)
        return minimax(np.stack([(x / scale) ** k for k in range(degree + 1)], axis=1), f(x), ONE)

    def ends(error: float) -> list[float]:
        last = float(brentq(lambda high: tail(high) - error, *reach, xtol=1e-10))
        found = [float(brentq(lambda high: centre(high)[1] - error, 0.5, last, xtol=1e-7))]
        for _ in range(pieces - 1):
            low = found[-1]
            found.append(
                float(brentq(lambda high, low=low: outer(low, high)[1] - error, low + 0.3, 20.0))
            )
        return [*found, last]

    def excess(logarithm: float) -> float:
        error = float(np.exp(logarithm))
        return outer(*ends(error)[-2:])[1] - error

    error = float(np.exp(brentq(excess, np.log(5e-5), np.log(3e-4), xtol=1e-6)))
    found = ends(error)
    return Tailed(found, centre(found[0])[0], [outer(*e)[0] for e in pairwise(found)], error)


def softplus(x: Reals | float) -> Reals:
    """log(1 + e^x)."""
    return np.asarray(np.logaddexp(0.0, x))


def silu(x: Reals | float) -> Reals:
    """x / (1 + e^-x)."""
    x = np.asarray(x)
    return np.asarray(x / (1 + np.exp(-x)))


def gelu(x: Reals | float) -> Reals:
    """x times the normal distribution function."""
    x = np.asarray(x)
    return np.asarray(x * (1 + erf(x / np.sqrt(2))) / 2)


def tailed_table(
    name: str,
    meaning: str,
    fit: Tailed,
    exponents: list[int],
    slope: float,
    range_bits: int,
) -> str:
    """A table of all pieces. The mirror of f(x) is -f(-x) if odd, else x + f(-x)."""
    middle = [0.0] * (max(exponents) + 1)
    for power, coefficient in zip(exponents, fit.centre, strict=True):
        middle[power] = float(coefficient)
    odd = slope == 0.0
    sign = -1.0 if odd else 1.0
    mirrored = [[float(sign * c) * (-1.0) ** k for k, c in enumerate(p)] for p in fit.outer]
    if not odd:
        middle[1] = slope * 2.0**range_bits
        for piece in mirrored:
            piece[1] += 2.0**range_bits
    tails = ("(-1.0,)", "(1.0,)") if odd else ("(0.0,)", "(0.0,)")
    rows = [*reversed(mirrored), middle, *fit.outer]
    inner = "".join(f"        {row(piece, ' ' * 8)},\n" for piece in rows)
    breakpoints = [*(-end for end in reversed(fit.ends)), *fit.ends]
    return f'''
{name} = PiecewisePolynomial(
    breakpoints={row(breakpoints)},
    pieces=(
        {tails[0]},
{inner}        {tails[1]},
    ),
    range_bits={range_bits},
    error={up(fit.error)},
)
"""{meaning}"""
'''


def elu_table() -> str:
    """e^x - 1 in two pieces below 0, -1 below that, 0 above."""
    degree = 5

    def piece(low: float, high: float) -> tuple[Reals, float]:
        x = nodes(low, high)
        columns = np.stack([(x / 8) ** k for k in range(degree + 1)], axis=1)
        return minimax(columns, np.expm1(x), ONE)

    def near(low: float) -> tuple[Reals, float]:
        x = nodes(low, 0.0)
        columns = np.stack([(x / 8) ** k for k in range(1, degree + 1)], axis=1)
        return minimax(columns, np.expm1(x), ONE)

    def middle(error: float) -> float:
        return float(brentq(lambda low: near(low)[1] - error, -6.0, -0.5, xtol=1e-7))

    def excess(logarithm: float) -> float:
        error = float(np.exp(logarithm))
        return piece(-np.log(1 / error), middle(error))[1] - error

    error = float(np.exp(brentq(excess, np.log(1e-5), np.log(1e-3), xtol=1e-6)))
    low, high = float(np.log(error)), middle(error)
    return f'''
ELU = PiecewisePolynomial(
    breakpoints=({low!r}, {high!r}, 0.0),
    pieces=(
        (-1.0,),
        {row(piece(low, high)[0], " " * 8)},
        {row([0.0, *near(high)[0]], " " * 8)},
        (0.0,),
    ),
    range_bits=3,
    error={up(error)},
)
"""min(e^x - 1, 0), in u = x / 8."""
'''


def table() -> str:
    """The text of ``elementary_coefficients.py``."""
    restricted = {6: 18, 5: 18, 4: 18}
    log2, log2_error = power_fit(np.log2, log_weight, 6, restricted)
    log10, log10_error = power_fit(np.log10, log_weight, 6, restricted)
    sine, sine_error = odd_fit(lambda u: np.sin(np.pi / 2 * u))
    atan, atan_error = odd_fit(np.arctan)
    acos, acos_error = acos_fit(4)
    expm1, expm1_error = near_zero_fit(np.expm1, [2, 3, 4, 5, 6])
    sinh, sinh_error = near_zero_fit(np.sinh, [3, 5])
    erf_fit = tailed_fit(erf, lambda t: 1 - float(erf(t)), [1, 3, 5], 0.0, 4, 2, (1.5, 4.0))
    even = [0, 2, 4, 6]
    softplus_fit = tailed_fit(softplus, lambda t: float(softplus(-t)), even, 0.5, 5, 8, (3.0, 14.0))
    silu_fit = tailed_fit(
        silu, lambda t: -float(silu(-t)), even[:3], 0.5, 5, 8, (4.0, 18.0), pieces=2
    )
    gelu_fit = tailed_fit(gelu, lambda t: -float(gelu(-t)), even, 0.5, 5, 4, (2.0, 6.0))
    return f'''"""Coefficients, written by ``scripts/fit_elementary.py``; not to be edited."""

from __future__ import annotations

from tacit.functions.approximation import OddPolynomial, PiecewisePolynomial, Polynomial

__all__ = [
    "ACOS",
    "ATAN",
    "ELU",
    "ERF",
    "EXPM1",
    "GELU",
    "LOG2",
    "LOG10",
    "SILU",
    "SINE",
    "SINH",
    "SOFTPLUS",
]

{polynomial("LOG2", "Polynomial", log2, log2_error)}
"""log2 x on [1/2, 1] in v = 4x - 3; error relative to max(5e-3, min(-log x, log 2x))."""

{polynomial("LOG10", "Polynomial", log10, log10_error)}
"""log10 x on [1/2, 1] in v = 4x - 3; error relative to max(5e-3, min(-log x, log 2x))."""

{polynomial("EXPM1", "Polynomial", expm1, expm1_error)}
"""e^x - 1 - x on [-1, 1] in x; error relative to e^x - 1."""

{polynomial("SINH", "Polynomial", sinh, sinh_error)}
"""sinh x - x on [-1, 1] in x; error relative to sinh x."""

{polynomial("ACOS", "Polynomial", acos, acos_error)}
"""acos x / sqrt(1 - x) on [0, 1] in x; absolute error of the product."""

{polynomial("SINE", "OddPolynomial", sine, sine_error)}
"""sin(pi u / 2) on [-1, 1]; absolute error."""

{polynomial("ATAN", "OddPolynomial", atan, atan_error)}
"""atan u on [-1, 1]; absolute error."""
{tailed_table("ERF", "The error function, in u = x / 2.", erf_fit, [1, 3, 5], 0.0, 1)}\
{
        tailed_table(
            "SOFTPLUS",
            "log(1 + e^x) without its tail x, in u = x / 8.",
            softplus_fit,
            [0, 2, 4, 6],
            0.5,
            3,
        )
    }\
{
        tailed_table(
            "SILU", "x / (1 + e^-x) without its tail x, in u = x / 8.", silu_fit, even[:3], 0.5, 3
        )
    }\
{tailed_table("GELU", "x Phi(x) without its tail x, in u = x / 4.", gelu_fit, even, 0.5, 2)}\
{elu_table()}'''


def main() -> int:
    """Write the table, or compare it."""
    text = table()
    if "--check" in sys.argv[1:]:
        same = TABLE.read_text() == text
        print("elementary_coefficients.py is up to date" if same else "the table differs")
        return 0 if same else 1
    TABLE.write_text(text)
    print(f"wrote {TABLE}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
