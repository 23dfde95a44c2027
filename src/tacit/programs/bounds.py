"""Intervals: what is publicly known about a result, from what is known about the operands.

A rule maps public intervals to a public interval; nothing here sees a value of a secret. Bounds
come from their declaration in ``share``, from public arrays, and from the ranges of booleans and
small integers. An operation without a rule, or with an operand about which nothing is known, has
a result about which nothing is known.

Intervals of integers are Python integers, exact; those of fixed point are outer bounds, wide
enough for every rounding of the operation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, exp, floor, inf, log, log2, prod, sqrt
from typing import Any, TypeAlias

import numpy as np

from tacit.encoding.types import DType
from tacit.functions.accuracy import ACCURACY
from tacit.functions.exponential import exp_domain
from tacit.programs.types import ArrayType, Bounds, PublicArray

__all__ = [
    "ANYWHERE",
    "BOUNDING",
    "Known",
    "bounds_of_results",
    "declared_bounds",
    "dtype_bounds",
    "operand_bounds",
    "public_bounds",
]

ANYWHERE: Bounds = (-(1 << 130), 1 << 130)
"""Wider than every ring: nothing is known of how a small integer is held."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a rule works from.

    Attributes
    ----------
    bounds : sequence of (low, high) or None
        Of each operand.
    types : sequence of ArrayType
        Of each operand.
    result : ArrayType
        The result's type; of several results, the first's.
    attributes : Attributes
        The operation's public parameters.
    """

    bounds: Sequence[Bounds | None]
    types: Sequence[ArrayType]
    result: ArrayType
    attributes: Any

    @property
    def unit(self) -> float:
        """One unit in the last place of the result; 0 for integers."""
        dtype = self.result.dtype
        return dtype.resolution if dtype.kind == "fixed" else 0

    @property
    def terms(self) -> int:
        """How many elements of the first operand meet in one of the result."""
        return prod(self.types[0].shape) // max(prod(self.result.shape), 1)


Rule: TypeAlias = Callable[[Known], Bounds | None]
Inner: TypeAlias = Callable[..., Bounds | None]


def dtype_bounds(dtype: DType) -> Bounds | None:
    """What the type alone says: the range of booleans and of integers below 64 bits."""
    return dtype.range if dtype.kind == "bool" or dtype.narrow else None


def declared_bounds(bounds: tuple[float, float] | None, dtype: DType) -> Bounds | None:
    """Bounds that an owner declared, as those of the encoded numbers: outwards to whole units.

    For small integers the type's range where it is narrower.
    """
    if bounds is None:
        return None
    if dtype.kind == "fixed":
        low, high = (float(bound) * dtype.scale for bound in bounds)
        if not -inf < low <= high < inf:
            return None
        return floor(low) / dtype.scale, ceil(high) / dtype.scale
    least, most = dtype.range or (0, 0)
    low, high = max(bounds[0], least), min(bounds[1], most)
    return ceil(low), floor(high)


def public_bounds(values: PublicArray) -> Bounds | None:
    """The least and greatest value of a public array; None for an empty one or with NaN."""
    if not values.size:
        return 0, 0
    low, high = values.min().item(), values.max().item()
    return (low, high) if -inf < low <= high < inf else None


def operand_bounds(array_type: ArrayType, values: PublicArray | None) -> Bounds | None:
    """What is known of one operand."""
    if values is not None:
        return public_bounds(values)
    return array_type.bounds or dtype_bounds(array_type.dtype)


def bounds_of_results(
    name: str,
    types: Sequence[ArrayType],
    bounds: Sequence[Bounds | None],
    attributes: Any,
    results: Sequence[ArrayType],
) -> list[Bounds | None]:
    """What is known of each result of an operation."""
    rule = RULES.get(name)
    if rule is None:
        return [None] * len(results)
    rules = rule if isinstance(rule, tuple) else (rule,) * len(results)
    return [
        own(Known(bounds, types, result, attributes))
        for own, result in zip(rules, results, strict=True)
    ]


# Rules.


def _all(inner: Inner) -> Rule:
    """A rule that needs to know all operands."""

    def rule(known: Known) -> Bounds | None:
        if any(bounds is None for bounds in known.bounds):
            return None
        return inner(known, *known.bounds)

    return rule


def _same(known: Known) -> Bounds | None:
    return known.bounds[0]


def _union(known: Known, *bounds: Bounds) -> Bounds:
    return min(low for low, _ in bounds), max(high for _, high in bounds)


def _chosen(known: Known) -> Bounds | None:
    choices = Known(known.bounds[1:], known.types[1:], known.result, known.attributes)
    return _all(_union)(choices)


def _with_zero(known: Known, x: Bounds, *others: Bounds) -> Bounds:
    return min(x[0], 0), max(x[1], 0)


def _widened(bounds: Bounds, slack: float) -> Bounds:
    return (bounds[0] - slack, bounds[1] + slack) if slack else bounds


def _add(known: Known, x: Bounds, y: Bounds) -> Bounds:
    return _widened((x[0] + y[0], x[1] + y[1]), _encoding_slack(known))


def _subtract(known: Known, x: Bounds, y: Bounds) -> Bounds:
    return _widened((x[0] - y[1], x[1] - y[0]), _encoding_slack(known))


def _encoding_slack(known: Known) -> float:
    """Half a unit where a public fraction is rounded to the result's type."""
    return known.unit if any(t.public and t.dtype.kind == "fixed" for t in known.types) else 0


