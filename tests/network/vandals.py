"""Parties that deviate on the network: what each does to the ports of the honest ones.

Each runs in a thread of its own until told to stop. Those that hold a certificate are members of
the session; their own port is open unless they close it.
"""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator

import msgspec
import numpy as np
from grounds import Town

from tacit import _native
from tacit.network.addresses import Address
from tacit.network.certificates import dns_name
from tacit.network.conferring import Letter
from tacit.network.dialling import identity_of
from tacit.network.doors import conference_token, mesh_token

Act = Callable[[Town, str, threading.Event], None]
ACTS: dict[str, Act] = {}


def act(function: Act) -> Act:
    ACTS[function.__name__] = function
    return function


def dial(address: Address) -> socket.socket:
    return socket.create_connection((address.host, address.port), timeout=5)


def linked(town: Town, own: str, peer: str, token: bytes) -> _native.Links | None:
    """A link to a party's port, with this party's own certificate."""
    try:
        connection = dial(town.addresses[peer])
        connection.sendall(token)
        identity = identity_of(town.credentials[own])
        link = _native.Link.dial(connection.detach(), identity, dns_name(peer))
        until = time.monotonic() + 5
        while not link.handshake():
            if time.monotonic() > until:
                return None
            time.sleep(0.005)
    except (OSError, _native.LinkFailure):
        return None
    return _native.Links(0, {1: link}, 60.0)


@contextlib.contextmanager
def kept(connections: list[socket.socket]) -> Iterator[None]:
    try:
        yield
    finally:
        for connection in connections:
            connection.close()


@act
def closes_its_port(town: Town, own: str, over: threading.Event) -> None:
    town.listeners[own].close()


@act
def says_nothing(town: Town, own: str, over: threading.Event) -> None:
    over.wait()


@act
def accepts_and_talks_nonsense(town: Town, own: str, over: threading.Event) -> None:
    generator = random.Random(1)
    connections = []
    while not over.is_set():
        connection = town.listeners[own].accept()
        if connection is None:
            over.wait(0.01)
            continue
        connections.append(connection)
        with contextlib.suppress(OSError):
            connection.sendall(generator.randbytes(500))
    with kept(connections):
        pass


@act
def accepts_and_hangs_up(town: Town, own: str, over: threading.Event) -> None:
    while not over.is_set():
        connection = town.listeners[own].accept()
        if connection is None:
            over.wait(0.01)
        else:
            connection.close()


@act
def sends_noise(town: Town, own: str, over: threading.Event) -> None:
    generator = random.Random(2)
    tokens = [b"", conference_token(1), conference_token(2), mesh_token(bytes(8)), b"tacit-g"]
    while not over.wait(0.005):
        for peer in set(town.names) - {own}:
            with contextlib.suppress(OSError), dial(town.addresses[peer]) as connection:
                noise = generator.randbytes(generator.randrange(300))
                connection.sendall(generator.choice(tokens) + noise)


@act
def opens_many_and_waits(town: Town, own: str, over: threading.Event) -> None:
    connections = []
    for _ in range(60):
        for peer in set(town.names) - {own}:
            with contextlib.suppress(OSError):
                connections.append(dial(town.addresses[peer]))
                connections[-1].sendall(conference_token(1))
    with kept(connections):
        over.wait()


@act
def sends_its_token_byte_by_byte(town: Town, own: str, over: threading.Event) -> None:
    connections = [dial(town.addresses[peer]) for peer in set(town.names) - {own}]
    with kept(connections):
        for byte in conference_token(1):
            for connection in connections:
                with contextlib.suppress(OSError):
                    connection.sendall(bytes([byte]))
            over.wait(0.1)
        over.wait()


def controls(town: Town, own: str, over: threading.Event, *messages: bytes) -> None:
    while not over.is_set():
        for peer in set(town.names) - {own}:
            links = linked(town, own, peer, conference_token(1))
            if links is None:
                continue
            with contextlib.suppress(_native.LinkFailure):
                for message in messages:
                    links.control({1: message}, [], 0, None)
            links.close(0.0)
        over.wait(0.05)


@act
def sends_what_is_no_letter(town: Town, own: str, over: threading.Event) -> None:
    controls(town, own, over, b"", b"\xc1", bytes(1 << 20), msgspec.msgpack.encode([1, 2]))


@act
def sends_letters_of_other_conferences(town: Town, own: str, over: threading.Event) -> None:
    letters = [Letter(number, 1, b"from elsewhere") for number in (2, 3, 1 << 40)]
    controls(town, own, over, *map(msgspec.msgpack.encode, letters))


@act
def sends_far_too_many_letters(town: Town, own: str, over: threading.Event) -> None:
    letter = msgspec.msgpack.encode(Letter(1, 64, bytes(10_000)))
    controls(town, own, over, *[letter] * 400)


@act
def sends_arrays_instead(town: Town, own: str, over: threading.Event) -> None:
    while not over.is_set():
        for peer in set(town.names) - {own}:
            links = linked(town, own, peer, conference_token(1))
            if links is not None:
                with contextlib.suppress(_native.LinkFailure):
                    links.exchange({1: (np.zeros(1000, np.uint64),)}, {}, {}, {}, 1, 0.1)
                links.close(0.0)
        over.wait(0.05)


@act
def opens_many_links(town: Town, own: str, over: threading.Event) -> None:
    links = [
        linked(town, own, peer, conference_token(number))
        for peer in set(town.names) - {own}
        for number in (1, 1, 1, 1, 1, 2, 2)
    ]
    over.wait()
    for one in links:
        if one is not None:
            one.close(0.0)
