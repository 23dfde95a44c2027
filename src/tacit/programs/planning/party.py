"""A party that counts: every primitive says what it costs, none computes.

All functions and operations run on it as on any party, with the same branches by public shapes
and values, so what they would communicate is counted by construction. A primitive's rounds and
bytes are those that its protocol declares, which the cost tests compare with the traffic.

What is opened on the way is zeros. Of the orders that sorts open, what their costs follow from is
drawn (``orders.py``).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.ring import Axis, Elements, Integers, Ring
from tacit.encoding.types import DType
from tacit.operations.types import Bounds, SecretValue
from tacit.programs.planning.orders import DrawnSearch
from tacit.programs.planning.sharing import Bits, Held, Numbers
from tacit.protocols import Protocol
from tacit.protocols.interface import Rounding
from tacit.rounds.contract import Round, Step
from tacit.rounds.cost import CostTable

__all__ = ["Call", "CountingParty", "Work"]


_WORKING: Final = {"replicated3": 3.5, "fantastic4": 5.5, "replicated3_active": 7.0}
"""How much a primitive holds on the way, a byte that a party sends: what leaves, what arrives and
what both are made of. Measured; a test compares a whole run's memory with its plan.
"""


class Work(NamedTuple):
    """Local work of one party: bytes that it writes in small and in large arrays, and seconds of
    Python.
    """

    touched: int
    streamed: int
    seconds: float


@dataclass(frozen=True, eq=False)
class Call:
    """One primitive with the sizes that its cost follows from.

    Attributes
    ----------
    primitive : str
    arguments : tuple
        As its declaration takes them.
    rounding : str
    rounds : int
    bytes_sent, check_bytes : tuple of int
        By party.
    parts : tuple of (Call, int)
        The call with each of its rounds: what stands for a message.
    """

    primitive: str
    arguments: tuple[Any, ...]
    rounding: Rounding
    rounds: int
    bytes_sent: tuple[int, ...]
    check_bytes: tuple[int, ...]
    parts: list[tuple[Call, int]] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"{self.primitive}{self.arguments}"


class CountingParty:
    """Stands for all parties of a protocol.

    Parameters
    ----------
    protocol : Protocol
    rounding : {"probabilistic", "nearest", "exact"}
    ring : Ring
    seed : int
        Of the order that sorts find.

    Attributes
    ----------
    calls : dict
        Every call of a primitive so far, by what it is called with.
    drawn : bool
        Whether an order that is drawn decided how much followed.
    timed : bool
        Whether anybody asks for seconds.
    """

    threads = 1
    index = 0
    session_id = b""

    def __init__(self, protocol: Protocol, rounding: Rounding, ring: Ring, seed: int = 0) -> None:
        self.size = protocol.security.parties
        self.names = tuple(map(str, range(self.size)))
        self.rounding: Rounding = rounding
        self.ring = ring
        self.costs = protocol.costs
        self.checks_inputs = protocol.security.adversary == "active"
        self.held = Held(3 if self.size == 4 else 2)
        self.calls: dict[Any, Call] = {}
        self.drawn = False
        self.timed = False
        self._since = time.thread_time()
        self._seconds = 0.0
        self._protocol = protocol
        self._working = _WORKING.get(protocol.name, 4.0)
        self._tables: dict[Rounding, CostTable] = {}
        self._random = np.random.default_rng(seed)

    def __repr__(self) -> str:
        return f"CountingParty({self._protocol.name})"

    def secret(
        self, dtype: DType, shape: tuple[int, ...], held: Bounds | None = None
    ) -> SecretValue:
        """A secret array of which nothing but this is known."""
        share: Any = (
            Bits(self.held, shape) if dtype.kind == "bool" else Numbers(self.ring, self.held, shape)
        )
        return SecretValue(dtype, share, held)

    def nonce(self) -> int:
        """Nothing is masked here."""
        return 0

    def call(self, name: str, arguments: tuple[Any, ...], rounding: Rounding) -> Call:
        """The call of a primitive with sizes, and what it costs."""
        key = name, arguments, rounding
        found = self.calls.get(key)
        if found is None:
            table = self._tables.get(rounding)
            if table is None:
                table = self._tables[rounding] = self._protocol.costs_with(rounding, self.ring)
            cost = table[name](*arguments)
            found = Call(
                name, arguments, rounding, cost.rounds, tuple(cost.bytes_sent),
                tuple(cost.check_bytes),
            )  # fmt: skip
            found.parts.extend((found, place) for place in range(cost.rounds))
            self.calls[key] = found
        return found

    def _sent(self, name: str, *arguments: Any, rounding: Rounding | None = None) -> Step[None]:
        call = self.call(name, arguments, self.rounding if rounding is None else rounding)
        room = int(self._working * sum(call.bytes_sent) / self.size)
        self.held.add(room)
        try:
            for part in call.parts:
                one: Any = {0: (part,)}
                yield Round(send={0: (part, self._work())}, receive=one)  # type: ignore[dict-item]
                self._since = time.thread_time()
        finally:
            self.held.add(-room)

    # Local work, which the next message carries along.

    def _work(self) -> Work:
        """What one party did since the last message."""
        seconds = self._seconds + time.thread_time() - self._since
        held = self.held
        found = Work(held.touched, held.streamed, seconds)
        held.touched = held.streamed = 0
        self._seconds = 0.0
        return found

    def worked(self, work: Work) -> None:
        """Work that was counted before is done again; the clock goes on from here."""
        self.held.touched += work.touched
        self.held.streamed += work.streamed
        self._seconds += work.seconds
        self._since = time.thread_time()

    def looked_away(self) -> None:
        """What follows is not done in a run, up to the next message or :meth:`worked`."""
        now = time.thread_time()
        self._seconds += now - self._since
        self._since = now

    def paused(self) -> Work:
        """Put aside what was done so far, and begin anew."""
        before = self._work()
        self._since = time.thread_time()
        return before

    def resumed(self, before: Work) -> Work:
        """What was done since :meth:`paused`; go on with what was before."""
        found = self._work()
        self.held.touched, self.held.streamed, self._seconds = before
        self._since = time.thread_time()
        return found

    # Values.

    def _numbers(self, shape: tuple[int, ...]) -> Numbers:
        found = Numbers(self.ring, self.held, shape)
        self.held.wrote(found.room.size)
        return found

    def _bits(self, shape: tuple[int, ...], planes: tuple[int, ...] = ()) -> Bits:
        found = Bits(self.held, shape, planes)
        self.held.wrote(found.room.size)
        return found

    # Local.

    def public(self, values: Integers) -> Numbers:
        return self._numbers(np.shape(values))

    def public_bits(self, values: NDArray[Any]) -> Bits:
        return self._bits(np.shape(values))

    def add(self, x: Numbers, y: Numbers) -> Numbers:
        return self._numbers(np.broadcast_shapes(x.shape, y.shape))

    def subtract(self, x: Numbers, y: Numbers) -> Numbers:
        return self._numbers(np.broadcast_shapes(x.shape, y.shape))

    def negate(self, x: Numbers) -> Numbers:
        return self._numbers(x.shape)

    def add_public(self, x: Numbers, c: Integers) -> Numbers:
        return self._numbers(np.broadcast_shapes(x.shape, np.shape(c)))

    def multiply_public(self, x: Numbers, c: Integers) -> Numbers:
        return self._numbers(np.broadcast_shapes(x.shape, np.shape(c)))

    def linear_combination(
        self, terms: Sequence[Numbers], factors: Sequence[int], constant: int = 0
    ) -> Numbers:
        for x in terms:
            self.held.wrote(x.room.size)
        return self._numbers(np.broadcast_shapes(*(x.shape for x in terms)))

    def sum(self, x: Numbers, axis: Axis = None, keepdims: bool = False) -> Numbers:
        self.held.wrote(x.size * self.ring.element_bytes * self.held.parts)
        axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
        gone = {one % x.ndim for one in axes}
        shape = tuple(
            1 if place in gone else extent
            for place, extent in enumerate(x.shape)
            if keepdims or place not in gone
        )
        return self._numbers(shape)

    def broadcast(self, x: Numbers, shape: tuple[int, ...]) -> Numbers:
        return Numbers(self.ring, self.held, tuple(shape), x.room)

    def concatenate(self, parts: Sequence[Numbers], axis: int = 0) -> Numbers:
        shape = list(parts[0].shape)
        shape[axis] = sum(part.shape[axis] for part in parts)
        return self._numbers(tuple(shape))

    def xor(self, a: Bits, b: Bits) -> Bits:
        return self._bits(a.shape, np.broadcast_shapes(a.planes, b.planes))

    def xor_public(self, a: Bits, c: NDArray[Any]) -> Bits:
        return self._bits(a.shape, a.planes)

    def invert(self, a: Bits) -> Bits:
        return self._bits(a.shape, a.planes)

    def concatenate_bits(self, parts: Sequence[Bits], axis: int = 0) -> Bits:
        shape = list(parts[0].shape)
        shape[axis] = sum(part.shape[axis] for part in parts)
        return self._bits(tuple(shape))

    def stack_planes(self, parts: Sequence[Bits]) -> Bits:
        return self._bits(parts[0].shape, (len(parts), *parts[0].planes))

    def random(self, shape: tuple[int, ...]) -> Numbers:
        return self._numbers(shape)

    def random_bits(self, shape: tuple[int, ...]) -> Bits:
        return self._bits(shape)

    def permutation(self, rows: int, count: int) -> NDArray[np.int64]:
        """Nothing is permuted here."""
        return np.broadcast_to(np.int64(0), (rows, count))

    def order_search(
        self, _: Any, words: Sequence[Numbers], rows: int, count: int, wanted: NDArray[np.bool_]
    ) -> DrawnSearch:
        """What stands for the search of an order that is opened."""
        return DrawnSearch(self, self._random, words, rows, count, wanted)

    # With communication.

    def input(self, owner: int, values: Elements | None, shape: tuple[int, ...]) -> Step[Numbers]:
        yield from self._sent("input", prod(shape), owner)
        return self._numbers(shape)

    def input_bits(
        self, owner: int, values: NDArray[Any] | None, shape: tuple[int, ...]
    ) -> Step[Bits]:
        yield from self._sent("input_bits", prod(shape), owner)
        return self._bits(shape)

    def reveal(self, x: Numbers, to: Sequence[int]) -> Step[Elements | None]:
        yield from self._sent("reveal", x.size, tuple(to))
        return x.elements

    def reveal_bits(self, a: Bits, to: Sequence[int]) -> Step[NDArray[np.uint8] | None]:
        yield from self._sent("reveal_bits", a.size, tuple(to), prod(a.planes))
        return np.broadcast_to(np.uint8(0), (*a.planes, *a.shape))

    def multiply(self, x: Numbers, y: Numbers) -> Step[Numbers]:
        yield from self._sent("multiply", x.size)
        return self._numbers(x.shape)

    def matmul(self, x: Numbers, y: Numbers) -> Step[Numbers]:
        yield from self._sent("matmul", x.shape, y.shape)
        return self._numbers(_product_shape(x, y))

    def truncate(self, x: Numbers, bits: int, rounding: Rounding | None = None) -> Step[Numbers]:
        yield from self._sent("truncate", x.size, bits, rounding=rounding)
        return self._numbers(x.shape)

    def multiply_truncate(self, x: Numbers, y: Numbers, bits: int) -> Step[Numbers]:
        yield from self._sent("multiply_truncate", x.size, bits)
        return self._numbers(x.shape)

    def matmul_truncate(self, x: Numbers, y: Numbers, bits: int) -> Step[Numbers]:
        yield from self._sent("matmul_truncate", x.shape, y.shape, bits)
        return self._numbers(_product_shape(x, y))

    def sum_products_truncate(
        self, pairs: Sequence[tuple[Numbers, Numbers]], bits: int, addend: Numbers | None = None
    ) -> Step[Numbers]:
        x = pairs[0][0]
        yield from self._sent("sum_products_truncate", x.size, bits, len(pairs))
        return self._numbers(x.shape)

    def bitwise_and(self, a: Bits, b: Bits) -> Step[Bits]:
        yield from self._sent("bitwise_and", a.size, prod(a.planes))
        return self._bits(a.shape, a.planes)

    def most_significant_bit(self, x: Numbers) -> Step[Bits]:
        yield from self._sent("most_significant_bit", x.size)
        return self._bits(x.shape)

    def to_bits(self, x: Numbers) -> Step[Bits]:
        yield from self._sent("to_bits", x.size)
        return self._bits(x.shape, (self.ring.bits,))

    def from_bits(self, a: Bits) -> Step[Numbers]:
        yield from self._sent("from_bits", a.size, prod(a.planes))
        return self._numbers(a.shape)

    def bit_to_arithmetic(self, a: Bits) -> Step[Numbers]:
        yield from self._sent("bit_to_arithmetic", a.size)
        return self._numbers(a.shape)

    def inject(self, a: Bits, x: Numbers) -> Step[Numbers]:
        yield from self._sent("inject", x.size)
        return self._numbers(x.shape)

    def select(self, a: Bits, x: Numbers, y: Numbers) -> Step[Numbers]:
        yield from self._sent("select", x.size)
        return self._numbers(x.shape)

    def lookup(self, a: Bits, b: Bits, tables: Sequence[Sequence[int]]) -> Step[list[Numbers]]:
        yield from self._sent("lookup", a.size, len(tables))
        return [self._numbers(a.shape) for _ in tables]

    def permute(
        self, permutation: NDArray[np.int64], x: Numbers, inverse: bool = False
    ) -> Step[Numbers]:
        yield from self._sent("permute", x.size, inverse)
        return self._numbers(x.shape)

    def permute_bits(
        self, permutation: NDArray[np.int64], a: Bits, inverse: bool = False
    ) -> Step[Bits]:
        yield from self._sent("permute_bits", a.size, inverse)
        return self._bits(a.shape)


def _product_shape(x: Numbers, y: Numbers) -> tuple[int, ...]:
    batch = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    rows = x.shape[-2:-1] if x.ndim > 1 else ()
    columns = y.shape[-1:] if y.ndim > 1 else ()
    return (*batch, *rows, *columns)
