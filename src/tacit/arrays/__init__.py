"""Secret arrays: the NumPy-like face that users type.

May import ``sessions``, ``programs``, ``operations`` and below. Start with ``computation.py``, then
``array.py``; ``opening.py`` opens a computation on this machine; ``functions`` has the functions of
the array API standard, one module a kind.
"""

from tacit.arrays import linalg
from tacit.arrays.array import SecretArray
from tacit.arrays.computation import Computation
from tacit.arrays.opening import local

__all__ = ["Computation", "SecretArray", "linalg", "local"]
