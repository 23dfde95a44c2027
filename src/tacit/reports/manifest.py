"""The run manifest: what ran, with what, at what cost, as JSON for machines.

It holds versions, digests, parameters and costs, and of results only what was revealed. Two runs
with equal digests and parameters computed the same thing.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import msgspec

from tacit.errors import StorageError
from tacit.reports.content import Phase
from tacit.reports.incidents import IncidentRecord

__all__ = ["Manifest", "PhaseRecord", "phase_records", "software_versions", "write_manifest"]

_PACKAGES: Final = ("tacit", "numpy", "cryptography", "msgspec", "blake3", "pyarrow")


class PhaseRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The cost of one phase: seconds, rounds, payload bytes by party."""

    name: str
    seconds: float
    rounds: int
    bytes_sent: dict[str, int]


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What ran.

    Attributes
    ----------
    version : int
        Of the manifest's format, 1.
    created : str
        ISO 8601 with offset.
    command : str
        ``"train"`` or a demo's name; never paths of owners' files.
    parties : tuple of str
        In the protocol's order.
    protocol : str
    digests : dict of str to str
        Hexadecimal: session, schema, job.
    parameters : dict of str to str, int, float or bool
        Settings of the run.
    costs : tuple of PhaseRecord
    peak_memory : dict of str to int
        Bytes, by party.
    results : dict of str to (dict of str to float)
        Revealed metrics by model.
    incidents : tuple of IncidentRecord
        What happened to parties on the way; empty if nothing did.
    evaluated : tuple of str
        The owners whose held-out rows the joint result is of.
    software : dict of str to str
        Versions; by default those of this process.
    """

    version: int = 1
    created: str
    command: str
    parties: tuple[str, ...]
    protocol: str
    digests: dict[str, str]
    parameters: dict[str, str | int | float | bool]
    costs: tuple[PhaseRecord, ...]
    peak_memory: dict[str, int] = {}
    results: dict[str, dict[str, float | None]] = {}
    incidents: tuple[IncidentRecord, ...] = ()
    evaluated: tuple[str, ...] = ()
    software: dict[str, str] = msgspec.field(default_factory=lambda: software_versions())


def phase_records(phases: Sequence[Phase]) -> tuple[PhaseRecord, ...]:
    """A report's phases for the manifest."""
    return tuple(PhaseRecord(p.name, p.seconds, p.rounds, dict(p.bytes_sent)) for p in phases)


def software_versions() -> dict[str, str]:
    """Versions of Python, of tacit and of what its results depend on."""
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    return found


def write_manifest(manifest: Manifest, path: str | Path) -> Path:
    """Write the manifest as indented JSON and return its path.

    Raises
    ------
    StorageError
        The disk is full or the path cannot be written.
    """
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
    except OSError as error:
        raise StorageError(
            f"The manifest cannot be written to {target}: {error.strerror}.",
            next_step="choose another directory with --out, or free some space.",
            case=2,
        ) from None
    return target
