"""Tables that turn uniform bits into a discrete Gaussian, exact in integers.

A draw takes an index of :data:`INDEX_BITS` uniform bits and a coin of :data:`COIN_BITS` more: it
is the index itself where the coin, read as an integer, lies below the index's threshold, and the
index's alias otherwise. With capacities of 2^COIN_BITS a table holds any distribution whose
probabilities are multiples of 2^-(INDEX_BITS + COIN_BITS), exactly.

Sources: Walker 1977; Vose 1991 (how a table is filled); table look-up for noise under MPC,
Franzese, Fang, Garg, Jha, Papernot, Wang, Dziedzic 2025 (ePrint 2025/1025), by other means.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from functools import lru_cache

__all__ = ["COIN_BITS", "INDEX_BITS", "OFFSET", "AliasTable", "alias_table", "gaussian_table"]

INDEX_BITS = 8
"""Bits of a draw."""

COIN_BITS = 64
"""Bits of the coin that chooses between an index and its alias."""

OFFSET = 1 << (INDEX_BITS - 1)
"""An index i stands for the number i - OFFSET."""

_DIGITS = 60


@dataclass(frozen=True, slots=True)
class AliasTable:
    """Thresholds and aliases of every index.

    Attributes
    ----------
    thresholds : tuple of int
        Below 2^COIN_BITS; an index that never gives way has itself as its alias.
    aliases : tuple of int
        Indices.
    distance : Fraction
        An upper bound on the total variation distance between a draw and the ideal distribution.
    """

    thresholds: tuple[int, ...]
    aliases: tuple[int, ...]
    distance: Fraction

    def weights(self) -> list[int]:
        """How often each index comes out of 2^(INDEX_BITS + COIN_BITS) equally likely cases."""
        found = list(self.thresholds)
        for threshold, alias in zip(self.thresholds, self.aliases, strict=True):
            found[alias] += (1 << COIN_BITS) - threshold
        return found


def alias_table(weights: list[int], distance: Fraction) -> AliasTable:
    """The table whose :meth:`~AliasTable.weights` these are. Vose's algorithm, on integers.

    Parameters
    ----------
    weights : list of int
        One for each index; their sum is 2^(INDEX_BITS + COIN_BITS).
    distance : Fraction
    """
    full = 1 << COIN_BITS
    assert len(weights) == 1 << INDEX_BITS
    assert min(weights) >= 0
    assert sum(weights) == full << INDEX_BITS
    left = list(weights)
    thresholds, aliases = [0] * len(left), list(range(len(left)))
    small = [i for i, w in enumerate(left) if w < full]
    large = [i for i, w in enumerate(left) if w >= full]
    while small:
        poor, rich = small.pop(), large[-1]
        thresholds[poor], aliases[poor] = left[poor], rich
        left[rich] -= full - left[poor]
        if left[rich] < full:
            large.pop()
            small.append(rich)
    # What is left is full: its own alias, whatever the coin says.
    return AliasTable(tuple(thresholds), tuple(aliases), distance)


@lru_cache(maxsize=64)
def gaussian_table(variance: Fraction) -> AliasTable:
    """P(x) proportional to exp(-x² / (2 variance)) for -OFFSET <= x < OFFSET.

    The tails are cut and counted in the distance. Decimal arithmetic with 60 digits: the same
    table on every machine.
    """
    with localcontext(Context(prec=_DIGITS)):
        twice = 2 * Decimal(variance.numerator) / Decimal(variance.denominator)

        def mass(x: int) -> Decimal:
            return (-Decimal(x * x) / twice).exp()

        inside = [mass(x) for x in range(-OFFSET, OFFSET)]
        # Σ_{x >= n} exp(-x²/2v) <= exp(-n²/2v) / (1 - exp(-n/v)): a geometric series above it.
        ratio = (-Decimal(2 * OFFSET) / twice).exp()
        outside = 2 * mass(OFFSET) / (1 - ratio)
        total = sum(inside, Decimal(0))
        scale = Decimal(1 << (INDEX_BITS + COIN_BITS))
        weights = [int(value / total * scale) for value in inside]
        rounding = len(weights) / scale  # each is cut by less than one, the middle takes it all
        tails = Fraction(outside / total)
    weights[OFFSET] += (1 << (INDEX_BITS + COIN_BITS)) - sum(weights)
    return alias_table(weights, Fraction(rounding) + tails)
