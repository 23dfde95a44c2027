"""A fault among four: all honest parties reach one verdict, which never blames an honest one alone.

Every message of a small program, barriers and the conference included, from every party: altered,
dropped, cut, silence from then on to one or to all, a crash. And liars: parties that accuse others
falsely, state one thing here and another there, make positions up, answer wrongly about what they
sent or vouched for, or say nothing. ``python tests/attacks/test_conferences.py`` (with tests and
tests/attacks on the path) tampers with everything in every way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from typing import Any

import msgspec
import pytest
from conferring import Voice, run
from hub import Sent
from misbehaviour import WAYS, Tampering, messages_of
from simulation import FOUR

from tacit.errors import (
    DeadlineError,
    Dispute,
    DisputeError,
    MessageError,
    PartyLostError,
    TacitError,
    TransportError,
    VerificationError,
)
from tacit.recovery import SeenDispute, Signed, Statement
from tacit.recovery.statements import Answer, Exhibit, Forwarded, Letter, Seen, encoded, read

LAST = 12
"""Goodbyes and the barrier before them: who has passed that one confers no more."""


def attackable(party: str, evidence: bool) -> list[Sent]:
    """A party's messages in an honest run."""
    sent = run(evidence=evidence).hub.sent
    assert run(evidence=evidence).verdict() is None
    own = [m for m in messages_of(party, sent) if m.kind != "close"]
    return own[:-3]


def attacked(way: str, message: Sent, evidence: bool) -> str:
    """The kind of the verdict; all that must hold is asserted."""
    found = run(Tampering(way, message), message.sender, evidence)
    verdict = found.verdict(f"{way}, {message}, evidence {evidence}")
    assert verdict is not None, f"{way} changed nothing: {message}"
    if verdict.kind == "unclear":
        assert not evidence, f"{way}, {message}"
    if way in ("crash", "silent to all"):
        assert (verdict.kind, verdict.party) == ("lost", message.sender), f"{way}, {message}"
    return verdict.kind


