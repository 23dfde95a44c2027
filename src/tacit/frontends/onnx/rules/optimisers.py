"""Steps of training by Adagrad, Adam and momentum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from tacit.arrays import functions as tacit
from tacit.frontends.onnx.registry import Call, operator

__all__: list[str] = []

_DOMAIN: Final = "ai.onnx.preview.training"


def _for_each(call: Call, arrays: tuple[Any, ...], parts: int, step: Callable[..., Any]) -> Any:
    """The step for every tensor: arrays come part by part, and so do the results."""
    count = len(arrays) // parts
    found = [step(*(arrays[part * count + k] for part in range(parts))) for k in range(count)]
    return tuple(each[part] for part in range(parts - 1) for each in found)


@operator("Adagrad", since=1, domain=_DOMAIN, public=(0, 1))
def _adagrad(call: Call, rate: Any, count: Any, *arrays: Any) -> Any:
    slowed = float(rate) / (1 + float(count) * call.get("decay_factor", 0.0))

    def step(x: Any, gradient: Any, squares: Any) -> Any:
        regular = gradient + call.get("norm_coefficient", 0.0) * x
        new = squares + tacit.square(regular)
        return x - slowed * regular / (tacit.sqrt(new) + call.get("epsilon", 1e-6)), new

    return _for_each(call, arrays, 3, step)


@operator("Adam", since=1, domain=_DOMAIN, public=(0, 1))
def _adam(call: Call, rate: Any, count: Any, *arrays: Any) -> Any:
    alpha, beta = call.get("alpha", 0.9), call.get("beta", 0.999)
    number = int(np.asarray(count).item())
    slowed = float(rate)
    if number > 0:
        slowed *= np.sqrt(1 - beta**number) / (1 - alpha**number)

    def step(x: Any, gradient: Any, mean: Any, squares: Any) -> Any:
        regular = gradient + call.get("norm_coefficient", 0.0) * x
        new_mean = mean * alpha + regular * (1 - alpha)
        new_squares = squares * beta + tacit.square(regular) * (1 - beta)
        moved = x - slowed * new_mean / (tacit.sqrt(new_squares) + call.get("epsilon", 1e-6))
        after = call.get("norm_coefficient_post", 0.0)
        return (moved if not after else moved * (1 - after)), new_mean, new_squares

    return _for_each(call, arrays, 4, step)


@operator("Momentum", since=1, domain=_DOMAIN, public=(0, 1))
def _momentum(call: Call, rate: Any, count: Any, *arrays: Any) -> Any:
    alpha, speed = call.get("alpha"), float(rate)
    first = float(count) == 0
    share = 1.0 if first else call.get("beta")

    def step(x: Any, gradient: Any, velocity: Any) -> Any:
        regular = gradient + call.get("norm_coefficient", 0.0) * x
        new = velocity * alpha + regular * share
        if call.text("mode", "standard") == "nesterov":
            return x - speed * (regular + alpha * new), new
        return x - speed * new, new

    return _for_each(call, arrays, 3, step)
