"""Owners with different columns of the same customers: who has which, and whether rows line up.

Row k of every file is the same customer. Which columns an owner has is public, as everything in a
schema. Finding the customers that all owners have, by private set intersection, is not part of
this: files come aligned. A wrong alignment shows only where their numbers of rows differ, or where
every file has a column that says which customer a row is of (:func:`check_alignment`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct
from numpy.typing import NDArray

import tacit.arrays.functions as F
from tacit.arrays import SecretArray
from tacit.encoding.digest import tagged_hash
from tacit.encoding.types import bool_, int64
from tacit.errors import SchemaError
from tacit.ml.measures.measuring import Measured, measured
from tacit.ml.measures.names import Measure
from tacit.ml.private_evaluation.scoring import CHUNK_ROWS, scored
from tacit.ml.records import TrainingSettings
from tacit.ml.shared_rows import joined
from tacit.ml.training import OwnRows
from tacit.models import ModelForm
from tacit.sessions.handles import Reference
from tacit.sessions.party import PartySession
from tacit.tables import Draft, Layout, Schema, SchemaPart, draft, join, own_draft, part_of
from tacit.tables.files import open_table
from tacit.tables.problems import Problem, Violation

__all__ = [
    "ColumnSplit",
    "HeldOutRows",
    "check_alignment",
    "check_keys",
    "check_row_counts",
    "join_columns",
    "key_digest",
]

_BITS: Final = 60
_KEYS_AT_ONCE: Final = 8_192


@dataclass(frozen=True, slots=True)
class ColumnSplit:
    """Who has which columns; public.

    Attributes
    ----------
    names : tuple of tuple of str
        Each owner's columns in the schema's order; the label among them.
    widths : tuple of int
        How many features they become.
    order : tuple of int
        For each feature of the schema its place among the owners' features, owner by owner.
    label_owner : int
    """

    names: tuple[tuple[str, ...], ...]
    widths: tuple[int, ...]
    order: tuple[int, ...]
    label_owner: int

    @staticmethod
    def of(schema: Schema, names: Sequence[Sequence[str]]) -> ColumnSplit:
        """From each owner's columns."""
        parts = [part_of(schema, own) for own in names]
        holders = [place for place, part in enumerate(parts) if part.label]
        places = {name: k for k, name in enumerate(n for part in parts for n in part.features)}
        return ColumnSplit(
            tuple(tuple(column.name for column in part.columns) for part in parts),
            tuple(len(part.features) for part in parts),
            tuple(places[name] for name in schema.features),
            holders[0],
        )

    def part(self, schema: Schema, owner: int) -> SchemaPart:
        """The part of the schema that an owner has."""
        return part_of(schema, self.names[owner])


class _Shown(Struct, frozen=True):
    """What an owner shows of its columns; empty from a party without data."""

    draft: bytes = b""


def join_columns(
    session: PartySession, settings: TrainingSettings, owners: Sequence[str]
) -> tuple[Schema, ColumnSplit]:
    """Agree on the schema of all owners' columns, from what each shows of its own.

    Shown is what a draft shows; with a schema file, which of its columns the own file has.

    Raises
    ------
    DataError
        This owner's file cannot be read.
    SchemaError
        The columns do not fit together (TC-2202, TC-2204, TC-2205), or are to be clipped or
        target-encoded (TC-2214): at all parties alike.
    """
    whole = None if settings.schema is None else Schema.load(settings.schema)
    mine = _Shown()
    if settings.file is not None:
        if whole is not None:
            drafted = own_draft(whole, settings.file, owner=session.name)
        else:
            drafted = _draft(settings.file, settings, session.name)
        mine = _Shown(drafted.to_bytes())
    told = session.gather(mine, _Shown, stage="columns", patience=settings.deadline)
    drafts = {name: Draft.from_bytes(told[name].draft, name) for name in owners}
    schema = join(drafts, settings.label, whole)
    if not Layout.of(schema).is_plain:
        raise SchemaError(
            'Columns with "clip" or "encode" in the schema are not trained on with --vertical'
            " yet: the quantiles and codes of one owner's column need all owners' rows.",
            next_step="take these entries out of the schema.",
            case=14,
            stage="schema",
        )
    names = [[column.name for column in drafted.columns] for drafted in drafts.values()]
    return schema, ColumnSplit.of(schema, names)


def _draft(file: str, settings: TrainingSettings, owner: str) -> Draft:
    found = open_table(file, owner=owner).columns
    return draft(
        file,
        settings.label if settings.label in found else "",
        owner=owner,
        exclude=tuple(sorted({*settings.exclude, settings.key} & set(found))),
        share_categories=settings.share_categories,
        missing=settings.missing,
    )


class HasKey(Protocol):
    """Settings with an own file, and the column of its keys."""

    @property
    def file(self) -> str | None: ...
    @property
    def key(self) -> str: ...


def check_keys(session: PartySession, settings: HasKey, owners: Sequence[str]) -> None:
    """Refuse files whose key columns differ; see :func:`check_alignment`."""
    digest = None
    if settings.file is not None:
        own = session.name
        digest = key_digest(settings.file, settings.key, session.session_id, owner=own)
    check_alignment(session, owners, digest)


def check_row_counts(rows: Mapping[str, int]) -> None:
    """Refuse files of different lengths: at all parties alike.

    Raises
    ------
    SchemaError
        TC-2212.
    """
    if len(set(rows.values())) > 1:
        counts = ", ".join(f"{name} has {count:,}" for name, count in rows.items())
        raise SchemaError(
            f"The owners' files do not have equally many rows: {counts}.",
            next_step="with --vertical row k of every file is the same customer: bring the files"
            " into one order, and drop customers that an owner lacks.",
            case=12,
            parties=tuple(rows),
            stage="alignment",
        )


