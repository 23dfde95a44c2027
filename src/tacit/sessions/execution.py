"""Steps that sessions of every kind drive: input and reveal of typed values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.types import DType
from tacit.programs.types import SecretValue
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

__all__ = ["input_step", "reveal_step"]


def input_step(
    party: Party,
    owner: int,
    elements: NDArray[np.uint64] | None,
    dtype: DType,
    shape: tuple[int, ...],
) -> Step[SecretValue]:
    """The owner's encoded array becomes a secret value; the others pass None."""
    if dtype.kind == "bool":
        return SecretValue(dtype, (yield from party.input_bits(owner, elements, shape)))
    return SecretValue(dtype, (yield from party.input(owner, elements, shape)))


def reveal_step(party: Party, value: SecretValue, to: Sequence[int]) -> Step[NDArray[Any] | None]:
    """Open a secret value to the parties in `to`: ring elements or bits; None at the others."""
    if value.dtype.kind == "bool":
        return (yield from party.reveal_bits(value.share, to))
    return (yield from party.reveal(value.share, to))
