"""What the parties compare before the first share moves, and the session id that results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

__all__ = ["WIRE_VERSION", "Agreement"]

WIRE_VERSION: Final = 1
"""The version of everything that travels between parties. Other versions are refused."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What every party must have the same of.

    Attributes
    ----------
    participants : tuple of str
        The parties' names in party order (their index).
    protocol : str
        Such as ``"replicated3"``.
    job : bytes
        Digest of the job, 32 bytes (see ``encoding.digest.tagged_hash``).
    parameters : mapping of str to str
        Everything else that must be equal, as text. Compared one by one.
    """

    participants: tuple[str, ...]
    protocol: str
    job: bytes
    parameters: Mapping[str, str] = field(default_factory=dict)
