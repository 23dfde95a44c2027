"""Cheaper forms of choices: what automatic differentiation writes about maxima, ReLU and ties.

* ``x == max(x, y)`` is NOT ``x < y``: a comparison that the maximum needs anyway.
* A number divided by a choice between public numbers is a product with a choice between their
  reciprocals: no secret division. Where these are no coarser than a quotient.
* A product with a choice between 1 and 0 is a choice between the number and 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tacit.functions.accuracy import ACCURACY
from tacit.programs.building import Value
from tacit.programs.inference import CheckedNode
from tacit.programs.optimising.rewriting import Draft, Made

__all__ = ["chosen"]


def chosen(draft: Draft, node: CheckedNode, operands: Sequence[Value]) -> Sequence[Value] | None:
    """One of the forms above, where a node is one."""
    if node.public:
        return None
    match node.node.operation:
        case "equal":
            return _equal_to_extreme(draft, operands)
        case "divide":
            return _divided_by_choice(draft, operands)
        case "multiply":
            return _times_choice(draft, operands)
    return None


def _equal_to_extreme(draft: Draft, operands: Sequence[Value]) -> Sequence[Value] | None:
    for one, extreme in (operands, operands[::-1]):
        made = draft.made(extreme)
        if made is None or made.operation not in ("maximum", "minimum", "relu"):
            continue
        given = list(made.operands)
        if made.operation == "relu":
            given.append(draft.constant(np.zeros(())))
        for place, other in ((0, 1), (1, 0)):
            if _same(draft, one, given[place]):
                pair = (given[place], given[other])
                less = draft.apply("less", *(pair[::-1] if made.operation == "minimum" else pair))
                return [draft.apply("bitwise_invert", less)]
    return None


def _same(draft: Draft, one: Value, other: Value) -> bool:
    """Whether two values are one, or public arrays of the same single number."""
    if one is other:
        return True
    x, y = draft.array(one), draft.array(other)
    return x is not None and y is not None and x.size == y.size == 1 and bool(x.item() == y.item())


def _choice(draft: Draft, value: Value) -> Made | None:
    """How a value is made, if it is a choice between public numbers."""
    made = draft.made(value)
    if made is None or made.operation != "where" or value.type.dtype.kind != "fixed":
        return None
    return made if all(draft.array(one) is not None for one in made.operands[1:]) else None


def _divided_by_choice(draft: Draft, operands: Sequence[Value]) -> Sequence[Value] | None:
    number, divisor = operands
    made = _choice(draft, divisor)
    if made is None:
        return None
    coarse = divisor.type.dtype.resolution / 2
    inverses = []
    for one in made.operands[1:]:
        array = draft.array(one)
        assert array is not None
        sizes = np.abs(array.astype(np.float64))
        # A reciprocal keeps as many bits after the point as other numbers: of large divisors it
        # would be further off than the quotient.
        if not array.size or sizes.min() < 2.0**-10:
            return None
        if sizes.max() * coarse > ACCURACY["divide"].relative:
            return None
        inverses.append(draft.constant(1.0 / array.astype(np.float64)))
    return [draft.apply("multiply", number, draft.apply("where", made.operands[0], *inverses))]


def _times_choice(draft: Draft, operands: Sequence[Value]) -> Sequence[Value] | None:
    for number, choice in (operands, operands[::-1]):
        made = _choice(draft, choice)
        if made is None or number.type.dtype.kind != "fixed":
            continue
        one, other = (draft.array(v) for v in made.operands[1:])
        assert one is not None
        assert other is not None
        zero = draft.constant(np.zeros(()))
        if bool(np.all(one == 1)) and not other.any():
            return [draft.apply("where", made.operands[0], number, zero)]
        if bool(np.all(other == 1)) and not one.any():
            return [draft.apply("where", made.operands[0], zero, number)]
    return None
