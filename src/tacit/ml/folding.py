"""The joint standardisation folded into a model's first layer, and taken out of it again.

So that a model can be stored, used and revealed without the joint means and deviations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tacit.ml.standardization import INPUT_BITS, MOMENT_BITS, Standardization
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

__all__ = ["fold", "unfold"]


def fold(
    party: Party, parameters: Sequence[Any], by: Standardization, fraction_bits: int
) -> Step[list[Any]]:
    """Parameters for standardised columns become those for columns scaled into [-1, 1].

    W' = diag(inverse deviation) W; b' = b - mean W', of the first layer. 6 rounds of
    `replicated3`; nothing is revealed.

    Parameters
    ----------
    parameters : sequence of arithmetic sharings
        Weights (inputs, outputs) and bias (outputs,) of every layer.

    Returns
    -------
    list of arithmetic sharings
        With `fraction_bits` fractional bits.
    """
    weights, bias, *above = parameters
    inverse = party.broadcast(by.inverse_deviation.reshape(-1, 1), weights.shape)
    scaled = yield from party.multiply_truncate(weights, inverse, fraction_bits)
    moved = yield from party.matmul_truncate(by.mean.reshape(1, -1), scaled, INPUT_BITS)
    return [scaled, party.subtract(bias, moved.reshape(bias.shape[0])), *above]


def unfold(
    party: Party, parameters: Sequence[Any], by: Standardization, deviation: Any
) -> Step[list[Any]]:
    """The inverse of :func:`fold`, by this standardisation.

    W = diag(deviation) W'; b = b' + mean W'.

    Parameters
    ----------
    deviation : arithmetic sharing, (d,)
        With :data:`~tacit.ml.standardization.MOMENT_BITS` fractional bits: columns that vary by
        a thousandth of their bounds have weights of many digits here.
    """
    scaled, bias, *above = parameters
    spread = party.broadcast(deviation.reshape(-1, 1), scaled.shape)
    weights = yield from party.multiply_truncate(scaled, spread, MOMENT_BITS)
    moved = yield from party.matmul_truncate(by.mean.reshape(1, -1), scaled, INPUT_BITS)
    return [weights, party.add(bias, moved.reshape(bias.shape[0])), *above]
