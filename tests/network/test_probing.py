"""``tacit doctor``'s trial of all directions, and what it makes of what it sees."""

from __future__ import annotations

import errno
import json
import socket
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from consortia import THREE, Ring
from linked import in_threads

from tacit import _native
from tacit.cli.doctor import _about
from tacit.consortium import Kit
from tacit.errors import TransportError
from tacit.network import Address, Agreement, Credentials, Listener, NetworkSettings, connect
from tacit.network.probing import Found, Greeting, _Trial, greeting, probe

TERMS = {"consortium": "ring, edition 4", "protocol": "replicated3"}


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Ring:
    return Ring(tmp_path_factory.mktemp("ring"))


def trial(
    ring: Ring, changed: Mapping[str, Credentials] | None = None, seconds: float = 60.0
) -> dict[str, dict[str, Found]]:
    """All parties try at once: what each found."""

    def at(name: str) -> Any:
        kit = ring.kit(name)
        credentials = (changed or {}).get(name, kit.credentials)

        def run() -> dict[str, Found]:
            with Listener(kit.addresses[name]) as listener:
                return probe(credentials, kit.addresses, listener, TERMS, seconds)

        return run

    return in_threads({name: at(name) for name in THREE})


def lines(found: Found, address: str = "127.0.0.1:7600") -> dict[str, bool | None]:
    checks = list(
        _about("bank_b", Address.parse(address), found, greeting("bank_a", TERMS), listening=True)
    )
    for check in checks:
        assert check.ok is True or check.fix
    return {check.what: check.ok for check in checks}


def test_every_direction_is_tried(ring: Ring) -> None:
    for name, others in trial(ring).items():
        assert set(others) == set(THREE) - {name}
        for found in others.values():
            assert found.done
            assert found.certified
            assert set(lines(found).values()) == {True}


def test_nobody_there() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    assert lines(Found(problem="unknown")) == {"name service": False}
    found = Found(hosts=("127.0.0.1",), problem="connection refused")
    assert lines(found) == {"name service": True, "outwards": False, "inwards": False}
    assert port


def test_hosts_and_ports_that_are_wrong(ring: Ring) -> None:
    kit = ring.kit("bank_a")
    with Listener(Address("127.0.0.1", 0)) as mute:  # some other program
        addresses = {
            "bank_a": kit.addresses["bank_a"],
            "bank_b": Address("no-such-host.invalid", 7600),
            "bank_c": mute.address,
        }

        def hang_up() -> None:
            while not over.wait(0.02):
                connection = mute.accept()
                if connection is not None:
                    connection.close()

        over = threading.Event()
        thread = threading.Thread(target=hang_up)
        thread.start()
        found = probe(kit.credentials, addresses, None, TERMS, 3.0)
        over.set()
        thread.join()
    assert found["bank_b"].hosts == ()
    assert "unknown" in found["bank_b"].problem
    assert found["bank_c"].reached
    assert not found["bank_c"].spoke
    assert lines(found["bank_c"])["certificate"] is None


def test_certificates_that_are_not_accepted(ring: Ring, tmp_path: Path) -> None:
    other = Ring(tmp_path / "other").kit("bank_c").credentials
    found = trial(ring, {"bank_c": other}, seconds=4.0)
    assert not found["bank_a"]["bank_c"].certified
    assert "authority" in found["bank_a"]["bank_c"].problem
    assert "authority" in found["bank_c"]["bank_a"].problem
    assert found["bank_a"]["bank_b"].done
    revoking = replace(
        ring.kit("bank_a").credentials.trust, revoked=frozenset({ring.kit("bank_c").key})
    )
    changed = {"bank_a": replace(ring.kit("bank_a").credentials, trust=revoking)}
    found = trial(ring, changed, seconds=4.0)
    assert "revoked" in found["bank_a"]["bank_c"].problem
    assert "revoked" in found["bank_a"]["bank_c"].refusal
    assert not found["bank_c"]["bank_a"].certified


def test_what_a_party_said_holds_when_its_own_trial_is_over(
    ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit = ring.kit("bank_c")
    at_work = _Trial(kit.credentials, kit.addresses, TERMS, 0.0)
    refused = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
    failures = [refused, _native.LinkFailure("authority", 1, 0, 0, b""), refused]
    problems = []

    def dial(peer: str, found: Found) -> None:
        problems.append(found.problem)
        failure = failures.pop(0)
        if not failures:
            at_work.over.set()
        raise failure

    monkeypatch.setattr(at_work, "_dial", dial)
    at_work.dial("bank_a")
    assert problems[1] == "connection refused"
    assert "authority" in problems[2]
    assert at_work.found["bank_a"].problem == problems[2]


def test_it_disturbs_no_job(ring: Ring) -> None:
    """A party that waits for its job is tried all the time, and the job starts."""
    kits: dict[str, Kit] = {name: ring.kit(name) for name in THREE}
    names, over = THREE, threading.Event()
    agreement = Agreement(names, "replicated3", bytes(32))
    prober = kits["bank_c"]

    def pester() -> None:
        while not over.is_set():
            probe(prober.credentials, prober.addresses, None, TERMS, 0.3)

    def party(name: str) -> Any:
        def run() -> str:
            kit = kits[name]
            if name == "bank_c":
                over.wait(1.0)
            settings = NetworkSettings(start_deadline=60.0, close_timeout=0.2)
            with connect(name, agreement, kit.credentials, kit.addresses, settings=settings) as m:
                return m.name

        return run

    thread = threading.Thread(target=pester)
    thread.start()
    outcomes = in_threads({name: party(name) for name in names})
    over.set()
    thread.join()
    assert outcomes == {name: name for name in names}


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"release": "0.0.1"}, "agreement"),
        ({"wire": 99}, "agreement"),
        ({"terms": {**TERMS, "consortium": "ring, edition 3"}}, "agreement"),
        ({"terms": {**TERMS, "protocol": "fantastic4"}}, "agreement"),
        ({"skew": 3600.0}, "clock"),
        ({"skew": -90.0}, "clock"),
    ],
)
def test_what_differs_is_a_line(change: dict[str, Any], wrong: str) -> None:
    said: dict[str, Any] = {}
    for key, value in change.items():
        if key != "skew":
            said[key] = value
    own = greeting("bank_b", TERMS)
    there = Greeting(
        own.name,
        said.get("release", own.release),
        said.get("wire", own.wire),
        said.get("terms", own.terms),
        own.now,
    )
    found = Found(
        hosts=("::1",),
        reached=True,
        spoke=True,
        certified=True,
        greeting=there,
        called=True,
        seconds=0.1,
        skew=change.get("skew", 0.0),
    )
    shown = lines(found)
    assert [what for what, ok in shown.items() if not ok] == [wrong]


def test_the_command_says_what_it_found(
    ring: Ring, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from tacit.cli.doctor import doctor

    with pytest.raises(TransportError) as caught:
        doctor(tmp_path / "nowhere", 1.0, None, as_json=True)
    assert caught.value.code == "TC-3013"
    said = json.loads(capsys.readouterr().out)
    assert not said["ready"]
    assert said["checks"][0]["what"] == "kit"
    outcomes = in_threads(
        {
            name: lambda name=name: doctor(ring.place(name), 60.0, None, as_json=False)
            for name in THREE
        }
    )
    assert outcomes == dict.fromkeys(THREE)
    assert capsys.readouterr().out.count("Ready.") == 3
