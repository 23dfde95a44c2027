"""A thread that keeps a party's door while the party itself computes.

Without it a party that computes for minutes and one whose machine has stopped look alike from
outside: the system takes connections for both. The porter lets visitors in as far as that goes
without its party (``doors.py``), and answers who asks whether anybody is there. It sends and hears
nothing that matters: it holds no mesh and reads no letter.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterator
from typing import Final

from tacit.network.doors import Door

__all__ = ["Porter"]

_LOOK: Final = 1.0


class Porter:
    """Keeps a door from construction until :meth:`close`, but while its party does it itself.

    Parameters
    ----------
    door : Door
        Closed by :meth:`close`.
    """

    def __init__(self, door: Door) -> None:
        self._door = door
        self._lock = threading.Lock()
        self._bell, self._ringer = socket.socketpair()
        self._closed = False
        self._selector = selectors.DefaultSelector()
        self._selector.register(door, selectors.EVENT_READ)
        self._selector.register(self._bell, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._keep, name="tacit-porter", daemon=True)
        self._thread.start()

    @contextlib.contextmanager
    def relieved(self) -> Iterator[Door]:
        """The door, for the party alone."""
        with self._lock:
            yield self._door

    def close(self) -> None:
        """End the thread and close the door."""
        if not self._closed:
            self._closed = True
            self._ringer.close()
            self._thread.join()
            self._door.close()
            self._selector.close()
            self._bell.close()

    def _keep(self) -> None:
        while not self._closed:
            self._selector.select(_LOOK)
            with self._lock:
                if not self._closed:
                    self._door.sort()
