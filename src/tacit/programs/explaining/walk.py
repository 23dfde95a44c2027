"""From inputs to outputs: what each value is made of, and over how many rows.

An abstract run of the program (Cousot and Cousot 1977): every operation acts on what is known about
its operands. Loops of few rounds are run round by round; others until nothing changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Any, Final

import numpy as np

from tacit.errors import TacitError
from tacit.operations.types import ArrayType
from tacit.programs.control import CONTROL
from tacit.programs.explaining.budget import KEEPING, NAMING, SOLVING, TRYING, Budget
from tacit.programs.explaining.choosing import picked_of
from tacit.programs.explaining.composed import expanded
from tacit.programs.explaining.forms import Form, identity
from tacit.programs.explaining.groups import Selecting
from tacit.programs.explaining.linear import MOVES, linear_form
from tacit.programs.explaining.minimums import branches_of, guard_of, marks_of
from tacit.programs.explaining.reaching import joined, reach_of
from tacit.programs.explaining.scaling import factor_of, taken_back
from tacit.programs.explaining.spans import span_of, span_of_result, unit_of
from tacit.programs.explaining.telling import TRAINING, how_of
from tacit.programs.explaining.values import ALL, Made, Reach, Source, Value
from tacit.programs.inference import Checked, CheckedNode
from tacit.programs.program import Program
from tacit.programs.public import MOST_NUMBERS, computed

__all__ = ["Walk"]

MOST_WORK: Final = 50_000
"""The most operations that are followed, rounds of loops and calls counted each."""

_DEEPEST: Final = 100

_SHORT: Final = 4096

_MOST_KNOWN: Final = 1 << 20
"""The most public numbers that are computed while explaining."""


class Walk:
    """One pass over a program.

    Parameters
    ----------
    program : Program

    Attributes
    ----------
    sources : list of Source
        The secret inputs first, in order; then results of operations that are not linear.
    shapes : dict
        Of sources, by number.
    outputs : list of Value
    cut : bool
        Whether the program is too long to be followed to its end.
    solving, naming, trying : Budget
        How much work is left for equations, and for functions.
    large : frozenset of str
        Outputs of a program too large for all forms to be written out.
    unsolved : set of str
        Outputs that were too large to be solved exactly, for anybody.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.work = self.depth = 0
        self.cut = False
        self.solving, self.naming, self.trying = Budget(SOLVING), Budget(NAMING), Budget(TRYING)
        self._keeping = Budget(KEEPING)
        self._done: dict[Any, tuple[tuple[Value, ...], Value]] = {}
        """Results by operation and operands: the same operation twice is one value."""
        self.sources: list[Source] = []
        self.shapes: dict[int, tuple[int, ...]] = {}
        self.of_input: dict[int, int] = {}
        """The source of each secret input, by the input's number."""
        self._selections: dict[Any, int] = {}
        self._selecting = Selecting(self.shapes, self._selection)
        given = [self._input(number, kind) for number, kind in enumerate(program.main.inputs)]
        self.outputs = self.run(program.main, given)
        names = [one.name for one in program.outputs] if self._keeping.refused else []
        self.large = frozenset(names)
        self.unsolved = set(names)

    def _input(self, number: int, kind: ArrayType) -> Value:
        if kind.public:
            return Value(kind)
        name = self.program.inputs[number].name
        rows = kind.shape[0] if kind.shape else 1
        axis = 0 if kind.shape else None
        bounds = self.program.inputs[number].bounds
        span, unit = span_of(kind, bounds), unit_of(kind)
        source = self.source(kind.shape, "input", name, (), axis, span=span, unit=unit)
        self.of_input[number] = source
        reach = Reach(1, axis, rows)
        indicator = _is_bit(kind, bounds)
        form = identity(source, kind.shape)
        return Value(
            kind,
            form,
            {number: reach, ALL: reach},
            indicator=indicator,
            over=(form,) if indicator else (),
            inputs=frozenset([number]),
            bounds=bounds,
        )

    def _selection(self, shape: tuple[int, ...], key: Any) -> int:
        """The number of a selection of rows, the same for the same key."""
        if key not in self._selections:
            self._selections[key] = self.source(shape, "opaque", "selection", (), None)
        return self._selections[key]

    def source(
        self, shape: tuple[int, ...], how: Any, operation: str, of: tuple[Value, ...],
        rows: int | None, **more: Any,
    ) -> int:  # fmt: skip
        """The number of a new source; `more` is what else is said about it."""
        number = len(self.sources)
        self.sources.append(Source(number, shape, how, operation, of, rows, **more))
        self.shapes[number] = shape
        return number

    # Graphs.

    def run(self, checked: Checked, given: Sequence[Value]) -> list[Value]:
        """The results of a graph."""
        from tacit.programs.explaining.loops import control

        self.work += len(checked.nodes) + 1
        if self.work > MOST_WORK or self.depth > _DEEPEST:
            self.cut = True
            return self._cut(checked, given)
        self.depth += 1
        graph = checked.graph
        values = list(given)
        for constant in graph.constants:
            array = constant.array
            kind = checked.types[len(values)]
            values.append(Value(kind, known=array if array.size <= _MOST_KNOWN else None))
        for node in checked.nodes:
            operands = [values[number] for number in node.node.operands]
            if node.node.operation in CONTROL:
                values.extend(control(self, node, operands))
            elif node.public:
                values.extend(self._public(node, operands))
            else:
                values.extend(self.results(node, operands))
        self.depth -= 1
        return [values[number] for number in graph.results]

    def _cut(self, checked: Checked, given: Sequence[Value]) -> list[Value]:
        """Results of a graph that is not followed: they may depend on all that is given."""
        inputs = frozenset[int]().union(*(one.inputs for one in given))
        keys = {key for one in given for key in one.reach}
        totals = {key: max(one.reach[key].total for one in given if key in one.reach)
                  for key in keys}  # fmt: skip
        reach = {key: Reach(1, None, total) for key, total in totals.items()}
        found: list[Value] = []
        for kind in checked.results:
            if kind.public or not inputs:
                found.append(Value(kind))
                continue
            form = self.atom(kind, "opaque", "call", (), reach)
            found.append(Value(kind, form, reach, trained=True, inputs=inputs))
        return found

    def _public(self, node: CheckedNode, operands: Sequence[Value]) -> list[Value]:
        known = [one.known for one in operands]
        sizes = [prod(one.shape) for one in operands]
        if any(one is None for one in known) or sum(sizes) > MOST_NUMBERS:
            return [Value(kind) for kind in node.results]
        arrays_known = [one for one in known if one is not None]
        try:
            arrays = computed(node.node.operation, arrays_known, node.attributes, node.results)
        except TacitError:
            return [Value(kind) for kind in node.results]
        return [Value(kind, known=a) for kind, a in zip(node.results, arrays, strict=True)]

    # Operations of the table.

    def results(self, node: CheckedNode, operands: Sequence[Value]) -> list[Value]:
        """The results of an operation, at least one operand of which is secret."""
        name, attributes = node.node.operation, node.attributes
        if name == "constant":
            return [Value(node.results[0], known=operands[0].known)]
        whole = expanded(self, node, operands)
        if whole is not None:
            return [replace(whole, made=_made(node, operands, 0))]
        return [
            self.result(name, attributes, operands, kind, place, node)
            for place, kind in enumerate(node.results)
        ]

    def result(
        self, name: str, attributes: Any, operands: Sequence[Value], kind: ArrayType,
        place: int = 0, node: CheckedNode | None = None,
    ) -> Value:  # fmt: skip
        """One result of an operation."""
        key = name, attributes, place, tuple(map(_identity, operands))
        if key not in self._done:
            made = None if node is None else _made(node, operands, place)
            found = self._result(name, attributes, operands, kind, place, key, made)
            self._done[key] = tuple(operands), found
        return self._done[key][1]

    def _result(
        self, name: str, attributes: Any, operands: Sequence[Value], kind: ArrayType, place: int,
        key: Any, made: Made | None,
    ) -> Value:  # fmt: skip
        inputs = frozenset[int]().union(*(one.inputs for one in operands))
        if not inputs:
            return Value(kind)
        guarded = guard_of(name, operands)
        branches = [] if guarded else branches_of(name, operands)
        about = [guarded[0]] if guarded else branches or operands
        reach = reach_of(name, attributes, about, kind.shape)
        if branches:
            several = [reach_of(name, attributes, [one], kind.shape) for one in branches]
            reach = joined(several, least=True)
        form = None
        if not self._keeping.refused or all(map(_is_plain, operands)):
            form = linear_form(name, attributes, operands, kind.shape, self.shapes)
        if form is not None and not self._keeping.take(_written(form, operands)):
            form = None
        if form is None:
            open_to = guarded or branches
            how = "guarded" if open_to else how_of(name, attributes, operands, place)
            span = span_of_result(name, attributes, operands, kind)
            scaled, factor = factor_of(name, operands, kind.shape) or (None, None)
            of = about if scaled is None else [scaled]
            form = self.atom(kind, how, name, of, reach, span=span, factor=factor, made=made)
        else:
            form = taken_back(form, kind.shape, self.sources)
        marks = marks_of(name, attributes, operands, kind, key, self._selecting)
        holds = guarded is not None and _holds(guarded[0], marks["minimum"])
        guard = guarded[1] if guarded is not None and holds else None
        picked = picked_of(name, attributes, about, kind.shape, guard)
        trained = name in TRAINING or any(one.trained for one in operands)
        moved = name in MOVES and name != "astype" and len(operands) == 1
        bounds = operands[0].bounds if moved else None
        return Value(
            kind, form, reach, trained=trained, inputs=inputs, bounds=bounds, made=made,
            picked=picked, **marks,
        )  # fmt: skip

    def atom(
        self, kind: ArrayType, how: Any, name: str, operands: Sequence[Value], reach: Any,
        **more: Any,
    ) -> Form:  # fmt: skip
        """The form of a value that becomes a source."""
        every = reach.get(ALL)
        axis = None if every is None else every.axis
        each = 1 if every is None else every.rows
        more = {"unit": unit_of(kind), "each": each, **more}
        number = self.source(kind.shape, how, name, tuple(operands), axis, **more)
        return identity(number, kind.shape)

    def replaced(self, value: Value, how: Any, name: str, of: Sequence[Value] = ()) -> Value:
        """A value about which no more is said than what it depends on."""
        form = self.atom(value.type, how, name, of, value.reach)
        return replace(value, form=form, known=None, bounds=None, made=None)


