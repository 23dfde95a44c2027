"""How many operands each operation takes.

Rules are about operands that are there; a program from outside may give any number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["ARITY", "MANY"]

MANY: Final = 1 << 20
"""As many as there are."""

_ONE: Final = (
    "negative bitwise_invert floor ceil trunc round abs relu sign clip astype constant reshape"
    " transpose broadcast_to getitem roll repeat tile pad tril triu diagonal sum prod mean"
    " cumulative_sum cumulative_prod diff var exp log sqrt reciprocal sigmoid tanh expm1 log1p log2"
    " log10 rsqrt sin cos tan asin acos atan erf softplus silu gelu sinh cosh square elu leaky_relu"
    " polyval interp piecewise softmax log_softmax logsumexp max_pool avg_pool sort argsort shuffle"
    " inv cholesky det leading_eigenvectors max min any all argmax argmin topk median quantile"
    " one_hot unbounded"
)
_TWO: Final = (
    "add subtract multiply divide matmul less greater less_equal greater_equal equal not_equal"
    " bitwise_and bitwise_or bitwise_xor floor_divide remainder divmod bitwise_left_shift"
    " bitwise_right_shift maximum minimum copysign take hypot atan2 logaddexp pow convolution"
    " class_of_largest solve lstsq searchsorted isin take_secret"
)
_THREE: Final = "where logistic_step"
_OTHERS: Final = {
    "concatenate": (1, MANY),
    "stack": (1, MANY),
    "dynamic_slice": (1, MANY),
    "dynamic_update_slice": (2, MANY),
    "mlp_forward": (3, MANY),
    "mlp_step": (4, MANY),
    "lexsort": (1, MANY),
    "sort_by": (1, MANY),
    "totals_between": (2, 3),
    "group_by": (1, MANY),
    "bit_chain": (1, MANY),
    "sum_of_products": (2, MANY),
}

ARITY: Final[Mapping[str, tuple[int, int]]] = {
    **dict.fromkeys(_ONE.split(), (1, 1)),
    **dict.fromkeys(_TWO.split(), (2, 2)),
    **dict.fromkeys(_THREE.split(), (3, 3)),
    **_OTHERS,
}
"""The fewest and the most operands, by name of the operation."""
