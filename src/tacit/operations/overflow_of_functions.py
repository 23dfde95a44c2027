"""What could wrap in functions within declared bounds: their operands' domains, and what they sum.

Functions are built for numbers below 2^62 or 2^61 in the ring (2^126 or 2^125 in Z_2^128). Beyond
they are not inaccurate but wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import log

import numpy as np

from tacit.functions.logistic import STEP_BITS
from tacit.operations.bounds_of_rows import layer_sums
from tacit.operations.intervals import Known, largest, union
from tacit.operations.precision import PRODUCT_BITS
from tacit.operations.reaches import Call, Reach, Reaches, elements_of, powers_of
from tacit.operations.scaling import scaled_constant

__all__ = ["FUNCTIONS", "FUNCTION_REACHES", "NORMALIZED"]


def _operand_of_function(call: Call) -> Iterator[Reach]:
    """Normalised by their leading bit: below 2^61 in Z_2^64. Others take all below 2^62."""
    x = call.largest(0)
    if x is not None:
        yield Reach("|x|", float(x), call.function_limit(call.name in NORMALIZED))


def _leaky(call: Call) -> Iterator[Reach]:
    bounds = call.bounds[0]
    if bounds is not None:
        change = abs(1 - call.attributes.slope) * max(-float(bounds[0]), 0.0)
        yield Reach("|(slope - 1) x|", change, call.function_limit(18))


def _square_sum(call: Call) -> Iterator[Reach]:
    x, y = call.largest(0), call.largest(1)
    if x is not None and y is not None:
        limit = 2.0 ** (call.ring.magnitude_bits - 1 - 2 * call.function_bits)
        yield Reach("x² + y²", float(x) ** 2 + float(y) ** 2, limit)


def _angle(call: Call) -> Iterator[Reach]:
    for place in (0, 1):
        x = call.largest(place)
        if x is not None:
            yield Reach("an operand", float(x), call.function_limit(2))


def _spread(call: Call) -> Iterator[Reach]:
    """Numbers that are subtracted from each other before exp or softplus."""
    choices = [bounds for bounds in call.bounds if bounds is not None]
    if len(choices) == len(call.bounds):
        low, high = union(*choices)
        yield Reach("|x - y|", float(high - low), call.function_limit(1))


def _power(call: Call) -> Iterator[Reach]:
    base, exponent, exponents = call.bounds[0], call.bounds[1], call.values[1]
    if base is None or exponent is None:
        return
    if exponents is not None and (exponents == np.rint(exponents)).all():
        if exponents.size and exponents.min() >= 0:
            count = int(exponents.max())
            yield from powers_of(call, f"|x|^{count}", base, count, call.result.dtype)
        return
    unit = 2.0**-call.function_bits
    logarithm = max(abs(log(max(end, unit))) for end in base) + unit
    size = largest(exponent)
    yield Reach("|x|", largest(base), call.function_limit(1))
    yield Reach("|y log x|", float(size * logarithm), call.function_limit(24))


def _polynomial(call: Call) -> Iterator[Reach]:
    x, dtype = call.bounds[0], call.result.dtype
    if x is None or dtype.kind != "fixed":
        return
    coefficients = call.attributes.coefficients[::-1]
    bits = min(dtype.fraction_bits, PRODUCT_BITS)
    degree = len(coefficients) - 1
    yield from powers_of(call, f"|x|^{degree}", x, degree, dtype)
    _, used = scaled_constant(np.asarray(coefficients), bits, 0, call.ring)
    size = max(1.0, largest(x)) + 2.0**-bits
    total = sum((abs(c) + 2.0**-used) * size**k for k, c in enumerate(coefficients))
    yield Reach("the polynomial", float(total), call.limit(bits + used))


def _windows(call: Call) -> Iterator[Reach]:
    yield from elements_of(call)
    bounds, dtype = call.bounds[0], call.types[0].dtype
    if bounds is not None and any(call.attributes.padding):
        yield Reach("|x|", largest(bounds), call.limit(dtype.fraction_bits, -1))


def _layers(call: Call) -> Iterator[Reach]:
    known = Known(call.bounds, call.types, call.result, call.attributes)
    bits = call.function_bits
    for place, (product, total) in enumerate(layer_sums(known) or (), 1):
        what = f"a sum of layer {place}"
        yield Reach(what, float(max(product, total)), call.limit(2 * bits, -1))


def _logistic(call: Call) -> Iterator[Reach]:
    """Xw, and the update (rate / n) Xᵀ r of residuals up to 1, before their truncations."""
    x, weights, bits = call.largest(0), call.largest(2), call.function_bits
    if x is None:
        return
    columns = call.types[0].shape[1]
    if weights is not None:
        yield Reach(
            f"the sum of {columns} products", float(columns * x * weights), call.limit(2 * bits, -1)
        )
    update = 1.001 * float(x) * call.attributes.learning_rate
    yield Reach("an update", update, call.limit(2 * bits + STEP_BITS, -1))


NORMALIZED = frozenset({"log", "log1p", "log2", "log10", "sqrt", "rsqrt", "reciprocal", "atan"})
"""Functions that normalise their operand by its leading bit."""

FUNCTIONS = NORMALIZED | {
    "exp", "expm1", "sigmoid", "tanh", "sinh", "cosh", "sin", "cos", "tan", "asin", "acos", "erf",
    "softplus", "silu", "gelu", "elu", "interp", "piecewise",
}  # fmt: skip
"""Functions of one number."""

FUNCTION_REACHES: Mapping[str, Reaches] = {
    **dict.fromkeys(FUNCTIONS, _operand_of_function),
    **dict.fromkeys(("logaddexp", "softmax", "log_softmax", "logsumexp"), _spread),
    "leaky_relu": _leaky,
    "hypot": _square_sum,
    "atan2": _angle,
    "pow": _power,
    "polyval": _polynomial,
    "max_pool": _windows,
    "mlp_forward": _layers,
    "logistic_step": _logistic,
}
"""By name of the operation."""
