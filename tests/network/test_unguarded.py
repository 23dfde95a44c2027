"""Sessions that are not guarded are as they were: port, wire, credentials, threads, errors."""

from __future__ import annotations

import dataclasses
import socket
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest
from consortia import free_ports
from grounds import Town, connected
from linked import LOOPBACK, QUICK, agreement, in_threads, linked
from test_wire_attacks import Bob

from tacit.errors import TacitError
from tacit.network import (
    Address,
    Authority,
    Credentials,
    Ground,
    Listener,
    Mesh,
    NetworkSettings,
    connect,
)
from tacit.network.handshake import Hello

TWO = ("alice", "bob")
THREE = ("alice", "bob", "carol")
SHORT = dataclasses.replace(QUICK, start_deadline=1.5)


def test_credentials_without_a_key_for_evidence_are_enough() -> None:
    authority = Authority()

    def bare(name: str) -> Credentials:
        full = authority.issue(name)
        return Credentials(name, full.authority, full.certificate, full.key)

    outcomes = linked(
        THREE, lambda mesh: mesh.session_id, credentials={name: bare(name) for name in THREE}
    )
    assert len(set(outcomes.values())) == 1
    assert isinstance(outcomes["alice"], bytes)


def test_the_port_is_closed_when_all_links_stand() -> None:
    authority = Authority()
    listeners = {name: Listener(Address(LOOPBACK, 0)) for name in TWO}
    addresses = {name: listener.address for name, listener in listeners.items()}
    both = threading.Barrier(2)

    def party(name: str) -> Any:
        def run() -> Any:
            mesh = connect(
                name,
                agreement(*TWO),
                authority.issue(name),
                addresses,
                listeners[name],
                settings=QUICK,
            )
            with mesh:
                both.wait()
                for address in addresses.values():
                    with pytest.raises(ConnectionRefusedError):
                        socket.create_connection((address.host, address.port))
                both.wait()
                names = {thread.name for thread in threading.enumerate()}
                return "tacit-porter" in names

        return run

    assert in_threads({name: party(name) for name in TWO}) == dict.fromkeys(TWO, False)


def test_the_first_bytes_are_those_of_tls() -> None:
    authority = Authority()
    with Listener(Address(LOOPBACK, 0)) as listener:

        def bob() -> Any:
            addresses = {"alice": listener.address}
            with pytest.raises(TacitError):
                connect("bob", agreement(*TWO), authority.issue("bob"), addresses, settings=SHORT)

        def alice() -> bytes:
            listener.socket.settimeout(60)
            connection, _ = listener.socket.accept()
            with connection:
                return connection.recv(3)

        outcomes = in_threads({"alice": alice, "bob": bob})
    assert outcomes["alice"][:2] == b"\x16\x03"  # a handshake record


def test_the_hello_says_what_it_said(tmp_path: Path) -> None:
    authority = Authority()
    listener = Listener(Address(LOOPBACK, 0))
    heard: list[Hello] = []

    def alice() -> Any:
        with pytest.raises(TacitError):
            connect(
                "alice", agreement(*TWO), authority.issue("alice"), {}, listener, settings=QUICK
            )

    def bob() -> None:
        played = Bob(authority.issue("bob"), listener.address, tmp_path / "bob")
        with played.tls:
            heard.append(msgspec.msgpack.decode(played.receive()[1], type=Hello))

    outcomes = in_threads({"alice": alice, "bob": bob})
    assert outcomes["bob"] is None, outcomes
    assert heard[0].parameters == {"fraction": "18", "network.heartbeat_timeout": "10"}


def test_a_party_that_is_awaited_may_start_as_late_as_the_deadline_allows() -> None:
    """Nobody listens at first: outside guarded sessions a refusal is no death."""
    authority = Authority()
    address = Address(LOOPBACK, *free_ports(1))
    addresses = {"alice": address}

    def bob() -> Any:
        with connect("bob", agreement(*TWO), authority.issue("bob"), addresses, settings=QUICK):
            return True

    def alice() -> Any:
        threading.Event().wait(2.5)
        listener = Listener(address)
        with connect(
            "alice", agreement(*TWO), authority.issue("alice"), {}, listener, settings=QUICK
        ):
            return True

    assert in_threads({"alice": alice, "bob": bob}) == {"alice": True, "bob": True}


@pytest.mark.parametrize("guarded", TWO)
def test_guarded_and_other_parties_do_not_meet(guarded: str) -> None:
    town = Town(TWO, SHORT)

    def ground(it: Ground) -> Mesh:
        return connected(it, TWO)

    def plain() -> Any:
        name = next(name for name in TWO if name != guarded)
        settings: NetworkSettings = SHORT
        return connect(
            name,
            agreement(*TWO),
            town.credentials[name],
            town.addresses,
            town.listeners[name],
            settings=settings,
        )

    other = next(name for name in TWO if name != guarded)
    outcomes = town.run(ground, others={other: plain})
    for outcome in outcomes.values():
        assert isinstance(outcome, TacitError), outcome
