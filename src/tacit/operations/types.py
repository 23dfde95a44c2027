"""What operations work on: the types of operands, and the operands at one party."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.types import INTEGERS, DType, bool_, fixed

__all__ = [
    "ArrayType",
    "Bounds",
    "Operand",
    "PublicArray",
    "SecretValue",
    "operand_types",
    "public_type",
    "reshaped",
]


Bounds: TypeAlias = tuple[float, float]
"""A public interval that holds every number of an array: Python integers for integer types."""


@dataclass(frozen=True, slots=True)
class ArrayType:
    """The type of an operand or a result: what is public about it.

    Attributes
    ----------
    dtype : DType
        The type of its numbers. A public float array counts as ``tacit.fixed``, whatever the
        fraction bits: it is encoded at those of the secret it meets.
    shape : tuple of int
        Its shape.
    public : bool
        Whether all parties know its values.
    bounds : (low, high), optional
        A public interval that holds its numbers; not compared. For integers of fewer than 64
        bits it is that of the ring elements that hold them, which may be wider than the type
        (``docs/decisions/0027-small-integers.md``).
    """

    dtype: DType
    shape: tuple[int, ...]
    public: bool = False
    bounds: Bounds | None = field(default=None, compare=False)

    def __str__(self) -> str:
        kind = "public" if self.public else "secret"
        return f"{kind} {self.dtype!r} {self.shape}"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SecretValue:
    """One party's part of a secret array.

    Attributes
    ----------
    dtype : DType
        The type of its numbers.
    share : object
        The protocol's arithmetic sharing, or its Boolean one where `dtype` is ``tacit.bool``.
    held : (low, high), optional
        For integers of fewer than 64 bits: the public interval of the ring elements that hold
        them, where it is wider than the type. They are right modulo 2^bits.
    """

    dtype: DType
    share: Any
    held: Bounds | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the secret array."""
        shape: tuple[int, ...] = self.share.shape
        return shape

    def __repr__(self) -> str:
        return f"SecretValue({self.dtype!r}, shape={self.shape})"


def reshaped(share: Any, shape: tuple[int, ...]) -> Any:
    """A sharing under another shape of the same size, which may have no axes at all."""
    return share.reshape(*shape) if shape else share.map(lambda part: part.reshape(()))


PublicArray: TypeAlias = NDArray[Any]
"""A public array: float64, an integer type of tacit, or bool; never unsigned 64-bit integers."""

Operand: TypeAlias = SecretValue | PublicArray

_PUBLIC_TYPES: dict[Any, DType] = {
    np.dtype(np.float64): fixed,
    np.dtype(np.bool_): bool_,
    **{dtype.numpy: dtype for dtype in INTEGERS.values()},
}


def public_type(array: PublicArray) -> ArrayType:
    """The type of a public operand."""
    return ArrayType(_PUBLIC_TYPES[array.dtype], array.shape, public=True)


def operand_types(operands: Sequence[Operand]) -> list[ArrayType]:
    """The types of operands at a party."""
    return [
        ArrayType(o.dtype, o.shape, bounds=o.held) if isinstance(o, SecretValue) else public_type(o)
        for o in operands
    ]
