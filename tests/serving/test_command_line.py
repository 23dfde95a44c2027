"""``tacit serve`` and ``tacit query`` with a process a party, one of which is killed."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from consortia import free_block
from rich.console import Console
from serving_world import form, model

import tacit
from tacit.cli.app import app
from tacit.cli.serving import LocalService, local_consortium
from tacit.errors import TacitError


@pytest.mark.processes
def test_a_killed_party_costs_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Clients ask all the time while a party is killed; all get right scores, then and later."""
    clear = model(form())
    clear.save(tmp_path / "model.json")
    said = io.StringIO()
    console = Console(file=said, width=200)
    made = local_consortium(tmp_path / "st", None, "fantastic4", free_block(8), console)
    options = [str(tmp_path / "model.json"), "--owner", "alice", "--state", str(tmp_path / "st")]
    service = LocalService(made, tmp_path / "st", [*options, "--budget", "1000"], 0, console)
    rows = np.random.default_rng(1).uniform(-1, 1, (2, 3))
    expected = clear.probability(rows)
    answered, wrong, over = [0, 0], list[str](), threading.Event()

    def asking(place: int) -> None:
        with tacit.Client(made.client, timeout=120) as client:
            while not over.is_set():
                try:
                    found = client.probability(rows)
                except TacitError as error:
                    wrong.append(str(error))
                    return
                answered[place] += 1
                if not np.allclose(found, expected, atol=2e-4):
                    wrong.append("a wrong score")

    with service.running():
        threads = [threading.Thread(target=asking, args=(place,)) for place in range(2)]
        for thread in threads:
            thread.start()
        try:
            wait_until(lambda: min(answered) > 1 or bool(wrong))
            os.kill(service.processes["carol"].pid, signal.SIGKILL)
            before = list(answered)
            wait_until(
                lambda: all(a > b + 2 for a, b in zip(answered, before, strict=True)) or bool(wrong)
            )
        finally:
            over.set()
            for thread in threads:
                thread.join(240)
        assert wrong == []
        with tacit.Client(made.client) as client:
            described = client.describe()
            assert described.members == ("alice", "bob", "dave")
            assert described.stage == 1
            assert described.budget is not None
            assert described.budget < 1000
        (tmp_path / "rows.csv").write_text("x0,x1,x2,y\n0,0,0,1\n")
        arguments = ["query", str(tmp_path / "rows.csv"), "--kit", str(made.client), "--json"]
        monkeypatch.setattr(sys, "argv", ["tacit", *arguments])
        app(arguments, standalone_mode=False)
        (score,) = json.loads(capsys.readouterr().out)["scores"]
        assert abs(score - clear.probability(np.zeros((1, 3)))[0]) < 2e-4
    assert all(process.poll() is not None for process in service.processes.values())
    codes = {n: p.returncode for n, p in service.processes.items() if n != "carol"}
    assert codes == {"alice": 0, "bob": 0, "dave": 0}, said.getvalue()
    for name in codes:
        log = (tmp_path / "st" / name / "serve.log").read_text()
        assert "carol lost" in log
        assert '"event": "ended"' in log


def wait_until(done: object, seconds: float = 240.0) -> None:
    """Poll for something that other processes do."""
    until = time.monotonic() + seconds
    while not done():  # type: ignore[operator]
        assert time.monotonic() < until
        time.sleep(0.05)
