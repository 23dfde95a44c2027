"""Loops and choices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jax import lax

from tacit.arrays import functions as tacit
from tacit.arrays.array import SecretArray
from tacit.errors import ProgramError
from tacit.frontends.jax.body import Body, Equation, Variable
from tacit.frontends.jax.interpreter import Known, evaluated
from tacit.frontends.jax.keys import Keys
from tacit.frontends.jax.public import from_jax_value
from tacit.frontends.jax.reading import loop_counts
from tacit.frontends.jax.rules import Call, rule
from tacit.frontends.jax.values import is_secret, promoted, secret_type, settled
from tacit.frontends.jax.varying import (
    InJax,
    InNumpy,
    Layout,
    Public,
    kept_results,
    layout_of,
    layouts_of,
    leaves_of,
    public_loop,
    public_part,
    rows_of,
    unrolls,
    way_of,
)

__all__: list[str] = []


@rule("scan")
def _scan(call: Call, *operands: Any) -> list[Any]:
    (body,) = call.equation.bodies
    consts, carries = loop_counts(call.equation)
    length, reverse = call["length"], call["reverse"]
    if call.known is None and unrolls(body):
        return _unrolled(body, operands, consts, carries, length, reverse=reverse)
    kept = kept_results(call.equation)
    layout = layout_of(body, kept)
    if call.known is not None:
        rows, results = call.known, [None] * len(call.equation.results)
    else:
        public = _beforehand(call, layout, body, operands, consts, carries, length, reverse)
        rows, results = leaves_of(public.rows), public.results
    return _secret_loop(
        body, layout, operands, rows, results, consts, carries, kept, length, reverse=reverse
    )


def _beforehand(
    call: Call,
    layout: Layout,
    body: Body,
    operands: Sequence[Any],
    consts: int,
    carries: int,
    length: int,
    reverse: bool,
) -> Public:
    """The public side, where anybody needs it."""
    wanted = [
        not v.secret and (call.body.leaves(v) or bool(call.body.consumers(v)))
        for v in call.equation.results
    ]
    if layout.empty and not any(wanted):
        return Public([None] * len(wanted), ())
    way = way_of(body, length)
    found = public_loop(way, body, layout, operands, consts, carries, length, reverse=reverse)
    results = [v if v is None or isinstance(v, Keys) else from_jax_value(v) for v in found.results]
    return Public(results, found.rows)


def _secret_loop(
    body: Body,
    layout: Layout,
    operands: Sequence[Any],
    rows: Sequence[Any],
    known: Sequence[Any],
    consts: int,
    carries: int,
    kept: Sequence[bool],
    length: int,
    *,
    reverse: bool,
) -> list[Any]:
    """The secret side: what is carried and cut secretly, beside rows of what is public."""
    inputs, results = body.inputs, list(known)
    like = next(v for v in operands if is_secret(v))
    carried = [i for i in range(consts, consts + carries) if inputs[i].secret]
    sliced = [i for i in range(consts + carries, len(inputs)) if inputs[i].secret]
    start = [promoted(operands[i], inputs[i].dtype, like) for i in carried]
    start = _steady(start, [inputs[i] for i in carried])

    if not length:
        for place, variable in enumerate(_row_types(body, carries), carries):
            results[place] = np.zeros((0, *variable.shape), variable.dtype)
        for i, value in zip(carried, start, strict=True):
            results[i - consts] = value
        return results

    def step(carry: Sequence[Any], row: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        arguments: list[Any] = [*operands[:consts], *[None] * (len(inputs) - consts)]
        for i, value in zip((*carried, *sliced), (*carry, *row[: len(sliced)]), strict=True):
            arguments[i] = value
        found = evaluated(body, arguments, rows_of([layout], row[len(sliced) :])[0])
        inside = next((v for v in (*carry, *row, *found) if is_secret(v)), like)
        after = [
            _as_carried(found[i - consts], start[place], inputs[i], inside)
            for place, i in enumerate(carried)
        ]
        out = [
            _full(promoted(value, variable.dtype, inside), variable.shape)
            for value, variable, flag in zip(
                found[carries:], _row_types(body, carries), kept[carries:], strict=True
            )
            if flag
        ]
        return after, out

    columns_in = [*(operands[i] for i in sliced), *rows]
    ends, stacked = tacit.scan(step, start, columns_in, length, reverse)
    for i, end in zip(carried, ends, strict=True):
        results[i - consts] = end
    columns = iter(stacked)
    for place, flag in enumerate(kept[carries:], carries):
        if flag:
            results[place] = next(columns)
    return results


def _row_types(body: Body, carries: int) -> list[Any]:
    return [
        atom if isinstance(atom, Variable) else Variable(np.shape(atom.value), atom.value.dtype)
        for atom in body.outputs[carries:]
    ]


def _steady(start: list[SecretArray], variables: Sequence[Variable]) -> list[SecretArray]:
    """What is carried, with its shape and the type that integers are carried with."""
    return [
        _full(settled(value, variable.dtype), variable.shape)
        for value, variable in zip(start, variables, strict=True)
    ]


def _as_carried(value: Any, start: SecretArray, variable: Variable, like: Any) -> SecretArray:
    """A value after an iteration in the type in which it began."""
    secret = promoted(value, variable.dtype, like)
    secret = secret if secret.dtype == start.dtype else secret.astype(start.dtype)
    return _full(secret, variable.shape)


def _full(value: SecretArray, shape: tuple[int, ...]) -> SecretArray:
    return value if value.shape == tuple(shape) else tacit.broadcast_to(value, shape)


def _unrolled(
    body: Body,
    operands: Sequence[Any],
    consts: int,
    carries: int,
    length: int,
    *,
    reverse: bool,
) -> list[Any]:
    """One iteration after the other, with all that is public at hand."""
    carry = list(operands[consts : consts + carries])
    stacks: list[list[Any]] = [[] for _ in body.outputs[carries:]]
    for place in range(length)[:: -1 if reverse else 1]:
        row = [column[place] for column in operands[consts + carries :]]
        found = evaluated(body, [*operands[:consts], *carry, *row])
        carry = found[:carries]
        for stack, value in zip(stacks, found[carries:], strict=True):
            stack.append(value)
    return [*carry, *(_stacked(stack[:: -1 if reverse else 1]) for stack in stacks)]


def _stacked(values: list[Any]) -> Any:
    if any(map(is_secret, values)):
        return tacit.stack(values)
    return np.stack([np.asarray(value) for value in values])


# While: a public condition says how often, before the program runs.


@rule("while")
def _while(call: Call, *operands: Any) -> list[Any]:
    condition, body = call.equation.bodies
    first = call["cond_nconsts"]
    consts = call["body_nconsts"]
    carries = len(body.inputs) - consts
    if any(isinstance(atom, Variable) and atom.secret for atom in condition.outputs):
        raise ProgramError(
            f"{call.place}: the condition of a loop is secret, or known only when the program runs;"
            " how often it runs would show.",
            next_step="loop a public number of times (lax.fori_loop) and keep with jnp.where what"
            " shall not change any more.",
            case=21,
            stage="while",
        )
    given = operands[first:]
    if unrolls(body):
        return _while_unrolled(condition, body, operands[:first], given, consts)
    length = _count(condition, body, operands[:first], given, consts, carries)
    kept = [v.secret for v in body.inputs[consts:]]
    layout = layout_of(body, kept)
    public = _beforehand(call, layout, body, given, consts, carries, length, False)
    rows = leaves_of(public.rows)
    if not length:
        return list(given[consts:])
    return _secret_loop(
        body, layout, given, rows, public.results, consts, carries, kept, length, reverse=False
    )


def _count(
    condition: Body,
    body: Body,
    fixed: Sequence[Any],
    operands: Sequence[Any],
    consts: int,
    carries: int,
) -> int:
    """How often a loop runs, by running what is public of it."""
    public = [i for i in range(carries) if not body.inputs[consts + i].secret]

    def parts(way: InNumpy | InJax) -> tuple[Any, Any, list[Any]]:
        known, own = (
            [None if is_secret(v) else way.known(v) for v in values]
            for values in (fixed, operands[:consts])
        )

        def run(which: Body, front: list[Any], values: Sequence[Any]) -> list[Any]:
            found: list[Any] = [None] * carries
            for i, value in zip(public, values, strict=True):
                found[i] = value
            return public_part(way, which, Layout([], []), [*front, *found])[0]

        def holds(values: Any) -> Any:
            return run(condition, known, values)[0]

        def step(values: Any) -> Any:
            outputs = run(body, own, values)
            return [way.start(outputs[i], body.inputs[consts + i]) for i in public]

        return (
            holds,
            step,
            [way.start(operands[consts + i], body.inputs[consts + i]) for i in public],
        )

    if isinstance(way_of(body, 1), InNumpy) and isinstance(way_of(condition, 1), InNumpy):
        holds, step, values = parts(InNumpy())
        for count in range(_MOST_COUNTED):
            if not holds(values):
                return count
            values = step(values)
    holds, step, values = parts(InJax())
    count, _ = lax.while_loop(
        lambda state: holds(state[1]), lambda state: (state[0] + 1, step(state[1])), (0, values)
    )
    return int(count)


_MOST_COUNTED = 5_000
"""Iterations after which a loop is counted by JAX instead."""


def _while_unrolled(
    condition: Body, body: Body, fixed: Sequence[Any], operands: Sequence[Any], consts: int
) -> list[Any]:
    carry = list(operands[consts:])
    while bool(evaluated(condition, [*fixed, *carry])[0]):
        carry = evaluated(body, [*operands[:consts], *carry])
    return carry


# Choices.


@rule("cond")
def _cond(call: Call, index: Any, *operands: Any) -> list[Any]:
    branches = call.equation.bodies
    known: Sequence[Known | None] = [None] * len(branches)
    if call.known is not None:
        layouts = layouts_of(call.equation)
        known = rows_of(layouts, call.known or [])
    if not is_secret(index):
        place = min(max(int(index), 0), len(branches) - 1)
        return evaluated(branches[place], operands, known[place])
    if index.public:
        return _switch(call, index, operands, known)
    found = [evaluated(b, operands, k) for b, k in zip(branches, known, strict=True)]
    results = []
    for values in zip(*found, strict=True):
        chosen = values[0]
        for place, value in enumerate(values[1:], 1):
            chosen = _either(call.equation, index, place, len(branches), value, chosen)
        results.append(chosen)
    return results


def _switch(
    call: Call, index: SecretArray, operands: Sequence[Any], known: Sequence[Known | None]
) -> list[Any]:
    """One branch, chosen by what all parties know when the program runs."""
    variables = call.equation.results
    like = next(v for v in (*operands, index) if is_secret(v))

    def branch(place: int) -> Any:
        def run() -> list[Any]:
            found = evaluated(call.equation.bodies[place], operands, known[place])
            inside = next((v for v in found if is_secret(v)), like)
            return [
                _typed(promoted(value, variable.dtype, inside), variable)
                for value, variable in zip(found, variables, strict=True)
                if variable.secret
            ]

        return run

    chosen = iter(tacit.switch(index, [branch(place) for place in range(len(known))]))
    return [next(chosen) if variable.secret else None for variable in variables]


def _typed(value: SecretArray, variable: Variable) -> SecretArray:
    wanted = secret_type(variable.dtype, value.session.fractions)
    value = value if value.dtype == wanted else value.astype(wanted)
    return _full(value, variable.shape)


def _either(equation: Equation, index: Any, place: int, count: int, yes: Any, no: Any) -> Any:
    here = index if index.dtype.kind == "bool" else (
        index >= place if place == count - 1 else index == place
    )  # fmt: skip
    if not is_secret(yes) and not is_secret(no):
        if np.array_equal(yes, no):
            return yes
        if np.asarray(yes).dtype.kind == "b":
            return tacit.where(here, promoted(yes, np.bool_, index), no)
    return tacit.where(here, yes, no)
