"""Which values depend on secrets, and which public ones change from one iteration to the next.

Everything public is computed while the program is made, by JAX or NumPy, loops included: a
program only holds what meets a secret. So three kinds of values are told apart: secret ones,
public ones that are the same in every iteration of a loop, and *varying* ones.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence

import numpy as np

from tacit.frontends.jax.body import Atom, Body, Equation, Literal, Variable
from tacit.frontends.jax.reading import loop_counts

__all__ = ["find_secrets", "without_unused"]

NEVER_SECRET = frozenset({"is_finite"})
"""What is known of every secret: none is infinite or NaN."""


def find_secrets(body: Body, secret: Sequence[bool]) -> None:
    """Mark all variables of a body whose inputs are secret or not; fold what is known anyway."""
    for variable, flag in zip(body.inputs, secret, strict=True):
        variable.secret |= flag
    _mark(body)
    _fold(body)


def _secret(atom: Atom) -> bool:
    return isinstance(atom, Variable) and atom.secret


def _flow(source: Atom, target: Variable) -> bool:
    """What holds of a value holds where it goes; whether that is news."""
    before = target.secret, target.varying
    target.secret |= _secret(source)
    target.varying |= isinstance(source, Variable) and source.varying
    return before != (target.secret, target.varying)


def _mark(body: Body) -> None:
    for equation in body.equations:
        match equation.primitive:
            case "scan":
                _mark_scan(equation)
            case "while":
                _mark_while(equation)
            case "cond":
                _mark_cond(equation)
            case _:
                if known_answer(equation) is not None:
                    continue
                for result in equation.results:
                    for operand in equation.operands:
                        _flow(operand, result)


def _mark_scan(equation: Equation) -> None:
    (body,) = equation.bodies
    consts, carries = loop_counts(equation)
    for operand, inner in zip(equation.operands, body.inputs, strict=True):
        _flow(operand, inner)
    for inner in body.inputs[consts:]:
        inner.varying = True
    _loop(body, body.inputs[consts : consts + carries])
    for source, result in zip(body.outputs, equation.results, strict=True):
        result.secret |= _secret(source)
        result.varying = True  # what is public of it comes from the public side of a loop around it
    for inner, result in zip(body.inputs[consts:], equation.results[:carries], strict=False):
        result.secret |= inner.secret


def _mark_while(equation: Equation) -> None:
    condition, body = equation.bodies
    first = equation.parameters["cond_nconsts"]
    second = first + equation.parameters["body_nconsts"]
    for operand, inner in zip(
        [*equation.operands[first:second], *equation.operands[second:]], body.inputs, strict=True
    ):
        _flow(operand, inner)
    carries = body.inputs[second - first :]
    for inner in carries:
        inner.varying = True
    _loop(body, carries)
    for operand, inner in zip(
        [*equation.operands[:first], *carries], condition.inputs, strict=True
    ):
        _flow(operand, inner)
    _mark(condition)
    for inner, result in zip(carries, equation.results, strict=True):
        result.secret |= inner.secret
        result.varying = True


def _loop(body: Body, carries: Sequence[Variable]) -> None:
    """Mark a body again until what is carried along says nothing new."""
    news = True
    while news:
        _mark(body)
        flows = [_flow(out, inner) for out, inner in zip(body.outputs, carries, strict=False)]
        news = any(flows)


def _mark_cond(equation: Equation) -> None:
    index, *operands = equation.operands
    for branch in equation.bodies:
        for operand, inner in zip(operands, branch.inputs, strict=True):
            _flow(operand, inner)
        _mark(branch)
        for source, result in zip(branch.outputs, equation.results, strict=True):
            _flow(source, result)
            _flow(index, result)


def known_answer(equation: Equation) -> bool | None:
    """What a question about a secret answers for every number: whether it is finite, or NaN."""
    if not equation.secret:
        return None
    if equation.primitive == "is_finite":
        return True
    if equation.primitive not in _COMPARISONS:
        return None
    x, y = equation.operands
    if x is y and equation.primitive in ("eq", "ne"):
        return equation.primitive == "eq"
    for place, atom in enumerate((x, y)):
        value = np.asarray(atom.value) if isinstance(atom, Literal) else np.zeros(0)
        if value.dtype.kind == "f" and value.size == 1 and np.isinf(value).all():
            # No secret is infinite, so any number stands for it.
            pair = [value.item(), 0.0] if place == 0 else [0.0, value.item()]
            return bool(_COMPARISONS[equation.primitive](*pair))
    return None


_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "eq": operator.eq,
    "ge": operator.ge,
    "gt": operator.gt,
    "le": operator.le,
    "lt": operator.lt,
    "ne": operator.ne,
}


def _fold(body: Body) -> None:
    """Put constants where the answer is known."""
    kept = []
    for equation in body.equations:
        for inner in equation.bodies:
            _fold(inner)
        answer = known_answer(equation)
        if answer is None:
            kept.append(equation)
        else:
            (result,) = equation.results
            body.constants[result] = np.full(result.shape, answer)
    body.equations = kept
    body.index()


def without_unused(body: Body) -> None:
    """Drop equations whose results nobody needs; loops keep all that they carry."""
    needed = {atom for atom in body.outputs if isinstance(atom, Variable)}
    kept = []
    for equation in reversed(body.equations):
        if not any(result in needed for result in equation.results):
            continue
        for inner in equation.bodies:
            without_unused(inner)
        kept.append(equation)
        needed.update(atom for atom in equation.operands if not isinstance(atom, Literal))
    body.equations = kept[::-1]
    body.index()
