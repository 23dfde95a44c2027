"""Common shapes and types of operands."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tacit.encoding import DType, bool_, fixed, fixed_point, int64
from tacit.errors import RangeError, ShapeError, TypeMismatchError
from tacit.operations.promotion import (
    broadcast_shape,
    common_type,
    encoded,
    product_type,
    public_array,
)
from tacit.operations.types import ArrayType, public_type

COARSE, FINE = fixed_point(10), fixed_point(26)


def secret(dtype: DType) -> ArrayType:
    return ArrayType(dtype, (2,))


def public(dtype: DType) -> ArrayType:
    return ArrayType(dtype, (2,), public=True)


@given(hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=4, max_side=4, min_side=0))
def test_shapes_broadcast_as_in_numpy(shapes: hnp.BroadcastableShapes) -> None:
    assert broadcast_shape("add", *shapes.input_shapes) == shapes.result_shape


@given(st.lists(hnp.array_shapes(min_dims=0, max_dims=3, max_side=3), min_size=2, max_size=3))
def test_shapes_that_do_not_broadcast_are_refused_as_in_numpy(
    shapes: list[tuple[int, ...]],
) -> None:
    try:
        expected = np.broadcast_shapes(*shapes)
    except ValueError:
        with pytest.raises(ShapeError, match="add"):
            broadcast_shape("add", *shapes)
    else:
        assert broadcast_shape("add", *shapes) == expected


@pytest.mark.parametrize(
    ("types", "common", "product"),
    [
        ([secret(fixed), secret(fixed)], fixed, fixed),
        ([secret(COARSE), secret(FINE)], FINE, COARSE),
        ([secret(int64), secret(COARSE)], COARSE, COARSE),
        ([secret(int64), secret(int64)], int64, int64),
        ([secret(int64), public(fixed)], fixed, fixed),
        ([secret(int64), public(int64)], int64, int64),
        ([secret(FINE), public(fixed)], FINE, FINE),
        ([secret(COARSE), public(bool_)], COARSE, COARSE),
    ],
)
def test_common_types(types: list[ArrayType], common: DType, product: DType) -> None:
    for order in (types, types[::-1]):
        assert common_type("add", order) == common
        assert product_type("multiply", order) == product


def test_secret_booleans_are_no_numbers() -> None:
    with pytest.raises(TypeMismatchError, match=r"astype\(tacit.int64\)") as caught:
        common_type("add", [secret(fixed), secret(bool_)])
    assert caught.value.code == "TC-1210"


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (1, np.int64),
        (True, np.bool_),
        (0.5, np.float64),
        (np.float32(0.5), np.float64),
        (np.arange(3, dtype=np.uint8), np.uint8),
        (np.arange(3, dtype=">i4"), np.int32),
        (np.arange(3, dtype=np.uint64), np.int64),
        ([1, 2], np.int64),
        ([], np.float64),
    ],
)
def test_public_operands_take_a_known_form(values: object, dtype: type) -> None:
    array = public_array(values)  # type: ignore[arg-type]
    assert array.dtype == dtype
    assert public_type(array) == ArrayType(public_type(array).dtype, array.shape, public=True)


def test_public_operands_that_no_secret_type_holds() -> None:
    with pytest.raises(RangeError):
        public_array(np.array([2**63], np.uint64))
    for strange in ("text", 1j, None, [object()]):
        with pytest.raises(TypeMismatchError):
            public_array(strange)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (1,), (2, 3)])
def test_encoding_keeps_every_shape(shape: tuple[int, ...]) -> None:
    for dtype in (fixed, int64, bool_):
        assert encoded(np.ones(shape), dtype).shape == shape
