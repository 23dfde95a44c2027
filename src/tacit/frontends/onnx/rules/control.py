"""If, Loop and Scan: on public conditions and counts; a secret If computes both branches.

A Loop or Scan whose body needs nothing public of its round becomes one loop of the program. Where
the body uses the number of the round, carries something public along, or gives more than a loop
can, its rounds are computed one after the other: then public numbers stay what they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from tacit.arrays import functions as tacit
from tacit.arrays.array import SecretArray
from tacit.errors import TacitError
from tacit.frontends.onnx.loading import array_of
from tacit.frontends.onnx.publicity import subgraphs
from tacit.frontends.onnx.refusals import Refused
from tacit.frontends.onnx.registry import Call, operator
from tacit.frontends.onnx.rules.loops import scanned
from tacit.frontends.onnx.values import is_secret, joined

__all__: list[str] = []

_MOST_ROUNDS: Final = 10_000


@operator("If", always=True)
def _if(call: Call, condition: Any) -> Any:
    """A public condition runs one branch; of a secret one nobody learns which was taken."""
    branches = call.get("then_branch"), call.get("else_branch")
    if not isinstance(condition, SecretArray):
        return tuple(call.run(branches[0 if bool(np.all(condition)) else 1], ()))
    pairs = zip(call.run(branches[0], ()), call.run(branches[1], ()), strict=True)
    return tuple(_chosen(call, condition, a, b) for a, b in pairs)


def _chosen(call: Call, condition: SecretArray, a: Any, b: Any) -> Any:
    if isinstance(a, list) or isinstance(b, list) or np.shape(a) != np.shape(b):
        raise call.refuse(
            "its condition is secret, and its branches give different shapes, which would show it;"
            " make the condition public or the shapes alike"
        )
    return tacit.where(condition.reshape(()), a, b)


@operator("Loop", public=(0, 1), always=True)
def _loop(call: Call, count: Any, condition: Any, *carried: Any) -> Any:
    """How often it runs is public, by count and condition."""
    body = call.get("body")
    most = _MOST_ROUNDS + 1 if count is None else int(np.asarray(count).item())
    goes_on = condition is None or bool(np.all(condition))
    names = [one.name for one in body.input]
    if goes_on and most >= 2 and count is not None and _always_on(body):
        started = dict(zip(names[2:], carried, strict=True))
        if not _uses(body, names[0]) and _all_secret(call, body, started, 1):
            found = _as_loop(call, body, carried, (), most)
            if found is not None:
                return found
    state, collected, number = list(carried), [], 0
    while goes_on and number < most:
        if number >= _MOST_ROUNDS:
            raise call.refuse(f"it runs more than {_MOST_ROUNDS} rounds")
        going = np.array(goes_on)
        results = call.run(body, [np.array(number, np.int64), going, *state])
        if is_secret(results[0]):
            raise call.refuse(
                "its condition becomes secret, and how often it ran would show; run it a fixed"
                " number of times and keep results with Where"
            )
        goes_on = bool(np.all(results[0]))
        state = results[1 : 1 + len(state)]
        collected.append(results[1 + len(state) :])
        number += 1
    scans = len(body.output) - 1 - len(state)
    return (*state, *(_stacked(call, [each[k] for each in collected], 0) for k in range(scans)))


def _stacked(call: Call, arrays: list[Any], axis: int) -> Any:
    if not arrays:
        raise call.refuse("it runs no round, so that the shape of what it collects is unknown")
    return joined([_widened(array, axis) for array in arrays], axis)


def _widened(array: Any, axis: int) -> Any:
    place = axis % (array.ndim + 1)
    return array.reshape((*array.shape[:place], 1, *array.shape[place:]))


@operator("Scan", since=9, always=True)
def _scan(call: Call, *inputs: Any) -> Any:
    """Over the axes of its scanned inputs."""
    body, count = call.get("body"), call.get("num_scan_inputs")
    states = len(inputs) - count
    state, arrays = list(inputs[:states]), inputs[states:]
    axes = call.get("scan_input_axes") or [0] * count
    backwards = call.get("scan_input_directions") or [0] * count
    length = arrays[0].shape[axes[0]]
    outputs = len(body.output) - states
    out_axes = call.get("scan_output_axes") or [0] * outputs
    directions = call.get("scan_output_directions") or [0] * outputs
    given = dict(zip((one.name for one in body.input), inputs, strict=True))
    if length >= 2 and all(map(is_secret, arrays)) and _all_secret(call, body, given, 0, states):
        rows = [
            _first(array, axis)[:: -1 if back else 1]
            for array, axis, back in zip(arrays, axes, backwards, strict=True)
        ]
        found = _as_loop(call, body, state, rows, length)
        if found is not None:
            return (*found[:states], *map(_laid, found[states:], out_axes, directions))
    collected = []
    for turn in range(length):
        slices = [
            array[(*(slice(None),) * (axis % array.ndim), length - 1 - turn if back else turn)]
            for array, axis, back in zip(arrays, axes, backwards, strict=True)
        ]
        slices = [np.asarray(each) if isinstance(each, np.generic) else each for each in slices]
        results = call.run(body, [*state, *slices])
        state = results[:states]
        collected.append(results[states:])
    ys = []
    for number in range(outputs):
        parts = [each[number] for each in collected]
        ys.append(_stacked(call, parts[::-1] if directions[number] else parts, out_axes[number]))
    return (*state, *ys)


# As one loop of the program.


def _as_loop(
    call: Call, body: Any, state: Sequence[Any], rows: Sequence[Any], length: int
) -> tuple[Any, ...] | None:
    """The last state and what is collected; None where the body is more than a loop can be."""
    count, first = len(state), 1 if call.operator == "Loop" else 0
    round_ = [np.array(0, np.int64), np.array(True)] if first else []

    def step(carry: list[Any], row: list[Any]) -> tuple[list[Any], list[Any]]:
        results = call.run(body, [*round_, *carry, *row], trial=True)[first:]
        if any(not isinstance(value, SecretArray | np.ndarray) for value in results):
            raise call.refuse("its body gives sequences")
        return list(results[:count]), list(results[count:])

    try:
        last, collected = scanned(step, state, rows, length)
    except (Refused, TacitError):
        return None  # unrolled, it may still be possible, and else says what is not
    return (*last, *collected)


def _uses(body: Any, name: str) -> bool:
    """Whether a graph gives a value back, or nodes of it, or of graphs within, take it."""
    return any(name == one.name for one in body.output) or any(
        name in node.input or any(_uses(inner, name) for inner in subgraphs(node))
        for node in body.node
    )


def _always_on(body: Any) -> bool:
    """Whether a loop's body hands on the condition that it is given, or a constant true one."""
    given, name = body.input[1].name, body.output[0].name
    makers = {output: node for node in body.node for output in node.output}
    while name in makers and makers[name].op_type == "Identity":
        name = makers[name].input[0]
    if name in makers and makers[name].op_type == "Constant":
        values = [one.t for one in makers[name].attribute if one.name == "value"]
        return bool(values) and bool(np.all(array_of(values[0])))
    initial = {tensor.name: tensor for tensor in body.initializer}
    return name == given or (name in initial and bool(np.all(array_of(initial[name]))))


