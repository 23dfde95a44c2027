"""Every primitive on secrets gives what JAX gives, eagerly and as a program."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

import tacit
from tacit.arrays.array import SecretArray
from tacit.frontends.jax.importing import imported
from tacit.frontends.jax.interpreter import evaluated
from tests.thinning import EVERYTHING
from tests.unit.frontends.jax.primitive_cases import CASES, Case

TRACED = CASES if EVERYTHING else CASES[::6]


@pytest.fixture(scope="module")
def expected() -> dict[str, list[Any]]:
    """What JAX says, all of it compiled as one function: a fifth of the time."""
    together = jax.jit(lambda given: [c.function(*a) for c, a in zip(CASES, given, strict=True)])
    results = together([case.arguments for case in CASES])
    return {case.name: jax.tree.leaves(r) for case, r in zip(CASES, results, strict=True)}


@pytest.fixture(scope="module")
def mpc() -> Any:
    with tacit.local("replicated3", seed=7) as computation:
        yield computation


def opened(values: list[Any]) -> list[Any]:
    return [v.reveal(to="all") if isinstance(v, SecretArray) else v for v in values]


def agrees(case: Case, found: list[Any], wanted: list[Any]) -> None:
    assert [np.shape(value) for value in found] == [np.shape(value) for value in wanted]
    for ours, theirs in zip(found, wanted, strict=True):
        allowed = case.tolerance * np.maximum(1.0, np.abs(np.asarray(theirs, np.float64)))
        error = np.abs(np.asarray(ours, np.float64) - np.asarray(theirs, np.float64))
        assert (error <= allowed).all()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_eager(case: Case, mpc: Any, expected: dict[str, list[Any]]) -> None:
    given = [np.asarray(value) for value in case.arguments]
    shapes = [jax.ShapeDtypeStruct(value.shape, value.dtype) for value in given]
    body = imported(case.function, shapes, [True] * len(given)).body
    secrets = [mpc.share(value, owner="alice") for value in given]
    agrees(case, opened(evaluated(body, secrets)), expected[case.name])


@pytest.mark.parametrize("case", TRACED, ids=lambda case: case.name)
def test_traced(case: Case, mpc: Any, expected: dict[str, list[Any]]) -> None:
    given = [np.asarray(value) for value in case.arguments]
    kinds = {"f": tacit.fixed, "b": tacit.bool, "i": tacit.int64, "u": tacit.uint8}
    specs = [tacit.ArraySpec(v.shape, kinds[v.dtype.kind], owner="alice", name=f"x{place}")
             for place, v in enumerate(given)]  # fmt: skip
    program = tacit.from_jax(case.function, *specs)
    outputs = mpc.run(program, {f"x{place}": value for place, value in enumerate(given)})
    agrees(case, list(outputs.values()), expected[case.name])
