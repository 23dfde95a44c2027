"""`program.check` and `program.bounds`: what is shown about a program, and what would be needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Final

from tacit.encoding.ring import Ring
from tacit.encoding.rings import ring_of
from tacit.encoding.types import DType, require_room
from tacit.errors import TacitError
from tacit.operations.bounds import declared_bounds
from tacit.operations.types import Bounds
from tacit.programs.bounding.analysis import Found, analysed
from tacit.programs.bounding.facts import Fact, within
from tacit.programs.bounding.problems import Problem, unshown, unsuitable
from tacit.programs.control import bodies_of
from tacit.programs.showing.notation import clean

if TYPE_CHECKING:
    from tacit.programs.program import Program

__all__ = ["Assurance", "bounds_when_run", "checked"]


_MOST_TRIED: Final = 20_000
"""Bounds that would do are sought until so many nodes were looked at, and ten times the program's.
"""


@dataclass(frozen=True, slots=True)
class Assurance:
    """What a check showed about a program.

    Attributes
    ----------
    ring : int
        The bits of the ring.
    shown : int
        How many operations cannot wrap on inputs within their bounds.
    problems : tuple of Problem
        The others: each names its operation and says why.
    """

    ring: int
    shown: int
    problems: tuple[Problem, ...]

    @property
    def complete(self) -> bool:
        """Whether nothing can wrap."""
        return not self.problems

    def __str__(self) -> str:
        if self.complete:
            return (
                f"Nothing wraps over {self.ring} bits on inputs within their bounds:"
                f" {self.shown} operations."
            )
        lines = [f"- {problem}" for problem in self.problems]
        total = self.shown + len(self.problems)
        head = f"Over {self.ring} bits {self.shown} of {total} operations cannot wrap."
        return "\n".join([head, "Not shown:", *lines])


def checked(program: Program, ring: int = 64, *, strict: bool = True) -> Assurance:
    """Show that a program cannot wrap; see :meth:`Program.check`."""
    elements = ring_of(ring)
    for graph in program.graphs():
        for kind in graph.types:
            _require_room(kind.dtype.fraction_bits, elements)
    found = analysed(program, elements, strict=True)
    problems = tuple(found.problems)
    count = sum(
        found.reached[number][node.first]
        for number, graph in enumerate(program.graphs())
        for node in graph.nodes
        if node.operation is not None and node.results
    )
    own = sum(1 for p in problems if p.why != "loop")
    assurance = Assurance(ring, max(count - own, 0), problems)
    if strict and problems:
        first = min(problems, key=lambda p: p.why != "wraps")
        raise unshown(first, _advice(program, elements, first), len(problems) - 1)
    return assurance


def _require_room(fraction_bits: int, ring: Ring) -> None:
    if fraction_bits:
        require_room(DType("fixed", fraction_bits), ring.most_fraction_bits, ring.bits)


# What would do.


def _advice(program: Program, ring: Ring, problem: Problem) -> str:
    if problem.why == "loop":
        return (
            "declare what its carries stay within: tacit.fori_loop(..., bounds=[(-8, 8), None]);"
            ' with enforce="clip" they are limited to it after every round.'
        )
    inputs = _inputs_of(program, problem)
    width = _width_that_fits(program, ring, problem, inputs) if inputs else None
    if width is None:
        if problem.why == "no rule":
            return "limit its result with tacit.clip, or run the program without this guarantee."
        more = "" if ring.bits > 64 else ", check with ring=128"
        return f"limit what it works on with tacit.clip{more}, or take fewer fractional bits."
    names = " and ".join(
        f"{clean(program.inputs[k].name)[:80]} within ({low:.6g}, {high:.6g})"
        for k, (low, high) in width
    )
    how = "declare bounds" if problem.why == "unbounded" else "narrower bounds would do"
    return f"{how}: {names}; or limit what it works on with tacit.clip."


def _inputs_of(program: Program, problem: Problem) -> list[int]:
    """The secret inputs that a node depends on."""
    main = program.main
    if problem.graph < len(program.bodies):
        running = _running(program, problem.graph)
        calling = [
            place
            for place, node in enumerate(main.nodes)
            if not running.isdisjoint(bodies_of(node.attributes))
        ]
    else:
        calling = [problem.node]
    needed: set[int] = set()
    for place in calling:
        needed.update(main.nodes[place].node.operands)
    for node in reversed(main.nodes):
        if any(node.first + k in needed for k in range(len(node.results))):
            needed.update(node.node.operands)
    return [
        k
        for k, one in enumerate(program.inputs)
        if k in needed and not one.type.dtype.range_is_narrow
    ]


def _running(program: Program, body: int) -> set[int]:
    """A body, and all that run it, directly or not: those after it, as bodies run earlier ones."""
    found = {body}
    for number in range(body + 1, len(program.bodies)):
        nodes = program.bodies[number].nodes
        if any(not found.isdisjoint(bodies_of(node.attributes)) for node in nodes):
            found.add(number)
    return found


def _width_that_fits(
    program: Program, ring: Ring, problem: Problem, inputs: Sequence[int]
) -> list[tuple[int, Bounds]] | None:
    """The widest bounds, by powers of two, within which the problem is none, if found soon."""
    left = _MOST_TRIED + 10 * sum(len(graph.nodes) for graph in program.graphs())

    def bounds_at(power: int) -> list[tuple[int, Bounds]]:
        found: list[tuple[int, Bounds]] = []
        for k in inputs:
            one = program.inputs[k]
            size = 2.0**power
            if one.bounds is None:
                limit = int(size) if one.type.kind != "fixed" else size
                found.append((k, (-limit, limit)))
            else:
                scale = 2.0 ** (power - _WIDEST)
                ends = [end * scale for end in one.bounds]
                if one.type.kind != "fixed":
                    ends = [int(end) for end in ends]
                found.append((k, (ends[0], ends[1])))
        return found

    def fits(power: int, unwanted: set[tuple[int, int]]) -> bool:
        nonlocal left
        if left <= 0:
            raise _NotSoon
        given = [declared_bounds(one.bounds, one.type.dtype) for one in program.inputs]
        for k, bounds in bounds_at(power):
            given[k] = declared_bounds(bounds, program.inputs[k].type.dtype)
        found = analysed(program, ring, strict=True, given=given)
        left -= found.visited
        return all((p.graph, p.node) not in unwanted for p in found.problems)

    before = analysed(program, ring, strict=True)
    left -= before.visited
    all_of_them = {(p.graph, p.node) for p in before.problems}
    try:
        for unwanted in (all_of_them, {(problem.graph, problem.node)}):
            if fits(_NARROWEST, unwanted):
                return bounds_at(_widest(partial(fits, unwanted=unwanted)))
    except (TacitError, _NotSoon):
        pass
    return None


class _NotSoon(Exception):
    """Too much was looked at."""


_NARROWEST, _WIDEST = -12, 44


def _widest(fits: Callable[[int], bool]) -> int:
    low, high = _NARROWEST, _WIDEST
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle):
            low = middle
        else:
            high = middle - 1
    return low


# When it runs.


def bounds_when_run(
    program: Program, given: Sequence[Bounds | None], declared: Sequence[bool], ring: Ring
) -> list[Fact]:
    """What is known of a program's outputs from the arrays that it is run on.

    Parameters
    ----------
    given : sequence of (low, high) or None
        What the arrays are within.
    declared : sequence of bool
        Whether that was declared.

    Raises
    ------
    ProgramError
        An array may be outside the bounds that the program declares for it (TC-1576).
    RangeError
        An operation could wrap within declared bounds (TC-1373).
    """
    for one, bounds in zip(program.inputs, given, strict=True):
        wanted = declared_bounds(one.bounds, one.type.dtype)
        if wanted is not None and not within(bounds, wanted):
            raise unsuitable(one.name, wanted, bounds)
    return _found_when_run(program, tuple(given), tuple(declared), ring.bits).results


@lru_cache(64)
def _found_when_run(
    program: Program,
    given: tuple[Bounds | None, ...],
    declared: tuple[bool, ...],
    ring: int,
) -> Found:
    return analysed(program, ring_of(ring), given=given, declared=declared)
