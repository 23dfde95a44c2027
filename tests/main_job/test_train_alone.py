"""``tacit train --as``: every organisation runs the same command, with its own file and kit."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from command_line import COMMAND
from consortia import THREE, Ring

from tacit.cli.demos.files import DemoFiles

pytestmark = pytest.mark.processes


def start(ring: Ring, name: str, file: Path, out: Path, *more: str) -> subprocess.Popen[str]:
    arguments = ["train", "--as", f"{name}={file}", "--kit", str(ring.place(name)), *more]
    return subprocess.Popen(
        [*COMMAND, *arguments, "--epochs", "1", "--wait", "200", "--out", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_three_machines(wards: DemoFiles, tmp_path: Path) -> None:
    ring = Ring(tmp_path)
    files = dict(zip(THREE, wards.files.values(), strict=True))
    running = {
        name: start(ring, name, file, tmp_path / "out" / name, "--label", wards.label, "--json")
        for name, file in files.items()
    }
    ended = {name: process.communicate(timeout=300) for name, process in running.items()}
    for name, process in running.items():
        assert process.returncode == 0, ended[name][1]
    manifests = {name: json.loads(out) for name, (out, _) in ended.items()}
    joint = {name: manifest["results"]["joint"] for name, manifest in manifests.items()}
    assert joint["bank_a"] == joint["bank_b"] == joint["bank_c"]
    assert len({m["digests"]["session"] for m in manifests.values()}) == 1
    for name in THREE:
        out = tmp_path / "out" / name
        assert (out / "index.html").exists()
        # Nothing of the others is on this party's disk.
        assert [path.name for path in out.iterdir() if path.is_dir()] == [name]
        assert set(manifests[name]["results"]) == {"joint", name}
        page = (out / "index.html").read_text()
        assert "This is the report of" in page


def test_ctrl_c_while_it_waits_leaves_nothing(wards: DemoFiles, tmp_path: Path) -> None:
    ring = Ring(tmp_path)
    file = next(iter(wards.files.values()))
    process = start(ring, "bank_a", file, tmp_path / "out", "--label", wards.label)
    address = ring.kit("bank_a").addresses["bank_a"]
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            socket.create_connection((address.host, address.port), 1).close()
            break
        except OSError:
            time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind((address.host, address.port))
    assert "Traceback" not in err + out
