"""Bounds of functions: their values on an interval, within their stated errors.

Rules follow ``functions/accuracy.py``: a function's value on a corner of what is known, moved
outwards by the error stated there. Where an operand may leave a function's domain, what the
function gives there is stated too (a constant, or 0), or nothing is said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from math import atan, erf, exp, expm1, inf, isfinite, log, pi, sqrt, tan
from typing import Any

import numpy as np

from tacit.functions.accuracy import ACCURACY
from tacit.functions.approximation import PiecewisePolynomial
from tacit.functions.exponential import exp_domain
from tacit.functions.public_polynomials import interpolation_table, public_table
from tacit.operations.intervals import (
    Inner,
    Known,
    Rule,
    corners,
    known_all,
    largest,
    powers,
    union,
    widened,
    with_zero,
)
from tacit.operations.precision import PRODUCT_BITS
from tacit.operations.scaling import scaled_constant
from tacit.operations.types import Bounds

__all__ = ["ALWAYS", "FUNCTION_RULES", "products_of"]


def _operands(known: Known) -> list[Bounds]:
    """What functions see: operands with as many fractional bits as they compute with."""
    finer = known.result.dtype.fraction_bits > known.function_bits
    slack = 2.0**-known.function_bits if finer else 0
    return [widened((float(b[0]), float(b[1])), slack) for b in known.bounds if b is not None]


def _stated(known: Known, name: str, values: Bounds, factor: float = 1) -> Bounds | None:
    """An interval of values, moved outwards by the error stated for a function."""
    stated, unit = ACCURACY[name], 2.0**-known.function_bits

    def error(value: float) -> float:
        return factor * (max(stated.relative * abs(value), stated.units * unit) + stated.absolute)

    low, high = values
    if not (isfinite(low) and isfinite(high)):
        return None
    return low - error(low), high + error(high)


def _of_operands(inner: Inner) -> Rule:
    def rule(known: Known) -> Bounds | None:
        if any(bounds is None for bounds in known.bounds):
            return None
        return inner(known, *_operands(known))

    return rule


# Of one number.


def _growing(name: str, function: Callable[[float, int], float]) -> Rule:
    """A growing function of (x, fractional bits)."""

    def inner(known: Known, x: Bounds) -> Bounds | None:
        bits = known.function_bits
        return _stated(known, name, (function(x[0], bits), function(x[1], bits)))

    return _of_operands(inner)


def _falling_to(name: str, least_at: float, function: Callable[[float], float]) -> Rule:
    """A function that falls down to one place and grows from there on."""

    def inner(known: Known, x: Bounds) -> Bounds | None:
        ends = [function(end) for end in x]
        if x[0] < least_at < x[1]:
            ends.append(function(least_at))
        return _stated(known, name, (min(ends), max(ends)))

    return _of_operands(inner)


def _between(name: str, low: float, high: float) -> Rule:
    """A function with values between two limits, whatever its operand is."""

    def rule(known: Known) -> Bounds | None:
        return _stated(known, name, (low, high))

    return rule


def _end(bits: int) -> float:
    """Above this exp stays at one value."""
    return exp_domain(bits)[1]


def _hyperbolic_end(bits: int) -> float:
    return _end(bits) + log(2)


def _logarithm(scale: float, offset: float = 0) -> Callable[[float, int], float]:
    """Below the least positive number nothing is said."""

    def function(x: float, bits: int) -> float:
        return scale * log(x + offset) if x + offset >= 2.0**-bits else -inf

    return function


def _sinh(x: float, bits: int) -> float:
    # Beyond its domain the function stays at the value at its end.
    x = max(min(x, _hyperbolic_end(bits)), -_hyperbolic_end(bits))
    return (exp(x) - exp(-x)) / 2


def _cosh(known: Known, x: Bounds) -> Bounds | None:
    end = _hyperbolic_end(known.function_bits)
    low = 0 if x[0] <= 0 <= x[1] else min(abs(x[0]), abs(x[1]))
    values = [(exp(min(a, end)) + exp(-min(a, end))) / 2 for a in (low, largest(x))]
    return _stated(known, "cosh", (values[0], values[1]))


def _rsqrt(known: Known, x: Bounds) -> Bounds | None:
    unit = 2.0**-known.function_bits
    if x[1] < unit:
        return 0, 0
    values = 1 / sqrt(x[1]), 1 / sqrt(max(x[0], unit))
    found = _stated(known, "rsqrt", values)
    return found if found is None or x[0] >= unit else with_zero(found)


def _reciprocal(known: Known, x: Bounds) -> Bounds | None:
    """Of 0 it is 0; of numbers below 2^-18 it may be."""
    unit = 2.0**-known.function_bits
    sides = []
    if x[1] >= unit:
        sides.append((1 / x[1], 1 / max(x[0], unit)))
    if x[0] <= -unit:
        sides.append((1 / min(x[1], -unit), 1 / x[0]))
    found = _stated(known, "reciprocal", union(*sides)) if sides else (0.0, 0.0)
    small = x[0] <= 2.0**-18 and x[1] >= -(2.0**-18)
    return with_zero(found) if found is not None and small else found


def _tan(known: Known, x: Bounds) -> Bounds | None:
    """Between the poles around 0; elsewhere nothing is said."""
    return _stated(known, "tan", (tan(x[0]), tan(x[1]))) if largest(x) <= 1.55 else None


def _limited(x: float) -> float:
    return max(min(x, 1.0), -1.0)


def _acos(known: Known, x: Bounds) -> Bounds | None:
    values = [float(np.arccos(_limited(end))) for end in x[::-1]]
    return _stated(known, "acos", (values[0], values[1]))


def _softplus(x: float) -> float:
    return max(x, 0) + log(1 + exp(-abs(x)))


def _logistic(x: float) -> float:
    return 1 / (1 + exp(-x)) if x > -700 else 0.0


def _silu(x: float) -> float:
    return x * _logistic(x)


def _gelu(x: float) -> float:
    return x * (1 + erf(x / sqrt(2))) / 2


def _sloped(name: str, below: Callable[[float], float]) -> Rule:
    """x above 0, and slope · below(x) under it: extremes are at the ends or at 0."""

    def inner(known: Known, x: Bounds) -> Bounds | None:
        slope = known.attributes.slope
        ends = [end if end >= 0 else slope * below(end) for end in x]
        if x[0] < 0 < x[1]:
            ends.append(0.0)
        found = _stated(known, name, (min(ends), max(ends)), max(1.0, abs(slope)))
        # A slope has 18 fractional bits.
        return found if found is None else widened(found, 2.0**-18 * max(-x[0], 0))

    return _of_operands(inner)


# Of two numbers.


def _hypot(known: Known, x: Bounds, y: Bounds) -> Bounds | None:
    def ends(bounds: Bounds) -> Bounds:
        low = 0 if bounds[0] <= 0 <= bounds[1] else min(abs(bounds[0]), abs(bounds[1]))
        return low, largest(bounds)

    (a, b), (c, d) = ends(x), ends(y)
    return _stated(known, "hypot", (sqrt(a * a + c * c), sqrt(b * b + d * d)))


def _logaddexp(known: Known, x: Bounds, y: Bounds) -> Bounds | None:
    low, high = (float(np.logaddexp(a, b)) for a, b in zip(x, y, strict=True))
    return _stated(known, "logaddexp", (low, high))


# Powers and polynomials.


def products_of(x: Bounds, count: int, unit: float) -> float:
    """What every product of up to `count` factors stays below, each rounded by one unit.

    With G = max(|x|, 1) + unit a product of a + b factors is below G^(a+b) - unit if its parts are
    below G^a - unit and G^b - unit.
    """
    return largest(powers((0, max(largest(x), 1) + unit), max(count, 1)))


def _rounded_powers(x: Bounds, exponents: Any, unit: float) -> Bounds:
    """x^n over several n > 0, as products of n factors in any order.

    n - 1 roundings, each of which the other factors enlarge.
    """
    most = int(max(exponents))
    found = union(*(powers(x, int(n)) for n in exponents))
    return widened(found, unit * (most - 1) * products_of(x, most - 1, unit) if unit else 0)


def _pow(known: Known) -> Bounds | None:
    bounds, types = known.bounds, known.types
    if any(b is None for b in bounds):
        return None
    exponents = known.values[1]
    if exponents is not None and (exponents == np.rint(exponents)).all():
        chosen = np.unique(exponents)
        if not chosen.size:
            return 0, 0
        if chosen[0] < 0:
            return None
        unit = 2.0**-known.function_bits if known.unit else 0
        x = bounds[0] if not unit else _operands(known)[0]
        assert x is not None
        return _rounded_powers(x, chosen, unit) if chosen[-1] else (1, 1)
    if not known.unit:
        return None
    x, y = _operands(known)
    if types[1].public:
        y = widened(y, 2.0**-20 * max(1.0, largest(y)))
    unit = 2.0**-known.function_bits
    if x[1] < unit:
        return 0, 0
    exponent = corners(y, (log(max(x[0], unit)), log(x[1])))
    if exponent[1] > _end(known.function_bits) - 0.01 or largest(y) > 1024:
        return None
    found = _stated(known, "power", (exp(exponent[0]), exp(exponent[1])), 1 + largest(y) / 50)
    return found if found is None or x[0] >= unit else with_zero(found)


def _polyval(known: Known, x: Bounds) -> Bounds | None:
    """Every power by itself; rounded coefficients, powers and sum as `polyval` states them."""
    coefficients = known.attributes.coefficients[::-1]
    terms = [corners(powers(x, k), (c, c)) for k, c in enumerate(coefficients)]
    low, high = sum(t[0] for t in terms), sum(t[1] for t in terms)
    if not known.unit:
        return low, high
    size = max(1.0, largest(x))
    _, bits = scaled_constant(np.asarray(coefficients), known.result.dtype.fraction_bits)
    slack = known.unit
    for k, c in enumerate(coefficients):
        slack += known.unit * abs(c) * max(k - 1, 0) * size ** max(k - 1, 0) * 1.001
        slack += largest(powers(x, k)) * 2.0 ** -(bits + 1)
        if known.result.dtype.fraction_bits > PRODUCT_BITS:  # x is truncated first
            slack += known.unit * k * abs(c) * (size + known.unit) ** max(k - 1, 0)
    return widened((low, high), slack)


def _pieces(table: Callable[[Any, int], PiecewisePolynomial]) -> Rule:
    """A public piecewise polynomial with constant ends: the values of all pieces."""

    @lru_cache(maxsize=64)
    def bounds(attributes: Any, bits: int) -> Bounds:
        found = table(attributes, bits)
        breaks, unit = found.breakpoints, 2.0**-bits
        scale = 2.0**found.range_bits
        intervals = [(piece[0], piece[0]) for piece in (found.pieces[0], found.pieces[-1])]
        slack = 2 * unit
        for place, piece in enumerate(found.pieces[1:-1]):
            # Breakpoints are compared as the encoding rounds them.
            x = widened((breaks[place] / scale, breaks[place + 1] / scale), unit)
            terms = [corners(powers(x, k), (c, c)) for k, c in enumerate(piece)]
            intervals.append((sum(t[0] for t in terms), sum(t[1] for t in terms)))
            rounded = sum(2 * k * abs(c) for k, c in enumerate(piece)) * 2.0**-26
            slack = max(slack, 2 * unit + rounded)
        return widened(union(*intervals), slack)

    return lambda known: bounds(known.attributes, known.function_bits)


# Of rows.


def _count(known: Known, name: str) -> int:
    return known.terms if name == "logsumexp" else known.extent(known.attributes.axis)


def _of_rows(name: str, function: Callable[[Bounds, int], Bounds]) -> Rule:
    """A function of rows of k numbers: a unit more for each number beyond 16."""

    def inner(known: Known, x: Bounds) -> Bounds | None:
        count = _count(known, name)
        more = max(count - 16, 0) * 2.0**-known.function_bits
        found = _stated(known, name, function(x, max(count, 1)))
        return found if found is None else widened(found, more)

    return _of_operands(inner)


def _softmax(known: Known) -> Bounds | None:
    more = max(_count(known, "softmax") - 16, 0) * 2.0**-known.function_bits
    found = _stated(known, "softmax", (0, 1))
    return found if found is None else widened(found, more)


def _divide(known: Known, x: Bounds, y: Bounds) -> Bounds | None:
    if known.types[1].public:
        divisor = known.values[1]
        if divisor is None and not y[0] <= 0 <= y[1]:
            divisor = np.asarray(y)  # known when the program runs
        if divisor is None or not divisor.size:
            return None
        factors = 1 / divisor.astype(np.float64)
        low, high = corners((float(x[0]), float(x[1])), (factors.min(), factors.max()))
        # The factor 1 / y is within 2^-f of itself, relatively or absolutely.
        relative = known.unit * max(1.0, abs(low), abs(high))
        return widened((low, high), 2 * known.unit + 2 * relative)
    x, y = _operands(known)
    if y[0] <= 0 <= y[1]:
        return None
    found = _stated(known, "divide", corners(x, (1 / y[1], 1 / y[0])))
    # A public dividend is rounded.
    return found if found is None else widened(found, known.unit / min(abs(y[0]), abs(y[1])))


FUNCTION_RULES: Mapping[str, Rule] = {
    "sigmoid": _between("sigmoid", 0, 1),
    "tanh": _between("tanh", -1, 1),
    "sin": _between("sin", -1, 1),
    "cos": _between("cos", -1, 1),
    "atan2": _between("atan2", -pi, pi),
    "softmax": _softmax,
    "exp": _growing("exp", lambda x, bits: exp(min(x, _end(bits)))),
    "expm1": _growing("expm1", lambda x, bits: expm1(min(x, _end(bits)))),
    "log": _growing("log", _logarithm(1)),
    "log1p": _growing("log1p", _logarithm(1, 1)),
    "log2": _growing("log2", _logarithm(1 / log(2))),
    "log10": _growing("log10", _logarithm(1 / log(10))),
    "sqrt": _growing("sqrt", lambda x, bits: sqrt(max(x, 0))),
    "sinh": _growing("sinh", _sinh),
    "cosh": _of_operands(_cosh),
    "rsqrt": _of_operands(_rsqrt),
    "reciprocal": _of_operands(_reciprocal),
    "divide": known_all(_divide),
    "tan": _of_operands(_tan),
    "atan": _growing("atan", lambda x, bits: atan(x)),
    "asin": _growing("asin", lambda x, bits: float(np.arcsin(_limited(x)))),
    "acos": _of_operands(_acos),
    "erf": _growing("erf", lambda x, bits: erf(x)),
    "softplus": _growing("softplus", lambda x, bits: _softplus(x)),
    "silu": _falling_to("silu", -1.2784645, _silu),
    "gelu": _falling_to("gelu", -0.7517916, _gelu),
    "elu": _sloped("elu", expm1),
    "leaky_relu": _sloped("leaky_relu", lambda x: x),
    "hypot": _of_operands(_hypot),
    "logaddexp": _of_operands(_logaddexp),
    "log_softmax": _of_rows("log_softmax", lambda x, k: (x[0] - x[1] - log(k), 0)),
    "logsumexp": _of_rows("logsumexp", lambda x, k: (x[0] + log(k), x[1] + log(k))),
    "pow": _pow,
    "polyval": known_all(_polyval),
    "interp": _pieces(
        lambda points, bits: interpolation_table(
            points.xp, points.fp, points.left, points.right, bits
        )
    ),
    "piecewise": _pieces(
        lambda pieces, bits: public_table(
            "piecewise", pieces.breakpoints, [piece[::-1] for piece in pieces.pieces], bits
        )
    ),
}
"""By name of the operation."""

ALWAYS = frozenset({"sigmoid", "tanh", "sin", "cos", "atan2", "softmax", "interp", "piecewise"})
"""Those whose values lie between limits whatever their operands are."""
