"""``tacit train`` under faults: one process killed, or all of them and then ``--resume``."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

import numpy as np

from bench.soak.command import MOST_SECONDS, Blow, Command
from tacit.cli.demos import hospitals
from tacit.cli.demos.files import DemoFiles
from tacit.cli.joint import HELPER

__all__ = ["FIRST_SECOND", "MainJob", "Mishap", "Trained"]

PROTOCOLS: Final = ("fantastic4", "replicated3")
FIRST_SECOND: Final = 0.3
"""The earliest blow: about when the parties' processes begin."""

Mishap: TypeAlias = Literal["none", "one killed", "all killed"]


@dataclass(frozen=True, slots=True)
class Trained:
    """How a training ended: as an ``Outcome`` of a case."""

    what: str
    end: str
    seconds: float
    problem: str = ""
    blow: Blow | None = None


class MainJob:
    """Trainings of one model on three hospitals' files.

    Parameters
    ----------
    folder : Path
        For files and reports.
    seed : int
        Of the faults.

    Attributes
    ----------
    pace : dict of str to float
        Seconds of a training without a mishap, by protocol.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.pace: dict[str, float] = {}
        self._folder = folder
        self._files: DemoFiles | None = None
        self._rng = np.random.default_rng([seed, 1 << 21])
        self._models: dict[str, list[float]] = {}

    def train(self) -> Trained:
        """One training, in a way that is drawn."""
        protocol = PROTOCOLS[self._rng.integers(len(PROTOCOLS))]
        mishap: Mishap = ("one killed", "all killed")[self._rng.integers(2)]  # type: ignore[assignment]
        if protocol == "replicated3":
            mishap = "all killed"
        moment, party = float(self._rng.random()), int(self._rng.integers(4))
        if protocol not in self._models:
            mishap = "none"
        pace = self.pace.get(protocol, 0.0)
        return self.trained(protocol, mishap, FIRST_SECOND + moment * (pace - FIRST_SECOND), party)

    def trained(self, protocol: str, mishap: Mishap, seconds: float, party: int) -> Trained:
        """One training.

        Parameters
        ----------
        protocol : str
        mishap : str
            ``"none"`` the first time, to learn the model and the pace.
        seconds : float
            After the start, when something happens.
        party : int
            To which one.
        """
        if self._files is None:
            self._files = hospitals.generate(self._folder / "files")
        start = time.monotonic()
        blow, end, problem = None, "right", ""
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            training = _Training(Path(folder), self._files, protocol)
            try:
                if mishap == "one killed":
                    blow, end, problem = training.with_one_killed(seconds, party)
                elif mishap == "all killed":
                    end, problem = training.with_all_killed(seconds)
                else:
                    problem = training.undisturbed()
            except subprocess.TimeoutExpired:
                end, problem = "hung", f"no end after {MOST_SECONDS:.0f} seconds"
            problem = problem or self._judged(training.models(), protocol)
            end = "wrong" if problem and end != "hung" else end
        if mishap == "none":
            self.pace[protocol] = time.monotonic() - start
        what = f"tacit train under {protocol}, {mishap}" + (f" ({blow})" if blow else "")
        return Trained(what, end, time.monotonic() - start, problem, blow)

    def _judged(self, found: list[list[float]], protocol: str) -> str:
        """What is wrong with the owners' models; empty if nothing is."""
        if not found:
            return "no owner has a model"
        expected = self._models.setdefault(protocol, found[0])
        if all(np.allclose(model, expected, atol=2e-3) for model in found):
            return ""
        return "an owner's model is another one"


class _Training:
    """One training and its files; its methods give how it ended, and what was wrong."""

    def __init__(self, folder: Path, files: DemoFiles, protocol: str) -> None:
        self._out = folder / "out"
        self._parties = [*files.files, *([HELPER] if protocol == "fantastic4" else [])]
        self._guaranteed = protocol == "fantastic4"
        self._arguments = [
            "train", *(f"{name}={path}" for name, path in files.files.items()),
            "--label", files.label, "--epochs", "6", "--batch-size", "64", "--rounding", "exact",
            "--protocol", protocol, "--checkpoint", str(folder / "shares"), "--every", "6",
            "--out", str(self._out),
        ]  # fmt: skip

    def _command(self, *more: str) -> Command:
        return Command([*self._arguments, *more], self._parties, self._out)

    def undisturbed(self, *more: str) -> str:
        """Nothing happens; what was wrong all the same."""
        with self._command(*more) as command:
            command.wait()
            if command.code != 0:
                return _ended(command)
            if self._guaranteed and command.complete() != set(self._parties):
                return "the log does not say that inputs were complete at all parties"
        return ""

    def with_all_killed(self, seconds: float) -> tuple[str, str]:
        """All processes are killed at a moment; then the run is resumed."""
        with self._command() as command:
            time.sleep(seconds)
            command.kill_all()
            command.wait()
        problem = self.undisturbed("--resume") if command.code != 0 else ""
        return ("wrong" if problem else "recovered"), problem

    def with_one_killed(self, seconds: float, party: int) -> tuple[Blow, str, str]:
        """One process is killed at a moment. What must come of it is what ``failures.md`` says.

        If a party that is left knows that inputs were complete, it is the right model. If none
        does, it is the error of an early loss, and the same command works when given again.
        """
        with self._command() as command:
            time.sleep(seconds)
            blow = command.kill_one(party)
            command.wait()
            end, problem = self._after(blow, command)
        if end == "ended":
            again = self.undisturbed()
            if again:
                return blow, "wrong", f"again after an early loss: {again}"
        return blow, end, problem

    def _after(self, blow: Blow, command: Command) -> tuple[str, str]:
        left = set(self._parties) - {blow.party}
        told = command.complete() & left
        if command.code == 0:
            if told != left:
                return "wrong", "parties went on that did not have all inputs"
            return ("recovered" if blow.party else "right"), ""
        if blow.party and not told and command.failure() == ("TC-3409", [blow.party]):
            return "ended", ""
        known = ", ".join(sorted(told)) or "none"
        return "wrong", f"inputs complete at {known} of those left; {_ended(command)}"

    def models(self) -> list[list[float]]:
        """Those of the owners that have one."""
        found = (json.loads(p.read_text()) for p in sorted(self._out.glob("*/result.json")))
        return [[*o["coefficients"], o["intercept"]] for o in found if o.get("coefficients")]


def _ended(command: Command) -> str:
    return f"exit status {command.code}: {command.said[-500:]}"
