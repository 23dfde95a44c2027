"""More ways to move elements: roll, repeat, tile, pad, triangles, diagonals. All local.

Like ``manipulation.py``: a move of the elements is a move of every share, so nothing is sent.
What an operation leaves empty is filled with the sharing of zero, (0, 0, 0).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tacit.errors import ShapeError
from tacit.operations.manipulation import normal_axis, rearranged
from tacit.operations.operation import Attributes, Operation, local
from tacit.operations.types import ArrayType, Operand, SecretValue

__all__ = ["REARRANGEMENT", "PadMode"]

PadMode: TypeAlias = Literal["constant", "edge", "reflect", "symmetric", "wrap"]


def _only(operands: Sequence[Operand]) -> SecretValue:
    value = operands[0]
    assert isinstance(value, SecretValue)
    return value


def _refused(name: str, message: str, next_step: str) -> ShapeError:
    return ShapeError(f"{name}: {message}", next_step=next_step, case=60, stage=name)


# Roll.


class Roll(Attributes, frozen=True):
    """How far along which axes; without axes, along the flattened array."""

    shift: tuple[int, ...]
    axis: tuple[int, ...] | None = None


def _roll_rule(types: Sequence[ArrayType], attributes: Roll) -> ArrayType:
    shape = types[0].shape
    count = 1 if attributes.axis is None else len(attributes.axis)
    if len(attributes.shift) != count:
        raise _refused(
            "roll",
            f"{len(attributes.shift)} shifts for {count} axes.",
            "give one shift for each axis.",
        )
    for axis in attributes.axis or ():
        normal_axis("roll", axis, len(shape))
    return types[0]


def _roll(party: Any, operands: Sequence[Operand], attributes: Roll) -> SecretValue:
    """Elements moved along axes; what leaves at one end enters at the other. Local."""
    if attributes.axis is None:
        return rearranged(_only(operands), lambda part: np.roll(part, attributes.shift[0]))
    return rearranged(
        _only(operands), lambda part: np.roll(part, attributes.shift, attributes.axis)
    )


# Repeat and tile.


class Repeats(Attributes, frozen=True):
    """How often each element of an axis appears: one number for all, or one for each."""

    repeats: int | tuple[int, ...]
    axis: int


def _repeat_rule(types: Sequence[ArrayType], attributes: Repeats) -> ArrayType:
    shape, repeats = types[0].shape, attributes.repeats
    axis = normal_axis("repeat", attributes.axis, len(shape))
    extent = shape[axis]
    counts = (repeats,) if isinstance(repeats, int) else repeats
    if min(counts, default=0) < 0 or not (isinstance(repeats, int) or len(counts) == extent):
        raise _refused(
            "repeat",
            f"{len(counts)} counts, the least {min(counts, default=0)}, for an axis of {extent}.",
            "give one count from 0 up, or one for each element of the axis.",
        )
    total = extent * repeats if isinstance(repeats, int) else sum(repeats)
    return ArrayType(types[0].dtype, (*shape[:axis], total, *shape[axis + 1 :]))


def _repeat(party: Any, operands: Sequence[Operand], attributes: Repeats) -> SecretValue:
    """Every element of an axis several times in a row. Local."""
    return rearranged(
        _only(operands), lambda part: np.repeat(part, attributes.repeats, attributes.axis)
    )


class Repetitions(Attributes, frozen=True):
    """How often the array appears along each axis, the last axes last."""

    repetitions: tuple[int, ...]


def _tile_rule(types: Sequence[ArrayType], attributes: Repetitions) -> ArrayType:
    shape, counts = types[0].shape, attributes.repetitions
    if min(counts, default=0) < 0:
        raise _refused("tile", f"negative repetitions {counts}.", "count from 0 up.")
    length = max(len(shape), len(counts))
    shape = (1,) * (length - len(shape)) + shape
    counts = (1,) * (length - len(counts)) + counts
    return ArrayType(types[0].dtype, tuple(a * b for a, b in zip(shape, counts, strict=True)))


def _tile(party: Any, operands: Sequence[Operand], attributes: Repetitions) -> SecretValue:
    """The whole array several times along axes. Local."""
    return rearranged(_only(operands), lambda part: np.tile(part, attributes.repetitions))


# Pad.


class Padding(Attributes, frozen=True):
    """Elements added before and after each axis, and what they are; constants are zero."""

    widths: tuple[tuple[int, int], ...]
    mode: PadMode = "constant"


def _pad_rule(types: Sequence[ArrayType], attributes: Padding) -> ArrayType:
    shape, widths = types[0].shape, attributes.widths
    if len(widths) != len(shape) or any(min(pair) < 0 for pair in widths):
        raise _refused(
            "pad",
            f"the widths {widths} do not fit an array of shape {shape}.",
            "give (before, after) for every axis, both from 0 up.",
        )
    if attributes.mode != "constant" and any(
        not extent and max(pair) for extent, pair in zip(shape, widths, strict=True)
    ):
        raise _refused(
            "pad",
            f"an empty axis of shape {shape} cannot be continued by mode {attributes.mode!r}.",
            "use mode='constant'.",
        )
    padded = tuple(n + before + after for n, (before, after) in zip(shape, widths, strict=True))
    return ArrayType(types[0].dtype, padded)


def _pad(party: Any, operands: Sequence[Operand], attributes: Padding) -> SecretValue:
    """Elements added around an array: zeros, or copies of its own. Local."""

    def padded(part: NDArray[Any]) -> NDArray[Any]:
        # The protocol's view of a number without axes has one axis, with no widths of its own.
        widths = attributes.widths or ((0, 0),) * part.ndim
        if attributes.mode != "constant":
            return np.pad(part, widths, attributes.mode)
        extents = [n + sum(pair) for n, pair in zip(part.shape, widths, strict=True)]
        around = np.zeros(extents, part.dtype)
        inside = zip(part.shape, widths, strict=True)
        around[tuple(slice(before, before + n) for n, (before, _) in inside)] = part
        return around

    return rearranged(_only(operands), padded)


# Triangles and diagonals.


class Triangle(Attributes, frozen=True):
    """Which diagonal bounds the triangle: 0 is the main one, positive ones lie above."""

    k: int = 0


def _matrices(name: str, shape: tuple[int, ...]) -> None:
    if len(shape) < 2:
        raise _refused(name, f"an array of shape {shape} holds no matrices.", "give two axes.")


def _triangle(name: str) -> Operation:
    move = np.tril if name == "tril" else np.triu

    def rule(types: Sequence[ArrayType], attributes: Triangle) -> ArrayType:
        _matrices(name, types[0].shape)
        _require_near(name, attributes.k)
        return types[0]

    def meaning(party: Any, operands: Sequence[Operand], attributes: Triangle) -> SecretValue:
        """A triangle of every matrix; the rest becomes zero. Local."""
        return rearranged(_only(operands), lambda part: move(part, attributes.k))

    return Operation(name, rule, local(meaning), Triangle)


def _require_near(name: str, diagonal: int) -> None:
    if abs(diagonal) > _FARTHEST:
        raise _refused(name, f"there is no diagonal {diagonal}.", "count from the main one, 0.")


_FARTHEST: Final = 1 << 30


class Diagonal(Attributes, frozen=True):
    """Which diagonal, and of which two axes."""

    offset: int = 0
    axis1: int = -2
    axis2: int = -1


def _diagonal_shape(shape: tuple[int, ...], attributes: Diagonal) -> tuple[int, ...]:
    _matrices("diagonal", shape)
    first = normal_axis("diagonal", attributes.axis1, len(shape))
    second = normal_axis("diagonal", attributes.axis2, len(shape))
    if first == second:
        raise _refused("diagonal", f"axis {first} is named twice.", "name two axes.")
    _require_near("diagonal", attributes.offset)
    rows, columns, offset = shape[first], shape[second], attributes.offset
    length = min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns)
    others = tuple(n for place, n in enumerate(shape) if place not in (first, second))
    return (*others, max(length, 0))


def _diagonal_rule(types: Sequence[ArrayType], attributes: Diagonal) -> ArrayType:
    return ArrayType(types[0].dtype, _diagonal_shape(types[0].shape, attributes))


def _diagonal(party: Any, operands: Sequence[Operand], attributes: Diagonal) -> SecretValue:
    """A diagonal of two axes, as the last axis. Local."""
    return rearranged(
        _only(operands),
        lambda part: part.diagonal(attributes.offset, attributes.axis1, attributes.axis2),
    )


REARRANGEMENT = (
    Operation("roll", _roll_rule, local(_roll), Roll),
    Operation("repeat", _repeat_rule, local(_repeat), Repeats),
    Operation("tile", _tile_rule, local(_tile), Repetitions),
    Operation("pad", _pad_rule, local(_pad), Padding),
    _triangle("tril"),
    _triangle("triu"),
    Operation("diagonal", _diagonal_rule, local(_diagonal), Diagonal),
)
