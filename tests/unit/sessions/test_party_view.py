"""The view from inside one party: three threads, each a party, over in-memory links."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import tacit
from tacit import Computation
from tacit.errors import PolicyDeniedError, RangeError, ShapeError, UsageError
from tacit.operations.types import ArrayType, SecretValue
from tacit.protocols import protocol_named
from tacit.rounds.contract import Step
from tacit.rounds.cost import Cost, Counter
from tacit.rounds.randomness import SystemRandomness, deal_pairwise_seeds
from tacit.sessions import PartySession
from tacit.storage import Uses

NAMES = ("alice", "bob", "carol")
REPLICATED3 = protocol_named("replicated3")


class MemoryDriver:
    """Stands for a LinkDriver: one queue for every ordered pair of parties."""

    def __init__(self, index: int, queues: dict[tuple[int, int], queue.Queue[bytes]]) -> None:
        self.index = index
        self.queues = queues
        self.counter = Counter()
        self.seen: list[tuple[str, float | None]] = []

    def run(self, step: Step[Any], *, stage: str = "", deadline: float | None = None) -> Any:
        self.seen.append((stage, deadline))
        while True:
            try:
                current = next(step)
            except StopIteration as stop:
                return stop.value
            self.counter.count(current)
            for peer in {*current.send, *current.check}:
                arrays = (*current.send.get(peer, ()), *current.check.get(peer, ()))
                self.queues[self.index, peer].put(b"".join(a.tobytes() for a in arrays))
            for peer in {*current.receive, *current.check_receive}:
                data = self.queues[peer, self.index].get(timeout=120)
                arrays = (*current.receive.get(peer, ()), *current.check_receive.get(peer, ()))
                for array in arrays:
                    flat = array.reshape(-1).view(np.uint8)
                    flat[:], data = np.frombuffer(data[: flat.size], np.uint8), data[flat.size :]

    def cost(self) -> Cost:
        return Cost(self.counter.rounds, {NAMES[self.index]: self.counter.bytes_sent})


def sessions() -> list[PartySession]:
    queues = {(i, j): queue.Queue[bytes]() for i in range(3) for j in range(3)}
    seeds = deal_pairwise_seeds(NAMES, SystemRandomness())
    return [
        PartySession(
            REPLICATED3, REPLICATED3.party(NAMES, i, seeds[i]), MemoryDriver(i, queues)  # type: ignore[arg-type]
        )
        for i in range(3)
    ]  # fmt: skip


def at_all_parties(job: Callable[[Computation, str], Any]) -> dict[str, Any]:
    """Run the same lines at every party."""
    results: dict[str, Any] = {}

    def run(session: PartySession) -> None:
        results[session.name] = job(Computation(session), session.name)

    threads = [threading.Thread(target=run, args=(session,)) for session in sessions()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


ROWS = {name: np.arange(4.0).reshape(2, 2) + place for place, name in enumerate(NAMES)}


def test_every_party_runs_the_same_lines() -> None:
    def job(mpc: Computation, name: str) -> Any:
        parts = [
            mpc.share(ROWS[name] if owner == name else None, owner, dtype=tacit.fixed, shape=(2, 2))
            for owner in NAMES
        ]
        rows = tacit.concatenate(parts)
        with mpc.measure() as cost:
            total = (rows.T @ rows).sum(axis=0)
        assert list(cost.bytes_sent) == [name]
        return total.reveal(to="all"), total.reveal(to="bob"), (rows > 2).sum().reveal(to=NAMES)

    results = at_all_parties(job)
    rows = np.concatenate(list(ROWS.values()))
    for name, (everyone, bob, counts) in results.items():
        np.testing.assert_allclose(everyone, (rows.T @ rows).sum(axis=0), atol=1e-3)
        assert list(bob) == (["bob"] if name == "bob" else [])
        assert counts == {name: (rows > 2).sum()}


def test_a_second_thread_is_refused_at_a_party() -> None:
    """Threads of different processes would not take turns in the same order."""

    def job(mpc: Computation, name: str) -> Any:
        own = np.arange(3.0) if name == "alice" else None
        x = mpc.share(own, "alice", dtype=tacit.fixed, shape=(3,))
        session: Any = mpc.session
        sent = len(session.driver.seen)

        def nothing() -> Step[None]:
            return
            yield

        def second() -> list[str]:
            codes = []
            for call in (
                lambda: x * x,
                lambda: x.reveal(to="all"),
                lambda: mpc.share(own, "alice", dtype=tacit.fixed, shape=(3,)),
                lambda: mpc.total_cost,
                lambda: session.run(nothing(), "nothing"),
            ):
                with pytest.raises(UsageError) as caught:
                    call()
                codes.append(caught.value.code)
            return codes

        with ThreadPoolExecutor(1) as other:
            codes = other.submit(second).result()
        assert len(session.driver.seen) == sent  # nothing was run, no mask drawn
        result = (x * x).reveal(to="all")
        with ThreadPoolExecutor(1) as other:  # whoever opened the session may close it
            other.submit(mpc.close).result()
        with pytest.raises(UsageError, match="closed"):
            x + x
        return codes, result

    for codes, result in at_all_parties(job).values():
        assert codes == ["TC-1035"] * 5
        np.testing.assert_allclose(result, np.arange(3.0) ** 2, atol=1e-4)


def test_stages_and_deadlines_reach_the_driver() -> None:
    session = sessions()[0]
    driver: Any = session.driver
    session.apply("constant", [np.ones(2)])
    session.enter_stage("training", seconds=60)
    session.apply("constant", [np.ones(2)])
    (stage, deadline), (later, left) = driver.seen
    assert (stage, deadline, later) == ("constant", None, "training")
    assert 59 < left <= 60


def test_who_passes_values() -> None:
    alice = sessions()[0]
    for arguments, options, error in [
        (([1.0], "alice"), {}, UsageError),
        (([1.0], "alice"), {"dtype": tacit.fixed}, UsageError),
        ((None, "alice"), {"dtype": tacit.fixed, "shape": (1,)}, UsageError),
        (([1.0], "bob"), {"dtype": tacit.fixed, "shape": (1,)}, UsageError),
        ((None, "mallory"), {"dtype": tacit.fixed, "shape": (1,)}, UsageError),
        (([1.0], "alice"), {"dtype": tacit.fixed, "shape": (2,)}, ShapeError),
        (([9.0], "alice"), {"dtype": tacit.fixed, "shape": (1,), "bounds": (0, 1)}, RangeError),
    ]:
        with pytest.raises(error):
            alice.share(*arguments, **options)  # type: ignore[arg-type]
    assert not alice.driver.seen  # type: ignore[attr-defined]


def test_any_step_computes_and_arrays_are_numbered_alike() -> None:
    def job(mpc: Computation, name: str) -> Any:
        session: Any = mpc.session
        own = np.arange(3.0) if name == "alice" else None
        x = session.share(own, "alice", dtype=tacit.fixed, shape=(3,))
        kind = ArrayType(tacit.fixed, (3,))

        def both(party: Any, parts: Any) -> Step[Any]:
            (part,) = parts
            square = yield from party.multiply_truncate(part.share, part.share, 18)
            return SecretValue(part.dtype, square), SecretValue(part.dtype, party.negate(square))

        x.uses = Uses(operations=("both",), reveal_to=NAMES)
        with pytest.raises(PolicyDeniedError):
            session.compute("other", both, [x], results=[kind, kind])
        square, negative = session.compute("both", both, [x], results=[kind, kind])
        assert square.uses == negative.uses == x.uses
        numbers = [reference.number for reference in session.references.alive()]
        del square
        alive = [reference.number for reference in session.references.alive()]
        return numbers, alive, session.reveal(negative, "all")[name]

    for numbers, alive, values in at_all_parties(job).values():
        assert (numbers, alive) == ([0, 1, 2], [0, 2])
        np.testing.assert_allclose(values, -(np.arange(3.0) ** 2), atol=1e-4)
