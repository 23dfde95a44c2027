"""Joint quantiles of clipped columns, from a secret histogram over public bins; never revealed.

Each owner counts its own training values in public bins (``tables/layout.py``) and inputs, for
each bin, the count and the sums of the distances from the bin's lower edge and of their squares.
On shares:

1. Owners' numbers are added up; prefix sums give how many values lie below each edge.
2. The lower limit is the highest edge below which at most a fraction q_low of the values lies, the
   upper limit the lowest edge that at most 1 - q_high of them reach: two comparisons an edge. So
   limits are quantiles rounded outwards to the next public edge.
3. Mean and variance of the clipped values follow exactly from the sums of the bins between the
   limits and from the counts beyond them.

Who learns what: nobody anything; where parties may deviate, all learn whether an owner's counts
fit together (:func:`slack`), which an honest owner's do. An owner that lies about its counts
changes the limits as one that lies about its rows does.

Quantiles from secret histograms are the textbook way; the median by comparisons of secret ranks is
Aggarwal, Mishra, Pinkas 2004.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.limits import Limits
from tacit.ml.standardization import INPUT_BITS, MOMENT_BITS
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.tables.layout import BINS, EDGE_BITS, Clipped
from tacit.tables.summaries import Summaries

__all__ = [
    "ClippedColumns",
    "clip",
    "clipped_columns",
    "encoded_bins",
    "limits_of_bins",
    "slack_of_bins",
]

_ONE = 1 << MOMENT_BITS


@dataclass(frozen=True, slots=True, repr=False)
class ClippedColumns:
    """A party's part of the limits and moments of the clipped columns.

    Attributes
    ----------
    low, high : arithmetic sharing, (c,)
        With :data:`~tacit.ml.standardization.INPUT_BITS` fractional bits.
    mean, variance : arithmetic sharing, (c,)
        After clipping, with :data:`~tacit.ml.standardization.MOMENT_BITS` fractional bits.
    """

    low: Any
    high: Any
    mean: Any
    variance: Any


def encoded_bins(own: Summaries, total: int) -> NDArray[np.uint64]:
    """What an owner inputs, (3, c, BINS): counts, and both sums over the number of all rows."""
    sums = np.rint(np.stack([own.sums, own.squares]) * (_ONE / total)).astype(np.int64)
    return np.concatenate([own.counts[None], sums]).view(np.uint64)


def limits_of_bins(count: int, total: int) -> tuple[Limits, Limits, Limits]:
    """Of counts and of both sums, for an owner of `count` rows of `total`."""
    weight = count / total
    return (0, count), (0, ceil(2 * _ONE * weight) + 1), (0, ceil(4 * _ONE * weight) + 1)


def slack_of_bins(
    party: Party, columns: Sequence[Clipped], bins: Any, count: int, total: int
) -> Any:
    """Numbers of an owner's input that are not negative if it fits together: one axis. Local.

    Counts add up to the owner's rows; a distance is at most the width of its bin, so its square is
    at most the width times the distance. Both up to the rounding of the input.
    """
    counts, sums, squares = bins[0], bins[1], bins[2]
    surplus = party.add_public(party.sum(counts, axis=1), -count)
    widths = _integers(np.stack([np.diff(c.edges) for c in columns]), EDGE_BITS)
    factor = 1 << (MOMENT_BITS - EDGE_BITS)
    room = party.subtract(
        party.multiply_public(counts, widths * factor), party.multiply_public(sums, total)
    )
    room_of_squares = party.subtract(
        party.multiply_public(party.add_public(sums, 1), widths),
        party.multiply_public(party.add_public(squares, -1), 1 << EDGE_BITS),
    )
    parts = [surplus, party.negate(surplus), party.add_public(room, total), room_of_squares]
    return party.concatenate([part.reshape(part.size) for part in parts], 0)


def clipped_columns(
    party: Party, columns: Sequence[Clipped], bins: Sequence[Any], total: int
) -> Step[ClippedColumns]:
    """Limits and moments from what each owner input.

    Parameters
    ----------
    party : Party
    columns : sequence of Clipped
    bins : sequence of arithmetic sharing, (3, c, BINS)
        Of each owner.
    total : int
        Rows of all owners; at most 2^23.

    Notes
    -----
    Rounds: a sign bit, a conversion, and 6 products. Revealed: nothing.
    """
    added = bins[0]
    for part in bins[1:]:
        added = party.add(added, part)
    counts, sums, squares = added[0], added[1], added[2]
    edges = np.stack([column.edges for column in columns])
    below = yield from _beyond(party, columns, counts, total)
    left, right = below[0], below[1]  # bins below the lower limit, bins above the upper one
    gaps = _integers(np.diff(edges), EDGE_BITS)
    one = 1 << EDGE_BITS
    low = party.add_public(party.sum(party.multiply_public(left, gaps), axis=1), -one)
    high = party.add_public(
        party.negate(party.sum(party.multiply_public(right, gaps), axis=1)), one
    )
    # Shares of all rows in each bin, and beyond the limits; 30 bits.
    weights = yield from party.truncate(
        party.multiply_public(counts, round((1 << (MOMENT_BITS + 20)) / total)), 20
    )
    inside = party.add_public(party.negate(party.add(left, right)), 1)
    lower = _integers(edges[:, :-1], EDGE_BITS)
    placed = yield from party.truncate(party.multiply_public(weights, lower), EDGE_BITS)
    outer, below_low, above_high = yield from together(
        _inner(party, inside, party.add(sums, placed)),
        _inner(party, left, weights),
        _inner(party, right, weights),
    )
    ends = party.concatenate([low.reshape(1, -1), high.reshape(1, -1)], 0)
    masses = party.concatenate([below_low.reshape(1, -1), above_high.reshape(1, -1)], 0)
    at_ends = yield from party.multiply_truncate(ends, masses, EDGE_BITS)
    mean = party.add(outer, party.sum(at_ends, axis=0))
    variance = yield from _variance(
        party, edges, inside, (weights, sums, squares), (ends, masses), mean
    )
    return ClippedColumns(low, high, mean, variance)


def _beyond(party: Party, columns: Sequence[Clipped], counts: Any, total: int) -> Step[Any]:
    """0 and 1 for each bin, (2, c, BINS): below the lower limit, above the upper limit.

    With L_b values below edge b: bin b lies below the lower limit if at most a fraction q_low lies
    below its upper edge; above the upper limit if at most 1 - q_high lie from its lower edge on.
    """
    ring = party.ring
    up_to = counts.map(lambda share: ring.cumulative_sum(share, 1))  # below each upper edge
    before = party.subtract(up_to, counts)
    most = np.array([[floor(c.quantiles[0] * total)] for c in columns], np.int64)
    least = np.array([[total - floor((1 - c.quantiles[1]) * total)] for c in columns], np.int64)
    both = party.concatenate(
        [
            party.add_public(up_to, -most - 1).reshape(1, *counts.shape),
            party.add_public(party.negate(before), least - 1).reshape(1, *counts.shape),
        ]
    )
    signs = yield from party.most_significant_bit(both)
    return (yield from party.bit_to_arithmetic(signs))


def _inner(party: Party, bits: Any, values: Any) -> Step[Any]:
    """Σ bits · values of each column: (c,). Exact."""
    columns, count = values.shape
    product = yield from party.matmul(
        bits.reshape(columns, 1, count), values.reshape(columns, count, 1)
    )
    return product.reshape(columns)


def _variance(
    party: Party,
    edges: NDArray[np.float64],
    inside: Any,
    bins: tuple[Any, Any, Any],
    beyond: tuple[Any, Any],
    mean: Any,
) -> Step[Any]:
    """Σ (x - mean)² / rows: within bins around their lower edges, and at both limits.

    Σ (x - m)² over a bin is squares + g (2 sums + g weight) with g the lower edge minus m; one
    truncation for all bins of a column.
    """
    weights, sums, squares = bins
    ends, masses = beyond
    columns, count = weights.shape
    lower = _integers(edges[:, :-1], MOMENT_BITS)
    apart = party.add_public(
        party.negate(party.broadcast(mean.reshape(columns, 1), weights.shape)), lower
    )
    ends = party.multiply_public(ends, 1 << (MOMENT_BITS - EDGE_BITS))
    end_distances = party.subtract(ends, party.broadcast(mean.reshape(1, columns), ends.shape))
    weighted, kept, kept_squares, at_ends = yield from together(
        party.multiply_truncate(weights, apart, MOMENT_BITS),
        party.multiply(inside, apart),
        _inner(party, inside, squares),
        party.multiply_truncate(end_distances, end_distances, MOMENT_BITS),
    )
    slope = party.add(party.multiply_public(sums, 2), weighted)
    between, beyond_limits = yield from together(
        party.matmul_truncate(
            kept.reshape(columns, 1, count), slope.reshape(columns, count, 1), MOMENT_BITS
        ),
        party.multiply_truncate(at_ends, masses, MOMENT_BITS),
    )
    total = party.add(kept_squares, between.reshape(columns))
    return party.add(total, party.sum(beyond_limits, axis=0))


def clip(party: Party, x: Any, low: Any, high: Any) -> Step[Any]:
    """Every row's columns within secret limits: x + [x < low] (low - x) + [high < x] (high - x).

    Parameters
    ----------
    x : arithmetic sharing, (n, c)
    low, high : arithmetic sharing, (c,)
        With the same fractional bits.

    Notes
    -----
    Exact. Rounds: a sign bit and an injection. Revealed: nothing.
    """
    below = party.subtract(x, party.broadcast(low, x.shape))
    above = party.subtract(party.broadcast(high, x.shape), x)
    both = party.concatenate([below.reshape(1, *x.shape), above.reshape(1, *x.shape)])
    beyond = yield from party.most_significant_bit(both)
    moved = yield from party.inject(beyond, both)
    return party.add(party.subtract(x, moved[0]), moved[1])


def _integers(values: NDArray[np.float64], bits: int) -> NDArray[np.int64]:
    return np.rint(values * float(1 << bits)).astype(np.int64)


assert EDGE_BITS == INPUT_BITS
assert BINS > 0
