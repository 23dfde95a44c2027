"""An operation: its name, its type rule and its meaning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, TypeAlias, TypeVar

import numpy as np
from msgspec import Struct

from tacit.encoding.ring import Ring
from tacit.operations.chunks import LARGEST_WHOLE, chunk_size, in_chunks, is_long
from tacit.operations.precision import Finest, coarser, finer, too_fine
from tacit.operations.settling import Integers, has_narrow, held_results, settled_operands
from tacit.operations.types import (
    ArrayType,
    Operand,
    PublicArray,
    SecretValue,
    operand_types,
    reshaped,
)
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

__all__ = [
    "Attributes",
    "Check",
    "Meaning",
    "NoAttributes",
    "Operation",
    "ResultTypes",
    "ResultValues",
    "Rule",
    "Width",
    "lift",
    "local",
]


class Attributes(Struct, frozen=True, forbid_unknown_fields=True):
    """The public parameters of an operation, such as an axis. Encoded in MessagePack."""


class NoAttributes(Attributes, frozen=True):
    """An operation without parameters."""


ResultTypes: TypeAlias = ArrayType | tuple[ArrayType, ...]
ResultValues: TypeAlias = SecretValue | tuple[SecretValue, ...]
Rule: TypeAlias = Callable[[Sequence[ArrayType], Any], ResultTypes]
Check: TypeAlias = Callable[[Sequence[ArrayType], Sequence[PublicArray | None], Any, Ring], None]
Width: TypeAlias = Callable[[Sequence[ArrayType]], int]
Meaning: TypeAlias = Callable[[Party, Sequence[Operand], Any], Step[ResultValues]]

F = TypeVar("F", bound=ResultValues)


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the operation table.

    Attributes
    ----------
    name : str
        The array API standard's name where it has one.
    rule : callable
        ``rule(types, attributes)`` gives the type of the result (a tuple of types for several
        results) or raises ShapeError or TypeMismatchError. It sees no values.
    meaning : callable
        ``meaning(party, operands, attributes)``: a protocol step that computes the result from
        operands whose types the rule accepted. Operands are secret values, or public arrays of
        float64, int64 or bool; integers of all types come as int64 unless `integers` is
        ``"typed"`` or ``"bits"``. Secret ones have at least one axis; see :meth:`evaluate`.
    attributes : type
        The parameters' structure.
    check : callable, optional
        ``check(types, values, attributes, ring)`` raises RangeError for public operands that the
        ring cannot hold, or for such parameters, before any party hears of the operation.
        `values` has None for secrets.
    elementwise : bool
        Whether there is one result, each element of which depends on the operands' elements at
        its place alone: long arrays are then computed in chunks (``chunks.py``).
    integers : {"settled", "modular", "typed", "bits"}
        How it takes integers of fewer than 64 bits (``settling.py``): wrapped into their range;
        as elements that are right modulo 2^bits, because it only adds, multiplies and moves
        them; wrapped and with their types; right modulo 2^bits and with their types. Operations
        without communication are modular.
    finest : callable, optional
        ``finest(types, ring)`` gives the fractional bits up to which it computes
        (``precision.py``).
    width : callable, optional
        ``width(types)`` gives how many times more memory it has under way for an element than
        others, a power of two: its chunks are so much smaller (``chunks.py``).
    """

    name: str
    rule: Rule
    meaning: Meaning
    attributes: type[Attributes] = NoAttributes
    check: Check | None = None
    elementwise: bool = False
    integers: Integers = "settled"
    finest: Finest | None = None
    width: Width | None = None

    def __post_init__(self) -> None:
        if self.integers == "settled" and getattr(self.meaning, "local", False):
            object.__setattr__(self, "integers", "modular")

    def evaluate(
        self, party: Party, operands: Sequence[Operand], attributes: Any
    ) -> Step[tuple[SecretValue, ...]]:
        """The meaning, for secrets of any type and shape; always a tuple of results.

        Small integers are wrapped first where the operation needs that (``settling.py``), and
        fixed point is made coarser where it is too fine for the operation (``precision.py``).
        """
        most = too_fine(operands, self.finest, party.ring) if self.finest is not None else None
        if most is not None:
            expected = self.result_types(operand_types(operands), attributes)
            plain = yield from coarser(party, operands, most)
            values = yield from self.evaluate(party, plain, attributes)
            return finer(party, values, expected)
        if has_narrow(operands):
            types = operand_types(operands)
            expected = self.result_types(types, attributes)
            plain = yield from settled_operands(party, operands, self.integers, expected)
            values = yield from self._shaped_step(party, plain, attributes)
        else:
            values = yield from self._shaped_step(party, operands, attributes)
            if not has_narrow(values):
                return values
            types = operand_types(operands)
            expected = self.result_types(types, attributes)
        return held_results(self.name, operands, types, self.integers, attributes, expected, values)

    def _shaped_step(
        self, party: Party, operands: Sequence[Operand], attributes: Any
    ) -> Step[tuple[SecretValue, ...]]:
        """The meaning, for secrets of any shape.

        A secret number without axes goes through as an array of one element: protocols and
        functions only see arrays with axes, because NumPy's scalars behave differently.
        """
        if all(operand.shape for operand in operands if isinstance(operand, SecretValue)):
            values = yield from self._step(party, operands, attributes)
            return values if isinstance(values, tuple) else (values,)
        types = operand_types(operands)
        lifted = [lift(o) if isinstance(o, SecretValue) else np.atleast_1d(o) for o in operands]
        values = yield from self._step(party, lifted, attributes)
        results = values if isinstance(values, tuple) else (values,)
        expected = self.result_types(types, attributes)
        return tuple(_shaped(v, t) for v, t in zip(results, expected, strict=True))

    def _step(
        self, party: Party, operands: Sequence[Operand], attributes: Any
    ) -> Step[ResultValues]:
        """The meaning, in chunks where it is element-wise and the result long."""
        if self.elementwise and is_long(operands):
            types = operand_types(operands)
            (result,) = self.result_types(types, attributes)
            if prod(result.shape) > LARGEST_WHOLE:
                size = chunk_size(party.ring, 1 if self.width is None else self.width(types))
                return in_chunks(
                    self.meaning, party, operands, attributes, result.shape, chunk_size=size
                )
        return self.meaning(party, operands, attributes)

    def result_types(self, types: Sequence[ArrayType], attributes: Any) -> tuple[ArrayType, ...]:
        """What the type rule gives, always as a tuple."""
        result = self.rule(types, attributes)
        return result if isinstance(result, tuple) else (result,)


def lift(value: SecretValue) -> SecretValue:
    """A number without axes as an array of one element; other arrays as they are."""
    return value if value.shape else SecretValue(value.dtype, value.share.reshape(1))


def _shaped(value: SecretValue, expected: ArrayType) -> SecretValue:
    if value.shape == expected.shape:
        return value
    return SecretValue(value.dtype, reshaped(value.share, expected.shape))


def local(function: Callable[[Party, Sequence[Operand], Any], F]) -> Meaning:
    """The meaning of an operation that needs no communication, from a plain function."""

    def meaning(party: Party, operands: Sequence[Operand], attributes: Any) -> Step[ResultValues]:
        return function(party, operands, attributes)
        yield  # a generator without rounds

    meaning.__doc__ = function.__doc__
    meaning.__name__ = function.__name__
    meaning.local = True  # type: ignore[attr-defined]
    return meaning
