"""Tracing: a function over secret arrays becomes a program, because its session only records.

Every operation of the table goes through the session's own checks of types, shapes and bounds, and
is noted as a node instead of being computed. So whatever is written in terms of ``tacit``'s
functions can be run at once, or traced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

from numpy.typing import ArrayLike, NDArray

from tacit.encoding.limits import Limits
from tacit.encoding.ring import Ring
from tacit.encoding.rings import ring_of
from tacit.encoding.types import DType, fixed, int64
from tacit.errors import ProgramError, RangeError, SecretMisuseError
from tacit.operations.bounds import declared_bounds
from tacit.operations.operation import Attributes, Operation
from tacit.operations.promotion import public_array
from tacit.operations.types import ArrayType, Bounds, public_type
from tacit.programs.bounding.analysis import analysed
from tacit.programs.building import GraphBuilder, Value
from tacit.programs.control import Choice, Loop, Over, Until
from tacit.programs.form import ProgramForm
from tacit.programs.graph import FORMAT, Graph, Hint, Output
from tacit.programs.inference import result_types
from tacit.programs.program import Program
from tacit.programs.public import PUBLIC, not_in_clear
from tacit.protocols import protocol_named
from tacit.rounds.cost import Cost
from tacit.sessions.handles import Handle, Reference, operand_type
from tacit.sessions.recording import Body, Declared
from tacit.sessions.session import Session

__all__ = ["TracedReference", "TracingSession"]


class TracedReference(Reference):
    """An array of a program that is being made.

    Attributes
    ----------
    value : Value
        Its value in the graph.
    """

    __slots__ = ("value",)

    def __init__(self, value: Value) -> None:
        super().__init__(value.type.dtype, value.type.shape)
        self.value = value
        self.public = value.type.public
        self.bounds = value.bounds
        self.declared = value.declared


@dataclass(frozen=True, slots=True, eq=False)
class _LoopBody:
    """The body of a loop: what it captures, the carries it starts from, its results' types."""

    graph: Graph
    captures: Sequence[Handle]
    started: list[Handle]
    results: list[ArrayType]


