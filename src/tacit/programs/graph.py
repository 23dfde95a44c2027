"""What a program is: a typed graph of operations in static single assignment, as plain data.

Values have numbers: a graph's inputs first, then its constants, then the results of its nodes in
order. A node's operands are values before it. Bodies of loops, branches and calls are graphs of
their own; each refers to bodies before it alone, so nothing can go round in a circle.
"""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tacit.encoding.types import DType
from tacit.operations.types import ArrayType, Bounds, PublicArray

__all__ = [
    "EVERYBODY",
    "FORMAT",
    "GUESTS",
    "Constant",
    "Graph",
    "Hint",
    "Input",
    "Node",
    "Output",
    "Plain",
    "ValueType",
]

FORMAT: Final = 1
"""The version of the form of programs."""

EVERYBODY: Final = ("all",)
"""The recipients of an output that all parties learn."""

GUESTS: Final = (
    "replicated3",
    "replicated3_active",
    "fantastic4",
    "shamir",
    "spdz2k",
    "semi2k",
    "garbled",
)
"""The protocols that a hint may name, whether they are built yet or not."""

Plain: TypeAlias = Literal["<f8", "<i8", "<i4", "<i2", "|i1", "<u4", "<u2", "|u1", "|b1"]
"""NumPy's types of public arrays."""


class _Data(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    pass


class ValueType(_Data, frozen=True):
    """What is public about a value.

    Attributes
    ----------
    kind, fraction_bits, bits, signed
        As in :class:`~tacit.encoding.types.DType`.
    shape : tuple of int
    public : bool
        Whether all parties know the value; else nobody does.
    """

    kind: Literal["fixed", "int", "bool"]
    fraction_bits: int
    bits: int
    signed: bool
    shape: tuple[int, ...]
    public: bool = False

    @classmethod
    def of(cls, array_type: ArrayType) -> ValueType:
        """The form of an operand's type."""
        return cls(**array_type.dtype.parameters, shape=array_type.shape, public=array_type.public)

    @property
    def dtype(self) -> DType:
        """The type of its numbers."""
        return DType(self.kind, self.fraction_bits, self.bits, self.signed)

    def array_type(self, bounds: Bounds | None = None) -> ArrayType:
        """What operations know it by."""
        return ArrayType(self.dtype, self.shape, self.public, bounds)

    def __str__(self) -> str:
        kind = "public " if self.public else ""
        return f"{kind}{self.dtype.name}{list(self.shape)}"


class Input(_Data, frozen=True):
    """A value that a graph begins with.

    Attributes
    ----------
    name : str
        In bodies it may be empty.
    type : ValueType
    owner : str
        The party that gives it; empty for what is shared already, what all know, and in bodies.
    bounds : (low, high), optional
        Numbers are within them: declared by the owner; in a loop's body, its invariant.
    """

    name: str
    type: ValueType
    owner: str = ""
    bounds: tuple[int | float, int | float] | None = None


class Constant(_Data, frozen=True):
    """A public array that belongs to the program, in C order."""

    plain: Plain
    shape: tuple[int, ...]
    data: bytes

    @classmethod
    def of(cls, array: PublicArray) -> Constant:
        """The form of a public array."""
        return cls(array.dtype.str, array.shape, np.ascontiguousarray(array).tobytes())  # type: ignore[arg-type]

    @property
    def array(self) -> NDArray[Any]:
        """The array, which nothing may write to."""
        return np.frombuffer(self.data, np.dtype(self.plain)).reshape(self.shape)

    def __repr__(self) -> str:
        return f"Constant({self.plain!r}, shape={self.shape})"


class Node(_Data, frozen=True):
    """One operation on values.

    Attributes
    ----------
    operation : str
        A row of the operation table, or a form of control flow (``control.py``).
    operands : tuple of int
        Values before it.
    attributes : bytes
        The operation's public parameters, in MessagePack.
    note : str
        Where it comes from: a layer, a line. For people.
    """

    operation: str
    operands: tuple[int, ...]
    attributes: bytes
    note: str = ""


class Graph(_Data, frozen=True):
    """Values from values: the main part of a program, or a body.

    Attributes
    ----------
    inputs, constants, nodes
        In the order of their values' numbers.
    results : tuple of int
        The values that it gives.
    """

    inputs: tuple[Input, ...]
    constants: tuple[Constant, ...]
    nodes: tuple[Node, ...]
    results: tuple[int, ...]


class Output(_Data, frozen=True):
    """What becomes of a result of the main graph.

    Attributes
    ----------
    name : str
    to : tuple of str
        Who learns it: parties, :data:`EVERYBODY`, or nobody; then it stays secret, in the session.
    """

    name: str
    to: tuple[str, ...] = EVERYBODY


class Hint(_Data, frozen=True):
    """A wish about some of the main graph's nodes; results are the same without it.

    Attributes
    ----------
    first, last : int
        Positions of nodes, both included.
    protocol : str
        What to run them with.
    """

    first: int
    last: int
    protocol: str