def _all_secret(
    call: Call, body: Any, given: dict[str, Any], first: int, states: int | None = None
) -> bool:
    """Whether every state is secret, or becomes so in the first round, and nothing of it is public.

    A state that stays public, such as a counter, is better computed as it is.
    """
    names = [one.name for one in body.input][2 if first else 0 :]
    states = len(names) if states is None else states
    after = [one.name for one in body.output][first : first + states]
    secret = {name for name, value in given.items() if is_secret(value)}
    own = {one.name for one in (*body.input, *body.initializer)}
    own |= {output for node in body.node for output in node.output}
    for _ in range(states + 1):
        for node in body.node:
            if any(_is_secret(call, name, secret, own) for name in _needed(node)):
                secret.update(node.output)
        secret |= {
            name for name, new in zip(names, after, strict=False)
            if _is_secret(call, new, secret, own)
        }  # fmt: skip
    return all(name in secret for name in names[:states])


def _needed(node: Any) -> Iterator[str]:
    """What a node and the graphs within it take."""
    yield from filter(None, node.input)
    for inner in subgraphs(node):
        for each in inner.node:
            yield from _needed(each)


def _is_secret(call: Call, name: str, secret: set[str], own: set[str]) -> bool:
    if name in own or name in secret:
        return name in secret
    try:
        return is_secret(call.outer(name))
    except Refused:  # a name of a graph within
        return False


def _first(array: Any, axis: int) -> Any:
    place = axis % array.ndim
    return array.transpose((place, *(k for k in range(array.ndim) if k != place)))


def _laid(rows: Any, axis: int, backwards: int) -> Any:
    """What was collected, along its axis."""
    turned = rows[::-1] if backwards else rows
    place = axis % rows.ndim
    order = [*range(1, place + 1), 0, *range(place + 1, rows.ndim)]
    return turned.transpose(tuple(order))
