"""Parties that hold a conference in one process: honest ones as generators, the corrupt one as a
function that sees all that the honest ones send before it speaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tacit.errors import VerificationError
from tacit.recovery import (
    Conference,
    Keys,
    Occasion,
    Position,
    Seen,
    SeenDispute,
    Signed,
    Signer,
    Statement,
    Verdict,
    confer,
)
from tacit.recovery.statements import Purpose, Standing, encoded

NAMES = ("alice", "bob", "carol", "dave")
OCCASION = Occasion(b"s" * 32, 0, 0)
OTHER = Occasion(b"o" * 32, 0, 0)
BASE = 3

Traffic = Mapping[str, Mapping[str, bytes]]
"""By sender and receiver."""
Adversary = Callable[[int, Traffic], Mapping[str, bytes]]
"""The round and what the honest parties send, to what the corrupt party sends to each."""


@cache
def signer(party: str) -> Signer:
    return Signer(party, _key(party))


@cache
def _key(party: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(party.encode().ljust(32, b"."))


class RememberingKeys(Keys):
    """The same answers, each signature verified once: for enumerations."""

    def __init__(self) -> None:
        super().__init__({party: _key(party).public_key() for party in NAMES})
        self._known: dict[tuple[str, Purpose, Occasion, Signed], bool] = {}

    def verify(self, party: str, purpose: Purpose, occasion: Occasion, signed: Signed) -> bytes:
        place = party, purpose, occasion, signed
        if place not in self._known:
            try:
                super().verify(*place)
                self._known[place] = True
            except VerificationError:
                self._known[place] = False
        if not self._known[place]:
            raise VerificationError("no signature", case=20)
        return signed.body


KEYS = RememberingKeys()


@cache
def position(party: str, barrier: int, transcript: bytes = b"t", occasion: Occasion = OCCASION):
    body = Position(
        occasion=occasion, party=party, barrier=barrier, operations=1, transcript=transcript
    )
    return signer(party).sign("position", occasion, encoded(body))


def statement(
    party: str,
    seen: Seen,
    *,
    passed: int = BASE,
    reached: int | None = None,
    proofs: tuple[Signed, ...] | None = None,
    transcript: bytes = b"t",
    occasion: Occasion = OCCASION,
    standing: Standing | None = None,
    operation: str = "multiply",
) -> Signed:
    """Signed by `party`, with the proofs that its `passed` needs unless others are given."""
    if proofs is None:
        others = [name for name in NAMES if name != party]
        proofs = () if passed == BASE else tuple(position(n, passed, transcript) for n in others)
    body = Statement(
        occasion=occasion,
        party=party,
        passed=passed,
        reached=passed if reached is None else reached,
        proofs=proofs,
        transcript=transcript,
        operation=operation,
        at=0.0,
        seen=seen,
        standing=standing,
    )
    return signer(party).sign("statement", occasion, encoded(body))


def heard(party: str, author: str, said: Signed, **others: Any) -> Signed:
    return statement(party, Seen("heard", author, said=said), **others)


@dataclass
class Hall:
    """Runs a conference; honest parties in `own`, the corrupt one is who is missing there."""

    own: Mapping[str, Signed]
    kept: Mapping[str, tuple[bool, bytes | None]] = field(default_factory=dict)
    evidence: bool = False
    conference: Callable[..., Conference[Verdict]] = confer
    sent: list[Traffic] = field(default_factory=list)

    def run(self, adversary: Adversary | None = None) -> dict[str, Verdict]:
        running = {party: self._seat(party, own) for party, own in self.own.items()}
        corrupt = [name for name in NAMES if name not in self.own]
        outgoing: dict[str, Mapping[str, bytes]] = {p: next(g) for p, g in running.items()}
        verdicts: dict[str, Verdict] = {}
        for number in range(1, 9):
            self.sent.append(dict(outgoing))
            for name in corrupt:
                outgoing[name] = {} if adversary is None else adversary(number, outgoing)
            came = {
                receiver: {s: said[receiver] for s, said in outgoing.items() if receiver in said}
                for receiver in running
            }
            outgoing = {}
            for party, talk in list(running.items()):
                try:
                    outgoing[party] = talk.send(came[party])
                except StopIteration as stop:
                    verdicts[party] = stop.value
                    del running[party]
            if not running:
                return verdicts
        raise AssertionError("the conference does not end")

    def _seat(self, party: str, own: Signed) -> Conference[Verdict]:
        def answer(dispute: SeenDispute) -> tuple[bool, bytes | None]:
            return self.kept[party]

        return self.conference(
            own,
            NAMES,
            signer(party),
            KEYS,
            answer,
            occasion=OCCASION,
            base=BASE,
            evidence=self.evidence,
        )
