"""Linear forms: how a value depends on others, so that what is correlated cancels.

Intervals alone say that x - x lies between -16 and 16 for x within ±8. A form keeps the value as
a public constant, factors times symbols, and an error; the symbols are other secret values, each
within an interval. This is affine arithmetic (de Figueiredo and Stolfi, Numerical Algorithms 37,
2004) with symbols that keep their own intervals, so that integers stay exact.

An array has one form for all its elements. Its symbols are arrays whose shapes broadcast to its
own; a symbol stands for one array, looked at in one way, so equal symbols are equal elements.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tacit.operations.types import Bounds

__all__ = ["MOST_TERMS", "Form", "difference", "product_range", "scaled", "symbol", "total"]

MOST_TERMS: Final = 24
"""Forms with more symbols are forgotten: the value becomes a symbol of its own."""

_ROUNDING: Final = 2.0**-47
"""Of a sum of up to 24 products in float64, relatively."""


@dataclass(frozen=True, slots=True)
class Form:
    """constant + Σ factor · symbol ± error.

    Attributes
    ----------
    constant : float
    terms : mapping of symbols to (factor, (low, high))
    error : float
        What roundings add, at most, to either side.
    """

    constant: float = 0
    terms: Mapping[Hashable, tuple[float, Bounds]] = field(default_factory=dict)
    error: float = 0

    @property
    def range(self) -> Bounds:
        """What it lies between."""
        low = high = self.constant
        size: float = abs(self.constant)
        for factor, (least, most) in self.terms.values():
            one, other = factor * least, factor * most
            low, high = low + min(one, other), high + max(one, other)
            size += max(abs(one), abs(other))
        slack = self.error
        if isinstance(low, float) or isinstance(high, float) or slack:
            slack += size * _ROUNDING
        return (low - slack, high + slack) if slack else (low, high)


def symbol(key: Hashable, bounds: Bounds) -> Form:
    """The form of a value that is a symbol itself."""
    return Form(0, {key: (1, bounds)})


def total(x: Form, y: Form, error: float = 0) -> Form | None:
    """x + y; None where it has too many symbols."""
    terms = dict(x.terms)
    for key, (factor, bounds) in y.terms.items():
        joined = factor + terms[key][0] if key in terms else factor
        if joined:
            terms[key] = joined, bounds
        else:
            del terms[key]
    if len(terms) > MOST_TERMS:
        return None
    return Form(x.constant + y.constant, terms, x.error + y.error + error)


def scaled(x: Form, factor: float, error: float = 0) -> Form:
    """factor · x."""
    terms = {k: (factor * f, bounds) for k, (f, bounds) in x.terms.items()} if factor else {}
    return Form(factor * x.constant, terms, abs(factor) * x.error + error)


def difference(x: Form, y: Form, error: float = 0) -> Form | None:
    """x - y; None where it has too many symbols."""
    return total(x, scaled(y, -1), error)


def product_range(x: Form, y: Form) -> Bounds | None:
    """What x · y lies between, from the squares and products of its symbols around their middles.

    None where float64 cannot say.
    """
    (a, xs, ex), (b, ys, ey) = _centred(x), _centred(y)
    if max(map(abs, (a, b, *xs.values(), *ys.values())), default=0) > 2.0**50:
        return None
    low = high = a * b
    for key in dict.fromkeys((*xs, *ys)):
        one, other = xs.get(key, 0.0), ys.get(key, 0.0)
        linear, square = a * other + b * one, one * other
        least, most = _parabola(linear, square)
        low, high = low + least, high + most
    keys = list(dict.fromkeys((*xs, *ys)))
    mixed = 0.0
    for place, key in enumerate(keys):
        for second in keys[:place]:
            mixed += abs(
                xs.get(key, 0.0) * ys.get(second, 0.0) + xs.get(second, 0.0) * ys.get(key, 0.0)
            )
    wide_x = abs(a) + sum(map(abs, xs.values())) + ex
    wide_y = abs(b) + sum(map(abs, ys.values())) + ey
    slack = mixed + ex * wide_y + ey * wide_x + wide_x * wide_y * _ROUNDING
    return low - slack, high + slack


def _centred(x: Form) -> tuple[float, dict[Hashable, float], float]:
    """Around the middles of its symbols, each of which is then within ±1."""
    middle, sizes = float(x.constant), {}
    for key, (factor, (low, high)) in x.terms.items():
        middle += factor * (float(low) + float(high)) / 2
        sizes[key] = factor * (float(high) - float(low)) / 2
    return middle, sizes, float(x.error)


def _parabola(linear: float, square: float) -> Bounds:
    """What linear · e + square · e² lies between for e within ±1."""
    ends = [square + linear, square - linear]
    if square and abs(linear) < 2 * abs(square):
        ends.append(-linear * linear / (4 * square))
    return min(ends), max(ends)
