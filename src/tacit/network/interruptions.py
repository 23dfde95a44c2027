"""A Ctrl-C that is not lost.

Python raises KeyboardInterrupt wherever the main thread happens to be. In a ``__del__``, or in a
callback of a weak reference or of the garbage collector, it is reported and dropped, and whoever
waits for other parties goes on waiting. Inside :func:`interruptible` the signal is then sent again,
once the main thread has left that place. Elsewhere a program that uses tacit has Python's own
behaviour.
"""

from __future__ import annotations

import _thread
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

__all__ = ["interruptible", "was_dropped"]

_LOOK: Final = 0.001
"""Seconds between two looks at where the main thread is."""
_REST: Final = 0.05
"""Seconds between two signals."""

_dropped = False


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise a KeyboardInterrupt again that was dropped in here.

    May be entered again inside itself. In other threads than the main one it does nothing: no
    signal is handled there.
    """
    hook = sys.unraisablehook
    if threading.current_thread() is not threading.main_thread() or _active(hook):
        yield
        return
    ours = _Hook(hook)
    sys.unraisablehook = ours
    try:
        yield
    finally:
        ours.active = False
        if sys.unraisablehook is ours:  # else somebody has put another one in front
            sys.unraisablehook = ours.former


def was_dropped() -> bool:
    """Whether a KeyboardInterrupt was dropped since this was asked last, for signals' handlers.

    A handler that raises once, and ignores later signals while the command cleans up, must raise
    again then.
    """
    global _dropped
    dropped, _dropped = _dropped, False
    return dropped


class _Hook:
    """What ``sys.unraisablehook`` is meanwhile; all other exceptions go to the former one."""

    def __init__(self, former: Callable[[UnraisableHookArgs], Any]) -> None:
        self.former = former
        self.active = True

    def __call__(self, unraisable: UnraisableHookArgs, /) -> None:
        try:
            if not (self.active and _from_signal(unraisable.exc_type) and _sent_again()):
                self.former(unraisable)
        except KeyboardInterrupt:  # a signal came in here
            _sent_again()


class _Again:
    """The handler of SIGINT from when one was dropped until one has come: the former one, in fact.

    A signal may come at the very moment in which the main thread begins to wait; it then stays
    unnoticed until the wait is over. So it is sent until it has arrived.
    """

    def __init__(self, former: Callable[[int, FrameType | None], Any]) -> None:
        self.former = former
        self.arrived = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.arrived = True
        installed: object = signal.getsignal(number)
        if installed is self:
            signal.signal(number, self.former)
        self.former(number, frame)

    def send(self) -> None:
        """Send the signal when the main thread is out of the hook, where it would be lost."""
        main = threading.main_thread().ident
        assert main is not None
        while not self.arrived:
            if _in_hook(sys._current_frames().get(main)):
                time.sleep(_LOOK)
                continue
            handler = signal.getsignal(signal.SIGINT)
            if callable(handler):  # else it would be ignored, or end the process
                signal.pthread_kill(main, signal.SIGINT)
            if handler is not self:  # somebody has put another one in its place
                return
            time.sleep(_REST)


def _active(hook: object) -> bool:
    return isinstance(hook, _Hook) and hook.active


def _from_signal(kind: type[BaseException]) -> bool:
    here = threading.current_thread() is threading.main_thread()
    return here and issubclass(kind, KeyboardInterrupt)


def _sent_again() -> bool:
    """Have the signal sent again; False if nobody handles it any more."""
    global _dropped
    former = signal.getsignal(signal.SIGINT)
    if not callable(former):
        return False
    _dropped = True
    again = _Again(former)
    signal.signal(signal.SIGINT, again)
    # Not a `Thread`: starting one takes locks, which the main thread may be holding right here.
    _thread.start_new_thread(again.send, ())
    return True


def _in_hook(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code is _Hook.__call__.__code__:
            return True
        frame = frame.f_back
    return False
