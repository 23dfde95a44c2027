"""Rearranging: reshape, transpose, indexing, joining, broadcasting. All local."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tacit.encoding.types import DType
from tacit.errors import ShapeError, TypeMismatchError
from tacit.operations.operation import Attributes, Operation, local
from tacit.operations.promotion import (
    boolean_share,
    broadcast_shape,
    check_encodable,
    common_type,
    secret_share,
)
from tacit.operations.types import ArrayType, Operand, SecretValue, operand_types, reshaped
from tacit.protocols.interface import Party

__all__ = ["MANIPULATION", "Index", "index_of", "normal_axis", "numpy_index"]


def normal_axis(name: str, axis: int, ndim: int) -> int:
    """An axis counted from the front.

    Raises
    ------
    ShapeError
        The array has no such axis (TC-1112).
    """
    if not -ndim <= axis < ndim:
        raise ShapeError(
            f"{name}: there is no axis {axis} in an array of {ndim} dimensions.",
            next_step=f"choose an axis from {-ndim} to {ndim - 1}." if ndim else "use axis=None.",
            case=12,
            stage=name,
        )
    return axis % ndim


def rearranged(value: SecretValue, move: Callable[[NDArray[Any]], NDArray[Any]]) -> SecretValue:
    """A secret array whose elements were moved by a function of arrays."""
    return SecretValue(value.dtype, value.share.map(move))


def _only(operands: Sequence[Operand]) -> SecretValue:
    value = operands[0]
    assert isinstance(value, SecretValue)
    return value


# Reshape, transpose, broadcast.


class Shape(Attributes, frozen=True):
    """The new shape; one extent may be -1."""

    shape: tuple[int, ...]


def _reshape_rule(types: Sequence[ArrayType], attributes: Shape) -> ArrayType:
    old, new = types[0].shape, attributes.shape
    size = prod(old)
    known = prod(extent for extent in new if extent != -1)
    free = new.count(-1)
    fits = free <= 1 and all(extent >= -1 for extent in new)
    if fits:
        fits = known == size if not free else (known > 0 and size % known == 0)
    if not fits:
        raise ShapeError(
            f"reshape: an array of shape {old} with {size} elements cannot take the shape {new}.",
            next_step="choose extents whose product is the number of elements; one may be -1.",
            case=13,
            stage="reshape",
        )
    return ArrayType(types[0].dtype, tuple(size // known if e == -1 else e for e in new))


def _reshape(party: Party, operands: Sequence[Operand], attributes: Shape) -> SecretValue:
    """The same elements under another shape. Local."""
    value = _only(operands)
    return SecretValue(value.dtype, reshaped(value.share, attributes.shape))


class Permutation(Attributes, frozen=True):
    """Which old axis each new axis is; None reverses them."""

    axes: tuple[int, ...] | None = None


def _transpose_rule(types: Sequence[ArrayType], attributes: Permutation) -> ArrayType:
    shape = types[0].shape
    if attributes.axes is None:
        return ArrayType(types[0].dtype, shape[::-1])
    axes = [normal_axis("transpose", axis, len(shape)) for axis in attributes.axes]
    if sorted(axes) != list(range(len(shape))):
        raise ShapeError(
            f"transpose: {attributes.axes} is no permutation of the axes of shape {shape}.",
            next_step="name each axis once.",
            case=14,
            stage="transpose",
        )
    return ArrayType(types[0].dtype, tuple(shape[axis] for axis in axes))


def _transpose(party: Party, operands: Sequence[Operand], attributes: Permutation) -> SecretValue:
    """Axes permuted. Local."""
    return rearranged(_only(operands), lambda part: part.transpose(attributes.axes or None))


def _broadcast_rule(types: Sequence[ArrayType], attributes: Shape) -> ArrayType:
    if broadcast_shape("broadcast_to", types[0].shape, attributes.shape) != attributes.shape:
        raise ShapeError(
            f"broadcast_to: the shape {types[0].shape} cannot become {attributes.shape}.",
            next_step="only axes of length one are repeated, and axes are added in front.",
            case=10,
            stage="broadcast_to",
        )
    return ArrayType(types[0].dtype, attributes.shape)


def _broadcast(party: Party, operands: Sequence[Operand], attributes: Shape) -> SecretValue:
    """Elements repeated to a shape. Local."""
    # A number without axes comes in with one, and stays one.
    shape = attributes.shape or (1,)
    return rearranged(_only(operands), lambda part: np.broadcast_to(part, shape))


# Indexing.


class Integer(Struct, frozen=True, tag="integer", forbid_unknown_fields=True):
    """One position of an axis, which vanishes."""

    value: int


class Slice(Struct, frozen=True, tag="slice", forbid_unknown_fields=True):
    """A range of an axis."""

    start: int | None = None
    stop: int | None = None
    step: int | None = None


class Rest(Struct, frozen=True, tag="rest", forbid_unknown_fields=True):
    """``...``: all axes that the others leave."""


class NewAxis(Struct, frozen=True, tag="newaxis", forbid_unknown_fields=True):
    """``None``: an axis of length one."""


class Positions(Struct, frozen=True, tag="positions", forbid_unknown_fields=True):
    """An array of public positions, int64 in C order."""

    shape: tuple[int, ...]
    positions: bytes


IndexItem: TypeAlias = Integer | Slice | Rest | NewAxis | Positions


class Index(Attributes, frozen=True):
    """A public index, as NumPy reads it."""

    items: tuple[IndexItem, ...]


def index_of(key: Any, shape: tuple[int, ...]) -> tuple[IndexItem, ...]:
    """A Python index expression on an array of some shape, as plain data.

    Raises
    ------
    TypeMismatchError
        Something that is no public integer, slice, ``...``, None, integer or boolean array.
    ShapeError
        The index lies outside the shape.
    """
    items: list[IndexItem] = []
    arrays = False
    for item in key if isinstance(key, tuple) else (key,):
        if item is None:
            items.append(NewAxis())
        elif item is Ellipsis:
            items.append(Rest())
        elif isinstance(item, slice):
            items.append(Slice(*(_bound(part) for part in (item.start, item.stop, item.step))))
        elif isinstance(item, int | np.integer) and not isinstance(item, bool):
            items.append(Integer(int(item)))
        else:
            items.extend(_positions(item))
            arrays = True
    if arrays:
        _indexed_shape(shape, key)  # here, because a boolean array's own shape is lost above
    return tuple(items)


def _indexed_shape(shape: tuple[int, ...], key: Any) -> tuple[int, ...]:
    probe = np.broadcast_to(np.zeros((), np.bool_), shape)
    try:
        return np.shape(probe[key])
    except (IndexError, ValueError) as error:
        raise ShapeError(
            f"The index does not fit an array of shape {shape}: {error}.",
            next_step="positions count from 0 to the extent minus one, or from the end below 0.",
            case=15,
            stage="getitem",
        ) from None


def _bound(value: Any) -> int | None:
    if value is None or isinstance(value, int | np.integer):
        return None if value is None else int(value)
    raise _no_index(value)


def _positions(item: Any) -> list[IndexItem]:
    if not isinstance(item, np.ndarray | list | np.bool_ | bool):
        raise _no_index(item)
    array = np.asarray(item)
    if array.size == 0 and isinstance(item, list):
        array = array.astype(np.int64)
    if array.dtype == np.bool_ and array.ndim:
        return [_positions_item(part) for part in np.nonzero(array)]
    if array.dtype.kind not in "iu":
        raise _no_index(item)
    return [_positions_item(array)]


def _positions_item(array: NDArray[Any]) -> Positions:
    positions = np.ascontiguousarray(array, np.int64)
    return Positions(array.shape, positions.tobytes())


def _no_index(item: Any) -> TypeMismatchError:
    return TypeMismatchError(
        f"An index of type {type(item).__name__} is not supported.",
        next_step="index with public integers, slices, ..., None, or NumPy arrays of integers or"
        " booleans; to choose by a secret condition use tacit.where.",
        case=11,
        stage="getitem",
    )


def numpy_index(items: Sequence[IndexItem]) -> tuple[Any, ...]:
    """The index as NumPy takes it."""
    key: list[Any] = []
    for item in items:
        match item:
            case Integer(value):
                key.append(value)
            case Slice(start, stop, step):
                key.append(slice(start, stop, step))
            case Rest():
                key.append(Ellipsis)
            case NewAxis():
                key.append(None)
            case Positions(shape, positions):
                key.append(np.frombuffer(positions, np.int64).reshape(shape))
    return tuple(key)


def _getitem_rule(types: Sequence[ArrayType], attributes: Index) -> ArrayType:
    shape = _indexed_shape(types[0].shape, numpy_index(attributes.items))
    return ArrayType(types[0].dtype, shape)


def _getitem(party: Party, operands: Sequence[Operand], attributes: Index) -> SecretValue:
    """Elements at public positions. Local."""
    key = numpy_index(attributes.items)
    return rearranged(_only(operands), lambda part: np.asarray(part[key]))


# Joining.


class Axis(Attributes, frozen=True):
    """An axis."""

    axis: int = 0


def _joined_type(name: str, types: Sequence[ArrayType]) -> DType:
    if not types:
        raise ShapeError(
            f"{name}: there is nothing to join.",
            next_step="give at least one array.",
            case=16,
            stage=name,
        )
    if all(t.dtype.kind == "bool" for t in types):
        return types[0].dtype
    return common_type(name, types)


def _concatenate_rule(types: Sequence[ArrayType], attributes: Axis) -> ArrayType:
    dtype = _joined_type("concatenate", types)
    first = types[0].shape
    axis = normal_axis("concatenate", attributes.axis, len(first))
    for other in types[1:]:
        if len(other.shape) != len(first) or any(
            a != b
            for place, (a, b) in enumerate(zip(first, other.shape, strict=True))
            if place != axis
        ):
            raise ShapeError(
                f"concatenate: the shapes {first} and {other.shape} differ outside axis {axis}.",
                next_step="make all other extents equal, or use tacit.stack for a new axis.",
                case=17,
                stage="concatenate",
            )
    extent = sum(t.shape[axis] for t in types)
    return ArrayType(dtype, (*first[:axis], extent, *first[axis + 1 :]))


def _concatenate(party: Party, operands: Sequence[Operand], attributes: Axis) -> SecretValue:
    """Arrays joined along an axis. Local."""
    types = operand_types(operands)
    axis = normal_axis("concatenate", attributes.axis, len(types[0].shape))
    return _join(party, operands, types, axis)


def _join(
    party: Party, operands: Sequence[Operand], types: Sequence[ArrayType], axis: int
) -> SecretValue:
    dtype = _joined_type("concatenate", types)
    if dtype.kind == "bool":
        bits = [boolean_share(party, operand) for operand in operands]
        return SecretValue(dtype, party.concatenate_bits(bits, axis))
    shares = [secret_share(party, operand, dtype) for operand in operands]
    return SecretValue(dtype, party.concatenate(shares, axis))


def _stack_rule(types: Sequence[ArrayType], attributes: Axis) -> ArrayType:
    dtype = _joined_type("stack", types)
    first = types[0].shape
    axis = normal_axis("stack", attributes.axis, len(first) + 1)
    for other in types[1:]:
        if other.shape != first:
            raise ShapeError(
                f"stack: the shapes {first} and {other.shape} differ.",
                next_step="make all shapes equal, or use tacit.concatenate.",
                case=17,
                stage="stack",
            )
    return ArrayType(dtype, (*first[:axis], len(types), *first[axis:]))


def _stack(party: Party, operands: Sequence[Operand], attributes: Axis) -> SecretValue:
    """Arrays joined along a new axis. Local."""
    types = operand_types(operands)
    axis = normal_axis("stack", attributes.axis, len(types[0].shape) + 1)
    longer = [
        rearranged(operand, lambda part: np.expand_dims(part, axis))
        if isinstance(operand, SecretValue)
        else np.expand_dims(operand, axis)
        for operand in operands
    ]
    return _join(party, longer, types, axis)


MANIPULATION = (
    Operation("reshape", _reshape_rule, local(_reshape), Shape),
    Operation("transpose", _transpose_rule, local(_transpose), Permutation),
    Operation("broadcast_to", _broadcast_rule, local(_broadcast), Shape),
    Operation("getitem", _getitem_rule, local(_getitem), Index),
    Operation("concatenate", _concatenate_rule, local(_concatenate), Axis, check_encodable),
    Operation("stack", _stack_rule, local(_stack), Axis, check_encodable),
)
