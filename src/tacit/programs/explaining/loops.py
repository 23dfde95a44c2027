"""Loops, branches and calls while a program is explained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from tacit.operations.types import ArrayType
from tacit.programs.control import CONTROL, Call, Choice, Loop, Over, Until
from tacit.programs.explaining.choosing import LOOP_AXIS, either_picked
from tacit.programs.explaining.forms import Keep, identity
from tacit.programs.explaining.linear import MOVES
from tacit.programs.explaining.reaching import joined
from tacit.programs.explaining.values import Reach, Value
from tacit.programs.explaining.walk import same
from tacit.programs.inference import Checked, CheckedNode

if TYPE_CHECKING:
    from tacit.programs.explaining.walk import Walk

__all__ = ["MOST_ROUNDS", "control", "rounds_of"]

MOST_ROUNDS: Final = 16
"""Loops of at most so many rounds are followed round by round."""

_MOST_WORK: Final = 4000
"""The most operations that one loop is followed through round by round."""

_THIS_ROW: Final = 2 * LOOP_AXIS
"""The axis of a value that belongs to the row of this round."""


def control(walk: Walk, node: CheckedNode, operands: Sequence[Value]) -> list[Value]:
    """The results of a node of control flow."""
    called = walk.program.called(node)
    match node.attributes:
        case Call():
            return walk.run(called[0], operands)
        case Choice():
            return _branches(walk, called, operands)
        case Loop(carried=carried):
            return _counted(walk, called[0], carried, operands)
        case Over():
            return _over(walk, called[0], node.attributes, operands)
        case Until():
            return _until(walk, called[1], node.attributes, operands)
    raise AssertionError(node.attributes)


def rounds_of(operands: Sequence[Value]) -> int | None:
    """How often a counted loop runs; None where only the run will tell."""
    first, end = operands[0].known, operands[1].known
    return None if first is None or end is None else max(int(end) - int(first), 0)


def _few(rounds: int | None, body: Checked) -> bool:
    return (
        rounds is not None
        and rounds <= MOST_ROUNDS
        and rounds * (len(body.nodes) + 1) <= _MOST_WORK
    )


def _branches(walk: Walk, called: Sequence[Checked], operands: Sequence[Value]) -> list[Value]:
    index = operands[0].known
    if index is not None:
        return walk.run(called[min(max(int(index), 0), len(called) - 1)], operands[1:])
    found = [walk.run(branch, operands[1:]) for branch in called]
    return [_either(walk, several) for several in zip(*found, strict=True)]


def _either(walk: Walk, several: Sequence[Value]) -> Value:
    """One of several: whoever learns it may learn any of them."""
    first = several[0]
    if all(same(first, other) for other in several[1:]):
        return first
    inputs = frozenset[int]().union(*(one.inputs for one in several))
    if not inputs:
        return Value(first.type)
    minimums = [one.minimum for one in several if one.inputs]
    merged = replace(
        first,
        reach=joined([one.reach for one in several if one.reach], least=True),
        inputs=inputs,
        trained=any(one.trained for one in several),
        group=any(one.group for one in several),
        count=any(one.count for one in several),
        indicator=all(one.indicator for one in several),
        over=(),
        limits=(),
        picked=either_picked(several),
        minimum=None if None in minimums else min(minimums, default=None),  # type: ignore[type-var]
    )
    return walk.replaced(merged, "invertible", "cond", several)


def _counted(walk: Walk, body: Checked, carried: int, operands: Sequence[Value]) -> list[Value]:
    rounds = rounds_of(operands)
    carries, captures = list(operands[2 : 2 + carried]), operands[2 + carried :]
    counter = operands[0].type
    if _few(rounds, body):
        first = int(operands[0].known)  # type: ignore[arg-type]
        for number in range(first, first + (rounds or 0)):
            known = Value(counter, known=np.int64(number))  # type: ignore[arg-type]
            carries = walk.run(body, [known, *carries, *captures])
        return _fitted(carries, operands[2 : 2 + carried], _learns(body, 1, carried))
    return _settled(walk, body, [Value(counter)], carries, captures)[: len(carries)]


def _until(walk: Walk, body: Checked, a: Until, operands: Sequence[Value]) -> list[Value]:
    carries = list(operands[: a.carried])
    captures = operands[a.carried + a.captured :]
    return _settled(walk, body, [], carries, captures)[: a.carried]


def _settled(
    walk: Walk,
    body: Checked,
    front: Sequence[Value],
    carries: Sequence[Value],
    captures: Sequence[Value],
    rows: Sequence[Value] = (),
) -> list[Value]:
    """All results of a body after any number of rounds: until no carry changes any more."""
    started = list(carries)
    current = list(carries)
    free = [False] * len(carries)
    while True:
        mark = len(walk.sources)
        found = walk.run(body, [*front, *current, *rows, *captures])
        changed = False
        for k, (before, after) in enumerate(zip(current, found, strict=False)):
            if same(before, after):
                continue
            if free[k] and _covered(before, after):
                continue
            changed = True
            current[k] = _loose(walk, before, after)
            free[k] = True
        if not changed:
            kept = [replace(one, made=None) for one in found[len(current) :]]
            learns = _learns(body, len(front), len(current))
            return [*_fitted(current, started, learns), *kept]
        assert len(walk.sources) >= mark


def _covered(before: Value, after: Value) -> bool:
    """Whether what is said about a carry holds for its next round too."""
    if not after.inputs <= before.inputs:
        return False
    flags = (after.trained <= before.trained, after.group <= before.group)
    if not all(
        choice in before.picked
        and all(before.picked[choice][key].rows <= one.rows for key, one in reach.items()
                if key in before.picked[choice])
        for choice, reach in after.picked.items()
    ):  # fmt: skip
        return False
    return all(flags) and all(
        key in before.reach and before.reach[key].rows <= one.rows
        for key, one in after.reach.items()
    )


def _loose(walk: Walk, before: Value, after: Value) -> Value:
    """A carry of which only is said what it depends on."""
    inputs = before.inputs | after.inputs
    if not inputs:
        return Value(before.type)
    reach = joined([one.reach for one in (before, after) if one.reach], least=True)
    merged = replace(
        after,
        type=before.type,
        reach={k: Reach(r.rows, r.axis, r.total) for k, r in reach.items()},
        inputs=inputs,
        trained=before.trained or after.trained,
        group=before.group or after.group,
        count=before.count and after.count,
        indicator=before.indicator and after.indicator,
        over=(),
        limits=(),
        picked=either_picked([before, after]),
        minimum=None,
    )
    return walk.replaced(merged, "opaque", "loop")


_PASSING: Final = MOVES | {"add", "subtract", "negative", "multiply", "divide", "sum", "mean",
                           "maximum", "minimum", "where", "bitwise_or", "bitwise_and",
                           "bitwise_xor"}  # fmt: skip
"""What group statistics are piled up by, round after round."""


def _learns(body: Checked, first: int, carried: int) -> bool:
    """Whether a round does more with what it carries than adding to it: as a model is fitted."""
    reached = set(range(first, first + carried))
    for node in body.nodes:
        if reached.isdisjoint(node.node.operands):
            continue
        if node.node.operation not in _PASSING and node.node.operation not in CONTROL:
            return True
        reached.update(range(node.first, node.first + len(node.results)))
    return False


def _fitted(found: Sequence[Value], started: Sequence[Value], learns: bool) -> list[Value]:
    """What a loop made of secret data, round after round, may remember it.

    Whoever gives what it is fitted to could choose rows that leave one of another owner's; that is
    part of what is said of models.
    """
    results: list[Value] = []
    for value, before in zip(found, started, strict=False):
        operations = bool(value.inputs - before.inputs) and (learns or not _is_plain(value))
        picked = {pick: reach for pick, reach in value.picked.items() if not pick.mixed}
        results.append(replace(value, trained=value.trained or operations, picked=picked))
    return results


def _is_plain(value: Value) -> bool:
    """Whether it is a linear form of inputs or of an operation's results that is a few terms."""
    return value.count or value.group


