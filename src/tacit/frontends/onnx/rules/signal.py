"""Fourier transforms: products with public matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.arrays import functions as tacit
from tacit.frontends.onnx.registry import Call, operator

__all__: list[str] = []


@operator("DFT", since=17, public=(1, 2))
def _dft(call: Call, x: Any, length: Any = None, axis: Any = None) -> Any:
    place = call.get("axis", 1) if call.version < 20 else -2
    if axis is not None:
        place = int(np.asarray(axis).item())
    place %= x.ndim
    onesided, inverse = bool(call.get("onesided", 0)), bool(call.get("inverse", 0))
    n = x.shape[place] if length is None else int(np.asarray(length).item())
    if inverse and onesided and length is None:
        n = 2 * (x.shape[place] - 1)
    return _transformed(x, place, n, onesided, inverse)


def _transformed(x: Any, axis: int, n: int, onesided: bool, inverse: bool) -> Any:
    """Real numbers (…, 1) or complex ones (…, 2), the last axis holding both parts."""
    moved = tacit.moveaxis(x, axis, -2)
    taken = n // 2 + 1 if inverse and onesided else n
    if moved.shape[-2] > taken:
        moved = moved[..., :taken, :]
    rows = moved.shape[-2]
    units = np.eye(taken)[:rows]  # what is missing behind counts as zeros
    if inverse and onesided:
        real, imaginary = np.fft.irfft(units, n), np.fft.irfft(1j * units, n)
        found = moved[..., 0] @ real
        if x.shape[-1] == 2:
            found = found + moved[..., 1] @ imaginary
        return tacit.moveaxis(found.reshape((*found.shape, 1)), -2, axis)
    if inverse:
        matrix = np.fft.ifft(units, n)
    else:
        matrix = np.fft.rfft(units, n) if onesided else np.fft.fft(units, n)
    real_part = moved[..., 0] @ matrix.real
    imaginary_part = moved[..., 0] @ matrix.imag
    if x.shape[-1] == 2:
        real_part = real_part - moved[..., 1] @ matrix.imag
        imaginary_part = imaginary_part + moved[..., 1] @ matrix.real
    found = tacit.stack([real_part, imaginary_part], axis=-1)
    return tacit.moveaxis(found, -2, axis)


@operator("STFT", since=17, public=(1, 2, 3))
def _short_time(call: Call, x: Any, step: Any, window: Any = None, length: Any = None) -> Any:
    """(batch, signal, 1 or 2) to (batch, frames, bins, 2)."""
    onesided = bool(call.get("onesided", 1))
    stride = int(np.asarray(step).item())
    size = int(np.asarray(length).item()) if length is not None else int(np.size(window))
    frames = 1 + (x.shape[1] - size) // stride
    index = np.arange(frames)[:, None] * stride + np.arange(size)
    cut = x[:, index]
    if window is not None:
        cut = cut * np.reshape(window, (-1, 1))
    return _transformed(cut, 2, size, onesided, False)
