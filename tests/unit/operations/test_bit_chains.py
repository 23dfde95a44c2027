"""Chains of operations on bits: what NumPy gives, in fewer rounds than one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tacit
from tacit.arrays.array import applied
from tacit.errors import ShapeError
from tacit.operations import OPERATIONS
from tacit.operations.bit_chains import BitStep, Chain
from tacit.operations.types import ArrayType

RNG = np.random.default_rng(3)

STEPS = (
    BitStep("and", 0, 1),  # 3
    BitStep("left", 3, 3),  # 4
    BitStep("xor", 4, 2),  # 5
    BitStep("right", 5, 2),  # 6
    BitStep("not", 6),  # 7
    BitStep("or", 7, 0),  # 8
)


def plain(x: Any, y: Any, z: Any) -> Any:
    return ~((((x & y) << 3) ^ z) >> 2) | x


@pytest.mark.parametrize("protocol", ["replicated3", "replicated3_active", "fantastic4"])
@pytest.mark.parametrize("kind", ["int64", "int16", "uint8"])
def test_a_chain_is_its_steps(protocol: str, kind: str) -> None:
    limits = np.iinfo(kind)
    x, y, z = (
        RNG.integers(limits.min // 2, limits.max // 2, shape, kind, endpoint=True)
        for shape in ((3, 2), (2,), (3, 1))
    )
    with tacit.local(protocol, seed=4) as mpc:
        a, b = mpc.share(x, "alice"), mpc.share(y, "bob")
        with mpc.measure() as chained:
            found = applied("bit_chain", a, b, z, steps=STEPS)
        with mpc.measure() as single:
            plain(a, b, z)
        four = (BitStep("and", 0, 1), BitStep("nonzero", 2))
        some = applied("bit_chain", a, np.array(4, kind), steps=four)
        np.testing.assert_array_equal(found.reveal(to="all"), plain(x, y, z))
        np.testing.assert_array_equal(some.reveal(to="all"), (x & 4) != 0)
    assert chained.rounds * 2 < single.rounds
    if protocol == "replicated3":
        assert sum(chained.bytes_sent.values()) < sum(single.bytes_sent.values())


@pytest.mark.parametrize(
    "steps",
    [
        (),
        (BitStep("and", 0, 1),),
        (BitStep("not", -1),),
        (BitStep("left", 0, 64),),
        (BitStep("nonzero", 0), BitStep("not", 1)),
        (BitStep("not", 0),) * 1001,
    ],
)
def test_steps_that_lead_nowhere_are_refused(steps: tuple[BitStep, ...]) -> None:
    with pytest.raises(ShapeError, match="TC-1194"):
        OPERATIONS["bit_chain"].result_types([ArrayType(tacit.int64, (2,))], Chain(steps))
