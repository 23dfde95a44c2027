"""Numbers that no secret can hold: infinities, and the like of ``finfo.min``, used as masks.

``jnp.where(mask, logits, -jnp.inf)`` puts in a number that a maximum never chooses and that an
exponential makes 0. Any number far enough out does the same, so where a value goes into nothing
else it is moved to the edge of what the encoding holds; elsewhere it is refused.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.arrays.array import SecretArray
from tacit.encoding.fixed import magnitude_limit
from tacit.frontends.jax.body import Body, Literal, Variable

__all__ = ["FAR_DIVISOR", "bounded", "edge", "only_divisor", "only_mask"]

_EXTREMES = frozenset({"argmax", "cummax", "max", "reduce_max", "reduce_window_max", "top_k"})
_LEAST = frozenset({"argmin", "cummin", "min", "reduce_min", "reduce_window_min"})
_MOVES = frozenset(
    {"broadcast_in_dim", "concatenate", "reshape", "rev", "slice", "squeeze", "transpose"}
)
_SOFT = frozenset({"log_softmax", "logsumexp", "softmax"})


FAR_DIVISOR = 2.0**30
"""What stands for an infinite divisor: quotients by it are 0, and every type holds it."""


def edge(like: SecretArray) -> float:
    """The largest magnitude whose differences from other numbers never wrap."""
    dtype = like.dtype
    if dtype.kind == "fixed":
        return magnitude_limit(dtype, like.session.ring) / 2
    least_and_greatest = dtype.range
    assert least_and_greatest is not None
    return float(min(least_and_greatest[1], 1 << (like.session.ring.magnitude_bits - 1)))


def bounded(values: Any, like: SecretArray) -> Any:
    """Public numbers, those beyond the edge at the edge."""
    if values.dtype.kind != "f" or like.dtype.kind == "bool" or not values.size:
        return values
    limit = edge(like)
    if np.abs(values).max() < limit:
        return values
    return np.clip(values, -limit, limit)


def only_mask(body: Body, variable: Variable, *, low: bool) -> bool:
    """Whether numbers at the lower (or upper) edge of a value only serve as a mask."""
    if body.leaves(variable):
        return False
    return all(_harmless(body, eqn, variable, low) for eqn in body.consumers(variable))


def only_divisor(body: Body, variable: Variable) -> bool:
    """Whether others are divided by a value, and nothing else is done with it."""
    if body.leaves(variable):
        return False
    return all(_divides(body, eqn, variable) for eqn in body.consumers(variable))


def _divides(body: Body, eqn: Any, variable: Variable) -> bool:
    if eqn.primitive in _MOVES:
        return only_divisor(body, eqn.results[0])
    if eqn.primitive == "div":
        return bool(eqn.operands[0] is not variable)
    return bool(eqn.primitive == "fine_reciprocal")


def _harmless(body: Body, eqn: Any, variable: Variable, low: bool) -> bool:
    name = eqn.primitive
    if name in (_EXTREMES if low else _LEAST):
        return True
    if name in _SOFT:
        return low
    if name in _MOVES:
        return only_mask(body, eqn.results[0], low=low)
    if name in ("gt", "ge", "lt", "le", "eq", "ne"):
        return True
    if name == "exp":
        return low
    if name == "sub" and eqn.operands[0] is variable:
        return low and _only_exp(body, eqn.results[0])
    if name == "mul" and low:
        return _positive(eqn, variable) and only_mask(body, eqn.results[0], low=low)
    return False


def _only_exp(body: Body, variable: Variable) -> bool:
    """Whether a value only goes into exponentials, after moves."""
    if body.leaves(variable):
        return False
    return all(
        eqn.primitive == "exp" or (eqn.primitive in _MOVES and _only_exp(body, eqn.results[0]))
        for eqn in body.consumers(variable)
    )


def _positive(eqn: Any, variable: Variable) -> bool:
    others = [atom for atom in eqn.operands if atom is not variable]
    return all(isinstance(atom, Literal) and (atom.value > 0).all() for atom in others) and all(
        (atom.value <= 1).all() for atom in others
    )
