"""Functions of one number, tried on many values: what can be undone, whatever its steps are.

An element that was made of one unknown number, step by step, is a function of it: if no two of the
values tried give the same, it can be undone; and several functions of one number can, if no two
values give the same in all of them (its bits, its comparisons with limits, its positive and its
negative part). Numbers that a result does not depend on, however they are drawn, do not count: so
x * s / s is x. Small ranges are tried whole, others on about a thousand values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tacit.operations.types import ArrayType
from tacit.programs.explaining.budget import Budget
from tacit.programs.explaining.samples import drawn, is_whole, range_of
from tacit.programs.explaining.values import Made, Value
from tacit.programs.meanings.operations import has_meaning, meaning

__all__ = ["Trial", "told_apart", "trials_of"]

_MOST_NODES: Final = 200
_MOST_ROOTS: Final = 8
_MOST_AXES: Final = 16
_MOST_LEAVES: Final = 6
_DRAWS: Final = 2
_PAIRS: Final = 128
_EQUAL: Final = 2.0**-36
_STEP: Final = 5000
"""How many comparisons of two results one step of a function is worth."""

_SEGMENTS: Final = 400
_JUMPS: Final = 0.02
_LOST: Final = 0.1
"""How many values may be lost in a function that can be undone: near zero, or at its ends."""

_DIGITS: Final = frozenset(
    {"bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_invert", "bitwise_left_shift",
     "bitwise_right_shift", "bit_chain", "remainder", "floor_divide", "divmod", "floor", "ceil",
     "round", "trunc", "astype"}
)  # fmt: skip

Numbers = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """A result as a function of one value.

    Attributes
    ----------
    root : Value
        What it is a function of, element by element.
    tables : tuple of ndarray, (values, functions)
        Results for all values of the root's range, with what is known drawn a few times.
    whole : bool
        Whether the range was tried whole.
    digits : bool
        Whether digits or bits were taken, so that results of neighbours are no neighbours.
    through : tuple of str
        The operations between.
    """

    root: Value
    tables: tuple[Numbers, ...]
    whole: bool
    digits: bool
    through: tuple[str, ...]


def told_apart(trials: Sequence[Trial], budget: Budget) -> bool:
    """Whether results, taken together, tell all values of their root apart, as far as is tried."""
    if not trials:
        return False
    columns = sum(table.shape[1] for one in trials for table in one.tables)
    if not budget.take(_SEGMENTS**2 * columns):
        return False
    alone = trials[0].whole or any(one.digits for one in trials)
    for tables in zip(*(one.tables for one in trials), strict=True):
        together = np.concatenate(tables, 1)
        if not np.isfinite(together).all():
            return False
        if not (_differ(together) if alone else _apart(together)):
            return False
    return True


def _differ(table: Numbers) -> bool:
    """Whether no two lines are alike."""
    return len(np.unique(_rounded(table), axis=0)) == len(table)


def _apart(table: Numbers) -> bool:
    """Whether a curve through the lines hardly ever comes back to where it was.

    Between two lines that follow each other it is somewhere in a box; two boxes that meet, and are
    no neighbours, are values that are not told apart. The largest boxes are jumps.
    """
    line = table[:: max(len(table) // _SEGMENTS, 1)]
    low, high = np.minimum(line[:-1], line[1:]), np.maximum(line[:-1], line[1:])
    size = ((high - low) / np.maximum(np.ptp(line, 0), _EQUAL)).max(1)
    kept = np.sort(np.argsort(size)[: int(len(size) * (1 - _JUMPS))])
    meet = np.ones((kept.size, kept.size), np.bool_)
    for a, b in zip(low[kept].T, high[kept].T, strict=True):
        meet &= (a[:, None] <= b[None]) & (a[None] <= b[:, None])
    meet &= np.abs(kept[:, None] - kept[None]) > 1
    return bool(meet.any(1).mean() <= _LOST)


def trials_of(
    made: Made, shape: tuple[int, ...], is_known: Callable[[Value], bool], budget: Budget
) -> Iterator[Trial]:
    """A result as a function of one value, for each value that it is a function of.

    Parameters
    ----------
    made : Made
        How the result was made.
    shape : tuple of int
        Its shape.
    is_known : callable
        Whether somebody knows a value.
    budget : Budget
        How much may be tried.
    """
    steps = None if 0 in shape or len(shape) > _MOST_AXES else _steps(made, is_known)
    if steps is None:
        return
    roots, leaves = _roots(made, steps, is_known)
    several = 1 < len(leaves) <= _MOST_LEAVES
    if several and budget.take(2 * _STEP * _DRAWS * len(leaves) * (len(steps) + 1)):
        roots += [one for one in leaves if _alone(made, one, leaves, steps, shape)]
    for root in roots[:_MOST_ROOTS]:
        if not budget.take(_STEP * _DRAWS * (len(steps) + 1)):
            return
        tables = []
        for draw in range(_DRAWS):
            given = {id(root): _column(range_of(root.type, root.bounds), shape)}
            table = _tried(made, root, given, steps, shape, draw)
            if table is None:
                break
            tables.append(table.reshape(len(table), -1).astype(np.float64))
        else:
            names = {one.made.name for one in steps if one.made} | {made.name}
            yield Trial(
                root,
                tuple(tables),
                is_whole(root.type, root.bounds),
                not names.isdisjoint(_DIGITS),
                tuple(sorted(names)),
            )


def _rounded(flat: Numbers) -> Numbers:
    """Results without what float64 adds to them; whatever their own rounding is."""
    size = np.floor(np.log2(np.maximum(np.abs(flat), 1.0), where=np.isfinite(flat), out=flat * 0))
    steps = np.exp2(size) * _EQUAL
    return np.asarray(np.rint(flat / steps) * steps + 0.0)


# What a result is made of.


def _open(value: Value, is_known: Callable[[Value], bool]) -> bool:
    """Whether a value is unknown, and made step by step."""
    return bool(value.inputs) and value.made is not None and not is_known(value)


def _steps(made: Made, is_known: Callable[[Value], bool]) -> list[Value] | None:
    """The unknown values between a result and what it is made of, operands first."""
    order: list[Value] = []
    seen: set[int] = set()
    stack: list[tuple[Value, bool]] = [(one, False) for one in made.operands]
    while stack:
        value, done = stack.pop()
        if done:
            order.append(value)
            continue
        if id(value) in seen or not _open(value, is_known):
            continue
        seen.add(id(value))
        if len(seen) > _MOST_NODES:
            return None
        stack.append((value, True))
        assert value.made is not None
        stack += [(one, False) for one in value.made.operands]
    return order


def _roots(
    made: Made, steps: Sequence[Value], is_known: Callable[[Value], bool]
) -> tuple[list[Value], list[Value]]:
    """The values that everything unknown goes through, nearest first; and where it begins."""
    place = {id(one): k for k, one in enumerate(steps)}
    ahead: dict[int, Value] = {}
    leaves: dict[int, Value] = {}

    def add(operands: Sequence[Value]) -> None:
        for one in operands:
            if one.inputs and not is_known(one):
                (ahead if id(one) in place else leaves)[id(one)] = one

    add(made.operands)
    roots: list[Value] = []
    while ahead:
        if len(ahead) == 1 and not leaves:
            roots += ahead.values()
        value = ahead.pop(max(ahead, key=lambda key: place[key]))
        assert value.made is not None
        add(value.made.operands)
    found = list(leaves.values())
    return (roots + found if len(found) == 1 else roots), found


# Trying.


def _column(values: Numbers, shape: tuple[int, ...]) -> Numbers:
    return values.reshape((-1, *[1] * len(shape)))


def _alone(
    made: Made,
    root: Value,
    leaves: Sequence[Value],
    steps: Sequence[Value],
    shape: tuple[int, ...],
) -> bool:
    """Whether a result depends on one of several values only, however the others are drawn."""
    first: Numbers | None = None
    for draw in range(2 * _DRAWS):
        given = {id(root): _column(drawn(root.type, root.bounds, _PAIRS, 0), shape)}
        for k, other in enumerate(leaves):
            if other is not root:
                numbers = drawn(other.type, other.bounds, _PAIRS, 1 + k + 10 * draw)
                given[id(other)] = _column(numbers, shape)
        found = _tried(made, root, given, steps, shape, 0)
        if found is None:
            return False
        table = np.asarray(found, np.float64)
        first = table if first is None else first
        both = np.isfinite(first) & np.isfinite(table)
        size = _EQUAL * np.maximum(np.abs(first[both]), 1.0)
        if both.mean() < 0.5 or (np.abs(first[both] - table[both]) > size).any():
            return False
    return True


def _tried(
    made: Made,
    root: Value,
    given: Mapping[int, Numbers],
    steps: Sequence[Value],
    shape: tuple[int, ...],
    draw: int,
) -> Numbers | None:
    """The results for given values; what else is secret, or known at the run, is drawn once."""
    numbers = dict(given)
    drawings = count(1000 * draw)
    try:
        for value in steps:
            if id(value) not in numbers and value.made is not None:
                found = _step(value.made, numbers, root, shape, drawings)
                if found is None:
                    return None
                numbers[id(value)] = found
        last = _step(made, numbers, root, shape, drawings)
        return None if last is None else np.asarray(last, np.float64)
    except (ValueError, ArithmeticError):  # numbers outside of what a function takes
        return None
    except (TypeError, AttributeError):  # integers of 128 bits, which few functions take
        return None


def _step(
    made: Made,
    numbers: dict[int, Numbers],
    root: Value,
    shape: tuple[int, ...],
    drawings: Iterator[int],
) -> Numbers | None:
    if not has_meaning(made.name):
        return None
    operands: list[Numbers] = []
    for one in made.operands:
        if id(one) not in numbers:
            found = _public(one, root, shape, drawings)
            if found is None:
                return None
            numbers[id(one)] = found
        operands.append(numbers[id(one)])
    wide = np.broadcast_shapes(*(one.shape for one in operands))
    kinds = tuple(ArrayType(kind.dtype, wide) for kind in made.node.results)
    return meaning(replace(made.node, results=kinds), operands)[made.place]


def _public(
    value: Value, root: Value, shape: tuple[int, ...], drawings: Iterator[int]
) -> Numbers | None:
    """What is not tried: public numbers, or one draw of what is known by whoever asks."""
    if value.known is None or value.inputs:
        return _column(drawn(value.type, value.bounds, 1, next(drawings)), shape)
    ahead = (1,) * (len(shape) - value.known.ndim)
    array = value.known.reshape(ahead + value.known.shape)
    extents = [1] * (len(shape) - len(root.shape)) + list(root.shape)
    for axis, extent in enumerate(extents):
        if extent > 1 and array.shape[axis] > 1:
            first = array.take([0], axis)
            if not (array == first).all():
                return None  # each element has a function of its own
            array = first
    return array[None]
