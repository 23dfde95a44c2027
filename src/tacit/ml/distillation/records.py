"""What a party's process is told for ``tacit distil``, and what it hands back."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from tacit.ml.privacy.terms import Spent
from tacit.ml.records import setting_texts
from tacit.models import ModelForm
from tacit.sessions.phases import PhaseCost
from tacit.storage.store import Place
from tacit.tables import Schema

__all__ = ["DistillationResult", "DistillationSettings", "PateSettings", "Release"]


class PateSettings(Struct, frozen=True, kw_only=True):
    """An ensemble of teachers (PATE); public and equal for all parties.

    Attributes
    ----------
    teachers : int
        Shards of privacy units, and models.
    unit : str
        The column whose values are privacy units; empty: every row is one.
    most_rows : int
        Rows of an owner in a shard at most.
    balance : bool
        Whether owners fill their part of a shard with as many rows of either label.
    epochs, batch_size, learning_rate, seed
        Of all teachers alike; a batch is so many rows of each owner and teacher.
    every : int
        Epochs between two releases of labels; 0: one, at the end.
    sigma : float
        Deviation of the noise on each count of votes.
    """

    teachers: int = 100
    unit: str = ""
    most_rows: int = 256
    balance: bool = True
    epochs: int = 10
    batch_size: int = 16
    learning_rate: float = 0.5
    seed: int = 0
    every: int = 0
    sigma: float = 40.0

    @property
    def releases(self) -> int:
        """How often all public rows get labels."""
        return self.epochs // self.every if self.every else 1


class DistillationSettings(Struct, frozen=True, kw_only=True):
    """What one party's process is told.

    Attributes
    ----------
    owners : tuple of str
        The parties with rows, for PATE.
    file : str or None
        This party's own rows.
    schema : str or None
        The schema file, for PATE; a stored model has its own.
    public_rows : str or None
        The file with public rows, the same at all parties; None: they are drawn.
    synthetic : int
        How many are drawn from the schema's bounds.
    pate : PateSettings or None
        None for a stored model.
    stored : str
        The stored model's name.
    unprotected : bool
        Whether labels of a model that was trained without differential privacy may leave.
    delta : float
        Of the guarantee, for PATE.
    reveal_to : tuple of str
        Who learns the labels.
    deadline : float
        Seconds that each phase may take.
    storage : Place or None
        Where this party keeps its part of the stored model.
    evidence : str or None
        The folder for what proves a fault.
    """

    owners: tuple[str, ...] = ()
    file: str | None = None
    schema: str | None = None
    public_rows: str | None = None
    synthetic: int = 0
    pate: PateSettings | None = None
    stored: str = ""
    unprotected: bool = False
    delta: float = 1e-6
    seed: int = 0
    reveal_to: tuple[str, ...] = ()
    deadline: float = 3600.0
    storage: Place | None = None
    evidence: str | None = None

    def public(self) -> bytes:
        """What all parties must agree on, in canonical form."""
        return msgspec.json.encode(self._common(), order="deterministic")

    def agreed(self) -> dict[str, str]:
        """The same as texts by name, compared one by one before anything else happens."""
        return dict(setting_texts("distillation", msgspec.to_builtins(self._common())))

    def _common(self) -> DistillationSettings:
        return msgspec.structs.replace(
            self, file=None, schema=None, public_rows=None, storage=None, evidence=None
        )


class Release(Struct, frozen=True, kw_only=True):
    """Labels of all public rows, as they left the computation.

    Attributes
    ----------
    epochs : int
        Of the teachers' training until then; 0 for a stored model.
    targets : list of float
        0 and 1 from teachers; probabilities from a stored model.
    """

    epochs: int
    targets: list[float]


class DistillationResult(Struct, frozen=True, kw_only=True):
    """What a party's process hands back to its user.

    Attributes
    ----------
    session_id : bytes
    schema : Schema
    teacher : str
        What the labels are from, in words; public.
    form : ModelForm or None
        The stored model's.
    rows : dict of str to int
        Rows of each owner; public among the parties.
    releases : list of Release
        Empty at a party that is no recipient.
    spent : Spent or None
        What the labels spend of a privacy unit's budget, all releases together; None without a
        guarantee.
    phases : list of PhaseCost
    peak_memory : int
    """

    session_id: bytes
    schema: Schema
    teacher: str
    form: ModelForm | None
    rows: dict[str, int]
    releases: list[Release]
    spent: Spent | None
    phases: list[PhaseCost]
    peak_memory: int
