"""Lies in statements and answers: no honest party is ever at fault, the corrupt one always is.

That all honest parties judge the same is the conference's part (`test_conference.py`); here one
set of accepted statements is judged, for every way in which the honest parties can have come to
theirs and everything that the corrupt one can say besides.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

import pytest
from conferences import (
    BASE,
    KEYS,
    NAMES,
    OCCASION,
    OTHER,
    heard,
    position,
    signer,
    statement,
)

from tacit.errors import RecoveryError
from tacit.recovery import Seen, SeenDispute, Signed, Verdict
from tacit.recovery.statements import Answer, Standing, encoded
from tacit.recovery.validity import Rules
from tacit.recovery.verdict import judge

RULES = Rules(OCCASION, NAMES, KEYS, BASE)
RIGHT, WRONG, OTHER_WRONG = b"r" * 32, b"w" * 32, b"o" * 32
DIGESTS = (RIGHT, WRONG, OTHER_WRONG, None)

Roles = tuple[str, str, str, str]


def check(verdict: Verdict, corrupt: str) -> None:
    assert verdict.party in (None, corrupt), verdict
    assert verdict.pair is None or corrupt in verdict.pair, verdict


def of_roles(roles: Roles, received: bytes, vouched: bytes, nonce: int = 7) -> Seen:
    sender, backup, receiver, other = roles
    dispute = SeenDispute(nonce, sender, backup, receiver, other, received, vouched)
    return Seen("dispute", code="TC-5300", dispute=dispute)


def answered(party: str, roles: Roles, known: bool, digest: bytes | None) -> tuple[Signed, ...]:
    body = Answer(
        occasion=OCCASION,
        party=party,
        nonce=7,
        sender=roles[0],
        backup=roles[1],
        receiver=roles[2],
        known=known,
        digest=digest,
    )
    return (signer(party).sign("answer", OCCASION, encoded(body)),)


def others(*names: str) -> list[str]:
    return [name for name in NAMES if name not in names]


def all_hear(first: str, said: Signed, corrupt: str) -> dict[str, Signed]:
    """The honest parties' statements when `first` saw something and the others heard it."""
    if RULES.original(first, said) is None:  # an honest party hands nothing on that makes no sense
        return {p: statement(p, Seen("malformed", first)) for p in others(first)}
    found = {p: heard(p, first, said) for p in others(first, corrupt)}
    return found if first == corrupt else {**found, first: said}


def honest_accounts(corrupt: str) -> Iterator[dict[str, Signed]]:
    """What honest parties say after something that a corrupt party did."""
    for first in others(corrupt):
        for kind in ("silent", "malformed", "wrong"):
            said = statement(first, Seen(kind, corrupt, "TC-3402"))
            yield all_hear(first, said, corrupt)
    one, two, three = others(corrupt)
    first = statement(one, Seen("silent", corrupt))
    second = statement(two, Seen("malformed", corrupt))
    yield {one: first, two: second, three: heard(three, two, second)}
    yield {p: statement(p, Seen("silent", corrupt)) for p in others(corrupt)}


def claims(corrupt: str) -> Iterator[Signed]:
    """Statements that the corrupt party may sign, sensible and not."""
    for peer in (*NAMES, "", "eve"):
        for kind in ("silent", "malformed", "wrong", "heard", "dispute"):
            yield statement(corrupt, Seen(kind, peer))
    for kind in ("stopped", "failed check", "stuck"):
        yield statement(corrupt, Seen(kind))
    peer = others(corrupt)[0]
    settled = tuple((p, Standing(9, (corrupt,))) for p in others(corrupt))
    yield statement(corrupt, Seen("stuck", settled=settled), standing=Standing(9, (peer,)))
    yield statement(corrupt, Seen("stuck", settled=settled))
    for roles in itertools.permutations(NAMES):
        for received, vouched in ((RIGHT, WRONG), (WRONG, RIGHT), (WRONG, WRONG)):
            yield statement(corrupt, of_roles(roles, received, vouched))
    accused = statement(peer, Seen("silent", others(corrupt)[1]))
    forged = Signed(accused.body, bytes(64))
    yield statement(corrupt, Seen("heard", peer, said=forged))
    yield heard(corrupt, peer, statement(peer, Seen("silent", corrupt), occasion=OTHER))
    yield heard(corrupt, corrupt, statement(corrupt, Seen("silent", peer)))
    yield statement(corrupt, Seen("silent", peer), occasion=OTHER)
    for passed, reached in ((BASE, BASE + 2), (BASE + 1, BASE), (BASE - 1, BASE), (10**6, 10**6)):
        yield statement(corrupt, Seen("silent", peer), passed=passed, reached=reached, proofs=())
    proofs = [position(p, BASE + 1) for p in others(corrupt)]
    for bad in (
        proofs[:2],
        [proofs[1], proofs[0], proofs[2]],
        [position(p, BASE) for p in others(corrupt)],
        [position(p, BASE + 1, b"u") for p in others(corrupt)],
        [position(p, BASE + 1, occasion=OTHER) for p in others(corrupt)],
        [Signed(p.body, bytes(64)) for p in proofs],
    ):
        yield statement(corrupt, Seen("silent", peer), passed=BASE + 1, proofs=tuple(bad))
    for code in ("TC-5300\n", "<b>", "TC-53000"):  # what reports print
        yield statement(corrupt, Seen("stopped", code=code))
    for body in (b"", b"\xc0", bytes(5_000)):
        yield signer(corrupt).sign("statement", OCCASION, body)


