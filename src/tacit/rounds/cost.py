"""What a computation costs: rounds, bytes and seconds, counted by the driver."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np

from tacit.rounds.contract import Outbox, Round

__all__ = [
    "Cost",
    "CostTable",
    "Counter",
    "Declaration",
    "beside",
    "in_turn",
    "product_size",
]


@dataclass(frozen=True, slots=True)
class Cost:
    """Rounds, bytes and seconds of a stretch of computation.

    Attributes
    ----------
    rounds : int
        Rounds of communication, merged ones counted once.
    bytes_sent : dict of str to int
        Payload bytes each party sent, without frame headers and TLS records.
    check_bytes : dict of str to int
        Bytes of hashes and other check values each party sent, not in `bytes_sent`.
    seconds : float
        Elapsed seconds.
    """

    rounds: int = 0
    bytes_sent: dict[str, int] = field(default_factory=dict)
    check_bytes: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.rounds + other.rounds,
            _added(self.bytes_sent, other.bytes_sent, 1),
            _added(self.check_bytes, other.check_bytes, 1),
            self.seconds + other.seconds,
        )

    def __sub__(self, other: Cost) -> Cost:
        return Cost(
            self.rounds - other.rounds,
            _added(self.bytes_sent, other.bytes_sent, -1),
            _added(self.check_bytes, other.check_bytes, -1),
            self.seconds - other.seconds,
        )

    @property
    def total_bytes(self) -> int:
        """Payload bytes of all parties together."""
        return sum(self.bytes_sent.values())


def _added(a: Mapping[str, int], b: Mapping[str, int], sign: int) -> dict[str, int]:
    return {name: a.get(name, 0) + sign * b.get(name, 0) for name in {**a, **b}}


def _size(box: Outbox) -> int:
    return sum(array.nbytes for arrays in box.values() for array in arrays)


class Counter:
    """Counts what one party sends. Drivers own one a party."""

    def __init__(self) -> None:
        self.rounds = 0
        self.bytes_sent = 0
        self.check_bytes = 0

    def count(self, current: Round) -> None:
        """Count one round of this party."""
        self.rounds += current.depth
        self.bytes_sent += _size(current.send)
        self.check_bytes += _size(current.check)


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a primitive declares to cost, compared with the measured traffic by the cost tests.

    Attributes
    ----------
    rounds : int
        Rounds of communication.
    bytes_sent : tuple of int
        Payload bytes each party sends, by index.
    check_bytes : tuple of int
        Check bytes each party sends, by index; none if not given.
    """

    rounds: int
    bytes_sent: Sequence[int]
    check_bytes: Sequence[int] = ()

    def __post_init__(self) -> None:
        if not self.check_bytes:
            object.__setattr__(self, "check_bytes", (0,) * len(self.bytes_sent))


def in_turn(*steps: Declaration) -> Declaration:
    """What steps cost one after the other."""
    return Declaration(
        sum(step.rounds for step in steps),
        tuple(map(sum, zip(*(step.bytes_sent for step in steps), strict=True))),
        tuple(map(sum, zip(*(step.check_bytes for step in steps), strict=True))),
    )


def beside(*steps: Declaration) -> Declaration:
    """What steps cost side by side: the rounds of the longest."""
    every = in_turn(*steps)
    return Declaration(max(s.rounds for s in steps), every.bytes_sent, every.check_bytes)


class CostTable(dict[str, Callable[..., Declaration]]):
    """What the primitives of a protocol cost in one ring.

    Attributes
    ----------
    ring_bits : int
        The bits of the ring.
    """

    def __init__(self, ring_bits: int, declared: Mapping[str, Callable[..., Declaration]]) -> None:
        super().__init__(declared)
        self.ring_bits = ring_bits


def product_size(x_shape: tuple[int, ...], y_shape: tuple[int, ...]) -> int:
    """Elements of a matrix product of arrays of these shapes, by NumPy's rules."""
    batch = np.broadcast_shapes(x_shape[:-2], y_shape[:-2])
    return prod((*batch, *x_shape[-2:-1], *(y_shape[-1:] if len(y_shape) > 1 else ())))