@pytest.mark.parametrize("evidence", [False, True])
@pytest.mark.parametrize("party", FOUR)
def test_every_message_of_every_party(party: str, evidence: bool) -> None:
    """Every fourth message, in one way after the other; all of them, see ``main``."""
    kinds: Counter[str] = Counter()
    for number, message in enumerate(attackable(party, evidence)):
        if number % 4 == 2 * evidence:
            kinds[attacked(WAYS[number // 4 % len(WAYS)], message, evidence)] += 1
    assert kinds["pair"]
    assert kinds["lost"]


# Liars.


class Liar(Voice):
    """Stops at one of its steps, and lies about it.

    Attributes
    ----------
    at : int
        The step.
    stops : callable
        What it says stopped it.
    """

    at = 4
    stops: Callable[[Liar], TacitError] = staticmethod(
        lambda liar: PartyLostError("", parties=others(liar.name)[:1])
    )
    retell: Callable[[Liar, Statement], Statement] = staticmethod(lambda liar, said: said)
    reply: Callable[[Liar, SeenDispute], tuple[bool, bytes | None]] | None = None
    speak: Callable[[Liar, int, str, bytes], bytes | None] = staticmethod(
        lambda liar, turn, peer, data: data
    )
    aside: Callable[[Liar, bytes], bytes] = staticmethod(lambda liar, told: told)
    calls = 0

    def drive(self, step: Any) -> Any:
        self.calls += 1
        if self.calls == self.at:
            raise self.stops(self)
        return super().drive(step)

    def compute(self) -> Any:
        told = self.mesh.testify
        assert told is not None
        self.mesh.testify = lambda error: self.aside(self, told(error))
        return super().compute()

    def statement(self, error: Exception) -> Signed:
        return self.signed(self.retell(self, self.truth(error)))

    def truth(self, error: Exception) -> Statement:
        """What an honest party would state."""
        said = read(type(self.witness).signed(self.witness, error).body, Statement)
        assert said is not None
        return said

    def signed(self, statement: Statement) -> Signed:
        return self.signer.sign("statement", self.occasion, encoded(statement))

    def answer(self, dispute: SeenDispute) -> tuple[bool, bytes | None]:
        found = super().answer(dispute)
        return found if self.reply is None else self.reply(self, dispute)

    def confer(self, error: Exception) -> Any:
        self.witness.signed = self.statement  # type: ignore[method-assign]
        ground, liar = self.ground, self
        honest = type(ground).confer

        def lying(members: Any, talk: Any, seconds: float) -> Any:
            def spoken() -> Any:
                turn, outgoing = 0, next(talk)
                while True:
                    said = {p: liar.speak(liar, turn, p, data) for p, data in outgoing.items()}
                    came = yield {p: data for p, data in said.items() if data is not None}
                    turn += 1
                    try:
                        outgoing = talk.send(came)
                    except StopIteration as stop:
                        return stop.value

            return honest(ground, members, spoken(), seconds)

        self.ground.confer = lying  # type: ignore[method-assign]
        return super().confer(error)


def lie(corrupt: str, evidence: bool = False, adversary: Any = None, **changes: Any) -> Any:
    """The verdict after one party ran a Liar with these changes."""
    wrapped = {n: staticmethod(c) if callable(c) else c for n, c in changes.items()}
    kind = type("Changed", (Liar,), wrapped)
    found = run(*([adversary] if adversary else []), corrupt=corrupt, evidence=evidence,
                voices={corrupt: kind})  # fmt: skip
    own = found.hub.outcome.errors.get(corrupt)
    assert own is None or isinstance(own, TacitError), f"the liar itself failed: {own!r}"
    return found.verdict(f"{corrupt}, {changes}")


def others(party: str) -> list[str]:
    return [name for name in FOUR if name != party]


def some(evidence: bool) -> tuple[str, ...]:
    """Half of the parties, the other half with the other setting: every role is there."""
    return FOUR[::2] if evidence else FOUR[1::2]


def false_errors(corrupt: str) -> Iterator[Callable[[Liar], TacitError]]:
    for peer in others(corrupt):
        for kind in (PartyLostError, DeadlineError, MessageError, VerificationError):
            yield lambda liar, kind=kind, peer=peer: kind("", parties=[peer])
    yield lambda liar: DeadlineError("", case=5)
    yield lambda liar: VerificationError("", parties=others(corrupt)[:2])
    yield lambda liar: TransportError("")


@pytest.mark.parametrize("evidence", [False, True])
@pytest.mark.parametrize("corrupt", FOUR)
def test_false_accusations(corrupt: str, evidence: bool) -> None:
    for stops in false_errors(corrupt):
        verdict = lie(corrupt, evidence, stops=stops)
        assert verdict is not None
        if evidence:
            assert verdict.kind != "unclear"


def made_up(liar: Liar, roles: tuple[str, str, str], nonce: int) -> DisputeError:
    error = DisputeError("")
    sender, backup, other = roles
    session = liar.party.session_id.hex()
    error.dispute = Dispute(session, nonce, sender, backup, liar.name, other)
    return error


@pytest.mark.parametrize("evidence", [False, True])
@pytest.mark.parametrize("corrupt", FOUR)
def test_false_accusation_by_a_receiver(corrupt: str, evidence: bool) -> None:
    """Exchanges past, present and to come; digests made up, or one of the two the right one."""
    a, b, c = others(corrupt)
    for roles, nonce in product([(a, b, c), (c, a, b)], [1, 3, 10_000]):
        for digests in ((b"r" * 32, b"v" * 32), (b"", b"v"), (b"r" * 32, b"")):
            verdict = lie(
                corrupt,
                evidence,
                stops=lambda liar, roles=roles, nonce=nonce: made_up(liar, roles, nonce),
                compared=lambda dispute, digests=digests: digests,
            )
            assert verdict is not None
            assert verdict.kind != "unclear"


@cache
def payloads(receiver: str, evidence: bool) -> dict[str, Sent]:
    """For each sender the first message of a step with roles to this receiver."""
    sent = run(evidence=evidence).hub.sent
    found: dict[str, Sent] = {}
    for m in sent:
        after = m.round > (2 if evidence else 6)
        here = m.kind == "round" and m.receiver == receiver and after
        if here and len(m.payload) > m.check_bytes:
            found.setdefault(m.sender, m)
    return found


ANSWERS: dict[str, Any] = {
    "unknown": lambda liar, dispute: (False, None),
    "never got there": lambda liar, dispute: (True, None),
    "made up": lambda liar, dispute: (True, b"made up".ljust(32)),
    "what the receiver got": lambda liar, dispute: (True, dispute.received),
    "what the receiver heard": lambda liar, dispute: (True, dispute.vouched),
}


@pytest.mark.parametrize("evidence", [False, True])
@pytest.mark.parametrize("name", ANSWERS)
def test_wrong_answers_of_a_sender_and_of_a_backup(name: str, evidence: bool) -> None:
    for corrupt in some(evidence):
        for receiver in others(corrupt):
            message = payloads(receiver, evidence).get(corrupt)
            if message is None:
                continue
            for way in ("altered", "altered behind"):
                changed = Tampering(way, message)
                verdict = lie(corrupt, evidence, changed, at=-1, reply=ANSWERS[name])
                assert verdict is not None, (corrupt, receiver, way)
                assert not (evidence and verdict.kind == "unclear")


def another(liar: Liar, at: int = 1) -> bytes:
    """A statement that differs from what the liar said elsewhere."""
    said = liar.truth(PartyLostError(""))
    return encoded(Letter(at, liar.signed(msgspec.structs.replace(said, operation="other"))))


def garbled(liar: Liar, turn: int, peer: str, data: bytes) -> bytes:
    return data[:-3] + b"xyz"


def two_tongues(liar: Liar, turn: int, peer: str, data: bytes) -> bytes:
    return another(liar) if turn == 0 and peer == others(liar.name)[0] else data


def forwards_nothing(liar: Liar, turn: int, peer: str, data: bytes) -> bytes | None:
    return None if turn % 2 else data


def to_one_only(liar: Liar, turn: int, peer: str, data: bytes) -> bytes | None:
    return data if peer == others(liar.name)[turn % 3] else None


def late(liar: Liar, turn: int, peer: str, data: bytes) -> bytes | None:
    """In round 2, in a bundle of its own, a second statement to one party alone."""
    if turn != 1 or peer != others(liar.name)[0]:
        return data
    second = read(another(liar), Letter)
    assert second is not None
    assert second.signed is not None
    body = encoded(Forwarded(liar.occasion, liar.name, "statement", ((liar.name, second.signed),)))
    return encoded(Letter(2, liar.signer.sign("forwarded", liar.occasion, body)))


def forged(liar: Liar, turn: int, peer: str, data: bytes) -> bytes | None:
    """Forwards statements of others that they never signed."""
    if turn != 1:
        return data
    said = liar.truth(PartyLostError(""))
    fakes = tuple(
        (name, liar.signed(msgspec.structs.replace(said, party=name))) for name in others(liar.name)
    )
    body = encoded(Forwarded(liar.occasion, liar.name, "statement", fakes))
    return encoded(Letter(2, liar.signer.sign("forwarded", liar.occasion, body)))


def other_answers(liar: Liar, turn: int, peer: str, data: bytes) -> bytes | None:
    """A different answer to everybody."""
    message = read(data, Letter)
    if turn != 2 or message is None or message.signed is None:
        return data
    answer = read(message.signed.body, Answer)
    assert answer is not None
    changed = msgspec.structs.replace(answer, known=True, digest=peer.encode().ljust(32))
    return encoded(Letter(3, liar.signer.sign("answer", liar.occasion, encoded(changed))))


SPEECHES = {
    "garbled": garbled,
    "two tongues": two_tongues,
    "forwards nothing": forwards_nothing,
    "to one only": to_one_only,
    "late": late,
    "forged": forged,
    "says nothing": lambda liar, turn, peer, data: None,
    "empty": lambda liar, turn, peer, data: b"",
    "long": lambda liar, turn, peer, data: b"\x00" * (1 << 20),
    "another round": lambda liar, turn, peer, data: another(liar, 2),
    "other answers": other_answers,
}


@pytest.mark.parametrize("evidence", [False, True])
@pytest.mark.parametrize("name", SPEECHES)
def test_lies_in_the_conference(name: str, evidence: bool) -> None:
    """After a false accusation, and after a dispute with a message that was really altered."""
    for corrupt in some(not evidence):
        verdict = lie(corrupt, evidence, speak=SPEECHES[name])
        assert verdict is not None
        assert verdict.kind != "unclear"
        for message in [payloads(r, evidence).get(corrupt) for r in others(corrupt)]:
            if message is not None:
                verdict = lie(
                    corrupt, evidence, Tampering("altered", message), at=-1, speak=SPEECHES[name]
                )
                assert verdict is not None
                assert not (evidence and verdict.kind == "unclear")


def test_two_statements_convict_their_author() -> None:
    for corrupt in FOUR:
        verdict = lie(corrupt, speak=two_tongues)
        assert (verdict.kind, verdict.party) == ("convicted", corrupt)


STATEMENTS: dict[str, Callable[[Liar, Statement], Statement]] = {
    "passed one more": lambda liar, s: msgspec.structs.replace(
        s, passed=s.passed + 1, reached=s.passed + 1
    ),
    "passed less": lambda liar, s: msgspec.structs.replace(s, passed=0, reached=0, proofs=()),
    "reached less": lambda liar, s: msgspec.structs.replace(s, reached=s.passed),
    "reached more": lambda liar, s: msgspec.structs.replace(s, reached=s.passed + 2),
    "no proofs": lambda liar, s: msgspec.structs.replace(s, proofs=()),
    "proofs in another order": lambda liar, s: msgspec.structs.replace(s, proofs=s.proofs[::-1]),
    "another transcript": lambda liar, s: msgspec.structs.replace(s, transcript=b"other"),
    "another's name": lambda liar, s: msgspec.structs.replace(s, party=others(liar.name)[0]),
    "heard from another": lambda liar, s: msgspec.structs.replace(
        s, seen=Seen("heard", others(liar.name)[0], "TC-3401", said=Signed(b"x", bytes(64)))
    ),
    "silence of itself": lambda liar, s: msgspec.structs.replace(s, seen=Seen("silent", liar.name)),
    "stuck without places": lambda liar, s: msgspec.structs.replace(s, seen=Seen("stuck")),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_lies_about_positions(name: str) -> None:
    for corrupt, at in product(FOUR, (2, 3, 5)):
        verdict = lie(corrupt, at=at, retell=STATEMENTS[name])
        assert verdict is not None
        assert verdict.kind != "unclear"
        assert verdict.restart <= 4


ASIDES: dict[str, Callable[[Liar, bytes], bytes]] = {
    "nothing": lambda liar, told: b"",
    "garbage": lambda liar, told: b"\x00\x01",
    "changed": lambda liar, told: told[:-1] + bytes([told[-1] ^ 1]),
    "another's statement": lambda liar, told: msgspec.msgpack.encode(
        Exhibit(others(liar.name)[0], "statement", Signed(b"x", bytes(64)))
    ),
    "another statement": lambda liar, told: encoded(
        Exhibit(liar.name, "statement", liar.signed(_elsewhere(liar)))
    ),
}


def _elsewhere(liar: Liar) -> Statement:
    said = liar.truth(PartyLostError(""))
    return msgspec.structs.replace(said, operation="something else")


@pytest.mark.parametrize("name", ASIDES)
def test_lies_in_an_abort(name: str) -> None:
    """To all, and to one alone, who has to hand on what it was told."""
    for corrupt in FOUR:
        assert lie(corrupt, aside=ASIDES[name]) is not None
        for peer in others(corrupt):

            def to_one(sent: Sent, peer: str = peer, corrupt: str = corrupt) -> Any:
                kept = (sent.sender, sent.kind) == (corrupt, "abort") and sent.receiver != peer
                return () if kept else (sent.payload,)

            assert lie(corrupt, adversary=to_one, aside=ASIDES[name]) is not None


def test_false_heartbeats() -> None:
    """A party that withholds a message and tells everybody to wait for somebody else."""
    for corrupt in FOUR:
        everybody = frozenset(others(corrupt))
        own = [m for m in attackable(corrupt, False) if m.kind == "round"][6]
        for peer in others(corrupt):
            claims = {
                "past it": lambda mesh, true: (true[0] + 5, frozenset()),
                "waits for it": lambda mesh, true, peer=peer: (true[0], frozenset({peer})),
                "waits, long ago": lambda mesh, true, peer=peer: (1, frozenset({peer})),
                "waits for all": lambda mesh, true, all_=everybody: (true[0], all_),
            }
            for name, claimed in claims.items():
                found = run(
                    Tampering("silent to one", own), corrupt, evidence=True, claimed=claimed
                )
                verdict = found.verdict(f"{corrupt} {name} {peer}")
                assert verdict is not None, (corrupt, peer, name)
                assert verdict.kind != "unclear", (corrupt, peer, name)


def main() -> None:
    """Everything in every way."""
    kinds: Counter[tuple[str, str]] = Counter()
    count = 0
    for party, evidence in product(FOUR, (False, True)):
        messages = attackable(party, evidence)
        count += len(messages)
        for message, way in product(messages, WAYS):
            kinds[way, attacked(way, message, evidence)] += 1
    print(f"{count} messages in {sum(kinds.values())} runs; every verdict was right.")
    for (way, kind), runs in sorted(kinds.items()):
        print(f"  {runs:5}  {way}: {kind}")


if __name__ == "__main__":
    main()
