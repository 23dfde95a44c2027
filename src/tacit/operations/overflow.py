"""What could wrap within declared bounds: refused before anything is sent.

For every operation that has a domain, how far its operands' bounds let it reach, and how far it
may reach. Products and sums of products stay below 2^62 before they are truncated (matrix
products of secrets below 2^61, see ``Party.matmul_truncate``), differences that are compared
below 2^63, results below 2^62 in fixed point and within 64 bits as integers (in Z_2^64; a ring
of k bits has 2^(k-2) and 2^(k-1)). Where the bounds of an operand are not known, nothing is
refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import frexp, prod, sqrt
from typing import Any

import numpy as np

from tacit.encoding.ring import RING64, Ring
from tacit.errors import RangeError
from tacit.functions.division import quotient_limit_bits
from tacit.operations.bounds import bounds_of_results
from tacit.operations.intervals import largest as largest_of
from tacit.operations.overflow_of_functions import FUNCTION_REACHES
from tacit.operations.precision import PRODUCT_BITS
from tacit.operations.promotion import common_type, is_far
from tacit.operations.reaches import Call, Reach, Reaches, elements_of, powers_of
from tacit.operations.scaling import scaled_constant
from tacit.operations.types import ArrayType, Bounds, PublicArray

__all__ = ["bounds_within", "refuse_overflow"]


def refuse_overflow(
    name: str,
    types: Sequence[ArrayType],
    values: Sequence[PublicArray | None],
    bounds: Sequence[Bounds | None],
    attributes: Any,
    results: Sequence[ArrayType],
    ring: Ring = RING64,
    refined: Callable[[list[Bounds | None]], list[Bounds | None]] | None = None,
) -> list[Bounds | None]:
    """The bounds of an operation's results, from those of its operands.

    Parameters
    ----------
    name : str
        The operation.
    types : sequence of ArrayType
        Of the operands.
    values : sequence of ndarray or None
        The public operands; None for secrets.
    bounds : sequence of (low, high) or None
        What is known of each operand.
    attributes : Attributes
        The operation's parameters.
    results : sequence of ArrayType
        Types of the results.
    ring : Ring
        The session's.
    refined : callable, optional
        Narrower bounds of the results from those of the table, where more is known of how
        operands depend on each other.

    Raises
    ------
    RangeError
        It could wrap (TC-1373). Names the operation, the operands' bounds, and what would do.
    """
    call = Call(name, types, values, bounds, attributes, results[0], ring)
    reaches = _REACHES.get(name)
    if reaches is not None:
        for reach in reaches(call):
            if reach.reached >= reach.limit:
                raise _refused(call, reach)
    found = bounds_of_results(name, types, bounds, attributes, results, values, ring)
    if refined is not None:
        found = refined(found)
    for bound, result in zip(found, results, strict=True):
        limit = _result_limit(result, ring)
        if bound is not None and limit is not None and not _fits(bound, limit):
            raise _refused(call, Reach("|result|", max(abs(bound[0]), abs(bound[1])), limit))
    return found


def bounds_within(
    name: str,
    types: Sequence[ArrayType],
    values: Sequence[PublicArray | None],
    bounds: Sequence[Bounds | None],
    attributes: Any,
    results: Sequence[ArrayType],
    ring: Ring = RING64,
    refined: Callable[[list[Bounds | None]], list[Bounds | None]] | None = None,
) -> list[Bounds | None]:
    """The bounds of results where none were declared: None for what could wrap."""
    found = bounds_of_results(name, types, bounds, attributes, results, values, ring)
    if refined is not None:
        found = refined(found)
    return [
        bound
        if bound is None or (limit := _result_limit(result, ring)) is None
        else (bound if _fits(bound, limit) else None)
        for bound, result in zip(found, results, strict=True)
    ]


def _result_limit(result: ArrayType, ring: Ring) -> float | None:
    """What a result's magnitude stays below; None where wrapping is what the type does."""
    if result.dtype.kind == "fixed":
        return float(2.0 ** (ring.magnitude_bits - result.dtype.fraction_bits))
    return None if result.dtype.range_is_narrow else 2.0 ** (result.dtype.bits - 1)


