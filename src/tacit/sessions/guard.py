"""A session that ends with the right result although one party fails: log, barriers, recovery.

Every party runs the same program. Its guard keeps a log of what was done since the last *barrier*:
a point of which every party has told every other, under its signature, that it has finished all
before it. Barriers stand before what is revealed and after each input, and otherwise every so
often. After a fault the parties confer (:mod:`tacit.recovery`), agree on who is at fault or which
two may be, and on a barrier; those that stay convert their parts, connect anew with fresh keys and
repeat their logs from there; then the operation that the fault had stopped; then their programs go
on. The argument stands in ``docs/decisions/0050-guaranteed-output.md``.

Barriers are small messages outside the counted rounds. Nothing of one stage's keys, streams or
links is used in another.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from msgspec import Struct
from numpy.typing import NDArray

from tacit.encoding.digest import tagged_hash
from tacit.encoding.ring import Ring
from tacit.errors import (
    DeadlineError,
    EvidenceError,
    InputRefusedError,
    InternalError,
    PartyLostError,
    PeerFaultError,
    RecoveryError,
    StorageError,
    TransportError,
)
from tacit.kernels import StreamKey
from tacit.programs.types import SecretValue
from tacit.protocols import protocol_named
from tacit.protocols.fantastic4 import Fantastic4Party
from tacit.protocols.fantastic4.journal import Journal, said
from tacit.protocols.fantastic4.keys import renew
from tacit.protocols.interface import Party, Rounding
from tacit.protocols.security import SecurityModel
from tacit.protocols.service import put_in
from tacit.recovery import (
    Keys,
    Occasion,
    SeenDispute,
    Signed,
    Signer,
    Stage,
    Verdict,
    Witness,
    after,
    after_pair,
    confer,
    first,
)
from tacit.recovery.course import over
from tacit.recovery.evidence import write, write_after_pair
from tacit.rounds.contract import Step
from tacit.rounds.cost import Cost
from tacit.rounds.randomness import SystemRandomness
from tacit.sessions.entries import Entry, Farewell, Mark, Outcome, Put
from tacit.sessions.execution import checked_within, from_opened, input_step, reveal_step, to_open
from tacit.sessions.handover import (
    Array,
    Handover,
    Members,
    array_of,
    dropped,
    handed_over,
    in_both,
)
from tacit.sessions.incidents import Finding, Incident, holding
from tacit.sessions.references import PartyReference, References
from tacit.sessions.serving import Service
from tacit.sessions.surroundings import GroundLike, MeshLike

__all__ = ["Guard"]

T = TypeVar("T")
M = TypeVar("M", bound=Struct)

MOST_OPERATIONS: Final = 64
"""Operations between barriers."""

MOST_BYTES: Final = 64 << 20
"""What the log of a party keeps in memory beyond what the program itself does."""

ROUNDS: Final = 4
"""Of a conference, each of at most one patience; they end at times that count from its begin."""

SERVICE_START: Final = 10.0
"""Seconds for the links to the one that is served: less than others wait for the stage's."""

STAGE_START: Final = 30.0
"""Seconds for the links of a stage, beyond what others may be kept waiting elsewhere."""

_FAULTS = (TransportError, PeerFaultError)


class _Ended(Exception):
    """All have finished: what failed after that concerns nobody."""


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


