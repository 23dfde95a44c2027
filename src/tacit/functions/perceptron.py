"""A multilayer perceptron: forward, backward and update as one step of merged rounds.

    a_0 = x,  z_l = a_{l-1} W_l + b_l,  a_l = act(z_l),  p = out(z_L)
    δ_L = p - y,  δ_{l-1} = (δ_l W_lᵀ) act'(z_{l-1}),  gradient of W_l: a_{l-1}ᵀ δ_l / n

with the matching pairs of output and loss: softmax or logistic with cross-entropy, identity with
half the squared error; for these δ_L is the residual.

What is merged:

* ReLU takes the sign of the *untruncated* product while that product is truncated, so a hidden
  layer is 1 + 7 + 2 rounds of `replicated3`, not 3 + 7 + 2. Its derivative is the same bit,
  injected once more on the way back.
* The gradient of a layer and the δ of the layer below come in the same rounds.
* Learning rate, batch size, L2 penalty and momentum are part of the gradient's truncation
  (``optimization.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tacit.functions.class_probabilities import class_probabilities, class_probabilities_cost
from tacit.functions.costs import NOTHING, Costs, in_sequence, side_by_side
from tacit.functions.optimization import Gradient, Rule
from tacit.functions.parts import as_part
from tacit.functions.sigmoid import sigmoid, sigmoid_cost, tanh, tanh_cost
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = [
    "ROW_WEIGHT_BITS",
    "Activation",
    "Layer",
    "Output",
    "class_row_weights",
    "mlp_derivatives",
    "mlp_forward",
    "mlp_forward_cost",
    "mlp_step",
    "mlp_step_cost",
    "mlp_update",
]

ROW_WEIGHT_BITS: Final = 10
"""Fractional bits that weights of rows have more than labels: classes differ by such a factor."""

Activation: TypeAlias = Literal["identity", "relu", "logistic", "tanh"]
Output: TypeAlias = Literal["identity", "logistic", "softmax"]


def class_row_weights(party: Party, y: Any, weights: Sequence[int], fraction_bits: int) -> Any:
    """Public weights of classes by secret targets: the rows' weights, (n,). Local.

    Parameters
    ----------
    y : arithmetic sharing, (n, k)
        Columns of 0 and 1 with f fractional bits; one column for two classes.
    weights : sequence of int
        With :data:`ROW_WEIGHT_BITS` fractional bits, one for each class.

    Returns
    -------
    arithmetic sharing, (n,)
        With f + :data:`ROW_WEIGHT_BITS` fractional bits.
    """
    if y.shape[1] > 1:
        factors = np.array(weights, np.int64)[None, :]
        return party.sum(party.multiply_public(y, factors), axis=1)
    zero, one = weights
    found = party.multiply_public(y.reshape(y.shape[0]), one - zero)
    return party.add_public(found, zero << fraction_bits)


@dataclass(frozen=True, slots=True)
class Layer:
    """Weights (inputs, outputs) and bias (outputs,), as arithmetic sharings."""

    weights: Any
    bias: Any


@dataclass(frozen=True, slots=True)
class _Activated:
    """A hidden layer's activations, for ReLU the bits [z >= 0], and which units take part."""

    values: Any
    active: Any = None
    mask: NDArray[np.int64] | None = None

    def masked(self, party: Party, mask: NDArray[np.int64]) -> _Activated:
        """The same with some units dropped."""
        return _Activated(party.multiply_public(self.values, mask), self.active, mask)


def _sums(party: Party, below: Any, layer: Layer, below_bits: int) -> Step[Any]:
    """z = a W + b, a with `below_bits` fractional bits: one truncated product."""
    z = yield from party.matmul_truncate(below, layer.weights, below_bits)
    return party.add(z, party.broadcast(layer.bias, z.shape))


def _rectified(party: Party, below: Any, layer: Layer, below_bits: int) -> Step[_Activated]:
    """max(z, 0): the sign of the wide sums beside their truncation, then one injection."""
    wide = yield from party.matmul(below, layer.weights)
    bias = party.multiply_public(layer.bias, 1 << below_bits)
    wide = party.add(wide, party.broadcast(bias, wide.shape))
    negative, z = yield from together(
        party.most_significant_bit(wide), party.truncate(wide, below_bits)
    )
    active = party.invert(negative)
    return _Activated((yield from party.inject(active, z)), active)


