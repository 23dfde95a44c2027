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
from dataclasses import dataclass
from math import prod, sqrt
from typing import Any, TypeAlias

import numpy as np

from tacit.encoding.ring import RING64, Ring
from tacit.encoding.types import DType
from tacit.errors import RangeError
from tacit.functions.division import quotient_limit_bits
from tacit.programs.bounds import bounds_of_results
from tacit.programs.promotion import common_type, is_far, product_type
from tacit.programs.scaling import scaled_constant
from tacit.programs.types import ArrayType, Bounds, PublicArray

__all__ = ["bounds_within", "refuse_overflow"]


@dataclass(frozen=True, slots=True)
class _Reach:
    """How far an operation can get, and how far it may.

    Attributes
    ----------
    what : str
        What gets there, such as ``|x · y|``.
    reached, limit : float
        In the numbers that users see; `reached` must be below `limit`.
    factors : int
        How many operands multiply to it: each may have the root of the limit.
    """

    what: str
    reached: float
    limit: float
    factors: int = 1


@dataclass(frozen=True, slots=True)
class _Call:
    name: str
    types: Sequence[ArrayType]
    values: Sequence[PublicArray | None]
    bounds: Sequence[Bounds | None]
    attributes: Any
    result: ArrayType
    ring: Ring

    def largest(self, place: int) -> float | None:
        bounds = self.bounds[place]
        return None if bounds is None else max(abs(bounds[0]), abs(bounds[1]))

    def limit(self, fraction_bits: int, extra: int = 0) -> float:
        """2^62 (or 2^(62 + extra)) ring integers, as a number of so many fraction bits."""
        return 2.0 ** (self.ring.magnitude_bits + extra - fraction_bits)


Reaches: TypeAlias = Callable[[_Call], Iterator[_Reach]]


