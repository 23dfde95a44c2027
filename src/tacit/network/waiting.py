"""Whom a party waits for while it connects, for whoever sits in front of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from tacit.network.addresses import Address

__all__ = ["Awaited", "OnWait"]


@dataclass(frozen=True, slots=True)
class Awaited:
    """A party that is not there yet.

    Attributes
    ----------
    name : str
        Whom.
    address : Address or None
        Where this party dials it; None for one that dials this party.
    problem : str
        Why the last attempt failed, or why somebody who came was turned away; may be empty.
    """

    name: str
    address: Address | None
    problem: str

    def __str__(self) -> str:
        where = "to connect here" if self.address is None else f"at {self.address}"
        return f"{self.name} {where}" + (f" ({self.problem})" if self.problem else "")


OnWait: TypeAlias = Callable[[tuple[Awaited, ...]], None]
"""Told now and then while a party connects, and with nothing when all are there."""