def _hidden(
    party: Party,
    below: Any,
    layer: Layer,
    activation: Activation,
    fraction_bits: int,
    below_bits: int,
) -> Step[_Activated]:
    if activation == "relu":
        return (yield from _rectified(party, below, layer, below_bits))
    z = yield from _sums(party, below, layer, below_bits)
    if activation == "logistic":
        z = yield from sigmoid(as_part(party), z, fraction_bits)
    elif activation == "tanh":
        z = yield from tanh(as_part(party), z, fraction_bits)
    return _Activated(z)


def _result(party: Party, z: Any, output: Output, fraction_bits: int) -> Step[Any]:
    if output == "softmax":
        return (yield from class_probabilities(as_part(party), z, fraction_bits))
    if output == "logistic":
        return (yield from sigmoid(as_part(party), z, fraction_bits))
    return z


def mlp_forward(
    party: Party,
    x: Any,
    layers: Sequence[Layer],
    fraction_bits: int,
    *,
    activation: Activation,
    output: Output,
    input_bits: int | None = None,
) -> Step[Any]:
    """The network's output for rows x.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing, (n, inputs)
        f = `fraction_bits` fractional bits, as everything here; or `input_bits`.
    layers : sequence of Layer
        The last one is the output layer; weights (inputs, outputs).
    activation : {"identity", "relu", "logistic", "tanh"}
        Of hidden layers.
    output : {"identity", "logistic", "softmax"}

    Returns
    -------
    arithmetic sharing, (n, outputs)
        Sums of products must stay below 2^(61 - 2f) (2^25 for f = 18). Error: one unit in the last
        place a layer, carried on by the weights, and the functions' own.

    Notes
    -----
    Rounds: a ReLU layer takes a product, a sign bit and an injection (10 for `replicated3`),
    the output layer 3 and the output function's. Nothing is revealed.
    """
    bits = fraction_bits if input_bits is None else input_bits
    for layer in layers[:-1]:
        x = (yield from _hidden(party, x, layer, activation, fraction_bits, bits)).values
        bits = fraction_bits
    z = yield from _sums(party, x, layers[-1], bits)
    return (yield from _result(party, z, output, fraction_bits))


def mlp_step(
    party: Party,
    x: Any,
    y: Any,
    layers: Sequence[Layer],
    state: Sequence[Sequence[tuple[Any, Any]]],
    fraction_bits: int,
    *,
    activation: Activation,
    output: Output,
    rule: Rule,
) -> Step[list[list[tuple[Any, Any]]]]:
    """One minibatch step.

    Parameters
    ----------
    party : Party
    x, y : arithmetic sharing, (n, inputs) and (n, outputs)
        Rows and targets (one column a class for softmax).
    layers : sequence of Layer
    state : sequence of sequence of (weights, bias)
        For each layer the rule's state, ``rule.slots`` pairs.
    rule : Sgd or Adam
        The loss is the mean over the rows of cross-entropy or half the squared error, plus
        alpha / (2 n) ‖W‖².

    Returns
    -------
    list of list of (weights, bias)
        For each layer its new parameters, then its new state.

    Notes
    -----
    Rounds of `replicated3` with ReLU and plain SGD: 10 a hidden layer, 3, the output function's,
    5 back through each hidden layer, 3. Nothing is revealed.
    """
    found = yield from mlp_update(
        party, x, y, layers, state, fraction_bits, activation=activation, output=output, rule=rule
    )
    return found[0]


