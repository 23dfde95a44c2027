"""The examples in JAX do what they say; `python examples/jax_digits.py train` is too long."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import tacit

EXAMPLES = Path(__file__).parents[4] / "examples"


@pytest.fixture(scope="module")
def digits() -> Any:
    return runpy.run_path(str(EXAMPLES / "jax_digits.py"))


def test_logistic_regression() -> None:
    example = runpy.run_path(str(EXAMPLES / "jax_logistic_regression.py"))
    x, y = example["data"](64)
    with tacit.local("replicated3", parties=["bank_a", "bank_b", "broker"], seed=4) as mpc:
        found = mpc.run(example["program"](64), {"x": x, "y": y})
    expected = jax.jit(example["fit"])(x.astype(np.float32), y.astype(np.float32))
    np.testing.assert_allclose(found["model.weights"], expected["model"]["weights"], atol=5e-3)


def test_inference_on_digits(digits: Any) -> None:
    assert digits["infer"]() >= 0.96


def test_training_on_digits_as_a_program(digits: Any) -> None:
    """One loop in another, over rows that are drawn beforehand."""
    program = digits["training"](1437, 25)
    assert program.owners == ("images", "labels")
    assert [one.name for one in program.outputs][:2] == ["layers.0.weight", "layers.0.bias"]
    assert sum(len(graph.nodes) for graph in program.graphs()) < 100
    assert len(program.canonical) < 250_000
