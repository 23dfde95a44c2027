"""Operations in words: what a step does, for people who do not read programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

__all__ = ["KEEPING", "WORDS", "sentence"]

KEEPING: Final = frozenset(
    {"reshape", "transpose", "broadcast_to", "getitem", "concatenate", "stack", "roll", "repeat",
     "tile", "pad", "tril", "triu", "diagonal", "dynamic_slice", "dynamic_update_slice", "take",
     "astype", "constant", "unbounded"}
)  # fmt: skip
"""Operations that only move or retype numbers."""

WORDS: Final[Mapping[str, str]] = {
    "add": "add {0} and {1}",
    "subtract": "subtract {1} from {0}",
    "negative": "change the sign of {0}",
    "multiply": "multiply {0} by {1}",
    "divide": "divide {0} by {1}",
    "matmul": "multiply {0} and {1} as matrices (weighted sums)",
    "sum_of_products": "add up products, pair by pair, of {all}",
    "less": "see where {0} is less than {1}",
    "greater": "see where {0} is greater than {1}",
    "less_equal": "see where {0} is at most {1}",
    "greater_equal": "see where {0} is at least {1}",
    "equal": "see where {0} equals {1}",
    "not_equal": "see where {0} differs from {1}",
    "bitwise_and": "see where {0} and {1} both hold",
    "bitwise_or": "see where {0} or {1} holds",
    "bitwise_xor": "see where exactly one of {0} and {1} holds",
    "bitwise_invert": "turn {0} into its opposite",
    "floor_divide": "divide {0} by {1}, rounded down",
    "remainder": "take the remainder of {0} divided by {1}",
    "where": "choose, where {0} holds, {1}, and else {2}",
    "maximum": "take the larger of {0} and {1}",
    "minimum": "take the smaller of {0} and {1}",
    "abs": "take the size of {0} without its sign",
    "sign": "take the sign of {0}",
    "relu": "replace negative numbers of {0} by 0",
    "clip": "limit {0} to a public range",
    "floor": "round {0} down",
    "ceil": "round {0} up",
    "round": "round {0}",
    "trunc": "cut off the fractions of {0}",
    "astype": "write {0} in another type",
    "unbounded": "go on with {0} in the domain that the function states",
    "constant": "take the public numbers {0}",
    "reshape": "arrange {0} in another shape",
    "transpose": "exchange the axes of {0}",
    "broadcast_to": "repeat {0}",
    "getitem": "take a public part of {0}",
    "dynamic_slice": "take a public part of {0}",
    "dynamic_update_slice": "replace a public part of {0} by {1}",
    "take": "take public positions of {0}",
    "concatenate": "put {all} one after the other",
    "stack": "put {all} side by side",
    "roll": "move the elements of {0} along",
    "sum": "add up {0}",
    "prod": "multiply all of {0}",
    "mean": "take the mean of {0}",
    "var": "take the variance of {0}",
    "cumulative_sum": "take running sums of {0}",
    "cumulative_prod": "take running products of {0}",
    "diff": "take differences of neighbours in {0}",
    "square": "square {0}",
    "sqrt": "take the square root of {0}",
    "pow": "raise {0} to the power {1}",
    "sigmoid": "turn scores {0} into probabilities (sigmoid)",
    "softmax": "turn scores {0} into probabilities (softmax)",
    "convolution": "slide the weights {1} over {0} (convolution)",
    "max_pool": "take the largest number of each window of {0}",
    "avg_pool": "take the mean of each window of {0}",
    "sort": "sort {0}",
    "argsort": "find the order of {0}",
    "lexsort": "find the order of rows by {all}",
    "sort_by": "sort rows: {all}",
    "shuffle": "shuffle {0} so that nobody knows the order",
    "max": "take the largest number of {0}",
    "min": "take the smallest number of {0}",
    "argmax": "find where {0} is largest",
    "argmin": "find where {0} is smallest",
    "topk": "take the largest numbers of {0}, and where they stand",
    "median": "take the median of {0}",
    "quantile": "take quantiles of {0}",
    "any": "see whether any of {0} holds",
    "all": "see whether all of {0} hold",
    "isin": "see which of {0} are among {1}",
    "one_hot": "mark the class of each of {0}",
    "take_secret": "look up {1} in {0}, without showing which",
    "searchsorted": "find between which of {0} each of {1} lies",
    "totals_between": "count, or add up, by public groups: {all}",
    "group_by": "add up and count by secret groups: {all}",
    "inv": "invert the matrix {0}",
    "solve": "solve the equations {0} x = {1}",
    "lstsq": "fit {1} by {0} (least squares)",
    "logistic_step": "one step of logistic regression on rows {0} and labels {1}",
    "mlp_step": "one training step of a neural network on rows {0} and labels {1}",
    "mlp_forward": "apply a neural network to {0}",
    "class_of_largest": "find the class with the largest score in {0}",
    "logsumexp": "take the logarithm of the sum of exponentials of {0}",
    "exp": "take the exponential of {0}",
    "expm1": "take the exponential of {0}, less 1",
    "log": "take the logarithm of {0}",
    "log1p": "take the logarithm of 1 plus {0}",
    "log2": "take the logarithm to base 2 of {0}",
    "log10": "take the logarithm to base 10 of {0}",
    "rsqrt": "take one over the square root of {0}",
    "reciprocal": "take one over {0}",
    "sin": "take the sine of {0}",
    "cos": "take the cosine of {0}",
    "tan": "take the tangent of {0}",
    "asin": "take the angle whose sine is {0}",
    "acos": "take the angle whose cosine is {0}",
    "atan": "take the angle whose tangent is {0}",
    "atan2": "take the angle of the point with height {0} and width {1}",
    "sinh": "take the hyperbolic sine of {0}",
    "cosh": "take the hyperbolic cosine of {0}",
    "tanh": "squeeze {0} between -1 and 1 (tanh)",
    "hypot": "take the length of the hypotenuse over {0} and {1}",
    "copysign": "give the size of {0} the sign of {1}",
    "erf": "squeeze {0} between -1 and 1 (error function)",
    "gelu": "fade out negative numbers of {0} (gelu)",
    "silu": "fade out negative numbers of {0} (silu)",
    "elu": "flatten negative numbers of {0} (elu)",
    "leaky_relu": "make negative numbers of {0} smaller (leaky relu)",
    "softplus": "flatten negative numbers of {0} smoothly (softplus)",
    "interp": "read {0} off a public table, between its lines",
    "piecewise": "read {0} off public polynomials, one for each range",
    "polyval": "put {0} into a public polynomial",
    "logaddexp": "take the logarithm of the sum of the exponentials of {0} and {1}",
    "log_softmax": "turn scores {0} into logarithms of probabilities (log softmax)",
    "bitwise_left_shift": "move the bits of {0} up by {1} places",
    "bitwise_right_shift": "move the bits of {0} down by {1} places",
    "bit_chain": "combine the bits of {all}, several steps at once",
    "divmod": "divide {0} by {1}, with the remainder",
    "cholesky": "take the Cholesky factor of the matrix {0}",
    "det": "take the determinant of the matrix {0}",
    "diagonal": "take the diagonal of {0}",
    "tril": "keep what is on and below the diagonal of {0}",
    "triu": "keep what is on and above the diagonal of {0}",
    "pad": "put public numbers around {0}",
    "repeat": "repeat the elements of {0}",
    "tile": "repeat {0}",
    "leading_eigenvectors": "find the main directions of {0}",
}

_OF_BITS: Final[Mapping[str, str]] = {
    "bitwise_and": "keep the bits that {0} and {1} both have",
    "bitwise_or": "join the bits of {0} and {1}",
    "bitwise_xor": "turn over the bits of {0} where {1} has ones",
    "bitwise_invert": "turn over all bits of {0}",
}
"""The same operations on whole numbers."""


def sentence(
    operation: str, operands: Sequence[str], attributes: Any, *, of_bits: bool = False
) -> str:
    """A step in words.

    Parameters
    ----------
    operation : str
    operands : sequence of str
        How the operands are called.
    attributes : Attributes
        The axis that is reduced is told.
    of_bits : bool
        Whether the result is whole numbers.
    """
    names = list(operands) + ["?"] * max(0, 3 - len(operands))
    every = _listed(operands)
    template = _OF_BITS.get(operation) if of_bits else None
    template = template or WORDS.get(operation)
    if template is None:
        return f"compute {operation.replace('_', ' ')} of {every}"
    text = template.format(*names, all=every)
    axis = getattr(attributes, "axis", None)
    if axis is None or operation in KEEPING:
        return text
    axes = axis if isinstance(axis, tuple) else (axis,)
    return f"{text} along axis {', '.join(map(str, axes))}" if axes else text


def _listed(names: Sequence[str]) -> str:
    if len(names) > 6:
        return f"{', '.join(names[:3])}, … ({len(names)} of them)"
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
