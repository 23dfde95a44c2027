"""Values that rules compute with: secret arrays, and public ones of NumPy or JAX."""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.arrays.array import SecretArray
from tacit.encoding.types import INTEGERS, DType, bool_, int64
from tacit.errors import TypeMismatchError

__all__ = [
    "as_type",
    "is_hidden",
    "is_secret",
    "plain",
    "promoted",
    "secret_type",
    "settled",
]


def is_secret(value: Any) -> bool:
    """Whether a value lives in the session: secret, or public and not known before the run."""
    return isinstance(value, SecretArray)


def is_hidden(value: Any) -> bool:
    """Whether a value is secret, not only unknown before the run."""
    return isinstance(value, SecretArray) and not value.public


def plain(value: Any) -> Any:
    """A public array in the types that operations take; secret arrays as they are."""
    if isinstance(value, SecretArray):
        return value
    array = np.asarray(value)
    if array.dtype.kind in "iub":
        return array
    return array.astype(np.float64)


def secret_type(dtype: Any, fractions: DType) -> DType:
    """The secret type for a type of JAX.

    Floats are the session's fixed point. ``int32`` and ``int64`` are both carried with 64 bits.

    Raises
    ------
    TypeMismatchError
        Complex numbers, or unsigned integers of 64 bits.
    """
    kind = np.dtype(dtype).kind
    if kind == "b":
        return bool_
    if kind == "i":
        return int64 if np.dtype(dtype).itemsize >= 4 else INTEGERS[np.dtype(dtype).name]
    if kind == "u" and np.dtype(dtype).itemsize <= 4:
        return INTEGERS[np.dtype(dtype).name]
    if kind in "uc":
        raise TypeMismatchError(
            f"JAX's type {np.dtype(dtype).name} has no secret form.",
            next_step="use signed integers, or real numbers in float32.",
            case=75,
            stage="from_jax",
        )
    return fractions  # floats, those of ml_dtypes too


def as_type(value: SecretArray, dtype: Any) -> SecretArray:
    """A secret array as a type of JAX; unchanged where it is one that stands for it."""
    wanted = secret_type(dtype, value.session.fractions)
    have = value.dtype
    same_kind = have.kind == wanted.kind
    if have == wanted or (same_kind and have.kind == "fixed"):
        return value
    if same_kind and wanted == int64 and have.signed and have.bits >= 32:
        return value
    return value.astype(wanted)


def settled(value: Any, dtype: Any) -> Any:
    """A result, integers of few bits in the type that JAX gives them."""
    if not isinstance(value, SecretArray) or value.dtype.kind != "int":
        return value
    if np.dtype(dtype).kind not in "iu":
        return value
    return as_type(value, dtype)


def promoted(value: Any, dtype: Any, like: SecretArray | None) -> SecretArray:
    """A value as a secret array of the session of `like`."""
    if isinstance(value, SecretArray):
        return value
    assert like is not None
    wanted = secret_type(dtype, like.session.fractions)
    reference = like.session.apply("constant", [plain(value)], **wanted.parameters)
    return SecretArray(like.session, reference)  # type: ignore[arg-type]
