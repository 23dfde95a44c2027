"""What a party's process is told for ``tacit evaluate``, and what it hands back."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from tacit.ml.measures import DEFAULT, Findings
from tacit.ml.private_evaluation.rows import Grouping
from tacit.ml.records import setting_texts
from tacit.sessions.phases import PhaseCost
from tacit.storage.store import Place

__all__ = ["EvaluationResult", "EvaluationSettings"]


class EvaluationSettings(Struct, frozen=True, kw_only=True):
    """What one party's process is told.

    Attributes
    ----------
    owners : tuple of str
        The parties with rows.
    model_owner : str
        The party with the model; empty for a stored one.
    stored : str
        The name of a secret model in every party's storage; empty for an owner's.
    file, model : str or None
        This party's own rows and model.
    schema : str or None
        This party's own schema file, which the model's must equal.
    label : str
        The label column; the model's if empty.
    by : Grouping or None
        What rows are grouped by.
    metrics : str
    minimum, digits : int
        The smallest group that is shown, and decimal places.
    reveal_to : tuple of str
        Who learns the metrics.
    deadline : float
        Seconds that each phase may take.
    storage : Place or None
        Where this party keeps its part of a stored model.
    evidence : str or None
        The folder for what proves a fault.
    vertical : bool
        Whether data owners have different columns of the same rows.
    key : str
        The column that says which customer a row is of, compared on shares; empty for none.
    """

    owners: tuple[str, ...]
    model_owner: str = ""
    stored: str = ""
    file: str | None = None
    model: str | None = None
    schema: str | None = None
    label: str = ""
    by: Grouping | None = None
    metrics: str = DEFAULT
    minimum: int = 10
    digits: int = 4
    reveal_to: tuple[str, ...] = ()
    deadline: float = 3600.0
    storage: Place | None = None
    evidence: str | None = None
    vertical: bool = False
    key: str = ""

    def public(self) -> bytes:
        """What all parties must agree on, in canonical form."""
        return msgspec.json.encode(self._common(), order="deterministic")

    def agreed(self) -> dict[str, str]:
        """The same as texts by name, compared one by one before anything else happens."""
        return dict(setting_texts("evaluation", msgspec.to_builtins(self._common())))

    def _common(self) -> EvaluationSettings:
        return msgspec.structs.replace(
            self, file=None, model=None, schema=None, storage=None, evidence=None
        )


class EvaluationResult(Struct, frozen=True, kw_only=True):
    """What a party's process hands back to its user.

    Attributes
    ----------
    session_id : bytes
    model : str
        What the model is, in words; public.
    features : int
    schema_digest, model_digest : bytes
        Of the model's schema and form.
    rows : dict of str to int
        How many rows each data owner put in; public among the parties.
    findings : Findings or None
        The metrics, if this party is a recipient.
    phases : list of PhaseCost
    peak_memory : int
        Bytes, resident.
    """

    session_id: bytes
    model: str
    features: int
    schema_digest: bytes
    model_digest: bytes
    rows: dict[str, int]
    findings: Findings | None
    phases: list[PhaseCost]
    peak_memory: int
