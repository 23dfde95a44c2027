"""What the two ways of joint training have in common: rows that stream, and rows kept as shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from tacit.ml.evaluation import JointCounts, ScoreCounts
from tacit.ml.plan import TrainingPlan
from tacit.ml.preparing import Preparation
from tacit.ml.start import Start
from tacit.models import ModelForm
from tacit.sessions.handles import Reference
from tacit.storage.store import Place

__all__ = ["Course", "Phases", "TrainingJob", "Way"]


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """What all parties agreed on for a training, and where this one keeps shares.

    Attributes
    ----------
    plan : TrainingPlan
    digest : bytes
        What must be the same for going on from what is stored.
    mask : (d,) bool
        Columns to standardise.
    storage : Place or None
        Where this party seals shares.
    every : int
        Steps between two checkpoints; 0 for none.
    resume : bool
        Whether to go on from the newest checkpoint that all parties have.
    form : ModelForm, optional
        Of the model; needed where one is kept or started from.
    start : Start, optional
        What training starts from; initial weights by default.
    store : Place, optional
        Where a model to start from lies, if not in `storage`.
    recipients : tuple of str
        Who learns the model.
    preparation : Preparation, optional
        Where rows are clipped or target-encoded; they are only standardised otherwise.
    """

    plan: TrainingPlan
    digest: bytes
    mask: NDArray[np.bool_]
    storage: Place | None = None
    every: int = 0
    resume: bool = False
    form: ModelForm | None = None
    start: Start | None = None
    store: Place | None = None
    recipients: tuple[str, ...] = ()
    preparation: Preparation | None = None


class Course(NamedTuple):
    """What a party learned on the way.

    Attributes
    ----------
    losses : list of float
        Revealed mean squared residuals of training batches.
    metrics : list of float
        Revealed mean log-losses of rows set apart, one an epoch.
    steps : int
        How many steps were made in all.
    """

    losses: list[float]
    metrics: list[float]
    steps: int


class Phases(Protocol):
    """Begins and ends phases of the work, which have costs and deadlines of their own."""

    def phase(self, name: str) -> AbstractContextManager[None]:
        """A phase of the work."""

    def reporter(self, phase: str, total: int, unit: str = "steps") -> Callable[[int], None]:
        """A function that tells how much of a phase is done."""


class Way(Protocol):
    """One party's part of a joint training; the methods are called in their order, once."""

    def prepare(self, phases: Phases) -> None:
        """Everything before the first step."""

    def train(self, on_step: Callable[[int], None], told: Callable[[str], None] = ...) -> Course:
        """All steps; the numbers that this party learned on the way.

        `on_step` is told the number of finished steps, `told` what was revealed to this party.
        """

    @property
    def model(self) -> list[Reference]:
        """The secret model's parameters, after training."""

    def keep(self, name: str) -> int:
        """Seal the secret model in every party's store; its version.

        Raises UsageError (TC-1094) where a party was lost: at rest are shares of all parties.
        """

    def reveal(self, to: Sequence[int]) -> NDArray[np.float64] | None:
        """Open the model to some parties: all parameters in one row."""

    def evaluate(
        self, own: ScoreCounts | None, owners: Sequence[int], to: Sequence[int]
    ) -> tuple[JointCounts | None, tuple[int, ...]]:
        """Joint counts of the held-out rows of `owners`, and of which of them they are."""
