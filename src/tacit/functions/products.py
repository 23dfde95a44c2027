"""Products of many numbers: a tree for one product, a prefix network for all running ones.

Factors that are not there count as 1, so a tree over n numbers has ceil(log2 n) levels and n - 1
products; Sklansky's (1960) network gives every running product in as many levels, with at most
n / 2 products a level.

Every product of fixed-point numbers is off by at most one unit in the last place, and an error
in a factor is multiplied by the other factor. All partial products stay below 2^(62 - 2 f).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.circuits.prefix import sklansky
from tacit.functions.costs import Costs, in_sequence
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = ["cumulative_prod", "cumulative_prod_cost", "prod", "prod_cost"]


def prod(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """The product over the first axis.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        (n, …), f = `fraction_bits` fractional bits, or integers for f = 0.
    fraction_bits : int
        f.

    Returns
    -------
    arithmetic sharing
        (…); 1 for n = 0. Integers wrap as NumPy's do.

    Notes
    -----
    ceil(log2 n) products in sequence, n - 1 in all for each element of the result.
    """
    if not x.shape[0]:
        return party.public(np.full(x.shape[1:], 1 << fraction_bits, np.int64))
    while x.shape[0] > 1:
        half = x.shape[0] // 2
        both = yield from _times(party, x[:half], x[half : 2 * half], fraction_bits)
        x = party.concatenate([both, x[2 * half :]]) if x.shape[0] % 2 else both
    return x[0]


def prod_cost(costs: Costs, count: int, size: int, fraction_bits: int) -> Declaration:
    """Of `prod` of `count` arrays of `size` elements."""
    levels = []
    while count > 1:
        levels.append(_times_cost(costs, count // 2 * size, fraction_bits))
        count = (count + 1) // 2
    return in_sequence(*levels)


def cumulative_prod(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """The products of the first 1, 2, …, n along the first axis.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        (n, …), f = `fraction_bits` fractional bits, or integers for f = 0.
    fraction_bits : int
        f.

    Returns
    -------
    arithmetic sharing
        (n, …).

    Notes
    -----
    ceil(log2 n) products in sequence, at most n / 2 a level for each element of a row.
    """
    for high, low, _ in sklansky(x.shape[0]):
        changed = yield from _times(party, x[high], x[low], fraction_bits)
        # Levels put the changed rows behind the others, and one gather restores the order.
        source = np.arange(x.shape[0])
        source[high] = x.shape[0] + np.arange(high.size)
        x = party.concatenate([x, changed])[source]
    return x


def cumulative_prod_cost(costs: Costs, count: int, size: int, fraction_bits: int) -> Declaration:
    """Of `cumulative_prod` of `count` rows of `size` elements."""
    return in_sequence(
        *(_times_cost(costs, high.size * size, fraction_bits) for high, _, _ in sklansky(count))
    )


def _times(party: Party, x: Any, y: Any, fraction_bits: int) -> Step[Any]:
    if fraction_bits:
        return (yield from party.multiply_truncate(x, y, fraction_bits))
    return (yield from party.multiply(x, y))


def _times_cost(costs: Costs, size: int, fraction_bits: int) -> Declaration:
    if fraction_bits:
        return costs["multiply_truncate"](size, fraction_bits)
    return costs["multiply"](size)
