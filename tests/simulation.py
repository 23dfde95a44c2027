"""What most tests need: the parties of a protocol in this process, and sharings dealt to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from tacit.sharing import Replicated, ReplicatedBits, pack_bits, reconstruct, reconstruct_bits

NAMES = ("alice", "bob", "carol")

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
    words: NDArray[np.uint64], rng: np.random.Generator, combine: Any = np.subtract
) -> list[NDArray[np.uint64]]:
    """Three uniform shares of words; `combine` takes shares off (subtract or XOR)."""
    shares = [rng.integers(0, 1 << 64, words.shape, dtype=np.uint64) for _ in range(2)]
    return [*shares, combine(combine(words, shares[0]), shares[1])]


class Simulation:
    """The parties of one session and the driver between them.

    Parameters
    ----------
    seed : int
        Of the pairwise seeds and of dealt sharings.
    driver : LockstepDriver, optional
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
        self.seeds = deal_pairwise_seeds(NAMES, SeededRandomness(seed))
        make = PROTOCOLS[protocol].party
        self.parties: list[Any] = [
            make(NAMES, i, self.seeds[i], rounding=rounding, ring=over) for i in range(3)
        ]
        self.driver = driver or LockstepDriver(NAMES)
        self.rng = np.random.default_rng(seed)

    def run(self, step: Callable[..., Any], *shared: Sequence[Any], stage: str = "test") -> Any:
        """Run ``step(party, *parts)`` at every party; `shared` are lists of parts by party."""
        steps = [step(p, *(s[i] for s in shared)) for i, p in enumerate(self.parties)]
        return self.driver.run(steps, stage)

    def local(self, f: Callable[..., Any], *shared: Sequence[Any]) -> list[Any]:
        """``f(party, *parts)`` at every party, without communication."""
        return [f(p, *(s[i] for s in shared)) for i, p in enumerate(self.parties)]

    def share(self, values: Any) -> list[Replicated]:
        """A fresh uniform sharing of integers."""
        over, array = self.ring, np.asarray(values)
        elements = over.elements(array if array.dtype.kind in "iO" else array.astype(np.int64))
        shares = [uniform(self.rng, elements.shape, over) for _ in range(2)]
        shares.append(over.subtract(over.subtract(elements, shares[0]), shares[1]))
        return [Replicated(shares[i], shares[(i + 1) % 3]) for i in range(3)]

    def share_bits(self, bits: Any, planes: int = 0) -> list[ReplicatedBits]:
        """A fresh uniform sharing of an array of 0 and 1; with the first `planes` axes planes."""
        array = np.asarray(bits, np.uint8)
        shape = array.shape[planes:]
        count, size = prod(array.shape[:planes]), prod(shape)
        words = np.stack([pack_bits(row) for row in array.reshape(count, size)])
        words = words.reshape(*array.shape[:planes], words.shape[-1])
        shares = split_words(words, self.rng, np.bitwise_xor)
        return [ReplicatedBits(shares[i], shares[(i + 1) % 3], shape) for i in range(3)]

    def open(self, parts: Sequence[Replicated]) -> NDArray[Any]:
        """The secret integers; checks that the two copies of every share agree."""
        for i in range(3):
            np.testing.assert_array_equal(parts[i].next, parts[(i + 1) % 3].own)
        secret = np.ascontiguousarray(reconstruct(parts, self.ring))
        return self.ring.integers(secret).reshape(parts[0].shape)

    def open_bits(self, parts: Sequence[ReplicatedBits]) -> NDArray[np.uint8]:
        """The secret bits; checks that the two copies of every share agree where it matters."""
        for i in range(3):
            swapped = [parts[(i + 1) % 3].own ^ parts[i].next, parts[0].own & 0, parts[0].own & 0]
            zero = [
                ReplicatedBits(swapped[k], swapped[(k + 1) % 3], parts[0].shape) for k in range(3)
            ]
            assert not reconstruct_bits(zero).any(), "the two copies of a share differ"
        return reconstruct_bits(parts)


class Listener(LockstepDriver):
    """Lockstep that keeps what one party received, array by array.

    Attributes
    ----------
    heard : list of ndarray of uint8
        The observer's view: each array's bytes, in order.
    origins : list of (int, int)
        For each, the round and the sender.
    """

    def __init__(self, observer: int, *, checks: bool = False) -> None:
        super().__init__(NAMES)
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