class TracingSession(Session):
    """A session that records what is asked of it.

    Parameters
    ----------
    fractions : DType
        What floats become.
    ring : int
        The ring whose limits bounds are held against.
    """

    place = "while a function becomes a program"

    def __init__(self, fractions: DType = fixed, ring: int = 64) -> None:
        elements: Ring = ring_of(ring)
        super().__init__(protocol_named("replicated3"), ("a", "b", "c"), "probabilistic", elements,
                         fractions)  # fmt: skip
        self._builder = GraphBuilder()
        self._bodies: dict[Graph, int] = {}
        self._hints: list[Hint] = []
        self._refused: list[RangeError] = []
        self.note = ""
        """Where the operations that follow come from."""

    # Inputs and the end.

    def begin(
        self, name: str, array_type: ArrayType, owner: str, bounds: Bounds | None
    ) -> TracedReference:
        """An input of the program."""
        reference = TracedReference(self._builder.input(array_type, name, owner, bounds))
        reference.declare(bounds)
        reference.value.bounds, reference.value.declared = reference.bounds, reference.declared
        return reference

    def program(
        self,
        results: Sequence[tuple[str, Handle, tuple[str, ...]]],
        name: str = "",
    ) -> Program:
        """The program whose outputs are `results`: name, value, recipients."""
        outputs = tuple(Output(output, to) for output, _, to in results)
        values = [self._value(self._secret(handle)) for _, handle, _ in results]
        main = self._builder.graph(values)
        form = ProgramForm(FORMAT, name, main, outputs, tuple(self._bodies), tuple(self._hints))
        program = Program(form)
        self._require_bounds(program)
        return program

    def _require_bounds(self, program: Program) -> None:
        """Refuse a program that could wrap within declared bounds, from the line that does it."""
        try:
            analysed(program, self.ring)
        except RangeError as error:
            stages = [one for one in self._refused if one.stage == error.stage]
            raise error from (stages[0] if stages else None)

    def tracked(
        self, track: Callable[..., list[Bounds | None]], arguments: tuple[Any, ...]
    ) -> Sequence[Bounds | None]:
        """Bounds by intervals alone; the whole program is looked at when it is made."""
        try:
            return super().tracked(track, arguments)
        except RangeError as error:
            self._refused.append(error)
            return [None] * len(arguments[5])

    def _secret(self, handle: Handle, dtype: DType | None = None) -> Reference:
        """A handle as a secret: what all know becomes a constant sharing."""
        if isinstance(handle, Reference) and not handle.public:
            return handle
        known = operand_type(handle) if isinstance(handle, Reference) else public_type(handle)
        chosen = dtype or (self.fractions if known.dtype.kind == "fixed" else known.dtype)
        found = self._applied("constant", [handle], chosen.parameters)
        assert isinstance(found, Reference)
        return found

    def _value(self, handle: Handle) -> Value:
        if isinstance(handle, TracedReference):
            return handle.value
        if isinstance(handle, Reference):
            raise ProgramError(
                "An array of another session is used in a function that is traced.",
                next_step="make it an argument of the function: an ArraySpec describes it.",
                case=13,
            )
        return self._builder.constant(handle)

    # Operations.

    def _applied(
        self,
        name: str,
        operands: Sequence[Handle | ArrayLike],
        attributes: dict[str, Any],
        purpose: str | None = None,
    ) -> Reference | tuple[Reference, ...]:
        references = [one for one in operands if isinstance(one, Reference)]
        if name != "constant" and all(one.public for one in references) and name not in PUBLIC:
            raise not_in_clear(name)
        return super()._applied(name, operands, attributes, purpose)

    def execute(
        self,
        operation: Operation,
        operands: Sequence[Handle],
        attributes: Attributes,
        results: tuple[ArrayType, ...],
    ) -> tuple[Reference, ...]:
        """Note an operation."""
        types = [
            operand_type(one) if isinstance(one, Reference) else public_type(one)
            for one in operands
        ]
        if all(one.public for one in types):
            results = result_types(operation.name, operation, types, attributes)
        values = [self._value(one) for one in operands]
        made = self._builder.node(operation.name, values, attributes, results, self.note)
        return tuple(TracedReference(value) for value in made)

    # Control flow.

    def fori(
        self,
        first: Handle,
        end: Handle,
        body: Body,
        carries: Sequence[Handle],
        bounds: Declared = (),
    ) -> list[Handle]:
        """A loop over integers."""
        counted = self._counter_bounds(first, end)
        counter = ArrayType(int64, (), public=True)
        made = self._loop_body(body, carries, [(counter, counted)], bounds)
        attributes = Loop(self._body(made.graph), len(made.started))
        operands = [first, end, *made.started, *made.captures]
        return self._control("fori", operands, attributes, _types(made.started))

    def scan(
        self,
        body: Body,
        carries: Sequence[Handle],
        cut: Sequence[Handle],
        length: int,
        reverse: bool,
        bounds: Declared = (),
    ) -> list[Handle]:
        """A loop over rows."""
        rows = [
            (ArrayType(t.dtype, t.shape[1:], t.public), _bounds_of(one))
            for one, t in zip(cut, _types(cut), strict=True)
        ]
        made = self._loop_body(body, carries, rows, bounds, after=True)
        carried = len(made.started)
        attributes = Over(self._body(made.graph), carried, len(cut), length, reverse)
        stacked = [ArrayType(t.dtype, (length, *t.shape), t.public) for t in made.results[carried:]]
        operands = [*made.started, *cut, *made.captures]
        return self._control("scan", operands, attributes, [*_types(made.started), *stacked])

    def until(
        self, condition: Body, body: Body, carries: Sequence[Handle], bounds: Declared = ()
    ) -> list[Handle]:
        """A loop on a public condition."""
        made = self._loop_body(body, carries, [], bounds)
        types = _types(made.started)
        asked, of_condition = self._traced(condition, [(t, None) for t in types])
        attributes = Until(self._body(asked), self._body(made.graph), len(types), len(of_condition))
        operands = [*made.started, *of_condition, *made.captures]
        return self._control("while", operands, attributes, types)

    def branch(
        self, index: Handle, branches: Sequence[Body], operands: Sequence[Handle]
    ) -> list[Handle]:
        """One of several bodies."""
        given = [(t, _bounds_of(one)) for one, t in zip(operands, _types(operands), strict=True)]
        secret = [False]
        while True:  # a result is secret if one branch gives a secret
            bodies = [self._branch_builder(branch, given, secret) for branch in branches]
            types = [[v.type for v in results] for _, results in bodies]
            joined = [any(not t[k].public for t in types) for k in range(len(types[0]))]
            if joined == secret or not any(joined):
                break
            secret = joined
        captures: dict[Value, None] = {}
        for builder, _ in bodies:
            captures.update(dict.fromkeys(builder.captures))
        numbers = []
        for builder, results in bodies:
            for value in captures:  # every branch takes all captures, in one order
                builder.own(value)
            builder.captures = {value: builder.captures[value] for value in captures}
            numbers.append(self._body(builder.graph(results)))
        handles: list[Handle] = [index, *operands, *map(TracedReference, captures)]
        return self._control("cond", handles, Choice(tuple(numbers)), types[0])

    @contextmanager
    def hint(self, protocol: str) -> Iterator[None]:
        """What is recorded inside would best run under a protocol."""
        if self._builder.outer is not None:
            raise ProgramError(
                "A hint inside the body of a loop or branch.",
                next_step="put the whole loop into the block.",
                case=19,
            )
        first = self._builder.size
        yield
        last = self._builder.size - 1
        if last >= first:
            self._hints.append(Hint(first, last, protocol))

    def _branch_builder(
        self, branch: Body, given: Sequence[tuple[ArrayType, Bounds | None]], secret: list[bool]
    ) -> tuple[GraphBuilder, list[Value]]:
        outer, self._builder = self._builder, GraphBuilder(self._builder)
        try:
            inputs = [self._builder.input(t, known=known) for t, known in given]
            found = list(branch([TracedReference(value) for value in inputs]))
            flags = secret if len(secret) == len(found) else [False] * len(found)
            made = [
                self._secret(one) if wanted else one
                for one, wanted in zip(found, flags, strict=True)
            ]
            return self._builder, [self._value(one) for one in made]
        finally:
            self._builder = outer

    def _loop_body(
        self,
        body: Body,
        carries: Sequence[Handle],
        others: Sequence[tuple[ArrayType, Bounds | None]],
        bounds: Declared = (),
        *,
        after: bool = False,
    ) -> _LoopBody:
        """A body whose carries keep their types.

        What begins public and becomes secret in the body is secret from the start, and what begins
        with fewer fraction bits or as integers is converted.
        """
        started = list(carries)
        for _ in range(2 * len(started) + 2):
            begun = _types(started)
            invariants = [*bounds, *[None] * len(begun)][: len(begun)]
            outer, self._builder = self._builder, GraphBuilder(self._builder)
            kept = len(self._bodies)
            try:
                values = [] if after else self._inputs(others)
                values += [
                    self._builder.input(
                        t, bounds=said, known=declared_bounds(said, t.dtype), declared=bool(said)
                    )
                    for t, said in zip(begun, invariants, strict=True)
                ]
                values += self._inputs(others) if after else []
                found = list(body([TracedReference(value) for value in values]))
                results, changed = self._kept_types(found, started)
                if not changed:
                    values = [self._value(one) for one in results]
                    graph = self._builder.graph(values)
                    captures = [TracedReference(value) for value in self._builder.captures]
                    return _LoopBody(graph, captures, started, [value.type for value in values])
            except BaseException:
                self._forget_bodies(kept)
                raise
            finally:
                self._builder = outer
            self._forget_bodies(kept)
            started = [
                one if new is None else self._converted(one, new)
                for one, new in zip(started, changed, strict=True)
            ]
        raise ProgramError(
            "A loop's carry does not keep one type from round to round.",
            next_step="convert what the body gives back with astype to the type that it takes.",
            case=14,
        )

    def _forget_bodies(self, kept: int) -> None:
        """Those of an attempt that came to nothing."""
        while len(self._bodies) > kept:
            self._bodies.popitem()

    def _inputs(self, inputs: Sequence[tuple[ArrayType, Bounds | None]]) -> list[Value]:
        return [self._builder.input(t, known=known) for t, known in inputs]

    def _kept_types(
        self, found: list[Handle], started: Sequence[Handle]
    ) -> tuple[list[Handle], list[ArrayType | None]]:
        """Results in their carries' types; for each carry the type that it must begin with."""
        changed: list[ArrayType | None] = []
        results = list(found)
        for place, before in enumerate(_types(started)):
            after = _types([found[place]])[0]
            if after == before:
                changed.append(None)
            elif after.public and not before.public:
                results[place] = self._secret(found[place], before.dtype)
                changed.append(None)
            elif not before.public and before.dtype.kind == after.dtype.kind != "int":
                converted = self._applied("astype", [found[place]], before.dtype.parameters)
                assert isinstance(converted, Reference)
                results[place] = converted
                changed.append(None)
            else:
                changed.append(after)
        return results, ([] if all(one is None for one in changed) else changed)

    def _converted(self, handle: Handle, wanted: ArrayType) -> Handle:
        if not wanted.public and (not isinstance(handle, Reference) or handle.public):
            return self._secret(handle, wanted.dtype)
        if not isinstance(handle, Reference):
            return public_array(handle.astype(wanted.dtype.numpy))
        found = self._applied("astype", [handle], wanted.dtype.parameters)
        assert isinstance(found, Reference)
        return found

    def _traced(
        self, body: Body, inputs: Sequence[tuple[ArrayType, Bounds | None]]
    ) -> tuple[Graph, list[Handle]]:
        outer, self._builder = self._builder, GraphBuilder(self._builder)
        try:
            values = [self._builder.input(t, known=known) for t, known in inputs]
            found = body([TracedReference(value) for value in values])
            graph = self._builder.graph([self._value(one) for one in found])
            return graph, [TracedReference(value) for value in self._builder.captures]
        finally:
            self._builder = outer

    def _body(self, graph: Graph) -> int:
        return self._bodies.setdefault(graph, len(self._bodies))

    def _control(
        self,
        name: str,
        operands: Sequence[Handle],
        attributes: Attributes,
        results: Sequence[ArrayType],
    ) -> list[Handle]:
        values = [self._value(one) for one in operands]
        made = self._builder.node(name, values, attributes, results, self.note)
        return [TracedReference(value) for value in made]

    def _counter_bounds(self, first: Handle, end: Handle) -> Bounds | None:
        low, high = _bounds_of(first), _bounds_of(end)
        return None if low is None or high is None else (low[0], max(high[1] - 1, low[0]))

    # What cannot be done while a function is traced.

    def input_elements(
        self,
        owner: int,
        elements: NDArray[Any] | None,
        dtype: DType,
        shape: tuple[int, ...],
        limits: Limits,
    ) -> Reference:
        """Refused: inputs are arguments."""
        raise _not_here("share an array")

    def open(
        self, reference: Reference, to: tuple[int, ...], answer: tuple[int, ...]
    ) -> dict[str, NDArray[Any]]:
        """Refused: outputs are results."""
        raise _not_here("reveal an array")

    def _cost(self) -> Cost:
        return Cost()

    def _close(self) -> None:
        pass

    @property
    def stores(self) -> bool:
        """Nothing is stored."""
        return False

    def _nothing(self, *arguments: Any, **named: Any) -> NoReturn:
        raise _not_here("store or load an array")

    save_parts = load_parts = resume_parts = list_parts = delete_parts = refresh_parts = _nothing


def _types(handles: Sequence[Handle]) -> list[ArrayType]:
    return [operand_type(h) if isinstance(h, Reference) else public_type(h) for h in handles]


def _bounds_of(handle: Handle) -> Bounds | None:
    if isinstance(handle, Reference):
        return handle.bounds
    return (handle.min().item(), handle.max().item()) if handle.size else None


def _not_here(what: str) -> SecretMisuseError:
    return SecretMisuseError(
        f"A function that becomes a program cannot {what}.",
        next_step="make inputs arguments of the function, and return what is to be revealed;"
        " `to` of tacit.trace says to whom.",
        case=65,
    )
