"""All owners' training rows as shares at every party: what training goes on from, whoever is lost.

Rows lie in chunks of one owner each, so that nothing is ever as large as all of them. They arrive
as their owners encoded them, features as numbers within [-1, 1] and labels as bits, which is
checked on shares. When the joint means and deviations are there, each chunk is replaced by its
standardised rows with the label beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.limits import Limits
from tacit.encoding.types import bool_, fixed_point, int64
from tacit.ml.plan import TrainingPlan
from tacit.ml.preparing import Preparation, folds_of
from tacit.ml.standardization import Standardization, standardize
from tacit.ml.training import FEATURES, OwnRows, encoded_features
from tacit.operations.types import ArrayType, SecretValue
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.sessions.handles import Reference
from tacit.sessions.party import PartySession

__all__ = ["CHUNK_ROWS", "Batch", "SharedRows", "joined"]

CHUNK_ROWS = 8_192
"""Rows of one owner in a chunk."""

LABELS: Limits = (0, 1)


def joined(
    session: PartySession, parts: Sequence[Reference], axis: int, order: Sequence[int]
) -> Reference:
    """Inputs of several owners beside each other, then in order; no messages."""
    places = np.array(order)

    def evaluate(party: Party, values: Sequence[SecretValue]) -> Step[tuple[SecretValue, ...]]:
        yield from ()
        whole = party.concatenate([value.share for value in values], axis)
        whole = whole[places] if axis == 0 else whole[:, places]
        return (SecretValue(values[0].dtype, whole),)

    shape = list(parts[0].shape)
    shape[axis] = sum(part.shape[axis] for part in parts)
    result = ArrayType(parts[0].dtype, tuple(shape))
    public = places.astype(np.int64).tobytes()
    (found,) = session.compute("sharing", evaluate, parts, results=(result,), public=public)
    return found


@dataclass(frozen=True, slots=True)
class Batch:
    """Some of the rows: which arrays hold them, and where in each.

    Attributes
    ----------
    references : tuple of Reference
    indices : tuple of ndarray of int64
        The rows of each array.
    """

    references: tuple[Reference, ...]
    indices: tuple[NDArray[np.int64], ...]

    @property
    def rows(self) -> int:
        """How many rows."""
        return sum(map(len, self.indices))

    def picked(self, party: Party, parts: Sequence[SecretValue], columns: int) -> tuple[Any, Any]:
        """This party's part of the batch: rows (n, d), and labels (n,)."""
        width, start = columns + 1, 0
        flat = parts[0].share.blank(self.rows * width)
        for part, index in zip(parts, self.indices, strict=True):
            flat.write(start, part.share[index])
            start += len(index) * width
        rows = flat.reshape(self.rows, width)
        return rows[:, :columns], rows[:, columns]


