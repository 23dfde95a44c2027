"""The primitives every protocol gives, written against by everything above.

Methods that return a :data:`~tacit.rounds.Step` communicate and are called as
``z = yield from party.multiply(x, y)``. The others are local. ``A`` is the protocol's arithmetic
sharing over the party's ring (two's complement), ``B`` its Boolean sharing in packed words,
``Permutation`` its secret permutations. Shapes of operands are equal unless said otherwise;
broadcasting is done above (``broadcast``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.ring import Axis, Elements, Integers, Ring
from tacit.errors import UsageError
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = [
    "ROUNDINGS",
    "Arithmetic",
    "Boolean",
    "Party",
    "PartyWithTables",
    "Rounding",
    "checked_rounding",
]

Rounding: TypeAlias = Literal["probabilistic", "nearest", "exact"]
ROUNDINGS: tuple[Rounding, ...] = ("probabilistic", "nearest", "exact")
"""How a truncation rounds; see ``docs/decisions/0026-rounding-modes.md``."""


def checked_rounding(rounding: str) -> Rounding:
    """A rounding mode.

    Raises
    ------
    UsageError
        There is none of this name (TC-1070).
    """
    for mode in ROUNDINGS:
        if rounding == mode:
            return mode
    raise UsageError(
        f"There is no rounding mode {rounding!r}.",
        next_step=f"choose one of: {', '.join(ROUNDINGS)}.",
        case=70,
    )


class Arithmetic(Protocol):
    """A party's part of a sharing over the ring."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def size(self) -> int: ...
    @property
    def ndim(self) -> int: ...
    def map(self, f: Callable[[Elements], Elements]) -> Any: ...
    def reshape(self, *shape: int) -> Any: ...
    def __getitem__(self, index: Any) -> Any: ...
    def section(self, start: int, stop: int) -> Any: ...
    def blank(self, size: int) -> Any: ...
    def write(self, start: int, part: Any) -> None: ...


