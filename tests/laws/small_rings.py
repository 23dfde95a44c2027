"""Rings of a few bits, over which real code runs with every value of all unknown masks at once.

On the last axis of every array element k is that under the k-th assignment of values to the masks
that an observer does not know (of packed bits: bit k).
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from tacit.sharing import pack_bits


class SmallRing:
    """Z_2^bits for a few bits, in bytes: what the protocols ask of a ring."""

    dtype = np.dtype(np.uint8)
    element_bytes = 1

    def __init__(self, bits: int, fill: Any) -> None:
        self.bits, self.top_bit, self.magnitude_bits = bits, bits - 1, bits - 2
        self.kernels = SimpleNamespace(
            fill=fill, to_planes=self.to_planes, joint_inject=self.joint_inject
        )

    def elements(self, values: Any) -> Any:
        return np.asarray(np.asarray(values, np.int64) % (1 << self.bits), np.uint8)

    def add(self, a: Any, b: Any, out: Any = None) -> Any:
        return self._into(out, self.elements(np.add(a, b, dtype=np.int64)))

    def subtract(self, a: Any, b: Any, out: Any = None) -> Any:
        return self._into(out, self.elements(np.subtract(a, b, dtype=np.int64)))

    def empty(self, shape: Any) -> Any:
        return np.empty(shape, self.dtype)

    def zeros(self, shape: Any) -> Any:
        return np.zeros(shape, self.dtype)

    def _into(self, out: Any, result: Any) -> Any:
        if out is None:
            return result
        out[...] = result
        return out

    def multiply(self, a: Any, b: Any) -> Any:
        return self.elements(np.multiply(a, b, dtype=np.int64))

    def negate(self, a: Any) -> Any:
        return self.subtract(0, a)

    def integers(self, a: Any) -> Any:
        half = 1 << self.top_bit
        return (np.asarray(a, np.int64) + half) % (2 * half) - half

    low_words = integers

    def shift_right(self, a: Any, bits: int, out: Any = None) -> Any:
        return self._into(out, self.elements(self.integers(a) >> bits))

    def shift_left(self, a: Any, bits: int) -> Any:
        return self.elements(np.asarray(a, np.int64) << bits)

    def joint_inject(self, *arguments: Any) -> None:
        *values, with_one, out = arguments
        p_s, b_s, x_s, p_t, b_t, x_t = (np.asarray(value, np.int64) for value in values)
        terms = p_s * (int(with_one) - 2 * b_t), b_s * (x_t - 2 * p_t), x_s * b_t
        out[...] = self.elements(sum(terms))

    def to_planes(self, x: Any, out: Any) -> None:
        for k in range(self.bits):
            out[k] = pack_bits(x >> k & 1)


class Masks:
    """Streams: constants where the observer holds the key, else all values, a symbol each."""

    def __init__(self, observer: int, bits: int) -> None:
        self.observer, self.bits = observer, bits
        self.used = 0
        self.symbols: dict[tuple[int, int], Any] = {}
        self.names: dict[int, int] = {}
        self.size = 1 << bits

    def _symbol(self, width: int) -> Any:
        values = np.arange(self.size) >> self.used & ((1 << width) - 1)
        self.used += width
        assert self.used <= self.bits, "more masks than were allowed for"
        return values

    def integers(self, width: int) -> Callable[..., None]:
        def fill(key: Any, nonce: int, lane: int, out: Any) -> None:
            rows = out.reshape(-1, out.shape[-1])
            rows[...] = self.drawn(key, nonce, lane, len(rows), width)

        return fill

    def packed(self, key: Any, nonce: int, lane: int, out: Any) -> None:
        planes = out.reshape(-1, out.shape[-1])
        for plane, values in zip(planes, self.drawn(key, nonce, lane, len(planes), 1), strict=True):
            plane[...] = pack_bits(np.broadcast_to(values, self.size))

    def drawn(self, key: Any, nonce: int, lane: int, count: int, width: int) -> Any:
        j = self.names[id(key)]
        if j != self.observer:
            rng = np.random.default_rng([j, nonce, lane])
            return rng.integers(0, 1 << width, (count, 1))
        place = (nonce, lane)
        if place not in self.symbols:
            self.symbols[place] = np.stack([self._symbol(width) for _ in range(count)])
        return self.symbols[place]
