"""Who is at fault, as a function of what all honest parties accepted alike.

Claims that cannot both be true contradict each other: one of the two parties is corrupt. Each such
contradiction is an edge between them; a party that contradicts itself, that is absent, or whose
words no honest party can have said, is blamed alone. At most one party is corrupt (t = 1), so one
party must be on all edges: with two different edges there is exactly one such party, with a single
edge there are two, and then the other two are honest. Player elimination: Hirt, Maurer, Przydatek
2000; for messages with a backup: Dalskov, Escudero, Keller 2021 (ePrint 2020/1330), section 4.

Every edge has the corrupt party on it, because two honest parties never contradict each other;
``docs/decisions/0050-guaranteed-output.md`` goes through the kinds of claims.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from tacit.errors import RecoveryError
from tacit.recovery.statements import (
    Answer,
    Exhibit,
    Occasion,
    SeenDispute,
    Signed,
    Statement,
    read,
)
from tacit.recovery.validity import Rules

__all__ = ["Accepted", "Basis", "Verdict", "disputed", "judge"]

Accepted: TypeAlias = Mapping[str, tuple[Signed, ...]]
"""What was accepted of each member, bodies in ascending order: none, one or several."""

Fault: TypeAlias = Literal["absent", "silent", "stopped", "liar"]

Basis: TypeAlias = Literal["words", "contradiction", "silence", "nothing"]

_LOST: Final = {"absent", "silent", "stopped"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a conference found; equal at all honest parties but for the bytes of `evidence`.

    Attributes
    ----------
    occasion : Occasion
        Of the conference.
    kind : str
        ``"unclear"``: start again from `restart`, keeping digests. ``"lost"``, ``"convicted"``:
        `party` is at fault. ``"pair"``: one of `pair` is.
    party : str or None
        The one at fault.
    pair : tuple of two str or None
        In the order of the members.
    by_silence : bool
        A pair that says no more than that one was silent to the other.
    restart : int
        The barrier from which all go on.
    basis : str
        What it rests on: a party's own signed ``"words"``, a ``"contradiction"`` between signed
        words of two, ``"silence"``, or ``"nothing"``.
    reason : str
        For people: what was said against whom.
    evidence : tuple of Exhibit
        What it rests on.
    """

    occasion: Occasion
    kind: Literal["unclear", "lost", "convicted", "pair"]
    party: str | None
    pair: tuple[str, str] | None
    by_silence: bool
    restart: int
    reason: str
    basis: Basis = "nothing"
    evidence: tuple[Exhibit, ...] = field(default=(), compare=False, repr=False)


class _Blame:
    """Contradictions between two, and faults of one, with a sentence for each."""

    def __init__(self, members: tuple[str, ...]) -> None:
        self.members = members
        self.edges: dict[tuple[str, str], set[Fault]] = {}
        self.loops: dict[str, set[Fault]] = {}
        self.reasons: list[str] = []

    def between(self, one: str, other: str, fault: Fault, reason: str) -> None:
        a, b = sorted((one, other), key=self.members.index)
        self.edges.setdefault((a, b), set()).add(fault)
        self.reasons.append(reason)

    def alone(self, party: str, fault: Fault, reason: str) -> None:
        self.loops.setdefault(party, set()).add(fault)
        self.reasons.append(reason)

    def covering(self) -> list[str]:
        """The members whose corruption explains everything."""
        return [
            member
            for member in self.members
            if all(member in edge for edge in self.edges) and not {*self.loops} - {member}
        ]

    def faults(self, party: str) -> set[Fault]:
        found = set(self.loops.get(party, ()))
        return found.union(*(kinds for edge, kinds in self.edges.items() if party in edge))


def disputed(rules: Rules, statements: Accepted) -> SeenDispute | None:
    """The dispute to be answered: the first by nonce and roles, None if nobody states one."""
    found = [
        said.seen.dispute
        for said in _valid(rules, statements).values()
        if said is not None and said.seen.dispute is not None
    ]
    order = rules.members.index
    return min(
        found,
        key=lambda d: (d.nonce, order(d.sender), order(d.backup), order(d.receiver)),
        default=None,
    )


