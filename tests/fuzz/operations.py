"""What is fuzzed: operations, the numbers that they are defined for, and the error allowed.

Operands are given as NumPy arrays whose numbers the encoding holds exactly. Where a result is a
sum or a product that the encoding cannot hold, `fits` says so: an ordinary session wraps there, as
documented, and a checked one has to refuse the operation or be right.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tacit
from tacit.functions import ACCURACY
from tacit.functions.division import quotient_limit_bits
from tacit.functions.exponential import exp_domain

__all__ = ["COMPARING", "OPERATIONS", "UNIT", "WRAPPING", "Fuzzed"]

UNIT = 2.0**-18
LIMIT = 2.0**43
PRODUCT = 2.0**26 - 1
MATRIX = 2.0**25
"""Matrix products of secrets have one bit less."""

ROUNDED = 2.0**-51
"""What float64 itself may be off by, relative to the largest number under way."""

Arrays = tuple[NDArray[Any], ...]


def _always(*operands: Any, **options: Any) -> Any:
    return True


def _exact(*operands: Any, **options: Any) -> Any:
    return 0.0


@dataclass(frozen=True)
class Fuzzed:
    """An operation under test.

    Attributes
    ----------
    ours, numpys : callable
        The same operation, of secret arrays and of plain ones.
    kinds : str
        The types of operands: letters of ``f`` fixed, ``i`` integers, ``b`` booleans.
    operands : int
        How many; they broadcast.
    fits : callable
        Where the documented domain holds, of the plain operands: False leaves an element alone.
    error : callable
        The largest error allowed for fixed point, of the plain operands.
    public : bool
        Whether one of two operands may be public.
    """

    ours: Callable[..., Any]
    numpys: Callable[..., Any]
    kinds: str = "fi"
    operands: int = 1
    fits: Callable[..., Any] = _always
    error: Callable[..., Any] = _exact
    public: bool = True
    options: tuple[Mapping[str, Any], ...] = field(default=({},))


def _below(limit: float) -> Callable[..., Any]:
    def below(*operands: Any) -> Any:
        fits = np.True_
        for x in operands:
            fits = fits & (np.abs(x) < limit)
        return fits

    return below


def _sum_fits(x: Any, y: Any) -> Any:
    return np.abs(x) + np.abs(y) < LIMIT


def _product_fits(x: Any, y: Any) -> Any:
    return np.abs(x) * np.abs(y) < PRODUCT


def _product_error(x: Any, y: Any) -> Any:
    # A public factor is within 2^-18 of itself, relative.
    return 1.1 * UNIT + np.abs(x * y) * UNIT * 1.01


def _accuracy(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *operands: ACCURACY[name].bound(function(*operands), 18)


def _function(name: str, function: Any, fits: Callable[..., Any], slack: Any = _exact) -> Fuzzed:
    def error(x: Any) -> Any:
        with np.errstate(all="ignore"):
            return _accuracy(name, function)(x) + slack(x)

    return Fuzzed(getattr(tacit, name), function, "f", 1, fits, error)


def _comparison(name: str) -> Fuzzed:
    return Fuzzed(getattr(tacit, name), getattr(np, name), "fi", 2, _below(2.0**62))


def _rearranged(ours: Any, numpys: Any, *options: Mapping[str, Any]) -> Fuzzed:
    return Fuzzed(ours, numpys, "fib", options=options or ({},))


def _axes(*more: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    return ({}, {"axis": 0}, {"axis": -1, "keepdims": True}, *more)


def _terms(x: NDArray[Any], **options: Any) -> Any:
    """Σ |x|, of the result's shape."""
    known = {key: value for key, value in options.items() if key in ("axis", "keepdims")}
    return np.abs(x).sum(**known)


def _count(x: NDArray[Any], axis: Any = None, **_: Any) -> int:
    return x.size if axis is None else x.shape[axis]


def _mean_error(x: NDArray[Any], **options: Any) -> Any:
    return 2.1 * UNIT + np.abs(x.mean(**options)) * UNIT * 1.1 + ROUNDED * _terms(x, **options)


def _plain_var(x: NDArray[Any], axis: Any = None, keepdims: bool = False, **options: Any) -> Any:
    return x.var(axis=axis, keepdims=keepdims, ddof=options.get("correction", 0))


def _var_fits(x: NDArray[Any], **options: Any) -> Any:
    known = {key: value for key, value in options.items() if key in ("axis", "keepdims")}
    return np.abs(x).max(**known, initial=0) < 2.0**11


def _var_error(x: NDArray[Any], **options: Any) -> Any:
    known = {key: value for key, value in options.items() if key in ("axis", "keepdims")}
    count = _count(x, options.get("axis"))
    scale = max(1, count / (count - options.get("correction", 0)))
    of_mean = (UNIT * (3 + np.abs(x).max(**known, initial=0))) ** 2  # enters squared
    error = 4.1 * UNIT + np.abs(_plain_var(x, **options)) * UNIT * 1.1 * 4
    return error * scale + of_mean * scale


