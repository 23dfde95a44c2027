"""Intervals: what is publicly known about a result, from what is known about the operands.

A rule maps public intervals to a public interval; nothing here sees a value of a secret. Bounds
come from their declaration in ``share``, from public arrays, and from the ranges of booleans and
small integers. An operation without a rule, or with an operand about which nothing is known, has
a result about which nothing is known. Rules are here, in ``bounds_of_functions.py`` and in
``bounds_of_rows.py``.

Intervals of integers are Python integers, exact; those of fixed point are outer bounds, wide
enough for every rounding of the operation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil, floor, inf
from typing import Any

import numpy as np

from tacit.encoding.ring import RING64, Ring
from tacit.encoding.types import DType
from tacit.functions.domains import MOST_FRACTION_BITS
from tacit.operations.bounds_of_functions import ALWAYS, FUNCTION_RULES
from tacit.operations.bounds_of_rows import ROW_RULES, Several
from tacit.operations.intervals import (
    Known,
    Rule,
    corners,
    known_all,
    largest,
    outwards,
    sums_of_products,
    union,
    widened,
    with_zero,
)
from tacit.operations.precision import PRODUCT_BITS, finest_of
from tacit.operations.types import ArrayType, Bounds, PublicArray

__all__ = [
    "ANYWHERE",
    "BOUNDING",
    "RULES",
    "WITHOUT_RULE",
    "bounds_of_results",
    "declared_bounds",
    "dtype_bounds",
    "operand_bounds",
    "public_bounds",
]

ANYWHERE: Bounds = (-(1 << 130), 1 << 130)
"""Wider than every ring: nothing is known of how a small integer is held."""


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
    values: Sequence[PublicArray | None] = (),
    ring: Ring = RING64,
) -> list[Bounds | None]:
    """What is known of each result of an operation."""
    rule = RULES.get(name)
    if rule is None:
        return [None] * len(results)
    given = values or [None] * len(types)
    finest = finest_of(name)((), ring) or MOST_FRACTION_BITS
    if isinstance(rule, Several):
        known = Known(bounds, types, results[0], attributes, given, finest)
        found = rule.rule(known)
    else:
        rules = rule if isinstance(rule, tuple) else (rule,) * len(results)
        found = [
            own(Known(bounds, types, result, attributes, given, finest))
            for own, result in zip(rules, results, strict=True)
        ]
    return [
        bound
        if bound is None or result.dtype.kind != "fixed"
        else outwards(bound, result.dtype.resolution)
        for bound, result in zip(found, results, strict=True)
    ]


_MOST_LOOKED_AT = 4096
"""Larger public arrays are taken to be rounded."""

# Rules.


def _same(known: Known) -> Bounds | None:
    return known.bounds[0]


def _union(known: Known, *bounds: Bounds) -> Bounds:
    return widened(union(*bounds), _encoding_slack(known))


def _chosen(known: Known) -> Bounds | None:
    choices = Known(known.bounds[1:], known.types[1:], known.result, known.attributes)
    return known_all(_union)(choices)


def _with_zero(known: Known, x: Bounds, *others: Bounds) -> Bounds:
    return with_zero(x)


def _add(known: Known, x: Bounds, y: Bounds) -> Bounds:
    return widened((x[0] + y[0], x[1] + y[1]), _encoding_slack(known))


def _subtract(known: Known, x: Bounds, y: Bounds) -> Bounds:
    return widened((x[0] - y[1], x[1] - y[0]), _encoding_slack(known))


def _encoding_slack(known: Known) -> float:
    """Half a unit where a public fraction is rounded to the result's type."""
    values = known.values or [None] * len(known.types)
    return (
        known.unit
        if any(
            t.public and t.dtype.kind == "fixed" and not _is_exact(value, known.unit)
            for t, value in zip(known.types, values, strict=True)
        )
        else 0
    )


def _is_exact(values: PublicArray | None, unit: float) -> bool:
    """Whether public numbers, such as a limit of -50, are whole units already."""
    if values is None or not unit or values.size > _MOST_LOOKED_AT:
        return False
    units = values.astype(np.float64) / unit
    return bool((units == np.rint(units)).all() and (np.abs(units) < 2.0**52).all())


