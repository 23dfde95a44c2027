"""Broken and hostile ONNX models are refused with an error of tacit's, and touch no other file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnx_models import cnn, model

import tacit
from tacit.errors import ProgramError, TacitError

FLOAT = TensorProto.FLOAT


def load(proto: Any, **named: Any) -> tacit.Program:
    return tacit.from_onnx(proto, owner="alice", **named)


def outside(location: str) -> ModelProto:
    """A model whose weights lie in a file."""
    node = helper.make_node("Add", ["x", "w"], ["y"])
    proto = model([node], {"x": (FLOAT, [2])}, {"y": (FLOAT, 1)}, {"w": np.ones(2, np.float32)})
    tensor = proto.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", "8")):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    return proto


def test_weights_beside_the_file_are_read(tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_bytes(np.array([1, 2], np.float32).tobytes())
    path = tmp_path / "m.onnx"
    path.write_bytes(outside("w.bin").SerializeToString())
    with tacit.local("replicated3", seed=1) as mpc:
        found = mpc.run(load(path), {"x": np.array([1.0, 1.0])})["y"]
    np.testing.assert_array_equal(found, [2, 3])


@pytest.mark.parametrize("location", ["../w.bin", "/etc/hostname", "", "link.bin", "missing.bin"])
def test_weights_elsewhere_are_not(tmp_path: Path, location: str) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "w.bin").write_bytes(bytes(8))
    (inner / "link.bin").symlink_to(tmp_path / "w.bin")
    path = inner / "m.onnx"
    path.write_bytes(outside(location).SerializeToString())
    with pytest.raises(ProgramError) as caught:
        load(path)
    assert caught.value.code == "TC-1536"


def test_weights_of_a_model_without_a_folder_are_refused() -> None:
    with pytest.raises(ProgramError, match="only the model itself was given"):
        load(outside("w.bin").SerializeToString())


@pytest.mark.parametrize("what", [b"", b"onnx", 7, None, "nowhere.onnx"])
def test_what_is_no_model(what: Any) -> None:
    with pytest.raises(ProgramError) as caught:
        load(what)
    assert caught.value.code == "TC-1536"


def test_cut_and_changed_bytes() -> None:
    data = cnn().SerializeToString()
    draw = np.random.default_rng(1)
    spec = {"image": tacit.ArraySpec((2, 1, 6, 6), owner="alice")}
    for turn in range(60):
        changed = bytearray(data)
        for place in draw.integers(0, len(data), 1 + turn % 4):
            changed[place] ^= 1 << int(draw.integers(8))
        cut = bytes(changed[: int(draw.integers(len(data)))]) if turn % 3 == 0 else bytes(changed)
        try:
            tacit.from_onnx(cut, inputs=spec)
        except TacitError:
            continue


def constant_of(extent: int) -> ModelProto:
    nodes = [
        helper.make_node("ConstantOfShape", ["extents"], ["a"]),
        helper.make_node("ReduceSum", ["a"], ["b"], keepdims=0),
        helper.make_node("Add", ["x", "b"], ["y"]),
    ]
    shape = {"extents": np.array([extent, extent])}
    return model(nodes, {"x": (FLOAT, [1])}, {"y": (FLOAT, 1)}, shape)


def test_huge_arrays_are_not_made() -> None:
    load(constant_of(3))
    with pytest.raises(ProgramError, match="elements, more than"):
        load(constant_of(1 << 30))


def test_endless_loops_end() -> None:
    info = helper.make_tensor_value_info
    inner = [
        helper.make_node("Identity", ["going"], ["goes"]),
        helper.make_node("Identity", ["state"], ["next"]),
    ]
    body = helper.make_graph(
        inner,
        "body",
        [info("i", 7, []), info("going", 9, []), info("state", FLOAT, [2])],
        [info("goes", 9, []), info("next", FLOAT, [2])],
    )
    node = helper.make_node("Loop", ["", "always", "x"], ["y"], body=body)
    always = {"always": np.array(True)}
    with pytest.raises(ProgramError, match="more than 10000 rounds"):
        load(model([node], {"x": (FLOAT, [2])}, {"y": (FLOAT, 1)}, always))


def test_functions_that_call_themselves() -> None:
    again = helper.make_function(
        "org.example", "Again", ["a"], ["b"],
        [helper.make_node("Again", ["a"], ["b"], domain="org.example")],
        [helper.make_opsetid("org.example", 1)],
    )  # fmt: skip
    node = helper.make_node("Again", ["x"], ["y"], domain="org.example")
    proto = model([node], {"x": (FLOAT, [2])}, {"y": (FLOAT, 1)}, domains={"org.example": 1})
    proto.functions.append(again)
    with pytest.raises(ProgramError):
        load(proto)


def test_trees_that_go_in_circles() -> None:
    node = helper.make_node(
        "TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml",
        nodes_treeids=[0, 0], nodes_nodeids=[0, 1], nodes_featureids=[0, 0],
        nodes_values=[0.0, 0.0], nodes_modes=["BRANCH_LEQ", "LEAF"],
        nodes_truenodeids=[0, 0], nodes_falsenodeids=[1, 0],
        target_treeids=[0], target_nodeids=[1], target_ids=[0], target_weights=[1.0],
    )  # fmt: skip
    proto = model([node], {"x": (FLOAT, [2, 1])}, {"y": (FLOAT, 2)}, domains={"ai.onnx.ml": 3})
    with pytest.raises(ProgramError, match="goes in circles"):
        load(proto)


def test_numbers_that_are_not_finite() -> None:
    node = helper.make_node("Mul", ["x", "w"], ["y"])
    weights = {"w": np.array([np.nan, 1], np.float32)}
    with pytest.raises(ProgramError, match="NaN"):
        load(model([node], {"x": (FLOAT, [2])}, {"y": (FLOAT, 1)}, weights))


def test_models_of_the_future_and_wrong_orders() -> None:
    node = helper.make_node("Neg", ["x"], ["y"])
    with pytest.raises(ProgramError, match="install a newer package onnx"):
        load(model([node], {"x": (FLOAT, [2])}, {"y": (FLOAT, 1)}, opset=999))
    late = [helper.make_node("Neg", ["a"], ["y"]), helper.make_node("Neg", ["x"], ["a"])]
    with pytest.raises(ProgramError) as caught:
        load(model(late, {"x": (FLOAT, [2])}, {"y": (FLOAT, 1)}))
    assert caught.value.code == "TC-1537"


def test_an_initializer_under_an_input_s_name_is_a_weight() -> None:
    node = helper.make_node("Add", ["x", "w"], ["y"])
    proto = model([node], {"x": (FLOAT, [2]), "w": (FLOAT, [2])}, {"y": (FLOAT, 1)})
    proto.graph.initializer.append(numpy_helper.from_array(np.ones(2, np.float32), "w"))
    assert [given.name for given in load(proto).inputs] == ["x"]
