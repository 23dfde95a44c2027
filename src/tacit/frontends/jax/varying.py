"""The public side of loops: what changes from one iteration to the next, computed beforehand.

JAX runs the public equations of a loop's body for all iterations while the program is made (indices
of batches, keys and masks, steps of a schedule). What secret equations need of them becomes arrays
with one row an iteration, over which the loop of the program runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import jax
import numpy as np
from jax import lax

from tacit.frontends.jax.body import Atom, Body, Equation, Literal, Variable, walk
from tacit.frontends.jax.interpreter import Known
from tacit.frontends.jax.keys import Keys
from tacit.frontends.jax.public import computed, known_to_numpy, to_jax_value
from tacit.frontends.jax.reading import loop_counts

__all__ = [
    "InJax",
    "InNumpy",
    "Layout",
    "Public",
    "kept_results",
    "layout_of",
    "layouts_of",
    "leaves_of",
    "public_loop",
    "public_part",
    "rows_of",
    "unrolls",
    "way_of",
]


@dataclass(frozen=True, slots=True)
class Layout:
    """What the secret side of a body needs of the public one.

    Attributes
    ----------
    values : list of Variable
    inner : list of (Equation, tuple of Layout)
        The loops and choices inside that need something: a layout for each of their bodies.
    """

    values: list[Variable]
    inner: list[tuple[Equation, tuple[Layout, ...]]]

    @property
    def empty(self) -> bool:
        """Whether nothing is needed."""
        return not self.values and not self.inner


def layout_of(body: Body, kept: Sequence[bool]) -> Layout:
    """What is needed of a body of which results are kept secret where `kept` says so."""
    needed: dict[Variable, None] = {}
    inner: list[tuple[Equation, tuple[Layout, ...]]] = []

    def need(atom: Atom) -> None:
        if isinstance(atom, Variable) and atom.varying and not atom.secret:
            needed[atom] = None

    for equation in body.equations:
        if not equation.secret:
            continue
        if equation.primitive == "cond":
            need(equation.operands[0])
        if equation.primitive not in ("cond", "scan"):
            for atom in equation.operands:
                need(atom)
            continue
        layouts = layouts_of(equation)
        operands = equation.operands[equation.primitive == "cond" :]
        for one in equation.bodies:
            for atom, variable in zip(operands, one.inputs, strict=True):
                if variable.secret:
                    need(atom)
        if not all(layout.empty for layout in layouts):
            inner.append((equation, layouts))
    for atom, flag in zip(body.outputs, kept, strict=True):
        if flag:
            need(atom)
    return Layout(list(needed), inner)


def layouts_of(equation: Equation) -> tuple[Layout, ...]:
    """What the bodies of a loop or choice need."""
    if equation.primitive == "scan":
        kept = kept_results(equation)
    else:
        kept = [variable.secret for variable in equation.results]
    return tuple(layout_of(body, kept) for body in equation.bodies)


def kept_results(equation: Equation) -> list[bool]:
    """Which results of a scan's body are secret carries, or secret rows."""
    consts, carries = loop_counts(equation)
    inner = equation.bodies[0].inputs[consts : consts + carries]
    return [v.secret for v in inner] + [v.secret for v in equation.results[carries:]]


def unrolls(body: Body) -> bool:
    """Whether public values of a body decide how often a loop inside it runs."""
    return any(eqn.secret and eqn.primitive == "while" for _, eqn in walk(body))


# The public side: by NumPy where a loop is short, else by JAX, which compiles it first.


@dataclass(frozen=True, slots=True)
class Public:
    """The public side of a loop or choice.

    Attributes
    ----------
    results : list
        The public results; None for secret ones.
    rows : tree of arrays
        What the layouts name, a row an iteration.
    """

    results: list[Any]
    rows: Any


class _Way:
    def __init__(self) -> None:
        self._needed: dict[Body, list[Equation]] = {}

    def needed(self, body: Body, layout: Layout) -> list[Equation]:
        """The equations of a body that its public side needs."""
        if body not in self._needed:
            self._needed[body] = _needed(body, layout)
        return self._needed[body]


class InNumpy(_Way):
    """Python's loops over NumPy's arrays."""

    def start(self, value: Any, variable: Variable) -> Any:
        """A value as it is carried."""
        return value if isinstance(value, Keys) else np.asarray(value, variable.dtype)

    def known(self, value: Any) -> Any:
        """A constant, or an operand."""
        return value

    def equation(self, equation: Equation, operands: Sequence[Any]) -> Sequence[Any]:
        """An equation's results."""
        return computed(equation, operands)

    def scan(
        self, step: Any, start: list[Any], rows: list[Any], length: int, reverse: bool
    ) -> tuple[Any, Any]:
        """As ``lax.scan``."""
        carry, found = start, []
        for place in range(length)[:: -1 if reverse else 1]:
            carry, out = step(carry, [_row(row, place) for row in rows])
            found.append(out)
        if reverse:
            found.reverse()
        return carry, jax.tree.map(_stack, *found, is_leaf=lambda one: isinstance(one, Keys))

    def switch(self, index: Any, branches: Sequence[Any]) -> Any:
        """As ``lax.switch``."""
        return branches[min(max(int(index), 0), len(branches) - 1)]()


