"""How far operations reach within bounds, and how far they may: what both tables are made of.

See ``overflow.py`` and ``overflow_of_functions.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from tacit.encoding.ring import Ring
from tacit.encoding.types import DType
from tacit.functions.domains import MOST_FRACTION_BITS
from tacit.operations.bounds_of_functions import products_of
from tacit.operations.precision import PRODUCT_BITS, finest_of
from tacit.operations.types import ArrayType, Bounds, PublicArray

__all__ = ["Call", "Reach", "Reaches", "elements_of", "powers_of"]


@dataclass(frozen=True, slots=True)
class Reach:
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
class Call:
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

    @property
    def function_bits(self) -> int:
        """The fractional bits that functions compute with."""
        most = finest_of(self.name)((), self.ring) or MOST_FRACTION_BITS
        return min(self.result.dtype.fraction_bits, most)

    def function_limit(self, less: int = 0) -> float:
        """2^(62 - less) (2^(126 - less)) ring integers at the fractional bits of functions."""
        return 2.0 ** (self.ring.magnitude_bits - less - self.function_bits)

    def limit(self, fraction_bits: int, extra: int = 0) -> float:
        """2^62 (or 2^(62 + extra)) ring integers, as a number of so many fraction bits."""
        return 2.0 ** (self.ring.magnitude_bits + extra - fraction_bits)


Reaches: TypeAlias = Callable[[Call], Iterator[Reach]]


# What several operations do.


def powers_of(call: Call, what: str, bounds: Bounds, count: int, dtype: DType) -> Iterator[Reach]:
    """Products of up to `count` factors, each of them before its truncation."""
    if dtype.kind == "fixed":
        bits = min(dtype.fraction_bits, PRODUCT_BITS)
        if count > 1:
            reached = products_of(bounds, count, 2.0**-bits)
            yield Reach(what, reached, call.limit(2 * bits))
    elif not dtype.narrow:
        yield Reach(what, products_of(bounds, count, 0), 2.0 ** (dtype.bits - 1))


def elements_of(call: Call) -> Iterator[Reach]:
    """Elements of one operand are compared with each other."""
    bounds, dtype = call.bounds[0], call.types[0].dtype
    if bounds is not None and dtype.kind != "bool":
        width = float(bounds[1] - bounds[0])
        yield Reach("|x - y|", width, call.limit(dtype.fraction_bits, 1))
