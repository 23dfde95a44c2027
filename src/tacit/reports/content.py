"""What a report shows, as plain data that the job fills in.

Everything in it may be seen by everybody who gets the report: the job puts in only what was
revealed to its reader.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tacit.protocols.security import SecurityModel
    from tacit.reports.drift import DriftTable
    from tacit.reports.incidents import IncidentRecord
    from tacit.reports.timeline import Timeline

__all__ = ["Disclosure", "Evaluation", "Kind", "Line", "Owner", "Phase", "Report", "Topology"]

Kind: TypeAlias = Literal["joint", "alone", "pooled"]

Line: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64]]
"""x and y of the points of a line."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One model on held-out rows: a row of the table and, if given, a line in each plot.

    Attributes
    ----------
    name : str
        ``"joint"``, an owner's name for its model alone, ``"pooled plaintext"``.
    kind : {"joint", "alone", "pooled"}
        Trained on shares of all rows, on one owner's rows, on all rows in the clear.
    roc_auc, pr_auc, recall, brier : float
        Recall is at 1 % false positives. NaN is shown as a dash.
    coefficient_difference : float, optional
        Largest difference of a coefficient from the joint model's.
    roc : Line, optional
        False positive rate and recall.
    precision_recall : Line, optional
        Recall and precision.
    calibration : Line, optional
        Predicted and observed frequency.
    """

    name: str
    kind: Kind
    roc_auc: float
    pr_auc: float
    recall: float
    brier: float
    coefficient_difference: float | None = None
    roc: Line | None = None
    precision_recall: Line | None = None
    calibration: Line | None = None

    @property
    def title(self) -> str:
        """The name as shown: an owner's with "alone"."""
        return f"{self.name} alone" if self.kind == "alone" else self.name


@dataclass(frozen=True, slots=True)
class Owner:
    """One party that holds rows.

    Attributes
    ----------
    name : str
    train_rows, test_rows : int
        How many; public among the parties.
    base_rate : float, optional
        Share of positive rows; only where this owner's data was at hand, as in a demo.
    """

    name: str
    train_rows: int
    test_rows: int
    base_rate: float | None = None


@dataclass(frozen=True, slots=True)
class Topology:
    """The form of a neural network, which all parties know.

    Attributes
    ----------
    widths : tuple of int
        Features, hidden units of each layer, outputs.
    activation : str
        Of the hidden layers: ``"ReLU"``.
    """

    widths: tuple[int, ...]
    activation: str = "ReLU"

    @property
    def parameters(self) -> int:
        """How many numbers were learned."""
        pairs = zip(self.widths[:-1], self.widths[1:], strict=True)
        return sum((inputs + 1) * outputs for inputs, outputs in pairs)


@dataclass(frozen=True, slots=True)
class Phase:
    """The cost of one phase.

    Attributes
    ----------
    name : str
    seconds : float
        Elapsed at the slowest party.
    rounds : int
        Rounds of communication.
    bytes_sent : mapping of str to int
        Payload bytes each party sent, check bytes included.
    """

    name: str
    seconds: float
    rounds: int = 0
    bytes_sent: Mapping[str, int] = field(default_factory=dict)

    @property
    def total_bytes(self) -> int:
        """Bytes of all parties together."""
        return sum(self.bytes_sent.values())


@dataclass(frozen=True, slots=True)
class Disclosure:
    """Something that was revealed, or not.

    Attributes
    ----------
    what : str
        ``"the model's 31 coefficients"``.
    who : str
        Who learned it: ``"all owners"``, names, ``"nobody"``.
    how : str
        In a sentence: why, in what form, with what consequence.
    """

    what: str
    who: str
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything on the page.

    Attributes
    ----------
    title : str
    created : str
        Date and time, as shown.
    label : str
        What the model predicts.
    owners : sequence of Owner
    evaluations : sequence of Evaluation
        The joint model first.
    evaluated_on : str
        On which rows, as a noun: ``"the held-out rows of all owners"``.
    phases : sequence of Phase
    disclosures : sequence of Disclosure
    protocol : str
        Its name.
    security : SecurityModel
        Its promise.
    parameters : mapping of str to str
        Settings of the run.
    digests : mapping of str to str
        Hexadecimal: session, schema, job.
    coefficients : mapping of str to float, optional
        Of the joint model by feature scaled into [-1, 1] by its bounds; only if revealed.
    base_rate : float, optional
        Share of positive rows; only if revealed.
    losses : sequence of float, optional
        The loss curve; only if its reveal was agreed.
    loss_name : str
        What the losses are.
    notes : sequence of str
        Warnings, shown at the top.
    helpers : sequence of str
        Parties that computed and held no data.
    incidents : sequence of IncidentRecord
        What happened to parties on the way.
    peak_memory : mapping of str to int
        Bytes resident at most, by party.
    network : Topology, optional
        The model's form if it has hidden layers.
    timeline : Timeline, optional
        Who was there when, and what held.
    columns : mapping of str to sequence of str
        Each owner's columns, where owners have different ones of the same rows.
    drift : DriftTable, optional
        Whether owners' data differ, where that was compared.
    """

    title: str
    created: str
    label: str
    owners: Sequence[Owner]
    evaluations: Sequence[Evaluation]
    evaluated_on: str
    phases: Sequence[Phase]
    disclosures: Sequence[Disclosure]
    protocol: str
    security: SecurityModel
    parameters: Mapping[str, str]
    digests: Mapping[str, str]
    coefficients: Mapping[str, float] | None = None
    base_rate: float | None = None
    losses: Sequence[float] | None = None
    loss_name: str = "mean squared residual"
    notes: Sequence[str] = ()
    helpers: Sequence[str] = ()
    incidents: Sequence[IncidentRecord] = ()
    peak_memory: Mapping[str, int] = field(default_factory=dict)
    network: Topology | None = None
    timeline: Timeline | None = None
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    drift: DriftTable | None = None

    def rows_of(self, numbers: Sequence[int]) -> int:
        """All owners' rows from each one's; the same rows count once."""
        return max(numbers, default=0) if self.columns else sum(numbers)

    def of_kind(self, kind: Kind) -> tuple[Evaluation, ...]:
        """The evaluations of one kind."""
        return tuple(e for e in self.evaluations if e.kind == kind)
