"""Parties of a guarded session that run other code: false accusations, wrong set-ups, two faults.

Whatever an accuser says in whatever stage, the others end with the right results; evidence of each
verdict holds before an outsider. With more than one fault nobody gets anything wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from faults import RIGHT, Run, X, complete, program, run
from hub import Ground, HubMesh, Late, Sent
from misbehaviour import Tampering, messages_of
from simulation import FOUR

import tacit
from tacit import Computation
from tacit.errors import (
    DeadlineError,
    Dispute,
    DisputeError,
    MessageError,
    PartyLostError,
    RecoveryError,
    TacitError,
    TransportError,
    VerificationError,
)
from tacit.protocols import PROTOCOLS
from tacit.recovery import evidence
from tacit.sessions import PartySession

Stops = Callable[[HubMesh], TacitError]


def accuser(stops: Stops, stage: int, at: int, again: bool = False) -> Callable[[Ground], Any]:
    """The program of a party that stops in a round of its `stage`-th links, with an error."""

    def corrupt(ground: Ground) -> Any:
        meshes: list[HubMesh] = []
        connect = ground.connect

        def connected(*arguments: Any, **more: Any) -> HubMesh:
            mesh = connect(*arguments, **more)
            meshes.append(mesh)
            if len(meshes) - 1 == stage or (again and len(meshes) - 1 > stage):
                send = mesh._send_round

                def stopping(current: Any) -> None:
                    if mesh.round_number == at:
                        raise stops(mesh)
                    send(current)

                mesh._send_round = stopping  # type: ignore[method-assign]
            return mesh

        ground.connect = connected  # type: ignore[method-assign]
        return program(ground)

    return corrupt


def dispute(mesh: HubMesh, nonce: int) -> DisputeError:
    """A dispute that never was."""
    error = DisputeError("")
    sender, backup, other = [name for name in FOUR if name != mesh.name]
    error.dispute = Dispute(mesh.session, nonce, sender, backup, mesh.name, other)
    return error


STOPS: dict[str, Callable[[HubMesh, str], TacitError]] = {
    "silent": lambda mesh, peer: PartyLostError("", parties=[peer]),
    "late": lambda mesh, peer: DeadlineError("", parties=[peer]),
    "malformed": lambda mesh, peer: MessageError("", parties=[peer]),
    "wrong": lambda mesh, peer: VerificationError("", parties=[peer]),
    "a check": lambda mesh, peer: VerificationError(""),
    "stuck": lambda mesh, peer: DeadlineError("", case=5),
    "dispute": lambda mesh, peer: dispute(mesh, 3),
    "links": lambda mesh, peer: TransportError(""),
}


@pytest.mark.parametrize("again", [False, True], ids=["once", "again and again"])
@pytest.mark.parametrize("how", STOPS)
def test_an_accuser_of_one_other(how: str, again: bool) -> None:
    for corrupt, peer, at in (("alice", "dave", 30), ("carol", "bob", 12), ("dave", "alice", 44)):
        liar = accuser(lambda mesh, peer=peer: STOPS[how](mesh, peer), 0, at, again)
        found = run(corrupt=corrupt, programs={corrupt: liar})
        told = found.check(f"{corrupt} says of {peer}: {how}")
        assert told, (corrupt, at)


@pytest.mark.parametrize("how", STOPS)
def test_an_accuser_among_three(how: str) -> None:
    """It stayed after a pair was found; what it says then convicts itself."""
    for at in (1, 9, 30):
        liar = twice_accusing(STOPS[how], at)
        found = run(corrupt="alice", programs={"alice": liar})
        found.check(f"{how}, {at}")
        for name in found.honest:
            stages = [i.stage for i in found.incidents(name)]
            assert stages == [1, 2], (name, how, at)


def twice_accusing(stops: Callable[[HubMesh, str], TacitError], at: int) -> Any:
    """Alice accuses bob among four, and then carol among three."""

    def corrupt(ground: Ground) -> Any:
        meshes: list[HubMesh] = []
        connect = ground.connect

        def connected(*arguments: Any, **more: Any) -> HubMesh:
            mesh = connect(*arguments, **more)
            meshes.append(mesh)
            first, send = len(meshes) == 1, mesh._send_round

            def stopping(current: Any) -> None:
                if first and mesh.round_number == 30:
                    raise MessageError("", parties=["bob"])
                if not first and mesh.round_number == at:
                    raise stops(mesh, "carol")
                send(current)

            mesh._send_round = stopping  # type: ignore[method-assign]
            return mesh

        ground.connect = connected  # type: ignore[method-assign]
        return program(ground)

    return corrupt


def late_message(party: str) -> Sent:
    sent = run().hub.sent
    later = sent[complete(sent) + 1 :]
    return next(m for m in messages_of(party, later) if m.kind == "round" and m.payload)


@pytest.mark.parametrize("way", ["altered", "cut", "silent to one", "silent to all", "crash"])
def test_evidence_of_every_verdict_holds(way: str, tmp_path: Path) -> None:
    """On every honest party's side, for an outsider who knows the authority's certificate."""
    message = late_message("bob")
    authority: list[bytes] = []

    def kept(ground: Ground) -> Any:
        authority.append(ground.authority)
        return program(ground, lambda session: session.keep_evidence(tmp_path / ground.name))

    found = run(Tampering(way, message), "bob", programs=dict.fromkeys(FOUR, kept))
    told = found.check(way)
    for name in found.honest:
        records = [i.evidence for i in found.incidents(name) if i.evidence is not None]
        assert len(records) == len(told), name
        for record, (kind, party, pair) in zip(records, told, strict=True):
            checked = evidence.check(record, authority[0])
            verdict = checked.verdict
            assert (verdict.kind, verdict.party, verdict.pair) == (kind, party, pair)


def never_wrong(found: Run, honest: list[str]) -> int:
    """How many ended with results, which are right; the others with an error that says why."""
    finished = 0
    for name in honest:
        error = found.hub.outcome.errors.get(name)
        if error is not None:
            assert isinstance(error, RecoveryError), (name, error)
            continue
        got, _ = found.hub.outcome.results[name]
        assert all(got[key] == RIGHT[key] for key in got), (name, got)
        finished += 1
    return finished


@pytest.mark.parametrize("way", ["altered", "dropped", "cut", "crash"])
def test_a_second_fault_by_another_party_never_makes_a_wrong_result(way: str) -> None:
    """Alice crashes; then bob deviates among the three: they stop, or it was nothing."""
    crash = Tampering("crash", late_message("alice"))
    begun = run(crash, "alice")
    begun.check()
    own = [m for m in messages_of("bob", begun.hub.sent) if m.mesh.startswith("bob carol dave")]
    stopped = 0
    for message in own[:: max(1, len(own) // 8)]:
        second = Tampering(way, message)
        found = run(lambda m, second=second: (crash if m.sender == "alice" else second)(m), "bob")
        stopped += never_wrong(found, ["carol", "dave"]) < 2
    assert stopped


def test_a_served_party_that_dawdles_to_one_alone_convicts_nobody() -> None:
    """Bob confirms every output to carol just in time, and to dave at once, who runs ahead."""

    def many(ground: Ground) -> Any:
        session = PartySession.guarded(
            PROTOCOLS["fantastic4"], ground, job=b"job", patience=60.0, threads=1
        )
        with session:
            mpc = Computation(session)
            values = X if ground.name == "alice" else None
            x = mpc.share(values, "alice", dtype=tacit.int64, shape=X.shape)
            product = x * x
            everybody = product.reveal(to="all").tolist()
            for result in [product + number for number in range(12)]:
                result.reveal(to="bob")
            return [everybody, (x > 0).reveal(to="all").tolist()], session.incidents

    def dawdling(message: Sent) -> Any:
        if message.sender == "bob" and message.mesh.startswith("bob carol dave"):
            late = message.receiver == "carol" and len(message.payload) == 1
            return (Late(7.0, message.payload),) if late else (message.payload,)
        here = (message.kind, message.round, message.sender, message.receiver)
        cut = here == ("round", begin, "bob", "alice") and message.mesh.startswith("alice bob")
        return (message.payload[:-1] if cut else message.payload,)

    sent = run(programs=dict.fromkeys(FOUR, many)).hub.sent
    begin = next(
        m.round
        for m in sent[complete(sent) + 1 :]
        if (m.kind, m.sender, m.receiver) == ("round", "bob", "alice") and m.payload
    )
    found = run(dawdling, "bob", programs=dict.fromkeys(FOUR, many))
    for name in found.honest:
        values, incidents = found.hub.outcome.results[name]
        assert values == [(X * X).tolist(), (X > 0).tolist()]
        assert [(i.kind, i.stage) for i in incidents] == [("pair", 1)], incidents
    assert found.hub.clock > 80


def test_split_seeds_at_set_up_end_it_before_an_input() -> None:
    """A contribution told differently to two holders, with a commitment that fits each."""
    from tacit.protocols.fantastic4 import keys

    other = bytes(range(32))
    session: list[bytes] = []

    def split(message: Sent) -> tuple[bytes, ...]:
        if (message.sender, message.receiver, message.kind) != ("carol", "bob", "round"):
            return (message.payload,)
        # Between carol and bob the common keys are 0 and 3: key 3 comes second.
        if message.round == 1:
            return (message.payload[:32] + keys._commitment(session[0], 3, 2, other),)
        return (message.payload[:32] + other,) if message.round == 3 else (message.payload,)

    def watching(ground: Ground) -> Any:
        connect = ground.connect

        def connected(*arguments: Any, **more: Any) -> HubMesh:
            mesh = connect(*arguments, **more)
            session.append(mesh.session_id)
            return mesh

        ground.connect = connected  # type: ignore[method-assign]
        return program(ground)

    found = run(split, "carol", programs=dict.fromkeys(FOUR, watching))
    for name in found.honest:
        error = found.hub.outcome.errors[name]
        assert isinstance(error, RecoveryError), error
        assert error.code == "TC-5503"
