"""Building graphs value by value; a body takes what it uses from outside as captures."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, nextafter
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tacit.operations.operation import Attributes
from tacit.operations.types import ArrayType, Bounds, public_type
from tacit.programs.graph import Constant, Graph, Input, Node, ValueType
from tacit.programs.showing.notation import clean

__all__ = ["GraphBuilder", "Value"]


class Value:
    """A value of a graph that is being built.

    Attributes
    ----------
    type : ArrayType
    builder : GraphBuilder
        The graph that it belongs to.
    bounds : (low, high), optional
        What is known of its numbers.
    declared : bool
        Whether that comes from a declaration.
    """

    __slots__ = ("bounds", "builder", "declared", "type")

    def __init__(
        self,
        array_type: ArrayType,
        builder: GraphBuilder,
        bounds: Bounds | None = None,
        declared: bool = False,
    ) -> None:
        self.type = array_type
        self.builder = builder
        self.bounds = bounds
        self.declared = declared


def _plain(bound: Any, outwards: float) -> int | float:
    """A bound as a program's file has it, also where NumPy's number or one of 128 bits is given."""
    if isinstance(bound, int | np.integer):
        whole = int(bound)
        if -(1 << 63) <= whole < 1 << 63:
            return whole
        near = float(whole)
        return near if int(near) == whole else nextafter(near, outwards)
    return float(bound)


class GraphBuilder:
    """A graph that grows.

    Parameters
    ----------
    outer : GraphBuilder, optional
        The graph whose body it is going to be.
    """

    def __init__(self, outer: GraphBuilder | None = None) -> None:
        self.outer = outer
        self.captures: dict[Value, Value] = {}
        """Values of the outer graph, and what they are here; in order, after the other inputs."""
        self._inputs: list[tuple[Value, Input]] = []
        self._constants: dict[Constant, Value] = {}
        self._nodes: list[tuple[Node, list[Value], list[Value]]] = []

    @property
    def size(self) -> int:
        """How many nodes there are."""
        return len(self._nodes)

    def input(
        self,
        array_type: ArrayType,
        name: str = "",
        owner: str = "",
        bounds: Bounds | None = None,
        *,
        known: Bounds | None = None,
        declared: bool = False,
    ) -> Value:
        """One more input; `bounds` are part of the program, `known` is for tracing alone."""
        value = Value(array_type, self, known, declared)
        said = None if bounds is None else (_plain(bounds[0], -inf), _plain(bounds[1], inf))
        form = Input(name, ValueType.of(array_type), owner, said)
        self._inputs.append((value, form))
        return value

    def constant(self, array: NDArray[Any]) -> Value:
        """A public array; equal ones are one value."""
        form = Constant.of(array)
        if form not in self._constants:
            self._constants[form] = Value(public_type(array), self)
        return self._constants[form]

    def node(
        self,
        operation: str,
        operands: Sequence[Value],
        attributes: Attributes,
        results: Sequence[ArrayType],
        note: str = "",
    ) -> list[Value]:
        """One more operation; its results."""
        values = [Value(result, self) for result in results]
        if not note.isprintable():  # of a model's own names
            note = clean(note)
        form = Node(operation, (), msgspec.msgpack.encode(attributes), note)
        self._nodes.append((form, [self.own(operand) for operand in operands], values))
        return values

    def own(self, value: Value) -> Value:
        """A value as one of this graph: one of an outer graph is captured."""
        if value.builder is self:
            return value
        if value not in self.captures:
            if self.outer is None:
                raise LookupError("a value of another graph")
            outer = self.outer.own(value)
            if outer not in self.captures:
                inner = Value(value.type, self, value.bounds, value.declared)
                self.captures[outer] = inner
            return self.captures[outer]
        return self.captures[value]

    def graph(self, results: Sequence[Value]) -> Graph:
        """The graph as it is now, with its captures as the last inputs."""
        results = [self.own(value) for value in results]
        captured = [(v, Input("", ValueType.of(v.type))) for v in self.captures.values()]
        given = [*self._inputs, *captured]
        order = [value for value, _ in given]
        order += self._constants.values()
        order += [value for _, _, values in self._nodes for value in values]
        number = {value: place for place, value in enumerate(order)}
        nodes = tuple(
            Node(n.operation, tuple(number[v] for v in operands), n.attributes, n.note)
            for n, operands, _ in self._nodes
        )
        return Graph(
            tuple(form for _, form in given),
            tuple(self._constants),
            nodes,
            tuple(number[value] for value in results),
        )
