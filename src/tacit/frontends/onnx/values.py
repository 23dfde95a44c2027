"""The values of a model under way: secret arrays, public NumPy arrays, sequences, nothing.

ONNX's floats become the session's fixed point, whatever their width; its integers the types of the
same name, unsigned 64-bit ones ``tacit.int64``, which has the same bits; its booleans
``tacit.bool``. Strings stay public.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tacit.arrays.array import SecretArray, applied
from tacit.encoding.fixed import magnitude_limit
from tacit.encoding.types import INTEGERS, DType, bool_, fixed, int64
from tacit.frontends.onnx.refusals import Refused
from tacit.sessions.session import Session

__all__ = [
    "FLOATS",
    "TYPES",
    "Public",
    "Value",
    "element_type",
    "is_public",
    "is_secret",
    "joined",
    "operand",
    "secret_type",
    "secretly",
    "session_of",
]

Public: TypeAlias = NDArray[Any]
Value: TypeAlias = SecretArray | Public | list[Any] | None

FLOATS: Final = frozenset({1, 10, 11, 16})
"""FLOAT, FLOAT16, DOUBLE and BFLOAT16 among ONNX's element types."""

TYPES: Final[Mapping[int, DType]] = {
    2: INTEGERS["uint8"],
    3: INTEGERS["int8"],
    4: INTEGERS["uint16"],
    5: INTEGERS["int16"],
    6: INTEGERS["int32"],
    7: int64,
    9: bool_,
    12: INTEGERS["uint32"],
    13: int64,
}
"""What the other element types become."""

_ELEMENTS: Final = {TYPES[number]: number for number in (2, 3, 4, 5, 6, 9, 12)} | {int64: 7}

_FAR: Final = float(1 << 24)
"""What stands for infinity, and for public numbers that fixed point cannot hold."""


def secret_type(element: int, session: Session | None = None) -> DType | None:
    """The type of secrets for an element type of ONNX; None where there is none."""
    if element in FLOATS:
        return fixed if session is None else session.fractions
    return TYPES.get(element)


def element_type(value: Any) -> int:
    """The element type of ONNX that a value has: secrets in fixed point count as FLOAT."""
    from onnx import helper

    if isinstance(value, SecretArray):
        return 1 if value.dtype.kind == "fixed" else _ELEMENTS[value.dtype]
    return int(helper.np_dtype_to_tensor_dtype(value.dtype))


def is_secret(value: Any) -> bool:
    """Whether nobody knows it, or a sequence holds such an array."""
    if isinstance(value, list):
        return any(map(is_secret, value))
    return isinstance(value, SecretArray)


def is_public(value: Any) -> bool:
    """Whether all know it; what is left out counts as known."""
    return not is_secret(value)


def session_of(*values: Any) -> Session:
    """The session of the secrets among some values."""
    for value in values:
        if isinstance(value, SecretArray):
            return value.session
    raise Refused("needs a secret among its inputs")


def operand(array: Any, session: Session) -> Any:
    """A public array as secrets can meet it: float64, integers, booleans.

    Infinity and numbers too large for fixed point become ±2^24, far from what a model computes
    with and near enough to compute on: they are there as masks and as limits.
    """
    if not isinstance(array, np.ndarray):
        return array
    if array.dtype.kind in "OSU":
        return array
    if array.dtype == np.uint64:
        if array.size and int(array.max()) >= 1 << 63:
            raise Refused("a public unsigned integer is 2^63 or more, which no secret type holds")
        return array.astype(np.int64)
    if array.dtype.kind in "iub":
        return array
    if array.dtype.kind == "c":
        raise Refused("complex numbers have no secret type")
    numbers = array.astype(np.float64)
    if np.isnan(numbers).any():
        raise Refused("a public input holds NaN, which no secret type holds")
    limit = magnitude_limit(session.fractions, session.ring) / 8
    return np.where(np.abs(numbers) < limit, numbers, np.sign(numbers) * min(_FAR, limit))


def secretly(value: Any, session: Session, dtype: DType | None = None) -> SecretArray:
    """A value as a secret array; a public one becomes one whose values everybody knows."""
    if isinstance(value, SecretArray):
        return value if dtype is None else value.astype(dtype)
    array = operand(value, session)
    if dtype is None:
        dtype = session.fractions if array.dtype.kind == "f" else TYPES[element_type(array)]
    return _constant(array, session, dtype)


def _constant(array: Any, session: Session, dtype: DType) -> SecretArray:
    from tacit.arrays.functions.creation import asarray

    return asarray(array, dtype=dtype, device=session)


def joined(arrays: Sequence[Any], axis: int) -> Any:
    """Arrays joined along an axis, secret if one of them is."""
    if len(arrays) == 1:
        return arrays[0]
    if any(isinstance(array, SecretArray) for array in arrays):
        return applied("concatenate", *arrays, axis=axis)
    return np.concatenate(arrays, axis)