class InJax(_Way):
    """JAX's own loops."""

    def start(self, value: Any, variable: Variable) -> Any:
        """A value as it is carried."""
        value = to_jax_value(value)
        if jax.dtypes.issubdtype(variable.dtype, jax.dtypes.extended):
            return value
        return jax.numpy.asarray(value, variable.dtype)

    def known(self, value: Any) -> Any:
        """A constant, or an operand."""
        return to_jax_value(value)

    def equation(self, equation: Equation, operands: Sequence[Any]) -> Sequence[Any]:
        """An equation's results."""
        assert equation.evaluate is not None
        return equation.evaluate(operands)

    def scan(
        self, step: Any, start: list[Any], rows: list[Any], length: int, reverse: bool
    ) -> tuple[Any, Any]:
        """``lax.scan``."""
        found: tuple[Any, Any] = lax.scan(step, start, rows, length=length, reverse=reverse)
        return found

    def switch(self, index: Any, branches: Sequence[Any]) -> Any:
        """``lax.switch``."""
        return lax.switch(index, branches)


def _needed(body: Body, layout: Layout) -> list[Equation]:
    """What leads to the values of a layout and to public results."""
    wanted: set[Atom] = {*layout.values, *(a for a in body.outputs if isinstance(a, Variable))}
    inside = {equation for equation, _ in layout.inner}
    kept = []
    for equation in reversed(body.equations):
        if equation.secret and equation.primitive not in ("cond", "scan"):
            continue
        if equation not in inside and not any(
            result in wanted and not result.secret for result in equation.results
        ):
            continue
        kept.append(equation)
        wanted.update(a for a in equation.operands if isinstance(a, Variable) and not a.secret)
    return kept[::-1]


Way: TypeAlias = InNumpy | InJax


def _row(rows: Any, place: int) -> Any:
    return Keys(rows.words[place]) if isinstance(rows, Keys) else rows[place]


def _stack(*values: Any) -> Any:
    if isinstance(values[0], Keys):
        return Keys(np.stack([value.words for value in values]))
    return np.stack(values)


def way_of(body: Body, length: int) -> Way:
    """The quicker way for a loop: NumPy starts at once, JAX compiles for a tenth of a second."""
    each, once, equations = _effort(body)
    return InNumpy() if length and each * length + once < 20_000 + 2_000 * equations else InJax()


def _effort(body: Body) -> tuple[int, int, int]:
    """In units of 5 µs what NumPy takes an iteration and at first; and how many equations."""
    each = once = equations = 0
    for equation in body.equations:
        if equation.secret:
            inner = [_effort(b) for b in equation.bodies if equation.primitive in ("cond", "scan")]
            length = equation.parameters.get("length", 1) if inner else 1
            each += length * sum(one[0] for one in inner)
            once += sum(one[1] for one in inner)
            equations += sum(one[2] for one in inner)
            continue
        equations += 1
        known = known_to_numpy(equation) or equation.primitive == "rows"
        each += 1 if known else 20
        once += 0 if known else 4_000
    return each, once, equations


def public_part(
    way: Way, body: Body, layout: Layout, arguments: Sequence[Any]
) -> tuple[list[Any], Any]:
    """The public results of a body, None for secret ones; and what its layout names."""
    values: dict[Variable, Any] = {v: way.known(value) for v, value in body.constants.items()}
    values.update(zip(body.inputs, arguments, strict=True))
    layouts = dict(layout.inner)
    inner: dict[Equation, Any] = {}

    def value(atom: Atom) -> Any:
        return atom.value if isinstance(atom, Literal) else values.get(atom)

    for equation in way.needed(body, layout):
        operands = [value(atom) for atom in equation.operands]
        if not equation.secret:
            values.update(zip(equation.results, way.equation(equation, operands), strict=True))
        elif equation.primitive in ("cond", "scan"):
            wanted = layouts.get(equation, (Layout([], []),) * len(equation.bodies))
            run = _scan if equation.primitive == "scan" else _choice
            found = run(way, equation, wanted, operands)
            values.update(zip(equation.results, found.results, strict=True))
            inner[equation] = found.rows
    rows = [values[v] for v in layout.values], [inner[eqn] for eqn, _ in layout.inner]
    outputs = [
        None if isinstance(atom, Variable) and atom.secret else value(atom) for atom in body.outputs
    ]
    return outputs, rows


