"""A program in a session: its inputs shared, its results opened to their recipients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tacit.arrays.array import SecretArray
from tacit.encoding.digest import tagged_hash
from tacit.errors import ProgramError, UsageError
from tacit.operations.promotion import public_array
from tacit.operations.types import PublicArray
from tacit.programs.graph import EVERYBODY, Input
from tacit.programs.program import Program
from tacit.sessions.handles import Handle, Reference
from tacit.sessions.running import require_input
from tacit.sessions.session import Session

__all__ = ["agree", "given_inputs", "revealed_outputs", "shared_inputs"]


def given_inputs(session: Session, program: Program, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs by name, looked at before anything is shared.

    Returns
    -------
    dict
        References where arrays are shared already, public arrays, and what owners give as it is.

    Raises
    ------
    ProgramError
        An input is missing or unknown (TC-1511), of another type (TC-1512), or is no shared array
        and has no owner (TC-1515).
    UsageError
        An array belongs to another session (TC-1031).
    """
    found: dict[str, Any] = {}
    for one, value in zip(program.inputs, program.named(inputs), strict=True):
        if isinstance(value, SecretArray):
            if value.device is not session:
                raise UsageError(
                    f"The array for the input {one.name!r} belongs to another session.",
                    next_step="share the data in the session that runs the program.",
                    case=31,
                )
            found[one.name] = value.reference
        elif one.type.public:
            found[one.name] = _public(one, value)
        else:
            if not one.owner:
                raise ProgramError(
                    f"The input {one.name!r} has no owner: it is shared already.",
                    next_step="share it first with mpc.share, or give its ArraySpec an owner.",
                    case=15,
                )
            found[one.name] = value
            continue
        require_input(one, found[one.name])
    return found


def _public(one: Input, value: Any) -> PublicArray:
    """A public input in its own type, without rounding or wrapping anything."""
    array, dtype = np.asarray(value), one.type.dtype
    good = array.dtype.kind in {"fixed": "fiub", "int": "iub", "bool": "b"}[dtype.kind]
    if good and dtype.kind == "int" and array.size:
        low, high = dtype.range or (0, 0)
        good = low <= int(array.min()) and int(array.max()) <= high
    if not good:
        raise ProgramError(
            f"The public input {one.name!r} is {one.type}, and it is given other numbers"
            f" ({array.dtype}).",
            next_step=f"give {dtype.name} within its range: nothing is rounded or cut off here.",
            case=12,
        )
    return public_array(array.astype(dtype.numpy))


def agree(
    session: Session, program: Program, given: Mapping[str, Any], *, patience: float | None = None
) -> None:
    """Make sure that all parties run one program, before anything of an input is sent.

    Parameters
    ----------
    session : Session
    program : Program
    given : mapping
        What :func:`given_inputs` gives.
    patience : float, optional
        Seconds to wait for a party that is alive; the session's by default.

    Raises
    ------
    HandshakeError
        Another party has another program, other public inputs, or shares now what is shared
        already here (TC-3311).
    """
    values = [given[one.name] for one in program.inputs]
    shared = bytes(isinstance(value, Reference) for value in values)
    public = [given[one.name] for one in program.inputs if one.type.public]
    agreed = tagged_hash("program inputs", program.canonical, shared, *public)
    session.agree_on_program(agreed, patience=patience)


def shared_inputs(session: Session, program: Program, given: Mapping[str, Any]) -> list[Handle]:
    """The operands of a program: what owners give is shared, in the order of the inputs.

    Parameters
    ----------
    session : Session
    program : Program
    given : mapping
        What :func:`given_inputs` gives, agreed on by all parties (:func:`agree`).

    Raises
    ------
    RangeError, ShapeError, UsageError
        As :meth:`Session.share`.
    """
    handles: list[Handle] = []
    for one in program.inputs:
        value, kind = given[one.name], one.type
        if not kind.public and not isinstance(value, Reference):
            value = session.share(
                value, one.owner, dtype=kind.dtype, shape=kind.shape, bounds=one.bounds
            )
        handles.append(value)
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
