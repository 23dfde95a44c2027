"""A program run twice side by side, node by node: on float64, and on shares that are opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.fixed import magnitude_limit
from tacit.frontends.comparing.errors import NodeErrors
from tacit.frontends.comparing.orders import shuffled_alike
from tacit.operations.manipulation import index_of
from tacit.operations.table import OPERATIONS
from tacit.operations.types import ArrayType
from tacit.programs.control import Call, Choice, Loop, Over, Until
from tacit.programs.inference import Checked, CheckedNode
from tacit.programs.meanings.operations import meaning
from tacit.programs.program import Program
from tacit.programs.public import computed
from tacit.sessions.handles import Handle, Reference
from tacit.sessions.session import Session

__all__ = ["Interpreter", "Pair"]


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """One value in both runs.

    Attributes
    ----------
    exact : ndarray
        What float64 gives.
    handle : Reference or ndarray
        What the session knows it by.
    opened : ndarray
        What the shares hold.
    """

    exact: NDArray[Any]
    handle: Handle
    opened: NDArray[Any]

    @classmethod
    def known(cls, array: NDArray[Any]) -> Pair:
        """A public array."""
        return cls(array, array, array)


class Interpreter:
    """Runs a program's graphs on pairs, and notes the errors of each node.

    Parameters
    ----------
    session : Session
        In this process.
    program : Program
    tolerance : float

    Attributes
    ----------
    rows : dict of (int, int) to NodeErrors
        By number of the graph (the main one is the last) and place of the node, in the order of
        their first run.
    """

    def __init__(self, session: Session, program: Program, tolerance: float) -> None:
        self._session = session
        self._program = program
        self._tolerance = tolerance
        self.rows: dict[tuple[int, int], NodeErrors] = {}

    def run(self, inputs: Sequence[Pair]) -> list[Pair]:
        """The results of the main graph."""
        return self._graph(len(self._program.bodies), self._program.main, inputs)

    def opened(self, handle: Handle) -> NDArray[Any]:
        """What the shares of a value hold."""
        if not isinstance(handle, Reference):
            return handle
        return next(iter(self._session.open(handle, (0,), (0,)).values()))

    def _body(self, number: int, inputs: Sequence[Pair]) -> list[Pair]:
        return self._graph(number, self._program.bodies[number], inputs)

    def _graph(self, number: int, checked: Checked, inputs: Sequence[Pair]) -> list[Pair]:
        values = [*inputs, *(Pair.known(one.array) for one in checked.graph.constants)]
        for place, node in enumerate(checked.nodes):
            given = [values[value] for value in node.node.operands]
            if node.public:
                arrays = [one.opened for one in given]
                found = computed(node.node.operation, arrays, node.attributes, node.results)
                values += [Pair.known(array) for array in found]
            elif node.operation is None:
                values += self._control(node, given)
            else:
                values += self._operation(number, place, node, given)
        return [values[value] for value in checked.graph.results]

    def _operation(
        self, number: int, place: int, node: CheckedNode, given: Sequence[Pair]
    ) -> list[Pair]:
        assert node.operation is not None
        handles = self._session.execute(
            node.operation, [one.handle for one in given], node.attributes, node.results
        )
        opened = [self.opened(handle) for handle in handles]
        exact = meaning(node, [one.exact for one in given])
        alone = meaning(node, [one.opened for one in given])
        if node.node.operation == "shuffle":  # any order is right: both follow the shares' one
            axis, (before,) = node.attributes.axis, given
            exact, alone = (
                (shuffled_alike(before.opened, opened[0], one[0], axis),) for one in (exact, alone)
            )
        row = self.rows.get((number, place))
        if row is None:
            row = self.rows[number, place] = NodeErrors(node, number, place, order=len(self.rows))
        row.runs += 1
        for k, kind in enumerate(node.results):
            limit = magnitude_limit(kind.dtype, self._session.ring)
            row.note(exact[k], alone[k], opened[k], kind.dtype, limit, self._tolerance)
        return [Pair(np.asarray(e), h, o) for e, h, o in zip(exact, handles, opened, strict=True)]

    def _control(self, node: CheckedNode, given: list[Pair]) -> list[Pair]:
        match node.attributes:
            case Call(body):
                return self._body(body, given)
            case Choice(branches):
                index = min(max(int(given[0].opened.item()), 0), len(branches) - 1)
                return self._body(branches[index], given[1:])
            case Loop(body, carried):
                first, end = (int(one.opened.item()) for one in given[:2])
                carries, captures = given[2 : 2 + carried], given[2 + carried :]
                for counter in range(first, end):
                    number = Pair.known(np.asarray(counter, np.int64))
                    carries = self._body(body, [number, *carries, *captures])
                return carries
            case Over():
                return self._over(node.attributes, node.results, given)
            case Until():
                return self._until(node.attributes, given)
        raise AssertionError(node.node.operation)

    def _until(self, a: Until, given: list[Pair]) -> list[Pair]:
        carries, rest = given[: a.carried], given[a.carried :]
        while self._body(a.condition, [*carries, *rest[: a.captured]])[0].opened.item():
            carries = self._body(a.body, [*carries, *rest[a.captured :]])
        return carries

    def _over(self, a: Over, results: Sequence[ArrayType], given: list[Pair]) -> list[Pair]:
        carries = given[: a.carried]
        cut = given[a.carried : a.carried + a.sliced]
        captures = given[a.carried + a.sliced :]
        rows: list[list[Pair]] = []
        order = range(a.length - 1, -1, -1) if a.reverse else range(a.length)
        for place in order:
            found = self._body(a.body, [*carries, *(self._row(c, place) for c in cut), *captures])
            carries = found[: a.carried]
            rows.append(found[a.carried :])
        if a.reverse:
            rows.reverse()
        kinds = results[a.carried :]
        return [
            *carries,
            *(self._stacked([row[k] for row in rows], kind) for k, kind in enumerate(kinds)),
        ]

    def _row(self, one: Pair, place: int) -> Pair:
        if not isinstance(one.handle, Reference):
            return Pair.known(np.asarray(one.handle[place]))
        items = index_of(place, one.handle.shape)
        handle = self._session.apply("getitem", [one.handle], items=items)
        assert isinstance(handle, Reference)
        return Pair(np.asarray(one.exact[place]), handle, np.asarray(one.opened[place]))

    def _stacked(self, rows: list[Pair], kind: ArrayType) -> Pair:
        if kind.public or not rows:
            exact = np.zeros(kind.shape, kind.dtype.numpy)
            exact = np.stack([row.opened for row in rows]) if rows else exact
            if kind.public:
                return Pair.known(exact)
            found = self._session.apply("constant", [exact], **kind.dtype.parameters)
            assert isinstance(found, Reference)
            return Pair(exact, found, exact)
        stack = OPERATIONS["stack"]
        handles = [row.handle for row in rows]
        (handle,) = self._session.execute(stack, handles, stack.attributes(), (kind,))
        exact = np.stack([row.exact for row in rows])
        return Pair(exact, handle, np.stack([row.opened for row in rows]))
