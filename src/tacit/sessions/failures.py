"""What happened at a party, in a form that may leave its process."""

from __future__ import annotations

import traceback

import msgspec

from tacit.errors import InternalError, MessageError, TacitError
from tacit.sessions.incidents import Incident
from tacit.sessions.messages import Incident as Told

__all__ = ["described", "told"]


def told(incident: Incident) -> Told:
    """A fault that was overcome, as a message."""
    return Told(
        stage=incident.stage,
        kind=incident.kind,
        party=incident.party,
        pair=incident.pair,
        dropped=incident.dropped,
        reason=incident.reason,
        protocol=incident.protocol,
        security=incident.security.describe(),
        evidence=None if incident.evidence is None else str(incident.evidence),
        at=incident.at,
    )


def described(error: BaseException) -> TacitError:
    """An error as one that may travel: others than tacit's own lose their text.

    The text of a foreign exception can hold a value of the party's data, so only its type and
    the lines of code it passed through go on.
    """
    if isinstance(error, TacitError):
        return error
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    place = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames))
    if isinstance(error, MemoryError):
        return TacitError(
            f"A party ran out of memory ({place}).",
            next_step="use smaller arrays or batches, or a machine with more memory.",
            case=1,
        )
    if isinstance(error, msgspec.DecodeError):
        return MessageError(
            f"A control message has the wrong form ({place}).",
            next_step="report this: the two processes run different versions of tacit.",
            case=11,
            stage="control",
        )
    return InternalError(
        f"{type(error).__name__} in a party's process ({place}).",
        next_step="report this with the lines named here; the values are left out on purpose.",
        case=1,
    )
