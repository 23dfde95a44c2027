"""The shape of the carry circuit: blocks of three bits, then a tree of (generate, propagate).

The lowest block has what is left over, one or two bits where their number is no multiple of three.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

__all__ = ["CarryTree", "Level", "carry_tree"]


@dataclass(frozen=True, slots=True)
class Level:
    """One level of the carry tree.

    Attributes
    ----------
    outputs : int
        The pairs (g, p) that it gives; planes 2 · outputs - 1, as the lowest pair has no p.
    spare : (int, int) or None
        The pair that an earlier level left over and that joins here, as the highest one: the
        number of the level whose input it was, and its plane there.
    """

    outputs: int
    spare: tuple[int, int] | None

    @property
    def planes(self) -> int:
        """Planes of bits that it gives, and sends."""
        return 2 * self.outputs - 1


@dataclass(frozen=True, slots=True)
class CarryTree:
    """The shape of the carry circuit over the bits below the top one.

    Attributes
    ----------
    monomials : int
        What A shares of a value, the top bit apart: all products of a block's bits, seven for
        three bits.
    leaves : int
        Blocks, each with a pair (g, p).
    levels : tuple of Level
        How neighbouring pairs are joined until one is left.
    """

    monomials: int
    leaves: int
    levels: tuple[Level, ...]

    @property
    def leaf_planes(self) -> int:
        """Planes of the leaves' pairs; the lowest needs no p."""
        return 2 * self.leaves - 1

    @property
    def rounds(self) -> int:
        """Two for the leaves, and one a level."""
        return 2 + len(self.levels)


@lru_cache
def carry_tree(bits: int) -> CarryTree:
    """The circuit for the carry out of `bits` bits.

    Neighbours join; where their number is odd, the highest waits until it is odd again.
    """
    leaves = -(-bits // 3)
    lowest = bits - 3 * (leaves - 1)
    levels: list[Level] = []
    pairs, waiting = leaves, None
    while pairs > 1 or waiting is not None:
        spare = None
        if pairs % 2 and waiting is None:
            waiting = (len(levels), 2 * pairs - 3)
        elif pairs % 2:
            spare, waiting = waiting, None
        pairs = (pairs + (spare is not None)) // 2
        levels.append(Level(pairs, spare))
    return CarryTree((1 << lowest) - 1 + 7 * (leaves - 1), leaves, tuple(levels))
