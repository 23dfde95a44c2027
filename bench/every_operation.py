"""Every element-wise operation of the table, once, on one long array: what memory it needs.

What an operation needs does not depend on the numbers, so they need not lie in its domain, and
its result is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tacit
from tacit import SecretArray

__all__ = ["EVERY", "Prepared"]


def _itself(x: SecretArray) -> SecretArray:
    return x


@dataclass(frozen=True)
class Prepared:
    """An operation, and what it is given instead of the fixed-point vector."""

    secret: Callable[[SecretArray], SecretArray]
    prepare: Callable[[SecretArray], SecretArray] = _itself


def _bits(x: SecretArray) -> SecretArray:
    return x < 2.0


def _whole(x: SecretArray) -> SecretArray:
    return (x * 1000.0).astype(tacit.int64)


def _twice(function: Callable[[Any, Any], SecretArray]) -> Callable[[SecretArray], SecretArray]:
    return lambda x: function(x, x)


def _named(names: str) -> dict[str, Callable[..., SecretArray]]:
    return {name: getattr(tacit, name) for name in names.split()}


EVERY: dict[str, Prepared] = {
    **{
        name: Prepared(function)
        for name, function in _named(
            "negative abs sign relu square floor ceil trunc round exp expm1 log log1p log2 log10"
            " sqrt rsqrt reciprocal sigmoid tanh sinh cosh sin cos tan asin acos atan erf softplus"
            " silu gelu elu leaky_relu"
        ).items()
    },
    **{
        name: Prepared(_twice(function))
        for name, function in _named(
            "add subtract multiply divide less greater less_equal greater_equal equal not_equal"
            " maximum minimum copysign hypot atan2 logaddexp remainder floor_divide pow"
        ).items()
    },
    **{
        f"{name} of bits": Prepared(_twice(function), _bits)
        for name, function in _named("bitwise_and bitwise_or bitwise_xor equal").items()
    },
    **{
        f"{name} of integers": Prepared(_twice(function), _whole)
        for name, function in _named(
            "multiply less divide remainder floor_divide bitwise_and bitwise_or bitwise_xor maximum"
        ).items()
    },
    "bitwise_invert of bits": Prepared(tacit.bitwise_invert, _bits),
    "bitwise_left_shift of integers": Prepared(lambda x: x << 3, _whole),
    "bitwise_right_shift of integers": Prepared(lambda x: x >> 3, _whole),
    "bitwise_left_shift by secrets": Prepared(lambda x: tacit.bitwise_left_shift(x, x), _whole),
    "astype to integers": Prepared(lambda x: x.astype(tacit.int64)),
    "astype to int8": Prepared(lambda x: x.astype(tacit.int8), _whole),
    "astype to bool": Prepared(lambda x: x.astype(tacit.bool)),
    "astype from bool": Prepared(lambda x: x.astype(tacit.fixed), _bits),
    "where": Prepared(lambda x: tacit.where(x[:1] < 2.0, x, -x[:1])),
    "where of bits": Prepared(lambda b: tacit.where(b, 1.0, -1.0), _bits),
    "clip": Prepared(lambda x: tacit.clip(x, 0.0, 1.0)),
    "multiply by public": Prepared(lambda x: x * 0.3),
    "divide by public": Prepared(lambda x: x / 3.0),
    "divide of public": Prepared(lambda x: 1.5 / x),
    "remainder by public": Prepared(lambda x: x % 3.0),
    "floor_divide by public": Prepared(lambda x: x // 3.0),
    "pow by public": Prepared(lambda x: x**5),
    "pow of public": Prepared(lambda x: 2.0**x),
    "polyval": Prepared(lambda x: tacit.polyval([1.0, -0.5, 0.25, 2.0], x)),
    "interp": Prepared(lambda x: tacit.interp(x, [0.0, 1.0, 2.0, 4.0], [0.0, 2.0, 1.0, 3.0])),
    "piecewise": Prepared(
        lambda x: tacit.piecewise(x, [0.0, 1.0], [[0.0], [0.0, 1.0], [1.0, 0.0, 0.5]])
    ),
}
"""By name. Two operands are the same array twice: shares of one go in."""
