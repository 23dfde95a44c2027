"""Functions on secret numbers, written once over any protocol's primitives.

Each is a generator that takes a party and sharings; fixed-point functions also take the number
of fractional bits. May import ``protocols``, ``rounds``, ``circuits``, ``encoding`` and below.
Start with ``comparison.py``, then ``piecewise.py`` and ``normalization.py``.
"""

from tacit.functions.accuracy import ACCURACY, Accuracy
from tacit.functions.comparison import (
    equal,
    greater,
    greater_equal,
    is_negative,
    is_zero,
    less,
    less_equal,
    not_equal,
)
from tacit.functions.division import divide, reciprocal
from tacit.functions.exponential import exp
from tacit.functions.logarithm import log
from tacit.functions.roots import rsqrt, sqrt
from tacit.functions.selection import absolute, clip, maximum, minimum, relu, sign, where
from tacit.functions.sigmoid import sigmoid, tanh

__all__ = [
    "ACCURACY",
    "Accuracy",
    "absolute",
    "clip",
    "divide",
    "equal",
    "exp",
    "greater",
    "greater_equal",
    "is_negative",
    "is_zero",
    "less",
    "less_equal",
    "log",
    "maximum",
    "minimum",
    "not_equal",
    "reciprocal",
    "relu",
    "rsqrt",
    "sigmoid",
    "sign",
    "sqrt",
    "tanh",
    "where",
]