def mlp_update(
    party: Party,
    x: Any,
    y: Any,
    layers: Sequence[Layer],
    state: Sequence[Sequence[tuple[Any, Any]]],
    fraction_bits: int,
    *,
    activation: Activation,
    output: Output,
    rule: Rule,
    row_weights: Any = None,
    masks: Sequence[NDArray[np.int64]] = (),
) -> Step[tuple[list[list[tuple[Any, Any]]], Any]]:
    """:func:`mlp_step`, and the residuals; with weights of rows and dropped units.

    Parameters
    ----------
    row_weights : arithmetic sharing, (n,), optional
        Weights of the rows' losses, with f + :data:`ROW_WEIGHT_BITS` fractional bits. 3 rounds
        more for `replicated3`.
    masks : sequence of ndarray of 0 and 1, (n, units)
        Public: which units of each hidden layer take part for which rows (dropout, Srivastava,
        Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014); none for all. Free: kept activations
        are not scaled up, so weights above them are to be scaled down after training.

    Returns
    -------
    layers : list of list of (weights, bias)
        As of :func:`mlp_step`.
    residuals : arithmetic sharing, (n, outputs)
        The output minus y, without weights of rows.
    """
    hidden = [_Activated(x)]
    for place, layer in enumerate(layers[:-1]):
        below = hidden[-1].values
        last = yield from _hidden(party, below, layer, activation, fraction_bits, fraction_bits)
        hidden.append(last.masked(party, masks[place]) if masks else last)
    z = yield from _sums(party, hidden[-1].values, layers[-1], fraction_bits)
    p = yield from _result(party, z, output, fraction_bits)
    residuals = delta = party.subtract(p, y)
    if row_weights is not None:
        weights = party.broadcast(row_weights.reshape(-1, 1), delta.shape)
        bits = fraction_bits + ROW_WEIGHT_BITS
        delta = yield from party.multiply_truncate(delta, weights, bits)
    updated: list[list[tuple[Any, Any]]] = []
    for place in range(len(layers) - 1, -1, -1):
        layer, under = layers[place], hidden[place]
        of = Gradient(under.values, delta, layer.weights, layer.bias)
        gradient = rule.gradient(party, of, state[place], fraction_bits)
        if place:
            new, delta = yield from together(
                gradient, _delta_below(party, delta, layer, under, activation, fraction_bits)
            )
        else:
            new = yield from gradient
        updated.append(new)
    return (yield from rule.finish(party, updated[::-1], state, fraction_bits)), residuals


def mlp_derivatives(
    party: Party,
    x: Any,
    y: Any,
    layers: Sequence[Layer],
    fraction_bits: int,
    *,
    activation: Activation,
    output: Output,
) -> Step[tuple[list[Any], list[Any]]]:
    """What the gradient of every example is made of: forward and backward, without an update.

    Parameters
    ----------
    party, x, y, layers, fraction_bits, activation, output
        As of :func:`mlp_step`.

    Returns
    -------
    below, deltas : list of arithmetic sharing, (n, inputs) and (n, outputs)
        For each layer what it is given, and the loss's derivative by its sums: the gradient of an
        example by a layer's weights is their outer product.

    Notes
    -----
    Rounds: those of :func:`mlp_step` without its products for gradients.
    """
    hidden = [_Activated(x)]
    for layer in layers[:-1]:
        below = hidden[-1].values
        hidden.append(
            (yield from _hidden(party, below, layer, activation, fraction_bits, fraction_bits))
        )
    z = yield from _sums(party, hidden[-1].values, layers[-1], fraction_bits)
    p = yield from _result(party, z, output, fraction_bits)
    deltas = [party.subtract(p, y)]
    for layer, under in zip(layers[:0:-1], hidden[:0:-1], strict=True):
        deltas.insert(
            0,
            (yield from _delta_below(party, deltas[0], layer, under, activation, fraction_bits)),
        )
    return [under.values for under in hidden], deltas


