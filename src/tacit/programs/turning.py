"""What nodes with bodies do before, between and after the turns of their bodies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tacit.operations.table import OPERATIONS
from tacit.operations.types import ArrayType, SecretValue
from tacit.programs.control import Call, Choice, Loop, Over, Until
from tacit.programs.frames import Schedule, Turns, Values
from tacit.programs.sizes import require_turns
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

__all__ = ["closed", "next_body", "opened", "taken"]

_Turn = tuple[Schedule, Values]


def opened(attributes: Any, operands: Sequence[Any]) -> Turns:
    """A node with bodies before its first turn.

    Raises
    ------
    ProgramError
        It would go round too often (TC-1506).
    """
    match attributes:
        case Loop(carried=carried):
            turns = _number(operands[1]) - _number(operands[0])
            require_turns(turns, "A loop whose ends the parties' public inputs say")
            return Turns(list(operands[2 : 2 + carried]))
        case Over(carried=carried) | Until(carried=carried):
            return Turns(list(operands[:carried]))
    return Turns([])


def next_body(
    bodies: Sequence[Schedule], attributes: Any, operands: Sequence[Any], turns: Turns
) -> _Turn | None:
    """The body of the next turn with its inputs; None after the last.

    Of a loop with a condition the turn that comes if it holds.
    """
    turn, carries = turns.turn, turns.carries
    match attributes:
        case Call(body):
            return None if turn else (bodies[body], list(operands))
        case Choice(branches):
            index = min(max(_number(operands[0]), 0), len(branches) - 1)
            return None if turn else (bodies[branches[index]], list(operands[1:]))
        case Loop(body, carried):
            counter = _number(operands[0]) + turn
            if counter >= _number(operands[1]):
                return None
            captures = operands[2 + carried :]
            return bodies[body], [np.asarray(counter, np.int64), *carries, *captures]
        case Over(body, carried, sliced, length, reverse):
            if turn >= length:
                return None
            place = length - 1 - turn if reverse else turn
            slices = [_row(one, place) for one in operands[carried : carried + sliced]]
            return bodies[body], [*carries, *slices, *operands[carried + sliced :]]
    a = attributes
    return bodies[a.body], [*carries, *operands[a.carried + a.captured :]]


def taken(attributes: Any, turns: Turns, found: Values) -> None:
    """Take what a turn gave."""
    turns.turn += 1
    if isinstance(attributes, Over):
        turns.carries = found[: attributes.carried]
        turns.rows.append(found[attributes.carried :])
    else:
        turns.carries = list(found)


def closed(
    party: Party, bodies: Sequence[Schedule], attributes: Any, turns: Turns
) -> Step[Sequence[Any]]:
    """The node's results after its last turn."""
    if not isinstance(attributes, Over):
        return turns.carries
    rows = turns.rows[::-1] if attributes.reverse else turns.rows
    stacked = []
    for column, kind in enumerate(bodies[attributes.body].checked.results[attributes.carried :]):
        stacked.append((yield from _stacked(party, [row[column] for row in rows], kind)))
    return [*turns.carries, *stacked]


def _number(value: Any) -> int:
    return int(value.item())


def _row(value: Any, place: int) -> Any:
    if not isinstance(value, SecretValue):
        return np.asarray(value[place])
    part = value.share.map(lambda one: np.asarray(one[place]))
    return SecretValue(value.dtype, part, value.held)


def _stacked(party: Party, rows: list[Any], row: ArrayType) -> Step[Any]:
    if row.public:
        shape = (len(rows), *row.shape)
        return np.stack(rows) if rows else np.zeros(shape, row.dtype.numpy)
    if rows:
        stack = OPERATIONS["stack"]
        (value,) = yield from stack.evaluate(party, rows, stack.attributes())
        return value
    nothing = np.zeros((0, *row.shape), np.int64)
    share = party.public_bits(nothing) if row.dtype.kind == "bool" else party.public(nothing)
    return SecretValue(row.dtype, share)
