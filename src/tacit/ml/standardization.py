"""Joint mean and deviation of columns whose rows lie with different owners, never revealed.

Each owner sums up its own rows in the clear and inputs only a few numbers a column: its mean,
its share of the variance within. The joint mean and deviation exist as sharings alone; rows are
standardised on shares.

Precision. Columns arrive scaled into [-1, 1] by their public bounds, with
:data:`INPUT_BITS` fractional bits. The joint variance is the sum of the owners' own variances
(computed in the clear, without cancellation) and of the squared distances of their means from
the joint mean (Chan, Golub, LeVeque 1983), with :data:`MOMENT_BITS` fractional bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.limits import Limits
from tacit.functions.inputs import checked_rows
from tacit.functions.roots import rsqrt
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step

__all__ = [
    "DEVIATION_FLOOR_BITS",
    "INPUT_BITS",
    "MOMENT_BITS",
    "Standardization",
    "column_standardization",
    "combined_moments",
    "combined_standardization",
    "encoded_moments",
    "joint_standardization",
    "moment_limits",
    "standardization_of",
    "standardize",
]

INPUT_BITS = 26
"""Fractional bits of input columns scaled into [-1, 1]."""

MOMENT_BITS = 30
"""Fractional bits of means and variances; their products stay below 2^62."""

DEVIATION_FLOOR_BITS = 10
"""Deviations are taken as at least 2^-10 of half the column's bounds."""


@dataclass(frozen=True, slots=True, repr=False)
class Standardization:
    """A party's part of the joint mean and inverse deviation of each column.

    Attributes
    ----------
    mean : arithmetic sharing, (d,)
        With :data:`INPUT_BITS` fractional bits.
    inverse_deviation : arithmetic sharing, (d,)
        With f fractional bits; at most 2^10.
    deviation : arithmetic sharing, (d,), optional
        With :data:`MOMENT_BITS` fractional bits, where a training starts from a model.
    """

    mean: Any
    inverse_deviation: Any
    deviation: Any = None


def joint_standardization(
    party: Party,
    rows: Sequence[int],
    moments: NDArray[np.float64] | None,
    mask: NDArray[np.bool_],
    fraction_bits: int,
    deviation: bool = False,
) -> Step[Standardization]:
    """Mean and inverse deviation over all owners' rows.

    Parameters
    ----------
    party : Party
        The first ``len(rows)`` parties are owners; another one holds no rows.
    rows : sequence of int
        Each owner's number of rows; public.
    moments : ndarray of float64, (2, d), or None
        This owner's mean and variance (divided by its own number of rows) of each scaled column;
        None at a party without rows.
    mask : ndarray of bool, (d,)
        Columns to standardise; the others keep mean 0 and deviation 1. Public.
    fraction_bits : int
        f of the result.
    deviation : bool
        Whether the deviation is wanted too: 3 rounds more.

    Notes
    -----
    Rounds: 1 + 3 + those of ``rsqrt`` + 9; more where inputs are checked. Revealed: nothing.

    Raises
    ------
    InputRefusedError
        An owner's mean or variance is impossible, as all parties found on shares (TC-5400).
    """
    encoded = None
    if moments is not None:
        encoded = encoded_moments(moments, rows[party.index] / sum(rows))
    shape = (3, len(mask))
    inputs = yield from together(
        *(
            checked_rows(
                party,
                owner,
                encoded if owner == party.index else None,
                shape,
                moment_limits(count, sum(rows)),
            )
            for owner, count in enumerate(rows)
        )
    )
    return (
        yield from combined_standardization(party, rows, inputs, mask, fraction_bits, deviation)
    )


def column_standardization(
    party: Party,
    parts: Sequence[int],
    order: Sequence[int],
    rows: int,
    moments: NDArray[np.float64] | None,
    mask: NDArray[np.bool_],
    fraction_bits: int,
    deviation: bool = False,
) -> Step[Standardization]:
    """The same where owners have different columns of the same rows: parts[o] each.

    `order` names the place of each column of the result among the owners' columns.

    Each owner's moments are those of the whole column, and nobody else learns them.
    """
    encoded = None if moments is None else encoded_moments(moments, 1.0)
    holders = [owner for owner, width in enumerate(parts) if width]
    inputs = yield from together(
        *(
            checked_rows(
                party,
                owner,
                encoded if owner == party.index else None,
                (3, parts[owner]),
                moment_limits(rows, rows),
            )
            for owner in holders
        )
    )
    whole = [party.concatenate(inputs, 1)[:, np.array(order)]]
    return (
        yield from combined_standardization(party, (rows,), whole, mask, fraction_bits, deviation)
    )


def encoded_moments(moments: NDArray[np.float64], weight: float) -> NDArray[np.uint64]:
    """What an owner inputs: w mean, mean and w variance of each column, (3, d).

    Parameters
    ----------
    moments : ndarray of float64, (2, d)
        Its mean and variance.
    weight : float
        w, its share of all rows.
    """
    mine = np.stack([weight * moments[0], moments[0], weight * moments[1]])
    return np.rint(mine * float(1 << MOMENT_BITS)).astype(np.int64).view(np.uint64)


