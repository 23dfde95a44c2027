"""A corrupt party in a conference: whatever it sends to whom, all honest ones find the same.

Every way of sending one of several signed statements, nothing, or bytes of all kinds to each of
the three others, in both rounds of both broadcasts; it speaks after it has seen what all honest
parties send. The property breaks with one round (`insecure_one_round`).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from functools import cache

import msgspec
import pytest
from conferences import (
    KEYS,
    NAMES,
    OCCASION,
    OTHER,
    Adversary,
    Hall,
    Traffic,
    heard,
    signer,
    statement,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from insecure_one_round import confer_in_one_round

from tacit.recovery import Keys, Seen, SeenDispute, Signed, Verdict, confer
from tacit.recovery.statements import Answer, Forwarded, Letter, encoded

ALICE, BOB, CAROL, DAVE = NAMES
HONEST = (ALICE, BOB, CAROL)
"""Dave is corrupt here; the parties are alike in a conference."""


@cache
def honest_statements() -> Mapping[str, Signed]:
    """Dave was silent to alice; bob and carol heard it from her."""
    first = statement(ALICE, Seen("silent", DAVE, "TC-3402"), reached=4)
    return {
        ALICE: first,
        BOB: heard(BOB, ALICE, first, reached=4),
        CAROL: heard(CAROL, ALICE, first, passed=4),
    }


def lies() -> dict[str, Signed]:
    return {
        "accuses alice": statement(DAVE, Seen("silent", ALICE, "TC-3402"), reached=4),
        "accuses bob": statement(DAVE, Seen("wrong", BOB, "TC-5203"), reached=4),
        "of another session": statement(DAVE, Seen("silent", ALICE), occasion=OTHER),
    }


FIRST: dict[str, bytes | None] = {
    "nothing": None,
    **{name: encoded(Letter(1, said)) for name, said in lies().items()},
    "late": encoded(Letter(2, lies()["accuses alice"])),
    "of alice": encoded(Letter(1, honest_statements()[ALICE])),
    "no bytes": b"",
    "no message": b"\xc1\x00\xff",
    "deep": b"\x91" * 20_000,
    "long": encoded(Letter(1, Signed(bytes(60_000), bytes(64)))),
    "too long": encoded(Letter(1, signer(DAVE).sign("statement", OCCASION, bytes(12_289)))),
    "no statement": encoded(Letter(1, signer(DAVE).sign("statement", OCCASION, b"\x80"))),
}


def bundle(heard_of: Iterator[tuple[str, Signed]] | list[tuple[str, Signed]]) -> bytes:
    body = encoded(Forwarded(OCCASION, DAVE, "statement", tuple(heard_of)))
    return encoded(Letter(2, signer(DAVE).sign("forwarded", OCCASION, body)))


def seconds() -> dict[str, bytes | None]:
    true = list(honest_statements().items())
    forged = Signed(statement(BOB, Seen("silent", ALICE)).body, bytes(64))
    old = statement(BOB, Seen("silent", ALICE), occasion=OTHER)
    answer = Answer(
        occasion=OCCASION,
        party=ALICE,
        nonce=1,
        sender=ALICE,
        backup=BOB,
        receiver=CAROL,
        known=False,
    )
    of_answers = encoded(Forwarded(OCCASION, DAVE, "answer", tuple(true)))
    return {
        "nothing": None,
        "all it heard": bundle(true),
        "nothing heard": bundle([]),
        "forged": bundle([(BOB, forged)]),
        "replayed": bundle([(BOB, old)]),
        "signed for another purpose": bundle(
            [(ALICE, signer(ALICE).sign("answer", OCCASION, encoded(answer)))]
        ),
        "its own": bundle([(DAVE, s) for s in lies().values()]),
        "strangers": bundle([("eve", forged), ("", forged)]),
        "under alice's name": encoded(
            Letter(
                2,
                signer(DAVE).sign(
                    "forwarded",
                    OCCASION,
                    encoded(Forwarded(OCCASION, ALICE, "statement", tuple(true))),
                ),
            )
        ),
        "of answers": encoded(Letter(2, signer(DAVE).sign("forwarded", OCCASION, of_answers))),
        "as round 1": encoded(Letter(1, lies()["accuses alice"])),
        "no bytes": b"",
        "noise": bytes(range(256)),
    }


def sends(first: tuple[str, ...], second: tuple[str, ...]) -> Adversary:
    """What dave sends alice, bob and carol, by the names of the tables."""
    tables = {1: (FIRST, first), 2: (seconds(), second)}

    def speak(number: int, _: Traffic) -> Mapping[str, bytes]:
        table, names = tables[number]
        said = {party: table[name] for party, name in zip(HONEST, names, strict=True)}
        return {party: data for party, data in said.items() if data is not None}

    return speak


def agreed(verdicts: Mapping[str, Verdict]) -> Verdict:
    assert set(verdicts) == set(HONEST)
    assert len(set(verdicts.values())) == 1
    verdict = verdicts[ALICE]
    assert verdict.kind != "unclear"
    assert verdict.party in (None, DAVE)
    assert verdict.pair is None or DAVE in verdict.pair
    assert verdict.restart == 4  # carol's, which her proofs show
    return verdict


def test_everything_that_it_can_send_first_to_each() -> None:
    kinds = set()
    for first in itertools.product(FIRST, repeat=3):
        for second in ("nothing", "all it heard"):
            verdict = agreed(Hall(honest_statements()).run(sends(first, (second,) * 3)))
            kinds.add((verdict.kind, verdict.party))
    assert kinds == {("lost", DAVE), ("pair", None), ("convicted", DAVE)}


@pytest.mark.parametrize(
    "first",
    [
        ("accuses alice",) * 3,
        ("accuses alice", "accuses bob", "nothing"),
        ("nothing", "nothing", "accuses bob"),
    ],
)
def test_everything_that_it_can_send_second_to_each(first: tuple[str, ...]) -> None:
    expected = agreed(Hall(honest_statements()).run(sends(first, ("nothing",) * 3)))
    for second in itertools.product(seconds(), repeat=3):
        assert agreed(Hall(honest_statements()).run(sends(first, second))) == expected


def test_what_all_find_where_it_says_the_same_to_all() -> None:
    def verdict(first: str) -> Verdict:
        return agreed(Hall(honest_statements()).run(sends((first,) * 3, ("nothing",) * 3)))

    assert verdict("nothing").kind == "lost"
    assert verdict("accuses alice").pair == (ALICE, DAVE)
    assert verdict("accuses alice").by_silence
    assert verdict("accuses bob").party == DAVE  # alice's claim and its own
    assert verdict("no statement").kind == "convicted"


def test_with_one_round_equivocation_splits_the_honest_parties() -> None:
    attack = sends(("accuses alice", "accuses bob", "nothing"), ("nothing",) * 3)
    split = Hall(honest_statements(), conference=confer_in_one_round).run(attack)
    assert len(set(split.values())) == 3
    assert agreed(Hall(honest_statements()).run(attack)).kind == "convicted"
    assert len(set(Hall(honest_statements(), conference=confer).run(attack).values())) == 1


DISPUTE = SeenDispute(7, DAVE, BOB, ALICE, CAROL, b"r" * 32, b"v" * 32)


def answers() -> dict[str, bytes | None]:
    def of(digest: bytes | None, known: bool = True, nonce: int = 7) -> bytes:
        body = Answer(
            occasion=OCCASION,
            party=DAVE,
            nonce=nonce,
            sender=DAVE,
            backup=BOB,
            receiver=ALICE,
            known=known,
            digest=digest,
        )
        return encoded(Letter(3, signer(DAVE).sign("answer", OCCASION, encoded(body))))

    return {
        "nothing": None,
        "what alice got": of(b"r" * 32),
        "what bob vouched for": of(b"v" * 32),
        "something else": of(b"x" * 32),
        "never came to it": of(None),
        "unknown": of(None, known=False),
        "about another": of(b"v" * 32, nonce=8),
        "noise": b"\x93\x03",
    }


@pytest.mark.parametrize("evidence", [False, True])
def test_everything_that_a_sender_can_answer_to_each(evidence: bool) -> None:
    """Dave sent alice what bob did not vouch for, and now gives three answers."""
    first = statement(ALICE, Seen("dispute", code="TC-5300", dispute=DISPUTE))
    own = {ALICE: first, BOB: heard(BOB, ALICE, first), CAROL: heard(CAROL, ALICE, first)}
    kept = {BOB: (True, b"v" * 32)}
    table = answers()
    daves = heard(DAVE, ALICE, first)
    for given_to in itertools.product(table, repeat=3):

        def speak(
            number: int, _: Traffic, given_to: tuple[str, ...] = given_to
        ) -> Mapping[str, bytes]:
            if number == 1:
                return dict.fromkeys(HONEST, encoded(Letter(1, daves)))
            if number != 3:
                return {}
            said = {p: table[name] for p, name in zip(HONEST, given_to, strict=True)}
            return {p: data for p, data in said.items() if data is not None}

        verdicts = Hall(own, kept, evidence).run(speak)
        assert len(set(verdicts.values())) == 1
        verdict = verdicts[ALICE]
        assert verdict.party in (None, DAVE)
        assert verdict.pair is None or DAVE in verdict.pair
        if verdict.kind == "unclear":
            assert not evidence
            assert "unknown" in given_to
            assert set(given_to) <= {"unknown", "nothing", "noise"}
        if set(given_to) == {"what alice got"}:
            assert verdict.pair == (BOB, DAVE)
        if set(given_to) == {"what bob vouched for"}:
            assert verdict.pair == (ALICE, DAVE)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_bytes_raise_anything_at_an_honest_party(data: st.DataObject) -> None:
    """Noise, and honest messages of all kinds cut, changed, doubled and sent on to others."""

    def speak(number: int, seen: Traffic) -> Mapping[str, bytes]:
        known = sorted({data for said in seen.values() for data in said.values()})
        out = {}
        for party in HONEST:
            choice = data.draw(st.sampled_from(["nothing", "noise", "changed", "again", "body"]))
            base = bytearray(data.draw(st.sampled_from(known)))
            if choice == "noise":
                out[party] = data.draw(st.binary(max_size=200))
            elif choice == "changed":
                for _ in range(data.draw(st.integers(1, 3))):
                    base[data.draw(st.integers(0, len(base) - 1))] = data.draw(st.integers(0, 255))
                out[party] = bytes(base[: data.draw(st.integers(0, len(base)))])
            elif choice == "again":
                out[party] = bytes(base)
            elif choice == "body":
                said = signer(DAVE).sign("statement", OCCASION, data.draw(st.binary(max_size=80)))
                out[party] = msgspec.msgpack.encode(Letter(min(number, 4), said))
        return out

    agreed(Hall(honest_statements()).run(speak))


def test_a_conference_of_other_keys_hears_nobody() -> None:
    """Keys decide who is heard: with no keys at all everybody is absent."""
    talk = confer(
        honest_statements()[ALICE],
        NAMES,
        signer(ALICE),
        Keys({}),
        lambda _: (False, None),
        occasion=OCCASION,
        base=3,
        evidence=False,
    )
    said = next(talk)
    assert set(said) == {BOB, CAROL, DAVE}
    assert KEYS.parties == NAMES
    talk.send({p: encoded(Letter(1, s)) for p, s in honest_statements().items() if p != ALICE})
    with pytest.raises(Exception, match="TC-5501"):
        talk.send({})
