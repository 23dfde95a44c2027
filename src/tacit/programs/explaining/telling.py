"""What the result of an operation that is not linear tells about its operands.

Read as: somebody who knows the result, and all operands but one, learns …
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from tacit.programs.explaining.values import How, Value

__all__ = ["COMPARISONS", "TRAINING", "how_of"]

COMPARISONS: Final = frozenset(
    {"less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "isin", "sign",
     "any", "all"}
)  # fmt: skip

TRAINING: Final = frozenset({"logistic_step", "mlp_step", "solve", "lstsq", "leading_eigenvectors"})
"""Operations whose results are fitted to their operands."""

_INVERTIBLE: Final = frozenset(
    {"exp", "expm1", "log", "log1p", "log2", "log10", "sqrt", "reciprocal", "rsqrt", "sigmoid",
     "tanh", "sinh", "asin", "acos", "atan", "erf", "softplus", "tan", "elu", "leaky_relu",
     "inv", "cholesky", "cumulative_prod", "reshape", "transpose", "roll", "broadcast_to",
     "concatenate", "stack", "negative", "astype", "unbounded", "tile", "repeat", "pad",
     "cumulative_sum", "bitwise_invert", "one_hot", "add", "subtract", "log_softmax", "softmax",
     "mean", "constant"}
)  # fmt: skip
_SIGN: Final = frozenset({"square", "abs", "cosh", "hypot", "copysign"})
_BITS: Final = frozenset({"bitwise_and", "bitwise_or", "bitwise_xor", "bit_chain"})
_PART: Final = frozenset(
    {"relu", "clip", "silu", "gelu", "sin", "cos", "floor", "ceil", "round", "trunc",
     "bitwise_right_shift", "interp", "piecewise", "polyval", "dynamic_slice", "take",
     "dynamic_update_slice", "tril", "triu", "diagonal", "getitem", "take_secret", "where",
     "remainder", "floor_divide", "divmod", "bitwise_left_shift"}
)  # fmt: skip
_ORDER: Final = frozenset({"sort", "shuffle", "sort_by", "topk"})
_EXTREME: Final = frozenset({"max", "min", "median", "quantile", "max_pool", "maximum", "minimum"})
_INDEX: Final = frozenset(
    {"argmax", "argmin", "argsort", "lexsort", "class_of_largest", "searchsorted"}
)


def how_of(name: str, attributes: Any, operands: Sequence[Value], place: int) -> How:
    """What a result of an operation tells, the worst case of what is known about it.

    Parameters
    ----------
    name, attributes, operands
        The operation.
    place : int
        Which of its results.
    """
    secret = [one for one in operands if one.inputs]
    if name in COMPARISONS:
        return "bit"
    if name in _BITS:
        return _of_bits(name, operands, secret)
    if name in _INVERTIBLE:
        return _invertible(name, secret)
    if name in _SIGN:
        return "sign" if len(secret) == 1 else "product"
    if name in ("maximum", "minimum") and len(secret) == 1:
        return "part"
    if name in _PART:
        return "part"
    if (name == "topk" and place) or name in _INDEX:
        return "index"
    if name in _ORDER:
        return "order"
    if name in _EXTREME:
        return "extreme"
    if name == "pow":
        return _power(operands)
    if name in ("multiply", "divide"):
        if len(secret) > 1:
            return "product"
        return _by_public(name, operands)
    if name in ("matmul", "convolution"):
        return "product" if len(secret) > 1 else "opaque"
    return "opaque"


def _of_bits(name: str, operands: Sequence[Value], secret: Sequence[Value]) -> How:
    """Of yes-or-nos one bit; of whole numbers some of their bits, or all."""
    if name == "bitwise_xor":
        return "product" if len(secret) > 1 else "invertible"
    return "part" if any(one.type.dtype.kind == "int" for one in operands) else "bit"


def _invertible(name: str, secret: Sequence[Value]) -> How:
    if name in ("add", "subtract", "concatenate", "stack", "broadcast_to", "mean"):
        return "opaque" if len(secret) != 1 or name == "mean" else "invertible"
    if name == "astype":
        return "part"
    if name in ("softmax", "log_softmax"):
        return "opaque"
    return "invertible"


def _power(operands: Sequence[Value]) -> How:
    base, exponent = operands
    if exponent.inputs or exponent.known is None:
        return "product" if exponent.inputs and base.inputs else "invertible"
    whole = (exponent.known == np.rint(exponent.known)).all()
    even = whole and (exponent.known % 2 == 0).any()
    return "sign" if even else "invertible"


def _by_public(name: str, operands: Sequence[Value]) -> How:
    """A product with public numbers that could not be written as coefficients."""
    public = operands[1] if operands[0].inputs else operands[0]
    if name == "divide" and operands[1].inputs:
        return "invertible"
    if public.known is not None and not public.known.all():
        return "part"
    return "invertible"
