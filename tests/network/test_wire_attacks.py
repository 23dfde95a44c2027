"""A party that sends frames no honest party sends, and a network that changes bytes.

Bob is played by hand: Python's own TLS with bob's valid certificate, and frames made byte by byte.
Every deviation ends the session with an error that names him and says what was wrong, before any
byte reaches an array that the step uses.
"""

from __future__ import annotations

import secrets
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from linked import LOOPBACK, QUICK, agreement, in_threads

from tacit import _native
from tacit.errors import HandshakeError, MessageError, PartyLostError, TacitError, TransportError
from tacit.network import (
    Address,
    Agreement,
    Authority,
    Credentials,
    Listener,
    Mesh,
    NetworkSettings,
    connect,
)
from tacit.network.handshake import Confirmation, Hello, derive_session_id
from tacit.rounds.contract import Round, Step

TWO = ("alice", "bob")
DATA, CONTROL, HEARTBEAT, ABORT, CLOSE = range(5)
HEADER = struct.Struct("<HBBIQQQQ")


def frame(kind: int, body: bytes = b"", **changes: int) -> bytes:
    fields = {
        "version": 1,
        "kind": kind,
        "flags": 0,
        "segment": len(body),
        "tag": 0,
        "sequence": 0,
        "payload": len(body),
        "check": 0,
    }
    return HEADER.pack(*{**fields, **changes}.values()) + body


class Bob:
    """Bob, made by hand."""

    def __init__(
        self,
        credentials: Credentials,
        alice: Address,
        directory: Path,
        settings: NetworkSettings = QUICK,
    ) -> None:
        credentials.save(directory)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_verify_locations(cadata=credentials.authority.decode())
        context.load_cert_chain(directory / "party.pem", directory / "party.key")
        context.set_alpn_protocols(["tacit/1"])
        plain = socket.create_connection((alice.host, alice.port))
        self.tls = context.wrap_socket(plain, server_hostname="alice")
        self.tag = 0
        self.hello = Hello(
            release=metadata.version("tacit"),
            name="bob",
            participants=list(TWO),
            protocol="replicated3",
            parameters={
                "fraction": "18",
                "network.heartbeat_timeout": f"{settings.heartbeat_timeout:g}",
            },
            job=bytes(range(32)),
            nonce=secrets.token_bytes(32),
        )

    def send(self, data: bytes) -> None:
        self.tls.sendall(data)

    def receive(self) -> tuple[dict[str, int], bytes]:
        """The next frame that is no heartbeat."""
        while True:
            names = ("version", "kind", "flags", "segment", "tag", "sequence", "payload", "check")
            header = dict(zip(names, HEADER.unpack(self._exactly(HEADER.size)), strict=True))
            payload = self._exactly(header["segment"])
            if header["kind"] != HEARTBEAT:
                return header, payload

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            piece = self.tls.recv(count - len(data))
            assert piece
            data += piece
        return data

    def shake_hands(self) -> None:
        """An honest handshake."""
        self.send(frame(CONTROL, msgspec.msgpack.encode(self.hello)))
        alice = msgspec.msgpack.decode(self.receive()[1], type=Hello)
        session = derive_session_id(alice, [alice.nonce, self.hello.nonce])
        self.tag = int.from_bytes(session[:8], "little")
        confirmation = msgspec.msgpack.encode(Confirmation(session))
        self.send(frame(CONTROL, confirmation, tag=self.tag, sequence=1))
        assert msgspec.msgpack.decode(self.receive()[1], type=Confirmation).session_id == session

    def data(self, body: bytes, **changes: int) -> None:
        """A frame of the session, message number 2 unless it says otherwise."""
        self.send(frame(DATA, body, **{"tag": self.tag, "sequence": 2, **changes}))


TARGET = np.zeros(4, np.uint64)


def receiving(mesh: Mesh, rounds: int = 1) -> Step[list[int]]:
    got = []
    for _ in range(rounds):
        target, check = np.zeros(4, np.uint64), np.zeros(32, np.uint8)
        yield Round(receive={1: (target,)}, check_receive={1: (check,)})
        got.append(int(target.sum()))
    return got


def attacked(
    directory: Path,
    attack: Callable[[Bob], None],
    *,
    rounds: int = 1,
    handshake: bool = True,
    wanted: Agreement | None = None,
) -> Any:
    """Alice's outcome when bob does `attack` after an honest handshake."""
    authority = Authority()
    listener = Listener(Address(LOOPBACK, 0))

    def alice() -> Any:
        chosen = wanted or agreement(*TWO)
        credentials = authority.issue("alice")
        with connect("alice", chosen, credentials, {}, listener, settings=QUICK) as mesh:
            return mesh.driver.run(receiving(mesh, rounds), stage="multiply", deadline=60.0)

    def bob() -> None:
        played = Bob(authority.issue("bob"), listener.address, directory / "bob")
        with played.tls:
            if handshake:
                played.shake_hands()
            attack(played)
            # Until alice has seen it, and has hung up.
            with suppress(OSError):
                while played.tls.recv(4096):
                    pass

    outcomes = in_threads({"alice": alice, "bob": bob})
    assert outcomes["bob"] is None, outcomes["bob"]
    return outcomes["alice"]


