"""Evaluation on rows whose columns different owners have: shared by columns, one row after another.

As training on such rows (:mod:`tacit.ml.vertical`): row k of every file is the same customer; which
owner has which columns is public.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tacit.arrays import SecretArray
from tacit.encoding.types import bool_
from tacit.ml.measures import parse_measures
from tacit.ml.measures.measuring import Measured
from tacit.ml.measures.suppression import disjoint
from tacit.ml.private_evaluation.records import EvaluationSettings
from tacit.ml.private_evaluation.rows import OwnColumns, OwnedRows, group_names, table_schema
from tacit.ml.vertical import ColumnSplit, HeldOutRows
from tacit.models import ModelForm
from tacit.sessions.handles import Reference
from tacit.sessions.party import PartySession
from tacit.tables import Draft, Schema, SchemaPart, join, own_draft, part_of

__all__ = ["JoinedRows", "shown_columns"]


def shown_columns(schema: Schema, file: str | None, owner: str) -> bytes:
    """Which of the schema's columns an owner has, for the others; empty without a file."""
    return b"" if file is None else own_draft(schema, file, owner=owner).to_bytes()


@dataclass(frozen=True, slots=True)
class JoinedRows:
    """Rows of all data owners beside each other; public.

    Attributes
    ----------
    form : ModelForm
    settings : EvaluationSettings
    schema : Schema
        Of all columns: the model's, the label, what rows are grouped by.
    names : dict of str to tuple of str
        Each owner's columns.
    """

    form: ModelForm
    settings: EvaluationSettings
    schema: Schema
    names: Mapping[str, tuple[str, ...]]

    @staticmethod
    def of(
        form: ModelForm, settings: EvaluationSettings, schema: Schema, shown: Mapping[str, bytes]
    ) -> JoinedRows:
        """From what the owners showed.

        Raises
        ------
        SchemaError
            A column is in two files or in none (TC-2202), or the label (TC-2205).
        """
        drafts = {name: Draft.from_bytes(shown[name], name) for name in settings.owners}
        join(drafts, schema.label, schema)
        names = {name: tuple(c.name for c in found.columns) for name, found in drafts.items()}
        return JoinedRows(form, settings, schema, names)

    def part(self, owner: str) -> SchemaPart:
        """What an owner's file is read by."""
        return part_of(self.schema, self.names[owner])

    def measured(
        self,
        session: PartySession,
        parameters: Callable[[], Sequence[Reference]],
        own: OwnedRows | None,
        rows: int,
    ) -> Measured:
        """Share, score and measure; where output is guaranteed, all inputs first.

        `parameters` shares the model, or gives the stored one.
        """
        settings, owners = self.settings, self.settings.owners
        model = table_schema(self.form.schema, settings.label, None)
        known = {column.name for column in model.columns}
        split = ColumnSplit.of(model, [[n for n in self.names[o] if n in known] for o in owners])
        columns = None
        if own is not None:
            wanted = set(model.features)
            places = [k for k, name in enumerate(own.rows.names) if name in wanted]
            columns = OwnColumns(own.rows, np.array(places, np.int64))
        positions = [session.position(owner) for owner in owners]
        joined = HeldOutRows(session, self.form, split, columns, rows, positions)
        secret = parameters()
        if session.protocol.security.outcome == "guaranteed output":
            joined.share()
        groups = self._groups(session, own, rows)
        session.inputs_complete()
        return joined.measure(
            secret,
            parse_measures(settings.metrics),
            settings.minimum,
            settings.digits,
            groups=groups,
            group_names=group_names(self.schema, settings.by),
        )

    def _groups(
        self, session: PartySession, own: OwnedRows | None, rows: int
    ) -> SecretArray | None:
        by = self.settings.by
        if by is None:
            return None
        holder = next(owner for owner, names in self.names.items() if by.column in names)
        bits = own.groups() if own is not None and holder == session.name else None
        shape = (rows, len(group_names(self.schema, by)))
        found = session.input_elements(session.position(holder), bits, bool_, shape, (0, 1))
        # Another owner has the labels: whatever this one sends, no two groups differ in a row.
        return disjoint(SecretArray(session, found))
