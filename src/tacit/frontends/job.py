"""The job of a party's process in ``tacit run``: from its files to the outputs that it learns.

Every party runs these lines. First each reads the program, holds its digest against the agreed one,
and reads and checks its own files; when all have said that theirs are good the inputs are shared,
the program runs, and its outputs are opened to their recipients.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from numpy.typing import NDArray

from tacit.arrays.running import agree, given_inputs, shared_inputs
from tacit.errors import ProgramError, TacitError
from tacit.frontends.files import read_inputs
from tacit.frontends.records import OutputRecord, RunResult, RunSettings
from tacit.programs.graph import EVERYBODY
from tacit.programs.program import LEAST_DIGITS, Program
from tacit.sessions.context import PartyContext
from tacit.sessions.handles import Reference
from tacit.sessions.phases import JobPhases, peak_memory

__all__ = ["approved", "run_party"]


def run_party(context: PartyContext) -> RunResult:
    """Run the job at one party."""
    settings = msgspec.msgpack.decode(context.configuration, type=RunSettings)
    session = context.session
    if settings.evidence is not None:
        session.keep_evidence(Path(settings.evidence))
    session.hold_inputs()  # until all have shared theirs, a loss ends the job
    phases = JobPhases(context, settings.deadline)
    with phases.phase("reading"):
        program, given = _read(context, settings)
        agree(session, program, given, patience=settings.deadline)
    with phases.phase("sharing the inputs"):
        handles = shared_inputs(session, program, given)
        session.inputs_complete()
    with phases.phase("computing"):
        results = session.run_program(program, handles, phases.rounds("computing"))
        session.total_cost  # noqa: B018  (waits for what is still being computed)
    with phases.phase("opening"):
        outputs = _opened(context, program, results)
    return RunResult(
        session_id=session.session_id,
        outputs=outputs,
        phases=phases.costs,
        peak_memory=peak_memory(),
    )


def approved(path: str | Path, digest: str) -> Program:
    """The program in a file, if it is the one that was approved.

    Raises
    ------
    ProgramError
        It is another one, or so few digits say nothing (TC-1596); or none (TC-1500 to TC-1508).
    """
    program = Program.load(path)
    if len(digest) < LEAST_DIGITS:
        raise ProgramError(
            f"A digest of {len(digest)} digits approves nothing: two programs that begin with the"
            " same few are soon found.",
            next_step=f"give its 64 digits, or the first {LEAST_DIGITS} at least, as they were"
            " approved.",
            case=96,
        )
    if not program.digest.startswith(digest.lower()):
        raise ProgramError(
            f"The program {str(path)!r} is not the approved one: its digest is {program.digest},"
            f" not {digest[:64]}.",
            next_step="read what it does now (program.explain()), have it approved, or take the"
            " file that was.",
            case=96,
        )
    return program


def _read(context: PartyContext, settings: RunSettings) -> tuple[Program, dict[str, Any]]:
    """The program and this party's inputs; None for what the others give."""
    try:
        program = approved(settings.program, settings.digest)
        own = [one for one in program.inputs if one.owner == context.name or one.type.public]
        arrays = read_inputs(settings.files, own, ring=settings.ring)
        inputs = {one.name: arrays.get(one.name) for one in program.inputs}
        return program, given_inputs(context.session, program, inputs)
    except TacitError as error:
        context.mesh.abort(_notice(context.name, error.stage))
        raise


def _notice(owner: str, stage: str | None) -> ProgramError:
    """What the others hear of what is wrong with a party's files."""
    return ProgramError(
        f"The program or a file of {owner} cannot be used; {owner} has been told why.",
        next_step=f"nothing was shared; run again when {owner} has corrected it.",
        case=99,
        parties=(owner,),
        stage=stage,
    )


def _opened(
    context: PartyContext, program: Program, results: tuple[Reference, ...]
) -> list[OutputRecord]:
    found: list[OutputRecord] = []
    for output, reference in zip(program.outputs, results, strict=True):
        if not output.to:
            continue
        everybody = output.to == EVERYBODY
        opened: dict[str, NDArray[Any]] = context.session.reveal(
            reference, "all" if everybody else output.to
        )
        if context.name in opened:
            found.append(OutputRecord.of(output.name, opened[context.name]))
    return found