class Boolean(Protocol):
    """A party's part of a sharing of packed bits; leading planes are bit positions."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def planes(self) -> tuple[int, ...]: ...
    @property
    def size(self) -> int: ...
    def plane(self, index: Any) -> Any: ...
    def joined(self, others: Sequence[Any]) -> Any: ...
    def map_words(self, f: Callable[[NDArray[np.uint64]], NDArray[np.uint64]]) -> Any: ...
    def map(self, f: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> Any: ...
    def reshape(self, *shape: int) -> Any: ...
    def rows_as_planes(self) -> Any: ...
    def planes_as_rows(self) -> Any: ...
    def section(self, start: int, stop: int) -> Any: ...
    def blank(self, size: int) -> Any: ...
    def write(self, start: int, part: Any) -> None: ...


A: TypeAlias = Any
B: TypeAlias = Any
Permutation: TypeAlias = Any


class Party(Protocol):
    """One party of a protocol: its identity, its keys and the primitives.

    Attributes
    ----------
    names : tuple of str
        The parties' names.
    index : int
        Which one this is.
    rounding : {"probabilistic", "nearest", "exact"}
        How every truncation rounds that does not say so itself, those in products included.
    session_id : bytes
        What hashes are bound to; equal at all parties.
    ring : Ring
        What its arithmetic shares are elements of.
    checks_inputs : bool
        Whether parties may deviate, so that owners' inputs are checked on shares before they are
        used (``functions/inputs.py``).
    threads : int
        How many threads its own matrix products may use. A fact of its machine, set by its
        session: the others need not know it, and results are the same with any.
    """

    names: tuple[str, ...]
    index: int
    session_id: bytes
    rounding: Rounding
    ring: Ring
    costs: Mapping[str, Callable[..., Declaration]]
    checks_inputs: bool
    threads: int

    @property
    def size(self) -> int:
        """How many parties compute."""

    # Local.

    def public(self, values: Integers) -> A:
        """A sharing of integers or ring elements that all parties know."""

    def public_bits(self, values: NDArray[Any]) -> B:
        """A sharing of bits that all parties know (an array of 0 and 1)."""

    def add(self, x: A, y: A) -> A:
        """x + y."""

    def subtract(self, x: A, y: A) -> A:
        """x - y."""

    def negate(self, x: A) -> A:
        """-x."""

    def add_public(self, x: A, c: Integers) -> A:
        """x + c for public integers or ring elements c, broadcast against x."""

    def multiply_public(self, x: A, c: Integers) -> A:
        """x · c in the ring for public integers c, broadcast against x; no truncation."""

    def linear_combination(
        self, terms: Sequence[A], factors: Sequence[int], constant: int = 0
    ) -> A:
        """Σ factor · x + constant for public ring integers; one pass over terms of one shape."""

    def sum(self, x: A, axis: Axis = None, keepdims: bool = False) -> A:
        """The sum over axes."""

    def broadcast(self, x: A, shape: tuple[int, ...]) -> A:
        """x repeated to a shape, by NumPy's rules."""

    def concatenate(self, parts: Sequence[A], axis: int = 0) -> A:
        """Parts joined along an axis."""

    def xor(self, a: B, b: B) -> B:
        """a XOR b."""

    def xor_public(self, a: B, c: NDArray[Any]) -> B:
        """a XOR c for a public array of 0 and 1 of a's shape."""

    def invert(self, a: B) -> B:
        """NOT a."""

    def concatenate_bits(self, parts: Sequence[B], axis: int = 0) -> B:
        """Plain bits joined along an axis of their shape."""

    def stack_planes(self, parts: Sequence[B]) -> B:
        """Bits of equal shape stacked along a new first plane axis."""

    def random(self, shape: tuple[int, ...]) -> A:
        """A sharing of uniform ring elements that nobody knows."""

    def random_bits(self, shape: tuple[int, ...]) -> B:
        """A sharing of uniform bits that nobody knows."""

    def permutation(self, rows: int, count: int) -> Permutation:
        """Uniform permutations of `count` elements that nobody knows, one for each row."""

    # With communication.

    def input(self, owner: int, values: Elements | None, shape: tuple[int, ...]) -> Step[A]:
        """The owner's ring elements become a sharing; the others pass None."""

    def input_bits(
        self, owner: int, values: NDArray[Any] | None, shape: tuple[int, ...]
    ) -> Step[B]:
        """The owner's array of 0 and 1 becomes a sharing."""

    def reveal(self, x: A, to: Sequence[int]) -> Step[Elements | None]:
        """Open x to the parties in `to`; the others get None."""

    def reveal_bits(self, a: B, to: Sequence[int]) -> Step[NDArray[np.uint8] | None]:
        """Open bits to the parties in `to`: an array of 0 and 1, (*planes, *shape)."""

    def multiply(self, x: A, y: A) -> Step[A]:
        """x · y in the ring, no truncation."""

    def matmul(self, x: A, y: A) -> Step[A]:
        """x @ y in the ring, no truncation; NumPy's rules for shapes."""

    def truncate(self, x: A, bits: int, rounding: Rounding | None = None) -> Step[A]:
        """x / 2^bits, x within ring.magnitude_bits: see the protocol for a rounding's error.

        Without `rounding`, the party's.
        """

    def multiply_truncate(self, x: A, y: A, bits: int) -> Step[A]:
        """x · y / 2^bits, the product within ring.magnitude_bits; error at most one unit."""

    def matmul_truncate(self, x: A, y: A, bits: int) -> Step[A]:
        """x @ y / 2^bits; error at most one unit. The sums stay a bit below ring.magnitude_bits:
        within [-2^(magnitude_bits - 1), 2^(magnitude_bits - 1)).
        """

    def sum_products_truncate(
        self, pairs: Sequence[tuple[A, A]], bits: int, addend: A | None = None
    ) -> Step[A]:
        """(Σ x·y + addend) / 2^bits over the pairs, element-wise, one truncation for the sum."""

    def bitwise_and(self, a: B, b: B) -> Step[B]:
        """a AND b; equal shapes and planes."""

    def most_significant_bit(self, x: A) -> Step[B]:
        """The top bit of x: 1 for negative numbers."""

    def to_bits(self, x: A) -> Step[B]:
        """All bits of x as planes, least significant first."""

    def from_bits(self, a: B) -> Step[A]:
        """Ring elements from their planes, least significant first: Σ 2^i a_i."""

    def bit_to_arithmetic(self, a: B) -> Step[A]:
        """Plain bits as ring elements 0 and 1."""

    def inject(self, a: B, x: A) -> Step[A]:
        """a · x for plain bits a of x's shape."""

    def select(self, a: B, x: A, y: A) -> Step[A]:
        """x where the bit a is 1, else y."""

    def permute(self, permutation: Permutation, x: A, inverse: bool = False) -> Step[A]:
        """x, (rows, count, …), with every row in the order of its secret permutation, or back."""

    def permute_bits(self, permutation: Permutation, a: B, inverse: bool = False) -> Step[B]:
        """The same for plain bits."""


class PartyWithTables(Party, Protocol):
    """A party of a protocol with a primitive that not all have, ``lookup`` among its costs."""

    def lookup(self, a: B, b: B, tables: Sequence[Sequence[int]]) -> Step[list[A]]:
        """For each of up to 8 public tables of four integers its value at a + 2b, for plain bits
        of one shape. Over Z_2^64.
        """
