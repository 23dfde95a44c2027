"""Losses of training batches on the way, revealed only if that was agreed.

Squared residuals are summed on shares, and their mean is opened every so many batches. Under
guaranteed output they are arrays of the session (:class:`Losses`); else a step of the stream
(:class:`SquaredResiduals`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.types import fixed_point
from tacit.ml.checkpoints import Progress
from tacit.ml.plan import TrainingPlan
from tacit.operations.types import ArrayType, SecretValue
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.sessions.handles import Reference
from tacit.sessions.party import PartySession

__all__ = ["Losses", "SquaredResiduals", "opened", "squared"]

_Results = Step[tuple[SecretValue, ...]]


def squared(party: Party, pending: Sequence[Any], fraction_bits: int) -> Step[Any]:
    """The sum of squared residuals, and of a total so far where there is one: (1, 1).

    Parameters
    ----------
    pending : sequence of arithmetic sharings
        Residuals (n,), and perhaps a total (1, 1).
    """
    residuals, *total = pending
    count = residuals.shape[0]
    row, column = residuals.reshape(1, count), residuals.reshape(count, 1)
    square = yield from party.matmul_truncate(row, column, fraction_bits)
    return party.add(total[0], square) if total else square


class SquaredResiduals:
    """Sums squared residuals on shares and reveals the mean every so many batches."""

    def __init__(
        self, party: Party, plan: TrainingPlan, total: Any = None, rows: int = 0, batches: int = 0
    ) -> None:
        self.party = party
        self.plan = plan
        self.total: Any = total
        self.rows = rows
        self.batches = batches

    def add(self, residuals: Any, last: bool = False) -> Step[list[float]]:
        """Add a batch's residuals up; the losses that were opened, one at most."""
        if not self.plan.loss_every or residuals is None:
            return []
        f = self.plan.fraction_bits
        pending = [residuals] if self.total is None else [residuals, self.total]
        self.total = yield from squared(self.party, pending, f)
        self.rows += residuals.shape[0]
        self.batches += 1
        if self.batches < self.plan.loss_every and not last:
            return []
        to = self.plan.loss_to or tuple(range(self.party.size))
        opened = yield from self.party.reveal(self.total, to)
        rows = self.rows
        self.total, self.rows, self.batches = None, 0, 0
        if opened is None:
            return []
        return [float(opened.view(np.int64)[0, 0]) / (1 << f) / rows]


def opened(session: PartySession, reference: Reference, to: Sequence[int]) -> NDArray[Any] | None:
    return session.open(reference, tuple(to), tuple(to)).get(session.name)


class Losses:
    """Sums squared residuals on shares and reveals the mean every so many batches.

    Parameters
    ----------
    session : PartySession
    plan : TrainingPlan
    keep : bool
        Whether to keep revealed sums as shares too, for checkpoints: a party without the right
        to a loss must not find it in a checkpoint's public part.

    Attributes
    ----------
    values : list of float
        The losses that this party learned.
    """

    def __init__(self, session: PartySession, plan: TrainingPlan, keep: bool) -> None:
        self.values: list[float] = []
        self._session = session
        self._plan = plan
        self._type = fixed_point(plan.fraction_bits)
        self._to = plan.loss_to or tuple(range(len(session.parties)))
        self._keep = keep
        self._residuals: Reference | None = None
        self._total: Reference | None = None
        self._revealed: Reference | None = None
        self._revealed_rows: list[int] = []
        self._rows = 0
        self._batches = 0

    @property
    def pending(self) -> tuple[Reference, ...]:
        """What the next step adds up: the last step's residuals, and the total so far."""
        if self._residuals is None:
            return ()
        return (self._residuals,) if self._total is None else (self._residuals, self._total)

    def types(self, rows: int) -> tuple[ArrayType, ...]:
        """Of what a step on so many rows returns for the losses."""
        if not self._plan.loss_every:
            return ()
        residuals = ArrayType(self._type, (rows,))
        return (residuals, ArrayType(self._type, (1, 1))) if self.pending else (residuals,)

    def stepped(self, results: Sequence[Reference]) -> bool:
        """Take what a step returned for the losses; reveal one if it is its turn.

        Returns
        -------
        bool
            Whether this party learned one.
        """
        known = len(self.values)
        if results:
            if len(results) == 2:
                self._add(results[1])
            self._residuals = results[0]
        return len(self.values) > known

    def _add(self, total: Reference, last: bool = False) -> None:
        assert self._residuals is not None
        self._total = total
        self._rows += self._residuals.shape[0]
        self._batches += 1
        if self._batches < self._plan.loss_every and not last:
            return
        found = opened(self._session, total, self._to)
        if found is not None:
            self.values.append(float(found[0, 0]) / self._rows)
        if self._keep:
            self._note(total)
        self._revealed_rows.append(self._rows)
        self._total, self._rows, self._batches = None, 0, 0

    def _note(self, total: Reference) -> None:
        f = self._type

        def evaluate(party: Party, parts: Sequence[SecretValue]) -> _Results:
            yield from ()
            flat = [part.share.reshape(part.share.size) for part in parts]
            return (SecretValue(f, party.concatenate(flat, 0)),)

        before = () if self._revealed is None else (self._revealed,)
        size = 1 + sum(reference.shape[0] for reference in before)
        (self._revealed,) = self._session.compute(
            "training", evaluate, (*before, total), results=(ArrayType(f, (size,)),)
        )

    def finish(self) -> None:
        """Add up the last step's residuals and reveal what is left."""
        pending, f = self.pending, self._plan.fraction_bits
        if not pending:
            return

        def evaluate(party: Party, parts: Sequence[SecretValue]) -> _Results:
            total = yield from squared(party, [part.share for part in parts], f)
            return (SecretValue(fixed_point(f), total),)

        (total,) = self._session.compute(
            "training", evaluate, pending, results=(ArrayType(self._type, (1, 1)),)
        )
        self._add(total, last=True)

    # Checkpoints.

    @property
    def stored(self) -> dict[str, Reference]:
        """The arrays that a checkpoint holds of the losses."""
        if not self._plan.loss_every:
            return {}
        found = {
            "residuals": self._residuals,
            "total": self._total,
            "revealed": self._revealed,
        }
        return {name: reference for name, reference in found.items() if reference is not None}

    def progress(self, job: bytes, step: int) -> Progress:
        """What is public about a checkpoint."""
        return Progress(
            job,
            step,
            rows=self._rows,
            batches=self._batches,
            loss_rows=tuple(self._revealed_rows),
        )

    def restore(self, stored: dict[str, Reference], progress: Progress) -> None:
        """Go on from a checkpoint; the losses before it are opened again, to the same parties."""
        self._residuals, self._total = stored.get("residuals"), stored.get("total")
        self._rows, self._batches = progress.rows, progress.batches
        self._revealed = stored.get("revealed")
        self._revealed_rows = list(progress.loss_rows)
        if self._revealed is None:
            return
        totals = opened(self._session, self._revealed, self._to)
        if totals is not None:
            self.values = [
                float(total) / rows for total, rows in zip(totals, self._revealed_rows, strict=True)
            ]
