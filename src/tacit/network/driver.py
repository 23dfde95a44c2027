"""The driver that runs one party's steps over TLS links."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeVar

from tacit import _native
from tacit.errors import DeadlineError, TacitError
from tacit.network.faults import Place, cause_of, cause_of_heard, error_from_failure
from tacit.network.interruptions import interruptible
from tacit.network.settings import NetworkSettings
from tacit.rounds.contract import Step
from tacit.rounds.cost import Cost, Counter

__all__ = ["LinkDriver"]

T = TypeVar("T")

_HANDSHAKE: Final = "handshake"


class LinkDriver:
    """Drives one party's copy of every step over the links to the other parties.

    Made by ``mesh.connect``. Used from one thread.

    Attributes
    ----------
    names : tuple of str
        The parties' names, by index.
    index : int
        This party's index.
    counter : Counter
        Rounds, payload bytes and check bytes of this party.
    round_number : int
        Rounds driven so far, the halves of split rounds counted each; named in errors.
    session : str
        The session's id in hexadecimal digits, once agreed on: disputes of others are not heard.
    testify : callable, optional
        Where parties keep evidence: the signed statement that goes with an abort, by the error.
    """

    testify: Callable[[BaseException], bytes] | None = None

    lenient_until = 0.0
    """Until when (``time.monotonic``) others may still be in the handshake; 0 if none is."""

    def __init__(
        self,
        links: _native.Links,
        names: tuple[str, ...],
        index: int,
        settings: NetworkSettings,
    ) -> None:
        self.names = names
        self.index = index
        self.counter = Counter()
        self.round_number = 0
        self.session = ""
        self._links = links
        self._settings = settings
        self._stage = _HANDSHAKE
        self._over = False

    @interruptible()
    def run(
        self,
        step: Step[T],
        *,
        stage: str = "",
        deadline: float | None = None,
        patience: float | None = None,
    ) -> T:
        """Run this party's copy of a step to its end.

        Parameters
        ----------
        step : Step
            The generator. All parties run their copies of the same steps in the same order.
        stage : str
            The phase of the work, named in errors.
        deadline : float, optional
            Seconds from now after which a party that is alive but does not finish ends the
            session with a DeadlineError. Default: no limit.
        patience : float, optional
            Seconds that one round waits for a party that is alive but does not get on, by what
            its heartbeats say (``rust/links/src/patience.rs``). The error names a party only if
            this one itself can tell that it is late, whatever others say. Default: no limit.

        Returns
        -------
        object
            The step's result.

        Raises
        ------
        PartyLostError, DeadlineError, MessageError
            These name the party at fault. The session is over; so it is after any exception
            of the step itself, which is raised unchanged after the others have been told.

        Notes
        -----
        A round with something to receive ends when all of it has arrived. One that only sends
        ends when the bytes have been encrypted; what the sockets do not take at once follows
        in the background and in later rounds.
        """
        self._stage = stage
        until = None if deadline is None else time.monotonic() + deadline
        counter = self.counter
        exchange = self._links.exchange
        try:
            while True:
                try:
                    current = next(step)
                except StopIteration as stop:
                    result: T = stop.value
                    return result
                self.round_number += 1
                if until is not None and current.is_empty and time.monotonic() >= until:
                    raise self._overdue()
                payload, check = exchange(
                    current.send,
                    current.check,
                    current.receive,
                    current.check_receive,
                    self.round_number,
                    None if until is None else until - time.monotonic(),
                    self.leniently(patience),
                )
                counter.rounds += current.depth
                counter.bytes_sent += payload
                counter.check_bytes += check
        except _native.LinkFailure as failure:
            raise self._failed(failure) from None
        except BaseException as error:
            self.abort(error)
            raise
        finally:
            step.close()

    @interruptible()
    def call(self, function: Callable[[_native.Links], T], *, stage: str) -> T:
        """Use the links outside rounds, with the same errors as :meth:`run`."""
        self._stage = stage
        try:
            return function(self._links)
        except _native.LinkFailure as failure:
            raise self._failed(failure) from None
        except BaseException as error:
            self.abort(error)
            raise

    def leniently(self, patience: float | None) -> float | None:
        """A patience, longer while other parties may still be in the handshake."""
        if patience is None or self.lenient_until == 0.0:
            return patience
        return patience + max(0.0, self.lenient_until - time.monotonic())

    def cost(self) -> Cost:
        """What this party sent so far (its own name only), without seconds."""
        own = self.names[self.index]
        return Cost(
            rounds=self.counter.rounds,
            bytes_sent={own: self.counter.bytes_sent},
            check_bytes={own: self.counter.check_bytes},
        )

    def abort(self, error: BaseException) -> None:
        """Tell all others why this party stops, then close. Never raises; once is enough."""
        self._stop(cause_of(error, self._place(), self._statement(error)))

    @interruptible()
    def close(self) -> None:
        """Say goodbye, wait until the others have read all, and close. May be called again.

        The links are closed after a KeyboardInterrupt, too.
        """
        if not self._over:
            self._over = True
            self._links.close(self._settings.close_timeout)

    def _failed(self, failure: _native.LinkFailure) -> TacitError:
        """The error to raise for what a link reports, after the others have been told."""
        place, (word, peer, *_) = self._place(), failure.args
        error = error_from_failure(failure, place, heartbeat=self._settings.heartbeat_timeout)
        if word == "aborted" and peer is not None:
            self._stop(cause_of_heard(error, peer, place, self._statement(error)))
        else:
            self._stop(cause_of(error, place, self._statement(error)))
        return error

    def _overdue(self) -> DeadlineError:
        """This party computes for itself, and time is up."""
        own, place = self.names[self.index], self._place()
        return DeadlineError(
            f"{own} did not finish in time ({place.where()}): it still computes by itself, as the"
            " others may.",
            next_step="give the stage more time, or look for a loop of public numbers that does"
            " not end.",
            case=1,
            parties=[own],
            stage=place.stage,
        )

    def standing(self) -> tuple[int, tuple[str, ...], bool] | None:
        """How this party stood 1.5 times its patience before it stopped.

        Returns
        -------
        tuple of int, tuple of str and bool, or None
            The number of the exchange it was in, whom it awaited, and whether that did not change
            from two times to one time the patience before the end. None if it was elsewhere.
        """
        standing = self._links.standing()
        if standing is None:
            return None
        number, awaited, steady = standing
        return number, self._named(awaited), steady

    def settled(self) -> dict[str, tuple[int, tuple[str, ...]]]:
        """Where the peers stood, as they told, that had not got on for three times the patience."""
        settled = self._links.settled()
        return {self.names[p]: (n, self._named(awaited)) for p, (n, awaited) in settled.items()}

    def _named(self, mask: int) -> tuple[str, ...]:
        return tuple(name for index, name in enumerate(self.names) if mask >> index & 1)

    def _statement(self, error: BaseException) -> bytes:
        return b"" if self.testify is None or self._over else self.testify(error)

    def _place(self) -> Place:
        return Place(self.names, self.index, self._stage, self.round_number, self.session)

    def _stop(self, cause: bytes) -> None:
        if not self._over:
            self._over = True
            self._links.abort(cause, self._settings.close_timeout)
