"""tacit: compute together, reveal nothing.

Several parties compute on arrays that none of them shows to the others; only what is revealed,
to the agreed recipients, becomes known. Start with :func:`tacit.local`.
"""

from __future__ import annotations

import importlib
from math import e, inf, nan, pi
from typing import Any

from tacit import errors
from tacit.arrays import Computation, SecretArray, linalg, local
from tacit.arrays import functions as _functions
from tacit.arrays.functions import *
from tacit.arrays.namespace import API_VERSION as __array_api_version__
from tacit.arrays.namespace import __array_namespace_info__
from tacit.arrays.stored import register_models as _register_models
from tacit.encoding import (
    DType,
    fixed,
    fixed_point,
    int8,
    int16,
    int32,
    int64,
    int128,
    uint8,
    uint16,
    uint32,
)
from tacit.encoding import bool_ as bool
from tacit.frontends import ArraySpec, compare_plaintext, from_jax, from_onnx, onnx_weights, trace
from tacit.network import NetworkSettings
from tacit.programs import Program
from tacit.protocols import SecurityModel
from tacit.rounds import LAN, LOOPBACK, METRO, WAN, Cost
from tacit.storage import Uses

__all__ = [
    "LAN",
    "LOOPBACK",
    "METRO",
    "WAN",
    "ArraySpec",
    "Computation",
    "Cost",
    "DType",
    "NetworkSettings",
    "Program",
    "SecretArray",
    "SecurityModel",
    "Uses",
    "__array_api_version__",
    "__array_namespace_info__",
    "bool",
    "compare_plaintext",
    "e",
    "errors",
    "fixed",
    "fixed_point",
    "from_jax",
    "from_onnx",
    "int8",
    "int16",
    "int32",
    "inf",
    "int64",
    "int128",
    "linalg",
    "local",
    "uint8",
    "uint16",
    "uint32",
    "nan",
    "onnx_weights",
    "newaxis",
    "pi",
    "trace",
    *_functions.__all__,
]

newaxis = None
"""An axis of length one in an index."""

_ON_DEMAND = ("ml",)


def _estimator(name: str) -> type | None:
    """The estimator of this name, for what is stored."""
    found = getattr(importlib.import_module("tacit.ml"), name, None)
    return found if isinstance(found, type) else None


_register_models(_estimator)


def __getattr__(name: str) -> Any:
    if name in _ON_DEMAND:
        return importlib.import_module(f"tacit.{name}")
    if name == "Client":
        return importlib.import_module("tacit.serving.client").Client
    if name == "__version__":
        from importlib.metadata import version

        return version("tacit")
    raise AttributeError(f"module 'tacit' has no attribute {name!r}")
