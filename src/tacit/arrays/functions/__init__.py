"""Functions of secret arrays, named as in the Python array API standard.

Operands are secret arrays or public ones (NumPy arrays, numbers), at least one of them secret;
shapes broadcast as in NumPy. Domains and largest errors are in ``docs/accuracy.md``. One module a
kind of function; whatever a module lists in ``__all__`` is in ``tacit`` under the same name.
The trace of matrices is ``tacit.linalg.trace``, because ``tacit.trace`` makes programs.
"""

from tacit.arrays.functions import (
    arithmetic,
    choice,
    comparison,
    contraction,
    control,
    creation,
    elementwise,
    grouping,
    indexing,
    integers,
    linear_algebra,
    logic,
    manipulation,
    neural,
    polynomials,
    refused,
    rounding,
    searching,
    sorting,
    statistics,
    types,
)
from tacit.arrays.functions.arithmetic import *
from tacit.arrays.functions.choice import *
from tacit.arrays.functions.comparison import *
from tacit.arrays.functions.contraction import *
from tacit.arrays.functions.control import *
from tacit.arrays.functions.creation import *
from tacit.arrays.functions.elementwise import *
from tacit.arrays.functions.grouping import *
from tacit.arrays.functions.indexing import *
from tacit.arrays.functions.integers import *
from tacit.arrays.functions.linear_algebra import *
from tacit.arrays.functions.linear_algebra import trace as trace
from tacit.arrays.functions.logic import *
from tacit.arrays.functions.manipulation import *
from tacit.arrays.functions.neural import *
from tacit.arrays.functions.polynomials import *
from tacit.arrays.functions.refused import *
from tacit.arrays.functions.rounding import *
from tacit.arrays.functions.searching import *
from tacit.arrays.functions.sorting import *
from tacit.arrays.functions.statistics import *
from tacit.arrays.functions.types import *

__all__ = [
    *arithmetic.__all__,
    *choice.__all__,
    *comparison.__all__,
    *contraction.__all__,
    *control.__all__,
    *creation.__all__,
    *elementwise.__all__,
    *grouping.__all__,
    *indexing.__all__,
    *integers.__all__,
    *linear_algebra.__all__,
    *logic.__all__,
    *manipulation.__all__,
    *neural.__all__,
    *polynomials.__all__,
    *refused.__all__,
    *rounding.__all__,
    *searching.__all__,
    *sorting.__all__,
    *statistics.__all__,
    *types.__all__,
]
