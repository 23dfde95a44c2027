"""What both perceptron estimators share: initial weights, minibatches, steps, early stopping."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from tacit.arrays import SecretArray
from tacit.arrays.array import applied, applied_all
from tacit.ml.checkpoints import FitCheckpoints
from tacit.ml.checks import (
    batch_rows,
    batches_of,
    checked_rows,
    constant,
    is_batch_size,
    refuse,
    require_fitted,
)
from tacit.ml.validation import EarlyStop, mean_log_loss, mean_squared_difference

__all__ = ["ACTIVATIONS", "PerceptronFit"]

ACTIVATIONS = ("identity", "logistic", "tanh", "relu")


class PerceptronFit(BaseEstimator):  # type: ignore[misc]
    """What both perceptrons share: initial weights, minibatches, steps."""

    _output = "identity"

    hidden_layer_sizes: int | Sequence[int]
    activation: str
    solver: str
    alpha: float
    batch_size: int | str
    learning_rate_init: float
    max_iter: int
    shuffle: bool
    random_state: int
    warm_start: bool
    momentum: float
    nesterovs_momentum: bool
    beta_1: float
    beta_2: float
    epsilon: float
    learning_rate: str
    power_t: float
    early_stopping: bool
    validation_fraction: float
    n_iter_no_change: int
    tol: float
    t_: int

    def _hidden(self) -> tuple[int, ...]:
        sizes = self.hidden_layer_sizes
        return tuple(np.atleast_1d(np.asarray(sizes, int)).tolist())

    def _check_parameters(self) -> None:
        refuse(
            self,
            {
                "hidden_layer_sizes must be positive": min(self._hidden(), default=1) < 1,
                f"activation must be one of {', '.join(ACTIVATIONS)}": self.activation
                not in ACTIVATIONS,
                "solver must be 'sgd' or 'adam'": self.solver not in ("sgd", "adam"),
                "alpha must not be negative": not self.alpha >= 0,
                "batch_size must be 'auto' or at least 1": not is_batch_size(self.batch_size),
                "learning_rate_init must be positive": not self.learning_rate_init > 0,
                "max_iter must be at least 1": not self.max_iter >= 1,
                "momentum must be at least 0 and below 1": not 0 <= self.momentum < 1,
                "beta_1 and beta_2 must be at least 0 and below 1": not (
                    0 <= self.beta_1 < 1 and 0 <= self.beta_2 < 1
                ),
                "epsilon must be between 2^-24 and 1": not 2.0**-24 <= self.epsilon <= 1,
                "learning_rate must be 'constant' or 'invscaling' ('adaptive' would need the"
                " losses of training)": self.learning_rate not in ("constant", "invscaling"),
                "power_t must not be negative": not self.power_t >= 0,
                "validation_fraction must be between 0 and 1": not 0 < self.validation_fraction < 1,
                "n_iter_no_change must be at least 1": not self.n_iter_no_change >= 1,
                "tol must not be negative": not self.tol >= 0,
            },
        )

    def _initial(self, X: SecretArray, widths: Sequence[int]) -> list[SecretArray]:
        """Glorot's uniform weights, as scikit-learn draws them; public."""
        draw = np.random.default_rng(self.random_state)
        factor = 2.0 if self.activation == "logistic" else 6.0
        parameters = []
        for inputs, outputs in itertools.pairwise(widths):
            bound = np.sqrt(factor / (inputs + outputs))
            parameters.append(constant(X, draw.uniform(-bound, bound, (inputs, outputs))))
            parameters.append(constant(X, draw.uniform(-bound, bound, outputs)))
        return parameters

    def _fit(
        self,
        X: SecretArray,
        targets: SecretArray,
        checkpoint: str | None,
        every: int,
        resume: bool,
    ) -> None:
        rows, columns = X.shape
        widths = (columns, *self._hidden(), targets.shape[1])
        shapes = [s for a, b in itertools.pairwise(widths) for s in ((a, b), (b,))]
        previous: list[SecretArray] | None = getattr(self, "_values", None)
        slots = 2 if self.solver == "adam" else 1 if self.momentum else 0
        known = (
            self.warm_start
            and previous is not None
            and [p.shape for p in previous] == shapes * (1 + slots)
            and previous[0].session is X.session
        )
        job = (type(self).__name__, self.get_params(), X.shape, targets.shape)
        kept = FitCheckpoints(X, checkpoint, every, resume, job)
        stop, train = None, None
        if self.early_stopping:
            stop = EarlyStop(
                rows, self.validation_fraction, self.n_iter_no_change, self.tol, self.random_state
            )
            train, rows = stop.train, len(stop.train)
        if kept.arrays is not None:
            count = len(shapes) * (1 + slots)
            values, step = kept.arrays[:count], kept.counter
            if stop is not None:
                stop.restore(kept.metrics, kept.arrays[count:])
        elif known:
            assert previous is not None
            values, step = previous, self.t_
        else:
            values, step = self._initial(X, widths), 0
            values += [constant(X, np.zeros(shape)) for _ in range(slots) for shape in shapes]
        order = np.random.default_rng(self.random_state)
        size = batch_rows(self.batch_size, rows)
        made, each = kept.step, -(-rows // size)
        passes = (batches_of(rows, size, self.shuffle, order) for _ in range(self.max_iter))
        coming = itertools.islice(itertools.chain.from_iterable(passes), kept.step, None)
        while True:
            if stop is not None and len(stop.scores) < made // each:
                stop.passed(self._loss(X[stop.apart], targets[stop.apart], values), values)
            batch = next(coming, None)
            if batch is None or (stop is not None and stop.over):
                break
            made, step = made + 1, step + 1
            # As in scikit-learn, by the samples of all passes before this one.
            samples = rows * ((made - 1) // each)
            chosen = batch if train is None else train[batch]
            values = list(self._step(X[chosen], targets[chosen], values, step, samples))
            if stop is None:
                kept.done(values, step)
            else:
                kept.done([*values, *stop.best], step, stop.scores)
        self.n_iter_ = made // each
        if stop is not None:
            values = stop.best or values
            self.validation_scores_, self.best_validation_score_ = stop.scores, stop.best_score
        self._values = values
        self.t_ = step
        self.n_features_in_ = columns
        self.n_layers_ = len(widths)
        self.n_outputs_ = targets.shape[1]
        self.out_activation_ = self._output
        parameters = values[: len(shapes)]
        self.coefs_ = parameters[::2]
        self.intercepts_ = parameters[1::2]

    def _loss(
        self, X: SecretArray, targets: SecretArray, values: Sequence[SecretArray]
    ) -> SecretArray:
        """The mean loss of rows, a secret number."""
        slots = 2 if self.solver == "adam" else 1 if self.momentum else 0
        parameters = values[: len(values) // (1 + slots)]
        found = applied(
            "mlp_forward", X, *parameters, activation=self.activation, output=self._output
        )
        if self._output == "identity":
            return mean_squared_difference(targets, found)
        return mean_log_loss(targets, found)

    def _step(
        self,
        X: SecretArray,
        targets: SecretArray,
        values: list[SecretArray],
        step: int,
        samples: int,
    ) -> tuple[SecretArray, ...]:
        rate = float(self.learning_rate_init)
        if self.solver == "sgd" and self.learning_rate == "invscaling":
            rate /= (samples + 1) ** self.power_t
        options: dict[str, Any] = {
            "learning_rate": rate,
            "activation": self.activation,
            "output": self._output,
            "solver": self.solver,
            "alpha": float(self.alpha),
        }
        if self.solver == "sgd":
            options |= {"momentum": float(self.momentum), "nesterov": self.nesterovs_momentum}
        else:
            options |= {
                "beta_1": float(self.beta_1),
                "beta_2": float(self.beta_2),
                "epsilon": float(self.epsilon),
                "step": step,
            }
        return applied_all("mlp_step", X, targets, *values, **options)

    def _forward(self, X: Any, output: str) -> SecretArray:
        require_fitted(self)
        rows = checked_rows(X, self.n_features_in_)
        parameters = self._values[: 2 * (self.n_layers_ - 1)]
        return applied("mlp_forward", rows, *parameters, activation=self.activation, output=output)

    def _fill(self, model: Any, parameters: list[NDArray[Any]]) -> Any:
        model.coefs_ = parameters[::2]
        model.intercepts_ = parameters[1::2]
        model.n_features_in_ = self.n_features_in_
        model.n_layers_ = self.n_layers_
        model.n_outputs_ = self.n_outputs_
        model.out_activation_ = self.out_activation_
        model.n_iter_ = self.n_iter_
        model.t_ = self.t_
        return model

    def _clear_parameters(self) -> dict[str, Any]:
        return {
            "hidden_layer_sizes": self._hidden(),
            "activation": self.activation,
            "solver": self.solver,
            "alpha": self.alpha,
        }

    def _parameters(self) -> list[SecretArray]:
        require_fitted(self)
        return self._values[: 2 * (self.n_layers_ - 1)]

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_values")
