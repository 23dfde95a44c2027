"""Operations: the table of everything that can be computed on secret arrays.

An operation has a name, a type rule over public types and a meaning over a protocol's
primitives. May import ``functions``, ``protocols`` and below. Start with ``operation.py``, then
``arithmetic.py``; ``table.py`` lists them all.
"""

from tacit.operations.operation import Attributes, NoAttributes, Operation
from tacit.operations.table import OPERATIONS, operation_named
from tacit.operations.types import ArrayType, SecretValue

__all__ = [
    "OPERATIONS",
    "ArrayType",
    "Attributes",
    "NoAttributes",
    "Operation",
    "SecretValue",
    "operation_named",
]
