"""Layers and control flow of models: transformers, recurrence, embedding, loops, branches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper
from onnx_models import model, reference

import tacit
from tacit.errors import ProgramError

FLOAT, INT = TensorProto.FLOAT, TensorProto.INT64
_RNG = np.random.default_rng(5)


def weights(*shape: int) -> NDArray[Any]:
    return (_RNG.standard_normal(shape) * 0.4).astype(np.float32)


def program_of(proto: ModelProto, feeds: dict[str, NDArray[Any]], **named: Any) -> tacit.Program:
    specs = {name: tacit.ArraySpec(array.shape, owner="alice") for name, array in feeds.items()}
    return tacit.from_onnx(proto, inputs=specs, **named)


def check(proto: ModelProto, feeds: dict[str, NDArray[Any]], **more: Any) -> tacit.Program:
    program = program_of(proto, feeds, **more)
    given = tacit.onnx_weights(proto) if more else {}
    with tacit.local("replicated3", seed=1) as mpc:
        got = mpc.run(program, {**feeds, **given})
    for name, wanted in reference(proto, feeds).items():
        np.testing.assert_allclose(got[name], wanted, atol=2e-3, err_msg=name)
    return program


def encoder() -> ModelProto:
    """An encoder layer of width 8 with two heads on 4 words, as PyTorch writes it."""
    make, constant = helper.make_node, {}
    for name in ("q", "k", "v", "o"):
        constant[f"{name}.weight"] = weights(8, 8)
    constant |= {
        "table": weights(10, 8),
        "up.weight": weights(8, 16), "up.bias": weights(16), "down.weight": weights(16, 8),
        "norm.weight": np.ones(8, np.float32), "norm.bias": weights(8),
        "heads": np.array([0, 0, 2, 4]), "whole": np.array([0, 0, 8]),
        "scale": np.array(0.5, np.float32), "half": np.array(0.5, np.float32),
        "one": np.array(1, np.float32), "root": np.array(2**0.5, np.float32),
    }  # fmt: skip
    nodes = [make("Gather", ["table", "words"], ["x"])]
    for name in "qkv":
        nodes += [
            make("MatMul", ["x", f"{name}.weight"], [f"{name}1"]),
            make("Reshape", [f"{name}1", "heads"], [f"{name}2"]),
            make("Transpose", [f"{name}2"], [f"{name}3"],
                 perm=[0, 2, 3, 1] if name == "k" else [0, 2, 1, 3]),
        ]  # fmt: skip
    nodes += [
        make("MatMul", ["q3", "k3"], ["s1"]),
        make("Mul", ["s1", "scale"], ["s2"]),
        make("Softmax", ["s2"], ["s3"], axis=-1),
        make("MatMul", ["s3", "v3"], ["a1"]),
        make("Transpose", ["a1"], ["a2"], perm=[0, 2, 1, 3]),
        make("Reshape", ["a2", "whole"], ["a3"]),
        make("MatMul", ["a3", "o.weight"], ["a4"]),
        make("Add", ["x", "a4"], ["r1"]),
        make("LayerNormalization", ["r1", "norm.weight", "norm.bias"], ["n1"]),
        make("MatMul", ["n1", "up.weight"], ["u1"]),
        make("Add", ["u1", "up.bias"], ["u2"]),
        make("Div", ["u2", "root"], ["g1"]),
        make("Erf", ["g1"], ["g2"]),
        make("Add", ["g2", "one"], ["g3"]),
        make("Mul", ["u2", "g3"], ["g4"]),
        make("Mul", ["g4", "half"], ["g5"]),
        make("MatMul", ["g5", "down.weight"], ["d1"]),
        make("Add", ["n1", "d1"], ["y"]),
    ]
    return model(nodes, {"words": (INT, [2, 4])}, {"y": (FLOAT, 3)}, constant)


def test_transformer_with_secret_words() -> None:
    words = _RNG.integers(0, 10, (2, 4))
    check(encoder(), {"words": words})
    program = check(encoder(), {"words": words}, private_weights="bob")
    assert all(len(constant.shape) < 2 for constant in program.main.graph.constants)


@pytest.mark.parametrize(("operator", "gates"), [("RNN", 1), ("GRU", 3), ("LSTM", 4)])
def test_recurrent_layers_are_one_loop(operator: str, gates: int) -> None:
    sizes = {}
    for steps in (3, 6):
        node = helper.make_node(operator, ["x", "w", "r", "b"], ["y", "last"], hidden_size=4)
        constant = {
            "w": weights(1, gates * 4, 2),
            "r": weights(1, gates * 4, 4),
            "b": weights(1, gates * 8),
        }
        outputs = {"y": (FLOAT, 4), "last": (FLOAT, 3)}
        proto = model([node], {"x": (FLOAT, [steps, 2, 2])}, outputs, constant)
        program = check(proto, {"x": weights(steps, 2, 2)})
        sizes[steps] = len(program.main.graph.nodes)
        assert sum(node.operation == "scan" for node in program.main.graph.nodes) == 1
    assert sizes[3] == sizes[6]


def branches() -> dict[str, Any]:
    def graph(name: str, operator: str) -> Any:
        node = helper.make_node(operator, ["x", "x"], [name])
        return helper.make_graph(
            [node], name, [], [helper.make_tensor_value_info(name, FLOAT, [3])]
        )

    return {"then_branch": graph("sum", "Add"), "else_branch": graph("product", "Mul")}


def test_a_secret_condition_computes_both_branches() -> None:
    nodes = [
        helper.make_node("ReduceSum", ["x"], ["total"], keepdims=0),
        helper.make_node("Greater", ["total", "limit"], ["above"]),
        helper.make_node("If", ["above"], ["y"], **branches()),
    ]
    limit = {"limit": np.array(2, np.float32)}
    proto = model(nodes, {"x": (FLOAT, [3])}, {"y": (FLOAT, 1)}, limit)
    for x in ([1.0, 2.0, 3.0], [0.5, 0.25, -2.0]):
        check(proto, {"x": np.array(x, np.float32)})


def loop(condition: str) -> ModelProto:
    """Doubles x in a loop of three rounds; the condition is a public one, or one on x."""
    info = helper.make_tensor_value_info
    inner = [
        helper.make_node("Add", ["state", "state"], ["next"]),
        helper.make_node("ReduceSum", ["next"], ["total"]),
        helper.make_node("Less", ["total", "limit"], ["small"]),
        helper.make_node("Identity", [condition], ["goes"]),
    ]
    body = helper.make_graph(
        inner,
        "body",
        [info("i", INT, []), info("going", TensorProto.BOOL, []), info("state", FLOAT, [2])],
        [info("goes", TensorProto.BOOL, []), info("next", FLOAT, [2]), info("total", FLOAT, [1])],
    )
    node = helper.make_node("Loop", ["rounds", "always", "x"], ["y", "totals"], body=body)
    constant = {"rounds": np.array(3), "always": np.array(True), "limit": np.array(100, np.float32)}
    outputs = {"y": (FLOAT, 1), "totals": (FLOAT, 2)}
    return model([node], {"x": (FLOAT, [2])}, outputs, constant)


def operations(program: Any) -> list[str]:
    return [node.operation for node in program.main.graph.nodes]


@pytest.mark.parametrize("condition", ["going", "always"])
def test_loops_of_a_public_count_are_one_loop(condition: str) -> None:
    program = check(loop(condition), {"x": np.array([1.5, -0.5], np.float32)})
    unrolled = condition == "always"  # a value around the loop, which may be anything
    assert operations(program).count("scan") == (0 if unrolled else 1)
    assert ("add" in operations(program)) == unrolled


def counted(uses: str) -> ModelProto:
    """x times 3 and then the number of the round, which is carried along or given."""
    info = helper.make_tensor_value_info
    inner = [
        helper.make_node("Add", ["count", "one"], ["more"]),
        helper.make_node("Cast", [uses], ["factor"], to=FLOAT),
        helper.make_node("Mul", ["state", "factor"], ["scaled"]),
        helper.make_node("Add", ["scaled", "x"], ["next"]),
        helper.make_node("Identity", ["going"], ["goes"]),
    ]
    body = helper.make_graph(
        inner,
        "body",
        [info("i", INT, []), info("going", TensorProto.BOOL, []), info("state", FLOAT, [2]),
         info("count", INT, [])],
        [info("goes", TensorProto.BOOL, []), info("next", FLOAT, [2]), info("more", INT, [])],
    )  # fmt: skip
    node = helper.make_node("Loop", ["rounds", "always", "x", "one"], ["y", "counted"], body=body)
    constant = {"rounds": np.array(3), "one": np.array(1), "always": np.array(True)}
    return model([node], {"x": (FLOAT, [2])}, {"y": (FLOAT, 1), "counted": (INT, 0)}, constant)


@pytest.mark.parametrize("uses", ["count", "i"])
def test_what_is_public_of_a_round_stays_public(uses: str) -> None:
    program = check(counted(uses), {"x": np.array([1.5, -0.5], np.float32)})
    assert "scan" not in operations(program)


def scan(rounds: int, outer: bool = False) -> ModelProto:
    """Running products of two inputs, the second one backwards and along its second axis."""
    info = helper.make_tensor_value_info
    inner = [
        helper.make_node("Mul", ["state", "a"], ["scaled"]),
        helper.make_node("Add", ["scaled", "weight" if outer else "b"], ["next"]),
        helper.make_node("Sub", ["a", "b"], ["apart"]),
        helper.make_node("Identity", ["next"], ["copy"]),
    ]
    body = helper.make_graph(
        inner,
        "body",
        [info(name, FLOAT, [2]) for name in ("state", "a", "b")],
        [info(name, FLOAT, [2]) for name in ("next", "apart", "copy")],
    )
    node = helper.make_node(
        "Scan", ["start", "x", "z"], ["last", "apart", "all"], body=body, num_scan_inputs=2,
        scan_input_axes=[0, 1], scan_input_directions=[0, 1], scan_output_axes=[1, -2],
        scan_output_directions=[1, 0],
    )  # fmt: skip
    constant = {"weight": np.array([0.5, -1], np.float32), "start": np.ones(2, np.float32)}
    inputs = {"x": (FLOAT, [rounds, 2]), "z": (FLOAT, [2, rounds])}
    return model([node], inputs, {"last": (FLOAT, 1), "apart": (FLOAT, 2), "all": (FLOAT, 2)},
                 constant)  # fmt: skip


def scanned(x: NDArray[Any], z: NDArray[Any], weight: NDArray[Any] | None) -> dict[str, Any]:
    """What the model gives; ONNX's reference implementation lacks directions."""
    state, apart, every = np.ones(2), [], []
    for a, b in zip(x, z.T[::-1], strict=True):
        state = state * a + (b if weight is None else weight)
        apart.append(a - b)
        every.append(state)
    return {"last": state, "apart": np.array(apart)[::-1].T, "all": np.array(every)}


