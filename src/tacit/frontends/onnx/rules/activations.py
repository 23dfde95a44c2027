"""Functions of one number: elementary ones and those between layers."""

from __future__ import annotations

from collections.abc import Callable
from math import pi, prod, sqrt
from typing import Any

from tacit.arrays import functions as tacit
from tacit.frontends.onnx.registry import Call, operator

__all__ = ["ACTIVATIONS"]


def _plain(name: str, function: Callable[[Any], Any]) -> None:
    def apply(call: Call, x: Any) -> Any:
        return function(x)

    apply.__doc__ = function.__doc__
    operator(name)(apply)


for _name, _function in {
    "Acos": tacit.acos,
    "Asin": tacit.asin,
    "Atan": tacit.atan,
    "Ceil": tacit.ceil,
    "Cos": tacit.cos,
    "Cosh": tacit.cosh,
    "Erf": tacit.erf,
    "Exp": tacit.exp,
    "Floor": tacit.floor,
    "Log": tacit.log,
    "Reciprocal": tacit.reciprocal,
    "Relu": tacit.relu,
    "Round": tacit.round,
    "Sigmoid": tacit.sigmoid,
    "Sin": tacit.sin,
    "Sinh": tacit.sinh,
    "Softplus": tacit.softplus,
    "Sqrt": tacit.sqrt,
    "Tan": tacit.tan,
    "Tanh": tacit.tanh,
}.items():
    _plain(_name, _function)


@operator("Acosh")
def _acosh(call: Call, x: Any) -> Any:
    return tacit.log(x + tacit.sqrt(tacit.square(x) - 1))


@operator("Asinh")
def _asinh(call: Call, x: Any) -> Any:
    magnitude = tacit.abs(x)
    return tacit.sign(x) * tacit.log(magnitude + tacit.sqrt(tacit.square(x) + 1))


@operator("Atanh")
def _atanh(call: Call, x: Any) -> Any:
    return 0.5 * (tacit.log1p(x) - tacit.log1p(-x))


@operator("LeakyRelu")
def _leaky(call: Call, x: Any) -> Any:
    return tacit.leaky_relu(x, call.get("alpha", 0.01))


@operator("PRelu")
def _parametric(call: Call, x: Any, slope: Any) -> Any:
    if call.version < 7 and slope.ndim == 1 and slope.size > 1:
        slope = slope.reshape((-1, *[1] * (x.ndim - 2)))  # one number a channel
    positive = tacit.relu(x)
    return positive + slope * (x - positive)


@operator("Elu")
def _elu(call: Call, x: Any) -> Any:
    return tacit.elu(x, call.get("alpha", 1.0))


@operator("Celu")
def _celu(call: Call, x: Any) -> Any:
    alpha = call.get("alpha", 1.0)
    positive = tacit.relu(x)
    return positive + tacit.elu((x - positive) * (1 / alpha), alpha)


@operator("Selu")
def _selu(call: Call, x: Any) -> Any:
    alpha = call.get("alpha", 1.67326319217681884765625)
    return call.get("gamma", 1.05070102214813232421875) * tacit.elu(x, alpha)


@operator("ThresholdedRelu")
def _thresholded(call: Call, x: Any) -> Any:
    return tacit.where(x > call.get("alpha", 1.0), x, 0)


@operator("Shrink")
def _shrink(call: Call, x: Any) -> Any:
    limit, bias = call.get("lambd", 0.5), call.get("bias", 0.0)
    below = tacit.where(x < -limit, x + bias, 0)
    return tacit.where(x > limit, x - bias, below).astype(x.dtype)


@operator("HardSigmoid")
def _hard_sigmoid(call: Call, x: Any) -> Any:
    return tacit.clip(x * call.get("alpha", 0.2) + call.get("beta", 0.5), 0.0, 1.0)


@operator("HardSwish")
def _hard_swish(call: Call, x: Any) -> Any:
    return x * tacit.clip(x * (1 / 6) + 0.5, 0.0, 1.0)


@operator("Mish")
def _mish(call: Call, x: Any) -> Any:
    return x * tacit.tanh(tacit.softplus(x))


@operator("Swish")
def _swish(call: Call, x: Any) -> Any:
    return x * tacit.sigmoid(x * call.get("alpha", 1.0))


@operator("Softsign")
def _softsign(call: Call, x: Any) -> Any:
    return x / (tacit.abs(x) + 1)


@operator("Gelu")
def _gelu(call: Call, x: Any) -> Any:
    if call.text("approximate", "none") != "tanh":
        return tacit.gelu(x)
    inner = x + 0.044715 * (x * tacit.square(x))
    return 0.5 * x * (1 + tacit.tanh(inner * sqrt(2 / pi)))


# Along an axis.


def _by_rows(call: Call, x: Any, function: Callable[..., Any]) -> Any:
    """Before version 13 all axes from the given one on are one row."""
    if call.version >= 13:
        return function(x, axis=call.get("axis", -1))
    axis = call.get("axis", 1) % max(1, x.ndim)
    rows = x.reshape((prod(x.shape[:axis]), prod(x.shape[axis:])))
    return function(rows, axis=-1).reshape(x.shape)


@operator("Softmax")
def _softmax(call: Call, x: Any) -> Any:
    return _by_rows(call, x, tacit.softmax)


@operator("LogSoftmax")
def _log_softmax(call: Call, x: Any) -> Any:
    return _by_rows(call, x, tacit.log_softmax)


@operator("Hardmax")
def _hardmax(call: Call, x: Any) -> Any:
    return _by_rows(call, x, _hard)


def _hard(x: Any, axis: int) -> Any:
    found = tacit.one_hot(tacit.argmax(x, axis=axis), x.shape[axis])
    return tacit.moveaxis(found.astype(x.dtype), -1, axis)


# Of recurrent layers, by name.


def _affine(x: Any, alpha: float, beta: float) -> Any:
    return x * alpha + beta


ACTIVATIONS: dict[str, tuple[Callable[..., Any], tuple[float, ...]]] = {
    "Relu": (tacit.relu, ()),
    "Tanh": (tacit.tanh, ()),
    "Sigmoid": (tacit.sigmoid, ()),
    "Affine": (_affine, (1.0, 0.0)),
    "LeakyRelu": (tacit.leaky_relu, (0.01,)),
    "ThresholdedRelu": (lambda x, alpha: tacit.where(x > alpha, x, 0), (1.0,)),
    "ScaledTanh": (lambda x, alpha, beta: alpha * tacit.tanh(x * beta), (1.0, 1.0)),
    "HardSigmoid": (lambda x, a, b: tacit.clip(x * a + b, 0.0, 1.0), (0.2, 0.5)),
    "Elu": (tacit.elu, (1.0,)),
    "Softsign": (lambda x: x / (tacit.abs(x) + 1), ()),
    "Softplus": (tacit.softplus, ()),
}
"""Each with what its parameters are where they are missing."""