GOOD = bytes(64)
CHECKED = {"payload": 32, "check": 32}


def test_the_honest_frames_are_accepted(tmp_path: Path) -> None:
    payload = np.arange(4, dtype="<u8").tobytes() + bytes(32)
    assert attacked(tmp_path, lambda bob: bob.data(payload, **CHECKED)) == [6]


ATTACKS: dict[str, tuple[Callable[[Bob], None], int, str]] = {
    "short": (lambda b: b.data(bytes(56), payload=24, check=32), 0, "24 payload bytes"),
    "long": (lambda b: b.data(bytes(72), payload=40, check=32), 0, "expected 32"),
    "no hash": (lambda b: b.data(bytes(32)), 0, "0 check bytes"),
    "payload for hash": (lambda b: b.data(GOOD, payload=64, check=0), 0, "64 payload bytes"),
    "split otherwise": (lambda b: b.data(GOOD, payload=24, check=40), 0, "24 payload bytes"),
    "segment short": (lambda b: b.data(bytes(16), **CHECKED), 0, "16 segment bytes"),
    "segment long": (
        lambda b: b.data(GOOD, segment=65, **CHECKED),
        0,
        "65 segment bytes",
    ),
    "huge claim": (
        lambda b: b.data(GOOD, segment=2**32 - 1, payload=2**63, check=32),
        0,
        "4294967295 segment bytes",
    ),
    "overflow": (lambda b: b.data(GOOD, payload=2**64 - 1, check=2**64 - 1), 0, "payload bytes"),
    "replayed": (lambda b: b.data(GOOD, sequence=1, **CHECKED), 4, "message 1"),
    "skipped": (lambda b: b.data(GOOD, sequence=3, **CHECKED), 4, "expected 2"),
    "another session": (lambda b: b.data(GOOD, tag=b.tag ^ 1, **CHECKED), 3, "another session"),
    "no session": (lambda b: b.data(GOOD, tag=0, **CHECKED), 3, "another session"),
    "unknown kind": (lambda b: b.send(frame(9, tag=b.tag)), 5, "kind 9"),
    "control for data": (
        lambda b: b.send(frame(CONTROL, bytes(64), tag=b.tag, sequence=2)),
        5,
        "kind 1",
    ),
    "unknown flags": (lambda b: b.data(GOOD, flags=2, **CHECKED), 5, "flags 2"),
    "trickled segments": (
        lambda b: b.data(bytes(16), flags=1, **CHECKED),
        0,
        "16 segment bytes",
    ),
    "heartbeat with a payload": (
        lambda b: b.send(frame(HEARTBEAT, bytes(64), tag=b.tag)),
        0,
        "64 segment bytes",
    ),
    "malformed cause": (lambda b: b.send(frame(ABORT, b"\xc1", tag=b.tag)), 6, "well formed"),
    "cause of another session": (
        lambda b: b.send(frame(ABORT, b"x", tag=b.tag ^ 1)),
        3,
        "another session",
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_a_wrong_frame_names_its_sender_and_what_is_wrong(name: str, tmp_path: Path) -> None:
    attack, case, text = ATTACKS[name]
    error = attacked(tmp_path, attack)
    assert isinstance(error, MessageError), error
    assert error.parties == ("bob",)
    assert error.stage == "multiply"
    assert error.case == case
    assert text in error.message
    assert error.next_step


def test_lengths_name_peer_round_and_both_lengths(tmp_path: Path) -> None:
    def attack(bob: Bob) -> None:
        bob.data(GOOD, **CHECKED)
        bob.data(bytes(40), sequence=3, payload=8, check=32)

    error = attacked(tmp_path, attack, rounds=2)
    assert isinstance(error, MessageError)
    assert error.message == (
        "bob sent alice 8 payload bytes in round 2, stage 'multiply', expected 32."
    )


def test_another_wire_version_is_a_handshake_error(tmp_path: Path) -> None:
    hello = lambda bob: bob.send(  # noqa: E731
        frame(CONTROL, msgspec.msgpack.encode(bob.hello), version=2)
    )
    error = attacked(tmp_path, hello, handshake=False)
    assert isinstance(error, HandshakeError)
    assert error.case == 1
    assert "bob speaks wire version 2, alice speaks 1" in error.message


def changed_hello(**changes: Any) -> Callable[[Bob], None]:
    def attack(bob: Bob) -> None:
        hello = msgspec.structs.replace(bob.hello, **changes)
        bob.send(frame(CONTROL, msgspec.msgpack.encode(hello)))

    return attack


HELLOS: dict[str, tuple[Callable[[Bob], None], type[TacitError], int]] = {
    "release": (changed_hello(release="9.9"), HandshakeError, 2),
    "name": (changed_hello(name="alice"), HandshakeError, 3),
    "participants": (changed_hello(participants=["alice", "bob", "eve"]), HandshakeError, 4),
    "protocol": (changed_hello(protocol="shamir"), HandshakeError, 5),
    "parameters": (changed_hello(parameters={}), HandshakeError, 6),
    "job": (changed_hello(job=bytes(32)), HandshakeError, 7),
    "short nonce": (changed_hello(nonce=bytes(31)), MessageError, 6),
    "long text": (changed_hello(protocol="x" * 5000), MessageError, 6),
    "unknown field": (
        lambda b: b.send(
            frame(CONTROL, msgspec.msgpack.encode({**msgspec.structs.asdict(b.hello), "more": 1}))
        ),
        MessageError,
        6,
    ),
    "no MessagePack": (lambda b: b.send(frame(CONTROL, b"\xc1" * 40)), MessageError, 6),
    "nothing": (lambda b: b.send(frame(CONTROL)), MessageError, 6),
    "data first": (lambda b: b.send(frame(DATA, bytes(8))), MessageError, 5),
}


@pytest.mark.parametrize("name", HELLOS)
def test_a_wrong_hello_is_its_own_error(name: str, tmp_path: Path) -> None:
    attack, kind, case = HELLOS[name]
    error = attacked(tmp_path, attack, handshake=False)
    assert isinstance(error, kind), error
    assert error.case == case
    assert "bob" in error.parties
    assert error.stage == "handshake"


def test_the_nonce_of_another_party_is_refused(tmp_path: Path) -> None:
    def attack(bob: Bob) -> None:
        alice = msgspec.msgpack.decode(bob.receive()[1], type=Hello)
        changed_hello(nonce=alice.nonce)(bob)

    error = attacked(tmp_path, attack, handshake=False)
    assert isinstance(error, HandshakeError)
    assert error.case == 8


@pytest.mark.parametrize("tagged", [True, False])
def test_another_session_id_is_refused(tagged: bool, tmp_path: Path) -> None:
    def attack(bob: Bob) -> None:
        bob.send(frame(CONTROL, msgspec.msgpack.encode(bob.hello)))
        alice = msgspec.msgpack.decode(bob.receive()[1], type=Hello)
        session = derive_session_id(alice, [alice.nonce, bob.hello.nonce])
        tag = int.from_bytes(session[:8], "little")
        wrong = msgspec.msgpack.encode(Confirmation(secrets.token_bytes(32)))
        bob.send(frame(CONTROL, wrong, tag=tag if tagged else tag ^ 1, sequence=1))

    error = attacked(tmp_path, attack, handshake=False)
    assert isinstance(error, HandshakeError)
    assert error.case == 9


def test_an_early_goodbye_and_a_silent_end_are_told_apart(tmp_path: Path) -> None:
    error = attacked(tmp_path / "one", lambda bob: bob.send(frame(CLOSE, tag=bob.tag)))
    assert isinstance(error, PartyLostError)
    assert error.case == 4

    error = attacked(tmp_path / "two", lambda bob: bob.tls.shutdown(socket.SHUT_WR))
    assert isinstance(error, PartyLostError)
    assert error.case == 1


def test_a_truncated_message_is_a_loss(tmp_path: Path) -> None:
    def attack(bob: Bob) -> None:
        bob.data(bytes(10), segment=64, **CHECKED)
        bob.tls.shutdown(socket.SHUT_WR)

    error = attacked(tmp_path, attack)
    assert isinstance(error, PartyLostError)
    assert error.parties == ("bob",)


def test_a_cause_cannot_forge_kinds_or_control_characters(tmp_path: Path) -> None:
    def cause(**changes: Any) -> Callable[[Bob], None]:
        fields = {
            "kind": "PartyLostError",
            "code": "TC-3401",
            "case": 1,
            "message": "carol is\x1b[31m lost",
            "next_step": "",
            "parties": ["carol", "mallory"],
            "stage": None,
        }
        data = msgspec.msgpack.encode({**fields, **changes})
        return lambda bob: bob.send(frame(ABORT, data, tag=bob.tag))

    error = attacked(tmp_path / "one", cause())
    assert isinstance(error, PartyLostError)
    assert error.parties == ("bob",)
    assert "\x1b" not in error.message
    assert "reported by bob" in error.message
    error = attacked(tmp_path / "two", cause(kind="UsageError"))
    assert isinstance(error, PartyLostError)
    assert error.case == 3
    error = attacked(tmp_path / "three", cause(kind="x" * 100))
    assert isinstance(error, MessageError)
    error = attacked(tmp_path / "four", cause(parties=["alice"]))
    assert error.parties == ("alice",)


# ---- the network in between

Relay = Callable[[int, bytes], list[bytes]]
"""What is passed on instead of the i-th TLS record towards alice; may raise EOFError."""


@contextmanager
def relayed(target: Address, relay: Relay) -> Iterator[Address]:
    """A man in the middle who sees TLS records."""
    listening = socket.create_server((LOOPBACK, 0))

    def forward(source: socket.socket, sink: socket.socket, change: Relay) -> None:
        number = 0
        stream = source.makefile("rb")
        try:
            while header := stream.read(5):
                record = header + stream.read(int.from_bytes(header[3:], "big"))
                for piece in change(number, record):
                    sink.sendall(piece)
                number += 1
        except (OSError, EOFError, ValueError):
            pass
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def serve() -> None:
        inner, _ = listening.accept()
        outer = socket.create_connection((target.host, target.port))
        with inner, outer:
            back = threading.Thread(target=forward, args=(outer, inner, lambda _, r: [r]))
            back.start()
            forward(inner, outer, relay)
            back.join()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield Address(LOOPBACK, listening.getsockname()[1])
    finally:
        thread.join()
        listening.close()


def in_between(relay: Relay) -> Any:
    """Alice's outcome when the network does this to what bob sends her."""
    authority = Authority()
    alice = Listener(Address(LOOPBACK, 0))
    bob = Listener(Address(LOOPBACK, 0))

    def sending(mesh: Mesh) -> Step[None]:
        for number in range(20):
            sent, check = np.full(4, number, np.uint64), np.zeros(32, np.uint8)
            yield Round(send={0: (sent,)}, check={0: (check,)})
        target = np.zeros(1, np.uint64)
        yield Round(receive={0: (target,)})

    def party(name: str, listener: Listener, addresses: dict[str, Address]) -> Any:
        chosen, credentials = agreement(*TWO), authority.issue(name)
        mesh = connect(name, chosen, credentials, addresses, listener, settings=QUICK)
        with mesh:
            steps = receiving(mesh, 20) if name == "alice" else sending(mesh)
            return mesh.driver.run(steps, stage="multiply", deadline=60.0)

    with relayed(alice.address, relay) as address:
        outcomes = in_threads(
            {
                "alice": lambda: party("alice", alice, {}),
                "bob": lambda: party("bob", bob, {"alice": address}),
            }
        )
    return outcomes["alice"]


# The handshake is some ten records; the twelfth from the last of them carries a round.
AT = 12


def changed(number: int, record: bytes) -> list[bytes]:
    return [record[:-1] + bytes([record[-1] ^ 1])] if number == AT else [record]


def repeated(number: int, record: bytes) -> list[bytes]:
    return [record, record] if number == AT else [record]


def dropped(number: int, record: bytes) -> list[bytes]:
    return [] if number == AT else [record]


def cut(number: int, record: bytes) -> list[bytes]:
    if number == AT:
        raise EOFError
    return [record]


class Swapped:
    def __init__(self) -> None:
        self.kept = b""

    def __call__(self, number: int, record: bytes) -> list[bytes]:
        if number == AT:
            self.kept = record
            return []
        return [record, self.kept] if number == AT + 1 else [record]


@pytest.mark.parametrize("relay", [changed, repeated, dropped, Swapped()])
def test_what_the_network_changes_repeats_drops_or_swaps_is_noticed(relay: Relay) -> None:
    error = in_between(relay)
    assert isinstance(error, TransportError), error
    assert error.case == 4
    assert error.parties == ("bob",)
    assert "changed on the way" in error.message


def test_a_connection_that_the_network_cuts_is_a_loss() -> None:
    error = in_between(cut)
    assert isinstance(error, PartyLostError)
    assert error.case == 1
    assert error.parties == ("bob",)


def test_nothing_but_ciphertext_travels() -> None:
    seen: list[bytes] = []

    def relay(_: int, record: bytes) -> list[bytes]:
        seen.append(record)
        return [record]

    in_between(relay)
    wire = b"".join(seen)
    for plain in (b"alice", b"bob", b"replicated3", bytes([7, 0, 0, 0, 0, 0, 0, 0]) * 4):
        assert plain not in wire


def test_the_wire_version_is_one_constant() -> None:
    assert HEADER.size == _native.LINK_HEADER_BYTES
    assert frame(DATA)[:2] == _native.LINK_VERSION.to_bytes(2, "little")
