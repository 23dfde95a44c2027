"""What a user sees when ``tacit run`` ends in the middle of a program's loop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import tacit

pytestmark = pytest.mark.processes

SCRIPT = Path(__file__).with_name("interrupted_run.py")
PROGRAM = tacit.trace(
    lambda x, y: tacit.fori_loop(0, 1 << 14, lambda i, c: [tacit.relu(c[0] * y)], [x])[0],
    tacit.ArraySpec((2,), owner="alice", bounds=(-1, 1)),
    tacit.ArraySpec((2,), owner="bob", bounds=(-1, 1)),
)
"""Minutes on any machine."""


def ended(identifiers: list[int]) -> bool:
    """Whether these processes end, within what any machine needs."""
    until = time.monotonic() + 60
    while any(map(runs, identifiers)):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def runs(identifier: int) -> bool:
    try:
        status = Path(f"/proc/{identifier}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize(
    ("event", "status", "words"),
    [
        ("SIGINT", 130, "Interrupted: everything that this command started was stopped."),
        ("SIGKILL", -signal.SIGKILL, ""),
        ("bob", 4, "TC-3410"),
    ],
)
def test_the_end_in_the_middle_of_a_loop(
    event: str, status: int, words: str, tmp_path: Path
) -> None:
    PROGRAM.save(tmp_path / "long.tacit")
    np.save(tmp_path / "x.npy", np.array([0.5, -0.5]))
    files = [f"{owner}={tmp_path / 'x.npy'}" for owner in ("alice", "bob")]
    command = [sys.executable, str(SCRIPT), event, "run", str(tmp_path / "long.tacit"), *files]
    found = subprocess.run(
        [*command, "--out", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(tacit.__file__).parents[1])},
    )
    assert found.returncode == status, found.stderr
    assert words in found.stderr
    assert "Traceback" not in found.stderr
    (line,) = (one for one in found.stdout.splitlines() if one.startswith("processes "))
    assert ended([int(one) for one in line.split()[1:]])
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["log.jsonl"]
    last = json.loads((tmp_path / "out" / "log.jsonl").read_text().splitlines()[-1])
    if event == "SIGKILL":
        assert last["event"] == "parties connected"
    else:
        error = {"SIGINT": "KeyboardInterrupt", "bob": "TC-3410"}[event]
        assert (last["event"], last["error"]) == ("ended early", error)


CONTROLLER = """
import os, signal, sys
import numpy as np
import tacit
program = tacit.programs.program.Program.load(sys.argv[1])
mpc = tacit.local(processes=True)
x, y = (mpc.share(np.array([0.5, -0.5]), owner=n, bounds=(-1, 1)) for n in ("alice", "bob"))
(x * y).reveal(to="all")
mpc.session.run_program(program, [x.reference, y.reference])  # is sent ahead, nobody waits
print(*mpc.session.processes.identifiers.values(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_parties_end_with_who_controls_them(tmp_path: Path) -> None:
    """They compute and read no commands: that nobody is there reaches them all the same."""
    PROGRAM.save(tmp_path / "long.tacit")
    found = subprocess.run(
        [sys.executable, "-c", CONTROLLER, str(tmp_path / "long.tacit")],
        stdout=subprocess.PIPE,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(tacit.__file__).parents[1])},
    )
    assert found.returncode == -signal.SIGKILL
    identifiers = [int(one) for one in found.stdout.split()]
    assert len(identifiers) == 3
    try:
        assert ended(identifiers)
    finally:
        for identifier in identifiers:
            if runs(identifier):
                os.kill(identifier, signal.SIGKILL)