def _is_plain(value: Value) -> bool:
    """Whether a value is made of each source in one way."""
    return all(isinstance(one, tuple) and len(one) == 1 for one in value.form.values())


def _written(form: Form, operands: Sequence[Value]) -> int:
    """How many coefficients a form has that its operands do not keep already."""
    kept = {id(block) for one in operands for block in one.form.values()}
    blocks = [one for one in form.values() if isinstance(one, np.ndarray)]
    return sum(one.size for one in blocks if id(one) not in kept)


def _made(node: CheckedNode, operands: Sequence[Value], place: int) -> Made | None:
    """How a result was made, if that is element by element."""
    each = node.operation is not None and node.operation.elementwise
    return Made(node, tuple(operands), place) if each or node.node.operation == "divmod" else None


def _holds(kept: Value, minimum: int | None) -> bool:
    """Whether a guard counts what is chosen: members of the group, or weights that are not 0."""
    return minimum is not None or not kept.over


def _is_bit(kind: ArrayType, bounds: tuple[float, float] | None) -> bool:
    """Whether an input is 0 or 1, by its type or its declared bounds."""
    if kind.dtype.kind == "int" and bounds is not None:
        return bounds[0] >= 0 and bounds[1] <= 1
    return kind.dtype.kind == "bool"


def _identity(value: Value) -> Any:
    """What tells values apart: their numbers if they are few and public, else themselves."""
    if value.known is not None and value.known.nbytes <= _SHORT:
        return value.known.dtype.str, value.known.shape, value.known.tobytes()
    return id(value)


def same(one: Value, other: Value) -> bool:
    """Whether two values are known to be alike; carries of loops are compared so."""
    if one.inputs != other.inputs or one.form.keys() != other.form.keys():
        return False
    for source, block in one.form.items():
        against = other.form[source]
        if isinstance(block, tuple) or isinstance(against, tuple):
            if not isinstance(block, tuple) or block != against:
                return False
        elif not np.array_equal(block, against):
            return False
    known = one.known is other.known or (
        one.known is not None and other.known is not None and np.array_equal(one.known, other.known)
    )
    return known and dict(one.reach) == dict(other.reach)
