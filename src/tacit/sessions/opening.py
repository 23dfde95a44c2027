"""Opening what is stored: by those who saved it, by three of four, by four of whom one was away.

Three parties of four (``replicated3_active``) use the folders of ``fantastic4``: each reads its own
parts, and what was shared among four becomes a sharing of three without a message
(:mod:`tacit.sharing.fallback`). What three saved, or refreshed, while the fourth was away opens
among four again: the three share it anew with the fourth
(:mod:`tacit.protocols.fantastic4.readmission`), which needs nothing of its own and takes from the
others what is public about it. Copies of the same part are compared first in every case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.digest import DIGEST_BYTES, tagged_hash
from tacit.encoding.rings import ring_of
from tacit.errors import StorageError, VerificationError
from tacit.operations.types import SecretValue
from tacit.protocols import protocol_named
from tacit.protocols.fantastic4 import Fantastic4Party
from tacit.protocols.fantastic4.readmission import readmit
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Round, Step
from tacit.rounds.randomness import Randomness
from tacit.sharing.additive import AdditiveForm, Parts
from tacit.sharing.fallback import (
    OfThree,
    drop,
    from_lacking,
    members_without,
    parts_by_lacking,
)
from tacit.storage.messages import exchange
from tacit.storage.records import ArrayRecord, Header, Purpose, bounds_from, decode_header
from tacit.storage.sealed import byte_view
from tacit.storage.store import OF_FOUR, Store

__all__ = ["Keeper", "Loaded", "form_of", "known_to_all", "opened"]


@dataclass(frozen=True, slots=True, repr=False)
class Keeper:
    """One party with its folder, in one session.

    Attributes
    ----------
    party : Party
    store : Store
    form : AdditiveForm
        How the protocol's shares split.
    session : bytes
        This session's own, equal at all parties, never twice the same.
    randomness : Randomness
        This party's.
    """

    party: Party
    store: Store
    form: AdditiveForm
    session: bytes
    randomness: Randomness


Loaded: TypeAlias = tuple[Header, tuple[SecretValue, ...]]


def form_of(header: Header) -> AdditiveForm:
    """How the shares in a file split into additive parts."""
    form = protocol_named(header.protocol).form
    assert form is not None
    return form


def opened(
    keeper: Keeper, purpose: Purpose, name: str, digest: bytes, without: str | None = None
) -> Step[Loaded]:
    """Read an entry and turn it into shares of this session. 1 round; 4 with `without`.

    Parameters
    ----------
    keeper : Keeper
    purpose : {"entry", "checkpoint"}
    name : str
    digest : bytes
        Of the header that all have agreed on.
    without : str, optional
        The party of four that does not have it.

    Raises
    ------
    StorageError
        The ring is another one (TC-2320); a file is damaged.
    VerificationError
        Copies differ (TC-5213); nobody says what is stored (TC-5215).
    """
    party, store = keeper.party, keeper.store
    away = without == store.party
    found = [h for h in store.holdings(name, purpose) if h.header.digest() == digest]
    header = None if away else found[0].header
    if without is not None:
        header = yield from known_to_all(keeper, header, digest)
    assert header is not None
    if header.ring != party.ring.bits:
        raise StorageError(
            f"{name} is stored over a ring of {header.ring} bits, and this session has"
            f" {party.ring.bits}.",
            next_step=f"open the session with ring={header.ring}.",
            case=20,
            stage="storage",
        )
    arrays: list[Parts] = []
    if not away:
        with store.reading(found[0]) as source:
            for record in header.arrays:
                parts: dict[int, NDArray[Any]] = {}
                for part in form_of(header).held(header.index):
                    parts[part] = _room(record, header.ring)
                    source.read_into(byte_view(parts[part]))
                arrays.append(parts)
            source.finish()
    yield from _compare_copies(keeper, header, arrays, without)
    if without is not None:
        shares = yield from _with_the_fourth(keeper, header, arrays, without)
    else:
        shares = tuple(
            _of_session(keeper, header, record, parts)
            for record, parts in zip(header.arrays, arrays, strict=True)
        )
    return header, tuple(
        SecretValue(record.dtype, share, bounds_from(record.held))
        for record, share in zip(header.arrays, shares, strict=True)
    )


def known_to_all(keeper: Keeper, header: Header | None, digest: bytes) -> Step[Header]:
    """The header at a party that has none, from the others. 2 rounds.

    All know the digest of what they have in common; one of the three tells the truth.

    Raises
    ------
    VerificationError
        None does (TC-5215).
    """
    own = b"" if header is None else header.common()
    messages = yield from exchange(keeper.party, own)
    if header is not None:
        return header
    for message in messages:
        if tagged_hash("stored entry", message) == digest:
            return decode_header(message, Path("what another party sent"))
    raise VerificationError(
        "No party says what is stored in the form that all agreed on.",
        next_step="compare the parties' versions and logs, and open the session again.",
        case=15,
        stage="storage",
    )


def _share(header: Header, record: ArrayRecord, parts: Parts) -> Any:
    """A party's sharing among those that saved it."""
    form = form_of(header)
    if record.kind == "bool":
        return form.bits(header.index, parts, record.shape)
    return form.numbers(header.index, parts)


