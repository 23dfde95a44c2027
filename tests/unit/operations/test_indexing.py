"""Public indices as plain data."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tacit.encoding import fixed
from tacit.errors import ShapeError, TypeMismatchError
from tacit.operations.manipulation import Index, index_of
from tacit.operations.table import operation_named
from tacit.operations.types import ArrayType


@st.composite
def indexed(draw: st.DrawFn) -> tuple[tuple[int, ...], Any]:
    """A shape, and an index into it."""
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4))
    kind = draw(st.sampled_from(["basic", "integers", "mask"]))
    if kind == "basic":
        return shape, draw(hnp.basic_indices(shape, allow_newaxis=True))
    if kind == "mask":
        return shape, draw(hnp.arrays(np.bool_, shape))
    return shape, draw(hnp.integer_array_indices(shape))


@given(indexed())
def test_indices_survive_the_wire_and_select_as_in_numpy(case: tuple[Any, Any]) -> None:
    shape, key = case
    attributes = Index(index_of(key, shape))
    encoded = msgspec.msgpack.encode(attributes)
    assert msgspec.msgpack.decode(encoded, type=Index) == attributes
    result = operation_named("getitem").rule([ArrayType(fixed, shape)], attributes)
    assert result == ArrayType(fixed, np.empty(shape)[key].shape)


@pytest.mark.parametrize("key", [5, (0, 0, 0), [0, 7], np.ones(5, bool), (np.array([9]), 0)])
def test_indices_outside_the_shape(key: Any) -> None:
    def read() -> None:
        attributes = Index(index_of(key, (3, 2)))
        operation_named("getitem").rule([ArrayType(fixed, (3, 2))], attributes)

    with pytest.raises(ShapeError):
        read()


@pytest.mark.parametrize("key", ["a", 1.0, np.array([0.5]), slice(0.5, None), object()])
def test_what_is_no_index(key: Any) -> None:
    with pytest.raises(TypeMismatchError, match="index"):
        index_of(key, (3, 2))
