"""Everything that a session can be asked for: the operation table, and whole programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tacit.operations.operation import Attributes, Operation
from tacit.operations.table import OPERATIONS
from tacit.programs.calling import PROGRAM, Code, scheduled

__all__ = ["RUNNABLE", "names_of"]

RUNNABLE: Final[Mapping[str, Operation]] = {**OPERATIONS, PROGRAM.name: PROGRAM}
"""By name."""


def names_of(operation: str, attributes: Attributes) -> frozenset[str]:
    """The operations that are computed: a program's own, or the one."""
    if isinstance(attributes, Code):
        return scheduled(attributes.program)[0].operations
    return frozenset((operation,))
