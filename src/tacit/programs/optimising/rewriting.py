"""Rewriting a graph node by node: a rule says what a node becomes, everything else is copied."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from numpy.typing import NDArray

from tacit.operations.operation import Attributes
from tacit.operations.table import OPERATIONS
from tacit.operations.types import ArrayType
from tacit.programs.building import GraphBuilder, Value
from tacit.programs.control import CONTROL
from tacit.programs.graph import Graph
from tacit.programs.inference import Checked, CheckedNode, result_types

__all__ = ["Draft", "Made", "Row", "Rule", "first_of", "rewritten"]


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """How a value of the new graph is made.

    Attributes
    ----------
    operation : str
    operands : sequence of Value
    attributes : Attributes
    """

    operation: str
    operands: Sequence[Value]
    attributes: Any


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A value of a body outside of its loop: the same in every round, or one for each.

    Attributes
    ----------
    value : Value
    many : bool
        Whether its first axis is that of the rounds.
    """

    value: Value
    many: bool

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape in one round."""
        shape = self.value.type.shape
        return shape[1:] if self.many else shape


class Draft:
    """The new graph, as far as it is written.

    Attributes
    ----------
    old : Checked
        The graph that is rewritten.
    uses : list of int
        How often each of its values is used, as an operand or a result.
    """

    def __init__(self, old: Checked) -> None:
        self.old = old
        self.uses = [0] * len(old.types)
        for node in old.nodes:
            for value in node.node.operands:
                self.uses[value] += 1
        for value in old.graph.results:
            self.uses[value] += 1
        self.origins: list[int] = []
        """For each new node the old one that it comes from."""
        self.place = 0
        """The old node that is being rewritten."""
        self.builder = GraphBuilder()
        self._made: dict[Value, Made] = {}
        self._arrays: dict[Value, NDArray[Any]] = {}
        self._old_number: dict[Value, int] = {}
        self.values: list[Value] = []
        """For each old value written so far the new one."""

    def made(self, value: Value) -> Made | None:
        """How a value is made; None for inputs, constants and several results."""
        return self._made.get(value)

    def array(self, value: Value) -> NDArray[Any] | None:
        """The array, if a value is a constant."""
        return self._arrays.get(value)

    def number(self, value: Value) -> int | None:
        """The old value that became this one, the first of them; None for what rules have made."""
        return self._old_number.get(value)

    def used_once(self, value: Value) -> bool:
        """Whether the old value that became this one is used by one operand alone."""
        number = self._old_number.get(value)
        return number is not None and self.uses[number] == 1

    def constant(self, array: NDArray[Any]) -> Value:
        """A public array."""
        value = self.builder.constant(array)
        self._arrays[value] = array
        return value

    def apply(self, operation: str, *operands: Value, **attributes: Any) -> Value:
        """One more operation of the table with one result."""
        row = OPERATIONS[operation]
        return self.node(operation, operands, row.attributes(**attributes))[0]

    def node(
        self, operation: str, operands: Sequence[Value], attributes: Attributes, note: str = ""
    ) -> list[Value]:
        """One more operation of the table; its results."""
        row = OPERATIONS[operation]
        types = result_types(operation, row, [one.type for one in operands], attributes)
        note = note or self.old.nodes[self.place].node.note
        results = self.builder.node(operation, operands, attributes, types, note)
        self._note(operation, operands, attributes, results)
        return results

    def control(
        self,
        operation: str,
        operands: Sequence[Value],
        attributes: Attributes,
        types: Sequence[ArrayType],
    ) -> list[Value]:
        """One more node that runs bodies; its results."""
        note = self.old.nodes[self.place].node.note
        results = self.builder.node(operation, operands, attributes, types, note)
        self._note(operation, operands, attributes, results)
        return results

    def copy(self, node: CheckedNode, operands: Sequence[Value]) -> list[Value]:
        """The node as it is, on new operands."""
        operation, note = node.node.operation, node.node.note
        results = self.builder.node(operation, operands, node.attributes, node.results, note)
        self._note(operation, operands, node.attributes, results)
        return results

    def _note(
        self,
        operation: str,
        operands: Sequence[Value],
        attributes: Attributes,
        results: Sequence[Value],
    ) -> None:
        self.origins.append(self.place)
        if len(results) == 1 and operation not in CONTROL:
            self._made[results[0]] = Made(operation, tuple(operands), attributes)

    # Written by `rewritten`.

    def begin(self) -> None:
        """Inputs and constants as they are."""
        graph = self.old.graph
        for one, known in zip(graph.inputs, self.old.types, strict=False):
            self._add(self.builder.input(known, one.name, one.owner, one.bounds))
        for constant in graph.constants:
            self._add(self.constant(constant.array))

    def write(self, node: CheckedNode, rule: Rule) -> None:
        """A node, or what the rule makes of it."""
        operands = [self.values[value] for value in node.node.operands]
        results = rule(self, node, operands)
        if results is None or [one.type for one in results] != list(node.results):
            results = self.copy(node, operands)
        for result in results:
            self._add(result)

    def _add(self, value: Value) -> None:
        self._old_number.setdefault(value, len(self.values))
        if self._old_number[value] != len(self.values):  # two old values are one now
            self.uses[self._old_number[value]] += self.uses[len(self.values)]
        self.values.append(value)

    def graph(self) -> Graph:
        """The new graph, without what none of its results needs."""
        return self.builder.graph([self.values[value] for value in self.old.graph.results])


Rule: TypeAlias = Callable[[Draft, CheckedNode, Sequence[Value]], "Sequence[Value] | None"]
"""What a node becomes: new values, or None for the node as it is.

A rule whose values have other types than the node's results has no effect.
"""


def first_of(rules: Sequence[Rule]) -> Rule:
    """The rule that is the first of several to change a node."""

    def rule(draft: Draft, node: CheckedNode, operands: Sequence[Value]) -> Sequence[Value] | None:
        for one in rules:
            found = one(draft, node, operands)
            if found is not None:
                return found
        return None

    return rule


def rewritten(checked: Checked, rule: Rule) -> tuple[Graph, list[int]]:
    """A graph with a rule applied to all its nodes, and for each new node its old one's place."""
    draft = Draft(checked)
    draft.begin()
    for place, node in enumerate(checked.nodes):
        draft.place = place
        draft.write(node, rule)
    return draft.graph(), draft.origins
