"""Softmax, its logarithm, and the logarithm of a sum of exponentials, along the last axis.

All three subtract the largest number of a row first, so no exponential overflows and the sum is
at least 1, whatever the scores are. The largest is found in few rounds (``class_probabilities.py``:
up to 16 numbers compare pair by pair at once).

    softmax x     = exp(x - m) / Σ exp(x_j - m)
    log_softmax x = x - m - log Σ exp(x_j - m)
    logsumexp x   = m + log Σ exp(x_j - m)

One logarithm a row is all that the last two need, so their cost beyond the exponentials hardly
counts where rows are long.
"""

from __future__ import annotations

from math import prod
from typing import Any

from tacit.functions.class_probabilities import (
    class_probabilities,
    class_probabilities_cost,
    largest_by_row,
    largest_by_row_cost,
)
from tacit.functions.costs import Costs, in_sequence
from tacit.functions.domains import require_fine
from tacit.functions.exponential import exp_nonpositive, exp_nonpositive_cost
from tacit.functions.logarithm import log, log_cost
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = [
    "log_softmax",
    "log_softmax_cost",
    "logsumexp",
    "logsumexp_cost",
    "softmax",
    "softmax_cost",
]


def softmax(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """exp(x_i) / Σ exp(x_j) along the last axis.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing, (..., k)
        f = `fraction_bits` fractional bits; numbers of a row differ by less than 2^(61 - f).
    fraction_bits : int
        12 to 24; to 40 in Z_2^128, with the errors of ``accuracy.FINE`` above 24.

    Returns
    -------
    arithmetic sharing, (..., k)
        f fractional bits. Absolute error at most 6e-4 and 4 units in the last place, for k up to
        16; beyond, half a unit for each number more.

    Notes
    -----
    Rounds: those of `class_probabilities` (47 for `replicated3` and k = 10).
    """
    require_fine("softmax", fraction_bits, party.ring.bits)
    if not x.size:
        return x
    result = yield from class_probabilities(party, _rows(x), fraction_bits)
    return result.reshape(*x.shape)


def log_softmax(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """log(exp(x_i) / Σ exp(x_j)) along the last axis; see `softmax` for the domain.

    Returns
    -------
    arithmetic sharing, (..., k)
        f fractional bits. Absolute error at most 6e-4 and 16 units in the last place, for k up to
        16; beyond, a unit for each number more.

    Notes
    -----
    Rounds: the largest, `exp_nonpositive`, `log` (59 for `replicated3` and k = 10).
    """
    require_fine("log_softmax", fraction_bits, party.ring.bits)
    if not x.size:
        return x
    below, _, logarithms = yield from _parts(party, _rows(x), fraction_bits)
    result = party.subtract(below, party.broadcast(logarithms.reshape(-1, 1), below.shape))
    return result.reshape(*x.shape)


def logsumexp(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """log Σ exp(x_j) over the last axis, of one number at least; see `log_softmax`.

    Returns
    -------
    arithmetic sharing, (...)
        Error and rounds of `log_softmax`.
    """
    require_fine("logsumexp", fraction_bits, party.ring.bits)
    shape = x.shape[:-1]
    _, largest, logarithms = yield from _parts(party, _rows(x), fraction_bits)
    result = party.add(largest, logarithms)
    return result.map(lambda share: share.reshape(shape))


def _rows(x: Any) -> Any:
    return x.reshape(prod(x.shape[:-1]), x.shape[-1])


def _parts(party: Party, x: Any, fraction_bits: int) -> Step[tuple[Any, Any, Any]]:
    """x - m, m and log Σ exp(x_j - m), by row."""
    largest = yield from largest_by_row(party, x)
    below = party.subtract(x, party.broadcast(largest.reshape(-1, 1), x.shape))
    powers = yield from exp_nonpositive(party, below, fraction_bits)
    return below, largest, (yield from log(party, party.sum(powers, axis=1), fraction_bits))


def softmax_cost(costs: Costs, rows: int, numbers: int, fraction_bits: int = 18) -> Declaration:
    """Of `softmax` over this many rows of so many numbers."""
    return class_probabilities_cost(costs, rows, numbers, fraction_bits)


def log_softmax_cost(costs: Costs, rows: int, numbers: int, fraction_bits: int = 18) -> Declaration:
    """Of `log_softmax` and `logsumexp`."""
    return in_sequence(
        largest_by_row_cost(costs, rows, numbers),
        exp_nonpositive_cost(costs, rows * numbers, fraction_bits),
        log_cost(costs, rows, fraction_bits),
    )


logsumexp_cost = log_softmax_cost
