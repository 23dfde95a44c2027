"""Extremes, order statistics, places among edges, elements at secret positions."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.ring import Ring
from tacit.encoding.types import DType, bool_, fixed, int64
from tacit.errors import RangeError, ShapeError, TypeMismatchError
from tacit.functions import searching
from tacit.functions.sorting import Key, sorted_by
from tacit.operations.manipulation import normal_axis
from tacit.operations.operation import Attributes, Meaning, Operation, ResultValues, Rule
from tacit.operations.promotion import (
    check_encodable,
    common_type,
    encoded,
    extremes,
    is_far,
    numeric,
    rescaled_up,
    ring_constant,
    secret_share,
)
from tacit.operations.reduction import Axes, reduced_axes, reduced_shape
from tacit.operations.rows import as_rows, from_rows, row_shape
from tacit.operations.scaling import wide_fraction
from tacit.operations.types import (
    ArrayType,
    Operand,
    PublicArray,
    SecretValue,
    operand_types,
)
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

__all__ = ["SEARCHING", "quantile_ranks", "rows_of_axes", "some_elements"]


def _only(operands: Sequence[Operand]) -> SecretValue:
    value = operands[0]
    assert isinstance(value, SecretValue)
    return value


def some_elements(name: str, count: int) -> None:
    """Refuse rows without elements where there is no answer for them.

    Raises
    ------
    ShapeError
        There are none (TC-1154).
    """
    if count == 0:
        raise ShapeError(
            f"{name}: there are no elements to choose from.",
            next_step="check that the array is not empty along the axis first.",
            case=54,
            stage=name,
        )


def rows_of_axes(share: Any, axes: tuple[int, ...]) -> Any:
    """A sharing with the axes that are reduced last and flattened: (rows, count). Local."""
    shape = share.shape
    count = prod(shape[axis] for axis in axes)
    rows = prod(extent for place, extent in enumerate(shape) if place not in axes)
    places = range(-len(axes), 0)
    return share.map(lambda part: np.moveaxis(part, axes, places).reshape(rows, count))


def _shaped(share: Any, shape: tuple[int, ...]) -> Any:
    return share.map(lambda part: part.reshape(shape))


# Extremes, and whether any or all are true.


def _extreme_rule(name: str) -> Rule:
    def rule(types: Sequence[ArrayType], attributes: Axes) -> ArrayType:
        shape = types[0].shape
        axes = reduced_axes(name, shape, attributes)
        result = reduced_shape(shape, axes, attributes.keepdims)
        if prod(result):
            some_elements(name, prod(shape[axis] for axis in axes))
        return ArrayType(types[0].dtype, result)

    return rule


def _extreme(name: str, *, largest: bool) -> Meaning:
    def meaning(party: Party, operands: Sequence[Operand], attributes: Axes) -> Step[ResultValues]:
        """The largest or smallest element over axes. Exact."""
        value = _only(operands)
        axes = reduced_axes(name, value.shape, attributes)
        shape = reduced_shape(value.shape, axes, attributes.keepdims)
        rows = rows_of_axes(value.share, axes)
        if value.dtype.kind == "bool":
            share = yield from _agreed(party, rows, any_=largest)
        elif rows.shape[0] == 0:
            share = party.sum(rows, 1)
        else:
            share, _ = yield from searching.extremum(party, rows, largest=largest)
        return SecretValue(value.dtype, _shaped(share, shape))

    return meaning


def _agreed(party: Party, rows: Any, *, any_: bool) -> Step[Any]:
    """Whether any bit, or all bits, of each row are 1."""
    if not any_:
        return (yield from searching.all_true(party, rows))
    none = yield from searching.all_true(party, party.invert(rows))
    return party.invert(none)


def _truth_rule(name: str) -> Rule:
    def rule(types: Sequence[ArrayType], attributes: Axes) -> ArrayType:
        if types[0].dtype.kind != "bool":
            raise TypeMismatchError(
                f"{name}: the array is {types[0].dtype!r}, not tacit.bool.",
                next_step="compare first, for instance x != 0.",
                case=12,
                stage=name,
            )
        axes = reduced_axes(name, types[0].shape, attributes)
        return ArrayType(bool_, reduced_shape(types[0].shape, axes, attributes.keepdims))

    return rule


def _truth(name: str) -> Meaning:
    def meaning(party: Party, operands: Sequence[Operand], attributes: Axes) -> Step[ResultValues]:
        """Whether any, or all, are true over axes."""
        value = _only(operands)
        axes = reduced_axes(name, value.shape, attributes)
        shape = reduced_shape(value.shape, axes, attributes.keepdims)
        bits = yield from _agreed(party, rows_of_axes(value.share, axes), any_=name == "any")
        return SecretValue(bool_, _shaped(bits, shape))

    return meaning


class OneAxis(Attributes, frozen=True):
    """One axis to reduce, or all of them flattened."""

    axis: int | None = None
    keepdims: bool = False


def _arg_rule(name: str) -> Rule:
    def rule(types: Sequence[ArrayType], attributes: OneAxis) -> ArrayType:
        return ArrayType(int64, _extreme_rule(name)(types, attributes).shape)  # type: ignore[union-attr]

    return rule


def _arg(name: str, *, largest: bool) -> Meaning:
    def meaning(
        party: Party, operands: Sequence[Operand], attributes: OneAxis
    ) -> Step[ResultValues]:
        """Where the largest or smallest element first stands along an axis. Exact."""
        value = _only(operands)
        axes = reduced_axes(name, value.shape, Axes(attributes.axis))
        shape = reduced_shape(value.shape, axes, attributes.keepdims)
        rows = rows_of_axes(value.share, axes)
        if value.dtype.kind == "bool":
            rows = yield from party.bit_to_arithmetic(rows)
        if rows.shape[0] == 0:
            return SecretValue(int64, _shaped(party.sum(rows, 1), shape))
        _, index = yield from searching.extremum(party, rows, largest=largest, with_index=True)
        return SecretValue(int64, _shaped(index, shape))

    return meaning


# Order statistics.


class Largest(Attributes, frozen=True):
    """How many elements of an axis, and from which end."""

    k: int
    axis: int = -1
    largest: bool = True
    key_bits: int | None = None


def _topk_rule(types: Sequence[ArrayType], attributes: Largest) -> tuple[ArrayType, ...]:
    numeric("topk", types)
    shape = types[0].shape
    _, count = row_shape("topk", shape, attributes.axis)
    if not 0 <= attributes.k <= count:
        raise ShapeError(
            f"topk: {attributes.k} elements are asked for along an axis of {count}.",
            next_step="ask for at most as many as there are.",
            case=55,
            stage="topk",
        )
    place = attributes.axis % len(shape)
    result = (*shape[:place], attributes.k, *shape[place + 1 :])
    return ArrayType(types[0].dtype, result), ArrayType(int64, result)


def _topk(party: Party, operands: Sequence[Operand], attributes: Largest) -> Step[ResultValues]:
    """The k largest or smallest along an axis, best first, and where they stand."""
    value = _only(operands)
    rows = as_rows(value.share, attributes.axis)
    key = party.negate(rows) if attributes.largest else rows
    wanted = np.arange(rows.shape[1]) < attributes.k
    keys = [Key(key, attributes.key_bits)]
    result = yield from sorted_by(party, keys, [key], with_index=True, wanted=wanted)
    found = party.negate(result.columns[0]) if attributes.largest else result.columns[0]
    return (
        SecretValue(value.dtype, from_rows(found, value.shape, attributes.axis)),
        SecretValue(int64, from_rows(result.index, value.shape, attributes.axis)),
    )


class Fractions(Axes, frozen=True):
    """Public fractions of the elements that shall lie below the results."""

    q: tuple[float, ...] = (0.5,)
    single: bool = True
    key_bits: int | None = None


def quantile_ranks(
    q: Sequence[float], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """The ranks between which each quantile lies, and how far from the lower one.

    As NumPy's method "linear": at q (count - 1).
    """
    place = np.asarray(q, np.float64) * (count - 1)
    low = np.floor(place).astype(np.int64)
    high = np.minimum(low + 1, count - 1)
    return low, high, place - low


def _quantile_rule(name: str) -> Rule:
    def rule(types: Sequence[ArrayType], attributes: Fractions) -> ArrayType:
        numeric(name, types)
        single = len(attributes.q) == 1 if attributes.single else True
        if not (single and all(0 <= q <= 1 for q in attributes.q)):
            raise RangeError(
                f"{name}: the fractions are not within 0 to 1.",
                next_step="give fractions, for instance 0.25 for the lower quartile.",
                case=50,
                stage=name,
            )
        result = _extreme_rule(name)(types, attributes)
        assert isinstance(result, ArrayType)
        dtype = result.dtype if result.dtype.kind == "fixed" else fixed
        front = () if attributes.single else (len(attributes.q),)
        return ArrayType(dtype, (*front, *result.shape))

    return rule


def _quantile(name: str) -> Meaning:
    def meaning(
        party: Party, operands: Sequence[Operand], attributes: Fractions
    ) -> Step[ResultValues]:
        """Order statistics over axes, with linear interpolation between two of them."""
        value = _only(operands)
        axes = reduced_axes(name, value.shape, attributes)
        dtype = value.dtype if value.dtype.kind == "fixed" else fixed
        rows = rows_of_axes(value.share, axes)
        count = rows.shape[1]
        low, high, share_of_high = quantile_ranks(attributes.q, count) if count else _NO_RANKS
        wanted = np.zeros(count, np.bool_)
        wanted[low] = wanted[high] = True
        result = yield from sorted_by(
            party, [Key(rows, attributes.key_bits)], [rows], wanted=wanted
        )
        column = rescaled_up(party, SecretValue(value.dtype, result.columns[0]), dtype)
        place = np.cumsum(wanted) - 1
        lower, upper = column[:, place[low]], column[:, place[high]]
        between = share_of_high.any()
        if between:
            bits = dtype.fraction_bits
            change = party.subtract(upper, lower)
            change = yield from wide_fraction(party, change, bits, share_of_high)
            lower = party.add(lower, change)
        shape = reduced_shape(value.shape, axes, attributes.keepdims)
        front = () if attributes.single else (len(attributes.q),)
        found = lower.map(lambda part: part.T.reshape((*front, *shape)))
        return SecretValue(dtype, found)

    return meaning


_NO_RANKS = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))


# Edges and values.


class Side(Attributes, frozen=True):
    """Whether an element equal to an edge comes after it."""

    right: bool = False


def _searchsorted_rule(types: Sequence[ArrayType], attributes: Side) -> ArrayType:
    common_type("searchsorted", types)
    if len(types[0].shape) != 1:
        raise ShapeError(
            f"searchsorted: the edges have the shape {types[0].shape}, not one axis.",
            next_step="give a vector in ascending order.",
            case=56,
            stage="searchsorted",
        )
    return ArrayType(int64, types[1].shape)


def _searchsorted(
    party: Party, operands: Sequence[Operand], attributes: Side
) -> Step[ResultValues]:
    """Where elements would go among edges: how many edges are below them."""
    dtype = common_type("searchsorted", operand_types(operands))
    edges, x = (_edges_or_places(party, operand, dtype) for operand in operands)
    found = yield from searching.among_edges(party, edges, x, right=attributes.right)
    return SecretValue(int64, _shaped(found, operands[1].shape))


def _edges_or_places(party: Party, operand: Operand, dtype: DType) -> Any:
    """A vector: a sharing, or ring elements where their differences from a secret may wrap."""
    if not isinstance(operand, SecretValue) and is_far(operand, dtype, party.ring):
        return ring_constant(party, operand, dtype).reshape(-1)
    return secret_share(party, operand, dtype).map(lambda part: part.reshape(-1))


def _isin_rule(types: Sequence[ArrayType], attributes: Any) -> ArrayType:
    numeric("isin", types)
    if types[0].public or not types[1].public:
        raise TypeMismatchError(
            "isin: elements are secret numbers, and the values to find are public.",
            next_step="pass the values as a NumPy array; to compare with secret ones use"
            " tacit.any(x[..., None] == values, axis=-1).",
            case=52,
            stage="isin",
        )
    return ArrayType(bool_, types[0].shape)


def _isin_values(values: PublicArray, dtype: DType, ring: Ring) -> list[int]:
    """The different values as ring integers; fractions equal no integer."""
    flat = np.unique(values)
    if dtype.kind == "int" and flat.dtype.kind == "f":
        flat = flat[flat == np.rint(flat)]
    integers = ring.integers(encoded(flat, dtype, ring=ring))
    return sorted(set(integers.tolist()))


def _isin(party: Party, operands: Sequence[Operand], attributes: Any) -> Step[ResultValues]:
    """Whether each element is one of some public values. Exact."""
    x, values = operands
    assert isinstance(x, SecretValue)
    assert not isinstance(values, SecretValue)
    chosen = _isin_values(values, x.dtype, party.ring)
    if not chosen:
        return SecretValue(bool_, party.public_bits(np.zeros(x.shape, np.uint8)))
    flat = x.share.map(lambda part: part.reshape(-1))
    found = yield from searching.equal_to_any(party, flat, chosen)
    return SecretValue(bool_, _shaped(found, x.shape))


def _check_values(
    types: Sequence[ArrayType], values: Sequence[PublicArray | None], attributes: Any, ring: Ring
) -> None:
    if values[1] is not None and values[1].size:
        ends = extremes(values[1])
        whole = types[0].dtype.kind == "int" and ends.dtype.kind == "f"
        encoded(np.rint(ends) if whole else ends, types[0].dtype, ring=ring)


# Secret positions.


class Classes(Attributes, frozen=True):
    """How many classes there are."""

    classes: int


def _integers(name: str, array_type: ArrayType) -> None:
    if array_type.dtype.kind != "int" or array_type.public:
        raise TypeMismatchError(
            f"{name}: positions are {array_type.dtype!r}, not secret integers.",
            next_step="share them as integers; public positions index directly: x[positions].",
            case=53,
            stage=name,
        )


def _one_hot_rule(types: Sequence[ArrayType], attributes: Classes) -> ArrayType:
    _integers("one_hot", types[0])
    if attributes.classes < 1:
        raise ShapeError(
            f"one_hot: {attributes.classes} classes.",
            next_step="give the number of classes, at least one.",
            case=57,
            stage="one_hot",
        )
    return ArrayType(bool_, (*types[0].shape, attributes.classes))


def _one_hot(party: Party, operands: Sequence[Operand], attributes: Classes) -> Step[ResultValues]:
    """A secret boolean a class along a new last axis; all false outside the classes."""
    value = _only(operands)
    flat = value.share.map(lambda part: part.reshape(-1))
    bits = yield from searching.one_hot(party, flat, attributes.classes)
    shape = (*value.shape, attributes.classes)
    return SecretValue(bool_, bits.map(lambda plain: plain.T.reshape(shape)))


class TakeAxis(Attributes, frozen=True):
    """The axis to take from."""

    axis: int = 0


def _take_rule(types: Sequence[ArrayType], attributes: TakeAxis) -> ArrayType:
    table, index = types
    _integers("take", index)
    _, count = row_shape("take", table.shape, attributes.axis)
    some_elements("take", count)
    place = normal_axis("take", attributes.axis, len(table.shape))
    shape = (*table.shape[:place], *index.shape, *table.shape[place + 1 :])
    return ArrayType(table.dtype, shape)


def _take(party: Party, operands: Sequence[Operand], attributes: TakeAxis) -> Step[ResultValues]:
    """Slices of an axis at secret positions, limited to 0 to n - 1."""
    table, index = operands
    assert isinstance(index, SecretValue)
    table_type = operand_types(operands)[0]
    place = normal_axis("take", attributes.axis, len(table.shape))
    others = table.shape[:place] + table.shape[place + 1 :]
    count = table.shape[place]

    def front(part: Any) -> Any:
        return np.moveaxis(part, place, 0).reshape(count, prod(others))

    rows: Any
    if not isinstance(table, SecretValue):
        whole = table.astype(np.int64) if table.dtype == np.bool_ else table
        dtype = int64 if table.dtype == np.bool_ else table_type.dtype
        rows = front(encoded(whole, dtype, ring=party.ring))
    elif table.dtype.kind == "bool":
        rows = (yield from party.bit_to_arithmetic(table.share)).map(front)
    else:
        rows = table.share.map(front)
    positions = index.share.map(lambda part: part.reshape(-1))
    found = yield from searching.chosen_rows(party, rows, positions)
    shape = (*index.shape, *others)
    here = range(len(index.shape))
    there = range(place, place + len(index.shape))
    found = found.map(lambda part: np.moveaxis(part.reshape(shape), here, there))
    if table_type.dtype.kind == "bool":
        found = yield from party.most_significant_bit(party.negate(found))
    return SecretValue(table_type.dtype, found)


def _check_table(
    types: Sequence[ArrayType], values: Sequence[PublicArray | None], attributes: Any, ring: Ring
) -> None:
    if values[0] is not None and values[0].size:
        encoded(extremes(values[0]), types[0].dtype, ring=ring)


SEARCHING: Any = (
    *(
        Operation(name, _extreme_rule(name), _extreme(name, largest=name == "max"), Axes)
        for name in ("max", "min")
    ),
    *(Operation(name, _truth_rule(name), _truth(name), Axes) for name in ("any", "all")),
    *(
        Operation(name, _arg_rule(name), _arg(name, largest=name == "argmax"), OneAxis)
        for name in ("argmax", "argmin")
    ),
    Operation("topk", _topk_rule, _topk, Largest),
    *(
        Operation(name, _quantile_rule(name), _quantile(name), Fractions)
        for name in ("median", "quantile")
    ),
    Operation("searchsorted", _searchsorted_rule, _searchsorted, Side, check_encodable),
    Operation("isin", _isin_rule, _isin, check=_check_values),
    Operation("one_hot", _one_hot_rule, _one_hot, Classes),
    Operation("take_secret", _take_rule, _take, TakeAxis, _check_table),
)
