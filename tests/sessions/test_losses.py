"""Arrays of four parties in processes of their own, and the loss of one of them."""

from __future__ import annotations

import os
import re
import signal
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tacit
from tacit.errors import IncidentWarning, PartyLostError, TacitError
from tacit.network import NetworkSettings
from tacit.protocols import PROTOCOLS
from tacit.sessions.controlled import ProcessSession

pytestmark = pytest.mark.processes

X = np.arange(12.0).reshape(3, 4) / 8
Y = np.arange(8.0).reshape(4, 2) - 3


PAGE = Path(__file__).parents[2] / "docs" / "failures.md"


def kill(mpc: Any, name: str) -> None:
    os.kill(mpc.session.processes.identifiers[name], signal.SIGKILL)


@pytest.mark.parametrize("lost", ["alice", "carol"])
def test_arrays_survive_the_loss_of_a_process(lost: str) -> None:
    with tacit.local("fantastic4", processes=True, rounding="exact") as mpc:
        x, y = mpc.share(X, owner="alice"), mpc.share(Y, owner="bob")
        before = x @ y
        kill(mpc, lost)
        after = tacit.exp(before / 8)
        with pytest.warns(IncidentWarning, match=lost) as caught:
            opened = after.reveal(to="all")
        assert len(caught) == 1
        np.testing.assert_allclose(opened, np.exp(X @ Y / 8), rtol=1e-3, atol=1e-3)
        (incident,) = mpc.incidents
        assert incident.dropped == (lost,)
        assert incident.security
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            z = mpc.share(Y, owner="bob")
            np.testing.assert_allclose((x @ z).reveal(to="bob")["bob"], X @ Y, atol=1e-4)
            with pytest.raises(PartyLostError, match=lost):
                mpc.share(X, owner=lost)
            with pytest.raises(PartyLostError, match=lost):
                z.reveal(to=lost)
            assert set((x @ z).reveal(to=("bob", lost))) == {"bob"}
            assert lost not in mpc.total_cost.bytes_sent
            np.testing.assert_allclose((z + z).reveal(to="all"), 2 * Y, atol=1e-4)


def test_a_process_that_hangs_is_lost() -> None:
    settings = NetworkSettings(heartbeat_timeout=3.0, patience=10.0)
    session = ProcessSession(PROTOCOLS["fantastic4"], ("a", "b", "c", "d"), settings)
    with tacit.Computation(session) as mpc:
        x = mpc.share(X, owner="a")
        os.kill(session.processes.identifiers["c"], signal.SIGSTOP)
        with pytest.warns(IncidentWarning, match="c was lost"):
            np.testing.assert_allclose((x * x).reveal(to="all"), X * X, atol=1e-4)
        assert mpc.security.outcome == "abort"
        assert mpc.security.parties == 3
        with pytest.raises(PartyLostError):
            mpc.share(X, owner="c")


def test_the_loss_of_two_processes_ends_the_session() -> None:
    with tacit.local("fantastic4", processes=True) as mpc:
        x = mpc.share(X, owner="alice")
        kill(mpc, "bob")
        with pytest.warns(IncidentWarning, match="bob"):
            np.testing.assert_allclose((x + x).reveal(to="all"), 2 * X, atol=1e-4)
        kill(mpc, "dave")
        with pytest.raises(TacitError):
            (x * x).reveal(to="all")
        with pytest.raises(TacitError):
            mpc.share(X, owner="alice")


def test_the_example_of_the_page_runs_as_printed(capsys: pytest.CaptureFixture[str]) -> None:
    ((code, expected),) = re.findall(
        r"```python\n(.*?)```\s+```text\n(.*?)```", PAGE.read_text(), flags=re.DOTALL
    )
    with pytest.warns(IncidentWarning, match="alice was lost") as caught:
        exec(compile(code, str(PAGE), "exec"), {"__name__": "page"})  # noqa: S102 - our own page
    assert capsys.readouterr().out == expected
    assert caught[0].filename == str(PAGE)
