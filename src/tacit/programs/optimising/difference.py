"""What an optimised program does otherwise than the one that it came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from tacit.errors import TacitError
from tacit.programs.program import Program

__all__ = ["Difference", "difference"]


@dataclass(frozen=True, slots=True)
class Difference:
    """Two programs side by side.

    Attributes
    ----------
    before, after : mapping of str to int
        How many nodes of each operation they have, those in bodies included.
    rounds : (int, int) or None
        Of ``replicated3``, where the plan can say.
    megabytes : (float, float) or None
        Sent by all parties of ``replicated3``.
    equal : bool
        Whether they are the same program.
    """

    before: Mapping[str, int]
    after: Mapping[str, int]
    rounds: tuple[int, int] | None
    megabytes: tuple[float, float] | None
    equal: bool

    def __str__(self) -> str:
        if self.equal:
            return "no difference"
        lines = []
        if self.rounds is not None and self.megabytes is not None:
            (one, two), (sent, less) = self.rounds, self.megabytes
            lines.append(f"rounds {one:,} -> {two:,}; MB sent {sent:,.3f} -> {less:,.3f}")
        nodes = sum(self.before.values()), sum(self.after.values())
        lines.append(f"operations {nodes[0]:,} -> {nodes[1]:,}")
        for name in sorted({*self.before, *self.after}):
            one, two = self.before.get(name, 0), self.after.get(name, 0)
            if one != two:
                lines.append(f"  {name:<22} {one:>4} -> {two:>4}")
        return "\n".join(lines)


def difference(before: Program, after: Program) -> Difference:
    """How a program differs from another, with what both would cost."""
    one, two = _cost(before), _cost(after)
    known = one is not None and two is not None
    return Difference(
        _counts(before),
        _counts(after),
        (one[0], two[0]) if known and one and two else None,
        (one[1], two[1]) if known and one and two else None,
        before == after,
    )


def _counts(program: Program) -> dict[str, int]:
    return dict(Counter(node.node.operation for graph in program.graphs() for node in graph.nodes))


def _cost(program: Program) -> tuple[int, float] | None:
    try:
        plan = program.plan("replicated3", seconds=False)
    except TacitError:  # parties of other protocols, loops on what is not known beforehand
        return None
    return plan.rounds, sum(plan.bytes_sent.values()) / 1e6
