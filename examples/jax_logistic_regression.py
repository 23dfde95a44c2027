"""Two banks fit one logistic regression, written in plain JAX; only the model is revealed.

Run it with ``python examples/jax_logistic_regression.py``. One bank holds the features, the other
one knows which customers defaulted. Needs ``pip install 'tacit[jax]'``.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import tacit

ROWS, FEATURES, STEPS = 256, 6, 40


def fit(x: Any, y: Any) -> Any:
    """Gradient descent on the log loss: a function of JAX that knows nothing of secrets."""

    def loss(model: Any) -> Any:
        logits = x @ model["weights"] + model["bias"]
        return jnp.mean(jax.nn.softplus(logits) - y * logits)

    def step(model: Any, _: None) -> Any:
        value, gradient = jax.value_and_grad(loss)(model)
        return jax.tree.map(lambda w, g: w - 1.0 * g, model, gradient), value

    start = {"weights": jnp.zeros(x.shape[1]), "bias": jnp.zeros(())}
    model, losses = jax.lax.scan(step, start, None, length=STEPS)
    return {"model": model, "loss": losses[-1]}


def program(rows: int = ROWS) -> tacit.Program:
    """The function as a program: what both banks read and approve before they run it."""
    return tacit.from_jax(
        fit,
        tacit.ArraySpec((rows, FEATURES), owner="bank_a", bounds=(-6, 6)),
        tacit.ArraySpec((rows,), owner="bank_b", bounds=(0, 1)),
        to={"model": "all", "loss": "all"},
    )


def data(rows: int = ROWS) -> tuple[Any, Any]:
    """Customers of both banks, made up."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, FEATURES)).clip(-6, 6)
    truth = np.array([1.5, -2.0, 0.5, 0.0, 1.0, -0.5])
    return x, (x @ truth + 0.3 + rng.logistic(size=rows) > 0).astype(float)


def main() -> None:
    """Fit on the banks' data, and compare with JAX on all of it."""
    x, y = data()
    made = program()
    print(made)
    print("digest", made.digest)
    with tacit.local("replicated3", parties=["bank_a", "bank_b", "broker"]) as mpc:
        found = mpc.run(made, {"x": x, "y": y})
    expected = jax.jit(fit)(x.astype(np.float32), y.astype(np.float32))
    print("private", found["model.weights"].round(3), "loss", float(found["loss"]).__round__(4))
    print(
        "JAX    ",
        np.round(expected["model"]["weights"], 3),
        "loss",
        round(float(expected["loss"]), 4),
    )


if __name__ == "__main__":
    main()
