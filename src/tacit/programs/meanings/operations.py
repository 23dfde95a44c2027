"""What operations mean on plain float64 numbers: the exact functions, without shares or rounding.

Unlike ``programs/public.py`` nothing here needs the same last bit on two machines: it is what a
private computation is compared with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy import linalg, special

from tacit.functions.eigenvectors import probe
from tacit.operations.types import ArrayType
from tacit.programs.inference import CheckedNode
from tacit.programs.meanings import bits, training
from tacit.programs.public import PUBLIC

__all__ = ["has_meaning", "meaning"]

Arrays: TypeAlias = Sequence[NDArray[Any]]
Meaning: TypeAlias = Callable[[Arrays, Any], Any]


def meaning(node: CheckedNode, operands: Arrays) -> tuple[NDArray[Any], ...]:
    """The results of a node on plain arrays.

    Numbers may be NaN or infinite where a function is not defined.
    """
    name = node.node.operation
    with np.errstate(all="ignore"):
        if name in _TYPED:
            found = _TYPED[name](node, operands)
        else:
            function = _MEANINGS.get(name) or PUBLIC[name]
            found = function([_wide(one) for one in operands], node.attributes)
        several = found if isinstance(found, tuple) else (found,)
        return tuple(_typed(one, t) for one, t in zip(several, node.results, strict=True))


def has_meaning(operation: str) -> bool:
    """Whether :func:`meaning` knows an operation."""
    return operation in _MEANINGS or operation in _TYPED or operation in PUBLIC


def _wide(array: NDArray[Any]) -> NDArray[Any]:
    """Integers as int64: they meet no others that they would overflow with."""
    return array.astype(np.int64) if array.dtype.kind in "iu" else array


def _typed(found: Any, kind: ArrayType) -> NDArray[Any]:
    array = np.broadcast_to(np.asarray(found), kind.shape)
    if kind.dtype.kind == "fixed":
        return array.astype(np.float64)
    if array.dtype.kind == "f":
        array = np.nan_to_num(np.trunc(array))
    return array.astype(kind.dtype.numpy)


def _of_one(function: Callable[[Any], Any]) -> Meaning:
    return lambda o, a: function(o[0].astype(np.float64))


def _axes(a: Any) -> Any:
    return a.axis if a.axis is None or isinstance(a.axis, int) else tuple(a.axis)


def _running(function: Any, first: float) -> Meaning:
    def run(o: Arrays, a: Any) -> Any:
        x = o[0].astype(np.int64) if o[0].dtype == np.bool_ else o[0]
        found = function(x, a.axis)
        if not a.include_initial:
            return found
        shape = list(x.shape)
        shape[a.axis] = 1
        start = np.full(shape, first, found.dtype)
        return np.concatenate([start, found], a.axis)

    return run


def _softmax(x: NDArray[Any], axis: int) -> Any:
    e = np.exp(x - x.max(axis, keepdims=True, initial=-np.inf))
    return e / e.sum(axis, keepdims=True)


def _log_sum(o: Arrays, a: Any) -> Any:
    return special.logsumexp(o[0].astype(np.float64), axis=_axes(a), keepdims=a.keepdims)


def _top(o: Arrays, a: Any) -> Any:
    order = np.argsort(o[0], axis=a.axis, kind="stable")
    if a.largest:
        reverse = np.argsort(np.flip(o[0], a.axis), axis=a.axis, kind="stable")
        order = np.flip(o[0].shape[a.axis] - 1 - reverse, a.axis)
    places = np.take(order, np.arange(a.k), a.axis)
    return np.take_along_axis(o[0], places, a.axis), places


def _order(o: Arrays, a: Any) -> Any:
    if not a.descending:
        return np.argsort(o[0], a.axis, kind="stable")
    flipped = np.flip(o[0], a.axis)
    order = np.flip(np.argsort(flipped, a.axis, kind="stable"), a.axis)
    return o[0].shape[a.axis] - 1 - order


def _by_keys(keys: Arrays, descending: Sequence[bool]) -> NDArray[np.int64]:
    """Rows in the order of keys, the first key first."""
    ranks = []
    for key, down in zip(keys, descending, strict=True):
        _, rank = np.unique(key, return_inverse=True)
        ranks.append(-rank if down else rank)
    return np.lexsort(ranks[::-1])


def _sort_by(o: Arrays, a: Any) -> Any:
    count = len(a.descending)
    order = _by_keys(o[len(o) - count :], a.descending)
    return tuple(column[order] for column in o[: len(o) - count])


def _quantile(o: Arrays, a: Any) -> Any:
    found = np.quantile(o[0].astype(np.float64), a.q, axis=_axes(a), keepdims=a.keepdims)
    return found[0] if a.single else found


def _piecewise(o: Arrays, a: Any) -> Any:
    x = o[0].astype(np.float64)
    place = np.searchsorted(np.asarray(a.breakpoints), x, side="right")
    pieces = [np.polyval(piece, x) for piece in a.pieces]
    return np.choose(place, pieces) if len(pieces) < 32 else np.stack(pieces)[place, ...]


def _lstsq(o: Arrays, a: Any) -> Any:
    x, y = o
    penalty = np.broadcast_to(np.asarray(a.penalty, np.float64), x.shape[1:])
    return linalg.solve(x.T @ x + np.diag(penalty), x.T @ y)


def _windows(x: NDArray[Any], kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int],
             fill: float, dilation: Sequence[int] = ()) -> NDArray[Any]:  # fmt: skip
    """(batch, channels, places …, kernel …)."""
    spatial = len(kernel)
    wide = [(k - 1) * d + 1 for k, d in zip(kernel, dilation or (1,) * spatial, strict=True)]
    around = [(0, 0), (0, 0), *((p, p) for p in padding)]
    padded = np.pad(x, around, constant_values=fill)
    views = sliding_window_view(padded, wide, axis=tuple(range(2, 2 + spatial)))
    steps = tuple(slice(None, None, s) for s in stride)
    apart = tuple(slice(None, None, d) for d in dilation or (1,) * spatial)
    return views[(slice(None), slice(None), *steps, *apart)]


def _convolution(o: Arrays, a: Any) -> Any:
    x, kernels = o
    spatial, groups = x.ndim - 2, a.groups
    cut = _windows(x, kernels.shape[2:], a.stride, a.padding, 0, a.dilation)
    inputs, outputs = x.shape[1] // groups, kernels.shape[0] // groups
    parts = []
    for g in range(groups):
        part = cut[:, g * inputs : (g + 1) * inputs]
        kernel = kernels[g * outputs : (g + 1) * outputs]
        axes = (1, *range(part.ndim - spatial, part.ndim))
        parts.append(np.moveaxis(np.tensordot(part, kernel, (axes, (1, *range(2, kernel.ndim)))),
                                 -1, 1))  # fmt: skip
    return np.concatenate(parts, 1)


def _pooled(function: Any, fill: float) -> Meaning:
    def pool(o: Arrays, a: Any) -> Any:
        x = o[0].astype(np.float64)
        cut = _windows(x, a.kernel, a.stride, a.padding, fill)
        return function(cut, axis=tuple(range(x.ndim, cut.ndim)))

    return pool


def _groups(o: Arrays, a: Any) -> Any:
    """Totals of the rows in each public interval or group."""
    x, edges, *weights = o
    weight = weights[0] if weights else np.ones(len(x), np.int64)
    if a.single:
        inside = x[None, :] == edges[:, None]
    else:
        last = np.arange(len(edges) - 1) == len(edges) - 2
        below = np.where(last[:, None], x[None] <= edges[1:, None], x[None] < edges[1:, None])
        inside = (x[None, :] >= edges[:-1, None]) & below
    return np.tensordot(inside.astype(np.int64), weight, 1)


def _grouped(o: Arrays, a: Any) -> Any:
    """One place for each group, ascending, and zeros behind."""
    keys, values = o[: a.keys], o[a.keys :]
    ranks = np.stack([np.unique(key, return_inverse=True)[1] for key in keys], axis=1)
    _, first, group = np.unique(ranks, axis=0, return_index=True, return_inverse=True)
    size, count = len(ranks), len(first)
    group = group.reshape(-1)

    def padded(front: NDArray[Any]) -> NDArray[Any]:
        return np.concatenate([front, np.zeros(size - count, front.dtype)])

    def total(column: NDArray[Any]) -> NDArray[Any]:
        numbers = column.astype(np.int64) if column.dtype == np.bool_ else column
        sums = np.zeros(size, numbers.dtype)
        np.add.at(sums, group, numbers)
        return sums

    return (
        *(padded(key[first]) for key in keys),
        *(total(value) for value in values),
        np.bincount(group, minlength=size),
        np.arange(size) < count,
    )


def _eigenvectors(o: Arrays, a: Any) -> Any:
    """The largest eigenvalues; of each one's space the vector nearest to the public probe."""
    left = np.asarray((o[0] + o[0].T) / 2, np.float64)
    values, vectors = [], []
    for place in range(a.count):
        found, space = np.linalg.eigh(left)
        same = space[:, found >= found[-1] - _SAME_EIGENVALUE * abs(found[-1])]
        vector = same @ (same.T @ probe(len(left), place))
        vector = vector / np.linalg.norm(vector)
        values.append(found[-1])
        vectors.append(vector)
        left = left - found[-1] * np.outer(vector, vector)
    return np.array(values), np.stack(vectors, axis=1)


