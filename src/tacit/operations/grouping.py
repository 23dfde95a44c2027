"""Histograms, counts and sums by group."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from tacit.encoding.ring import Ring
from tacit.encoding.types import DType, bool_, int64
from tacit.errors import RangeError, ShapeError, TypeMismatchError
from tacit.functions.grouping import grouped, totals_between
from tacit.functions.sorting import Key
from tacit.operations.operation import Attributes, Operation, ResultValues
from tacit.operations.promotion import (
    boolean_share,
    counted_type,
    encoded,
    extremes,
    numeric,
    require_comparable,
    secret_share,
)
from tacit.operations.types import ArrayType, Operand, PublicArray, SecretValue, operand_types
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

__all__ = ["GROUPING"]


def _vector(name: str, array_type: ArrayType) -> int:
    if len(array_type.shape) != 1:
        raise ShapeError(
            f"{name}: the keys or edges have the shape {array_type.shape}, not one axis.",
            next_step="flatten them first: x.reshape(-1).",
            case=56,
            stage=name,
        )
    return array_type.shape[0]


def _numbers(party: Party, operand: Operand) -> Step[Any]:
    """A column as an arithmetic sharing; booleans count."""
    (array_type,) = operand_types([operand])
    if array_type.dtype.kind == "bool":
        return (yield from party.bit_to_arithmetic(boolean_share(party, operand)))
    return secret_share(party, operand, array_type.dtype)


# Public intervals.


class Intervals(Attributes, frozen=True):
    """How public edges make groups.

    Attributes
    ----------
    single : bool
        Every edge is a group of its own; otherwise the space between two edges is one, the
        last edge included.
    """

    single: bool = False


def _totals_rule(types: Sequence[ArrayType], attributes: Intervals) -> ArrayType:
    x, edges, *weights = types
    numeric("histogram", [x])
    _vector("histogram", x)
    count = _vector("histogram", edges)
    if x.public or not edges.public:
        raise TypeMismatchError(
            "histogram: the numbers are secret, and edges or groups are public.",
            next_step="give public edges or groups; for groups that are secret themselves use"
            " tacit.group_by.",
            case=52,
            stage="histogram",
        )
    groups = count if attributes.single else count - 1
    if groups < 1:
        raise ShapeError(
            f"histogram: {count} edges or groups make no group.",
            next_step="give at least one group, or two edges.",
            case=57,
            stage="histogram",
        )
    if not weights:
        return ArrayType(int64, (groups,))
    if weights[0].shape[:1] != x.shape:
        raise ShapeError(
            f"histogram: an array of shape {weights[0].shape} has no row for each of"
            f" {x.shape[0]} keys.",
            next_step="put the rows along the first axis.",
            case=53,
            stage="histogram",
        )
    return ArrayType(counted_type(weights[0].dtype), (groups, *weights[0].shape[1:]))


def _thresholds(
    edges: PublicArray, dtype: DType, single: bool, ring: Ring
) -> tuple[list[int], list[int]]:
    """Ascending ring integers, and for each group at which of them it begins.

    x < t for integers x and fractions t is x < ceil(t).
    """
    if single:
        flat = edges
        if dtype.kind == "int" and edges.dtype.kind == "f":
            flat = np.where(edges == np.rint(edges), edges, np.nan)
        chosen = [_ring_integers(np.array([v]), dtype, ring)[0] if v == v else None for v in flat]
        there = {v for v in chosen if v is not None}
        thresholds = sorted(there | {v + 1 for v in there})
        place = {v: k for k, v in enumerate(thresholds)}
        return thresholds, [-1 if v is None else place[v] for v in chosen]
    whole = dtype.kind == "int" and edges.dtype.kind == "f"
    low = _ring_integers(np.ceil(edges) if whole else edges, dtype, ring)
    last = _ring_integers(np.floor(edges[-1:]) if whole else edges[-1:], dtype, ring)[0] + 1
    return [*low[:-1], max(last, low[-1])], list(range(len(low) - 1))


def _ring_integers(values: PublicArray, dtype: DType, ring: Ring) -> list[int]:
    integers: list[int] = ring.integers(encoded(values, dtype, ring=ring)).tolist()
    return integers


def _totals(party: Party, operands: Sequence[Operand], attributes: Intervals) -> Step[ResultValues]:
    """Counts, or sums of weights, in public groups."""
    x, edges, *weights = operands
    assert isinstance(x, SecretValue)
    assert not isinstance(edges, SecretValue)
    thresholds, begins = _thresholds(edges, x.dtype, attributes.single, party.ring)
    types = operand_types(operands)
    dtype = counted_type(types[2].dtype) if weights else int64
    table, shape = None, (len(begins),)
    if weights:
        shape = (len(begins), *weights[0].shape[1:])
        share = yield from _numbers(party, weights[0])
        table = share.map(lambda part: part.reshape(x.shape[0], prod(shape[1:])))
    if not thresholds:
        return SecretValue(dtype, party.public(np.zeros(shape, np.int64)))
    totals = yield from totals_between(party, x.share, thresholds, table)
    # A fraction that no integer equals has a row of zeros behind the others.
    nothing = party.public(np.zeros((1, *totals.shape[1:]), np.int64))
    found = party.concatenate([totals, nothing])[np.array(begins)]
    return SecretValue(dtype, found.map(lambda part: part.reshape(shape)))


def _check_intervals(
    types: Sequence[ArrayType],
    values: Sequence[PublicArray | None],
    attributes: Intervals,
    ring: Ring,
) -> None:
    x, weights = types[0], types[2:]
    if values[1] is not None:
        _check_edges(x.dtype, values[1], attributes, ring)
    for array_type, public in zip(weights, values[2:], strict=True):
        if public is not None:
            encoded(extremes(public), array_type.dtype, ring=ring)


def _check_edges(dtype: DType, edges: PublicArray, attributes: Intervals, ring: Ring) -> None:
    if not attributes.single and (np.diff(edges.astype(np.float64)) < 0).any():
        raise RangeError(
            "histogram: the edges do not ascend.",
            next_step="sort the edges.",
            case=51,
            stage="histogram",
        )
    ends = extremes(edges)
    whole = dtype.kind == "int" and ends.dtype.kind == "f"
    encoded(np.rint(ends) if whole else ends, dtype, ring=ring)


# Secret groups.


class Columns(Attributes, frozen=True):
    """Which of the operands are keys; the others are values.

    Attributes
    ----------
    keys : int
        How many.
    key_bits : tuple of int or None
        For each every ring element is below 2^bits in magnitude; empty where nothing is known.
    """

    keys: int = 1
    key_bits: tuple[int | None, ...] = ()


def _grouped_rule(types: Sequence[ArrayType], attributes: Columns) -> tuple[ArrayType, ...]:
    if not 0 < attributes.keys <= len(types) or len(attributes.key_bits) not in (
        0,
        attributes.keys,
    ):
        raise ShapeError(
            f"group_by: {attributes.keys} keys, bits of {len(attributes.key_bits)}, and"
            f" {len(types)} columns.",
            next_step="give at least one key, and a number of bits, or None, for each or for none.",
            case=52,
            stage="group_by",
        )
    keys, values = types[: attributes.keys], types[attributes.keys :]
    length = _vector("group_by", keys[0])
    for column in (*keys, *values):
        if column.shape != (length,):
            raise ShapeError(
                f"group_by: a column of shape {column.shape} beside {length} keys.",
                next_step="give vectors of one length.",
                case=52,
                stage="group_by",
            )
    return (
        *(ArrayType(key.dtype, (length,)) for key in keys),
        *(ArrayType(counted_type(value.dtype), (length,)) for value in values),
        ArrayType(int64, (length,)),
        ArrayType(bool_, (length,)),
    )


def _grouped(party: Party, operands: Sequence[Operand], attributes: Columns) -> Step[ResultValues]:
    """Sums and counts of secret groups: keys, sums, counts and a mask, padded with zeros."""
    types = operand_types(operands)
    results = [t.dtype for t in types[: attributes.keys]]
    results += [counted_type(t.dtype) for t in types[attributes.keys :]]
    length = types[0].shape[0]
    if length == 0:
        empty = party.public(np.zeros(0, np.int64))
        no_bits = party.public_bits(np.zeros(0, np.uint8))
        return (
            *(SecretValue(d, no_bits if d.kind == "bool" else empty) for d in results),
            SecretValue(int64, empty),
            SecretValue(bool_, no_bits),
        )
    columns: list[Any] = []
    for operand in operands:
        share = yield from _numbers(party, operand)
        columns.append(share.reshape(1, length))
    known = attributes.key_bits or (None,) * attributes.keys
    keys = [
        Key(column, 1 if t.dtype.kind == "bool" else bits)
        for column, t, bits in zip(columns, types, known, strict=False)
    ]
    groups = yield from grouped(party, keys, columns[attributes.keys :])
    found: list[SecretValue] = []
    for share, dtype in zip([*groups.keys, *groups.sums], results, strict=True):
        if dtype.kind == "bool":
            share = yield from party.most_significant_bit(party.negate(share))
        found.append(SecretValue(dtype, share))
    return (*found, SecretValue(int64, groups.counts), SecretValue(bool_, groups.valid))


def _check_columns(
    types: Sequence[ArrayType], values: Sequence[PublicArray | None], attributes: Any, ring: Ring
) -> None:
    for place, (array_type, public) in enumerate(zip(types, values, strict=True)):
        if public is not None:
            encoded(extremes(public), array_type.dtype, ring=ring)
            if place < attributes.keys:
                require_comparable(public, array_type.dtype, ring)


GROUPING = (
    Operation("totals_between", _totals_rule, _totals, Intervals, _check_intervals),
    Operation("group_by", _grouped_rule, _grouped, Columns, _check_columns),
)
