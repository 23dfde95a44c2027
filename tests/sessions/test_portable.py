"""Parties without AVX: alone, and together with parties that have it."""

from __future__ import annotations

import numpy as np
import pytest
from portable_job import Settings

from tacit import _native
from tacit.sessions import launch

pytestmark = pytest.mark.processes

NAMES = ("alice", "bob", "carol")


@pytest.mark.parametrize("paths", [["portable"] * 3, ["best", "portable", "best"]])
def test_the_portable_kernels_compute_the_same(jobs: str, paths: list[str]) -> None:
    """`jobs` makes the modules beside this one importable in the parties' processes."""
    found = launch(NAMES, "portable_job", dict(zip(NAMES, map(Settings, paths), strict=True)))
    best = _native.path()
    used = [result.pop("path") for result in found.values()]
    assert used == [best if path == "best" else path for path in paths]
    x = np.linspace(-3, 3, 5_000)
    matrix = x[:900].reshape(30, 30)
    expected = {
        "product": x * x,
        "matrix": (matrix @ matrix).ravel(),
        "less": x < 0.5,
        "relu": np.maximum(x, 0),
        "exp": np.exp(x),
    }
    assert found["alice"] == found["bob"] == found["carol"]
    for name, values in expected.items():
        np.testing.assert_allclose(found["alice"][name], values, atol=1e-3, rtol=3e-4, err_msg=name)
