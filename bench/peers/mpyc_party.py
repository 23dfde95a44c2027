"""One MPyC party: ``mpyc_party.py -P host:port ... -I rank``, one JSON line a workload.

Numbers are ``SecFxp(32, 16)``: 16 fraction bits, values below 2^15, statistical security 30 bits
(MPyC's default). Everything is written with MPyC's secure arrays, its fastest form. MPyC has no
sigmoid; `sigmoid` builds one from its operations.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import inputs
import numpy as np
from mpyc.runtime import mpc

Number = mpc.SecFxp(32, 16)


def relu(x):
    """Return max(x, 0)."""
    return x * (x >= 0)


def sigmoid(x):
    """Return 1 / (1 + exp(-x)) with an error of about 1e-3.

    ``e = (1 - |x| / 256) ** 256`` stands for ``exp(-|x|)``; the quotient ``1 / (1 + e)``, of a
    denominator between 1 and 2, takes two Newton steps from a linear guess.
    """
    negative = x < 0
    e = 1 - (x - 2 * negative * x) * (1 / 256)
    for _ in range(8):
        e = e * e
    quotient = 24 / 17 - (1 + e) * (8 / 17)
    for _ in range(2):
        quotient = quotient * (2 - (1 + e) * quotient)
    return quotient + negative * (1 - 2 * quotient)


def logistic_epoch(features, labels):
    """One epoch of plain SGD from zero weights."""
    batch = inputs.LOGISTIC_BATCH
    weights = Number.array(np.zeros(features.shape[1]), integral=False)
    for step in range(inputs.LOGISTIC_STEPS):
        rows = slice(step * batch, (step + 1) * batch)
        residual = sigmoid(features[rows] @ weights) - labels[rows]
        gradient = features[rows].T @ residual
        weights = weights - gradient * (inputs.LOGISTIC_RATE / batch)
    return weights


def mlp_infer(pixels, *parameters):
    """Return the logits of the perceptron."""
    depth = len(parameters) // 2
    values = pixels
    for layer in range(depth):
        sums = values @ parameters[2 * layer] + parameters[2 * layer + 1]
        values = relu(sums) if layer < depth - 1 else sums
    return values


FUNCTIONS = {
    "matmul": lambda x, y: x @ y,
    "multiply": lambda x, y: x * y,
    "compare": lambda x, y: x < y,
    "relu": relu,
    "sigmoid": sigmoid,
    "reciprocal": lambda x: 1 / x,
    "division": lambda x, y: x / y,
    "logistic_epoch": logistic_epoch,
    "mlp_infer": mlp_infer,
    "sort": mpc.np_sort,
}
"""A workload's name begins with its function's."""


def bytes_sent() -> int:
    """Return what this party has sent to the others since the start."""
    return sum(peer.protocol.nbytes_sent for peer in mpc.parties if peer.pid != mpc.pid)


async def measure(name: str, size: int | None) -> dict[str, Any]:
    """Run a workload; inputs are shared before, and the result is revealed after, the timing."""
    job = inputs.workload(name, size)
    function = FUNCTIONS.get(name) or FUNCTIONS[name.rpartition("_")[0]]
    arguments = [
        mpc.input(Number.array(array, integral=False), senders=0) for array in job.inputs.values()
    ]
    for argument in arguments:
        await mpc.gather(argument)
    await mpc.transfer(mpc.pid)

    before, start = bytes_sent(), time.monotonic()
    result = function(*arguments)
    await mpc.gather(result)
    end, sent = time.monotonic(), bytes_sent() - before

    error = job.error((np.asarray(await mpc.output(result), dtype=np.float64),))
    return {"start": start, "end": end, "bytes": sent, "max_error": error}


def main() -> None:
    """Answer lines until the standard input ends."""
    mpc.run(mpc.start())
    for line in sys.stdin:
        request = json.loads(line)
        answer = mpc.run(measure(request["workload"], request["size"]))
        print(json.dumps(answer), flush=True)
    mpc.run(mpc.shutdown())


if __name__ == "__main__":
    main()
