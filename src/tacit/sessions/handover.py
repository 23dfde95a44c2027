"""What becomes of a party's parts when the session goes on with others, and who gets what anew.

From four to three nothing is sent. From three to another three, the two that stay tell the one
that joins where they are and which arrays are in use; then the arrays are put in
(:mod:`tacit.protocols.fallback`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from tacit.encoding.types import DType
from tacit.errors import MessageError
from tacit.operations.operation import lift
from tacit.operations.types import Bounds, SecretValue, reshaped
from tacit.protocols.fallback import transfer
from tacit.protocols.interface import Party
from tacit.recovery import Signed
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.sessions.entries import Outcome
from tacit.sharing.fallback import drop
from tacit.storage.records import bounds_from, bounds_text

__all__ = ["Array", "Handover", "Members", "array_of", "dropped", "handed_over", "in_both"]

Members = tuple[int, int, int]
"""Three of four parties, by their index among four, ascending."""

SIDE_BY_SIDE = 16
"""How many arrays are handed over in one round."""


class Array(Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """A secret array in use: its number and what is public about it."""

    number: int
    kind: str
    fraction_bits: int
    bits: int
    signed: bool
    shape: tuple[int, ...]
    held: tuple[str, str] | None = None

    @property
    def dtype(self) -> DType:
        """The type of its numbers."""
        return DType(self.kind, self.fraction_bits, self.bits, self.signed)  # type: ignore[arg-type]

    @property
    def range(self) -> Bounds | None:
        """What its ring elements lie in, where that is wider than the type."""
        return bounds_from(self.held)


class Handover(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a party is in the program, and what it has.

    Attributes
    ----------
    passed, reached : int
        Barriers.
    counts : tuple of int
        How many arrays there were at these two barriers.
    arrays : tuple of Array
        Those in use of which it has a part; none at the party that joins.
    rejected : dict of int to Outcome
        Inputs that came to nothing, and why, by the barrier after each.
    said : Signed or None
        What it signed about the end of the stage before; nothing from the party that joins.
    """

    passed: int
    reached: int
    counts: tuple[int, int]
    arrays: tuple[Array, ...]
    rejected: dict[int, Outcome]
    said: Signed | None = None


def array_of(number: int, value: SecretValue) -> Array:
    """What is public about a part."""
    dtype = value.dtype
    return Array(
        number,
        dtype.kind,
        dtype.fraction_bits,
        dtype.bits,
        dtype.signed,
        value.shape,
        bounds_text(value.held),
    )


def in_both(one: Handover, other: Handover, below: int) -> list[Array]:
    """The arrays that both have, of those before a number.

    Raises
    ------
    MessageError
        They describe one differently (TC-5115).
    """
    theirs = {array.number: array for array in other.arrays}
    found = [a for a in one.arrays if a.number < below and a.number in theirs]
    if any(theirs[array.number] != array for array in found):
        raise MessageError(
            "The two parties that stay describe an array differently.",
            next_step="make sure that all parties run the same program and version.",
            case=15,
            stage="handover",
        )
    return found


def dropped(value: SecretValue, index: int, leaving: int, into: int | None) -> SecretValue | None:
    """A part of the sharing of three that one of four becomes; None at the one that leaves."""
    share = drop(value.share, index, leaving, into)
    return None if share is None else SecretValue(value.dtype, share, value.held)


def handed_over(
    party: Party,
    arrays: Sequence[Array],
    parts: Mapping[int, SecretValue],
    old: Members,
    new: Members,
) -> Iterable[Step[list[tuple[int, SecretValue]]]]:
    """Steps that share arrays of the old three among the new three, several at a time.

    Parameters
    ----------
    party : Party
        Of the new three.
    arrays : sequence of Array
        The same at all three.
    parts : mapping of int to SecretValue
        By number; of the one that joins, none.
    """
    for start in range(0, len(arrays), SIDE_BY_SIDE):
        some = arrays[start : start + SIDE_BY_SIDE]
        yield _some_handed_over(party, some, parts, old, new)


def _some_handed_over(
    party: Party,
    arrays: Sequence[Array],
    parts: Mapping[int, SecretValue],
    old: Members,
    new: Members,
) -> Step[list[tuple[int, SecretValue]]]:
    steps = []
    for array in arrays:
        part = parts.get(array.number)
        share = None if part is None else lift(part).share
        bits = array.kind == "bool"
        steps.append(transfer(party, share, array.shape or (1,), bits=bits, old=old, new=new))
    shares = yield from together(*steps)
    return [
        (
            array.number,
            SecretValue(array.dtype, share if array.shape else reshaped(share, ()), array.range),
        )
        for array, share in zip(arrays, shares, strict=True)
    ]
