"""Pitfall: the rounding of probabilistic truncation is correlated with what a party knows.

It is stated (docstring, security model, ``docs/security/``), it is exactly the stated one, and
``exact`` and ``nearest`` do not have it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from simulation import Simulation, integers

from tacit.protocols import PROTOCOLS
from tacit.protocols.replicated3 import truncation

BITS, COUNT = 18, 30_000
LOW = np.int64((1 << BITS) - 1)


def masks_of_each_third(shared: Any, size: int) -> list[tuple[slice, Any, Any]]:
    """For third j: s = x_j + x_{j+1}, known to A, and t = x_{j+2}, known to B and C."""
    found = []
    for j in range(3):
        third = slice(j * size // 3, (j + 1) * size // 3)
        s = (shared[j].own + shared[j].next).view(np.int64)
        t = shared[(j + 1) % 3].next.view(np.int64)
        found.append((third, s, t))
    return found


def rounding_up(rounding: str) -> tuple[Any, Any, Any]:
    x = integers(np.random.default_rng(4), COUNT, 60)
    simulation = Simulation(4)
    shared = simulation.share(x)
    got = simulation.run(lambda p, a: p.truncate(a, BITS, rounding), shared)
    return x, shared, simulation.open(got) - (x >> BITS)


def test_the_leak_is_the_stated_one() -> None:
    """Result = floor + 1 - [x mod 2^m < rho]; rho = c mod 2^m at A, r mod 2^m at B and C."""
    x, shared, up = rounding_up("probabilistic")
    for third, s, t in masks_of_each_third(shared, COUNT):
        for rho in (s & LOW, t & LOW):
            predicted = 1 - ((x & LOW) < rho)
            np.testing.assert_array_equal(up[third], predicted[third])


@pytest.mark.parametrize("rounding", ["exact", "nearest"])
def test_exact_roundings_have_no_such_correlation(rounding: str) -> None:
    """Their results are functions of x alone, whatever the sharing."""
    x, _, up = rounding_up(rounding)
    expected = 0 if rounding == "exact" else (x & LOW) >= 1 << (BITS - 1)
    np.testing.assert_array_equal(up, np.broadcast_to(expected, up.shape))


def test_it_is_stated() -> None:
    assert any("truncation" in leak for leak in PROTOCOLS["replicated3"].security.leakage)
    assert "leak" in str(truncation.__doc__).lower()
    assert "2023/909" in str(truncation.__doc__)
