"""Programs from files whose claims are false: in loops, and where an analysis gives up."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

import tacit
from tacit import ArraySpec, Program
from tacit.errors import ProgramError, RangeError
from tacit.programs.bounding import analysis, checking


def _sorting(limit: float) -> Program:
    """A loop whose rounds sort a carry that stays within the limit."""

    def function(x: Any) -> Any:
        return tacit.fori_loop(
            0, 3, lambda i, c: [tacit.sort(tacit.clip(c[0], -limit, limit))], [x]
        )

    spec = ArraySpec((4,), owner="alice", bounds=(-8, 8))
    return tacit.trace(lambda x: function(x)[0], spec)


def test_keys_in_loops_that_are_not_looked_at_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sort says one bit more than units: its keys have 22."""
    honest, narrow = _sorting(8), _sorting(0.25)
    (sort,) = (n for n in narrow.form.bodies[0].nodes if n.operation == "sort")
    body = honest.form.bodies[0]
    nodes = tuple(sort if n.operation == "sort" else n for n in body.nodes)
    assert nodes != body.nodes
    forged = Program(
        msgspec.structs.replace(honest.form, bodies=(msgspec.structs.replace(body, nodes=nodes),))
    )
    values = {"x": np.array([5.0, -3, 7, 0])}
    for most in (analysis.MOST_VISITED, -1):
        # As in a file with so many loops before this one that nothing is looked at any more.
        monkeypatch.setattr(analysis, "MOST_VISITED", most)
        checking._found_when_run.cache_clear()
        with pytest.raises(ProgramError, match="sort"):
            forged.check()
        with tacit.local(seed=1) as mpc, pytest.raises(RangeError, match="TC-1373"):
            mpc.run(forged, values)
    checking._found_when_run.cache_clear()
