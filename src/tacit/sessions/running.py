"""What every session does with a program: hold it against its operands, compute it, tell of it."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tacit.encoding.digest import tagged_hash
from tacit.errors import ProgramError
from tacit.operations.bounds import public_bounds
from tacit.operations.types import ArrayType, public_type
from tacit.programs.bounding.checking import bounds_when_run
from tacit.programs.calling import PROGRAM, Code, watched_program
from tacit.programs.graph import Input
from tacit.programs.program import Program
from tacit.programs.segments import rounds_of
from tacit.sessions.executing import Executing
from tacit.sessions.handles import Handle, Reference, operand_type
from tacit.sessions.storing import permitted_in_all
from tacit.sessions.turns import in_turn
from tacit.sessions.watching import OnRounds, Watch

if TYPE_CHECKING:
    from tacit.protocols import Protocol
    from tacit.protocols.interface import Rounding

__all__ = ["Running", "input_kinds", "require_input"]


def input_kinds(operands: Sequence[Handle]) -> list[Any]:
    """What a counting run takes for a program's operands."""
    return [ArrayType(h.dtype, h.shape) if isinstance(h, Reference) else h for h in operands]


def require_input(one: Input, handle: Handle) -> None:
    """Refuse an operand of a program that is not of its input's type (TC-1512)."""
    given = operand_type(handle) if isinstance(handle, Reference) else public_type(handle)
    if given != one.type.array_type():
        raise ProgramError(
            f"The input {one.name!r} is {given}, and the program takes {one.type}.",
            next_step="share it with that type and shape, or make the program for others.",
            case=12,
        )


class Running(Executing):
    """The part of a session that runs programs."""

    protocol: Protocol
    rounding: Rounding

    @abc.abstractmethod
    def agree_on_program(self, digest: bytes, *, patience: float | None = None) -> None:
        """Make sure that all parties run the same program on the same public inputs."""

    @in_turn
    def run_program(
        self, program: Program, operands: Sequence[Handle], tell: OnRounds | None = None
    ) -> tuple[Reference, ...]:
        """Compute a program's results from its inputs; what is revealed of them is another step.

        Parameters
        ----------
        program : Program
        operands : sequence
            By input: references of this session, or public arrays where inputs are public.
        tell : callable, optional
            Told how many of the program's rounds are done; no round is spent on it. Then this
            waits until all is computed. What it raises ends the session.

        Returns
        -------
        tuple of Reference
            One for each output.

        Raises
        ------
        ProgramError
            An operand is not of its input's type (TC-1512), or not within the bounds that the
            program declares for it, as far as is known (TC-1576).
        RangeError
            The session's ring has no room for a type (TC-1303); an operation could wrap within
            declared bounds (TC-1373).
        PolicyDeniedError
            A stored operand may not be used in one of the operations (TC-4001).
        HandshakeError
            Another party runs another program, or has other public inputs (TC-3311).
        """
        for one, handle in zip(program.inputs, operands, strict=True):
            require_input(one, handle)
        for graph in program.graphs():
            for found in graph.types:
                self.check_room(found.dtype)
        known = bounds_when_run(
            program,
            [h.bounds if isinstance(h, Reference) else public_bounds(h) for h in operands],
            [isinstance(h, Reference) and h.declared for h in operands],
            self.ring,
        )
        program.check_constants(self.ring)
        public = [one for one in operands if not isinstance(one, Reference)]
        self.agree_on_program(
            tagged_hash("program run", program.canonical, *map(np.ascontiguousarray, public))
        )
        secret = [handle for handle in operands if isinstance(handle, Reference)]
        uses = permitted_in_all(secret, program.operations)
        code, results = Code(program.canonical), program.output_types
        if tell is None:
            references = self.execute(PROGRAM, operands, code, results)
        else:
            references = self.execute_watched(code, operands, results, tell)
        for reference in references:
            reference.uses = uses
        for reference, fact in zip(references, known, strict=True):
            reference.bounds, reference.declared = fact.bounds, fact.declared
        return references

    def execute_watched(
        self,
        code: Code,
        operands: Sequence[Handle],
        results: tuple[ArrayType, ...],
        tell: OnRounds,
    ) -> tuple[Reference, ...]:
        """Compute a program, and tell of its rounds."""
        watch = Watch(tell, self.rounds_of(code, operands))
        return self.execute(watched_program(watch.over), operands, code, results)

    def rounds_of(self, code: Code, operands: Sequence[Handle]) -> int | None:
        """How many rounds a program takes here; None if they are too many to count."""
        kinds = input_kinds(operands)
        return rounds_of(code, kinds, self.protocol, self.rounding, self.ring)
