"""What training steps mean on plain float64 numbers: the formulas, without roundings of factors.

The steps are those of ``functions/logistic.py``, ``functions/perceptron.py`` and
``functions/optimization.py``, whose notation is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from math import log2
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

from tacit.functions.optimization import Adam, Rule, Sgd
from tacit.functions.perceptron import Activation, Output
from tacit.operations.perceptron import Network, TrainingStep
from tacit.operations.regression import LogisticStep

__all__ = ["logistic_step", "mlp_forward", "mlp_step"]

Array: TypeAlias = NDArray[np.float64]
Pair: TypeAlias = tuple[Array, Array]
"""A layer's weights and bias, or what is kept for them."""

FLOOR: Final = 2.0**-16
"""What Adam adds to its mean of squares; for fewer than 16 fraction bits their last place."""


def logistic_step(operands: Sequence[NDArray[Any]], a: LogisticStep) -> Any:
    """w - (rate / n) Xᵀ(σ(Xw) - y) - rate · decay · w."""
    x, y, w = (one.astype(np.float64) for one in operands)
    if not len(x):
        return w
    residuals = special.expit(x @ w) - y
    return w - a.learning_rate * (x.T @ residuals / len(x) + a.decay * w)


def mlp_forward(operands: Sequence[NDArray[Any]], a: Network) -> Array:
    """The network's output for rows."""
    x, *parameters = (one.astype(np.float64) for one in operands)
    return _forward(x, _paired(parameters), a.activation, a.output)[2]


def mlp_step(
    operands: Sequence[NDArray[Any]], a: TrainingStep, fraction_bits: int
) -> tuple[Array, ...]:
    """Parameters and state after a step."""
    x, y, *rest = (one.astype(np.float64) for one in operands)
    if not len(x):
        return tuple(rest)
    rule = a.rule
    count = len(rest) // (1 + rule.slots)
    layers, *state = (_paired(rest[k : k + count]) for k in range(0, len(rest), count))
    below, slopes, p = _forward(x, layers, a.activation, a.output)
    delta = p - y
    if a.class_weights:
        delta = delta * _row_weights(y, a.class_weights)[:, None]
    gradients: list[Pair] = []
    for place in range(len(layers) - 1, -1, -1):
        weights, _ = layers[place]
        under = below[place]
        sums = under.T @ delta + rule.alpha * weights
        gradients.insert(0, (sums / len(x), delta.sum(0) / len(x)))
        delta = delta @ weights.T * slopes[place]
    return tuple(chain(*chain(*_moved(rule, layers, gradients, state, fraction_bits))))


def _paired(arrays: Sequence[Array]) -> list[Pair]:
    return list(zip(arrays[::2], arrays[1::2], strict=True))


def _forward(
    x: Array, layers: Sequence[Pair], activation: Activation, output: Output
) -> tuple[list[Array], list[Array], Array]:
    """What each layer is given, its derivative by the sums that it came from, and the output."""
    below, slopes = [x], [np.ones_like(x)]
    for weights, bias in layers[:-1]:
        values, slope = _activated(below[-1] @ weights + bias, activation)
        below.append(values)
        slopes.append(slope)
    weights, bias = layers[-1]
    z = below[-1] @ weights + bias
    if output == "softmax":
        z = special.softmax(z, axis=1)
    elif output == "logistic":
        z = special.expit(z)
    return below, slopes, z


def _activated(z: Array, activation: Activation) -> tuple[Array, Array]:
    """act(z) and act'(z); the slope of ReLU at 0 is 1."""
    if activation == "relu":
        active = (z >= 0).astype(np.float64)
        return z * active, active
    if activation == "logistic":
        p = special.expit(z)
        return p, p * (1 - p)
    if activation == "tanh":
        t = np.tanh(z)
        return t, 1 - t**2
    return z, np.ones_like(z)


def _row_weights(y: Array, weights: Sequence[float]) -> Any:
    if y.shape[1] > 1:
        return y @ np.asarray(weights)
    zero, one = weights
    return zero + (one - zero) * y[:, 0]


def _moved(
    rule: Rule,
    layers: Sequence[Pair],
    gradients: Sequence[Pair],
    state: Sequence[Sequence[Pair]],
    fraction_bits: int,
) -> list[list[Pair]]:
    """For each slot, parameters first, each layer's arrays."""
    move = _descended if isinstance(rule, Sgd) else _adapted
    slots: list[list[Pair]] = [[] for _ in range(1 + rule.slots)]
    for place, layer in enumerate(layers):
        kept = [slot[place] for slot in state]
        both = [
            move(rule, value, gradient, [slot[k] for slot in kept], fraction_bits)
            for k, (value, gradient) in enumerate(zip(layer, gradients[place], strict=True))
        ]
        for slot, pair in zip(slots, zip(*both, strict=True), strict=True):
            slot.append((pair[0], pair[1]))
    return slots


def _descended(
    rule: Any, w: Array, gradient: Array, state: Sequence[Array], fraction_bits: int
) -> tuple[Array, ...]:
    assert isinstance(rule, Sgd)
    step = rule.learning_rate * gradient
    if not rule.momentum:
        return (w - step,)
    velocity = rule.momentum * state[0] - step
    move = rule.momentum * velocity - step if rule.nesterov else velocity
    return w + move, velocity


def _adapted(
    rule: Any, w: Array, gradient: Array, state: Sequence[Array], fraction_bits: int
) -> tuple[Array, ...]:
    assert isinstance(rule, Adam)
    u = gradient * 2.0 ** round(-8 - log2(rule.epsilon))
    means = []
    for old, new, beta in zip(state, (u, u * u), (rule.beta_1, rule.beta_2), strict=True):
        weight = (1 - beta) / (1 - beta**rule.step)
        means.append((1 - weight) * old + weight * new)
    m, v = means
    return w - rule.learning_rate * m / np.sqrt(v + max(FLOOR, 2.0**-fraction_bits)), m, v