def _products_fit(x: NDArray[Any], **options: Any) -> Any:
    known = {key: value for key, value in options.items() if key in ("axis", "keepdims")}
    return np.prod(np.maximum(np.abs(x), 1), **known) < 2.0**12


def _prod_error(x: NDArray[Any], **options: Any) -> Any:
    known = {key: value for key, value in options.items() if key in ("axis", "keepdims")}
    return 1.2 * _count(x, **options) * UNIT * np.prod(np.maximum(np.abs(x) + UNIT, 1), **known)


def _divided(x: Any, y: Any) -> Any:
    with np.errstate(all="ignore"):
        return np.true_divide(x, y)


def _quotient_fits(x: Any, y: Any) -> Any:
    limit = 2.0 ** quotient_limit_bits(18)
    return (np.abs(y) >= UNIT) & (np.abs(_divided(x, y)) < limit)


def _quotient_error(x: Any, y: Any) -> Any:
    quotient = np.nan_to_num(_divided(x, y))
    return ACCURACY["divide"].bound(quotient, 18)


WRAPPING = frozenset(
    ["add", "subtract", "multiply", "square", "sum", "prod", "cumulative_sum", "cumulative_prod",
     "diff", "matmul", "vecdot", "negative", "abs"]
)  # fmt: skip
"""Whose integers wrap as NumPy's do, so that they are right outside of the domain too."""

COMPARING = frozenset(
    ["equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "maximum", "minimum",
     "where"]
)  # fmt: skip
"""Which are right for every secret beside a public integer of 2^62 or more."""

