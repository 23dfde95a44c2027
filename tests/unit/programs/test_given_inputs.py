"""What a program is given: numbers of its inputs' types, and arrays of its own session."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tacit
from tacit import ArraySpec
from tacit.errors import ProgramError, UsageError

X = ArraySpec((3,), owner="alice", bounds=(-8, 8))


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        (tacit.int64, 2.7),
        (tacit.int64, 2.0),
        (tacit.int8, 300),
        (tacit.uint8, -1),
        (tacit.int64, np.uint64(2**63)),
        (tacit.bool, 1),
        (tacit.fixed, "1.5"),
        (tacit.fixed, 1j),
    ],
)
def test_public_numbers_are_neither_rounded_nor_cut_off(dtype: Any, value: Any) -> None:
    """2.7 was 2, and 300 was 44 of 8 bits, without a word."""

    def function(x: Any, s: Any) -> Any:
        return tacit.where(s, x, x * 2) if dtype is tacit.bool else x * s

    program = tacit.trace(function, X, ArraySpec((), dtype, public=True))
    with tacit.local(seed=1) as mpc:
        with pytest.raises(ProgramError, match="TC-1512"):
            mpc.run(program, {"x": np.ones(3), "s": value})
        good = {"bool": True, "fixed": 3}.get(dtype.kind, np.int16(3))
        mpc.run(program, {"x": np.ones(3), "s": good})  # the session goes on


@pytest.mark.parametrize("protocol", ["replicated3", "fantastic4"])
def test_arrays_of_another_session_are_refused(protocol: str) -> None:
    """Its numbers mean other arrays here, or shares of other parties."""
    program = tacit.trace(lambda x: x * 2, X)
    with tacit.local(seed=1) as mpc, tacit.local(protocol, seed=2) as other:
        foreign = other.share(np.ones(3), "alice", bounds=(-8, 8))
        with pytest.raises(UsageError, match="TC-1031"):
            mpc.run(program, {"x": foreign})
        own = mpc.share(np.ones(3), "alice", bounds=(-8, 8))
        np.testing.assert_allclose(mpc.run(program, {"x": own})["output"], 2)


@pytest.mark.parametrize(
    ("dtype", "bounds", "plain"),
    [
        (tacit.fixed, (np.float32(-8), np.float64(8)), (-8.0, 8.0)),
        (tacit.int64, (np.int8(-8), np.uint16(8)), (-8, 8)),
        (tacit.int128, (0, 2**100), (0, 2.0**100)),
        (tacit.int128, (-(2**100) - 1, 2**100 + 1), (-(2.0**100) - 2.0**48, 2.0**100 + 2.0**48)),
    ],
)
def test_bounds_of_any_numbers_are_plain_in_a_program(dtype: Any, bounds: Any, plain: Any) -> None:
    program = tacit.trace(lambda x: x, ArraySpec((3,), dtype, owner="a", bounds=bounds), ring=128)
    assert program.inputs[0].bounds == plain
    assert tacit.Program.from_bytes(program.canonical) == program


@pytest.mark.parametrize("named", [{"bounds": ("a", "b")}, {"owner": 7}, {"name": None}])
def test_specs_of_the_wrong_kinds_are_refused(named: Any) -> None:
    with pytest.raises(ProgramError, match="TC-1516"):
        ArraySpec((3,), **named)
