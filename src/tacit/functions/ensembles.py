"""Many logistic regressions side by side, each on rows of its own, and their votes.

What PATE needs (Papernot, Abadi, Erlingsson, Goodfellow, Talwar 2017; Papernot et al. 2018): the
teachers learn in the rounds of one, because their rows are one array more.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.functions.costs import Costs, in_sequence
from tacit.functions.logistic import STEP_BITS, quantized_rate
from tacit.functions.parts import as_part
from tacit.functions.sigmoid import sigmoid, sigmoid_cost
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = ["ensemble_step", "ensemble_step_cost", "ensemble_votes", "ensemble_votes_cost"]


def ensemble_step(
    party: Party, x: Any, y: Any, weights: Any, fraction_bits: int, *, learning_rate: float
) -> Step[Any]:
    """One minibatch step of every model: w_t ← w_t - (rate / n) X_tᵀ(σ(X_t w_t) - y_t).

    Parameters
    ----------
    party : Party
    x : arithmetic sharing, (models, n, d)
        Rows with f = `fraction_bits` fractional bits; an intercept is a column of ones. A row of
        zeros teaches nothing.
    y : arithmetic sharing, (models, n)
        Labels 0 and 1 with f fractional bits.
    weights : arithmetic sharing, (models, d)
        With f fractional bits.
    learning_rate : float
        Public.

    Returns
    -------
    arithmetic sharing, (models, d)

    Notes
    -----
    Rounds: those of ``logistic_step``, whatever the number of models. Nothing is revealed.
    """
    models, rows, columns = x.shape
    rate = quantized_rate(learning_rate, rows)
    z = yield from party.matmul_truncate(x, weights.reshape(models, columns, 1), fraction_bits)
    p = yield from sigmoid(as_part(party), z.reshape(models * rows), fraction_bits)
    residuals = party.subtract(p, y.reshape(models * rows))
    scaled = party.multiply_public(residuals, rate).reshape(models, rows, 1)
    transposed = x.map(lambda share: share.swapaxes(1, 2))
    update = yield from party.matmul_truncate(transposed, scaled, fraction_bits + STEP_BITS)
    return party.subtract(weights, update.reshape(models, columns))


def ensemble_step_cost(
    costs: Costs, shape: tuple[int, int, int], fraction_bits: int = 18
) -> Declaration:
    """Of `ensemble_step` on rows of shape (models, n, d)."""
    models, rows, columns = shape
    return in_sequence(
        costs["matmul_truncate"](shape, (models, columns, 1), fraction_bits),
        sigmoid_cost(costs, models * rows, fraction_bits),
        costs["matmul_truncate"](
            (models, columns, rows), (models, rows, 1), fraction_bits + STEP_BITS
        ),
    )


def ensemble_votes(party: Party, weights: Any, rows: NDArray[np.int64]) -> Step[Any]:
    """How many models say 0 and 1 of each public row.

    Parameters
    ----------
    party : Party
    weights : arithmetic sharing, (models, d)
    rows : (k, d) int64
        Public, with so many fractional bits that no score reaches the ring's sign bit.

    Returns
    -------
    arithmetic sharing, (k, 2)
        Integers that add up to the number of models: votes for 0, votes for 1 (a score of 0 is a
        vote for 1). Secret.

    Notes
    -----
    Rounds: a sign bit and its conversion; the scores cost none. Nothing is revealed.
    """
    count, models = rows.shape[0], weights.shape[0]
    public = np.ascontiguousarray(party.ring.elements(rows))
    scores = weights.map(
        lambda share: party.ring.matmul(public, np.ascontiguousarray(share.T)).reshape(-1)
    )
    negative = yield from party.most_significant_bit(scores)
    bits = yield from party.bit_to_arithmetic(negative)
    zeros = party.sum(bits.reshape(count, models), axis=1).reshape(count, 1)
    ones = party.add_public(party.negate(zeros), models)
    return party.concatenate([zeros, ones], 1)


def ensemble_votes_cost(costs: Costs, rows: int, models: int) -> Declaration:
    """Of `ensemble_votes`."""
    return in_sequence(
        costs["most_significant_bit"](rows * models),
        costs["bit_to_arithmetic"](rows * models),
    )
