"""If, Loop and Scan: on public conditions and counts; a secret If computes both branches."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from tacit.arrays import functions as tacit
from tacit.arrays.array import SecretArray
from tacit.frontends.onnx.registry import Call, operator
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
    """Unrolled: how often it runs is public, by count and condition."""
    body = call.get("body")
    most = _MOST_ROUNDS + 1 if count is None else int(np.asarray(count).item())
    goes_on = condition is None or bool(np.all(condition))
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
    """Unrolled over the axes of its scanned inputs."""
    body, scanned = call.get("body"), call.get("num_scan_inputs")
    states = len(inputs) - scanned
    state, arrays = list(inputs[:states]), inputs[states:]
    axes = call.get("scan_input_axes") or [0] * scanned
    backwards = call.get("scan_input_directions") or [0] * scanned
    length = arrays[0].shape[axes[0]]
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
    outputs = len(body.output) - states
    out_axes = call.get("scan_output_axes") or [0] * outputs
    directions = call.get("scan_output_directions") or [0] * outputs
    ys = []
    for number in range(outputs):
        parts = [each[number] for each in collected]
        ys.append(_stacked(call, parts[::-1] if directions[number] else parts, out_axes[number]))
    return (*state, *ys)
