"""Matrix products against NumPy: shapes, strides, broadcasting, outputs, threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_arrays import sources

from tacit.kernels import reference

sizes = st.one_of(st.sampled_from([0, 1, 2, 4, 5, 15, 16, 17]), st.integers(0, 70))


def strided(source: Any, shape: tuple[int, ...], layout: int) -> Any:
    """An array of this shape whose memory lies in one of many ways."""
    rows, columns = shape[-2:]
    batch = shape[:-2]
    match layout % 8:
        case 0:
            return source(*shape)
        case 1:
            return source(*batch, columns, rows).swapaxes(-1, -2)
        case 2:
            return source(*batch, rows, columns)[..., ::-1, :]
        case 3:
            return source(*batch, rows, columns)[..., ::-1]
        case 4:
            return source(*batch, 2 * rows, 3 * columns)[..., ::2, 1::3]
        case 5:
            return source(*batch, columns, rows + 3)[..., ::-1, 3:].swapaxes(-1, -2)[..., ::-1, :]
        case 6:
            return np.broadcast_to(source(*batch, 1, columns), shape)
        case _:
            return np.broadcast_to(source(*batch, rows, 1), shape)


@given(
    source=sources, m=sizes, k=sizes, n=sizes, layouts=st.tuples(*[st.integers(0, 7)] * 2),
    out_layout=st.one_of(st.none(), st.integers(0, 5)), accumulate=st.booleans(),
    threads=st.integers(1, 4),
)  # fmt: skip
def test_products(
    native: Any, source: Any, m: int, k: int, n: int, layouts: tuple[int, int],
    out_layout: int | None, accumulate: bool, threads: int,
) -> None:  # fmt: skip
    a, b = strided(source, (m, k), layouts[0]), strided(source, (k, n), layouts[1])
    out = None if out_layout is None else strided(source, (m, n), out_layout)
    wanted = reference.matmul(a, b, out=None if out is None else out.copy(), accumulate=accumulate)
    got = native.matmul(a, b, out=out, accumulate=accumulate, threads=threads)
    np.testing.assert_array_equal(got, wanted)
    assert out is None or got is out


@given(
    source=sources,
    shapes=st.sampled_from(
        [
            ((2, 3, 4), (4, 5)),
            ((3, 4), (2, 4, 5)),
            ((2, 1, 3, 4), (5, 4, 2)),
            ((1, 3, 4), (6, 4, 1)),
            ((0, 3, 4), (4, 5)),
            ((2, 3, 0), (2, 0, 5)),
            ((7, 1, 9), (7, 9, 1)),
        ]
    ),
    layouts=st.tuples(*[st.integers(0, 7)] * 2),
    accumulate=st.booleans(),
)
def test_batches(
    native: Any, source: Any, shapes: Any, layouts: tuple[int, int], accumulate: bool
) -> None:
    a, b = (strided(source, s, layout) for s, layout in zip(shapes, layouts, strict=True))
    out = source(*np.matmul(a, b).shape)
    wanted = reference.matmul(a, b, out=out.copy(), accumulate=accumulate)
    np.testing.assert_array_equal(native.matmul(a, b, out=out, accumulate=accumulate), wanted)
    np.testing.assert_array_equal(native.matmul(a, b), reference.matmul(a, b))


@pytest.mark.parametrize(
    "shape", [(300, 700, 260), (129, 1030, 33), (1, 3000, 700), (700, 3000, 1), (1500, 3, 1200)]
)
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_larger_than_the_blocks(native: Any, shape: tuple[int, int, int], threads: int) -> None:
    rng = np.random.default_rng(1)
    m, k, n = shape
    a = rng.integers(0, 1 << 64, (m, k), dtype=np.uint64)
    b = rng.integers(0, 1 << 64, (k, n), dtype=np.uint64)
    np.testing.assert_array_equal(native.matmul(a, b, threads=threads), a @ b)
    np.testing.assert_array_equal(native.matmul(b.T, a.T, threads=threads), (a @ b).T)


@pytest.mark.parametrize("value", [0, 1, 2**52 - 1, 2**52, 2**63, 2**64 - 1])
def test_extreme_values(native: Any, value: int) -> None:
    """Long sums of the largest digits, where a lost carry would show."""
    a = np.full((7, 2100), value, np.uint64)
    b = np.full((2100, 19), 2**64 - 1, np.uint64)
    expected = value * (2**64 - 1) * 2100 % 2**64
    assert (native.matmul(a, b) == expected).all()


@pytest.mark.parametrize(
    ("a", "b"),
    [((2, 3), (4, 5)), ((3, 2, 3), (2, 3, 4)), ((3,), (3, 4)), ((3, 4), (4,)), ((), ())],
)
def test_shapes_that_do_not_fit(native: Any, a: tuple[int, ...], b: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"shapes|broadcast|dimensions"):
        native.matmul(np.zeros(a, np.uint64), np.zeros(b, np.uint64))


def test_outputs_that_cannot_be(native: Any) -> None:
    a = np.zeros((4, 4), np.uint64)
    with pytest.raises(ValueError, match="shape of the product"):
        native.matmul(a, a, out=np.zeros((4, 5), np.uint64))
    with pytest.raises(ValueError, match="overlaps another"):
        native.matmul(a, a, out=a)
    with pytest.raises(ValueError, match=r"read-only|overlap"):
        native.matmul(a, a, out=np.broadcast_to(np.zeros(4, np.uint64), (4, 4)))
    row = np.lib.stride_tricks.as_strided(np.zeros(20, np.uint64), (4, 4), (8, 8))
    with pytest.raises(ValueError, match="elements of out overlap"):
        native.matmul(a, a, out=row)
    with pytest.raises(TypeError, match="uint64"):
        native.matmul(a, a, out=np.zeros((4, 4), np.int64))
    with pytest.raises(ValueError, match="at least 1"):
        native.matmul(a, a, threads=0)


def test_strides_within_elements(native: Any) -> None:
    records = np.zeros((4, 4), [("a", np.uint64), ("b", np.uint32)])
    a = np.ones((4, 4), np.uint64)
    with pytest.raises(ValueError, match=r"whole elements|aligned"):
        native.matmul(records["a"], a)