OPERATIONS: dict[str, Fuzzed] = {
    "add": Fuzzed(operator.add, operator.add, "fi", 2, _sum_fits),
    "subtract": Fuzzed(operator.sub, operator.sub, "fi", 2, _sum_fits),
    "multiply": Fuzzed(operator.mul, operator.mul, "fi", 2, _product_fits, _product_error),
    "divide": Fuzzed(operator.truediv, _divided, "f", 2, _quotient_fits, _quotient_error, False),
    "negative": Fuzzed(operator.neg, operator.neg),
    "positive": Fuzzed(operator.pos, operator.pos),
    "abs": Fuzzed(abs, np.abs),
    "sign": Fuzzed(tacit.sign, np.sign, fits=_below(2.0**63)),
    "square": Fuzzed(tacit.square, np.square, "fi", 1,
                     lambda x: np.abs(x) < 2.0**12.9, lambda x: 1.1 * UNIT),
    "relu": Fuzzed(tacit.relu, lambda x: np.maximum(x, 0)),
    "copysign": Fuzzed(tacit.copysign, lambda x, y: np.copysign(x, np.where(y == 0, 0.0, y)),
                       "f", 2),
    "signbit": Fuzzed(tacit.signbit, lambda x: x < 0),
    "maximum": Fuzzed(tacit.maximum, np.maximum, "fi", 2, _below(2.0**62)),
    "minimum": Fuzzed(tacit.minimum, np.minimum, "fi", 2, _below(2.0**62)),
    "clip": Fuzzed(lambda x: tacit.clip(x, -2, 3), lambda x: np.clip(x, -2, 3), "f"),
    **{name: _comparison(name) for name in
       ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")},
    "and": Fuzzed(operator.and_, operator.and_, "ib", 2),
    "or": Fuzzed(operator.or_, operator.or_, "ib", 2),
    "xor": Fuzzed(operator.xor, operator.xor, "ib", 2),
    "invert": Fuzzed(operator.invert, operator.invert, "ib"),
    # By a secret 0: the quotient is 0, the remainder the dividend.
    "floor_divide": Fuzzed(
        operator.floordiv, lambda x, y: np.where(y == 0, x * 0, x // np.where(y, y, 1)),
        "i", 2, _below(2.0**31), public=False),
    "remainder": Fuzzed(
        operator.mod, lambda x, y: np.where(y == 0, x, x % np.where(y, y, 1)),
        "i", 2, _below(2.0**31), public=False),
    "floor": Fuzzed(tacit.floor, np.floor, "f"),
    "ceil": Fuzzed(tacit.ceil, np.ceil, "f"),
    "trunc": Fuzzed(tacit.trunc, np.trunc, "f"),
    "round": Fuzzed(tacit.round, np.round, "f"),
    "where": Fuzzed(lambda x, y: tacit.where(x > y, x, y), np.maximum, "fi", 2, _below(2.0**62)),
    "exp": _function("exp", np.exp, lambda x: x <= exp_domain(18)[1]),
    "log": _function("log", np.log, lambda x: x > 0),
    "sqrt": _function("sqrt", np.sqrt, lambda x: x >= 0),
    "reciprocal": _function("reciprocal", lambda x: _divided(1.0, x), lambda x: x != 0),
    "tanh": _function("tanh", np.tanh, _always),
    "sum": Fuzzed(tacit.sum, np.sum, "fib", 1, lambda x, **o: _terms(x, **o) < LIMIT,
                  lambda x, **o: ROUNDED * _terms(x, **o), options=_axes()),
    "mean": Fuzzed(tacit.mean, np.mean, "f", 1, lambda x, **o: _terms(x, **o) < PRODUCT,
                   _mean_error, options=_axes()),
    "var": Fuzzed(tacit.var, _plain_var, "f", 1, _var_fits, _var_error,
                  options=_axes({"correction": 1}, {"axis": 0, "correction": 0.5})),
    "prod": Fuzzed(tacit.prod, np.prod, "fi", 1, _products_fit, _prod_error, options=_axes()),
    "cumulative_sum": Fuzzed(
        tacit.cumulative_sum, np.cumulative_sum, "fib", 1,
        lambda x, **o: _terms(x) < LIMIT, lambda x, **o: ROUNDED * _terms(x),
        options=({"axis": 0}, {"axis": -1, "include_initial": True})),
    "cumulative_prod": Fuzzed(
        tacit.cumulative_prod, np.cumulative_prod, "fi", 1,
        lambda x, **o: np.prod(np.maximum(np.abs(x), 1)) < 2.0**12,
        lambda x, **o: 1.2 * x.size * UNIT * np.prod(np.maximum(np.abs(x) + UNIT, 1)),
        options=({"axis": 0}, {"axis": -1, "include_initial": True})),
    "diff": Fuzzed(tacit.diff, np.diff, "fi", 1,
                   lambda x, **o: _terms(x) < LIMIT / 8, lambda x, **o: 8 * ROUNDED * _terms(x),
                   options=({"axis": 0}, {"axis": -1, "n": 2})),
    "matmul": Fuzzed(
        lambda x, y: tacit.tensordot(x, y, axes=0), lambda x, y: np.tensordot(x, y, axes=0),
        "fi", 2, lambda x, y: np.abs(x).max(initial=0) * np.abs(y).max(initial=0) < MATRIX,
        lambda x, y: 1.1 * UNIT + np.abs(np.tensordot(x, y, axes=0)) * UNIT * 1.01),
    "vecdot": Fuzzed(
        lambda x, y: tacit.sum(x * y) if x.ndim == 0 or y.ndim == 0 else tacit.vecdot(
            *tacit.broadcast_arrays(x, y)),
        lambda x, y: np.sum(x * y) if x.ndim == 0 or y.ndim == 0 else np.vecdot(
            *np.broadcast_arrays(x, y)),
        "fi", 2, lambda x, y: np.abs(x * y).sum() < MATRIX,
        lambda x, y: 1.1 * UNIT * max(np.size(x * y), 1) + np.abs(x * y).sum() * UNIT * 1.01),
    "flip": _rearranged(tacit.flip, np.flip, {}, {"axis": -1}),
    "roll": _rearranged(tacit.roll, np.roll, {"shift": 3}, {"shift": -2, "axis": 0}),
    "reshape": _rearranged(lambda x: x.reshape(-1), lambda x: x.reshape(-1)),
    "transpose": _rearranged(lambda x: x.T, lambda x: x.T),
    "expand_dims": _rearranged(tacit.expand_dims, np.expand_dims, {"axis": 0}, {"axis": -1}),
    "tile": _rearranged(lambda x: tacit.tile(x, (2, 1)), lambda x: np.tile(x, (2, 1))),
    "repeat": _rearranged(lambda x, **o: tacit.repeat(x, 2, **o),
                          lambda x, **o: np.repeat(x, 2, **o), {}, {"axis": 0}),
    "pad": _rearranged(lambda x: tacit.pad(x, (1, 2)), lambda x: np.pad(x, (1, 2))),
    "tril": _rearranged(tacit.tril, np.tril, {}, {"k": 1}),
    "triu": _rearranged(tacit.triu, np.triu, {}, {"k": -1}),
    "diagonal": _rearranged(tacit.diagonal, lambda x, **o: np.diagonal(x, axis1=-2, axis2=-1, **o),
                            {}, {"offset": 1}),
    "stack": _rearranged(lambda x: tacit.stack([x, x], axis=-1), lambda x: np.stack([x, x], -1)),
    "concat": _rearranged(lambda x: tacit.concat([x, x], axis=0), lambda x: np.concat([x, x])),
    "huge broadcast": _rearranged(
        lambda x: tacit.broadcast_to(x, (200, 100, *x.shape))[::199, ::99],
        lambda x: np.broadcast_to(x, (200, 100, *x.shape))[::199, ::99]),
    "every other": _rearranged(lambda x: x[..., None, ::-2] if x.ndim else x[None],
                               lambda x: x[..., None, ::-2] if x.ndim else x[None]),
    "mask": _rearranged(lambda x: x[np.indices(x.shape).sum(0) % 2 == 0] if x.ndim else x,
                        lambda x: x[np.indices(x.shape).sum(0) % 2 == 0] if x.ndim else x),
}  # fmt: skip
