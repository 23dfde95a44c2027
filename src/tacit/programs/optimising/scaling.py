"""Factors that all know: several in a row are one, so that the product is truncated once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tacit.programs.building import Value
from tacit.programs.inference import CheckedNode
from tacit.programs.optimising.rewriting import Draft

__all__ = ["scaled_once"]


def scaled_once(
    draft: Draft, node: CheckedNode, operands: Sequence[Value]
) -> Sequence[Value] | None:
    """``(x · a) · b``, ``(x · a) / b``, ``-x · a`` and ``-(x · a)`` as one product."""
    if node.public or node.results[0].dtype.kind != "fixed":
        return None
    outer = _factor(draft, node.node.operation, operands)
    if outer is None:
        return None
    inner_value, factor = outer
    before = draft.made(inner_value)
    if before is None or not draft.used_once(inner_value) or inner_value.type.public:
        return None
    inner = _factor(draft, before.operation, before.operands)
    if inner is None:
        return None
    value, first = inner
    if value.type.public or value.type.dtype != node.results[0].dtype:
        return None
    both = first * factor
    plain = (before.operation, node.node.operation).count("negative")
    if plain == 2 or not np.isfinite(both).all() or not _keeps(first, factor, both):
        return None
    return [draft.apply("multiply", value, draft.constant(np.asarray(both, np.float64)))]


def _factor(
    draft: Draft, name: str, operands: Sequence[Value]
) -> tuple[Value, NDArray[np.float64]] | None:
    """The secret of a product with constants, and the constants."""
    if name == "negative":
        return operands[0], np.asarray(-1.0)
    if name == "divide":
        array = draft.array(operands[1])
        if array is None or not np.all(array):
            return None
        return operands[0], 1.0 / array.astype(np.float64)
    if name == "multiply":
        for side in (0, 1):
            array = draft.array(operands[side])
            if array is not None and array.dtype != np.bool_:
                return operands[1 - side], array.astype(np.float64)
    return None


def _keeps(
    first: NDArray[np.float64], second: NDArray[np.float64], both: NDArray[np.float64]
) -> bool:
    """Whether the product is no worse an operand than its factors: neither huge nor tiny."""
    sizes = np.abs(both)
    return bool(np.all(sizes <= 2.0**30) and np.all((sizes >= 2.0**-30) | (sizes == 0)))