def _fits(bounds: Bounds, limit: float) -> bool:
    return -limit <= bounds[0] and bounds[1] < limit


def _refused(call: Call, reach: Reach) -> RangeError:
    operands = " and ".join(_described(bounds) for bounds in call.bounds)
    each = ""
    if reach.factors == 2:
        each = f", for instance both operands within ±{sqrt(reach.limit):.4g}"
    return RangeError(
        f"{call.name}: operands within {operands} could give {reach.what} of"
        f" {reach.reached:.4g}; it must stay below {reach.limit:.4g} in {call.result.dtype!r}.",
        next_step=f"bound the operands so that {reach.what} stays below {reach.limit:.4g}{each}:"
        " share with narrower bounds, use tacit.clip, scale the data down, take fewer fractional"
        " bits (tacit.fixed_point), or a ring with more room: tacit.local(..., ring=128).",
        case=73,
        stage=call.name,
    )


def _described(bounds: Bounds | None) -> str:
    return "any bounds" if bounds is None else f"({bounds[0]:.6g}, {bounds[1]:.6g})"


# Products: Σ x·y before its truncation.


def _inner(call: Call) -> int:
    if call.name == "convolution":
        return prod(call.types[1].shape[1:])
    return call.types[0].shape[-1] if call.name == "matmul" else 1


def _products(call: Call) -> Iterator[Reach]:
    places = (0, 0) if call.name == "square" else (0, 1)
    x, y = (call.largest(place) for place in places)
    left, right = (call.types[place] for place in places)
    if x is None or y is None or "bool" in (left.dtype.kind, right.dtype.kind):
        return
    terms = _inner(call)
    sums = f"the sum of {terms} products" if terms > 1 else "|x · y|"
    factors = 2 if terms == 1 else 1
    if not left.public and not right.public:
        if not (left.dtype.fraction_bits and right.dtype.fraction_bits):
            return
        bits = sum(min(t.dtype.fraction_bits, PRODUCT_BITS) for t in (left, right))
        limit = call.limit(bits, -(call.name in ("matmul", "convolution")))
        yield Reach(sums, terms * x * y, limit, factors)
        return
    place = 0 if left.public else 1
    secret, size, public = (right, y, x) if left.public else (left, x, y)
    factor = call.values[place]
    if factor is None:
        yield from _scaled(call, sums, size * terms, secret, None, factors, known=public)
    else:
        axes = _summed(call, place) if terms > 1 else ()
        yield from _scaled(call, sums, size, secret, factor, factors, axes)


def _sum_of_products(call: Call) -> Iterator[Reach]:
    sizes = [call.largest(place) for place in range(len(call.types))]
    known = [size for size in sizes if size is not None]
    if len(known) == len(sizes):
        total = sum(x * y for x, y in zip(known[::2], known[1::2], strict=True))
        bits = 2 * min(call.result.dtype.fraction_bits, PRODUCT_BITS)
        yield Reach("a sum of products", total, call.limit(bits))


def _summed(call: Call, place: int) -> tuple[int, ...]:
    """The axes of an operand that a sum of products runs over."""
    axes = len(call.types[place].shape)
    if call.name == "convolution":
        return tuple(range(1, axes))
    return (axes - 1,) if place == 0 else (max(axes - 2, 0),)


