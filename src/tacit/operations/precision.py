"""Fixed point that is finer than an operation can compute with.

Over 128 bits numbers may have up to 100 fractional bits, which sums, comparisons and choices keep.
The product of two such numbers would not fit into the ring, and the functions are built for up
to 24 fractional bits, most of them to 40 over 128 bits. Operations say up to how many bits they
compute (:attr:`Operation.finest`); finer operands are truncated first, and results brought back
to the type of the rule, exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from tacit.encoding.ring import Ring
from tacit.encoding.types import DType
from tacit.functions.accuracy import FINE
from tacit.functions.domains import FINE_FRACTION_BITS, MOST_FRACTION_BITS
from tacit.operations.types import ArrayType, Operand, SecretValue, operand_types
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step

__all__ = [
    "PRODUCT_BITS",
    "Finest",
    "coarser",
    "finer",
    "finest_of",
    "of_fine_functions",
    "of_functions",
    "of_products",
    "of_quotients",
    "too_fine",
]

PRODUCT_BITS: Final = 51
"""Over 128 bits, two factors of 51 fractional bits leave 2^24 for the magnitude of a product."""

Finest: TypeAlias = Callable[[Sequence[ArrayType], Ring], int | None]
"""The fractional bits up to which an operation on these types computes; None for any number."""


def of_functions(types: Sequence[ArrayType], ring: Ring) -> int | None:
    """Functions compute with up to 24 fractional bits."""
    return MOST_FRACTION_BITS


def of_fine_functions(types: Sequence[ArrayType], ring: Ring) -> int | None:
    """Functions with tables for more: up to 40 over 128 bits."""
    return FINE_FRACTION_BITS if ring.bits > 64 else MOST_FRACTION_BITS


def finest_of(name: str) -> Finest:
    """That of a function, by its name."""
    return of_fine_functions if name in FINE else of_functions


def of_products(types: Sequence[ArrayType], ring: Ring) -> int | None:
    """Products of fixed point, also with itself; a product with integers needs no more room."""
    integers = len(types) > 1 and any(t.dtype.kind != "fixed" for t in types)
    return None if integers else PRODUCT_BITS


def of_quotients(types: Sequence[ArrayType], ring: Ring) -> int | None:
    """A quotient by a public number is a product; one by a secret is a function."""
    return PRODUCT_BITS if types[1].public else of_fine_functions(types, ring)


def too_fine(operands: Sequence[Operand], finest: Finest, ring: Ring) -> int | None:
    """The fractional bits to truncate to; None where all operands are coarse enough."""
    most = max((o.dtype.fraction_bits for o in operands if isinstance(o, SecretValue)), default=0)
    if most <= MOST_FRACTION_BITS:
        return None
    limit = finest(operand_types(operands), ring)
    return limit if limit is not None and most > limit else None


def coarser(party: Party, operands: Sequence[Operand], most: int) -> Step[list[Operand]]:
    """Operands with at most so many fractional bits."""

    def step(operand: Operand) -> Step[Operand]:
        if not isinstance(operand, SecretValue) or operand.dtype.fraction_bits <= most:
            return operand
        surplus = operand.dtype.fraction_bits - most
        share = yield from party.truncate(operand.share, surplus)
        return SecretValue(DType("fixed", most), share)

    return list((yield from together(*map(step, operands))))


def finer(
    party: Party, values: Sequence[SecretValue], expected: Sequence[ArrayType]
) -> tuple[SecretValue, ...]:
    """Results in the types that they should have: more fractional bits, by a local shift."""

    def value(result: SecretValue, wanted: ArrayType) -> SecretValue:
        surplus = wanted.dtype.fraction_bits - result.dtype.fraction_bits
        if not surplus:
            return result
        return SecretValue(wanted.dtype, party.multiply_public(result.share, 1 << surplus))

    return tuple(value(r, t) for r, t in zip(values, expected, strict=True))
