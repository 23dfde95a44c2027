"""Training steps as operations, so that a step is one command with merged rounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tacit.errors import ShapeError, TypeMismatchError
from tacit.functions.logistic import logistic_step, quantized_rate
from tacit.operations.conversion import converted
from tacit.operations.operation import Attributes, Operation, ResultValues
from tacit.operations.precision import of_functions
from tacit.operations.types import ArrayType, Operand, SecretValue
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

__all__ = ["REGRESSION", "LogisticStep"]


class LogisticStep(Attributes, frozen=True):
    """The public parameters of a step of logistic regression."""

    learning_rate: float
    decay: float = 0.0


def _rule(types: Sequence[ArrayType], attributes: LogisticStep) -> ArrayType:
    x, y, weights = types
    if x.public or weights.public or x.dtype.kind != "fixed" or weights.dtype != x.dtype:
        raise TypeMismatchError(
            "logistic_step: rows and weights are secret fixed-point arrays of the same type.",
            next_step="share rows and weights as tacit.fixed.",
            case=30,
            stage="logistic_step",
        )
    if len(x.shape) != 2 or y.shape != x.shape[:1] or weights.shape != x.shape[1:]:
        raise ShapeError(
            f"logistic_step: rows {x.shape}, labels {y.shape} and weights {weights.shape} do not"
            " fit.",
            next_step="pass rows (n, d), labels (n,) and weights (d,).",
            case=30,
            stage="logistic_step",
        )
    if x.shape[0]:
        quantized_rate(attributes.learning_rate, x.shape[0])
    return weights


def _logistic_step(
    party: Party, operands: Sequence[Operand], attributes: LogisticStep
) -> Step[ResultValues]:
    """Weights after one minibatch step; see ``functions/logistic.py``."""
    x, y, weights = operands
    assert isinstance(x, SecretValue)
    assert isinstance(y, SecretValue)
    assert isinstance(weights, SecretValue)
    if x.shape[0] == 0:
        return weights
    labels = yield from converted(party, y, x.dtype)
    after, _ = yield from logistic_step(
        party,
        x.share,
        labels.share,
        weights.share,
        x.dtype.fraction_bits,
        learning_rate=attributes.learning_rate,
        decay=attributes.decay,
    )
    return SecretValue(weights.dtype, after)


REGRESSION: Any = (
    Operation("logistic_step", _rule, _logistic_step, LogisticStep, finest=of_functions),
)
