"""Calls of primitives with sizes alone: run on random sharings, which take no messages."""

from __future__ import annotations

from math import prod
from typing import Any, Final

import numpy as np

from tacit.programs.planning.party import Call

__all__ = ["MATRICES", "numbers_of", "step_of"]

MATRICES: Final = ("matmul", "matmul_truncate")
"""The primitives whose sizes are two shapes."""


def step_of(party: Any, call: Call, arguments: tuple[Any, ...]) -> Any:
    """The step of a primitive at one party, on random sharings."""
    ring = party.ring
    name = call.primitive

    def numbers(shape: int | tuple[int, ...]) -> Any:
        return party.random(shape if isinstance(shape, tuple) else (shape,))

    def bits(size: int, planes: int = 1) -> Any:
        one = party.random_bits((size,))
        return one if planes == 1 else party.stack_planes([one] * planes)

    size = arguments[0]
    match name:
        case "input":
            mine = party.index == arguments[1]
            return party.input(arguments[1], ring.zeros(size) if mine else None, (size,))
        case "input_bits":
            mine = party.index == arguments[1]
            values = np.zeros(size, np.uint8) if mine else None
            return party.input_bits(arguments[1], values, (size,))
        case "reveal":
            return party.reveal(numbers(size), arguments[1])
        case "reveal_bits":
            return party.reveal_bits(bits(size, arguments[2]), arguments[1])
        case "matmul" | "matmul_truncate":
            x, y, *rest = arguments
            return getattr(party, name)(numbers(x), numbers(y), *rest)
        case "truncate":
            return party.truncate(numbers(size), arguments[1], call.rounding)
        case "multiply" | "multiply_truncate":
            return getattr(party, name)(numbers(size), numbers(size), *arguments[1:])
        case "sum_products_truncate":
            pairs = [(numbers(size), numbers(size))] * arguments[2]
            return party.sum_products_truncate(pairs, arguments[1])
        case "bitwise_and":
            return party.bitwise_and(bits(size, arguments[1]), bits(size, arguments[1]))
        case "from_bits":
            one = bits(size)
            return party.from_bits(party.stack_planes([one] * arguments[1]))
        case "bit_to_arithmetic":
            return party.bit_to_arithmetic(bits(size))
        case "inject":
            return party.inject(bits(size), numbers(size))
        case "select":
            return party.select(bits(size), numbers(size), numbers(size))
        case "lookup":
            tables = [[0, 1, 2, 3]] * arguments[1]
            return party.lookup(bits(size), bits(size), tables)
        case "permute":
            secret = party.permutation(1, size)
            return party.permute(secret, numbers((1, size)), arguments[1])
        case "permute_bits":
            secret = party.permutation(1, size)
            return party.permute_bits(secret, bits(size).reshape(1, size), arguments[1])
    return getattr(party, name)(numbers(size))


def numbers_of(call: Call) -> int:
    """Elements of a call; of matrix products, multiplications."""
    if call.primitive in MATRICES:
        x, y = call.arguments[:2]
        columns = y[-1] if len(y) > 1 else 1
        return int(prod(x) * columns)
    return int(call.arguments[0])
