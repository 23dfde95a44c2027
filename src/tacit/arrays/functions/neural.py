"""Layers of neural networks: normalised exponentials, convolutions, pooling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from tacit.arrays.array import Axis, SecretArray, applied, plain_axis, secret_operand

__all__ = [
    "avg_pool1d",
    "avg_pool2d",
    "batch_norm",
    "conv1d",
    "conv2d",
    "global_avg_pool",
    "global_max_pool",
    "log_softmax",
    "logsumexp",
    "max_pool1d",
    "max_pool2d",
    "softmax",
]

Steps: TypeAlias = int | Sequence[int]
"""One number for all spatial axes, or one for each."""


def softmax(x: SecretArray, /, *, axis: int = -1) -> SecretArray:
    """exp(x) over its sum along an axis; no exponential overflows."""
    return applied("softmax", x, axis=axis)


def log_softmax(x: SecretArray, /, *, axis: int = -1) -> SecretArray:
    """The logarithm of :func:`softmax`, from one logarithm a row."""
    return applied("log_softmax", x, axis=axis)


def logsumexp(x: SecretArray, /, *, axis: Axis = None, keepdims: bool = False) -> SecretArray:
    """log of the sum of exp(x) over axes, all of them by default."""
    return applied("logsumexp", x, axis=plain_axis(axis), keepdims=keepdims)


# Convolution.


def conv1d(
    x: Any,
    weight: Any,
    bias: Any = None,
    /,
    *,
    stride: Steps = 1,
    padding: Steps = 0,
    dilation: Steps = 1,
    groups: int = 1,
) -> SecretArray:
    """Kernels (O, C / groups, L) laid along series (N, C, length).

    Any of the arrays may be public. Bytes by the size of the result only; local up to the
    truncation where series or kernels are public. Kernels are not mirrored; padding is zeros.
    """
    return _convolved(1, x, weight, bias, stride, padding, dilation, groups)


def conv2d(
    x: Any,
    weight: Any,
    bias: Any = None,
    /,
    *,
    stride: Steps = 1,
    padding: Steps = 0,
    dilation: Steps = 1,
    groups: int = 1,
) -> SecretArray:
    """Kernels (O, C / groups, H, W) laid on images (N, C, height, width); see :func:`conv1d`."""
    return _convolved(2, x, weight, bias, stride, padding, dilation, groups)


def _convolved(
    spatial: int,
    x: Any,
    weight: Any,
    bias: Any,
    stride: Steps,
    padding: Steps,
    dilation: Steps,
    groups: int,
) -> SecretArray:
    result = applied(
        "convolution",
        x,
        weight,
        stride=_steps(stride, spatial),
        padding=_steps(padding, spatial),
        dilation=_steps(dilation, spatial),
        groups=groups,
    )
    return result if bias is None else result + _by_channel(bias, spatial)


def _steps(steps: Steps, spatial: int) -> tuple[int, ...]:
    return (steps,) * spatial if isinstance(steps, int) else tuple(map(int, steps))


def _by_channel(values: Any, spatial: int) -> Any:
    """One number a channel, broadcast against (N, C, *extents)."""
    array = values if isinstance(values, SecretArray) else np.asarray(values)
    return array.reshape(-1, *[1] * spatial)


# Pooling.


def max_pool1d(
    x: SecretArray, kernel: Steps, /, *, stride: Steps | None = None, padding: Steps = 0
) -> SecretArray:
    """The largest number of every window of series (N, C, length). Exact."""
    return _pooled("max_pool", 1, x, kernel, stride, padding)


def max_pool2d(
    x: SecretArray, kernel: Steps, /, *, stride: Steps | None = None, padding: Steps = 0
) -> SecretArray:
    """The largest number of every window of images (N, C, height, width). Exact.

    The stride is the kernel's extents by default. Padding never wins.
    """
    return _pooled("max_pool", 2, x, kernel, stride, padding)


def avg_pool1d(
    x: SecretArray, kernel: Steps, /, *, stride: Steps | None = None, padding: Steps = 0
) -> SecretArray:
    """The mean of every window of series (N, C, length), zeros of the padding included."""
    return _pooled("avg_pool", 1, x, kernel, stride, padding)


def avg_pool2d(
    x: SecretArray, kernel: Steps, /, *, stride: Steps | None = None, padding: Steps = 0
) -> SecretArray:
    """The mean of every window of images (N, C, height, width); see :func:`avg_pool1d`."""
    return _pooled("avg_pool", 2, x, kernel, stride, padding)


def _pooled(
    name: str, spatial: int, x: SecretArray, kernel: Steps, stride: Steps | None, padding: Steps
) -> SecretArray:
    extents = _steps(kernel, spatial)
    return applied(
        name,
        x,
        kernel=extents,
        stride=extents if stride is None else _steps(stride, spatial),
        padding=_steps(padding, spatial),
    )


def global_max_pool(x: SecretArray, /) -> SecretArray:
    """The largest number of every channel, (N, C, *extents) to (N, C). Exact."""
    extents = secret_operand("max_pool", x).shape[2:]
    zeros = (0,) * len(extents)
    pooled = applied("max_pool", x, kernel=extents, stride=extents, padding=zeros)
    return pooled.reshape(*x.shape[:2])


def global_avg_pool(x: SecretArray, /) -> SecretArray:
    """The mean of every channel, (N, C, *extents) to (N, C)."""
    array = secret_operand("mean", x)
    return array.mean(tuple(range(2, array.ndim)))


# Normalisation.


def batch_norm(
    x: Any, mean: Any, var: Any, weight: Any = None, bias: Any = None, /, *, eps: float = 1e-5
) -> SecretArray:
    """(x - mean) / sqrt(var + eps) · weight + bias by channel: inference with known statistics.

    x is (N, C, *extents), all others (C,), any of them public. The factor of a channel is computed
    once, so that x meets one product, or one public factor, only.
    """
    spread = var + eps
    factor = applied("rsqrt", spread) if isinstance(var, SecretArray) else 1 / np.sqrt(spread)
    if weight is not None:
        factor = weight * factor
    offset = -(mean * factor)
    if bias is not None:
        offset = offset + bias
    spatial = np.ndim(x) - 2
    result: SecretArray = x * _by_channel(factor, spatial) + _by_channel(offset, spatial)
    return result
