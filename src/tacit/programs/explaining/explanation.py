"""A program explained: who gives what, what is computed, who learns what, and what that tells."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from tacit.encoding.types import DType
from tacit.errors import ProgramError
from tacit.operations.types import ArrayType
from tacit.programs.explaining.accuracy import Approximation, approximations_of
from tacit.programs.explaining.finding import SEVERITIES, Finding, at_least
from tacit.programs.explaining.findings import findings_of
from tacit.programs.explaining.rows import per_row, rows_of
from tacit.programs.explaining.steps import PlainStep, steps_of
from tacit.programs.explaining.values import Value
from tacit.programs.explaining.walk import Walk
from tacit.programs.program import Program
from tacit.programs.showing.notation import bounds_text
from tacit.programs.showing.text import recipients_text

__all__ = ["MINIMUM", "Explanation", "Given", "Learned", "explained", "require_severity"]

MINIMUM = 10
"""How many rows a statistic goes over at least, where nothing else is agreed."""


class Given(Struct, frozen=True):
    """An input in words."""

    name: str
    owner: str
    what: str
    shape: tuple[int, ...]
    bounds: str


class Learned(Struct, frozen=True):
    """An output in words.

    Attributes
    ----------
    name, to, what
    shape : tuple of int
    over : str
        How many rows each number of it goes over at least.
    rows : int
        The same as a number; 0 where nothing secret is in it.
    from_inputs : tuple of str
        The inputs that it depends on.
    """

    name: str
    to: str
    what: str
    shape: tuple[int, ...]
    over: str
    rows: int
    from_inputs: tuple[str, ...]


class Explanation(Struct, frozen=True):
    """What a program does and tells.

    Attributes
    ----------
    name, digest : str
    minimum : int
        Statistics over fewer rows are findings.
    gives : tuple of Given
    learns : tuple of Learned
    steps : tuple of PlainStep
    approximations : tuple of Approximation
    public : tuple of str
        What all parties know of it, whoever learns the outputs.
    findings : tuple of Finding
        The worst first.
    limits : tuple of str
        What was not looked at.
    """

    name: str
    digest: str
    minimum: int
    gives: tuple[Given, ...]
    learns: tuple[Learned, ...]
    steps: tuple[PlainStep, ...]
    approximations: tuple[Approximation, ...]
    public: tuple[str, ...]
    findings: tuple[Finding, ...]
    limits: tuple[str, ...]

    def __str__(self) -> str:
        from tacit.programs.explaining.report import plain

        return plain(self)

    def _repr_html_(self) -> str:
        from tacit.programs.explaining.page import html

        return html(self)

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain data, as ``tacit explain --json`` prints it."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found

    def require(self, level: str = "high") -> Explanation:
        """Refuse a program with findings as bad as a level, or worse.

        Parameters
        ----------
        level : {"high", "medium", "low", "note"}

        Returns
        -------
        Explanation
            This one, if there are none.

        Raises
        ------
        ProgramError
            There are (TC-1550), or there is no such level (TC-1551).
        """
        require_severity(level)
        bad = [one for one in self.findings if at_least(one.severity, level)]
        if bad:
            first = bad[0]
            more = f" There are {len(bad) - 1} more." if len(bad) > 1 else ""
            raise ProgramError(
                f"The program has a finding of severity {first.severity}"
                f" ({first.kind}): {first.what}{more}",
                next_step=f"{first.advice} program.explain() has all of them.",
                case=50,
            )
        return self


def require_severity(level: str) -> None:
    """Refuse what is no severity (TC-1551)."""
    if level not in SEVERITIES:
        raise ProgramError(
            f"There is no severity {level!r}.",
            next_step=f"choose one of: {', '.join(SEVERITIES)}.",
            case=51,
        )


def explained(program: Program, minimum: int = MINIMUM) -> Explanation:
    """Explain a program.

    Parameters
    ----------
    program : Program
    minimum : int
        How many rows a statistic goes over at least.

    Raises
    ------
    ProgramError
        The minimum is below 1 (TC-1551).
    """
    if minimum < 1:
        raise ProgramError(
            f"A minimum of {minimum} rows says nothing.",
            next_step="choose the least number of rows that an output may go over, such as 10.",
            case=51,
        )
    walk = Walk(program)
    return Explanation(
        program.name,
        program.digest,
        minimum,
        tuple(_given(program, number) for number in range(len(program.inputs))),
        tuple(_learned(walk, number) for number in range(len(program.outputs))),
        steps_of(program),
        approximations_of(program),
        tuple(_public(walk)),
        findings_of(walk, minimum),
        tuple(_limits(walk)),
    )


def _given(program: Program, number: int) -> Given:
    one = program.inputs[number]
    owner = one.owner or ("all know it" if one.type.public else "shared already")
    kind = one.type.array_type()
    bounds = bounds_text(one.bounds) or ("" if kind.dtype.kind == "bool" else "none declared")
    return Given(one.name, owner, shape_words(kind), kind.shape, bounds)


def shape_words(kind: ArrayType) -> str:
    """An array in words: ``1,797 rows of 64 numbers``."""
    thing = _thing(kind.dtype)
    shape = kind.shape
    if not shape:
        return f"one {thing[:-1]}"
    if len(shape) == 1:
        return f"{shape[0]:,} {thing}"
    inner = " × ".join(f"{extent:,}" for extent in shape[1:])
    return f"{shape[0]:,} rows of {inner} {thing}"


def _thing(dtype: DType) -> str:
    return {"fixed": "numbers", "int": "whole numbers", "bool": "yes-or-nos"}[dtype.kind]


def _learned(walk: Walk, number: int) -> Learned:
    program, value = walk.program, walk.outputs[number]
    output = program.outputs[number]
    rows = rows_of(walk, value, value.inputs) if value.inputs else 0
    rows = 1 if any(per_row(value, i) for i in value.inputs) and not value.trained else rows
    names = tuple(program.inputs[i].name for i in sorted(value.inputs))
    what = shape_words(value.type)
    if value.trained:
        what += ", fitted to data"
    elif value.count:
        what += ": a count" if not value.type.shape else ": counts"
    return Learned(
        output.name, recipients_text(output), what, value.shape, _over(walk, value, rows), rows,
        names,
    )  # fmt: skip


def _over(walk: Walk, value: Value, rows: int) -> str:
    if not value.inputs:
        return "no secret input"
    if value.trained:
        return "a model: not counted"
    if value.minimum is not None and value.minimum > 0:
        return f"groups of {value.minimum:,} or more"
    if value.group:
        return "groups of secret size"
    if any(per_row(value, i) for i in value.inputs):
        return "one row each"
    return "1 row" if rows == 1 else f"{rows:,} rows"


def _public(walk: Walk) -> list[str]:
    program = walk.program
    found = [
        "The program itself: every operation, every constant, how often loops run, and the names,"
        " owners, types, shapes and bounds of all inputs and outputs (how many rows each owner"
        " has, too)."
    ]
    sizes = [c.array.size for g in program.graphs() for c in g.graph.constants]
    large = [size for size in sizes if size > 16]
    if large:
        found.append(
            f"{len(large)} constant arrays with {sum(large):,} numbers in all: a model or table in"
            " them is known to every party."
        )
    known = [one.name for one in program.inputs if one.type.public]
    if known:
        found.append(f"The numbers of the public inputs {', '.join(known)}.")
    if program.form.hints:
        wishes = ", ".join(sorted({hint.protocol for hint in program.form.hints}))
        found.append(
            f"Which of its operations it wishes to run by other protocols ({wishes}); results are"
            " the same without."
        )
    found.append("When the program runs, how long it takes and how much it sends.")
    return found


def _limits(walk: Walk) -> list[str]:
    found = [
        "One run of one program was looked at. Outputs of several runs, or of other programs on"
        " the same data, add up: bound how often it runs, and look at them together.",
        "Sums, means, differences and other linear outputs are solved exactly as equations."
        " Others are judged by their kind: a product, a model or a chain of functions may tell"
        " more, on some inputs, than is said here.",
        "Rows are counted along the first axis of each input. Two rows may be about one person.",
        "Recipients were looked at one by one, not as if they shared what they learn.",
    ]
    if walk.unsolved:
        names = ", ".join(sorted(walk.unsolved))
        found.append(
            f"Not looked at exactly, too large: {names}. They were judged by their"
            " kinds; with other outputs they may tell more."
        )
    if walk.cut:
        found.append(
            "The program is too long to be followed to its end: results of its later parts are"
            " taken to depend on everything, and nothing more is said of them."
        )
    return found
