"""Sums of products: one product of matrices, one truncation, one message for every sum.

* ``sum(x · y, axis)`` is a matrix product, whatever the axes: what is sent and truncated is the
  sum, not every product. So is a mean, a sum of squares, and one of several such products.
* ``x · y + z · w`` is one operation, ``sum_of_products``, truncated once.
* ``x @ v + y @ w`` is ``[x y] @ [v; w]``, and ``x @ v + x @ w`` is ``x @ (v + w)``.
* ``sum(x · c)`` is ``sum(x) · c`` for one public number c.

A sum of fixed point that is truncated at its end has twice the fractional bits until then, so this
is done only where bounds show that it stays within the ring. Integers wrap as before. There are
fewer truncations than before, so errors are no larger.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, Final

import numpy as np

from tacit.operations.reduction import reduced_axes
from tacit.programs.building import Value
from tacit.programs.inference import CheckedNode
from tacit.programs.optimising.contracting import contracted
from tacit.programs.optimising.knowing import Intervals, Knowledge
from tacit.programs.optimising.rewriting import Draft, Rule

__all__ = ["summing"]

_MOST_PAIRS: Final = 64

Pair = tuple[Value, Value]


def summing(intervals: Intervals) -> Rule:
    """A rule for sums whose terms are products; of the graph that the intervals are about."""

    def rule(draft: Draft, node: CheckedNode, operands: Sequence[Value]) -> Sequence[Value] | None:
        if node.public or node.operation is None:
            return None
        known = Knowledge(draft, intervals)
        match node.node.operation:
            case "sum" | "mean":
                found = _reduced(draft, known, node, operands[0])
            case "add" | "subtract":
                found = _added(draft, known, node, operands)
            case _:
                return None
        return None if found is None else [found]

    return rule


def _pairs(draft: Draft, value: Value) -> list[Pair] | None:
    """The factors of a product, or of a sum of products, that nothing else needs."""
    made = draft.made(value)
    if made is None or not draft.used_once(value):
        return None
    match made.operation:
        case "multiply":
            return [(made.operands[0], made.operands[1])]
        case "square":
            return [(made.operands[0], made.operands[0])]
        case "sum_of_products":
            return list(zip(made.operands[::2], made.operands[1::2], strict=True))
        case "negative":
            inner = _pairs(draft, made.operands[0])
            return None if inner is None else [(_negated(draft, x), y) for x, y in inner]
    return None


def _negated(draft: Draft, value: Value) -> Value:
    """-x; of -x the number itself."""
    made = draft.made(value)
    if made is not None and made.operation == "negative":
        return made.operands[0]
    return draft.apply("negative", value)


# Sums over axes.


def _reduced(draft: Draft, known: Knowledge, node: CheckedNode, value: Value) -> Value | None:
    result = node.results[0]
    pairs = _pairs(draft, value)
    name, shape = node.node.operation, value.type.shape
    if pairs is None or value.type.dtype != result.dtype or prod(shape) <= prod(result.shape):
        return None
    integers = result.dtype.kind == "int"
    if integers and (result.dtype.bits != 64 or name == "mean"):
        return None
    axes = reduced_axes(name, shape, node.attributes)
    sums = []
    for x, y in pairs:
        if not _are_factors(result.dtype, x, y):
            return None
        one = _sum_of_scaled(draft, known, node, x, y, shape)
        if one is None:
            one = contracted(draft, known, x, y, shape, axes, result.shape)
        if one is None:
            return None
        sums.append(one)
    total = sums[0]
    for one in sums[1:]:
        total = draft.apply("add", total, one)
        if not known.fits(total):
            return None
    if name == "mean":
        total = draft.apply("multiply", total, _constant(draft, prod(result.shape) / prod(shape)))
    return total if known.fits(total) else None


def _constant(draft: Draft, number: float) -> Value:
    return draft.constant(np.asarray(number, np.float64))


def _are_factors(dtype: Any, x: Value, y: Value) -> bool:
    """Whether two values multiply to this type, at least one of them a secret of it."""
    secrets = [one for one in (x, y) if not one.type.public]
    if any(one.type.dtype.kind == "bool" for one in (x, y)) or not secrets:
        return False
    return all(one.type.dtype == dtype for one in secrets)


def _sum_of_scaled(
    draft: Draft, known: Knowledge, node: CheckedNode, x: Value, y: Value, shape: tuple[int, ...]
) -> Value | None:
    """sum(x · c) as sum(x) · c, for one public number c and x of the product's shape."""
    for secret, factor in ((x, y), (y, x)):
        array = draft.array(factor)
        if array is None or array.size != 1 or secret.type.public or secret.type.shape != shape:
            continue
        total = draft.node("sum", [secret], node.attributes)[0]
        found = draft.apply("multiply", total, draft.constant(array.reshape(())))
        return found if known.fits(total) and known.fits(found) else None
    return None


