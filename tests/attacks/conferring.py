"""Four parties that compute, fall out and confer, without a session around them: for attacks.

The small program has the key set-up, an input, barriers, a product, a comparison and an opening.
Whoever is stopped states what it saw and confers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from hub import Ground, Hub, honest
from simulation import FOUR

from tacit import kernels
from tacit.errors import PeerFaultError, RecoveryError, TransportError
from tacit.protocols.fantastic4 import Fantastic4Party
from tacit.protocols.fantastic4.journal import Journal, said
from tacit.recovery import (
    Keys,
    Occasion,
    SeenDispute,
    Signed,
    Signer,
    Verdict,
    Witness,
    confer,
)
from tacit.rounds.randomness import SystemRandomness

__all__ = ["VALUES", "Conferred", "Voice", "run"]

VALUES = np.array([3, 1 << 30, (1 << 64) - 5], np.uint64)
SECONDS = 60.0


@dataclass
class Voice:
    """One party's way through the program; corrupt ones override what they please."""

    ground: Ground
    evidence: bool

    def __post_init__(self) -> None:
        self.name = self.ground.name
        self.signer = Signer(self.name, self.ground.signing_key)
        self.keys = Keys(self.ground.evidence_keys)
        self.base = 0

    def run(self) -> Any:
        """The opened values, or the verdict on why there are none."""
        self.mesh = self.ground.connect(FOUR, "fantastic4", b"job", {})
        self.occasion = Occasion(self.mesh.session_id, 0, 0)
        seeds = {p: self.mesh.pairwise_key(p, "prss") for p in range(4) if p != self.mesh.index}
        self.party = Fantastic4Party(FOUR, self.mesh.index, seeds, self.mesh.session_id)
        self.party.journal = Journal()
        self.party.evidence = self.evidence
        self.witness = Witness(
            self.occasion, FOUR, self.signer, self.keys, compared=self.compared, clock=lambda: 0.0
        )
        self.witness.watch(self.mesh.driver)
        try:
            opened = self.compute()
        except (TransportError, PeerFaultError) as error:
            self.mesh.abort(error)
            return self.confer(error)
        self.mesh.close()
        return opened

    def compute(self) -> Any:
        """The program."""
        party, drive = self.party, self.drive
        if self.evidence:
            # As after an unclear verdict: the keys follow from earlier ones, without a message.
            party.keys = {j: kernels.StreamKey(bytes([j]) * 16) for j in party.held}
        else:
            drive(party.set_up(SystemRandomness()))
        self.barrier()
        values = VALUES if party.index == 0 else None
        x = drive(party.input(0, values, VALUES.shape))
        self.barrier()
        product = drive(party.multiply(x, x))
        sign = drive(party.most_significant_bit(x))
        self.barrier()
        opened = drive(party.reveal(product, range(4)))
        signs = drive(party.reveal_bits(sign, range(4)))
        assert opened is not None
        assert signs is not None
        self.barrier()
        self.barrier()
        return opened.tolist(), signs.tolist()

    def drive(self, step: Any) -> Any:
        """One step."""
        return self.mesh.run(step)

    def barrier(self) -> None:
        """Tell the others and hear them."""
        number = self.witness.reached + 1
        own = self.witness.announce(number, b"transcript %d" % number)
        self.witness.heard(self.mesh.gather(own, Signed, stage="barrier"))
        assert self.party.journal is not None
        self.party.journal.clear()

    def confer(self, error: Exception) -> Verdict | RecoveryError:
        """The conference."""
        talk = confer(
            self.witness.signed(error),
            FOUR,
            self.signer,
            self.keys,
            self.answer,
            occasion=self.occasion,
            base=self.base,
            evidence=self.evidence,
        )
        try:
            return self.ground.confer(FOUR, talk, SECONDS)
        except RecoveryError as failure:
            return failure

    def answer(self, dispute: SeenDispute) -> tuple[bool, bytes | None]:
        """The sender's or the backup's digest."""
        found = said(self.party, dispute.nonce, self.roles(dispute))
        return found.known, found.digest

    def compared(self, dispute: SeenDispute) -> tuple[bytes, bytes] | None:
        """The receiver's two digests."""
        assert self.party.journal is not None
        found = self.party.journal.dispute(dispute.nonce, self.roles(dispute))
        return None if found is None else (found.got, found.said)

    def roles(self, dispute: SeenDispute) -> tuple[int, int, int, int]:
        """Of a dispute, as indices."""
        names = (dispute.sender, dispute.backup, dispute.receiver, dispute.other)
        s, b, r, o = map(FOUR.index, names)
        return s, b, r, o


@dataclass
class Conferred:
    """What came of a run."""

    hub: Hub
    corrupt: str | None

    def verdict(self, what: str = "") -> Verdict | None:
        """The one verdict of all honest parties, which the corrupt one's guilt explains.

        None if all of them got the right result.
        """
        names = [name for name in FOUR if name != self.corrupt]
        for name in names:
            error = self.hub.outcome.errors.get(name)
            assert error is None, f"{name}: {error!r}; {what}"
        found = {name: self.hub.outcome.results[name] for name in names}
        right = (VALUES * VALUES).tolist(), [0, 0, 1]
        verdicts = {n: f for n, f in found.items() if isinstance(f, Verdict | RecoveryError)}
        assert all(f == right for n, f in found.items() if n not in verdicts), what
        if not verdicts:
            return None
        assert len(verdicts) == len(names), f"some confer and others are done; {what}"
        first, *others = verdicts.values()
        assert isinstance(first, Verdict), f"{first}; {what}"
        assert all(other == first for other in others), f"{first} and {others}; {what}"
        assert first.party in (None, self.corrupt), f"{first.reason}; {what}"
        assert first.pair is None or self.corrupt in first.pair, f"{first.reason}; {what}"
        return first


def run(
    adversary: Any = honest,
    corrupt: str | None = None,
    evidence: bool = False,
    seed: int = 0,
    claimed: Any = None,
    voices: Mapping[str, Callable[[Ground, bool], Voice]] | None = None,
) -> Conferred:
    """Run the program; `voices` are parties that run other code."""
    hub = Hub(FOUR, adversary, corrupt, seed, claimed, SECONDS)
    kinds = dict.fromkeys(FOUR, Voice) | dict(voices or {})

    def of(kind: Callable[[Ground, bool], Voice]) -> Callable[[Ground], Any]:
        return lambda ground: kind(ground, evidence).run()

    hub.run({name: of(kind) for name, kind in kinds.items()})
    return Conferred(hub, corrupt)
