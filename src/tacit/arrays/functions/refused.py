"""Functions of the standard that a secret rules out: each raises an error with the idiom."""

from __future__ import annotations

from typing import Any, NoReturn

from tacit.arrays.refusals import refusal

__all__ = [
    "from_dlpack",
    "nonzero",
    "unique_all",
    "unique_counts",
    "unique_inverse",
    "unique_values",
]


def nonzero(x: Any, /) -> NoReturn:
    """Refused: how many there are would show. Keep the mask ``x != 0``."""
    raise refusal("nonzero")


def unique_all(x: Any, /) -> NoReturn:
    """Refused: how many different values there are would show."""
    raise refusal("unique_all")


def unique_counts(x: Any, /) -> NoReturn:
    """Refused: how many different values there are would show."""
    raise refusal("unique_counts")


def unique_inverse(x: Any, /) -> NoReturn:
    """Refused: how many different values there are would show."""
    raise refusal("unique_inverse")


def unique_values(x: Any, /) -> NoReturn:
    """Refused: how many different values there are would show."""
    raise refusal("unique_values")


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> NoReturn:
    """Refused: secrets leave only by ``reveal``, and public arrays enter by ``asarray``."""
    raise refusal("from_dlpack")