def _negative(known: Known, x: Bounds) -> Bounds:
    return -x[1], -x[0]


def _multiply(known: Known, x: Bounds, y: Bounds) -> Bounds:
    low, high = corners(x, y)
    # A public factor is within 2^-f of what it stands for, relatively or absolutely.
    relative = known.unit * max(1.0, abs(low), abs(high)) if known.unit else 0
    return widened((low, high), known.unit + relative + _coarser(known, x, y))


def _sum_of_products(known: Known, *factors: Bounds) -> Bounds:
    """One truncation for the sum; every pair as a product."""
    products = [corners(x, y) for x, y in zip(factors[::2], factors[1::2], strict=True)]
    low, high = sum(one[0] for one in products), sum(one[1] for one in products)
    return widened((low, high), known.unit + _coarser(known, *factors))


def _coarser(known: Known, *factors: Bounds) -> float:
    """What products lose where their factors are truncated first, being too fine."""
    if known.result.dtype.fraction_bits <= PRODUCT_BITS:
        return 0
    return 2 * known.unit * (1 + sum(largest(factor) for factor in factors))


def _square(known: Known, x: Bounds) -> Bounds:
    low, high = _abs(known, x)
    return widened((low * low, high * high), known.unit + _coarser(known, x, x))


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
    if not inner:
        return 0, 0
    low, high = _multiply(known, x, y)
    for place, other in ((0, y), (1, x)):
        factor = known.values[place] if known.values else None
        if factor is not None and factor.dtype.kind in "fiu":
            exact = corners(x, y)
            slack = max(exact[0] - low, high - exact[1]) * inner
            axis = -1 if place == 0 or factor.ndim == 1 else -2
            return widened(sums_of_products(factor, other, axis), slack)
    return inner * low, inner * high


def _sum(known: Known, x: Bounds) -> Bounds:
    return known.terms * x[0], known.terms * x[1]


def _running_sum(known: Known, x: Bounds) -> Bounds:
    size = known.extent(known.attributes.axis)
    low, high = min(size * x[0], x[0]), max(size * x[1], x[1])
    return (min(low, 0), max(high, 0)) if known.attributes.include_initial else (low, high)


def _between(known: Known, x: Bounds) -> Bounds:
    """Between two elements: one truncation, or two, and the fraction's own rounding."""
    width = float(x[1]) - float(x[0])
    return widened((float(x[0]), float(x[1])), 2 * known.unit + 2.0**-29 * width)


def _rounded_operands(known: Known, x: Bounds, y: Bounds) -> tuple[Bounds, Bounds]:
    """Of a quotient of fixed point: public numbers as they are encoded, divisors never as 0."""
    unit = known.unit
    if not unit:
        return x, y
    if known.types[0].public:
        x = widened(x, unit)
    if known.types[1].public:
        low, high = floor(y[0] / unit) * unit, ceil(y[1] / unit) * unit
        y = (max(low, unit) if y[0] > 0 else low), (min(high, -unit) if y[1] < 0 else high)
    return x, y


