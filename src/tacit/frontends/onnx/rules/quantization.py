"""Small integers that stand for fractions: scales and zero points are public."""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.arrays import functions as tacit
from tacit.arrays.array import SecretArray
from tacit.encoding.types import DType, int64
from tacit.frontends.onnx.registry import Call, operator
from tacit.frontends.onnx.rules.convolution import convolved
from tacit.frontends.onnx.values import element_type, secret_type

__all__: list[str] = []


def _along(call: Call, values: Any, shape: tuple[int, ...]) -> Any:
    """One number for all, one for each place of an axis, or one for each block of places."""
    array = np.asarray(values)
    if array.ndim == 0 or array.size == 1:
        return array.reshape(())
    axis = call.get("axis", 1)
    block = call.get("block_size", 0)
    if block:
        spread = np.repeat(array, block, axis=axis)
        return spread[tuple(slice(0, extent) for extent in shape)]
    sizes = [1] * len(shape)
    sizes[axis] = array.size
    return array.reshape(sizes)


def _saturated(x: Any, target: DType) -> Any:
    """Whole numbers limited to what a type holds, in that type."""
    least, greatest = target.range or (0, 0)
    limited = tacit.clip(x, float(least), float(greatest)) if target.narrow else x
    return limited.astype(target)


@operator("QuantizeLinear", public=(1, 2))
def _quantize(call: Call, x: Any, scale: Any, zero: Any = None) -> Any:
    element = call.get("output_dtype", 0) or 2
    if zero is not None:
        element = element_type(call.raw[2])
    target = secret_type(element)
    if target is None or target.kind != "int":
        raise call.refuse("its type of 4 or 8 bits has no secret type")
    fractions = x if x.dtype.kind == "fixed" else x.astype(x.session.fractions)
    whole = tacit.round(fractions * (1 / _along(call, scale, x.shape)))
    return _saturated(whole if zero is None else whole + _along(call, zero, x.shape), target)


@operator("DynamicQuantizeLinear")
def _quantize_by_range(call: Call, x: Any) -> Any:
    """Scale and zero point come from the data, and are secret."""
    target = secret_type(2)
    assert target is not None
    least = tacit.minimum(tacit.min(x), 0)
    span = tacit.maximum(tacit.max(x), 0) - least
    scale = span * (1 / 255)
    # 255 / span once, instead of a division by the small scale for every element.
    factor = 255 / (span + (span == 0).astype(span.dtype))
    zero = tacit.clip(tacit.round(-least * factor), 0.0, 255.0)
    whole = tacit.round(x * factor) + zero
    return _saturated(whole, target), scale, zero.astype(target)


@operator("DequantizeLinear", public=(1, 2))
def _dequantize(call: Call, x: Any, scale: Any, zero: Any = None) -> Any:
    whole = x.astype(int64)
    if zero is not None:
        whole = whole - _along(call, zero, x.shape).astype(np.int64)
    return whole.astype(x.session.fractions) * _along(call, scale, x.shape)


# Products of integers.


def _centred(x: Any, zero: Any, *, rows: bool = False) -> Any:
    """Integers less their zero point, wide enough for products."""
    wide = x.astype(int64) if isinstance(x, SecretArray) else x.astype(np.int64)
    if zero is None:
        return wide
    point = np.asarray(zero).astype(np.int64)
    if rows and point.ndim == 1 and point.size > 1:
        point = point[:, None]
    return wide - point


@operator("MatMulInteger", public=(2, 3))
def _matmul_integer(call: Call, a: Any, b: Any, a_zero: Any = None, b_zero: Any = None) -> Any:
    product = _centred(a, a_zero, rows=True) @ _centred(b, b_zero)
    return product.astype(_int32())


def _int32() -> DType:
    target = secret_type(6)
    assert target is not None
    return target


@operator("ConvInteger", public=(2, 3))
def _conv_integer(call: Call, x: Any, w: Any, x_zero: Any = None, w_zero: Any = None) -> Any:
    return convolved(call, _centred(x, x_zero), _centred(w, _by_kernel(w_zero, w))).astype(_int32())


def _by_kernel(zero: Any, w: Any) -> Any:
    if zero is None or np.size(zero) == 1:
        return zero
    return np.asarray(zero).reshape((-1, *[1] * (w.ndim - 1)))


@operator("QLinearMatMul", public=(1, 2, 4, 5, 6, 7))
def _quantized_matmul(
    call: Call,
    a: Any,
    a_scale: Any,
    a_zero: Any,
    b: Any,
    b_scale: Any,
    b_zero: Any,
    scale: Any,
    zero: Any,
) -> Any:
    product = _centred(a, a_zero, rows=True) @ _centred(b, b_zero)
    return _requantized(call, product, a_scale * b_scale / scale, zero, call.raw[7])


@operator("QLinearConv", public=(1, 2, 4, 5, 6, 7))
def _quantized_conv(
    call: Call,
    x: Any,
    x_scale: Any,
    x_zero: Any,
    w: Any,
    w_scale: Any,
    w_zero: Any,
    scale: Any,
    zero: Any,
    bias: Any = None,
) -> Any:
    found = convolved(call, _centred(x, x_zero), _centred(w, _by_kernel(w_zero, w)))
    channels = (1, -1, *[1] * (x.ndim - 2))
    if bias is not None:
        found = found + bias.reshape(channels)
    factor = x_scale * w_scale / scale
    if np.size(factor) > 1:
        factor = factor.reshape(channels)
    return _requantized(call, found, factor, zero, call.raw[7])


def _requantized(call: Call, sums: Any, factor: Any, zero: Any, like: Any) -> Any:
    target = secret_type(element_type(np.asarray(like)))
    if target is None:
        raise call.refuse("its type has no secret type")
    whole = tacit.round(sums.astype(sums.session.fractions) * factor)
    return _saturated(whole + np.asarray(zero).astype(np.float64), target)
