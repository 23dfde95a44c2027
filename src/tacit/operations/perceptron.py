"""Perceptrons as operations: a forward pass or a whole training step is one command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from tacit.encoding.types import fixed, int64
from tacit.errors import ShapeError, TypeMismatchError
from tacit.functions.class_probabilities import class_winners
from tacit.functions.domains import require_least_bits
from tacit.functions.optimization import Adam, Rule, Sgd
from tacit.functions.perceptron import (
    ROW_WEIGHT_BITS,
    Activation,
    Layer,
    Output,
    class_row_weights,
    mlp_forward,
    mlp_update,
)
from tacit.operations.conversion import converted
from tacit.operations.operation import Attributes, NoAttributes, Operation, ResultValues
from tacit.operations.precision import of_functions
from tacit.operations.promotion import ring_constant
from tacit.operations.types import ArrayType, Operand, SecretValue, operand_types
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

__all__ = ["PERCEPTRON", "Network", "TrainingStep"]


class Network(Attributes, frozen=True):
    """The functions of hidden layers and of the output."""

    activation: Activation = "relu"
    output: Output = "identity"


class TrainingStep(Attributes, frozen=True):
    """The public parameters of a training step."""

    learning_rate: float
    activation: Activation = "relu"
    output: Output = "softmax"
    solver: Literal["sgd", "adam"] = "sgd"
    alpha: float = 0.0
    momentum: float = 0.0
    nesterov: bool = False
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 2.0**-16
    step: int = 1
    class_weights: tuple[float, ...] = ()

    @property
    def rule(self) -> Rule:
        """The update rule."""
        largest = max(1.0, *(self.class_weights or (1.0,)))
        if self.solver == "sgd":
            return Sgd(self.learning_rate, self.alpha, self.momentum, self.nesterov, largest)
        return Adam(
            self.learning_rate,
            self.alpha,
            self.beta_1,
            self.beta_2,
            self.epsilon,
            self.step,
            largest,
        )


def _check_network(name: str, x: ArrayType, parameters: Sequence[ArrayType]) -> None:
    """Refuse parameters that are not secret, of another type, or of the wrong shapes."""
    if any(t.public or t.dtype.kind != "fixed" or t.dtype != x.dtype for t in (x, *parameters)):
        raise TypeMismatchError(
            f"{name}: rows and parameters are secret fixed-point arrays of the same type.",
            next_step="share them as tacit.fixed; initial weights with mpc.constant.",
            case=80,
            stage=name,
        )
    require_least_bits(name, x.dtype.fraction_bits)
    fits = len(x.shape) == 2 and len(parameters) >= 2 and len(parameters) % 2 == 0
    width = x.shape[-1] if x.shape else 0
    for weights, bias in zip(parameters[::2], parameters[1::2], strict=False):
        fits = fits and len(weights.shape) == 2 and weights.shape[0] == width
        width = weights.shape[-1] if weights.shape else 0
        fits = fits and bias.shape == (width,)
    if not fits:
        raise ShapeError(
            f"{name}: rows {x.shape} and parameters"
            f" {', '.join(str(t.shape) for t in parameters) or 'none'} are not layers that follow"
            " each other.",
            next_step="pass rows (n, d) and for each layer weights (inputs, outputs) and bias"
            " (outputs,).",
            case=80,
            stage=name,
        )


def _forward_rule(types: Sequence[ArrayType], attributes: Network) -> ArrayType:
    x, *parameters = types
    _check_network("mlp_forward", x, parameters)
    return ArrayType(x.dtype, (x.shape[0], parameters[-1].shape[0]))


def _layers(parameters: Sequence[Operand]) -> list[Layer]:
    shares = []
    for value in parameters:
        assert isinstance(value, SecretValue)
        shares.append(value.share)
    return [Layer(w, b) for w, b in zip(shares[::2], shares[1::2], strict=True)]


def _forward(party: Party, operands: Sequence[Operand], attributes: Network) -> Step[ResultValues]:
    """The output for rows; see ``functions/perceptron.py``."""
    x, *parameters = operands
    assert isinstance(x, SecretValue)
    share = yield from mlp_forward(
        party,
        x.share,
        _layers(parameters),
        x.dtype.fraction_bits,
        activation=attributes.activation,
        output=attributes.output,
    )
    return SecretValue(x.dtype, share)


def _step_rule(types: Sequence[ArrayType], attributes: TrainingStep) -> tuple[ArrayType, ...]:
    x, y, *rest = types
    rule = attributes.rule
    count = len(rest) // (1 + rule.slots)
    parameters, state = rest[:count], rest[count:]
    _check_network("mlp_step", x, parameters)
    for slot in range(rule.slots):
        same = state[slot * count : (slot + 1) * count]
        if [t.shape for t in same] != [t.shape for t in parameters]:
            raise ShapeError(
                f"mlp_step: {attributes.solver} keeps {rule.slots} arrays for every parameter, of"
                " its shape.",
                next_step="pass rows, targets, all parameters, then the state as the last step"
                " returned it; zeros at first.",
                case=81,
                stage="mlp_step",
            )
        _check_network("mlp_step", x, same)
    if y.shape != (x.shape[0], parameters[-1].shape[0]):
        raise ShapeError(
            f"mlp_step: targets {y.shape} do not fit {x.shape[0]} rows and"
            f" {parameters[-1].shape[0]} outputs.",
            next_step="pass one target a row and output; classes as one column each.",
            case=82,
            stage="mlp_step",
        )
    weights, classes = attributes.class_weights, max(2, y.shape[1])
    if weights and (
        len(weights) != classes or not all(0.001 <= weight <= 1_000 for weight in weights)
    ):
        raise ShapeError(
            f"mlp_step: {len(weights)} class weights for {classes} classes, or one that is not"
            " between 0.001 and 1000.",
            next_step="pass a positive weight for each class.",
            case=82,
            stage="mlp_step",
        )
    if x.shape[0]:
        rule.factors(x.shape[0], x.dtype.fraction_bits)
    return tuple(rest)


def _step(
    party: Party, operands: Sequence[Operand], attributes: TrainingStep
) -> Step[ResultValues]:
    """Parameters and state after one minibatch step; see ``functions/perceptron.py``."""
    x, y, *rest = operands
    assert isinstance(x, SecretValue)
    values = tuple(value for value in rest if isinstance(value, SecretValue))
    if x.shape[0] == 0:
        return values
    assert isinstance(y, SecretValue)
    targets = yield from converted(party, y, x.dtype)
    rule = attributes.rule
    count = len(rest) // (1 + rule.slots)
    groups = [_layers(rest[start : start + count]) for start in range(0, len(rest), count)]
    layers, states = groups[0], groups[1:]
    weights = None
    if attributes.class_weights:
        factors = [round(w * (1 << ROW_WEIGHT_BITS)) for w in attributes.class_weights]
        weights = class_row_weights(party, targets.share, factors, x.dtype.fraction_bits)
    after, _ = yield from mlp_update(
        party,
        x.share,
        targets.share,
        layers,
        [[(s[place].weights, s[place].bias) for s in states] for place in range(len(layers))],
        x.dtype.fraction_bits,
        activation=attributes.activation,
        output=attributes.output,
        rule=rule,
        row_weights=weights,
    )
    return tuple(
        SecretValue(x.dtype, share)
        for slot in range(1 + rule.slots)
        for layer in after
        for share in layer[slot]
    )


def _choice_rule(types: Sequence[ArrayType], attributes: NoAttributes) -> ArrayType:
    scores, classes = types
    if scores.public or scores.dtype.kind == "bool" or not classes.public:
        raise TypeMismatchError(
            "class_of_largest: scores are secret numbers and classes are public.",
            next_step="pass secret scores (n, k) and a public array of k labels.",
            case=81,
            stage="class_of_largest",
        )
    if len(scores.shape) != 2 or classes.shape != scores.shape[1:] or not classes.shape[0]:
        raise ShapeError(
            f"class_of_largest: scores {scores.shape} and classes {classes.shape} do not fit.",
            next_step="pass scores (n, k) and k labels.",
            case=86,
            stage="class_of_largest",
        )
    kind = fixed if classes.dtype.kind == "fixed" else int64
    return ArrayType(kind, scores.shape[:1])


def _choice(
    party: Party, operands: Sequence[Operand], attributes: NoAttributes
) -> Step[ResultValues]:
    """The label of every row's largest score, the first of several."""
    scores, classes = operands
    assert isinstance(scores, SecretValue)
    assert not isinstance(classes, SecretValue)
    dtype = _choice_rule(operand_types(operands), attributes).dtype
    winners = yield from class_winners(party, scores.share)
    labels = party.multiply_public(winners, ring_constant(party, classes, dtype)[None, :])
    return SecretValue(dtype, party.sum(labels, axis=1))


PERCEPTRON: Any = (
    Operation("mlp_forward", _forward_rule, _forward, Network, finest=of_functions),
    Operation("mlp_step", _step_rule, _step, TrainingStep, finest=of_functions),
    Operation("class_of_largest", _choice_rule, _choice),
)
