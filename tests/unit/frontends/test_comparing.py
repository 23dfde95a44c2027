"""Programs against float64: every operation has a right reference, and errors are found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tacit
from tacit import ArraySpec
from tacit.errors import ProgramError

RNG = np.random.default_rng(3)
X = ArraySpec((4, 3), owner="a", bounds=(-1, 1))
Y = ArraySpec((3, 2), owner="b", bounds=(-1, 1))
N = ArraySpec((4,), tacit.int64, owner="a", bounds=(0, 3))
B = ArraySpec((4,), tacit.bool, owner="b")
IMAGES = ArraySpec((2, 2, 5, 5), owner="a", bounds=(-1, 1))


def functions(x: Any) -> Any:
    names = (
        "exp expm1 sigmoid tanh sin cos erf softplus silu gelu sinh cosh abs sign relu"
        " square negative floor ceil trunc round atan softmax log_softmax"
    )
    found = {name: getattr(tacit, name)(x * 0.9 + 0.05) for name in names.split()}
    positive = x + 2.0
    names = "log log2 log10 log1p sqrt rsqrt reciprocal"
    return found | {name: getattr(tacit, name)(positive) for name in names.split()}


def pairs(x: Any) -> Any:
    left, right = x[:2], x[2:] + 2.5
    names = "add subtract multiply divide maximum minimum hypot atan2 logaddexp pow copysign"
    found = {
        name: getattr(tacit, name)(*((right, left) if name == "pow" else (left, right)))
        for name in names.split()
    }
    return found | {"less": left < right, "where": tacit.where(left > 0, left, right)}


def shapes(x: Any) -> Any:
    return {
        "sum": x.sum(axis=0), "mean": x.mean(axis=1, keepdims=True), "var": tacit.var(x, axis=0),
        "prod": tacit.prod(x, axis=1), "cumulative": tacit.cumulative_sum(x, axis=0),
        "max": x.max(axis=0), "min": x.min(), "argmax": tacit.argmax(x, axis=1),
        "sort": tacit.sort(x, axis=0, descending=True), "order": tacit.argsort(x, axis=0),
        "median": tacit.median(x), "quantile": tacit.quantile(x, (0.25, 0.5), axis=0),
        "top": tacit.topk(x, 2, axis=1)[0], "pad": tacit.pad(x, ((1, 0), (0, 2))),
        "tile": tacit.tile(x, (2, 1)), "repeat": tacit.repeat(x, 2, axis=1),
        "roll": tacit.roll(x, 1, axis=0), "diff": tacit.diff(x, axis=0), "tril": tacit.tril(x),
        "stack": tacit.stack([x, x]), "flip": tacit.flip(x, axis=0),
        "clip": tacit.clip(x, -0.5, 0.25),
    }  # fmt: skip


def whole(n: Any, b: Any) -> Any:
    return {
        "divided": n // 2, "rest": n % 2, "hot": tacit.one_hot(n, 4), "any": tacit.any(b),
        "picked": tacit.take(tacit.astype(n, tacit.fixed) * 0.5, n), "isin": tacit.isin(n, [1, 2]),
        "counts": tacit.histogram(n, [0, 1, 2, 3])[0],
        "bits": (n & 1) | (n ^ 2), "chosen": tacit.where(b, n, 0 * n),
    }  # fmt: skip


def algebra(x: Any) -> Any:
    square = x.T @ x + np.eye(3)
    return {
        "inv": tacit.linalg.inv(square), "det": tacit.linalg.det(square, assume_a="pos"),
        "solve": tacit.linalg.solve(square, x[0]), "cholesky": tacit.linalg.cholesky(square),
        "product": x @ x.T,
    }  # fmt: skip


def images(x: Any) -> Any:
    kernels = np.linspace(-1, 1, 3 * 2 * 3 * 3).reshape(3, 2, 3, 3)
    return {
        "convolution": tacit.conv2d(x, kernels, stride=2, padding=1),
        "largest": tacit.max_pool2d(x, 2), "mean": tacit.avg_pool2d(x, 3, stride=1),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("function", "specs"),
    [
        (functions, [X]), (pairs, [X]), (shapes, [X]), (whole, [N, B]), (algebra, [X]),
        (images, [IMAGES]),
    ],
)  # fmt: skip
def test_every_operation_has_a_right_reference(function: Any, specs: list[ArraySpec]) -> None:
    found = tacit.compare_plaintext(tacit.trace(function, *specs), tolerance=5e-3)
    assert found.within, str(found)


def looped(x: Any, y: Any) -> Any:
    def body(i: Any, carry: list[Any]) -> list[Any]:
        row = tacit.dynamic_slice(x, [i, 0], (1, 3))
        return [carry[0] * 0.5 + row.T]

    (w,) = tacit.fori_loop(0, 4, body, [np.zeros((3, 1))])
    _, (rows,) = tacit.scan(lambda c, r: ([c[0] + r[0]], [c[0]]), [np.zeros(3)], [x], reverse=True)
    n, v = tacit.while_loop(lambda c: c[0] < 3, lambda c: [c[0] + 1, c[1] + y], [np.int64(0), y])
    (z,) = tacit.cond(n > 2, lambda v: [v * 2], lambda v: [v], v)
    return {"w": w, "rows": rows, "z": z}


def test_control_flow_gives_what_float64_gives() -> None:
    program = tacit.trace(looped, X, Y)
    x, y = RNG.uniform(-1, 1, (4, 3)), RNG.uniform(-1, 1, (3, 2))
    found = tacit.compare_plaintext(
        program, {"x": x, "y": y}, protocols=["replicated3", "fantastic4", "replicated3_active"]
    )
    assert [one.protocol for one in found.protocols][1] == "fantastic4"
    assert found.within
    np.testing.assert_allclose(found.outputs["z"], 8 * y)
    np.testing.assert_allclose(found.outputs["w"][:, 0], x.T @ [1 / 8, 1 / 4, 1 / 2, 1])
    sums = np.cumsum(x[::-1], 0)[::-1]
    np.testing.assert_allclose(found.outputs["rows"], sums - x, atol=1e-12)
    assert max(layer.runs for layer in found.protocols[0].layers) == 4


def test_the_first_layer_that_is_off_is_named_with_advice() -> None:
    program = tacit.trace(lambda x: tacit.square(x * 0.001).sum() * 1e6, X)
    found = tacit.compare_plaintext(program, tolerance=1e-3)
    (protocol,) = found.protocols
    assert protocol.first is not None
    assert protocol.first.name in ("square", "multiply")
    assert "fixed_point(" in protocol.suggestion
    assert "← first above tolerance" in str(found)
    assert "<table>" in found._repr_html_()
    assert found.as_dict()["within"] is False
    finer = tacit.trace(
        lambda x: tacit.square(x * 0.001).sum() * 1e6,
        ArraySpec((4, 3), tacit.fixed_point(36), owner="a", bounds=(-1, 1)),
        fractions=tacit.fixed_point(36),
        ring=128,
    )
    assert tacit.compare_plaintext(finer, tolerance=1e-3, ring=128).within


def test_what_is_not_defined_is_said() -> None:
    found = tacit.compare_plaintext(tacit.trace(lambda x: tacit.log(x - 1), X))
    assert "not defined" in found.protocols[0].suggestion


def test_what_the_ring_cannot_hold_is_said() -> None:
    free = ArraySpec((4,), owner="a")
    found = tacit.compare_plaintext(
        tacit.trace(lambda x: x * x, free), {"x": np.array([1.0, 2.0**24, 3.0, 2.0**25])}
    )
    assert "cannot hold" in found.protocols[0].suggestion


def test_samples_are_checked() -> None:
    program = tacit.trace(lambda x: x, X)
    for sample, code in (
        ({}, "TC-1511"),
        ({"x": np.zeros(3)}, "TC-1585"),
        ({"x": np.full((4, 3), "a")}, "TC-1585"),
    ):
        with pytest.raises(ProgramError, match=code):
            tacit.compare_plaintext(program, sample)
    with pytest.raises(ProgramError, match="TC-1586"):
        tacit.compare_plaintext(program, tolerance=0)
