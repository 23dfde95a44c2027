"""Being written."""

from __future__ import annotations

from typing import Any

from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

__all__ = ["log"]


def log(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
    raise NotImplementedError
    yield
