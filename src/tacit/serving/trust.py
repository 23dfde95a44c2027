"""Which clients are accepted now: a service outlives many editions of the consortium's file."""

from __future__ import annotations

import time
from typing import Any, Final

from tacit.consortium import Kit
from tacit.consortium.file import read
from tacit.consortium.kit import CONSORTIUM_FILE
from tacit.errors import TacitError
from tacit.network.trust import Trust

__all__ = ["FreshTrust"]

_SECONDS: Final = 1.0
"""How often the file is looked at."""


class FreshTrust:
    """A kit's trust, read again when a new edition of the consortium's file was installed.

    A client that was revoked is refused from then on, on connections that stand, too; also where
    the rest of the kit is not complete, for instance while a party waits for new keys. A file of
    another authority or an older one changes nothing, and is logged.

    Parameters
    ----------
    kit : Kit
    log : structlog logger
    """

    def __init__(self, kit: Kit, log: Any) -> None:
        self._folder = kit.folder
        self._root = kit.credentials.authority
        self._consortium = kit.consortium
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
        path = self._folder / CONSORTIUM_FILE
        try:
            found = read(path.read_bytes(), path, self._root)
        except TacitError as error:
            self._log.warning("consortium's file not read", code=error.code)
            return
        except OSError:
            self._log.warning("consortium's file not read")
            return
        if found.edition < self._consortium.edition or not self._consortium.is_followed_by(found):
            self._log.warning("consortium's file not taken", edition=found.edition)
            return
        self._consortium, self._trust = found, found.trust
        self._log.info("consortium's file read", edition=found.edition)
