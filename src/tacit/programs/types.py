"""What operations work on: the types of operands, and the operands at one party."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from numpy.typing import NDArray

from tacit.encoding.types import DType, bool_, fixed, int64

__all__ = [
    "ArrayType",
    "Operand",
    "PublicArray",
    "SecretValue",
    "operand_types",
    "public_type",
    "reshaped",
]


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
    """

    dtype: DType
    shape: tuple[int, ...]
    public: bool = False

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
    """

    dtype: DType
    share: Any

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
"""A public array: float64, int64 or bool."""

Operand: TypeAlias = SecretValue | PublicArray

_PUBLIC_TYPES = {"f": fixed, "i": int64, "b": bool_}


def public_type(array: PublicArray) -> ArrayType:
    """The type of a public operand."""
    return ArrayType(_PUBLIC_TYPES[array.dtype.kind], array.shape, public=True)


def operand_types(operands: Sequence[Operand]) -> list[ArrayType]:
    """The types of operands at a party."""
    return [
        ArrayType(o.dtype, o.shape) if isinstance(o, SecretValue) else public_type(o)
        for o in operands
    ]
