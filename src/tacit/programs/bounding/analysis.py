"""Bounds of all values of a program: intervals and linear forms, through all control flow.

Every node is looked at once, bodies of loops until what is known of their carries holds for every
round (``loops.py``). An operation that could wrap within declared bounds is refused, as in a
session; in a strict analysis everything that cannot be shown is noted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tacit.encoding.ring import Ring
from tacit.errors import ProgramError, RangeError, TacitError
from tacit.operations.bounds import WITHOUT_RULE, declared_bounds
from tacit.operations.intervals import union
from tacit.operations.types import ArrayType, Bounds
from tacit.programs.bounding.facts import Fact, fresh, joined, known_array, within
from tacit.programs.bounding.forms import symbol
from tacit.programs.bounding.keys import keys_unknown, says_key_bits
from tacit.programs.bounding.nodes import (
    Symbols,
    is_unconditional,
    public_facts,
    secret_facts,
)
from tacit.programs.bounding.patterns import closer_bounds
from tacit.programs.bounding.problems import Problem, interval, outside, refused
from tacit.programs.control import Call, Choice, Loop, Over, Until, bodies_of
from tacit.programs.inference import Checked, CheckedNode
from tacit.programs.showing.notation import clean

if TYPE_CHECKING:
    from tacit.programs.program import Program

__all__ = ["Analysis", "Found", "analysed"]

MOST_TRIED: Final = 25_000
"""After so many nodes nothing is tried any more: loops that nothing was found for stay unknown."""

MOST_VISITED: Final = 100_000
"""After so many nodes, and four times those of the program, bodies are not looked at any more, and
nothing is known of their results."""

_ELEMENTS_A_NODE: Final = 2048
"""Computing so many public numbers takes as long as looking at a node."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What an analysis found.

    Attributes
    ----------
    results : list of Fact
        About the outputs.
    seen : list of list of (low, high) or None
        For each graph (bodies, then the main one) and value what it lies within, over all rounds;
        None where nothing is known, or where the value is never computed.
    reached : list of list of bool
        Whether the value is ever computed.
    problems : list of Problem
        What cannot be shown; empty where everything is.
    visited : int
        How many nodes were looked at.
    """

    results: list[Fact]
    seen: list[list[Bounds | None]]
    reached: list[list[bool]]
    problems: list[Problem] = field(default_factory=list)
    visited: int = 0


def analysed(
    program: Program,
    ring: Ring,
    *,
    strict: bool = False,
    given: Sequence[Bounds | None] | None = None,
    declared: Sequence[bool] | None = None,
    most_tried: int = MOST_TRIED,
) -> Found:
    """Bounds of all values of a program.

    Parameters
    ----------
    program : Program
    ring : Ring
        Whose limits they are held against.
    strict : bool
        Go on where something cannot be shown, and note it: whatever wraps, too.
    given : sequence of (low, high) or None, optional
        Bounds of the inputs, those that the program declares by default.
    declared : sequence of bool, optional
        Whether they come from declarations; by default they do.
    most_tried : int
        After so many nodes nothing is tried any more; fewer are quicker, and find less.

    Raises
    ------
    RangeError
        An operation could wrap within declared bounds (TC-1373); not if `strict`.
    ProgramError
        Declared invariants of loops do not hold (TC-1570, TC-1571).
    """
    analysis = Analysis(program, ring, strict, most_tried)
    facts = []
    for place, one in enumerate(program.inputs):
        kind = one.type.array_type()
        bounds = declared_bounds(one.bounds, kind.dtype) if given is None else given[place]
        said = bounds is not None and not kind.public and (declared is None or declared[place])
        facts.append(fresh(analysis.symbols.new(), kind, bounds, said))
    results = analysis.graph(len(program.bodies), facts)
    problems = list(analysis.problems.values())
    return Found(results, analysis.seen, analysis.reached, problems, analysis.visited)


class Analysis:
    """One pass over a program.

    Parameters
    ----------
    program : Program
    ring : Ring
    strict : bool
    most_tried : int
    """

    def __init__(
        self, program: Program, ring: Ring, strict: bool, most_tried: int = MOST_TRIED
    ) -> None:
        self.graphs: list[Checked] = list(program.graphs())
        self.ring = ring
        self.strict = strict
        self.most_tried = most_tried
        self.symbols = Symbols()
        self.seen: list[list[Bounds | None]] = [[None] * len(g.types) for g in self.graphs]
        self.reached = [[False] * len(g.types) for g in self.graphs]
        self.problems: dict[tuple[int, int], Problem] = {}
        self.visited = 0
        """How many nodes were looked at so far."""
        self._most = MOST_VISITED + 4 * sum(len(graph.nodes) for graph in self.graphs)
        self._constants: dict[int, list[Fact]] = {}
        self._trying = 0

    def __repr__(self) -> str:
        return f"Analysis(ring={self.ring.bits}, strict={self.strict})"

    @contextmanager
    def trying(self) -> Iterator[None]:
        """What happens inside is not noted, and raises RangeError where something could wrap."""
        self._trying += 1
        try:
            yield
        finally:
            self._trying -= 1

    @property
    def is_trying(self) -> bool:
        """Whether nothing is noted now."""
        return self._trying > 0

    def failure(self, error: ProgramError) -> TacitError:
        """What is raised for declared bounds that do not hold: a try has failed, no more."""
        if self._trying:
            return RangeError(error.message, next_step=error.next_step or "", case=73)
        return error

    def graph(self, number: int, inputs: Sequence[Fact]) -> list[Fact]:
        """What is known of a graph's results, from what is known of its inputs."""
        checked = self.graphs[number]
        if self._trying and self.visited > self.most_tried:
            raise RangeError("Too much has been tried.", next_step="", case=73)
        facts = [*inputs]
        facts += self._facts_of_constants(number)
        for value, fact in enumerate(facts):
            self._note(number, value, fact)
        for place, node in enumerate(checked.nodes):
            self.visited += 1
            given = [facts[value] for value in node.node.operands]
            found = self._node(number, place, node, checked, given, facts)
            for offset, fact in enumerate(found):
                self._note(number, node.first + offset, fact)
            facts += found
        return [facts[value] for value in checked.graph.results]

    def _facts_of_constants(self, number: int) -> list[Fact]:
        """The constants of a graph, looked at once."""
        if number not in self._constants:
            constants = self.graphs[number].graph.constants
            found = [known_array(self.symbols.new(), one.array) for one in constants]
            self._constants[number] = found
        return self._constants[number]

    def where(self, number: int, place: int) -> str:
        """A node, for people."""
        node = self.graphs[number].nodes[place].node
        note = f", {clean(node.note)[:80]}" if node.note else ""
        body = f" of body {number}" if number < len(self.graphs) - 1 else ""
        return f"Node {place}{body} ({node.operation}{note})"

    def problem(self, number: int, place: int, why: Any, text: str) -> None:
        """Note what cannot be shown, once."""
        if not self._trying and (number, place) not in self.problems:
            operation = self.graphs[number].nodes[place].node.operation
            said = f"{self.where(number, place)}: {text}"
            self.problems[number, place] = Problem(number, place, operation, why, said)

    def _note(self, number: int, value: int, fact: Fact) -> None:
        if self._trying:
            return
        seen, reached = self.seen[number], self.reached[number]
        before = seen[value]
        if not reached[value]:
            seen[value], reached[value] = fact.bounds, True
        elif before is not None:
            seen[value] = None if fact.bounds is None else union(before, fact.bounds)

    def _node(
        self,
        number: int,
        place: int,
        node: CheckedNode,
        checked: Checked,
        given: list[Fact],
        facts: list[Fact],
    ) -> list[Fact]:
        if node.operation is None:
            return self._control(number, place, node, given)
        types = [checked.types[value] for value in node.node.operands]
        if node.public:
            elements = sum(one.array.size for one in given if one.array is not None)
            self.visited += elements // _ELEMENTS_A_NODE
            return public_facts(node, types, given, self.symbols)
        closer = closer_bounds(checked, node, facts)
        arguments = (node, types, given, node.node.operands, self.ring)
        try:
            found = secret_facts(*arguments, self.strict, self.symbols, closer)
        except RangeError as error:
            if self._trying:
                raise
            if not self.strict:
                raise refused(self.where(number, place), error) from error
            self.problem(number, place, "wraps", error.message)
            return [Fact() for _ in node.results]
        self._look(number, place, node, types, given, found)
        return found

    def _look(
        self,
        number: int,
        place: int,
        node: CheckedNode,
        types: Sequence[ArrayType],
        given: Sequence[Fact],
        found: Sequence[Fact],
    ) -> None:
        """Note an operation that may wrap for all that is known."""
        name = node.node.operation
        if is_unconditional(node) or self._trying:
            return
        open_ends = [
            t
            for t, fact in zip(types, given, strict=True)
            if fact.bounds is None and not t.dtype.range_is_narrow
        ]
        if open_ends:
            self.problem(number, place, "unbounded", "an operand has no bounds")
        elif name in WITHOUT_RULE:
            why = WITHOUT_RULE[name]
            self.problem(number, place, "no rule", f"nothing is said of its results: {why}")
        elif any(
            fact.bounds is None and not t.dtype.range_is_narrow
            for fact, t in zip(found, node.results, strict=True)
        ):
            what = " and ".join(interval(fact.bounds) for fact in given)
            self.problem(number, place, "no rule", f"of operands within {what} nothing is said")

    # Control flow.

    def _control(self, number: int, place: int, node: CheckedNode, given: list[Fact]) -> list[Fact]:
        from tacit.programs.bounding.loops import of_fori, of_scan, of_while

        if self.visited > self._most:
            self.problem(number, place, "no rule", "the program is too large to look at all of it")
            self._skip(node)
            return [fresh(self.symbols.new(), t, None, False) for t in node.results]
        match node.attributes:
            case Call(body):
                return self.graph(body, self.begun(number, place, body, given))
            case Choice(branches):
                return self._choice(number, place, branches, given)
            case Loop():
                return of_fori(self, number, place, node, given)
            case Over():
                return of_scan(self, number, place, node, given)
            case Until():
                return of_while(self, number, place, node, given)
        raise AssertionError(node.attributes)

    def _skip(self, node: CheckedNode) -> None:
        """Nothing is known of the values of bodies that are not looked at.

        Raises
        ------
        RangeError
            One of them sorts by keys of which the program says how narrow they are (TC-1373).
        """
        waiting = list(bodies_of(node.attributes))
        skipped: set[int] = set()
        while waiting:
            body = waiting.pop()
            if body not in skipped:
                skipped.add(body)
                waiting += [b for n in self.graphs[body].nodes for b in bodies_of(n.attributes)]
                for place, n in enumerate(self.graphs[body].nodes):
                    if says_key_bits(n):
                        self._refuse_keys(body, place, keys_unknown(n))
        if not self._trying:
            for body in skipped:
                count = len(self.graphs[body].types)
                self.seen[body], self.reached[body] = [None] * count, [True] * count

    def _refuse_keys(self, body: int, place: int, error: RangeError) -> None:
        if self._trying:
            raise error
        if not self.strict:
            raise refused(self.where(body, place), error)
        self.problem(body, place, "wraps", error.message)

    def _choice(
        self, number: int, place: int, branches: Sequence[int], given: list[Fact]
    ) -> list[Fact]:
        index = given[0]
        chosen = list(dict.fromkeys(branches))
        if index.array is not None:
            wanted = min(max(int(index.array.item()), 0), len(branches) - 1)
            chosen = [branches[wanted]]
        found = [self.graph(b, self.begun(number, place, b, given[1:])) for b in chosen]
        return [self.together([results[k] for results in found]) for k in range(len(found[0]))]

    def together(self, facts: list[Fact]) -> Fact:
        """What is known of one of several, as a symbol of its own."""
        found = joined(facts)
        if found.form is None and found.bounds is not None and found.array is None:
            return Fact(found.bounds, found.declared, symbol(self.symbols.new(), found.bounds))
        return found

    def begun(self, number: int, place: int, body: int, given: Sequence[Fact]) -> list[Fact]:
        """What a body is given: within what its inputs declare."""
        facts = []
        for k, fact in enumerate(given):
            declared = self.declared(body, k)
            if declared is not None and not within(fact.bounds, declared):
                what = f"what its body {body} takes as input {k}"
                error = outside(self.where(number, place), what, declared, fact.bounds)
                raise self.failure(error)
            facts.append(fact)
        return facts

    def declared(self, body: int, place: int) -> Bounds | None:
        """The bounds that a body declares for one of its inputs."""
        one = self.graphs[body].graph.inputs[place]
        return declared_bounds(one.bounds, one.type.dtype)

    def value(self, array_type: ArrayType, bounds: Bounds | None, declared: bool) -> Fact:
        """A value of which only its bounds are known."""
        return fresh(self.symbols.new(), array_type, bounds, declared)

    def number(self, value: int) -> Fact:
        """A public integer."""
        return known_array(self.symbols.new(), np.asarray(value, np.int64))
