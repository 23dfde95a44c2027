"""What in a model is not supported: found by many, told at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tacit.errors import ProgramError

__all__ = ["Problem", "Refused", "unsupported"]


class Refused(Exception):
    """A rule cannot compute a node; caught by whoever runs the model, who knows the node."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One node that is not supported.

    Attributes
    ----------
    operator : str
        Its operator, with the domain where that is not ONNX's main one.
    node : str
        Its name, or that of its first output.
    reason : str
        Why, and what to do where something can be done.
    """

    operator: str
    node: str
    reason: str

    def __str__(self) -> str:
        return f"{self.operator} (node {self.node!r}): {self.reason}"


_MOST_NAMED = 40


def unsupported(problems: Sequence[Problem]) -> ProgramError:
    """The error that names them all, each operator and reason once with its nodes."""
    nodes: dict[tuple[str, str], list[str]] = {}
    for problem in problems:
        nodes.setdefault((problem.operator, problem.reason), []).append(problem.node)
    lines = [
        f"{operator} (node{'s' * (len(names) > 1)} {_listed(names)}): {reason}"
        for (operator, reason), names in nodes.items()
    ]
    more = len(lines) - _MOST_NAMED
    if more > 0:
        lines = [*lines[:_MOST_NAMED], f"and {more} more"]
    return ProgramError(
        f"{len(problems)} node{'s' * (len(problems) > 1)} of the model cannot run on secrets: "
        + "; ".join(lines)
        + ".",
        next_step="replace these nodes in the model, or compute what they give beforehand and make"
        " it an input; docs/onnx.md lists every operator and what it needs.",
        case=35,
        stage="from_onnx",
    )


def _listed(names: Sequence[str], most: int = 5) -> str:
    shown = ", ".join(repr(name) for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
