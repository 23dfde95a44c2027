"""A program in a session: its inputs shared, its results opened to their recipients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tacit.arrays.array import SecretArray
from tacit.errors import ProgramError
from tacit.operations.promotion import public_array
from tacit.programs.graph import EVERYBODY
from tacit.programs.program import Program
from tacit.sessions.session import Handle, Reference, Session

__all__ = ["revealed_outputs", "shared_inputs"]


def shared_inputs(session: Session, program: Program, inputs: Mapping[str, Any]) -> list[Handle]:
    """The operands of a program: public arrays as they are, others shared by their owners.

    Raises
    ------
    ProgramError
        An input is missing or unknown (TC-1511), or is no shared array and has no owner (TC-1515).
    RangeError, ShapeError, UsageError
        As :meth:`Session.share`.
    """
    handles: list[Handle] = []
    for one, value in zip(program.inputs, program.named(inputs), strict=True):
        kind = one.type
        if isinstance(value, SecretArray):
            handles.append(value.reference)
        elif kind.public:
            handles.append(public_array(np.asarray(value, kind.dtype.numpy)))
        else:
            if not one.owner:
                raise ProgramError(
                    f"The input {one.name!r} has no owner: it is shared already.",
                    next_step="share it first with mpc.share, or give its ArraySpec an owner.",
                    case=15,
                )
            handles.append(
                session.share(
                    value, one.owner, dtype=kind.dtype, shape=kind.shape, bounds=one.bounds
                )
            )
    return handles


def revealed_outputs(
    session: Session, program: Program, references: tuple[Reference, ...]
) -> dict[str, Any]:
    """The outputs by name: plain where all learn them, by recipient, or secret; see ``mpc.run``."""
    found: dict[str, Any] = {}
    for output, reference in zip(program.outputs, references, strict=True):
        array = SecretArray(session, reference)
        to: Any = "all" if output.to == EVERYBODY else output.to
        found[output.name] = array.reveal(to=to) if to else array
    return found
