"""What a guarded session keeps of a fault: every party a record that an outsider can check."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from guarded import shared
from hub import Ground, Hub, Sent, credentials
from simulation import FOUR

import tacit
from tacit.protocols import PROTOCOLS
from tacit.recovery.evidence import Checked, check, records
from tacit.sessions import PartySession

ALICE, BOB, CAROL, DAVE = FOUR


def program(ground: Ground, folder: Path, owner: str) -> Any:
    session = PartySession.guarded(PROTOCOLS["fantastic4"], ground, job=b"job", threads=1)  # type: ignore[arg-type]
    session.keep_evidence(folder / ground.name)
    with session:
        mpc = tacit.Computation(session)
        x = shared(mpc, ground.name, owner, [3, -4])
        for _ in range(3):
            x = x * np.array([1, -1]) * x
        return x.reveal(to="all").tolist()


def outcome(folder: Path, adversary: Any, corrupt: str) -> tuple[Hub, dict[str, list[Checked]]]:
    hub = Hub(FOUR, adversary, corrupt, 0)
    owner = BOB if corrupt == ALICE else ALICE
    hub.run({name: lambda ground: program(ground, folder, owner) for name in FOUR})
    root = credentials(FOUR)[ALICE].authority
    kept = {
        name: [check(path, root) for path in records(folder / name)]
        for name in FOUR
        if name != corrupt
    }
    return hub, kept


@pytest.mark.parametrize("corrupt", FOUR)
def test_every_party_keeps_what_proves_who_sent_something_wrong(
    corrupt: str, tmp_path: Path
) -> None:
    """First nobody can be named, then two, with digests of senders, then the one that stayed."""

    def alter(message: Sent) -> list[bytes]:
        rounds = message.kind == "round" and message.sender == corrupt
        if rounds and message.round > 8 and len(message.payload) > message.check_bytes:
            payload = bytearray(message.payload)
            payload[0] ^= 1
            return [bytes(payload)]
        return [message.payload]

    hub, kept = outcome(tmp_path, alter, corrupt)
    assert all(hub.outcome.results[name] == [6561, -65536] for name in kept)
    findings = {name: [found.verdict for found in of] for name, of in kept.items()}
    assert len({tuple(of) for of in findings.values()}) == 1
    unclear, named, *second = findings[next(iter(kept))]
    assert unclear.kind == "unclear"
    assert corrupt in (named.pair or (named.party,))
    stayed = named.pair is not None and corrupt == named.pair[0]
    assert [(found.kind, found.party) for found in second] == (
        [("convicted", corrupt)] if stayed else []
    )
    for of in kept.values():
        assert {said.party for said in of[1].statements} >= set(FOUR) - {corrupt}


def test_a_crash_leaves_evidence_of_silence(tmp_path: Path) -> None:
    def vanish(message: Sent) -> list[bytes]:
        gone = message.sender == DAVE and message.kind == "round" and message.round > 8
        return [] if gone else [message.payload]

    _, kept = outcome(tmp_path, vanish, DAVE)
    for of in kept.values():
        (found,) = of
        assert DAVE in (found.verdict.pair or (found.verdict.party,))
        assert found.verdict.basis == "silence"