def moment_limits(count: int, total: int) -> tuple[Limits, Limits, Limits]:
    """Of w mean, mean and w variance of numbers in [-1, 1]; one unit more for floating point.

    Parameters
    ----------
    count, total : int
        Rows of the owner, and of all: w = count / total.
    """
    one = 1 << MOMENT_BITS
    weighted = ceil(one * count / total) + 1
    return (-weighted, weighted), (-one - 1, one + 1), (0, weighted)


def combined_standardization(
    party: Party,
    rows: Sequence[int],
    inputs: Sequence[Any],
    mask: NDArray[np.bool_],
    fraction_bits: int,
    deviation: bool = False,
) -> Step[Standardization]:
    """Mean and inverse deviation from what each owner input: three rows of moments.

    See :func:`encoded_moments`.
    """
    mean, variance = yield from combined_moments(party, rows, inputs)
    return (yield from standardization_of(party, mean, variance, mask, fraction_bits, deviation))


def combined_moments(
    party: Party, rows: Sequence[int], inputs: Sequence[Any]
) -> Step[tuple[Any, Any]]:
    """Mean and variance, with :data:`MOMENT_BITS` fractional bits."""
    total = sum(rows)
    mean = _total(party, [part[0] for part in inputs])
    within = _total(party, [part[2] for part in inputs])
    distances = [party.subtract(part[1], mean) for part in inputs]
    squares = yield from together(*(party.multiply_truncate(d, d, MOMENT_BITS) for d in distances))
    # Σ w_o d_o²: public weights with 20 bits, one truncation; below 2^(30 + 2 + 20).
    weighted = [
        party.multiply_public(square, round(count / total * (1 << 20)))
        for square, count in zip(squares, rows, strict=True)
    ]
    between = yield from party.truncate(_total(party, weighted), 20)
    return mean, party.add(within, between)


def standardization_of(
    party: Party,
    mean: Any,
    variance: Any,
    mask: NDArray[np.bool_],
    fraction_bits: int,
    deviation: bool = False,
) -> Step[Standardization]:
    """What standardises columns of this mean and variance; 0 and 1 outside the mask."""
    inverse = yield from _inverse_root(party, variance, fraction_bits)
    spread = None
    if deviation:
        # sqrt(v) = v / sqrt(v), of the variance with its floor.
        lifted = party.add_public(variance, 1 << (MOMENT_BITS - 2 * DEVIATION_FLOOR_BITS))
        spread = yield from party.multiply_truncate(lifted, inverse, fraction_bits)
        spread = party.add_public(
            party.multiply_public(spread, mask.astype(np.int64)),
            (~mask).astype(np.int64) << MOMENT_BITS,
        )
    shift = MOMENT_BITS - INPUT_BITS
    mean = yield from party.truncate(mean, shift)
    # Public selection of columns, exact in the ring.
    mean = party.multiply_public(mean, mask.astype(np.int64))
    inverse = party.add_public(
        party.multiply_public(inverse, mask.astype(np.int64)),
        (~mask).astype(np.int64) << fraction_bits,
    )
    return Standardization(mean, inverse, spread)


def _total(party: Party, parts: Sequence[Any]) -> Any:
    total = parts[0]
    for part in parts[1:]:
        total = party.add(total, part)
    return total


def _inverse_root(party: Party, variance: Any, fraction_bits: int) -> Step[Any]:
    """1 / sqrt(variance + floor) with f fractional bits, refined by one Newton step.

    The variance v is lifted by the floor 2^(-2 · DEVIATION_FLOOR_BITS) and scaled to
    v' = v 2^(2 · DEVIATION_FLOOR_BITS) in [1, 2^21], where the general rsqrt works;
    s = rsqrt(v') 2^DEVIATION_FLOOR_BITS then has an absolute error, which the Newton step
    s (3 - v s²) / 2 on finer numbers squares away.
    """
    floor = 2 * DEVIATION_FLOOR_BITS
    variance = party.add_public(variance, 1 << (MOMENT_BITS - floor))
    # v' with f fractional bits: v has MOMENT_BITS, so shift by f + floor - MOMENT_BITS.
    lifted = fraction_bits + floor - MOMENT_BITS
    rough = yield from rsqrt(party, party.multiply_public(variance, 1 << lifted), fraction_bits)
    s = party.multiply_public(rough, 1 << DEVIATION_FLOOR_BITS)
    product = yield from party.multiply_truncate(variance, s, fraction_bits)
    square = yield from party.multiply_truncate(product, s, fraction_bits)
    # (3 - v s²) / 2: halving is left to the last truncation.
    correction = party.add_public(party.negate(square), 3 << MOMENT_BITS)
    return (yield from party.multiply_truncate(s, correction, MOMENT_BITS + 1))


def standardize(party: Party, rows: Any, by: Standardization) -> Step[Any]:
    """(rows - mean) · inverse deviation, with the inverse's fractional bits. 3 rounds.

    Parameters
    ----------
    rows : arithmetic sharing, (n, d)
        Scaled into [-1, 1] with :data:`INPUT_BITS` fractional bits.
    """
    mean = party.broadcast(by.mean, rows.shape)
    inverse = party.broadcast(by.inverse_deviation, rows.shape)
    return (yield from party.multiply_truncate(party.subtract(rows, mean), inverse, INPUT_BITS))
