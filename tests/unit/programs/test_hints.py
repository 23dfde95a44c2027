"""Hints: part of a program and its digest, without effect on results."""

from __future__ import annotations

import numpy as np
import pytest

import tacit
from tacit import ArraySpec, Program
from tacit.errors import ProgramError


def compared(x: tacit.SecretArray) -> tacit.SecretArray:
    y = x * 2
    with tacit.hint("garbled"):
        larger = tacit.sort(y)
        top = larger[-1]
    return top + 1


SPEC = ArraySpec((5,), owner="alice", bounds=(-8, 8))


def test_a_hint_is_a_range_of_nodes() -> None:
    program = tacit.trace(compared, SPEC)
    (hint,) = program.form.hints
    names = [node.operation for node in program.form.main.nodes]
    assert hint.protocol == "garbled"
    assert names[hint.first : hint.last + 1] == ["sort", "getitem"]
    assert Program.from_bytes(program.canonical) == program


def test_a_hint_changes_the_digest_and_no_result() -> None:
    x = np.array([0.5, -2.0, 3.0, 1.0, 0.0])
    program = tacit.trace(compared, SPEC)
    plain = tacit.trace(lambda x: tacit.sort(x * 2)[-1] + 1, SPEC, name="compared")
    assert program.digest != plain.digest
    with tacit.local(seed=1) as mpc:
        assert mpc.run(program, {"x": x})["output"] == 7.0
        assert compared(mpc.share(x, "alice")).reveal(to="all") == 7.0


def test_hints_in_loops_and_of_no_protocol_are_refused() -> None:
    def inside(x: tacit.SecretArray) -> tacit.SecretArray:
        def body(i: object, carry: list[tacit.SecretArray]) -> list[tacit.SecretArray]:
            with tacit.hint("garbled"):
                return [tacit.relu(carry[0])]

        return tacit.fori_loop(0, 2, body, [x])[0]

    with pytest.raises(ProgramError, match="TC-1519"):
        tacit.trace(inside, SPEC)
    with pytest.raises(ProgramError, match="TC-1519"), tacit.hint("quantum"):
        pass
