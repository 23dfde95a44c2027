"""A program's graphs as boxes and edges, loops and branches as boxes around their bodies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from tacit.operations.types import ArrayType
from tacit.programs.control import CONTROL, Call, Choice, Loop, Over, Until
from tacit.programs.graph import Output
from tacit.programs.inference import Checked, CheckedNode
from tacit.programs.program import Program
from tacit.programs.showing.layout import Layout, layered
from tacit.programs.showing.notation import (
    bounds_text,
    clean,
    names_of,
    parameters,
    plain_text,
    type_text,
)
from tacit.programs.showing.text import recipients_text

__all__ = ["Box", "Kind", "Picture", "pictured"]

Kind: TypeAlias = Literal["secret", "public", "input", "output", "constant", "port", "loop", "more"]

MOST: Final = 600
"""The most boxes of a picture; the rest is counted."""

_DEEPEST: Final = 8
_CHARACTER: Final = 6.7
_SMALL: Final = 5.7
_LINE: Final = 15.0
_LONGEST: Final = 34
_FAR: Final = 4
"""How many operations further an input is written again instead of a long line."""

_CHAIN: Final = 9
"""How many operations in a row share a box in large programs."""

_LARGE: Final = 40


@dataclass(slots=True)
class Box:
    """Something that is drawn.

    Attributes
    ----------
    kind : Kind
    lines : list of str
        The first is what it is, the others are smaller.
    owner : str
        Whose input it is, or who alone learns it.
    title : str
        What a pointer that rests on it shows.
    inner : list of Picture
        Bodies.
    """

    kind: Kind
    lines: list[str]
    owner: str = ""
    title: str = ""
    inner: list[Picture] = field(default_factory=list)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height."""
        wide = len(self.lines[0]) * _CHARACTER
        wide = max([wide, *(len(line) * _SMALL for line in self.lines[1:])]) + 20
        tall = _LINE * len(self.lines) + 10
        if self.inner:
            wide = max(wide, sum(p.layout.width + 28 for p in self.inner) + 4)
            tall += max(p.height for p in self.inner) + 12
        return wide, tall


@dataclass(slots=True)
class Picture:
    """A graph that is laid out.

    Attributes
    ----------
    title : str
    boxes : list of Box
    edges : list of (from, to, secret)
    layout : Layout
    """

    title: str
    boxes: list[Box]
    edges: list[tuple[int, int, bool]]
    layout: Layout

    @property
    def height(self) -> float:
        """With its title."""
        return self.layout.height + (18 if self.title else 0) + 16


def pictured(program: Program) -> Picture:
    """The main graph, with all bodies inside."""
    return _Maker(program).main()


