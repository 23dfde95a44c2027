"""What is never negative, whatever the secrets are."""

from __future__ import annotations

import numpy as np

from tacit.frontends.jax.body import Atom, Body, Literal

__all__ = ["nonnegative"]

_ALWAYS = frozenset(
    {"abs", "cosh", "exp", "exp2", "logistic", "rsqrt", "softmax", "softplus", "sqrt", "square"}
)
_IF_ALL = frozenset(
    {
        "add",
        "add_any",
        "broadcast_in_dim",
        "concatenate",
        "cummax",
        "cumsum",
        "div",
        "max",
        "min",
        "mul",
        "reduce_max",
        "reduce_min",
        "reduce_prod",
        "reduce_sum",
        "reshape",
        "rev",
        "slice",
        "squeeze",
        "transpose",
    }
)


def nonnegative(body: Body, atom: Atom) -> bool:
    """Whether the text of a function says that a value is not below 0."""
    if isinstance(atom, Literal):
        value = np.asarray(atom.value)
        return value.dtype.kind in "fiub" and bool((value >= 0).all())
    equation = body.producer(atom)
    if equation is None:
        constant = body.constants.get(atom)
        return isinstance(constant, np.ndarray) and bool((constant >= 0).all())
    if equation.primitive in _ALWAYS:
        return np.dtype(equation.results[0].dtype).kind not in "iub"
    if equation.primitive == "integer_pow":
        return bool(equation.parameters["y"] % 2 == 0)
    if equation.primitive == "mul" and equation.operands[0] is equation.operands[1]:
        return True
    if equation.primitive == "select_n":
        return all(nonnegative(body, operand) for operand in equation.operands[1:])
    if equation.primitive in _IF_ALL:
        return all(nonnegative(body, operand) for operand in equation.operands)
    return False
