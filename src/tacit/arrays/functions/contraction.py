"""Sums of products by subscripts: Einstein's convention as NumPy writes it."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from tacit.arrays.array import SecretArray, applied
from tacit.arrays.functions.manipulation import diagonal, permute_dims, reshape
from tacit.errors import ShapeError, UsageError
from tacit.operations.promotion import public_array

__all__ = ["einsum"]


def einsum(subscripts: str, /, *operands: Any) -> SecretArray:
    """Sums of products by subscripts: ``tacit.einsum("ij,jk->ik", x, y)`` is ``x @ y``.

    Parameters
    ----------
    subscripts : str
        A letter for each axis of each operand, and those of the result after ``->``; without it
        the letters that appear once, in alphabetic order. No ``...``.
    *operands : SecretArray or array_like

    Returns
    -------
    SecretArray

    Raises
    ------
    UsageError
        The subscripts do not fit the operands (TC-1064).
    ShapeError
        A letter stands for different extents (TC-1111).

    Notes
    -----
    Operands are multiplied from left to right, each step as one batched matrix product, which
    sends as much as its result holds. An operand alone is summed locally.
    """
    inputs, output = _parsed(subscripts, [np.ndim(operand) for operand in operands])
    arrays = [x if isinstance(x, SecretArray) else public_array(x) for x in operands]
    _check_extents(inputs, arrays)
    left, labels = _without_repeats(arrays[0], inputs[0])
    for place in range(1, len(arrays)):
        right, others = _without_repeats(arrays[place], inputs[place])
        wanted = set(output).union(*inputs[place + 1 :])
        left, labels = _product(left, labels, right, others, wanted)
    left, labels = _summed(left, labels, set(output))
    if not isinstance(left, SecretArray):
        return applied("einsum", left)  # raises: none is secret
    return permute_dims(left, [labels.index(label) for label in output]) if output else left


def _parsed(subscripts: str, ndims: Sequence[int]) -> tuple[list[str], str]:
    before, arrow, output = subscripts.replace(" ", "").partition("->")
    inputs = before.split(",")
    letters = before.replace(",", "")
    if not arrow:
        output = "".join(sorted(label for label in set(letters) if letters.count(label) == 1))
    fits = [len(labels) for labels in inputs] == list(ndims)
    known = all(label.isalpha() for label in letters) and set(output) <= set(letters)
    if not fits or not known or len(set(output)) != len(output):
        raise UsageError(
            f"einsum: the subscripts {subscripts!r} do not fit operands of"
            f" {', '.join(map(str, ndims))} dimensions.",
            next_step="give one letter for each axis of each operand, and each letter of the"
            " result once, for instance 'ij,jk->ik'.",
            case=64,
            stage="einsum",
        )
    return inputs, output


def _check_extents(inputs: Sequence[str], arrays: Sequence[Any]) -> None:
    extents: dict[str, int] = {}
    for labels, array in zip(inputs, arrays, strict=True):
        for label, extent in zip(labels, array.shape, strict=True):
            if extents.setdefault(label, extent) != extent:
                raise ShapeError(
                    f"einsum: {label!r} stands for axes of {extents[label]} and {extent} elements.",
                    next_step="make the axes of one letter equally long.",
                    case=11,
                    stage="einsum",
                )


def _without_repeats(x: Any, labels: str) -> tuple[Any, list[str]]:
    """Diagonals where a letter repeats within one operand."""
    left = list(labels)
    for label in dict.fromkeys(labels):
        while left.count(label) > 1:
            first = left.index(label)
            second = left.index(label, first + 1)
            if isinstance(x, SecretArray):
                x = diagonal(x, axis1=first, axis2=second)
            else:
                x = np.diagonal(x, 0, first, second)
            del left[second], left[first]
            left.append(label)
    return x, left


def _summed(x: Any, labels: list[str], wanted: set[str]) -> tuple[Any, list[str]]:
    """Axes that nobody asks for any more, summed over."""
    axes = tuple(place for place, label in enumerate(labels) if label not in wanted)
    if axes:
        x = applied("sum", x, axis=axes) if isinstance(x, SecretArray) else x.sum(axis=axes)
    return x, [label for label in labels if label in wanted]


def _product(
    left: Any, own: list[str], right: Any, others: list[str], wanted: set[str]
) -> tuple[Any, list[str]]:
    """Two operands multiplied, and summed over the letters that only they have."""
    left, own = _summed(left, own, wanted.union(others))
    right, others = _summed(right, others, wanted.union(own))
    batch = [label for label in own if label in others and label in wanted]
    inner = [label for label in own if label in others and label not in wanted]
    rows = [label for label in own if label not in others]
    columns = [label for label in others if label not in own]
    extents = {**dict(zip(own, left.shape, strict=True)),
               **dict(zip(others, right.shape, strict=True))}  # fmt: skip

    def size(labels: Sequence[str]) -> int:
        return prod(extents[label] for label in labels)

    matrices = [extents[label] for label in batch]
    x = _ordered(left, own, [*batch, *rows, *inner], [*matrices, size(rows), size(inner)])
    y = _ordered(right, others, [*batch, *inner, *columns], [*matrices, size(inner), size(columns)])
    labels = [*batch, *rows, *columns]
    shape = [extents[label] for label in labels]
    if isinstance(x, SecretArray) or isinstance(y, SecretArray):
        return reshape(applied("matmul", x, y), shape), labels
    return np.matmul(x, y).reshape(shape), labels


def _ordered(x: Any, labels: list[str], order: Sequence[str], shape: Sequence[int]) -> Any:
    axes = [labels.index(label) for label in order]
    if isinstance(x, SecretArray):
        return reshape(permute_dims(x, axes) if axes else x, shape)
    return x.transpose(axes).reshape(shape)
