"""How many threads a party computes with: the cores, divided among parties of one machine."""

from __future__ import annotations

import os
from typing import Final

from tacit.errors import UsageError

__all__ = ["VARIABLE", "threads_a_party"]

VARIABLE: Final = "TACIT_THREADS"
"""The environment variable with the threads a party, where none are given."""


def threads_a_party(threads: int | None, side_by_side: int = 1) -> int:
    """Threads for each party of this machine.

    Parameters
    ----------
    threads : int or None
        What was asked for; by default the environment's ``TACIT_THREADS``, and else the cores
        that this process may use, divided among the parties that compute side by side.
    side_by_side : int
        How many parties compute on this machine at the same time.

    Returns
    -------
    int
        At least 1. A fact of this machine: parties need not agree on it, and results are the
        same bits with any.

    Raises
    ------
    UsageError
        It is no positive whole number (TC-1038).
    """
    if threads is not None:
        return _checked(threads, "threads")
    told = os.environ.get(VARIABLE, "")
    if told:
        return _checked(int(told) if told.isascii() and told.isdigit() else told, VARIABLE)
    return max(1, _cores() // side_by_side)


def _checked(threads: object, where: str) -> int:
    if isinstance(threads, int) and not isinstance(threads, bool) and 1 <= threads <= 1024:
        return threads
    raise UsageError(
        f"{where} is {threads!r}, which is no number of threads.",
        next_step="give a whole number from 1 to 1024, at most the cores of the machine.",
        case=38,
    )


def _cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