def _scan(
    way: Way, equation: Equation, layouts: Sequence[Layout], operands: Sequence[Any]
) -> Public:
    (body,), (layout,) = equation.bodies, layouts
    consts, carries = loop_counts(equation)
    length, reverse = equation.parameters["length"], equation.parameters["reverse"]
    return public_loop(way, body, layout, operands, consts, carries, length, reverse=reverse)


def _choice(
    way: Way, equation: Equation, layouts: Sequence[Layout], operands: Sequence[Any]
) -> Public:
    """What a choice needs of all its branches; zeros for those that are not chosen."""
    index, *given = operands
    if index is None:  # a secret decides: both branches run
        found = [
            public_part(way, body, layout, given)
            for body, layout in zip(equation.bodies, layouts, strict=True)
        ]
        return Public([None] * len(equation.results), [rows for _, rows in found])

    def branch(place: int) -> Any:
        def run() -> Any:
            outputs, rows = public_part(way, equation.bodies[place], layouts[place], given)
            public = [
                way.start(value, variable)
                for value, variable in zip(outputs, equation.results, strict=True)
                if not variable.secret
            ]
            return public, [rows if k == place else _zeros(one) for k, one in enumerate(layouts)]

        return run

    public, rows = way.switch(index, [branch(place) for place in range(len(layouts))])
    column = iter(public)
    results = [None if v.secret else next(column) for v in equation.results]
    return Public(results, rows)


def _zeros(layout: Layout, front: tuple[int, ...] = ()) -> Any:
    """Rows that nobody looks at, of the form of a layout's."""
    inner = []
    for equation, layouts in layout.inner:
        if equation.primitive == "scan":
            inner.append(_zeros(layouts[0], (*front, equation.parameters["length"])))
        else:
            inner.append([_zeros(one, front) for one in layouts])
    return [np.zeros((*front, *v.shape), v.dtype) for v in layout.values], inner


def public_loop(
    way: Way,
    body: Body,
    layout: Layout,
    operands: Sequence[Any],
    consts: int,
    carries: int,
    length: int,
    *,
    reverse: bool = False,
) -> Public:
    """Run the public equations of a loop, for all iterations."""
    inputs = body.inputs
    carried = [i for i in range(consts, consts + carries) if not inputs[i].secret]
    sliced = [i for i in range(consts + carries, len(inputs)) if not inputs[i].secret]
    fixed = [None if v.secret else way.known(operands[i]) for i, v in enumerate(inputs[:consts])]

    def step(carry: Any, row: Any) -> Any:
        arguments: list[Any] = [*fixed, *[None] * (len(inputs) - consts)]
        for i, value in zip((*carried, *sliced), (*carry, *row), strict=True):
            arguments[i] = value
        outputs, needed = public_part(way, body, layout, arguments)
        after = [way.start(outputs[i - consts], inputs[i]) for i in carried]
        return after, ([v for v in outputs[carries:] if v is not None], needed)

    start = [way.start(operands[i], inputs[i]) for i in carried]
    rows = [way.known(operands[i]) for i in sliced]
    ends, (stacked, needed) = way.scan(step, start, rows, length, reverse)
    results: list[Any] = [None] * carries
    for i, end in zip(carried, ends, strict=True):
        results[i - consts] = end
    columns = iter(stacked)
    for atom in body.outputs[carries:]:
        hidden = isinstance(atom, Variable) and atom.secret
        results.append(None if hidden else next(columns))
    return Public(results, needed)


# Rows of it, for the secret side.


def leaves_of(rows: Any) -> list[Any]:
    """The arrays of a tree in a fixed order, as NumPy's."""
    return [np.asarray(leaf) for leaf in jax.tree.leaves(rows)]


def rows_of(layouts: Sequence[Layout], leaves: Sequence[Any]) -> list[Known]:
    """What layouts name, from their arrays in that order."""
    found, rest = [], list(leaves)
    for layout in layouts:
        count, size = len(layout.values), _size(layout)
        values = dict(zip(layout.values, rest[:count], strict=True))
        inside, place = {}, count
        for equation, inner in layout.inner:
            width = sum(map(_size, inner))
            inside[equation] = rest[place : place + width]
            place += width
        found.append(Known(values, inside))
        rest = rest[size:]
    assert not rest
    return found


def _size(layout: Layout) -> int:
    return len(layout.values) + sum(_size(each) for _, inner in layout.inner for each in inner)
