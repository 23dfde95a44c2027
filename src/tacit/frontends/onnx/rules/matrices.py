"""Matrix products, sums of products, determinants."""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.arrays import functions as tacit
from tacit.arrays import linalg
from tacit.arrays.array import SecretArray
from tacit.frontends.onnx.registry import Call, operator

__all__: list[str] = []


@operator("MatMul")
def _matmul(call: Call, a: Any, b: Any) -> Any:
    return a @ b


@operator("Gemm")
def _gemm(call: Call, a: Any, b: Any, c: Any = None) -> Any:
    """alpha A B + beta C; a public factor goes to whatever is public."""
    alpha, beta = call.get("alpha", 1.0), call.get("beta", 1.0)
    left = a.T if call.get("transA", 0) else a
    right = b.T if call.get("transB", 0) else b
    if alpha != 1:
        if isinstance(right, np.ndarray):
            right = right * alpha
        elif isinstance(left, np.ndarray):
            left = left * alpha
    product = left @ right
    if alpha != 1 and isinstance(left, SecretArray) and isinstance(right, SecretArray):
        product = product * alpha
    if c is None:
        return product
    return product + (c if beta == 1 else c * beta)


@operator("Einsum")
def _einsum(call: Call, *arrays: Any) -> Any:
    equation = call.text("equation", "").replace(" ", "")
    return tacit.einsum(_without_dots(equation, [x.ndim for x in arrays]), *arrays)


def _without_dots(equation: str, ndims: list[int]) -> str:
    """The equation with letters for the axes that ``...`` stands for."""
    before, arrow, after = equation.partition("->")
    terms = before.split(",")
    if "..." not in equation:
        return equation
    free = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" if c not in equation]
    widths = [
        ndim - len(term.replace("...", "")) if "..." in term else 0
        for term, ndim in zip(terms, ndims, strict=True)
    ]
    most = max(widths)
    letters = "".join(free[:most])
    named = [
        term.replace("...", letters[most - width :])
        for term, width in zip(terms, widths, strict=True)
    ]
    if arrow:
        result = after.replace("...", letters)
    else:
        counts = before.replace("...", "").replace(",", "")
        result = letters + "".join(sorted(c for c in set(counts) if counts.count(c) == 1))
    return ",".join(named) + "->" + result


@operator("Det")
def _determinant(call: Call, x: Any) -> Any:
    """By the rule of Sarrus up to three rows."""
    if x.shape[-1] == 1:
        return x[..., 0, 0]
    if x.shape[-1] == 2:
        return x[..., 0, 0] * x[..., 1, 1] - x[..., 0, 1] * x[..., 1, 0]
    if x.shape[-1] == 3:
        return tacit.sum(x[..., 0, :] * linalg.cross(x[..., 1, :], x[..., 2, :], axis=-1), axis=-1)
    raise call.refuse("determinants of more than three rows are not supported")