class Guard:
    """One party's guard of a session.

    Parameters
    ----------
    protocol : str
        The first stage's protocol.
    ground : GroundLike
        This party's place on the network.
    references : References
        The session's arrays.
    job : bytes
        What the parties run; compared in every handshake.
    parameters : mapping of str to str
        What they compare beyond that.
    rounding, ring, threads
        As for a party.
    patience : float
        Seconds that a party which is alive may keep others waiting, and that a conference's round
        takes at most.

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
    evidence : Path or None
        Where signed statements are kept.
    label, until
        The work's phase, for errors, and when it must be over (``time.monotonic``).
    """

    def __init__(
        self,
        protocol: str,
        ground: GroundLike,
        references: References,
        *,
        job: bytes,
        parameters: Mapping[str, str],
        rounding: Rounding,
        ring: Ring,
        threads: int,
        patience: float,
    ) -> None:
        self.ground = ground
        self.references = references
        self.names = tuple(ground.names)
        self.name = ground.name
        self.home = self.names.index(self.name)
        self.rounding: Rounding = rounding
        self.ring = ring
        self.stage: Stage = first(self.names, protocol)
        self.incidents: list[Incident] = []
        self.on_incident: Callable[[Incident], None] | None = None
        self.evidence: Path | None = None
        self._first_record: Path | None = None
        self.label = ""
        self.until: float | None = None
        self._job = job
        self._parameters = dict(parameters)
        self._threads = threads
        self._patience = patience
        self._point = Point(0, 0, 0, b"", frozenset())
        self._ahead: Point | None = None
        self._log: list[Entry[Any]] = []
        self._weight = 0
        self._operations = 0
        self._transcript = b""
        self._owners: frozenset[str] = frozenset()
        self._spent = Cost()
        self._mesh: MeshLike | None = None
        self._party: Party | None = None
        self._last_party: Party | None = None
        self._old_keys: Mapping[int, StreamKey] = {}
        self._base = 0
        self._old_places: Members = (0, 1, 2)
        self._service: Service | None = None
        self._catch_up: CatchUp | None = None
        self._rejected: dict[int, Outcome] = {}
        self._pending: TransportError | PeerFaultError | None = None
        self._over = False
        self._last: int | None = None
        self._inputs_needed = False
        self._inputs_at: int | None = None
        mesh = ground.connect(self.stage.members, self.stage.protocol, job, self._parameters)
        self.identity = mesh.session_id
        self._signer = Signer(self.name, ground.signing_key)
        self._keys = Keys(ground.evidence_keys)
        self._begin()
        self._attach(mesh)

    def __repr__(self) -> str:
        return f"Guard({self.name!r}, stage {self.stage.number})"

    # What a session and its entries ask.

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

    def cost(self) -> Cost:
        """What this party sent, in all stages."""
        cost = self._spent
        for mesh in (self._mesh, None if self._service is None else self._service.mesh):
            if mesh is not None:
                cost = cost + mesh.driver.cost()
        return cost

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

    def note(self, error: BaseException) -> None:
        """A step outside the guard failed: the next entry begins with a recovery."""
        if isinstance(error, _FAULTS):
            self._pending = error

    # Doing and repeating.

    def start(self) -> None:
        """Set the first stage up, with all parties there."""
        self.perform(Mark(self.next_barrier, "set-up"))

    def perform(self, entry: Entry[T]) -> T:
        """Do what all parties do next, as often as faults make it necessary.

        Raises
        ------
        RecoveryError
            There is no way to go on, or not for this party.
        """
        self._operations += 1
        hashed = (self._transcript, self._operations.to_bytes(8, "little"), *entry.public())
        self._transcript = tagged_hash("transcript", *hashed)
        made = self.references.next_number
        fault, self._pending = self._pending, None
        while True:
            refusal = entry.refusal(self)
            if refusal is not None:
                self.references.next_number = made
                raise refusal
            try:
                if fault is not None:
                    error, fault = fault, None
                    self._recover(error, entry)
                    continue
                if self._party is None and not self.blind:
                    self._set_up()
                self._witness.operation = entry.name
                result = entry.run(self)
                break
            except _FAULTS as error:
                own = error.reporter is None
                final = isinstance(error, RecoveryError | InputRefusedError) and own
                if final or (isinstance(error, DeadlineError) and self._too_late()):
                    self._over = True
                    raise
                fault = error
        if entry.kept:
            self._log.append(entry)
            self._weight += entry.weight()
        return result

    def keep_up(self) -> None:
        """A barrier if the log has become long."""
        if len(self._log) >= MOST_OPERATIONS or self._weight > MOST_BYTES:
            self.perform(Mark(self.next_barrier))

    def seal(self) -> None:
        """A barrier, so that what was computed is not computed again: before a reveal."""
        if any(entry.weight() for entry in self._log):
            self.perform(Mark(self.next_barrier))

    def hold_inputs(self) -> None:
        """From now on a fault ends the session, until :meth:`inputs_complete`."""
        self._inputs_needed = True

    def inputs_complete(self) -> None:
        """A barrier, from which on the session survives a fault again."""
        self._inputs_at = self.next_barrier
        self.perform(Mark(self.next_barrier, "inputs"))
        self._inputs_needed = False

    def _too_late(self) -> bool:
        return self.until is not None and time.monotonic() >= self.until

    # Barriers.

    def barrier(self, number: int) -> None:
        """Return when all have finished everything before it."""
        if number <= self.passed:
            return
        self._ahead = Point(
            number,
            self.references.next_number,
            self._operations,
            self._transcript,
            self._owners,
        )
        if self._catch_up is not None:
            self._pass()
            if self._catch_up.barrier == number:
                self._arrive()
            return
        if self.blind:
            if self._service is None:
                raise InternalError("a party that is not served waits to be told")
            self._service.await_announcement(number)
        else:
            own = self._announcement()
            positions = self.gather(own, Signed, "barrier")
            self._witness.heard(positions)
            self._serve(lambda service: service.announce(number))
        self._pass()

    def _announcement(self) -> Signed:
        assert self._ahead is not None
        return self._witness.announce(self._ahead.operations, self._ahead.transcript)

    def _pass(self) -> None:
        assert self._ahead is not None
        self._point, self._ahead = self._ahead, None
        self._log.clear()
        self._weight = 0
        if isinstance(self._party, Fantastic4Party) and self._party.journal is not None:
            self._party.journal.clear()

    # Inputs and outputs.

    def put(self, entry: Put) -> None:
        """An input: from a member, or from the one that is served."""
        served = entry.owner == self.stage.served
        if not served:
            self._owners |= {entry.owner}
        if self.blind:
            entry.outcome = self._outcome_elsewhere(entry, served)
            return
        value: SecretValue | None = None
        if served:
            entry.outcome, value = self._put_served(entry)
        else:
            reference = entry.reference
            place = self.stage.members.index(entry.owner)
            step = input_step(
                self.party, place, entry.elements, reference.dtype, reference.shape, entry.limits
            )
            value = self.drive(step, "share")
            entry.outcome = "refused" if value is None else "accepted"
        if value is not None:
            entry.reference.hold(value)
            self._rejected.pop(entry.barrier, None)
        else:
            self._rejected[entry.barrier] = entry.outcome
        self._serve(lambda service: service.give_word(entry.outcome))

    def _outcome_elsewhere(self, entry: Put, own: bool) -> Outcome:
        """What became of an input where this party does not compute; its own it hands in first."""
        if self._catch_up is not None:
            return self._catch_up.rejected.get(entry.barrier, "accepted")
        if self._service is None:
            raise InternalError("a party that is not served waits to be told")
        if own:
            assert entry.elements is not None
            axes = entry.reference.shape or (1,)
            bits = entry.reference.dtype.kind == "bool"
            self._service.hand_in(entry.elements.reshape(axes), axes, bits=bits)
        return self._service.get_word()

    def _put_served(self, entry: Put) -> tuple[Outcome, SecretValue | None]:
        dtype, shape = entry.reference.dtype, entry.reference.shape
        axes, bits = shape or (1,), dtype.kind == "bool"
        summand = self._serve(lambda service: service.take_in(axes, bits=bits))
        one, other = (self.stage.members.index(name) for name in self.stage.trusted)
        party = self.party

        def step() -> Step[tuple[Outcome, SecretValue | None]]:
            share = yield from put_in(party, summand, axes, bits=bits, helpers=(one, other))
            if share is None:
                return "lost", None
            value = yield from checked_within(party, share, dtype, shape, entry.limits)
            return ("refused" if value is None else "accepted"), value

        outcome, value = self.drive(step(), "share")
        if outcome == "lost":
            self._serve_no_longer("its input did not arrive at both that serve it")
        return outcome, value

    def reveal(self, reference: PartyReference, to: tuple[int, ...]) -> NDArray[Any] | None:
        """Open an array to those of `to` that are there; what this party gets of it."""
        stage = self.stage
        names = [self.names[index] for index in to]
        served = stage.served in names
        axes, bits = reference.shape or (1,), reference.dtype.kind == "bool"
        if self.blind:
            if not served:
                return None
            if self._service is None:
                raise InternalError("an output was passed by")
            opened = self._service.get_out(axes, bits=bits, **self._served_places())
            return from_opened(opened, reference.dtype, reference.shape, self.ring)
        present = tuple(stage.members.index(name) for name in names if name in stage.members)
        value: NDArray[Any] | None = None
        if present:
            value = self.drive(reveal_step(self.party, reference.part, present), "reveal")
        if served and self._service is not None:
            share = to_open(self.party, reference.part)
            self._serve(
                lambda service: service.hand_out(share, axes, bits=bits, **self._served_places())
            )
        return value

    def _served_places(self) -> dict[str, Any]:
        (suspect,) = set(self.stage.members) - set(self.stage.trusted)
        return {
            "members": self._places(self.stage),
            "index": self.home,
            "suspect": self.names.index(suspect),
        }

    def _places(self, stage: Stage) -> Members:
        a, b, c = sorted(self.names.index(name) for name in stage.members)
        return a, b, c

    # Serving.

    def _serve(self, action: Callable[[Service], T]) -> T | None:
        """Do something for the one that is served; whatever is its fault ends that."""
        if self._service is None or self.blind:
            return None
        try:
            return action(self._service)
        except _FAULTS as error:
            if not self._service.fault_of_served(error):
                raise
            self._serve_no_longer(error.message)
            return None

    def _serve_no_longer(self, reason: str) -> None:
        if self._service is None:
            return
        service, self._service = self._service, None
        self._spent = self._spent + service.mesh.driver.cost()
        service.abort(
            PartyLostError(
                f"{service.served} is not served any longer: {reason}",
                next_step="look at that party's machine and network; the others go on.",
                case=12,
                parties=[service.served],
                stage="service",
            )
        )
        self._note("lost", service.served, None, reason, "service")

    # Recovery.

    def _recover(self, fault: TransportError | PeerFaultError, entry: Entry[Any]) -> None:
        """From a fault to the moment before `entry`, in another stage.

        Raises
        ------
        RecoveryError
            There is no way to go on, or not for this party.
        """
        stage = self.stage
        self._leave(fault)
        if stage.number == 0:
            self._confer(fault, entry)
        elif stage.number == 1 and stage.pair is not None:
            # Served or not: if B were the corrupt one, A were honest and nothing had failed. The
            # honest B, told by C that the stage has failed, may have told D before C did, and D
            # have taken that for a fault of B.
            self._retire_service(fault)
            self._turn_to_stage_two(fault, entry)
        else:
            raise over(stage, fault.message) from fault

    def _leave(self, fault: BaseException) -> None:
        """Tell the others of this stage, and be done with its links."""
        mesh, self._mesh, self._party = self._mesh, None, None
        if mesh is not None:
            mesh.abort(fault)
            self._spent = self._spent + mesh.driver.cost()

    def _retire_service(self, fault: BaseException) -> None:
        service, self._service = self._service, None
        if service is not None:
            service.abort(fault)
            self._spent = self._spent + service.mesh.driver.cost()

    def _confer(self, fault: TransportError | PeerFaultError, entry: Entry[Any]) -> None:
        stage = self.stage
        conference = confer(
            self._witness.signed(fault),
            stage.members,
            self._signer,
            self._keys,
            self._answer,
            occasion=self._witness.occasion,
            base=self._base,
            evidence=stage.evidence,
        )
        verdict = self.ground.confer(stage.members, conference, self._patience)
        folder = self._first_record = self._keep_evidence(verdict)
        self._rewind(verdict.restart)
        if self._last is not None and self.passed >= self._last:
            raise _Ended
        if self._inputs_needed and (self._inputs_at is None or self.passed < self._inputs_at):
            raise RecoveryError(
                f"The session ended before all inputs were shared: {verdict.reason}",
                next_step="nothing was computed yet; start the job again when all parties are"
                " there.",
                case=8,
                parties=[p for p in (verdict.party, *(verdict.pair or ())) if p is not None],
                stage=entry.name,
            ) from fault
        without_data = frozenset(self.names) - self._point.owners
        following = after(stage, verdict, without_data=without_data, ring_bits=self.ring.bits)
        self.stage = following
        self._note(verdict.kind, verdict.party, verdict.pair, verdict.reason, entry.name, folder)
        if self.name not in following.members and self.name != following.served:
            raise RecoveryError(
                f"The other parties go on without {self.name}: {verdict.reason}",
                next_step="look at this party's machine, network and version of tacit; the others"
                " end the job.",
                case=5,
                parties=[self.name],
                stage=entry.name,
            ) from fault
        if following.number:
            self._drop(following)
        self._begin()
        self._enter()

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

    def _rewind(self, restart: int) -> None:
        """Back to a barrier that this party has reached: the last one passed, or the next."""
        if self._ahead is not None and restart == self._ahead.barrier:
            self._pass()
        elif restart != self.passed:
            raise RecoveryError(
                f"The parties are to go on from barrier {restart}, and {self.name} is at"
                f" {self.passed}.",
                next_step="more than one party deviated, or an honest one was too slow; start the"
                " job again.",
                case=6,
                stage="recovery",
            )
        self._ahead = None
        for reference in self.references.alive():
            if reference.number >= self._point.references:
                reference.piece = None

    def _drop(self, following: Stage) -> None:
        """This party's parts become those of three; none at the one that leaves."""
        (leaving,) = (self.names.index(name) for name in following.dropped)
        into = None
        if following.pair is not None and following.served is not None:
            (stays,) = set(following.pair) - {following.served}
            into = self.names.index(stays)
        for reference in self.references.alive():
            if reference.piece is not None:
                reference.piece = dropped(reference.piece, self.home, leaving, into)

    def _turn_to_stage_two(self, fault: TransportError | PeerFaultError, entry: Entry[Any]) -> None:
        """The one of the pair that stayed is at fault: the three others go on."""
        before = self.stage
        following = after_pair(before, lost=before.by_silence)
        (culprit,) = set(before.members) - set(before.trusted)
        waits = self.name == before.served
        said = None if waits else self._witness.signed(fault)
        self.stage = following
        kind: Finding = "lost" if before.by_silence else "convicted"
        self._note(kind, culprit, before.pair, fault.message, entry.name)
        self._begin()
        self._connect()
        self._set_up()
        ahead = self._point if self._ahead is None else self._ahead
        # Whatever this party says that it has, it keeps until it is handed over, even where only
        # the log or something uncollected holds it still: the other one counts on it.
        alive = list(self.references.alive())
        arrays = () if waits else self._in_use(ahead.references)
        own = Handover(
            self.passed,
            ahead.barrier,
            (self._point.references, ahead.references),
            arrays,
            dict(self._rejected),
            said,
        )
        heard = self.gather(own, Handover, "handover")
        self._keep_second({name: heard[name].said for name in before.trusted}, before)
        stay = [heard[name] for name in before.trusted]
        restart = max(place.passed for place in stay)
        (below,) = {place.counts[place.reached == restart] for place in stay}
        found = in_both(stay[0], stay[1], below)
        rejected = {**stay[0].rejected, **stay[1].rejected}
        self._speak_from(restart)
        self._old_places = self._places(before)
        if waits and self.passed < restart:
            self._catch_up = CatchUp(restart, found, rejected)
            self._ahead = None
            return
        self._rewind(restart)
        self._hand_over(found)
        del alive
        self._repeat()

    def _in_use(self, below: int) -> tuple[Array, ...]:
        return tuple(
            array_of(reference.number, reference.piece)
            for reference in self.references.alive()
            if reference.piece is not None and reference.number < below
        )

    def _arrive(self) -> None:
        """The one that joins is where the two that stayed wait for it."""
        assert self._catch_up is not None
        found, self._catch_up = self._catch_up.arrays, None
        self._hand_over(found)

    def _hand_over(self, found: list[Array]) -> None:
        parts: dict[int, SecretValue] = {}
        for reference in self.references.alive():
            if reference.piece is not None:
                parts[reference.number] = reference.piece
                reference.piece = None
        new = self._places(self.stage)
        for step in handed_over(self.party, found, parts, self._old_places, new):
            for number, value in self.drive(step, "handover"):
                found_reference = self.references.get(number)
                if found_reference is not None:
                    found_reference.hold(value)

    # Entering a stage.

    def _enter(self) -> None:
        stage = self.stage
        if stage.served is not None and self.name in (*stage.trusted, stage.served):
            self._connect_service()
        if not self.blind:
            self._connect()
            self._set_up()
        self._repeat()

    def _repeat(self) -> None:
        for entry in list(self._log):
            self._witness.operation = entry.name
            entry.run(self)

    def _connect(self) -> None:
        stage = self.stage
        self._attach(
            self.ground.connect(
                stage.members,
                stage.protocol,
                self._job,
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
        return {**self._parameters, "stage": place, "session": self.identity.hex()}

    def _connect_service(self) -> None:
        stage = self.stage
        assert stage.served is not None
        three = tuple(n for n in self.names if n == stage.served or n in stage.trusted)
        try:
            mesh = self.ground.connect(
                three,
                "service",
                self._job,
                self._handshake("serving"),
                # Honest parties leave a conference that far apart: a corrupt one that says nothing
                # to one of them in the last round keeps that one waiting until the round's end.
                ROUNDS * self._patience + SERVICE_START,
            )
            self._service = Service(mesh, stage.served, self.ring, self._patience / 8)
        except _FAULTS as error:
            if self.name == stage.served:
                raise
            self._note("lost", stage.served, None, error.message, "service")

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
        party.threads = self._threads
        if isinstance(party, Fantastic4Party):
            party.journal = Journal()
            party.evidence = self.stage.evidence
        self._last_party = party
        if isinstance(party, Fantastic4Party) and self._old_keys:
            renew(party, self._old_keys)
        elif protocol.setup is not None:
            self.drive(protocol.setup(party, SystemRandomness()), "set-up")
        self._party = party

    # What is told of it.

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

    def _keep_evidence(self, verdict: Verdict) -> Path | None:
        """Write what was signed; a full disk costs the evidence, not the job."""
        if self.evidence is None:
            return None
        with contextlib.suppress(StorageError, OSError):
            return write(
                self.evidence,
                verdict,
                holder=self.name,
                members=self.stage.members,
                base=self._base,
                evidence=self.stage.evidence,
                certificates=self.ground.evidence_certificates,
                authority=self.ground.authority,
            )
        return None

    def _keep_second(self, said: Mapping[str, Signed | None], stage: Stage) -> None:
        """What proves that the one of a pair that went on is at fault."""
        before = self._first_record
        if self.evidence is None or before is None:
            return
        with contextlib.suppress(StorageError, EvidenceError, OSError):
            write_after_pair(
                self.evidence,
                before,
                {party: signed for party, signed in said.items() if signed is not None},
                holder=self.name,
                occasion=Occasion(self.identity, stage.number, stage.attempt),
                members=stage.members,
                certificates=self.ground.evidence_certificates,
                authority=self.ground.authority,
            )

    # The end.

    def close(self) -> None:
        """Leave when all have finished; what fails then fails for nobody."""
        if not self._over:
            self._over = True
            self._last = self.next_barrier
            with contextlib.suppress(*_FAULTS, _Ended):
                self.perform(Mark(self._last, "end"))
                self.perform(Farewell())
        for mesh in (self._mesh, None if self._service is None else self._service.mesh):
            if mesh is not None:
                mesh.close()

    def abandon(self, error: BaseException) -> None:
        """Leave at once; the others are told why."""
        self._over = True
        for mesh in (self._mesh, None if self._service is None else self._service.mesh):
            if mesh is not None:
                mesh.abort(error)
