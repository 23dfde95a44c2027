"""Being written."""

from __future__ import annotations

from typing import Any

from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

__all__ = ["divide", "reciprocal"]


def reciprocal(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    raise NotImplementedError
    yield


def divide(party: Party, x: Any, y: Any, fraction_bits: int) -> Step[Any]:
    raise NotImplementedError
    yield
