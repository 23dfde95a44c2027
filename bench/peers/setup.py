"""Make the peers' virtual environments: ``python bench/peers/setup.py [PEER ...]``.

Each peer gets ``.peers/<name>`` with exactly the packages of its file here, ``<name>.txt``: a full
list, installed without looking for more. An environment that is already right is left alone. A
peer that cannot be had is reported and skipped; the exit status is 0 all the same, since a bench
without a peer is a bench still.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENVIRONMENTS = HERE.parents[1] / ".peers"


class Unavailable(Exception):
    """A peer cannot be had on this machine; the message says why."""


@dataclass(frozen=True)
class Peer:
    """What it takes to install a peer.

    Attributes
    ----------
    name : str
        The name of its environment, its requirements file and its scripts.
    check : str
        Python that fails unless the peer is usable.
    python : str, optional
        The only version of Python that it has wheels for; any from 3.11 where None.
    left_out : str, optional
        Why it is installed only when it is asked for by name.
    """

    name: str
    check: str
    python: str | None = None
    left_out: str | None = None

    @property
    def requirements(self) -> Path:
        """The pinned packages."""
        return HERE / f"{self.name}.txt"

    @property
    def folder(self) -> Path:
        """The environment."""
        return ENVIRONMENTS / self.name

    @property
    def interpreter(self) -> Path:
        """The environment's Python."""
        return self.folder / "bin" / "python"


PEERS = (
    Peer("spu", check="import spu", python="3.11"),
    Peer("mpyc", check="import mpyc, numpy, gmpy2"),
    Peer(
        "crypten",
        check="import torch, onnx, omegaconf",
        left_out="needs torch, 2.5 GB to download and 4.1 GB on disk",
    ),
)


def install(peer: Peer) -> str:
    """Make a peer's environment unless it is there already, and say what was done.

    Raises
    ------
    Unavailable
        If there is no fitting Python, or a package cannot be had, or the peer does not run.
    """
    python = _python_for(peer)
    mark = peer.folder / "installed"
    version = peer.python or f"{sys.version_info.major}.{sys.version_info.minor}"
    state = hashlib.sha256(peer.requirements.read_bytes() + version.encode()).hexdigest()
    if mark.exists() and mark.read_text() == state:
        return "already there"
    start = time.monotonic()
    shutil.rmtree(peer.folder, ignore_errors=True)
    print(f"{peer.name}: installing into {peer.folder} ...", flush=True)
    _run([python, "-m", "venv", str(peer.folder)])
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"]
    pip = [str(peer.interpreter), "-m", "pip", "install", *options]
    _run([*pip, "--requirement", str(peer.requirements)])
    _run([str(peer.interpreter), "-c", peer.check])
    mark.write_text(state)
    return f"installed in {time.monotonic() - start:.0f} s"


def _python_for(peer: Peer) -> str:
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    if peer.python in (None, own):
        return sys.executable
    found = shutil.which(f"python{peer.python}")
    if found is None:
        raise Unavailable(f"it needs Python {peer.python}, and no python{peer.python} is on PATH")
    return found


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last_lines = "\n".join((done.stdout + done.stderr).strip().splitlines()[-10:])
        raise Unavailable(f"`{' '.join(command)}` failed:\n{last_lines}")


def main() -> None:
    """Install the peers named on the command line, or those that are installed by default."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peers", nargs="*", metavar="PEER", help=", ".join(p.name for p in PEERS))
    chosen = parser.parse_args().peers
    if unknown := set(chosen) - {peer.name for peer in PEERS}:
        parser.error(f"no such peer: {', '.join(sorted(unknown))}")
    for peer in PEERS:
        if chosen and peer.name not in chosen:
            continue
        if not chosen and peer.left_out and not peer.folder.exists():
            by_name = f"`python bench/peers/setup.py {peer.name}` installs it"
            print(f"{peer.name}: left out: {peer.left_out}; {by_name}")
            continue
        try:
            print(f"{peer.name}: {install(peer)}", flush=True)
        except Unavailable as reason:
            shutil.rmtree(peer.folder, ignore_errors=True)
            print(f"{peer.name}: SKIPPED: {reason}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
