"""Sorting along an axis, by one key or several, and shuffling.

All sorts are stable, ascending and descending: equal elements keep their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tacit.encoding.ring import Ring
from tacit.encoding.types import int64
from tacit.errors import ShapeError
from tacit.functions.sorting import Key, partitioned, shuffled, sorted_bits, sorted_by
from tacit.operations.manipulation import normal_axis
from tacit.operations.operation import Attributes, Operation, ResultValues
from tacit.operations.promotion import (
    boolean_share,
    encoded,
    extremes,
    require_comparable,
    secret_share,
)
from tacit.operations.rows import as_rows, from_rows, row_shape
from tacit.operations.types import ArrayType, Operand, PublicArray, SecretValue, operand_types
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

__all__ = ["SORTING", "Direction", "ascending_key"]


class Direction(Attributes, frozen=True):
    """How to sort.

    Attributes
    ----------
    axis : int
    descending : bool
        Whether the largest come first.
    key_bits : int, optional
        Every ring element is below 2^key_bits in magnitude, by its public bounds.
    """

    axis: int = -1
    descending: bool = False
    key_bits: int | None = None


def _only(operands: Sequence[Operand]) -> SecretValue:
    value = operands[0]
    assert isinstance(value, SecretValue)
    return value


def ascending_key(party: Party, share: Any, descending: bool, bits: int | None) -> Key:
    """Rows of numbers as a key: negated where the largest come first. Local."""
    return Key(party.negate(share) if descending else share, bits)


# One array.


def _sort_rule(types: Sequence[ArrayType], attributes: Direction) -> ArrayType:
    row_shape("sort", types[0].shape, attributes.axis)
    return types[0]


def _sort(party: Party, operands: Sequence[Operand], attributes: Direction) -> Step[ResultValues]:
    """The elements in order: a shuffle and opened comparisons; booleans are counted."""
    value = _only(operands)
    rows = as_rows(value.share, attributes.axis)
    if value.dtype.kind == "bool":
        rows = party.invert(rows) if attributes.descending else rows
        found = yield from sorted_bits(party, rows)
        found = party.invert(found) if attributes.descending else found
    else:
        key = ascending_key(party, rows, attributes.descending, attributes.key_bits)
        result = yield from sorted_by(party, [key], [key.share])
        found = party.negate(result.columns[0]) if attributes.descending else result.columns[0]
    return SecretValue(value.dtype, from_rows(found, value.shape, attributes.axis))


def _argsort_rule(types: Sequence[ArrayType], attributes: Direction) -> ArrayType:
    row_shape("argsort", types[0].shape, attributes.axis)
    return ArrayType(int64, types[0].shape)


def _argsort(
    party: Party, operands: Sequence[Operand], attributes: Direction
) -> Step[ResultValues]:
    """Where the elements in order stand: secret positions."""
    value = _only(operands)
    rows = as_rows(value.share, attributes.axis)
    if value.dtype.kind == "bool":
        rows = party.invert(rows) if attributes.descending else rows
        result = yield from partitioned(party, rows, [], with_index=True)
    else:
        key = ascending_key(party, rows, attributes.descending, attributes.key_bits)
        result = yield from sorted_by(party, [key], [], with_index=True)
    return SecretValue(int64, from_rows(result.index, value.shape, attributes.axis))


# Several keys.


class Directions(Attributes, frozen=True):
    """The keys, which are the last operands.

    Attributes
    ----------
    descending : tuple of bool
        For each key whether its largest come first.
    key_bits : tuple of int or None
        For each key as in :class:`Direction`; nothing is known of any if it is empty.
    """

    descending: tuple[bool, ...]
    key_bits: tuple[int | None, ...] = ()


def _rows_rule(
    name: str, types: Sequence[ArrayType], attributes: Directions
) -> tuple[Sequence[ArrayType], int]:
    """The types of the columns, and the number of rows."""
    count = len(attributes.descending)
    columns, keys = types[: len(types) - count], types[len(types) - count :]
    if not keys or any(len(key.shape) != 1 or key.shape != keys[0].shape for key in keys):
        raise ShapeError(
            f"{name}: the keys have the shapes {[key.shape for key in keys]}, not one length.",
            next_step="give at least one key, each a vector with a number for every row.",
            case=52,
            stage=name,
        )
    if count > len(types) or (attributes.key_bits and len(attributes.key_bits) != count):
        raise ShapeError(
            f"{name}: bits are given of {len(attributes.key_bits)} keys, and there are {count}.",
            next_step="give a number of bits, or None, for each key; or nothing at all.",
            case=52,
            stage=name,
        )
    length = keys[0].shape[0]
    for column in columns:
        if column.shape[:1] != (length,):
            raise ShapeError(
                f"{name}: an array of shape {column.shape} has no row for each of {length} keys.",
                next_step="put the rows along the first axis.",
                case=53,
                stage=name,
            )
    return columns, length


def _lexsort_rule(types: Sequence[ArrayType], attributes: Directions) -> ArrayType:
    _, length = _rows_rule("lexsort", types, attributes)
    return ArrayType(int64, (length,))


def _lexsort(
    party: Party, operands: Sequence[Operand], attributes: Directions
) -> Step[ResultValues]:
    """Where the rows in the order of the keys stand, the first key first."""
    keys = yield from _keys(party, operands, attributes)
    result = yield from sorted_by(party, keys, [], with_index=True)
    return SecretValue(int64, result.index.map(lambda part: part.reshape(-1)))


def _sort_by_rule(types: Sequence[ArrayType], attributes: Directions) -> tuple[ArrayType, ...]:
    columns, _ = _rows_rule("sort_by", types, attributes)
    return tuple(ArrayType(column.dtype, column.shape) for column in columns)


def _sort_by(
    party: Party, operands: Sequence[Operand], attributes: Directions
) -> Step[ResultValues]:
    """The rows of arrays in the order of the keys: all travel under one permutation."""
    arrays = list(operands[: len(operands) - len(attributes.descending)])
    keys = yield from _keys(party, operands, attributes)
    types = operand_types(arrays)
    columns: list[Any] = []
    widths: list[int] = []
    for operand, array_type in zip(arrays, types, strict=True):
        if array_type.dtype.kind == "bool":
            share = yield from party.bit_to_arithmetic(boolean_share(party, operand))
        else:
            share = secret_share(party, operand, array_type.dtype)
        length = share.shape[0]
        table = share.map(lambda part, n=length: part.reshape(n, -1) if n else part.reshape(n, 0))
        widths.append(table.shape[1])
        columns.extend(table[:, k].reshape(1, length) for k in range(table.shape[1]))
    result = yield from sorted_by(party, keys, columns)
    found: list[SecretValue] = []
    start = 0
    for array_type, width in zip(types, widths, strict=True):
        parts = result.columns[start : start + width]
        start += width
        share = _joined(party, parts, array_type.shape)
        if array_type.dtype.kind == "bool":
            share = yield from party.most_significant_bit(party.negate(share))
        found.append(SecretValue(array_type.dtype, share))
    return tuple(found)


def _joined(party: Party, columns: Sequence[Any], shape: tuple[int, ...]) -> Any:
    if not columns:
        return party.public(np.zeros(shape, np.int64))
    table = party.concatenate([column.reshape(column.shape[1], 1) for column in columns], 1)
    return table.map(lambda part: part.reshape(shape))


def _keys(party: Party, operands: Sequence[Operand], attributes: Directions) -> Step[list[Key]]:
    """The keys among the operands as rows, booleans as 0 and 1."""
    count = len(attributes.descending)
    chosen = operands[len(operands) - count :]
    types = operand_types(chosen)
    keys: list[Key] = []
    known = attributes.key_bits or (None,) * count
    for operand, array_type, descending, bits in zip(
        chosen, types, attributes.descending, known, strict=True
    ):
        length = array_type.shape[0]
        if array_type.dtype.kind == "bool":
            share = yield from party.bit_to_arithmetic(boolean_share(party, operand))
        else:
            share = secret_share(party, operand, array_type.dtype)
        bits = 1 if array_type.dtype.kind == "bool" else bits
        keys.append(ascending_key(party, share.reshape(1, length), descending, bits))
    return keys


def _check_columns(
    types: Sequence[ArrayType], values: Sequence[PublicArray | None], attributes: Any, ring: Ring
) -> None:
    for place, (array_type, public) in enumerate(zip(types, values, strict=True)):
        if public is not None:
            encoded(extremes(public), array_type.dtype, ring=ring)
            if len(types) - len(attributes.descending) <= place:
                require_comparable(public, array_type.dtype, ring)


# Shuffling.


class ShuffleAxis(Attributes, frozen=True):
    """The axis along which elements, or whole slices, are shuffled."""

    axis: int = 0


def _shuffle_rule(types: Sequence[ArrayType], attributes: ShuffleAxis) -> ArrayType:
    normal_axis("shuffle", attributes.axis, len(types[0].shape))
    return types[0]


def _shuffle(
    party: Party, operands: Sequence[Operand], attributes: ShuffleAxis
) -> Step[ResultValues]:
    """Slices along an axis in a uniform order that nobody knows. 2 rounds on replicated3."""
    value = _only(operands)
    axis = normal_axis("shuffle", attributes.axis, len(value.shape))
    front = _moved(value.share, axis, 0)
    table = front.map(lambda part: part[None])
    if value.dtype.kind == "bool":
        secret = party.permutation(1, value.shape[axis])
        mixed = yield from party.permute_bits(secret, table)
    else:
        mixed = yield from shuffled(party, table)
    found = mixed.map(lambda part: part[0])
    return SecretValue(value.dtype, _moved(found, 0, axis))


def _moved(share: Any, source: int, destination: int) -> Any:
    return share.map(lambda part: np.moveaxis(part, source, destination))


SORTING = (
    Operation("sort", _sort_rule, _sort, Direction),
    Operation("argsort", _argsort_rule, _argsort, Direction),
    Operation("lexsort", _lexsort_rule, _lexsort, Directions, _check_columns),
    Operation("sort_by", _sort_by_rule, _sort_by, Directions, _check_columns),
    Operation("shuffle", _shuffle_rule, _shuffle, ShuffleAxis),
)
