"""Operations that stand for several, as the optimiser writes them: looked at as those."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tacit.operations.bit_chains import Chain
from tacit.operations.operation import Attributes
from tacit.operations.types import ArrayType
from tacit.programs.explaining.values import Value
from tacit.programs.inference import CheckedNode

if TYPE_CHECKING:
    from tacit.programs.explaining.walk import Walk

__all__ = ["expanded"]

_STEPS: Final = {
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
    "not": "bitwise_invert",
    "left": "bitwise_left_shift",
    "right": "bitwise_right_shift",
    "nonzero": "not_equal",
}


def expanded(walk: Walk, node: CheckedNode, operands: Sequence[Value]) -> Value | None:
    """The result of an operation as that of simpler ones; None if it is one itself.

    Parameters
    ----------
    walk : Walk
    node : CheckedNode
    operands : sequence of Value
    """
    (kind, *_) = node.results
    match node.node.operation:
        case "sum_of_products":
            return _products(walk, operands, kind)
        case "bit_chain":
            return _chain(walk, operands, node.attributes, kind)
    return None


def _applied(walk: Walk, name: str, operands: Sequence[Value], kind: ArrayType) -> Value:
    shape = np.broadcast_shapes(*(one.shape for one in operands))
    return walk.result(name, Attributes(), operands, ArrayType(kind.dtype, shape))


def _products(walk: Walk, operands: Sequence[Value], kind: ArrayType) -> Value:
    pairs = zip(operands[::2], operands[1::2], strict=True)
    first, *others = [_applied(walk, "multiply", pair, kind) for pair in pairs]
    for one in others:
        first = _applied(walk, "add", [first, one], kind)
    return first


def _chain(walk: Walk, operands: Sequence[Value], chain: Chain, kind: ArrayType) -> Value:
    whole = next(one.type for one in operands if one.type.dtype.kind == "int")
    values = list(operands)
    for step in chain.steps:
        given = [values[step.value]]
        result = whole
        if step.kind in ("and", "or", "xor"):
            given.append(values[step.other])
        elif step.kind != "not":
            number: Any = np.asarray(0 if step.kind == "nonzero" else step.other, np.int64)
            given.append(Value(ArrayType(whole.dtype, (), True), known=number))
            result = kind if step.kind == "nonzero" else whole
        if any(one.inputs for one in given):
            values.append(_applied(walk, _STEPS[step.kind], given, result))
        else:
            values.append(Value(ArrayType(result.dtype, given[0].shape, True)))
    return values[-1]
