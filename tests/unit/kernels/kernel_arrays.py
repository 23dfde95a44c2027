"""Arrays for the kernels' tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

Ring = npt.NDArray[np.uint64]

SPECIAL = np.array([0, 1, 2**63 - 1, 2**63, 2**64 - 1, 2**62, 2**52, 2**32 - 1], np.uint64)


def words(seed: int) -> Callable[..., Ring]:
    """A source of random arrays of words with special values sprinkled in."""
    rng = np.random.default_rng(seed)

    def draw(*shape: int, dtype: type[Any] = np.uint64) -> Any:
        out = rng.integers(0, 1 << 64, shape, dtype=np.uint64)
        special = rng.choice(SPECIAL, shape)
        return np.where(rng.random(shape) < 0.1, special, out).astype(dtype)

    return draw


sources = st.integers(0, 2**32 - 1).map(words)
lengths = st.one_of(
    st.sampled_from([0, 1, 2, 7, 8, 9, 63, 64, 65, 511, 512, 513, 1024, 1025]),
    st.integers(0, 1500),
)
offsets = st.integers(0, 7)
nonces = st.integers(0, 2**64 - 1)
lanes = st.integers(0, 2**16 - 1)


class Key:
    """A key argument: made anew for the reference and for the kernel."""

    def __init__(self, number: int) -> None:
        self.bytes = bytes([number]) * 16


OWN, NEXT = Key(1), Key(2)
