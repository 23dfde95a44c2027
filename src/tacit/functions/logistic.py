"""One step of logistic regression by gradient descent, written once over any protocol."""

from __future__ import annotations

from typing import Any

from tacit.errors import RangeError
from tacit.functions.parts import as_part
from tacit.functions.sigmoid import sigmoid
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step

__all__ = ["STEP_BITS", "logistic_step", "quantized_rate"]

STEP_BITS = 20
"""Fractional bits of the public factor learning rate / batch size."""


def quantized_rate(learning_rate: float, batch_rows: int) -> int:
    """learning_rate / batch_rows as an integer with :data:`STEP_BITS` fractional bits.

    Raises
    ------
    RangeError
        The factor is too small to be represented (TC-1312).
    """
    rate = round(learning_rate / batch_rows * (1 << STEP_BITS))
    if rate < 8:
        raise RangeError(
            f"A learning rate of {learning_rate:g} over batches of {batch_rows} rows is too small"
            f" for steps with {STEP_BITS} fractional bits.",
            next_step=f"use a learning rate of at least {8 * batch_rows / (1 << STEP_BITS):g}"
            " or smaller batches.",
            case=12,
        )
    return rate


def logistic_step(
    party: Party,
    x: Any,
    y: Any,
    weights: Any,
    fraction_bits: int,
    *,
    learning_rate: float,
    decay: float = 0.0,
) -> Step[tuple[Any, Any]]:
    """One minibatch step: w ← w - (rate / n) Xᵀ(σ(Xw) - y) - rate · decay · w.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing, (n, d)
        Rows with f = `fraction_bits` fractional bits; an intercept is a column of ones.
    y : arithmetic sharing, (n,)
        Labels 0 and 1 with f fractional bits.
    weights : arithmetic sharing, (d,)
        With f fractional bits.
    learning_rate : float
        Public. The factor rate / n is rounded to 20 fractional bits.
    decay : float
        L2 penalty on all weights; public.

    Returns
    -------
    weights : arithmetic sharing, (d,)
        After the step. Error of the update: 1 unit in the last place, besides the sigmoid's.
    residuals : arithmetic sharing, (n,)
        σ(Xw) - y, with f fractional bits.

    Notes
    -----
    Rounds: 6 and the sigmoid's. The scaling by rate / n is fused with the gradient's
    truncation: Xᵀ((rate/n) r) is truncated once by f + 20 bits, so updates must stay below
    2^(62 - 2f - 20) = 64 in magnitude for f = 18. Nothing is revealed.
    """
    rate = quantized_rate(learning_rate, x.shape[0])
    z = yield from party.matmul_truncate(x, weights, fraction_bits)
    p = yield from sigmoid(as_part(party), z, fraction_bits)
    residuals = party.subtract(p, y)
    scaled = party.multiply_public(residuals, rate)
    transposed = x.map(lambda share: share.T)
    gradient = party.matmul_truncate(transposed, scaled, fraction_bits + STEP_BITS)
    if decay == 0.0:
        update = yield from gradient
    else:
        factor = round(learning_rate * decay * (1 << (STEP_BITS + 10)))
        shrink = party.truncate(party.multiply_public(weights, factor), STEP_BITS + 10)
        update, penalty = yield from together(gradient, shrink)
        update = party.add(update, penalty)
    return party.subtract(weights, update), residuals
