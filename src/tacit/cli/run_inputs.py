"""What ``tacit run`` is given: who takes part, and whose file holds which inputs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tacit.cli.joint import HELPER
from tacit.cli.train import parse_owners
from tacit.consortium import Kit
from tacit.encoding.rings import ring_of
from tacit.errors import ProgramError
from tacit.programs.graph import EVERYBODY
from tacit.programs.program import Program
from tacit.protocols import protocol_named
from tacit.sessions.session import checked_parties
from tacit.tables.problems import Problem, Violation, data_error

__all__ = ["files_of", "parties_of", "ring_for"]

_FOUR = 4


def parties_of(
    program: Program, protocol: str | None, helpers: tuple[str, ...], kit: Kit | None
) -> tuple[str, tuple[str, ...]]:
    """The protocol, and the parties in its order.

    Without a kit: the owners of inputs, then recipients, then those that only compute.

    Raises
    ------
    UsageError
        Too many or too few parties for the protocol (TC-1021), two of one name (TC-1022), or an
        unknown protocol.
    """
    if kit is not None:
        chosen = protocol or kit.consortium.protocol
        return chosen, checked_parties(protocol_named(chosen), kit.consortium.names)
    learn = (name for out in program.outputs if out.to != EVERYBODY for name in out.to)
    names = tuple(dict.fromkeys([*program.owners, *learn, *helpers]))
    chosen = protocol or ("fantastic4" if len(names) == _FOUR else "replicated3")
    missing = protocol_named(chosen).security.parties - len(names)
    free = [name for k in range(1, missing + _FOUR) if (name := _helper(k)) not in names]
    names += tuple(free[: max(missing, 0)])
    return chosen, checked_parties(protocol_named(chosen), names)


def _helper(place: int) -> str:
    return HELPER if place == 1 else f"{HELPER}{place}"


def ring_for(program: Program, ring: int | None) -> int:
    """The ring that was asked for, or the smallest one with room for all types."""
    return program.ring_bits if ring is None else ring_of(ring).bits


def files_of(
    program: Program,
    parties: tuple[str, ...],
    files: Sequence[str],
    inputs: Sequence[str],
    kit: Kit | None,
) -> dict[str, tuple[tuple[str, str], ...]]:
    """Each party's own files, and those of inputs that all know.

    Raises
    ------
    UsageError
        Not NAME=FILE (TC-1040), or a name twice (TC-1041).
    ProgramError
        A name is no owner's and no input's (TC-1590), an input has no file (TC-1591), or is one
        that is shared already (TC-1595).
    DataError
        A file is not there (TC-2100).
    """
    by_owner, by_input = parse_owners(list(files)), parse_owners(list(inputs))
    known = {one.name: one for one in program.inputs}
    for name in list(by_owner):
        if name not in program.owners and name in known:
            by_input[name] = by_owner.pop(name)
    for name in [*by_owner, *by_input]:
        if name not in (known if name in by_input else program.owners):
            raise ProgramError(
                f"The program has no {'input' if name in by_input else 'owner'} called {name!r}.",
                next_step="its inputs are: "
                + (", ".join(f"{i.name} of {i.owner or 'all'}" for i in program.inputs) or "none")
                + ".",
                case=90,
            )
    for one in program.inputs:
        if not one.owner and not one.type.public:
            raise ProgramError(
                f"The input {one.name!r} has no owner: it is an array that is shared already.",
                next_step="give its ArraySpec an owner, or run the program inside a session, with"
                " mpc.run.",
                case=95,
            )
        here = kit is None or one.owner == kit.name or one.type.public
        if here and one.name not in by_input and one.owner not in by_owner:
            name = f"{one.owner}=FILE" if one.owner else f"--inputs {one.name}=FILE"
            raise ProgramError(
                f"There is no file for the input {one.name!r}: {one.type}"
                + (f", which {one.owner} gives." if one.owner else ", which all parties know."),
                next_step=f"add {name}.",
                case=91,
            )
    for name, path in [*by_owner.items(), *by_input.items()]:
        if not path.exists():
            missing = Violation(Problem.UNREADABLE)
            raise data_error(path, missing, owner=name, detail=": No such file or directory")
    return {
        party: tuple(
            [("", _whole(path)) for name, path in by_owner.items() if name == party]
            + [
                (name, _whole(path))
                for name, path in by_input.items()
                if known[name].owner == party or known[name].type.public
            ]
        )
        for party in parties
        if kit is None or party == kit.name
    }


def _whole(path: Path) -> str:
    return str(path.absolute())
