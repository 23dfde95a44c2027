"""What an owner's process is told for ``tacit train``, and what it hands back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec
import numpy as np
from msgspec import Struct

from tacit.encoding.digest import tagged_hash
from tacit.functions.perceptron import Activation
from tacit.ml.drift import Drift, DriftFindings
from tacit.ml.evaluation import ScoreCounts
from tacit.ml.measures.findings import Findings
from tacit.ml.measures.names import DEFAULT
from tacit.ml.plan import PLAIN, EarlyStopping, ModelKind, Optimiser, TrainingPlan
from tacit.ml.privacy.terms import Privacy
from tacit.ml.start import Start
from tacit.models import ClearModel
from tacit.models.clear import ModelRecord
from tacit.sessions.phases import PhaseCost
from tacit.storage.store import Place
from tacit.tables import Schema

__all__ = [
    "CountRecord",
    "OwnerResult",
    "TrainingSettings",
    "setting_texts",
]


class TrainingSettings(Struct, frozen=True, kw_only=True):
    """What one party's process is told.

    Attributes
    ----------
    file : str or None
        This owner's CSV or Parquet file; None for a party that holds no data.
    label : str
        The label column.
    owners : int
        How many parties hold data, all if 0; they are the first ones.
    schema : str or None
        A schema file; None drafts one from the owners' files.
    schema_digest : str
        The digest, hexadecimal, of the schema that this party signed off; any other one is refused.
        Empty to accept what the others have.
    share_categories : bool
        Whether drafts may show the others this owner's categories.
    exclude : tuple of str
        Columns that are no features; for drafts.
    missing : str
        What missing numbers mean in a draft; "refuse" by default.
    kind, hidden, activation
        The model.
    epochs, batch_size, learning_rate, decay, seed, test_size
        The training's parameters, public and equal for all owners.
    optimiser, dropout, class_weights, stopping
        More of them; see :class:`~tacit.ml.plan.TrainingPlan`.
    privacy : Privacy or None
        Differential privacy, if it is asked for.
    start : Start or None
        What training starts from.
    keep : str
        The name to store the secret model under, at every party; empty to store none.
    store : Place or None
        Where, and where a model to start from lies.
    reveal_loss : bool
        Whether to reveal a loss about 20 times an epoch.
    reveal_to : tuple of str
        Parties that learn the model and the joint evaluation.
    alone : bool
        Whether to train on the own rows alone as well, for comparison.
    drift : Drift or None
        Whether, and how, to compare owners' data before training.
    deadline : float
        Seconds that each phase may take; then a party that is alive but stuck ends the run.
    storage : Place or None
        Where this party seals shares. Needed where output is guaranteed.
    errors : str or None
        Where what is wrong with this owner's file is listed, for the owner.
    evidence : str or None
        The folder for what proves a fault.
    every : int
        Steps between two checkpoints; 0 for none.
    resume : bool
        Whether to go on from the newest checkpoint that all owners have.
    vertical : bool
        Whether owners have different columns of the same rows.
    key : str
        The column that says which customer a row is of, compared on shares; empty for none.
    metrics, minimum
        What is measured of held-out rows on shares, and the smallest group that is shown.
    """

    file: str | None
    label: str
    owners: int = 0
    schema: str | None = None
    schema_digest: str = ""
    share_categories: bool = False
    exclude: tuple[str, ...] = ()
    missing: Literal["refuse", "zero", "mean"] = "refuse"
    kind: ModelKind = "logistic"
    hidden: tuple[int, ...] = ()
    activation: Activation = "relu"
    epochs: int = 3
    batch_size: int = 1024
    learning_rate: float = 0.5
    decay: float = 0.0
    optimiser: Optimiser = PLAIN
    dropout: float = 0.0
    class_weights: tuple[float, float] | None = None
    stopping: EarlyStopping | None = None
    privacy: Privacy | None = None
    start: Start | None = None
    keep: str = ""
    seed: int = 0
    test_size: float = 0.2
    reveal_loss: bool = False
    reveal_to: tuple[str, ...] = ()
    alone: bool = True
    drift: Drift | None = None
    deadline: float = 3600.0
    storage: Place | None = None
    store: Place | None = None
    errors: str | None = None
    evidence: str | None = None
    every: int = 0
    resume: bool = False
    vertical: bool = False
    key: str = ""
    metrics: str = DEFAULT
    minimum: int = 10

    def public(self) -> bytes:
        """What all owners must agree on, in canonical form."""
        return msgspec.json.encode(self._common(), order="deterministic")

    def agreed(self) -> dict[str, str]:
        """The same as texts by name, to be compared one by one before anything else happens.

        What is long, such as a public model to start from, is there as its digest.
        """
        found = dict(setting_texts("training", msgspec.to_builtins(self._common())))
        found["schema"] = "drafted" if self.schema is None else "a file"
        return found

    def _common(self) -> TrainingSettings:
        return msgspec.structs.replace(
            self,
            file=None,
            schema=None,
            schema_digest="",
            share_categories=False,
            storage=None,
            store=None,
            errors=None,
            evidence=None,
        )


_LONG = 500


def setting_texts(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """The leaves of nested settings, each with its dotted name."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from setting_texts(f"{name}.{key}", part)
        return
    text = msgspec.json.encode(value, order="deterministic").decode()
    long = len(text) > _LONG
    yield name, f"digest {tagged_hash('setting', text.encode()).hex()[:32]}" if long else text