class SharedRows:
    """The chunks of all owners, in the order of owners and rows.

    Parameters
    ----------
    plan : TrainingPlan
    chunk_rows : int, optional
        :data:`CHUNK_ROWS` by default.
    preparation : Preparation, optional
        Where rows are clipped or target-encoded before they are standardised.
    """

    def __init__(
        self,
        plan: TrainingPlan,
        chunk_rows: int | None = None,
        preparation: Preparation | None = None,
    ) -> None:
        chunk_rows = chunk_rows or CHUNK_ROWS
        self._preparation = preparation
        self._plan = plan
        self._chunk_rows = chunk_rows
        self._places = [
            (owner, start, min(start + chunk_rows, rows))
            for owner, rows in enumerate(plan.rows)
            for start in range(0, rows, chunk_rows)
        ]
        self._position = {
            (owner, start // chunk_rows): place
            for place, (owner, start, _) in enumerate(self._places)
        }
        self._features: list[Reference] = []
        self._labels: list[Reference] = []
        self._rows: list[Reference] = []

    # Before they are standardised.

    @property
    def stored(self) -> list[Reference]:
        """What is sealed: the features of all chunks, then the labels."""
        return [*self._features, *self._labels]

    @property
    def names(self) -> list[str]:
        """What each array is called where it is stored."""
        return [
            f"{kind} of {owner} from {start}"
            for kind in ("features", "labels")
            for owner, start, _ in self._places
        ]

    def restore(self, stored: Sequence[Reference]) -> None:
        """Take what was sealed."""
        chunks = len(self._places)
        self._features, self._labels = list(stored[:chunks]), list(stored[chunks:])

    def share(
        self, session: PartySession, own: OwnRows | None, report: Callable[[int], None]
    ) -> None:
        """Every owner inputs its rows, a chunk at a time. `report` is told of finished rows."""
        done, position = 0, session.position(session.name)
        if self._plan.parts:
            self._share_columns(session, own, report)
            return
        width = self._plan.columns
        if self._preparation is not None:
            width = self._preparation.layout.features
        for owner, start, stop in self._places:
            features = labels = None
            if own is not None and owner == position:
                numbers, labels = own.take(np.arange(start, stop))
                features = encoded_features(numbers)
            count = stop - start
            self._features.append(
                session.input_elements(owner, features, int64, (count, width), FEATURES)
            )
            self._labels.append(session.input_elements(owner, labels, bool_, (count,), LABELS))
            done += count
            report(done)

    def _share_columns(
        self, session: PartySession, own: OwnRows | None, report: Callable[[int], None]
    ) -> None:
        """The same where owners have different columns of the same rows."""
        plan, position = self._plan, session.position(session.name)
        for _, start, stop in self._places:
            features = labels = None
            if own is not None:
                numbers, labels = own.take(np.arange(start, stop))
                features = encoded_features(numbers)
            count = stop - start
            columns = [
                session.input_elements(
                    owner, features if owner == position else None, int64, (count, width), FEATURES
                )
                for owner, width in enumerate(plan.parts)
                if width
            ]
            self._features.append(joined(session, columns, 1, plan.order))
            truth = labels if position == plan.label_owner else None
            self._labels.append(
                session.input_elements(plan.label_owner, truth, bool_, (count,), LABELS)
            )
            report(stop)

    # Afterwards.

    def standardise(
        self,
        session: PartySession,
        prepared: Sequence[Reference],
        report: Callable[[int], None],
    ) -> None:
        """Replace every chunk by its prepared rows.

        `prepared` are the mean and the inverse deviation, and what a preparation needs besides.
        """
        f, columns = self._plan.fraction_bits, self._plan.columns

        def evaluate(
            party: Party, parts: Sequence[SecretValue], numbers: NDArray[np.int64]
        ) -> Step[tuple[SecretValue, ...]]:
            features, labels, *shares = (part.share for part in parts)
            x, bits = yield from together(
                self._prepare(party, features, shares, numbers),
                party.bit_to_arithmetic(labels),
            )
            y = party.multiply_public(bits, 1 << f).reshape(x.shape[0], 1)
            return (SecretValue(fixed_point(f), party.concatenate([x, y], 1)),)

        done = 0
        self._features.reverse()
        self._labels.reverse()
        for _, start, stop in self._places:
            features, labels = self._features.pop(), self._labels.pop()
            rows = labels.shape[0]
            result = ArrayType(fixed_point(f), (rows, columns + 1))
            self._rows += session.compute(
                "standardisation",
                partial(evaluate, numbers=np.arange(start, stop)),
                (features, labels, *prepared),
                results=(result,),
            )
            session.seal()  # nothing else keeps what the rows were before
            done += rows
            report(done)

    def _prepare(
        self, party: Party, x: Any, shares: Sequence[Any], numbers: NDArray[np.int64]
    ) -> Step[Any]:
        preparation = self._preparation
        if preparation is None:
            return standardize(party, x, Standardization(*shares))
        return preparation.rows_of(party, x, preparation.prepared(shares), folds_of(numbers))

    def batch(self, rows: Sequence[NDArray[np.int64]]) -> Batch:
        """Rows of every owner, by their sorted numbers."""
        references: list[Reference] = []
        indices: list[NDArray[np.int64]] = []
        for owner, numbers in enumerate(rows):
            if not numbers.size:
                continue
            chunks, starts = np.unique(numbers // self._chunk_rows, return_index=True)
            for chunk, own in zip(
                chunks.tolist(), np.split(numbers % self._chunk_rows, starts[1:]), strict=True
            ):
                references.append(self._rows[self._position[owner, chunk]])
                indices.append(own)
        return Batch(tuple(references), tuple(indices))