def judge(rules: Rules, statements: Accepted, answers: Accepted, *, evidence: bool) -> Verdict:
    """The verdict on what was accepted.

    Parameters
    ----------
    statements : mapping of str to tuple of Signed
        By member; their signatures hold.
    answers : mapping of str to tuple of Signed
        The same, to the dispute of :func:`disputed`; empty without one.
    evidence : bool
        Whether senders kept digests in this attempt.

    Raises
    ------
    RecoveryError
        No single party explains all that was said (TC-5501).
    """
    blame = _Blame(rules.members)
    valid = _valid(rules, statements)
    for party in rules.members:
        said = valid[party]
        if not statements.get(party):
            blame.alone(party, "absent", f"{party} made no statement in time")
        elif len(statements[party]) > 1:
            blame.alone(party, "liar", f"{party} signed statements that contradict each other")
        elif said is None:
            blame.alone(party, "liar", f"{party} signed a statement that makes no sense")
        else:
            _claim(blame, said, evidence)
    for party, reason in _contradictions(rules, statements, valid):
        blame.alone(party, "liar", reason)
    if any(said is not None and said.seen.kind == "stuck" for said in valid.values()):
        _untangle(blame, valid)
    dispute = disputed(rules, statements)
    if dispute is not None:
        _compare(blame, rules, dispute, answers, evidence)
    restart = max((said.passed for said in valid.values() if said is not None), default=rules.base)
    return _concluded(rules.occasion, blame, restart, _exhibits(rules.members, statements, answers))


def _valid(rules: Rules, statements: Accepted) -> dict[str, Statement | None]:
    """The one valid statement of each member that made one."""
    return {
        party: rules.statement(party, found[0].body) if len(found) == 1 else None
        for party in rules.members
        for found in [statements.get(party, ())]
    }


def _claim(blame: _Blame, said: Statement, evidence: bool) -> None:
    """What one valid statement says against whom."""
    party, seen = said.party, said.seen
    match seen.kind:
        case "silent":
            blame.between(party, seen.peer, "silent", f"{party} says that {seen.peer} was silent")
        case "malformed" | "wrong":
            text = f"{party} says that {seen.peer} sent something {seen.kind}"
            blame.between(party, seen.peer, "liar", text)
        case "stopped":
            blame.alone(party, "stopped", f"{party} stopped by itself ({seen.code})")
        case "failed check" if evidence:
            text = f"{party} says that a check failed that always names a party"
            blame.alone(party, "liar", text)
        case "failed check":
            blame.reasons.append(f"{party} says that a check failed, which names nobody")
        case "stuck":
            blame.reasons.append(f"{party} says that nothing goes on and nobody is to be named")
        case "heard" | "dispute":
            pass  # claims nothing of its own; is compared


def _contradictions(
    rules: Rules, statements: Accepted, valid: Mapping[str, Statement | None]
) -> Iterable[tuple[str, str]]:
    """Members of whom two signed bodies contradict each other, wherever they stand."""
    told: dict[str, set[bytes]] = {p: {s.body for s in f} for p, f in statements.items()}
    reached: dict[str, int] = {}
    for said in _each(rules, valid):
        if said.proofs:  # which all the others signed: see `Rules.statement`
            for other in rules.others(said.party):
                reached[other] = max(said.passed, reached.get(other, 0))
        if said.seen.said is not None:
            told.setdefault(said.seen.peer, set()).add(said.seen.said.body)
    for party in rules.members:
        if len(told.get(party, ())) > 1 and len(statements.get(party, ())) == 1:
            yield party, f"{party} told one party another statement than it made to all"
    for party, barrier in reached.items():
        own = valid[party]
        if own is not None and own.reached < barrier:
            yield party, f"{party} signed that it reached barrier {barrier}, and denies it"


def _each(rules: Rules, valid: Mapping[str, Statement | None]) -> Iterable[Statement]:
    """The valid statements, and those that they hand on."""
    for said in valid.values():
        if said is None:
            continue
        yield said
        if said.seen.said is not None:
            original = rules.statement(said.seen.peer, said.seen.said.body)
            assert original is not None
            yield original


