"""Domains and largest errors of the approximated functions, as data.

The docstrings say the same in words; ``docs/accuracy.md`` is generated from here and from
measurements, and the accuracy tests hold every function to its line.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["ACCURACY", "FINE", "Accuracy"]


@dataclass(frozen=True, slots=True)
class Accuracy:
    """What is promised of one function, for 12 to 24 fractional bits f (`FINE`: 25 to 40).

    Attributes
    ----------
    formula : str
        What is computed.
    domain : str
        Where the bound holds.
    outside : str
        What happens elsewhere.
    relative : float
        Error relative to the result.
    units : float
        Error in units in the last place, 2^-f.
    absolute : float
        Error that is always allowed.
    operands : int
        How many secret numbers it takes.
    rows : bool
        Whether it is a function of rows, not of elements.
    """

    formula: str
    domain: str
    outside: str
    relative: float = 0.0
    units: float = 2.0
    absolute: float = 0.0
    operands: int = 1
    rows: bool = False

    def bound(self, results: NDArray[np.float64], fraction_bits: int) -> NDArray[np.float64]:
        """max(relative · |result|, units · 2^-f) + absolute, element by element."""
        rounding = self.units * 2.0**-fraction_bits
        bound: NDArray[np.float64] = np.maximum(self.relative * np.abs(results), rounding)
        return bound + self.absolute

    @property
    def text(self) -> str:
        """The bound in words."""
        parts = f"{self.units:g} units in the last place"
        if self.relative:
            parts = f"max({self.relative:g} relative, {parts})"
        return f"{parts} + {self.absolute:g}" if self.absolute else parts


EVERYWHERE = "every number of the encoding"

ACCURACY: dict[str, Accuracy] = {
    "sigmoid": Accuracy(
        "1 / (1 + exp(-x))",
        EVERYWHERE,
        "0 below -8.8 and 1 above 8.8, exactly",
        absolute=1.6e-4,
    ),
    "tanh": Accuracy(
        "2 sigmoid(2x) - 1",
        EVERYWHERE,
        "-1 below -4.4 and 1 above 4.4, exactly",
        absolute=3.2e-4,
    ),
    "exp": Accuracy(
        "e^x",
        "x ≤ 0.693 (23 - f) + 16.56: 20.02 for f = 18",
        "the largest value above; exactly 0 below -0.693 (f + 1), within the bound",
        relative=5e-4,
    ),
    "log": Accuracy(
        "natural logarithm",
        "every positive number of the encoding",
        "below -10^6 for x ≤ 0",
        relative=5e-5,
        absolute=1.5e-6,
    ),
    "sqrt": Accuracy(
        "square root",
        "0 and every positive number of the encoding",
        "exactly 0 for x < 0",
        relative=6e-5,
    ),
    "rsqrt": Accuracy(
        "1 / sqrt(x)",
        "every positive number of the encoding",
        "exactly 0 for x ≤ 0",
        relative=2e-4,
    ),
    "reciprocal": Accuracy(
        "1 / x",
        "|x| ≥ 2^-min(f, 18)",
        "exactly 0 for x = 0; 0 or 1 / x for |x| < 2^-18",
        relative=2e-4,
    ),
    "divide": Accuracy(
        "y / x",
        "x ≠ 0, |y / x| < 2^s with s = ⌊(60 - f) / 2⌋ - 1: 2^20 for f = 18",
        "0 for x = 0, up to one unit; larger quotients wrap",
        relative=2e-4,
        operands=2,
    ),
    "expm1": Accuracy(
        "e^x - 1",
        "that of `exp`",
        "that of `exp`, less 1",
        relative=8e-4,
    ),
    "sinh": Accuracy(
        "(e^x - e^-x) / 2",
        "|x| ≤ 0.693 (24 - f) + 16.56: 20.71 for f = 18",
        "the value at the end of the domain",
        relative=1e-3,
    ),
    "cosh": Accuracy(
        "(e^x + e^-x) / 2",
        "|x| ≤ 0.693 (24 - f) + 16.56: 20.71 for f = 18",
        "the value at the end of the domain",
        relative=1e-3,
    ),
    "log1p": Accuracy(
        "log(1 + x)",
        "x > -1",
        "below -10^6 for x ≤ -1",
        relative=5e-5,
        absolute=1.5e-6,
    ),
    "log2": Accuracy(
        "logarithm to base 2",
        "every positive number of the encoding",
        "below -10^6 for x ≤ 0",
        relative=8e-5,
        absolute=2e-6,
    ),
    "log10": Accuracy(
        "logarithm to base 10",
        "every positive number of the encoding",
        "below -10^6 for x ≤ 0",
        relative=8e-5,
        absolute=1.5e-6,
    ),
    "power": Accuracy(
        "x^y = exp(y log x)",
        "x > 0, |y| ≤ 32, y log x in the domain of `exp`",
        "exactly 0 for x ≤ 0; for larger |y| the relative error grows by 1.2e-5 |y|",
        relative=1.2e-3,
        operands=2,
    ),
    "hypot": Accuracy(
        "sqrt(x² + y²)",
        "x² + y² < 2^(61 - 2f): 2^25 for f = 18",
        "wraps, as products do",
        relative=6e-5,
        operands=2,
    ),
    "sin": Accuracy(
        "sine, x in radians",
        EVERYWHERE,
        "",
        absolute=2e-6,
    ),
    "cos": Accuracy(
        "cosine, x in radians",
        EVERYWHERE,
        "",
        absolute=2e-6,
    ),
    "tan": Accuracy(
        "tangent, x in radians",
        "|tan x| ≤ 64",
        "a large number with a relative error of 4e-6 |tan x|; it may be 0 within 2^-19 of a pole",
        relative=6e-4,
        absolute=1.2e-5,
    ),
    "atan": Accuracy(
        "arc tangent",
        EVERYWHERE,
        "",
        units=3.0,
        absolute=1.5e-4,
    ),
    "atan2": Accuracy(
        "angle of the point (x, y)",
        "|x|, |y| < 2^(60 - f)",
        "",
        units=3.0,
        absolute=3e-4,
        operands=2,
    ),
    "asin": Accuracy(
        "arc sine",
        "|x| ≤ 1",
        "the value at the end of the domain",
        units=4.0,
        absolute=1e-4,
    ),
    "acos": Accuracy(
        "arc cosine",
        "|x| ≤ 1",
        "the value at the end of the domain",
        units=4.0,
        absolute=1e-4,
    ),
    "erf": Accuracy(
        "error function",
        EVERYWHERE,
        "-1 below -2.68 and 1 above 2.68, exactly",
        absolute=1.6e-4,
    ),
    "softplus": Accuracy(
        "log(1 + e^x)",
        EVERYWHERE,
        "0 below -8.85 and x above 8.85, exactly",
        absolute=1.5e-4,
    ),
    "silu": Accuracy(
        "x / (1 + e^-x)",
        EVERYWHERE,
        "0 below -12.3 and x above 12.3, exactly",
        absolute=7e-5,
    ),
    "gelu": Accuracy(
        "x (1 + erf(x / sqrt 2)) / 2",
        EVERYWHERE,
        "0 below -3.98 and x above 3.98, exactly",
        absolute=1.5e-4,
    ),
    "elu": Accuracy(
        "x for x ≥ 0, else a (e^x - 1); for other a than 1 times max(1, |a|)",
        EVERYWHERE,
        "-a below -9 and x above 0, exactly",
        absolute=2e-4,
    ),
    "leaky_relu": Accuracy(
        "x for x ≥ 0, else a x, a rounded to 18 fractional bits",
        "(1 - a) x > -2^(44 - f): -2^26 for f = 18",
        "exactly x above 0; wraps far below, as products do",
        relative=4e-4,
    ),
    "logaddexp": Accuracy(
        "log(e^x + e^y)",
        "|x - y| < 2^(61 - f)",
        "the larger one where they differ by more than 8.85, exactly",
        absolute=1.5e-4,
        operands=2,
    ),
    "softmax": Accuracy(
        "exp(x_i) / Σ exp(x_j)",
        "k ≤ 16 numbers a row that differ by less than 2^(61 - f)",
        "half a unit for each number beyond 16",
        units=4.0,
        absolute=6e-4,
        rows=True,
    ),
    "log_softmax": Accuracy(
        "x_i - log Σ exp(x_j)",
        "k ≤ 16 numbers a row that differ by less than 2^(61 - f)",
        "a unit for each number beyond 16",
        units=16.0,
        absolute=6e-4,
        rows=True,
    ),
    "logsumexp": Accuracy(
        "log Σ exp(x_j)",
        "k ≤ 16 numbers a row that differ by less than 2^(61 - f)",
        "a unit for each number beyond 16",
        units=16.0,
        absolute=6e-4,
        rows=True,
    ),
}
"""By name of the function; comparisons, extrema, `relu`, `absolute`, `sign` are exact,
and `powers.py` states the error of public integer exponents."""


_QUOTIENTS = "|y / x| < 2^s with s = ⌊(124 - f) / 2⌋ - 1: 2^45 for f = 32"
_ROWS = "k ≤ 16 numbers a row"

FINE: dict[str, Accuracy] = {
    "sigmoid": Accuracy(
        "1 / (1 + exp(-x))", EVERYWHERE, "0 and 1 far out, exactly", absolute=2e-11
    ),
    "tanh": Accuracy(
        "(1 - exp(-2x)) / (1 + exp(-2x))",
        "|x| < 2^(124 - f)",
        "-1 and 1 far out, exactly",
        units=4.0,
        absolute=4e-11,
    ),
    "exp": Accuracy(
        "e^x",
        "x ≤ 0.693 (118 - 2f): 37.4 for f = 32",
        "the largest value above; exactly 0 below -0.693 (f + 1), within the bound",
        relative=5e-10,
    ),
    "log": Accuracy(
        "natural logarithm",
        "every positive number of the encoding",
        "below -10^6 for x ≤ 0",
        absolute=2e-12,
    ),
    "log1p": Accuracy("log(1 + x)", "x > -1", "below -10^6 for x ≤ -1", absolute=2e-12),
    "log2": Accuracy(
        "logarithm to base 2",
        "every positive number of the encoding",
        "below -10^6 for x ≤ 0",
        absolute=2e-12,
    ),
    "log10": Accuracy(
        "logarithm to base 10",
        "every positive number of the encoding",
        "below -10^6 for x ≤ 0",
        absolute=2e-12,
    ),
    "sqrt": Accuracy(
        "square root",
        "0 and every positive number of the encoding",
        "exactly 0 for x < 0",
        relative=2e-11,
    ),
    "rsqrt": Accuracy(
        "1 / sqrt(x)",
        "every positive number of the encoding",
        "exactly 0 for x ≤ 0",
        relative=2e-11,
    ),
    "reciprocal": Accuracy("1 / x", "x ≠ 0", "exactly 0 for x = 0", relative=1e-11),
    "divide": Accuracy(
        "y / x",
        f"x ≠ 0, {_QUOTIENTS}",
        "0 for x = 0, up to one unit; larger quotients wrap",
        relative=1e-11,
        operands=2,
    ),
    "hypot": Accuracy(
        "sqrt(x² + y²)",
        "x² + y² < 2^(125 - 2f): 2^61 for f = 32",
        "wraps, as products do",
        relative=2e-11,
        operands=2,
    ),
    "sin": Accuracy("sine, x in radians", EVERYWHERE, "", absolute=1e-12),
    "cos": Accuracy("cosine, x in radians", EVERYWHERE, "", absolute=1e-12),
    "tan": Accuracy(
        "tangent, x in radians",
        "|tan x| ≤ 64",
        "a large number with a relative error of 4e-12 |tan x|; it may be 0 near a pole",
        relative=2e-10,
    ),
    "atan": Accuracy("arc tangent", EVERYWHERE, "", units=3.0, absolute=2e-12),
    "atan2": Accuracy(
        "angle of the point (x, y)",
        "|x|, |y| < 2^(124 - f)",
        "",
        units=3.0,
        absolute=2e-12,
        operands=2,
    ),
    "softmax": Accuracy(
        "exp(x_i) / Σ exp(x_j)",
        _ROWS,
        "half a unit for each number beyond 16",
        units=5.0,
        absolute=1e-10,
        rows=True,
    ),
    "log_softmax": Accuracy(
        "x_i - log Σ exp(x_j)",
        _ROWS,
        "a unit for each number beyond 16",
        units=16.0,
        absolute=2e-10,
        rows=True,
    ),
    "logsumexp": Accuracy(
        "log Σ exp(x_j)",
        _ROWS,
        "a unit for each number beyond 16",
        units=16.0,
        absolute=2e-10,
        rows=True,
    ),
}
"""For 25 to 40 fractional bits in Z_2^128. Functions that are not here compute with 24."""