def _delta_below(
    party: Party,
    delta: Any,
    layer: Layer,
    below: _Activated,
    activation: Activation,
    fraction_bits: int,
) -> Step[Any]:
    """(δ Wᵀ) act'(z): a bit for ReLU, a (1 - a) for logistic, 1 - a² for tanh.

    Units that were dropped get 0: their slopes, taken from an activation of 0, do not matter.
    """
    transposed = layer.weights.map(lambda share: share.T)
    carried = _carried(party, delta, transposed, below.mask, fraction_bits)
    if activation == "relu":
        carried = yield from carried
        return (yield from party.inject(below.active, carried))
    if activation == "identity":
        return (yield from carried)
    one, a = 1 << fraction_bits, below.values
    other = a if activation == "tanh" else party.add_public(a, -one)
    carried, product = yield from together(
        carried, party.multiply_truncate(a, other, fraction_bits)
    )
    slope = party.negate(product)
    if activation == "tanh":
        slope = party.add_public(slope, one)
    return (yield from party.multiply_truncate(carried, slope, fraction_bits))


def _carried(
    party: Party, delta: Any, transposed: Any, mask: NDArray[np.int64] | None, fraction_bits: int
) -> Step[Any]:
    carried = yield from party.matmul_truncate(delta, transposed, fraction_bits)
    return carried if mask is None else party.multiply_public(carried, mask)


# Costs.


def _hidden_cost(
    costs: Costs,
    rows: int,
    shape: tuple[int, int],
    activation: Activation,
    fraction_bits: int,
    below_bits: int,
) -> Declaration:
    size = rows * shape[1]
    if activation == "relu":
        return in_sequence(
            costs["matmul"]((rows, shape[0]), shape),
            side_by_side(costs["most_significant_bit"](size), costs["truncate"](size, below_bits)),
            costs["inject"](size),
        )
    function = {"logistic": sigmoid_cost, "tanh": tanh_cost}.get(activation)
    return in_sequence(
        costs["matmul_truncate"]((rows, shape[0]), shape, below_bits),
        function(costs, size, fraction_bits) if function else NOTHING,
    )


def mlp_forward_cost(
    costs: Costs,
    rows: int,
    widths: Sequence[int],
    fraction_bits: int = 18,
    *,
    activation: Activation,
    output: Output,
    input_bits: int | None = None,
) -> Declaration:
    """Of `mlp_forward` on `rows` rows; widths are inputs, hidden layers, outputs."""
    shapes = list(pairwise(widths))
    bits = [fraction_bits if input_bits is None else input_bits, *[fraction_bits] * len(shapes)]
    parts = [
        _hidden_cost(costs, rows, shape, activation, fraction_bits, below)
        for shape, below in zip(shapes[:-1], bits, strict=False)
    ]
    last = bits[len(shapes) - 1]
    parts.append(costs["matmul_truncate"]((rows, shapes[-1][0]), shapes[-1], last))
    if output == "softmax":
        parts.append(class_probabilities_cost(costs, rows, widths[-1], fraction_bits))
    elif output == "logistic":
        parts.append(sigmoid_cost(costs, rows * widths[-1], fraction_bits))
    return in_sequence(*parts)


def mlp_step_cost(
    costs: Costs,
    rows: int,
    widths: Sequence[int],
    fraction_bits: int = 18,
    *,
    activation: Activation,
    output: Output,
    rule: Rule,
) -> Declaration:
    """Of `mlp_step`."""
    shapes = list(pairwise(widths))
    forward = mlp_forward_cost(
        costs, rows, widths, fraction_bits, activation=activation, output=output
    )
    parts = [forward]
    for place in range(len(shapes) - 1, -1, -1):
        gradient = rule.gradient_cost(costs, rows, shapes[place], fraction_bits)
        if place:
            below = _delta_cost(costs, rows, shapes[place], activation, fraction_bits)
            gradient = side_by_side(gradient, below)
        parts.append(gradient)
    parts.append(rule.finish_cost(costs, rows, shapes, fraction_bits))
    return in_sequence(*parts)


def _delta_cost(
    costs: Costs, rows: int, shape: tuple[int, int], activation: Activation, fraction_bits: int
) -> Declaration:
    size = rows * shape[0]
    carried = costs["matmul_truncate"]((rows, shape[1]), (shape[1], shape[0]), fraction_bits)
    if activation == "identity":
        return carried
    if activation == "relu":
        return in_sequence(carried, costs["inject"](size))
    product = costs["multiply_truncate"](size, fraction_bits)
    return in_sequence(side_by_side(carried, product), product)
