"""What most tests need: the parties of a protocol in this process, and sharings dealt to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit import kernels
from tacit.encoding import RING64, Ring
from tacit.kernels import reference, wide, wide_reference
from tacit.protocols import PROTOCOLS
from tacit.rounds import LockstepDriver, Round
from tacit.rounds.randomness import SeededRandomness, deal_pairwise_seeds
from tacit.sharing import (
    Replicated,
    Replicated4,
    Replicated4Bits,
    ReplicatedBits,
    pack_bits,
    unpack_bits,
)

NAMES = ("alice", "bob", "carol")
FOUR = (*NAMES, "dave")

EDGES = np.array(
    [
        0, 1, -1, 2, -2, (1 << 62) - 1, -(1 << 62), 1 << 62, -(1 << 62) - 1, (1 << 63) - 1,
        -(1 << 63), 1 - (1 << 63), 1 << 18, -(1 << 18), (1 << 18) - 1, 1 << 31, -(1 << 31), 1 << 32,
    ],
    np.int64,
)  # fmt: skip
"""Values where two's complement, truncation and comparison could go wrong."""

SIZES = (0, 1, 2, 3, 63, 64, 65, 191, 192, 193, 511, 512, 513, 4095, 4096, 4097, 9000)
"""Numbers of elements where thirds, words and blocks begin or end."""


def integers(rng: np.random.Generator, shape: Any, bits: int = 63) -> NDArray[np.int64]:
    """Random integers in [-2^bits, 2^bits)."""
    low, high = -(1 << bits), (1 << bits) - 1
    return rng.integers(low, high, shape, dtype=np.int64, endpoint=True)


def ring(values: Any) -> NDArray[np.uint64]:
    """Signed integers as ring elements."""
    array = np.array(values, np.int64, order="C")
    return array.view(np.uint64)


def uniform(rng: np.random.Generator, shape: Any, over: Ring = RING64) -> Any:
    """Uniform ring elements."""
    size = prod(np.empty(shape, np.bool_).shape)
    return np.frombuffer(rng.bytes(over.element_bytes * size), over.dtype).reshape(shape)


def split_words(
    words: Any, rng: np.random.Generator, combine: Any = np.subtract, count: int = 3
) -> list[Any]:
    """Uniform shares of words; `combine` takes shares off (subtract or XOR)."""
    shares = [uniform_like(words, rng) for _ in range(count - 1)]
    return [*shares, reduce(combine, shares, words)]


def uniform_like(words: Any, rng: np.random.Generator) -> Any:
    return np.frombuffer(rng.bytes(words.nbytes), words.dtype).reshape(words.shape)


def parts_of(shares: list[Any]) -> list[Any]:
    """Every party's part of a sharing over a ring, from all its shares."""
    if len(shares) == 3:
        return [Replicated(shares[i], shares[(i + 1) % 3]) for i in range(3)]
    return [Replicated4({j: shares[j] for j in range(4) if j != i}) for i in range(4)]


def bit_parts_of(shares: list[Any], shape: tuple[int, ...]) -> list[Any]:
    """Every party's part of a sharing of bits, from all its shares."""
    if len(shares) == 3:
        return [ReplicatedBits(shares[i], shares[(i + 1) % 3], shape) for i in range(3)]
    held = [[j for j in range(4) if j != i] for i in range(4)]
    return [Replicated4Bits({j: shares[j] for j in held[i]}, shape) for i in range(4)]


def shares_of(parts: Sequence[Any]) -> list[list[Any]]:
    """Of every share all holders' copies."""
    if len(parts) == 3:
        return [[parts[j].own, parts[j - 1].next] for j in range(3)]
    return [[parts[i].shares[j] for i in range(4) if i != j] for j in range(4)]


