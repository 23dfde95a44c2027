"""One case for every function of the standard that tacit supports: how it is called, and on what.

Each case is called twice, with the adapter's namespace and with array-api-strict's, on the same
numbers; ``test_conformance.py`` compares shapes, types and values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tacit.functions import ACCURACY

__all__ = ["CASES", "LINALG", "UNIT", "Case"]

UNIT = 2.0**-18

Call = Callable[..., Any]


@dataclass(frozen=True)
class Case:
    """A function's use.

    Attributes
    ----------
    calls : tuple of callable
        ``call(xp, *arrays)``: each is tried on every example.
    kinds : str
        Types of the operands: ``f`` float64, ``i`` integers, ``b`` booleans.
    operands : int
        How many, of shapes that broadcast.
    low, high : float
        Between which the numbers are drawn.
    units, relative : float
        The error allowed for fixed point: units in the last place and relative, added up.
    shape : tuple of int, optional
        A shape that every operand has; any by default.
    square : bool
        Whether operands are square matrices, well conditioned.
    """

    calls: tuple[Call, ...]
    kinds: str = "fib"
    operands: int = 1
    low: float = -8
    high: float = 8
    units: float = 0.0
    relative: float = 0.0
    shape: tuple[int, ...] | None = None
    square: bool = False


def _named(name: str, **options: Any) -> Call:
    return lambda xp, *arrays: getattr(xp, name)(*arrays, **options)


def _each(name: str, *options: dict[str, Any], **fields: Any) -> Case:
    return Case(tuple(_named(name, **chosen) for chosen in options or ({},)), **fields)


def _function(name: str, low: float, high: float, operands: int = 1) -> Case:
    # What accuracy.md promises at 0 (absolute) and at 1 (relative), or room for a composition.
    accuracy = ACCURACY.get(name)
    units, relative = 1000.0, 2e-3
    if accuracy is not None:
        units = float(accuracy.bound(np.float64(0), 18)) / UNIT
        relative = float(accuracy.bound(np.float64(1), 18))
    return _each(
        name, kinds="f", operands=operands, low=low, high=high, units=units + 2, relative=relative
    )


def _reduced(name: str, **fields: Any) -> Case:
    return _each(name, {}, {"axis": 0}, {"axis": -1, "keepdims": True}, shape=(2, 3), **fields)


_NUMBERS = {"kinds": "fi", "operands": 2}
_LIKE = {"kinds": "fib"}

ELEMENTWISE: dict[str, Case] = {
    **{name: _each(name, **_NUMBERS) for name in (
        "add", "subtract", "maximum", "minimum", "equal", "not_equal", "less", "less_equal",
        "greater", "greater_equal")},
    **{name: _each(name, kinds="fi") for name in (
        "abs", "negative", "positive", "sign", "ceil", "floor", "trunc", "round", "isfinite",
        "isinf", "isnan")},
    **{name: _each(name, kinds="ib", operands=2) for name in (
        "bitwise_and", "bitwise_or", "bitwise_xor")},
    **{name: _each(name, kinds="b", operands=2) for name in (
        "logical_and", "logical_or", "logical_xor")},
    "multiply": _each("multiply", **_NUMBERS, units=1.1),
    "square": _each("square", kinds="fi", units=1.1),
    "divide": Case((lambda xp, x, y: xp.divide(x, xp.abs(y) + 1.0),), "f", 2, units=8,
                   relative=1e-3),
    "logical_not": _each("logical_not", kinds="b"),
    "bitwise_invert": _each("bitwise_invert", kinds="ib"),
    "bitwise_left_shift": _each("bitwise_left_shift", kinds="i", operands=2, low=0, high=5),
    "bitwise_right_shift": Case(
        (lambda xp, x: xp.bitwise_right_shift(x, 2),), "i", low=-100, high=100),
    "floor_divide": Case((lambda xp, x: xp.floor_divide(x, 3),
                          lambda xp, x: xp.floor_divide(x, -x * 0 + 2)), "i", low=0, high=100),
    "remainder": Case((lambda xp, x: xp.remainder(x, 3),
                       lambda xp, x: xp.remainder(x, -x * 0 + 2)), "i", low=0, high=100),
    "copysign": Case((lambda xp, x, y: xp.copysign(x, y + 0.25),), "f", 2),
    "signbit": _each("signbit", kinds="f"),
    "clip": _each("clip", {"min": 2, "max": 5}, {"min": 1}, {"max": 1}, kinds="fi"),
    "conj": Case((lambda xp, x: x if xp.__name__ != "adapter" else xp.conj(x),), "fi"),
    "real": Case((lambda xp, x: x if xp.__name__ != "adapter" else xp.real(x),), "fi"),
    "imag": Case((lambda xp, x: x * 0 if xp.__name__ != "adapter" else xp.imag(x),), "fi"),
    "exp": _function("exp", -8, 6),
    "expm1": _function("expm1", -6, 6),
    "log": _function("log", 0.01, 100),
    "log1p": _function("log1p", -0.9, 20),
    "log2": _function("log2", 0.01, 100),
    "log10": _function("log10", 0.01, 100),
    "sqrt": _function("sqrt", 0, 100),
    "reciprocal": _function("reciprocal", 0.05, 50),
    "sinh": _function("sinh", -6, 6),
    "cosh": _function("cosh", -6, 6),
    "tanh": _function("tanh", -6, 6),
    "sin": _function("sin", -20, 20),
    "cos": _function("cos", -20, 20),
    "tan": _function("tan", -1, 1),
    "asin": _function("asin", -1, 1),
    "acos": _function("acos", -1, 1),
    "atan": _function("atan", -20, 20),
    "asinh": _function("asinh", -20, 20),
    "acosh": _function("acosh", 1.1, 20),
    "atanh": _function("atanh", -0.9, 0.9),
    "atan2": _function("atan2", 0.5, 8, 2),
    "hypot": _function("hypot", -20, 20, 2),
    "logaddexp": _function("logaddexp", -5, 5, 2),
    "pow": Case((lambda xp, x: xp.pow(x, 3), lambda xp, x: xp.pow(x, 2)), "fi", low=0, high=5,
                units=400, relative=1e-5),
}  # fmt: skip

MANIPULATION: dict[str, Case] = {
    "broadcast_arrays": _each("broadcast_arrays", operands=2),
    "broadcast_to": Case((lambda xp, x: xp.broadcast_to(x, (2, 1, *x.shape)),)),
    "concat": Case((lambda xp, x: xp.concat([x, x], axis=None),
                    lambda xp, x: xp.concat([x, x], axis=-1) if x.ndim else x)),
    "expand_dims": _each("expand_dims", {"axis": 0}, {"axis": -1}),
    "flip": _each("flip", {}, {"axis": -1}, shape=(2, 3)),
    "moveaxis": Case((lambda xp, x: xp.moveaxis(x, 0, -1),
                      lambda xp, x: xp.moveaxis(x, (0, 2), (1, 0))), shape=(2, 3, 1)),
    "permute_dims": Case((lambda xp, x: xp.permute_dims(x, (2, 0, 1)),), shape=(2, 3, 1)),
    "repeat": Case((lambda xp, x: xp.repeat(x, 2),
                    lambda xp, x: xp.repeat(x, xp.asarray([1, 0, 2]), axis=1)), shape=(2, 3)),
    "reshape": Case((lambda xp, x: xp.reshape(x, (-1,)),)),
    "roll": _each("roll", {"shift": 2}, {"shift": (1, -1), "axis": (0, 1)}, shape=(2, 3)),
    "squeeze": _each("squeeze", {"axis": 0}, {"axis": (0, 2)}, shape=(1, 3, 1)),
    "stack": Case((lambda xp, x: xp.stack([x, x]), lambda xp, x: xp.stack([x, x], axis=-1))),
    "tile": Case((lambda xp, x: xp.tile(x, (2, 1, 2)),)),
    "unstack": _each("unstack", {}, {"axis": -1}, shape=(2, 3)),
    "tril": _each("tril", {}, {"k": 1}, shape=(2, 3, 3)),
    "triu": _each("triu", {}, {"k": -1}, shape=(2, 3, 3)),
    "meshgrid": Case((lambda xp, x: xp.meshgrid(x, x[:2]),
                      lambda xp, x: xp.meshgrid(x, x[:2], indexing="ij")), shape=(3,)),
    "take": Case((lambda xp, x: xp.take(x, xp.asarray([1, 0, 1]), axis=1),), shape=(2, 3)),
    "take_along_axis": Case(
        (lambda xp, x: xp.take_along_axis(x, xp.asarray([[1], [0]]), axis=1),), shape=(2, 3)),
    "where": Case((lambda xp, x, y: xp.where(x > y, x, y),), **_NUMBERS),
}  # fmt: skip

CREATION: dict[str, Case] = {
    **{name: _each(name) for name in ("zeros_like", "ones_like")},
    "empty_like": Case((lambda xp, x: xp.empty_like(x) * 0 if x.dtype != xp.bool else x,)),
    "full_like": Case((lambda xp, x: xp.full_like(x, 1 if x.dtype != xp.bool else True),)),
    "zeros": Case((lambda xp, x: xp.zeros(x.shape, dtype=x.dtype), lambda xp, x: xp.zeros(3))),
    "ones": Case((lambda xp, x: xp.ones(x.shape, dtype=x.dtype), lambda xp, x: xp.ones(3))),
    "empty": Case((lambda xp, x: xp.empty((2, 3)) * 0,)),
    "full": Case((lambda xp, x: xp.full((2, 3), 7), lambda xp, x: xp.full((), True),
                  lambda xp, x: xp.full(4, -1.5))),
    "arange": Case((lambda xp, x: xp.arange(5), lambda xp, x: xp.arange(1, 9, 3),
                    lambda xp, x: xp.arange(0, 1, 0.25), lambda xp, x: xp.arange(5, 1, -2))),
    "linspace": Case((lambda xp, x: xp.linspace(0, 1, 5),
                      lambda xp, x: xp.linspace(-1, 1, 4, endpoint=False))),
    "eye": Case((lambda xp, x: xp.eye(3), lambda xp, x: xp.eye(2, 4, k=1, dtype=xp.int32))),
    "asarray": Case((lambda xp, x: xp.asarray(x), lambda xp, x: xp.asarray([[1, 2], [3, 4]]),
                     lambda xp, x: xp.asarray(True), lambda xp, x: xp.asarray([0.5]))),
}  # fmt: skip

STATISTICS: dict[str, Case] = {
    "sum": _reduced("sum", kinds="fi"),
    "prod": _reduced("prod", kinds="fi", low=-2, high=2, units=90),
    "mean": _reduced("mean", kinds="f", units=2.5, relative=UNIT),
    "var": _reduced("var", kinds="f", units=4.5, relative=UNIT),
    "std": _reduced("std", kinds="f", low=1, high=64, units=900, relative=1e-3),
    "max": _reduced("max", kinds="fi"),
    "min": _reduced("min", kinds="fi"),
    "all": _reduced("all", kinds="b"),
    "any": _reduced("any", kinds="b"),
    "count_nonzero": _reduced("count_nonzero", kinds="fi"),
    "argmax": _each("argmax", {}, {"axis": 0}, {"axis": -1, "keepdims": True}, kinds="fi",
                    shape=(2, 3)),
    "argmin": _each("argmin", {}, {"axis": 0}, {"axis": -1, "keepdims": True}, kinds="fi",
                    shape=(2, 3)),
    "cumulative_sum": _each("cumulative_sum", {"axis": 0}, {"axis": -1, "include_initial": True},
                            kinds="fi", shape=(2, 3)),
    "cumulative_prod": _each("cumulative_prod", {"axis": 0}, {"axis": -1, "include_initial": True},
                             kinds="fi", shape=(2, 3), low=-2, high=2, units=9),
    "diff": _each("diff", {}, {"axis": 0, "n": 1}, {"n": 2}, kinds="fi", shape=(2, 3)),
    "sort": _each("sort", {}, {"axis": 0}, {"descending": True}, kinds="fi", shape=(2, 3)),
    "argsort": _each("argsort", {}, {"axis": 0}, {"descending": True}, kinds="fi", shape=(2, 3)),
    "searchsorted": Case((lambda xp, x, y: xp.searchsorted(xp.sort(x), y),
                          lambda xp, x, y: xp.searchsorted(xp.sort(x), y, side="right")),
                         "fi", 2, shape=(4,)),
}  # fmt: skip

TYPES: dict[str, Case] = {
    "astype": Case((lambda xp, x: xp.astype(x, xp.int64), lambda xp, x: xp.astype(x, xp.float64),
                    lambda xp, x: xp.astype(x, xp.bool), lambda xp, x: xp.astype(x, xp.int8))),
    "can_cast": Case((lambda xp, x: xp.can_cast(xp.int8, xp.int32),
                      lambda xp, x: xp.can_cast(xp.int64, xp.int8),
                      lambda xp, x: xp.can_cast(xp.bool, xp.int8))),
    "isdtype": Case((lambda xp, x: xp.isdtype(x.dtype, "numeric"),
                     lambda xp, x: xp.isdtype(x.dtype, ("bool", "unsigned integer")),
                     lambda xp, x: xp.isdtype(x.dtype, xp.int8))),
    "result_type": Case((lambda xp, x: str(xp.result_type(xp.int8, xp.uint8)).split(".")[-1],
                         lambda xp, x: str(xp.result_type(x, x)).split(".")[-1])),
    "finfo": Case((lambda xp, x: xp.finfo(xp.float64).bits, lambda xp, x: xp.finfo(xp.float64).max
                   > 2.0**40, lambda xp, x: xp.finfo(xp.float64).eps < 1e-5)),
    "iinfo": Case((lambda xp, x: (xp.iinfo(x.dtype).min, xp.iinfo(x.dtype).max,
                                  xp.iinfo(x.dtype).bits),), "i"),
}  # fmt: skip


def _once(xp: Any) -> dict[str, int]:
    """One sweep is enough for two rows."""
    return {"sweeps": 1} if xp.__name__ == "adapter.linalg" else {}


LINEAR: dict[str, Case] = {
    "matmul": _each("matmul", **_NUMBERS, shape=(2, 3, 3), units=1.1),
    "matrix_transpose": _each("matrix_transpose", shape=(2, 2, 3)),
    "vecdot": _each("vecdot", {}, {"axis": -2}, **_NUMBERS, shape=(2, 3), units=1.1),
    "tensordot": _each("tensordot", {"axes": 1}, {"axes": ((0,), (1,))}, **_NUMBERS, shape=(3, 3),
                       units=1.1),
}  # fmt: skip

LINALG: dict[str, Case] = {
    **LINEAR,
    "outer": _each("outer", **_NUMBERS, shape=(3,), units=1.1),
    "cross": _each("cross", **_NUMBERS, shape=(2, 3), units=2.2),
    "trace": _each("trace", {}, {"offset": 1}, kinds="fi", shape=(2, 3, 3)),
    "diagonal": _each("diagonal", {}, {"offset": -1}, shape=(2, 3, 3)),
    "vector_norm": _each("vector_norm", {}, {"axis": 0}, {"ord": 1, "keepdims": True}, kinds="f",
                         low=0.5, shape=(2, 3), units=8, relative=1e-3),
    "matrix_norm": _each("matrix_norm", {}, {"keepdims": True}, kinds="f", low=0.5, shape=(2, 2, 3),
                         units=8, relative=1e-3),
    "matrix_power": Case((lambda xp, x: xp.matrix_power(x, 3),
                          lambda xp, x: xp.matrix_power(x, 0)), "f", low=-2, high=2,
                         shape=(2, 2), units=60),
    "cholesky": _each("cholesky", {}, {"upper": True}, kinds="f", shape=(3, 3), square=True,
                      units=400, relative=2e-3),
    "inv": _each("inv", kinds="f", shape=(3, 3), square=True, units=400, relative=5e-3),
    "det": Case((lambda xp, x: xp.det(x, assume_a="pos") if xp.__name__ == "adapter.linalg" else
                 xp.det(x),), "f", shape=(3, 3), square=True, units=4000, relative=1e-2),
    "qr": Case((lambda xp, x: xp.qr(x)[0] @ xp.qr(x)[1], lambda xp, x: xp.qr(x)[1] ** 2), "f",
               shape=(3, 3), square=True, units=60, relative=1e-4),
    "slogdet": Case((lambda xp, x: xp.slogdet(x)[0], lambda xp, x: xp.slogdet(x)[1]), "f",
                    shape=(2, 2), square=True, units=60, relative=1e-4),
    "eigh": Case((lambda xp, x: xp.eigh(x, **_once(xp))[0],), "f", shape=(2, 2), square=True,
                 units=20, relative=1e-5),
    "eigvalsh": Case((lambda xp, x: xp.eigvalsh(x, **_once(xp)),), "f", shape=(2, 2), square=True,
                     units=20, relative=1e-5),
    "svd": Case((lambda xp, x: xp.svd(x, full_matrices=False, **_once(xp))[1],), "f",
                shape=(2, 2), square=True, units=20, relative=1e-5),
    "svdvals": Case((lambda xp, x: xp.svdvals(x, **_once(xp)),), "f", shape=(2, 2), square=True,
                    units=20, relative=1e-5),
    "solve": Case((lambda xp, x: xp.solve(x, x[:, 0]),), "f", shape=(3, 3), square=True,
                  units=400, relative=5e-3),
}  # fmt: skip

CASES: dict[str, Case] = {
    **ELEMENTWISE, **MANIPULATION, **CREATION, **STATISTICS, **TYPES, **LINEAR,
}  # fmt: skip
