"""Recurrent layers: RNN, GRU and LSTM.

The products with the inputs are one for all steps; each step then has one with the state. Lengths
of sequences are public.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tacit.arrays import functions as tacit
from tacit.frontends.onnx.registry import Call, operator
from tacit.frontends.onnx.rules.activations import ACTIVATIONS
from tacit.frontends.onnx.rules.loops import scanned
from tacit.frontends.onnx.values import joined

__all__: list[str] = []


class _Layer:
    """What the three have in common: directions, activations, lengths, and how results are laid."""

    def __init__(self, call: Call, x: Any, lengths: Any, defaults: Sequence[str]) -> None:
        self.call = call
        self.batch_first = bool(call.get("layout", 0))
        self.hidden = call.get("hidden_size")
        direction = call.text("direction", "forward")
        self.backwards = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}[
            direction
        ]
        self.x = x.transpose((1, 0, 2)) if self.batch_first else x
        self.steps, self.batch = self.x.shape[:2]
        self.lengths = None
        if lengths is not None and not (np.ravel(lengths) == self.steps).all():
            self.lengths = np.ravel(lengths).astype(np.int64)
        names = [
            name.decode() if isinstance(name, bytes) else str(name)
            for name in call.get("activations") or [*defaults] * len(self.backwards)
        ]
        alphas, betas = (
            list(call.get("activation_alpha") or ()),
            list(call.get("activation_beta") or ()),
        )
        self.functions = [self._function(name, alphas, betas) for name in names]
        self.each = len(defaults)

    def _function(self, name: str, alphas: list[float], betas: list[float]) -> Callable[[Any], Any]:
        known = {key.lower(): key for key in ACTIVATIONS}
        if name.lower() not in known:
            raise self.call.refuse(f"its activation {name!r} is unknown")
        function, defaults = ACTIVATIONS[known[name.lower()]]
        given = [
            queue.pop(0) if queue else default
            for queue, default in zip((alphas, betas), defaults, strict=False)
        ]
        return lambda x: function(x, *given)

    def activations(self, number: int) -> list[Callable[[Any], Any]]:
        """Those of a direction."""
        return self.functions[number * self.each : (number + 1) * self.each]

    def clipped(self, x: Any) -> Any:
        """Sums limited before the activations, where the node asks for it."""
        limit = self.call.get("clip")
        return x if limit is None else tacit.clip(x, -float(limit), float(limit))

    def initial(self, state: Any, number: int) -> Any:
        """The state of a direction before the first step: (batch, hidden)."""
        if state is None:
            return np.zeros((self.batch, self.hidden))
        return state[:, number] if self.batch_first else state[number]

    def inputs(self, number: int) -> Any:
        """The inputs in the order of a direction's steps."""
        return self._ordered(self.x) if self.backwards[number] else self.x

    def _ordered(self, x: Any) -> Any:
        """The steps of each sequence backwards."""
        if self.lengths is None:
            return x[::-1]
        order = np.tile(np.arange(self.steps)[:, None], (1, self.batch))
        for row, length in enumerate(self.lengths):
            order[:length, row] = order[:length, row][::-1]
        return x[order, np.arange(self.batch)]

    def run(
        self, number: int, step: Any, state: Sequence[Any], given: Any
    ) -> tuple[Any, list[Any]]:
        """The outputs of all steps of a direction, and its last state."""
        xs = [given]
        if self.lengths is not None:
            xs.append(np.arange(self.steps)[:, None, None] < self.lengths[:, None])

        def body(carry: Any, x: Any) -> Any:
            new = step(carry, x[0])
            output = new[0]
            if self.lengths is not None:
                new = [tacit.where(x[1], a, b) for a, b in zip(new, carry, strict=True)]
                output = tacit.where(x[1], output, 0)
            return new, [output]

        last, (outputs,) = scanned(body, state, xs)
        return (self._ordered(outputs) if self.backwards[number] else outputs), list(last)

    def results(self, outputs: list[Any], states: list[list[Any]]) -> tuple[Any, ...]:
        """(steps, directions, batch, hidden) and the last states, as the node lays them."""
        whole = joined([y[:, None] for y in outputs], 1)
        last = [joined([state[k][None] for state in states], 0) for k in range(len(states[0]))]
        if self.batch_first:
            return (whole.transpose((2, 0, 1, 3)), *(each.transpose((1, 0, 2)) for each in last))
        return (whole, *last)


def _biases(bias: Any, number: int, size: int) -> tuple[Any, Any]:
    if bias is None:
        return np.zeros(size), np.zeros(size)
    return bias[number, :size], bias[number, size:]


