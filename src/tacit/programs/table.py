"""The operation table: everything that can be computed, by name."""

from __future__ import annotations

from collections.abc import Mapping

from tacit.errors import UsageError
from tacit.programs.arithmetic import ARITHMETIC
from tacit.programs.choice import CHOICE
from tacit.programs.comparison import COMPARISON
from tacit.programs.conversion import CONVERSION
from tacit.programs.convolution import CONVOLUTION
from tacit.programs.elementwise import ELEMENTWISE
from tacit.programs.grouping import GROUPING
from tacit.programs.integers import INTEGER
from tacit.programs.linear_algebra import LINEAR_ALGEBRA
from tacit.programs.logic import LOGIC
from tacit.programs.manipulation import MANIPULATION
from tacit.programs.moments import MOMENTS
from tacit.programs.operation import Operation
from tacit.programs.perceptron import PERCEPTRON
from tacit.programs.polynomials import POLYNOMIALS
from tacit.programs.powers import POWERS
from tacit.programs.rearrangement import REARRANGEMENT
from tacit.programs.reduction import REDUCTION
from tacit.programs.regression import REGRESSION
from tacit.programs.scan import SCAN
from tacit.programs.searching import SEARCHING
from tacit.programs.softmax import SOFTMAX
from tacit.programs.sorting import SORTING

__all__ = ["OPERATIONS", "operation_named"]

OPERATIONS: Mapping[str, Operation] = {
    operation.name: operation
    for operations in (
        ARITHMETIC,
        COMPARISON,
        LOGIC,
        INTEGER,
        CHOICE,
        CONVERSION,
        MANIPULATION,
        REARRANGEMENT,
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
