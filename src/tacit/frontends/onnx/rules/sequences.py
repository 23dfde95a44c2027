"""Sequences of arrays, and values that may be missing: what a model passes around, in Python."""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.arrays import functions as tacit
from tacit.frontends.onnx.registry import Call, operator
from tacit.frontends.onnx.rules.shapes import integers
from tacit.frontends.onnx.values import joined

__all__: list[str] = []


@operator("SequenceConstruct")
def _construct(call: Call, *arrays: Any) -> Any:
    return list(arrays)


@operator("SequenceAt", public=(1,))
def _at(call: Call, sequence: Any, position: Any) -> Any:
    return sequence[integers(position)[0]]


@operator("SequenceInsert", public=(2,), always=True)
def _insert(call: Call, sequence: Any, array: Any, position: Any = None) -> Any:
    place = len(sequence) if position is None else integers(position)[0]
    place += len(sequence) * (place < 0)
    return [*sequence[:place], array, *sequence[place:]]


@operator("SequenceErase", public=(1,))
def _erase(call: Call, sequence: Any, position: Any = None) -> Any:
    place = -1 if position is None else integers(position)[0]
    place += len(sequence) * (place < 0)
    return [*sequence[:place], *sequence[place + 1 :]]


@operator("SequenceLength", always=True)
def _length(call: Call, sequence: Any) -> Any:
    return np.array(len(sequence), np.int64)


@operator("ConcatFromSequence")
def _concat(call: Call, sequence: Any) -> Any:
    axis = call.get("axis")
    if not call.get("new_axis", 0):
        return joined(sequence, axis)
    place = axis % (sequence[0].ndim + 1)
    wide = [x.reshape((*x.shape[:place], 1, *x.shape[place:])) for x in sequence]
    return joined(wide, place)


@operator("SplitToSequence", public=(1,))
def _split(call: Call, x: Any, lengths: Any = None) -> Any:
    axis = call.get("axis", 0) % x.ndim
    extent = x.shape[axis]
    if lengths is None:
        parts = tacit.split(x, list(range(1, extent)), axis=axis)
        return parts if call.get("keepdims", 1) else [tacit.squeeze(p, axis=axis) for p in parts]
    given = integers(lengths)
    if np.ndim(lengths) == 0:
        cuts = list(range(given[0], extent, given[0]))
    else:
        cuts = np.cumsum(given)[:-1].tolist()
    return tacit.split(x, cuts, axis=axis)


@operator("Optional", always=True)
def _optional(call: Call, value: Any = None) -> Any:
    return value


@operator("OptionalGetElement", always=True)
def _element(call: Call, value: Any) -> Any:
    if value is None:
        raise call.refuse("what it takes is missing")
    return value


@operator("OptionalHasElement", always=True)
def _has_element(call: Call, value: Any = None) -> Any:
    return np.array(value is not None)
