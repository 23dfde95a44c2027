"""Rows that somebody can single out by weights, masks or places of its own.

A sum of products goes over all its rows, unless somebody chooses the factors: with one 1 and zeros
else it is the value of one row. So for everybody who gives a factor the rows of others are counted
a second time, as if that factor were such a choice: adding up along it adds no rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any, Final, TypeAlias

from tacit.programs.explaining.reaching import Reaches, joined, reach_of
from tacit.programs.explaining.values import ALL, Pick, Reach, Value

__all__ = ["LOOP_AXIS", "either_picked", "picked_of"]

_MOST: Final = 16
"""The most choices of one value."""

LOOP_AXIS: Final = 500_000
"""Axes from here on are rows of a loop: one each round."""

_WEIGHING: Final = frozenset({"multiply", "divide"})
_DIRECT: Final = frozenset({"where", "take_secret", "matmul", "convolution", "mlp_forward"})
"""They choose columns, channels or single elements, too."""

_MASKING: Final = frozenset(
    {"maximum", "minimum", "bitwise_and", "bitwise_or", "less", "less_equal", "greater",
     "greater_equal", "equal", "not_equal", "pow"}
)  # fmt: skip
"""They hide rows, too, by numbers that are large or small enough."""

_CHOOSING: Final = _WEIGHING | _DIRECT | _MASKING

Picked: TypeAlias = Mapping[Pick, Reaches]
Shape: TypeAlias = tuple[int, ...]


def picked_of(
    name: str, attributes: Any, operands: Sequence[Value], shape: Shape, guard: Value | None
) -> Picked:
    """Over how many rows a result goes for whoever chooses a factor of it.

    Parameters
    ----------
    name, attributes, operands
        The operation; of one that withholds what is withheld alone.
    shape : tuple of int
        Of the result.
    guard : Value, optional
        What it is withheld by: a minimum of what is chosen is no choice any more.

    Returns
    -------
    mapping of Pick to mapping of int to Reach
        By number of the input; those that are chosen are left out.
    """
    choices = {choice for one in operands for choice in one.picked}
    found: dict[Pick, Reaches] = {}
    for choice in choices:
        shadows = [replace(one, reach=_others(one, choice)) for one in operands]
        found[choice] = reach_of(name, attributes, shadows, shape)
    for place, factor in enumerate(operands if name in _CHOOSING else ()):
        looks_up = name == "take_secret" and place == 1
        if factor.inputs and len(found) < _MOST and (looks_up or _varies(factor)):
            mixed = any(one.inputs & factor.inputs for one in operands if one is not factor)
            among = {key for one in operands if one is not factor
                     for key, r in one.reach.items() if key != ALL and r.rows == 1}  # fmt: skip
            among -= factor.inputs
            choice = Pick(factor.inputs, name in _DIRECT, mixed, frozenset(among))
            reach = _chosen(name, attributes, operands, place, shape, choice)
            if reach and choice in found:
                found[choice] = joined([found[choice], reach], least=True)
            elif reach:
                found[choice] = reach
    if guard is None:
        return found
    return {c: reach for c, reach in found.items() if not c.inputs & guard.inputs}


def either_picked(several: Sequence[Value]) -> Picked:
    """What can be singled out where a value is one of several, such as a carry of a loop."""
    choices = {choice for one in several for choice in one.picked}
    return {c: joined([_others(one, c) for one in several], least=True) for c in choices}


def _others(value: Value, choice: Pick) -> Reaches:
    reach = value.picked.get(choice, value.reach)
    return {key: one for key, one in reach.items() if key != ALL and key not in choice.inputs}


def _varies(factor: Value) -> bool:
    """Whether a factor is more than one number."""
    if factor.indicator and prod(factor.shape) > 1:
        return True
    several = [one for key, one in factor.reach.items() if key != ALL]
    return any(one.axis is not None or one.total > 1 for one in several)


def _chosen(
    name: str,
    attributes: Any,
    operands: Sequence[Value],
    place: int,
    shape: Shape,
    choice: Pick,
) -> Reaches:
    """The rows of others for whoever gives an operand; none if that is no choice among them."""
    shadows: list[Value] = []
    chosen = False
    for k, other in enumerate(operands):
        reach = _others(other, choice)
        if k != place and reach and not other.inputs <= choice.inputs:
            held = {}
            for key, one in reach.items():
                held[key], among = _held(name, attributes, one, operands, place, k, shape)
                chosen = chosen or among
            reach = held
        shadows.append(replace(other, reach=reach))
    return reach_of(name, attributes, shadows, shape) if chosen else {}


def _held(
    name: str,
    attributes: Any,
    reach: Reach,
    operands: Sequence[Value],
    place: int,
    k: int,
    shape: Shape,
) -> tuple[Reach, bool]:
    """The rows of an operand, held where another one chooses; and whether it does."""
    factor, other = operands[place], operands[k]
    rows, count = False, 1
    if name == "matmul":
        inner = len(other.shape) - (1 if k == 0 or len(other.shape) == 1 else 2)
        rows, count = reach.axis == inner, other.shape[inner]
        if not rows:  # columns are chosen
            return reach, count > 1
    elif name == "convolution":
        return (Reach(reach.rows, None, reach.total) if k else reach), True
    elif name == "mlp_forward":
        return Reach(reach.rows, None, reach.total), place == 0
    elif name == "take_secret" and place == 1 and reach.axis is not None:
        rows = reach.axis == attributes.axis % len(other.shape)
    elif name in _WEIGHING | _MASKING or (name == "where" and place == 0):
        rows, count = _aligned(factor, other, reach.axis, shape)
    if not rows:
        return reach, False
    return Reach(reach.rows * _least(factor, count), None, reach.total), True


def _aligned(factor: Value, other: Value, axis: int | None, shape: Shape) -> tuple[bool, int]:
    """Whether a factor has a number of its own for each row of another operand; how many."""
    if axis is None:
        return False, 1
    if axis >= LOOP_AXIS:
        return any(r.axis is not None and r.axis >= LOOP_AXIS for r in factor.reach.values()), 2
    place = axis + len(factor.shape) - len(other.shape)
    varies = 0 <= place < len(factor.shape) and factor.shape[place] > 1
    return varies and other.shape[axis] > 1, shape[axis + len(shape) - len(other.shape)]


def _least(factor: Value, count: int) -> int:
    """How many rows there are in effect at least, by the declared bounds of weights."""
    if factor.bounds is None or factor.type.dtype.kind == "bool":
        return 1
    low, high = sorted(map(abs, factor.bounds))
    if factor.bounds[0] <= 0 <= factor.bounds[1] or count < 2:
        return 1
    total, squares = high + (count - 1) * low, high**2 + (count - 1) * low**2
    return max(int(total**2 / squares), 1)
