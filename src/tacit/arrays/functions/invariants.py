"""What the carries of a loop stay within: declared, and proved or held by a clip."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any, Literal, TypeAlias

from tacit.arrays.array import SecretArray, applied
from tacit.errors import ProgramError
from tacit.operations.types import Bounds

__all__ = ["Enforce", "Invariants", "invariants"]

Invariants: TypeAlias = Sequence[Bounds | None] | None
Enforce: TypeAlias = Literal["prove", "clip"]


def invariants(
    name: str, init: Sequence[Any], bounds: Invariants, enforce: Enforce
) -> tuple[list[Bounds | None], Callable[[Sequence[Any]], list[Any]]]:
    """Declared bounds of a loop's carries, and what is done with a round's results.

    Parameters
    ----------
    name : str
        The loop's.
    init : sequence
        The first carry.
    bounds : sequence of (low, high) or None
    enforce : {"prove", "clip"}

    Raises
    ------
    ProgramError
        Not one pair of numbers or None a carry, or another `enforce` (TC-1575).
    """
    limits = list(bounds or [None] * len(init))
    if len(limits) != len(init) or not all(map(_is_interval, limits)):
        raise ProgramError(
            f"{name}: `bounds` has {len(limits)} entries for {len(init)} carries, or one that is no"
            " interval.",
            next_step="give (low, high) or None for each carry: bounds=[(-8, 8), None].",
            case=75,
            stage=name,
        )
    if enforce not in ("prove", "clip"):
        raise ProgramError(
            f"{name}: bounds cannot be enforced by {enforce!r}.",
            next_step='choose enforce="prove" or enforce="clip".',
            case=75,
            stage=name,
        )

    def limited(carry: Sequence[Any]) -> list[Any]:
        if enforce == "prove":
            return list(carry)
        return [_clipped(one, limit) for one, limit in zip(carry, limits, strict=True)]

    return limits, limited


def _is_interval(bounds: Any) -> bool:
    if bounds is None:
        return True
    try:
        low, high = bounds
        return bool(low <= high) and isfinite(low) and isfinite(high)
    except (TypeError, ValueError):
        return False


def _clipped(one: Any, limit: Bounds | None) -> Any:
    """A secret within an interval; public numbers are looked at when the program is made."""
    if limit is None or not isinstance(one, SecretArray) or one.public:
        return one
    known = one.bounds
    if known is not None and limit[0] <= known[0] and known[1] <= limit[1]:
        return one
    return applied("clip", one, low=limit[0], high=limit[1])
