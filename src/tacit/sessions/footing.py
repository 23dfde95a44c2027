"""Where one party stands in a guarded session: the stage, its links, keys and voice there.

Nothing of one stage's keys, streams or links is used in another: a stage is entered with a mesh, a
session id and a party of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from msgspec import Struct

from tacit.encoding.ring import Ring
from tacit.errors import InternalError, PeerFaultError, TransportError
from tacit.kernels import StreamKey
from tacit.protocols import protocol_named
from tacit.protocols.fantastic4 import Fantastic4Party
from tacit.protocols.fantastic4.journal import Journal, said
from tacit.protocols.fantastic4.keys import renew
from tacit.protocols.interface import Party, Rounding
from tacit.protocols.security import SecurityModel
from tacit.recovery import Keys, Occasion, SeenDispute, Signer, Stage, Witness, first
from tacit.rounds.contract import Step
from tacit.rounds.cost import Cost
from tacit.rounds.randomness import SystemRandomness
from tacit.sessions.entries import Outcome
from tacit.sessions.handover import Array, Members
from tacit.sessions.incidents import Finding, Incident, holding
from tacit.sessions.references import References
from tacit.sessions.surroundings import GroundLike, MeshLike

__all__ = ["FAULTS", "ROUNDS", "CatchUp", "Footing", "Point", "Terms"]

T = TypeVar("T")
M = TypeVar("M", bound=Struct)

ROUNDS: Final = 4
"""Of a conference, each of at most one patience; they end at times that count from its begin."""

STAGE_START: Final = 30.0
"""Seconds for the links of a stage, beyond what others may be kept waiting elsewhere."""

FAULTS = (TransportError, PeerFaultError)
"""What the session overcomes, once."""


@dataclass(frozen=True, slots=True)
class Point:
    """A barrier, and how far the program was there: the same at all parties.

    Attributes
    ----------
    barrier : int
        Its number.
    references : int
        How many arrays had been made.
    operations : int
        How many entries had been done.
    transcript : bytes
        The chain of their hashes.
    owners : frozenset of str
        Whose inputs had been shared.
    """

    barrier: int
    references: int
    operations: int
    transcript: bytes
    owners: frozenset[str]


@dataclass(frozen=True, slots=True)
class CatchUp:
    """What the one that joins others must run its program up to.

    Attributes
    ----------
    barrier : int
        Where the two others wait.
    arrays : list of Array
        What they then hand over.
    rejected : dict of int to Outcome
        Inputs that came to nothing, by the barrier after each.
    """

    barrier: int
    arrays: list[Array]
    rejected: dict[int, Outcome]


@dataclass(frozen=True, slots=True, repr=False)
class Terms:
    """What a party opens a guarded session with.

    Attributes
    ----------
    protocol : str
        The first stage's protocol.
    ground : GroundLike
        This party's place on the network.
    job : bytes
        What the parties run; compared in every handshake.
    parameters : mapping of str to str
        What they compare beyond that.
    rounding, ring, threads
        As for a party.
    patience : float
        Seconds that a party which is alive may keep others waiting, and that a conference's round
        takes at most.
    """

    protocol: str
    ground: GroundLike
    job: bytes
    parameters: Mapping[str, str]
    rounding: Rounding
    ring: Ring
    threads: int
    patience: float


class Footing:
    """One party in the stage that its session is in.

    Attributes
    ----------
    stage : Stage
        Who computes, with which protocol.
    identity : bytes
        The session id of the first links.
    incidents : list of Incident
        What was overcome so far.
    on_incident : callable or None
        Told of each.
    label, until
        The work's phase, for errors, and when it must be over (``time.monotonic``).
    """

    def __init__(self, terms: Terms, references: References) -> None:
        ground = terms.ground
        self.ground = ground
        self.references = references
        self.names = tuple(ground.names)
        self.name = ground.name
        self.home = self.names.index(self.name)
        self.rounding = terms.rounding
        self.ring = terms.ring
        self.stage: Stage = first(self.names, terms.protocol)
        self.incidents: list[Incident] = []
        self.on_incident: Callable[[Incident], None] | None = None
        self.label = ""
        self.until: float | None = None
        self._terms = terms
        self._patience = terms.patience
        self._point = Point(0, 0, 0, b"", frozenset())
        self._catch_up: CatchUp | None = None
        self._spent = Cost()
        self._mesh: MeshLike | None = None
        self._party: Party | None = None
        self._last_party: Party | None = None
        self._old_keys: Mapping[int, StreamKey] = {}
        self._base = 0
        mesh = ground.connect(
            self.stage.members, self.stage.protocol, terms.job, dict(terms.parameters)
        )
        self.identity = mesh.session_id
        self._signer = Signer(self.name, ground.signing_key)
        self._keys = Keys(ground.evidence_keys)
        self._begin()
        self._attach(mesh)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, stage {self.stage.number})"

    @property
    def party(self) -> Party:
        """This party in the protocol of this stage."""
        if self._party is None:
            raise InternalError(f"{self.name} does not compute in this stage")
        return self._party

    @property
    def mesh(self) -> MeshLike:
        """The links of this stage."""
        if self._mesh is None:
            raise InternalError(f"{self.name} has no links to those that compute")
        return self._mesh

    @property
    def blind(self) -> bool:
        """Whether others compute and this party only runs its program."""
        return self.name not in self.stage.members or self._catch_up is not None

    @property
    def passed(self) -> int:
        """The last barrier that all have reached."""
        return self._point.barrier

    @property
    def agreed(self) -> int:
        """The last barrier that those who go on have passed; this party may yet get there."""
        return self.passed if self._catch_up is None else self._catch_up.barrier

    @property
    def next_barrier(self) -> int:
        """The number of the next one."""
        return self._point.barrier + 1

    @property
    def security(self) -> SecurityModel:
        """What holds now."""
        return holding(self.stage, self.ring)

    def drive(self, step: Step[T], name: str) -> T:
        """Drive this party's copy of a step over the links of this stage."""
        left = None if self.until is None else max(0.0, self.until - time.monotonic())
        return self.mesh.driver.run(
            step, stage=self.label or name, deadline=left, patience=self._patience
        )

    def gather(
        self, message: M, kind: type[M], stage: str, patience: float | None = None
    ) -> dict[str, M]:
        """A small message to and from all members, outside the counted rounds."""
        seconds = self._patience if patience is None else patience
        return self.mesh.gather(message, kind, stage=stage, patience=seconds)

    # Entering and leaving.

    def _leave(self, fault: BaseException) -> None:
        """Tell the others of this stage, and be done with its links."""
        mesh, self._mesh, self._party = self._mesh, None, None
        if mesh is not None:
            mesh.abort(fault)
            self._spent = self._spent + mesh.driver.cost()

    def _connect(self) -> None:
        stage = self.stage
        self._attach(
            self.ground.connect(
                stage.members,
                stage.protocol,
                self._terms.job,
                self._handshake("computing"),
                # Others may still wait for the one that is served, or in the conference.
                ROUNDS * self._patience + STAGE_START,
            )
        )

    def _attach(self, mesh: MeshLike) -> None:
        """Fresh links, and this party's voice on them."""
        self._mesh = mesh
        self._witness.watch(mesh.driver)

    def _begin(self) -> None:
        """A new attempt at a stage, before anything of it can fail."""
        before = self._last_party
        if isinstance(before, Fantastic4Party) and self.passed > 0:
            self._old_keys = before.keys
        self._mesh, self._party, self._last_party = None, None, None
        self._speak_from(self.passed)

    def _speak_from(self, base: int) -> None:
        """A voice for this attempt, whose first barrier is the one after `base`."""
        self._base = base
        self._witness = Witness(
            Occasion(self.identity, self.stage.number, self.stage.attempt),
            self.stage.members,
            self._signer,
            self._keys,
            base=base,
            compared=self._compared,
        )
        if self._mesh is not None:
            self._witness.watch(self._mesh.driver)

    def _handshake(self, use: str) -> dict[str, str]:
        stage = self.stage
        # Stage 2 begins before it is known where the others are.
        start = "" if stage.number == 2 else f" from {self.passed}"
        place = f"{stage.number}.{stage.attempt}{start}, {use}"
        return {**self._terms.parameters, "stage": place, "session": self.identity.hex()}

    def _set_up(self) -> None:
        """The party of this stage, with keys of its own."""
        mesh = self.mesh
        protocol = protocol_named(self.stage.protocol)
        seeds = {
            peer: mesh.pairwise_key(peer, "prss")
            for peer in range(len(mesh.names))
            if peer != mesh.index
        }
        party = protocol.party(
            mesh.names,
            mesh.index,
            seeds,
            mesh.session_id,
            rounding=self.rounding,
            ring=self.ring,
        )
        party.threads = self._terms.threads
        if isinstance(party, Fantastic4Party):
            party.journal = Journal()
            party.evidence = self.stage.evidence
        self._last_party = party
        if isinstance(party, Fantastic4Party) and self._old_keys:
            renew(party, self._old_keys)
        elif protocol.setup is not None:
            self.drive(protocol.setup(party, SystemRandomness()), "set-up")
        self._party = party

    # What is asked and told.

    def _answer(self, dispute: SeenDispute) -> tuple[bool, bytes | None]:
        party = self._last_party
        if not isinstance(party, Fantastic4Party):
            return False, None
        names = (dispute.sender, dispute.backup, dispute.receiver, dispute.other)
        s, b, r, o = (self.names.index(name) for name in names)
        answer = said(party, dispute.nonce, (s, b, r, o))
        return answer.known, answer.digest

    def _compared(self, dispute: SeenDispute) -> tuple[bytes, bytes] | None:
        party = self._last_party
        if not isinstance(party, Fantastic4Party) or party.journal is None:
            return None
        names = (dispute.sender, dispute.backup, dispute.receiver, dispute.other)
        s, b, r, o = (self.names.index(name) for name in names)
        found = party.journal.dispute(dispute.nonce, (s, b, r, o))
        return None if found is None else (found.got, found.said)

    def _places(self, stage: Stage) -> Members:
        a, b, c = sorted(self.names.index(name) for name in stage.members)
        return a, b, c

    def _note(
        self,
        kind: Finding,
        party: str | None,
        pair: tuple[str, str] | None,
        reason: str,
        operation: str,
        evidence: Path | None = None,
    ) -> None:
        incident = Incident(
            at=time.time(),
            stage=self.stage.number,
            operation=operation,
            kind=kind,
            party=party,
            pair=pair,
            dropped=self.stage.dropped,
            reason=reason,
            protocol=self.stage.protocol,
            security=self.security,
            evidence=evidence,
        )
        self.incidents.append(incident)
        if self.on_incident is not None:
            self.on_incident(incident)
