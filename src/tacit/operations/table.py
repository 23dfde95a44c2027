"""The operation table: everything that can be computed, by name."""

from __future__ import annotations

from collections.abc import Mapping

from tacit.errors import UsageError
from tacit.operations.arithmetic import ARITHMETIC
from tacit.operations.bit_chains import BIT_CHAINS
from tacit.operations.choice import CHOICE
from tacit.operations.comparison import COMPARISON
from tacit.operations.conversion import CONVERSION
from tacit.operations.convolution import CONVOLUTION
from tacit.operations.dynamic import DYNAMIC
from tacit.operations.elementwise import ELEMENTWISE
from tacit.operations.grouping import GROUPING
from tacit.operations.inner_products import INNER_PRODUCTS
from tacit.operations.integers import INTEGER
from tacit.operations.linear_algebra import LINEAR_ALGEBRA
from tacit.operations.logic import LOGIC
from tacit.operations.manipulation import MANIPULATION
from tacit.operations.moments import MOMENTS
from tacit.operations.operation import Operation
from tacit.operations.perceptron import PERCEPTRON
from tacit.operations.polynomials import POLYNOMIALS
from tacit.operations.powers import POWERS
from tacit.operations.rearrangement import REARRANGEMENT
from tacit.operations.reduction import REDUCTION
from tacit.operations.regression import REGRESSION
from tacit.operations.scan import SCAN
from tacit.operations.searching import SEARCHING
from tacit.operations.softmax import SOFTMAX
from tacit.operations.sorting import SORTING

__all__ = ["OPERATIONS", "operation_named"]

OPERATIONS: Mapping[str, Operation] = {
    operation.name: operation
    for operations in (
        ARITHMETIC,
        INNER_PRODUCTS,
        COMPARISON,
        LOGIC,
        INTEGER,
        BIT_CHAINS,
        CHOICE,
        CONVERSION,
        MANIPULATION,
        REARRANGEMENT,
        DYNAMIC,
        REDUCTION,
        SCAN,
        MOMENTS,
        ELEMENTWISE,
        POWERS,
        POLYNOMIALS,
        SOFTMAX,
        CONVOLUTION,
        REGRESSION,
        PERCEPTRON,
        SORTING,
        LINEAR_ALGEBRA,
        SEARCHING,
        GROUPING,
    )
    for operation in operations
}


def operation_named(name: str) -> Operation:
    """The operation with this name.

    Raises
    ------
    UsageError
        There is none (TC-1020); the message lists what exists.
    """
    try:
        return OPERATIONS[name]
    except KeyError:
        raise UsageError(
            f"There is no operation named {name!r}.",
            next_step=f"choose one of: {', '.join(sorted(OPERATIONS))}.",
            case=20,
        ) from None