def key_digest(path: str, column: str, context: bytes, *, owner: str) -> bytes:
    """A digest of a file's keys in their order, 32 bytes.

    Values are compared as text without space around them; a missing one is empty.

    Raises
    ------
    DataError
        The file has no such column (TC-2101), or cannot be read.
    """
    file = open_table(path, owner=owner)
    if column not in file.columns:
        file.refuse(Violation(Problem.MISSING_COLUMN, column=column, unit=file.unit))
    digest, waiting = tagged_hash("row keys", context), list[bytes]()

    def values() -> Iterator[str]:
        for batch in file.batches([column]):
            array = batch.column(0)
            if pa.types.is_dictionary(array.type):
                array = array.dictionary_decode()
            text = pc.utf8_trim_whitespace(pc.cast(array, pa.string()).fill_null(""))
            yield from text.to_pylist()

    for value in values():
        waiting.append(value.encode())
        if len(waiting) == _KEYS_AT_ONCE:
            digest = tagged_hash("row keys", digest, *waiting)
            waiting.clear()
    return tagged_hash("row keys", digest, *waiting)


def check_alignment(session: PartySession, owners: Sequence[str], digest: bytes | None) -> None:
    """Refuse files whose keys differ: compared on shares, one bit is opened.

    Parameters
    ----------
    session : PartySession
    owners : sequence of str
    digest : bytes or None
        This owner's :func:`key_digest`; None at a party without data.

    Raises
    ------
    SchemaError
        At all parties alike, which do not learn whose keys differ (TC-2213).

    Notes
    -----
    120 bits of each digest are shared. An owner that lies about its keys can test one guess of
    another's whole column in a run, and is seen to fail unless it is right.
    """
    shared = []
    for owner in owners:
        elements = None
        if owner == session.name and digest is not None:
            numbers = [int.from_bytes(digest[a : a + 8], "little") >> 4 for a in (0, 8)]
            elements = np.array(numbers, np.uint64)
        position = session.position(owner)
        limits = (0, (1 << _BITS) - 1)
        shared.append(session.input_elements(position, elements, int64, (2,), limits))
    first, *others = (SecretArray(session, reference) for reference in shared)
    if not others:
        return
    same = F.all(F.stack(others) == first.reshape(1, 2))
    (opened,) = session.reveal(same.reference, "all").values()
    if not np.all(opened):
        raise SchemaError(
            "The owners' files are not aligned: their key columns differ.",
            next_step="bring the files into one order, with the same customers and keys that are"
            " written alike; nothing but these digests was shared.",
            case=13,
            parties=tuple(owners),
            stage="alignment",
        )


class HeldOutRows:
    """Rows that nobody trained on: shared by columns, scored and measured on shares.

    Parameters
    ----------
    session : PartySession
    form : ModelForm
    split : ColumnSplit
    own : OwnRows or None
        This owner's columns of the held-out rows, numbered from 0.
    rows : int
        How many.
    positions : sequence of int, optional
        Which party each owner is; the first ones by default.
    """

    def __init__(
        self,
        session: PartySession,
        form: ModelForm,
        split: ColumnSplit,
        own: OwnRows | None,
        rows: int,
        positions: Sequence[int] | None = None,
    ) -> None:
        self._session = session
        self._form = form
        self._split = split
        self._own = own
        self.rows = rows
        self._positions = range(len(split.widths)) if positions is None else positions
        self._chunks: list[Reference] = []
        self._labels: Reference | None = None

    def share(self) -> None:
        """All owners input theirs, at once; needed where an owner may be lost later."""
        self._chunks = list(self._shared())
        self._labels = self._shared_labels()

    def measure(
        self,
        model: Sequence[Reference],
        measures: Sequence[Measure],
        minimum: int,
        digits: int,
        *,
        groups: SecretArray | None = None,
        group_names: tuple[str, ...] = (),
    ) -> Measured:
        """The metrics on shares."""
        session = self._session
        chunks = self._chunks or self._shared()
        parts = [SecretArray(session, scored(session, self._form, model, rows)) for rows in chunks]
        labels = self._labels or self._shared_labels()
        return measured(
            SecretArray(session, labels),
            F.concat(parts),
            measures,
            minimum=minimum,
            digits=digits,
            groups=groups,
            group_names=group_names,
        )

    def _shared(self) -> Iterator[Reference]:
        session, position = self._session, self._session.position(self._session.name)
        one, limits = float(1 << self._form.input_bits), self._form.limits
        for start in range(0, self.rows, CHUNK_ROWS):
            numbers = np.arange(start, min(start + CHUNK_ROWS, self.rows))
            features = None
            if self._own is not None:
                values = self._own.take(numbers)[0]
                features = np.rint(values * one).astype(np.int64).view(np.uint64)
            columns = [
                session.input_elements(
                    owner,
                    features if owner == position else None,
                    int64,
                    (len(numbers), width),
                    limits,
                )
                for owner, width in zip(self._positions, self._split.widths, strict=True)
                if width
            ]
            yield joined(session, columns, 1, self._split.order)

    def _shared_labels(self) -> Reference:
        session, owner = self._session, self._positions[self._split.label_owner]
        labels: NDArray[np.uint8] | None = None
        if self._own is not None and session.position(session.name) == owner:
            labels = self._own.take(np.arange(self.rows))[1]
        return session.input_elements(owner, labels, bool_, (self.rows,), (0, 1))
