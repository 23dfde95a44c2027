"""Which elements of an array are known; also of arrays that are too large to have a mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Region"]

_LARGEST: Final = 1 << 22
"""The most elements of a mask."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """Some elements of an array.

    Attributes
    ----------
    shape : tuple of int
    count : int
        How many.
    mask : ndarray, optional
        Which: bool, of this shape. None where they are all, or the array is too large.
    at : tuple of int, optional
        Where the first stands, if there is no mask.
    around : tuple of slice, optional
        The box that they fill, if they fill one.
    """

    shape: tuple[int, ...]
    count: int
    mask: NDArray[np.bool_] | None = None
    at: tuple[int, ...] | None = None
    around: tuple[slice, ...] | None = None

    @classmethod
    def everything(cls, shape: tuple[int, ...]) -> Region:
        """All elements."""
        return cls(shape, prod(shape))

    @classmethod
    def box(cls, shape: tuple[int, ...], box: Sequence[slice]) -> Region:
        """Those in a box of slices."""
        extents = zip(box, shape, strict=True)
        count = prod(len(range(*one.indices(extent))) for one, extent in extents)
        if count == prod(shape) or prod(shape) > _LARGEST:
            return cls(shape, count, at=tuple(one.start or 0 for one in box), around=tuple(box))
        mask = np.zeros(shape, np.bool_)
        mask[tuple(box)] = True
        return cls(shape, count, mask, around=tuple(box))

    @classmethod
    def places(cls, shape: tuple[int, ...], places: Sequence[tuple[int, ...]]) -> Region:
        """Those at places, of which there is at least one."""
        if prod(shape) > _LARGEST:
            return cls(shape, len(places), at=places[0])
        mask = np.zeros(shape, np.bool_)
        for place in places:
            mask[place] = True
        return cls.of(mask)

    @classmethod
    def of(cls, mask: NDArray[np.bool_]) -> Region:
        """Those of a mask."""
        count = int(mask.sum())
        return cls(mask.shape, count, None if count == mask.size else mask)

    @property
    def whole(self) -> bool:
        """Whether they are all."""
        return self.count == prod(self.shape)

    def covers(self, other: Region) -> bool:
        """Whether no element of the other is missing here, as far as can be told."""
        if self.whole or self.mask is None or other.mask is None:
            return self.whole or (self.mask is None and self.count >= other.count)
        return not (other.mask & ~self.mask).any()

    def joined(self, other: Region | None) -> Region:
        """The elements of both."""
        if other is None or self.whole or other.covers(self):
            return self if other is None or self.whole else other
        if self.mask is None or other.mask is None:
            return max(self, other, key=lambda one: one.count)
        return Region.of(self.mask | other.mask)

    @property
    def first(self) -> tuple[int, ...] | None:
        """Where the first element stands, if that is known."""
        if self.whole:
            return (0,) * len(self.shape)
        if self.mask is None:
            return self.at
        return tuple(int(p[0]) for p in np.nonzero(self.mask))
