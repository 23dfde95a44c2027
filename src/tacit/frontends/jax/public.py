"""Equations on public values, computed while the program is made.

Common ones by NumPy, in the types that JAX gives them, as JAX would compile each of them first; all
others by JAX itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tacit.frontends.jax.body import Equation

__all__ = ["computed"]


def computed(equation: Equation, operands: Sequence[Any]) -> list[Any]:
    """The results of an equation on public operands."""
    simple = _NUMPY.get(equation.primitive)
    if simple is not None and all(isinstance(v, np.ndarray | np.generic) for v in operands):
        with np.errstate(all="ignore"):
            found = simple(equation, *operands)
        (result,) = equation.results
        return [np.asarray(found, result.dtype)]
    assert equation.evaluate is not None
    return [_plain(value) for value in equation.evaluate(operands)]


def _plain(value: Any) -> Any:
    """A value of JAX as NumPy's; keys stay as they are."""
    kind = getattr(value.dtype, "kind", None)
    return value if kind is None else np.asarray(value)


def _same(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda equation, *operands: function(*operands)


def _broadcast(equation: Equation, x: Any, *_: Any) -> Any:
    (result,) = equation.results
    shape = [1] * len(result.shape)
    for axis, extent in zip(equation.parameters["broadcast_dimensions"], x.shape, strict=True):
        shape[axis] = extent
    return np.broadcast_to(x.reshape(shape), result.shape)


def _reshape(equation: Equation, x: Any, *_: Any) -> Any:
    order = equation.parameters["dimensions"]
    return (x if order is None else x.transpose(order)).reshape(equation.results[0].shape)


def _select(equation: Equation, which: Any, *cases: Any) -> Any:
    index = np.broadcast_to(which, equation.results[0].shape).astype(np.int64)
    result = cases[0]
    for place, case in enumerate(cases[1:], 1):
        result = np.where(index == place, case, result)
    return result


def _iota(equation: Equation) -> Any:
    shape, axis = equation.results[0].shape, equation.parameters["dimension"]
    line = [1] * len(shape)
    line[axis] = shape[axis]
    return np.broadcast_to(np.arange(shape[axis]).reshape(line), shape)


def _convert(equation: Equation, x: Any) -> Any:
    return x


def _divide(equation: Equation, x: Any, y: Any) -> Any:
    if equation.results[0].dtype.kind not in "iu":
        return x / y
    return np.trunc(x.astype(np.float64) / y.astype(np.float64))


_NUMPY: dict[str, Callable[..., Any]] = {
    "abs": _same(np.abs),
    "add": _same(np.add),
    "add_any": _same(np.add),
    "and": _same(np.bitwise_and),
    "broadcast_in_dim": _broadcast,
    "convert_element_type": _convert,
    "div": _divide,
    "eq": _same(np.equal),
    "exp": _same(np.exp),
    "ge": _same(np.greater_equal),
    "gt": _same(np.greater),
    "integer_pow": lambda equation, x: x ** equation.parameters["y"],
    "iota": _iota,
    "is_finite": _same(np.isfinite),
    "le": _same(np.less_equal),
    "log": _same(np.log),
    "lt": _same(np.less),
    "max": _same(np.maximum),
    "min": _same(np.minimum),
    "mul": _same(np.multiply),
    "ne": _same(np.not_equal),
    "neg": _same(np.negative),
    "not": _same(np.invert),
    "or": _same(np.bitwise_or),
    "pow": _same(np.power),
    "reshape": _reshape,
    "rsqrt": _same(lambda x: 1 / np.sqrt(x)),
    "select_n": _select,
    "sqrt": _same(np.sqrt),
    "square": _same(np.square),
    "squeeze": lambda equation, x: x.reshape(equation.results[0].shape),
    "sub": _same(np.subtract),
    "transpose": lambda equation, x: x.transpose(equation.parameters["permutation"]),
}