def _compare(
    blame: _Blame, rules: Rules, dispute: SeenDispute, answers: Accepted, evidence: bool
) -> None:
    """What the receiver got and heard, beside what the sender and the backup say it was."""
    s, b, r = dispute.sender, dispute.backup, dispute.receiver
    blame.reasons.append(
        f"{r} says that what {s} sent it in exchange {dispute.nonce} is not what {b} vouched for"
    )
    found: dict[str, Answer | None] = {}
    for party in (s, b):
        said = answers.get(party, ())
        answer = _answer(rules, dispute, party, said[0].body) if len(said) == 1 else None
        found[party] = answer
        if not said:
            blame.alone(party, "absent", f"{party} gave no answer in time")
        elif answer is None:
            blame.alone(party, "liar", f"{party} gave answers that contradict or make no sense")
        elif not answer.known and (evidence or party == b):
            blame.alone(party, "liar", f"{party} says that it kept no digests, which it must")
            found[party] = None
    sent, vouched = found[s], found[b]
    if sent is not None and sent.known and sent.digest != dispute.received:
        blame.between(r, s, "liar", f"{s} says that it sent something else")
    if vouched is not None and vouched.digest != dispute.vouched:
        blame.between(r, b, "liar", f"{b} says that it vouched for something else")
    if sent is not None and vouched is not None and sent.known and sent.digest != vouched.digest:
        blame.between(s, b, "liar", f"{s} and {b} should know the same message and do not")


def _untangle(blame: _Blame, valid: Mapping[str, Statement | None]) -> None:
    """Who waits for whom, when nobody complained of anybody: somebody told two of them two things.

    What parties say of themselves is one thing for all here. It is held against what they told
    the one that says "stuck", and against each other.
    """
    own = {party: said.standing for party, said in valid.items() if said is not None}
    for party, standing in own.items():
        said = valid[party]
        assert said is not None
        for other, told in said.seen.settled:
            if other in own and own[other] != told:
                blame.between(party, other, "liar", f"{other} told {party} another place to wait")
        if said.seen.settled and not (standing is not None and standing.steady):
            blame.alone(party, "liar", f"{party} says that all stood still, and not that it did")
        elif standing is not None and standing.steady and not standing.awaits:
            blame.alone(party, "silent", f"{party} computed for longer than the patience")
    steady = {party: s for party, s in own.items() if s is not None and s.steady}
    for party, standing in steady.items():
        for other in standing.awaits:
            if other in steady and steady[other].round >= standing.round and other != party:
                text = f"{party} waits for what {other} says it sent long ago"
                blame.between(party, other, "liar", text)


def _answer(rules: Rules, dispute: SeenDispute, party: str, body: bytes) -> Answer | None:
    said = read(body, Answer)
    if said is None or (not said.known and said.digest is not None):
        return None
    given = (said.occasion, said.party, said.nonce, said.sender, said.backup, said.receiver)
    asked = (dispute.nonce, dispute.sender, dispute.backup, dispute.receiver)
    return said if given == (rules.occasion, party, *asked) else None


def _concluded(
    occasion: Occasion, blame: _Blame, restart: int, exhibits: tuple[Exhibit, ...]
) -> Verdict:
    reason = "; ".join(dict.fromkeys(blame.reasons))
    found = blame.covering()
    if not blame.edges and not blame.loops:
        return Verdict(occasion, "unclear", None, None, False, restart, reason, evidence=exhibits)
    if not found:
        raise RecoveryError(
            f"what was said cannot be explained by one corrupt party: {reason}.",
            next_step="more than one party deviates or is faulty, or the network between two"
            " honest parties failed; compare the evidence of all parties before a new job.",
            case=1,
            parties=tuple(dict.fromkeys([*blame.loops, *(p for e in blame.edges for p in e)])),
            stage="conference",
        )
    basis: Basis
    if len(found) == 1:
        faults = blame.faults(found[0])
        kind: Literal["lost", "convicted"] = "lost" if faults <= _LOST else "convicted"
        if blame.loops.get(found[0], set()) & {"liar", "stopped"}:
            basis = "words"
        else:
            basis = "silence" if kind == "lost" else "contradiction"
        return Verdict(occasion, kind, found[0], None, False, restart, reason, basis, exhibits)
    one, other = found
    silent = blame.faults(one) == {"silent"}
    basis = "silence" if silent else "contradiction"
    return Verdict(occasion, "pair", None, (one, other), silent, restart, reason, basis, exhibits)


def _exhibits(
    members: tuple[str, ...], statements: Accepted, answers: Accepted
) -> tuple[Exhibit, ...]:
    return (
        *(Exhibit(p, "statement", s) for p in members for s in statements.get(p, ())),
        *(Exhibit(p, "answer", s) for p in members for s in answers.get(p, ())),
    )
