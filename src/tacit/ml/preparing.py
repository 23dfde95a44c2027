"""The private preparation of all owners' rows, and its place in the model.

Between the rows that owners share and the learner stand clipping at joint quantiles
(``clipping.py``), target encoding (``target_encoding.py``) and standardisation
(``standardization.py``). What they use exists as shares alone:

===============================  ====================================================  ============
limits of clipped columns        (c,), ``INPUT_BITS``                                  low, high
codes of categories              (FOLDS + 1, categories), ``CODE_BITS``                codes
mean and inverse deviation       (width,), ``INPUT_BITS`` and the plan's bits          by
===============================  ====================================================  ============

A trained model takes rows as their owners encode them, and nothing else (:func:`expanded`): codes
are linear in one-hot features and go into the first weights; clipping becomes one more layer of
ReLU units in front.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.limits import Limits
from tacit.encoding.types import bool_, fixed_point, int64
from tacit.errors import UsageError
from tacit.functions.inputs import refusal
from tacit.ml.clipping import (
    clip,
    clipped_columns,
    encoded_bins,
    limits_of_bins,
    slack_of_bins,
)
from tacit.ml.standardization import (
    INPUT_BITS,
    Standardization,
    combined_moments,
    encoded_moments,
    moment_limits,
    standardization_of,
    standardize,
)
from tacit.ml.target_encoding import (
    CODE_BITS,
    encode_targets,
    encoded_counts,
    slack_of_counts,
    target_codes,
)
from tacit.operations.types import ArrayType, SecretValue
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.sessions.handles import Reference
from tacit.sessions.party import PartySession
from tacit.tables import Layout, Summaries
from tacit.tables.layout import BINS, FOLDS

__all__ = ["Preparation", "Prepared", "RowPreparer", "folds_of"]

MOST_ROWS = 1 << 23
"""Of all owners, where columns are clipped or target-encoded: counts of them fit the ring."""

_Results = Step[tuple[SecretValue, ...]]


@dataclass(frozen=True, slots=True, repr=False)
class Prepared:
    """A party's part of what prepares rows; see the module's table.

    Attributes
    ----------
    by : Standardization
    low, high, codes : arithmetic sharing or None
        None where the layout needs none.
    """

    by: Standardization
    low: Any = None
    high: Any = None
    codes: Any = None

    @property
    def shares(self) -> list[Any]:
        """All of them in a fixed order; the inverse of :meth:`Preparation.prepared`."""
        found = [self.by.mean, self.by.inverse_deviation, self.low, self.high, self.codes]
        return [share for share in found if share is not None]


@dataclass(frozen=True, slots=True)
class Preparation:
    """How rows are prepared; public, the same at all parties.

    Attributes
    ----------
    layout : Layout
    rows : tuple of int
        Training rows of each owner.
    fraction_bits : int
        Of prepared rows.
    """

    layout: Layout
    rows: tuple[int, ...]
    fraction_bits: int = 18

    def __post_init__(self) -> None:
        if not self.layout.is_plain and sum(self.rows) > MOST_ROWS:
            raise UsageError(
                f"Clipping and target encoding work on up to {MOST_ROWS:,} training rows.",
                next_step='take "clip" and "encode" out of the schema, or train on fewer rows.',
                case=67,
                stage="preparation",
            )

    # What owners input.

    def arrays(self, owner: int) -> list[tuple[tuple[int, ...], Limits]]:
        """Shape and limits of each array that an owner inputs."""
        layout, count, total = self.layout, self.rows[owner], sum(self.rows)
        found: list[tuple[tuple[int, ...], Limits]] = [
            ((len(layout.plain),), limits) for limits in moment_limits(count, total)
        ]
        if layout.clipped:
            shape = (len(layout.clipped), BINS)
            found += [(shape, limits) for limits in limits_of_bins(count, total)]
        if layout.targets:
            width = layout.category_total + len(layout.targets)
            found.append(((2, FOLDS, width), (0, count)))
        return found

    def encoded(self, own: Summaries, owner: int) -> list[NDArray[np.uint64]]:
        """The arrays that this owner inputs."""
        layout, total = self.layout, sum(self.rows)
        local = own.moments
        numbers = np.stack([local.mean(), local.deviation() ** 2])[:, layout.plain]
        found = list(encoded_moments(numbers, self.rows[owner] / total))
        if layout.clipped:
            found += list(encoded_bins(own, total))
        if layout.targets:
            found.append(encoded_counts(own))
        return found

    def share(self, session: PartySession, own: Summaries | None) -> list[Reference]:
        """All owners input what they summed up; the arrays of each owner in turn.

        Raises
        ------
        InputRefusedError
            A number is impossible, as all parties found on shares (TC-5400).
        """
        position = session.position(session.name)
        found: list[Reference] = []
        for owner in range(len(self.rows)):
            mine = None
            if own is not None and owner == position:
                mine = self.encoded(own, owner)
            for place, (shape, limits) in enumerate(self.arrays(owner)):
                elements = None if mine is None else mine[place]
                found.append(session.input_elements(owner, elements, int64, shape, limits))
        return found

    # What comes of it.

    def combine(self, session: PartySession, inputs: Sequence[Reference]) -> list[Reference]:
        """The shares that prepare rows, in the order of :attr:`Prepared.shares`.

        Raises
        ------
        InputRefusedError
            An owner's numbers do not fit together, as all parties found on shares (TC-5400).
        """
        if session.protocol.security.adversary != "passive" and not self.layout.is_plain:
            self._check(session, inputs)

        def evaluate(party: Party, parts: Sequence[SecretValue]) -> _Results:
            prepared = yield from self.combined(party, [part.share for part in parts])
            return tuple(
                SecretValue(kind.dtype, share)
                for kind, share in zip(self.types, prepared.shares, strict=True)
            )

        return list(session.compute("preparation", evaluate, inputs, results=self.types))

    @property
    def types(self) -> tuple[ArrayType, ...]:
        """Of what :meth:`combine` returns."""
        layout = self.layout
        columns, limits = (layout.width,), (len(layout.clipped),)
        fine = fixed_point(INPUT_BITS)
        found = [ArrayType(fine, columns), ArrayType(fixed_point(self.fraction_bits), columns)]
        if layout.clipped:
            found += [ArrayType(fine, limits)] * 2
        if layout.targets:
            found.append(ArrayType(fixed_point(CODE_BITS), (FOLDS + 1, layout.category_total)))
        return tuple(found)

    def prepared(self, shares: Sequence[Any]) -> Prepared:
        """From shares in the order of :attr:`Prepared.shares`."""
        mean, inverse, *more = shares
        low = high = codes = None
        if self.layout.clipped:
            low, high, *more = more
        if self.layout.targets:
            (codes,) = more
        return Prepared(Standardization(mean, inverse), low, high, codes)

    def combined(self, party: Party, shares: Sequence[Any]) -> Step[Prepared]:
        """The same on one party's parts of the inputs. Nothing is revealed."""
        layout, total = self.layout, sum(self.rows)
        by_owner = self._by_owner(shares)
        moments = [part[:3] for part in by_owner]
        mean, variance = yield from combined_moments(party, self.rows, moments)
        means, variances = [mean], [variance]
        low = high = codes = None
        if layout.clipped:
            bins = [_stacked(party, part[3:6]) for part in by_owner]
            columns = yield from clipped_columns(party, layout.clipped, bins, total)
            low, high = columns.low, columns.high
            means.append(columns.mean)
            variances.append(columns.variance)
        if layout.targets:
            counts = [part[-1] for part in by_owner]
            found = yield from target_codes(party, layout.targets, counts, self.rows)
            codes = found.codes
            means.append(found.mean)
            variances.append(found.variance)
        by = yield from standardization_of(
            party,
            party.concatenate(means, 0)[layout.order],
            party.concatenate(variances, 0)[layout.order],
            layout.scaled,
            self.fraction_bits,
        )
        return Prepared(by, low, high, codes)

    def _by_owner(self, parts: Sequence[Any]) -> list[list[Any]]:
        found, first = [], 0
        for owner in range(len(self.rows)):
            stop = first + len(self.arrays(owner))
            found.append(list(parts[first:stop]))
            first = stop
        return found

    def _check(self, session: PartySession, inputs: Sequence[Reference]) -> None:
        """Open, for every owner, whether its numbers fit together: signs that are all 0 if so."""
        everyone = tuple(range(len(session.parties)))
        for owner, mine in enumerate(self._by_owner(inputs)):

            def evaluate(
                party: Party, parts: Sequence[SecretValue], owner: int = owner
            ) -> _Results:
                slack = self._slack(party, owner, [part.share for part in parts])
                negative = yield from party.most_significant_bit(slack)
                return (SecretValue(bool_, negative),)

            size = self._slack_size
            (signs,) = session.compute(
                "preparation",
                evaluate,
                mine[3:],
                results=(ArrayType(bool_, (size,)),),
                public=owner.to_bytes(2, "little"),
            )
            opened = session.open(signs, everyone, everyone).get(session.name)
            if opened is None or np.any(opened):  # at all parties alike
                raise refusal(session.parties[owner])

    @property
    def _slack_size(self) -> int:
        clipped, targets = len(self.layout.clipped), len(self.layout.targets)
        return 2 * clipped + 2 * clipped * BINS + 2 * targets * FOLDS

    def _slack(self, party: Party, owner: int, parts: Sequence[Any]) -> Any:
        layout, rows = self.layout, self.rows
        found = []
        if layout.clipped:
            bins = _stacked(party, parts[:3])
            found.append(slack_of_bins(party, layout.clipped, bins, rows[owner], sum(rows)))
        if layout.targets:
            found.append(slack_of_counts(party, layout.targets, parts[-1], rows[owner]))
        return party.concatenate(found, 0)

    # Rows.

    def rows_of(
        self, party: Party, x: Any, prepared: Prepared, folds: NDArray[np.int64]
    ) -> Step[Any]:
        """Clipped, encoded and standardised rows, (n, width), with the plan's fractional bits.

        Parameters
        ----------
        x : arithmetic sharing, (n, features)
            Rows within [-1, 1] with ``INPUT_BITS`` fractional bits.
        prepared : Prepared
        folds : (n,) int64
            See :func:`folds_of`; FOLDS for rows that are not training rows.
        """
        layout = self.layout
        if layout.is_plain:
            return (yield from standardize(party, x, prepared.by))
        columns = [x[:, layout.plain]]
        if layout.clipped:
            places = np.array([column.feature for column in layout.clipped])
            columns.append((yield from clip(party, x[:, places], prepared.low, prepared.high)))
        if layout.targets:
            columns.append(
                (yield from encode_targets(party, layout.targets, x, prepared.codes, folds))
            )
        together = party.concatenate(columns, 1)[:, layout.order]
        return (yield from standardize(party, together, prepared.by))


@dataclass(frozen=True, slots=True, repr=False)
class RowPreparer:
    """A preparation with a party's part of what it uses: all that streaming rows need.

    Attributes
    ----------
    preparation : Preparation
    prepared : Prepared
    """

    preparation: Preparation
    prepared: Prepared

    @property
    def shared_width(self) -> int:
        """Columns of rows as their owners share them."""
        return self.preparation.layout.features

    def rows(self, party: Party, x: Any, batch: Sequence[NDArray[np.int64]]) -> Step[Any]:
        """Prepared training rows, by the numbers of each owner's rows in turn."""
        folds = np.concatenate([folds_of(numbers) for numbers in batch])
        return self.preparation.rows_of(party, x, self.prepared, folds)


def folds_of(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """The folds of an owner's training rows, by their numbers."""
    return numbers % FOLDS


def _stacked(party: Party, parts: Sequence[Any]) -> Any:
    return party.concatenate([part.reshape(1, *part.shape) for part in parts], 0)
