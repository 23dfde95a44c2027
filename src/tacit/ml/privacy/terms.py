"""What owners ask for, what follows from it, and what it spends; all of it public."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct

__all__ = [
    "NOISY_BINS",
    "PRIVACY",
    "RATE_BITS",
    "Privacy",
    "PrivateTerms",
    "Spent",
    "spent_of",
    "spent_text",
]

PRIVACY = "privacy"
"""The note in a model's form that says what its training spent."""

NOISY_BINS = 64
"""Bins of the joint evaluation's noisy counts: fewer, so that less noise is added up."""

RATE_BITS = 32
"""A sampling rate is a multiple of 2^-32."""


class Privacy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked for.

    Attributes
    ----------
    epsilon : float
        The most that training may spend; 0 where `noise_multiplier` is given instead.
    delta : float
    clip : float
        The norm that a row's gradient is clipped to.
    noise_multiplier : float
        Deviation of the noise over the sensitivity; 0 to find the least that `epsilon` allows.
    """

    epsilon: float = 0.0
    delta: float = 1e-6
    clip: float = 1.0
    noise_multiplier: float = 0.0


class Spent(Struct, frozen=True, kw_only=True):
    """A guarantee: (epsilon, delta)-differential privacy.

    Attributes
    ----------
    epsilon, delta : float
    approximation : float
        The part of delta that pays for what is not ideal: noise from finite tables, samples cut at
        their public size.
    """

    epsilon: float
    delta: float
    approximation: float


def spent_text(spent: Spent) -> str:
    """For :data:`PRIVACY`."""
    return msgspec.json.encode(spent).decode()


def spent_of(notes: Mapping[str, str]) -> Spent | None:
    """What a model's training spent, by the notes of its form; None without a guarantee."""
    text = notes.get(PRIVACY)
    return None if text is None else msgspec.json.decode(text, type=Spent)


class PrivateTerms(Struct, frozen=True, kw_only=True):
    """What all owners agree on before a private training.

    Attributes
    ----------
    clip : float
    noise_multiplier : float
        Deviation of the noise over the sensitivity, which includes roundings.
    delta : float
    rate : int
        Each row of an owner is in a step with probability rate / 2^RATE_BITS, on its own.
    slots : tuple of int
        Rows that each owner shares for a step: its sample, and blank rows up to this many.
    training : Spent
        What a training row spends, all steps together.
    held_out : Spent or None
        What a held-out row spends by the joint evaluation; None if nothing is evaluated.
    evaluation_noise : float
        Deviation of the noise on each count of the joint evaluation; 0 if there is none.
    """

    clip: float
    noise_multiplier: float
    delta: float
    rate: int
    slots: tuple[int, ...]
    training: Spent
    held_out: Spent | None = None
    evaluation_noise: float = 0.0

    @property
    def sampling_rate(self) -> float:
        """The probability, for people."""
        return self.rate / float(1 << RATE_BITS)

    @property
    def examples(self) -> int:
        """Rows of a step, blank ones included."""
        return sum(self.slots)