def _scaled(
    call: Call,
    what: str,
    size: float,
    secret: ArrayType,
    factor: PublicArray | None,
    factors: int = 1,
    axes: tuple[int, ...] = (),
    known: float = 0,
) -> Iterator[Reach]:
    """A product with a public factor, which has as many fraction bits as it needs.

    Or a sum of such products along `axes` of the factor. A factor of which only its largest
    magnitude is `known` has up to one bit more than the result.
    """
    to = min(call.result.dtype.fraction_bits, PRODUCT_BITS)
    own = min(secret.dtype.fraction_bits, PRODUCT_BITS)
    if factor is None:
        if to:
            reached = float(size * max(2.0, 1.001 * known))
            yield Reach(what, reached, call.limit(own + max(to, to - own)), factors)
        return
    if factor.dtype.kind != "f" or not factor.size:
        return
    constant, bits = scaled_constant(factor, to, to - own, call.ring)
    if own + bits > to:
        magnitudes = np.abs(call.ring.to_floats(constant))
        largest = float((magnitudes.sum(axes) if axes else magnitudes).max()) * 2.0**-bits
        yield Reach(what, float(size * largest), call.limit(own + bits), factors)


# Quotients.


def _quotient(call: Call) -> Iterator[Reach]:
    x, y = call.largest(0), call.bounds[1]
    if x is None or y is None:
        return
    dtype = call.result.dtype
    divisor = call.values[1]
    if call.types[1].public:
        if divisor is not None:
            factor = np.asarray(1.0 / divisor.astype(np.float64))
            yield from _scaled(call, "|x / y|", x, call.types[0], factor)
        elif not y[0] <= 0 <= y[1]:
            most = 1 / min(abs(y[0]), abs(y[1]))
            yield from _scaled(call, "|x / y|", x, call.types[0], None, known=most)
        return
    least = dtype.resolution if y[0] <= 0 <= y[1] else min(abs(y[0]), abs(y[1]))
    limit = 2.0 ** quotient_limit_bits(call.function_bits, call.ring.bits)
    yield Reach("|x / y|", float(x / least), limit)
    yield Reach("the divisor", largest_of(y), call.function_limit(1))


def _whole_quotient(call: Call) -> Iterator[Reach]:
    """By secret divisors both stay below 2^32 in the ring; x // y times 2^f as every result."""
    dtype = common_type(call.name, call.types)
    if call.types[1].public or dtype.narrow:
        return
    for place in (0, 1):
        largest = call.largest(place)
        if largest is not None:
            yield Reach("an operand", float(largest), 2.0 ** (32 - dtype.fraction_bits))


# Sums and means.


def _count(call: Call) -> int:
    if call.name == "avg_pool":
        return prod(call.attributes.kernel)
    return prod(call.types[0].shape) // max(prod(call.result.shape), 1)


def _mean(call: Call) -> Iterator[Reach]:
    x, count = call.largest(0), _count(call)
    if x is not None and count:
        own = call.types[0].dtype.fraction_bits
        yield from _division(call, f"the sum of {count} numbers", float(count * x), count, own)


def _division(call: Call, what: str, total: float, count: float, own: int) -> Iterator[Reach]:
    """The sum, and the product with 2^p / n that divides it (``scaling.divide_by_count``)."""
    bits = min(call.result.dtype.fraction_bits, PRODUCT_BITS)
    if not own:
        factor, _ = scaled_constant(np.asarray(1 / count), bits, bits, call.ring)
        yield Reach(what, total, call.limit(0) / float(call.ring.to_floats(factor)))
        return
    yield Reach(what, total, call.limit(min(own, PRODUCT_BITS)))
    power = 1 << max(frexp(count)[1] - 1, 0)
    if count != power:
        factor, _ = scaled_constant(np.asarray(power / count), bits, ring=call.ring)
        limit = call.limit(bits) / float(call.ring.to_floats(factor))
        yield Reach(f"{what}, divided", total / power + call.result.dtype.resolution, limit)


