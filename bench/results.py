"""Measurements on disk, and how two of them compare."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

__all__ = ["FOLDER", "SLOWER", "Run", "find", "load", "ratios", "save", "stamp"]

FOLDER = Path(__file__).parent / "results"
SLOWER = 1.10
"""From this ratio to the saved run on, a measurement is called slower; from its inverse, faster."""

Run: TypeAlias = dict[str, Any]
"""``machine``, ``when``, and for each section (``kernels``, ``workloads``, ...) its rows."""

SECTIONS = ("kernels", "links", "workloads", "training")


def stamp() -> str:
    """Now, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def save(run: Run, path: Path) -> None:
    """Write a measurement as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(run, indent=1) + "\n")


def load(path: Path) -> Run:
    """Read a measurement.

    Raises
    ------
    ValueError
        If the file holds something else.
    """
    run = json.loads(path.read_text())
    if not isinstance(run, dict) or "machine" not in run:
        raise ValueError(f"{path} is no measurement of this bench")
    return run


def find(name: str) -> Path:
    """The file of a measurement: a path, or a name under which one was saved.

    Raises
    ------
    FileNotFoundError
        If there is neither.
    """
    for path in (Path(name), FOLDER / name, FOLDER / f"{name}.json"):
        if path.is_file():
            return path
    saved = ", ".join(sorted(path.stem for path in FOLDER.glob("*.json"))) or "none"
    raise FileNotFoundError(f"no measurement {name!r}; saved are: {saved}")


def ratios(run: Run, before: Run) -> dict[tuple[str, str], float]:
    """Seconds now over seconds before, by section and name, of what both runs measured."""
    earlier = dict(_seconds(before))
    return {
        key: seconds / earlier[key]
        for key, seconds in _seconds(run)
        if key in earlier and earlier[key] > 0
    }


def _seconds(run: Run) -> Iterator[tuple[tuple[str, str], float]]:
    for section in SECTIONS:
        for row in run.get(section, ()):
            if "seconds" in row:
                yield (section, row["name"]), row["seconds"]
