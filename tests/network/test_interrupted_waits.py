"""A Ctrl-C that Python drops in a ``__del__`` ends every wait for other parties all the same."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from linked import JOB, LOOPBACK, QUICK, agreement

from tacit import _native
from tacit.errors import PartyLostError
from tacit.network import (
    Address,
    Authority,
    Ground,
    Listener,
    Mesh,
    connect,
)
from tacit.rounds.contract import Round, Step

AT_MOST = 120.0
"""Seconds after which these tests would end without the defence, and fail."""
PATIENT = replace(QUICK, start_deadline=AT_MOST, heartbeat_timeout=AT_MOST)
TWO = ("alice", "bob")


class Dropping:
    """Is interrupted in its ``__del__``."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


class Word(msgspec.Struct):
    """A message."""


def once(do: Callable[[], Any]) -> Callable[..., None]:
    """Does it at the first call."""
    left = [do]

    def called(*_: object) -> None:
        if left:
            left.pop()()

    return called


def test_connecting() -> None:
    listener = Listener(Address(LOOPBACK, 0))
    addresses = {"alice": listener.address}
    with pytest.raises(KeyboardInterrupt):
        connect(
            "alice",
            agreement(*TWO),
            Authority().issue("alice"),
            addresses,
            listener,
            settings=PATIENT,
            on_wait=once(Dropping),
        )


def test_connecting_in_a_guarded_session() -> None:
    listener = Listener(Address(LOOPBACK, 0))
    addresses = dict.fromkeys(TWO, listener.address)
    with (
        Ground(
            "alice",
            TWO,
            Authority().issue("alice"),
            addresses,
            listener,
            settings=PATIENT,
            on_wait=once(Dropping),
        ) as ground,
        pytest.raises(KeyboardInterrupt),
    ):
        ground.connect(TWO, "replicated3", JOB, {})


def test_rounds() -> None:
    authority = Authority()
    listeners = {name: Listener(Address(LOOPBACK, 0)) for name in TWO}
    addresses = {name: listener.address for name, listener in listeners.items()}
    over = threading.Event()
    heard: list[BaseException] = []

    def joined(name: str) -> Mesh:
        return connect(
            name,
            agreement(*TWO),
            authority.issue(name),
            addresses,
            listeners[name],
            settings=PATIENT,
        )

    def other() -> None:
        """Connects, and sends nothing."""
        with joined("bob") as mesh:
            over.wait()
            try:
                mesh.gather(Word(), Word, stage="end")
            except BaseException as error:
                heard.append(error)

    def step() -> Step[None]:
        received = np.zeros(4, np.uint64)
        Dropping()
        yield Round(send={}, receive={1: (received,)})

    thread = threading.Thread(target=other)
    thread.start()
    try:
        with joined("alice") as mesh, pytest.raises(KeyboardInterrupt):
            mesh.driver.run(step(), stage="training", deadline=AT_MOST)
    finally:
        over.set()
        thread.join()
    (error,) = heard
    assert isinstance(error, PartyLostError)
    assert error.parties == ("alice",)


def test_closing() -> None:
    """Not a dropped one: the wait of a close for who does not read is a wait in native code."""
    authority = Authority()
    listeners = {name: Listener(Address(LOOPBACK, 0)) for name in TWO}
    addresses = {name: listener.address for name, listener in listeners.items()}
    main, over = threading.main_thread().ident, threading.Event()
    assert main is not None

    def joined(name: str) -> Mesh:
        return connect(
            name,
            agreement(*TWO),
            authority.issue(name),
            addresses,
            listeners[name],
            settings=replace(PATIENT, close_timeout=AT_MOST),
        )

    def stay(links: _native.Links) -> None:
        """Hear the goodbye, which alice then waits to be answered."""
        with pytest.raises(_native.LinkFailure):
            links.control({}, [0], 100, AT_MOST)
        signal.pthread_kill(main, signal.SIGINT)
        over.wait()

    def other() -> None:
        with joined("bob") as mesh:
            mesh.driver.call(stay, stage="end")

    thread = threading.Thread(target=other)
    thread.start()
    try:
        mesh = joined("alice")
        begun = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            mesh.close()
        assert time.monotonic() - begun < AT_MOST / 2
        mesh.close()  # it is closed
    finally:
        over.set()
        thread.join()
