"""How values, types and parameters are written."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from msgspec.structs import fields

from tacit.operations.manipulation import Index, Integer, NewAxis, Positions, Rest, Slice
from tacit.operations.operation import Attributes
from tacit.operations.types import ArrayType
from tacit.programs.control import CONTROL
from tacit.programs.graph import Constant, Input
from tacit.programs.inference import Checked

__all__ = [
    "bounds_text",
    "clean",
    "index_text",
    "names_of",
    "parameters",
    "plain_text",
    "type_text",
]

_SHORT = 6


def clean(text: str) -> str:
    """Text without control characters: names come from others, and may hold escape sequences."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def type_text(one: ArrayType) -> str:
    """``fixed[4, 3]``; with ``public`` where all parties know the values."""
    kind = "public " if one.public else ""
    return f"{kind}{one.dtype.name}{list(one.shape)}"


def bounds_text(bounds: tuple[int | float, int | float] | None) -> str:
    """``within [-1, 1]``, or nothing."""
    return "" if bounds is None else f"within [{bounds[0]:g}, {bounds[1]:g}]"


def plain_text(constant: Constant) -> str:
    """The numbers of a small constant; of a larger one the first and the last."""
    array = constant.array
    flat = array.ravel()
    if flat.size == 1:
        return _number(flat[0])
    if flat.size <= _SHORT:
        return f"[{', '.join(_number(n) for n in flat)}]"
    if (flat == flat[0]).all():
        return f"all {_number(flat[0])}"
    return f"[{_number(flat[0])}, {_number(flat[1])}, …, {_number(flat[-1])}]"


def _number(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, np.floating) else str(value.item())


def names_of(checked: Checked, prefix: str = "") -> list[str]:
    """A name for every value of a graph: those of inputs, ``c0`` for constants, ``%3`` for others.

    Parameters
    ----------
    checked : Checked
    prefix : str
        Before the numbers, so that values of bodies are told apart.
    """
    graph = checked.graph
    names = [_input_name(one, f"%{prefix}{k}") for k, one in enumerate(graph.inputs)]
    names += [f"c{prefix}{k}" for k in range(len(graph.constants))]
    names += [f"%{prefix}{k}" for k in range(len(names), len(checked.types))]
    return names


def _input_name(one: Input, other: str) -> str:
    return one.name or other


def parameters(attributes: Attributes, operation: str) -> str:
    """An operation's parameters that differ from their defaults: ``axis=0, keepdims=True``."""
    if operation in CONTROL or operation in ("constant", "astype"):
        return ""
    if isinstance(attributes, Index):
        return f"[{index_text(attributes)}]"
    shown = []
    for field in fields(attributes):
        value = getattr(attributes, field.name)
        if field.default is msgspec.NODEFAULT or value != field.default:
            shown.append(f"{field.name}={_value(value)}")
    return ", ".join(shown)


def _value(value: Any) -> str:
    if isinstance(value, tuple) and len(value) > _SHORT:
        return f"({_value(value[0])}, …, {_value(value[-1])}: {len(value)} of them)"
    if isinstance(value, tuple):
        return f"({', '.join(map(_value, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def index_text(index: Index) -> str:
    """An index as NumPy has it."""
    return ", ".join(map(_item, index.items))


def _item(item: Any) -> str:
    match item:
        case Integer(value):
            return str(value)
        case Slice(start, stop, step):
            ends = [("" if end is None else str(end)) for end in (start, stop)]
            return ":".join(ends) + ("" if step in (None, 1) else f":{step}")
        case Rest():
            return "..."
        case NewAxis():
            return "None"
        case Positions(shape, _):
            return f"positions{list(shape)}"
    raise AssertionError(item)
