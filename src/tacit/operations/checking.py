"""Checked mode: did an operation leave its range? One bit an operation, computed on shares.

For development, with parties in one process. After every operation each test of its operands and
results gives secret booleans; only whether any of them is true is opened, to all. No value is.

What is tested, with m = 62 (126 in the ring of 128 bits):

* every result in fixed point or int64 lies in [-2^m, 2^m). Inputs do, so sums of two, differences
  and comparisons cannot wrap unseen;
* products and sums of products lie below 2^m before they are truncated: :func:`_products`;
* sums over axes, from which rounded terms are taken: a sum that wrapped comes out small;
* operands that gain fraction bits on the way, such as integers that meet fixed point;
* operands of functions lie in the functions' domains; quotients below their limit;
* in operations of many steps (training steps, products over an axis, variances, linear algebra)
  every product, sum and truncation, see ``watching.py``.

Nothing is tested inside functions, where values overflow on purpose under exact zeros. Small
integers and booleans wrap by definition and are not tested.

A test never misses what it is for; within 2 % of a limit it may raise a false alarm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil, log, prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tacit import functions
from tacit.functions.comparison import below_public
from tacit.functions.division import least_divisor, quotient_limit_bits
from tacit.functions.domains import MOST_FRACTION_BITS
from tacit.functions.exponential import exp_domain
from tacit.functions.integers import power_of_two
from tacit.operations.manipulation import normal_axis
from tacit.operations.operation import Operation, lift
from tacit.operations.overflow_of_functions import NORMALIZED
from tacit.operations.precision import finest_of
from tacit.operations.promotion import broadcast_shape, product_type, rescaled_up, secret_share
from tacit.operations.ranges import (
    Count,
    counted,
    factors_beyond,
    in_range,
    matrix_products_beyond,
    nothing,
    outside,
    products_beyond,
    sums_beyond,
)
from tacit.operations.scaling import scaled_constant
from tacit.operations.types import Operand, SecretValue, operand_types
from tacit.operations.watching import Noted
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step

__all__ = ["left_range"]


def left_range(
    party: Party,
    operation: Operation,
    operands: Sequence[Operand],
    attributes: Any,
    results: Sequence[SecretValue],
    notes: Sequence[Noted] = (),
) -> Step[str | None]:
    """What of an operation left its range, first; opened to all parties.

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
    notes : sequence of Noted
        The steps inside that are tested, in their order.

    Returns
    -------
    str or None
        None if nothing did; the first step inside that did; "" for the operation as a whole.

    Notes
    -----
    One bit is opened: did anything fail? Only then, and where steps were noted, one for each of
    them, which names the first. Rounds for `replicated3`: 19 for a test of ranges alone, about 35
    where products are tested. Bytes: a sign bit and a bit conversion an element and threshold (66
    and 24 bytes); for products 9 products and 5 truncations an element more.
    """
    lifted = [lift(o) if isinstance(o, SecretValue) else np.atleast_1d(o) for o in operands]
    tests = [in_range(party, lift(result).share) for result in results if _is_tested(result)]
    tests += _gains(party, lifted, results)
    special = _TESTS.get(operation.name)
    if special is not None:
        tests.append(special(party, operation.name, lifted, attributes, results))
    if not tests:
        return None
    # Small integers wrap by definition, inside as well.
    steps = notes if any(map(_is_tested, results)) else ()
    counts = yield from together(*(note.test() for note in steps), *tests)
    total = party.sum(party.concatenate(list(counts)), 0, True)
    if not (yield from _any_failed(party, total))[0]:
        return None
    if not steps:
        return ""
    failed = yield from _any_failed(party, party.concatenate(list(counts[: len(steps)])))
    return steps[int(failed.argmax())].what if failed.any() else ""


def _any_failed(party: Party, counts: Any) -> Step[NDArray[np.bool_]]:
    """For each count whether it is not 0; opened."""
    none = yield from functions.is_zero(party, counts)
    opened = yield from party.reveal_bits(none, tuple(range(party.size)))
    assert opened is not None
    return np.asarray(opened.reshape(-1) == 0, np.bool_)


Test: TypeAlias = Callable[[Party, str, Sequence[Operand], Any, Sequence[SecretValue]], Step[Count]]


def _is_tested(value: Operand) -> bool:
    return (
        isinstance(value, SecretValue) and not value.dtype.range_is_narrow and value.share.size > 0
    )


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
                tests.append(outside(party, operand.share, -limit, limit))
    return tests


# Products.


def _multiply(
    party: Party, name: str, operands: Sequence[Operand], attributes: Any, results: Any
) -> Step[Count]:
    x, y = (operands[0], operands[0]) if name == "square" else operands
    if not _tested_pair(x, y):
        return nothing(party)
    shape = broadcast_shape(name, x.shape, y.shape)
    left, right = (party.broadcast(_as_share(party, o, p), shape) for o, p in ((x, y), (y, x)))
    return (yield from products_beyond(party, [(left, right)], party.multiply))


def _matmul(
    party: Party, name: str, operands: Sequence[Operand], attributes: Any, results: Any
) -> Step[Count]:
    x, y = operands
    if not _tested_pair(x, y):
        return nothing(party)
    left, right = _as_share(party, x, y), _as_share(party, y, x)
    # Products of secrets that are truncated have one bit less; integers are not truncated.
    spare = all(isinstance(o, SecretValue) and o.dtype.kind == "fixed" for o in (x, y))
    return (yield from matrix_products_beyond(party, left, right, int(spare)))


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


def _left_shift(
    party: Party, name: str, operands: Sequence[Operand], attributes: Any, results: Any
) -> Step[Count]:
    """Products with powers of two."""
    x, k = operands
    if not _is_tested(results[0]):
        return nothing(party)
    shape = lift(results[0]).shape
    if not isinstance(k, SecretValue):
        assert isinstance(x, SecretValue)
        powers = party.ring.elements(np.int64(1) << k.astype(np.int64).clip(0, 62))
        return (yield from factors_beyond(party, party.broadcast(x.share, shape), powers))
    power = party.broadcast((yield from power_of_two(party, k.share)), shape)
    number = party.broadcast(secret_share(party, x, results[0].dtype), shape)
    return (yield from products_beyond(party, [(number, power)], party.multiply))


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
    failed = yield from counted(party, party.invert(enough))
    return party.add(failed, (yield from _smaller(party, name, [y], results, 1)))


def _whole_quotient(
    party: Party, name: str, operands: Sequence[Operand], attributes: Any, results: Any
) -> Step[Count]:
    """By secrets: both operands below 2^32 in the ring. (Public ones divide everything.)"""
    x, y = operands
    if not isinstance(y, SecretValue) or not _is_tested(results[0]):
        return nothing(party)
    bits = results[0].dtype.fraction_bits
    tests = []
    for operand in (x, y):
        if isinstance(operand, SecretValue):
            limit = 1 << (32 - (bits - operand.dtype.fraction_bits))
            tests.append(outside(party, operand.share, 1 - limit, limit))
    counts = yield from together(*tests)
    return counts[0] if len(counts) == 1 else party.add(*counts)


# Sums.


def _sum(
    party: Party, name: str, operands: Sequence[Operand], attributes: Any, results: Any
) -> Step[Count]:
    """Sums that wrapped: of terms rounded by k bits, 2^k at least their number, none wraps."""
    (x,) = operands
    if not _is_tested(x) or not isinstance(x, SecretValue):
        return nothing(party)
    running = name == "cumulative_sum"
    if running:
        axis = normal_axis(name, attributes.axis, len(x.shape))
        count = x.shape[axis]
    else:
        count = x.share.size // max(prod(results[0].shape), 1)
    axes = tuple(range(x.share.ndim)) if attributes.axis is None else attributes.axis

    def add(terms: Any) -> Any:
        if running:
            return terms.map(lambda part: party.ring.cumulative_sum(part, axis))
        return party.sum(terms, axes, True)

    failed = yield from sums_beyond(party, x.share, count, add)
    if name != "mean":
        return failed
    # A sum that did not wrap is divided by a product: it has to leave room for the factor.
    limit = _mean_limit(party, x.dtype.fraction_bits, results[0].dtype.fraction_bits, count)
    total = party.sum(x.share, axes, True)
    return party.add(failed, (yield from outside(party, total, 1 - limit, limit)))


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


_Ends: TypeAlias = tuple[float | None, float | None]

_DOMAINS: Mapping[str, Callable[[int, float], _Ends]] = {
    "exp": lambda bits, unit: (None, exp_domain(bits)[1]),
    "expm1": lambda bits, unit: (None, exp_domain(bits)[1]),
    "sinh": lambda bits, unit: (-exp_domain(bits)[1] - log(2), exp_domain(bits)[1] + log(2)),
    "cosh": lambda bits, unit: (-exp_domain(bits)[1] - log(2), exp_domain(bits)[1] + log(2)),
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


def _finest(party: Party, name: str) -> int:
    """The fractional bits up to which a function computes."""
    return finest_of(name)((), party.ring) or MOST_FRACTION_BITS


def _domain(
    party: Party, name: str, operands: Sequence[Operand], attributes: Any, results: Any
) -> Step[Count]:
    (x,) = operands
    if not isinstance(x, SecretValue) or not x.share.size or x.dtype.kind == "bool":
        return nothing(party)
    bits = min(results[0].dtype.fraction_bits, _finest(party, name))
    own, ends = x.dtype.fraction_bits, _DOMAINS.get(name)
    low, high = ends(bits, 2.0**-bits) if ends is not None else (None, None)
    most = 1 << (party.ring.magnitude_bits - (name in NORMALIZED) - max(bits - own, 0))
    least_integer = -most if low is None else ceil(low * 2.0**own)
    end = most if high is None else ceil(high * 2.0**own)
    return (yield from outside(party, x.share, least_integer, end))


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
    failed = yield from counted(party, inside)
    return party.add(failed, (yield from _domain(party, name, operands, attributes, results)))


def _smaller(
    party: Party, name: str, operands: Sequence[Operand], results: Any, less: int
) -> Step[Count]:
    """Operands stay below 2^(m - less) once they have the result's fractional bits."""
    bits = min(results[0].dtype.fraction_bits, _finest(party, name))
    m = party.ring.magnitude_bits - less
    tests = []
    for x in operands:
        if isinstance(x, SecretValue) and x.share.size and x.dtype.kind != "bool":
            limit = 1 << (m - max(bits - x.dtype.fraction_bits, 0))
            tests.append(outside(party, x.share, 1 - limit, limit))
    counts = yield from together(*tests)
    return party.sum(party.concatenate([nothing(party), *counts]), 0, True)


