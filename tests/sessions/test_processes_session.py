"""Sessions between operating-system processes over mutual TLS."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import alive

import tacit
from tacit import Computation
from tacit.errors import HandshakeError, InternalError, PartyLostError, TacitError, UsageError
from tacit.network.handshake import Hello, compare
from tacit.sessions import LocalSession, ProcessSession

pytestmark = pytest.mark.processes


def processes_of(mpc: Computation) -> dict[str, int]:
    session = mpc.session
    assert isinstance(session, ProcessSession)
    return session.processes.identifiers


def computed(mpc: Computation) -> tuple[list[Any], list[tuple[int, dict[str, int]]]]:
    """Results and costs of some lines of everything."""
    x = mpc.share(np.linspace(-3, 3, 12).reshape(3, 4), owner="alice", bounds=(-8, 8))
    y = mpc.share(np.arange(12).reshape(4, 3), owner="bob")
    b = mpc.share(np.arange(4) % 2 == 0, owner="carol")
    results: list[Any] = []
    costs = []
    for compute in (
        lambda: x @ y,
        lambda: x * x.sum(axis=0),
        lambda: tacit.where(b, x, -1.0),
        lambda: (x > 0).sum(axis=1),
        lambda: np.linspace(0, 1, 3) @ x,
        lambda: tacit.concatenate([x, 0.5 * x])[[5, 0], 1:].mean(),
        lambda: ~b,
        lambda: tacit.sigmoid(x[:, None, :2]),
        lambda: y[0, 0] + 0.25,
        lambda: x[:0],
    ):
        with mpc.measure() as cost:
            result = compute()
        results.append(result.reveal(to="all"))
        costs.append((cost.rounds, cost.bytes_sent))
    return results, costs


@pytest.mark.parametrize("rounding", ["exact", "nearest"])
def test_rounding_gives_the_same_bits_in_every_process(rounding: Any) -> None:
    """Two sessions of processes and one in this process, each with shares of its own."""
    results = []
    for processes in (True, True, False):
        with tacit.local("replicated3", processes=processes, rounding=rounding) as mpc:
            assert mpc.session.rounding == rounding
            results.append([array.tobytes() for array in computed(mpc)[0]])
    assert results[0] == results[1] == results[2]


def test_the_long_ring_gives_the_same_bits_in_every_process() -> None:
    """Shares of 128 bits over TLS; exact rounding, so that results can be compared bit by bit."""
    results = []
    for processes in (True, False):
        arguments: Any = {"processes": processes, "ring": 128, "rounding": "exact"}
        with tacit.local("replicated3", fraction_bits=40, **arguments) as mpc:
            assert (mpc.ring, mpc.fixed) == (128, tacit.fixed_point(40))
            found, costs = computed(mpc)
            fine = mpc.share(np.array([0.1, -3.0]), owner="carol", dtype=tacit.fixed_point(90))
            found.append((fine * fine).reveal(to="all"))
            results.append(([array.tobytes() for array in found], costs))
    assert results[0] == results[1]


def test_parties_of_different_rings_refuse_each_other() -> None:
    """The ring is a parameter of the handshake, compared before the first share moves."""
    agreements = []
    for ring in (64, 128):
        with tacit.local("replicated3", processes=True, ring=ring) as mpc:
            agreements.append(mpc.session.processes.parameters)  # type: ignore[attr-defined]
    assert [parameters["ring"] for parameters in agreements] == ["64", "128"]
    hellos = [
        Hello("1", "bob", ["alice", "bob"], "replicated3", dict(parameters), bytes(32), bytes(32))
        for parameters in agreements
    ]
    with pytest.raises(HandshakeError, match="the parameter ring") as caught:
        compare(hellos[0], hellos[1], "bob")
    assert caught.value.code == "TC-3306"


def test_the_example_of_the_design(mpc: Computation) -> None:
    x = mpc.share(np.array([[1.5, -2.0]]), owner="alice", bounds=(-8, 8))
    y = mpc.share(np.array([[3.0], [4.0]]), owner="bob")
    with mpc.measure() as cost:
        z = x @ y
    np.testing.assert_allclose(z.reveal(to="all"), [[-3.5]], atol=1e-5)
    assert set(cost.bytes_sent) == {"alice", "bob", "carol"}
    assert mpc.total_cost.seconds >= cost.seconds > 0
    bob = z.reveal(to="bob")
    assert list(bob) == ["bob"]
    np.testing.assert_allclose(bob["bob"], [[-3.5]], atol=1e-5)


def test_processes_compute_what_one_process_computes(mpc: Computation) -> None:
    with tacit.local() as local:
        expected, expected_costs = computed(local)
    found, costs = computed(mpc)
    assert costs == expected_costs
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_plain_values_go_to_their_owner_alone(
    mpc: Computation, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = mpc.session
    assert isinstance(session, ProcessSession)
    sent: dict[str, int] = dict.fromkeys(mpc.parties, 0)
    send = session.processes.send

    def watched(name: str, header: bytes, buffers: Any = ()) -> None:
        sent[name] += len(header) + sum(buffer.nbytes for buffer in buffers)
        send(name, header, buffers)

    monkeypatch.setattr(session.processes, "send", watched)
    x = mpc.share(np.arange(1000.0), owner="bob")
    assert sent["bob"] > 8000
    assert sent["alice"] < 200
    assert sent["carol"] < 200
    assert list(x[:3].reveal(to=["carol"])) == ["carol"]


def test_wrong_calls_leave_the_session_working(mpc: Computation) -> None:
    x = mpc.share(np.ones(3), owner="alice")
    for wrong in (
        lambda: x + np.ones(4),
        lambda: x / 0.0,
        lambda: x + np.nan,
        lambda: x & x,
        lambda: mpc.share([np.inf], owner="bob"),
        lambda: x.reveal(to="mallory"),
    ):
        with pytest.raises(UsageError):
            wrong()
    np.testing.assert_array_equal((x + x).reveal(to="all"), np.full(3, 2.0))


def memory(identifier: int) -> int:
    return int(Path(f"/proc/{identifier}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def test_freed_arrays_are_released_in_the_parties(mpc: Computation) -> None:
    megabyte = 1 << 17
    small = mpc.share(np.zeros(1), owner="alice")

    def use(times: int) -> dict[str, int]:
        x = mpc.share(np.zeros(megabyte), owner="alice")
        for _ in range(times):
            x = x + 1.0
        del x
        gc.collect()
        small.reveal(to="all")
        return {name: memory(pid) for name, pid in processes_of(mpc).items()}

    before = use(5)
    after = use(60)  # each sum is two megabytes a party: 120 if nothing were released
    for name in mpc.parties:
        assert after[name] - before[name] < 40_000_000


def test_commands_are_sent_ahead(mpc: Computation) -> None:
    x = mpc.share(np.full((200, 200), 0.5), owner="alice")
    x.reveal(to="all")
    started = time.perf_counter()
    for _ in range(30):
        x = x @ x
    sent = time.perf_counter() - started
    x.reveal(to="all")
    assert sent < time.perf_counter() - started


@pytest.mark.parametrize("victim", ["alice", "bob", "carol"])
def test_a_killed_party_is_named(victim: str) -> None:
    identifiers: dict[str, int] = {}

    def lose_a_party() -> None:
        with tacit.local(processes=True) as mpc:
            identifiers.update(processes_of(mpc))
            x = mpc.share(np.ones(10), owner="alice")
            x.reveal(to="all")
            os.kill(identifiers[victim], signal.SIGKILL)
            for _ in range(1000):
                x = x * x
            x.reveal(to="all")

    with pytest.raises(PartyLostError) as caught:
        lose_a_party()
    assert caught.value.parties == (victim,)
    assert victim in str(caught.value)
    assert not any(map(alive, identifiers.values()))


def test_a_session_stays_over_after_a_loss() -> None:
    mpc = tacit.local(processes=True)
    x = mpc.share(np.ones(10), owner="alice")
    for identifier in processes_of(mpc).values():
        os.kill(identifier, signal.SIGKILL)
    for _ in range(2):
        with pytest.raises(PartyLostError):
            x.reveal(to="all")
    with pytest.raises(PartyLostError):
        x + 1
    mpc.close()


def test_a_stopped_party_is_named() -> None:
    settings = tacit.NetworkSettings(heartbeat_timeout=3.0)
    identifiers: dict[str, int] = {}

    def stop_a_party() -> None:
        with tacit.local(processes=True, settings=settings) as mpc:
            identifiers.update(processes_of(mpc))
            x = mpc.share(np.ones(10), owner="alice")
            x.reveal(to="all")
            os.kill(identifiers["bob"], signal.SIGSTOP)
            (x * x).reveal(to="all")

    with pytest.raises(PartyLostError) as caught:
        stop_a_party()
    assert caught.value.parties == ("bob",)
    assert not any(map(alive, identifiers.values()))


def test_an_error_in_a_party_surfaces_at_the_next_wait() -> None:
    identifiers: dict[str, int] = {}

    def compute_with_a_bug() -> None:
        with tacit.local(processes=True) as mpc:
            identifiers.update(processes_of(mpc))
            x = mpc.share(np.ones(3), owner="alice")
            x.reveal(to="all")
            reference: Any = x.reference
            reference.number += 1000  # a bug: the parties know no such array
            y = x + 1.0
            y.reveal(to="all")

    with pytest.raises(InternalError, match="KeyError") as caught:
        compute_with_a_bug()
    assert not any(map(alive, identifiers.values()))
    assert "service.py" in str(caught.value)


def test_an_exception_in_the_block_is_not_hidden() -> None:
    identifiers: dict[str, int] = {}

    def fail() -> None:
        with tacit.local(processes=True) as mpc:
            identifiers.update(processes_of(mpc))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not any(map(alive, identifiers.values()))


def test_closing_twice_and_using_after() -> None:
    mpc = tacit.local(processes=True)
    identifiers = processes_of(mpc)
    x = mpc.share(np.ones(3), owner="alice")
    mpc.close()
    mpc.close()
    assert not any(map(alive, identifiers.values()))
    for use in (lambda: x + 1, lambda: mpc.total_cost, lambda: x.reveal(to="all")):
        with pytest.raises(UsageError, match="closed"):
            use()


def test_a_forgotten_session_ends_its_processes() -> None:
    mpc = tacit.local(processes=True)
    identifiers = processes_of(mpc)
    del mpc
    gc.collect()
    assert not any(map(alive, identifiers.values()))


SCRIPT = """
import sys, numpy as np, tacit
with tacit.local(processes=True) as mpc:
    x = mpc.share(np.full((100, 100), 0.1), owner="alice")
    print(*mpc.session.processes.identifiers.values(), flush=True)
    while True:
        x = x @ x
        x.reveal(to="all")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_signals_leave_nothing_behind(number: signal.Signals, tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    script = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
    )
    assert script.stdout is not None
    identifiers = [int(word) for word in script.stdout.readline().split()]
    assert len(identifiers) == 3
    script.send_signal(number)
    _, errors = script.communicate(timeout=120)
    assert script.returncode != 0
    if number == signal.SIGINT:
        assert errors.rstrip().endswith("KeyboardInterrupt")
    deadline = time.monotonic() + 60
    while any(map(alive, identifiers)) and time.monotonic() < deadline:
        time.sleep(0.05)  # processes notice the end of their controller by themselves
    assert not any(map(alive, identifiers))
    assert not list(tmp_path.iterdir())


def test_both_kinds_have_the_same_face() -> None:
    def names(kind: type) -> set[str]:
        return {name for name in dir(kind) if not name.startswith("_")}

    assert names(LocalSession) <= names(ProcessSession)


def test_errors_keep_their_kind_across_processes(mpc: Computation) -> None:
    error = UsageError("x", next_step="y", case=12, parties=["alice"], stage="z")
    again = TacitError.from_dict(error.as_dict())
    assert (type(again), again.as_dict()) == (UsageError, error.as_dict())


def test_threads_take_turns(mpc: Computation) -> None:
    """Commands and answers of several threads go to every process in one order."""

    def squares(place: int) -> list[Any]:
        found = []
        for turn in range(5):
            x = mpc.share(np.arange(8.0) + place + turn, owner=mpc.parties[place % 3])
            found.append(((x * x) * (x > 4.0)).reveal(to="all"))
            assert mpc.total_cost.rounds > 0
        return found

    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(squares, range(4)))
    for place, found in enumerate(results):
        rows = np.arange(8.0) + place + np.arange(5.0)[:, None]
        np.testing.assert_allclose(found, rows * rows * (rows > 4.0), atol=1e-4)
