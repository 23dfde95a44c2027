"""What stands in the way of showing that a program cannot wrap, and what is raised for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tacit.errors import ProgramError, RangeError
from tacit.operations.types import Bounds

__all__ = ["Problem", "interval", "not_inductive", "outside", "refused", "unshown", "unsuitable"]

Why = Literal["unbounded", "no rule", "loop", "wraps"]


@dataclass(frozen=True, slots=True)
class Problem:
    """A node about which something cannot be shown.

    Attributes
    ----------
    graph : int
        The number of its body; that of the bodies for the main graph.
    node : int
        Its place.
    operation : str
    why : {"unbounded", "no rule", "loop", "wraps"}
        An operand without bounds; an operation about whose results nothing is said; a loop whose
        carry grows; numbers that may leave their range.
    text : str
        In words.
    """

    graph: int
    node: int
    operation: str
    why: Why
    text: str

    def __str__(self) -> str:
        return self.text


def interval(bounds: Bounds | None) -> str:
    """An interval for people."""
    return "anything" if bounds is None else f"({bounds[0]:.6g}, {bounds[1]:.6g})"


def refused(where: str, error: RangeError, advice: str = "") -> RangeError:
    """An operation that could wrap within declared bounds."""
    return RangeError(
        f"{where}: {error.message}",
        next_step=f"{advice}{error.next_step}",
        case=73,
        stage=error.stage,
    )


def unshown(problem: Problem, advice: str, more: int) -> ProgramError:
    """A program of which a check was asked that it cannot pass (TC-1572, TC-1573)."""
    others = f" {more} more cannot be shown either." if more else ""
    loop = problem.why == "loop"
    return ProgramError(
        f"That nothing wraps cannot be shown. {problem.text}.{others}",
        next_step=advice,
        case=73 if loop else 72,
        stage=problem.operation,
    )


def outside(where: str, what: str, declared: Bounds, given: Bounds | None) -> ProgramError:
    """A value that a body, or a program, begins with is not within the bounds it declares."""
    return ProgramError(
        f"{where}: {what} is declared within {interval(declared)}, and what it begins with is"
        f" within {interval(given)}.",
        next_step="declare wider bounds, share the array with bounds=(low, high), or limit it with"
        " tacit.clip first.",
        case=70,
    )


def not_inductive(where: str, what: str, declared: Bounds, found: Bounds | None) -> ProgramError:
    """A declared invariant that one round may leave."""
    return ProgramError(
        f"{where}: {what} is declared within {interval(declared)}, and after a round that begins"
        f" there it is within {interval(found)}.",
        next_step='declare bounds that a round keeps, or let tacit hold them: enforce="clip"'
        " limits the carry after every round.",
        case=71,
    )


def unsuitable(name: str, declared: Bounds, given: Bounds | None) -> ProgramError:
    """An array of which it is not known that it is within the bounds of the program's input."""
    return ProgramError(
        f"The program takes {name[:80]!r} within {interval(declared)}, and the array is within"
        f" {interval(given)}.",
        next_step=f"share it with bounds=({declared[0]:g}, {declared[1]:g}), or limit it with"
        " tacit.clip first.",
        case=76,
    )
