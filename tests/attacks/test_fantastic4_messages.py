"""Every message of ``fantastic4``'s primitives altered in turn: the receiver stops at once.

Each message and digest of truncation, comparison, ReLU, matrix product, conversions and shuffle is
altered: the bits of its first bytes one by one, and bits at random places of the rest. The honest
receiver must raise in the very round in which the message came, before anything that depends on it
leaves: then an error never meets a secret, which is what the attack of ePrint 2026/234 needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import numpy as np
import pytest
from simulation import FOUR, Simulation

from tacit.errors import DisputeError, MessageError, TacitError
from tacit.protocols.fantastic4 import joint
from tacit.rounds.adversary import (
    Adversary,
    Message,
    Rewrite,
    Tamper,
    cut,
    drop,
    flip,
    lengthen,
    replace,
)

RNG = np.random.default_rng(12)
X = np.array([[5, -7, 1 << 40], [-(1 << 50), 0, 3]], np.int64)

Program = Callable[..., Any]


def _relu(p: Any, a: Any) -> Any:
    sign = yield from p.most_significant_bit(a)
    return (yield from p.inject(p.invert(sign), a))


def _permute(p: Any, a: Any) -> Any:
    return (yield from p.permute(p.permutation(2, 3), a))


def _permute_back(p: Any, a: Any) -> Any:
    return (yield from p.permute(p.permutation(2, 3), a, True))


PROGRAMS: dict[str, Program] = {
    "truncate": lambda p, a: p.truncate(a, 18, "probabilistic"),
    "truncate exactly": lambda p, a: p.truncate(a, 18, "exact"),
    "multiply and truncate": lambda p, a: p.multiply_truncate(a, a, 18),
    "matmul and truncate": lambda p, a: p.matmul_truncate(a, a.map(np.transpose), 18),
    "compare": lambda p, a: p.most_significant_bit(a),
    "ReLU": _relu,
    "to bits": lambda p, a: p.to_bits(a),
    "permute": _permute,
    "permute back": _permute_back,
}


class Session:
    """One set of parties whose nonces begin anew with every run, so that runs are equal."""

    def __init__(self) -> None:
        self.simulation = Simulation(6, protocol="fantastic4")
        self.parts = self.simulation.share(X)

    def steps(self, program: Program) -> list[Any]:
        for party in self.simulation.parties:
            party._nonces = count(1)
        return [program(p, x) for p, x in zip(self.simulation.parties, self.parts, strict=True)]

    def run(self, program: Program, tamper: Tamper | None = None) -> Adversary:
        driver = Adversary(FOUR, tamper)
        for party in self.simulation.parties:
            party._nonces = count(1)
        driver.run(
            [program(p, x) for p, x in zip(self.simulation.parties, self.parts, strict=True)]
        )
        return driver

    def attacked(self, program: Program, tamper: Tamper) -> tuple[Adversary, TacitError]:
        driver = Adversary(FOUR, tamper)
        with pytest.raises(TacitError) as caught:
            driver.run(self.steps(program))
        return driver, caught.value


@pytest.fixture(scope="module")
def session() -> Session:
    return Session()


def places(message: Message, thorough: bool) -> Iterator[Rewrite]:
    """Bits of the first bytes of payload and digests, and of some others."""
    payload = len(message.payload) - message.check_bytes
    starts = [start for start, size in ((0, payload), (payload, message.check_bytes)) if size]
    for start in starts:
        for byte in range(2 if thorough else 1):
            yield from (flip(start + byte, 1 << bit) for bit in range(0, 8, 1 if thorough else 7))
    others = RNG.integers(0, len(message.payload), 6 if thorough else 2)
    yield from (flip(int(place), 1 << int(RNG.integers(8))) for place in others)
    yield flip(-1, 0x80)


def assert_same(part: Any, other: Any) -> None:
    for j, share in part.shares.items():
        np.testing.assert_array_equal(share, other.shares[j])


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_altered_message_is_noticed_in_its_round(session: Session, name: str) -> None:
    program = PROGRAMS[name]
    honest = session.run(program)
    sent = honest.sent
    assert len({m.round for m in sent}) >= 2
    for message in sent:
        for rewrite in places(message, thorough=len(sent) < 50):
            tamper = Tamper(rewrite, message.sender, message.receiver, index=message.index)
            driver, error = session.attacked(program, tamper)
            assert isinstance(error, DisputeError), message
            assert driver.failed == message.receiver, message
            # No message of a later round left, from anybody.
            assert driver.round_number == message.round, message
            assert max(m.round for m in driver.sent) == message.round
            # One of the two suspects sent the altered message.
            assert FOUR[message.sender] in error.parties, message
            assert FOUR[message.receiver] not in error.parties
            # Who was done by then holds what an honest run gives it.
            for i, part in driver.returned.items():
                assert_same(part, honest.returned[i])


@pytest.mark.parametrize("name", ["multiply and truncate", "compare", "ReLU", "permute"])
def test_messages_of_a_wrong_length_or_none_are_noticed(session: Session, name: str) -> None:
    program = PROGRAMS[name]
    for message in session.run(program).sent:
        for rewrite in (drop(), cut(), lengthen()):
            tamper = Tamper(rewrite, message.sender, message.receiver, index=message.index)
            driver, error = session.attacked(program, tamper)
            assert isinstance(error, MessageError)
            assert error.parties == (FOUR[message.sender],)
            assert driver.round_number == message.round


def rows_exchanged(message: Message) -> list[bytes]:
    """The payload with elements swapped or repeated, as another permutation would have it."""
    size = len(message.payload) - message.check_bytes
    words = np.frombuffer(message.payload[:size], np.uint64)
    rest = message.payload[size:]
    swapped, repeated = words.copy(), words.copy()
    swapped[[0, 1]] = words[[1, 0]]
    repeated[1] = words[0]
    return [swapped.tobytes() + rest, repeated.tobytes() + rest]


@pytest.mark.parametrize("name", ["permute", "permute back"])
def test_another_permutation_in_any_pass_is_noticed(session: Session, name: str) -> None:
    program = PROGRAMS[name]
    payloads = [m for m in session.run(program).sent if len(m.payload) > m.check_bytes]
    assert len(payloads) == 12
    for message in payloads:
        for payload in rows_exchanged(message):
            tamper = Tamper(replace(payload), message.sender, message.receiver, index=message.index)
            driver, error = session.attacked(program, tamper)
            assert isinstance(error, DisputeError)
            assert (driver.failed, driver.round_number) == (message.receiver, message.round)


def test_without_the_digests_an_altered_message_makes_a_wrong_result(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tests above can fail: what notices is the comparison, and nothing else does."""
    same = bytes(32)
    monkeypatch.setattr(joint, "digest_of", lambda *_: same)
    program = PROGRAMS["multiply and truncate"]
    honest = session.run(program)
    altered = 0
    for message in (m for m in honest.sent if m.round == 1 and len(m.payload) > m.check_bytes):
        tamper = Tamper(flip(4), message.sender, message.receiver, index=message.index)
        returned = session.run(program, tamper).returned
        altered += any(
            (share != honest.returned[i].shares[j]).any()
            for i in range(4)
            for j, share in returned[i].shares.items()
        )
    assert altered >= 2
