"""What is known about a value while a program is explained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tacit.operations.types import ArrayType
from tacit.programs.explaining.forms import Form
from tacit.programs.inference import CheckedNode

__all__ = ["ALL", "How", "Limit", "Made", "Pick", "Reach", "Source", "Value"]

ALL = -1
"""The key of what is said about all rows together, whoever they come from."""

How: TypeAlias = Literal[
    "input",
    "invertible",
    "guarded",
    "sign",
    "part",
    "order",
    "extreme",
    "index",
    "bit",
    "product",
    "opaque",
]
"""What the result of an operation tells about its operands, element by element."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How many rows of an input an element depends on.

    Attributes
    ----------
    rows : int
        At least so many.
    axis : int or None
        The axis of the value along which different elements depend on different rows.
    total : int
        How many rows all elements together depend on, at most.
    """

    rows: int
    axis: int | None
    total: int


@dataclass(frozen=True, slots=True)
class Pick:
    """Inputs that whoever gives them can single out rows of others by.

    Attributes
    ----------
    inputs : frozenset of int
    direct : bool
        Whether they look up or select, so that one element is chosen as it is.
    mixed : bool
        Whether what they choose among depends on them, too.
    among : frozenset of int
        The inputs of which they choose single rows, not statistics.
    """

    inputs: frozenset[int]
    direct: bool
    mixed: bool
    among: frozenset[int]


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """How a value was made, element by element.

    Attributes
    ----------
    node : CheckedNode
    operands : tuple of Value
    place : int
        Which of its results.
    """

    node: CheckedNode
    operands: tuple[Value, ...]
    place: int

    @property
    def name(self) -> str:
        """The operation."""
        return self.node.node.operation


@dataclass(frozen=True, slots=True, eq=False)
class Limit:
    """What a yes or no promises: that a count of rows reaches a number.

    Attributes
    ----------
    least : int
        If positive, yes means so many rows at least; if negative, no does.
    groups : tuple of Form
        What is counted, as :attr:`Value.over`.
    """

    least: int
    groups: tuple[Form, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """A value of the program, abstractly.

    Attributes
    ----------
    type : ArrayType
    form : Form
        Linear in sources.
    reach : mapping of int to Reach
        By number of the input, and :data:`ALL`.
    known : ndarray, optional
        The numbers themselves where they are public and known before the run.
    trained : bool
        Whether a loop, or a solution of equations, made it of its inputs.
    group : bool
        Whether it is a statistic of a group whose size is secret.
    count : bool
        Whether it counts.
    exact : bool
        Whether it is the number of all members of its group.
    indicator : bool
        Whether it is 0 or 1.
    over : tuple of Form
        The groups that it goes over, by number of the selection; see groups.py.
    limits : tuple of Limit
        Of a yes or no that says whether groups are large enough.
    minimum : int, optional
        It is withheld for groups of fewer.
    miscounted : bool
        Whether it is withheld by a count of other rows than it goes over.
    inputs : frozenset of int
        All secret inputs that it depends on.
    bounds : (low, high), optional
        Of an input, or a part of one.
    made : Made, optional
        How it was made, where that is element by element.
    picked : mapping of Pick to mapping of int to Reach
        The rows of others that it goes over for whoever chooses its factors.
    """

    type: ArrayType
    form: Form = field(default_factory=dict)
    reach: Mapping[int, Reach] = field(default_factory=dict)
    known: NDArray[Any] | None = None
    trained: bool = False
    group: bool = False
    count: bool = False
    exact: bool = False
    indicator: bool = False
    over: tuple[Form, ...] = ()
    limits: tuple[Limit, ...] = ()
    minimum: int | None = None
    miscounted: bool = False
    inputs: frozenset[int] = frozenset()
    bounds: tuple[float, float] | None = None
    made: Made | None = None
    picked: Mapping[Pick, Mapping[int, Reach]] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return self.type.shape


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Something that forms are made of.

    Attributes
    ----------
    number : int
    shape : tuple of int
    how : How
        ``input``, or what the operation that made it tells.
    operation : str
        Its name; of an input the input's.
    of : tuple of Value
        The operands.
    rows : int or None
        The axis along which its elements belong to different rows.
    each : int
        How many rows each element depends on at least.
    span : float, optional
        How far apart two values of an element can be.
    unit : float
        What all values are multiples of.
    factor : ndarray, optional
        If it is a value times public numbers, element by element: those, in its shape.
    made : Made, optional
        How it was made, where that is element by element.
    """

    number: int
    shape: tuple[int, ...]
    how: How
    operation: str
    of: tuple[Value, ...] = ()
    rows: int | None = None
    each: int = 1
    span: float | None = None
    unit: float = 1.0
    factor: NDArray[np.float64] | None = None
    made: Made | None = None
