"""Sigmoid and hyperbolic tangent: five pieces, saturated outside, anywhere on the line.

The tables are minimax fits (``scripts/fit_functions.py``): an odd polynomial around 0, two
mirrored polynomials beside it, and constants outside. See ``piecewise.py`` for why the constants
hold for every x and why the powers cost no rounds.
"""

from __future__ import annotations

from typing import Any

from tacit.functions.coefficients import SIGMOID, TANH
from tacit.functions.costs import Costs
from tacit.functions.domains import is_fine, require_fine
from tacit.functions.fine_sigmoid import fine_sigmoid, fine_sigmoid_cost, fine_tanh
from tacit.functions.piecewise import piecewise, piecewise_cost
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = ["sigmoid", "sigmoid_cost", "tanh", "tanh_cost"]


def sigmoid(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """1 / (1 + exp(-x)).

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        Any shape, f = `fraction_bits` fractional bits, |x| < 2^(62 - f): every number that
        the encoding holds.
    fraction_bits : int
        12 to 24; to 40 in Z_2^128, with the errors of ``accuracy.FINE`` above 24.

    Returns
    -------
    arithmetic sharing
        f fractional bits. Absolute error at most 1.6e-4 and 2 units in the last place;
        exactly 0 below -8.8 and exactly 1 above 8.8, up to 1 unit with probability 2^-32.

    Notes
    -----
    Rounds: see `piecewise`; 12 for `replicated3`. Bytes: 4 comparisons, 4 bit conversions,
    5 products an element (438 for `replicated3`, all parties together).
    """
    require_fine("sigmoid", fraction_bits, party.ring.bits)
    if is_fine(fraction_bits):
        return (yield from fine_sigmoid(party, x, fraction_bits))
    return (yield from piecewise(party, x, SIGMOID, fraction_bits))


def sigmoid_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `sigmoid`."""
    if is_fine(fraction_bits):
        return fine_sigmoid_cost(costs, size, fraction_bits)
    return piecewise_cost(costs, size, SIGMOID, fraction_bits)


def tanh(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    """The hyperbolic tangent, 2 sigmoid(2x) - 1.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        Any shape, f = `fraction_bits` fractional bits, |x| < 2^(62 - f).
    fraction_bits : int
        12 to 24; to 40 in Z_2^128, with the errors of ``accuracy.FINE`` above 24.

    Returns
    -------
    arithmetic sharing
        f fractional bits. Absolute error at most 3.2e-4 and 2 units in the last place; exactly
        -1 below -4.4 and exactly 1 above 4.4, up to 1 unit with probability 2^-32.

    Notes
    -----
    Rounds and bytes: those of `sigmoid`; a table of its own, so that the error is not doubled
    by rounding.
    """
    require_fine("tanh", fraction_bits, party.ring.bits)
    if is_fine(fraction_bits):
        return (yield from fine_tanh(party, x, fraction_bits))
    return (yield from piecewise(party, x, TANH, fraction_bits))


def tanh_cost(costs: Costs, size: int, fraction_bits: int = 18) -> Declaration:
    """Of `tanh`."""
    if is_fine(fraction_bits):
        return fine_sigmoid_cost(costs, size, fraction_bits)
    return piecewise_cost(costs, size, TANH, fraction_bits)
