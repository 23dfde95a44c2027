"""Equations that together are one function of tacit: put in their place.

What JAX writes out for floats (a maximum subtracted before an exponential, a square root before a
division, an absolute value of what is positive) costs rounds and bits in fixed point. Each pattern
is matched by its equations, not by the name of a function.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from tacit.frontends.jax.body import Atom, Body, Equation, Literal, Variable, atom_shape
from tacit.frontends.jax.signs import nonnegative

__all__ = ["fused"]


def fused(body: Body) -> None:
    """Put patterns of a body, and of the bodies inside, together."""
    for equation in body.equations:
        for inner in equation.bodies:
            fused(inner)
    _without_identities(body)
    _without_repeats(body)
    for pattern in _PATTERNS:
        for place, equation in enumerate(body.equations):
            if equation.secret:
                found = pattern(body, equation)
                if found is not None:
                    body.equations[place : place + 1] = found
                    body.index()


# Values that are other values.


def _without_identities(body: Body) -> None:
    """Drop equations that give back an operand, or what everybody knows."""
    same: dict[Variable, Atom] = {}

    def final(atom: Atom) -> Atom:
        while isinstance(atom, Variable) and atom in same:
            atom = same[atom]
        return atom

    kept = []
    for equation in body.equations:
        equation.operands = [final(atom) for atom in equation.operands]
        found = _identity(body, equation) if equation.secret else None
        if isinstance(found, bool):
            (result,) = equation.results
            body.constants[result] = np.full(result.shape, found)
            result.secret = result.varying = False
        elif found is not None:
            same[equation.results[0]] = found
        else:
            kept.append(equation)
    body.equations = kept
    body.outputs = [final(atom) for atom in body.outputs]
    body.index()


def _identity(body: Body, equation: Equation) -> Atom | bool | None:
    operands = equation.operands
    match equation.primitive:
        case "abs" if nonnegative(body, operands[0]):
            return operands[0]
        case "ge" if nonnegative(body, operands[0]) and _is(body, operands[1], 0):
            return True
        case "lt" if nonnegative(body, operands[0]) and _is(body, operands[1], 0):
            return False
        case "max" | "min":
            never = -np.inf if equation.primitive == "max" else np.inf
            for one, other in (operands, operands[::-1]):
                if _is(body, one, never) and atom_shape(other) == equation.results[0].shape:
                    return other
        case "select_n":
            which = _constant(body, operands[0])
            if which is not None and which.size and (which == which.flat[0]).all():
                return operands[1 + int(which.flat[0])]
            if len(operands) == 3 and _is(body, operands[2], -np.inf):
                return operands[1] if _no_pivot(body, operands[0]) else None
        case "lu_pivots_to_permutation":
            factors = body.producer(operands[0], "lu")
            if factors is not None and factors.results[1] is operands[0]:
                return factors.results[2]
        case "mul" | "div":
            pairs = (operands, operands[::-1]) if equation.primitive == "mul" else (operands,)
            for one, other in pairs:
                if _is(body, other, 1) and atom_shape(one) == equation.results[0].shape:
                    return one
        case "add" | "add_any" | "sub":
            pairs = (operands,) if equation.primitive == "sub" else (operands, operands[::-1])
            for one, other in pairs:
                if _is(body, other, 0) and atom_shape(one) == equation.results[0].shape:
                    return one
        case "convert_element_type":
            source = operands[0]
            kinds = [np.dtype(v.dtype).kind for v in (source, equation.results[0])]  # type: ignore[union-attr]
            if kinds[0] not in "iubc" and kinds[1] not in "iubc":
                return source
    return None


def _no_pivot(body: Body, atom: Atom) -> bool:
    """Whether a value asks if a pivot of elimination is 0: then results mean nothing anyway."""
    reduced = body.producer(atom, "reduce_or")
    asked = body.producer(reduced.operands[0], "eq") if reduced is not None else None
    if asked is None or not _is(body, asked.operands[1], 0):
        return False
    before = [asked.operands[0]]
    while before:
        producer = body.producer(before.pop())
        if producer is not None and producer.primitive == "lu":
            return True
        if producer is not None and producer.primitive in _FROM_DIAGONALS:
            before += [one for one in producer.operands if isinstance(one, Variable) and one.secret]
    return False


_FROM_DIAGONALS = frozenset({"cond", "gather", "mul", "reduce_sum", "reshape", "squeeze"})


def _constant(body: Body, atom: Atom) -> Any:
    """A value that is the same whenever the program is made: of a literal, repeated or not."""
    if isinstance(atom, Literal):
        return np.asarray(atom.value)
    if atom in body.constants:
        value = body.constants[atom]
        return value if isinstance(value, np.ndarray) else None
    producer = body.producer(atom)
    if producer is not None and producer.primitive in ("broadcast_in_dim", "reshape"):
        return _constant(body, producer.operands[0])
    return None


def _is(body: Body, atom: Atom, number: float) -> bool:
    """Whether a value is this public number everywhere."""
    value = _constant(body, atom)
    return (
        value is not None
        and bool(value.size)
        and value.dtype.kind != "b"
        and bool((value == number).all())
    )


def _without_repeats(body: Body) -> None:
    """Drop equations that compute on secrets what another one does."""
    first: dict[Any, Equation] = {}
    same: dict[Variable, Atom] = {}
    kept = []
    for equation in body.equations:
        equation.operands = [
            same.get(atom, atom) if isinstance(atom, Variable) else atom
            for atom in equation.operands
        ]
        if not equation.secret or equation.bodies or "update_jaxpr" in equation.parameters:
            kept.append(equation)
            continue
        operands = tuple(
            id(a) if isinstance(a, Variable) else (str(a.value.dtype), a.value.tobytes())
            for a in equation.operands
        )
        shapes = tuple(result.shape for result in equation.results)
        key = equation.primitive, operands, shapes, repr(sorted(equation.parameters.items()))
        known = first.setdefault(key, equation)
        if known is equation:
            kept.append(equation)
        else:
            same.update(zip(equation.results, known.results, strict=True))
    body.equations = kept
    body.outputs = [same.get(a, a) if isinstance(a, Variable) else a for a in body.outputs]
    body.index()


# Patterns.


def _equation(
    name: str, operands: list[Atom], results: list[Variable], source: str, **parameters: Any
) -> Equation:
    return Equation(name, operands, results, parameters, source=source)


def _like(variable: Variable, shape: tuple[int, ...] | None = None) -> Variable:
    return Variable(variable.shape if shape is None else shape, variable.dtype, variable.secret)


def _is_float(equation: Equation) -> bool:
    return np.dtype(equation.results[0].dtype).kind not in "iub"


def _before_moves(body: Body, atom: Atom) -> tuple[Atom, list[Equation]]:
    """What a value was before it was repeated and reshaped, and these equations."""
    moves: list[Equation] = []
    while True:
        producer = body.producer(atom)
        if producer is None or producer.primitive not in ("broadcast_in_dim", "reshape", "squeeze"):
            return atom, moves[::-1]
        moves.append(producer)
        atom = producer.operands[0]


def _spread(body: Body, atom: Atom, axes: tuple[int, ...], ndim: int) -> Atom | None:
    """What was reduced over `axes` before it was repeated along them again; None if not so."""
    shape = atom_shape(atom)
    source, moves = _before_moves(body, atom)
    if not moves or len(shape) != ndim:
        return None
    rest = [extent for axis, extent in enumerate(shape) if axis not in axes]
    if list(atom_shape(source)) != rest:
        return None
    # Follow where the axes of the source go: they must end at the axes that are left.
    marks = np.arange(prod(rest)).reshape(rest)
    ends = marks
    for move in moves:
        ends = _moved(move, ends)
    expected = np.broadcast_to(np.expand_dims(marks, axes), shape) if prod(rest) < 10**7 else None
    return source if expected is not None and np.array_equal(ends, expected) else None


def _moved(move: Equation, values: Any) -> Any:
    target = move.results[0].shape
    if move.primitive != "broadcast_in_dim":
        return values.reshape(target)
    shape = [1] * len(target)
    for axis, extent in zip(move.parameters["broadcast_dimensions"], values.shape, strict=True):
        shape[axis] = extent
    return np.broadcast_to(values.reshape(shape), target)


def _softmax(body: Body, equation: Equation) -> list[Equation] | None:
    """exp(x - m) / Σ exp(x - m), whatever m is along the axis."""
    if equation.primitive != "div":
        return None
    top, below = equation.operands
    exponential = body.producer(top, "exp")
    if exponential is None:
        return None
    total, _ = _before_moves(body, below)
    summed = body.producer(total, "reduce_sum")
    if summed is None or summed.operands[0] is not top:
        return None
    axes = tuple(summed.parameters["axes"])
    ndim = len(equation.results[0].shape)
    if len(axes) != 1 or _spread(body, below, axes, ndim) is None:
        return None
    x = _unshifted(body, exponential.operands[0], axes)
    return [_equation("softmax", [x], equation.results, equation.source, axis=axes[0])]


def _unshifted(body: Body, atom: Atom, axes: tuple[int, ...]) -> Atom:
    """x, where the value is x less something that is the same along the axes."""
    shifted = body.producer(atom, "sub")
    if shifted is None:
        return atom
    x, shift = shifted.operands
    constant = _spread(body, shift, axes, len(atom_shape(atom))) is not None
    return x if constant else atom


def _softplus(body: Body, equation: Equation) -> list[Equation] | None:
    """log(1 + exp(x)), in either way to write it."""
    if equation.primitive == "log1p":
        (inner,) = equation.operands
    elif equation.primitive == "log":
        added = body.producer(equation.operands[0], "add")
        inner = _other(body, added, 1) if added is not None else None  # type: ignore[assignment]
    else:
        return None
    exponential = body.producer(inner, "exp") if inner is not None else None
    if exponential is None:
        return None
    return [_equation("softplus", exponential.operands, equation.results, equation.source)]


def _other(body: Body, equation: Equation, number: float) -> Atom | None:
    """The operand beside a public number."""
    one, other = equation.operands
    if _is(body, other, number):
        return one
    return other if _is(body, one, number) else None


def _sigmoid(body: Body, equation: Equation) -> list[Equation] | None:
    """1 / (1 + exp(-x)), and exp(x) / (1 + exp(x))."""
    if equation.primitive != "div":
        return None
    top, below = equation.operands
    added = body.producer(below, "add")
    inner = _other(body, added, 1) if added is not None else None
    exponential = body.producer(inner, "exp") if inner is not None else None
    if exponential is None:
        return None
    if inner is top:
        return [_equation("logistic", exponential.operands, equation.results, equation.source)]
    negated = body.producer(exponential.operands[0], "neg")
    if negated is None or not _is(body, top, 1):
        return None
    return [_equation("logistic", negated.operands, equation.results, equation.source)]


def _logaddexp(body: Body, equation: Equation) -> list[Equation] | None:
    """max(x, y) + log(1 + exp(-|x - y|)), which for y = 0 is softplus."""
    if equation.primitive != "add":
        return None
    for larger, rest in (equation.operands, equation.operands[::-1]):
        extreme, soft = body.producer(larger, "max"), body.producer(rest, "softplus")
        negative = body.producer(soft.operands[0], "neg") if soft is not None else None
        distance = body.producer(negative.operands[0], "abs") if negative is not None else None
        if extreme is None or distance is None:
            continue
        x, y = extreme.operands
        if _is(body, y, 0) and distance.operands[0] is x:
            return [_equation("softplus", [x], equation.results, equation.source)]
        apart = body.producer(distance.operands[0], "sub")
        if apart is not None and apart.operands == extreme.operands:
            return [_equation("logaddexp", [x, y], equation.results, equation.source)]
    return None


def _softplus_slope(body: Body, equation: Equation) -> list[Equation] | None:
    """exp(x - log(1 + exp(x))), the slope of softplus: the sigmoid."""
    shifted = body.producer(equation.operands[0], "sub") if equation.primitive == "exp" else None
    soft = body.producer(shifted.operands[1], "softplus") if shifted is not None else None
    if shifted is None or soft is None or soft.operands[0] is not shifted.operands[0]:
        return None
    return [_equation("logistic", soft.operands, equation.results, equation.source)]


def _reciprocal_root(body: Body, equation: Equation) -> list[Equation] | None:
    """x / sqrt(v): a product with 1 / sqrt(v), which is one function."""
    if equation.primitive != "div" or not _is_float(equation):
        return None
    x, below = equation.operands
    source, moves = _before_moves(body, below)
    root = body.producer(source, "sqrt")
    if root is None or not root.secret:
        return None
    inverse = _like(root.results[0])
    made = [_equation("rsqrt", root.operands, [inverse], root.source)]
    return made + _repeated_product(equation, x, inverse, moves)


def _repeated_product(
    equation: Equation, x: Atom, factor: Variable, moves: list[Equation]
) -> list[Equation]:
    """x times a factor that is repeated as the divisor was."""
    made = []
    for move in moves:
        longer = _like(factor, move.results[0].shape)
        made.append(Equation(move.primitive, [factor], [longer], move.parameters, (), None,
                             move.source))  # fmt: skip
        factor = longer
    return [*made, _equation("mul", [x, factor], equation.results, equation.source)]


def _common_divisor(body: Body, equation: Equation) -> list[Equation] | None:
    """Many numbers over one that they share: one reciprocal, and products."""
    if equation.primitive != "div" or not _is_float(equation):
        return None
    x, below = equation.operands
    source, moves = _before_moves(body, below)
    if not isinstance(source, Variable) or not source.secret:
        return None
    if prod(equation.results[0].shape) < 4 * max(prod(source.shape), 1):
        return None
    if not (isinstance(x, Variable) and x.secret):
        return None
    inverse = _like(source)
    made = [_equation("fine_reciprocal", [source], [inverse], equation.source)]
    return made + _repeated_product(equation, x, inverse, moves)


def _shared_comparison(body: Body, equation: Equation) -> list[Equation] | None:
    """max(x, 0) where x > 0 is asked for as well: a choice by that bit."""
    if equation.primitive != "max":
        return None
    for x, other in (equation.operands, equation.operands[::-1]):
        if not _is(body, other, 0) or not isinstance(x, Variable) or not x.secret:
            continue
        for asked in body.consumers(x):
            if asked.primitive != "gt" or asked.operands[0] is not x:
                continue
            if _is(body, asked.operands[1], 0) and x.shape == equation.results[0].shape:
                (bit,) = asked.results
                zero = Literal(np.zeros((), x.dtype))
                made = Equation("select_n", [bit, zero, x], equation.results, {},
                                source=equation.source)  # fmt: skip
                if body.equations.index(asked) < body.equations.index(equation):
                    return [made]
                earlier = _like(bit)
                comparison = _equation("gt", list(asked.operands), [earlier], asked.source)
                made.operands[0] = earlier
                body.equations[body.equations.index(asked)] = Equation(
                    "copy", [earlier], asked.results, {}, source=asked.source
                )
                return [comparison, made]
    return None


_PATTERNS: tuple[Callable[[Body, Equation], list[Equation] | None], ...] = (
    _softmax,
    _softplus,
    _logaddexp,
    _softplus_slope,
    _sigmoid,
    _reciprocal_root,
    _common_divisor,
    _shared_comparison,
)