class _Maker:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.count = 0

    def main(self) -> Picture:
        checked = self.program.main
        given = [
            Box(
                "input",
                [
                    _short(one.name),
                    type_text(kind),
                    *filter(None, [one.owner and f"from {one.owner}", bounds_text(one.bounds)]),
                ],
                one.owner,
                clean(f"input {one.name}: {type_text(kind)}"),
            )
            for one, kind in zip(self.program.inputs, checked.inputs, strict=True)
        ]
        results = [
            self._output(o, t) for o, t in zip(self.program.outputs, checked.results, strict=True)
        ]
        return self._picture("", checked, names_of(checked), given, results, 0)

    def _output(self, output: Output, kind: ArrayType) -> Box:
        alone = output.to[0] if len(output.to) == 1 and output.to[0] != "all" else ""
        to = recipients_text(output)
        lines = [_short(output.name), type_text(kind), _short(f"to {to}")]
        return Box("output", lines, alone, clean(f"output {output.name} to {to}"))

    def _picture(
        self,
        title: str,
        checked: Checked,
        names: list[str],
        given: list[Box],
        results: list[Box],
        depth: int,
    ) -> Picture:
        graph = checked.graph
        boxes: list[Box] = list(given)
        edges: list[tuple[int, int, bool]] = []
        box_of: dict[int, int] = {k: k for k in range(len(given))}
        first = len(graph.inputs)
        said: dict[int, str] = {}
        for k, constant in enumerate(graph.constants, first):
            if constant.array.size <= 4:
                said[k] = plain_text(constant)
            else:
                box_of[k] = len(boxes)
                what = [_short(plain_text(constant)), type_text(checked.types[k])]
                boxes.append(Box("constant", what, title="a constant of the program: public"))
        starting = len(boxes)
        readers = _readers(checked)
        large = len(checked.nodes) > _LARGE
        left = 0
        for node in checked.nodes:
            if self.count >= MOST:
                left += 1
                continue
            if self._is_said(node, said):
                said[node.first] = said[node.node.operands[0]] if node.node.operands else "?"
                continue
            chained = self._chained(node, readers, box_of, boxes, said) if large else None
            if chained is not None:
                boxes[chained].lines.append(_short(self._label(node, said)))
                boxes[chained].title += "\n" + clean(self._label(node, said))
                box_of[node.first] = chained
                continue
            self.count += 1
            box = self._box(node, checked, names, said, depth)
            for value in dict.fromkeys(node.node.operands):
                if value in box_of:
                    edges.append((box_of[value], len(boxes), not checked.types[value].public))
            for k in range(len(node.results)):
                box_of[node.first + k] = len(boxes)
            boxes.append(box)
        if left:
            boxes.append(Box("more", [f"… {left} more operations"]))
        for value, box in zip(graph.results, results, strict=True):
            if value in box_of:
                edges.append((box_of[value], len(boxes), not checked.types[value].public))
            elif value in said:
                box.lines.append(said[value])
            boxes.append(box)
        boxes, edges = _near(boxes, edges, starting)
        sizes = [box.size for box in boxes]
        layout = layered(sizes, [(start, end) for start, end, _ in edges])
        return Picture(title, boxes, edges, layout)

    def _is_said(self, node: CheckedNode, said: dict[int, str]) -> bool:
        """Whether a node only makes a secret of a constant that is written where it is used."""
        plain = node.node.operation in ("constant", "broadcast_to", "reshape")
        return plain and all(value in said for value in node.node.operands)

    def _chained(
        self,
        node: CheckedNode,
        readers: Sequence[int],
        box_of: dict[int, int],
        boxes: Sequence[Box],
        said: dict[int, str],
    ) -> int | None:
        """The box of the one operation that this one alone goes on with, if it has room."""
        before = [value for value in dict.fromkeys(node.node.operands) if value not in said]
        if len(before) != 1 or node.node.operation in CONTROL or len(node.results) != 1:
            return None
        (value,) = before
        place = box_of.get(value)
        if place is None or readers[value] != 1 or boxes[place].inner:
            return None
        there = boxes[place]
        kind = "public" if node.public else "secret"
        return place if there.kind == kind and len(there.lines) <= _CHAIN else None

    def _label(self, node: CheckedNode, said: dict[int, str]) -> str:
        shown = parameters(node.attributes, node.node.operation)
        numbers = [said[value] for value in node.node.operands if value in said]
        inside = ", ".join(filter(None, [*numbers, shown]))
        if node.node.operation == "getitem":
            return inside
        return f"{node.node.operation} {inside}".strip()

    def _box(
        self,
        node: CheckedNode,
        checked: Checked,
        names: Sequence[str],
        said: dict[int, str],
        depth: int,
    ) -> Box:
        types = ", ".join(type_text(kind) for kind in node.results)
        results = ", ".join(names[node.first + k] for k in range(len(node.results)))
        operands = ", ".join(names[value] for value in node.node.operands)
        title = f"{results} = {node.node.operation}({operands}): {types}"
        if node.node.note:
            title += f"\n{node.node.note}"
        title = clean(title)
        if node.node.operation in CONTROL:
            titles = _titles(node, said)
            box = Box("loop", [_short(titles[0], 60), _short(types, 60)], title=title)
            if depth < _DEEPEST:
                bodies = self.program.called(node)
                box.inner = [
                    self._body(node, name, body, names, depth)
                    for name, body in zip(titles[1:], bodies, strict=True)
                ]
            return box
        kind: Kind = "public" if node.public else "secret"
        return Box(kind, [_short(self._label(node, said)), _short(types)], title=title)

    def _body(
        self, node: CheckedNode, title: str, body: Checked, outside: Sequence[str], depth: int
    ) -> Picture:
        names = names_of(body, "")
        ports = _ports(node, body, outside)
        names[: len(ports)] = ports
        given = [
            Box("port", [_short(name), type_text(kind)])
            for name, kind in zip(ports, body.inputs, strict=True)
        ]
        results = [Box("port", ["next" if k < _carried(node) else "gives", type_text(kind)])
                   for k, kind in enumerate(body.results)]  # fmt: skip
        return self._picture(title, body, names, given, results, depth + 1)


