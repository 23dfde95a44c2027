"""Between ONNX's types."""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.arrays.array import SecretArray
from tacit.frontends.onnx.registry import Call, operator
from tacit.frontends.onnx.values import element_type, secret_type

__all__: list[str] = []


def _converted(call: Call, x: Any, element: int) -> Any:
    from onnx import TensorProto

    target = secret_type(element, x.session)
    if target is None:
        name = TensorProto.DataType.Name(element)
        raise call.refuse(f"no secret type stands for {name}")
    return x if x.dtype == target else x.astype(target)


@operator("Cast")
def _cast(call: Call, x: Any) -> Any:
    """All floats are one fixed point, so casts between them do nothing."""
    return _converted(call, x, call.get("to"))


@operator("CastLike")
def _cast_like(call: Call, x: Any, like: Any) -> Any:
    """Only the type of the second input counts."""
    if not isinstance(x, SecretArray):
        target = np.dtype(np.float32) if like.dtype.kind == "fixed" else like.dtype.numpy
        return np.asarray(call.raw[0]).astype(target)
    return _converted(call, x, element_type(call.raw[1]))
