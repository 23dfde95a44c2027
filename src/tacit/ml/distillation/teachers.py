"""PATE's teachers: logistic regressions on disjoint shards, trained on shares in the rounds of one.

Each teacher has so many rows of every owner and standardises them by its own shard's means and
deviations, which its owners compute in the clear for their parts; so a privacy unit moves nothing
but the one teacher that has it. What leaves are noisy majorities alone.

Every step is an operation of the session, which a recovery can make again from the same operands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.types import bool_, fixed_point, int64
from tacit.functions.ensembles import ensemble_step, ensemble_votes
from tacit.functions.noise import gaussian_plan, noisy_argmax
from tacit.ml.distillation.public_rows import PublicRows
from tacit.ml.distillation.records import PateSettings
from tacit.ml.standardization import (
    INPUT_BITS,
    combined_standardization,
    encoded_moments,
    moment_limits,
)
from tacit.ml.training import FEATURES, encoded_features
from tacit.operations.types import ArrayType, SecretValue
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.sessions.handles import Reference
from tacit.sessions.party import PartySession

__all__ = ["FRACTION_BITS", "OwnShards", "Teachers"]

FRACTION_BITS = 18

PUBLIC_BITS = 16
"""Of public rows: scores of weights up to 2^13 stay below 2^54."""

CHUNK_ROWS = 8_192
"""Rows of one owner in an array, or a teacher's if these are more."""

VOTES_AT_ONCE = 1 << 18
"""Scores whose signs are taken in one operation."""

_Results = Step[tuple[SecretValue, ...]]
_F = fixed_point(FRACTION_BITS)


@dataclass(frozen=True, slots=True, repr=False)
class OwnShards:
    """An owner's rows by teacher.

    Attributes
    ----------
    features : (teachers, rows, d) float64
        Within [-1, 1].
    labels : (teachers, rows) uint8
    """

    features: NDArray[np.float64]
    labels: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Some teachers' rows of one owner: (teachers · rows, d + 1) standardised, the label last."""

    owner: int
    first: int
    last: int
    reference: Reference


