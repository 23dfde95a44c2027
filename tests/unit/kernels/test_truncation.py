"""Products with truncation: each step against the reference, and all steps together."""

from __future__ import annotations

from typing import Any

import kernel_roles as roles
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_arrays import NEXT, OWN, lengths, nonces, offsets, sources

from tacit.kernels import reference

fields = st.one_of(
    st.tuples(st.integers(1, 16), st.just(np.uint16)),
    st.tuples(st.integers(1, 32), st.just(np.uint32)),
    st.tuples(st.integers(1, 62), st.just(np.uint64)),
)


def factors(source: Any, n: int, product: bool) -> tuple[Any, ...]:
    """Shares of x and y, or their product z."""
    if product:
        return (None, None, None, None, source(n))
    return (source(n), source(n), source(n), source(n), None)


@pytest.mark.parametrize("role", ["B", "C"])
@given(
    source=sources, n=lengths, product=st.booleans(), nonce=nonces, m=st.integers(1, 62),
    offset=offsets,
)  # fmt: skip
def test_mask(
    agree: Any, role: str, source: Any, n: int, product: bool, nonce: int, m: int, offset: int
) -> None:
    out = (source(n), source(n))
    agree("truncation_mask", role, *factors(source, n, product), OWN, nonce, m, *out, offset=offset)


@given(
    source=sources, n=lengths, product=st.booleans(), second=st.booleans(), nonce=nonces,
    field=fields, offset=offsets,
)  # fmt: skip
def test_open(
    agree: Any, source: Any, n: int, product: bool, second: bool, nonce: int, field: Any,
    offset: int,
) -> None:  # fmt: skip
    m, dtype = field
    agree(
        "truncation_open", *factors(source, n, product), source(n), source(n) if second else None,
        OWN, NEXT, nonce, m, source(n), source(n), source(n), source(n, dtype=dtype),
        offset=offset,
    )  # fmt: skip


@given(source=sources, n=lengths, nonce=nonces, field=fields, offset=offsets)
def test_carries(agree: Any, source: Any, n: int, nonce: int, field: Any, offset: int) -> None:
    m, dtype = field
    out = (source(n), source(n, dtype=dtype))
    agree("truncation_carry_b", OWN, nonce, m, source(n), *out, offset=offset)
    received = (source(n), source(n, dtype=dtype))
    agree("truncation_carry_c", *received, NEXT, nonce, m, source(n), *out, offset=offset)


@given(source=sources, n=lengths, field=fields, offset=offsets)
def test_finish(agree: Any, source: Any, n: int, field: Any, offset: int) -> None:
    m, dtype = field
    parts = (source(n, dtype=dtype), source(n, dtype=dtype))
    agree("truncation_finish", *parts, m, source(n), offset=offset)


@pytest.mark.parametrize(
    ("m", "dtype"),
    [(1, np.uint16), (16, np.uint16), (18, np.uint32), (40, np.uint64), (62, np.uint64)],
)
@pytest.mark.parametrize("which", ["native", "reference"])
def test_the_roles_together_truncate(native: Any, which: str, m: int, dtype: Any) -> None:
    """The result is the product shifted, exact or one unit above, without a wrap."""
    kernels = native if which == "native" else reference
    rng = np.random.default_rng(m)
    x = rng.integers(-(1 << 31), 1 << 31, 3000)
    y = rng.integers(-(1 << 30), 1 << 30, 3000)
    x[:2], y[:2] = (-(1 << 31), (1 << 31) - 1), ((1 << 31) - 1, (1 << 31) - 1)
    shares = roles.product_truncated(
        kernels, roles.share(x.view(np.uint64), rng), roles.share(y.view(np.uint64), rng), m, dtype
    )
    error = (shares[0] + shares[1] + shares[2]).view(np.int64) - ((x * y) >> m)
    assert set(np.unique(error)) <= {0, 1}


@pytest.mark.parametrize("m", [0, 63, 64, 2**32 - 1])
def test_bits_out_of_range(native: Any, m: int) -> None:
    x, field = np.zeros(3, np.uint64), np.zeros(3, np.uint64)
    with pytest.raises(ValueError, match="between 1 and 62"):
        native.truncation_finish(field, field, m, x)


def test_fields_hold_m_bits_and_agree(native: Any) -> None:
    x = np.zeros(3, np.uint64)
    narrow, wide = np.zeros(3, np.uint16), np.zeros(3, np.uint32)
    with pytest.raises(ValueError, match="narrower"):
        native.truncation_finish(narrow, narrow, 17, x)
    with pytest.raises(ValueError, match="element type"):
        native.truncation_finish(narrow, wide, 10, x)


def test_a_product_needs_factors(native: Any) -> None:
    x, y = np.zeros(3, np.uint64), np.zeros(3, np.uint64)
    key = native.StreamKey(bytes(16))
    with pytest.raises(TypeError, match="either z or all four"):
        native.truncation_mask("B", x, x, x, None, None, key, 0, 4, x, y)


@given(
    source=sources, n=lengths, second=st.booleans(), nonce=nonces, field=fields, offset=offsets,
    added=st.sampled_from([0, 1 << 62]),
)  # fmt: skip
def test_joint_halves(
    agree: Any, source: Any, n: int, second: bool, nonce: int, field: Any, offset: int, added: int
) -> None:
    m, dtype = field
    agree(
        "joint_halves", source(n), source(n) if second else None, added, m, OWN, nonce, (1, 3),
        source(n), source(n), source(n, dtype=dtype), source(n, dtype=dtype), offset=offset,
    )  # fmt: skip


@given(source=sources, n=lengths, nonce=nonces, field=fields, offset=offsets)
def test_joint_carries(
    agree: Any, source: Any, n: int, nonce: int, field: Any, offset: int
) -> None:
    m, dtype = field
    factors = (source(n, dtype=dtype), source(n, dtype=dtype))
    added = (1 - (1 << (62 - m))) % (1 << 64)
    out = (source(n), source(n), source(n, dtype=dtype))
    agree("joint_carry", *factors, OWN, nonce, 2, m, added, *out, offset=offset)
    agree("joint_placed", source(n, dtype=dtype), m, added, source(n), offset=offset)
