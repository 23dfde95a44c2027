"""Whose turn it is: every party must see the same operations in the same order.

All parties draw the masks of an operation from common streams at a nonce that counts operations.
Calls that crossed would pair one operation's message with another's mask. Where one process
orders for all parties, the calls of several threads take turns; a party that orders for itself
keeps to one thread, because the threads of different processes would not take the same turns.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from typing import Any, Protocol, TypeVar, cast

from tacit.errors import UsageError

__all__ = ["OneThread", "TakesTurns", "Turns", "in_turn"]

F = TypeVar("F", bound=Callable[..., Any])


class TakesTurns(Protocol):
    """What a call on a session needs: its turn, and that the session is open."""

    def turn(self) -> AbstractContextManager[None]: ...
    def check_open(self) -> None: ...


def in_turn(method: F) -> F:
    """A call on an open session that waits for its turn."""

    @wraps(method)
    def waiting(self: TakesTurns, *args: Any, **kwargs: Any) -> Any:
        with self.turn():
            self.check_open()
            return method(self, *args, **kwargs)

    return cast(F, waiting)


class Turns:
    """Calls of several threads, one after the other; each waits for those before it."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self._lock = threading.RLock()
        self._busy = False

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until no other thread is computing, and keep others waiting meanwhile.

        Raises
        ------
        UsageError
            The call comes from within a call, such as from a signal's handler (TC-1037), or
            from a forked process (TC-1036).
        """
        self._check_process()
        with self._lock:
            if self._busy:
                raise UsageError(
                    "A session was called in the middle of one of its own operations.",
                    next_step="let signal handlers and finalizers only note what to do, and do it"
                    " between operations.",
                    case=37,
                )
            self._busy = True
            try:
                yield
            finally:
                self._busy = False

    def _check_process(self) -> None:
        if os.getpid() != self._process:
            # It would draw the same masks again, for other values.
            raise UsageError(
                "This session belongs to the process that this one was forked from.",
                next_step="open a session in the new process, after the fork.",
                case=36,
            )


class OneThread(Turns):
    """All calls from one thread: that of the first call.

    Parameters
    ----------
    party : str
        Whose session it is; named in errors.
    """

    def __init__(self, party: str) -> None:
        super().__init__()
        self._party = party
        self._thread: threading.Thread | None = None

    def check(self) -> None:
        """Refuse another thread or another process than that of the first call.

        Raises
        ------
        UsageError
            Another thread (TC-1035) or a forked process (TC-1036).
        """
        self._check_process()
        here = threading.current_thread()
        if self._thread is None:
            with self._lock:
                self._thread = self._thread or here
        if self._thread is not here:
            raise UsageError(
                f"The session of {self._party} belongs to the thread {self._thread.name}, and"
                f" {here.name} called it: threads would not take turns in the same order at"
                " every party.",
                next_step="make all calls from one thread; let others hand it what to compute,"
                " in an order that all parties agree on, for instance with"
                " concurrent.futures.ThreadPoolExecutor(max_workers=1).",
                case=35,
            )
