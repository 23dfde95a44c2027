"""Models of Equinox and Flax, optimisers of optax: programs of them give what JAX gives."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import tacit
from tests.thinning import EVERYTHING

RNG = np.random.default_rng(3)
X = RNG.normal(size=(12, 4)).astype(np.float32)
Y = RNG.integers(0, 3, 12).astype(np.int32)
STEPS = 4

OPTIMISERS = {
    "sgd": optax.sgd(0.3),
    "momentum": optax.sgd(optax.cosine_decay_schedule(0.3, STEPS), momentum=0.9, nesterov=True),
    "clipped": optax.chain(optax.clip_by_global_norm(0.2), optax.sgd(0.3)),
    "adam": optax.adam(0.02),
    "adamw": optax.adamw(optax.warmup_cosine_decay_schedule(0.0, 0.02, 2, STEPS)),
}
FINE = tacit.fixed_point(40)
"""Squares of gradients, times 0.001, need it: with 18 bits they are a few units, or 0."""


@pytest.fixture(scope="module")
def mpc() -> Any:
    with tacit.local("replicated3", seed=9) as computation:
        yield computation


@pytest.fixture(scope="module")
def wide() -> Any:
    with tacit.local("replicated3", seed=9, ring=128) as computation:
        yield computation


def _model() -> Any:
    return eqx.nn.MLP(4, 3, 5, 1, key=jax.random.key(0))


def _trained(x: Any, y: Any, optimiser: Any) -> Any:
    """A training loop in plain JAX."""
    params, static = eqx.partition(_model(), eqx.is_inexact_array)

    def loss(params: Any, x: Any, y: Any) -> Any:
        logits = jax.vmap(eqx.combine(params, static))(x)
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

    def step(carry: Any, rows: Any) -> Any:
        params, state = carry
        value, gradient = jax.value_and_grad(loss)(params, x[rows], y[rows])
        updates, state = optimiser.update(gradient, state, params)
        return (optax.apply_updates(params, updates), state), value

    orders = jax.random.permutation(jax.random.key(1), 12).reshape(2, 6)
    rows = jnp.tile(orders, (STEPS // 2, 1))
    (params, _), losses = jax.lax.scan(step, (params, optimiser.init(params)), rows)
    return {"params": params, "losses": losses}


@pytest.mark.parametrize("name", OPTIMISERS if EVERYTHING else ["momentum", "clipped", "adamw"])
def test_training(name: str, mpc: Any, wide: Any) -> None:
    optimiser = OPTIMISERS[name]
    fractions = FINE if name.startswith("adam") else tacit.fixed
    program = tacit.from_jax(
        _trained,
        tacit.ArraySpec(X.shape, fractions, owner="alice", bounds=(-8, 8)),
        tacit.ArraySpec(Y.shape, tacit.int64, owner="bob", bounds=(0, 2)),
        optimiser,
        to={"params": None, "losses": "all"},
        fractions=fractions,
        ring=128 if fractions == FINE else 64,
    )
    found = (wide if fractions == FINE else mpc).run(program, {"x": X, "y": Y})
    expected = jax.jit(_trained, static_argnums=2)(X, Y, optimiser)
    np.testing.assert_allclose(found["losses"], expected["losses"], atol=4e-3)
    for place, layer in enumerate(expected["params"].layers):
        weight = found[f"params.layers.{place}.weight"].reveal(to="all")
        np.testing.assert_allclose(weight, layer.weight, atol=8e-3)


def test_a_secret_model(mpc: Any) -> None:
    """One party's weights, another one's row: neither sees the other's."""
    model = _model()
    arrays, static = eqx.partition(model, eqx.is_array)
    specs = jax.tree.map(lambda w: tacit.ArraySpec(w.shape, owner="carol"), arrays)

    def predicted(arrays: Any, x: Any) -> Any:
        return jax.nn.softmax(jax.vmap(eqx.combine(arrays, static))(x))

    program = tacit.from_jax(predicted, specs, tacit.ArraySpec(X.shape, owner="alice"), to="alice")
    names = [one.name for one in program.inputs]
    assert names[0] == "arrays.layers.0.weight"
    assert program.owners == ("carol", "alice")
    given = dict(zip(names, [*jax.tree.leaves(arrays), X], strict=True))
    found = mpc.run(program, {key: np.asarray(value) for key, value in given.items()})
    expected = jax.jit(predicted)(arrays, X)
    np.testing.assert_allclose(found["output"]["alice"], expected, atol=2e-3)


def test_flax(mpc: Any) -> None:
    """A convolutional network with normalisation, as Flax writes it."""
    from flax import linen as nn

    class Network(nn.Module):
        @nn.compact
        def __call__(self, x: Any) -> Any:
            x = nn.relu(nn.Conv(3, (3, 3))(x))
            x = nn.max_pool(x, (2, 2), (2, 2))
            x = nn.LayerNorm()(x.reshape(x.shape[0], -1))
            return nn.log_softmax(nn.Dense(4)(x))

    images = RNG.normal(size=(2, 4, 4, 1)).astype(np.float32)
    network = Network()
    params = network.init(jax.random.key(2), images)
    program = tacit.from_jax(
        lambda x: network.apply(params, x),
        tacit.ArraySpec(images.shape, owner="bob", bounds=(-8, 8)),
    )
    found = mpc.run(program, {"x": images})["output"]
    np.testing.assert_allclose(found, jax.jit(network.apply)(params, images), atol=5e-3)
