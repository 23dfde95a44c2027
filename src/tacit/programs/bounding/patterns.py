"""Normalisation: what is known of values from how they were computed, beyond linear forms."""

from __future__ import annotations

from collections.abc import Sequence

from tacit.operations.types import Bounds
from tacit.programs.bounding.facts import Fact
from tacit.programs.inference import Checked, CheckedNode

__all__ = ["closer_bounds"]


def closer_bounds(checked: Checked, node: CheckedNode, facts: Sequence[Fact]) -> Bounds | None:
    """What is known of an operation's only result because of where its operands come from."""
    return None
