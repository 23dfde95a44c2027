"""The array API standard by tacit on arrays that everybody sees: the revealing adapter.

A namespace of the standard whose arrays are plain. Every call shares its arrays in a computation of
this process, applies tacit's function of the same name, and reveals the result. So whatever tests
or uses the standard tests tacit: its types, shapes, values and errors. ``tacit.fixed`` is presented
as float64; what its encoding cannot hold (NaN, infinity, magnitudes from 2^43) is refused with
tacit's own error. For tests alone: nothing that goes through it stays secret.

Start with ``arrays.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from adapter.arrays import PlainArray, applied_by_tacit, plain_dtype

__all__ = ["PlainArray", "__array_api_version__"]

__array_api_version__ = "2024.12"

bool = np.dtype(np.bool_)
int8, int16, int32, int64 = (np.dtype(f"int{bits}") for bits in (8, 16, 32, 64))
uint8, uint16, uint32 = (np.dtype(f"uint{bits}") for bits in (8, 16, 32))
float64 = np.dtype(np.float64)
e, pi, inf, nan, newaxis = np.e, np.pi, np.inf, np.nan, None

_FOUND: dict[str, Any] = {}


def __getattr__(name: str) -> Any:
    if name == "linalg":
        return _FOUND.setdefault(name, _Linalg())
    if name.startswith("__"):
        raise AttributeError(name)
    if name not in _FOUND:
        _FOUND[name] = applied_by_tacit(name)
    return _FOUND[name]


class _Linalg:
    """``adapter.linalg``."""

    __name__ = "adapter.linalg"

    def __getattr__(self, name: str) -> Any:
        return applied_by_tacit(name, extension="linalg")


class _Info:
    """``__array_namespace_info__``, in the adapter's types."""

    def __init__(self) -> None:
        import tacit

        self._info = tacit.__array_namespace_info__()

    def capabilities(self) -> Any:
        return self._info.capabilities()

    def default_device(self) -> Any:
        return self._info.default_device()

    def devices(self) -> Any:
        return self._info.devices()

    def default_dtypes(self, *, device: Any = None) -> Any:
        return {kind: plain_dtype(d) for kind, d in self._info.default_dtypes().items()}

    def dtypes(self, *, device: Any = None, kind: Any = None) -> Any:
        found = self._info.dtypes(kind=kind).values()
        return {plain_dtype(d).name: plain_dtype(d) for d in found}


def __array_namespace_info__() -> _Info:
    return _Info()