def _below(less: int) -> Test:
    def test(
        party: Party, name: str, operands: Sequence[Operand], attributes: Any, results: Any
    ) -> Step[Count]:
        return (yield from _smaller(party, name, operands, results, less))

    return test


def _hypotenuse(
    party: Party, name: str, operands: Sequence[Operand], attributes: Any, results: Any
) -> Step[Count]:
    """x² + y² before its truncation, as many fractional bits as the result has."""
    bits = results[0].dtype.fraction_bits
    shape = lift(results[0]).shape
    if bits > _finest(party, name) or not prod(shape):
        return nothing(party)
    shares = [party.broadcast(secret_share(party, o, results[0].dtype), shape) for o in operands]
    pairs = [(share, share) for share in shares]
    return (yield from products_beyond(party, pairs, party.multiply, 1))


def _leaky(
    party: Party, name: str, operands: Sequence[Operand], attributes: Any, results: Any
) -> Step[Count]:
    """(slope - 1) x for negative x, before its truncation by 18 bits."""
    (x,) = operands
    assert isinstance(x, SecretValue)
    if not x.share.size or results[0].dtype.fraction_bits > MOST_FRACTION_BITS:
        return nothing(party)
    share = rescaled_up(party, x, results[0].dtype)
    below = yield from party.inject((yield from party.most_significant_bit(share)), share)
    factor = round((attributes.slope - 1) * 2**18)
    return (yield from factors_beyond(party, below, factor))


def _padded_windows(
    party: Party, name: str, operands: Sequence[Operand], attributes: Any, results: Any
) -> Step[Count]:
    """Padding is -2^(m - 1): what it is compared with lies above."""
    if not any(attributes.padding):
        return nothing(party)
    return (yield from _smaller(party, name, operands, results, 1))


_DIFFERENCES = ("softmax", "log_softmax", "logsumexp", "logaddexp", "median", "quantile")
"""Subtract numbers from each other and truncate the difference, or take its exponential."""

_TESTS: Mapping[str, Test] = {
    "multiply": _multiply,
    "square": _multiply,
    "matmul": _matmul,
    "bitwise_left_shift": _left_shift,
    "divide": _divide,
    **dict.fromkeys(("floor_divide", "remainder", "divmod"), _whole_quotient),
    **dict.fromkeys(("sum", "cumulative_sum", "mean"), _sum),
    **dict.fromkeys(NORMALIZED | set(_DOMAINS), _domain),
    **dict.fromkeys(_DIFFERENCES, _below(1)),
    "reciprocal": _reciprocal,
    "atan2": _below(2),
    "hypot": _hypotenuse,
    "leaky_relu": _leaky,
    "max_pool": _padded_windows,
}
