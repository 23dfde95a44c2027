"""Secret arrays that begin with values everybody knows: zeros, ones, ranges, and their like.

Such an array is a sharing of public values, so making it sends nothing, and it is no way to
bring in an owner's data: that is :meth:`tacit.Computation.share`. The *device* of a secret array
is the computation that it lives in: ``tacit.zeros(3, device=mpc)``, which is ``mpc.zeros(3)``;
the functions that end in ``_like`` take it from their operand.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tacit.arrays.array import SecretArray, secret_operand
from tacit.arrays.functions.manipulation import broadcast_to
from tacit.encoding.fixed import natural_type
from tacit.encoding.types import DType
from tacit.errors import UsageError
from tacit.sessions.handles import Reference
from tacit.sessions.session import Session

__all__ = [
    "arange",
    "asarray",
    "empty",
    "empty_like",
    "eye",
    "full",
    "full_like",
    "linspace",
    "ones",
    "ones_like",
    "zeros",
    "zeros_like",
]


def _session(name: str, device: Any) -> Session:
    session = getattr(device, "session", device)
    if not isinstance(session, Session):
        raise UsageError(
            f"{name}: the computation that the array shall live in is not named.",
            next_step=f"use mpc.{name}(…), or pass device=mpc or device=x.device.",
            case=63,
            stage=name,
        )
    return session


def _constant(session: Session, values: ArrayLike, dtype: DType | None) -> SecretArray:
    if dtype is None:
        dtype = natural_type(np.asarray(values), session.fractions)
    reference = session.apply("constant", [values], **dtype.parameters)
    assert isinstance(reference, Reference)
    return SecretArray(session, reference)


def _extents(shape: int | Sequence[int]) -> tuple[int, ...]:
    return tuple(map(operator.index, shape if isinstance(shape, Sequence) else (shape,)))


def asarray(
    obj: Any, /, *, dtype: DType | None = None, device: Any = None, copy: bool | None = None
) -> SecretArray:
    """A secret array as it is, or one that begins with values everybody knows.

    Parameters
    ----------
    obj : SecretArray or array_like
        A secret array is converted to `dtype` where one is given.
    dtype : DType, optional
        By default the natural type: fixed for floats, int64 for integers, bool for booleans.
    device : Computation or Session
        Needed for values that are not secret yet.
    copy : bool, optional
        Without effect: secret arrays never change.
    """
    if isinstance(obj, SecretArray):
        kept = obj if device is None else obj.to_device(device)
        return kept if dtype is None else kept.astype(dtype)
    return _constant(_session("asarray", device), obj, dtype)


def full(
    shape: int | Sequence[int],
    fill_value: float,
    *,
    dtype: DType | None = None,
    device: Any = None,
) -> SecretArray:
    """A number everywhere; the type is the number's natural one by default. Local."""
    one = _constant(_session("full", device), fill_value, dtype)
    return broadcast_to(one, _extents(shape))


def zeros(
    shape: int | Sequence[int], *, dtype: DType | None = None, device: Any = None
) -> SecretArray:
    """Zeros, of the computation's fixed point by default. Local."""
    session = _session("zeros", device)
    return full(shape, 0, dtype=dtype or session.fractions, device=session)


def ones(
    shape: int | Sequence[int], *, dtype: DType | None = None, device: Any = None
) -> SecretArray:
    """Ones, of the computation's fixed point by default. Local."""
    session = _session("ones", device)
    return full(shape, 1, dtype=dtype or session.fractions, device=session)


def empty(
    shape: int | Sequence[int], *, dtype: DType | None = None, device: Any = None
) -> SecretArray:
    """Zeros: memory that was not written yet would be no sharing of anything. Local."""
    session = _session("empty", device)
    return full(shape, 0, dtype=dtype or session.fractions, device=session)


def arange(
    start: float,
    /,
    stop: float | None = None,
    step: float = 1,
    *,
    dtype: DType | None = None,
    device: Any = None,
) -> SecretArray:
    """Evenly spaced numbers from start, 0 if only the end is given, up to and without stop."""
    first, last = (0, start) if stop is None else (start, stop)
    return _constant(_session("arange", device), np.arange(first, last, step), dtype)


def linspace(
    start: float,
    stop: float,
    /,
    num: int,
    *,
    dtype: DType | None = None,
    device: Any = None,
    endpoint: bool = True,
) -> SecretArray:
    """`num` evenly spaced numbers from start to stop."""
    values = np.linspace(start, stop, num, endpoint=endpoint)
    return _constant(_session("linspace", device), values, dtype)


def eye(
    n_rows: int,
    n_cols: int | None = None,
    /,
    *,
    k: int = 0,
    dtype: DType | None = None,
    device: Any = None,
) -> SecretArray:
    """Ones on a diagonal, zeros elsewhere; of the computation's fixed point by default."""
    values = np.eye(n_rows, n_cols, k, np.int64)
    session = _session("eye", device)
    return _constant(session, values, dtype or session.fractions)


def full_like(
    x: SecretArray, /, fill_value: float, *, dtype: DType | None = None, device: Any = None
) -> SecretArray:
    """A number everywhere, of the shape, type and computation of another array. Local."""
    like = secret_operand("full_like", x)
    target = like.session if device is None else device
    return full(like.shape, fill_value, dtype=dtype or like.dtype, device=target)


def zeros_like(x: SecretArray, /, *, dtype: DType | None = None, device: Any = None) -> SecretArray:
    """Zeros, of the shape, type and computation of another array. Local."""
    return full_like(x, 0, dtype=dtype, device=device)


def ones_like(x: SecretArray, /, *, dtype: DType | None = None, device: Any = None) -> SecretArray:
    """Ones, of the shape, type and computation of another array. Local."""
    return full_like(x, 1, dtype=dtype, device=device)


def empty_like(x: SecretArray, /, *, dtype: DType | None = None, device: Any = None) -> SecretArray:
    """Zeros, of the shape, type and computation of another array. Local."""
    return full_like(x, 0, dtype=dtype, device=device)
