"""How far a node's results are from what float64 gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.types import DType
from tacit.programs.inference import CheckedNode

__all__ = ["NodeErrors"]


@dataclass(slots=True, eq=False)
class NodeErrors:
    """What was found about one node, over all the times that it ran.

    Attributes
    ----------
    node : CheckedNode
    graph, place : int
        Where it is: the number of its graph, and its position there.
    order : int
        How many nodes ran before it did first.
    runs : int
        How often the node ran.
    largest_absolute, largest_relative : float
        The largest errors against the run on float64; of booleans 1 where one differs.
    own : float
        The largest error of the node alone: against float64 on the numbers that it was given.
    undefined : int
        Elements for which float64 gives NaN or infinity.
    beyond : bool
        Whether a number was too large for its encoding.
    above : bool
        Whether an error was above the tolerance.
    magnitude : float
        The largest number that float64 gave.
    """

    node: CheckedNode
    graph: int
    place: int
    order: int
    runs: int = 0
    largest_absolute: float = 0.0
    largest_relative: float = 0.0
    own: float = 0.0
    undefined: int = 0
    beyond: bool = False
    above: bool = False
    magnitude: float = 0.0

    @property
    def name(self) -> str:
        """The operation, and where it comes from."""
        note = self.node.node.note
        return f"{self.node.node.operation} ({note})" if note else self.node.node.operation

    @property
    def dtype(self) -> DType:
        """The type of the first result."""
        return self.node.results[0].dtype

    def note(
        self,
        exact: NDArray[Any],
        alone: NDArray[Any],
        opened: NDArray[Any],
        dtype: DType,
        limit: float,
        tolerance: float,
    ) -> None:
        """Compare one result of one run.

        Parameters
        ----------
        exact, alone, opened : ndarray
            Of the run on float64, of float64 on the opened operands, and opened.
        limit : float
            What the encoding can hold.
        tolerance : float
            An error is above it where it is larger than ``tolerance * max(1, |exact|)``.
        """
        reference = exact.astype(np.float64)
        finite = np.isfinite(reference)
        self.undefined += int((~finite).sum())
        if not finite.any():
            self.above |= bool(reference.size)
            return
        sizes = np.abs(reference[finite])
        errors = np.abs(opened.astype(np.float64)[finite] - reference[finite])
        self.largest_absolute = max(self.largest_absolute, float(errors.max()))
        some = sizes > 0
        if some.any():
            relative = float((errors[some] / sizes[some]).max())
            self.largest_relative = max(self.largest_relative, relative)
        self.magnitude = max(self.magnitude, float(sizes.max()))
        self.beyond |= dtype.kind != "bool" and bool(sizes.max() >= limit)
        self.above |= self.undefined > 0
        self.above |= bool((errors > tolerance * np.maximum(1.0, sizes)).any())
        local = alone.astype(np.float64)
        good = np.isfinite(local)
        if good.any():
            apart = np.abs(opened.astype(np.float64)[good] - local[good])
            self.own = max(self.own, float(apart.max()))
