"""Arrays and fitted estimators as stored entries: what is public about them, and back.

An estimator becomes its secret arrays and plain data: numbers, texts, public arrays, lists. It
is put together again from these, by its class's name among those that :func:`register_models`
knows. Nothing is pickled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec
import numpy as np
from msgspec import Struct

from tacit.arrays.array import SecretArray
from tacit.errors import StorageError, UsageError
from tacit.sessions.handles import Reference
from tacit.sessions.session import Session
from tacit.storage.records import Header

__all__ = ["ARRAY", "Described", "described", "rebuilt", "register_models"]

ARRAY = "array"

_MODELS: list[Callable[[str], type | None]] = []


def register_models(find: Callable[[str], type | None]) -> None:
    """Have estimators stored whose class `find` gives for its name; None for others."""
    _MODELS.append(find)


def _class_named(name: str) -> type | None:
    return next((found for find in _MODELS if (found := find(name)) is not None), None)


class _Secret(Struct, frozen=True, tag="secret", array_like=True):
    place: int


class _Plain(Struct, frozen=True, tag="plain", array_like=True):
    value: bool | int | float | str | None


class _Public(Struct, frozen=True, tag="public", array_like=True):
    dtype: str
    shape: tuple[int, ...]
    data: bytes


class _Many(Struct, frozen=True, tag="many", array_like=True):
    items: tuple[_Value, ...]
    fixed: bool


_Value: TypeAlias = _Secret | _Plain | _Public | _Many

_DECODER = msgspec.msgpack.Decoder(dict[str, _Value])


@dataclass(frozen=True, slots=True)
class Described:
    """What is stored of an array or an estimator.

    Attributes
    ----------
    kind : str
        ``"array"`` or the class.
    names : tuple of str
        What its secret arrays are called.
    arrays : tuple of SecretArray
    public : bytes
        Everything else.
    """

    kind: str
    names: tuple[str, ...]
    arrays: tuple[SecretArray, ...]
    public: bytes


def described(value: Any, session: Session) -> Described:
    """An array or a fitted estimator as what is stored of it.

    Raises
    ------
    UsageError
        It is neither (TC-1076), or of another session (TC-1031).
    """
    if isinstance(value, SecretArray):
        found = Described(ARRAY, ("",), (value,), b"")
    else:
        kind = type(value).__name__
        if _class_named(kind) is not type(value):
            raise _cannot(kind)
        names: list[str] = []
        arrays: list[SecretArray] = []
        attributes = {
            name: _encoded(name, item, names, arrays, kind) for name, item in vars(value).items()
        }
        public = msgspec.msgpack.encode(attributes, order="deterministic")
        found = Described(kind, tuple(names), tuple(arrays), public)
    if any(array.session is not session for array in found.arrays):
        raise UsageError(
            "What is to be saved belongs to another session.",
            next_step="save it with the computation that it was made in.",
            case=31,
            stage="storage",
        )
    return found


def _cannot(kind: str) -> UsageError:
    return UsageError(
        f"{kind} cannot be stored.",
        next_step="save secret arrays, and fitted estimators of tacit.ml.",
        case=76,
        stage="storage",
    )


def _encoded(
    name: str, item: Any, names: list[str], arrays: list[SecretArray], kind: str
) -> _Value:
    if isinstance(item, SecretArray):
        for place, known in enumerate(arrays):
            if known is item:
                return _Secret(place)
        names.append(name)
        arrays.append(item)
        return _Secret(len(arrays) - 1)
    if isinstance(item, np.generic):
        item = item.item()
    if item is None or isinstance(item, bool | int | float | str):
        return _Plain(item)
    if isinstance(item, list | tuple):
        parts = [
            _encoded(f"{name}[{number}]", part, names, arrays, kind)
            for number, part in enumerate(item)
        ]
        return _Many(tuple(parts), isinstance(item, tuple))
    if isinstance(item, np.ndarray) and item.dtype.kind in "biufU":
        return _Public(item.dtype.str, item.shape, item.tobytes())
    raise _cannot(f"{kind}.{name}")


def rebuilt(header: Header, session: Session, references: Sequence[Reference]) -> Any:
    """What :func:`described` took apart.

    Raises
    ------
    StorageError
        It is of a kind that this release does not know (TC-2321).
    """
    arrays = [SecretArray(session, reference) for reference in references]
    if header.kind == ARRAY:
        return arrays[0]
    found = _class_named(header.kind)
    try:
        attributes: Mapping[str, _Value] = _DECODER.decode(header.public)
    except msgspec.DecodeError:
        found = None
    if found is None:
        raise StorageError(
            f"{header.name} holds a {header.kind}, which this release cannot put together.",
            next_step="use the release of tacit that saved it.",
            case=21,
            stage="storage",
        )
    model: Any = object.__new__(found)
    for name, item in attributes.items():
        setattr(model, name, _decoded(item, arrays))
    return model


def _decoded(item: _Value, arrays: Sequence[SecretArray]) -> Any:
    if isinstance(item, _Secret):
        return arrays[item.place]
    if isinstance(item, _Plain):
        return item.value
    if isinstance(item, _Public):
        return np.frombuffer(item.data, np.dtype(item.dtype)).reshape(item.shape).copy()
    parts = [_decoded(part, arrays) for part in item.items]
    return tuple(parts) if item.fixed else parts
