"""How large a program is once every call, loop and branch is written out once per place.

A short file can say a lot: bodies that each run the one before twice, sixty of them, are 2^60
operations for whoever follows them. So this is counted when a program is made, and what is too
much is refused. Every analysis, picture and explanation then takes time in proportion to what it
was given: the length of the file, and a limit.
"""

from __future__ import annotations

from typing import Final

from tacit.errors import ProgramError
from tacit.programs.control import Choice, Loop, Over, bodies_of
from tacit.programs.inference import Checked, CheckedNode

__all__ = [
    "MOST_DEEP",
    "MOST_NODES",
    "MOST_REPEATED",
    "MOST_STEPS",
    "Sizes",
    "require_nodes",
    "require_turns",
]

MOST_NODES: Final = 1_000_000
"""The most operations of a program, those of bodies included."""

MOST_DEEP: Final = 32
"""How deep bodies may run bodies; ten times as deep as the examples and trainings in JAX do."""

MOST_REPEATED: Final = 30_000
"""How many operations may come from running bodies at more than one place.

The examples' and the tests' models have up to 266 operations, of which 8 at most are there because
a body is run at a second place.
"""

MOST_STEPS: Final = 10**10
"""How many operations and turns a run may consist of, as far as is known before it: more than a
day's, if each took ten microseconds. A training of 100 epochs of 1,000 batches takes 10^7.
"""

_BYTES_A_PART: Final = 64
"""So many bytes of parameters count as one operation; so do a value, an operand and a result."""

_PARTS_AN_OPERATION: Final = 8


def require_nodes(count: int) -> None:
    """Refuse a program of too many operations.

    Raises
    ------
    ProgramError
        TC-1506.
    """
    if count > MOST_NODES:
        raise ProgramError(
            f"The program has {count:,} operations, those of its bodies included;"
            f" {MOST_NODES:,} at most.",
            next_step="use loops instead of repeating their bodies.",
            case=6,
        )


def require_turns(steps: int, where: str) -> None:
    """Refuse loops that would not end in any reasonable time.

    Raises
    ------
    ProgramError
        TC-1506.
    """
    if steps > MOST_STEPS:
        raise ProgramError(
            f"{where} would take {steps:.3g} operations; {MOST_STEPS:.0e} at most.",
            next_step="let its loops go round less often.",
            case=6,
        )


class Sizes:
    """The sizes of a program's graphs, one after the other: bodies first.

    Attributes
    ----------
    parts : list of int
        What a graph and all that it runs consist of: values, operands, results, parameters.
    depths : list of int
        How many graphs are inside one another, the graph itself included.
    steps : list of int
        How many operations and turns of loops a run of the graph takes; where a loop's turns are
        not known, those of one.
    """

    def __init__(self) -> None:
        self.parts: list[int] = []
        self.depths: list[int] = []
        self.steps: list[int] = []
        self._written = 0

    def add(self, checked: Checked) -> None:
        """One more graph, which runs graphs before it alone.

        Raises
        ------
        ProgramError
            Too deep, too large when written out, or too long to run (TC-1506).
        """
        own = _own_parts(checked)
        whole, depth = own, 1
        for node in checked.nodes:
            for body in bodies_of(node.attributes):
                whole += self.parts[body]
                depth = max(depth, 1 + self.depths[body])
        self._written += own
        self.parts.append(whole)
        self.depths.append(depth)
        self.steps.append(sum(1 + self._steps(checked, node) for node in checked.nodes))
        require_turns(self.steps[-1], "The program")
        if depth > MOST_DEEP:
            raise ProgramError(
                f"The program's bodies run bodies more than {MOST_DEEP} deep.",
                next_step="write calls inside calls out where they stand, or use a loop.",
                case=6,
            )
        if whole > 2 * self._written + MOST_REPEATED * _PARTS_AN_OPERATION:
            raise ProgramError(
                f"The program runs its bodies at so many places that it would be more than"
                f" {MOST_REPEATED:,} operations longer if each was written out.",
                next_step="use a loop (fori, scan) where a body is run many times.",
                case=6,
            )

    def _steps(self, checked: Checked, node: CheckedNode) -> int:
        """What the bodies of a node take."""
        match node.attributes:
            case Choice(branches):
                return max(self.steps[body] for body in branches)
            case Loop(body):
                first, end = (_constant(checked, value) for value in node.node.operands[:2])
                turns = 1 if first is None or end is None else max(end - first, 0)
                return turns * (1 + self.steps[body])
            case Over(body=body, length=length):
                return length * (1 + self.steps[body])
        return sum(self.steps[body] for body in bodies_of(node.attributes))


def _constant(checked: Checked, value: int) -> int | None:
    """A public integer that is written in the program."""
    graph = checked.graph
    place = value - len(graph.inputs)
    if not 0 <= place < len(graph.constants):
        return None
    return int(graph.constants[place].array.item())


def _own_parts(checked: Checked) -> int:
    graph = checked.graph
    sizes = (len(n.operands) + len(n.attributes) // _BYTES_A_PART for n in graph.nodes)
    return len(checked.types) + len(graph.nodes) + len(graph.results) + sum(sizes)
