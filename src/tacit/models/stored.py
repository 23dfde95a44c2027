"""Secret models under a name in the parties' own storage: sealed shares and the public form."""

from __future__ import annotations

from collections.abc import Sequence

from tacit.errors import UsageError
from tacit.models.form import ModelForm
from tacit.sessions.handles import NO_LIMITS, Reference
from tacit.sessions.storing import Storing
from tacit.storage.records import Header, Uses

__all__ = ["KIND", "as_scores", "load", "loaded", "save"]

KIND = "model"
"""What the header of a stored model says that it is."""


def save(
    session: Storing,
    form: ModelForm,
    references: Sequence[Reference],
    name: str,
    *,
    reveal_to: Sequence[str] | None = None,
) -> Header:
    """Seal a secret model at every party as the next version of a name.

    Parameters
    ----------
    session : PartySession
        With a folder at every party.
    form : ModelForm
        The same at every party.
    references : sequence of Reference
        Its parameters, of ``form.shapes`` and ``form.dtype``.
    name : str
    reveal_to : sequence of str, optional
        Parties that the *parameters* may be revealed to in later sessions, and those of models
        trained further from them; all by default, ``()`` nobody. Scores are the business of
        whoever asks for them.

    Returns
    -------
    Header

    Raises
    ------
    ShapeError
        Parameters of other shapes (TC-1189).
    UsageError
        A bad name (TC-1085), or no party has a folder (TC-1088).
    StorageError
        A disk is full or cannot be written.
    """
    form.check_parameters(references)
    return session.save(
        references,
        name,
        names=form.names,
        kind=KIND,
        public=form.to_bytes(),
        uses=None if reveal_to is None else Uses(reveal_to=tuple(reveal_to)),
    )


def load(
    session: Storing, name: str, version: int | None = None
) -> tuple[ModelForm, list[Reference]]:
    """Open a version of a stored model, the newest by default: its form and parameters.

    ``reference.uses.check_recipients(names)`` says who may learn the parameters.

    Raises
    ------
    UsageError
        Nothing is stored under this name (TC-1087), or no model (TC-1055).
    StorageError
        A party lacks the version (TC-2319), or its file is damaged.
    """
    return loaded(*session.load(name, version))


def loaded(header: Header, references: Sequence[Reference]) -> tuple[ModelForm, list[Reference]]:
    """The model in an opened entry. Raises UsageError (TC-1055) if there is none."""
    if header.kind != KIND:
        raise UsageError(
            f"What is stored as {header.name!r} is no model but: {header.kind}.",
            next_step="name what `tacit train --keep NAME` stored.",
            case=55,
            stage="storage",
        )
    form = ModelForm.from_bytes(header.public)
    form.check_parameters(references)
    return form, list(references)


def as_scores(reference: Reference) -> Reference:
    """What a stored model says of rows: who learns it is the business of whoever asks.

    Who may learn the parameters (see :func:`save`) does not limit who may learn scores, so the
    limits that a step's result takes from its operands end here.
    """
    reference.uses = NO_LIMITS
    return reference
