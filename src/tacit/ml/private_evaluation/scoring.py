"""Scores of shared rows by a secret model, as an operation of the session."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tacit.models import ModelForm, scores
from tacit.models.stored import as_scores
from tacit.operations.types import ArrayType, SecretValue
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.sessions.handles import Reference
from tacit.sessions.party import PartySession

__all__ = ["CHUNK_ROWS", "scored"]

CHUNK_ROWS = 8_192
"""Rows that are shared and scored at a time."""


def scored(
    session: PartySession, form: ModelForm, parameters: Sequence[Reference], rows: Reference
) -> Reference:
    """Log-odds of rows (n, d) encoded by the form: (n,). Nothing is revealed."""
    dtype = form.dtype

    def evaluate(party: Party, parts: Sequence[Any]) -> Step[tuple[SecretValue, ...]]:
        x, *weights = (part.share for part in parts)
        return (SecretValue(dtype, (yield from scores(party, form, weights, x))),)

    (found,) = session.compute(
        "scoring",
        evaluate,
        [rows, *parameters],
        results=(ArrayType(dtype, rows.shape[:1]),),
        public=form.digest(),
    )
    return as_scores(found)
