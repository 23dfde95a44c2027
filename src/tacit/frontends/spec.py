"""What is public about an argument of a function that becomes a program."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tacit.encoding.types import DType, fixed
from tacit.errors import ProgramError
from tacit.operations.types import ArrayType, Bounds

__all__ = ["ArraySpec", "recipients"]


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """An argument: its shape, type, owner and bounds, which all parties agree on.

    Parameters
    ----------
    shape : tuple of int
    dtype : DType
        ``tacit.fixed`` by default.
    owner : str
        The party that gives it when the program runs; without one it is an array that is shared
        already.
    bounds : (low, high), optional
        Its numbers are within them. Needed to show that nothing can wrap.
    public : bool
        All parties know it when the program runs; then it has no owner.
    name : str
        By default the function's name for it.
    """

    shape: tuple[int, ...]
    dtype: DType = fixed
    owner: str = ""
    bounds: Bounds | None = None
    public: bool = False
    name: str = ""

    def __post_init__(self) -> None:
        shape = (self.shape,) if isinstance(self.shape, int) else tuple(self.shape)
        object.__setattr__(self, "shape", tuple(map(operator.index, shape)))
        if any(extent < 0 for extent in self.shape):
            raise ProgramError(
                f"An array cannot have the shape {self.shape}.",
                next_step="give the extent of each axis, 0 or more.",
                case=16,
            )
        if not (isinstance(self.owner, str) and isinstance(self.name, str)):
            raise ProgramError(
                "The owner and the name of an argument are texts.",
                next_step='give owner="alice", the name of a party.',
                case=16,
            )
        if self.public and self.owner:
            raise ProgramError(
                "An argument that all parties know has no owner.",
                next_step="leave out public=True, or the owner.",
                case=16,
            )
        if self.bounds is not None:
            low, high = self.bounds
            numbers = all(isinstance(end, int | float | np.number) for end in (low, high))
            if not numbers or not low <= high:
                raise ProgramError(
                    f"No number is within the bounds {self.bounds}.",
                    next_step="give the lower bound first: bounds=(-8, 8).",
                    case=16,
                )

    @property
    def type(self) -> ArrayType:
        """What operations know it by."""
        dtype = fixed if self.public and self.dtype.kind == "fixed" else self.dtype
        return ArrayType(dtype, self.shape, self.public)


def recipients(to: str | Sequence[str] | None) -> tuple[str, ...]:
    """Who learns an output: names, ``("all",)``, or nobody for None."""
    if to is None:
        return ()
    return (to,) if isinstance(to, str) else tuple(sorted(set(to)))
