"""Integers that become fixed point without meeting any: with how many fractional bits.

Type rules see types alone, and give ``tacit.fixed`` where integers alone become fractions. In a
session whose floats have other fractional bits, such integers are converted to its type first, as
if ``n.astype(mpc.fixed)`` had been written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tacit.encoding.types import DType, fixed
from tacit.operations.types import ArrayType

__all__ = ["becoming_fractions"]

_NUMBERS: Final = frozenset({
    "acos", "add", "asin", "atan", "atan2", "avg_pool", "cholesky", "clip", "concatenate",
    "convolution", "copysign", "cos", "cosh", "cumulative_prod", "det", "divide", "divmod",
    "elu", "erf", "exp", "expm1", "floor_divide", "gelu", "hypot", "interp", "inv",
    "leading_eigenvectors", "leaky_relu", "log", "log10", "log1p", "log2", "log_softmax",
    "logaddexp", "logsumexp", "lstsq", "matmul", "maximum", "mean", "median", "minimum",
    "multiply", "piecewise", "polyval", "pow", "prod", "quantile", "reciprocal", "remainder",
    "rsqrt", "sigmoid", "silu", "sin", "sinh", "softmax", "softplus", "solve", "sqrt", "stack",
    "subtract", "tan", "tanh", "var", "where",
})  # fmt: skip
"""Operations whose integer operands are the numbers that they compute with."""

_OF_BOOLEANS: Final = frozenset({"mean", "var"})
"""Those that count booleans."""


def becoming_fractions(
    name: str, types: Sequence[ArrayType], results: Sequence[ArrayType], fractions: DType
) -> list[int]:
    """The places of operands to be converted to a session's fixed point first.

    Parameters
    ----------
    name : str
        The operation's.
    types, results : sequence of ArrayType
        Of its operands, and what its rule gives for them.
    fractions : DType
        What floats are in the session.
    """
    if fractions == fixed or name not in _NUMBERS or all(r.dtype != fixed for r in results):
        return []
    secret = [place for place, t in enumerate(types) if not t.public]
    if any(types[place].dtype.kind == "fixed" for place in secret):
        return []
    kinds = ("int", "bool") if name in _OF_BOOLEANS else ("int",)
    numbers = [place for place in secret if types[place].dtype.kind in kinds]
    # A choice between public numbers has a secret condition alone.
    return numbers or [place for place, t in enumerate(types) if t.public][:1]
