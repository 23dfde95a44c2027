"""A clinic's image is classified by a lab's network: neither shows the other what it has.

Run it with ``python examples/onnx_cnn.py``. The network is an ONNX file, as PyTorch would export
it: two convolutions with a residual block, pooling, and a classifier of scikit-learn's digits. Its
weights are the lab's own inputs; only the clinic learns what the images show.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits
from sklearn.linear_model import RidgeClassifier

import tacit

CHANNELS = 8


def features(images: Any, weights: dict[str, Any]) -> Any:
    """What the layers before the classifier give, in NumPy."""
    first = np.maximum(_convolved(images, weights["conv1.weight"]), 0)
    second = np.maximum(_convolved(first, weights["conv2.weight"]) + first, 0)
    n, c, h, w = second.shape
    return second.reshape(n, c, h // 2, 2, w // 2, 2).max((3, 5)).reshape(n, -1)


def _convolved(x: Any, kernels: Any) -> Any:
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    return np.einsum("nchwij,ocij->nohw", windows, kernels, optimize=True)


def network(images: Any, labels: Any) -> onnx.ModelProto:
    """The lab's network: convolutions as drawn, the classifier trained on what they give."""
    draw = np.random.default_rng(2)
    weights: dict[str, Any] = {
        "conv1.weight": draw.normal(0, 0.4, (CHANNELS, 1, 3, 3)),
        "conv2.weight": draw.normal(0, 0.15, (CHANNELS, CHANNELS, 3, 3)),
    }
    head = RidgeClassifier(10).fit(features(images, weights), labels)
    weights |= {"fc.weight": head.coef_, "fc.bias": head.intercept_}
    make = helper.make_node
    nodes = [
        make("Conv", ["image", "conv1.weight"], ["a"], pads=[1, 1, 1, 1]),
        make("Relu", ["a"], ["b"]),
        make("Conv", ["b", "conv2.weight"], ["c"], pads=[1, 1, 1, 1]),
        make("Add", ["c", "b"], ["d"]),
        make("Relu", ["d"], ["e"]),
        make("MaxPool", ["e"], ["f"], kernel_shape=[2, 2], strides=[2, 2]),
        make("Flatten", ["f"], ["g"]),
        make("Gemm", ["g", "fc.weight", "fc.bias"], ["logits"], transB=1),
        make("ArgMax", ["logits"], ["digit"], axis=1, keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, 8, 8])],
        [helper.make_tensor_value_info("digit", TensorProto.INT64, ["batch"])],
        [numpy_helper.from_array(w.astype(np.float32), name) for name, w in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def main(count: int = 50) -> None:
    """Train the lab's network, classify some of the clinic's images with it."""
    images, labels = load_digits(return_X_y=True)
    images = (images / 16).reshape(-1, 1, 8, 8)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "digits.onnx"
        onnx.save(network(images[:1200], labels[:1200]), path)

        program = tacit.from_onnx(
            path,
            owner="clinic",
            dimensions={"batch": count},
            to={"digit": "clinic"},
            private_weights="lab",
        )
        weights = tacit.onnx_weights(path)  # the lab does this; the clinic needs no file
    print(program)
    with tacit.local("replicated3", parties=["clinic", "lab", "helper"]) as mpc:
        found = mpc.run(program, {"image": images[-count:], **weights})["digit"]["clinic"]
        print(f"{mpc.total_cost.rounds} rounds")
    print(f"accuracy {np.mean(found == labels[-count:]):.3f} on {count} images")


if __name__ == "__main__":
    main()