class Simulation:
    """The parties of one session, set up, and the driver between them.

    Parameters
    ----------
    seed : int
        Of the keys and of dealt sharings.
    driver : LockstepDriver, optional
        Drives what is run, not the set-up.
    protocol : str
    rounding : str
        How the parties' truncations round.
    over : Ring
        What shares are elements of.
    """

    def __init__(
        self,
        seed: int = 1,
        driver: LockstepDriver | None = None,
        protocol: str = "replicated3",
        rounding: Any = "probabilistic",
        over: Ring = RING64,
    ) -> None:
        self.ring = over
        record = PROTOCOLS[protocol]
        self.names = FOUR[: record.security.parties]
        source = SeededRandomness(seed)
        self.seeds = deal_pairwise_seeds(self.names, source)
        self.parties: list[Any] = [
            record.party(self.names, i, self.seeds[i], rounding=rounding, ring=over)
            for i in range(len(self.names))
        ]
        if record.setup is not None:
            LockstepDriver(self.names).run([record.setup(p, source) for p in self.parties])
        self.driver = driver or LockstepDriver(self.names)
        self.rng = np.random.default_rng(seed)

    def run(self, step: Callable[..., Any], *shared: Sequence[Any], stage: str = "test") -> Any:
        """Run ``step(party, *parts)`` at every party; `shared` are lists of parts by party."""
        steps = [step(p, *(s[i] for s in shared)) for i, p in enumerate(self.parties)]
        return self.driver.run(steps, stage)

    def local(self, f: Callable[..., Any], *shared: Sequence[Any]) -> list[Any]:
        """``f(party, *parts)`` at every party, without communication."""
        return [f(p, *(s[i] for s in shared)) for i, p in enumerate(self.parties)]

    def share(self, values: Any) -> list[Any]:
        """A fresh uniform sharing of integers."""
        over, array = self.ring, np.asarray(values)
        elements = over.elements(array if array.dtype.kind in "iO" else array.astype(np.int64))
        return parts_of(split_words(elements, self.rng, over.subtract, len(self.names)))

    def share_bits(self, bits: Any, planes: int = 0) -> list[Any]:
        """A fresh uniform sharing of an array of 0 and 1; with the first `planes` axes planes."""
        array = np.asarray(bits, np.uint8)
        shape = array.shape[planes:]
        count, size = prod(array.shape[:planes]), prod(shape)
        words = np.stack([pack_bits(row) for row in array.reshape(count, size)])
        words = words.reshape(*array.shape[:planes], words.shape[-1])
        return bit_parts_of(split_words(words, self.rng, np.bitwise_xor, len(self.names)), shape)

    def open(self, parts: Sequence[Any]) -> NDArray[Any]:
        """The secret integers; checks that all copies of every share agree."""
        shares = shares_of(parts)
        for first, *others in shares:
            for other in others:
                np.testing.assert_array_equal(first, other)
        secret = np.ascontiguousarray(reduce(self.ring.add, (copies[0] for copies in shares)))
        return self.ring.integers(secret).reshape(parts[0].shape)

    def open_bits(self, parts: Sequence[Any]) -> NDArray[np.uint8]:
        """The secret bits; checks that all copies of every share agree where it matters."""
        shares, shape = shares_of(parts), parts[0].shape
        for first, *others in shares:
            for other in others:
                assert not unpack_bits(first ^ other, shape).any(), "the copies of a share differ"
        return unpack_bits(reduce(np.bitwise_xor, (copies[0] for copies in shares)), shape)


class Listener(LockstepDriver):
    """Lockstep that keeps what one party received, array by array.

    Attributes
    ----------
    heard : list of ndarray of uint8
        The observer's view: each array's bytes, in order.
    origins : list of (int, int)
        For each, the round and the sender.
    """

    def __init__(
        self, observer: int, *, checks: bool = False, names: tuple[str, ...] = NAMES
    ) -> None:
        super().__init__(names)
        self.observer = observer
        self.checks = checks
        self.heard: list[NDArray[np.uint8]] = []
        self.origins: list[tuple[int, int]] = []
        self.items: list[int] = []

    def waited(self, party: int, current: Round) -> None:
        if party != self.observer:
            return
        boxes = (current.receive, current.check_receive) if self.checks else (current.receive,)
        for box in boxes:
            for peer in sorted(box):
                for array in box[peer]:
                    self.heard.append(array.reshape(-1).view(np.uint8).copy())
                    self.origins.append((self.round_number, peer))
                    self.items.append(array.itemsize)


def use_reference(monkeypatch: Any) -> None:
    """Let the protocols compute with the reference kernels, whose streams can be watched."""
    for name in kernels.__all__:
        monkeypatch.setattr(kernels, name, getattr(reference, name))
    for name in wide_reference.__all__:
        monkeypatch.setattr(wide, name, getattr(wide_reference, name))
