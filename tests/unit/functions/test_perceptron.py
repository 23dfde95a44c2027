"""Training steps of perceptrons: against NumPy, and exactly as expensive as declared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, get_args

import numpy as np
import pytest
from numpy.typing import NDArray
from simulation import Simulation

from tacit.errors import RangeError
from tacit.functions.optimization import Adam, Rule, Sgd, public_factor
from tacit.functions.perceptron import (
    Activation,
    Layer,
    Output,
    mlp_forward,
    mlp_forward_cost,
    mlp_step,
    mlp_step_cost,
)
from tacit.protocols import PROTOCOLS

Floats = NDArray[np.float64]
ROWS, HIDDEN = 13, (12, 9, 7)
OUTPUTS: dict[Output, int] = {"softmax": 4, "identity": 2, "logistic": 1}
RULES = [
    Sgd(0.3),
    Sgd(0.3, alpha=0.1),
    Sgd(0.1, alpha=0.1, momentum=0.9),
    Sgd(0.1, momentum=0.9, nesterov=True),
    Sgd(ROWS / 16, momentum=0.9),
    Adam(0.01, alpha=0.1, step=3),
    Adam(0.01, step=1),
]
ACTIVATIONS: dict[Activation, Any] = {
    "identity": lambda z: z,
    "relu": lambda z: np.maximum(z, 0.0),
    "logistic": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
}
SLOPES: dict[Activation, Any] = {
    "identity": np.ones_like,
    "relu": lambda a: (a > 0).astype(float),
    "logistic": lambda a: a * (1 - a),
    "tanh": lambda a: 1 - a * a,
}
RESULTS: dict[Output, Any] = {
    "identity": lambda z: z,
    "logistic": ACTIVATIONS["logistic"],
    "softmax": lambda z: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True),
}


def clear_forward(x: Floats, parameters: Sequence[Floats], activation: Activation) -> list[Floats]:
    """The activations of every layer; of the last one the sums."""
    values = [x]
    for place in range(0, len(parameters), 2):
        z = values[-1] @ parameters[place] + parameters[place + 1]
        values.append(z if place == len(parameters) - 2 else ACTIVATIONS[activation](z))
    return values


def clear_gradients(
    x: Floats,
    y: Floats,
    parameters: Sequence[Floats],
    activation: Activation,
    output: Output,
    alpha: float,
) -> list[Floats]:
    values = clear_forward(x, parameters, activation)
    delta = RESULTS[output](values[-1]) - y
    gradients: list[Floats] = []
    for place in range(len(parameters) - 2, -1, -2):
        below, weights = values[place // 2], parameters[place]
        gradients[:0] = [(below.T @ delta + alpha * weights) / len(x), delta.sum(0) / len(x)]
        delta = (delta @ weights.T) * SLOPES[activation](below)
    return gradients


def clear_update(
    rule: Rule, parameters: list[Floats], state: list[Floats], gradients: list[Floats]
) -> list[Floats]:
    """New parameters and new state, in float64."""
    if isinstance(rule, Sgd):
        rate, m = rule.learning_rate, rule.momentum
        if not m:
            return [w - rate * g for w, g in zip(parameters, gradients, strict=True)]
        velocity = [m * v - rate * g for v, g in zip(state, gradients, strict=True)]
        moves = velocity
        if rule.nesterov:
            moves = [m * v - rate * g for v, g in zip(velocity, gradients, strict=True)]
        return [w + u for w, u in zip(parameters, moves, strict=True)] + velocity
    new_1 = (1 - rule.beta_1) / (1 - rule.beta_1**rule.step)
    new_2 = (1 - rule.beta_2) / (1 - rule.beta_2**rule.step)
    count = len(parameters)
    scaled = [g * 2.0**-8 / rule.epsilon for g in gradients]
    first = [(1 - new_1) * a + new_1 * u for a, u in zip(state[:count], scaled, strict=True)]
    second = [(1 - new_2) * a + new_2 * u**2 for a, u in zip(state[count:], scaled, strict=True)]
    moved = [
        w - rule.learning_rate * a / np.sqrt(b + 2.0**-16)
        for w, a, b in zip(parameters, first, second, strict=True)
    ]
    return [*moved, *first, *second]


def step_of(
    simulation: Simulation,
    arrays: Sequence[Floats],
    bits: int,
    activation: Activation,
    output: Output,
    rule: Rule,
) -> list[Floats]:
    """Parameters and state after a step of the parties of a simulation."""

    def step(party: Any, x: Any, y: Any, *rest: Any) -> Any:
        count = 2 * len(HIDDEN)
        slots = [rest[at : at + count] for at in range(0, len(rest), count)]
        layers = [Layer(*slots[0][at : at + 2]) for at in range(0, count, 2)]
        state = [[s[at : at + 2] for s in slots[1:]] for at in range(0, count, 2)]
        result = yield from mlp_step(
            party, x, y, layers, state, bits, activation=activation, output=output, rule=rule
        )
        return [a for slot in range(len(slots)) for layer in result for a in layer[slot]]

    shared = [simulation.share(np.round(a * 2**bits).astype(np.int64)) for a in arrays]
    parts = simulation.run(step, *shared)
    return [simulation.open([part[at] for part in parts]) / 2**bits for at in range(len(parts[0]))]


def inputs(output: Output, rule: Rule) -> tuple[list[Floats], list[Floats]]:
    """Rows and targets; parameters and state, all of moderate size."""
    rng = np.random.default_rng(3)
    widths = (*HIDDEN, OUTPUTS[output])
    x, y = rng.normal(size=(ROWS, widths[0])), rng.normal(size=(ROWS, widths[-1]))
    parameters = [
        rng.normal(size=shape) * 0.3 for a, b in pairwise(widths) for shape in ((a, b), (b,))
    ]
    state = [rng.random(p.shape) for _ in range(rule.slots) for p in parameters]
    return [x, y], [*parameters, *state]


@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("output", get_args(Output))
@pytest.mark.parametrize("activation", get_args(Activation))
def test_a_step_is_numpy_s_and_costs_what_it_declares(
    activation: Activation, output: Output, rule: Rule
) -> None:
    data, values = inputs(output, rule)
    simulation = Simulation()
    found = step_of(simulation, [*data, *values], 18, activation, output, rule)
    parameters, state = values[: 2 * len(HIDDEN)], values[2 * len(HIDDEN) :]
    gradients = clear_gradients(*data, parameters, activation, output, rule.alpha)
    expected = clear_update(rule, parameters, state, gradients)
    for place, (got, want) in enumerate(zip(found, expected, strict=True)):
        # Adam's state is of gradients times 256, and of their squares; S / n has 11 bits.
        state_of = isinstance(rule, Adam) and place >= len(parameters)
        tolerance = 2e-3 if isinstance(rule, Adam) else 3e-4
        if state_of:
            tolerance = 0.2 * np.abs(want) ** 0.5 + 2.0**-10 * np.abs(want) + 2e-3
        assert (np.abs(got - want) <= tolerance).all(), place
    cost = simulation.driver.cost()
    declared = mlp_step_cost(
        PROTOCOLS["replicated3"].costs, ROWS, (*HIDDEN, OUTPUTS[output]), 18,
        activation=activation, output=output, rule=rule,
    )  # fmt: skip
    assert cost.rounds == declared.rounds
    assert [cost.bytes_sent[n] for n in simulation.names] == list(declared.bytes_sent)


@pytest.mark.parametrize("bits", [12, 24])
@pytest.mark.parametrize("rule", [RULES[0], RULES[3], RULES[5]], ids=str)
def test_a_step_in_other_encodings(rule: Rule, bits: int) -> None:
    data, values = inputs("softmax", rule)
    found = step_of(Simulation(), [*data, *values], bits, "relu", "softmax", rule)
    parameters, state = values[: 2 * len(HIDDEN)], values[2 * len(HIDDEN) :]
    gradients = clear_gradients(*data, parameters, "relu", "softmax", rule.alpha)
    if isinstance(rule, Sgd):  # the rate as it is rounded: beside 24 fraction bits to few bits
        factor, places = rule.factors(ROWS, bits)
        assert factor / 2**places * ROWS == pytest.approx(rule.learning_rate, rel=0.04)
        rule = replace(rule, learning_rate=factor / 2**places * ROWS)
    expected = clear_update(rule, parameters, state, gradients)
    for got, want in zip(found[: len(parameters)], expected, strict=False):
        assert np.abs(got - want).max() <= 2e-3 + 8 * 2.0**-bits


@pytest.mark.parametrize("bits", [12, 18, 24])
@pytest.mark.parametrize("output", get_args(Output))
@pytest.mark.parametrize("activation", get_args(Activation))
def test_the_output_is_numpy_s(activation: Activation, output: Output, bits: int) -> None:
    (x, _), parameters = inputs(output, Sgd(1.0))
    simulation = Simulation()

    def forward(party: Any, rows: Any, *arrays: Any) -> Any:
        layers = [Layer(*arrays[at : at + 2]) for at in range(0, len(arrays), 2)]
        return mlp_forward(party, rows, layers, bits, activation=activation, output=output)

    shared = [simulation.share(np.round(a * 2**bits).astype(np.int64)) for a in (x, *parameters)]
    found = simulation.open(simulation.run(forward, *shared)) / 2**bits
    expected = RESULTS[output](clear_forward(x, parameters, activation)[-1])
    assert np.abs(found - expected).max() < 2e-3 + 40 * 2.0**-bits
    declared = mlp_forward_cost(
        PROTOCOLS["replicated3"].costs, ROWS, (*HIDDEN, OUTPUTS[output]), bits,
        activation=activation, output=output,
    )  # fmt: skip
    cost = simulation.driver.cost()
    assert cost.rounds == declared.rounds
    assert [cost.bytes_sent[n] for n in simulation.names] == list(declared.bytes_sent)


def test_momentum_and_nesterov_differ_from_each_other() -> None:
    """Else the tests above could not tell one from the other."""
    data, values = inputs("softmax", Sgd(0.1, momentum=0.9))
    plain, nesterov = (
        step_of(Simulation(), [*data, *values], 18, "relu", "softmax", rule)
        for rule in (Sgd(0.1, momentum=0.9), Sgd(0.1, momentum=0.9, nesterov=True))
    )
    assert np.abs(plain[0] - nesterov[0]).max() > 0.01


@pytest.mark.parametrize("factor", [1.0, 0.5 / 128, 1e-3 / 200, 3.0, 1000.3])
def test_public_factors_are_close_and_short(factor: float) -> None:
    integer, bits = public_factor("test", factor, 18)
    assert abs(integer / 2**bits / factor - 1) <= 2.0**-11
    assert integer.bit_length() <= 11


@pytest.mark.parametrize("factor", [0.0, -1.0, 1e-12, 2.0**25, np.inf, np.nan])
def test_other_public_factors_are_refused(factor: float) -> None:
    with pytest.raises(RangeError, match="public factor") as caught:
        public_factor("test", factor, 18)
    assert caught.value.code == "TC-1380"
