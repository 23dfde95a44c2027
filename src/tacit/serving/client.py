"""The client of a service: masks its rows, asks all parties, and unmasks its own scores."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from tacit.consortium import Kit
from tacit.errors import DeadlineError, PartyLostError, ServiceError, TacitError, UsageError
from tacit.models import ModelForm
from tacit.network import Address, Credentials
from tacit.serving.lines import Line, Said, told_all
from tacit.serving.masks import decoded_scores
from tacit.serving.messages import ID_BYTES, Ask, Described, Exchange, Give, PartyAnswer, Reply
from tacit.serving.reconstruction import AGREEING, agreed_mask, agreed_refusal, agreed_score
from tacit.tables import Schema
from tacit.tables.rows import encoded_rows

__all__ = ["Client"]

T = TypeVar("T")
Words = NDArray[np.uint64]

_TOGETHER: Final = 8
"""Requests in one message."""

_SPARE_SECONDS: Final = 20.0
"""How long a mask that was fetched ahead is used."""

_AGAIN: Final = ("TC-6001", "TC-6002", "TC-6003", "TC-6005")
"""Refusals after which the same rows are asked for anew, under another mask."""

_UNKNOWN: Final = "TC-6002"


@dataclass(slots=True, repr=False)
class _Query:
    """Some rows on their way: their number, then their mask, then their scores."""

    rows: Words
    id: bytes
    mask: Words | None = None
    scores: Words | None = None
    good: NDArray[np.bool_] | None = None


class Client:
    """A client of a private inference service.

    Its rows reach no party in the clear, and its scores nobody but itself. A context manager.

    Parameters
    ----------
    kit : path or Kit
        This client's kit: its certificate, and the parties' addresses and keys
        (``tacit consortium request NAME --client``).
    timeout : float
        Seconds for one call at most, asking again included.

    Raises
    ------
    UsageError
        The kit is a party's (TC-1057).
    ConfigurationError, CertificateError
        As of :meth:`tacit.consortium.Kit.load`.

    Examples
    --------
    >>> client = tacit.Client("kits/clinic")  # doctest: +SKIP
    >>> client.predict_proba("row.csv")  # doctest: +SKIP
    array([[0.9873, 0.0127]])
    """

    def __init__(self, kit: Kit | Path | str, *, timeout: float = 30.0) -> None:
        kit = kit if isinstance(kit, Kit) else Kit.load(kit)
        if kit.role != "client":
            raise UsageError(
                f"The kit in {kit.folder} is that of the party {kit.name}, not a client's.",
                next_step="ask the consortium's authority for a client's certificate: tacit"
                " consortium request NAME --client.",
                case=57,
            )
        self._begin(kit.credentials, kit.services, timeout)

    @classmethod
    def at(
        cls, credentials: Credentials, services: Mapping[str, Address], *, timeout: float = 30.0
    ) -> Self:
        """A client without a kit: its credentials, and where each party answers, in order."""
        client = cls.__new__(cls)
        client._begin(credentials, services, timeout)
        return client

    def _begin(
        self, credentials: Credentials, services: Mapping[str, Address], timeout: float
    ) -> None:
        self.name = credentials.name
        self.timeout = timeout
        self._lines = {name: Line(name, at, credentials) for name, at in services.items()}
        self._lock = threading.Lock()
        self._known: tuple[Described, ModelForm] | None = None
        self._spare: tuple[float, int, bytes, Words] | None = None

    def __repr__(self) -> str:
        return f"Client({self.name!r} of {', '.join(self._lines)})"

    # What is asked for.

    @property
    def form(self) -> ModelForm:
        """The public form of the served model, as the parties agree on it."""
        return self._service()[1]

    @property
    def schema(self) -> Schema:
        """What rows must look like."""
        return self.form.schema

    def describe(self) -> Described:
        """What the service is and who computes now, freshly asked; two parties say the same.

        Raises
        ------
        PartyLostError
            Fewer than two parties answer (TC-3413).
        ServiceError
            No two parties describe the same service (TC-6010).
        """
        with self._lock:
            self._known = None
            return self._service()[0]

    def predict_proba(self, rows: Any) -> NDArray[np.float64]:
        """Probabilities of both classes, (n, 2), as scikit-learn's.

        Parameters
        ----------
        rows : path, rows with names, data frame or array
            See :func:`tacit.tables.rows.encoded_rows`.

        Raises
        ------
        DataError
            A value breaks the model's schema; nothing was sent.
        PolicyDeniedError
            Not this client, too fast, or its budget is spent (TC-4010 to TC-4013).
        ServiceError
            The service did not answer; says what to do (TC-60xx).
        PartyLostError, DeadlineError
            Too few parties answer, or not in time.
        """
        positive = self.probability(rows)
        return np.stack([1.0 - positive, positive], axis=1)

    def predict(self, rows: Any, threshold: float = 0.5) -> NDArray[np.int64]:
        """Labels 0 and 1, (n,)."""
        return (self.probability(rows) >= threshold).astype(np.int64)

    def probability(self, rows: Any) -> NDArray[np.float64]:
        """Probabilities that the labels are 1, (n,). Parameters and errors: `predict_proba`."""
        with self._lock:
            described, form = self._service()
            encoded = form.encoded(encoded_rows(form.schema, rows, owner=self.name))
            until = time.monotonic() + self.timeout
            found = [
                self._scores(encoded[start : start + _TOGETHER * described.rows], until)
                for start in range(0, len(encoded), _TOGETHER * described.rows)
            ]
            if not found:
                return np.zeros(0)
            values = np.concatenate(found).view(np.int64)
            return decoded_scores(values, form.fraction_bits, described.digits)

    # How.

    def _service(self) -> tuple[Described, ModelForm]:
        if self._known is None:
            said = told_all(self._lines, "GET", "/v1/service", b"", 10.0, lambda _: False)
            told = [
                described
                for name, (status, body) in said.items()
                if status == 200
                and (described := _decoded(body, Described)) is not None
                and described.party == name
            ]
            # What a service is, two say alike; while a party is being lost, not who is there.
            same = _most(told, lambda d: (d.form, d.digits, d.rows, d.parties, d.protocol))
            if len(same) < AGREEING:
                self._require_answers(said)
                raise ServiceError(
                    "No two parties describe the same service.",
                    next_step="they may just be changing over; ask again. If it stays, compare the"
                    " parties' versions and models.",
                    case=10,
                    stage="serving",
                )
            described = _most(same, lambda d: (d.members, d.stage, d.security))[0]
            budget = _most(same, lambda d: d.budget)[0].budget
            described = msgspec.structs.replace(described, budget=budget)
            self._known = described, ModelForm.from_bytes(described.form)
        return self._known

    def _require_answers(self, said: Mapping[str, Said]) -> None:
        """Raise what kept the parties from answering."""
        for _, body in said.values():
            error = _decoded(body, _Refused)
            if error is not None:
                raise TacitError.from_dict(error.error)
        if len(said) < AGREEING:
            silent = [line for name, line in self._lines.items() if name not in said]
            failure = next((line.failure for line in silent if line.failure is not None), None)
            if failure is not None:
                raise failure
            raise PartyLostError(
                f"Too few parties answer: {', '.join(line.party for line in silent)} do not.",
                next_step="check that the service runs, and the parties' addresses.",
                case=13,
                parties=[line.party for line in silent],
                stage="serving",
            )

    def _scores(self, encoded: Words, until: float) -> Words:
        """Unmasked scores of some rows, asked for anew where that helps."""
        tries = 0
        while True:
            tries += 1
            try:
                return self._asked(encoded, until)
            except ServiceError as error:
                if error.code not in _AGAIN or tries == 5 or time.monotonic() > until:
                    raise
                self._spare = None
                time.sleep(min(0.05 * 2**tries, 1.0))

    def _asked(self, encoded: Words, until: float) -> Words:
        most = self._service()[0].rows
        parts = [encoded[start : start + most] for start in range(0, len(encoded), most)]
        queries = [_Query(part, secrets.token_bytes(ID_BYTES)) for part in parts]
        spare = self._spare
        self._spare = None
        if spare and len(queries) == 1 and spare[1] == len(encoded) and time.monotonic() < spare[0]:
            queries[0].id, queries[0].mask = spare[2], spare[3]
        ahead = _Query(encoded, secrets.token_bytes(ID_BYTES)) if len(queries) == 1 else None
        while any(query.mask is None for query in queries):
            self._exchange([q for q in queries if q.mask is None], [], until)
        while any(query.scores is None for query in queries):
            left = [q for q in queries if q.scores is None]
            self._exchange([ahead] if ahead is not None and ahead.mask is None else [], left, until)
        if ahead is not None and ahead.mask is not None:
            until = time.monotonic() + _SPARE_SECONDS
            self._spare = until, len(encoded), ahead.id, ahead.mask
        for query in queries:
            assert query.good is not None
            if not query.good.all():
                raise ServiceError(
                    f"{int((~query.good).sum())} rows were not within the schema's bounds, as all"
                    " parties found on their shares.",
                    next_step="encode rows by the service's schema: tacit.Client does.",
                    case=7,
                    stage="serving",
                )
        return np.concatenate([q.scores for q in queries if q.scores is not None])

    def _exchange(self, asks: Sequence[_Query], gives: Sequence[_Query], until: float) -> None:
        """Tell all parties the same once, and take from their answers what is agreed."""
        left = until - time.monotonic()
        if left <= 0:
            raise DeadlineError(
                "The service did not answer in time.",
                next_step="ask again, or give the client more time (timeout=).",
                case=7,
                stage="serving",
            )
        digest = self.form.digest()
        message = Exchange(
            digest,
            tuple(Ask(query.id, len(query.rows)) for query in asks),
            tuple(Give(query.id, _correction(query)) for query in gives),
            seconds=min(left, 10.0),
        )

        def enough(said: Mapping[str, Said]) -> bool:
            answers = _answers(said)
            if _taken(asks, gives, answers):
                return True
            return self._refusal(said, answers, gives or asks) is not None

        body = msgspec.msgpack.encode(message)
        said = told_all(self._lines, "POST", "/v1/exchange", body, min(left, 15.0), enough)
        answers = _answers(said)
        if _taken(asks, gives, answers):
            return
        error = self._refusal(said, answers, gives or asks)
        if error is not None:
            raise error
        if len(said) < AGREEING:
            self._require_answers(said)
        time.sleep(0.02)

    def _refusal(
        self,
        said: Mapping[str, Said],
        answers: Mapping[bytes, Mapping[str, PartyAnswer]],
        queries: Sequence[_Query],
    ) -> TacitError | None:
        """What so many parties refuse that there will be no answer: two of four, one of three."""
        needed = AGREEING if len(self._lines) > 3 else 1
        wrong = [_decoded(body, _Refused) for status, body in said.values() if status != 200]
        told = [error for error in wrong if error is not None]
        if len(told) >= needed:
            self._known = None
            return TacitError.from_dict(told[0].error)
        for query in queries:
            found = answers.get(query.id, {})
            unknown = {
                n: a for n, a in found.items() if a.error and a.error.get("code") == _UNKNOWN
            }
            refusal = agreed_refusal({n: a for n, a in found.items() if n not in unknown}, needed)
            if refusal is None and len(unknown) == len(found) >= AGREEING:
                # A party that does not know a request yet may hear of it from the others.
                refusal = agreed_refusal(unknown, needed)
            if refusal is not None:
                return refusal
        return None

    def close(self) -> None:
        """Hang up. A later call connects again."""
        for line in self._lines.values():
            line.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _Refused(msgspec.Struct, frozen=True):
    error: dict[str, object]


def _correction(query: _Query) -> bytes:
    assert query.mask is not None
    return (query.rows - query.mask[:, :-1]).astype("<u8").tobytes()


def _taken(
    asks: Sequence[_Query],
    gives: Sequence[_Query],
    answers: Mapping[bytes, Mapping[str, PartyAnswer]],
) -> bool:
    """Take masks and scores that enough parties agree on; whether nothing is missing."""
    for query in asks:
        if query.mask is None:
            rows, columns = query.rows.shape
            query.mask = agreed_mask(answers.get(query.id, {}), rows, columns + 1)
    for query in gives:
        agreed = agreed_score(answers.get(query.id, {}), len(query.rows))
        if query.scores is None and agreed is not None:
            assert query.mask is not None
            masked, query.good = agreed
            query.scores = masked - query.mask[:, -1]
    masked_all = all(query.mask is not None for query in asks)
    return masked_all and all(query.scores is not None for query in gives)


def _answers(said: Mapping[str, Said]) -> dict[bytes, dict[str, PartyAnswer]]:
    found: dict[bytes, dict[str, PartyAnswer]] = {}
    for party, (status, body) in said.items():
        reply = _decoded(body, Reply) if status == 200 else None
        for answer in () if reply is None else reply.answers:
            found.setdefault(answer.id, {})[party] = answer
    return found


def _most(told: Sequence[Described], what: Callable[[Described], Any]) -> list[Described]:
    """Those of which most say the same."""
    if not told:
        return []
    best, _ = Counter(map(what, told)).most_common(1)[0]
    return [described for described in told if what(described) == best]


def _decoded(body: bytes, kind: type[T]) -> T | None:
    try:
        return msgspec.msgpack.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
