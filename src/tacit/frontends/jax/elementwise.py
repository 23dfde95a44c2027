"""Arithmetic and elementary functions, element by element."""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.arrays import functions as tacit
from tacit.frontends.jax.masks import bounded
from tacit.frontends.jax.rules import Call, advised, rule
from tacit.frontends.jax.shapes import repeated
from tacit.frontends.jax.values import is_secret, plain, settled

__all__: list[str] = []


@rule("add", "add_any")
def _add(call: Call, x: Any, y: Any) -> Any:
    return settled(tacit.add(plain(x), plain(y)), call.dtype)


@rule("sub")
def _subtract(call: Call, x: Any, y: Any) -> Any:
    return settled(tacit.subtract(plain(x), plain(y)), call.dtype)


@rule("mul")
def _multiply(call: Call, x: Any, y: Any) -> Any:
    if call.equation.operands[0] is call.equation.operands[1]:
        return _square(call, x)
    return settled(tacit.multiply(plain(x), plain(y)), call.dtype)


@rule("neg")
def _negative(call: Call, x: Any) -> Any:
    return settled(tacit.negative(x), call.dtype)


@rule("div")
def _divide(call: Call, x: Any, y: Any) -> Any:
    if np.dtype(call.dtype).kind in "iu":
        return settled(_truncated(x, y), call.dtype)
    if not is_secret(y):
        divisor = plain(y)
        if not divisor.all():
            raise advised(
                call,
                "a secret is divided by a public 0.",
                "guard the public divisor, for instance with jnp.where(d == 0, 1, d).",
            )
        return tacit.divide(x, divisor)
    return tacit.divide(plain(x), y)


def _truncated(x: Any, y: Any) -> Any:
    """Whole quotients rounded to zero, as XLA has them."""
    negative = _below_zero(x)
    if not is_secret(y) and negative is None and (np.asarray(y) > 0).all():
        return tacit.floor_divide(x, plain(y))
    if not is_secret(y):
        divisor = np.abs(plain(y))
        quotient = tacit.floor_divide(tacit.abs(x), divisor)
        sign = np.sign(plain(y))
        return tacit.where(x < 0, -quotient, quotient) * sign
    whole = tacit.floor_divide(tacit.abs(x) if is_secret(x) else np.abs(plain(x)), tacit.abs(y))
    apart = (y < 0) ^ ((x < 0) if is_secret(x) else plain(x) < 0)
    return tacit.where(apart, -whole, whole)


def _below_zero(x: Any) -> bool | None:
    """None where public bounds rule out negative numbers."""
    bounds = getattr(x, "bounds", None)
    return None if bounds is not None and bounds[0] >= 0 else True


@rule("rem")
def _remainder(call: Call, x: Any, y: Any) -> Any:
    """With the sign of x, as C has it."""
    if not is_secret(y):
        divisor = np.abs(plain(y))
        if _below_zero(x) is None:
            return settled(tacit.remainder(x, divisor), call.dtype)
        rest = tacit.remainder(tacit.abs(x), divisor)
        return settled(tacit.where(x < 0, -rest, rest), call.dtype)
    magnitude = tacit.abs(x) if is_secret(x) else np.abs(plain(x))
    rest = tacit.remainder(magnitude, tacit.abs(y))
    return settled(tacit.where((x < 0) if is_secret(x) else plain(x) < 0, -rest, rest), call.dtype)


@rule("square")
def _square(call: Call, x: Any) -> Any:
    return settled(tacit.square(x), call.dtype)


@rule("one_minus_square")
def _one_minus_square(call: Call, x: Any) -> Any:
    return 1 - _square(call, x)


@rule("integer_pow")
def _integer_power(call: Call, x: Any) -> Any:
    exponent = call["y"]
    if exponent == 2:
        return _square(call, x)
    if exponent == -1:
        return tacit.reciprocal(x)
    return settled(tacit.pow(x, exponent), call.dtype)


@rule("pow")
def _power(call: Call, x: Any, y: Any) -> Any:
    if is_secret(y):
        return tacit.pow(plain(x), y)
    exponents = plain(y)
    whole = exponents.size and (exponents == exponents.flat[0]).all()
    if whole and float(exponents.flat[0]).is_integer():
        return settled(tacit.pow(x, int(exponents.flat[0])), call.dtype)
    if whole and exponents.flat[0] == 0.5:
        return tacit.sqrt(x)
    if whole and exponents.flat[0] == -0.5:
        return tacit.rsqrt(x)
    return tacit.pow(x, exponents)


