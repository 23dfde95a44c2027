"""Functions of JAX on small arrays: each primitive that is supported on secrets, at least once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

__all__ = ["CASES", "Case"]


@dataclass(frozen=True)
class Case:
    """A function, its arguments, and the error that is allowed, relative to max(1, |x|)."""

    name: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    tolerance: float = 1e-3


_RNG = np.random.default_rng(0)


def _floats(*shape: int) -> Any:
    return _RNG.normal(size=shape).astype(np.float32)


A, B = _floats(3, 4), _floats(3, 4)
P = np.abs(A) + np.float32(0.1)
N = _RNG.integers(-9, 9, (3, 4)).astype(np.int32)
M = _RNG.integers(1, 9, (3, 4)).astype(np.int32)
T, U = A > 0, B > 0
IMAGES, KERNELS = _floats(2, 5, 5, 2), _floats(3, 3, 2, 4)
SERIES, GROUPED = _floats(2, 4, 6), _floats(6, 2, 3)
NHWC = ("NHWC", "HWIO", "NHWC")


def _ints(*values: Any) -> Any:
    return np.array(values, np.int32)


def _pooled(x: Any, start: float, function: Any, size: Any, step: Any, padding: str) -> Any:
    return lax.reduce_window(x, start, function, size, step, padding)


def _maximum(x: Any) -> Any:
    return _pooled(x, -jnp.inf, lax.max, (1, 3, 3, 1), (1, 2, 2, 1), "SAME")


def _mean(x: Any) -> Any:
    return _pooled(x, 0.0, lax.add, (1, 2, 2, 1), (1, 1, 1, 1), "SAME")


def _convolved(x: Any, k: Any, stride: Any = (2, 2)) -> Any:
    return lax.conv_general_dilated(x, k, stride, "SAME", dimension_numbers=NHWC)


def _in_groups(x: Any, k: Any) -> Any:
    return lax.conv_general_dilated(x, k, (1,), "SAME", feature_group_count=2)


def _squares(function: Any) -> Any:
    return lambda *arguments: jnp.sum(function(*arguments) ** 2)


_BINARY = ["add", "sub", "mul", "max", "min", "atan2"]
_UNARY = [
    "neg",
    "abs",
    "sign",
    "floor",
    "ceil",
    "atan",
    "cos",
    "cosh",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expm1",
    "logistic",
    "sin",
    "sinh",
    "tanh",
    "cbrt",
    "square",
    "asinh",
]
_POSITIVE = ["log", "log1p", "rsqrt", "sqrt"]
_COMPARED = ["eq", "ne", "lt", "le", "gt", "ge"]

G, B4 = _floats(4, 4), _floats(4, 2)
DEFINITE = (G @ G.T / 4 + np.eye(4)).astype(np.float32)
SYMMETRIC, TALL = ((G + G.T) / 2).astype(np.float32), _floats(6, 3)
STACK = (_floats(2, 3, 3) + 2 * np.eye(3)).astype(np.float32)
STRONG = (G + np.diag([4, -4, 5, 4])).astype(np.float32)


def _band(*values: float) -> Any:
    return np.array(values, np.float32)


def _factored(a: Any, b: Any) -> Any:
    factors = jax.scipy.linalg.lu_factor(a)
    return [jax.scipy.linalg.lu_solve(factors, b, trans=t) for t in (0, 1)]


def _definite(a: Any, b: Any) -> Any:
    factor = jax.scipy.linalg.cho_factor(a)
    return [jax.scipy.linalg.solve(a, b, assume_a="pos"), jax.scipy.linalg.cho_solve(factor, b)]


def _sum_of_squares(function: Any) -> Any:
    return lambda *given: jnp.sum(jnp.square(function(*given)))


def _larger(left: Any, right: Any) -> Any:
    first = left[0] >= right[0]
    return jnp.where(first, left[0], right[0]), jnp.where(first, left[1], right[1])


_LINEAR_ALGEBRA = [
    Case("solve", lambda a, b: [jnp.linalg.solve(a, b), jnp.linalg.solve(a, b[:, 0])], (G, B4)),
    Case("solve, stacks", jnp.linalg.solve, (STACK, _floats(2, 3, 1))),
    Case(
        "solve, gradient", jax.grad(_sum_of_squares(jnp.linalg.solve), (0, 1)), (STRONG, B4[:, 0])
    ),
    Case("inv, det, slogdet",
         lambda a: [jnp.linalg.inv(a), jnp.linalg.det(a), jnp.linalg.slogdet(a)], (G,)),
    Case("det, gradient", jax.grad(jnp.linalg.det), (STRONG / 2,)),
    Case("lu", lambda a: jax.scipy.linalg.lu(a), (G,)),
    Case("lu_factor, lu_solve", _factored, (STRONG, B4)),
    Case("positive definite", _definite, (DEFINITE, B4)),
    Case("cholesky, gradient",
         jax.grad(lambda a, b: _definite(a, b)[0].sum() + jnp.linalg.cholesky(a).sum(), (0, 1)),
         (DEFINITE, B4[:, 0])),
    Case("triangular_solve", lambda a, b: [
        lax.linalg.triangular_solve(a, b, left_side=True, lower=True),
        lax.linalg.triangular_solve(a, b.T, transpose_a=True, unit_diagonal=True) * 0.01,
    ], (STRONG, B4)),
    Case("tridiagonal_solve", lax.linalg.tridiagonal_solve,
         (_band(0, 1, -1), _band(4, 5, 4), _band(1, 2, 0), _floats(3, 2))),
    Case("qr", lambda a: [jnp.abs(part) for part in jnp.linalg.qr(a)], (TALL,)),
    Case("qr, gradient", jax.grad(lambda a: jnp.sum(jnp.linalg.qr(a)[1] ** 2)), (TALL,)),
    Case("eigh", lambda a: [jnp.linalg.eigvalsh(a), jnp.abs(jnp.linalg.eigh(a)[1])],
         (SYMMETRIC[:3, :3],)),
    Case("eigh, gradient",
         jax.grad(lambda a: jnp.sum(jnp.linalg.eigh(a)[0] * jnp.arange(3.0))),
         (SYMMETRIC[:3, :3],)),
    Case("svd", lambda a: [
        jnp.linalg.svd(a, compute_uv=False), jnp.abs(jnp.linalg.svd(a, full_matrices=False)[0]),
    ], (TALL[:, :2],)),
    Case("lstsq, pinv", lambda a, b: [jnp.linalg.lstsq(a, b)[0], jnp.linalg.pinv(a)],
         (TALL[:, :2], _floats(6))),
]  # fmt: skip

SMALL = _band(0.001, 0.01, 0.3, 1, 1.5, 2, 3.7, 8, 40, 900)
_SPECIAL = [
    Case("erf_inv", lax.erf_inv, (_band(-0.999, -0.9, -0.5, 0, 0.1, 0.7, 0.97, 0.99),), 3e-3),
    Case("lgamma", lax.lgamma, (SMALL,)),
    Case("lgamma, gradient", lambda x: [
        jax.vmap(jax.grad(lax.lgamma))(x), jax.vmap(jax.grad(lax.digamma))(x[2:]),
    ], (SMALL,)),
    Case("polygamma", lambda x: [jax.scipy.special.polygamma(n, x) for n in (0, 1, 2, 4)],
         (SMALL[2:],)),
    Case("zeta", lambda x: [jax.scipy.special.zeta(s, x) for s in (2.0, 3.0, 5.0)], (SMALL[2:],)),
    Case("bessel", lambda x: [
        f(x) for f in (jax.scipy.special.i0e, jax.scipy.special.i1e, jax.scipy.special.i0)
    ], (_band(-5, -3.75, -1, 0, 0.5, 2, 3.7, 4),), 2e-3),
    Case("bessel, large", lambda x: [jax.scipy.special.i0e(x), jax.scipy.special.i1e(x)],
         (_band(-900, -30, 8, 100),)),
]  # fmt: skip

CASES: list[Case] = [
    *(Case(name, getattr(lax, name), (A, B)) for name in _BINARY),
    *(Case(name, getattr(lax, name), (A,)) for name in _UNARY),
    *(Case(name, getattr(lax, name), (P,)) for name in _POSITIVE),
    *(Case(name, getattr(lax, name), (N, M)) for name in _COMPARED),
    *(Case(f"{name} of booleans", getattr(lax, name), (T, U)) for name in _COMPARED),
    Case("tan", lax.tan, (A / 2,)),
    Case("acos", lax.acos, (np.clip(A, -0.8, 0.8),)),
    Case("asin", lax.asin, (np.clip(A, -0.8, 0.8),)),
    Case("atanh", lax.atanh, (np.clip(A, -0.8, 0.8),)),
    Case("acosh", lax.acosh, (P + 1.5,)),
    Case("div", lax.div, (A, P)),
    Case("div by public", lambda x: x / jnp.arange(1.0, 5.0), (A,)),
    Case("div of integers", lax.div, (N, M)),
    Case("div of integers by public", lambda x: lax.div(x, jnp.full_like(x, -3)), (N,)),
    Case("rem of integers", lax.rem, (N, M)),
    Case("rem", lambda x: lax.rem(x, jnp.full_like(x, 0.7)), (A,)),
    Case("floor_divide", lambda x, y: x // y, (N, M)),
    Case("mod", lambda x, y: x % y, (N, M)),
    Case("pow", lax.pow, (P, B)),
    Case("pow of public", lambda x: 2.5**x, (A,)),
    Case("pow by half", lambda x: lax.pow(x, 0.5), (P,)),
    Case("integer_pow", lambda x: lax.integer_pow(x, 3), (A,)),
    Case("integer_pow below 0", lambda x: lax.integer_pow(x, -2), (P + 0.3,)),
    Case("max with 0", jax.nn.relu, (A,)),
    Case("max with infinity", lambda x: jnp.maximum(x, -jnp.inf), (A,)),
    Case("clamp", lambda x: lax.clamp(-0.5, x, 0.5), (A,)),
    Case("clamp by secrets", lax.clamp, (A - 1, B, A + 1)),
    Case("round", lambda x: lax.round(2 * x), (A,)),
    Case("round to even", lambda x: jnp.round(3 * x), (A,)),
    Case("select_n", lax.select, (T, A, B)),
    Case("select_n by public", lambda x, y: jnp.where(jnp.arange(4) > 1, x, y), (A, B)),
    Case("select_n of three", lambda i, x, y: lax.select_n(i, x, y, x + y), (M % 3, A, B)),
    Case(
        "infinity as a mask",
        lambda t, x: jax.nn.softmax(jnp.where(t, x, -jnp.inf)),
        (np.array([[1, 0, 1, 1]] * 3, np.bool_), A),
    ),
    Case(
        "finfo.min as a mask",
        lambda t, x: jnp.max(jnp.where(t, x, jnp.finfo(x.dtype).min), 0),
        (T | (np.arange(3)[:, None] == 1), A),
    ),
    Case("is_finite", lambda x: jnp.where(jnp.isfinite(x), x, 0.0), (A,)),
    Case("nan_to_num", jnp.nan_to_num, (A,)),
    Case("and", lax.bitwise_and, (N, M)),
    Case("or", lax.bitwise_or, (N, M)),
    Case("xor", lax.bitwise_xor, (N, M)),
    Case("not", lax.bitwise_not, (N,)),
    Case("and of booleans", lax.bitwise_and, (T, U)),
    Case("or of booleans", lax.bitwise_or, (T, U)),
    Case("xor of booleans", lax.bitwise_xor, (T, U)),
    Case("not of booleans", lax.bitwise_not, (T,)),
    Case("shift_left", lambda x: lax.shift_left(x, jnp.full_like(x, 2)), (N,)),
    Case("shift_left by secret", lax.shift_left, (N, M)),
    Case("shift_right_arithmetic", lambda x: lax.shift_right_arithmetic(x, jnp.ones_like(x)), (N,)),
    Case("shift_right_logical", lambda x: lax.shift_right_logical(x, jnp.full_like(x, 28)), (N,)),
    Case("population_count", lax.population_count, (M.astype(np.uint8),)),
    Case("to integers", lambda x: (3 * x).astype(jnp.int32), (A,)),
    Case("to floats", lambda x: x.astype(jnp.float32) / 2, (N,)),
    Case("to booleans", lambda x: x.astype(bool), (N,)),
    Case("from booleans", lambda x: x.astype(jnp.float32) + 0.5, (T,)),
    Case("to small integers", lambda x: x.astype(jnp.int8) * jnp.int8(50), (N,)),
    Case("reshape", lambda x: x.reshape(2, 6), (A,)),
    Case("transpose", lambda x: x.T, (A,)),
    Case("broadcast_in_dim", lambda x: jnp.broadcast_to(x[:, None], (3, 2, 4)), (A,)),
    Case("rev", lambda x: lax.rev(x, (0, 1)), (A,)),
    Case("slice", lambda x: x[::2, 1:4:2], (A,)),
    Case("concatenate", lambda x, y: jnp.concatenate([x, y, jnp.ones((1, 4))]), (A, B)),
    Case("split", lambda x: jnp.split(x, [1, 3], axis=1), (A,)),
    Case("pad", lambda x: lax.pad(x, 0.0, [(1, -1, 1), (-1, 2, 2)]), (A,)),
    Case("pad with a number", lambda x: lax.pad(x, 2.5, [(1, 1, 0), (0, 2, 1)]), (A,)),
    Case(
        "pad with a secret", lambda x, v: lax.pad(x, v, [(1, 1, 0), (0, 2, 1)]), (A, np.float32(3))
    ),
    Case("reduce_sum", lambda x: [x.sum(), x.sum(0)], (A,)),
    Case("mean, var, std", lambda x: [x.mean(0), x.var(1), x.std(1)], (A,)),
    Case("reduce_prod", lambda x: x.prod(1), (A,)),
    Case("reduce_max", lambda x: x.max(0), (A,)),
    Case("reduce_min", lambda x: x.min(), (N,)),
    Case("reduce_or", lambda x: x.any(0), (T,)),
    Case("reduce_and", lambda x: x.all(1), (T,)),
    Case("reduce_xor", lambda x: lax.reduce_xor(x, (1,)), (T,)),
    Case("argmax", lambda x: jnp.argmax(x, 1), (A,)),
    Case("argmin", lambda x: jnp.argmin(x, 0), (N,)),
    Case("cumsum", lambda x: [lax.cumsum(x, 1), lax.cumsum(x, 0, reverse=True)], (A,)),
    Case("cumprod", lambda x: lax.cumprod(x, 1), (A,)),
    Case("cummax", lambda x: lax.cummax(x, 1, reverse=True), (A,)),
    Case("cummin", lambda x: lax.cummin(x, 0), (A,)),
    Case("cumlogsumexp", lambda x: lax.cumlogsumexp(x, 1), (A,)),
    Case("sort", lambda x: jnp.sort(x, 0), (A,)),
    Case("argsort", lambda x: jnp.argsort(x, 1), (A,)),
    Case("sort beside", lambda x, y: lax.sort((x, y), dimension=1, num_keys=1), (N, A)),
    Case("sort by two keys", lambda x, y: lax.sort((x, y), dimension=0, num_keys=2), (M % 3, N)),
    Case("top_k", lambda x: lax.top_k(x, 2), (A,)),
    Case("approx_top_k", lambda x: lax.approx_max_k(x, 2), (A,)),
    Case(
        "tile, stack, unstack",
        lambda x: [jnp.tile(x, (2, 1)), jnp.stack([x, x]), *jnp.unstack(x)],
        (A,),
    ),
    Case("scatter_sub", lambda x, v: x.at[jnp.array([2, 0])].subtract(v), (A, B[:2])),
    Case(
        "cholesky",
        jnp.linalg.cholesky,
        (A[:, :3] @ A[:, :3].T + 2 * np.eye(3, dtype=np.float32),),
        5e-3,
    ),
    Case("median", jnp.median, (A[:2],)),
    Case("dot_general", lambda x, y: x @ y.T, (A, B)),
    Case("dot of vectors", jnp.dot, (A[0], B[0])),
    Case(
        "dot in batches",
        lambda x, y: jnp.einsum("bij,bkj->bik", x, y),
        (_floats(2, 3, 4), _floats(2, 5, 4)),
    ),
    Case(
        "dot over several",
        lambda x, y: jnp.einsum("abcd,bdce->eab", x, y),
        (_floats(2, 3, 4, 2), _floats(3, 2, 4, 3)),
    ),
    Case("outer", jnp.outer, (A[0], B[0])),
    Case("dot with public", lambda x: jnp.ones((2, 3)) @ x, (A,)),
    Case("conv_general_dilated", lambda x, k: _convolved(x, k, (1, 1)), (IMAGES, KERNELS)),
    Case(
        "conv dilated",
        lambda x, k: lax.conv_general_dilated(x, k, (2, 1), [(1, 2), (0, 1)], rhs_dilation=(1, 2)),
        (_floats(2, 2, 6, 6), _floats(3, 2, 2, 3)),
    ),
    Case(
        "conv transposed",
        lambda x, k: lax.conv_transpose(x, k, (2, 2), "SAME", dimension_numbers=NHWC),
        (IMAGES, KERNELS),
    ),
    Case("conv in groups", _in_groups, (SERIES, GROUPED)),
    Case("conv gradient", jax.grad(_squares(_convolved), (0, 1)), (IMAGES, KERNELS)),
    Case("conv in groups, gradient", jax.grad(_squares(_in_groups), (0, 1)), (SERIES, GROUPED)),
    Case("reduce_window_max", _maximum, (IMAGES,)),
    Case(
        "reduce_window_min", lambda x: _pooled(x, jnp.inf, lax.min, (1, 2), (1, 2), "VALID"), (A,)
    ),
    Case("reduce_window_sum", _mean, (IMAGES,)),
    Case("select_and_scatter_add", jax.grad(_squares(_maximum)), (IMAGES,)),
    Case("reduce_window_sum, gradient", jax.grad(_squares(_mean)), (IMAGES[:1],)),
    Case("gather of rows", lambda x: x[jnp.array([2, 0, 0])], (A,)),
    Case("gather of elements", lambda x: x[jnp.array([2, 0]), jnp.array([1, -1])], (A,)),
    Case("gather along an axis", lambda x: jnp.take(x, jnp.array([[0, 1], [3, 2]]), axis=1), (A,)),
    Case(
        "take_along_axis",
        lambda x: jnp.take_along_axis(x, jnp.array([[0, 1], [3, 2], [1, 1]]), 1),
        (A,),
    ),
    Case("gather at secrets", lambda x, i: x[i], (A, _ints(2, 0, 1, 1))),
    Case("gather at secrets, axis 1", lambda x, i: x[:, i], (A, _ints([2, 0], [1, 3]))),
    Case("gather at two secrets", lambda x, i, j: x[i, j], (A, _ints(1, 2), _ints(3, 0))),
    Case(
        "take_along_axis of secrets",
        lambda x, i: jnp.take_along_axis(x, i, 1),
        (A, _ints([0, 1], [3, 2], [1, 1])),
    ),
    Case("embedding", lambda i: jnp.take(jnp.asarray(A), i, axis=0), (_ints([0, 1], [2, 2]),)),
    Case("one_hot", lambda i: jax.nn.one_hot(i, 4), (_ints(0, 3, 1),)),
    Case("scatter", lambda x, v: x.at[jnp.array([0, 2])].set(v), (A, B[:2])),
    Case("scatter a number", lambda x: x.at[1].set(5.0), (A,)),
    Case("scatter_add", lambda x, v: x.at[jnp.array([0, 0])].add(v), (A, B[:2])),
    Case("scatter_mul", lambda x, v: x.at[jnp.array([0, 0])].multiply(v), (A, B[:2])),
    Case("scatter_max", lambda x, v: x.at[jnp.array([0, 1])].max(v), (A, B[:2])),
    Case("scatter_min", lambda x, v: x.at[jnp.array([0, 1])].min(v), (A, B[:2])),
    Case("scatter at a secret", lambda x, i, v: x.at[:, i].set(v), (A, np.int32(1), B[:, 0])),
    Case("scatter_add at secrets", lambda x, i, v: x.at[i].add(v), (A, _ints(0, 2, 2), B)),
    Case("segment_sum", lambda v: jax.ops.segment_sum(v, jnp.arange(20) % 2, 2), (_floats(20, 2),)),
    Case("segment_sum at secrets", lambda v, i: jax.ops.segment_sum(v, i, 2), (A, _ints(0, 1, 0))),
    Case("dynamic_slice", lambda x: lax.dynamic_slice(x, (1, 2), (2, 2)), (A,)),
    Case(
        "dynamic_slice at secrets",
        lambda x, i, j: lax.dynamic_slice(x, (i, j), (2, 2)),
        (A, np.int32(1), np.int32(2)),
    ),
    Case(
        "dynamic_update_slice", lambda x, y: lax.dynamic_update_slice(x, y, (1, 1)), (A, B[:2, :2])
    ),
    Case(
        "dynamic_update_slice at secrets",
        lambda x, y, i, j: lax.dynamic_update_slice(x, y, (i, j)),
        (A, B[:2, :2], np.int32(1), np.int32(2)),
    ),
    Case(
        "cond at a secret",
        lambda p, x: lax.cond(p, lambda y: 2 * y, lambda y: y - 1, x),
        (np.bool_(True), A),
    ),
    Case(
        "switch at a secret",
        lambda i, x: lax.switch(i, [lambda y: 2 * y, lambda y: y - 1, jnp.square], x),
        (np.int32(1), A),
    ),
    Case("softmax", jax.nn.softmax, (A,)),
    Case("softmax written out", lambda x: jnp.exp(x) / jnp.exp(x).sum(-1, keepdims=True), (A,)),
    Case("softmax far out", lambda x: jax.nn.softmax(50 * x), (A,)),
    Case("log_softmax", jax.nn.log_softmax, (A,)),
    Case("logsumexp", lambda x: jax.nn.logsumexp(x, 1), (A,)),
    Case(
        "gelu, silu",
        lambda x: [jax.nn.gelu(x), jax.nn.gelu(x, approximate=False), jax.nn.silu(x)],
        (A,),
    ),
    Case(
        "softplus",
        lambda x: [jax.nn.softplus(x), jnp.log(1 + jnp.exp(x)), jax.nn.log_sigmoid(x)],
        (3 * A,),
    ),
    Case("elu, selu", lambda x: [jax.nn.elu(x), jax.nn.selu(x), jax.nn.leaky_relu(x)], (A,)),
    Case(
        "sigmoid written out",
        lambda x: [1 / (1 + jnp.exp(-x)), jnp.exp(x) / (1 + jnp.exp(x))],
        (A,),
    ),
    Case(
        "normalised",
        lambda x: (x - x.mean(1, keepdims=True)) / jnp.sqrt(x.var(1, keepdims=True) + 1e-3),
        (A,),
        5e-3,
    ),
    Case("logaddexp", lambda x, y: jnp.logaddexp(x, y), (A, B)),
    Case("softplus, gradient", jax.grad(lambda x: (jax.nn.softplus(x) * x).sum()), (3 * A,)),
    Case("unit length", lambda x: x / jnp.linalg.norm(x), (A,)),
    Case("searchsorted", lambda x: jnp.searchsorted(jnp.array([-1.0, 0.0, 1.0]), x), (A[0],)),
    Case("vmap", jax.vmap(lambda x, y: jnp.dot(x, y) + x.max()), (A, B)),
    *_LINEAR_ALGEBRA,
    *_SPECIAL,
    Case("clz", lambda x: [lax.clz(x), lax.clz(x.astype(jnp.int8))], (_ints(0, 1, 7, 100, -3),)),
    Case(
        "reduce, a function",
        lambda x, n: [
            lax.reduce(x, np.float32(0.5), lambda a, b: a + b + 0.25 * a * b, (0,)),
            lax.reduce((x, n), (np.float32(0), np.int32(0)), _larger, (0, 1)),
            lax.reduce(x[:0], np.float32(0.5), lambda a, b: a + b + 0.25 * a * b, (0,)),
        ],
        (A, N),
    ),
    Case("associative_scan", lambda x: lax.associative_scan(jnp.add, x, axis=1), (A,)),
]
