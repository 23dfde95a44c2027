"""Operations on the bits of integers in a row become one chain, where that costs less.

The kind of sharing is chosen by cost (decision 0088): a chain converts each number to bits once and
the result once, a single operation each time. Two that convert cost more than one chain under every
protocol; one alone does not, and stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from tacit.operations.bit_chains import MOST_STEPS, BitStep
from tacit.operations.table import OPERATIONS
from tacit.programs.building import Value
from tacit.programs.inference import CheckedNode
from tacit.programs.optimising.rewriting import Draft, Made

__all__ = ["chained"]

_PAIRS: Final = {"bitwise_and": "and", "bitwise_or": "or", "bitwise_xor": "xor"}
_SHIFTS: Final = {"bitwise_left_shift": "left", "bitwise_right_shift": "right"}
_DEAR: Final = frozenset({*_PAIRS, "bitwise_right_shift", "bit_chain"})
"""Single operations that convert a number to bits; the others are local."""


def chained(draft: Draft, node: CheckedNode, operands: Sequence[Value]) -> Sequence[Value] | None:
    """A node that works on bits together with those before it that are used here alone."""
    if node.public or node.results[0].dtype.kind != "int":
        return None
    made = Made(node.node.operation, operands, node.attributes)
    leaves: list[Value] = []
    steps: list[Any] = []
    dear = _collect(draft, made, node, leaves, steps, root=True)
    if dear is None or dear < 2 or len(steps) > MOST_STEPS:
        return None
    count = len(leaves)
    renumbered = tuple(
        BitStep(
            kind,
            _number(first, count),
            _number(second, count) if isinstance(second, tuple) else second,
        )
        for kind, first, second in steps
    )
    return [draft.apply("bit_chain", *leaves, steps=renumbered)]


def _number(where: tuple[str, int], leaves: int) -> int:
    kind, place = where
    return place if kind == "leaf" else leaves + place


def _collect(
    draft: Draft,
    made: Made,
    node: CheckedNode,
    leaves: list[Value],
    steps: list[Any],
    *,
    root: bool,
) -> int | None:
    """Steps of a tree of operations, children first; how many convert, None if it is no tree."""
    if made.operation == "bit_chain":
        return _unfolded(made, leaves, steps)
    step = _step_of(draft, made, node)
    if step is None:
        return None
    kind, taken, amount = step
    dear = 1 if made.operation in _DEAR else 0
    places: list[tuple[str, int]] = []
    for value in taken:
        before = draft.made(value)
        found = None
        if before is not None and draft.used_once(value) and value.type.shape == _shape(node):
            found = _collect(draft, before, node, leaves, steps, root=False)
        if found is None:
            if value not in leaves:
                leaves.append(value)
            places.append(("leaf", leaves.index(value)))
        else:
            dear += found
            places.append(("step", len(steps) - 1))
    steps.append((kind, places[0], places[1] if len(places) > 1 else amount))
    return dear


def _unfolded(made: Made, leaves: list[Value], steps: list[Any]) -> int | None:
    """The steps of a chain that an earlier node became."""
    if made.attributes.steps[-1].kind == "nonzero":
        return None
    first = len(steps)

    def place(index: int) -> tuple[str, int]:
        if index >= len(made.operands):
            return "step", first + index - len(made.operands)
        value = made.operands[index]
        if value not in leaves:
            leaves.append(value)
        return "leaf", leaves.index(value)

    for step in made.attributes.steps:
        second = place(step.other) if step.kind in ("and", "or", "xor") else step.other
        steps.append((step.kind, place(step.value), second))
    return sum(step.kind in ("and", "or", "xor", "right") for step in made.attributes.steps)


def _shape(node: CheckedNode) -> tuple[int, ...]:
    return node.results[0].shape


def _step_of(
    draft: Draft, made: Made, node: CheckedNode
) -> tuple[str, Sequence[Value], int] | None:
    wanted = node.results[0].dtype
    if any(one.type.dtype.kind != "int" for one in made.operands) or wanted.bits > 64:
        return None
    if made.operation in _PAIRS and _common(made.operands) == wanted:
        return _PAIRS[made.operation], made.operands, 0
    if made.operation == "bitwise_invert" and made.operands[0].type.dtype == wanted:
        return "not", made.operands, 0
    if made.operation in _SHIFTS and made.operands[0].type.dtype == wanted:
        array = draft.array(made.operands[1])
        if array is not None and array.size == 1 and 0 <= int(array.item()) < 64:
            if made.operands[0].type.public:
                return None
            return _SHIFTS[made.operation], made.operands[:1], int(array.item())
    return None


@lru_cache(256)
def _joined(*dtypes: Any) -> Any:
    from tacit.operations.types import ArrayType

    rule = OPERATIONS["bitwise_and"].rule
    found: Any = rule([ArrayType(dtype, ()) for dtype in dtypes], None)
    return found.dtype


def _common(operands: Sequence[Value]) -> Any:
    return _joined(*(one.type.dtype for one in operands))
