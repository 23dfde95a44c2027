"""tacit: compute together, reveal nothing.

Several parties compute on arrays that none of them shows to the others; only what is revealed,
to the agreed recipients, becomes known. Start with :func:`tacit.local`.
"""

from __future__ import annotations

import importlib
from typing import Any

from tacit import errors
from tacit.arrays import Computation, SecretArray, local
from tacit.arrays.functions import (
    abs,
    add,
    astype,
    bitwise_and,
    bitwise_invert,
    bitwise_or,
    bitwise_xor,
    broadcast_to,
    concat,
    concatenate,
    divide,
    equal,
    exp,
    greater,
    greater_equal,
    less,
    less_equal,
    log,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    matmul,
    matrix_transpose,
    maximum,
    mean,
    minimum,
    multiply,
    negative,
    not_equal,
    permute_dims,
    reciprocal,
    relu,
    reshape,
    sigmoid,
    sqrt,
    stack,
    subtract,
    sum,
    tanh,
    where,
)
from tacit.encoding import DType, fixed, fixed_point, int64
from tacit.encoding import bool_ as bool
from tacit.network import NetworkSettings
from tacit.protocols import SecurityModel
from tacit.rounds import LAN, METRO, WAN, Cost

__all__ = [
    "LAN",
    "METRO",
    "WAN",
    "Computation",
    "Cost",
    "DType",
    "NetworkSettings",
    "SecretArray",
    "SecurityModel",
    "abs",
    "add",
    "astype",
    "bitwise_and",
    "bitwise_invert",
    "bitwise_or",
    "bitwise_xor",
    "bool",
    "broadcast_to",
    "concat",
    "concatenate",
    "divide",
    "equal",
    "errors",
    "exp",
    "fixed",
    "fixed_point",
    "greater",
    "greater_equal",
    "int64",
    "less",
    "less_equal",
    "local",
    "log",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "matmul",
    "matrix_transpose",
    "maximum",
    "mean",
    "minimum",
    "multiply",
    "negative",
    "not_equal",
    "permute_dims",
    "reciprocal",
    "relu",
    "reshape",
    "sigmoid",
    "sqrt",
    "stack",
    "subtract",
    "sum",
    "tanh",
    "where",
]

_ON_DEMAND = ("ml",)


def __getattr__(name: str) -> Any:
    if name in _ON_DEMAND:
        return importlib.import_module(f"tacit.{name}")
    if name == "__version__":
        from importlib.metadata import version

        return version("tacit")
    raise AttributeError(f"module 'tacit' has no attribute {name!r}")