def _floor_divide(known: Known, x: Bounds, y: Bounds) -> Bounds:
    x, y = _rounded_operands(known, x, y)
    if y[0] <= 0 <= y[1]:
        # The divisor is at least one unit in magnitude, or the quotient is 0.
        size = largest(x)
        size = size / known.unit + 1 if known.unit else size
        return -size, size
    quotients = [a // b for a in x for b in y]
    return min(quotients) - (1 if known.unit else 0), max(quotients) + (1 if known.unit else 0)


def _remainder(known: Known, x: Bounds, y: Bounds) -> Bounds:
    # Where the divisor is 0 the remainder is the dividend.
    x, y = _rounded_operands(known, x, y)
    low, high = min(y[0], 0), max(y[1], 0)
    if y[0] <= 0 <= y[1] and not known.types[1].public:
        low, high = min(low, x[0]), max(high, x[1])
    return low, high


def _abs(known: Known, x: Bounds) -> Bounds:
    low = 0 if x[0] <= 0 <= x[1] else min(abs(x[0]), abs(x[1]))
    return low, largest(x)


def _relu(known: Known, x: Bounds) -> Bounds:
    return max(x[0], 0), max(x[1], 0)


def _maximum(known: Known) -> Bounds | None:
    x, y = known.bounds
    if x is None or y is None:
        return None
    return widened((max(x[0], y[0]), max(x[1], y[1])), _encoding_slack(known))


def _minimum(known: Known) -> Bounds | None:
    x, y = known.bounds
    if x is None or y is None:
        return None
    return widened((min(x[0], y[0]), min(x[1], y[1])), _encoding_slack(known))


def _range_of_type(known: Known) -> Bounds | None:
    return dtype_bounds(known.result.dtype)


def _astype(known: Known, x: Bounds) -> Bounds:
    if known.result.dtype.kind == "bool":
        return 0, 1
    if known.result.dtype.kind == "int":
        return int(x[0]), int(x[1])
    return widened(x, known.unit if known.types[0].dtype.kind == "fixed" else 0)


def _whole(rounded: Callable[[float], int]) -> Rule:
    def inner(known: Known, x: Bounds) -> Bounds:
        return rounded(x[0]), rounded(x[1])

    return known_all(inner)


def _invert(known: Known, x: Bounds) -> Bounds:
    dtype = known.result.dtype
    ones = -1 if dtype.signed and dtype.kind == "int" else (dtype.range or (0, 0))[1]
    return ones - x[1], ones - x[0]


def _left_shift(known: Known, x: Bounds, shift: Bounds) -> Bounds | None:
    if not 0 <= shift[0] <= shift[1] < 256:
        return None
    return corners(x, (1 << int(shift[0]), 1 << int(shift[1])))


def _right_shift(known: Known) -> Bounds | None:
    """Towards -1 or 0, whatever the amount."""
    x, shift = known.bounds
    if x is None:
        return None
    # Secret amounts are read modulo 64.
    safe = shift is not None and 0 <= shift[0] <= shift[1] < 64
    least = int(shift[0]) if shift is not None and (safe or known.types[1].public) else 0
    return min(int(x[0]) >> least, 0), max(int(x[1]) >> least, -1)


def _settled(dtype: DType, bounds: Bounds | None) -> Bounds | None:
    """Of an integer as its type holds it, which bits are taken of; None where nothing is known."""
    whole = dtype_bounds(dtype)
    low, high = whole or (-(1 << 63), (1 << 63) - 1)
    return bounds if bounds is not None and low <= bounds[0] <= bounds[1] <= high else whole


def _paired(known: Known, x: Bounds | None, y: Bounds | None) -> Bounds | None:
    """AND, OR, XOR: as many bits as the operands have, a sign where one of them has one."""
    if x is None or y is None:
        return _range_of_type(known)
    ends = [int(end) for end in (*x, *y)]
    size = 1 << max((end if end >= 0 else ~end).bit_length() for end in ends)
    return (0 if min(ends) >= 0 else -size), size - 1


def _operands(known: Known) -> list[Bounds | None]:
    return [_settled(t.dtype, b) for t, b in zip(known.types, known.bounds, strict=True)]


def _of_bits(known: Known) -> Bounds | None:
    if known.result.dtype.kind == "bool" or known.result.dtype.bits > 64:
        return _range_of_type(known)
    return _paired(known, *_operands(known))


def _chained(known: Known) -> Bounds | None:
    """Step by step, as the operations that the chain was made of."""
    whole = _range_of_type(known)

    def settled(bounds: Bounds | None) -> Bounds | None:
        return _settled(known.result.dtype, bounds)

    found = _operands(known)
    for step in known.attributes.steps:
        x = found[step.value]
        if step.kind == "nonzero":
            found.append((0, 1))
        elif step.kind in ("and", "or", "xor"):
            found.append(_paired(known, x, found[step.other]))
        elif x is None:
            found.append(whole)
        elif step.kind == "not":
            found.append(settled(_invert(known, x)))
        elif step.kind == "left":
            found.append(settled(corners(x, (1 << step.other, 1 << step.other))))
        else:
            found.append(settled((int(x[0]) >> step.other, int(x[1]) >> step.other)))
    return found[-1]


def _replaced(known: Known) -> Bounds | None:
    x, part = known.bounds[:2]
    return None if x is None or part is None else _union(known, x, part)


def _pad(known: Known, x: Bounds) -> Bounds:
    return with_zero(x) if known.attributes.mode == "constant" else x


def _difference(known: Known, x: Bounds) -> Bounds:
    times = known.attributes.n
    if not times:
        return x
    width = (x[1] - x[0]) * 2 ** min(times - 1, 900)
    return -width, width


def _copysign(known: Known) -> Bounds | None:
    x = known.bounds[0]
    if x is None:
        return None
    return widened((-largest(x), largest(x)), _encoding_slack(known))


_CONDITION = "as large as the matrix is badly conditioned, which nothing public says"
_STEPS = "bounds would grow with every step until a training that works is refused"

MOVES = (
    "reshape", "transpose", "broadcast_to", "getitem", "roll", "repeat", "tile", "diagonal",
    "sort", "min", "max", "shuffle", "take_secret", "take", "dynamic_slice",
)  # fmt: skip
"""Operations whose results are elements of their first operand."""

RULES: Mapping[str, Rule | tuple[Rule, ...] | Several] = {
    **dict.fromkeys(MOVES, _same),
    **dict.fromkeys(("concatenate", "stack"), known_all(_union)),
    "dynamic_update_slice": _replaced,
    **dict.fromkeys(("tril", "triu"), known_all(_with_zero)),
    **dict.fromkeys(("bitwise_and", "bitwise_or", "bitwise_xor"), _of_bits),
    "bitwise_invert": known_all(_invert),
    "bit_chain": _chained,
    "constant": _same,
    "where": _chosen,
    "add": known_all(_add),
    "subtract": known_all(_subtract),
    "negative": known_all(_negative),
    "multiply": known_all(_multiply),
    "square": known_all(_square),
    "clip": _clip,
    "matmul": known_all(_matmul),
    "sum_of_products": known_all(_sum_of_products),
    "sum": known_all(_sum),
    "cumulative_sum": known_all(_running_sum),
    **dict.fromkeys(("median", "quantile"), known_all(_between)),
    "floor_divide": known_all(_floor_divide),
    "remainder": known_all(_remainder),
    "divmod": (known_all(_floor_divide), known_all(_remainder)),
    "abs": known_all(_abs),
    "relu": known_all(_relu),
    "sign": lambda known: (-1, 1),
    "maximum": _maximum,
    "minimum": _minimum,
    "astype": known_all(_astype),
    "floor": _whole(floor),
    "ceil": _whole(ceil),
    "trunc": _whole(int),
    "round": _whole(round),
    "bitwise_left_shift": known_all(_left_shift),
    "bitwise_right_shift": _right_shift,
    **dict.fromkeys(
        ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "any", "all",
         "isin", "one_hot"),
        _range_of_type,
    ),
    "pad": known_all(_pad),
    "diff": known_all(_difference),
    "copysign": _copysign,
    **ROW_RULES,
    **FUNCTION_RULES,
}  # fmt: skip
"""By name of the operation; see :data:`WITHOUT_RULE` for those that are not here."""

WITHOUT_RULE: Mapping[str, str] = {
    "inv": _CONDITION,
    "solve": _CONDITION,
    "lstsq": _CONDITION,
    "cholesky": "bounded for positive definite matrices alone, and nothing public says it is one",
    "det": "products of as many numbers as the matrix has rows: bounds would refuse what works",
    "leading_eigenvectors": "values of any size where the squarings do not converge",
    "logistic_step": _STEPS,
    "unbounded": "said of arrays that functions with a stated domain begin with",
    "mlp_step": _STEPS,
}
"""Operations about whose results nothing is said, and why."""

BOUNDING = ALWAYS | {"clip", "sign"}
"""Operations that say something about their results whatever their operands are."""
