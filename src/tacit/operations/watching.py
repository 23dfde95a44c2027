"""A party that notes what an operation of many steps does, so that every step can be tested.

A training step is one operation of the table, with products, sums and updates inside that may
leave their range while its results look well. In checked mode such an operation is given a
:class:`Watched` party, which computes as the party does and notes, for every primitive, a test of
its operands or result. The tests run when the operation is done, all side by side. Functions inside
(sigmoid, inverse roots) take the party itself by ``functions.parts.as_part``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tacit.encoding.ring import Axis, Integers
from tacit.operations.ranges import (
    Count,
    factors_beyond,
    in_range,
    matrix_products_beyond,
    products_beyond,
    sums_beyond,
)
from tacit.protocols.interface import Party, Rounding
from tacit.rounds.contract import Step

__all__ = ["WATCHED", "Noted", "Watched"]

WATCHED = frozenset(
    {"mlp_step", "mlp_forward", "logistic_step", "prod", "cumulative_prod", "var", "polyval", "pow",
     "convolution", "sum_of_products", "avg_pool", "inv", "solve", "lstsq", "cholesky", "det",
     "leading_eigenvectors"}
)  # fmt: skip
"""Operations whose steps are tested one by one."""


@dataclass(frozen=True, slots=True)
class Noted:
    """A step that an operation made: what it was, and the test of its range."""

    what: str
    test: Callable[[], Step[Count]]


class Watched:
    """A party's primitives, with a note of every one whose range can be left.

    Attributes
    ----------
    unwatched : Party
        The party itself.
    notes : list of Noted
        In the order of the steps, the same at every party.
    """

    def __init__(self, party: Party) -> None:
        self.unwatched = party
        self.notes: list[Noted] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.unwatched, name)

    def _note(self, name: str, operands: Sequence[Any], test: Callable[[], Step[Count]]) -> None:
        if all(operand.size for operand in operands):
            shapes = " and ".join(str(operand.shape) for operand in operands)
            self.notes.append(Noted(f"{name} of {shapes}", test))

    # Sums.

    def add(self, x: Any, y: Any) -> Any:
        """x + y, which must be in range."""
        return self._summed("a sum", self.unwatched.add(x, y))

    def subtract(self, x: Any, y: Any) -> Any:
        """x - y, which must be in range."""
        return self._summed("a difference", self.unwatched.subtract(x, y))

    def _summed(self, name: str, result: Any) -> Any:
        self._note(name, [result], lambda: in_range(self.unwatched, result))
        return result

    def sum(self, x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
        """The sum over axes, none of which may wrap."""
        party = self.unwatched
        result = party.sum(x, axis, keepdims)
        count = x.size // max(result.size, 1)

        def added(terms: Any) -> Any:
            total = party.sum(terms, axis, keepdims)
            return total.reshape(1) if not total.shape else total

        self._note("a sum over axes", [x], lambda: sums_beyond(party, x, count, added))
        return result

    # Products.

    def multiply_public(self, x: Any, c: Integers) -> Any:
        """x · c, below 2^m."""
        party = self.unwatched
        factors = c if isinstance(c, np.ndarray) else np.array(c, object)
        self._note("a product with a public factor", [x], lambda: factors_beyond(party, x, factors))
        return party.multiply_public(x, c)

    def multiply(self, x: Any, y: Any) -> Step[Any]:
        """x · y, below 2^m."""
        party = self.unwatched
        self._note("a product", [x, y], lambda: products_beyond(party, [(x, y)], party.multiply))
        return (yield from party.multiply(x, y))

    def multiply_truncate(self, x: Any, y: Any, bits: int) -> Step[Any]:
        """x · y / 2^bits, the product below 2^m."""
        party = self.unwatched
        self._note("a product", [x, y], lambda: products_beyond(party, [(x, y)], party.multiply))
        return (yield from party.multiply_truncate(x, y, bits))

    def matmul(self, x: Any, y: Any) -> Step[Any]:
        """x @ y, below 2^m."""
        party = self.unwatched
        self._note("a matrix product", [x, y], lambda: matrix_products_beyond(party, x, y))
        return (yield from party.matmul(x, y))

    def matmul_truncate(self, x: Any, y: Any, bits: int) -> Step[Any]:
        """x @ y / 2^bits, the sums below 2^(m - 1)."""
        party = self.unwatched
        self._note("a matrix product", [x, y], lambda: matrix_products_beyond(party, x, y, 1))
        return (yield from party.matmul_truncate(x, y, bits))

    def sum_products_truncate(
        self, pairs: Sequence[tuple[Any, Any]], bits: int, addend: Any = None
    ) -> Step[Any]:
        """(Σ x·y + addend) / 2^bits, the sum below 2^m."""
        party = self.unwatched
        kept = list(pairs)
        operands = [factor for pair in kept for factor in pair]
        self._note(
            "a sum of products",
            operands,
            lambda: products_beyond(party, kept, party.multiply, 0, addend),
        )
        return (yield from party.sum_products_truncate(kept, bits, addend))

    def truncate(self, x: Any, bits: int, rounding: Rounding | None = None) -> Step[Any]:
        """x / 2^bits, x in range."""
        party = self.unwatched
        self._note("a truncation", [x], lambda: in_range(party, x))
        return (yield from party.truncate(x, bits, rounding))