@pytest.mark.parametrize("outer", [False, True])
def test_scans_are_one_loop(outer: bool) -> None:
    sizes = {}
    for rounds in (1, 2, 5):
        feeds = {"x": weights(rounds, 2), "z": weights(2, rounds)}
        program = program_of(scan(rounds, outer), feeds)
        with tacit.local("replicated3", seed=1) as mpc:
            got = mpc.run(program, feeds)
        wanted = scanned(feeds["x"], feeds["z"], np.array([0.5, -1]) if outer else None)
        for name, value in wanted.items():
            np.testing.assert_allclose(got[name], value, atol=1e-4, err_msg=name)
        assert operations(program).count("scan") == (rounds > 1)
        sizes[rounds] = len(program.main.graph.nodes)
    assert sizes[2] == sizes[5]


def test_a_loop_on_a_secret_condition_is_refused() -> None:
    with pytest.raises(ProgramError, match="how often it ran would show") as caught:
        program_of(loop("small"), {"x": np.ones(2, np.float32)})
    assert caught.value.code == "TC-1535"


def test_all_refusals_that_show_only_on_the_way_are_named() -> None:
    nodes = [
        helper.make_node("Resize", ["x", "", "scales"], ["a"], name="first", mode="strange"),
        helper.make_node("Pad", ["x", "pads"], ["b"], name="second", mode="strange"),
    ]
    constant = {"scales": np.array([2.0], np.float32), "pads": np.array([1, 1])}
    outputs = {"a": (FLOAT, 1), "b": (FLOAT, 1)}
    with pytest.raises(ProgramError) as caught:
        program_of(model(nodes, {"x": (FLOAT, [2])}, outputs, constant), {"x": np.ones(2)})
    assert "'first'" in str(caught.value)
    assert "'second'" in str(caught.value)


def test_functions_of_the_model_itself() -> None:
    double = helper.make_function(
        "org.example", "Double", ["a"], ["b"],
        [helper.make_node("Add", ["a", "a"], ["b"])], [helper.make_opsetid("", 17)],
    )  # fmt: skip
    node = helper.make_node("Double", ["x"], ["y"], domain="org.example")
    proto = model([node], {"x": (FLOAT, [2])}, {"y": (FLOAT, 1)}, domains={"org.example": 1})
    proto.functions.append(double)
    check(proto, {"x": np.array([1.0, 2.0], np.float32)})
