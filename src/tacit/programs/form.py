"""The plain data of a program: its encoding, and what is refused before types are looked at."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from tacit.errors import ProgramError
from tacit.programs.graph import EVERYBODY, FORMAT, GUESTS, Graph, Hint, Output
from tacit.programs.sizes import require_nodes

__all__ = ["MAGIC", "MOST_BYTES", "ProgramForm", "decoded", "require_form", "unreadable"]

MAGIC: Final = b"tacit program\n"

MOST_BYTES: Final = 1 << 30
"""The longest program that is read."""

_MOST = {"inputs": 100_000, "constants": 100_000, "bodies": 100_000}
_NAME: Final = 200


class ProgramForm(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The plain data of a program, as it is encoded.

    Attributes
    ----------
    version : int
    name : str
        For people.
    main : Graph
    outputs : tuple of Output
        One for each result of `main`.
    bodies : tuple of Graph
    hints : tuple of Hint
    """

    version: int
    name: str
    main: Graph
    outputs: tuple[Output, ...]
    bodies: tuple[Graph, ...] = ()
    hints: tuple[Hint, ...] = ()


def decoded(data: bytes) -> ProgramForm:
    """The plain data of a program's canonical bytes.

    Raises
    ------
    ProgramError
        Not a program (TC-1500), or of another version (TC-1501).
    """
    if len(data) > MOST_BYTES:
        raise unreadable("It is longer than 1 GiB.")
    if not data.startswith(MAGIC):
        raise unreadable("It does not begin as one.")
    try:
        form = msgspec.msgpack.decode(data[len(MAGIC) :], type=ProgramForm)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        version = _version(data)
        if version is not None and version != FORMAT:
            raise _other_version(version) from None
        raise unreadable("Its bytes are damaged.") from error
    if form.version != FORMAT:
        raise _other_version(form.version)
    if MAGIC + msgspec.msgpack.encode(form) != data:
        raise unreadable("Its bytes are not the canonical ones.")
    return form


def _version(data: bytes) -> int | None:
    try:
        head = msgspec.msgpack.decode(data[len(MAGIC) :])
        return head[0] if isinstance(head, list) and isinstance(head[0], int) else None
    except (msgspec.MsgspecError, RecursionError, ValueError, IndexError):
        return None


def unreadable(why: str) -> ProgramError:
    """The error of what is no program."""
    return ProgramError(
        f"This is no program of tacit. {why}",
        next_step="take the file that Program.save wrote, or make the program again.",
        case=0,
    )


def _other_version(version: int) -> ProgramError:
    return ProgramError(
        f"The program has form {version}; this version of tacit reads form {FORMAT}.",
        next_step="make the program again with this version, or run it with the one that made it.",
        case=1,
    )


def require_form(form: ProgramForm) -> None:
    """Refuse what is too large, or has names and hints without sense (TC-1500, TC-1506)."""
    require_nodes(sum(len(graph.nodes) for graph in (form.main, *form.bodies)))
    sizes = {
        "inputs": len(form.main.inputs),
        "constants": len(form.main.constants),
        "bodies": len(form.bodies),
    }
    for what, size in sizes.items():
        if size > _MOST[what]:
            raise ProgramError(
                f"The program has {size} {what}; {_MOST[what]} at most.",
                next_step="use loops instead of repeating their bodies.",
                case=6,
            )
    names = [one.name for one in form.main.inputs], [one.name for one in form.outputs]
    for several in names:
        if len(set(several)) != len(several) or any(not 0 < len(n) <= _NAME for n in several):
            raise unreadable("Names of inputs and outputs are not all different, or too long.")
    _require_names(form)
    for output in form.outputs:
        if len(set(output.to)) != len(output.to) or ("all" in output.to and output.to != EVERYBODY):
            raise unreadable("An output names a recipient twice.")
    count = len(form.main.nodes)
    known = all(hint.protocol in GUESTS for hint in form.hints)
    if not known or any(not 0 <= hint.first <= hint.last < count for hint in form.hints):
        raise unreadable("A hint is about nodes or a protocol that is not there.")


def _require_names(form: ProgramForm) -> None:
    """Names are short and print: they stand in tables, errors and pictures that people approve."""
    people = [one for output in form.outputs for one in output.to]
    owners = [one.owner for one in form.main.inputs]
    if not all(people) or any(len(name) > _NAME for name in (*people, *owners, form.name)):
        raise unreadable("A party has no name, or a name is too long.")
    texts = [form.name, *people, *(output.name for output in form.outputs)]
    for graph in (form.main, *form.bodies):
        texts += [text for one in graph.inputs for text in (one.name, one.owner)]
        texts += [text for node in graph.nodes for text in (node.operation, node.note)]
    if not all(map(str.isprintable, texts)):
        raise ProgramError(
            "A name or a note in the program has characters that do not print, such as a line's"
            " end or what a terminal obeys.",
            next_step="name inputs, outputs and parties with letters, digits and signs; do not run"
            " a file of others that has such names.",
            case=0,
        )
