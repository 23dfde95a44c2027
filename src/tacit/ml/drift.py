"""Do owners' data differ? For each owner and column one bit: a distance above an agreed threshold.

Each owner counts its rows in public bins (``tables/profiles.py``) and inputs the counts. On shares
they are compared with those of all other owners together:

* numbers and dates: the Kolmogorov-Smirnov distance over the bins' edges, the largest difference of
  the shares of rows below an edge;
* booleans, categories, the label: the total variation distance, half the sum of the differences of
  the shares of rows in each category.

Row numbers are public, so both are comparisons of whole numbers, without rounding.

Who learns what: all owners learn for each owner and column whether the distance is above the
threshold, and nothing else; a party without data learns nothing. A column of an owner is compared
only where the owner, and the others together, have at least a minimum of rows. An owner that makes
up its counts asks by that one such question about the others' counts together, for each run that
all of them agree to; so runs with ever other thresholds are for owners to refuse. Counts that do
not add up to the owner's rows, with which it could ask more, are refused on shares where parties
may deviate.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tacit.encoding.types import bool_, int64
from tacit.functions.inputs import refusal
from tacit.functions.selection import absolute
from tacit.operations.types import ArrayType, SecretValue
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.sessions.handles import Reference
from tacit.sessions.party import PartySession
from tacit.tables.profiles import Profile

__all__ = ["Drift", "DriftFindings", "compared", "drifted", "find_drift"]


class Drift(Struct, frozen=True, kw_only=True):
    """What owners agreed to compare; public.

    Attributes
    ----------
    threshold : float
        Distances above it are told, between 0 and 1.
    minimum : int
        Of rows that an owner, and the others together, need.
    """

    threshold: float = 0.2
    minimum: int = 100


class DriftFindings(Struct, frozen=True, kw_only=True):
    """What all owners learned.

    Attributes
    ----------
    threshold : float
    minimum : int
    columns : tuple of str
        That were compared, the label among them.
    above : dict of str to tuple of str
        By owner, the columns in which it differs from the others together. Owners with too few
        rows are not among them.
    too_few : tuple of str
        Owners that were not compared.
    """

    threshold: float
    minimum: int
    columns: tuple[str, ...]
    above: dict[str, tuple[str, ...]]
    too_few: tuple[str, ...] = ()


def compared(rows: Sequence[int], minimum: int) -> list[int]:
    """The owners that are compared, by their numbers of rows."""
    total = sum(rows)
    return [o for o, count in enumerate(rows) if min(count, total - count) >= max(1, minimum)]


def find_drift(
    session: PartySession,
    counts: NDArray[np.int64] | None,
    rows: Sequence[int],
    profiles: tuple[Profile, ...],
    drift: Drift,
) -> DriftFindings | None:
    """Compare all owners' columns.

    Parameters
    ----------
    session : PartySession
        The first ``len(rows)`` parties are owners.
    counts : (bins,) int64, or None
        Of this owner's rows; None at a party without data.
    rows : sequence of int
        Of each owner; public.
    profiles : tuple of Profile
    drift : Drift

    Returns
    -------
    DriftFindings or None
        None at a party without data.

    Raises
    ------
    InputRefusedError
        An owner's counts do not add up to its rows, as all parties found on shares (TC-5400).
    """
    owners, position = tuple(range(len(rows))), session.position(session.name)
    chosen = compared(rows, drift.minimum)
    names = session.parties
    columns = tuple(item.column for item in profiles)
    opened = None
    if chosen:
        shared: list[Reference] = []
        for owner in owners:
            mine = counts.view(np.uint64) if counts is not None and owner == position else None
            shape = (profiles[-1].stop,)
            shared.append(session.input_elements(owner, mine, int64, shape, (0, rows[owner])))
        if session.protocol.security.adversary != "passive":
            _check_totals(session, shared, rows, profiles)

        def evaluate(party: Party, parts: Sequence[SecretValue]) -> Step[tuple[SecretValue, ...]]:
            shares = [part.share for part in parts]
            bits = yield from drifted(party, shares, rows, chosen, profiles, drift.threshold)
            return (SecretValue(bool_, bits),)

        result = ArrayType(bool_, (len(chosen), len(profiles)))
        (bits,) = session.compute("drift", evaluate, shared, results=(result,))
        opened = session.open(bits, owners, owners).get(session.name)
    if position not in owners:
        return None
    above = {
        names[owner]: tuple(
            column
            for place, column in enumerate(columns)
            if opened is not None and opened[row, place]
        )
        for row, owner in enumerate(chosen)
    }
    too_few = tuple(names[owner] for owner in owners if owner not in chosen)
    return DriftFindings(
        threshold=drift.threshold,
        minimum=drift.minimum,
        columns=columns,
        above=above,
        too_few=too_few,
    )


def _check_totals(
    session: PartySession,
    shared: Sequence[Reference],
    rows: Sequence[int],
    profiles: tuple[Profile, ...],
) -> None:
    """Open signs that are all 0 for an owner whose counts add up to its rows in every column."""

    def evaluate(party: Party, parts: Sequence[SecretValue]) -> Step[tuple[SecretValue, ...]]:
        slack = []
        for part, count in zip(parts, rows, strict=True):
            for item in profiles:
                total = party.sum(part.share[item.first : item.stop], axis=0, keepdims=True)
                over = party.add_public(total, np.array([-count]))
                slack += [over, party.negate(over)]
        negative = yield from party.most_significant_bit(party.concatenate(slack, 0))
        return (SecretValue(bool_, negative),)

    everyone = tuple(range(len(session.parties)))
    result = ArrayType(bool_, (2 * len(rows) * len(profiles),))
    (signs,) = session.compute("drift", evaluate, shared, results=(result,))
    opened = session.open(signs, everyone, everyone)[session.name]
    wrong = np.flatnonzero(opened.reshape(len(rows), -1).any(axis=1))
    if wrong.size:  # at all parties alike
        raise refusal(session.parties[wrong[0]])


def drifted(
    party: Party,
    counts: Sequence[Any],
    rows: Sequence[int],
    owners: Sequence[int],
    profiles: tuple[Profile, ...],
    threshold: float,
) -> Step[Any]:
    """Whether distances are above a threshold: bits (owners, columns). Nothing is revealed.

    With n_a of N_a rows of an owner and n_r of N_r of the others in a bin (or below an edge),
    |n_a / N_a - n_r / N_r| > t if and only if |N_r n_a - N_a n_r| > floor(t N_a N_r).

    Parameters
    ----------
    party : Party
    counts : sequence of arithmetic sharing, (bins,)
        Of each owner; whole numbers.
    rows : sequence of int
        Of each owner, together below 2^23.
    owners : sequence of int
        Those to compare.
    profiles : tuple of Profile
    threshold : float

    Notes
    -----
    Rounds: an absolute value, two sign bits, and a conversion of bits. Exact.
    """
    total_rows, total = sum(rows), counts[0]
    for part in counts[1:]:
        total = party.add(total, part)
    differences, limits = [], []
    for owner in owners:
        mine, rest = rows[owner], total_rows - rows[owner]
        others = party.subtract(total, counts[owner])
        difference = party.subtract(
            party.multiply_public(counts[owner], rest), party.multiply_public(others, mine)
        )
        differences.append(_below_edges(party, difference, profiles).reshape(1, -1))
        limits.append(floor(threshold * mine * rest))
    stacked = party.concatenate(differences, 0)
    sizes = yield from absolute(party, stacked)
    # One number for each edge of ordered columns, one sum for each other column.
    parts, limit_factors, owner_of = [], [], []
    for place, item in enumerate(profiles):
        own = sizes[:, item.first : item.stop]
        if not item.ordered:
            own = party.sum(own, axis=1, keepdims=True)
        parts.append(own)
        width = item.stop - item.first if item.ordered else 1
        limit_factors += [1 if item.ordered else 2] * width
        owner_of += [place] * width
    found = party.concatenate(parts, 1)
    most = np.array(limits, np.int64)[:, None] * np.array(limit_factors, np.int64)[None]
    above = yield from party.most_significant_bit(
        party.add_public(party.negate(found), most)  # negative where found > most
    )
    ones = yield from party.bit_to_arithmetic(above)
    columns = np.array(owner_of)
    sums = [
        party.sum(ones[:, np.flatnonzero(columns == place)], axis=1, keepdims=True)
        for place in range(len(profiles))
    ]
    return (yield from party.most_significant_bit(party.negate(party.concatenate(sums, 1))))


def _below_edges(party: Party, difference: Any, profiles: tuple[Profile, ...]) -> Any:
    """Sums up to each edge for ordered columns, the bins themselves for others. Local."""
    ring = party.ring
    parts = []
    for item in profiles:
        own = difference[item.first : item.stop]
        if item.ordered:
            own = own.map(lambda share: ring.cumulative_sum(share, 0))
        parts.append(own)
    return party.concatenate(parts, 0)