# Sums of two.


def _added(
    draft: Draft, known: Knowledge, node: CheckedNode, operands: Sequence[Value]
) -> Value | None:
    result = node.results[0]
    same = all(one.type.dtype == result.dtype for one in operands)
    if result.dtype.kind != "fixed" or not same or any(one.type.public for one in operands):
        return None
    if any(one.type.shape != result.shape for one in operands):
        return None
    minus = node.node.operation == "subtract"
    found = _joined_pairs(draft, operands, minus)
    if found is None:
        found = _joined_matrices(draft, known, operands, minus)
    return found if found is not None and known.fits(found) else None


def _joined_pairs(draft: Draft, operands: Sequence[Value], minus: bool) -> Value | None:
    """x · y ± z · w, truncated once."""
    if operands[0] is operands[1]:
        return None
    sides = [_pairs(draft, one) for one in operands]
    if sides[0] is None or sides[1] is None or len(sides[0] + sides[1]) > _MOST_PAIRS:
        return None
    dtype = operands[0].type.dtype
    for x, y in sides[0] + sides[1]:
        if x.type.public or y.type.public or {x.type.dtype, y.type.dtype} != {dtype}:
            return None
    second = [(_negated(draft, x), y) for x, y in sides[1]] if minus else sides[1]
    flat = [one for pair in sides[0] + second for one in pair]
    return draft.apply("sum_of_products", *flat)


def _joined_matrices(
    draft: Draft, known: Knowledge, operands: Sequence[Value], minus: bool
) -> Value | None:
    """x @ v ± y @ w, truncated once."""
    sides = [both for one in operands if (both := _matrices(draft, one)) is not None]
    if len(sides) < 2 or operands[0] is operands[1]:
        return None
    (x, v), (y, w) = sides
    shape = operands[0].type.shape
    found: Value | None = None
    if x is y or v is w:
        one, two = (v, w) if x is y else (x, y)
        total = draft.apply("subtract" if minus else "add", one, two)
        if one.type.shape == two.type.shape and known.fits(total):
            found = draft.apply("matmul", *((x, total) if x is y else (total, v)))
    elif _join(x, y, len(x.type.shape) - 1) and _join(v, w, max(len(v.type.shape) - 2, 0)):
        if minus:
            smaller = prod(w.type.shape) <= prod(y.type.shape)
            y, w = (y, _negated(draft, w)) if smaller else (_negated(draft, y), w)
        left = draft.apply("concatenate", x, y, axis=len(x.type.shape) - 1)
        right = draft.apply("concatenate", v, w, axis=max(len(v.type.shape) - 2, 0))
        found = draft.apply("matmul", left, right)
    if found is None or found.type.shape == shape:
        return found
    return draft.apply("reshape", found, shape=shape)


def _join(one: Value, other: Value, axis: int) -> bool:
    """Whether two arrays are equally long along all axes but one."""
    first, second = list(one.type.shape), list(other.type.shape)
    return len(first) == len(second) and first[:axis] + first[axis + 1 :] == (
        second[:axis] + second[axis + 1 :]
    )


def _matrices(draft: Draft, value: Value) -> Pair | None:
    """The factors of a product of secret matrices that nothing else needs."""
    made = draft.made(value)
    if made is not None and made.operation == "reshape" and draft.used_once(value):
        value = made.operands[0]
        made = draft.made(value)
    if made is None or made.operation != "matmul" or not draft.used_once(value):
        return None
    x, y = made.operands
    dtype = value.type.dtype
    if x.type.public or y.type.public or {x.type.dtype, y.type.dtype} != {dtype}:
        return None
    return x, y
