"""What is computed, step by step in words, loops as such."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from msgspec import Struct

from tacit.programs.control import CONTROL, Call, Choice, Loop, Over, Until
from tacit.programs.explaining.accuracy import accuracy_of
from tacit.programs.explaining.words import KEEPING, sentence
from tacit.programs.inference import Checked, CheckedNode
from tacit.programs.program import Program
from tacit.programs.showing.notation import names_of, plain_text, type_text

__all__ = ["MOST_STEPS", "PlainStep", "steps_of"]

MOST_STEPS = 150
"""The most steps that are told; the rest is counted."""

_DEEPEST = 12
_LARGEST = 3


class PlainStep(Struct, frozen=True):
    """A step in words.

    Attributes
    ----------
    number : str
        ``3``, or ``3.2`` inside a loop.
    what : str
    gives : str
        Type and shape of what comes out.
    error : str
        The stated error where it is approximate.
    depth : int
        How far inside loops and branches.
    """

    number: str
    what: str
    gives: str = ""
    error: str = ""
    depth: int = 0


def steps_of(program: Program, most: int = MOST_STEPS) -> tuple[PlainStep, ...]:
    """The steps of a program."""
    writer = _Writer(program, most)
    names = names_of(program.main)
    writer.graph(program.main, _named(program.main, names), "", 0)
    left = writer.left
    if left:
        writer.found.append(PlainStep("…", f"{left} more steps"))
    return tuple(writer.found)


def _named(checked: Checked, names: Sequence[str]) -> list[str]:
    """Names of inputs and constants, in words; empty for what nodes give."""
    graph = checked.graph
    found = [one.name or names[k] for k, one in enumerate(graph.inputs)]
    for constant in graph.constants:
        small = constant.array.size <= _LARGEST
        found.append(plain_text(constant) if small else "public numbers")
    return found + [""] * (len(checked.types) - len(found))


class _Writer:
    def __init__(self, program: Program, most: int) -> None:
        self.program = program
        self.most = most
        self.found: list[PlainStep] = []
        self.left = 0

    def graph(self, checked: Checked, names: list[str], prefix: str, depth: int) -> None:
        """The steps of a graph; moves and types go without saying where they follow from others."""
        numbers = count(1)
        note = ""
        for node in checked.nodes:
            operands = [names[value] for value in node.node.operands]
            if node.node.operation in KEEPING and len(set(operands)) == 1 and not node.public:
                self._name(node, names, _part(node, operands[0]))
                continue
            if node.node.operation in ("constant", "broadcast_to", "astype", "unbounded") or (
                node.public and node.node.operation not in CONTROL
            ):
                self._name(node, names, operands[0] if len(operands) == 1 else "public numbers")
                continue
            number = f"{prefix}{next(numbers)}"
            self._name(node, names, f"({number})")
            if len(self.found) >= self.most:
                self.left += 1
                continue
            if node.node.note and node.node.note != note:
                self.found.append(PlainStep("", f"{node.node.note}:", depth=depth))
            note = node.node.note
            if node.node.operation in CONTROL:
                self._control(node, checked, operands, number, depth)
            else:
                self._step(node, checked, operands, number, depth)

    def _name(self, node: CheckedNode, names: list[str], name: str) -> None:
        for k in range(len(node.results)):
            several = len(node.results) > 1
            names[node.first + k] = f"{name}{'abcdefghij'[k % 10]}" if several else name

    def _step(
        self, node: CheckedNode, checked: Checked, operands: list[str], number: str, depth: int
    ) -> None:
        whole = node.results[0].dtype.kind == "int"
        what = sentence(node.node.operation, operands, node.attributes, of_bits=whole)
        gives = ", ".join(type_text(kind) for kind in node.results)
        error = accuracy_of(node, [checked.types[v] for v in node.node.operands])
        self.found.append(PlainStep(number, what, gives, error, depth))

    def _control(
        self, node: CheckedNode, checked: Checked, operands: list[str], number: str, depth: int
    ) -> None:
        bodies = self.program.called(node)
        gives = ", ".join(type_text(kind) for kind in node.results)
        titles: list[str]
        match node.attributes:
            case Call():
                what, titles = "compute:", [""]
            case Loop():
                what, titles = (
                    f"repeat for each whole number from {operands[0]} to before {operands[1]}:",
                    [""],
                )
            case Over(length=length):
                what, titles = f"repeat for each of {length} rows:", [""]
            case Until():
                what, titles = "repeat as long as a public condition holds:", ["condition", ""]
            case Choice():
                what = "do one of these, by a public number:"
                titles = [f"branch {k}" for k in range(len(bodies))]
        self.found.append(PlainStep(number, what, gives, "", depth))
        for title, body in zip(titles, bodies, strict=True):
            if title:
                self.found.append(PlainStep("", f"{title}:", depth=depth + 1))
            if depth >= _DEEPEST:
                self.left += len(body.nodes)
                continue
            self.graph(body, self._inside(node, body, operands), f"{number}.", depth + 1)

    def _inside(self, node: CheckedNode, body: Checked, operands: list[str]) -> list[str]:
        """Names in a body: what comes from outside keeps its name."""
        names = _named(body, [f"input {k + 1}" for k in range(len(body.types))])
        given = len(body.graph.inputs)
        match node.attributes:
            case Call():
                names[:given] = operands
            case Choice():
                names[:given] = operands[1:]
            case Loop(carried=carried):
                names[0] = "the counter"
                names[1 : 1 + carried] = _so_far(carried)
                names[1 + carried : given] = operands[2 + carried :]
            case Over(carried=carried, sliced=sliced):
                names[:carried] = _so_far(carried)
                rows = operands[carried : carried + sliced]
                names[carried : carried + sliced] = [f"the row of {name}" for name in rows]
                names[carried + sliced : given] = operands[carried + sliced :]
            case Until(carried=carried):
                names[:carried] = _so_far(carried)
                names[carried:given] = operands[len(operands) - (given - carried) :]
        return names


def _so_far(carried: int) -> list[str]:
    if carried == 1:
        return ["the value so far"]
    return [f"value {k + 1} so far" for k in range(carried)]


def _part(node: CheckedNode, name: str) -> str:
    if node.node.operation in ("getitem", "dynamic_slice", "take", "diagonal"):
        return name if name.startswith("part of") else f"part of {name}"
    return name
