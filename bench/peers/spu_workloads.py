"""The workloads on SecretFlow SPU, written as its users write them: JAX functions.

Run by SPU's own interpreter; `serving` describes the command line, `spu_parties` the setting.
All settings of its approximations are SPU's defaults. Other ways to write a function were tried
(the loop unrolled or scanned, the gradient by hand, an unstable sort) and are no faster.
"""

from __future__ import annotations

from typing import Any

import inputs
import jax
import jax.numpy as jnp
import numpy as np
import serving
import spu
from spu import libspu
from spu.utils import frontend
from spu_parties import Parties


def logistic_epoch(features, labels):
    """One epoch of plain SGD; the loop is public, the rows are taken in order."""
    steps, batch = inputs.LOGISTIC_STEPS, inputs.LOGISTIC_BATCH
    rate = inputs.LOGISTIC_RATE / batch

    def step(i, weights):
        rows = jax.lax.dynamic_slice_in_dim(features, i * batch, batch)
        truth = jax.lax.dynamic_slice_in_dim(labels, i * batch, batch)
        return weights - rate * (rows.T @ (jax.nn.sigmoid(rows @ weights) - truth))

    return jax.lax.fori_loop(0, steps, step, jnp.zeros(features.shape[1]))


def mlp_infer(pixels, *parameters):
    """Return the logits of the perceptron."""
    depth = len(parameters) // 2
    values = pixels
    for layer in range(depth):
        sums = values @ parameters[2 * layer] + parameters[2 * layer + 1]
        values = jax.nn.relu(sums) if layer < depth - 1 else sums
    return values


def mlp_train(pixels, *parameters_and_labels):
    """One step of plain SGD on the mean softmax cross-entropy."""
    *parameters, labels = parameters_and_labels

    def loss(parameters):
        log_likelihoods = jax.nn.log_softmax(mlp_infer(pixels, *parameters))
        return -jnp.mean(jnp.sum(log_likelihoods * labels, axis=1))

    gradients = jax.grad(loss)(parameters)
    return tuple(p - inputs.MLP_RATE * g for p, g in zip(parameters, gradients, strict=True))


FUNCTIONS = {
    "matmul": lambda x, y: x @ y,
    "multiply": lambda x, y: x * y,
    "compare": lambda x, y: x < y,
    "relu": jax.nn.relu,
    "sigmoid": jax.nn.sigmoid,
    "exp": jnp.exp,
    "log": jnp.log,
    "reciprocal": lambda x: 1.0 / x,
    "division": lambda x, y: x / y,
    "sqrt": jnp.sqrt,
    "tanh": jnp.tanh,
    "logistic_epoch": logistic_epoch,
    "mlp_train": mlp_train,
    "mlp_infer": mlp_infer,
    "sort": jnp.sort,
}
"""A workload's name begins with its function's."""


def compiled(name: str, arrays: list[np.ndarray]) -> libspu.Executable:
    """Compile a workload's function for secret inputs of these shapes."""
    function = FUNCTIONS.get(name) or FUNCTIONS[name.rpartition("_")[0]]

    def named(*arguments):
        return function(*arguments)

    executable, _ = frontend.compile(
        frontend.Kind.JAX,
        named,
        arrays,
        {},
        [f"{name}.in{i}" for i in range(len(arrays))],
        [libspu.Visibility.VIS_SECRET] * len(arrays),
        lambda outputs: [f"{name}.out{i}" for i in range(len(outputs))],
    )
    return executable


class SpuSession:
    """Three parties, and the programs that they have loaded."""

    def __init__(self) -> None:
        self._parties = Parties()
        self._loaded: dict[str, tuple[inputs.Workload, int]] = {}

    def measure(self, workload: str) -> dict[str, Any]:
        """Run a workload once, warm; see `serving.Session`."""
        if workload not in self._loaded:
            job = inputs.workload(workload)
            arrays = [array.astype(np.float32) for array in job.inputs.values()]
            sent = self._parties.load(workload, compiled(workload, arrays), arrays)
            self._loaded[workload] = job, sent
        job, sent = self._loaded[workload]
        seconds, results = self._parties.run(workload)
        return {"seconds": seconds, "max_error": job.error(results), "bytes": sent}

    def close(self) -> None:
        """End the parties."""
        self._parties.close()


if __name__ == "__main__":
    serving.main("spu", spu.__version__, inputs.names(), SpuSession)
