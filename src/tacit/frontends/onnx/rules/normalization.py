"""Normalisation by statistics of batches, rows, channels."""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.arrays import functions as tacit
from tacit.arrays.array import SecretArray
from tacit.frontends.onnx.registry import Call, operator

__all__: list[str] = []


def _by_channel(values: Any, ndim: int) -> Any:
    return values.reshape((-1, *[1] * (ndim - 2)))


@operator("BatchNormalization")
def _batch(call: Call, x: Any, scale: Any, bias: Any, mean: Any, variance: Any) -> Any:
    epsilon = call.get("epsilon", 1e-5)
    if not call.get("training_mode", 0):
        if not isinstance(x, SecretArray):
            raise call.refuse("its first input is public and its parameters are secret")
        return tacit.batch_norm(x, mean, variance, scale, bias, eps=epsilon)
    axes = (0, *range(2, x.ndim))
    own_mean = tacit.mean(x, axis=axes)
    own_variance = tacit.var(x, axis=axes)
    kept = call.get("momentum", 0.9)
    result = tacit.batch_norm(x, own_mean, own_variance, scale, bias, eps=epsilon)
    new_mean = mean * kept + own_mean * (1 - kept)
    return result, new_mean, variance * kept + own_variance * (1 - kept)


def _standardised(x: Any, axes: tuple[int, ...], epsilon: float) -> tuple[Any, Any, Any]:
    """What is left of x, the mean and the reciprocal of the deviation, over axes."""
    mean = tacit.mean(x, axis=axes, keepdims=True)
    centred = x - mean
    variance = tacit.mean(tacit.square(centred), axis=axes, keepdims=True)
    inverse = tacit.rsqrt(variance + epsilon)
    return centred * inverse, mean, inverse


@operator("InstanceNormalization")
def _instance(call: Call, x: Any, scale: Any, bias: Any) -> Any:
    axes = tuple(range(2, x.ndim))
    standard, _, _ = _standardised(x, axes, call.get("epsilon", 1e-5))
    return standard * _by_channel(scale, x.ndim) + _by_channel(bias, x.ndim)


@operator("LayerNormalization", since=1)
def _layer(call: Call, x: Any, scale: Any, bias: Any = None) -> Any:
    axis = call.get("axis", -1) % x.ndim
    axes = tuple(range(axis, x.ndim))
    standard, mean, inverse = _standardised(x, axes, call.get("epsilon", 1e-5))
    result = standard * scale
    return (result if bias is None else result + bias), mean, inverse


@operator("GroupNormalization", since=18)
def _group(call: Call, x: Any, scale: Any, bias: Any) -> Any:
    groups = call.get("num_groups")
    parts = x.reshape((x.shape[0], groups, -1))
    standard, _, _ = _standardised(parts, (2,), call.get("epsilon", 1e-5))
    if scale.shape[0] == groups != x.shape[1]:  # before version 21: one number a group
        standard = standard * scale.reshape((-1, 1)) + bias.reshape((-1, 1))
        return standard.reshape(x.shape)
    whole = standard.reshape(x.shape)
    return whole * _by_channel(scale, x.ndim) + _by_channel(bias, x.ndim)


@operator("RMSNormalization", since=23)
def _root_mean_square(call: Call, x: Any, scale: Any) -> Any:
    axis = call.get("axis", -1) % x.ndim
    axes = tuple(range(axis, x.ndim))
    mean = tacit.mean(tacit.square(x), axis=axes, keepdims=True)
    return x * tacit.rsqrt(mean + call.get("epsilon", 1e-5)) * scale


@operator("MeanVarianceNormalization")
def _mean_variance(call: Call, x: Any) -> Any:
    axes = tuple(call.get("axes") or (0, 2, 3))
    mean = tacit.mean(x, axis=axes, keepdims=True)
    centred = x - mean
    variance = tacit.mean(tacit.square(centred), axis=axes, keepdims=True)
    return centred * tacit.rsqrt(variance + 1e-6)


@operator("LpNormalization")
def _lp(call: Call, x: Any) -> Any:
    """Rows of zeros stay zero."""
    axis = call.get("axis", -1)
    if call.get("p", 2) == 1:
        size = tacit.sum(tacit.abs(x), axis=axis, keepdims=True)
    else:
        size = tacit.sqrt(tacit.sum(tacit.square(x), axis=axis, keepdims=True))
    return x / (size + (size == 0).astype(size.dtype))


@operator("LRN")
def _local_response(call: Call, x: Any) -> Any:
    """Each number over a power of the sum of squares in channels around it."""
    size, alpha = call.get("size"), call.get("alpha", 1e-4)
    beta, bias = call.get("beta", 0.75), call.get("bias", 1.0)
    before, after = (size - 1) // 2, size - 1 - (size - 1) // 2
    widths = [(0, 0)] * x.ndim
    widths[1] = (before, after)
    squares = tacit.pad(tacit.square(x), widths)
    channels = x.shape[1]
    index = np.arange(channels)[:, None] + np.arange(size)
    summed = tacit.sum(squares[:, index], axis=2)
    around = summed * (alpha / size) + bias
    if beta == 0.75:
        root = tacit.rsqrt(around)
        return x * (root * tacit.sqrt(root))
    if beta == 0.5:
        return x * tacit.rsqrt(around)
    return x * tacit.exp(tacit.log(around) * -beta)
