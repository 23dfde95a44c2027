"""A session that ends with the right result although one party fails: log, barriers, recovery.

Every party runs the same program. Its guard keeps a log of what was done since the last *barrier*:
a point of which every party has told every other, under its signature, that it has finished all
before it. Barriers stand before what is revealed and after each input, and otherwise every so
often. After a fault the parties confer (:mod:`tacit.recovery`), agree on who is at fault or which
two may be, and on a barrier; those that stay convert their parts, connect anew with fresh keys and
repeat their logs from there; then the operation that the fault had stopped; then their programs go
on. The argument stands in ``docs/decisions/0050-guaranteed-output.md``.

Built up in layers: ``footing.py`` (a stage, its links and keys), ``exchanges.py`` (inputs, outputs,
service), ``progress.py`` (log and barriers), and here what is done about faults.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from tacit.encoding.digest import tagged_hash
from tacit.errors import (
    DeadlineError,
    EvidenceError,
    InputRefusedError,
    PeerFaultError,
    RecoveryError,
    StorageError,
    TransportError,
)
from tacit.recovery import Occasion, Signed, Stage, Verdict, after, after_pair, confer
from tacit.recovery.course import over
from tacit.recovery.evidence import write, write_after_pair
from tacit.sessions.entries import Entry, Farewell, Mark
from tacit.sessions.footing import FAULTS, CatchUp, Terms
from tacit.sessions.handover import Handover, in_both
from tacit.sessions.incidents import Finding
from tacit.sessions.progress import Progress
from tacit.sessions.references import References

__all__ = ["Guard"]

T = TypeVar("T")

SLACK: Final = 1.0
"""Seconds that two parties may be apart when they begin a phase with a deadline."""


class _Ended(Exception):
    """All have finished: what failed after that concerns nobody."""


class Guard(Progress):
    """One party's guard of a session.

    Attributes
    ----------
    evidence : Path or None
        Where signed statements are kept.
    on_inputs_complete : callable or None
        Told when all inputs are complete.
    """

    def __init__(self, terms: Terms, references: References) -> None:
        self.evidence: Path | None = None
        self.on_inputs_complete: Callable[[], None] | None = None
        self._first_record: Path | None = None
        self._pending: TransportError | PeerFaultError | None = None
        self._over = False
        self._last: int | None = None
        self._inputs_needed = False
        self._inputs_at: int | None = None
        super().__init__(terms, references)

    def start(self, *, hold_inputs: bool = False) -> None:
        """Set the first stage up, with all parties there."""
        self._inputs_needed = hold_inputs
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
                    found, fault = fault, None
                    try:
                        self._recover(found, entry)
                    finally:
                        del found  # its traceback holds parts, and this frame would hold it
                    continue
                if self._party is None and not self.blind:
                    self._set_up()
                self._witness.operation = entry.name
                result = entry.run(self)
                break
            except FAULTS as error:
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
        if self._is_long():
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
        if self.on_inputs_complete is not None:
            self.on_inputs_complete()

    def note(self, error: BaseException) -> None:
        """A step outside the guard failed: the next entry begins with a recovery."""
        if isinstance(error, FAULTS):
            self._pending = error

    def _too_late(self) -> bool:
        """Whether the phase is over, here or in a moment where another party began it earlier."""
        return self.until is not None and time.monotonic() >= self.until - SLACK

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
                next_step="nothing was computed or revealed; start the job again when all parties"
                " are there.",
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

    # Evidence.

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
            with contextlib.suppress(*FAULTS, _Ended):
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
