"""``tacit train`` under faults: one process killed, or all of them and then ``--resume``."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

import numpy as np

from tacit.cli.demos import hospitals
from tacit.cli.demos.files import DemoFiles

__all__ = ["MainJob", "Trained"]

COMMAND: Final = (sys.executable, "-c", "from tacit.cli import main; main()")
PROTOCOLS: Final = ("fantastic4", "replicated3")
MOST_SECONDS: Final = 240.0

Mishap: TypeAlias = Literal["none", "one killed", "all killed"]


@dataclass(frozen=True, slots=True)
class Trained:
    """How a training ended: as an ``Outcome`` of a case."""

    what: str
    end: str
    seconds: float
    problem: str = ""


class MainJob:
    """Trainings of one model on three hospitals' files.

    Parameters
    ----------
    folder : Path
        For files and reports.
    seed : int
        Of the faults.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self._files: DemoFiles | None = None
        self._rng = np.random.default_rng([seed, 1 << 21])
        self._models: dict[str, list[float]] = {}
        self._pace: dict[str, float] = {}

    def train(self) -> Trained:
        """One training, in a way that is drawn."""
        protocol = PROTOCOLS[self._rng.integers(len(PROTOCOLS))]
        mishap: Mishap = ("one killed", "all killed")[self._rng.integers(2)]  # type: ignore[assignment]
        if protocol == "replicated3":
            mishap = "all killed"
        moment = float(self._rng.random())
        if protocol not in self._models:
            mishap = "none"
        if self._files is None:
            self._files = hospitals.generate(self._folder / "files")
        what = f"tacit train under {protocol}, {mishap}"
        start = time.monotonic()
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            try:
                end, problem = self._trained(Path(folder), protocol, mishap, moment)
            except subprocess.TimeoutExpired:
                end, problem = "hung", f"no end after {MOST_SECONDS:.0f} seconds"
        return Trained(what, end, time.monotonic() - start, problem)

    def _trained(
        self, folder: Path, protocol: str, mishap: Mishap, moment: float
    ) -> tuple[str, str]:
        assert self._files is not None
        owners = [f"{name}={path}" for name, path in self._files.files.items()]
        options = ["--label", self._files.label, "--epochs", "6", "--batch-size", "64"]
        kept = ["--checkpoint", folder / "shares", "--every", "6"]
        command = [
            *COMMAND, "train", *owners, *options, "--rounding", "exact", "--protocol", protocol,
            *map(str, kept), "--out", str(folder / "out"),
        ]  # fmt: skip
        start = time.monotonic()
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        try:
            if mishap != "none":
                time.sleep(2.0 + moment * max(0.0, self._pace[protocol] - 2.0))
                self._strike(process, mishap)
            _, said = process.communicate(timeout=MOST_SECONDS)
        finally:
            if process.poll() is None:
                for number in [*_children(process.pid), process.pid]:
                    _kill(number)
                process.communicate()
        if mishap == "all killed" and process.returncode != 0:
            again = subprocess.run(
                [*command, "--resume"], capture_output=True, text=True, timeout=MOST_SECONDS,
                check=False,
            )  # fmt: skip
            code, said = again.returncode, again.stderr
        else:
            code = process.returncode
        if code != 0:
            early = mishap == "one killed" and ("TC-3400" in said or "TC-55" in said)
            # Before all rows are shared a loss ends the job, as documented.
            return ("ended", "") if early else ("wrong", f"exit status {code}: {said[-500:]}")
        return self._judged(folder / "out", protocol, mishap, time.monotonic() - start)

    def _judged(self, out: Path, protocol: str, mishap: Mishap, seconds: float) -> tuple[str, str]:
        found = [
            [*own["coefficients"], own["intercept"]]
            for own in (json.loads(p.read_text()) for p in sorted(out.glob("*/result.json")))
            if own.get("coefficients")
        ]
        if not found:
            return "wrong", "no owner has a model"
        expected = self._models.setdefault(protocol, found[0])
        if mishap == "none":
            self._pace[protocol] = seconds
        for model in found:
            if not np.allclose(model, expected, atol=2e-3):
                return "wrong", "an owner's model is another one"
        return ("right" if mishap == "none" else "recovered"), ""

    def _strike(self, process: subprocess.Popen[str], mishap: Mishap) -> None:
        parties = _children(process.pid)
        if mishap == "all killed":
            for number in [*parties, process.pid]:
                _kill(number)
        elif parties:
            _kill(parties[self._rng.integers(len(parties))])


def _children(parent: int) -> list[int]:
    try:
        text = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    except FileNotFoundError:
        return []
    return [int(number) for number in text.split()]


def _kill(number: int) -> None:
    try:
        os.kill(number, signal.SIGKILL)
    except ProcessLookupError:
        return