def refuse_overflow(
    name: str,
    types: Sequence[ArrayType],
    values: Sequence[PublicArray | None],
    bounds: Sequence[Bounds | None],
    attributes: Any,
    results: Sequence[ArrayType],
    ring: Ring = RING64,
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

    Raises
    ------
    RangeError
        It could wrap (TC-1373). Names the operation, the operands' bounds, and what would do.
    """
    call = _Call(name, types, values, bounds, attributes, results[0], ring)
    reaches = _REACHES.get(name)
    if reaches is not None:
        for reach in reaches(call):
            if reach.reached >= reach.limit:
                raise _refused(call, reach)
    found = bounds_of_results(name, types, bounds, attributes, results)
    for bound, result in zip(found, results, strict=True):
        limit = _result_limit(result, ring)
        if bound is not None and limit is not None and not _fits(bound, limit):
            raise _refused(call, _Reach("|result|", max(abs(bound[0]), abs(bound[1])), limit))
    return found


def bounds_within(
    name: str,
    types: Sequence[ArrayType],
    values: Sequence[PublicArray | None],
    bounds: Sequence[Bounds | None],
    attributes: Any,
    results: Sequence[ArrayType],
    ring: Ring = RING64,
) -> list[Bounds | None]:
    """The bounds of results where none were declared: None for what could wrap."""
    found = bounds_of_results(name, types, bounds, attributes, results)
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


def _refused(call: _Call, reach: _Reach) -> RangeError:
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


def _inner(call: _Call) -> int:
    return call.types[0].shape[-1] if call.name == "matmul" else 1


def _products(call: _Call) -> Iterator[_Reach]:
    places = (0, 0) if call.name == "square" else (0, 1)
    x, y = (call.largest(place) for place in places)
    left, right = (call.types[place] for place in places)
    if x is None or y is None or "bool" in (left.dtype.kind, right.dtype.kind):
        return
    bits = _product_bits(call, left, right)
    if bits is None:
        return
    terms = _inner(call)
    sums = f"the sum of {terms} products" if terms > 1 else "|x · y|"
    doubled = call.name == "matmul" and not left.public and not right.public
    yield _Reach(sums, terms * x * y, call.limit(bits, -doubled), 2 if terms == 1 else 1)


def _product_bits(call: _Call, left: ArrayType, right: ArrayType) -> int | None:
    """Fraction bits of the product before its truncation; None where there is none."""
    if not left.public and not right.public:
        bits = left.dtype.fraction_bits + right.dtype.fraction_bits
        return bits if left.dtype.fraction_bits and right.dtype.fraction_bits else None
    secret, factor = (right, call.values[0]) if left.public else (left, call.values[1])
    return _scaled_bits(call, secret, factor, product_type(call.name, call.types))


def _scaled_bits(
    call: _Call, secret: ArrayType, factor: PublicArray | None, to: DType
) -> int | None:
    """Of a product with a public factor, which has as many fraction bits as it needs."""
    if factor is None or factor.dtype.kind != "f" or not factor.size:
        return None
    own = secret.dtype.fraction_bits
    _, bits = scaled_constant(factor, to.fraction_bits, to.fraction_bits - own, call.ring)
    return own + bits if own + bits > to.fraction_bits else None


# Quotients.


def _quotient(call: _Call) -> Iterator[_Reach]:
    x, y = call.largest(0), call.bounds[1]
    if x is None or y is None:
        return
    dtype = call.result.dtype
    divisor = call.values[1]
    if divisor is not None:
        factor = np.asarray(1.0 / divisor.astype(np.float64))
        bits = _scaled_bits(call, call.types[0], factor, dtype)
        if bits is not None:
            yield _Reach("|x / y|", float(x * np.abs(factor).max()), call.limit(bits))
        return
    least = dtype.resolution if y[0] <= 0 <= y[1] else min(abs(y[0]), abs(y[1]))
    limit = 2.0 ** quotient_limit_bits(dtype.fraction_bits, call.ring.bits)
    yield _Reach("|x / y|", float(x / least), limit)


def _whole_quotient(call: _Call) -> Iterator[_Reach]:
    """By secret divisors both stay below 2^32 in the ring; x // y times 2^f as every result."""
    dtype = common_type(call.name, call.types)
    if call.types[1].public or dtype.narrow:
        return
    for place in (0, 1):
        largest = call.largest(place)
        if largest is not None:
            yield _Reach("an operand", float(largest), 2.0 ** (32 - dtype.fraction_bits))


# Sums and means.


def _count(call: _Call) -> int:
    return prod(call.types[0].shape) // max(prod(call.result.shape), 1)


def _mean(call: _Call) -> Iterator[_Reach]:
    """The sum, and the product with 2^p / n that divides it (``scaling.divide_by_count``)."""
    x, count, dtype = call.largest(0), _count(call), call.result.dtype
    if x is None or not count:
        return
    sums, total, limit = f"the sum of {count} numbers", float(count * x), call.limit(0)
    own, bits = call.types[0].dtype.fraction_bits, dtype.fraction_bits
    if not own:
        factor, _ = scaled_constant(np.asarray(1 / count), bits, bits, call.ring)
        yield _Reach(sums, total, limit / float(call.ring.to_floats(factor)))
        return
    yield _Reach(sums, total, call.limit(own))
    if count & (count - 1):
        rest = np.asarray((1 << (count.bit_length() - 1)) / count)
        factor, _ = scaled_constant(rest, bits, ring=call.ring)
        yield _Reach("|mean|", float(x), call.limit(bits) / float(call.ring.to_floats(factor)))


def _variance(call: _Call) -> Iterator[_Reach]:
    yield from _mean(call)
    bounds, dtype = call.bounds[0], call.result.dtype
    if bounds is not None:
        width = float(bounds[1] - bounds[0])
        yield _Reach("a squared deviation", width * width, call.limit(2 * dtype.fraction_bits))


def _product_of_all(call: _Call) -> Iterator[_Reach]:
    x, dtype = call.largest(0), call.result.dtype
    if x is None:
        return
    shape = call.types[0].shape
    count = _count(call) if call.name == "prod" else max(shape, default=1)
    reached = float(x) ** count if count * np.log2(max(x, 1)) < 900 else float("inf")
    limit = call.limit(2 * dtype.fraction_bits) if dtype.kind == "fixed" else 2.0**63
    yield _Reach(f"the product of {count} numbers", max(reached, float(x)), limit)


# Comparisons: the sign of a difference.


def _differences(call: _Call) -> Iterator[_Reach]:
    choices = [bounds for bounds in call.bounds if bounds is not None]
    if len(choices) < len(call.bounds) or call.types[0].dtype.kind == "bool":
        return
    dtype = common_type(call.name, call.types)
    if any(v is not None and is_far(v, dtype, call.ring) for v in call.values):
        return  # compared without a difference that wraps
    width = max(high for _, high in choices) - min(low for low, _ in choices)
    yield _Reach("|x - y|", width, call.limit(dtype.fraction_bits, 1))


def _whole(call: _Call) -> Iterator[_Reach]:
    x, dtype = call.largest(0), call.types[0].dtype
    if x is not None and dtype.kind == "fixed":
        yield _Reach("|x|", float(x) + 1, call.limit(dtype.fraction_bits))


def _elements(call: _Call) -> Iterator[_Reach]:
    """Elements of one operand are compared with each other."""
    bounds, dtype = call.bounds[0], call.types[0].dtype
    if bounds is not None and dtype.kind != "bool":
        width = float(bounds[1] - bounds[0])
        yield _Reach("|x - y|", width, call.limit(dtype.fraction_bits, 1))


def _keys(call: _Call) -> Iterator[_Reach]:
    """What a sort compares opens its order: every key, whatever is known of other columns."""
    if call.name == "group_by":
        yield from _each_key(call, range(call.attributes.keys))
    else:
        count = len(call.types)
        yield from _each_key(call, range(count - len(call.attributes.descending), count))


def _only_key(call: _Call) -> Iterator[_Reach]:
    yield from _each_key(call, (0,))


def _each_key(call: _Call, places: Iterable[int]) -> Iterator[_Reach]:
    for place in places:
        largest, dtype = call.largest(place), call.types[place].dtype
        if largest is not None and dtype.kind != "bool":
            yield _Reach("a key", float(largest), call.limit(dtype.fraction_bits))


_COMPARING = (
    "less", "less_equal", "greater", "greater_equal", "maximum", "minimum", "searchsorted",
)  # fmt: skip
_SORTING = ("sort", "argsort", "topk", "median", "quantile")

_REACHES: Mapping[str, Reaches] = {
    **dict.fromkeys(("multiply", "matmul", "square"), _products),
    **dict.fromkeys(("floor_divide", "remainder", "divmod"), _whole_quotient),
    **dict.fromkeys(("prod", "cumulative_prod"), _product_of_all),
    **dict.fromkeys(_COMPARING, _differences),
    **dict.fromkeys(("max", "min", "argmax", "argmin"), _elements),
    **dict.fromkeys(_SORTING, _only_key),
    **dict.fromkeys(("sort_by", "lexsort", "group_by"), _keys),
    **dict.fromkeys(("floor", "ceil", "trunc", "round"), _whole),
    "divide": _quotient,
    "mean": _mean,
    "var": _variance,
}