@pytest.mark.parametrize("corrupt", NAMES)
@pytest.mark.parametrize("evidence", [False, True])
def test_whatever_it_says_when_it_was_caught(corrupt: str, evidence: bool) -> None:
    judged = 0
    for account in honest_accounts(corrupt):
        accepted = {party: (said,) for party, said in account.items()}
        for lie in claims(corrupt):
            for said in ((), (lie,), (lie, statement(corrupt, Seen("stopped")))):
                statements = {**accepted, corrupt: said}
                for answer in (RIGHT, None):
                    asked = _asked(statements, corrupt, answer)
                    verdict = judge(RULES, statements, asked, evidence=evidence)
                    check(verdict, corrupt)
                    assert verdict.kind != "unclear"
                    judged += 1
    assert judged > 4_000


def _asked(
    statements: dict[str, tuple[Signed, ...]], corrupt: str, answer: bytes | None
) -> dict[str, tuple[Signed, ...]]:
    """What honest parties answer to a dispute that the corrupt one invents."""
    said = statements[corrupt]
    found = RULES.statement(corrupt, said[0].body) if len(said) == 1 else None
    dispute = None if found is None else found.seen.dispute
    if dispute is None:
        return {}
    roles = (dispute.sender, dispute.backup, dispute.receiver, dispute.other)
    return {p: answered(p, roles, True, answer) for p in roles[:2] if p != corrupt}


@pytest.mark.parametrize("evidence", [False, True])
@pytest.mark.parametrize("roles", list(itertools.permutations(NAMES)))
def test_every_lie_about_one_message(roles: Roles, evidence: bool) -> None:
    """Sender, backup or receiver is corrupt: all that it can have sent, said and answered."""
    sender, backup, receiver, _ = roles
    unclear = set()
    for corrupt in (sender, backup, receiver):
        digests = [d for d in DIGESTS if d is not None]
        for received, vouched in itertools.product(digests, repeat=2):
            # An honest receiver states what it got: one of the two is the right one.
            right = received if corrupt == backup else vouched
            if corrupt != receiver and (right != RIGHT or received == vouched):
                continue
            first = statement(receiver, of_roles(roles, received, vouched))
            account = all_hear(receiver, first, corrupt)
            honest_digest = evidence, (RIGHT if evidence else None)
            lies: list[tuple[Signed, ...]] = [()]
            if corrupt != receiver:
                for digest in DIGESTS:
                    lies.append(answered(corrupt, roles, True, digest))
                lies.append(answered(corrupt, roles, False, None))
                lies.append(answered(corrupt, roles, False, RIGHT))
                lies.append((*lies[1], *lies[2]))
                own = [(), (heard(corrupt, receiver, first),)]
                own += [
                    (s,) for s in (statement(corrupt, Seen("silent", p)) for p in others(corrupt))
                ]
            else:
                own = [(first,)]
            for lie, said in itertools.product(lies, own):
                statements = {**{p: (s,) for p, s in account.items()}, corrupt: said}
                answers = {
                    sender: answered(sender, roles, *honest_digest),
                    backup: answered(backup, roles, True, RIGHT),
                }
                if corrupt != receiver:
                    answers[corrupt] = lie
                verdict = judge(RULES, statements, answers, evidence=evidence)
                check(verdict, corrupt)
                if verdict.kind == "unclear":
                    unclear.add(corrupt)
    assert unclear == (set() if evidence else {sender, backup, receiver})


def test_what_two_digests_prove() -> None:
    """The four kinds of dispute, by name."""
    roles = NAMES
    alice, bob, carol, _ = NAMES

    def verdict(received: bytes, vouched: bytes, sent: bytes, knows: bytes) -> Verdict:
        first = statement(carol, of_roles(roles, received, vouched))
        statements = {p: (said,) for p, said in all_hear(carol, first, carol).items()}
        answers = {alice: answered(alice, roles, True, sent)}
        answers[bob] = answered(bob, roles, True, knows)
        return judge(RULES, {**statements, carol: (first,)}, answers, evidence=True)

    assert verdict(WRONG, RIGHT, RIGHT, RIGHT).pair == (alice, carol)
    assert verdict(RIGHT, WRONG, RIGHT, RIGHT).pair == (bob, carol)
    assert verdict(WRONG, RIGHT, WRONG, RIGHT).pair == (alice, bob)
    assert verdict(WRONG, RIGHT, OTHER_WRONG, RIGHT).party == alice
    assert verdict(RIGHT, WRONG, RIGHT, OTHER_WRONG).party == bob
    assert verdict(WRONG, OTHER_WRONG, RIGHT, RIGHT).party == carol
    assert verdict(WRONG, WRONG, RIGHT, RIGHT).party == carol
    with pytest.raises(RecoveryError, match="TC-5501"):
        verdict(RIGHT, WRONG, WRONG, OTHER_WRONG)


