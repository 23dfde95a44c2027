"""Nodes of public inputs, computed in the clear by ONNX's own reference implementation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tacit.frontends.onnx.refusals import Refused

if TYPE_CHECKING:
    from onnx import NodeProto

__all__ = ["MOST_ELEMENTS", "RANDOM", "evaluated", "reference"]

RANDOM: Final = frozenset(
    {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform",
     "RandomUniformLike"}
)  # fmt: skip
"""Operators that draw numbers: every party would draw others."""

_REFUSED: Final = frozenset({"ImageDecoder", "Gradient"})

MOST_ELEMENTS: Final = 1 << 28
"""The largest array that a model may compute of public values alone."""


def evaluated(
    node: NodeProto,
    attributes: Mapping[str, Any],
    inputs: Sequence[Any],
    domain: str,
    version: int,
) -> list[Any]:
    """What a node gives for public inputs."""
    if node.op_type in RANDOM:
        raise Refused("it draws random numbers; draw them beforehand and make them an input")
    if node.op_type in _REFUSED:
        raise Refused("it is not computed, on public values neither")
    if node.op_type == "Constant" and not domain and "value" in attributes:
        return [attributes["value"]]
    return reference(node.op_type, attributes, inputs, domain, version, len(node.output))


def reference(
    name: str,
    attributes: Mapping[str, Any],
    inputs: Sequence[Any],
    domain: str = "",
    version: int | None = None,
    outputs: int = 1,
) -> list[Any]:
    """ONNX's reference implementation of an operator, on NumPy arrays."""
    from onnx import defs, helper, numpy_helper
    from onnx.reference import ReferenceEvaluator

    _require_small(name, attributes, inputs)
    plain = {
        key: numpy_helper.from_array(value) if isinstance(value, np.ndarray) else value
        for key, value in attributes.items()
    }
    names = ["" if value is None else f"x{place}" for place, value in enumerate(inputs)]
    results = [f"y{place}" for place in range(outputs)]
    node = helper.make_node(name, names, results, domain=domain, **plain)
    graph = helper.make_graph(
        [node],
        "clear",
        [helper.make_empty_tensor_value_info(each) for each in names if each],
        [helper.make_empty_tensor_value_info(each) for each in results],
    )
    main = version if version and not domain else defs.onnx_opset_version()
    opsets = [helper.make_opsetid("", main)]
    if domain:
        opsets.append(helper.make_opsetid(domain, version or 1))
    model = helper.make_model(graph, opset_imports=opsets)
    feeds = {each: value for each, value in zip(names, inputs, strict=True) if each}
    try:
        with np.errstate(all="ignore"):
            found = ReferenceEvaluator(model).run(None, feeds)
    except Exception as error:
        # The reference implementation raises anything at all for inputs that it does not take.
        raise Refused(
            f"ONNX's reference implementation does not compute it: {type(error).__name__}:"
            f" {str(error)[:200]}"
        ) from None
    return [np.asarray(each) if isinstance(each, np.generic) else each for each in found]


def _require_small(name: str, attributes: Mapping[str, Any], inputs: Sequence[Any]) -> None:
    arrays = [value for value in inputs if isinstance(value, np.ndarray)]
    try:
        size = _expected_size(name, attributes, arrays)
    except (ValueError, TypeError, IndexError, OverflowError):
        return  # the implementation itself will say what is wrong
    if size > MOST_ELEMENTS:
        raise Refused(f"it would make an array of {size} elements, more than {MOST_ELEMENTS}")


def _expected_size(name: str, attributes: Mapping[str, Any], arrays: Sequence[Any]) -> int:
    """About how many elements a node makes, where a few numbers decide about many."""
    match name:
        case "ConstantOfShape" | "RandomNormal" | "RandomUniform":
            return prod(map(int, arrays[0].ravel()))
        case "Range":
            first, limit, step = (float(each.item()) for each in arrays[:3])
            return int(abs((limit - first) / step)) if step else 0
        case "Expand":
            return prod(map(int, arrays[1].ravel())) * max(1, int(arrays[0].size))
        case "Tile":
            return int(arrays[0].size) * prod(map(int, arrays[1].ravel()))
        case "Pad":
            widths = arrays[1].ravel().tolist() if len(arrays) > 1 else []
            sizes = (
                extent + max(0, widths[place]) + max(0, widths[place + arrays[0].ndim])
                for place, extent in enumerate(arrays[0].shape)
            )
            return int(prod(sizes))
        case "OneHot":
            return int(arrays[0].size) * int(arrays[1].item())
        case "Resize" | "Upsample":
            last = arrays[-1]
            if last.dtype.kind == "i":
                return prod(map(int, last.ravel()))
            return int(arrays[0].size * np.prod(last)) if last.size else 0
        case "MatMul" | "Gemm":
            return int(prod(arrays[0].shape[:-1]) * prod(arrays[1].shape[1:]))
        case "EyeLike" | "BlackmanWindow" | "HannWindow" | "HammingWindow" | "MelWeightMatrix":
            return int(arrays[0].ravel()[0]) if arrays[0].size and "Window" in name else 0
        case _:
            shapes = [array.shape for array in arrays]
            return int(prod(np.broadcast_shapes(*shapes))) if shapes else 0
