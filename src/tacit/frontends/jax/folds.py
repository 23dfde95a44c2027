"""Reductions by a function of the user's own."""

from __future__ import annotations

from math import prod
from typing import Any

import jax

from tacit.arrays import functions as tacit
from tacit.frontends.jax.interpreter import evaluated
from tacit.frontends.jax.reading import read, traced
from tacit.frontends.jax.rules import Call, rule
from tacit.frontends.jax.secrecy import find_secrets
from tacit.frontends.jax.support import require_supported
from tacit.frontends.jax.values import is_secret, promoted

__all__: list[str] = []


@rule("reduce")
def _reduce(call: Call, *operands: Any) -> Any:
    """Halves on halves, as JAX takes the function to be associative; the start at the end."""
    count, axes = len(operands) // 2, tuple(call["dimensions"])
    like = next(x for x in operands if is_secret(x))
    kinds = [result.dtype for result in call.equation.results]
    secret = [promoted(x, kind, like) for x, kind in zip(operands, kinds * 2, strict=True)]
    columns = [_in_front(x, axes) for x in secret[:count]]
    while columns[0].shape[0] > 1:
        half = columns[0].shape[0] // 2
        joined = _combined(call, [x[:half] for x in columns], [x[half : 2 * half] for x in columns])
        columns = [
            tacit.concat([one, x[2 * half :]]) if x.shape[0] % 2 else one
            for one, x in zip(joined, columns, strict=True)
        ]
    lines = columns[0].shape[1]
    found = [tacit.broadcast_to(tacit.reshape(x, (1, 1)), (1, lines)) for x in secret[count:]]
    if columns[0].shape[0]:
        found = _combined(call, found, columns)
    return [tacit.reshape(x, call.shape) for x in found]


def _in_front(x: Any, axes: tuple[int, ...]) -> Any:
    """The reduced axes as the first one, the others as the second."""
    others = [axis for axis in range(x.ndim) if axis not in axes]
    shape = tuple(prod(x.shape[axis] for axis in some) for some in (axes, others))
    return tacit.reshape(tacit.permute_dims(x, (*axes, *others)), shape)


def _combined(call: Call, left: list[Any], right: list[Any]) -> list[Any]:
    """The function on all elements at once."""
    inner = call["jaxpr"]

    def each(*given: Any) -> Any:
        return jax.core.eval_jaxpr(inner.jaxpr, inner.consts, *given)

    kinds = [result.dtype for result in call.equation.results] * 2
    shapes = [
        jax.ShapeDtypeStruct(x.shape, kind) for x, kind in zip([*left, *right], kinds, strict=True)
    ]
    body = read(traced(jax.vmap(jax.vmap(each)), shapes)[0])
    find_secrets(body, [True] * len(shapes))
    require_supported(body)
    results = zip(evaluated(body, [*left, *right]), call.equation.results, strict=True)
    return [promoted(x, result.dtype, left[0]) for x, result in results]