@pytest.mark.parametrize("corrupt", NAMES)
@pytest.mark.parametrize("passed", [BASE, BASE + 1])
def test_going_back_on_a_barrier_that_was_signed(corrupt: str, passed: int) -> None:
    """An honest party passed a barrier, with the corrupt one's signed position as a proof."""
    first = others(corrupt)[0]
    said = statement(first, Seen("silent", corrupt), passed=BASE + 1)
    account = {p: heard(p, first, said, reached=BASE + 1) for p in others(first, corrupt)}
    lie = statement(corrupt, Seen("silent", first), passed=passed)
    statements = {**{p: (s,) for p, s in account.items()}, first: (said,), corrupt: (lie,)}
    verdict = judge(RULES, statements, {}, evidence=False)
    check(verdict, corrupt)
    assert verdict.restart == BASE + 1
    assert verdict.kind == ("pair" if passed == BASE + 1 else "convicted")


def test_who_told_one_party_something_else_than_all_is_convicted() -> None:
    alice, bob, carol, dave = NAMES
    told = statement(dave, Seen("silent", alice))
    statements = {
        alice: (heard(alice, dave, told),),
        bob: (heard(bob, dave, told),),
        carol: (heard(carol, dave, told),),
        dave: (statement(dave, Seen("silent", bob)),),
    }
    assert judge(RULES, statements, {}, evidence=False).party == dave
    assert judge(RULES, {**statements, dave: (told,)}, {}, evidence=False).pair == (alice, dave)


def test_what_names_nobody_is_unclear_once() -> None:
    alice, bob, carol, dave = NAMES
    failed = statement(dave, Seen("failed check"))
    statements = {p: (heard(p, dave, failed),) for p in (alice, bob, carol)}
    statements[dave] = (failed,)
    assert judge(RULES, statements, {}, evidence=False).kind == "unclear"
    assert judge(RULES, statements, {}, evidence=True).party == dave


def test_nor_in_storage_the_second_time() -> None:
    """Sessions store nothing in an attempt with digests, so no honest party says so there."""
    alice, bob, carol, dave = NAMES
    failed = statement(dave, Seen("failed check", code="TC-5211"), operation="storage")
    statements = {p: (heard(p, dave, failed, operation="storage"),) for p in (alice, bob, carol)}
    assert judge(RULES, {**statements, dave: (failed,)}, {}, evidence=True).party == dave


def test_two_faults_are_not_explained_by_one_party() -> None:
    alice, bob, carol, dave = NAMES
    statements = {alice: (statement(alice, Seen("silent", bob)),)}
    statements[bob] = (statement(bob, Seen("silent", alice)),)
    with pytest.raises(RecoveryError, match="TC-5501"):
        judge(RULES, {**statements, carol: (), dave: ()}, {}, evidence=False)


def test_when_nothing_goes_on_somebody_is_named() -> None:
    """Standings of three honest parties that a network can bring about, all lies of the fourth."""
    random_source = random.Random(1)
    named = judged = 0
    for _ in range(8_000):
        corrupt = random_source.choice(NAMES)
        honest = others(corrupt)
        standing = {
            p: Standing(
                random_source.randrange(3),
                tuple(q for q in others(p) if random_source.random() < 0.5),
                random_source.random() < 0.9,
            )
            for p in honest
        }
        # A steady honest party does not lack what another honest one sent long ago, and does
        # not compute for so long.
        if any(s.steady and not s.awaits for s in standing.values()) or any(
            standing[p].steady
            and standing[q].steady
            and q in standing[p].awaits
            and standing[q].round >= standing[p].round
            for p, q in itertools.permutations(honest, 2)
        ):
            continue
        told = {
            p: Standing(
                random_source.randrange(3),
                tuple(q for q in others(corrupt) if random_source.random() < 0.5),
            )
            for p in honest
        }
        own = random_source.choice([None, *told.values()])
        lists = {
            p: tuple((q, told[p] if q == corrupt else standing[q]) for q in others(p))
            for p in honest
        }
        liars = tuple((q, random_source.choice([standing[q], told[q]])) for q in others(corrupt))
        # An honest party says so only if all stood still; the corrupt one whenever it likes.
        stuck = all(s.steady for s in standing.values()) and random_source.random() < 0.7
        first = random_source.choice(honest) if stuck else corrupt
        seen = Seen("stuck", settled=lists[first] if stuck else liars)
        said = statement(first, seen, standing=standing.get(first, own))
        statements = {first: (said,)}
        for p in others(first):
            statements[p] = (
                statement(p, Seen("heard", first, said=said), standing=standing.get(p, own)),
            )
        verdict = judge(RULES, statements, {}, evidence=False)
        check(verdict, corrupt)
        judged += 1
        named += verdict.kind != "unclear"
        if all(s.steady for s in standing.values()):
            assert verdict.kind != "unclear", (corrupt, standing, own, seen)
    assert judged > 500
    assert named > 200
