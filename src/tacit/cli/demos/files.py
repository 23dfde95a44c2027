"""What a demo's generator has written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["DemoFiles"]


@dataclass(frozen=True, slots=True)
class DemoFiles:
    """The owners' files of a demo.

    Attributes
    ----------
    files : dict of str to Path
        Each owner's file.
    schema : Path
        The joint schema.
    label : str
        The column to predict.
    rows : dict of str to int
        How many rows each owner has.
    """

    files: dict[str, Path]
    schema: Path
    label: str
    rows: dict[str, int]
