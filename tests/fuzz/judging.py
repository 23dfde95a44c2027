"""Whether what was found is what NumPy gives, within the documented error and domain."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["by_numpy", "judge"]


def by_numpy(fuzzed: Any, operands: list[NDArray[Any]], options: Any) -> NDArray[Any]:
    """NumPy's answer to a fuzzed operation."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # means of nothing
        return np.asarray(fuzzed.numpys(*operands, **options))


def judge(
    fuzzed: Any,
    operands: list[NDArray[Any]],
    options: Any,
    found: NDArray[Any],
    *,
    anywhere: bool = False,
    checked: bool = False,
) -> None:
    """Assert that a result is right; `anywhere`: integers outside of the domain too."""
    expected = by_numpy(fuzzed, operands, options)
    assert found.shape == expected.shape
    plain = [x.astype(np.float64) if x.dtype.kind != "b" else x for x in operands]
    if found.dtype.kind == "f":
        with np.errstate(all="ignore"):
            error = fuzzed.error(*plain, **options)
            fits = np.broadcast_to(checked or fuzzed.fits(*plain, **options), expected.shape)
            difference = np.abs(found - expected)
        assert (difference <= np.broadcast_to(error, expected.shape))[fits].all()
    elif all(x.dtype.kind == "b" for x in operands):
        np.testing.assert_array_equal(found, expected)
    else:
        domain = True if anywhere or checked else fuzzed.fits(*plain, **options)
        fits = np.broadcast_to(domain, expected.shape)
        np.testing.assert_array_equal(found[fits], expected.astype(found.dtype)[fits])