def _negative(known: Known, x: Bounds) -> Bounds:
    return -x[1], -x[0]


def _corners(x: Bounds, y: Bounds) -> Bounds:
    products = [a * b for a in x for b in y]
    return min(products), max(products)


def _multiply(known: Known, x: Bounds, y: Bounds) -> Bounds:
    low, high = _corners(x, y)
    # A public factor is within 2^-f of what it stands for, relatively or absolutely.
    relative = known.unit * max(1.0, abs(low), abs(high)) if known.unit else 0
    return _widened((low, high), known.unit + relative)


def _square(known: Known, x: Bounds) -> Bounds:
    low, high = _abs(known, x)
    return _widened((low * low, high * high), known.unit)


def _clip(known: Known) -> Bounds:
    high = known.attributes.high
    low = min(known.attributes.low, high)
    least, most = low, high
    if known.unit:
        # The limits are encoded to nearest, so each may be up to a unit inside or outside.
        low, least = (to_unit(low / known.unit) * known.unit for to_unit in (floor, ceil))
        most, high = (to_unit(high / known.unit) * known.unit for to_unit in (floor, ceil))
    x = known.bounds[0]
    if x is None:
        return low, high
    return max(min(max(low, x[0]), most), low), min(max(min(high, x[1]), least), high)


def _matmul(known: Known, x: Bounds, y: Bounds) -> Bounds:
    inner = known.types[0].shape[-1]
    low, high = _multiply(known, x, y)
    return (inner * low, inner * high) if inner else (0, 0)


def _sum(known: Known, x: Bounds) -> Bounds:
    return known.terms * x[0], known.terms * x[1]


def _running_sum(known: Known, x: Bounds) -> Bounds:
    size = max(known.types[0].shape, default=1)
    low, high = min(size * x[0], x[0]), max(size * x[1], x[1])
    return (min(low, 0), max(high, 0)) if known.attributes.include_initial else (low, high)


def _between(known: Known, x: Bounds) -> Bounds:
    """Between two elements: one truncation, or two, and the fraction's own rounding."""
    width = float(x[1]) - float(x[0])
    return _widened((float(x[0]), float(x[1])), 2 * known.unit + 2.0**-29 * width)


def _mean(known: Known, x: Bounds) -> Bounds:
    largest = max(abs(x[0]), abs(x[1]))
    return _widened((float(x[0]), float(x[1])), known.unit * (2 + largest))


def _divide(known: Known, x: Bounds, y: Bounds) -> Bounds | None:
    if y[0] <= 0 <= y[1]:
        return None
    low, high = _corners((float(x[0]), float(x[1])), (1 / y[1], 1 / y[0]))
    relative = ACCURACY["divide"].relative * max(abs(low), abs(high))
    return _widened((low, high), relative + 4 * known.unit)