def _of_session(keeper: Keeper, header: Header, record: ArrayRecord, parts: Parts) -> Any:
    """A party's sharing among those of this session, who all have the entry."""
    share = _share(header, record, parts)
    if header.protocol != OF_FOUR or keeper.store.protocol == OF_FOUR:
        return share
    (dropped,) = set(range(4)) - {header.parties.index(n) for n in keeper.party.names}
    order = tuple(header.parties.index(name) for name in keeper.party.names)
    three = drop(share, header.index, dropped)
    return _reordered(three, header.index, members_without(dropped), order, record)


def _of_three(
    header: Header, record: ArrayRecord, parts: Parts, names: tuple[str, ...], back: int
) -> Any:
    """A party's sharing among the three of four that have an entry, in ascending order."""
    share = _share(header, record, parts)
    if header.protocol == OF_FOUR:
        return drop(share, header.index, back)
    order = tuple(names.index(name) for name in header.parties)
    return _reordered(share, names.index(header.party), order, members_without(back), record)


def _reordered(share: Any, index: int, old: Any, new: Any, record: ArrayRecord) -> OfThree:
    shape = record.shape if record.kind == "bool" else None
    return from_lacking(parts_by_lacking(share, index, old), index, new, shape)


def _with_the_fourth(
    keeper: Keeper, header: Header, arrays: Sequence[Parts], without: str
) -> Step[tuple[Any, ...]]:
    """Shares of four of what the other three have. 1 round."""
    party = keeper.party
    assert isinstance(party, Fantastic4Party)
    back = party.names.index(without)
    steps = []
    for place, record in enumerate(header.arrays):
        share: OfThree | None = None
        if party.index != back:
            share = _of_three(header, record, arrays[place], party.names, back)
        bits = record.kind == "bool"
        steps.append(readmit(party, share, record.shape, bits=bits, back=back))
    return (yield from together(*steps))


def _room(record: ArrayRecord, bits: int) -> NDArray[Any]:
    if record.kind == "bool":
        return np.empty(record.part_bytes(bits) // 8, np.uint64)
    return ring_of(bits).empty(record.shape)


def _compare_copies(
    keeper: Keeper, header: Header, arrays: Sequence[Parts], without: str | None
) -> Step[None]:
    """Holders of the same part compare it by a hash that goes to nobody else. 1 round.

    Raises
    ------
    VerificationError
        They differ (TC-5213): the two folders are not of one moment, or one was changed.
    """
    party, form = keeper.party, form_of(header)
    if without == keeper.store.party:
        yield Round()
        return
    places = {
        peer: header.parties.index(name)
        for peer, name in enumerate(party.names)
        if name in header.parties and name != without
    }
    own = {
        part: tagged_hash(
            "stored part",
            keeper.session,
            header.identity,
            part.to_bytes(1, "little"),
            *(parts[part].reshape(-1).view(np.uint8) for parts in arrays),
        )
        for part in form.held(header.index)
    }
    sent, found = {}, {}
    for peer, place in places.items():
        shared = form.common(header.index, place) if peer != party.index else ()
        if shared:
            digest = tagged_hash("stored copies", *(own[part] for part in shared))
            sent[peer] = (np.frombuffer(digest, np.uint8),)
            found[peer] = (np.empty(DIGEST_BYTES, np.uint8),)
    yield Round(check=sent, check_receive=found)
    differing = [party.names[p] for p in sent if (sent[p][0] != found[p][0]).any()]
    if differing:
        raise VerificationError(
            f"The shares of {header.name} that {', '.join(differing)} stored are not those of"
            f" {party.names[party.index]}.",
            next_step="one of these parties changed its folder or restored another moment of it;"
            " nothing was used. Load an older version, or save anew.",
            case=13,
            parties=[*differing, party.names[party.index]],
            stage="storage",
        )