@rule("abs")
def _abs(call: Call, x: Any) -> Any:
    return tacit.abs(x)


@rule("sign")
def _sign(call: Call, x: Any) -> Any:
    return tacit.sign(x)


@rule("max")
def _maximum(call: Call, x: Any, y: Any) -> Any:
    return _extreme(call, x, y, tacit.maximum, -np.inf)


@rule("min")
def _minimum(call: Call, x: Any, y: Any) -> Any:
    return _extreme(call, x, y, tacit.minimum, np.inf)


def _extreme(call: Call, x: Any, y: Any, function: Any, never: float) -> Any:
    secret, public = (x, y) if is_secret(x) else (y, x)
    if is_secret(public):
        if public.dtype.kind == "bool":
            return x | y if never < 0 else x & y
        return function(x, y)
    values = plain(public)
    if values.dtype.kind == "b":
        return secret | values if never < 0 else secret & values
    if values.dtype.kind == "f" and (values == never).all():
        return repeated(secret, call.shape)
    if never < 0 and values.dtype.kind == "f" and not values.any():
        return repeated(tacit.relu(secret), call.shape)
    # Beyond what a secret can be, an operand of an extreme decides alone: the nearest edge does.
    return function(secret, bounded(values, secret))


@rule("clamp")
def _clamp(call: Call, low: Any, x: Any, high: Any) -> Any:
    if not is_secret(x):
        x = tacit.broadcast_to(tacit.maximum(low, plain(x)), call.shape) if is_secret(low) else x
        if not is_secret(x):
            return tacit.minimum(np.maximum(plain(x), plain(low)), high)
        return tacit.minimum(x, bounded(plain(high), x))
    ends = [end if is_secret(end) else bounded(plain(end), x) for end in (low, high)]
    if all(not is_secret(end) and np.size(end) and np.ptp(end) == 0 for end in ends):
        return tacit.clip(x, *(end.flat[0].item() for end in ends))
    return tacit.minimum(tacit.maximum(x, ends[0]), ends[1])


# Rounding.


@rule("floor")
def _floor(call: Call, x: Any) -> Any:
    return tacit.floor(x)


@rule("ceil")
def _ceil(call: Call, x: Any) -> Any:
    return tacit.ceil(x)


@rule("round")
def _round(call: Call, x: Any) -> Any:
    if int(call["rounding_method"]) == 1:
        return tacit.round(x)
    return tacit.sign(x) * tacit.floor(tacit.abs(x) + 0.5)


# Functions of one number.

_SAME = {
    "acos": tacit.acos,
    "asin": tacit.asin,
    "atan": tacit.atan,
    "cos": tacit.cos,
    "cosh": tacit.cosh,
    "erf": tacit.erf,
    "exp": tacit.exp,
    "expm1": tacit.expm1,
    "log": tacit.log,
    "log1p": tacit.log1p,
    "log2": tacit.log2,
    "logistic": tacit.sigmoid,
    "rsqrt": tacit.rsqrt,
    "sin": tacit.sin,
    "sinh": tacit.sinh,
    "sqrt": tacit.sqrt,
    "tan": tacit.tan,
    "tanh": tacit.tanh,
}


def _register(name: str, function: Any) -> None:
    @rule(name)
    def apply(call: Call, x: Any, *_: Any) -> Any:
        return function(x)


for _name, _function in _SAME.items():
    _register(_name, _function)


@rule("atan2")
def _atan2(call: Call, y: Any, x: Any) -> Any:
    return tacit.atan2(plain(y), plain(x))


@rule("exp2")
def _exp2(call: Call, x: Any) -> Any:
    return tacit.pow(2.0, x)


@rule("cbrt")
def _cbrt(call: Call, x: Any) -> Any:
    return tacit.sign(x) * tacit.pow(tacit.abs(x), 1 / 3)


@rule("erfc")
def _erfc(call: Call, x: Any) -> Any:
    return 1.0 - tacit.erf(x)


@rule("asinh")
def _asinh(call: Call, x: Any) -> Any:
    size = tacit.abs(x)
    return tacit.sign(x) * tacit.log(size + tacit.sqrt(tacit.square(x) + 1.0))


@rule("acosh")
def _acosh(call: Call, x: Any) -> Any:
    return tacit.log(x + tacit.sqrt(tacit.square(x) - 1.0))


@rule("atanh")
def _atanh(call: Call, x: Any) -> Any:
    return 0.5 * (tacit.log1p(x) - tacit.log1p(-x))
