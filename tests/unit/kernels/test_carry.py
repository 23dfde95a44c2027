"""The carry tree: each step against the reference, and all steps together."""

from __future__ import annotations

from typing import Any

import kernel_roles as roles
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_arrays import NEXT, OWN, lanes, lengths, nonces, offsets, sources

from tacit.kernels import reference

widths = st.sampled_from([1, 8])


@given(source=sources, n=lengths, width=widths, top=st.booleans(), nonce=nonces, offset=offsets)
def test_monomials(
    agree: Any, source: Any, n: int, width: int, top: bool, nonce: int, offset: int
) -> None:
    blocks = -(-n // (64 * width))
    outputs = [source(blocks, planes, width) for planes in (147 + top, 41, 41, 1, 1)]
    shares = (source(n), source(n))
    agree("carry_monomials", *shares, OWN, NEXT, nonce, width, top, *outputs, offset=offset)


@pytest.mark.parametrize("role", ["B", "C"])
@given(source=sources, n=lengths, width=widths, top=st.booleans(), nonce=nonces, offset=offsets)
def test_generate(
    agree: Any, role: str, source: Any, n: int, width: int, top: bool, nonce: int, offset: int
) -> None:
    blocks = -(-n // (64 * width))
    message = source(blocks, 147 + top, width) if role == "C" else None
    outputs = [source(blocks, planes, width) for planes in (41, 41, 1, 1)]
    agree(
        "carry_generate", role, source(n), message, OWN, nonce, width, top, *outputs, offset=offset
    )


@given(
    source=sources, blocks=st.integers(0, 9), pairs=st.integers(1, 24), width=widths,
    tail=st.one_of(st.none(), st.integers(0, 3)), nonce=nonces, lane=lanes, offset=offsets,
)  # fmt: skip
def test_level(
    agree: Any, source: Any, blocks: int, pairs: int, width: int, tail: int | None, nonce: int,
    lane: int, offset: int,
) -> None:  # fmt: skip
    joined = (pairs + (tail is not None)) // 2
    if joined == 0:
        return
    state = [source(blocks, 2 * pairs - 1, width) for _ in range(2)]
    tails = [None if tail is None else source(blocks, 5, width) for _ in range(2)]
    extra = source(blocks, 1, width) if joined == 1 else None
    agree(
        "carry_level", *state, *tails, tail or 0, OWN, NEXT, nonce, lane, extra,
        source(blocks, 2 * joined - 1, width), offset=offset,
    )  # fmt: skip


def test_extra_is_for_the_last_level(native: Any) -> None:
    state, out, extra = (np.zeros((2, p, 1), np.uint64) for p in (9, 3, 1))
    key = native.StreamKey(bytes(16))
    with pytest.raises(ValueError, match="last level"):
        native.carry_level(state, state, None, None, 0, key, key, 0, 0, extra, out)


@pytest.mark.parametrize("tail", [4, 5, 2**31 - 1])
def test_the_tail_lies_within_its_arrays(native: Any, tail: int) -> None:
    state, out, extra = (np.zeros((2, p, 1), np.uint64) for p in (5, 3, 5))
    key = native.StreamKey(bytes(16))
    with pytest.raises(ValueError, match="tail"):
        native.carry_level(state, state, extra, extra, tail, key, key, 0, 0, None, out)


@pytest.mark.parametrize("width", [0, 2, 7, 16])
def test_widths(native: Any, width: int) -> None:
    x, key = np.zeros(5, np.uint64), native.StreamKey(bytes(16))
    planes = [np.zeros((1, p, width), np.uint64) for p in (147, 41, 41, 1, 1)]
    with pytest.raises(ValueError, match="width"):
        native.carry_monomials(x, x, key, key, 0, width, False, *planes)


@pytest.mark.parametrize("width", [1, 8])
@pytest.mark.parametrize("n", [1, 63, 64, 65, 511, 512, 513, 2000])
@pytest.mark.parametrize("which", ["native", "reference"])
def test_the_roles_together_find_the_sign(native: Any, which: str, n: int, width: int) -> None:
    kernels = native if which == "native" else reference
    rng = np.random.default_rng(n)
    x = rng.integers(-(1 << 63), (1 << 63) - 1, n)
    edges = np.array([0, -1, 1, (1 << 63) - 1, -(1 << 63), 1 << 62, -(1 << 62)])[:n]
    x[: edges.size] = edges
    words = roles.sign_bits(kernels, roles.share(x.view(np.uint64), rng), width)
    bits = np.unpackbits(words.view(np.uint8), bitorder="little")
    np.testing.assert_array_equal(bits[:n], x < 0)
    assert not bits[n:].any()
