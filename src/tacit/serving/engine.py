"""The loop of one party's session: agree on what is next, compute it, hand it to the desk.

All parties run it alike, a turn at a time: tell what this party would do and hear the others'
(``agreement.py``), draw masks for new requests, compute the batch, open it under its masks. What
leaves the session, parts of masks and masked scores, leaves after a barrier, so that a recovery
never draws or computes it again (:meth:`~tacit.sessions.PartySession.seal`); masks that wait for
their rows are secret arrays of the session and go with it into another stage.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic, perf_counter, sleep
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.digest import tagged_hash
from tacit.encoding.types import int64
from tacit.errors import PolicyDeniedError, ServiceError, VerificationError
from tacit.models import ModelForm
from tacit.operations.types import ArrayType, SecretValue
from tacit.protocols import protocol_named
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.serving.agreement import Plan, agreed_plan, enough
from tacit.serving.desk import Desk
from tacit.serving.limits import Limits
from tacit.serving.masks import Portion, masked_scores, random_masks
from tacit.serving.messages import Given, PartyAnswer, PlanDigest, Proposal, Wanted
from tacit.serving.requests import refused_row_error
from tacit.serving.settings import ServiceSettings
from tacit.sessions.handles import Reference
from tacit.sessions.party import PartySession
from tacit.sessions.storing import permitted

if TYPE_CHECKING:
    from tacit.serving.metrics import Metrics

__all__ = ["SCORING", "Engine"]

SCORING = "scoring"
"""The operation that a stored model must be permitted for."""

_REST = 0.5
_LONGEST_REST = 0.02
"""After a turn with work, how much of its time to wait for more requests, and at most (seconds)."""

_CLOSING_SECONDS = 2.0
"""How long a party that is to end waits for the others to be told the same."""


class Engine:
    """One party's part of a service. Everything but :meth:`run` is for its thread alone.

    Parameters
    ----------
    session : PartySession
    form : ModelForm
    parameters : sequence of Reference
        The secret model.
    settings : ServiceSettings
        The same at all parties.
    desk : Desk
    limits : Limits
    metrics : Metrics, optional
    """

    def __init__(
        self,
        session: PartySession,
        form: ModelForm,
        parameters: Sequence[Reference],
        settings: ServiceSettings,
        desk: Desk,
        limits: Limits,
        metrics: Metrics | None = None,
    ) -> None:
        for reference in parameters:
            if not reference.uses.everything:
                permitted([reference], SCORING)
        self._session = session
        self._form = form
        self._parameters = tuple(parameters)
        self._settings = settings
        self._desk = desk
        self._limits = limits
        self._metrics = metrics
        self._sources: dict[int, Reference] = {}
        self._next_source = 0
        self._closing_since: float | None = None
        self._handed_out: tuple[str, tuple[str, ...]] | None = None
        self._clock = 0.0
        self._worked = False
        self._rest_until = 0.0
        self._stand()

    @property
    def members(self) -> tuple[str, ...]:
        """Who computes now."""
        stage = self._session.stage
        return self._session.parties if stage is None else stage.members

    @property
    def protocol(self) -> str:
        """With which protocol."""
        stage = self._session.stage
        return self._session.protocol.name if stage is None else stage.protocol

    @property
    def standing(self) -> tuple[int, tuple[str, ...], str]:
        """Stage, members and what holds, after the last turn. From any thread."""
        return self._standing

    def _stand(self) -> None:
        stage = self._session.stage
        number = 0 if stage is None else stage.number
        self._standing = (number, self.members, self._session.security.describe())

    def run(self, pause: Callable[[float], None] | None = None) -> None:
        """Serve until the parties have agreed to end.

        Parameters
        ----------
        pause : callable, optional
            Instead of the desk's ``wait``, for tests.

        Raises
        ------
        PolicyDeniedError
            The others go on without this party (TC-4014).
        TacitError
            The session has ended.
        """
        try:
            while True:
                (pause or self._wait)(self._settings.tick)
                began = monotonic()
                if not self.turn():
                    break
                if self._worked:
                    now = monotonic()
                    self._rest_until = now + min(_REST * (now - began), _LONGEST_REST)
        except BaseException:
            self._desk.end()
            raise
        self._desk.end()

    def _wait(self, seconds: float) -> None:
        """Until there is news, and a moment after work: more requests come together then."""
        self._desk.wait(seconds)
        left = self._rest_until - monotonic()
        if left > 0:
            sleep(left)

    def turn(self) -> bool:
        """One turn; False when all are to end."""
        heard = self._session.gather(self._desk.proposal(), Proposal, stage="serving")
        self._require_membership()
        plan = self._agreed(heard)
        self._clock = max(self._clock, plan.clock)
        self._hand_out_again()
        self._desk.split(plan.split, self._clock)
        self._worked = bool(plan.masks or plan.batch)
        if self._worked:
            self._work(plan)
        self._desk.expire(self._clock)
        self._forget()
        if plan.masks or plan.batch or plan.split:
            self._desk.changed()
        if self._metrics is not None:
            self._metrics.turned(self.members, self._desk.queued(), self._session.stage)
        return not self._ends(plan)

    def _require_membership(self) -> None:
        stage = self._session.stage
        if stage is not None and self._session.name not in stage.members:
            raise PolicyDeniedError(
                f"{self._session.name} does not take part in the service any more: a message"
                f" proved that one of it and another party deviated, and {', '.join(self.members)}"
                " go on without it.",
                next_step="read the evidence, settle who deviated, and start the service again"
                " with all parties.",
                case=14,
                parties=[self._session.name],
                stage="serving",
            )

    def _guaranteed(self, members: Sequence[str]) -> bool:
        """Whether these spoke in a session that goes on after a fault.

        All decisions hang on who was heard, not on the stage that this party is in: when a party
        is lost, one notices it while it hears the proposals, and another in the work after them.
        """
        return self._session.stage is not None and len(members) == len(self._session.parties)

    def _agreed(self, heard: dict[str, Any]) -> Plan:
        """The plan, the same at all members.

        Four parties that guarantee output compare what they heard in ``gather``. Others compare
        the plan: a corrupt one may have told them different things, and if two honest ones added
        different d to their shares, what they hold would be no sharing.
        """
        members = tuple(name for name in self._session.parties if name in heard)
        guaranteed = self._guaranteed(members)
        needed = enough(len(members), guaranteed=guaranteed)
        masked = self._desk.masked()
        plan = agreed_plan(heard, members, needed, masked, self._settings.batch_rows)
        if not guaranteed and (plan.masks or plan.batch or plan.split):
            digest = plan.digest()
            others = self._session.gather(PlanDigest(digest), PlanDigest, stage="serving")
            differing = [name for name in members if others[name].digest != digest]
            if differing:
                raise VerificationError(
                    f"{self._session.name} and {', '.join(differing)} were told different things"
                    " about what to compute next, so nothing was computed.",
                    next_step="one of the parties deviated or runs another version; compare"
                    " versions and logs, and start the service again.",
                    case=23,
                    parties=differing,
                    stage="serving",
                )
        return plan

    def _work(self, plan: Plan) -> None:
        source: int | None = None
        if plan.masks:
            source = self._draw(sum(w.rows for w in plan.masks))
        masked = self._compute(plan.batch) if plan.batch else None
        self._session.seal()
        self._require_membership()
        if source is not None:
            self._hand_out(source, plan.masks)
        if masked is not None:
            self._open(masked, plan.batch)

    # Masks.

    def _draw(self, rows: int) -> int:
        columns = self._form.widths[0]

        def evaluate(party: Party, parts: Sequence[Any]) -> Step[tuple[SecretValue, ...]]:
            return random_masks(party, rows, columns)

        (reference,) = self._session.compute(
            "masks",
            evaluate,
            (),
            results=(ArrayType(int64, (rows, columns + 1)),),
            public=rows.to_bytes(8, "little"),
        )
        source, self._next_source = self._next_source, self._next_source + 1
        self._sources[source] = reference
        return source

    def _hand_out(self, source: int, masks: Sequence[Wanted]) -> None:
        """This party's parts of new masks, for their clients alone."""
        start = 0
        for wanted in masks:
            portion = Portion(source, start, start + wanted.rows)
            self._desk.mask(wanted, portion, self._parts(wanted.id, portion), self._clock)
            start = portion.stop
        self._handed_out = (self.protocol, self.members)

    def _hand_out_again(self) -> None:
        """The same masks in the form of another stage, in which the parties' parts are others.

        When a party is lost, one of the others may hand out parts of before and another those of
        after; a client puts together what is of one stage.
        """
        if self._standing[1] != self.members:
            self._stand()
        if self._handed_out in (None, (self.protocol, self.members)):
            return
        for key in self._desk.masked():
            self._desk.renew(key, self._parts(key.id, self._desk.portion(key)))
        self._handed_out = (self.protocol, self.members)
        self._desk.changed()

    def _parts(self, id: bytes, portion: Portion) -> PartyAnswer:
        reference: Any = self._sources[portion.source]
        index = self._session.party.index
        form = protocol_named(self.protocol).form
        assert form is not None
        parts = {
            place: np.ascontiguousarray(part[portion.start : portion.stop], "<u8").tobytes()
            for place, part in form.parts(index, reference.part.share).items()
        }
        return PartyAnswer(
            id, "mask", protocol=self.protocol, members=self.members, index=index, parts=parts
        )

    def _forget(self) -> None:
        """Drop arrays of masks that nobody needs any more."""
        needed = self._desk.sources()
        for source in [s for s in self._sources if s not in needed]:
            del self._sources[source]

    # Scores.

    def _compute(self, batch: Sequence[Given]) -> Reference:
        form, digits = self._form, self._settings.digits
        places = [self._desk.portion(given.of) for given in batch]
        sources = sorted({place.source for place in places})
        portions = [Portion(sources.index(p.source), p.start, p.stop) for p in places]
        corrections = np.concatenate(
            [self._correction(g, p) for g, p in zip(batch, places, strict=True)]
        )
        self._spend(batch, places)
        rows, masks = len(corrections), len(sources)

        def evaluate(party: Party, parts: Sequence[Any]) -> Step[tuple[SecretValue, ...]]:
            shares = [part.share for part in parts]
            return masked_scores(
                party, form, shares[masks:], shares[:masks], portions, corrections, digits
            )

        public = [tagged_hash("correction", given.correction) for given in batch]
        (reference,) = self._session.compute(
            "scores",
            evaluate,
            (*(self._sources[source] for source in sources), *self._parameters),
            results=(ArrayType(int64, (rows, 2)),),
            public=tagged_hash("batch", *public),
        )
        return reference

    def _correction(self, given: Given, place: Portion) -> NDArray[np.uint64]:
        columns = self._form.widths[0]
        if len(given.correction) != 8 * place.rows * columns:
            raise ServiceError(
                "The parties agreed on a correction of another length than its request has.",
                next_step="more than one party deviates; compare their versions.",
                case=8,
                stage="serving",
            )
        return np.frombuffer(given.correction, "<u8").reshape(place.rows, columns)

    def _spend(self, batch: Sequence[Given], places: Sequence[Portion]) -> None:
        rows: dict[str, int] = {}
        for given, place in zip(batch, places, strict=True):
            rows[given.client] = rows.get(given.client, 0) + place.rows
        self._limits.spend(rows)

    def _open(self, masked: Reference, batch: Sequence[Given]) -> None:
        """Open the batch to all parties, each score under a mask that its client alone knows."""
        began = perf_counter()
        everybody = tuple(range(len(self._session.parties)))
        opened = self._session.open(masked, everybody, everybody)[self._session.name]
        start = 0
        for given in batch:
            stop = start + self._desk.portion(given.of).rows
            y, good = opened[start:stop, 0], opened[start:stop, 1] != 0
            answer = PartyAnswer(
                given.id,
                "score",
                masked=np.ascontiguousarray(y, "<i8").tobytes(),
                good=good.astype(np.uint8).tobytes(),
                error=None if good.all() else refused_row_error(int((~good).sum())).as_dict(),
            )
            self._desk.score(given.of, answer, self._clock)
            start = stop
        if self._metrics is not None:
            self._metrics.computed(len(batch), start, perf_counter() - began)

    # The end.

    def _ends(self, plan: Plan) -> bool:
        """Whether all are to end: all were told so, or, without a guarantee, one was.

        Raises
        ------
        ServiceError
            This party alone was told to, and the others go on without it (TC-6009).
        """
        if not plan.closing:
            self._closing_since = None
            return False
        if self._closing_since is None:
            self._closing_since = self._clock
        late = self._clock - self._closing_since > _CLOSING_SECONDS
        if len(plan.closing) == len(plan.members):
            return late or not self._desk.masked()
        if not self._guaranteed(plan.members) or len(plan.closing) > 1:
            return late
        if late and self._session.name in plan.closing:
            raise ServiceError(
                f"{self._session.name} leaves the service, and the other parties go on.",
                next_step="nothing; a service of all parties has to be started anew.",
                case=9,
                parties=[self._session.name],
                stage="serving",
            )
        return False
