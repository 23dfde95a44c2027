"""The driver over links: arrays in and out, combinators, counts, errors of steps."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from linked import QUICK, linked, synchronously
from numpy.typing import NDArray

from tacit.errors import (
    DeadlineError,
    InternalError,
    MessageError,
    PartyLostError,
    ShapeError,
    TacitError,
    UsageError,
)
from tacit.network import Mesh, NetworkSettings
from tacit.rounds import LockstepDriver, pipelined, together
from tacit.rounds.contract import Round, Step

TWO = ("alice", "bob")
THREE = ("alice", "bob", "carol")


def pass_on(index: int, x: NDArray[Any], check: bool = False) -> Step[NDArray[Any]]:
    """One round in a ring."""
    got = np.empty_like(x)
    mine, theirs = np.full(32, index, np.uint8), np.empty(32, np.uint8)
    previous, following = (index + 2) % 3, (index + 1) % 3
    yield Round(
        send={previous: (x,)},
        receive={following: (got,)},
        check={previous: (mine,)} if check else {},
        check_receive={following: (theirs,)} if check else {},
    )
    assert not check or (theirs == following).all()
    return got


def work(index: int, size: int) -> Step[list[int]]:
    """Rounds of every shape: merged, pipelined, with hashes, with several arrays and dtypes."""
    x = np.arange(size, dtype=np.uint64) + np.uint64(index)
    a, b = yield from together(pass_on(index, x), pass_on(index, x[:3].astype(np.uint16), True))
    chunks = yield from pipelined(lambda n: pass_on(index, x[:n] * np.uint64(n)), range(9))
    last = yield from pass_on(index, np.empty(0, np.uint64), check=True)
    return [int(a.sum()), int(b.sum()), *(int(c.sum()) for c in chunks), last.size]


@pytest.mark.parametrize("size", [10, 300_000])
def test_the_same_step_gives_the_same_results_and_counts_as_in_lockstep(size: int) -> None:
    expected = LockstepDriver(THREE)
    wanted = expected.run([work(i, size) for i in range(3)])
    outcomes = linked(
        THREE, lambda mesh: (mesh.driver.run(work(mesh.index, size)), mesh.driver.cost())
    )
    for index, name in enumerate(THREE):
        result, cost = outcomes[name]
        assert result == wanted[index]
        assert cost.rounds == expected.cost().rounds
        assert cost.bytes_sent == {name: expected.cost().bytes_sent[name]}
        assert cost.check_bytes == {name: expected.cost().check_bytes[name]}


def test_large_chunks_in_flight_in_both_directions_do_not_block() -> None:
    def swap(index: int, size: int) -> Step[int]:
        sent, got = np.full(size, index, np.uint8), np.empty(size, np.uint8)
        yield Round(send={1 - index: (sent,)}, receive={1 - index: (got,)})
        return int(got.sum(dtype=np.int64))

    size = 16 << 20
    outcomes = linked(
        TWO,
        lambda mesh: mesh.driver.run(
            pipelined(lambda _: swap(mesh.index, size), range(6), in_flight=6)
        ),
        # Who has finished first has much to send still.
        settings=dict.fromkeys(TWO, replace(QUICK, close_timeout=60.0)),
    )
    assert outcomes == {"alice": [size] * 6, "bob": [0] * 6}


def test_one_sided_rounds() -> None:
    def one_way(index: int) -> Step[int]:
        total = 0
        for number in range(200):
            array = np.full(1000, number, np.uint32)
            if index == 0:
                yield Round(send={1: (array,)})
                array[:] = 0  # sent arrays belong to the step again
            else:
                yield Round(receive={0: (array,)})
                total += int(array[0])
        yield Round()
        return total

    outcomes = linked(TWO, lambda mesh: mesh.driver.run(one_way(mesh.index)))
    assert outcomes == {"alice": 0, "bob": sum(range(200))}


def test_any_dtype_and_shape_travels_without_a_copy() -> None:
    def shapes(index: int) -> Step[list[Any]]:
        arrays = (
            np.arange(6, dtype=np.int16).reshape(2, 3),
            np.array(2.5),
            np.empty((0, 4), np.uint64),
            np.array([True, False]),
        )
        if index == 0:
            yield Round(send={1: arrays})
            return []
        got = tuple(np.zeros_like(a) for a in arrays)
        yield Round(receive={0: got})
        return [np.array_equal(a, g) for a, g in zip(arrays, got, strict=True)]

    assert linked(TWO, lambda mesh: mesh.driver.run(shapes(mesh.index)))["bob"] == [True] * 4


# ---- what a step must not do


def strided(index: int) -> Round:
    return Round(send={1 - index: (np.zeros((4, 4), np.uint64)[:, 1],)})


def read_only(index: int) -> Round:
    target = np.zeros(4, np.uint64)
    target.flags.writeable = False
    return Round(receive={1 - index: (target,)})


def overlapping(index: int) -> Round:
    array = np.zeros(8, np.uint64)
    return Round(send={1 - index: (array[:5],)}, receive={1 - index: (array[4:],)})


def twice(index: int) -> Round:
    array = np.zeros(8, np.uint64)
    return Round(receive={1 - index: (array[:5], array[4:])})


@pytest.mark.parametrize("make", [strided, read_only, overlapping, twice])
def test_malformed_rounds_are_refused_before_anything_is_sent(make: Any) -> None:
    def step(index: int) -> Step[None]:
        yield make(index)

    outcomes = linked(TWO, lambda mesh: mesh.driver.run(step(mesh.index), stage="test"))
    errors = list(outcomes.values())
    assert any(isinstance(error, InternalError) for error in errors), errors
    assert all(isinstance(error, InternalError | PartyLostError) for error in errors)


def test_different_steps_are_noticed_with_both_lengths() -> None:
    def step(index: int) -> Step[None]:
        target = np.zeros(3 + index, np.uint64)
        yield Round(send={1 - index: (np.zeros(3, np.uint64),)}, receive={1 - index: (target,)})
        yield Round(receive={1 - index: (target,)})

    outcomes = linked(TWO, lambda mesh: mesh.driver.run(step(mesh.index), stage="multiply"))
    error = outcomes["bob"]
    assert isinstance(error, MessageError)
    assert "24 payload bytes in round 1, stage 'multiply', expected 32" in error.message
    assert outcomes["alice"].parties == ("alice", "bob")
    assert "reported by bob" in outcomes["alice"].message


# ---- errors


def endless(index: int, count: int) -> Step[None]:
    x = np.zeros(8, np.uint64)
    for _ in range(count):
        yield from pass_on(index, x)


def test_an_exception_of_a_step_is_raised_unchanged_and_the_others_are_told() -> None:
    mistake = ShapeError("(3,) does not fit (4,)", stage="matmul")

    def failing(index: int) -> Step[None]:
        yield from endless(index, 5)
        raise mistake

    def body(mesh: Mesh) -> Any:
        step = failing(mesh.index) if mesh.name == "bob" else endless(mesh.index, 100)
        return mesh.driver.run(step, stage="training")

    outcomes = linked(THREE, body)
    assert outcomes["bob"] is mistake
    for name in ("alice", "carol"):
        error = outcomes[name]
        assert isinstance(error, PartyLostError)
        assert error.parties == ("bob",)
        assert "TC-1100" in error.message
        assert "does not fit" not in str(error)


def test_after_an_error_the_session_is_over() -> None:
    def body(mesh: Mesh) -> Any:
        with pytest.raises((PartyLostError, ZeroDivisionError)):
            mesh.driver.run(divides(mesh.index))
        with pytest.raises(TacitError, match="closed"):
            mesh.driver.run(endless(mesh.index, 1))
        return "over"

    def divides(index: int) -> Step[None]:
        yield from endless(index, 2)
        if index == 1:
            raise ZeroDivisionError
        yield from endless(index, 2)

    assert set(linked(THREE, body).values()) == {"over"}


def test_a_deadline_names_the_party_that_is_behind() -> None:
    def attempt(deadline: float) -> None:
        waiting = [threading.Event(), threading.Event()]

        def body(mesh: Mesh) -> Any:
            if mesh.name == "carol":
                mesh.driver.run(endless(mesh.index, 3), stage="training")
                for event in waiting:
                    event.wait()
                return None
            try:
                return mesh.driver.run(
                    endless(mesh.index, 100), stage="training", deadline=deadline
                )
            finally:
                waiting[mesh.index].set()

        # Heartbeats, four in each of these times, say who waits for whom.
        settings = replace(QUICK, heartbeat_timeout=2 * deadline)
        outcomes = linked(THREE, body, settings=dict.fromkeys(THREE, settings))
        for name in ("alice", "bob"):
            assert isinstance(outcomes[name], DeadlineError), outcomes[name]
            assert outcomes[name].parties == ("carol",)
            assert outcomes[name].stage == "training"

    synchronously(2.0, attempt)


def test_two_threads_cannot_share_links() -> None:
    def body(mesh: Mesh) -> Any:
        if mesh.name == "bob":
            with pytest.raises(TacitError):
                mesh.driver.run(endless_pair(0))
            return None
        begun, errors = threading.Event(), []

        def second() -> None:
            begun.wait()
            try:
                while True:
                    mesh.driver.run(nothing())
            except TacitError as error:
                errors.append(error)

        thread = threading.Thread(target=second)
        thread.start()
        with pytest.raises(TacitError):
            mesh.driver.run(endless_pair(1, begun))
        thread.join()
        return errors

    def endless_pair(peer: int, begun: threading.Event | None = None) -> Step[None]:
        while True:
            target = np.zeros(1, np.uint8)
            yield Round(send={peer: (np.zeros(1, np.uint8),)}, receive={peer: (target,)})
            if begun is not None:
                begun.set()

    def nothing() -> Step[None]:
        yield Round()

    errors = linked(TWO, body)["alice"]
    assert len(errors) == 1


def test_settings_are_checked() -> None:
    with pytest.raises(UsageError):
        NetworkSettings(heartbeat_timeout=0)
