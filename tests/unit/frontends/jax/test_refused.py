"""What a function may not do, and what is said about it."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import tacit
from tacit.errors import TacitError, TypeMismatchError

SPEC = tacit.ArraySpec((4,), owner="alice")


def _refused(function: Any, *specs: Any, **options: Any) -> TacitError:
    with pytest.raises(TacitError) as caught:
        tacit.from_jax(function, *(specs or (SPEC,)), **options)
    assert caught.value.next_step
    return caught.value


def test_all_unsupported_primitives_are_named() -> None:
    def function(x: Any) -> Any:
        y = lax.igamma(x, x) + lax.igammac(x, x)
        return lax.fori_loop(0, 3, lambda i, c: c + jnp.fft.fft(c).real + lax.zeta(x, c), y)

    error = _refused(function)
    assert error.code == "TC-1520"
    for name in ("igamma", "igammac", "fft"):
        assert name in error.message
    assert "test_refused.py" in error.message  # the line
    assert "no complex secrets" in error.message  # the reason


def test_unsupported_primitives_on_public_values_are_computed() -> None:
    program = tacit.from_jax(lambda x: x * lax.lgamma(jnp.arange(1.0, 5.0)), SPEC)
    assert program.operations == {"multiply"}


def test_secret_loop() -> None:
    error = _refused(lambda x: lax.while_loop(lambda c: c.sum() < 9, lambda c: c * 2, x))
    assert error.code == "TC-1521"
    assert "fori_loop" in error.next_step


def test_nan_is_no_number() -> None:
    error = _refused(lambda x: jnp.where(x > 0, x, jnp.nan))
    assert error.code == "TC-1523"
    assert _refused(lambda x: jnp.where(x > 0, x, -jnp.inf) * 2).code == "TC-1523"


def test_a_mask_that_leaks_into_a_result_is_refused() -> None:
    """-inf that is only compared may pass; the same value as a result may not."""

    def both(x: Any) -> Any:
        masked = jnp.where(x > 0, x, -jnp.inf)
        return masked.max(), masked[0]

    tacit.from_jax(lambda x: jnp.where(x > 0, x, -jnp.inf).max(), SPEC)
    assert _refused(both).code == "TC-1523"


def test_public_zero() -> None:
    assert _refused(lambda x: x / jnp.zeros(4)).code == "TC-1522"


def test_several_values_at_secret_positions() -> None:
    index = tacit.ArraySpec((2,), tacit.int64, owner="bob")
    error = _refused(lambda x, i: x.at[i].set(jnp.ones(2)), SPEC, index)
    assert error.code == "TC-1522"


def test_types_without_a_secret_form() -> None:
    wide = tacit.ArraySpec((4,), tacit.int128, owner="alice")
    error = _refused(lambda x: x, wide)
    assert isinstance(error, TypeMismatchError)
    assert error.code == "TC-1275"
    assert _refused(lambda x: x + 1j).code == "TC-1275"


@pytest.mark.parametrize(
    ("function", "specs", "options", "code"),
    [
        (lambda x: x, (SPEC, SPEC), {}, "TC-1517"),
        (lambda x, y: x + y, (SPEC, tacit.ArraySpec((4,), name="x")), {}, "TC-1517"),
        (lambda x: (), (), {}, "TC-1518"),
        (lambda x: {"a": x, "b": x}, (), {"to": {"a": "all"}}, "TC-1518"),
        (lambda x: {"a": x}, (), {"to": {"a": "all", "c": "bob"}}, "TC-1518"),
        (lambda x: (x, x), (), {"names": ["same", "same"]}, "TC-1518"),
    ],
)
def test_arguments(function: Any, specs: Any, options: Any, code: str) -> None:
    assert _refused(function, *specs, **options).code == code


def test_names_and_recipients() -> None:
    program = tacit.from_jax(
        lambda params, x: {"new": {"w": params["w"] + x}, "sums": [x.sum(), x.max()]},
        {"w": SPEC, "scale": 2.0, "activation": jax.nn.relu, "none": None},
        SPEC,
        to={"new": None, "sums": ["bob", "alice"]},
    )
    assert [one.name for one in program.inputs] == ["params.w", "x"]
    assert {one.name: one.to for one in program.outputs} == {
        "new.w": (),
        "sums.0": ("alice", "bob"),
        "sums.1": ("alice", "bob"),
    }


def test_equal_functions_have_equal_digests() -> None:
    first, second = (tacit.from_jax(lambda x: jnp.tanh(x) * 2, SPEC) for _ in range(2))
    assert first.digest == second.digest


def test_results_that_are_inputs_or_public() -> None:
    program = tacit.from_jax(lambda x: (x, jnp.arange(3.0)), SPEC)
    with tacit.local("replicated3", seed=1) as mpc:
        found = mpc.run(program, {"x": np.arange(4.0)})
    np.testing.assert_allclose(found["output0"], np.arange(4.0))
    np.testing.assert_allclose(found["output1"], np.arange(3.0))


def test_jax_is_not_imported_by_tacit() -> None:
    """Nodes that only run programs need none of it; who makes one is told how to get it."""
    text = """
import sys
sys.modules["jax"] = None
import tacit
try:
    tacit.from_jax(lambda x: x, tacit.ArraySpec((2,)))
except tacit.errors.ProgramError as error:
    print(error.code, "tacit[jax]" in error.next_step)
"""
    found = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["TC-1524", "True"]
