"""The meaning of equations that ``fusion.py`` makes: functions of tacit, no primitives of JAX."""

from __future__ import annotations

from typing import Any

from tacit.arrays import functions as tacit
from tacit.encoding.types import fixed_point
from tacit.frontends.jax.rules import Call, rule
from tacit.frontends.jax.values import plain

__all__: list[str] = []

_FINE = 24
"""Fractional bits of reciprocals that many numbers are multiplied with."""


@rule("softmax")
def _softmax(call: Call, x: Any) -> Any:
    return tacit.softmax(x, axis=call["axis"])


@rule("softplus")
def _softplus(call: Call, x: Any) -> Any:
    return tacit.softplus(x)


@rule("logaddexp")
def _logaddexp(call: Call, x: Any, y: Any) -> Any:
    return tacit.logaddexp(plain(x), plain(y))


@rule("fine_reciprocal")
def _fine_reciprocal(call: Call, x: Any) -> Any:
    bits = max(x.dtype.fraction_bits, _FINE)
    return tacit.reciprocal(x.astype(fixed_point(bits)))


@rule("copy")
def _copy(call: Call, x: Any) -> Any:
    return x
