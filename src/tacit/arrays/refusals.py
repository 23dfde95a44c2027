"""Functions of the array API standard that a secret rules out, and what to do instead.

Their results would have a shape that depends on the secret, or would be the secret itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tacit.errors import SecretMisuseError

__all__ = ["REFUSED", "Refusal", "refusal"]

_SHAPE = "the shape of its result would tell about the secret"
_OUT = "it would hand the values to this process"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a function is refused, and the idiom to use instead."""

    reason: str
    idiom: str


REFUSED: Mapping[str, Refusal] = {
    "nonzero": Refusal(_SHAPE, "keep the mask x != 0; tacit.where and sums take it"),
    "argwhere": Refusal(_SHAPE, "keep the mask x != 0; tacit.where and sums take it"),
    "flatnonzero": Refusal(_SHAPE, "keep the mask x != 0; tacit.where and sums take it"),
    "unique": Refusal(_SHAPE, "mark the first of each run in sorted order: s[1:] != s[:-1]"),
    "unique_all": Refusal(_SHAPE, "mark the first of each run in sorted order: s[1:] != s[:-1]"),
    "unique_counts": Refusal(_SHAPE, "compare with public candidates: (x[:, None] == c).sum(0)"),
    "unique_inverse": Refusal(_SHAPE, "compare with public candidates: x[:, None] == c"),
    "unique_values": Refusal(_SHAPE, "mark the first of each run in sorted order: s[1:] != s[:-1]"),
    "compress": Refusal(_SHAPE, "tacit.where(condition, x, 0) keeps the shape"),
    "extract": Refusal(_SHAPE, "tacit.where(condition, x, 0) keeps the shape"),
    "trim_zeros": Refusal(_SHAPE, "tacit.where(condition, x, 0) keeps the shape"),
    "from_dlpack": Refusal(_OUT, 'x.reveal(to="all") gives a NumPy array to those who may see it'),
    "array_equal": Refusal(
        "a Python boolean would decide by the secret", "(x == y) is the secret answer, by element"
    ),
    "array_equiv": Refusal(
        "a Python boolean would decide by the secret", "(x == y) is the secret answer, by element"
    ),
    "allclose": Refusal(
        "a Python boolean would decide by the secret",
        "abs(x - y) <= tolerance is the secret answer, by element",
    ),
    "isclose": Refusal(
        "NumPy's form computes on plain numbers",
        "abs(x - y) <= tolerance is the secret answer, by element",
    ),
}


def refusal(name: str) -> SecretMisuseError:
    """The error for a call of a refused function (TC-1463)."""
    refused = REFUSED[name]
    return SecretMisuseError(
        f"{name} cannot be applied to a secret array: {refused.reason}.",
        next_step=f"{refused.idiom}; or reveal the array first.",
        case=63,
        stage=name,
    )
