"""Small ONNX models for tests, written as PyTorch's and scikit-learn's exporters write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

__all__ = ["cnn", "model", "reference", "single"]

OPSET = 17
_RNG = np.random.default_rng(8)


def model(
    nodes: Sequence[Any],
    inputs: Mapping[str, tuple[int, Sequence[int | str]]],
    outputs: Mapping[str, tuple[int, int]],
    weights: Mapping[str, NDArray[Any]] | None = None,
    opset: int = OPSET,
    domains: Mapping[str, int] | None = None,
) -> ModelProto:
    """A model of nodes; of outputs the element type and the number of axes are given."""
    graph = helper.make_graph(
        list(nodes),
        "small",
        [helper.make_tensor_value_info(n, t, list(s)) for n, (t, s) in inputs.items()],
        [helper.make_tensor_value_info(n, t, [None] * axes) for n, (t, axes) in outputs.items()],
        [numpy_helper.from_array(value, name) for name, value in (weights or {}).items()],
    )
    sets = [helper.make_opsetid("", opset)]
    sets += [helper.make_opsetid(domain, version) for domain, version in (domains or {}).items()]
    return helper.make_model(graph, opset_imports=sets, ir_version=9)


def single(operator: str, *shapes: Sequence[int], domain: str = "", **attributes: Any) -> Any:
    """A model of one node whose inputs are floats of some shapes."""
    names = [f"x{place}" for place in range(len(shapes))]
    node = helper.make_node(operator, names, ["y"], domain=domain, **attributes)
    inputs = {name: (TensorProto.FLOAT, s) for name, s in zip(names, shapes, strict=True)}
    outputs = {"y": (TensorProto.FLOAT, len(shapes[0]))}
    return model([node], inputs, outputs, domains={domain: 3} if domain else None)


def reference(proto: ModelProto, feeds: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """What ONNX's reference implementation gives."""
    from onnx.reference import ReferenceEvaluator

    names = [output.name for output in proto.graph.output]
    return dict(zip(names, ReferenceEvaluator(proto).run(None, dict(feeds)), strict=True))


def _weights(*shape: int) -> NDArray[Any]:
    return (_RNG.standard_normal(shape) * 0.4).astype(np.float32)


def cnn(opset: int = OPSET) -> ModelProto:
    """Convolutions with normalisation, a residual block, pooling and a classifier of 3 classes."""
    make = helper.make_node
    nodes = [
        make("Conv", ["image", "conv1.weight", "conv1.bias"], ["a"], pads=[1, 1, 1, 1]),
        make("BatchNormalization", ["a", "bn.weight", "bn.bias", "bn.mean", "bn.var"], ["b"]),
        make("Relu", ["b"], ["c"]),
        make("Conv", ["c", "conv2.weight"], ["d"], pads=[1, 1, 1, 1]),
        make("Add", ["d", "c"], ["e"]),
        make("Relu", ["e"], ["f"]),
        make("MaxPool", ["f"], ["g"], kernel_shape=[2, 2], strides=[2, 2]),
        make("GlobalAveragePool", ["g"], ["h"]),
        make("Flatten", ["h"], ["i"]),
        make("Gemm", ["i", "fc.weight", "fc.bias"], ["logits"], transB=1),
        make("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    weights = {
        "conv1.weight": _weights(2, 1, 3, 3),
        "conv1.bias": _weights(2),
        "bn.weight": np.ones(2, np.float32),
        "bn.bias": _weights(2),
        "bn.mean": _weights(2),
        "bn.var": np.abs(_weights(2)) + 0.5,
        "conv2.weight": _weights(2, 2, 3, 3),
        "fc.weight": _weights(3, 2),
        "fc.bias": _weights(3),
    }
    inputs = {"image": (TensorProto.FLOAT, ["batch", 1, 6, 6])}
    return model(nodes, inputs, {"probabilities": (TensorProto.FLOAT, 2)}, weights, opset)
