"""Steps that undo each other, and parts that together are the whole, against all values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tacit
from tacit import ArraySpec
from tests.thinning import EVERYTHING

X = ArraySpec((200,), owner="alice", bounds=(-1, 1))
S = ArraySpec((200,), owner="bob", bounds=(-1, 1))
BYTE = ArraySpec((200,), tacit.int64, owner="alice", bounds=(0, 255))
KEY = ArraySpec((200,), tacit.int64, owner="bob", bounds=(0, 255))
WIDE = ArraySpec((200,), tacit.int64, owner="alice")
WORD = ArraySpec((200,), tacit.int32, owner="alice")
DIGIT = ArraySpec((50,), tacit.int64, owner="alice", bounds=(0, 9))

Case = tuple[Callable[..., Any], tuple[ArraySpec, ...], str]


def kinds(program: Any, recipient: str = "carol") -> set[tuple[str, str]]:
    return {
        (one.severity, one.kind)
        for one in program.explain().findings
        if recipient in one.recipients and "x" in one.inputs
    }


WHOLE: dict[str, Case] = {
    "scaled and back": (lambda x, s: x * s / s, (X, S), "reveals-input"),
    "one of two alike": (lambda x, s: tacit.where(s > 0, x, x), (X, S), "reveals-input"),
    "both sides of a choice": (
        lambda x, s: (s > 0).astype(tacit.fixed) * x + (1 - (s > 0).astype(tacit.fixed)) * x,
        (X, S), "reveals-input",
    ),
    "by exponents": (lambda x, s: tacit.exp(x + s) / tacit.exp(s), (X, S), "reveals-input"),
    "with a public key": (lambda x: x ^ 85, (BYTE,), "reveals-input"),
    "with a public key, any integer": (lambda x: (x ^ 85) + 7, (WIDE,), "reveals-input"),
    "a key twice": (lambda x, s: (x ^ s) ^ s, (BYTE, KEY), "reveals-input"),
    "what is in a mask and what is not": (
        lambda x, s: (x & s) | (x & ~s), (BYTE, KEY), "reveals-input",
    ),
    "bits": (lambda x: tuple((x >> k) & 1 for k in range(8)), (BYTE,), "together"),
    "bits as an array": (lambda x: (x[:, None] >> np.arange(8)) & 1, (BYTE,), "reveals-input"),
    "bits as yes or no": (lambda x: tuple((x & (1 << k)) != 0 for k in range(8)), (BYTE,),
                          "together"),
    "bits of a wide number": (
        lambda x: tuple((x >> k) & 1 for k in range(32)), (WORD,), "together",
    ),
    "bits of one": (lambda x: tuple((x[3] >> k) & 1 for k in range(8)), (BYTE,), "together"),
    "halves of bytes": (lambda x: (x & 15, x >> 4), (BYTE,), "together"),
    "quotient and remainder": (lambda x: (x // 7, x % 7), (BYTE,), "together"),
    "limits one by one": (lambda x: tuple(x >= k for k in range(1, 10)), (DIGIT,), "together"),
    "one of ten": (lambda x: tacit.one_hot(x, 10), (DIGIT,), "reveals-input"),
    "positive and negative part": (lambda x: (tacit.relu(x), tacit.relu(-x)), (X,), "together"),
    "positive less negative part": (
        lambda x: tacit.relu(x) - tacit.relu(-x), (X,), "reveals-input",
    ),
    "larger and smaller than 0": (
        lambda x: tacit.maximum(x, 0) + tacit.minimum(x, 0), (X,), "reveals-input",
    ),
    "sign and size": (lambda x: (tacit.sign(x), abs(x)), (X,), "together"),
    "sign times size": (lambda x: tacit.sign(x) * abs(x), (X,), "reveals-input"),
    "squares and signs": (lambda x: (x * x, x > 0), (X,), "together"),
    "cubes": (lambda x: x * x * x, (X,), "reveals-input"),
    "sine and cosine": (lambda x: (tacit.sin(x * 3), tacit.cos(x * 3)), (X,), "together"),
}  # fmt: skip


@pytest.mark.parametrize("case", WHOLE)
def test_what_can_be_undone_is_found(case: str) -> None:
    function, specs, kind = WHOLE[case]
    found = kinds(tacit.trace(function, *specs, to="carol"))
    assert {one for one in found if one[0] == "high"} == {("high", kind)}


PARTS: dict[str, tuple[Callable[..., Any], tuple[ArraySpec, ...]]] = {
    "all bits but one": (lambda x: tuple((x >> k) & 1 for k in range(7)), (BYTE,)),
    "a remainder": (lambda x: x % 7, (BYTE,)),
    "a shifted square": (lambda x: (x - 0.3) * (x - 0.3), (X,)),
    "a shifted square of integers": (lambda x: (x - 1000) * (x - 1000), (WIDE,)),
    "a polynomial that turns": (lambda x: x * x - x, (X,)),
    "a positive part, scaled and back": (lambda x, s: tacit.relu(x) * s / s, (X, S)),
    "the larger of two": (lambda x, s: tacit.maximum(x, s), (X, S)),
    "a product": (lambda x, s: x * s, (X, S)),
    "a choice of another": (lambda x, s: tacit.where(s > 0, x, -2 * x), (X, S)),
    "a range": (lambda x: tacit.clip(x, -0.5, 0.5), (X,)),
}


@pytest.mark.parametrize("case", PARTS)
def test_what_cannot_be_undone_is_not_called_known(case: str) -> None:
    function, specs = PARTS[case]
    found = kinds(tacit.trace(function, *specs, to="carol"))
    assert found
    assert not {kind for _, kind in found} & {"reveals-input", "together", "difference"}


def test_one_s_own_key_is_taken_off() -> None:
    for function in (lambda x, s: x ^ s, lambda x, s: tacit.maximum(x, s) + tacit.minimum(x, s)):
        program = tacit.trace(function, BYTE, KEY, to="bob")
        assert kinds(program, "bob") == {("high", "own-subtracted")}


def test_chains_of_bits_are_looked_into() -> None:
    """The optimiser writes them as one operation; what they tell is the same."""
    program = tacit.trace(lambda x: ((x >> 4) & 15) | ((x & 15) << 4), BYTE, to="carol")
    smaller = program.optimize()
    assert "bit_chain" in smaller.operations
    assert kinds(program) == kinds(smaller) == {("high", "reveals-input")}


INTEGERS: dict[str, Callable[[Any, int], Any]] = {
    "and": lambda x, k: x & k,
    "or": lambda x, k: x | k,
    "xor": lambda x, k: x ^ k,
    "shift": lambda x, k: x >> (k % 3),
    "times": lambda x, k: x * (k - 7),
    "square": lambda x, k: (x - k) * (x - k),
    "rest": lambda x, k: x % (k + 2),
    "quotient": lambda x, k: x // (k + 2),
}


@pytest.mark.parametrize("seed", range(400 if EVERYTHING else 60))
def test_functions_of_one_number_are_known_exactly_if_all_values_differ(seed: int) -> None:
    generator = np.random.default_rng(seed)
    names = list(INTEGERS)
    chains = [
        [(names[k], int(generator.integers(16))) for k in generator.integers(8, size=length)]
        for length in generator.integers(1, 4, size=generator.integers(1, 5))
    ]

    def run(x: Any) -> list[Any]:
        found = []
        for chain in chains:
            y = x
            for name, k in chain:
                y = INTEGERS[name](y, k)
            found.append(y)
        return found

    spec = ArraySpec((20,), tacit.int64, owner="alice", bounds=(0, 15))
    program = tacit.trace(lambda x: {str(k): o for k, o in enumerate(run(x))}, spec, to="carol")
    values = np.stack(np.broadcast_arrays(*run(np.arange(16))), 1)
    determined = len(np.unique(values, axis=0)) == 16
    high = {severity for severity, _ in kinds(program)} & {"high"}
    assert bool(high) == determined, chains
