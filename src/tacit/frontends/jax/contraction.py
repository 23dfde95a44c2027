"""Products of arrays over axes."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tacit.arrays import functions as tacit
from tacit.frontends.jax.rules import Call, rule
from tacit.frontends.jax.shapes import shaped
from tacit.frontends.jax.values import is_secret, plain, settled

__all__: list[str] = []


@rule("dot_general")
def _dot(call: Call, x: Any, y: Any) -> Any:
    (own, others), (own_batch, other_batch) = call["dimension_numbers"]
    left, right = _number(x), _number(y)
    rows = [a for a in range(left.ndim) if a not in (*own, *own_batch)]
    columns = [a for a in range(right.ndim) if a not in (*others, *other_batch)]
    batch = [left.shape[a] for a in own_batch]
    summed = prod(left.shape[a] for a in own)
    if not rows and not columns and not own and is_secret(left) != is_secret(right):
        return settled(tacit.multiply(left, right), call.dtype)
    height, width = (prod(t.shape[a] for a in axes) for t, axes in ((left, rows), (right, columns)))
    a = _ordered(left, [*own_batch, *rows, *own], [*batch, height, summed])
    b = _ordered(right, [*other_batch, *others, *columns], [*batch, summed, width])
    return settled(shaped(tacit.matmul(a, b), call.shape), call.dtype)


def _number(x: Any) -> Any:
    if is_secret(x):
        return x
    values = plain(x)
    return values.astype(np.int64) if values.dtype.kind == "b" else values


def _ordered(x: Any, axes: list[int], shape: list[int]) -> Any:
    if not is_secret(x):
        return x.transpose(axes).reshape(shape)
    if axes != list(range(x.ndim)):
        x = tacit.permute_dims(x, axes)
    return shaped(x, tuple(shape))
