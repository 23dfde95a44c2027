"""Bounds of what combines many elements: sums, products, windows, orders, groups, layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod

from tacit.functions.accuracy import ACCURACY
from tacit.operations.bounds_of_functions import products_of
from tacit.operations.intervals import (
    Known,
    Rule,
    corners,
    known_all,
    largest,
    powers,
    sums_of_products,
    union,
    widened,
    with_zero,
)
from tacit.operations.types import Bounds

__all__ = ["ROW_RULES", "Several", "layer_sums", "mean_of"]


@dataclass(frozen=True, slots=True)
class Several:
    """A rule for all results of an operation at once, for operations with any number of them."""

    rule: Callable[[Known], list[Bounds | None]]


# Products and moments.


def _product(known: Known, x: Bounds) -> Bounds:
    """A product of n factors: each rounded once, and n - 1 products."""
    return widened(_of_factors(x, known.terms), _product_slack(known, x, known.terms))


def _of_factors(x: Bounds, count: int) -> Bounds:
    """What products of so many different numbers lie between."""
    if x[0] >= 0 or x[1] <= 0 or not count:
        return powers(x, count)
    largest_product = powers((0, largest(x)), count)[1]
    return -largest_product, largest_product


def _product_slack(known: Known, x: Bounds, count: int) -> float:
    """2n - 1 roundings, each of which up to n - 1 other factors enlarge."""
    if not known.unit or count < 2:
        return 0
    return known.unit * (2 * count - 1) * products_of(x, count - 1, known.unit)


def _running_product(known: Known, x: Bounds) -> Bounds:
    """The extremes of x^k over k up to n are at 1, 2, n - 1 or n."""
    count = max(known.extent(known.attributes.axis), 1)
    found = union(*(_of_factors(x, k) for k in {1, min(2, count), max(count - 1, 1), count}))
    found = widened(found, _product_slack(known, x, count))
    return union(found, (1, 1)) if known.attributes.include_initial else found


def mean_of(known: Known, x: Bounds) -> Bounds:
    """What a mean lies between: two units, and the relative error of the factor 1 / n."""
    return widened((float(x[0]), float(x[1])), known.unit * (3 + largest(x)))


def _variance(known: Known, x: Bounds) -> Bounds:
    """At most a quarter of the squared width, with n / (n - correction) and its stated error.

    That of the mean enters squared.
    """
    count = known.terms
    scale = count / (count - known.attributes.correction)
    spread = (float(x[1]) - float(x[0])) ** 2 / 4 * scale
    of_mean = known.unit * (3 + largest(x))
    slack = known.unit * (6 + 2 * spread) * max(1.0, scale) + of_mean**2 * scale * 1.01
    return -slack, spread + slack


# Windows.


def _convolution(known: Known, x: Bounds, kernels: Bounds) -> Bounds:
    """Sums of products over a window; zeros where it reaches over the edge."""
    inner = prod(known.types[1].shape[1:])
    low, high = corners(x, kernels)
    slack = known.unit * (1 + max(1.0, abs(low), abs(high))) if known.unit else 0
    factor = known.values[1] if len(known.values) > 1 else None
    if factor is None or not inner:
        found = low * inner, high * inner
    else:  # zeros at the edge are within an interval around 0
        around = with_zero(x) if any(known.attributes.padding) else x
        found = sums_of_products(factor, around, tuple(range(1, factor.ndim)))
    found = widened(found, slack * inner)
    return with_zero(found) if any(known.attributes.padding) else found


def _window_mean(known: Known, x: Bounds) -> Bounds:
    return mean_of(known, with_zero(x) if any(known.attributes.padding) else x)


# Orders and places.


def _same(known: Known) -> Bounds | None:
    return known.bounds[0]


def _places(known: Known) -> Bounds:
    """Places along an axis, or in the whole array."""
    axis = getattr(known.attributes, "axis", None)
    count = prod(known.types[0].shape) if axis is None else known.extent(axis)
    return 0, max(count - 1, 0)


def _rows(known: Known) -> Bounds:
    return 0, max(known.types[-1].shape[0] - 1, 0)


def _among(known: Known) -> Bounds:
    return 0, known.types[0].shape[0]


def _label(known: Known) -> Bounds | None:
    """One of the public classes; their encoding may be half a unit off."""
    classes = known.bounds[1]
    return None if classes is None else widened(classes, known.unit)


def _sorted_columns(known: Known) -> list[Bounds | None]:
    count = len(known.types) - len(known.attributes.descending)
    return list(known.bounds[:count])


# Groups.


def _count_of(known: Known) -> Bounds:
    return 0, known.types[0].shape[0]


def _interval_totals(known: Known) -> Bounds | None:
    if len(known.types) == 2:
        return _count_of(known)
    return _total(known.bounds[2], known.types[0].shape[0])


def _total(bounds: Bounds | None, count: int) -> Bounds | None:
    """A sum of up to so many."""
    if bounds is None:
        return None
    low, high = with_zero(bounds)
    return low * count, high * count


def _groups(known: Known) -> list[Bounds | None]:
    """Keys, sums, counts and whether there is a group; zeros behind the last."""
    keys = known.attributes.keys
    count = known.types[0].shape[0]
    found = [None if b is None else with_zero(b) for b in known.bounds[:keys]]
    found += [_total(b, count) for b in known.bounds[keys:]]
    return [*found, (0, count), (0, 1)]


# Layers.


def layer_sums(known: Known) -> list[tuple[float, float]] | None:
    """For each layer of a perceptron what |a W| and |a W + b| reach; None where not known.

    Activations are within the sums, and within 1 for sigmoid and tanh.
    """
    if any(bounds is None for bounds in known.bounds):
        return None
    sizes = [largest(bounds) for bounds in known.bounds if bounds is not None]
    x, parameters, shapes = sizes[0], sizes[1:], [t.shape for t in known.types[1:]]
    found = []
    for place in range(0, len(parameters), 2):
        product = shapes[place][0] * x * parameters[place]
        total = product + parameters[place + 1] + known.unit
        found.append((product, total))
        x = 1.001 if known.attributes.activation in ("logistic", "tanh") else total
    return found


def _forward(known: Known) -> Bounds | None:
    output = known.attributes.output
    if output in ("logistic", "softmax"):
        stated = ACCURACY["sigmoid" if output == "logistic" else "softmax"]
        classes = known.result.shape[-1]
        slack = stated.absolute + (stated.units + classes) * known.unit
        return -slack, 1 + slack
    sums = layer_sums(known)
    return None if sums is None else (-sums[-1][1], sums[-1][1])


ROW_RULES: Mapping[str, Rule | tuple[Rule, ...] | Several] = {
    "prod": known_all(_product),
    "cumulative_prod": known_all(_running_product),
    "mean": known_all(mean_of),
    "var": known_all(_variance),
    "convolution": known_all(_convolution),
    "max_pool": _same,
    "avg_pool": known_all(_window_mean),
    "argmax": _places,
    "argmin": _places,
    "argsort": _places,
    "lexsort": _rows,
    "topk": (_same, _places),
    "searchsorted": _among,
    "class_of_largest": _label,
    "sort_by": Several(_sorted_columns),
    "totals_between": _interval_totals,
    "group_by": Several(_groups),
    "mlp_forward": _forward,
}
"""By name of the operation."""
