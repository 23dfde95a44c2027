"""What a session's operations are given: secret arrays of the session, and public arrays."""

from __future__ import annotations

from typing import TypeAlias

from tacit.encoding.types import DType
from tacit.operations.bounds import declared_bounds
from tacit.operations.types import ArrayType, Bounds, PublicArray
from tacit.storage.records import Uses

__all__ = ["NO_LIMITS", "Handle", "Reference", "operand_type"]

NO_LIMITS = Uses()
"""Of what was not stored with limits."""


class Reference:
    """A secret array of a session: its public type; subclasses know where its parts are.

    Attributes
    ----------
    dtype : DType
        The type of its numbers.
    shape : tuple of int
        Its shape.
    bounds : (low, high) or None
        A public interval that its numbers lie in, where one is known; see
        :attr:`~tacit.operations.types.ArrayType.bounds`.
    declared : bool
        Whether they come from a declaration, not from types alone: operations that could wrap
        within declared bounds are refused.
    public : bool
        Whether all parties will know it: only while a function becomes a program.
    uses : Uses
        What it may be used for, where it was stored with limits or comes from what was.
    """

    __slots__ = ("__weakref__", "bounds", "declared", "dtype", "public", "shape", "uses")

    def __init__(self, dtype: DType, shape: tuple[int, ...]) -> None:
        self.dtype = dtype
        self.shape = shape
        self.bounds: Bounds | None = None
        self.declared = False
        self.public = False
        self.uses = NO_LIMITS

    def declare(self, bounds: tuple[float, float] | None) -> None:
        """Note the bounds that the owner of an input declared."""
        self.bounds = declared_bounds(bounds, self.dtype)
        self.declared = self.bounds is not None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.dtype!r}, shape={self.shape})"


Handle: TypeAlias = Reference | PublicArray
"""An operand of an operation: a secret array of this session, or a public array."""


def operand_type(reference: Reference) -> ArrayType:
    """What operations know a session's array by."""
    return ArrayType(reference.dtype, reference.shape, reference.public, reference.bounds)
