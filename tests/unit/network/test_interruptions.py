"""A Ctrl-C that Python drops is raised again; everything else is left as it was."""

from __future__ import annotations

import gc
import signal
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tacit.cli import app as command_line
from tacit.network import interruptible, was_dropped

AT_MOST = 60
"""Seconds that a test waits for what must come."""


class Dropping:
    """Is interrupted in its ``__del__``, the place where Python drops what is raised."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


def in_del() -> None:
    Dropping()


def in_callback_of_a_weak_reference() -> None:
    class Referred:
        pass

    referred = Referred()
    reference = weakref.ref(referred, lambda _: signal.raise_signal(signal.SIGINT))
    del referred
    assert reference() is None


def in_callback_of_the_collector() -> None:
    def interrupted(phase: str, told: dict[str, int]) -> None:
        gc.callbacks.remove(interrupted)
        signal.raise_signal(signal.SIGINT)

    gc.callbacks.append(interrupted)
    gc.collect()


def in_one_del_after_the_other() -> None:
    first, second = Dropping(), Dropping()
    del first
    del second


PLACES = [
    in_del,
    in_callback_of_a_weak_reference,
    in_callback_of_the_collector,
    in_one_del_after_the_other,
]


@pytest.fixture
def reported() -> Iterator[list[type[BaseException]]]:
    """What reaches the hook that was there before."""
    found: list[type[BaseException]] = []
    before = sys.unraisablehook
    sys.unraisablehook = lambda unraisable: found.append(unraisable.exc_type)
    try:
        yield found
    finally:
        sys.unraisablehook = before
        was_dropped()


def wait() -> None:
    """For an event that does not come, as for a party."""
    threading.Event().wait(AT_MOST)


@pytest.mark.parametrize("drop", PLACES)
def test_a_dropped_interruption_is_raised_again(
    drop: Callable[[], None], reported: list[type[BaseException]]
) -> None:
    before = sys.unraisablehook
    with pytest.raises(KeyboardInterrupt), interruptible():
        drop()
        wait()
    assert reported == []
    assert sys.unraisablehook is before


@pytest.mark.parametrize("drop", PLACES)
def test_elsewhere_python_drops_it(
    drop: Callable[[], None], reported: list[type[BaseException]]
) -> None:
    """The defence is needed, and ends with the block."""
    with interruptible():
        pass
    drop()
    assert set(reported) == {KeyboardInterrupt}
    assert not was_dropped()


def test_other_exceptions_are_reported_as_before(reported: list[type[BaseException]]) -> None:
    class Failing:
        def __del__(self) -> None:
            raise ValueError

    with interruptible():
        Failing()
    assert reported == [ValueError]


def test_an_interruption_of_the_report_itself_is_raised_again() -> None:
    class Failing:
        def __del__(self) -> None:
            raise ValueError

    def reporting(unraisable: object) -> None:
        signal.raise_signal(signal.SIGINT)

    before = sys.unraisablehook
    sys.unraisablehook = reporting
    try:
        with pytest.raises(KeyboardInterrupt), interruptible():
            Failing()
            wait()
    finally:
        sys.unraisablehook = before


def test_blocks_in_blocks(reported: list[type[BaseException]]) -> None:
    before = sys.unraisablehook
    with interruptible():
        ours = sys.unraisablehook
        with interruptible():
            assert sys.unraisablehook is ours
        assert sys.unraisablehook is ours
        with pytest.raises(KeyboardInterrupt):
            in_del()
            wait()
    assert sys.unraisablehook is before
    assert reported == []


def test_a_hook_that_somebody_puts_in_front_stays(reported: list[type[BaseException]]) -> None:
    def in_front(unraisable: Any) -> None:
        ours(unraisable)

    before = sys.unraisablehook
    with interruptible():
        ours = sys.unraisablehook
        sys.unraisablehook = in_front
        with pytest.raises(KeyboardInterrupt):
            in_del()
            wait()
    assert sys.unraisablehook is in_front
    in_del()
    assert reported == [KeyboardInterrupt]
    with pytest.raises(KeyboardInterrupt), interruptible():
        in_del()
        wait()
    sys.unraisablehook = before


def test_other_threads_leave_the_hook_alone() -> None:
    before = sys.unraisablehook
    seen = []

    def run() -> None:
        with interruptible():
            seen.append(sys.unraisablehook)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [before]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_unwinds_once_but_again_if_that_was_lost(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second signal leaves the clean-up alone. One that was lost comes again all the same."""
    events = []

    class Interrupted:
        def __del__(self) -> None:
            signal.raise_signal(number)

    def command(*, standalone_mode: bool) -> None:
        try:
            Interrupted()
            wait()
        except KeyboardInterrupt:
            events.append("unwinding")
            signal.raise_signal(number)
            events.append("cleaned up")
            raise

    monkeypatch.setattr(command_line, "app", command)
    handlers = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        with pytest.raises(SystemExit) as caught:
            command_line.main()
    finally:
        for each, handler in handlers.items():
            signal.signal(each, handler)
    assert caught.value.code == 130
    assert events == ["unwinding", "cleaned up"]
