"""What a party's process is told for ``tacit run``, and what it hands back."""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tacit.sessions.phases import PhaseCost

__all__ = ["OutputRecord", "RunResult", "RunSettings"]


class RunSettings(Struct, frozen=True, kw_only=True):
    """What one party's process is told.

    Attributes
    ----------
    program : str
        The program's file.
    digest : str
        Of the program that the parties agreed to run.
    files : tuple of (str, str)
        This party's own, and those of public inputs: an input's name, empty for all of the
        party's, and the path.
    ring : int
        Bits of the ring.
    deadline : float
        Seconds that each phase may take.
    evidence : str or None
        The folder for what proves a fault.
    """

    program: str
    digest: str
    files: tuple[tuple[str, str], ...] = ()
    ring: int = 64
    deadline: float = 3600.0
    evidence: str | None = None

    def agreed(self) -> dict[str, str]:
        """What the parties compare before anything else happens."""
        return {"program": self.digest}


class OutputRecord(Struct, frozen=True):
    """An output that this party learned."""

    name: str
    plain: str
    shape: tuple[int, ...]
    data: bytes

    @classmethod
    def of(cls, name: str, array: NDArray[np.generic]) -> OutputRecord:
        """The record of an array; integers of more than 64 bits as text."""
        if array.dtype.kind == "O":
            array = array.astype(np.str_)
        return cls(name, array.dtype.str, array.shape, np.ascontiguousarray(array).tobytes())

    def __repr__(self) -> str:
        return f"OutputRecord({self.name!r}, {self.plain!r}, shape={self.shape})"

    @property
    def array(self) -> NDArray[np.generic]:
        """The array."""
        return np.frombuffer(self.data, np.dtype(self.plain)).reshape(self.shape)


class RunResult(Struct, frozen=True, kw_only=True):
    """What one party knows in the end.

    Attributes
    ----------
    session_id : bytes
    outputs : list of OutputRecord
        Those that went to this party.
    phases : list of PhaseCost
    peak_memory : int
        Bytes.
    """

    session_id: bytes
    outputs: list[OutputRecord]
    phases: list[PhaseCost]
    peak_memory: int = 0
