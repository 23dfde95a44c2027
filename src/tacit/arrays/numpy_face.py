"""NumPy's functions applied to secret arrays: ``np.exp(secret)``, ``array @ secret``.

A function of NumPy is tacit's function of the same name, or of the name that ``_NAMES`` gives.
Arguments are bound by NumPy's signature; those left at NumPy's defaults are dropped, so that only
what was asked for has to exist here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from tacit.arrays import functions
from tacit.arrays.array import SecretArray
from tacit.arrays.refusals import REFUSED, refusal
from tacit.errors import SecretMisuseError

__all__ = ["call_function", "call_ufunc"]

_NAMES: Mapping[str, str] = {
    "absolute": "abs",
    "bitwise_count": "bitwise_count",
    "bitwise_not": "bitwise_invert",
    "cumprod": "cumulative_prod",
    "cumsum": "cumulative_sum",
    "fabs": "abs",
    "float_power": "pow",
    "invert": "bitwise_invert",
    "left_shift": "bitwise_left_shift",
    "power": "pow",
    "right_shift": "bitwise_right_shift",
    "rint": "round",
    "arccos": "acos",
    "arccosh": "acosh",
    "arcsin": "asin",
    "arcsinh": "asinh",
    "arctan": "atan",
    "arctan2": "atan2",
    "arctanh": "atanh",
}
"""Where tacit, by the standard, uses another name than NumPy."""

_PARAMETERS: Mapping[str, str] = {"ddof": "correction", "a_min": "min", "a_max": "max"}
"""Parameters that are called otherwise here."""

_PUBLIC: Mapping[Any, Callable[[Any], Any]] = {
    np.shape: lambda x: x.shape,
    np.ndim: lambda x: x.ndim,
    np.size: lambda x: x.size,
    np.iscomplexobj: lambda x: False,
    np.isrealobj: lambda x: True,
}


def _at_least(x: Any, ndim: int) -> Any:
    if not isinstance(x, SecretArray):
        return np.asarray(x).reshape((1,) * (ndim - np.ndim(x)) + np.shape(x))
    return functions.reshape(x, (1,) * (ndim - x.ndim) + x.shape)


def _vstack(arrays: Any) -> SecretArray:
    return functions.concat([_at_least(array, 2) for array in arrays], axis=0)


def _hstack(arrays: Any) -> SecretArray:
    parts = [_at_least(array, 1) for array in arrays]
    return functions.concat(parts, axis=0 if parts[0].ndim == 1 else 1)


def _column_stack(arrays: Any) -> SecretArray:
    parts = [array if np.ndim(array) > 1 else _at_least(array, 2).T for array in arrays]
    return functions.concat(parts, axis=1)


_OWN: Mapping[Any, Callable[..., Any]] = {
    np.transpose: lambda x, axes=None: x.transpose(*(() if axes is None else tuple(axes))),
    np.cumsum: lambda x, axis=None: x.cumsum(axis),
    np.cumprod: lambda x, axis=None: x.cumprod(axis),
    np.ravel: lambda x: x.ravel(),
    np.diagonal: lambda x, offset=0, axis1=0, axis2=1: functions.diagonal(
        x, offset=offset, axis1=axis1, axis2=axis2
    ),
    np.atleast_1d: lambda x: _at_least(x, 1),
    np.atleast_2d: lambda x: _at_least(x, 2),
    np.vstack: _vstack,
    np.hstack: _hstack,
    np.column_stack: _column_stack,
}
"""Functions of NumPy whose defaults are not the standard's."""


def call_ufunc(
    ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> SecretArray:
    """A NumPy universal function with a secret operand.

    Raises
    ------
    SecretMisuseError
        Not supported for secrets (TC-1407), or its result would go into a NumPy array (TC-1408).
    """
    name = ufunc.__name__
    if "out" in kwargs:
        raise SecretMisuseError(
            f"np.{name}: a secret result cannot go into a NumPy array.",
            next_step="write x = x + secret instead of x += secret, and leave out= away.",
            case=8,
        )
    ours = getattr(functions, _NAMES.get(name, name), None)
    if method == "reduce" and name in _REDUCTIONS:
        return call_function(_REDUCTIONS[name], inputs, kwargs)  # type: ignore[no-any-return]
    if method == "outer" and ours is not None and not kwargs:
        left, right = (x if isinstance(x, SecretArray) else np.asarray(x) for x in inputs)
        spread = left.reshape((*left.shape, *(1,) * right.ndim))
        return ours(spread, right)  # type: ignore[no-any-return]
    if ours is None or method != "__call__" or kwargs:
        call = name if method == "__call__" else f"{name}.{method}"
        raise _unsupported(call + ("" if ours is None or not kwargs else " with options"))
    return ours(*inputs)  # type: ignore[no-any-return]


_REDUCTIONS: Mapping[str, Any] = {
    "add": np.sum,
    "multiply": np.prod,
    "maximum": np.max,
    "minimum": np.min,
    "logical_and": np.all,
    "logical_or": np.any,
}


def call_function(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Another NumPy function with a secret operand.

    Raises
    ------
    SecretMisuseError
        Not supported for secrets (TC-1407, TC-1463).
    """
    if function in _PUBLIC:
        return _PUBLIC[function](*args, **kwargs)
    name = getattr(function, "__name__", "this function")
    if name in REFUSED:
        raise refusal(name)
    where = functions
    if getattr(function, "__module__", "") == "numpy.linalg":
        from tacit.arrays import linalg as where  # type: ignore[no-redef]
    ours = _OWN.get(function) or getattr(where, _NAMES.get(name, name), None)
    if ours is None:
        raise _unsupported(name)
    positional, keywords = _translated(function, ours, args, kwargs)
    return ours(*positional, **keywords)


@lru_cache(maxsize=256)
def _signature(function: Any) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except ValueError:  # some of NumPy's functions in C
        return None


def _translated(
    function: Any, ours: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of a call of NumPy's function, for ours."""
    theirs, own = _signature(function), _signature(ours)
    assert own is not None
    if theirs is None:
        return list(args), dict(kwargs)
    given = theirs.bind(*args, **kwargs).arguments
    positional: list[Any] = []
    keywords: dict[str, Any] = {}
    slots = [p for p in own.parameters.values() if p.kind is p.POSITIONAL_ONLY]
    slots = slots or list(own.parameters.values())[:1]
    many = any(p.kind is p.VAR_POSITIONAL for p in own.parameters.values())
    for place, (key, value) in enumerate(given.items()):
        parameter = theirs.parameters[key]
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional.extend(value)
        elif parameter.kind is parameter.VAR_KEYWORD:
            keywords.update(value)
        elif many or (place < len(slots) and not keywords):
            positional.append(value)
        elif not _default(parameter, value):
            keywords[_PARAMETERS.get(key, key)] = value
    try:
        own.bind(*positional, **keywords)
    except TypeError:
        raise _unsupported(f"{function.__name__} with these options") from None
    return positional, keywords


def _default(parameter: inspect.Parameter, value: Any) -> bool:
    return value is parameter.default or value is np._NoValue or value is None


def _unsupported(name: str) -> SecretMisuseError:
    return SecretMisuseError(
        f"np.{name} is not supported for secret arrays.",
        next_step="use a function of tacit, such as tacit.where or tacit.exp"
        " (docs/arrays.md lists them), or reveal the array first:"
        ' x.reveal(to="all").',
        case=7,
    )
