"""Gradients of single examples, clipped to a norm that holds for every example: no exceptions.

The gradient of one example by a dense layer is the outer product of what the layer is given and
of the loss's derivative by its sums, so its norm follows from theirs, and clipping an example
scales its derivatives (Goodfellow 2015; Li, Tramèr, Liang, Hashimoto 2022: "ghost clipping"; the
clipped sum with noise, Abadi, Chu, Goodfellow, McMahan, Mironov, Talwar, Zhang 2016):

    ‖gradient‖² = Σ over the layers of (‖a‖² + 1) ‖δ‖².

What makes the bound hold whatever the numbers are:

1. The squared norm is computed from the very integers that the gradient is made of, and every
   rounding goes up.
2. The factor is one of a public list, r_j for squared norms below t_j with r_j² t_j <= C², chosen
   by comparisons, which are exact; no reciprocal root, and so no error of one. Gradients that are
   not clipped are multiplied by exactly 1.
3. The product of factor and derivative is not truncated, and neither is the sum over the
   examples: an example's share in the sum is exactly factor · gradient, an integer vector.
4. An example with ‖a‖ or ‖δ‖ above a public limit is left out, and so are all while the weights'
   norms are above theirs. Below these limits nothing can wrap (``bounds_of``).
5. An example that is not taken has the factor 0: it adds exactly nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import ceil, floor, isfinite, isqrt, log2, sqrt
from typing import Any

import numpy as np

from tacit.errors import RangeError
from tacit.functions.searching import all_true
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step

__all__ = ["ClippingPlan", "clipped_sums", "clipping_plan", "weights_within"]

SUM_BITS = 12
"""Fractional bits of ‖a‖² + 1."""

DELTA_BITS = 24
"""Fractional bits of ‖δ‖²."""

LARGEST_SUM = 1 << 14
"""‖a‖² + 1 of examples that are not left out: at most this."""

LARGEST_DELTA = 1 << 8
"""‖δ‖² of examples that are not left out: at most this."""

SQUARE_BITS = 25
"""Σ a² and Σ δ² stay below 2^25: with twice 18 fractional bits below 2^61."""

MOST_LAYERS = 8


@dataclass(frozen=True, slots=True)
class ClippingPlan:
    """Everything public about the clipping of one model.

    Attributes
    ----------
    widths : tuple of int
        Features, units of each hidden layer, 1.
    clip : float
        C: no example's share in a sum is longer.
    fraction_bits : int
        f, of numbers.
    factor_bits : int
        Of the factors; the sums have 2 f + factor_bits fractional bits.
    thresholds : tuple of int
        t_j with SUM_BITS + DELTA_BITS fractional bits, rising.
    factors : tuple of int
        r_j, falling: of squared norms below t_j and not below the one before.
    grid_bits : int
        Fractional bits of the sums when they get their noise.
    weight_norm : float
        The Frobenius norm (bias included) that each layer may have.
    """

    widths: tuple[int, ...]
    clip: float
    fraction_bits: int
    factor_bits: int
    thresholds: tuple[int, ...]
    factors: tuple[int, ...]
    grid_bits: int
    weight_norm: float

    @property
    def size(self) -> int:
        """Parameters."""
        return sum((a + 1) * b for a, b in pairwise(self.widths))

    @property
    def sensitivity(self) -> float:
        """By how much one example moves the sums that get noise, in units of their grid.

        C, and twice one unit for each parameter: truncation to the grid is wrong by at most one
        unit, with the example and without it.
        """
        return (self.clip * (1 << self.grid_bits) + 2.0 * sqrt(self.size)) * (1 + 2.0**-40)


@lru_cache(maxsize=16)
def clipping_plan(
    widths: tuple[int, ...], clip: float, examples: int, fraction_bits: int = 18
) -> ClippingPlan:
    """The plan for at most `examples` at a time.

    Raises
    ------
    RangeError
        The clip is not between 2^-6 and 2^6 (TC-1321), or the layers are too many or too wide, or
        the examples too many, for sums that cannot wrap (TC-1322).
    """
    if not (isfinite(clip) and 2.0**-6 <= clip <= 2.0**6):
        raise RangeError(
            f"Gradients cannot be clipped to a norm of {clip:g}.",
            next_step="choose --clip between 0.016 and 64; 1 is a good start.",
            case=21,
            stage="privacy",
        )
    f = fraction_bits
    factor_bits = min(12, 60 - 2 * f - ceil(log2(max(1.0, examples * clip))))
    norm = bounds_of(widths)
    # Initial weights (Glorot's) are well within their norm.
    least = 1.25 * max(sqrt(2.0 * (a + 1) * b / (a + b)) for a, b in pairwise(widths))
    if factor_bits < 6 or norm < least or len(widths) > MOST_LAYERS + 1:
        raise RangeError(
            f"Layers {'-'.join(map(str, widths))} with batches of up to {examples} rows are too"
            " large for sums of clipped gradients that provably do not overflow.",
            next_step="use fewer or smaller hidden layers, or smaller batches.",
            case=22,
            stage="privacy",
        )
    size = sum((a + 1) * b for a, b in pairwise(widths))
    # The padding 2 sqrt(size) is at most half a percent of the clip.
    grid_bits = min(f + 4, max(8, ceil(log2(400 * sqrt(size) / clip))))
    thresholds, factors = _factors(clip, factor_bits, len(widths) - 1)
    return ClippingPlan(widths, clip, f, factor_bits, thresholds, factors, grid_bits, norm)


def _factors(clip: float, factor_bits: int, layers: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Thresholds of the squared norm and the factors below them."""
    scale = 1 << (SUM_BITS + DELTA_BITS)
    most = min(layers * LARGEST_SUM * LARGEST_DELTA, 1 << 24)
    # Steps of 12 % in the norm up to 16 C, of 41 % to 64 C, and doublings.
    ratios = [2 ** (k / 3) for k in range(25)]
    ratios += [2.0**k for k in range(9, 13)] + [2.0**k for k in range(14, 28, 2)]
    thresholds, factors = [], []
    for ratio in ratios:
        square = clip * clip * ratio
        threshold = floor(min(square, most) * scale)
        factor = min(1 << factor_bits, _root_factor(clip, threshold, factor_bits))
        if factor < 1:
            break
        thresholds.append(threshold)
        factors.append(factor)
        if square >= most:
            break
    return tuple(thresholds), tuple(factors)


