"""Handwritten digits with an Equinox network: private inference, and private training.

``python examples/jax_digits.py infer`` keeps the network and the images apart: one party owns the
weights, another one the images, and only the owner of the images learns what they show.
``python examples/jax_digits.py train`` trains on images and labels that two parties hold. The data
are scikit-learn's 1,797 digits. Needs ``pip install 'tacit[jax]' equinox optax``.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import equinox as eqx
import jax
import numpy as np
import optax
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import tacit

HIDDEN, EPOCHS, BATCH = 32, 15, 64
OPTIMISER = optax.sgd(0.2, momentum=0.9)


def digits() -> tuple[Any, Any, Any, Any]:
    """Images from 0 to 1, four fifths to train with; then their labels."""
    images, labels = load_digits(return_X_y=True)
    images = (images / 16).astype(np.float32)
    found: tuple[Any, Any, Any, Any] = train_test_split(
        images, labels.astype(np.int32), test_size=0.2, random_state=0, stratify=labels
    )
    return found


def network() -> Any:
    """The network before training: 64 inputs, one hidden layer, 10 outputs."""
    return eqx.nn.MLP(64, 10, HIDDEN, 1, key=jax.random.key(0))


def train(x: Any, y: Any, epochs: int = EPOCHS) -> Any:
    """A training loop in plain JAX, Equinox and optax."""
    params, static = eqx.partition(network(), eqx.is_inexact_array)

    def loss(params: Any, x: Any, y: Any) -> Any:
        logits = jax.vmap(eqx.combine(params, static))(x)
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

    def step(carry: Any, rows: Any) -> Any:
        params, state = carry
        gradient = jax.grad(loss)(params, x[rows], y[rows])
        updates, state = OPTIMISER.update(gradient, state, params)
        return (optax.apply_updates(params, updates), state), None

    def epoch(carry: Any, key: Any) -> Any:
        batches = len(x) // BATCH
        order = jax.random.permutation(key, len(x))[: batches * BATCH]
        return jax.lax.scan(step, carry, order.reshape(batches, BATCH))

    keys = jax.random.split(jax.random.key(1), epochs)
    (params, _), _ = jax.lax.scan(epoch, (params, OPTIMISER.init(params)), keys)
    return params


def predict(params: Any, x: Any) -> Any:
    """What each image shows."""
    _, static = eqx.partition(network(), eqx.is_inexact_array)
    return jax.vmap(eqx.combine(params, static))(x).argmax(axis=1)


def training(rows: int, epochs: int = EPOCHS) -> tacit.Program:
    """`train` as a program: one party has the images, another one the labels."""
    return tacit.from_jax(
        train,
        tacit.ArraySpec((rows, 64), owner="images", bounds=(0, 1)),
        tacit.ArraySpec((rows,), tacit.int64, owner="labels", bounds=(0, 9)),
        epochs,
    )


def inference(rows: int) -> tacit.Program:
    """`predict` as a program: the network is one party's, the images are another one's."""
    params, _ = eqx.partition(network(), eqx.is_inexact_array)
    secret = jax.tree.map(lambda w: tacit.ArraySpec(w.shape, owner="model", bounds=(-8, 8)), params)
    images = tacit.ArraySpec((rows, 64), owner="images", bounds=(0, 1))
    return tacit.from_jax(predict, secret, images, to="images", name="predict")


def infer() -> float:
    """Private inference on the images that training did not see; the share of right answers."""
    x, x_test, y, y_test = digits()
    params = jax.jit(train)(x, y)  # the model's owner, in the clear
    program = inference(len(x_test))
    names = [one.name for one in program.inputs]
    given = dict(zip(names, [*jax.tree.leaves(params), x_test], strict=True))
    with tacit.local("replicated3", parties=["model", "images", "third"]) as mpc:
        found = mpc.run(program, {name: np.asarray(value) for name, value in given.items()})
    return float((found["output"]["images"] == y_test).mean())


def train_privately(epochs: int = EPOCHS) -> float:
    """Private training; the share of right answers on images that it did not see."""
    x, x_test, y, y_test = digits()
    began = time.perf_counter()
    program = training(len(x), epochs)
    print(f"compiled in {time.perf_counter() - began:.2f} s: {program}")
    with tacit.local("replicated3", parties=["images", "labels", "third"]) as mpc:
        found = mpc.run(program, {"x": x, "y": y})
        print(f"trained in {mpc.total_cost.seconds:.1f} s, {mpc.total_cost.rounds} rounds")
    start, _ = eqx.partition(network(), eqx.is_inexact_array)
    leaves = [np.asarray(value, np.float32) for value in found.values()]
    params = jax.tree.unflatten(jax.tree.structure(start), leaves)
    return float((np.asarray(predict(params, x_test)) == y_test).mean())


if __name__ == "__main__":
    if sys.argv[1:] not in (["infer"], ["train"]):
        sys.exit(__doc__)
    right = infer() if sys.argv[1] == "infer" else train_privately()
    print(f"right on {right:.1%} of images that training did not see")