def _floor_divide(known: Known, x: Bounds, y: Bounds) -> Bounds:
    if y[0] <= 0 <= y[1]:
        # The divisor is at least one unit in magnitude, or the quotient is 0.
        largest = max(abs(x[0]), abs(x[1]))
        largest = largest / known.unit + 1 if known.unit else largest
        return -largest, largest
    quotients = [a // b for a in x for b in y]
    return min(quotients) - (1 if known.unit else 0), max(quotients) + (1 if known.unit else 0)


def _remainder(known: Known, x: Bounds, y: Bounds) -> Bounds:
    # Where the divisor is 0 the remainder is the dividend.
    low, high = min(y[0], 0), max(y[1], 0)
    if y[0] <= 0 <= y[1] and not known.types[1].public:
        low, high = min(low, x[0]), max(high, x[1])
    return low, high


def _abs(known: Known, x: Bounds) -> Bounds:
    low = 0 if x[0] <= 0 <= x[1] else min(abs(x[0]), abs(x[1]))
    return low, max(abs(x[0]), abs(x[1]))


def _relu(known: Known, x: Bounds) -> Bounds:
    return max(x[0], 0), max(x[1], 0)


def _maximum(known: Known) -> Bounds | None:
    x, y = known.bounds
    if x is None or y is None:
        return None
    return _widened((max(x[0], y[0]), max(x[1], y[1])), _encoding_slack(known))


def _minimum(known: Known) -> Bounds | None:
    x, y = known.bounds
    if x is None or y is None:
        return None
    return _widened((min(x[0], y[0]), min(x[1], y[1])), _encoding_slack(known))


def _range_of_type(known: Known) -> Bounds | None:
    return dtype_bounds(known.result.dtype)


def _astype(known: Known, x: Bounds) -> Bounds:
    if known.result.dtype.kind == "bool":
        return 0, 1
    if known.result.dtype.kind == "int":
        return int(x[0]), int(x[1])
    return _widened(x, known.unit if known.types[0].dtype.kind == "fixed" else 0)


def _whole(rounded: Callable[[float], int]) -> Rule:
    def inner(known: Known, x: Bounds) -> Bounds:
        return rounded(x[0]), rounded(x[1])

    return _all(inner)


def _invert(known: Known, x: Bounds) -> Bounds:
    dtype = known.result.dtype
    ones = -1 if dtype.signed and dtype.kind == "int" else (dtype.range or (0, 0))[1]
    return ones - x[1], ones - x[0]


def _left_shift(known: Known, x: Bounds, shift: Bounds) -> Bounds | None:
    if not 0 <= shift[0] <= shift[1] < 256:
        return None
    return _corners(x, (1 << int(shift[0]), 1 << int(shift[1])))


def _right_shift(known: Known, x: Bounds, shift: Bounds) -> Bounds:
    # Towards -1 or 0, whatever the amount.
    return min(int(x[0]) >> int(shift[0]), 0), max(int(x[1]) >> int(shift[0]), -1)


def _growing(name: str, function: Callable[[float, float], float]) -> Rule:
    """A growing function of (x, unit) within its stated error."""

    def inner(known: Known, x: Bounds) -> Bounds | None:
        values = np.array([function(float(end), known.unit) for end in x])
        if not np.isfinite(values).all():
            return None
        error = ACCURACY[name].bound(values, known.result.dtype.fraction_bits)
        low, high = (values + np.array([-1, 1]) * error).tolist()
        return low, high

    return _all(inner)


def _exponential(x: float, unit: float) -> float:
    # Above the end of its domain exp stays at one value.
    return exp(min(x, exp_domain(round(-log2(unit)))[1]))


def _saturating(name: str, low: float, high: float) -> Rule:
    """A function with values between two limits, up to its stated error."""

    def rule(known: Known) -> Bounds | None:
        return _widened((low, high), ACCURACY[name].absolute + 2 * known.unit)

    return rule


MOVES = (
    "reshape", "transpose", "broadcast_to", "getitem", "flip", "roll", "repeat", "tile", "diagonal",
    "squeeze", "expand_dims", "moveaxis", "take", "take_along_axis", "sort", "unstack", "min",
    "max", "shuffle",
)  # fmt: skip
"""Operations whose results are elements of their first operand."""

RULES: Mapping[str, Rule | tuple[Rule, ...]] = {
    **dict.fromkeys(MOVES, _same),
    **dict.fromkeys(("concatenate", "stack"), _all(_union)),
    **dict.fromkeys(("tril", "triu"), _all(_with_zero)),
    **dict.fromkeys(("bitwise_and", "bitwise_or", "bitwise_xor"), _range_of_type),
    "bitwise_invert": _all(_invert),
    "constant": _same,
    "where": _chosen,
    "add": _all(_add),
    "subtract": _all(_subtract),
    "negative": _all(_negative),
    "multiply": _all(_multiply),
    "square": _all(_square),
    "clip": _clip,
    "matmul": _all(_matmul),
    "sum": _all(_sum),
    "cumulative_sum": _all(_running_sum),
    **dict.fromkeys(("median", "quantile"), _all(_between)),
    "mean": _all(_mean),
    "divide": _all(_divide),
    "floor_divide": _all(_floor_divide),
    "remainder": _all(_remainder),
    "divmod": (_all(_floor_divide), _all(_remainder)),
    "abs": _all(_abs),
    "relu": _all(_relu),
    "sign": lambda known: (-1, 1),
    "maximum": _maximum,
    "minimum": _minimum,
    "astype": _all(_astype),
    "floor": _whole(floor),
    "ceil": _whole(ceil),
    "trunc": _whole(int),
    "round": _whole(round),
    "bitwise_left_shift": _all(_left_shift),
    "bitwise_right_shift": _all(_right_shift),
    "sigmoid": _saturating("sigmoid", 0, 1),
    "tanh": _saturating("tanh", -1, 1),
    "exp": _growing("exp", _exponential),
    "log": _growing("log", lambda x, unit: log(x) if x >= unit else -inf),
    "sqrt": _growing("sqrt", lambda x, unit: sqrt(max(x, 0))),
}
"""By name of the operation; others say nothing about their results."""

BOUNDING = frozenset({"clip", "sigmoid", "tanh", "sign"})
"""Operations that say something about their results whatever their operands are."""
