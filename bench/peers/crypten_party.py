"""One CrypTen party, or the dealer: its rank in the environment, one JSON line a workload.

16 fraction bits and the approximations of CrypTen's own default configuration.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from typing import Any

import inputs
import numpy as np
import torch

# CrypTen 0.4.1 imports a private module that torch has moved since.
sys.modules["torch.onnx._internal.registration"] = importlib.import_module(
    "torch.onnx._internal.torchscript_exporter.registration"
)

import crypten  # noqa: E402
import crypten.communicator  # noqa: E402


def logistic_epoch(features, labels):
    """One epoch of plain SGD from zero weights."""
    batch = inputs.LOGISTIC_BATCH
    weights = crypten.cryptensor(torch.zeros(features.shape[1]), src=0)
    for step in range(inputs.LOGISTIC_STEPS):
        rows = features[step * batch : (step + 1) * batch]
        residual = rows.matmul(weights).sigmoid() - labels[step * batch : (step + 1) * batch]
        gradient = rows.transpose(0, 1).matmul(residual)
        weights = weights - gradient * (inputs.LOGISTIC_RATE / batch)
    return weights


def mlp_infer(pixels, *parameters):
    """Return the logits of the perceptron."""
    return _mlp_forward(pixels, parameters)[0][-1]


def mlp_train(pixels, *parameters_and_labels):
    """One step of plain SGD on the mean cross-entropy, with the gradient written out.

    CrypTen's autograd would compare twice for every ReLU; here its mask is kept.
    """
    *parameters, labels = parameters_and_labels
    rate = inputs.MLP_RATE / pixels.shape[0]
    activations, masks = _mlp_forward(pixels, parameters)
    delta = activations[-1].softmax(1) - labels
    updated = []
    for layer in reversed(range(len(parameters) // 2)):
        weights, biases = parameters[2 * layer], parameters[2 * layer + 1]
        gradient = activations[layer].transpose(0, 1).matmul(delta)
        updated = [weights - gradient * rate, biases - delta.sum(0) * rate, *updated]
        if layer:
            delta = delta.matmul(weights.transpose(0, 1)) * masks[layer - 1]
    return updated


def _mlp_forward(pixels, parameters):
    """Return the activations of every layer, and the masks of the ReLUs between."""
    depth = len(parameters) // 2
    activations, masks = [pixels], []
    for layer in range(depth):
        sums = activations[-1].matmul(parameters[2 * layer]) + parameters[2 * layer + 1]
        if layer < depth - 1:
            masks.append(sums > 0)
            sums = sums * masks[-1]
        activations.append(sums)
    return activations, masks


FUNCTIONS = {
    "matmul": lambda x, y: x.matmul(y),
    "multiply": lambda x, y: x * y,
    "compare": lambda x, y: x < y,
    "relu": lambda x: x.relu(),
    "sigmoid": lambda x: x.sigmoid(),
    "exp": lambda x: x.exp(),
    "log": lambda x: x.log(),
    "reciprocal": lambda x: x.reciprocal(),
    "division": lambda x, y: x / y,
    "sqrt": lambda x: x.sqrt(),
    "tanh": lambda x: x.tanh(),
    "logistic_epoch": logistic_epoch,
    "mlp_train": mlp_train,
    "mlp_infer": mlp_infer,
}
"""A workload's name begins with its function's."""


def measure(name: str) -> dict[str, Any]:
    """Run a workload; inputs are shared before, and the result is revealed after, the timing."""
    job = inputs.workload(name)
    function = FUNCTIONS.get(name) or FUNCTIONS[name.rpartition("_")[0]]
    arguments = [
        crypten.cryptensor(torch.tensor(array, dtype=torch.float64), src=0)
        for array in job.inputs.values()
    ]
    crypten.communicator.get().barrier()
    start = time.monotonic()
    results = function(*arguments)
    end = time.monotonic()
    several = results if isinstance(results, list) else [results]
    return {"start": start, "end": end, "max_error": job.error(tuple(map(plain, several)))}


def plain(secret) -> np.ndarray:
    """Reveal and decode; CrypTen's own decoder is off by up to one for negative numbers."""
    return secret.reveal().numpy() / secret.encoder.scale


def main() -> None:
    """Answer lines until the standard input ends; the dealer serves until it is told to stop."""
    crypten.cfg.mpc.provider = "TTP"
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    if int(os.environ["RANK"]) == int(os.environ["WORLD_SIZE"]):
        crypten.mpc.provider.TTPServer()
        return
    crypten.init()
    for line in sys.stdin:
        print(json.dumps(measure(json.loads(line)["workload"])), flush=True)
    crypten.uninit()


if __name__ == "__main__":
    main()
