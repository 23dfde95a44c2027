"""Comparisons, choices, booleans, and bits of integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.arrays import functions as tacit
from tacit.arrays.array import SecretArray
from tacit.frontends.onnx.registry import Call, operator

__all__: list[str] = []


def _boolean(x: Any) -> bool:
    kind = x.dtype.kind
    return kind in ("bool", "b")


@operator("Equal")
def _equal(call: Call, a: Any, b: Any) -> Any:
    b = call.aligned(a, b)
    if _boolean(a):
        return ~(a ^ b)
    return tacit.equal(a, b)


@operator("Greater")
def _greater(call: Call, a: Any, b: Any) -> Any:
    return tacit.greater(a, call.aligned(a, b))


@operator("GreaterOrEqual")
def _greater_equal(call: Call, a: Any, b: Any) -> Any:
    return tacit.greater_equal(a, b)


@operator("Less")
def _less(call: Call, a: Any, b: Any) -> Any:
    return tacit.less(a, call.aligned(a, b))


@operator("LessOrEqual")
def _less_equal(call: Call, a: Any, b: Any) -> Any:
    return tacit.less_equal(a, b)


@operator("And", "BitwiseAnd")
def _and(call: Call, a: Any, b: Any) -> Any:
    return a & call.aligned(a, b)


@operator("Or", "BitwiseOr")
def _or(call: Call, a: Any, b: Any) -> Any:
    return a | call.aligned(a, b)


@operator("Xor", "BitwiseXor")
def _xor(call: Call, a: Any, b: Any) -> Any:
    return a ^ call.aligned(a, b)


@operator("Not", "BitwiseNot", since=1)
def _not(call: Call, x: Any) -> Any:
    return ~x


@operator("BitShift")
def _shift(call: Call, x: Any, distance: Any) -> Any:
    if call.text("direction", "LEFT") == "LEFT":
        return tacit.bitwise_left_shift(x, distance)
    return tacit.bitwise_right_shift(x, distance)


@operator("Where")
def _where(call: Call, condition: Any, a: Any, b: Any) -> Any:
    return tacit.where(condition, a, b)


@operator("IsNaN")
def _is_nan(call: Call, x: Any) -> Any:
    """False everywhere, and public: no secret is NaN."""
    return np.zeros(x.shape, np.bool_)


@operator("IsInf")
def _is_infinite(call: Call, x: Any) -> Any:
    """False everywhere, and public: no secret is infinite."""
    return np.zeros(x.shape, np.bool_)


@operator("BitCast")
def _bit_cast(call: Call, x: Any) -> Any:
    from tacit.frontends.onnx.values import secret_type

    target = secret_type(call.get("to"))
    assert isinstance(x, SecretArray)
    whole = target is not None and target.kind == x.dtype.kind == "int"
    if target is None or not (whole and target.bits == x.dtype.bits):
        raise call.refuse("bits are read as another type only between integers of one width")
    return x.astype(target)
