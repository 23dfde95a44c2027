"""Programs: the operation table, which eager arrays and party processes share.

An operation has a name, a type rule over public types and a meaning over a protocol's
primitives. May import ``functions``, ``protocols`` and below. Start with ``operation.py``, then
``arithmetic.py``; ``table.py`` lists them all.
"""

from tacit.programs.operation import Attributes, NoAttributes, Operation
from tacit.programs.table import OPERATIONS, operation_named
from tacit.programs.types import ArrayType, SecretValue

__all__ = [
    "OPERATIONS",
    "ArrayType",
    "Attributes",
    "NoAttributes",
    "Operation",
    "SecretValue",
    "operation_named",
]
