"""Sessions used from several threads, from forked processes and from within themselves."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import tacit
from tacit.errors import UsageError
from tacit.operations import NoAttributes, Operation
from tacit.operations.types import ArrayType
from tacit.protocols import protocol_named
from tacit.sessions import LocalSession

NAMES = ("alice", "bob", "carol")
REPLICATED3 = protocol_named("replicated3")


def side_by_side(*jobs: Callable[[], Any]) -> list[Any]:
    """What the jobs give, each in a thread of its own, all begun at the same moment."""
    begin = threading.Barrier(len(jobs))

    def run(job: Callable[[], Any]) -> Any:
        begin.wait()
        return job()

    with ThreadPoolExecutor(len(jobs)) as threads:
        return [future.result() for future in [threads.submit(run, job) for job in jobs]]


def squares(mpc: tacit.Computation, place: int) -> Callable[[], Any]:
    """A few operations on numbers of this thread's own; comparisons need several rounds."""

    def job() -> Any:
        found = []
        for turn in range(10):
            x = mpc.share(np.arange(8.0) + place + turn, owner=NAMES[place % 3])
            found.append(((x * x) * (x > 4.0)).reveal(to="all"))
        return found

    return job


def expected(place: int) -> Any:
    rows = np.arange(8.0) + place + np.arange(10.0)[:, None]
    return rows * rows * (rows > 4.0)


def test_threads_take_turns_in_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every operation of a thread runs to its end before another's begins."""
    inside = 0
    run = LocalSession._run

    def watched(self: Any, *arguments: Any) -> Any:
        nonlocal inside
        inside += 1
        try:
            assert inside == 1
            return run(self, *arguments)
        finally:
            inside -= 1

    monkeypatch.setattr(LocalSession, "_run", watched)
    with tacit.local() as mpc:
        results = side_by_side(*(squares(mpc, place) for place in range(4)))
    for place, found in enumerate(results):
        np.testing.assert_allclose(found, expected(place), atol=1e-4)


def test_without_turns_threads_would_cross() -> None:
    """What the turns are for: operations that cross draw masks that do not fit."""
    session = LocalSession(REPLICATED3, NAMES)
    x = session.share(np.ones(3), "alice")
    begun, go_on = threading.Event(), threading.Event()

    def meaning(party: Any, operands: Any, attributes: Any) -> Any:
        mask = party.random((3,))
        if party.index == 0:
            begun.set()
            go_on.wait(120)
        return type(operands[0])(operands[0].dtype, mask)
        yield

    waits = Operation("waits", lambda types, attributes: types[0], meaning)
    kind = (ArrayType(x.dtype, x.shape),)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(session.execute, waits, [x], NoAttributes(), kind)
        assert begun.wait(120)
        (second,) = session.execute(Operation("free", waits.rule, _mask), [x], NoAttributes(), kind)
        go_on.set()
        first.result()
    parts: Any = [part.share for part in second.parts]  # type: ignore[attr-defined]
    assert any(np.any(parts[i].next != parts[(i + 1) % 3].own) for i in range(3))


def _mask(party: Any, operands: Any, attributes: Any) -> Any:
    return type(operands[0])(operands[0].dtype, party.random((3,)))
    yield


def test_a_call_from_within_a_call_is_refused() -> None:
    """As a signal's handler or a finalizer could make one, between two parties' parts."""
    session = LocalSession(REPLICATED3, NAMES)
    x = session.share(np.ones(3), "alice")
    refused: list[str] = []

    def meaning(party: Any, operands: Any, attributes: Any) -> Any:
        with pytest.raises(UsageError) as caught:
            session.reveal(x, "all")
        refused.append(caught.value.code)
        return operands[0]
        yield

    nested = Operation("add", lambda types, attributes: types[0], meaning)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("tacit.sessions.applying.operation_named", lambda name: nested)
        y = session.apply("nested", [x])
    assert refused == ["TC-1037"] * 3
    np.testing.assert_array_equal(session.reveal_to_all(y), np.ones(3))  # type: ignore[arg-type]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:.*JAX is multithreaded:RuntimeWarning")  # if it is there
def test_a_forked_process_is_refused() -> None:
    """It would mask other values with the same streams at the same nonces."""
    session = LocalSession(REPLICATED3, NAMES)
    x = session.share(np.ones(3), "alice")
    child = os.fork()
    if child == 0:  # its exit status says what it saw
        try:
            session.apply("add", [x, x])
            os._exit(1)
        except UsageError as error:
            os._exit(36 if error.code == "TC-1036" else 2)
        finally:
            os._exit(3)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 36
    np.testing.assert_array_equal(session.reveal_to_all(x), np.ones(3))
