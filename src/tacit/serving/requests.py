"""A client's request as one party has it, and the errors that its client is told."""

from __future__ import annotations

from dataclasses import dataclass

from tacit.errors import ServiceError
from tacit.serving.masks import Portion
from tacit.serving.messages import Key, PartyAnswer, State

__all__ = [
    "Request",
    "closing_error",
    "ended_error",
    "expired_error",
    "malformed_error",
    "refused_row_error",
    "split_error",
    "unknown_error",
]


@dataclass(slots=True, repr=False)
class Request:
    """Where a request stands at this party.

    Attributes
    ----------
    key : Key
        Whose, and which of theirs.
    rows : int
    since : float
        When this party first heard of it, by its own clock until the request has a mask, then by
        the parties' common one.
    portion : Portion or None
        Where its masks are, once it has some.
    answer : PartyAnswer or None
        What its client is told.
    correction : bytes or None
        d, as this party got it.
    """

    key: Key
    rows: int
    since: float
    portion: Portion | None = None
    answer: PartyAnswer | None = None
    correction: bytes | None = None

    def __repr__(self) -> str:
        return f"Request({self.key.client!r}, {self.rows} rows, {self.state})"

    @property
    def state(self) -> State:
        """How it stands."""
        return "waiting" if self.answer is None else self.answer.state

    @property
    def over(self) -> bool:
        """Whether nothing more is to be done for it."""
        return self.state in ("score", "refused")

    def refuse(self, error: ServiceError) -> None:
        """Say that there will be no score, and why; the mask is not used any more."""
        self.answer = PartyAnswer(self.key.id, "refused", error=error.as_dict())
        self.correction = None


def expired_error() -> ServiceError:
    """Too late."""
    return ServiceError(
        "The request took too long: its mask has expired.",
        next_step="ask again; tacit.Client does so by itself.",
        case=1,
        stage="serving",
    )


def unknown_error() -> ServiceError:
    """Not here, or not yet."""
    return ServiceError(
        "This party knows no such request of this client.",
        next_step="ask again with a new request; numbers of requests are used once.",
        case=2,
        stage="serving",
    )


def ended_error() -> ServiceError:
    """The parties' session has ended."""
    return ServiceError(
        "The parties' session has ended, and with it this request.",
        next_step="ask again when the service is back; nothing was answered.",
        case=3,
        stage="serving",
    )


def closing_error() -> ServiceError:
    """No new requests."""
    return ServiceError(
        "The service is closing and takes no new requests.",
        next_step="ask again later.",
        case=4,
        stage="serving",
    )


def split_error() -> ServiceError:
    """The parties were told different things."""
    return ServiceError(
        "The parties did not get the same from this client, so nothing was computed.",
        next_step="ask again; if it happens again, the client sends different things to different"
        " parties, or a party deviates: compare versions.",
        case=5,
        stage="serving",
    )


def malformed_error(what: str) -> ServiceError:
    """What a client sent has another form."""
    return ServiceError(
        f"The request is malformed: {what}.",
        next_step="use tacit.Client or tacit query of the same version.",
        case=6,
        stage="serving",
    )


def refused_row_error(rows: int) -> ServiceError:
    """Rows outside their limits, found on shares."""
    return ServiceError(
        f"{rows} of the request's rows were not within the schema's bounds, as all parties found"
        " on their shares; they have no score.",
        next_step="encode rows by the service's schema: tacit.Client does.",
        case=7,
        stage="serving",
    )
