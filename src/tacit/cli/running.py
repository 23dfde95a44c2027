"""Starting the parties' processes for a program, and what comes of it."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tacit.cli.joint import JointJob, JointRequest, run_joint
from tacit.cli.logs import open_log
from tacit.cli.phase_costs import phases_of
from tacit.cli.tables import phase_table
from tacit.cli.terminal import literal
from tacit.errors import ProgramError
from tacit.frontends.records import RunResult, RunSettings
from tacit.programs.graph import EVERYBODY, Output
from tacit.programs.program import Program
from tacit.protocols.interface import Rounding
from tacit.reports import IncidentRecord, Manifest, phase_records, write_manifest
from tacit.sessions.joining import RING, ROUNDING

__all__ = ["RunOutcome", "RunRequest", "file_names", "run_request"]

JOB: Final = "tacit.frontends.job"
"""What every party's process runs."""

_SHOWN: Final = 8
"""Outputs of more numbers are shown by their shape alone."""

_LONGEST: Final = 100
"""Bytes of an output's name that become its file's."""

_WRITTEN: Final = 1000
"""Outputs of more numbers are files of their own alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest(JointRequest):
    """What the user asks for; the fields are the options of ``tacit run``.

    Attributes
    ----------
    files : dict of str to (tuple of (str, str))
        By party: an input's name, or an empty one for all of the party's, and the file.
    """

    path: Path
    program: Program
    parties: tuple[str, ...]
    files: dict[str, tuple[tuple[str, str], ...]]
    ring: int = 64
    rounding: Rounding = "probabilistic"
    out: Path = Path("result")

    @property
    def job(self) -> JointJob:
        """What the parties do."""
        settings = {name: self.settings(name) for name in self.parties}
        return JointJob(
            module=JOB,
            parties=self.parties,
            settings=settings,
            parameters={
                ROUNDING: self.rounding,
                RING: str(self.ring),
                **settings[self.parties[0]].agreed(),
            },
        )

    def settings(self, party: str) -> RunSettings:
        """What one party's process is told."""
        return RunSettings(
            program=str(self.path.absolute()),
            digest=self.program.digest,
            files=self.files.get(party, ()),
            ring=self.ring,
            deadline=self.deadline,
            evidence=self.evidence(party),
        )


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What a run gave, ready to be shown and saved."""

    request: RunRequest
    results: dict[str, RunResult]
    incidents: tuple[IncidentRecord, ...]

    def arrays(self, party: str) -> dict[str, NDArray[Any]]:
        """What one party learned."""
        return {one.name: one.array for one in self.results[party].outputs}

    def save(self) -> None:
        """Write the manifest, and each recipient's outputs into a folder of its own.

        ``manifest.json``, ``PARTY/NAME.npy``, and ``PARTY/outputs.json`` with the small ones.
        """
        files = file_names(self.request.program.outputs)
        for party in self.results:
            arrays = self.arrays(party)
            if not arrays:
                continue
            folder = self.request.out / party
            folder.mkdir(parents=True, exist_ok=True)
            for name, array in arrays.items():
                np.save(folder / files[name], array, allow_pickle=False)
            small = {name: a.tolist() for name, a in arrays.items() if a.size <= _WRITTEN}
            (folder / "outputs.json").write_text(json.dumps(small, indent=2) + "\n")
        write_manifest(self._manifest(), self.request.out / "manifest.json")

    def as_dict(self) -> dict[str, Any]:
        """Costs and outputs as plain data, for ``--json``."""
        request = self.request
        phases = phase_records(phases_of(self.results))
        return {
            "program": request.program.digest,
            "protocol": request.protocol,
            "parties": list(request.parties),
            "outputs": {
                party: {name: array.tolist() for name, array in self.arrays(party).items()}
                for party in self.results
            },
            "costs": msgspec.to_builtins(phases),
            "folder": str(request.out),
        }

    def show(self, console: Console) -> None:
        """Print the outputs and what they cost."""
        console.print(_output_table(self))
        phases = phases_of(self.results)
        memory = {name: result.peak_memory for name, result in self.results.items()}
        console.print(phase_table(phases, list(self.results), memory))
        for incident in self.incidents:
            console.print(
                f"[bold yellow]{escape(incident.title)}.[/] {escape(incident.afterwards)}",
                soft_wrap=True,
            )
        console.print(f"Results: {literal(self.request.out)}", soft_wrap=True)

    def _manifest(self) -> Manifest:
        request = self.request
        reader = next(iter(self.results.values()))
        created = datetime.datetime.now(datetime.UTC).astimezone()
        return Manifest(
            created=created.isoformat(timespec="seconds"),
            command="run",
            parties=request.parties,
            protocol=request.protocol,
            digests={"session": reader.session_id.hex(), "program": request.program.digest},
            parameters={
                "program": request.program.name,
                "rounding": request.rounding,
                "ring": request.ring,
            },
            costs=phase_records(phases_of(self.results)),
            peak_memory={name: result.peak_memory for name, result in self.results.items()},
            results={},
            incidents=self.incidents,
        )


def run_request(request: RunRequest, console: Console, *, as_json: bool = False) -> RunOutcome:
    """Run a program to its end: processes, files, tables."""
    request.out.mkdir(parents=True, exist_ok=True)
    with open_log(request.out / "log.jsonl") as log:
        log.info("run started", parties=request.parties, program=request.program.digest)
        results, incidents = run_joint(request, request.job, RunResult, console, log)
    outcome = RunOutcome(request, results, incidents)
    outcome.save()
    if as_json:
        print(json.dumps(outcome.as_dict()))
    else:
        outcome.show(console)
    return outcome


def _output_table(outcome: RunOutcome) -> Table:
    request = outcome.request
    named = f" {escape(request.program.name)}" if request.program.name else ""
    table = Table(title=f"Outputs of{named} {request.program.short_digest}", title_justify="left")
    table.add_column("output", no_wrap=True)
    table.add_column("who learns it", overflow="fold")
    table.add_column("type", no_wrap=True)
    table.add_column("value", overflow="fold")
    for output, kind in zip(request.program.outputs, request.program.output_types, strict=True):
        shape = "×".join(map(str, kind.shape)) or "one"
        table.add_row(
            escape(output.name),
            escape(_recipients(output)),
            f"{kind.dtype.name}, {shape}",
            escape(_value(outcome, output)),
        )
    return table


def _recipients(output: Output) -> str:
    if output.to == EVERYBODY:
        return "all parties"
    return ", ".join(output.to) or "nobody"


def _value(outcome: RunOutcome, output: Output) -> str:
    """A short text of an output that one of the parties here learned."""
    for party, array in _learned(outcome, output.name):
        if array.size <= _SHOWN:
            return np.array2string(array, precision=6, separator=", ").replace("\n", "")
        files = file_names(outcome.request.program.outputs)
        return str(outcome.request.out / party / files[output.name])
    return "not opened here" if output.to else "secret, and gone with the session"


def _learned(outcome: RunOutcome, name: str) -> Iterator[tuple[str, NDArray[Any]]]:
    for party in outcome.results:
        arrays: Mapping[str, NDArray[Any]] = outcome.arrays(party)
        if name in arrays:
            yield party, arrays[name]


def file_names(outputs: Sequence[Output]) -> dict[str, str]:
    """By output the name of its file: it leads nowhere else, fits, and is no other output's."""
    found: dict[str, str] = {}
    taken: dict[str, int] = {}
    for output in outputs:
        text = "".join(c if c.isalnum() or c in "_-." else "_" for c in output.name).lstrip(".")
        text = text.encode()[:_LONGEST].decode(errors="ignore") or "output"
        name = text
        while name.casefold() in taken:  # of file systems that see no capitals, too
            taken[text.casefold()] += 1
            name = f"{text}-{taken[text.casefold()]}"
        taken[name.casefold()] = 1
        found[output.name] = f"{name}.npy"
    return found


def require_people(program: Program, parties: tuple[str, ...]) -> None:
    """Everybody whom the program names takes part.

    Raises
    ------
    ProgramError
        Somebody does not (TC-1598).
    """
    named = dict.fromkeys(
        [*program.owners, *(n for o in program.outputs if o.to != EVERYBODY for n in o.to)]
    )
    unknown = [name for name in named if name not in parties]
    if unknown:
        raise ProgramError(
            f"The program names {', '.join(unknown)}, and the parties are {', '.join(parties)}.",
            next_step="run it among the parties that it was made for, with a protocol for as many.",
            case=98,
        )
