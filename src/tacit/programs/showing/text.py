"""A program written out: one line a value, bodies of loops and branches indented under them."""

from __future__ import annotations

from collections.abc import Iterator

from tacit.programs.control import Call, Choice, Loop, Over, Until, bodies_of
from tacit.programs.graph import EVERYBODY, Output
from tacit.programs.inference import Checked, CheckedNode
from tacit.programs.program import Program
from tacit.programs.showing.notation import (
    bounds_text,
    clean,
    names_of,
    parameters,
    plain_text,
    type_text,
)

__all__ = ["recipients_text", "text"]

_DEEPEST = 40
"""How far bodies are indented; below they are named alone."""


def text(program: Program, most: int | None = None) -> str:
    """The program in static single assignment.

    Parameters
    ----------
    program : Program
    most : int, optional
        How many lines; the rest is counted.

    Returns
    -------
    str
    """
    lines: list[str] = []
    for line in _lines(program):
        if most is not None and len(lines) == most:
            lines.append(f"… cut after {most} lines: program.text() has them all")
            break
        lines.append(clean(line))
    return "\n".join(lines)


def recipients_text(output: Output) -> str:
    """Who learns an output, in words."""
    if not output.to:
        return "nobody"
    return "everybody" if output.to == EVERYBODY else ", ".join(output.to)


def _lines(program: Program) -> Iterator[str]:
    graph = program.main.graph
    yield f"program {program.name or '(no name)'}  {program.digest}"
    names = names_of(program.main)
    for one in graph.inputs:
        owner = f"from {one.owner}" if one.owner else "known to all"
        owner = "shared already" if not one.owner and not one.type.public else owner
        shown = " ".join(filter(None, [type_text(one.type.array_type()), owner]))
        yield f"  input {one.name}: {shown} {bounds_text(one.bounds)}".rstrip()
    yield from _constants(program.main, names, 1)
    done: set[int] = set()
    yield from _nodes(program, program.main, names, 1, done)
    for output, value in zip(program.outputs, graph.results, strict=True):
        yield f"  output {output.name} = {names[value]} to {recipients_text(output)}"


def _constants(checked: Checked, names: list[str], depth: int) -> Iterator[str]:
    first = len(checked.graph.inputs)
    for place, constant in enumerate(checked.graph.constants, first):
        kind = type_text(checked.types[place])
        yield f"{'  ' * depth}{names[place]}: {kind} = {plain_text(constant)}"


def _nodes(
    program: Program, checked: Checked, names: list[str], depth: int, done: set[int]
) -> Iterator[str]:
    space = "  " * depth
    note = ""
    for node in checked.nodes:
        if node.node.note and node.node.note != note:
            yield f"{space}# {node.node.note}"
        note = node.node.note
        yield space + _node(node, names)
        for title, body in _bodies(node):
            yield f"{space}  {title} (body {body}){':' if body not in done else ', as above'}"
            if body in done or depth > _DEEPEST:
                continue
            done.add(body)
            yield from _body(program, body, depth + 2, done)


def _body(program: Program, number: int, depth: int, done: set[int]) -> Iterator[str]:
    checked = program.bodies[number]
    names = names_of(checked, f"{number}.")
    space = "  " * depth
    for place, one in enumerate(checked.graph.inputs):
        invariant = bounds_text(one.bounds)
        yield f"{space}takes {names[place]}: {type_text(checked.types[place])} {invariant}".rstrip()
    yield from _constants(checked, names, depth)
    yield from _nodes(program, checked, names, depth, done)
    yield f"{space}gives {', '.join(names[value] for value in checked.graph.results)}"


def _node(node: CheckedNode, names: list[str]) -> str:
    results = [names[node.first + k] for k in range(len(node.results))]
    operands = [names[value] for value in node.node.operands]
    types = ", ".join(map(type_text, node.results))
    called = parameters(node.attributes, node.node.operation)
    if node.node.operation == "getitem":
        right = f"{operands[0]}{called}"
    else:
        right = f"{node.node.operation}({', '.join([*operands, *([called] if called else [])])})"
    return f"{', '.join(results) or '_'} = {right}: {types or 'nothing'}"


def _bodies(node: CheckedNode) -> list[tuple[str, int]]:
    match node.attributes:
        case Call():
            titles = ["runs"]
        case Loop():
            titles = ["for each integer from the first operand to before the second"]
        case Over(length=length, reverse=reverse):
            titles = [f"for each of {length} rows{' from the last' if reverse else ''}"]
        case Until():
            titles = ["as long as", "repeats"]
        case Choice(branches):
            titles = [f"branch {k}" for k in range(len(branches))]
        case _:
            return []
    return list(zip(titles, bodies_of(node.attributes), strict=True))
