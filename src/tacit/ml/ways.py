"""What the two ways of joint training have in common: rows that stream, and rows kept as shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tacit.ml.evaluation import JointCounts, ScoreCounts
from tacit.ml.plaintext import LinearModel
from tacit.ml.training import TrainingPlan
from tacit.storage.store import Place

__all__ = ["Phases", "TrainingJob", "Way", "opened_model"]


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
    """

    plan: TrainingPlan
    digest: bytes
    mask: NDArray[np.bool_]
    storage: Place | None = None
    every: int = 0
    resume: bool = False


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

    def train(self, on_step: Callable[[int], None]) -> list[float]:
        """All steps; the losses that this party learned."""

    def reveal(self, to: Sequence[int]) -> LinearModel | None:
        """Open the model to some parties."""

    def evaluate(
        self, own: ScoreCounts | None, owners: Sequence[int], to: Sequence[int]
    ) -> tuple[JointCounts | None, tuple[int, ...]]:
        """Joint counts of the held-out rows of `owners`, and of which of them they are."""


def opened_model(numbers: NDArray[np.float64]) -> LinearModel:
    """The model that was opened: coefficients, then the intercept."""
    return LinearModel(numbers[:-1], float(numbers[-1]))
