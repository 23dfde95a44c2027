"""Scores of secret rows by a secret model. Nothing is revealed.

Models whose first layer is folded meet rows of more fraction bits than their parameters have; the
first product is truncated by those.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tacit.functions.costs import Costs, in_sequence
from tacit.functions.parts import as_part
from tacit.functions.perceptron import Layer, mlp_forward, mlp_forward_cost
from tacit.functions.sigmoid import sigmoid, sigmoid_cost
from tacit.models.form import ModelForm
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = ["layers_of", "probabilities", "scores", "scores_cost"]


def layers_of(parameters: Sequence[Any]) -> list[Layer]:
    """Weights and biases in turn, as layers."""
    return [Layer(w, b) for w, b in zip(parameters[::2], parameters[1::2], strict=True)]


def scores(party: Party, form: ModelForm, parameters: Sequence[Any], x: Any) -> Step[Any]:
    """Log-odds of rows.

    Parameters
    ----------
    party : Party
    form : ModelForm
    parameters : sequence of arithmetic sharings
        Weights and biases in turn, of ``form.shapes``, with ``form.fraction_bits``.
    x : arithmetic sharing, (n, d)
        Rows as ``form.encoded`` gives them: ``form.input_bits`` fractional bits, within [-1, 1].
        Where parties may deviate they are checked against ``form.limits`` when they are shared.

    Returns
    -------
    arithmetic sharing, (n,)
        With ``form.fraction_bits``.

    Notes
    -----
    Rounds: 3 for logistic regression with `replicated3`; 10 more a ReLU layer. Nothing is
    revealed. Range: sums of a layer stay below 2^(61 - 2f), of the first layer below
    2^(61 - f - input bits): 2^17 for 18 and 26 bits.
    """
    z = yield from mlp_forward(
        party,
        x,
        layers_of(parameters),
        form.fraction_bits,
        activation=form.activation,
        output="identity",
        input_bits=form.input_bits,
    )
    return z.reshape(z.shape[0])


def probabilities(party: Party, form: ModelForm, parameters: Sequence[Any], x: Any) -> Step[Any]:
    """Probabilities that the labels of rows are 1, (n,): :func:`scores`, then a sigmoid."""
    z = yield from scores(party, form, parameters, x)
    return (yield from sigmoid(as_part(party), z, form.fraction_bits))


def scores_cost(
    costs: Costs, form: ModelForm, rows: int, *, probability: bool = False
) -> Declaration:
    """Of :func:`scores` or :func:`probabilities` on so many rows."""
    forward = mlp_forward_cost(
        costs,
        rows,
        form.widths,
        form.fraction_bits,
        activation=form.activation,
        output="identity",
        input_bits=form.input_bits,
    )
    if not probability:
        return forward
    return in_sequence(forward, sigmoid_cost(costs, rows, form.fraction_bits))
