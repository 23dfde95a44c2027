"""Common subexpressions: what is computed twice is computed once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tacit.programs.building import Value
from tacit.programs.control import bodies_of
from tacit.programs.inference import Checked, CheckedNode
from tacit.programs.optimising.rewriting import Draft, Rule

__all__ = ["COMMUTATIVE", "shared"]

COMMUTATIVE: Final = frozenset(
    {"add", "multiply", "maximum", "minimum", "equal", "not_equal", "bitwise_and", "bitwise_or",
     "bitwise_xor", "hypot", "logaddexp"}
)  # fmt: skip
"""Operations whose operands may change places."""

_RANDOM: Final = frozenset({"shuffle"})
"""Operations of which two are not the same."""


def shared(bodies: Sequence[Checked]) -> Rule:
    """A rule that finds a node among those before it; `bodies` are those that nodes run."""
    known: dict[Any, list[Value]] = {}
    random = _random_bodies(bodies)

    def rule(draft: Draft, node: CheckedNode, operands: Sequence[Value]) -> Sequence[Value]:
        name = node.node.operation
        order: Any = [id(one) for one in operands]
        if name in COMMUTATIVE:
            order.sort()
        key = (name, tuple(order), node.node.attributes)
        differs = name in _RANDOM or not random.isdisjoint(bodies_of(node.attributes))
        if differs or key not in known:
            known[key] = draft.copy(node, operands)
        return known[key]

    return rule


def _random_bodies(bodies: Sequence[Checked]) -> frozenset[int]:
    """Bodies with a random operation in them, or in what they run."""
    found: set[int] = set()
    for number, body in enumerate(bodies):
        if any(
            node.node.operation in _RANDOM or not found.isdisjoint(bodies_of(node.attributes))
            for node in body.nodes
        ):
            found.add(number)
    return frozenset(found)