# Loops over rows.


def _over(walk: Walk, body: Checked, a: Over, operands: Sequence[Value]) -> list[Value]:
    carries = list(operands[: a.carried])
    cut = operands[a.carried : a.carried + a.sliced]
    captures = operands[a.carried + a.sliced :]
    kinds = [ArrayType(v.type.dtype, v.shape[1:], v.type.public) for v in cut]
    if _few(a.length, body):
        return _row_by_row(walk, body, a, carries, cut, captures)
    rows = [_this_row(walk, value, kind) for value, kind in zip(cut, kinds, strict=True)]
    found = _settled(walk, body, [], carries, captures, rows)
    kept = [_after(value, a.length) for value in found[: a.carried]]
    stacked = [
        _stacked(walk, value, a, list(zip(rows, cut, strict=True))) for value in found[a.carried :]
    ]
    return [*kept, *stacked]


def _row_by_row(
    walk: Walk,
    body: Checked,
    a: Over,
    carries: list[Value],
    cut: Sequence[Value],
    captures: Sequence[Value],
) -> list[Value]:
    started = list(carries)
    order = range(a.length)[::-1] if a.reverse else range(a.length)
    given: dict[int, list[Value]] = {}
    for number in order:
        rows = [_row(walk, value, number) for value in cut]
        found = walk.run(body, [*carries, *rows, *captures])
        carries, given[number] = found[: a.carried], found[a.carried :]
    results = _fitted(carries, started, _learns(body, 0, len(carries)))
    if not a.length:
        kinds = body.results[a.carried :]
        return results + [Value(ArrayType(k.dtype, (0, *k.shape), k.public)) for k in kinds]
    for place in range(len(given[order[0]])):
        results.append(_pile(walk, [given[k][place] for k in range(a.length)]))
    return results


