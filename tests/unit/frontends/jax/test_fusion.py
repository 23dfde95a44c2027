"""What JAX writes out for floats becomes one function; what only looks alike stays as it is."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import pytest

import tacit

SPEC = tacit.ArraySpec((3, 4), owner="alice")
COLUMN = tacit.ArraySpec((3, 1), owner="alice")
MOVES = {"reshape", "broadcast_to", "astype", "sum", "constant"}


def _used(function: Any, *specs: Any) -> set[str]:
    return set(tacit.from_jax(function, *(specs or (SPEC,))).operations) - MOVES


@pytest.mark.parametrize(
    ("function", "operations"),
    [
        (jax.nn.softmax, {"softmax"}),
        (lambda x: jnp.exp(x) / jnp.exp(x).sum(0, keepdims=True), {"softmax"}),
        (jax.nn.softplus, {"softplus"}),
        (jax.grad(lambda x: jax.nn.softplus(x).sum()), {"sigmoid"}),
        (lambda x: 1 / (1 + jnp.exp(-x)), {"sigmoid"}),
        (lambda x: jnp.logaddexp(x, x + 1), {"add", "logaddexp"}),
        (lambda x: jnp.abs(jnp.exp(x)), {"exp"}),
        (lambda x: jnp.where(jnp.isnan(x) | jnp.isinf(x), 0.0, x) * 2, {"multiply"}),
    ],
)
def test_one_function(function: Any, operations: set[str]) -> None:
    assert _used(function) == operations


def test_divisors() -> None:
    assert _used(lambda x, v: x / jnp.sqrt(v), SPEC, COLUMN) == {"rsqrt", "multiply"}
    assert _used(lambda x, v: x / v, SPEC, COLUMN) == {"reciprocal", "multiply"}
    assert _used(lambda x, v: x / v, SPEC, tacit.ArraySpec((3, 4), name="v")) == {"divide"}


def test_a_comparison_is_shared() -> None:
    def function(x: Any) -> Any:
        return jnp.maximum(x, 0.0), jnp.where(x > 0.0, 1.0, 0.1)

    assert "relu" not in _used(function)
    assert _used(function) == {"greater", "where"}


def test_what_only_looks_alike() -> None:
    """Sums over another axis, another shift, another number: no softmax, no softplus."""
    assert "softmax" not in _used(lambda x: jnp.exp(x) / jnp.exp(x).sum())
    assert "softmax" not in _used(lambda x: jnp.exp(x) / jnp.exp(2 * x).sum(1, keepdims=True))
    assert "softplus" not in _used(lambda x: jnp.log(2 + jnp.exp(x)))
    assert "sigmoid" not in _used(lambda x: 2 / (1 + jnp.exp(-x)))