def _variance(call: Call) -> Iterator[Reach]:
    yield from _mean(call)
    bounds, count = call.bounds[0], _count(call)
    if bounds is not None and count:
        bits = min(call.result.dtype.fraction_bits, PRODUCT_BITS)
        of_mean = 2.0**-bits * (3 + largest_of(bounds))
        width = float(bounds[1] - bounds[0])
        yield Reach("a squared deviation", (width + of_mean) ** 2, call.limit(2 * bits))
        total = count * (width * width / 4 + of_mean**2 + 2 * 2.0**-bits)
        squares = f"the sum of {count} squared deviations"
        yield from _division(call, squares, total, count - call.attributes.correction, bits)


def _product_of_all(call: Call) -> Iterator[Reach]:
    bounds, dtype = call.bounds[0], call.result.dtype
    if bounds is None:
        return
    shape = call.types[0].shape
    whole = call.name == "prod"
    count = _count(call) if whole else (shape[call.attributes.axis] if shape else 1)
    yield from powers_of(call, f"the product of {count} numbers", bounds, count, dtype)


# Comparisons: the sign of a difference.


def _differences(call: Call) -> Iterator[Reach]:
    choices = [bounds for bounds in call.bounds if bounds is not None]
    if len(choices) < len(call.bounds) or call.types[0].dtype.kind == "bool":
        return
    dtype = common_type(call.name, call.types)
    if any(v is not None and is_far(v, dtype, call.ring) for v in call.values):
        return  # compared without a difference that wraps
    width = max(high for _, high in choices) - min(low for low, _ in choices)
    yield Reach("|x - y|", width, call.limit(dtype.fraction_bits, 1))


def _whole(call: Call) -> Iterator[Reach]:
    x, dtype = call.largest(0), call.types[0].dtype
    if x is not None and dtype.kind == "fixed":
        yield Reach("|x|", float(x) + 1, call.limit(dtype.fraction_bits))


def _keys(call: Call) -> Iterator[Reach]:
    """What a sort compares opens its order: every key, whatever is known of other columns."""
    if call.name == "group_by":
        yield from _each_key(call, range(call.attributes.keys))
    else:
        count = len(call.types)
        yield from _each_key(call, range(count - len(call.attributes.descending), count))


def _only_key(call: Call) -> Iterator[Reach]:
    yield from _each_key(call, (0,))


def _each_key(call: Call, places: Iterable[int]) -> Iterator[Reach]:
    for place in places:
        largest, dtype = call.largest(place), call.types[place].dtype
        if largest is not None and dtype.kind != "bool":
            yield Reach("a key", float(largest), call.limit(dtype.fraction_bits))


def _quantile(call: Call) -> Iterator[Reach]:
    """Besides the keys: two neighbours' difference is truncated."""
    yield from _only_key(call)
    bounds, dtype = call.bounds[0], call.result.dtype
    if bounds is not None:
        width = float(bounds[1] - bounds[0])
        yield Reach("|x - y|", width, call.limit(dtype.fraction_bits))


_COMPARING = (
    "less", "less_equal", "greater", "greater_equal", "maximum", "minimum", "searchsorted",
)  # fmt: skip
_SORTING = ("sort", "argsort", "topk")
_REACHES: Mapping[str, Reaches] = {
    **FUNCTION_REACHES,
    **dict.fromkeys(("multiply", "matmul", "square", "convolution"), _products),
    "sum_of_products": _sum_of_products,
    **dict.fromkeys(("floor_divide", "remainder", "divmod"), _whole_quotient),
    **dict.fromkeys(("prod", "cumulative_prod"), _product_of_all),
    **dict.fromkeys(_COMPARING, _differences),
    **dict.fromkeys(("max", "min", "argmax", "argmin", "class_of_largest"), elements_of),
    **dict.fromkeys(_SORTING, _only_key),
    **dict.fromkeys(("median", "quantile"), _quantile),
    **dict.fromkeys(("sort_by", "lexsort", "group_by"), _keys),
    **dict.fromkeys(("floor", "ceil", "trunc", "round"), _whole),
    **dict.fromkeys(("mean", "avg_pool"), _mean),
    "divide": _quotient,
    "var": _variance,
}
