"""Fit the polynomials of ``tacit.functions`` and write ``coefficients.py``.

Run ``python scripts/fit_functions.py`` after changing anything here; ``--check`` only compares.
The fits are minimax: a linear program on Chebyshev nodes minimises the largest weighted error.
Coefficients that meet secret powers at few bits are rounded one after the other, highest
first, and the rest fitted again, so that their rounding costs nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, linprog

Reals = NDArray[np.float64]
TABLE = Path(__file__).resolve().parent.parent / "src/tacit/functions/coefficients.py"
NODES = 400


def nodes(low: float, high: float) -> Reals:
    """Chebyshev extrema of an interval."""
    return low + (high - low) * (1 - np.cos(np.linspace(0, np.pi, NODES))) / 2


def minimax(columns: Reals, values: Reals, weight: Reals) -> tuple[Reals, float]:
    """Coefficients c with the smallest max |columns c - values| / weight, and that maximum."""
    size = np.abs(columns).max(axis=0)
    scaled = columns / size / weight[:, None]
    one = np.ones((len(values), 1))
    target = values / weight
    result = linprog(
        [*[0.0] * len(size), 1.0],
        A_ub=np.block([[scaled, -one], [-scaled, -one]]),
        b_ub=np.concatenate([target, -target]),
        bounds=[(None, None)] * len(size) + [(0, None)],
        method="highs",
    )
    return result.x[:-1] / size, float(result.x[-1])


def rounded_minimax(
    columns: Mapping[str, Reals], values: Reals, weight: Reals, bits: Mapping[str, int]
) -> tuple[dict[str, float], float]:
    """`minimax` with some coefficients restricted to multiples of 2^-bits.

    The restricted ones are rounded in order, down and up, and the best combination is kept.
    """

    def refit(fixed: dict[str, float]) -> tuple[dict[str, float], float]:
        free = [name for name in columns if name not in fixed]
        rest = values - sum((c * columns[n] for n, c in fixed.items()), np.zeros(len(values)))
        found, error = minimax(np.stack([columns[n] for n in free], axis=1), rest, weight)
        return {**fixed, **dict(zip(free, map(float, found), strict=True))}, error

    def search(fixed: dict[str, float], left: list[str]) -> tuple[dict[str, float], float]:
        found, error = refit(fixed)
        if not left:
            return found, error
        name, unit = left[0], 2.0 ** -bits[left[0]]
        low = np.floor(found[name] / unit) * unit
        choices = [search({**fixed, name: float(c)}, left[1:]) for c in (low, low + unit)]
        return min(choices, key=lambda choice: choice[1])

    return search({}, list(bits))


def sigmoid_table() -> tuple[tuple[float, float], Reals, Reals, float]:
    """Ends of the centre and of the outer piece, their coefficients, the error.

    Centre: c_1 x + c_3 x^3 + c_5 x^5. Outer: degree 5 in x / 8. All errors are equal.
    """

    def sigmoid(x: Reals | float) -> Reals:
        return np.asarray(1 / (1 + np.exp(-np.asarray(x, dtype=np.float64))))

    def centre(high: float) -> tuple[Reals, float]:
        x = nodes(0.0, high)
        return minimax(np.stack([x, x**3, x**5], axis=1), sigmoid(x) - 0.5, np.ones(NODES))

    def outer(low: float, high: float) -> tuple[Reals, float]:
        x = nodes(low, high)
        columns = np.stack([(x / 8) ** k for k in range(6)], axis=1)
        return minimax(columns, sigmoid(x), np.ones(NODES))

    def ends(error: float) -> tuple[float, float]:
        first = brentq(lambda high: centre(high)[1] - error, 1.0, 4.0, xtol=1e-7)
        second = brentq(lambda high: outer(first, high)[1] - error, first + 2, 14.0, xtol=1e-7)
        return float(first), float(second)

    error = float(brentq(lambda e: float(1 - sigmoid(ends(e)[1])) - e, 1.3e-4, 1.8e-4, xtol=1e-10))
    first, second = ends(error)
    return (first, second), centre(first)[0], outer(first, second)[0], error


def power_fit(
    f: Callable[[Reals], Reals],
    weight: Callable[[Reals], Reals],
    degree: int,
    bits: Mapping[int, int],
) -> tuple[list[float], float]:
    """A polynomial in v = 4x - 3 on [1/2, 1]."""
    v = nodes(-1.0, 1.0)
    x = (v + 3) / 4
    columns = {str(k): v**k for k in range(degree + 1)}
    chosen = {str(k): b for k, b in bits.items()}
    found, error = rounded_minimax(columns, f(x), weight(x), chosen)
    return [found[str(k)] for k in range(degree + 1)], error


EXP_REACH = 2.0805
EXP_INNER = (2.5, -5.25)


def exp_fit() -> tuple[dict[str, float], float]:
    """exp(2t) for |2t| <= EXP_REACH by three products; relative error."""
    t = nodes(-EXP_REACH / 2, EXP_REACH / 2)
    values = np.exp(2 * t)
    y = t * t
    q = y * (y + EXP_INNER[0] * t + EXP_INNER[1])
    columns = {
        "qq": q * q,
        "qy": q * y,
        "qt": q * t,
        "q": q,
        "y": y,
        "t": t,
        "one": np.ones(NODES),
    }
    return rounded_minimax(columns, values, values, {"qq": 16, "qy": 16, "qt": 16})


def log_weight(x: Reals) -> Reals:
    """Relative to log near both ends, where sums with multiples of log 2 come close to 0."""
    return np.maximum(np.minimum(-np.log(x), np.log(2 * x)), 5e-3)


RECIPROCAL_SLOPE = 83 / 32


def reciprocal_fit() -> tuple[float, float, float]:
    """Vertex and intercept of the best slope (x - vertex)^2 + intercept, relative error.

    With the slope 256/99 instead of 83/32 the optimum is vertex 9/8, intercept 96/99, error
    1/99, from the Chebyshev polynomial T_3.
    """
    x = nodes(0.5, 1.0)
    columns = np.stack([x, np.ones(NODES)], axis=1)
    (linear, constant), error = minimax(columns, 1 / x - RECIPROCAL_SLOPE * x * x, 1 / x)
    vertex = -linear / (2 * RECIPROCAL_SLOPE)
    return vertex, constant - RECIPROCAL_SLOPE * vertex**2, error


def table() -> str:
    """The text of ``coefficients.py``; errors are stated a little larger than between nodes."""
    (first, second), centre, outer, sigmoid_error = sigmoid_table()
    log, log_error = power_fit(np.log, log_weight, 6, {6: 18, 5: 18, 4: 18})
    rsqrt, rsqrt_error = power_fit(lambda x: x**-0.5, lambda x: x**-0.5, 4, {})
    sqrt, sqrt_error = power_fit(np.sqrt, np.sqrt, 4, {})
    exp, exp_error = exp_fit()
    vertex, intercept, quadratic_error = reciprocal_fit()

    def row(values: list[float] | Reals) -> str:
        return "(\n" + "".join(f"    {float(v)!r},\n" for v in values) + ")"

    def up(error: float) -> str:
        return repr(float(f"{error * 1.01:.2e}"))

    return f'''"""Coefficients, written by ``scripts/fit_functions.py``; not to be edited."""

from __future__ import annotations

from tacit.functions.approximation import (
    ExpPolynomial,
    PiecewisePolynomial,
    Polynomial,
    ReciprocalQuadratic,
)

__all__ = ["EXP", "LOG", "RECIPROCAL", "RSQRT", "SIGMOID", "SQRT", "TANH"]

_CENTRE = {row(centre)}
_OUTER = {row(outer)}
_END_OF_CENTRE = {first!r}
_END_OF_OUTER = {second!r}

SIGMOID = PiecewisePolynomial(
    breakpoints=(-_END_OF_OUTER, -_END_OF_CENTRE, _END_OF_CENTRE, _END_OF_OUTER),
    pieces=(
        (0.0,),
        (1.0 - _OUTER[0], *(c * (-1.0) ** k for k, c in enumerate(_OUTER[1:]))),
        (0.5, 8.0 * _CENTRE[0], 0.0, 8.0**3 * _CENTRE[1], 0.0, 8.0**5 * _CENTRE[2]),
        _OUTER,
        (1.0,),
    ),
    range_bits=3,
    error={up(sigmoid_error)},
)
"""1 / (1 + exp(-x)), in u = x / 8."""

TANH = PiecewisePolynomial(
    breakpoints=tuple(t / 2 for t in SIGMOID.breakpoints),
    pieces=tuple((2 * p[0] - 1, *(2 * c for c in p[1:])) for p in SIGMOID.pieces),
    range_bits=2,
    error=2 * SIGMOID.error,
)
"""2 sigmoid(2x) - 1, in u = x / 4."""

_LOG = {row(log)}
LOG = Polynomial(_LOG, error={up(log_error)})
"""log x on [1/2, 1] in v = 4x - 3; error relative to max(5e-3, min(-log x, log 2x))."""

_RSQRT = {row(rsqrt)}
RSQRT = Polynomial(_RSQRT, error={up(rsqrt_error)})
"""1 / sqrt(x) on [1/2, 1] in v = 4x - 3; relative error."""

_SQRT = {row(sqrt)}
SQRT = Polynomial(_SQRT, error={up(sqrt_error)})
"""sqrt(x) on [1/2, 1] in v = 4x - 3; relative error."""

RECIPROCAL = ReciprocalQuadratic(
    slope={RECIPROCAL_SLOPE!r},
    vertex={float(vertex)!r},
    intercept={float(intercept)!r},
    error={up(quadratic_error)},
)
"""1 / x on [1/2, 1]; relative error."""

EXP = ExpPolynomial(
    inner=({EXP_INNER[0]!r}, {EXP_INNER[1]!r}),
    outer=({exp["qq"]!r}, {exp["qy"]!r}, {exp["qt"]!r}, {exp["q"]!r}),
    rest=({exp["y"]!r}, {exp["t"]!r}, {exp["one"]!r}),
    reach={EXP_REACH!r},
    error={up(exp_error)},
)
"""exp(s) for |s| <= reach, in t = s / 2; relative error."""
'''


def main() -> int:
    """Write the table, or compare it."""
    text = table()
    if "--check" in sys.argv[1:]:
        same = TABLE.read_text() == text
        print("coefficients.py is up to date" if same else "coefficients.py differs")
        return 0 if same else 1
    TABLE.write_text(text)
    print(f"wrote {TABLE}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