class Teachers:
    """One party's part of all teachers; the methods are called in their order.

    Parameters
    ----------
    session : PartySession
    settings : PateSettings
    sizes : sequence of int
        Rows that a shard has of each owner; owners are the session's first parties.
    columns : int
        d.
    """

    def __init__(
        self, session: PartySession, settings: PateSettings, sizes: Sequence[int], columns: int
    ) -> None:
        self._session = session
        self._settings = settings
        self._sizes = tuple(sizes)
        self._columns = columns
        self._inputs: list[tuple[int, int, int, Reference, Reference]] = []
        self._moments: list[Reference] = []
        self._chunks: list[_Chunk] = []
        self._by: tuple[Reference, Reference] | None = None
        self._weights: Reference | None = None
        self._done = 0

    @property
    def steps(self) -> int:
        """Of all epochs."""
        return self._settings.epochs * self._steps_an_epoch

    @property
    def _steps_an_epoch(self) -> int:
        return -(-max(self._sizes) // self._settings.batch_size)

    # Inputs.

    def share(self, own: OwnShards | None, report: Callable[[int], None]) -> None:
        """Every owner inputs its rows and moments, teachers by teachers. Told: finished rows."""
        session, teachers, done = self._session, self._settings.teachers, 0
        position = session.position(session.name)
        for owner, size in enumerate(self._sizes):
            mine = own if owner == position else None
            many = max(1, CHUNK_ROWS // size)
            for first in range(0, teachers, many):
                last = min(first + many, teachers)
                rows = (last - first) * size
                features = labels = None
                if mine is not None:
                    part = mine.features[first:last].reshape(rows, self._columns)
                    features, labels = encoded_features(part), mine.labels[first:last].reshape(rows)
                x = session.input_elements(owner, features, int64, (rows, self._columns), FEATURES)
                y = session.input_elements(owner, labels, bool_, (rows,), (0, 1))
                self._inputs.append((owner, first, last, x, y))
                done += rows
                report(done)
            self._share_moments(owner, mine)

    def _share_moments(self, owner: int, own: OwnShards | None) -> None:
        size, total = self._sizes[owner], sum(self._sizes)
        encoded = None
        if own is not None:
            mean, variance = own.features.mean(axis=1), own.features.var(axis=1)
            encoded = encoded_moments(np.stack([mean.ravel(), variance.ravel()]), size / total)
        count = self._settings.teachers * self._columns
        for place, limits in enumerate(moment_limits(size, total)):
            mine = None if encoded is None else encoded[place]
            self._moments.append(self._session.input_elements(owner, mine, int64, (count,), limits))

    # Training.

    def prepare(self, report: Callable[[int], None]) -> None:
        """Standardise every teacher's rows by its own shard. Told: finished rows."""
        settings, sizes, f = self._settings, self._sizes, FRACTION_BITS
        teachers, columns = settings.teachers, self._columns
        mask = np.ones(teachers * columns, bool)

        def moments(party: Party, parts: Sequence[SecretValue]) -> _Results:
            shares = [part.share for part in parts]
            inputs = [shares[place : place + 3] for place in range(0, len(shares), 3)]
            by = yield from combined_standardization(party, sizes, inputs, mask, f)
            weights = party.public(np.zeros((teachers, columns + 1), np.int64))
            return (
                SecretValue(fixed_point(INPUT_BITS), by.mean),
                SecretValue(_F, by.inverse_deviation),
                SecretValue(_F, weights),
            )

        flat = (teachers * columns,)
        types = (
            ArrayType(fixed_point(INPUT_BITS), flat),
            ArrayType(_F, flat),
            ArrayType(_F, (teachers, columns + 1)),
        )
        mean, inverse, self._weights = self._session.compute(
            "standardisation", moments, self._moments, results=types
        )
        self._by, self._moments = (mean, inverse), []
        done = 0
        self._inputs.reverse()
        while self._inputs:
            owner, first, last, x, y = self._inputs.pop()
            rows = y.shape[0]
            (reference,) = self._session.compute(
                "standardisation",
                _standardised(first, last, self._sizes[owner], columns),
                (x, y, mean, inverse),
                results=(ArrayType(_F, (rows, columns + 1)),),
            )
            self._session.seal()  # nothing else keeps what the rows were before
            self._chunks.append(_Chunk(owner, first, last, reference))
            done += rows
            report(done)

    def train(self, epochs: int, report: Callable[[int], None]) -> None:
        """So many epochs more. Told: steps done in all."""
        settings, last = self._settings, self._done + epochs * self._steps_an_epoch
        assert self._weights is not None
        while self._done < last:
            epoch, place = divmod(self._done, self._steps_an_epoch)
            picked = [
                _batch(size, settings.batch_size, owner, epoch, place, settings.seed)
                for owner, size in enumerate(self._sizes)
            ]
            (self._weights,) = self._session.compute(
                "training",
                _step(self._chunks, picked, settings.learning_rate, self._columns),
                (self._weights, *(chunk.reference for chunk in self._chunks)),
                results=(ArrayType(_F, self._weights.shape),),
                public=b"teachers" + self._done.to_bytes(8, "little"),
            )
            self._done += 1
            report(self._done)

    # Labels.

    def labels(self, public: PublicRows, report: Callable[[int], None]) -> Reference:
        """Noisy majorities for all public rows, (k,), still secret. Told: finished rows."""
        assert self._weights is not None
        assert self._by is not None
        teachers, columns = self._settings.teachers, self._columns
        folded = self._session.compute(
            "voting", _folded(teachers, columns), (self._weights, *self._by),
            results=(ArrayType(_F, (teachers, columns + 1)),),
        )  # fmt: skip
        rows, plan = public.encoded(PUBLIC_BITS), gaussian_plan(self._settings.sigma)
        many, found = max(1, VOTES_AT_ONCE // teachers), list[Reference]()
        for start in range(0, len(rows), many):
            part = rows[start : start + many]

            def evaluate(
                party: Party, parts: Sequence[SecretValue], part: NDArray[np.int64] = part
            ) -> _Results:
                votes = yield from ensemble_votes(party, parts[0].share, part)
                return (SecretValue(int64, (yield from noisy_argmax(party, votes, plan))),)

            found += self._session.compute(
                "voting",
                evaluate,
                folded,
                results=(ArrayType(int64, (len(part),)),),
                public=self._done.to_bytes(8, "little") + start.to_bytes(8, "little"),
            )
            self._session.seal()  # noise is never drawn again for labels that may have been seen
            report(start + len(part))
        return found[0] if len(found) == 1 else self._joined(found)

    def _joined(self, parts: Sequence[Reference]) -> Reference:
        def evaluate(party: Party, values: Sequence[SecretValue]) -> _Results:
            yield from ()
            return (SecretValue(int64, party.concatenate([v.share for v in values], 0)),)

        rows = sum(part.shape[0] for part in parts)
        (whole,) = self._session.compute(
            "voting", evaluate, parts, results=(ArrayType(int64, (rows,)),)
        )
        return whole


def _standardised(
    first: int, last: int, size: int, columns: int
) -> Callable[[Party, Sequence[SecretValue]], _Results]:
    """Rows of some teachers by each teacher's own mean and deviation, the label beside them."""
    many = last - first

    def evaluate(party: Party, parts: Sequence[SecretValue]) -> _Results:
        x, y, mean, inverse = (part.share for part in parts)
        shape = (many, size, columns)

        def spread(values: Any) -> Any:
            own = values[first * columns : last * columns].reshape(many, 1, columns)
            return party.broadcast(own, shape).reshape(many * size, columns)

        centred = party.subtract(x, spread(mean))
        x, bits = yield from together(
            party.multiply_truncate(centred, spread(inverse), INPUT_BITS),
            party.bit_to_arithmetic(y),
        )
        label = party.multiply_public(bits, 1 << FRACTION_BITS).reshape(many * size, 1)
        return (SecretValue(_F, party.concatenate([x, label], 1)),)

    return evaluate


def _batch(
    size: int, batch: int, owner: int, epoch: int, place: int, seed: int
) -> NDArray[np.int64]:
    """Which of an owner's rows in every shard: a public permutation an epoch, round and round."""
    order = np.random.default_rng([seed, owner, epoch]).permutation(size)
    return np.sort(np.resize(np.roll(order, -place * batch), min(batch, size)))


def _step(
    chunks: Sequence[_Chunk],
    picked: Sequence[NDArray[np.int64]],
    learning_rate: float,
    columns: int,
) -> Callable[[Party, Sequence[SecretValue]], _Results]:
    """(weights, all chunks) -> weights."""
    places = [(chunk.owner, chunk.last - chunk.first) for chunk in chunks]

    def evaluate(party: Party, parts: Sequence[SecretValue]) -> _Results:
        by_owner: dict[int, list[Any]] = {}
        for (owner, many), part in zip(places, parts[1:], strict=True):
            rows = part.share.reshape(many, -1, columns + 1)
            by_owner.setdefault(owner, []).append(rows[:, picked[owner]])
        owners = [party.concatenate(found, 0) for _, found in sorted(by_owner.items())]
        batch = party.concatenate(owners, 1)
        teachers, rows = batch.shape[:2]
        ones = party.public(np.full((teachers, rows, 1), 1 << FRACTION_BITS))
        x = party.concatenate([batch[:, :, :columns], ones], 2)
        weights = yield from ensemble_step(
            party,
            x,
            batch[:, :, columns],
            parts[0].share,
            FRACTION_BITS,
            learning_rate=learning_rate,
        )
        return (SecretValue(_F, weights),)

    return evaluate


def _folded(teachers: int, columns: int) -> Callable[[Party, Sequence[SecretValue]], _Results]:
    """Weights for standardised rows become those for rows within [-1, 1]."""

    def evaluate(party: Party, parts: Sequence[SecretValue]) -> _Results:
        weights, mean, inverse = (part.share for part in parts)
        shape = (teachers, columns)
        slopes = weights[:, :columns]
        scaled = yield from party.multiply_truncate(slopes, inverse.reshape(*shape), FRACTION_BITS)
        moved = yield from party.multiply_truncate(scaled, mean.reshape(*shape), INPUT_BITS)
        total = party.sum(moved, axis=1).reshape(teachers, 1)
        bias = party.subtract(weights[:, columns:], total)
        return (SecretValue(_F, party.concatenate([scaled, bias], 1)),)

    return evaluate
