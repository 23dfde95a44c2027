"""Checked mode: did an operation leave its range? One bit an operation, computed on shares.

For development, with parties in one process. After every operation each test of its operands and
results gives secret booleans; only whether any of them is true is opened, to all. No value is.

What is tested, with m = 62 (126 in the ring of 128 bits):

* every result in fixed point or int64 lies in [-2^m, 2^m). Inputs do, so sums of two, differences
  and comparisons cannot wrap unseen;
* products and sums of products lie below 2^m before they are truncated: :func:`_products`;
* sums over axes, from which rounded terms are taken: a sum that wrapped comes out small;
* operands that gain fraction bits on the way, such as integers that meet fixed point;
* operands of functions lie in the functions' domains; quotients below their limit.

Nothing is tested inside functions, where values overflow on purpose under exact zeros, nor inside
operations of many steps (training steps, products over an axis, linear algebra): their results
are. Small integers and booleans wrap by definition and are not tested.

A test never misses what it is for; within 1 % of a limit it may raise a false alarm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil, log, prod
from typing import Any, TypeAlias

import numpy as np

from tacit import functions
from tacit.functions.comparison import below_public
from tacit.functions.division import least_divisor, quotient_limit_bits
from tacit.functions.domains import MOST_FRACTION_BITS
from tacit.programs.manipulation import normal_axis
from tacit.programs.operation import Operation, lift
from tacit.programs.overflow_of_functions import NORMALIZED
from tacit.programs.promotion import broadcast_shape, product_type
from tacit.programs.scaling import scaled_constant
from tacit.programs.types import Operand, SecretValue, operand_types
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step

__all__ = ["left_range"]

Count: TypeAlias = Any
"""An arithmetic sharing of how many elements failed, without axes beyond one of length one."""

_GUARD = 10
"""Products are seen in units of 2^(m - 10)."""

_TERMS = 1 << 18
"""Terms of a sum of products that are looked at together: products of limbs stay below 2^44."""


def left_range(
    party: Party,
    operation: Operation,
    operands: Sequence[Operand],
    attributes: Any,
    results: Sequence[SecretValue],
) -> Step[bool]:
    """Whether an operation left its range; opened to all parties.

    Parameters
    ----------
    party : Party
    operation : Operation
    operands : sequence
        Secret values and public arrays.
    attributes : Attributes
        The operation's parameters.
    results : sequence of SecretValue
        What it gave.

    Notes
    -----
    Rounds for `replicated3`: 19 for a test of ranges alone, about 35 where products are tested.
    Bytes: a sign bit and a bit conversion an element and threshold (66 and 24 bytes); for
    products 9 products and 5 truncations an element more.
    """
    lifted = [lift(o) if isinstance(o, SecretValue) else np.atleast_1d(o) for o in operands]
    tests = [_in_range(party, lift(result)) for result in results if _is_tested(result)]
    tests += _gains(party, lifted, results)
    special = _TESTS.get(operation.name)
    if special is not None:
        tests.append(special(party, operation.name, lifted, attributes, results))
    tests = [test for test in tests if test is not None]
    if not tests:
        return False
    counts = yield from together(*tests)
    total = counts[0]
    for count in counts[1:]:
        total = party.add(total, count)
    none = yield from functions.is_zero(party, total)
    opened = yield from party.reveal_bits(none, tuple(range(party.size)))
    assert opened is not None
    return not bool(opened.reshape(-1)[0])


Test: TypeAlias = Callable[[Party, str, Sequence[Operand], Any, Sequence[SecretValue]], Step[Count]]


def _is_tested(value: Operand) -> bool:
    return (
        isinstance(value, SecretValue) and not value.dtype.range_is_narrow and value.share.size > 0
    )


def _nothing(party: Party) -> Count:
    return party.public(np.zeros(1, np.int64))


# Thresholds.


def _in_range(party: Party, value: SecretValue) -> Step[Count]:
    """How many elements lie outside [-2^m, 2^m): x + 2^m wraps to a negative number."""
    m = party.ring.magnitude_bits
    outside = yield from party.most_significant_bit(party.add_public(value.share, 1 << m))
    return (yield from _counted(party, outside))


def _counted(party: Party, bits: Any) -> Step[Count]:
    digits = yield from party.bit_to_arithmetic(bits)
    return party.sum(digits.map(lambda part: part.reshape(1, -1)), axis=1)


def _outside(party: Party, x: Any, low: int, high: int) -> Step[Count]:
    """How many elements are not in [low, high); x and both limits differ by less than 2^(m+1)."""
    below = yield from below_public(party, x, [low, high])
    # What is not below `high` counts, so flip the second row.
    flips = np.zeros(below.shape, np.uint8)
    flips[1] = 1
    return (yield from _counted(party, party.xor_public(below, flips)))


def _gains(
    party: Party, operands: Sequence[Operand], results: Sequence[SecretValue]
) -> list[Step[Count]]:
    """Tests of operands that are shifted up to more fraction bits: x · 2^k stays below 2^m."""
    bits = [
        value.dtype.fraction_bits
        for value in (*operands, *results)
        if isinstance(value, SecretValue)
    ]
    most, m = max(bits), party.ring.magnitude_bits
    tests = []
    for operand in operands:
        if _is_tested(operand) and isinstance(operand, SecretValue):
            gain = most - operand.dtype.fraction_bits
            if gain:
                limit = 1 << (m - gain)
                tests.append(_outside(party, operand.share, -limit, limit))
    return tests


# Products.


def _limbs(party: Party, x: Any) -> Step[tuple[Any, Any, Any]]:
    """x = x_2 4^w + x_1 2^w + x_0 with w = (m + 1) / 3; all below 2^w, x_2 below 2^(m - 2w)."""
    w = (party.ring.magnitude_bits + 1) // 3
    high = yield from party.truncate(x, 2 * w, rounding="probabilistic")
    rest = party.subtract(x, party.multiply_public(high, 1 << (2 * w)))
    middle = yield from party.truncate(rest, w, rounding="probabilistic")
    return high, middle, party.subtract(rest, party.multiply_public(middle, 1 << w))


def _products(
    party: Party,
    pairs: Sequence[tuple[Any, Any]],
    times: Callable[[Any, Any], Step[Any]],
    spare: int = 0,
) -> Step[Count]:
    """How many sums of products (over the pairs, by `times`) reach 2^(m - spare) in magnitude."""
    parts = yield from together(*(_seen(party, x, y, times) for x, y in pairs))
    failed, seen = parts[0]
    for also, other in parts[1:]:
        failed, seen = party.add(failed, also), party.add(seen, other)
    near = (1 << (_GUARD - spare)) - 4 * len(parts)
    return party.add(failed, (yield from _outside(party, seen, 1 - near, near)))


def _seen(
    party: Party, x: Any, y: Any, times: Callable[[Any, Any], Step[Any]]
) -> Step[tuple[Count, Any]]:
    """T = x·y in units of 2^(m - 10), off by less than 4, and how many are far outside.

    In limbs of w bits T = C_4 2^4w + C_3 2^3w + C_2 2^2w + C_1 2^w + C_0, none of which wraps.
    Where C_4 or C_3 alone is 2^(m - 2) units or more, T is far outside (or two such terms cancel:
    a false alarm). Else the units are summed without a wrap: C_4 and C_3 exactly, the others by
    truncations.
    """
    m = party.ring.magnitude_bits
    w, unit = (m + 1) // 3, m - _GUARD
    (x2, x1, x0), (y2, y1, y0) = yield from together(_limbs(party, x), _limbs(party, y))
    parts = yield from together(*(times(a, b) for a in (x2, x1, x0) for b in (y2, y1, y0)))
    (p22, p21, p20, p12, p11, p10, p02, p01, c0) = parts
    c4, c3 = p22, party.add(p21, p12)
    c2, c1 = party.add(party.add(p20, p02), p11), party.add(p10, p01)
    up4, up3 = 4 * w - unit, 3 * w - unit
    t2, t1, t0, beyond4, beyond3 = yield from together(
        party.truncate(c2, unit - 2 * w, rounding="probabilistic"),
        party.truncate(c1, unit - w, rounding="probabilistic"),
        party.truncate(c0, unit, rounding="probabilistic"),
        _outside(party, c4, 1 - (1 << (m - 2 - up4)), 1 << (m - 2 - up4)),
        _outside(party, c3, 1 - (1 << (m - 2 - up3)), 1 << (m - 2 - up3)),
    )
    high = party.add(party.multiply_public(c4, 1 << up4), party.multiply_public(c3, 1 << up3))
    seen = party.add(party.add(high, t2), party.add(t1, t0))
    return party.add(beyond4, beyond3), seen


def _multiply(
    party: Party, name: str, operands: Sequence[Operand], attributes: Any, results: Any
) -> Step[Count]:
    x, y = (operands[0], operands[0]) if name == "square" else operands
    if not _tested_pair(x, y):
        return _nothing(party)
    shape = broadcast_shape(name, x.shape, y.shape)
    left, right = (party.broadcast(_as_share(party, o, p), shape) for o, p in ((x, y), (y, x)))
    return (yield from _products(party, [(left, right)], party.multiply))


def _matmul(
    party: Party, name: str, operands: Sequence[Operand], attributes: Any, results: Any
) -> Step[Count]:
    x, y = operands
    if not _tested_pair(x, y):
        return _nothing(party)
    left, right = _as_share(party, x, y), _as_share(party, y, x)
    left = left.map(lambda part: part[None, :]) if left.ndim == 1 else left
    right = right.map(lambda part: part[:, None]) if right.ndim == 1 else right
    cuts = range(0, left.shape[-1], _TERMS)
    pairs = [(left[..., k : k + _TERMS], right[..., k : k + _TERMS, :]) for k in cuts]
    both_secret = isinstance(x, SecretValue) and isinstance(y, SecretValue)
    return (yield from _products(party, pairs, party.matmul, spare=int(both_secret)))


def _tested_pair(x: Operand, y: Operand) -> bool:
    pair = [o for o in (x, y) if isinstance(o, SecretValue)]
    sizes = [o.share.size if isinstance(o, SecretValue) else o.size for o in (x, y)]
    return all(map(_is_tested, pair)) and all(sizes)


def _as_share(party: Party, operand: Operand, other: Operand) -> Any:
    """An operand of a product; a public one as the integers that it is multiplied as."""
    if isinstance(operand, SecretValue):
        return operand.share
    assert isinstance(other, SecretValue)
    own = other.dtype.fraction_bits
    if operand.dtype.kind != "f":
        return party.public(operand.astype(np.int64))
    to_bits = own or product_type("multiply", operand_types([operand, other])).fraction_bits
    constant, _ = scaled_constant(operand, to_bits, to_bits - own, party.ring)
    return party.public(constant)


# Quotients.


def _divide(
    party: Party, name: str, operands: Sequence[Operand], attributes: Any, results: Any
) -> Step[Count]:
    """By public numbers: products with 1 / y. By secrets: |x| / 2^s < |y|, which is false for 0."""
    x, y = operands
    (result,) = results
    shape = lift(result).shape
    if not isinstance(y, SecretValue):
        factor = 1.0 / y.astype(np.float64)
        return (yield from _multiply(party, "multiply", [x, factor], attributes, results))
    bits = result.dtype.fraction_bits
    limit = quotient_limit_bits(bits, party.ring.bits)

    def magnitude(operand: Operand) -> Step[Any]:
        if isinstance(operand, SecretValue):
            gain = bits - operand.dtype.fraction_bits
            share = party.multiply_public(operand.share, 1 << gain)
        else:
            share = party.public(np.rint(operand * 2.0**bits).astype(np.int64))
        return (yield from functions.absolute(party, party.broadcast(share, shape)))

    above, below = yield from together(magnitude(x), magnitude(y))
    small = yield from party.truncate(above, limit, rounding="exact")
    enough = yield from functions.less(party, small, below)
    return (yield from _counted(party, party.invert(enough)))


def _whole_quotient(
    party: Party, name: str, operands: Sequence[Operand], attributes: Any, results: Any
) -> Step[Count]:
    """By secrets: both operands below 2^32 in the ring. (Public ones divide everything.)"""
    x, y = operands
    if not isinstance(y, SecretValue) or not _is_tested(results[0]):
        return _nothing(party)
    bits = results[0].dtype.fraction_bits
    tests = []
    for operand in (x, y):
        if isinstance(operand, SecretValue):
            limit = 1 << (32 - (bits - operand.dtype.fraction_bits))
            tests.append(_outside(party, operand.share, 1 - limit, limit))
    counts = yield from together(*tests)
    return counts[0] if len(counts) == 1 else party.add(*counts)


# Sums.


def _sum(
    party: Party, name: str, operands: Sequence[Operand], attributes: Any, results: Any
) -> Step[Count]:
    """Sums that wrapped: of terms rounded by k bits, 2^k at least their number, none wraps."""
    (x,) = operands
    if not _is_tested(x) or not isinstance(x, SecretValue):
        return _nothing(party)
    running = name == "cumulative_sum"
    if running:
        axis = normal_axis(name, attributes.axis, len(x.shape))
        count = x.shape[axis]
    else:
        count = x.share.size // max(prod(results[0].shape), 1)
    k = max(count, 1).bit_length()
    rounded = yield from party.truncate(x.share, k, rounding="probabilistic")
    if running:
        sums = rounded.map(lambda part: party.ring.cumulative_sum(part, axis))
    else:
        axes = attributes.axis
        axes = tuple(range(x.share.ndim)) if axes is None else axes
        sums = party.sum(rounded, axes, True)
    limit = (1 << (party.ring.magnitude_bits - k)) - count - 1
    failed = yield from _outside(party, sums, 1 - limit, limit)
    if name != "mean":
        return failed
    # A sum that did not wrap is divided by a product: it has to leave room for the factor.
    limit = _mean_limit(party, x.dtype.fraction_bits, results[0].dtype.fraction_bits, count)
    total = party.sum(x.share, axes, True)
    return party.add(failed, (yield from _outside(party, total, 1 - limit, limit)))


def _mean_limit(party: Party, own: int, bits: int, count: int) -> int:
    """What sums stay below to be divided by `count`, see ``scaling.divide_by_count``."""
    most = 1 << party.ring.magnitude_bits
    if not own:
        factor, _ = scaled_constant(np.asarray(1 / count), bits, bits, party.ring)
        return int(most / float(party.ring.to_floats(factor)))
    if not count & (count - 1):
        return most
    return min(most, count * (most >> (bits + 1)))


# Domains of functions.


def _exp_end(bits: int) -> float:
    return 16.56 + log(2) * (23 - bits)


_Ends: TypeAlias = tuple[float | None, float | None]

_DOMAINS: Mapping[str, Callable[[int, float], _Ends]] = {
    "exp": lambda bits, unit: (None, _exp_end(bits)),
    "expm1": lambda bits, unit: (None, _exp_end(bits)),
    "sinh": lambda bits, unit: (-_exp_end(bits) - log(2), _exp_end(bits) + log(2)),
    "cosh": lambda bits, unit: (-_exp_end(bits) - log(2), _exp_end(bits) + log(2)),
    "log": lambda bits, unit: (unit, None),
    "log2": lambda bits, unit: (unit, None),
    "log10": lambda bits, unit: (unit, None),
    "log1p": lambda bits, unit: (unit - 1, None),
    "sqrt": lambda bits, unit: (0, None),
    "rsqrt": lambda bits, unit: (unit, None),
    "asin": lambda bits, unit: (-1, 1 + unit),
    "acos": lambda bits, unit: (-1, 1 + unit),
}
"""By name: the least number of the domain and the first beyond it, from f and 2^-f."""


def _domain(
    party: Party, name: str, operands: Sequence[Operand], attributes: Any, results: Any
) -> Step[Count]:
    (x,) = operands
    if not isinstance(x, SecretValue) or not x.share.size or x.dtype.kind == "bool":
        return _nothing(party)
    bits = min(results[0].dtype.fraction_bits, MOST_FRACTION_BITS)
    own, ends = x.dtype.fraction_bits, _DOMAINS.get(name)
    low, high = ends(bits, 2.0**-bits) if ends is not None else (None, None)
    most = 1 << (party.ring.magnitude_bits - (name in NORMALIZED) - max(bits - own, 0))
    least_integer = -most if low is None else ceil(low * 2.0**own)
    end = most if high is None else ceil(high * 2.0**own)
    return (yield from _outside(party, x.share, least_integer, end))


def _reciprocal(
    party: Party, name: str, operands: Sequence[Operand], attributes: Any, results: Any
) -> Step[Count]:
    """x is not 0, nor below the least number that has a reciprocal in the ring."""
    (x,) = operands
    assert isinstance(x, SecretValue)
    least = least_divisor(x.dtype.fraction_bits, party.ring.bits)
    bits = yield from below_public(party, x.share, [1 - least, least])
    # Inside the gap: not below its beginning, and below its end.
    rows = [bits.map(lambda plain, k=k: plain[k : k + 1]) for k in (0, 1)]
    inside = yield from party.bitwise_and(party.invert(rows[0]), rows[1])
    failed = yield from _counted(party, inside)
    return party.add(failed, (yield from _domain(party, name, operands, attributes, results)))


_TESTS: Mapping[str, Test] = {
    "multiply": _multiply,
    "square": _multiply,
    "matmul": _matmul,
    "divide": _divide,
    **dict.fromkeys(("floor_divide", "remainder", "divmod"), _whole_quotient),
    **dict.fromkeys(("sum", "cumulative_sum", "mean"), _sum),
    **dict.fromkeys(NORMALIZED | set(_DOMAINS), _domain),
    "reciprocal": _reciprocal,
}