class CountRecord(Struct, frozen=True):
    """:class:`~tacit.ml.evaluation.ScoreCounts` as it travels to the controlling process."""

    negatives: list[int]
    positives: list[int]
    squared_error: float

    def __repr__(self) -> str:
        return f"CountRecord({len(self.negatives)} scores)"

    def counts(self) -> ScoreCounts:
        """The same with arrays."""
        return ScoreCounts(
            np.array(self.negatives, np.int64),
            np.array(self.positives, np.int64),
            self.squared_error,
        )


class OwnerResult(Struct, frozen=True, kw_only=True):
    """What a party's process hands back to its user; nothing of it goes to other owners.

    Attributes
    ----------
    schema : Schema
        The agreed schema.
    rows, test_rows : tuple of int
        Training and held-out rows of each owner; public among them.
    model : ModelRecord or None
        The joint model for features scaled into [-1, 1], if this party is a recipient.
    kept : int
        The version of the secret model in this party's store; 0 if none was kept.
    kept_problem : str
        Why it could not be kept although it was asked for.
    joint : CountRecord or None
        The owners' joint counts on held-out rows by score bin, if this party is a recipient.
    evaluated : tuple of int
        The owners whose held-out rows these are.
    alone_model : ModelRecord or None
        The model this owner gets from its own rows.
    alone, joint_on_own : CountRecord or None
        Counts of this owner's own held-out rows by the score of each model.
    findings : Findings or None
        Metrics of held-out rows, measured on shares: where owners have different columns.
    columns : dict of str to tuple of str
        Each owner's columns, where they differ.
    losses : list of float
        Revealed mean squared residuals.
    metrics : list of float
        Revealed mean log-losses of rows set apart, one an epoch.
    steps : int
        Training steps made.
    phases : list of PhaseCost
    peak_memory : int
        Bytes, resident.
    drift : DriftFindings or None
        Where owners' data were compared.
    """

    schema: Schema
    session_id: bytes
    plan: TrainingPlan
    rows: tuple[int, ...]
    test_rows: tuple[int, ...]
    model: ModelRecord | None
    joint: CountRecord | None
    evaluated: tuple[int, ...]
    alone_model: ModelRecord | None
    alone: CountRecord | None
    joint_on_own: CountRecord | None
    losses: list[float]
    phases: list[PhaseCost]
    peak_memory: int
    metrics: list[float] = []
    steps: int = 0
    findings: Findings | None = None
    columns: dict[str, tuple[str, ...]] = {}
    kept: int = 0
    kept_problem: str = ""
    drift: DriftFindings | None = None

    @property
    def clear_model(self) -> ClearModel | None:
        """The joint model, if this party is a recipient."""
        return None if self.model is None else ClearModel.of_record(self.model)
