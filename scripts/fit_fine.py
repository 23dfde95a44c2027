"""Fit the polynomials of functions with more than 24 fractional bits (Z_2^128 alone).

``python scripts/fit_fine.py`` writes ``src/tacit/functions/fine_coefficients.py``. Chebyshev
interpolation, whose error is within a small factor of the best polynomial's (Trefethen 2013,
*Approximation theory and approximation practice*, chapter 16), then the power basis. Float64 is
precise enough: coefficients are used with about 42 bits.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

PATH = Path(__file__).parents[1] / "src" / "tacit" / "functions" / "fine_coefficients.py"
Reals = NDArray[np.float64]
Function = Callable[[Reals], Reals]


def _series(y: Reals, term: Callable[[int], float], function: Function) -> Reals:
    """A function of y in [0, 1] by its series where y is small, which is where it divides by 0."""
    series = sum(term(k) * y**k for k in range(9))
    return np.where(y < 1e-2, series, function(np.maximum(y, 1e-2)))


def _factorial(n: int) -> float:
    return float(np.prod(np.arange(1, n + 1, dtype=np.float64)))


def sine(y: Reals) -> Reals:
    """sin(pi u / 2) / u for y = u^2."""
    half = np.pi / 2
    return _series(
        y,
        lambda k: (-1) ** k * half ** (2 * k + 1) / _factorial(2 * k + 1),
        lambda y: np.sin(half * np.sqrt(y)) / np.sqrt(y),
    )


def arc_tangent(y: Reals) -> Reals:
    """atan(u) / u for y = u^2."""
    return _series(
        y, lambda k: (-1) ** k / (2 * k + 1), lambda y: np.arctan(np.sqrt(y)) / np.sqrt(y)
    )


TABLES: dict[str, tuple[Function, tuple[float, float], int, str]] = {
    "LOG": (np.log, (0.5, 1.0), 16, "log x on [1/2, 1] in v = 4x - 3"),
    "LOG2": (np.log2, (0.5, 1.0), 16, "log2 x on [1/2, 1] in v = 4x - 3"),
    "LOG10": (np.log10, (0.5, 1.0), 16, "log10 x on [1/2, 1] in v = 4x - 3"),
    "SQRT": (np.sqrt, (0.5, 1.0), 14, "sqrt(x) on [1/2, 1] in v = 4x - 3"),
    "RSQRT": (lambda x: 1 / np.sqrt(x), (0.5, 1.0), 16, "1 / sqrt(x) on [1/2, 1] in v = 4x - 3"),
    "EXP": (np.exp, (-1.04, 1.04), 14, "exp(t) for |t| <= 1.04 in t"),
    "SINE": (sine, (0.0, 1.0), 7, "sin(pi u / 2) / u for |u| <= 1 in v = 2u^2 - 1"),
    "ATAN": (arc_tangent, (0.0, 1.0), 16, "atan(u) / u for |u| <= 1 in v = 2u^2 - 1"),
}
"""Function, interval, degree, what it is. Variables run over [-1, 1] unless said otherwise."""


def fit(function: Function, low: float, high: float, degree: int, own: bool) -> tuple[Reals, float]:
    """Coefficients in v (in the function's own variable if `own`), and the largest error."""

    def of_v(v: Reals) -> Reals:
        return function((low + high) / 2 + (high - low) / 2 * v)

    powers = chebyshev.cheb2poly(chebyshev.chebinterpolate(of_v, degree))
    v = np.linspace(-1, 1, 20_001)
    error = float(np.abs(np.polynomial.polynomial.polyval(v, powers) - of_v(v)).max())
    if own:
        powers = powers / ((high - low) / 2) ** np.arange(degree + 1)
    return powers, error


def main() -> None:
    """Write the module."""
    lines = [
        '"""Coefficients, written by ``scripts/fit_fine.py``; not to be edited."""',
        "",
        "from __future__ import annotations",
        "",
        "from tacit.functions.approximation import Polynomial",
        "",
        f"__all__ = [{', '.join(repr(n).replace(chr(39), chr(34)) for n in sorted(TABLES))}]",
        "",
    ]
    for name, (function, (low, high), degree, text) in TABLES.items():
        coefficients, error = fit(function, low, high, degree, name == "EXP")
        lines.append(f"{name} = Polynomial(\n    (")
        lines += [f"        {float(c)!r}," for c in coefficients]
        lines.append(f"    ),\n    error={error:.2g},\n)")
        lines.append(f'"""{text}; absolute error."""\n')
    PATH.write_text("\n".join(lines))


if __name__ == "__main__":
    main()
