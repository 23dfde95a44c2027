"""Digests of long messages go by tags, under a key that the sender lacks: what that is worth.

A sender that knew the key could change two blocks of its message so that the tag stays the same.
Against a copy whose key is one that the sender holds this succeeds; here it is found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from simulation import FOUR, Simulation
from test_fantastic4_core import NAMES, honest, stopped

from tacit.errors import DisputeError
from tacit.protocols.fantastic4 import joint
from tacit.rounds import Adversary, Message, Tamper
from tacit.rounds.adversary import Rewrite, flip

SIZE = 1024
X = np.arange(SIZE) * 1000 - 30_000
S, B, R, O = ROLES = (0, 1, 3, 2)


@pytest.fixture(autouse=True)
def everything_by_tags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joint, "TAGGED", 1)


@pytest.mark.parametrize("name", NAMES)
def test_every_altered_message_stops_its_receiver(name: str) -> None:
    rng = np.random.default_rng(12)
    for message in honest(name):
        if not message.payload:
            continue
        for position in {0, len(message.payload) - 1, *rng.integers(0, len(message.payload), 3)}:
            stopped(name, message, flip(int(position), 1 << int(rng.integers(8))))


def weakened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Insecure: keys of tags from the stream of O's index, which the sender holds."""
    drawn = joint._drawn

    def from_other(party: Any, key: int, nonce: int, lanes: int, roles: Any, count: int) -> bytes:
        known = roles[3] if lanes == joint.TAG_LANES else key
        return drawn(party, known, nonce, lanes, roles, count)

    monkeypatch.setattr(joint, "_drawn", from_other)


def attack() -> tuple[Simulation, Any, Adversary]:
    """Products whose sender 0 forges its message to party 3 with a key that it knows."""
    driver = Adversary(FOUR, None)
    s = Simulation(3, driver, "fantastic4")
    shared = s.share(X)
    nonce = next(s.parties[S]._nonces)
    s.parties[S]._nonces = iter(range(nonce, 1 << 20))
    # What the sender can draw: the key of the weakened copy.
    key = joint._drawn(s.parties[S], O, nonce, joint.TAG_LANES, ROLES, joint.TAG_KEY_BYTES)
    driver.tampers = (Tamper(forged(key), S, R),)
    return s, shared, driver


def forged(key: bytes) -> Rewrite:
    """Another payload with the same GMAC: block 1 changes by d, block 2 by d · H."""
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    h = encryptor.update(bytes(16))
    d = b"\x80" + bytes(15)
    changes = {16: d, 32: times(d, h)}

    def rewrite(message: Message, _: Sequence[Message]) -> Sequence[bytes]:
        changed = bytearray(message.payload)
        for start, change in changes.items():
            for i, byte in enumerate(change):
                changed[start + i] ^= byte
        return [bytes(changed)]

    return rewrite


def times(a: bytes, b: bytes) -> bytes:
    """The product in GCM's field, first bit first."""
    x, v, z = int.from_bytes(a), int.from_bytes(b), 0
    for bit in range(127, -1, -1):
        if x >> bit & 1:
            z ^= v
        v = v >> 1 ^ (0xE1 << 120 if v & 1 else 0)
    return z.to_bytes(16)


def test_whoever_knows_the_key_forges(monkeypatch: pytest.MonkeyPatch) -> None:
    weakened(monkeypatch)
    s, shared, _ = attack()
    parts = s.run(lambda p, x: p.multiply(x, x), shared)
    assert (parts[R].shares[O] != parts[B].shares[O]).any()


def test_a_sender_does_not_know_it() -> None:
    s, shared, _ = attack()
    with pytest.raises(DisputeError):
        s.run(lambda p, x: p.multiply(x, x), shared)


def test_the_sender_holds_no_key_of_its_tags() -> None:
    s = Simulation(3, None, "fantastic4")
    with pytest.raises(KeyError):
        joint.digest_of(s.parties[S], 1, ROLES, O, [np.zeros(SIZE, np.uint64)])


def test_for_evidence_the_sender_makes_the_same_digest() -> None:
    s = Simulation(3, None, "fantastic4")
    for party in s.parties:
        party.evidence = True
    digests = {
        joint.digest_of(s.parties[i], 1, ROLES, O, [np.arange(SIZE, dtype=np.uint64)])
        for i in (S, B, R)
    }
    assert len(digests) == 1
    product = s.run(lambda p, x: p.multiply(x, x), s.share(X))
    np.testing.assert_array_equal(s.open(product), X * X)


def test_lengths_and_pieces_count(monkeypatch: pytest.MonkeyPatch) -> None:
    party = Simulation(3, None, "fantastic4").parties[B]
    whole = np.arange(64, dtype=np.uint64)

    def digest(*payloads: Any) -> bytes:
        return joint.digest_of(party, 1, ROLES, O, list(payloads))

    def altered(place: int) -> Any:
        other = whole.copy()
        other[place] ^= np.uint64(1)
        return other

    for length in (1 << 30, 100):
        monkeypatch.setattr(joint, "TAGGED_AT_ONCE", length)
        found = [
            digest(whole), digest(whole[:32], whole[32:]), digest(whole[:0], whole),
            digest(whole, whole[:0]), digest(whole[::-1].copy()),
            *(digest(altered(place)) for place in range(64)),
        ]  # fmt: skip
        assert len(set(found)) == len(found)
