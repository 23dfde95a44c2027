"""A party's ground: meshes and conferences in turn over one open port, and who disturbs them."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from grounds import FOUR, SETTINGS, Town, all_but, connected, talk
from linked import JOB, synchronously

from tacit.errors import CertificateError, PartyLostError, TacitError, TransportError, UsageError
from tacit.network import Authority, Conference, Ground

THREE = FOUR[:3]


def test_conferences_and_stages_in_turn() -> None:
    def body(ground: Ground) -> Any:
        with connected(ground, FOUR) as mesh:
            sessions = [mesh.session_id]
        heard = [
            ground.confer(FOUR, talk(ground.name, FOUR, rounds, size), 60.0)
            for rounds, size in ((2, 1), (5, 900_000), (1, 20))
        ]
        if ground.name in THREE:
            with connected(ground, THREE, "1") as mesh:
                sessions.append(mesh.session_id)
            heard.append(ground.confer(THREE, talk(ground.name, THREE), 60.0))
        return sessions, heard

    outcomes = Town().run(body)
    for name in FOUR:
        sessions, heard = outcomes[name]
        wanted = [[all_but(name)] * rounds for rounds in (2, 5, 1)]
        assert heard[:3] == wanted
        assert sessions[0] == outcomes["alice"][0][0]
    for name in THREE:
        assert outcomes[name][1][3] == [all_but(name, THREE)] * 2
        assert outcomes[name][0] == outcomes["alice"][0]
    assert outcomes["alice"][0][0] != outcomes["alice"][0][1]


def test_who_says_nothing_to_one_is_not_waited_for() -> None:
    def quiet(own: str) -> Conference[list[list[str]]]:
        heard = []
        for _ in range(2):
            came = yield {peer: b"to you" for peer in FOUR if peer not in (own, "alice")}
            heard.append(sorted(came))
        return heard

    began = time.monotonic()
    outcomes = Town().run(lambda ground: ground.confer(FOUR, quiet(ground.name), 60.0))
    assert time.monotonic() - began < 60  # not even one round
    assert outcomes["alice"] == [[], []]
    assert (
        outcomes["bob"] == [["alice", "carol", "dave"]] * 2
        or outcomes["bob"] == [all_but("bob")] * 2
    )


def test_what_a_conference_raises_is_raised_and_the_last_letters_arrive() -> None:
    class Broken(Exception):
        pass

    def raising(own: str) -> Conference[None]:
        came = yield {peer: own.encode() for peer in FOUR if peer != own}
        assert sorted(came) == all_but(own)
        raise Broken

    outcomes = Town().run(lambda ground: ground.confer(FOUR, raising(ground.name), 60.0))
    assert all(isinstance(outcomes[name], Broken) for name in FOUR)


def test_who_computes_is_waited_for_and_who_has_stopped_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Alice's port is open, and nobody answers there; bob comes late, but his porter answers."""
    monkeypatch.setattr("tacit.network.ground._STILLNESS", 3.0)
    town = Town(settings=dataclasses.replace(SETTINGS, heartbeat_timeout=1.5))
    over = threading.Event()
    members = FOUR[1:]

    def body(ground: Ground) -> Any:
        if ground.name == "bob":
            time.sleep(4.5)
        began = time.monotonic()
        heard = ground.confer(FOUR, talk(ground.name, FOUR), 60.0)
        if ground.name == "bob":
            over.set()
        return heard, time.monotonic() - began

    outcomes = town.run(body, others={"alice": lambda: over.wait(120)})
    for name in members:
        heard, seconds = outcomes[name]
        assert heard == [all_but(name, members)] * 2
        assert seconds < 60


@pytest.mark.parametrize("late", FOUR)
def test_rounds_end_at_times_that_count_from_the_beginning(late: str) -> None:
    """One is silent and one is late: all the others hear the late one in every round."""
    silent = "dave" if late != "dave" else "alice"
    members = tuple(name for name in FOUR if name != silent)

    def attempt(seconds: float) -> None:
        town, left = Town(), threading.Semaphore(0)

        def body(ground: Ground) -> Any:
            if ground.name == late:
                time.sleep(0.6 * seconds)
            try:
                return ground.confer(FOUR, talk(ground.name, FOUR, 3), seconds)
            finally:
                left.release()

        def silence() -> None:
            for _ in members:
                left.acquire()

        outcomes = town.run(body, others={silent: silence})
        for name in members:
            assert outcomes[name] == [all_but(name, members)] * 3

    synchronously(1.0, attempt)


def test_a_call_for_a_conference_ends_the_connecting_and_carries_the_first_letter() -> None:
    def body(ground: Ground) -> Any:
        if ground.name == "alice":
            return ground.confer(FOUR, talk("alice", FOUR), 60.0)
        began = time.monotonic()
        with pytest.raises(PartyLostError) as caught:
            connected(ground, FOUR, "1")
        error = caught.value
        assert time.monotonic() - began < SETTINGS.start_deadline / 2
        return (
            error.case,
            error.reporter,
            error.statement,
            ground.confer(FOUR, talk(ground.name, FOUR), 60.0),
        )

    outcomes = Town().run(body)
    assert outcomes["alice"] == [all_but("alice")] * 2
    for name in all_but("alice"):
        case, reporter, statement, heard = outcomes[name]
        # Who heard alice calls too: another one may hear that one first.
        assert (case == 8 and reporter in all_but(name)) or case in (1, 4, 6), outcomes[name]
        assert heard == [all_but(name)] * 2
        if case == 8:
            assert statement == f"{reporter} to {name} in 0".encode()


