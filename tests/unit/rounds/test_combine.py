"""together and pipelined: the same results, merged or split rounds, exact counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit.errors import InternalError
from tacit.rounds import LockstepDriver, Round, Step, pipelined, together

NAMES = ("alice", "bob", "carol")


def hops(index: int, count: int, value: int, size: int = 1, check: bool = False) -> Step[int]:
    """Pass a vector around the ring `count` times; the result tells where it came from."""
    mine = np.full(size, value * 10 + index, np.uint64)
    for _ in range(count):
        got = np.empty(size, np.uint64)
        box = {(index + 1) % 3: (mine,)}, {(index - 1) % 3: (got,)}
        yield (
            Round(check=box[0], check_receive=box[1])
            if check
            else Round(send=box[0], receive=box[1])
        )
        mine = got
    return int(mine[0]) if size else 0


def expected(index: int, count: int, value: int) -> int:
    return value * 10 + (index - count) % 3


@given(st.lists(st.integers(0, 5), max_size=6))
def test_together_merges_rounds_and_keeps_results(counts: list[int]) -> None:
    driver = LockstepDriver(NAMES)
    results = driver.run(
        [together(*(hops(i, c, v, size=v) for v, c in enumerate(counts))) for i in range(3)]
    )
    for i, result in enumerate(results):
        assert result == tuple(expected(i, c, v) if v else 0 for v, c in enumerate(counts))
    cost = driver.cost()
    assert cost.rounds == max(counts, default=0)
    assert cost.bytes_sent["bob"] == sum(8 * v * c for v, c in enumerate(counts))


def test_together_sends_one_message_a_peer() -> None:
    rounds: list[Round] = []
    step = together(hops(0, 1, 1), hops(0, 1, 2, check=True), hops(0, 2, 3))
    rounds.append(next(step))
    assert [a.nbytes for a in rounds[0].send[1]] == [8, 8]
    assert [a.nbytes for a in rounds[0].check[1]] == [8]
    step.close()


def test_together_nests() -> None:
    def nested(i: int) -> Step[Any]:
        return together(hops(i, 3, 1), together(hops(i, 1, 2), hops(i, 2, 3)))

    driver = LockstepDriver(NAMES)
    for i, (a, (b, c)) in enumerate(driver.run([nested(i) for i in range(3)])):
        assert (a, b, c) == (expected(i, 3, 1), expected(i, 1, 2), expected(i, 2, 3))
    assert driver.cost().rounds == 3


def test_together_of_nothing_is_no_round() -> None:
    driver = LockstepDriver(NAMES)
    assert driver.run([together() for _ in range(3)]) == [()] * 3
    assert driver.cost().rounds == 0


def test_together_closes_all_when_one_fails() -> None:
    closed = []

    def patient() -> Step[None]:
        try:
            while True:
                yield Round()
        finally:
            closed.append(True)

    def failing() -> Step[None]:
        yield Round()
        raise RuntimeError("on purpose")

    step = together(patient(), failing(), patient())
    next(step)
    with pytest.raises(RuntimeError, match="on purpose"):
        next(step)
    assert len(closed) == 2


@given(
    chunks=st.lists(st.integers(0, 4), max_size=9),
    in_flight=st.integers(1, 5),
)
def test_pipelined_keeps_order_and_counts_hidden_rounds_once(
    chunks: list[int], in_flight: int
) -> None:
    driver = LockstepDriver(NAMES)

    def run(i: int) -> Step[list[int]]:
        return pipelined(lambda job: hops(i, job[1], job[0]), enumerate(chunks), in_flight)

    for i, results in enumerate(driver.run([run(i) for i in range(3)])):
        assert results == [expected(i, c, v) for v, c in enumerate(chunks)]
    cost = driver.cost()
    groups = [chunks[k : k + in_flight] for k in range(0, len(chunks), in_flight)]
    assert cost.rounds == sum(max(g) for g in groups)
    assert cost.bytes_sent["alice"] == 8 * sum(chunks)


def test_pipelined_reads_chunks_lazily() -> None:
    open_now, most = [0], [0]

    def source(i: int) -> Any:
        for value in range(10):
            if i == 0:
                open_now[0] += 1
                most[0] = max(most[0], open_now[0])
            yield value

    def step(i: int, value: int) -> Step[int]:
        result = yield from hops(i, 2, value)
        if i == 0:
            open_now[0] -= 1
        return result

    LockstepDriver(NAMES).run(
        [pipelined(lambda value, i=i: step(i, value), source(i), in_flight=3) for i in range(3)]
    )
    assert most[0] == 3


def test_together_inside_pipelined() -> None:
    def pair(i: int, v: int) -> Step[Any]:
        return together(hops(i, 2, v), hops(i, 1, v + 1))

    driver = LockstepDriver(NAMES)
    steps = [pipelined(lambda v, i=i: pair(i, v), range(5), 3) for i in range(3)]
    for i, many in enumerate(driver.run(steps)):
        assert many == [(expected(i, 2, v), expected(i, 1, v + 1)) for v in range(5)]
    assert driver.cost().rounds == 4


def test_pipelined_beside_others_is_refused() -> None:
    """Its messages under way would be taken for the other step's, which could go unnoticed."""

    def both(i: int) -> Step[Any]:
        return together(pipelined(lambda v: hops(i, 2, v), range(5), 2), hops(i, 4, 7))

    with pytest.raises(InternalError, match="pipelined"):
        LockstepDriver(NAMES).run([both(i) for i in range(3)])


def test_pipelined_alone_inside_together() -> None:
    driver = LockstepDriver(NAMES)
    steps = [together(pipelined(lambda v, i=i: hops(i, 2, v), range(5), 2)) for i in range(3)]
    for i, (many,) in enumerate(driver.run(steps)):
        assert many == [expected(i, 2, v) for v in range(5)]


def test_pipelined_splits_sending_from_waiting() -> None:
    step = pipelined(lambda v: hops(0, 1, v), range(2), in_flight=2)
    seen = list(step)
    assert [(bool(r.send), bool(r.receive), r.depth) for r in seen] == [
        (True, False, 0),
        (True, False, 0),
        (False, True, 1),
        (False, True, 0),
    ]


def test_pipelined_closes_its_steps() -> None:
    closed = []

    def patient(value: int) -> Step[None]:
        try:
            yield Round()
            yield Round()
        finally:
            closed.append(value)

    step = pipelined(patient, range(3), in_flight=2)
    next(step)
    next(step)
    step.close()
    assert closed == [0, 1]


def test_in_flight_is_at_least_one() -> None:
    with pytest.raises(ValueError, match="in_flight"):
        next(pipelined(lambda v: hops(0, 1, v), range(2), in_flight=0))
