"""Which clients are accepted now: a service outlives many editions of the consortium's file."""

from __future__ import annotations

import time
from typing import Any, Final

from tacit.consortium import Kit
from tacit.consortium.kit import CONSORTIUM_FILE
from tacit.errors import TacitError
from tacit.network.trust import Trust

__all__ = ["FreshTrust"]

_SECONDS: Final = 1.0
"""How often the file is looked at."""


class FreshTrust:
    """A kit's trust, read again when a new edition of the consortium's file was installed.

    A client that was revoked is refused from then on, on connections that stand, too. A file that
    cannot be used changes nothing, and is logged.

    Parameters
    ----------
    kit : Kit
    log : structlog logger
    """

    def __init__(self, kit: Kit, log: Any) -> None:
        self._folder = kit.folder
        self._trust = kit.credentials.trust
        self._log = log
        self._mark = self._look()
        self._next = time.monotonic() + _SECONDS

    def __call__(self) -> Trust:
        """What holds now; the same object until something changes."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _SECONDS
            mark = self._look()
            if mark != self._mark:
                self._mark = mark
                self._read()
        return self._trust

    def _look(self) -> tuple[int, int] | None:
        try:
            found = (self._folder / CONSORTIUM_FILE).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino

    def _read(self) -> None:
        try:
            kit = Kit.load(self._folder)
        except TacitError as error:
            self._log.warning("consortium's file not read", code=error.code)
            return
        self._trust = kit.credentials.trust
        self._log.info("consortium's file read", edition=kit.consortium.edition)
