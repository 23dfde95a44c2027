"""Matrices taken apart, and systems of equations: one matrix at a time, in the same rounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tacit.arrays import functions as tacit
from tacit.arrays import linalg
from tacit.arrays.elimination import eliminated, fine_reciprocal, finer
from tacit.frontends.jax.rules import Call, advised, rule
from tacit.frontends.jax.values import is_secret, plain, promoted

__all__: list[str] = []


def _each(function: Callable[..., Any], *stacks: Any, axes: int = 2) -> list[Any]:
    """Results of a function of matrices, for stacks of matrices: their last axes."""
    given = [stack if is_secret(stack) else plain(stack) for stack in stacks]
    before = given[0].shape[: given[0].ndim - axes]
    if not before:
        return list(function(*given))
    flat = [_flattened(stack, len(before)) for stack in given]
    found = [function(*(stack[place] for stack in flat)) for place in range(flat[0].shape[0])]
    results = []
    for parts in zip(*found, strict=True):
        stacked = tacit.stack(list(parts))
        results.append(tacit.reshape(stacked, (*before, *stacked.shape[1:])))
    return results


def _flattened(stack: Any, axes: int) -> Any:
    shape = (-1, *stack.shape[axes:])
    return tacit.reshape(stack, shape) if is_secret(stack) else stack.reshape(shape)


@rule("cholesky")
def _cholesky(call: Call, x: Any) -> Any:
    return _each(lambda a: [linalg.cholesky(a)], x)


@rule("lu")
def _lu(call: Call, x: Any) -> Any:
    return _each(eliminated, x)


@rule("triangular_solve")
def _triangular_solve(call: Call, a: Any, b: Any) -> Any:
    left, lower, trans = call["left_side"], call["lower"], call["transpose_a"]

    def solved(a: Any, b: Any) -> list[Any]:
        # X A = B is Aᵀ Xᵀ = Bᵀ.
        found = linalg.solve_triangular(
            a,
            b if left else b.T,
            lower=lower,
            trans=trans if left else not trans,
            unit_diagonal=call["unit_diagonal"],
        )
        return [found if left else found.T]

    return _each(solved, a, b)


@rule("positive_solve")
def _positive_solve(call: Call, a: Any, b: Any) -> Any:
    """What ``reading.py`` makes of a system that JAX solves by Cholesky's factors."""
    rows = call["rows"]

    def turned(x: Any) -> Any:
        return x if not rows else (x.T if is_secret(x) else np.asarray(x).T)

    return turned(linalg.solve(plain(a), turned(plain(b)), assume_a="pos"))


@rule("qr")
def _qr(call: Call, x: Any) -> Any:
    if call["pivoting"]:
        raise advised(
            call, "columns are exchanged by their secret lengths.", "call qr without pivoting."
        )
    if call["full_matrices"] and x.shape[-2] > x.shape[-1]:
        raise advised(
            call, "Q is asked for with columns beyond those of the matrix.", 'use mode="reduced".'
        )
    return _each(linalg.qr, x)


@rule("eigh")
def _eigh(call: Call, x: Any) -> Any:
    if call.equation.parameters.get("subset_by_index") is not None:
        raise advised(call, "some eigenvalues are asked for.", "ask for all, and cut.")

    def found(a: Any) -> Any:
        values, vectors = linalg.eigh(a)
        return vectors, values

    return _each(found, x)


@rule("svd")
def _svd(call: Call, x: Any) -> Any:
    if call.equation.parameters.get("subset_by_index") is not None:
        raise advised(call, "some singular values are asked for.", "ask for all, and cut.")
    if not call["compute_uv"]:
        return _each(lambda a: [linalg.svdvals(a)], x)
    if call["full_matrices"] and x.shape[-2] != x.shape[-1]:
        raise advised(
            call,
            "all columns of U and V are asked for, of a matrix that is not square.",
            "use full_matrices=False.",
        )

    def found(a: Any) -> Any:
        u, s, vh = linalg.svd(a)
        return s, u, vh

    return _each(found, x)


@rule("tridiagonal_solve")
def _tridiagonal_solve(call: Call, below: Any, diagonal: Any, above: Any, b: Any) -> Any:
    """Thomas's elimination without exchanges, row by row: for matrices with a strong diagonal."""
    size = diagonal.shape[-1]
    like = next(value for value in (below, diagonal, above, b) if is_secret(value))
    kind = finer(like)[1]
    *bands, right = (finer(v)[0] if is_secret(v) else plain(v) for v in (below, diagonal, above, b))
    low, middle, up = (_columns(band) for band in bands)
    pivot, rights = middle[0], [right[..., 0:1, :]]
    uppers: list[Any] = []
    for row in range(size):
        if row:
            pivot = middle[row] - low[row] * uppers[-1]
            rights.append(right[..., row : row + 1, :] - low[row] * rights[-1])
        inverse = fine_reciprocal(pivot) if is_secret(pivot) else 1.0 / pivot
        rights[-1] = rights[-1] * inverse
        uppers.append(up[row] * inverse)
    found = rights[-1:]
    for row in range(size - 2, -1, -1):
        found.append(rights[row] - uppers[row] * found[-1])
    rows = [promoted(row, call.dtype, like) for row in found[::-1]]
    return tacit.concat(rows, axis=-2).astype(kind)


def _columns(band: Any) -> list[Any]:
    """The elements of a band, each with two axes for a row of right-hand sides."""
    return [band[..., place, None, None] for place in range(band.shape[-1])]
