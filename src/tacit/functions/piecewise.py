"""Piecewise polynomials: all comparisons at once, the powers meanwhile, one sum at the end.

With bits b_i = [x < t_i] for the breakpoints t_1 < t_2 < … and pieces p_0, p_1, …, p_n,

    p(x) = p_n(x) + Σ_i b_i (p_{i-1}(x) - p_i(x)),

so the coefficient of each power is a public linear combination of the bits; no piece is
selected with a product of its own, and only the sum Σ_k C_k u^k needs products and one
truncation. The powers are computed while the comparisons run, so they cost no rounds.

Constant pieces are exact for *every* x, however large: there C_k is a sum of public integers
that cancel, so C_k = 0 in the ring for k >= 1, and 0 times an overflowed power is 0. What
remains is C_0, an exact integer, plus the truncation of 0, which is 0 (for probabilistic
truncation 1 unit in the last place with probability 2^-32).

Sources: piecewise approximation with parallel comparisons, Mohassel and Zhang (2017, SecureML);
oblivious selection of coefficients, Liu, Juuti, Lu, Asokan (2017, MiniONN).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.functions.approximation import PiecewisePolynomial, scaled_integer
from tacit.functions.comparison import below_public
from tacit.functions.costs import Costs, in_sequence, side_by_side
from tacit.functions.polynomials import powers, powers_cost
from tacit.functions.shapes import flat, shaped
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = [
    "SUM_BITS",
    "combine_bits",
    "piecewise",
    "piecewise_cost",
    "power_scales",
    "threshold_digits",
    "threshold_digits_cost",
]


SUM_BITS = 32
"""The final sum keeps this many bits more than the result: the coefficients' precision."""


def power_scales(scale: int, degree: int) -> dict[int, int]:
    """The scale of each power u^k, |u| <= 1.25, from u at `scale`.

    Scales 26 to 29 leave room for the next product and as many bits for the coefficients;
    products that lose at most 16 bits cost fewer bytes, so that is preferred.
    """
    scales = {1: scale}
    for exponent in range(2, degree + 1):
        total = scales[exponent // 2] + scales[exponent - exponent // 2]
        scales[exponent] = min(total, 29, max(26, total - 16))
    return scales


def threshold_digits(party: Party, x: Any, thresholds: list[int]) -> Step[Any]:
    """The bits [x < t] for public t as ring integers 0 and 1, (len(thresholds), n).

    Rounds: a sign bit and a bit to arithmetic; bytes: one of each an element and threshold.
    """
    below = yield from below_public(party, x, thresholds)
    return (yield from party.bit_to_arithmetic(below))


def threshold_digits_cost(costs: Costs, size: int, thresholds: int) -> Declaration:
    """Of `threshold_digits`."""
    return in_sequence(
        costs["most_significant_bit"](thresholds * size),
        costs["bit_to_arithmetic"](thresholds * size),
    )


def combine_bits(
    party: Party, digits: Any, weights: NDArray[np.int64], constants: NDArray[np.int64]
) -> Any:
    """Public linear combinations W b + c of 0/1 digits b, (n, size) → (rows, size). Local."""
    ring = party.ring
    matrix = ring.elements(weights)
    combined = digits.map(lambda share: ring.matmul(matrix, share))
    return party.add_public(combined, constants[:, None])


def piecewise(party: Party, x: Any, function: PiecewisePolynomial, fraction_bits: int) -> Step[Any]:
    """A public piecewise polynomial of x.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        Any shape, f = `fraction_bits` fractional bits, |x| < 2^(62 - f).
    function : PiecewisePolynomial
    fraction_bits : int
        12 to 24.

    Returns
    -------
    arithmetic sharing
        f fractional bits. Error: the function's own and 2 units in the last place.

    Notes
    -----
    Rounds: max(sign bit + bit to arithmetic, powers) + one product. For `replicated3` and
    degree up to 8: 12.
    """
    vector = flat(x)
    thresholds = [scaled_integer(t, fraction_bits) for t in function.breakpoints]
    scales = power_scales(fraction_bits + function.range_bits, function.degree)
    digits, power = yield from together(
        threshold_digits(party, vector, thresholds), powers(party, vector, scales, function.degree)
    )
    total = fraction_bits + SUM_BITS
    varying_scales = [total - scales[k] for k in range(1, function.degree + 1)]
    weights, constants = function.weights([fraction_bits, *varying_scales])
    coefficients = combine_bits(party, digits, weights, constants)
    pairs = [(coefficients[k], power[k].share) for k in range(1, function.degree + 1)]
    varying = yield from party.sum_products_truncate(pairs, SUM_BITS)
    return shaped(party.add(varying, coefficients[0]), x.shape)


def piecewise_cost(
    costs: Costs, size: int, function: PiecewisePolynomial, fraction_bits: int
) -> Declaration:
    """Of `piecewise`."""
    scales = power_scales(fraction_bits + function.range_bits, function.degree)
    return in_sequence(
        side_by_side(
            threshold_digits_cost(costs, size, len(function.breakpoints)),
            powers_cost(costs, size, scales, function.degree),
        ),
        costs["sum_products_truncate"](size, SUM_BITS, function.degree),
    )
