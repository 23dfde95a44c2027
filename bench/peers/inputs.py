"""The workloads: their names, their seeded inputs, and NumPy's answers.

Every peer, and tacit, computes these same functions on these same numbers. Inputs are rounded to
multiples of 2^-16, so that encodings with 16 or more fraction bits hold them exactly and an error
is an error of the computation.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

FRACTION_BITS = 16
"""Inputs are multiples of ``2 ** -FRACTION_BITS``."""

LOGISTIC_ROWS, LOGISTIC_FEATURES = 10_000, 100
LOGISTIC_BATCH, LOGISTIC_STEPS = 128, 78
LOGISTIC_RATE = 0.5

MLP_LAYERS = (784, 128, 128, 10)
MLP_RATE = 0.5

Arrays = Mapping[str, np.ndarray]
Results = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Workload:
    """One function on one set of inputs.

    Attributes
    ----------
    name : str
        The stable name, such as ``"matmul_256"``.
    inputs : mapping of str to ndarray
        Float64 arrays, in the order in which the function takes them. All of them are secret.
    in_the_clear : callable
        Has NumPy compute the function of the inputs in float64.
    """

    name: str
    inputs: Arrays
    in_the_clear: Callable[[], Results]

    @cached_property
    def expected(self) -> Results:
        """What NumPy computes.

        When it is first asked for, which is after a timed part: the threads of NumPy's matrix
        products go on looking for work for tens of milliseconds, on the parties' cores.
        """
        return self.in_the_clear()

    def error(self, results: Results) -> float:
        """Return the largest error: ``|result - expected| / max(1, |expected|)``.

        Absolute for expected values below one, relative above. For booleans it is 0 where all
        agree and 1 otherwise.

        Raises
        ------
        ValueError
            If a result is missing, has another shape, or is not finite.
        """
        if len(results) != len(self.expected):
            raise ValueError(f"{len(results)} results where {len(self.expected)} are expected")
        worst = 0.0
        for result, expected in zip(results, self.expected, strict=True):
            got, want = np.asarray(result, np.float64), np.asarray(expected, np.float64)
            if got.shape != want.shape:
                raise ValueError(f"a result of shape {got.shape} where {want.shape} is expected")
            if not np.all(np.isfinite(got)):
                raise ValueError("a result is not finite")
            difference = np.abs(got - want) / np.maximum(1.0, np.abs(want))
            worst = max(worst, float(np.max(difference)))
        return worst


def names() -> tuple[str, ...]:
    """Return the names of all workloads, in the order in which they are reported."""
    return tuple(_BUILDERS)


def workload(name: str, size: int | None = None) -> Workload:
    """Return the workload of this name; the same numbers on every call.

    Parameters
    ----------
    name : str
        One of `names`.
    size : int, optional
        Elements (or matrix side) instead of the workload's own, for a peer that is too slow for
        it. Workloads of fixed shape (logistic regression, the perceptron) refuse it.

    Raises
    ------
    KeyError
        If there is no such workload.
    ValueError
        If a size is given to a workload of fixed shape.
    """
    own_size = _BUILDERS[name][1]
    if own_size is None and size is not None:
        raise ValueError(f"{name} has one shape only")
    return of_own_size(name) if size is None else _built(name, size)


@cache
def of_own_size(name: str) -> Workload:
    """Return a workload of its own size, made once."""
    return _built(name, _BUILDERS[name][1] or 0)


def _built(name: str, size: int) -> Workload:
    inputs, in_the_clear = _BUILDERS[name][0](np.random.default_rng(20_261_120), size)
    return Workload(name, inputs, in_the_clear)


def size_of(name: str) -> int | None:
    """Return the number of elements (or the matrix side) of a workload, None if not scalable."""
    return _BUILDERS[name][1]


def mlp_parameters() -> tuple[str, ...]:
    """Return the names of the perceptron's parameters, in input order: w1, b1, w2, b2, ..."""
    depth = len(MLP_LAYERS) - 1
    return tuple(f"{kind}{layer}" for layer in range(1, depth + 1) for kind in "wb")


_Built = tuple[Arrays, Callable[[], Results]]
_Builder = Callable[[np.random.Generator, int], _Built]


def _rounded(values: np.ndarray) -> np.ndarray:
    scale = float(1 << FRACTION_BITS)
    return np.round(values * scale) / scale


def _normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return _rounded(rng.normal(size=shape))


def _uniform(low: float, high: float) -> Callable[[np.random.Generator, int], np.ndarray]:
    return lambda rng, n: _rounded(rng.uniform(low, high, size=n))


def _log_uniform(rng: np.random.Generator, n: int) -> np.ndarray:
    """Numbers in [0.01, 100], as many in each decade."""
    return _rounded(10.0 ** rng.uniform(-2.0, 2.0, size=n))


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-x))


def _matmul(rng: np.random.Generator, n: int) -> _Built:
    x, y = _normal(rng, n, n), _normal(rng, n, n)
    return {"x": x, "y": y}, lambda: (x @ y,)


