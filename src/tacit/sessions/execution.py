"""Steps that sessions of every kind drive: input and reveal of typed values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from tacit.encoding.types import DType
from tacit.programs.operation import lift
from tacit.programs.types import SecretValue, reshaped
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

__all__ = ["input_step", "reveal_step"]


def input_step(
    party: Party,
    owner: int,
    elements: NDArray[Any] | None,
    dtype: DType,
    shape: tuple[int, ...],
) -> Step[SecretValue]:
    """The owner's encoded array becomes a secret value; the others pass None."""
    axes = shape or (1,)
    if elements is not None:
        elements = elements.reshape(axes)
    share = yield from (party.input_bits if dtype.kind == "bool" else party.input)(
        owner, elements, axes
    )
    return SecretValue(dtype, share if shape else reshaped(share, ()))


def reveal_step(party: Party, value: SecretValue, to: Sequence[int]) -> Step[NDArray[Any] | None]:
    """Open a secret value to the parties in `to`: ring elements or bits; None at the others.

    Of an integer of N bits only the N lowest bits are opened: in a ring of k bits the sharing is
    multiplied by 2^(k-N), and recipients shift the opened elements back. What earlier operations
    left in the upper bits (such as the product of two numbers before it wrapped) stays secret.
    """
    share = lift(value).share
    reveal = party.reveal_bits if value.dtype.kind == "bool" else party.reveal
    above = party.ring.bits - value.dtype.bits if value.dtype.kind == "int" else 0
    if above:
        share = party.multiply_public(share, 1 << above)
    opened: NDArray[Any] | None = yield from reveal(share, to)
    if opened is None:
        return None
    if above:
        opened = party.ring.shift_right(opened, above)
    return opened.reshape(value.shape)
