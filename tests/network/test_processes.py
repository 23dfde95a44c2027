"""Three real processes: one finishes, is killed, hangs, is stuck, fails, is interrupted."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from linked import QUICK, Processes, synchronously

from tacit.errors import AddressError
from tacit.network import Address, Listener

pytestmark = pytest.mark.processes

NAMES = Processes.names


def survivors(of: str) -> list[str]:
    return [name for name in NAMES if name != of]


def test_rounds_complete_and_are_counted(tmp_path: Path) -> None:
    rounds, size = 50, 20_000
    with Processes(tmp_path, "complete", {"rounds": rounds, "size": size}) as parties:
        results = {name: parties.hear(name)["result"] for name in NAMES}
        assert [parties.ended(name) for name in NAMES] == [0, 0, 0]
    for name, result in results.items():
        assert result["rounds"] == rounds
        assert result["bytes_sent"] == {name: rounds * size * 8}
    assert len({result["session"] for result in results.values()}) == 1
    for one in NAMES:
        for other in survivors(one):
            assert results[one]["keys"][other] == results[other]["keys"][one]


GENERATOR = random.Random(20261120)
KILLS = [(GENERATOR.choice(NAMES), GENERATOR.randrange(400)) for _ in range(6)]


@pytest.mark.parametrize(("who", "at"), [(name, 0) for name in NAMES] + KILLS)
def test_a_killed_party_is_named_by_all_others(tmp_path: Path, who: str, at: int) -> None:
    with Processes(tmp_path, "killed", {"who": who, "at": at}) as parties:
        errors = {name: parties.hear(name)["error"] for name in survivors(who)}
        assert parties.ended(who) == -signal.SIGKILL
    for error in errors.values():
        assert error["kind"] == "PartyLostError"
        assert error["parties"] == [who]
        # Before its first round a party may be gone while the others still shake hands.
        assert error["stage"] == "training" or (at == 0 and error["stage"] == "handshake")
        assert who in error["message"]
        assert error["next_step"]


def test_a_party_that_hangs_is_lost_after_the_heartbeat_timeout(tmp_path: Path) -> None:
    def attempt(heartbeat: float) -> None:
        limits = replace(QUICK, heartbeat_timeout=heartbeat, close_timeout=1.0)
        folder = tmp_path / f"{heartbeat}"
        with Processes(folder, "frozen", {"who": "carol", "at": 20}, limits) as parties:
            errors = {name: parties.hear(name)["error"] for name in survivors("carol")}
        for error in errors.values():
            assert error["kind"] == "PartyLostError"
            assert error["parties"] == ["carol"]
        told = f"no sign of life for {heartbeat:g} seconds"
        assert any(told in error["message"] for error in errors.values())

    synchronously(2.0, attempt)


@pytest.mark.parametrize("who", NAMES)
def test_a_stuck_party_ends_at_the_deadline_and_is_named(tmp_path: Path, who: str) -> None:
    def attempt(deadline: float) -> None:
        arguments = {"who": who, "at": 20, "deadline": deadline}
        # Heartbeats, four in each of these times, say who waits for whom. Nobody is to be silent
        # for so long, and the one that is stuck does not read.
        limits = replace(QUICK, heartbeat_timeout=2 * deadline, close_timeout=1.0)
        with Processes(tmp_path / f"{deadline}", "stuck", arguments, limits) as parties:
            errors = {name: parties.hear(name)["error"] for name in survivors(who)}
        for error in errors.values():
            assert error["kind"] == "DeadlineError", error
            assert error["parties"] == [who], error
            assert "training" in error["message"]

    synchronously(2.0, attempt)


def test_a_party_with_an_error_of_its_own_keeps_its_text_to_itself(tmp_path: Path) -> None:
    with Processes(tmp_path, "fails", {"who": "bob", "at": 7}) as parties:
        errors = {name: parties.hear(name)["error"] for name in NAMES}
    assert errors["bob"]["kind"] == "DataError"
    for name in survivors("bob"):
        error = errors[name]
        assert error["kind"] == "PartyLostError"
        assert error["parties"] == ["bob"]
        assert "TC-2103" in error["message"]
        assert "secret.csv" not in str(error)
        assert "4711" not in str(error)


def listening(process: int) -> list[str]:
    """The listening and open TCP sockets of a process, by inode."""
    found = []
    for descriptor in Path(f"/proc/{process}/fd").iterdir():
        try:
            found.append(os.readlink(descriptor))
        except FileNotFoundError:
            continue
    return [link for link in found if link.startswith("socket:")]


def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    with Processes(tmp_path, "waiting", {"who": "carol"}) as parties:
        for name in NAMES:
            assert parties.hear(name) == {"running": True}
        assert parties.hear("carol") == {"pausing": True}
        # The listening ports were closed when all links stood: two links are what is left.
        for process in parties.processes.values():
            assert len(listening(process.pid)) == 2
        # Ctrl-C goes to one waiting party; the others hear of it.
        parties.processes["alice"].send_signal(signal.SIGINT)
        assert parties.hear("alice") == {"interrupted": True}
        assert parties.ended("alice") == 130
        error: dict[str, Any] = parties.hear("bob")["error"]
        assert error["kind"] == "PartyLostError"
        assert error["parties"] == ["alice"]
        assert "interrupted" in error["message"]
        assert parties.ended("bob") == 0
        parties.processes["carol"].send_signal(signal.SIGINT)
        assert parties.ended("carol") == 130
    everything = sorted(path.name for path in tmp_path.rglob("*") if path.is_file())
    issued = ["authority.pem", "evidence.key", "evidence.pem", "party.key", "party.pem"]
    assert everything == sorted(issued * 3)


@pytest.mark.parametrize(("who", "other"), [("alice", "bob"), ("bob", "alice")])
def test_ctrl_c_while_waiting_for_the_others(tmp_path: Path, who: str, other: str) -> None:
    parties = Processes(tmp_path, "coming", settings=replace(QUICK, start_deadline=600.0))
    try:
        ports = {name: parties.hear(name)["port"] for name in NAMES}
        for name in (who, other):
            parties.tell(name, ports)
        for name in (who, other):  # carol never comes, and they have heard of each other
            while parties.until(name, "awaited")[0]["awaited"] != ["carol"]:
                pass
        parties.processes[who].send_signal(signal.SIGINT)
        assert parties.hear(who) == {"interrupted": True}
        assert parties.ended(who) == 130
        # The other one hears of it, and ends.
        error = parties.hear(other)["error"]
        assert error["kind"] == "PartyLostError"
        assert error["parties"] == [who]
        assert parties.ended(other) == 0
        for name in (who, other):
            assert can_be_opened(ports[name])
    finally:
        parties.__exit__(None, None, None)


def can_be_opened(port: int) -> bool:
    """Whether a port is free again; others on this machine may have it for a moment."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            Listener(Address("127.0.0.1", port)).close()
        except AddressError:
            time.sleep(0.05)
        else:
            return True
    return False


def test_a_busy_port_is_reported_before_anything_starts(tmp_path: Path) -> None:
    code = (
        "from tacit.network import Address, Listener\n"
        "from tacit.errors import AddressError\n"
        "import sys\n"
        "try:\n"
        "    Listener(Address('127.0.0.1', int(sys.argv[1])))\n"
        "except AddressError as error:\n"
        "    print(error)\n"
    )
    with Listener(Address("127.0.0.1", 0)) as listener:
        told = subprocess.run(
            [sys.executable, "-c", code, str(listener.address.port)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    assert "TC-3101" in told
    assert "busy" in told
    assert "choose another port" in told
