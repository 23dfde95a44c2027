"""The errors of parties' processes that are gone, or do not come to their end."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping

from tacit.errors import DeadlineError, PartyLostError

__all__ = ["late", "lost", "lost_early"]


def lost(name: str, process: subprocess.Popen[bytes]) -> PartyLostError:
    """A party's process ended without a word."""
    return PartyLostError(
        f"The process of {name} {_end(process)} while the session was running.",
        next_step="look for its own messages above, and at the machine's memory; then start"
        " the session again.",
        case=10,
        parties=[name],
        stage="session",
    )


def lost_early(processes: Mapping[str, subprocess.Popen[bytes]], what: str) -> PartyLostError:
    """Parties' processes ended before all had shared `what`, so that nothing was computed.

    Parameters
    ----------
    processes : mapping of str to Popen
        Those that ended, by party.
    what : str
        Such as ``"rows"``.
    """
    names = " and ".join(processes)
    was = "was" if len(processes) == 1 else "were"
    how = ", ".join(f"the process of {name} {_end(child)}" for name, child in processes.items())
    return PartyLostError(
        f"{names} {was} lost before all {what} were shared: {how}. Nothing was computed or"
        " revealed.",
        next_step="look for messages above and at the memory of the machine; then start again with"
        " the same command.",
        case=9,
        parties=list(processes),
    )


def late(name: str) -> DeadlineError:
    """A party's process is there, but works on when all others have ended."""
    return DeadlineError(
        f"The process of {name} is there, but did not finish when the others had.",
        next_step="find out what holds that process up; the result is the others'.",
        case=4,
        parties=[name],
        stage="session",
    )


def _end(process: subprocess.Popen[bytes]) -> str:
    try:
        status = process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        return "closed its control channel"
    if status < 0:
        return f"was killed by {signal.Signals(-status).name}"
    return f"exited with status {status}"
