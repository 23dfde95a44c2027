"""Every kernel on every instruction set, beside the reference."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from kernel_arrays import Key

from tacit import _native
from tacit.kernels import reference

GUARD = 0x5AFE_5AFE_5AFE_5AFE


@pytest.fixture(scope="module", params=["portable", "avx2", "avx512"])
def native(request: pytest.FixtureRequest) -> Iterator[ModuleType]:
    """The extension on one instruction set."""
    if not _native.set_path(request.param):
        pytest.skip(f"this machine lacks {request.param}")
    yield _native
    _native.set_path("best")


def placed(array: np.ndarray[Any, Any], offset: int) -> tuple[Any, np.ndarray[Any, Any]]:
    """A copy of ``array`` at an odd place of a larger buffer, and that buffer."""
    size = array.nbytes // 8 + 1
    buffer = np.full(size + 16, GUARD, np.uint64)
    inside = buffer[offset : offset + size].view(array.dtype)[: array.size].reshape(array.shape)
    inside[...] = array
    return inside, buffer


@pytest.fixture(scope="module")
def agree(native: ModuleType) -> Callable[..., None]:
    """Run a kernel and its reference on the same arguments; all arrays must end up equal."""

    def run(name: str, *arguments: Any, offset: int = 1, **options: Any) -> None:
        expected = [a.copy() if isinstance(a, np.ndarray) else a for a in arguments]
        expected = [reference.StreamKey(a.bytes) if isinstance(a, Key) else a for a in expected]
        getattr(reference, name)(*expected, **options)
        places = [placed(a, offset) if isinstance(a, np.ndarray) else (a, None) for a in arguments]
        actual = [native.StreamKey(a.bytes) if isinstance(a, Key) else a for a, _ in places]
        getattr(native, name)(*actual, **options)
        for position, (wanted, got) in enumerate(zip(expected, actual, strict=True)):
            if isinstance(wanted, np.ndarray):
                np.testing.assert_array_equal(got, wanted, err_msg=f"argument {position}")
        for (inside, buffer), wanted in zip(places, expected, strict=True):
            if buffer is not None:
                inside[...] = 0
                count = wanted.nbytes // 8
                assert (buffer[:offset] == GUARD).all(), "wrote before an array"
                assert (buffer[offset + count + 1 :] == GUARD).all(), "wrote after an array"

    return run
