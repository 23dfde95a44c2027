"""Patience with parties that are alive: who is named when a round takes too long, who never is."""

from __future__ import annotations

import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from linked import LOOPBACK, QUICK, agreement, in_threads, linked, synchronously
from test_wire_attacks import HEARTBEAT, TWO, Bob, frame, receiving

from tacit.errors import DeadlineError, TransportError
from tacit.network import Address, Authority, Listener, Mesh, NetworkSettings, connect
from tacit.rounds.contract import Round, Step

THREE = ("alice", "bob", "carol")
BRISK = replace(QUICK, heartbeat_timeout=3.0, close_timeout=0.5)
PATIENCE = 3.0


def ring(mesh: Mesh, rounds: int, works: Callable[[int], Any]) -> Step[int]:
    """Pass messages around; before round k this party does `works(k)`."""
    sent, received = np.zeros(8, np.uint64), np.zeros(8, np.uint64)
    for number in range(rounds):
        works(number)
        yield Round(
            send={(mesh.index + 2) % 3: (sent,)}, receive={(mesh.index + 1) % 3: (received,)}
        )
    return rounds


class Here(msgspec.Struct, frozen=True):
    """Nothing but that the sender is here."""


def brisk(patience: float) -> dict[str, NetworkSettings]:
    """Heartbeats, which say who waits for whom, come four in each patience."""
    return dict.fromkeys(THREE, replace(BRISK, heartbeat_timeout=patience))


def test_who_works_for_less_than_the_patience_is_waited_for() -> None:
    """Everybody in turn, for longer than the patience altogether."""

    def attempt(patience: float) -> None:
        def body(mesh: Mesh) -> int:
            def works(number: int) -> None:
                time.sleep(patience / 4 if number % 3 == mesh.index else 0.0)

            return mesh.driver.run(ring(mesh, 6, works), patience=patience)

        assert linked(THREE, body, settings=brisk(patience)) == dict.fromkeys(THREE, 6)

    synchronously(2.0, attempt)


@pytest.mark.parametrize("slow", THREE)
def test_only_the_one_who_is_late_is_named(slow: str) -> None:
    """The next but one waits for a party that waits for the late one: it must not name that one."""

    def attempt(patience: float) -> None:
        left = threading.Semaphore(0)

        def works(number: int) -> None:
            if number == 4:
                for _ in range(2):
                    left.acquire()

        def body(mesh: Mesh) -> Any:
            does = works if mesh.name == slow else lambda number: None
            try:
                with pytest.raises(TransportError) as caught:
                    mesh.driver.run(ring(mesh, 9, does), patience=patience)
            finally:
                left.release()
            return caught.value

        outcomes = linked(THREE, body, settings=brisk(patience))
        direct = THREE[(THREE.index(slow) + 2) % 3]  # who receives from the late one
        for name in set(THREE) - {slow}:
            error = outcomes[name]
            if isinstance(error, DeadlineError):
                assert error.code == "TC-3503"
                assert error.parties == (slow,)
            else:
                assert error.reporter == direct, (name, error)
        assert isinstance(outcomes[direct], DeadlineError)

    synchronously(2.0, attempt)


def test_small_messages_outside_rounds_have_patience_too() -> None:
    def attempt(patience: float) -> None:
        left = threading.Semaphore(0)

        def body(mesh: Mesh) -> Any:
            if mesh.name == "bob":
                for _ in range(2):
                    left.acquire()
            try:
                with pytest.raises(TransportError) as caught:
                    mesh.gather(Here(), Here, stage="barrier", patience=patience)
            finally:
                left.release()
            return caught.value

        outcomes = linked(THREE, body, settings=brisk(patience))
        named = [outcomes[name] for name in ("alice", "carol")]
        assert any(isinstance(error, DeadlineError) for error in named)
        for error in named:
            assert error.parties == ("bob",) or error.reporter in ("alice", "carol"), error

    synchronously(2.0, attempt)


# ---- Bob played by hand, who says in his heartbeats what he likes


def says(bob: Bob, number: int, *awaited: int) -> None:
    status = struct.pack("<QQ", sum(1 << peer for peer in awaited), number)
    bob.send(frame(HEARTBEAT, status, tag=bob.tag))


def lied_to(directory: Path, lies: Callable[[Bob], Iterator[None]]) -> tuple[Any, float, Mesh]:
    """Alice's error and for how long she waited for a message that bob never sends in full."""
    authority = Authority()
    listener = Listener(Address(LOOPBACK, 0))
    over = threading.Event()

    def alice() -> Any:
        mesh = connect(
            "alice",
            agreement(*TWO),
            authority.issue("alice"),
            {},
            listener,
            settings=BRISK,
        )
        began = time.monotonic()
        with pytest.raises(TransportError) as caught:
            mesh.driver.run(receiving(mesh), stage="multiply", patience=PATIENCE)
        over.set()
        return caught.value, time.monotonic() - began, mesh

    def bob() -> None:
        played = Bob(authority.issue("bob"), listener.address, directory / "bob", BRISK)
        with played.tls, suppress(OSError):
            played.shake_hands()
            for _ in lies(played):
                if over.wait(0.2):
                    return

    outcomes = in_threads({"alice": alice, "bob": bob})
    assert outcomes["bob"] is None, outcomes["bob"]
    found: tuple[Any, float, Mesh] = outcomes["alice"]
    return found


def works(bob: Bob) -> Iterator[None]:
    while True:
        says(bob, 1)
        yield


def waits_for_alice(bob: Bob) -> Iterator[None]:
    """She has sent long ago."""
    while True:
        says(bob, 2, 0)
        yield


def is_ahead_and_hurries_on(bob: Bob) -> Iterator[None]:
    number = 3
    while True:
        says(bob, number, 2)
        number += 1
        yield


def sends_single_bytes(bob: Bob) -> Iterator[None]:
    bob.send(frame(0, b"", tag=bob.tag, sequence=2, segment=64, payload=32, check=32))
    while True:
        bob.send(b"\0")
        yield


@pytest.mark.parametrize(
    "lies", [works, waits_for_alice, is_ahead_and_hurries_on, sends_single_bytes]
)
def test_nothing_that_a_late_party_says_gains_it_time(tmp_path: Path, lies: Any) -> None:
    error, seconds, _ = lied_to(tmp_path, lies)
    assert error.code == "TC-3503", error
    assert error.parties == ("bob",)
    assert seconds > PATIENCE * 0.9


def test_who_says_that_it_waits_for_another_is_not_named_but_remembered(tmp_path: Path) -> None:
    """Bob says that he waits for a third one; alice cannot know better."""

    def lies(bob: Bob) -> Iterator[None]:
        while True:
            says(bob, 2, 1)  # himself: there is no third here
            yield

    error, seconds, mesh = lied_to(tmp_path, lies)
    assert error.code == "TC-3505", error
    assert error.parties == ()
    assert seconds > 3 * PATIENCE * 0.95
    assert mesh.driver.standing() == (2, ("bob",), True)
    assert mesh.driver.settled() == {"bob": (2, ("bob",))}


def test_without_patience_everything_is_as_it_was(tmp_path: Path) -> None:
    def body(mesh: Mesh) -> Any:
        result = mesh.driver.run(
            ring(mesh, 3, lambda number: time.sleep(4.0 * ((mesh.index, number) == (1, 1))))
        )
        return result, mesh.driver.standing(), mesh.driver.settled()

    outcomes = linked(THREE, body, settings=dict.fromkeys(THREE, BRISK))
    assert outcomes == dict.fromkeys(THREE, (3, None, {}))