def _pairs(function: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> _Builder:
    def build(rng: np.random.Generator, n: int) -> _Built:
        x, y = _normal(rng, n), _normal(rng, n)
        return {"x": x, "y": y}, lambda: (function(x, y),)

    return build


def _division(rng: np.random.Generator, n: int) -> _Built:
    x, y = _normal(rng, n), _log_uniform(rng, n)
    return {"x": x, "y": y}, lambda: (x / y,)


def _unary(
    function: Callable[[np.ndarray], np.ndarray],
    domain: Callable[[np.random.Generator, int], np.ndarray],
) -> _Builder:
    def build(rng: np.random.Generator, n: int) -> _Built:
        x = domain(rng, n)
        return {"x": x}, lambda: (function(x),)

    return build


def _logistic_epoch(rng: np.random.Generator, _size: int) -> _Built:
    """One epoch of plain SGD from zero weights: w -= rate / batch * X_b^T (sigmoid(X_b w) - y_b).

    The batches are rows 0-127, 128-255, ...; there is no intercept.
    """
    features = _normal(rng, LOGISTIC_ROWS, LOGISTIC_FEATURES)
    truth = rng.normal(size=LOGISTIC_FEATURES) * (2.0 / LOGISTIC_FEATURES**0.5)
    labels = (rng.uniform(size=LOGISTIC_ROWS) < _sigmoid(features @ truth)).astype(np.float64)

    def trained() -> Results:
        weights = np.zeros(LOGISTIC_FEATURES)
        for step in range(LOGISTIC_STEPS):
            rows = slice(step * LOGISTIC_BATCH, (step + 1) * LOGISTIC_BATCH)
            gradient = features[rows].T @ (_sigmoid(features[rows] @ weights) - labels[rows])
            weights = weights - (LOGISTIC_RATE / LOGISTIC_BATCH) * gradient
        return (weights,)

    return {"features": features, "labels": labels}, trained


def _mlp_inputs(rng: np.random.Generator, batch: int) -> dict[str, np.ndarray]:
    """Pixels in [0, 1], He-scaled weights, zero biases."""
    inputs = {"pixels": _uniform(0.0, 1.0)(rng, batch * MLP_LAYERS[0]).reshape(batch, -1)}
    for layer, (fan_in, fan_out) in enumerate(itertools.pairwise(MLP_LAYERS), 1):
        weights = rng.normal(size=(fan_in, fan_out)) * (2.0 / fan_in) ** 0.5
        inputs[f"w{layer}"], inputs[f"b{layer}"] = _rounded(weights), np.zeros(fan_out)
    return inputs


def _mlp_forward(inputs: Arrays) -> list[np.ndarray]:
    """The activations of every layer, pixels first, logits last; ReLU between."""
    depth = len(MLP_LAYERS) - 1
    activations = [inputs["pixels"]]
    for layer in range(1, depth + 1):
        sums = activations[-1] @ inputs[f"w{layer}"] + inputs[f"b{layer}"]
        activations.append(np.maximum(sums, 0.0) if layer < depth else sums)
    return activations


def _mlp_infer(batch: int) -> _Builder:
    def build(rng: np.random.Generator, _size: int) -> _Built:
        inputs = _mlp_inputs(rng, batch)
        return inputs, lambda: (_mlp_forward(inputs)[-1],)

    return build


def _mlp_train(batch: int) -> _Builder:
    """One step of plain SGD on the mean softmax cross-entropy; the result is all parameters."""

    def build(rng: np.random.Generator, _size: int) -> _Built:
        inputs = _mlp_inputs(rng, batch)
        inputs["labels"] = np.eye(MLP_LAYERS[-1])[rng.integers(MLP_LAYERS[-1], size=batch)]
        return inputs, lambda: _mlp_trained(inputs)

    return build


def _mlp_trained(inputs: Arrays) -> Results:
    batch = len(inputs["pixels"])
    activations = _mlp_forward(inputs)
    exps = np.exp(activations[-1] - activations[-1].max(axis=1, keepdims=True))
    delta = exps / exps.sum(axis=1, keepdims=True) - inputs["labels"]
    updated: dict[str, np.ndarray] = {}
    for layer in range(len(MLP_LAYERS) - 1, 0, -1):
        below, weights = activations[layer - 1], inputs[f"w{layer}"]
        updated[f"w{layer}"] = weights - (MLP_RATE / batch) * (below.T @ delta)
        updated[f"b{layer}"] = inputs[f"b{layer}"] - (MLP_RATE / batch) * delta.sum(axis=0)
        delta = (delta @ weights.T) * (below > 0)
    return tuple(updated[name] for name in mlp_parameters())


_BUILDERS: dict[str, tuple[_Builder, int | None]] = {
    "matmul_256": (_matmul, 256),
    "matmul_1024": (_matmul, 1024),
    "multiply_1e6": (_pairs(np.multiply), 1_000_000),
    "compare_1e6": (_pairs(np.less), 1_000_000),
    "relu_1e6": (_unary(lambda x: np.maximum(x, 0.0), _normal), 1_000_000),
    "sigmoid_1e5": (_unary(_sigmoid, _uniform(-8.0, 8.0)), 100_000),
    "exp_1e5": (_unary(np.exp, _uniform(-8.0, 4.0)), 100_000),
    "log_1e5": (_unary(np.log, _log_uniform), 100_000),
    "reciprocal_1e5": (_unary(np.reciprocal, _log_uniform), 100_000),
    "division_1e5": (_division, 100_000),
    "sqrt_1e5": (_unary(np.sqrt, _log_uniform), 100_000),
    "tanh_1e5": (_unary(np.tanh, _uniform(-8.0, 8.0)), 100_000),
    "logistic_epoch": (_logistic_epoch, None),
    "mlp_train_128": (_mlp_train(128), None),
    "mlp_infer_128": (_mlp_infer(128), None),
    "mlp_infer_1": (_mlp_infer(1), None),
    "sort_1e4": (_unary(np.sort, _normal), 10_000),
    "sort_1e5": (_unary(np.sort, _normal), 100_000),
}
