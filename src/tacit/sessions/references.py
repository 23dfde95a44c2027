"""The secret arrays of one party's session: numbered in order of creation, found while in use.

All parties run the same lines, so an array has the same number at all of them. A recovery names
arrays by number; the register holds none of them in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from weakref import WeakValueDictionary

from tacit.encoding.types import DType
from tacit.errors import InternalError
from tacit.operations.types import SecretValue
from tacit.sessions.handles import Reference

__all__ = ["PartyReference", "References"]


class PartyReference(Reference):
    """A secret array of which this process holds one party's part.

    Attributes
    ----------
    number : int
        The same at all parties.
    piece : SecretValue or None
        This party's part; None at a party that others compute for meanwhile.
    """

    __slots__ = ("number", "piece")

    def __init__(
        self, number: int, dtype: DType, shape: tuple[int, ...], piece: SecretValue | None = None
    ) -> None:
        super().__init__(dtype, shape)
        self.number = number
        self.piece = piece

    def hold(self, value: SecretValue) -> None:
        """Take a part of it, whose type is what the party computed."""
        self.piece, self.dtype, self.shape = value, value.dtype, value.shape

    @property
    def part(self) -> SecretValue:
        """This party's part, where it has one."""
        if self.piece is None:
            raise InternalError(f"this party has no part of the secret array {self.number}")
        return self.piece


class References:
    """The register of a session's arrays."""

    def __init__(self) -> None:
        self._alive: WeakValueDictionary[int, PartyReference] = WeakValueDictionary()
        self.next_number = 0
        """How many were made so far."""

    def new(
        self, dtype: DType, shape: tuple[int, ...], part: SecretValue | None = None
    ) -> PartyReference:
        """Register the next array."""
        reference = PartyReference(self.next_number, dtype, shape, part)
        self._alive[self.next_number] = reference
        self.next_number += 1
        return reference

    def of(self, part: SecretValue) -> PartyReference:
        """Register the next array, of which this party has a part."""
        return self.new(part.dtype, part.shape, part)

    def alive(self) -> Iterator[PartyReference]:
        """Those in use, in order of their numbers."""
        alive = self._alive
        return iter(sorted(alive.values(), key=lambda reference: reference.number))

    def get(self, number: int) -> PartyReference | None:
        """An array by number; None if it is no longer in use."""
        return self._alive.get(number)
