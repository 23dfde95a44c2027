"""Who does what in steps where the three parties' work differs.

For third j of the elements: A = party j holds x_j and x_{j+1}, so it knows s = x_j + x_{j+1};
B = party j+1 and C = party j+2 both hold t = x_{j+2}; x = s + t. The roles rotate over thirds
of the data, so that every party does the same amount of work. Keys: AB is k_{j+1}, BC is
k_{j+2}, CA is k_j.

At party i: A on third i, B on third i-1, C on third i+1. Messages A to C, B to A and C to B go
to the previous party; B to C, C to A go to the next one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

__all__ = ["RoleNonces", "Thirds", "length", "thirds"]


@dataclass(frozen=True, slots=True)
class RoleNonces:
    """The nonces of the thirds on which one party plays A, B and C."""

    a: int
    b: int
    c: int


@dataclass(frozen=True, slots=True)
class Thirds:
    """One party's three slices of a flat array, by role.

    Attributes
    ----------
    a, b, c : slice
        The elements on which this party plays A, B, C.
    bounds : tuple of slice
        All three slices by third.
    """

    a: slice
    b: slice
    c: slice
    bounds: tuple[slice, slice, slice]


@lru_cache(maxsize=512)
def thirds(size: int, index: int, unit: int = 1) -> Thirds:
    """Cut `size` elements into three nearly equal slices on multiples of `unit`."""
    blocks = -(-size // unit)
    edges = [min(size, unit * (blocks * k // 3)) for k in range(3)] + [size]
    bounds = (slice(0, edges[1]), slice(edges[1], edges[2]), slice(edges[2], edges[3]))
    return Thirds(bounds[index], bounds[index - 1], bounds[(index + 1) % 3], bounds)


def length(part: slice) -> int:
    """How many elements a slice of :func:`thirds` has."""
    return int(part.stop - part.start)