def _row(walk: Walk, value: Value, number: int) -> Value:
    from tacit.operations.manipulation import Index, Integer

    kind = ArrayType(value.type.dtype, value.shape[1:], value.type.public)
    if not value.inputs:
        return Value(kind, known=None if value.known is None else np.asarray(value.known[number]))
    return walk.result("getitem", Index((Integer(number),)), [value], kind)


def _pile(walk: Walk, several: Sequence[Value]) -> Value:
    from tacit.operations.manipulation import Axis

    kind = several[0].type
    piled = ArrayType(kind.dtype, (len(several), *kind.shape), kind.public)
    if not any(one.inputs for one in several):
        known = [one.known for one in several if one.known is not None]
        return Value(piled, known=np.stack(known) if len(known) == len(several) else None)
    return walk.result("stack", Axis(0), several, piled)


def _this_row(walk: Walk, value: Value, kind: ArrayType) -> Value:
    if not value.inputs:
        return Value(kind)
    number = walk.source(kind.shape, "part", "row", (value,), None)
    form = identity(number, kind.shape)
    inside = _reaching(value, _entered)
    return replace(inside, type=kind, form=form, known=None, over=(), limits=(), made=None)


def _reaching(value: Value, change: Callable[[Reach], Reach]) -> Value:
    """A value whose rows are told in another way, for everybody."""
    reach = {key: change(one) for key, one in value.reach.items()}
    picked = {
        pick: {key: change(one) for key, one in several.items()}
        for pick, several in value.picked.items()
    }
    return replace(value, reach=reach, picked=picked)


def _entered(one: Reach) -> Reach:
    if one.axis is None:
        return one
    return Reach(one.rows, _THIS_ROW if one.axis == 0 else one.axis - 1, one.total)


def _after(value: Value, length: int) -> Value:
    """A carry after all rows: what depended on one row in each round depends on all."""

    def left(one: Reach) -> Reach:
        if one.axis is None or one.axis < LOOP_AXIS:
            return one
        return Reach(max(one.rows, min(one.rows * length, one.total)), None, one.total)

    return _reaching(value, left)


def _piled(one: Reach) -> Reach:
    if one.axis is not None and one.axis >= LOOP_AXIS:
        return Reach(one.rows, 0, one.total)
    return Reach(one.rows, None if one.axis is None else one.axis + 1, one.total)


def _stacked(walk: Walk, value: Value, a: Over, rows: Sequence[tuple[Value, Value]]) -> Value:
    kind = value.type
    piled = ArrayType(kind.dtype, (a.length, *kind.shape), kind.public)
    if not value.inputs:
        return Value(piled)
    outside = _reaching(value, _piled)
    result = replace(outside, type=piled, known=None, over=(), limits=(), made=None)
    for row, whole in rows:
        if row.inputs and value.form.keys() == row.form.keys():
            (block,) = value.form.values()
            (of,) = (walk.shapes[number] for number in value.form)
            if isinstance(block, np.ndarray):
                full = bool(np.linalg.matrix_rank(block) == block.shape[1])
            else:
                full = len(block) == 1 and all(isinstance(k, Keep) for k in block[0].axes)
                full = full and all(
                    high - low == extent
                    for k in block[0].axes
                    if isinstance(k, Keep)
                    for (low, high), extent in [(block[0].window[k.axis], of[k.axis])]
                )
            if full:
                return walk.replaced(result, "invertible", "scan", [whole])
    return walk.replaced(result, "opaque", "scan")
