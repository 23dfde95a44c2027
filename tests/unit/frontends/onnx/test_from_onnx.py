"""ONNX models as programs: what they give, who gives what, and what is refused."""

from __future__ import annotations

import builtins
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx_models import cnn, model, reference, single

import tacit
from tacit.errors import ConfigurationError, ProgramError

IMAGES = np.random.default_rng(3).standard_normal((2, 1, 6, 6)).astype(np.float32)
OWNED = tacit.ArraySpec(IMAGES.shape, owner="alice")


def run(program: tacit.Program, inputs: dict[str, Any]) -> dict[str, Any]:
    with tacit.local("replicated3", seed=1) as mpc:
        return dict(mpc.run(program, inputs))


def test_cnn_gives_what_onnx_gives(tmp_path: Path) -> None:
    proto = cnn()
    path = tmp_path / "cnn.onnx"
    path.write_bytes(proto.SerializeToString())
    by_path = tacit.from_onnx(path, owner="alice", dimensions={"batch": 2})
    by_bytes = tacit.from_onnx(path.read_bytes(), inputs={"image": OWNED})
    assert by_path.digest == by_bytes.digest
    (found,) = run(by_path, {"image": IMAGES}).values()
    wanted = reference(proto, {"image": IMAGES})["probabilities"]
    np.testing.assert_allclose(found, wanted, atol=1e-3)


def test_private_weights_are_inputs_of_their_owner() -> None:
    proto = cnn()
    weights = tacit.onnx_weights(proto)
    program = tacit.from_onnx(
        proto, inputs={"image": OWNED}, to={"probabilities": "alice"}, private_weights="bob"
    )
    assert {"conv1.weight", "bn.var", "fc.bias"} <= set(weights)
    found = run(program, {"image": IMAGES, **weights})["probabilities"]
    wanted = reference(proto, {"image": IMAGES})["probabilities"]
    assert set(found) == {"alice"}
    np.testing.assert_allclose(found["alice"], wanted, atol=1e-3)


def test_all_unsupported_operators_are_named() -> None:
    make = helper.make_node
    proto = model(
        [
            make("NonZero", ["x"], ["a"], name="where"),
            make("Cast", ["a"], ["b"], to=TensorProto.FLOAT),
            make("Unfold", ["b"], ["c"], name="odd", domain="org.example"),
            make("Slice", ["x", "start", "start"], ["d"], name="cut"),
            make("Compress", ["d", "x"], ["y"], name="pick"),
        ],
        {"x": (TensorProto.FLOAT, [3]), "start": (TensorProto.INT64, [1])},
        {"y": (TensorProto.FLOAT, 1)},
        domains={"org.example": 1},
    )
    with pytest.raises(ProgramError) as caught:
        tacit.from_onnx(proto, owner="alice")
    assert caught.value.code == "TC-1535"
    for word in ("NonZero", "'where'", "org.example.Unfold", "'odd'", "'cut'", "'pick'"):
        assert word in str(caught.value)


def test_public_inputs_are_part_of_the_program() -> None:
    node = helper.make_node("Reshape", ["x", "shape"], ["y"])
    inputs = {"x": (TensorProto.FLOAT, [2, 3]), "shape": (TensorProto.INT64, [1])}
    proto = model([node], inputs, {"y": (TensorProto.FLOAT, 1)})
    program = tacit.from_onnx(proto, inputs={"shape": np.array([6])}, owner="alice")
    found = run(program, {"x": np.arange(6.0).reshape(2, 3)})["y"]
    np.testing.assert_array_equal(found, np.arange(6.0))
    with pytest.raises(ProgramError, match="TC-1535"):
        tacit.from_onnx(proto, owner="alice")


def test_an_input_that_decides_a_shape_on_a_way_must_be_public() -> None:
    nodes = [
        helper.make_node("Mul", ["n", "n"], ["twice"]),
        helper.make_node("Expand", ["x", "twice"], ["y"]),
    ]
    inputs = {"x": (TensorProto.FLOAT, [1]), "n": (TensorProto.INT64, [1])}
    with pytest.raises(ProgramError, match="'twice'"):
        tacit.from_onnx(model(nodes, inputs, {"y": (TensorProto.FLOAT, 1)}), owner="alice")


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"picture": OWNED}, "no input 'picture'"),
        ({}, "Nothing says who gives"),
        ({"image": tacit.ArraySpec((2, 1, 6, 7), owner="alice")}, "has the shape"),
        ({"image": tacit.ArraySpec((2, 1, 6, 6), public=True)}, "its values are not given"),
        ({"image": tacit.ArraySpec((2, 1, 6, 6), tacit.int64, owner="alice")}, "holds floats"),
    ],
)
def test_inputs_that_do_not_fit(inputs: Any, message: str) -> None:
    with pytest.raises(ProgramError, match=message) as caught:
        tacit.from_onnx(cnn(), inputs=inputs)
    assert caught.value.code == "TC-1538"


def test_open_dimensions_are_asked_for() -> None:
    with pytest.raises(ProgramError, match=r"dimensions=\{\"batch\""):
        tacit.from_onnx(cnn(), owner="alice")


def test_weights_in_attributes_cannot_be_private() -> None:
    proto = single("LinearRegressor", (2, 3), domain="ai.onnx.ml", coefficients=[1.0, 2.0, 3.0])
    with pytest.raises(ProgramError, match="LinearRegressor") as caught:
        tacit.from_onnx(proto, owner="alice", private_weights="bob")
    assert caught.value.code == "TC-1540"


def test_an_error_of_an_operation_names_the_node() -> None:
    proto = single("MatMul", (2, 3), (2, 3))
    with pytest.raises(tacit.errors.ShapeError) as caught:
        tacit.from_onnx(proto, owner="alice")
    assert "MatMul" in caught.value.__notes__[0]


def test_tacit_is_imported_without_onnx() -> None:
    code = "import sys, tacit, tacit.frontends.onnx; sys.exit('onnx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_the_package_onnx(monkeypatch: pytest.MonkeyPatch) -> None:
    found = builtins.__import__

    def missing(name: str, *rest: Any, **named: Any) -> Any:
        if name == "onnx":
            raise ImportError(name)
        return found(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ConfigurationError, match=r"pip install 'tacit\[onnx\]'") as caught:
        tacit.from_onnx(b"", owner="alice")
    assert caught.value.code == "TC-2050"
