"""What a chain of operations on bits means on plain integers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.operations.bit_chains import Chain

__all__ = ["bit_chain"]


def bit_chain(operands: Sequence[NDArray[Any]], a: Chain) -> NDArray[Any]:
    """The last step's result, every step in the operands' common type.

    Parameters
    ----------
    operands : sequence of ndarray
        Integers of the types that they have in the program.
    """
    kind = np.result_type(*operands)
    values = [one.astype(kind) for one in np.broadcast_arrays(*operands)]
    most = kind.itemsize * 8
    for step in a.steps:
        one = values[step.value]
        if step.kind == "and":
            found = one & values[step.other]
        elif step.kind == "or":
            found = one | values[step.other]
        elif step.kind == "xor":
            found = one ^ values[step.other]
        elif step.kind == "not":
            found = ~one
        elif step.kind == "nonzero":
            found = one != 0
        elif step.kind == "left":
            found = one << step.other if step.other < most else np.zeros_like(one)
        else:  # beyond the last bit only the sign is left
            found = one >> min(step.other, most - 1)
            if step.other >= most and kind.kind == "u":
                found = np.zeros_like(one)
        values.append(found)
    return values[-1]
