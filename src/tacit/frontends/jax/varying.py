"""The public side of loops: what changes from one iteration to the next, computed beforehand.

JAX runs the public equations of a loop's body for all iterations while the program is made (indices
of batches, keys and masks, steps of a schedule). What secret equations need of them becomes arrays
with one row an iteration, over which the loop of the program runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax import lax

from tacit.frontends.jax.body import Atom, Body, Equation, Literal, Variable, walk
from tacit.frontends.jax.interpreter import Known
from tacit.frontends.jax.reading import loop_counts

__all__ = ["Layout", "Public", "layout_of", "leaves_of", "public_loop", "rows_of", "unrolls"]


@dataclass(frozen=True, slots=True)
class Layout:
    """What the secret side of a body needs of the public one.

    Attributes
    ----------
    values : list of Variable
    loops : list of (Equation, Layout)
        The loops inside that need something.
    """

    values: list[Variable]
    loops: list[tuple[Equation, Layout]]

    @property
    def empty(self) -> bool:
        """Whether nothing is needed."""
        return not self.values and not self.loops


def layout_of(body: Body, kept: Sequence[bool]) -> Layout:
    """What is needed of a body of which results are kept secret where `kept` says so."""
    needed: dict[Variable, None] = {}
    loops = []

    def need(atom: Atom) -> None:
        if isinstance(atom, Variable) and atom.varying and not atom.secret:
            needed[atom] = None

    for equation in body.equations:
        if not equation.secret:
            continue
        if equation.primitive != "scan":
            for atom in equation.operands:
                need(atom)
            continue
        inner = equation.bodies[0]
        for atom, variable in zip(equation.operands, inner.inputs, strict=True):
            if variable.secret:
                need(atom)
        layout = layout_of(inner, kept_results(equation))
        if not layout.empty:
            loops.append((equation, layout))
    for atom, flag in zip(body.outputs, kept, strict=True):
        if flag:
            need(atom)
    return Layout(list(needed), loops)


def kept_results(equation: Equation) -> list[bool]:
    """Which results of a scan's body are secret carries, or secret rows."""
    consts, carries = loop_counts(equation)
    inner = equation.bodies[0].inputs[consts : consts + carries]
    return [v.secret for v in inner] + [v.secret for v in equation.results[carries:]]


def unrolls(body: Body) -> bool:
    """Whether the public values of a body decide what its loops or choices run."""
    for _, equation in walk(body):
        if equation.secret and equation.primitive == "while":
            return True
        if equation.secret and equation.primitive == "cond":
            index = equation.operands[0]
            if not isinstance(index, Literal) and not index.secret:
                return True
    return False


# In JAX: functions that it can trace.


def _public_part(body: Body, layout: Layout, arguments: Sequence[Any]) -> tuple[list[Any], Any]:
    """The public results of a body, None for secret ones; and what its layout names."""
    values: dict[Variable, Any] = dict(body.constants)
    values.update(zip(body.inputs, arguments, strict=True))
    layouts = dict(layout.loops)
    loops: dict[Equation, Any] = {}

    def value(atom: Atom) -> Any:
        return atom.value if isinstance(atom, Literal) else values.get(atom)

    for equation in body.equations:
        operands = [value(atom) for atom in equation.operands]
        if not equation.secret:
            assert equation.evaluate is not None
            values.update(zip(equation.results, equation.evaluate(operands), strict=True))
        elif equation.primitive == "scan":
            inner = layouts.get(equation, Layout([], []))
            found = _scan(equation, inner, operands)
            values.update(zip(equation.results, found.results, strict=True))
            loops[equation] = found.rows
    rows = [values[v] for v in layout.values], [loops[eqn] for eqn, _ in layout.loops]
    outputs = [
        None if isinstance(atom, Variable) and atom.secret else value(atom) for atom in body.outputs
    ]
    return outputs, rows


@dataclass(frozen=True, slots=True)
class Public:
    """The public side of a loop.

    Attributes
    ----------
    results : list
        The public results; None for secret ones.
    rows : tree of arrays
        What the layout names, a row an iteration.
    """

    results: list[Any]
    rows: Any


def _scan(equation: Equation, layout: Layout, operands: Sequence[Any]) -> Public:
    (body,) = equation.bodies
    consts, carries = loop_counts(equation)
    length, reverse = equation.parameters["length"], equation.parameters["reverse"]
    return public_loop(body, layout, operands, consts, carries, length, reverse=reverse)


def public_loop(
    body: Body,
    layout: Layout,
    operands: Sequence[Any],
    consts: int,
    carries: int,
    length: int,
    *,
    reverse: bool = False,
) -> Public:
    """Run the public equations of a loop, for all iterations, in JAX."""
    inputs = body.inputs
    carried = [i for i in range(consts, consts + carries) if not inputs[i].secret]
    sliced = [i for i in range(consts + carries, len(inputs)) if not inputs[i].secret]
    fixed = [None if v.secret else operands[i] for i, v in enumerate(inputs[:consts])]

    def step(carry: Any, row: Any) -> Any:
        arguments: list[Any] = [*fixed, *[None] * (len(inputs) - consts)]
        for i, value in zip((*carried, *sliced), (*carry, *row), strict=True):
            arguments[i] = value
        outputs, needed = _public_part(body, layout, arguments)
        after = [_like(outputs[i - consts], inputs[i]) for i in carried]
        return after, ([v for v in outputs[carries:] if v is not None], needed)

    start = [_like(operands[i], inputs[i]) for i in carried]
    rows = [operands[i] for i in sliced]
    ends, (stacked, needed) = lax.scan(step, start, rows, length=length, reverse=reverse)
    results: list[Any] = [None] * carries
    for i, end in zip(carried, ends, strict=True):
        results[i - consts] = end
    columns = iter(stacked)
    for atom in body.outputs[carries:]:
        hidden = isinstance(atom, Variable) and atom.secret
        results.append(None if hidden else next(columns))
    return Public(results, needed)


def _like(value: Any, variable: Variable) -> Any:
    """A value in the type in which a loop carries it."""
    if jax.dtypes.issubdtype(variable.dtype, jax.dtypes.extended):
        return value
    return jax.numpy.asarray(value, variable.dtype)


# Rows of it, for the secret side.


def leaves_of(rows: Any) -> list[Any]:
    """The arrays of a tree in a fixed order, as NumPy's."""
    return [np.asarray(leaf) for leaf in jax.tree.leaves(rows)]


def rows_of(layout: Layout, leaves: Sequence[Any]) -> Known:
    """What a layout names, from its arrays in that order."""
    known, rest = _rows(layout, list(leaves))
    assert not rest
    return known


def _rows(layout: Layout, leaves: list[Any]) -> tuple[Known, list[Any]]:
    count = len(layout.values)
    values = dict(zip(layout.values, leaves[:count], strict=True))
    rest = leaves[count:]
    loops = {}
    for equation, inner in layout.loops:
        size = _size(inner)
        loops[equation] = rest[:size]
        rest = rest[size:]
    return Known(values, loops), rest


def _size(layout: Layout) -> int:
    return len(layout.values) + sum(_size(inner) for _, inner in layout.loops)
