"""The steps that the attacks run against: every communicating primitive, on small sharings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from simulation import NAMES, Simulation

from tacit.encoding import RING64, Ring
from tacit.errors import PeerFaultError
from tacit.rounds import Adversary, Tamper

SIZE = 130

NUMBERS: dict[str, Callable[..., Any]] = {
    "multiply": lambda p, x, y: p.multiply(x, y),
    "matmul": lambda p, x, y: p.matmul(x.reshape(10, 13), y.reshape(13, 10)),
    "truncate": lambda p, x, y: p.truncate(x, 18),
    "truncate exactly": lambda p, x, y: p.truncate(x, 18, "exact"),
    "multiply_truncate": lambda p, x, y: p.multiply_truncate(x, y, 18),
    "matmul_truncate": lambda p, x, y: p.matmul_truncate(x.reshape(10, 13), y.reshape(13, 10), 18),
    "sum_products_truncate": lambda p, x, y: p.sum_products_truncate([(x, y), (y, y)], 18),
    "most_significant_bit": lambda p, x, y: p.most_significant_bit(x),
    "to_bits": lambda p, x, y: p.to_bits(x),
    "permute": lambda p, x, y: p.permute(p.permutation(2, 65), x.reshape(2, 65)),
    "reveal": lambda p, x, y: p.reveal(x, (0, 1, 2)),
}

BITS: dict[str, Callable[..., Any]] = {
    "bitwise_and": lambda p, x, a: p.bitwise_and(a, a),
    "from_bits": lambda p, x, a: p.from_bits(p.stack_planes([a, a])),
    "bit_to_arithmetic": lambda p, x, a: p.bit_to_arithmetic(a),
    "inject": lambda p, x, a: p.inject(a, x),
    "select": lambda p, x, a: p.select(a, x, x),
    "permute_bits": lambda p, x, a: p.permute_bits(p.permutation(2, 65), a.reshape(2, 65)),
    "reveal_bits": lambda p, x, a: p.reveal_bits(a, (0, 1, 2)),
}

INPUTS: dict[str, Callable[..., Any]] = {
    "input": lambda p, x, y: p.input(
        1, p.ring.elements(np.arange(SIZE)) if p.index == 1 else None, (SIZE,)
    ),
    "input_bits": lambda p, x, y: p.input_bits(
        2, np.ones(SIZE, np.uint8) if p.index == 2 else None, (SIZE,)
    ),
}

ALL = sorted({**NUMBERS, **BITS, **INPUTS})


def run(name: str, tamper: Any = None, seed: int = 3, over: Ring = RING64) -> tuple[Any, Adversary]:
    """Run one step with an adversary on the wire: the results and the driver."""
    results, driver, error = attempt(name, tamper, seed, over)
    if error is not None:
        raise error
    return results, driver


def attempt(
    name: str, tamper: Any, seed: int = 3, over: Ring = RING64
) -> tuple[Any, Adversary, PeerFaultError | None]:
    """The same, with the fault that ended it instead of raising it."""
    driver = Adversary(NAMES, tamper)
    simulation = Simulation(seed, driver, over=over)
    x = np.arange(SIZE) * 1000 - 50_000
    second = (
        simulation.share_bits(np.arange(SIZE) % 2) if name in BITS else simulation.share(x[::-1])
    )
    step = {**NUMBERS, **BITS, **INPUTS}[name]
    try:
        return simulation.run(step, simulation.share(x), second, stage=name), driver, None
    except PeerFaultError as error:
        return None, driver, error


def messages(name: str, over: Ring = RING64) -> list[Any]:
    """Every message of an honest run."""
    return run(name, over=over)[1].sent


def at(message: Any, rewrite: Any) -> Tamper:
    """A rewrite of exactly this message."""
    return Tamper(rewrite, sender=message.sender, receiver=message.receiver, index=message.index)
