"""Sums, products, quotients, powers, extremes, element by element."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np

from tacit.arrays import functions as tacit
from tacit.arrays.array import SecretArray
from tacit.frontends.onnx.registry import Call, operator
from tacit.frontends.onnx.values import secretly, session_of

__all__: list[str] = []


@operator("Add")
def _add(call: Call, a: Any, b: Any) -> Any:
    return a + call.aligned(a, b)


@operator("Sub")
def _subtract(call: Call, a: Any, b: Any) -> Any:
    return a - call.aligned(a, b)


@operator("Mul")
def _multiply(call: Call, a: Any, b: Any) -> Any:
    return a * call.aligned(a, b)


@operator("Div")
def _divide(call: Call, a: Any, b: Any) -> Any:
    """Integers are divided as in C: the quotient loses its fraction."""
    b = call.aligned(a, b)
    if a.dtype.kind in "fb" or (isinstance(a, SecretArray) and a.dtype.kind == "fixed"):
        return a / b
    if not _signed(a) and not _signed(b):
        return tacit.floor_divide(a, b)
    return tacit.floor_divide(_magnitude(a), _magnitude(b)) * (_sign(a) * _sign(b))


def _signed(x: Any) -> bool:
    return bool(x.dtype.signed) if isinstance(x, SecretArray) else x.dtype.kind == "i"


def _magnitude(x: Any) -> Any:
    return tacit.abs(x) if isinstance(x, SecretArray) else np.abs(x)


def _sign(x: Any) -> Any:
    return tacit.sign(x) if isinstance(x, SecretArray) else np.sign(x)


@operator("Mod")
def _remainder(call: Call, a: Any, b: Any) -> Any:
    """The sign is the divisor's, or with fmod = 1 the dividend's."""
    if not call.get("fmod", 0):
        return tacit.remainder(a, b)
    return tacit.remainder(_magnitude(a), _magnitude(b)) * _sign(a)


@operator("Pow")
def _power(call: Call, base: Any, exponent: Any) -> Any:
    """The result has the base's type."""
    whole = base.dtype.kind in ("int", "i", "u")
    if isinstance(exponent, np.ndarray):
        if (exponent == np.floor(exponent)).all() and (np.abs(exponent) < 64).all():
            if exponent.size == 1:
                power = tacit.pow(base, int(exponent.item()))
                shape = np.broadcast_shapes(base.shape, exponent.shape)
                return power if power.shape == shape else power.reshape(shape)
            return tacit.pow(base, exponent.astype(np.int64))
        root = {0.5: tacit.sqrt, -0.5: tacit.rsqrt}.get(float(exponent.ravel()[0]))
        if root is not None and exponent.size == 1 and not whole:
            return root(base).reshape(np.broadcast_shapes(base.shape, exponent.shape))
    session = session_of(base, exponent)
    fine = session.fractions
    numbers = secretly(base, session).astype(fine) if isinstance(base, SecretArray) else base
    if isinstance(exponent, SecretArray):
        exponent = exponent.astype(fine)
    power = tacit.pow(numbers, exponent)
    if not whole:
        return power
    target = base.dtype if isinstance(base, SecretArray) else secretly(base, session).dtype
    return tacit.round(power).astype(target)


@operator("Neg")
def _negative(call: Call, x: Any) -> Any:
    return -x


@operator("Abs")
def _absolute(call: Call, x: Any) -> Any:
    return tacit.abs(x)


@operator("Sign")
def _sign_of(call: Call, x: Any) -> Any:
    return tacit.sign(x)


@operator("Sum")
def _sum(call: Call, *arrays: Any) -> Any:
    return reduce(lambda a, b: a + b, arrays)


@operator("Mean")
def _mean(call: Call, *arrays: Any) -> Any:
    return reduce(lambda a, b: a + b, arrays) * (1 / len(arrays))


@operator("Max")
def _largest(call: Call, *arrays: Any) -> Any:
    return reduce(_maximum, arrays)


@operator("Min")
def _least(call: Call, *arrays: Any) -> Any:
    return reduce(_minimum, arrays)


def _maximum(a: Any, b: Any) -> Any:
    secret = isinstance(a, SecretArray) or isinstance(b, SecretArray)
    return tacit.maximum(a, b) if secret else np.maximum(a, b)


def _minimum(a: Any, b: Any) -> Any:
    secret = isinstance(a, SecretArray) or isinstance(b, SecretArray)
    return tacit.minimum(a, b) if secret else np.minimum(a, b)


_BEYOND = float(1 << 40)


@operator("Clip")
def _clip(call: Call, x: Any, low: Any = None, high: Any = None) -> Any:
    """Limits that no number of the type reaches are left away."""
    if call.version < 11:
        low, high = call.get("min"), call.get("max")
        raw = (low, high)
    else:
        raw = (*call.raw[1:], None, None)[:2]
    low, high = (
        None if limit is None or _far(given) else limit
        for limit, given in zip((low, high), raw, strict=True)
    )
    if low is not None:
        x = _maximum(x, low)
    return x if high is None else _minimum(x, high)


def _far(limit: Any) -> bool:
    return not isinstance(limit, SecretArray) and bool((np.abs(np.float64(limit)) > _BEYOND).all())
