"""The requests that one party has: between its endpoint, which clients talk to, and its engine.

The endpoint's thread puts in what clients ask and give; the engine's thread takes from it what to
propose, and puts back what was agreed and computed. Nothing here decides for other parties.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from tacit.errors import ServiceError, TacitError
from tacit.serving.limits import Limits
from tacit.serving.masks import Portion
from tacit.serving.messages import Ask, Give, Given, Key, PartyAnswer, Proposal, Wanted
from tacit.serving.requests import (
    Request,
    closing_error,
    ended_error,
    expired_error,
    malformed_error,
    split_error,
    unknown_error,
)
from tacit.serving.settings import ServiceSettings

__all__ = ["Desk"]

_MOST_PROPOSED_BYTES = 600_000
"""Of d in one proposal: a message to all parties has a megabyte at most."""

_MOST_PROPOSED = 1_024
"""Requests for masks in one proposal."""

_ROUNDS_IN_FRONT = 8
"""How often a request is proposed before those behind it come first."""

_LATELY = 0.5
"""For so many seconds others may hear of what this party has proposed."""

_SOON = 0.002
"""How long it waits meanwhile before it asks them again, in seconds."""


class Desk:
    """All requests of one party. For several threads.

    Parameters
    ----------
    settings : ServiceSettings
    features : int
        Of a row.
    limits : Limits
        What each client may ask for, at this party.
    clock : callable
        Seconds since 1970.

    Attributes
    ----------
    changed : callable
        Called, from any thread, after something changed that a client may be waiting for.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        features: int,
        limits: Limits,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.changed: Callable[[], None] = lambda: None
        self._settings = settings
        self._features = features
        self._limits = limits
        self._clock = clock
        self._requests: dict[Key, Request] = {}
        self._waiting: dict[Key, Request] = {}  # for a mask
        self._masked: dict[Key, Request] = {}  # and no score yet
        self._over: deque[Request] = deque()  # by the time when they were
        self._proposed: dict[Key, tuple[int, float]] = {}
        self._news = threading.Condition()
        self._fresh = False
        self._closing = False
        self._ended: TacitError | None = None

    # For the endpoint.

    def ask(self, client: str, ask: Ask) -> None:
        """A client wants a mask. Once more is the same as once.

        Raises
        ------
        ServiceError
            The service is closing, or the request too large.
        PolicyDeniedError
            The client may not ask, or not for so much (TC-4010 to TC-4013).
        """
        with self._news:
            key = Key(client, ask.id)
            self._require_open(new=True)
            found = self._requests.get(key)
            if found is not None:
                if found.rows != ask.rows:
                    raise malformed_error("its number of rows has changed")
                return
            if ask.rows > self._settings.request_rows:
                raise malformed_error(
                    f"it has {ask.rows} rows, and at most {self._settings.request_rows} go together"
                )
            now = self._clock()
            self._limits.admit(client, ask.rows, self._open_rows(client), now)
            self._requests[key] = self._waiting[key] = Request(key, ask.rows, now)
            self._tell()

    def give(self, client: str, give: Give) -> None:
        """A client gives d of a request that has a mask.

        Raises
        ------
        ServiceError
            There is no such request, d has the wrong length, or is another one than before.
        """
        with self._news:
            self._require_open(new=False)
            request = self._requests.get(Key(client, give.id))
            if request is None:
                raise unknown_error()
            if len(give.correction) != 8 * request.rows * self._features:
                raise malformed_error("d does not have the length of its rows")
            if request.over:
                return
            if request.correction is None:
                request.correction = give.correction
                self._tell()
            elif request.correction != give.correction:
                raise malformed_error("d is another one than before: masks are used once")

    def answer(self, client: str, id: bytes) -> PartyAnswer | None:
        """How a request stands; None if it is not known here."""
        with self._news:
            request = self._requests.get(Key(client, id))
            if request is None:
                return None
            return request.answer or PartyAnswer(id, "waiting")

    def close(self) -> None:
        """Take no new requests; what has a mask may still be answered."""
        with self._news:
            self._closing = True
            self._tell()

    @property
    def closing(self) -> bool:
        """Whether this party was asked to end."""
        with self._news:
            return self._closing

    @property
    def ended(self) -> bool:
        """Whether nothing will be answered any more."""
        with self._news:
            return self._ended is not None

    def queued(self) -> int:
        """Requests that are not over."""
        with self._news:
            return len(self._waiting) + len(self._masked)

    # For the engine.

    def wait(self, seconds: float) -> None:
        """Return when there is something new to propose, or after some time.

        Sooner where others may just now hear what this party has proposed already.
        """
        with self._news:
            if not self._fresh:
                lately = time.monotonic() - _LATELY
                eager = any(last > lately for _, last in self._proposed.values())
                self._news.wait(min(seconds, _SOON) if eager else seconds)
            self._fresh = False

    def proposal(self) -> Proposal:
        """What this party would do next."""
        with self._news:
            wanted = [Wanted(*r.key, r.rows) for r in self._in_turn(self._waiting)]
            wanted = wanted[:_MOST_PROPOSED]
            given: list[Given] = []
            size = 0
            for request in self._in_turn(self._masked):
                if request.correction is None:
                    continue
                size += len(request.correction) + 100
                if given and size > _MOST_PROPOSED_BYTES:
                    break
                given.append(Given(*request.key, request.correction))
            for key in (*(w.of for w in wanted), *(g.of for g in given)):
                times, first = self._proposed.get(key, (0, time.monotonic()))
                self._proposed[key] = times + 1, first
            return Proposal(self._clock(), tuple(wanted), tuple(given), self._closing)

    def _in_turn(self, requests: dict[Key, Request]) -> list[Request]:
        """What was proposed often comes behind what was not: nobody holds up the others."""
        return sorted(
            requests.values(),
            key=lambda r: self._proposed.get(r.key, (0, 0.0))[0] // _ROUNDS_IN_FRONT,
        )

    def masked(self) -> dict[Key, int]:
        """Rows of those that have masks and no score, in the order in which they got them."""
        with self._news:
            return {key: request.rows for key, request in self._masked.items()}

    def portion(self, key: Key) -> Portion:
        """Where a request's masks are."""
        with self._news:
            portion = self._masked[key].portion
            assert portion is not None
            return portion

    def sources(self) -> set[int]:
        """The arrays of masks that are still needed."""
        with self._news:
            return {r.portion.source for r in self._masked.values() if r.portion is not None}

    def mask(self, wanted: Wanted, portion: Portion, answer: PartyAnswer, clock: float) -> None:
        """A request has its mask, also where its client did not come to this party yet."""
        with self._news:
            request = self._requests.get(wanted.of)
            if request is None or request.rows != wanted.rows:
                request = self._requests[wanted.of] = Request(wanted.of, wanted.rows, clock)
            self._waiting.pop(wanted.of, None)
            self._proposed.pop(wanted.of, None)
            request.portion, request.answer, request.since = portion, answer, clock
            self._masked[wanted.of] = request

    def renew(self, key: Key, answer: PartyAnswer) -> None:
        """Other parts of the same mask."""
        with self._news:
            self._masked[key].answer = answer

    def score(self, key: Key, answer: PartyAnswer, clock: float) -> None:
        """A request has its score."""
        with self._news:
            request = self._masked.pop(key)
            request.answer = answer
            self._finish(request, clock)

    def split(self, keys: Sequence[Key], clock: float) -> None:
        """Requests of which the parties were told different things."""
        with self._news:
            for key in keys:
                self._give_up(self._masked.pop(key), split_error(), clock)

    def expire(self, clock: float) -> None:
        """Forget what is too old, by the common clock: the same masks at all parties."""
        with self._news:
            oldest = clock - self._settings.keep_seconds
            for key in [k for k, r in self._masked.items() if r.since < oldest]:
                self._give_up(self._masked.pop(key), expired_error(), clock)
            unheard = self._clock() - self._settings.keep_seconds
            for key in [k for k, r in self._waiting.items() if r.since < unheard]:
                self._give_up(self._waiting.pop(key), expired_error(), clock)
            while self._over and self._over[0].since < oldest:
                gone = self._over.popleft()
                if self._requests.get(gone.key) is gone and gone.over:
                    del self._requests[gone.key]

    def end(self, error: TacitError | None = None) -> None:
        """Nothing more will be answered; clients are told so."""
        with self._news:
            self._ended = error or closing_error()
            for request in self._requests.values():
                if not request.over:
                    request.refuse(ended_error())
        self.changed()

    def _give_up(self, request: Request, error: ServiceError, clock: float) -> None:
        request.refuse(error)
        self._finish(request, clock)

    def _finish(self, request: Request, clock: float) -> None:
        request.correction, request.since = None, clock
        self._proposed.pop(request.key, None)
        self._over.append(request)

    def _open_rows(self, client: str) -> int:
        under_way = (*self._waiting.values(), *self._masked.values())
        return sum(r.rows for r in under_way if r.key.client == client)

    def _require_open(self, *, new: bool) -> None:
        if self._ended is not None:
            raise ended_error()
        if self._closing and new:
            raise closing_error()

    def _tell(self) -> None:
        self._fresh = True
        self._news.notify_all()