@operator("RNN", public=(4,))
def _rnn(
    call: Call, x: Any, w: Any, r: Any, bias: Any = None, lengths: Any = None, start: Any = None
) -> Any:
    layer = _Layer(call, x, lengths, ["Tanh"])
    outputs, states = [], []
    for number in range(len(layer.backwards)):
        (function,) = layer.activations(number)
        own, recurrent = _biases(bias, number, layer.hidden)
        given = layer.inputs(number) @ w[number].T + (own + recurrent)
        turned = r[number].T

        def step(carry: Any, xw: Any, turned: Any = turned, function: Any = function) -> Any:
            return [function(layer.clipped(xw + carry[0] @ turned))]

        y, last = layer.run(number, step, [layer.initial(start, number)], given)
        outputs.append(y)
        states.append(last)
    return layer.results(outputs, states)


@operator("GRU", public=(4,))
def _gru(
    call: Call, x: Any, w: Any, r: Any, bias: Any = None, lengths: Any = None, start: Any = None
) -> Any:
    layer = _Layer(call, x, lengths, ["Sigmoid", "Tanh"])
    h = layer.hidden
    after = bool(call.get("linear_before_reset", 0))
    outputs, states = [], []
    for number in range(len(layer.backwards)):
        gate, candidate = layer.activations(number)
        own, recurrent = _biases(bias, number, 3 * h)
        given = layer.inputs(number) @ w[number].T + own
        turned, bias_h = r[number].T, recurrent

        def step(
            carry: Any,
            xw: Any,
            turned: Any = turned,
            b: Any = bias_h,
            f: Any = gate,
            g: Any = candidate,
        ) -> Any:
            (state,) = carry
            if after:
                product = state @ turned + b
                both = f(layer.clipped(xw[:, : 2 * h] + product[:, : 2 * h]))
                update, reset = both[:, :h], both[:, h:]
                inner = xw[:, 2 * h :] + reset * product[:, 2 * h :]
            else:
                product = state @ turned[:, : 2 * h] + b[: 2 * h]
                both = f(layer.clipped(xw[:, : 2 * h] + product))
                update, reset = both[:, :h], both[:, h:]
                inner = xw[:, 2 * h :] + (reset * state) @ turned[:, 2 * h :] + b[2 * h :]
            new = g(layer.clipped(inner))
            return [new + update * (state - new)]

        y, last = layer.run(number, step, [layer.initial(start, number)], given)
        outputs.append(y)
        states.append(last)
    return layer.results(outputs, states)


@operator("LSTM", public=(4,))
def _lstm(
    call: Call,
    x: Any,
    w: Any,
    r: Any,
    bias: Any = None,
    lengths: Any = None,
    start: Any = None,
    cell: Any = None,
    peepholes: Any = None,
) -> Any:
    layer = _Layer(call, x, lengths, ["Sigmoid", "Tanh", "Tanh"])
    h = layer.hidden
    coupled = bool(call.get("input_forget", 0))
    outputs, states = [], []
    for number in range(len(layer.backwards)):
        functions = layer.activations(number)
        own, recurrent = _biases(bias, number, 4 * h)
        given = layer.inputs(number) @ w[number].T + (own + recurrent)
        looks = (
            None
            if peepholes is None
            else [peepholes[number, k * h : (k + 1) * h] for k in range(3)]
        )
        turned = r[number].T

        def step(
            carry: Any, xw: Any, turned: Any = turned, looks: Any = looks, fs: Any = functions
        ) -> Any:
            state, memory = carry
            f, g, out = fs
            sums = xw + state @ turned
            i, o, forget, c = (sums[:, k * h : (k + 1) * h] for k in range(4))
            if looks is not None:
                i, forget = i + looks[0] * memory, forget + looks[2] * memory
            if looks is None:
                gates = f(layer.clipped(joined([i, o, forget], 1)))
                i, o, forget = (gates[:, k * h : (k + 1) * h] for k in range(3))
            else:
                i, forget = f(layer.clipped(i)), f(layer.clipped(forget))
            if coupled:
                forget = 1 - i
            memory = forget * memory + i * g(layer.clipped(c))
            if looks is not None:
                o = f(layer.clipped(o + looks[1] * memory))
            return [o * out(memory), memory]

        initial = [layer.initial(start, number), layer.initial(cell, number)]
        y, last = layer.run(number, step, initial, given)
        outputs.append(y)
        states.append(last)
    return layer.results(outputs, states)
