"""Loops and choices of JAX, on small arrays: what is public of them is computed beforehand."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from tests.unit.frontends.jax.primitive_cases import A, Case

__all__ = ["LOOPS"]

ROWS = jnp.array([[0, 1], [2, 2], [1, 0]])
PLACES = jnp.array([[[0, 1], [3, 2], [1, 1]], [[3, 1], [0, 2], [0, 0]]])


def _over(body: Any, rows: Any) -> Any:
    """A scan that carries its argument along."""
    return lambda x: lax.scan(body, x, rows)


def _epochs(x: Any) -> Any:
    def step(carry: Any, rows: Any) -> Any:
        return carry + x[rows].sum(0), carry[0]

    def epoch(carry: Any, key: Any) -> Any:
        return lax.scan(step, carry, jax.random.permutation(key, 3)[:, None])

    return lax.scan(epoch, x[0], jax.random.split(jax.random.key(0), 2))


def _masked(carry: Any, key: Any) -> Any:
    return carry * jax.random.bernoulli(key, 0.5, (3, 4)), None


def _counted_inside(carry: Any, times: Any) -> Any:
    def body(state: Any) -> Any:
        return state[0] + 1, state[1] * 0.5 + state[0]

    return lax.while_loop(lambda state: state[0] < times, body, (0, carry))[1], None


def _chosen(carry: Any, index: Any) -> Any:
    branches = [lambda x: x + 1, lambda x: x * index, jnp.zeros_like]
    return lax.switch(index, branches, carry), index


LOOPS: list[Case] = [
    Case("fori_loop", lambda x: lax.fori_loop(0, 4, lambda i, c: c * 0.5 + i, x), (A,)),
    Case(
        "while_loop",
        lambda x: lax.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, s[1] + s[0] * x), (0, x)),
        (A,),
    ),
    Case(
        "while_loop that never runs",
        lambda x: lax.while_loop(lambda s: s[0] < 0, lambda s: (s[0], s[1] + 1), (0, x)),
        (A,),
    ),
    Case("scan", lambda x: lax.scan(lambda c, r: (c + r, c * r), jnp.zeros(4), x), (A,)),
    Case(
        "scan backwards",
        lambda x: lax.scan(lambda c, r: (c + r, (c * r, c.sum())), jnp.zeros(4), x, reverse=True),
        (A,),
    ),
    Case("scan of nothing", lambda x: lax.scan(lambda c, r: (c + r, c), x, jnp.zeros(0)), (A,)),
    Case(
        "scan in scan",
        _over(
            lambda c, i: (lax.fori_loop(0, 3, lambda j, d: d + i * j * A, c), i), jnp.arange(3.0)
        ),
        (A,),
    ),
    Case("epochs in random orders", _epochs, (A,)),
    Case("random masks", _over(_masked, jax.random.split(jax.random.key(1), 2)), (A,)),
    Case("while_loop in scan", _over(_counted_inside, jnp.arange(4)), (A,)),
    Case("switch in scan", _over(_chosen, jnp.array([1, 0, 2, 5])), (A,)),
    Case(
        "cond in scan",
        _over(
            lambda c, i: (lax.cond(i % 2 == 0, lambda d: d + i, lambda d: d * 2, c), None),
            jnp.arange(4),
        ),
        (A,),
    ),
    Case(
        "cond at a secret in scan",
        _over(
            lambda c, i: (lax.cond(c[0, 0] > i, lambda d: d + i * 2, lambda d: d - 1, c), None),
            jnp.arange(4.0),
        ),
        (A,),
    ),
    Case(
        "rows set",
        lambda x: lax.fori_loop(0, 3, lambda i, c: c.at[i].set(x[2 - i] + c[0]), x),
        (A,),
    ),
    Case("rows added", _over(lambda c, i: (c.at[i].add(c[:2]), c[:, i]), ROWS), (A,)),
    Case(
        "rows subtracted",
        _over(lambda c, i: (c.at[i].subtract(c[:2]).at[i[0]].subtract(1.0), None), ROWS),
        (A,),
    ),
    Case("columns added", _over(lambda c, i: (c.at[:, i].add(c[:, :2]), c[:, i]), ROWS), (A,)),
    Case("elements added", _over(lambda c, i: (c.at[i, i + 1].add(c[i, 0]), c[i, i]), ROWS), (A,)),
    Case("numbers added", _over(lambda c, i: (c.at[i, i].add(1.5), c[i, i]), jnp.arange(3)), (A,)),
    Case(
        "slices",
        _over(
            lambda c, i: (
                lax.dynamic_update_slice(c, c[:2, :2] * 2, (i, i)),
                lax.dynamic_slice(c, (i, 0), (2, 3)),
            ),
            jnp.array([0, 1, 5]),
        ),
        (A,),
    ),
    Case("take_along_axis", _over(lambda c, i: (c, jnp.take_along_axis(c, i, 1)), PLACES), (A,)),
    Case(
        "places outside",
        _over(lambda c, i: (c, c.at[i].get(mode="fill", fill_value=0)), jnp.array([0, 5, 1])),
        (A,),
    ),
    Case(
        "integers carried",
        lambda x: lax.fori_loop(0, 3, lambda i, n: n + (x[i] > 0).astype(jnp.int32), jnp.int32(0)),
        (A[:, 0],),
    ),
    Case(
        "booleans carried",
        lambda x: lax.fori_loop(0, 3, lambda i, n: n | (x[i] > 1), False),
        (A[:, 0],),
    ),
    Case(
        "gradient",
        jax.grad(
            lambda x: lax.scan(lambda c, r: (jnp.tanh(c + r), None), jnp.zeros(4), x)[0].sum()
        ),
        (A,),
        3e-3,
    ),
    Case(
        "gradient at places",
        jax.grad(
            lambda x: lax.scan(
                lambda c, i: (jnp.tanh(c + x[i]), None), jnp.zeros(4), jnp.arange(3)
            )[0].sum()
        ),
        (A,),
        3e-3,
    ),
    Case("vmap of scan", jax.vmap(lambda x: lax.scan(lambda c, r: (c + r, c), 0.0, x)), (A,)),
    Case(
        "schedule",
        lambda x: lax.scan(lambda c, t: (c - 0.5**t * x, jnp.exp(-t)), x, jnp.arange(3.0)),
        (A,),
    ),
    Case(
        "many iterations",
        lambda x: lax.fori_loop(0, 30, lambda i, c: c + jnp.sin(i) * x, jnp.zeros((3, 4))),
        (np.float32(0.1) * A,),
    ),
]
