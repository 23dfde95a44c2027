"""A model in the clear as an ONNX file, for whatever runs ONNX.

The graph takes rows as the schema encodes them, scaled into [-1, 1] (``tacit.tables``), as float32,
and gives what scikit-learn's classifiers give: the label, and the probabilities of both classes.
The schema travels in the file's metadata, so that rows can be encoded by it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from tacit.errors import ConfigurationError, StorageError
from tacit.models.clear import ClearModel

if TYPE_CHECKING:
    from onnx import ModelProto

__all__ = ["onnx_model", "save_onnx"]

_OPSET: Final = 13
_IR_VERSION: Final = 8
"""Read by every runtime since 2021."""

_ACTIVATIONS: Final = {"relu": "Relu", "logistic": "Sigmoid", "tanh": "Tanh"}


def onnx_model(model: ClearModel) -> ModelProto:
    """The graph: ``rows`` (n, d) float32 to ``label`` (n,) int64, ``probabilities`` (n, 2) float32.

    Raises
    ------
    ConfigurationError
        The package onnx is not installed (TC-2050).
    """
    try:
        from onnx import TensorProto, checker, helper, numpy_helper
    except ImportError:
        raise ConfigurationError(
            "A model can be written as ONNX only with the package onnx, which is not installed.",
            next_step="install it with: pip install 'tacit[onnx]'",
            case=50,
            stage="model",
        ) from None
    nodes, constants, name = [], [], "rows"
    for place in range(len(model.parameters) // 2):
        for kind in range(2):
            array = model.parameters[2 * place + kind].astype(np.float32)
            constants.append(numpy_helper.from_array(array, model.form.names[2 * place + kind]))
        out = f"layer{place + 1}"
        nodes.append(helper.make_node("Gemm", [name, *(c.name for c in constants[-2:])], [out]))
        name = out
        operator = _ACTIVATIONS.get(model.form.activation)
        if place < len(model.form.hidden) and operator:
            nodes.append(helper.make_node(operator, [name], [f"{name}_activated"]))
            name = f"{name}_activated"
    constants += [
        numpy_helper.from_array(np.zeros(1, np.float32), "zero"),
        numpy_helper.from_array(np.ones(1, np.float32), "one"),
        numpy_helper.from_array(np.array([-1], np.int64), "flat"),
    ]
    nodes += [
        helper.make_node("Sigmoid", [name], ["positive"]),
        helper.make_node("Sub", ["one", "positive"], ["negative"]),
        helper.make_node("Concat", ["negative", "positive"], ["probabilities"], axis=1),
        helper.make_node("Greater", [name, "zero"], ["above"]),
        helper.make_node("Cast", ["above"], ["labels"], to=TensorProto.INT64),
        helper.make_node("Reshape", ["labels", "flat"], ["label"]),
    ]
    graph = helper.make_graph(
        nodes,
        model.form.title,
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["n", model.form.widths[0]])],
        [
            helper.make_tensor_value_info("label", TensorProto.INT64, ["n"]),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 2]),
        ],
        constants,
    )
    proto = helper.make_model(
        graph,
        producer_name="tacit",
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
    )
    schema = msgspec.json.encode(model.form.schema).decode()
    helper.set_model_props(
        proto, {"schema": schema, "features": "\n".join(model.form.feature_names)}
    )
    checker.check_model(proto, full_check=True)
    return proto


def save_onnx(model: ClearModel, path: str | Path) -> Path:
    """Write :func:`onnx_model` to a file and return its path.

    Raises
    ------
    StorageError
        The disk is full or the path cannot be written (TC-2302).
    ConfigurationError
        The package onnx is not installed (TC-2050).
    """
    target = Path(path)
    data = onnx_model(model).SerializeToString()
    try:
        target.write_bytes(data)
    except OSError as error:
        raise StorageError(
            f"The model cannot be written to {path}: {error.strerror}.",
            next_step="choose a path that can be written.",
            case=2,
        ) from None
    return target
