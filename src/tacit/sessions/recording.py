"""What a session offers where it records operations instead of computing them: control flow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Protocol, TypeAlias

from tacit.operations.types import Bounds
from tacit.sessions.handles import Handle

__all__ = ["Body", "Declared", "Recorder", "current_recorder", "recording"]

Body: TypeAlias = Callable[[Sequence[Handle]], Sequence[Handle]]
"""Handles from handles: a loop's body, a branch."""

Declared: TypeAlias = Sequence[Bounds | None]
"""For each carry of a loop what it stays within, where that is declared; may be shorter."""


class Recorder(Protocol):
    """Loops and branches as nodes; see ``programs/control.py``."""

    def fori(
        self,
        first: Handle,
        end: Handle,
        body: Body,
        carries: Sequence[Handle],
        bounds: Declared = (),
    ) -> list[Handle]:
        """The carries after a loop over integers; `body` takes the counter and the carries."""

    def scan(
        self,
        body: Body,
        carries: Sequence[Handle],
        cut: Sequence[Handle],
        length: int,
        reverse: bool,
        bounds: Declared = (),
    ) -> list[Handle]:
        """The carries after a loop over rows, then the stacked results."""

    def until(
        self, condition: Body, body: Body, carries: Sequence[Handle], bounds: Declared = ()
    ) -> list[Handle]:
        """The carries when a public condition no longer holds."""

    def branch(
        self, index: Handle, branches: Sequence[Body], operands: Sequence[Handle]
    ) -> list[Handle]:
        """The results of one of several bodies."""

    def hint(self, protocol: str) -> AbstractContextManager[None]:
        """What is recorded inside would best run under a protocol."""


_CURRENT: ContextVar[Recorder | None] = ContextVar("recorder", default=None)


def current_recorder() -> Recorder | None:
    """What records now, if anything does."""
    return _CURRENT.get()


@contextmanager
def recording(recorder: Recorder) -> Iterator[None]:
    """Loops and branches inside become nodes."""
    token = _CURRENT.set(recorder)
    try:
        yield
    finally:
        _CURRENT.reset(token)
