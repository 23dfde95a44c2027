"""Common subexpressions: what is computed twice is computed once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tacit.programs.building import Value
from tacit.programs.inference import CheckedNode
from tacit.programs.optimising.rewriting import Draft, Rule

__all__ = ["COMMUTATIVE", "shared"]

COMMUTATIVE: Final = frozenset(
    {"add", "multiply", "maximum", "minimum", "equal", "not_equal", "bitwise_and", "bitwise_or",
     "bitwise_xor", "hypot", "logaddexp"}
)  # fmt: skip
"""Operations whose operands may change places."""

_RANDOM: Final = frozenset({"shuffle"})
"""Operations of which two are not the same."""


def shared() -> Rule:
    """A rule that finds a node among those before it."""
    known: dict[Any, list[Value]] = {}

    def rule(draft: Draft, node: CheckedNode, operands: Sequence[Value]) -> Sequence[Value]:
        name = node.node.operation
        order: Any = [id(one) for one in operands]
        if name in COMMUTATIVE:
            order.sort()
        key = (name, tuple(order), node.node.attributes)
        if name in _RANDOM or key not in known:
            known[key] = draft.copy(node, operands)
        return known[key]

    return rule
