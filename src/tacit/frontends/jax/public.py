"""Equations on public values, computed while the program is made.

Common ones by NumPy, as JAX would compile each of them first; all others by JAX itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from tacit.frontends.jax.body import Equation
from tacit.frontends.jax.clear import NUMPY
from tacit.frontends.jax.keys import Keys, is_threefry

__all__ = ["computed", "from_jax_value", "known_to_numpy", "to_jax_value"]

_KEYS = frozenset(
    {"random_bits", "random_fold_in", "random_seed", "random_split", "random_unwrap", "random_wrap"}
)
_MOVES = frozenset(
    {"broadcast_in_dim", "dynamic_slice", "reshape", "rev", "slice", "squeeze", "transpose"}
)


def computed(equation: Equation, operands: Sequence[Any]) -> list[Any]:
    """The results of an equation on public operands."""
    clear = NUMPY.get(equation.primitive)
    if clear is not None and _plain(equation, operands):
        with np.errstate(all="ignore"):
            if isinstance(operands[0] if operands else None, Keys) and equation.primitive in _MOVES:
                keys, *others = operands
                places = np.arange(int(np.prod(keys.shape, dtype=np.int64))).reshape(keys.shape)
                return [keys.at(clear(equation, places, *others))]
            found = clear(equation, *operands)
        several = found if isinstance(found, tuple) else (found,)
        return [
            value if isinstance(value, Keys) else np.asarray(value, result.dtype)
            for value, result in zip(several, equation.results, strict=True)
        ]
    assert equation.evaluate is not None
    found = equation.evaluate([to_jax_value(value) for value in operands])
    return [from_jax_value(value) for value in found]


def _plain(equation: Equation, operands: Sequence[Any]) -> bool:
    """Whether NumPy's form takes these operands."""
    keys = [isinstance(value, Keys) for value in operands]
    if equation.primitive in _KEYS:
        if equation.primitive in ("random_seed", "random_wrap"):
            return is_threefry(equation.results[0].dtype)
        return keys[0]
    if any(keys):
        return equation.primitive in _MOVES and keys == [True] + [False] * (len(keys) - 1)
    return all(isinstance(value, np.ndarray | np.generic) for value in operands)


def known_to_numpy(equation: Equation) -> bool:
    """Whether NumPy computes an equation on public values."""
    if equation.primitive in ("random_seed", "random_wrap"):
        return is_threefry(equation.results[0].dtype)
    return equation.primitive in NUMPY


def to_jax_value(value: Any) -> Any:
    """A public value as JAX has it."""
    if isinstance(value, Keys):
        return jax.random.wrap_key_data(jax.numpy.asarray(value.words), impl="threefry2x32")
    return value


def from_jax_value(value: Any) -> Any:
    """A value of JAX as NumPy's; keys as words where they are known here."""
    if jax.dtypes.issubdtype(value.dtype, jax.dtypes.extended):
        if is_threefry(value.dtype):
            return Keys(np.asarray(jax.random.key_data(value)))
        return value
    return np.asarray(value)
