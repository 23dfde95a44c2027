"""Short programs that say a lot: refused when they are made, or every analysis ends soon."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
import pytest

from tacit.errors import ProgramError, TacitError
from tacit.operations.operation import Attributes
from tacit.operations.table import OPERATIONS
from tacit.programs.control import Call, Choice, Loop, Over
from tacit.programs.form import ProgramForm
from tacit.programs.graph import Constant, Graph, Input, Node, Output, ValueType
from tacit.programs.program import Program
from tacit.programs.sizes import MOST_DEEP

ARRAY = Input("", ValueType("fixed", 18, 64, True, (2,)))
COUNTER = Input("", ValueType("int", 0, 64, True, (), public=True))
SOON = 20.0
"""Seconds of processor time: a margin of ten. Without limits these took 19 s to years."""


def node(name: str, operands: tuple[int, ...], attributes: Attributes | None = None) -> Node:
    found = attributes or OPERATIONS[name].attributes()
    return Node(name, operands, msgspec.msgpack.encode(found))


def number(value: int) -> Constant:
    return Constant("<i8", (), value.to_bytes(8, "little"))


def program(main: Graph, *bodies: Graph) -> Program:
    x = Input("x", ARRAY.type, "alice", (-1, 1))
    inputs = tuple(x if one == ARRAY else one for one in main.inputs)
    main = Graph(inputs, main.constants, main.nodes, main.results)
    return Program(ProgramForm(1, "hostile", main, (Output("o"),), bodies))


def square(count: int = 1, *before: Input) -> Graph:
    first = len(before)
    nodes = tuple(node("multiply", (first + k, first + k)) for k in range(count))
    return Graph((*before, ARRAY), (), nodes, (first + count,))


def stacked(body: Callable[[int], Graph], depth: int, first: Graph) -> Program:
    """`depth` bodies that each run the one before, and a main graph that runs the last."""
    return program(body(depth - 1), first, *(body(k) for k in range(depth - 1)))


def calls(times: int) -> Callable[[int], Graph]:
    def body(k: int) -> Graph:
        nodes = tuple(node("call", (place,), Call(k)) for place in range(times))
        return Graph((ARRAY,), (), nodes, (times,))

    return body


def branch(k: int) -> Graph:
    nodes = (node("cond", (1, 0), Choice((k, k))),)
    return Graph((ARRAY,), (number(0),), nodes, (2,))


def scanned(k: int) -> Graph:
    return Graph((ARRAY,), (), (node("scan", (0,), Over(k, 1, 0, 3)),), (1,))


def loops(depth: int, times: int, rounds: int) -> Program:
    """Loops in loops; each body has `times` of them, one after the other."""

    def body(k: int) -> Graph:
        before = (1, *range(4, 3 + times))
        nodes = tuple(node("fori", (2, 3, value), Loop(k, 1)) for value in before)
        return Graph((COUNTER, ARRAY), (number(0), number(rounds)), nodes, (3 + times,))

    main = (node("fori", (1, 2, 0), Loop(depth - 1, 1)),)
    bodies = [square(1, COUNTER), *(body(k) for k in range(depth - 1))]
    return program(Graph((ARRAY,), (number(0), number(rounds)), main, (3,)), *bodies)


@pytest.mark.parametrize(
    "make",
    [
        lambda: stacked(calls(2), 31, square()),
        lambda: stacked(calls(2), 15, square()),
        lambda: stacked(branch, 31, square()),
        lambda: stacked(calls(100), 2, square(300)),
        lambda: stacked(calls(1), 400, square()),
        lambda: stacked(calls(1), MOST_DEEP, square()),
        lambda: stacked(scanned, 5000, square()),
        lambda: loops(60, 1, 3),
        lambda: loops(12, 5, 3),
    ],
)
def test_too_much_when_written_out_is_refused_at_once(make: Callable[[], Program]) -> None:
    began = time.process_time()
    with pytest.raises(ProgramError) as caught:
        make()
    assert caught.value.code == "TC-1506"
    assert time.process_time() - began < SOON


def test_a_body_that_nothing_runs_counts_too() -> None:
    bodies = [square(), *(calls(2)(k) for k in range(20))]
    with pytest.raises(ProgramError, match="TC-1506"):
        program(square(), *bodies)


ANALYSES: dict[str, Callable[[Program], Any]] = {
    "bounds": lambda p: str(p.bounds()),
    "check": lambda p: p.check(),
    "optimize": lambda p: p.optimize(),
    "fit": lambda p: p.fit(),
    "explain": lambda p: str(p.explain()),
    "plan": lambda p: p.plan("replicated3", seconds=False),
    "text": lambda p: p.text(),
    "draw": lambda p: p.draw(),
}


@pytest.mark.parametrize("analysis", ANALYSES)
@pytest.mark.parametrize(
    "make",
    [
        lambda: stacked(calls(2), 11, square()),
        lambda: stacked(calls(1), MOST_DEEP - 1, square()),
        lambda: loops(MOST_DEEP - 1, 1, 1),
        lambda: loops(5, 3, 3),
    ],
    ids=["calls", "deep calls", "deep loops", "loops in loops"],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_is_accepted_is_analysed_or_refused_soon(
    make: Callable[[], Program], analysis: str
) -> None:
    found = make()
    began = time.process_time()
    with suppress(TacitError):
        ANALYSES[analysis](found)
    assert time.process_time() - began < SOON
