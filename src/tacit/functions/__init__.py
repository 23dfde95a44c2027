"""Functions on secret numbers, written once over any protocol's primitives.

Each is a generator that takes a party and sharings; fixed-point functions also take the number
of fractional bits. May import ``protocols``, ``rounds``, ``circuits``, ``encoding`` and below.
Start with ``comparison.py``, then ``piecewise.py`` and ``normalization.py``.
"""

from tacit.functions.accuracy import ACCURACY, Accuracy
from tacit.functions.activations import elu, erf, gelu, leaky_relu, logaddexp, silu, softplus
from tacit.functions.comparison import (
    equal,
    greater,
    greater_equal,
    is_negative,
    is_zero,
    less,
    less_equal,
    less_far,
    not_equal,
)
from tacit.functions.division import divide, reciprocal
from tacit.functions.exponential import exp
from tacit.functions.hyperbolic import cosh, expm1, sinh
from tacit.functions.integers import wrapped
from tacit.functions.inverse_trigonometry import acos, asin, atan, atan2
from tacit.functions.logarithm import log, log1p, log2, log10
from tacit.functions.powers import (
    integer_power,
    power,
    power_of_public,
    public_power,
    square,
)
from tacit.functions.products import cumulative_prod, prod
from tacit.functions.public_polynomials import polyval
from tacit.functions.quotients import floor_divide, floor_divide_public, shift_right
from tacit.functions.roots import hypot, rsqrt, sqrt
from tacit.functions.rounding import ceil, floor, round_half_even, trunc
from tacit.functions.selection import absolute, clip, copysign, maximum, minimum, relu, sign, where
from tacit.functions.sigmoid import sigmoid, tanh
from tacit.functions.softmax import log_softmax, logsumexp, softmax
from tacit.functions.trigonometry import cos, sin, tan

__all__ = [
    "ACCURACY",
    "Accuracy",
    "absolute",
    "acos",
    "asin",
    "atan",
    "atan2",
    "ceil",
    "clip",
    "copysign",
    "cos",
    "cosh",
    "cumulative_prod",
    "divide",
    "elu",
    "equal",
    "erf",
    "exp",
    "expm1",
    "floor",
    "floor_divide",
    "floor_divide_public",
    "gelu",
    "greater",
    "greater_equal",
    "hypot",
    "integer_power",
    "is_negative",
    "is_zero",
    "leaky_relu",
    "less",
    "less_equal",
    "less_far",
    "log",
    "log1p",
    "log2",
    "log10",
    "log_softmax",
    "logaddexp",
    "logsumexp",
    "maximum",
    "minimum",
    "not_equal",
    "polyval",
    "power",
    "power_of_public",
    "prod",
    "public_power",
    "reciprocal",
    "relu",
    "round_half_even",
    "rsqrt",
    "shift_right",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "sinh",
    "softmax",
    "softplus",
    "sqrt",
    "square",
    "tan",
    "tanh",
    "trunc",
    "where",
    "wrapped",
]