@pytest.mark.parametrize("dead", THREE)
def test_a_dead_member_of_a_later_stage_is_named_by_both_others(dead: str) -> None:
    town = Town()
    gone = threading.Event()

    def body(ground: Ground) -> Any:
        with connected(ground, FOUR):
            pass
        if ground.name == dead:
            ground.close()
            gone.set()
            return None
        if ground.name == "dave":
            return None
        gone.wait()
        began = time.monotonic()
        with pytest.raises(TacitError) as caught:
            connected(ground, THREE, "1")
        return caught.value, time.monotonic() - began

    outcomes = town.run(body)
    for name in all_but(dead, THREE):
        error, seconds = outcomes[name]
        assert error.parties == (dead,), error
        assert error.code in ("TC-3407", "TC-3406", "TC-3408"), error
        assert seconds < SETTINGS.start_deadline / 2
    assert any(outcomes[name][0].code == "TC-3407" for name in all_but(dead, THREE))


def test_an_excluded_party_cannot_disturb_a_later_stage() -> None:
    """It dials the port of a stage that it knows, as a party of the session, all the time."""
    town, over = Town(), threading.Event()

    def body(ground: Ground) -> Any:
        with connected(ground, FOUR):
            pass
        if ground.name == "dave":
            while not over.is_set():
                ground.settings = dataclasses.replace(SETTINGS, start_deadline=0.3)
                with pytest.raises(TacitError):
                    connected(ground, (*THREE[:2], "dave"), "1")
                with pytest.raises(TacitError):
                    ground._meshes.clear()
                    connected(ground, FOUR, "1")
            return None
        sessions = []
        for stage in range(1, 6):
            with connected(ground, THREE, str(stage)) as mesh:
                sessions.append(mesh.session_id)
        if ground.name == "alice":
            over.set()
        return sessions

    outcomes = town.run(body)
    assert len(outcomes["alice"]) == 5, outcomes["alice"]
    assert outcomes["alice"] == outcomes["bob"] == outcomes["carol"]


def test_evidence_keys_are_exchanged_and_checked() -> None:
    town = Town()

    def body(ground: Ground) -> Any:
        with connected(ground, FOUR):
            pass
        signature = ground.signing_key.sign(b"statement")
        return dict(ground.evidence_certificates), dict(ground.evidence_keys), signature

    outcomes = town.run(body)
    certificates, keys, _ = outcomes["alice"]
    for name in FOUR:
        assert outcomes[name][0] == certificates
        keys[name].verify(outcomes[name][2], b"statement")

    other = Town(settings=dataclasses.replace(SETTINGS, start_deadline=1.0))
    foreign = Authority().issue("bob")
    other.credentials["bob"] = dataclasses.replace(
        other.credentials["bob"],
        evidence_certificate=foreign.evidence_certificate,
        evidence_key=foreign.evidence_key,
    )
    assert isinstance(other.run(body)["bob"], CertificateError)


def test_a_foreign_evidence_certificate_is_refused_by_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    town = Town()
    foreign = Authority().issue("bob")

    def body(ground: Ground) -> Any:
        if ground.name == "bob":
            ground._certificate = foreign.evidence_certificate
        with connected(ground, FOUR):
            return None

    outcomes = town.run(body)
    errors = [outcomes[name] for name in FOUR if isinstance(outcomes[name], CertificateError)]
    assert errors
    assert all(error.parties == ("bob",) for error in errors)
    assert all(isinstance(outcome, TacitError) for outcome in outcomes.values())


def test_nothing_stays_open() -> None:
    def count() -> int:
        return len(os.listdir("/proc/self/fd"))

    def body(ground: Ground) -> Any:
        for stage in range(3):
            with connected(ground, FOUR, str(stage)):
                pass
            ground.confer(FOUR, talk(ground.name, FOUR), 60.0)
        return None

    gc.collect()  # what other tests left to the collector is not closed meanwhile
    before, threads = count(), threading.active_count()
    assert not any(Town().run(body).values())
    assert count() == before
    assert threading.active_count() == threads
    until = time.monotonic() + 60
    while ours():  # the kernel may list a thread for a moment after it was joined
        assert time.monotonic() < until, ours()
        time.sleep(0.01)


def ours() -> list[str]:
    """The native threads of links that there are."""
    names = []
    for task in os.listdir("/proc/self/task"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            names.append(Path(f"/proc/self/task/{task}/comm").read_text())
    return [name for name in names if "heartbeat" in name or "porter" in name]


def test_what_is_refused_before_anything_is_sent() -> None:
    town = Town()
    ground = town.ground("alice")
    with pytest.raises(UsageError):
        ground.connect(("bob", "carol"), "any", JOB, {})
    with pytest.raises(UsageError):
        ground.confer(("alice", "zoe"), talk("alice", ("alice", "zoe")), 1.0)
    ground.close()
    ground.close()
    with pytest.raises(TransportError):
        ground.connect(FOUR, "any", JOB, {})
    with pytest.raises(UsageError):
        Ground("alice", FOUR, town.credentials["bob"], town.addresses)
    bare = dataclasses.replace(town.credentials["bob"], evidence_key=b"", evidence_certificate=b"")
    with pytest.raises(CertificateError) as caught:
        Ground("bob", FOUR, bare, town.addresses)
    assert caught.value.case == 14
    for name in FOUR:
        town.listeners[name].close()
