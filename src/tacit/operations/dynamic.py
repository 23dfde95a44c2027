"""Elements at public positions that are known only when the program runs, such as a counter.

Local. As in XLA, positions are moved inside: a slice that would reach over the end starts earlier.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tacit.errors import ShapeError, TypeMismatchError
from tacit.operations.manipulation import normal_axis, rearranged
from tacit.operations.operation import Attributes, Operation, local
from tacit.operations.promotion import boolean_share, check_encodable, common_type, secret_share
from tacit.operations.types import ArrayType, Operand, SecretValue, operand_types
from tacit.protocols.interface import Party

__all__ = ["DYNAMIC", "Sizes", "TakeAxis", "clamped_starts"]


class Sizes(Attributes, frozen=True):
    """The extents of what is taken."""

    sizes: tuple[int, ...]


class TakeAxis(Attributes, frozen=True):
    """The axis that positions count along."""

    axis: int = 0


def _positions(name: str, types: Sequence[ArrayType]) -> None:
    for position in types:
        if not position.public or position.dtype.kind != "int":
            raise TypeMismatchError(
                f"{name}: positions are public integers, not {position}.",
                next_step="use tacit.take or a one-hot product where positions are secret.",
                case=83,
                stage=name,
            )


def _require_starts(name: str, shape: tuple[int, ...], starts: Sequence[ArrayType]) -> None:
    _positions(name, starts)
    if len(starts) != len(shape) or any(start.shape for start in starts):
        raise ShapeError(
            f"{name}: {len(starts)} first positions are given for {len(shape)} axes.",
            next_step="give one integer an axis.",
            case=90,
            stage=name,
        )


def _require_fit(name: str, shape: tuple[int, ...], sizes: tuple[int, ...]) -> None:
    if len(sizes) != len(shape) or any(
        not 0 <= size <= extent for size, extent in zip(sizes, shape, strict=False)
    ):
        raise ShapeError(
            f"{name}: a part of shape {sizes} does not fit into an array of shape {shape}.",
            next_step="give one extent an axis, none longer than the array's.",
            case=91,
            stage=name,
        )


def clamped_starts(
    starts: Sequence[Any], sizes: tuple[int, ...], shape: tuple[int, ...]
) -> tuple[slice, ...]:
    """The slices that begin at positions, moved inside the array."""
    first = [
        min(max(int(start), 0), extent - size)
        for start, size, extent in zip(starts, sizes, shape, strict=True)
    ]
    return tuple(slice(start, start + size) for start, size in zip(first, sizes, strict=True))


def _slice_rule(types: Sequence[ArrayType], attributes: Sizes) -> ArrayType:
    _require_starts("dynamic_slice", types[0].shape, types[1:])
    _require_fit("dynamic_slice", types[0].shape, attributes.sizes)
    return ArrayType(types[0].dtype, attributes.sizes)


def _slice(party: Party, operands: Sequence[Operand], attributes: Sizes) -> SecretValue:
    """A part of an array. Local."""
    value, *starts = operands
    assert isinstance(value, SecretValue)
    if not starts:  # a number, which comes as an array of one element
        return value
    key = clamped_starts(_numbers(starts), attributes.sizes, value.shape)
    return rearranged(value, lambda part: part[key])


def _update_rule(types: Sequence[ArrayType], attributes: Any) -> ArrayType:
    name = "dynamic_update_slice"
    array, part, *starts = types
    _require_starts(name, array.shape, starts)
    _require_fit(name, array.shape, part.shape)
    if array.dtype.kind == part.dtype.kind == "bool":
        return ArrayType(array.dtype, array.shape)
    return ArrayType(common_type(name, [array, part]), array.shape)


def _update(party: Party, operands: Sequence[Operand], attributes: Any) -> SecretValue:
    """An array with a part of it replaced. Local."""
    array, part, *starts = operands
    first = _numbers(starts) or [0] * len(array.shape)
    key = clamped_starts(first, part.shape, array.shape)
    types = operand_types([array, part])
    dtype = types[0].dtype if types[0].dtype.kind == "bool" else common_type("", types)
    share = boolean_share if dtype.kind == "bool" else secret_share
    arguments = () if dtype.kind == "bool" else (dtype,)
    whole, new = (share(party, o, *arguments) for o in (array, part))
    places = np.arange(int(np.prod(array.shape, dtype=np.int64))).reshape(array.shape)
    chosen = places.ravel().copy()
    chosen[places[key].ravel()] = places.size + np.arange(int(np.prod(part.shape, dtype=np.int64)))
    flat = [whole.map(np.ravel), new.map(np.ravel)]
    join = party.concatenate_bits if dtype.kind == "bool" else party.concatenate
    both = join(flat, 0)
    return SecretValue(dtype, both.map(lambda one: one[chosen].reshape(array.shape)))


def _take_rule(types: Sequence[ArrayType], attributes: TakeAxis) -> ArrayType:
    array, positions = types
    _positions("take", [positions])
    axis = normal_axis("take", attributes.axis, len(array.shape))
    shape = array.shape[:axis] + positions.shape + array.shape[axis + 1 :]
    if not array.shape[axis] and 0 not in positions.shape:
        raise ShapeError(
            f"take: there is nothing to take along axis {axis} of shape {array.shape}.",
            next_step="take from an axis that is not empty.",
            case=92,
            stage="take",
        )
    return ArrayType(array.dtype, shape)


def _take(party: Party, operands: Sequence[Operand], attributes: TakeAxis) -> SecretValue:
    """The elements of an axis at positions; outside, the nearest. Local."""
    value, positions = operands
    assert isinstance(value, SecretValue)
    assert not isinstance(positions, SecretValue)
    axis = normal_axis("take", attributes.axis, len(value.shape))
    inside = np.clip(positions, 0, max(value.shape[axis] - 1, 0))
    return rearranged(value, lambda part: np.take(part, inside, axis))


def _numbers(starts: Sequence[Operand]) -> list[Any]:
    return [start.item() for start in starts if not isinstance(start, SecretValue)]


DYNAMIC = (
    Operation("dynamic_slice", _slice_rule, local(_slice), Sizes),
    Operation(
        "dynamic_update_slice",
        _update_rule,
        local(_update),
        check=lambda types, values, attributes, ring: check_encodable(
            types[:2], values[:2], attributes, ring
        ),
    ),
    Operation("take", _take_rule, local(_take), TakeAxis),
)
