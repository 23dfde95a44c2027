"""Element-by-element kernels and bit planes against the reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from kernel_arrays import NEXT, OWN, lanes, lengths, nonces, offsets, sources

from tacit.kernels import reference


@pytest.mark.parametrize("name", ["add", "xor"])
@given(source=sources, n=lengths, offset=offsets)
def test_add_and_xor(agree: Any, name: str, source: Any, n: int, offset: int) -> None:
    agree(name, source(n), source(n), source(n), offset=offset)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 6])
@given(source=sources, n=lengths)
def test_linear_combination(native: Any, source: Any, n: int, count: int) -> None:
    terms, factors = [source(n) for _ in range(count)], source(count).tolist()
    (constant,) = source(1).tolist()
    expected, out = source(n), source(n)
    reference.linear_combination(terms, factors, constant, expected)
    native.linear_combination(terms, factors, constant, out)
    np.testing.assert_array_equal(out, expected)


def test_terms_of_a_combination_are_checked(native: Any) -> None:
    x, out = np.zeros(8, np.uint64), np.zeros(8, np.uint64)
    for terms, factors, text in (
        ([x, x], [1], "as many factors"),
        ([x, x[:7]], [1, 1], "length"),
        ([x, out], [1, 1], "overlaps"),
        ([x], [-1], "0 to 2"),
    ):
        with pytest.raises(ValueError, match=text):
            native.linear_combination(terms, factors, 0, out)


@pytest.mark.parametrize("accumulate", [False, True])
@given(source=sources, n=lengths, offset=offsets)
def test_cross_terms(agree: Any, accumulate: bool, source: Any, n: int, offset: int) -> None:
    arrays = (source(n) for _ in range(5))
    agree("cross_terms", *arrays, offset=offset, accumulate=accumulate)


@pytest.mark.parametrize("name", ["multiply_share", "and_share"])
@given(source=sources, n=lengths, nonce=nonces, lane=lanes, offset=offsets)
def test_masked_products(
    agree: Any, name: str, source: Any, n: int, nonce: int, lane: int, offset: int
) -> None:
    shares = (source(n) for _ in range(4))
    agree(name, *shares, OWN, NEXT, nonce, lane, source(n), offset=offset)


@pytest.mark.parametrize("name", ["add_zero_share", "xor_zero_share"])
@given(source=sources, n=lengths, nonce=nonces, lane=lanes, offset=offsets)
def test_zero_shares(
    agree: Any, name: str, source: Any, n: int, nonce: int, lane: int, offset: int
) -> None:
    agree(name, source(n), OWN, NEXT, nonce, lane, offset=offset)


def test_factors_may_be_the_same_array(native: Any) -> None:
    x, out = np.arange(100, dtype=np.uint64), np.empty(100, np.uint64)
    native.cross_terms(x, x, x, x, out)
    np.testing.assert_array_equal(out, 3 * x * x)


@given(source=sources, n=lengths, offset=offsets)
def test_planes(agree: Any, source: Any, n: int, offset: int) -> None:
    shape = (64, -(-n // 64))
    agree("to_planes", source(n), source(*shape), offset=offset)
    agree("from_planes", source(*shape), source(n), offset=offset)


@given(source=sources, n=lengths)
def test_planes_and_back(native: Any, source: Any, n: int) -> None:
    x, planes, back = source(n), source(64, -(-n // 64)), source(n)
    native.to_planes(x, planes)
    native.from_planes(planes, back)
    np.testing.assert_array_equal(back, x)
