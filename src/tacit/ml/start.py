"""Where a training starts from: a secret model in the parties' stores, or one that all know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tacit.errors import UsageError
from tacit.ml.folding import unfold
from tacit.ml.learners import Learner
from tacit.ml.learners.learner import Values
from tacit.ml.standardization import Standardization
from tacit.models import ClearModel, ModelForm, load
from tacit.models.clear import ModelRecord
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.sessions.handles import Reference
from tacit.sessions.party import PartySession
from tacit.storage.records import Uses

__all__ = ["Start", "begun", "check_form", "encoded", "stored"]


class Start(Struct, frozen=True, kw_only=True):
    """What a training starts from, the same at all parties.

    Attributes
    ----------
    name : str
        Of a stored secret model; or
    model : ModelRecord, optional
        a public one.
    """

    name: str = ""
    model: ModelRecord | None = None


def check_form(found: ModelForm, wanted: ModelForm) -> None:
    """Refuse to start from a model of another form.

    Raises
    ------
    UsageError
        Another kind, schema, layers or encoding (TC-1086).
    """
    different = [
        what
        for what, one, other in (
            ("kind", found.kind, wanted.kind),
            ("schema", found.schema.digest(), wanted.schema.digest()),
            ("hidden layers", found.hidden, wanted.hidden),
            ("activation", found.hidden and found.activation, wanted.hidden and wanted.activation),
            ("fraction bits", found.fraction_bits, wanted.fraction_bits),
        )
        if one != other
    ]
    if different:
        raise UsageError(
            f"The model to start from differs in: {', '.join(different)}. It is a"
            f" {found.title}; this training is of a {wanted.title}.",
            next_step="give the same schema and the same --model, --hidden and --activation as the"
            " model was trained with.",
            case=86,
            stage="training",
        )


def stored(
    session: PartySession, name: str, form: ModelForm, reveal_to: Sequence[str]
) -> tuple[list[Reference], Uses]:
    """The stored model's parameters, and what its training further may be used for.

    Raises
    ------
    UsageError
        Nothing is stored under this name (TC-1087), no model (TC-1055), or another form (TC-1086).
    PolicyDeniedError
        A recipient of the new model may not learn the old one (TC-4002).
    """
    found, references = load(session, name)
    check_form(found, form)
    uses = references[0].uses
    uses.check_recipients(reveal_to)
    return references, uses


def encoded(form: ModelForm, record: ModelRecord) -> list[NDArray[np.int64]]:
    """A public model's parameters as ring integers. Raises UsageError (TC-1086)."""
    check_form(record.form, form)
    one = float(1 << form.fraction_bits)
    parameters = ClearModel.of_record(record).parameters
    return [np.rint(array * one).astype(np.int64) for array in parameters]


def begun(
    party: Party, learner: Learner, parameters: Sequence[Any], by: Standardization
) -> Step[Values]:
    """The learner's first state from parameters for columns scaled into [-1, 1]."""
    assert by.deviation is not None
    unfolded = yield from unfold(party, parameters, by, by.deviation)
    return (yield from learner.begun(party, unfolded))