def _carried(node: CheckedNode) -> int:
    match node.attributes:
        case Loop(carried=carried) | Over(carried=carried) | Until(carried=carried):
            return carried
    return 0


def _titles(node: CheckedNode, said: dict[int, str]) -> list[str]:
    """What a box of control flow is called, and its bodies."""
    match node.attributes:
        case Call():
            return ["call", ""]
        case Loop():
            ends = [said.get(value, "?") for value in node.node.operands[:2]]
            return [f"for i from {ends[0]} to before {ends[1]}", ""]
        case Over(length=length, reverse=reverse):
            return [f"for each of {length} rows{' from the last' if reverse else ''}", ""]
        case Until():
            return ["while a public condition holds", "condition", "body"]
        case Choice(branches):
            return ["one of, by a public index", *(f"branch {k}" for k in range(len(branches)))]
    raise AssertionError(node.attributes)


def _ports(node: CheckedNode, body: Checked, outside: Sequence[str]) -> list[str]:
    names = [outside[value] for value in node.node.operands]
    count = len(body.inputs)
    match node.attributes:
        case Loop(carried=carried):
            return ["i", *_so_far(carried), *names[2 + carried :]]
        case Over(carried=carried, sliced=sliced):
            rows = [f"row of {name}" for name in names[carried : carried + sliced]]
            return [*_so_far(carried), *rows, *names[carried + sliced :]]
        case Until(carried=carried, captured=captured):
            rest = names[carried:]
            wanted = count - carried
            first = rest[:captured] if wanted == captured else rest[len(rest) - wanted :]
            return [*_so_far(carried), *first]
        case Choice():
            return names[1:]
    return names


def _so_far(carried: int) -> list[str]:
    return ["so far"] if carried == 1 else [f"so far {k}" for k in range(carried)]


def _readers(checked: Checked) -> list[int]:
    """How many nodes and results read each value."""
    counts = [0] * len(checked.types)
    for node in checked.nodes:
        for value in dict.fromkeys(node.node.operands):
            counts[value] += 1
    for value in checked.graph.results:
        counts[value] += 1
    return counts


def _near(
    boxes: list[Box], edges: list[tuple[int, int, bool]], starting: int
) -> tuple[list[Box], list[tuple[int, int, bool]]]:
    """Inputs are written again where they are used far below, instead of a long line."""
    depth = [0] * len(boxes)
    for start, end, _ in sorted(edges, key=lambda edge: edge[1]):
        if start >= starting:
            depth[end] = max(depth[end], depth[start] + 1)
    nearest: dict[int, int] = {}
    for start, end, _ in edges:
        if start < starting:
            nearest[start] = min(nearest.get(start, depth[end]), depth[end])
    copies: list[Box] = []
    changed: list[tuple[int, int, bool]] = []
    again: dict[tuple[int, int], int] = {}
    for start, end, secret in edges:
        if start < starting and depth[end] - nearest[start] > _FAR:
            key = start, depth[end]
            if key not in again:
                again[key] = len(copies)
                original = boxes[start]
                copies.append(
                    Box(original.kind, original.lines[:1], original.owner, original.title)
                )
            changed.append((-1 - again[key], end, secret))
        else:
            changed.append((start, end, secret))
    shift = len(copies)
    moved = [
        ((-1 - start) if start < 0 else start + shift, end + shift, secret)
        for start, end, secret in changed
    ]
    return [*copies, *boxes], moved


def _short(text: str, most: int = _LONGEST) -> str:
    text = clean(text)
    return text if len(text) <= most else text[: most - 1] + "…"
