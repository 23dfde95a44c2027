"""`program.bounds()`: a table of what every value lies within."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import log2
from typing import TYPE_CHECKING

from tacit.encoding.ring import Ring
from tacit.encoding.rings import ring_of
from tacit.operations.settling import settled_bounds
from tacit.operations.types import ArrayType, Bounds
from tacit.programs.bounding.analysis import analysed
from tacit.programs.bounding.problems import Problem, interval
from tacit.programs.showing.notation import clean

if TYPE_CHECKING:
    from tacit.programs.program import Program

__all__ = ["BoundsTable", "ValueBounds", "listed"]


@dataclass(frozen=True, slots=True)
class ValueBounds:
    """One value of a program.

    Attributes
    ----------
    place : str
        ``main`` or ``body 2``.
    number : int
        The value's.
    name : str
        An input's or an output's name, else the operation that gives it.
    kind : str
        Its type and shape.
    bounds : (low, high) or None
        What it is within, over all rounds; None if nothing is known.
    bits : float or None
        The bits of the ring that it takes, with its fraction; None if nothing is known.
    """

    place: str
    number: int
    name: str
    kind: str
    bounds: Bounds | None
    bits: float | None


@dataclass(frozen=True, slots=True)
class BoundsTable:
    """Bounds of all values of a program; prints as a table.

    Attributes
    ----------
    rows : tuple of ValueBounds
        Values that are never computed are left out.
    inputs, outputs : dict of str to (low, high) or None
        By name.
    problems : tuple of Problem
        What cannot be shown not to wrap.
    ring : int
    """

    rows: tuple[ValueBounds, ...]
    inputs: dict[str, Bounds | None]
    outputs: dict[str, Bounds | None]
    problems: tuple[Problem, ...]
    ring: int

    def __getitem__(self, name: str) -> Bounds | None:
        return self.outputs[name] if name in self.outputs else self.inputs[name]

    def __iter__(self) -> Iterator[ValueBounds]:
        return iter(self.rows)

    def __str__(self) -> str:
        head = ("", "value", "", "type", "within", f"bits of {self.ring - 2}")
        body = [
            (
                row.place,
                str(row.number),
                clean(row.name),
                row.kind,
                interval(row.bounds),
                "" if row.bits is None else f"{row.bits:.1f}",
            )
            for row in self.rows
        ]
        widths = [max(len(line[k]) for line in (head, *body)) for k in range(len(head))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in (head, *body)
        ]
        lines += [f"Not shown: {problem}." for problem in self.problems]
        return "\n".join(lines)


def listed(program: Program, ring: int = 64) -> BoundsTable:
    """Bounds of all values; see :meth:`Program.bounds`."""
    elements = ring_of(ring)
    found = analysed(program, elements, strict=True)
    rows = []
    for number, graph in enumerate(program.graphs()):
        main = number == len(program.bodies)
        place = "main" if main else f"body {number}"
        names = [one.name or f"input {k}" for k, one in enumerate(graph.graph.inputs)]
        names += ["constant"] * len(graph.graph.constants)
        names += [node.node.operation for node in graph.nodes for _ in node.results]
        for value, (name, kind) in enumerate(zip(names, graph.types, strict=True)):
            if found.reached[number][value]:
                bounds = _of_numbers(kind, found.seen[number][value])
                bits = _bits(kind, bounds, elements)
                rows.append(ValueBounds(place, value, name, _type(kind), bounds, bits))
    inputs = {one.name: found.seen[-1][value] for value, one in enumerate(program.inputs)}
    outputs = {
        one.name: _of_numbers(kind, fact.bounds)
        for one, kind, fact in zip(
            program.outputs, program.output_types, found.results, strict=True
        )
    }
    return BoundsTable(tuple(rows), inputs, outputs, tuple(found.problems), ring)


def _of_numbers(kind: ArrayType, bounds: Bounds | None) -> Bounds | None:
    """What numbers are within, of small integers that are held outside of their type and wrap."""
    (settled,) = settled_bounds([kind], [bounds], "settled", [kind])
    return settled


def _type(kind: ArrayType) -> str:
    public = "public " if kind.public else ""
    return f"{public}{kind.dtype.name}{list(kind.shape)}"


def _bits(kind: ArrayType, bounds: Bounds | None, ring: Ring) -> float | None:
    if bounds is None or kind.public or kind.dtype.kind == "bool":
        return None
    largest = max(abs(bounds[0]), abs(bounds[1])) * kind.dtype.scale
    return log2(largest) if largest > 1 else 0.0