def _root_factor(clip: float, threshold: int, factor_bits: int) -> int:
    """The largest r with (r / 2^factor_bits)² threshold <= C², in integers."""
    numerator, denominator = clip.as_integer_ratio()
    scale = 1 << (SUM_BITS + DELTA_BITS)
    square = numerator * numerator * scale << (2 * factor_bits)
    return isqrt(square // (denominator * denominator * threshold))


def bounds_of(widths: Sequence[int]) -> float:
    """The largest weight norm F with which no sum of squares can reach 2^25.

    With rows in [-1, 1], ‖a_0‖² <= d, and with ReLU ‖a_l‖ <= F sqrt(‖a_{l-1}‖² + 1); back,
    ‖δ_{l-1}‖ <= F ‖δ_l‖ with ‖δ_L‖ <= 1. 2 % more for roundings. A multiple of 1/4, at most 64.
    """
    limit, best = (1 << SQUARE_BITS) * 0.9, 0.0
    for quarter in range(1, 257):
        norm = quarter / 4
        square, delta = 1.01 * widths[0] + 1.0, 1.03
        for _ in widths[1:-1]:
            square = 1.02 * norm * norm * (square + 1.0) + 1.0
            delta = 1.02 * norm * norm * delta + 1.0
        if max(square, delta, norm * norm * (square + 1.0) / 64) > limit:
            break
        best = norm
    return best


def weights_within(party: Party, parameters: Sequence[Any], plan: ClippingPlan) -> Step[Any]:
    """One bit: whether every layer's weights and bias have at most the plan's norm.

    Parameters
    ----------
    parameters : sequence of arithmetic sharing
        Weights and bias of every layer, magnitudes below 2^12.

    Returns
    -------
    Boolean sharing, (1,)

    Notes
    -----
    Every square is wrong by at most one unit, which is added. Rounds: a truncated product, a sign
    bit and log2 of the layers.
    """
    f = plan.fraction_bits
    flat = party.concatenate([array.reshape(array.size) for array in parameters], 0)
    squares = yield from party.multiply_truncate(flat, flat, f)
    limit, rest, start = floor(plan.weight_norm**2 * (1 << f)), [], 0
    for weights, bias in zip(parameters[::2], parameters[1::2], strict=True):
        stop = start + weights.size + bias.size
        total = party.sum(squares[start:stop], axis=0).reshape(1)
        rest.append(party.add_public(total, stop - start - limit - 1))
        start = stop
    # Negative where the norm is within.
    within = yield from party.most_significant_bit(party.concatenate(rest, 0))
    return (yield from all_true(party, within.reshape(1, len(rest))))


def clipped_sums(
    party: Party,
    below: Sequence[Any],
    deltas: Sequence[Any],
    taken: Any,
    within: Any,
    plan: ClippingPlan,
) -> Step[Any]:
    """Σ over the taken examples of the clipped gradients, all parameters in one row.

    Parameters
    ----------
    party : Party
    below, deltas : sequence of arithmetic sharing, (n, inputs) and (n, outputs)
        For each layer what it is given, and the loss's derivative by its sums; f bits.
    taken : Boolean sharing, (n,)
        Which examples take part.
    within : Boolean sharing, (1,)
        Whether the weights are within their norms; if not, no example takes part.
    plan : ClippingPlan

    Returns
    -------
    arithmetic sharing, (plan.size,)
        Weights (inputs, outputs) and then the bias of each layer, with ``plan.grid_bits``
        fractional bits. One example more or less moves it by at most ``plan.sensitivity``.

    Notes
    -----
    Rounds of `replicated3`: 1 for squares, 2, 1, 7 for comparisons, about 4 for ANDs, 2, 1, 1, 2.
    Nothing is revealed.
    """
    rows = taken.shape[0]
    factor = yield from _example_factors(party, below, deltas, taken, within, plan)
    all_deltas = party.concatenate(list(deltas), 1)
    spread = party.broadcast(factor.reshape(rows, 1), all_deltas.shape)
    scaled = yield from party.multiply(all_deltas, spread)
    products, start, parts = [], 0, []
    for a, delta in zip(below, deltas, strict=True):
        stop = start + delta.shape[1]
        products.append(party.matmul(a.map(lambda share: share.T), scaled[:, start:stop]))
        parts.append((start, stop))
        start = stop
    weights = yield from together(*products)
    biases = party.multiply_public(party.sum(scaled, axis=0), 1 << plan.fraction_bits)
    flat = []
    for product, (start, stop) in zip(weights, parts, strict=True):
        flat += [product.reshape(product.size), biases[start:stop]]
    dropped = 2 * plan.fraction_bits + plan.factor_bits - plan.grid_bits
    return (yield from party.truncate(party.concatenate(flat, 0), dropped))


def _example_factors(
    party: Party,
    below: Sequence[Any],
    deltas: Sequence[Any],
    taken: Any,
    within: Any,
    plan: ClippingPlan,
) -> Step[Any]:
    """The factor of each example, (n,), with plan.factor_bits fractional bits; 0 if left out."""
    rows, layers = taken.shape[0], len(deltas)
    sums, squares = yield from _norms(party, below, deltas, plan)
    products = yield from party.multiply(sums, squares)
    norm = party.sum(products, axis=0).reshape(1, rows)
    cuts = len(plan.thresholds)
    compared = [
        party.add_public(
            party.broadcast(norm, (cuts, rows)),
            party.ring.elements([-t for t in plan.thresholds])[:, None],
        ),
        party.add_public(sums, -(LARGEST_SUM << SUM_BITS) - 1),
        party.add_public(squares, -(LARGEST_DELTA << DELTA_BITS) - 1),
    ]
    small = yield from party.most_significant_bit(party.concatenate(compared, 0))
    spread = within.map(lambda bit: np.repeat(bit, rows).reshape(1, rows))
    limits = small.map(lambda bits: bits[cuts:])
    conditions = party.concatenate_bits([limits, taken.reshape(1, rows), spread], 0)
    keep = yield from all_true(party, conditions.map(lambda bits: np.ascontiguousarray(bits.T)))
    assert limits.shape == (2 * layers, rows)
    below_cut = small.map(lambda bits: bits[:cuts])
    kept = keep.map(lambda bits: np.tile(bits, (cuts, 1)))
    chosen = yield from party.bitwise_and(below_cut, kept)
    digits = yield from party.bit_to_arithmetic(chosen)
    # Below t_j and all above it: r_j is the sum of the differences from there on.
    steps = np.array(plan.factors) - np.array([*plan.factors[1:], 0])
    return party.sum(party.multiply_public(digits, steps[:, None]), axis=0)


def _norms(
    party: Party, below: Sequence[Any], deltas: Sequence[Any], plan: ClippingPlan
) -> Step[tuple[Any, Any]]:
    """Upper bounds of ‖a‖² + 1 and ‖δ‖² of each layer and example: (layers, n) each."""
    f, rows = plan.fraction_bits, deltas[0].shape[0]
    arrays = [*below, *deltas]
    flat = party.concatenate(arrays, 1)
    products = yield from party.multiply(flat, flat)
    totals, start = [], 0
    for array in arrays:
        stop = start + array.shape[1]
        totals.append(party.sum(products[:, start:stop], axis=1).reshape(1, rows))
        start = stop
    layers = len(deltas)
    sums, squares = yield from together(
        party.truncate(party.concatenate(totals[:layers], 0), 2 * f - SUM_BITS),
        party.truncate(party.concatenate(totals[layers:], 0), 2 * f - DELTA_BITS),
    )
    # A truncation is wrong by at most one unit, and cuts less than one.
    return (
        party.add_public(sums, (1 << SUM_BITS) + 2),
        party.add_public(squares, 2),
    )