_SAME_EIGENVALUE: Final = 1e-9


def _picked(o: Arrays, a: Any) -> Any:
    table, places = o
    return np.take(table, np.clip(places, 0, max(table.shape[a.axis] - 1, 0)), a.axis)


_MEANINGS: Final[Mapping[str, Meaning]] = {
    **{
        name: _of_one(function)
        for name, function in {
            "exp": np.exp, "log": np.log, "log2": np.log2, "log10": np.log10, "log1p": np.log1p,
            "expm1": np.expm1, "sqrt": np.sqrt, "rsqrt": lambda x: 1 / np.sqrt(x),
            "reciprocal": lambda x: 1 / x, "sigmoid": special.expit, "tanh": np.tanh,
            "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos,
            "atan": np.arctan, "erf": special.erf, "softplus": lambda x: np.logaddexp(0, x),
            "silu": lambda x: x * special.expit(x),
            "gelu": lambda x: x * special.ndtr(x), "sinh": np.sinh, "cosh": np.cosh,
            "inv": linalg.inv, "det": np.linalg.det, "cholesky": np.linalg.cholesky,
        }.items()
    },
    "pow": lambda o, a: np.power(o[0].astype(np.float64), o[1])
    if o[0].dtype.kind == "f" or o[1].dtype.kind == "f"
    else np.power(o[0], o[1]),
    "hypot": lambda o, a: np.hypot(*o),
    "atan2": lambda o, a: np.arctan2(*o),
    "logaddexp": lambda o, a: np.logaddexp(*o),
    "elu": lambda o, a: np.where(o[0] > 0, o[0], a.slope * np.expm1(np.minimum(o[0], 0))),
    "leaky_relu": lambda o, a: np.where(o[0] > 0, o[0], a.slope * o[0]),
    "matmul": lambda o, a: np.matmul(*(x.astype(np.int64) if x.dtype == np.bool_ else x
                                       for x in o)),
    "constant": lambda o, a: o[0],
    "sum_of_products": lambda o, a: sum(x * y for x, y in zip(o[::2], o[1::2], strict=True)),
    "sum": lambda o, a: np.sum(o[0], _axes(a), keepdims=a.keepdims),
    "mean": lambda o, a: np.mean(o[0], _axes(a), keepdims=a.keepdims),
    "prod": lambda o, a: np.prod(o[0], _axes(a), keepdims=a.keepdims),
    "var": lambda o, a: np.var(o[0], _axes(a), ddof=a.correction, keepdims=a.keepdims),
    "max": lambda o, a: np.max(o[0], _axes(a), keepdims=a.keepdims),
    "min": lambda o, a: np.min(o[0], _axes(a), keepdims=a.keepdims),
    "any": lambda o, a: np.any(o[0], _axes(a), keepdims=a.keepdims),
    "all": lambda o, a: np.all(o[0], _axes(a), keepdims=a.keepdims),
    "cumulative_sum": _running(np.cumsum, 0),
    "cumulative_prod": _running(np.cumprod, 1),
    "diff": lambda o, a: np.diff(o[0], a.n, a.axis),
    "repeat": lambda o, a: np.repeat(o[0], a.repeats, a.axis),
    "pad": lambda o, a: np.pad(o[0], a.widths, mode=a.mode),
    "polyval": lambda o, a: np.polyval(a.coefficients, o[0]),
    "interp": lambda o, a: np.interp(o[0], a.xp, a.fp, a.left, a.right),
    "piecewise": _piecewise,
    "softmax": lambda o, a: _softmax(o[0], a.axis),
    "log_softmax": lambda o, a: special.log_softmax(o[0], a.axis),
    "logsumexp": _log_sum,
    "convolution": _convolution,
    "max_pool": _pooled(np.max, -np.inf),
    "avg_pool": _pooled(np.mean, 0.0),
    "class_of_largest": lambda o, a: o[1][np.argmax(o[0], 1)],
    "argsort": _order,
    "lexsort": lambda o, a: _by_keys(o, a.descending),
    "sort_by": _sort_by,
    "solve": lambda o, a: np.linalg.solve(*o),
    "lstsq": _lstsq,
    "topk": _top,
    "median": _quantile,
    "quantile": _quantile,
    "searchsorted": lambda o, a: np.searchsorted(o[0], o[1], "right" if a.right else "left"),
    "isin": lambda o, a: np.isin(o[0], o[1]),
    "one_hot": lambda o, a: o[0][..., None] == np.arange(a.classes),
    "take_secret": _picked,
    "totals_between": _groups,
    "group_by": _grouped,
    "leading_eigenvectors": _eigenvectors,
    "logistic_step": training.logistic_step,
    "mlp_forward": training.mlp_forward,
}  # fmt: skip
"""Those that mean more on plain numbers than in ``PUBLIC``."""

_TYPED: Final[Mapping[str, Callable[[CheckedNode, Arrays], Any]]] = {
    "bit_chain": lambda node, o: bits.bit_chain(o, node.attributes),
    "mlp_step": lambda node, o: training.mlp_step(
        o, node.attributes, node.results[0].dtype.fraction_bits
    ),
    "shuffle": lambda node, o: o[0],
}
"""Those whose meaning depends on types; of a shuffle, before its order is known."""
