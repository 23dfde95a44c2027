"""Loops and choices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax import lax

from tacit.arrays import functions as tacit
from tacit.arrays.array import SecretArray
from tacit.errors import ProgramError
from tacit.frontends.jax.body import Body, Equation, Variable
from tacit.frontends.jax.interpreter import evaluated
from tacit.frontends.jax.reading import loop_counts
from tacit.frontends.jax.rules import Call, rule
from tacit.frontends.jax.values import is_secret, promoted, settled
from tacit.frontends.jax.varying import (
    Layout,
    Public,
    kept_results,
    layout_of,
    leaves_of,
    public_loop,
    rows_of,
    unrolls,
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
    found = public_loop(body, layout, operands, consts, carries, length, reverse=reverse)
    return Public([None if v is None else _known(v) for v in found.results], found.rows)


def _known(value: Any) -> Any:
    if jax.dtypes.issubdtype(value.dtype, jax.dtypes.extended):
        return value
    return np.asarray(value)


def _secret_loop(
    body: Body,
    layout: Layout,
    operands: Sequence[Any],
    rows: Sequence[Any],
    results: Sequence[Any],
    consts: int,
    carries: int,
    kept: Sequence[bool],
    length: int,
    *,
    reverse: bool,
) -> list[Any]:
    """The secret side: what is carried and cut secretly, beside rows of what is public."""
    inputs = body.inputs
    like = next(v for v in operands if is_secret(v))
    carried = [i for i in range(consts, consts + carries) if inputs[i].secret]
    sliced = [i for i in range(consts + carries, len(inputs)) if inputs[i].secret]
    start = [promoted(operands[i], inputs[i].dtype, like) for i in carried]
    start = _steady(start, [inputs[i] for i in carried])

    def step(carry: Sequence[Any], row: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        arguments: list[Any] = [*operands[:consts], *[None] * (len(inputs) - consts)]
        for i, value in zip((*carried, *sliced), (*carry, *row[: len(sliced)]), strict=True):
            arguments[i] = value
        found = evaluated(body, arguments, rows_of(layout, row[len(sliced) :]))
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
    everything = list(results)
    for i, end in zip(carried, ends, strict=True):
        everything[i - consts] = end
    columns = iter(stacked)
    for place, flag in enumerate(kept[carries:], carries):
        if flag:
            everything[place] = next(columns)
    return everything


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
            f"{call.place}: the condition of a loop is secret, and how often it runs would show.",
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
    empty = Layout([], [])
    public = [i for i in range(carries) if not body.inputs[consts + i].secret]

    def spread(values: Sequence[Any]) -> list[Any]:
        found: list[Any] = [None] * carries
        for i, value in zip(public, values, strict=True):
            found[i] = value
        return found

    def holds(state: Any) -> Any:
        return _public_outputs(condition, [*fixed, *spread(state[1])])[0]

    def step(state: Any) -> Any:
        count, values = state
        found = public_loop(body, empty, [*operands[:consts], *spread(values)], consts, carries, 1)
        return count + 1, [found.results[i] for i in public]

    start = [jax.numpy.asarray(operands[consts + i], body.inputs[consts + i].dtype) for i in public]
    count, _ = lax.while_loop(holds, step, (0, start))
    return int(count)


def _public_outputs(body: Body, arguments: Sequence[Any]) -> list[Any]:
    from tacit.frontends.jax.varying import _public_part

    return _public_part(body, Layout([], []), arguments)[0]


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
    if not is_secret(index):
        place = min(max(int(index), 0), len(branches) - 1)
        return evaluated(branches[place], operands)
    found = [evaluated(branch, operands) for branch in branches]
    results = []
    for values in zip(*found, strict=True):
        chosen = values[0]
        for place, value in enumerate(values[1:], 1):
            chosen = _either(call.equation, index, place, len(branches), value, chosen)
        results.append(chosen)
    return results


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
