"""What the parts of a session that compute rest on: turns, room in the ring, and one operation."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from tacit.operations.operation import Attributes, Operation
from tacit.operations.types import ArrayType
from tacit.sessions.handles import Handle, Reference

if TYPE_CHECKING:
    from tacit.encoding.ring import Ring
    from tacit.encoding.types import DType

__all__ = ["Executing"]


class Executing(abc.ABC):
    """What computes operations whose operands were checked."""

    ring: Ring

    @abc.abstractmethod
    def turn(self) -> AbstractContextManager[None]:
        """The turn of one call."""

    @abc.abstractmethod
    def check_open(self) -> None:
        """Refuse to go on after the end."""

    @abc.abstractmethod
    def check_room(self, dtype: DType) -> None:
        """Refuse fixed point that is too fine for the session's ring (TC-1303)."""

    @abc.abstractmethod
    def execute(
        self,
        operation: Operation,
        operands: Sequence[Handle],
        attributes: Attributes,
        results: tuple[ArrayType, ...],
    ) -> tuple[Reference, ...]:
        """Compute an operation on operands that its type rule accepted."""
