"""Every function of the standard that ``docs/arrays.md`` calls supported, against the standard.

The oracle is array-api-strict; tacit is reached through the revealing adapter. The public suite
of the standard is not on the package index, so these tests stand for it here; what it said when
it was run by hand is in ``docs/arrays.md``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import adapter
import array_api_strict
import numpy as np
import pytest
from adapter import PlainArray
from cases import CASES, LINALG, UNIT, Case
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from page import supported

array_api_strict.set_array_api_strict_flags(api_version="2024.12")

INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32")


@st.composite
def operands(draw: st.DrawFn, case: Case) -> list[NDArray[Any]]:
    kind = draw(st.sampled_from(case.kinds))
    if case.shape is None:
        shapes = draw(
            hnp.mutually_broadcastable_shapes(
                num_shapes=case.operands, max_dims=3, min_side=0, max_side=3
            )
        ).input_shapes
    else:
        shapes = (case.shape,) * case.operands
    drawn = [draw(_array(case, kind, shape)) for shape in shapes]
    if case.square:
        drawn = [x @ x.T / 16 + 4 * np.eye(len(x)) for x in drawn]
        drawn = [np.rint(x * 1024) / 1024 for x in drawn]
    return drawn


def _array(case: Case, kind: str, shape: tuple[int, ...]) -> st.SearchStrategy[NDArray[Any]]:
    if kind == "b":
        return hnp.arrays(np.bool_, shape)
    if kind == "f":
        low, high = int(np.ceil(case.low * 1024)), int(case.high * 1024)
        return hnp.arrays(np.float64, shape, elements=st.integers(low, high).map(_thousandth))
    whole = st.integers(int(np.ceil(case.low)), int(case.high))
    return st.sampled_from(INTEGERS).flatmap(
        lambda name: hnp.arrays(name, shape, elements=whole.map(abs) if name[0] == "u" else whole)
    )


def _thousandth(n: int) -> float:
    return n / 1024


def agree(found: Any, expected: Any, case: Case) -> None:
    if isinstance(expected, tuple | list) and isinstance(found, tuple | list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            agree(one, other, case)
        return
    if not isinstance(found, PlainArray):
        assert found == expected
        return
    ours, theirs = found.values, np.asarray(expected)
    assert ours.shape == theirs.shape
    # There is no uint64: sums of unsigned integers are int64.
    assert ours.dtype == (np.int64 if theirs.dtype == np.uint64 else theirs.dtype)
    if ours.dtype.kind == "f":
        allowed = case.units * UNIT + case.relative * np.abs(theirs)
        assert (np.abs(ours - theirs) <= allowed).all()
    else:
        np.testing.assert_array_equal(ours, theirs)


def check(call: Callable[..., Any], case: Case, arrays: list[NDArray[Any]], extension: str) -> None:
    ours: Any = getattr(adapter, extension) if extension else adapter
    theirs: Any = getattr(array_api_strict, extension) if extension else array_api_strict
    found = call(ours, *(PlainArray(x) for x in arrays))
    expected = call(theirs, *(array_api_strict.asarray(x) for x in arrays))
    agree(found, expected, case)


@pytest.mark.parametrize("name", [name for name in CASES if name in supported()])
@settings(max_examples=20)
@given(data=st.data())
def test_functions(name: str, data: st.DataObject) -> None:
    case = CASES[name]
    arrays = data.draw(operands(case))
    for call in case.calls:
        check(call, case, arrays, "")


@pytest.mark.parametrize("name", [name for name in LINALG if f"linalg.{name}" in supported()])
@settings(max_examples=20)
@given(data=st.data())
def test_linear_algebra(name: str, data: st.DataObject) -> None:
    case = LINALG[name]
    arrays = data.draw(operands(case))
    for call in case.calls:
        check(call, case, arrays, "linalg")


def test_every_supported_function_has_a_case() -> None:
    covered = set(CASES) | {f"linalg.{name}" for name in LINALG} | {"__array_namespace_info__"}
    assert supported() <= covered
