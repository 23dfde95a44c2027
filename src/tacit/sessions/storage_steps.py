"""Steps that sessions of every kind drive for what is stored: save, load, refresh, delete.

They draw no masks and no nonces of the protocol (but for a party that comes back, ``opening.py``),
so an error in one leaves the session's streams in step. Files are written between rounds; a party
goes on to replace something only after all have confirmed (:mod:`tacit.storage.agreement`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tacit.encoding.digest import tagged_hash
from tacit.encoding.ring import RING64
from tacit.errors import UsageError
from tacit.operations.types import SecretValue
from tacit.rounds.contract import Step
from tacit.sessions.opening import Keeper, Loaded, form_of, known_to_all, opened
from tacit.storage.agreement import Agreed, decoded, inventory, settle
from tacit.storage.messages import confirm, exchange, toss
from tacit.storage.records import ArrayRecord, Header, Purpose, Uses, bounds_text
from tacit.storage.refreshing import refreshed
from tacit.storage.sealed import CHUNK_BYTES, byte_view
from tacit.storage.store import OF_FOUR, Holding, Place, Store

__all__ = [
    "Draft",
    "Keeper",
    "Loaded",
    "delete_step",
    "load_step",
    "opened_stores",
    "record_of",
    "refresh_step",
    "refused_or",
    "resume_step",
    "save_step",
]


class Draft(Struct, frozen=True, kw_only=True):
    """What is to be saved: the parts of a header that do not depend on the party.

    Attributes
    ----------
    keep : int
        How many versions of this name stay; 0 for all.
    """

    name: str
    purpose: Purpose = "entry"
    kind: str = "array"
    public: bytes = b""
    uses: Uses = Uses()
    arrays: tuple[ArrayRecord, ...] = ()
    keep: int = 0


T = TypeVar("T")


def refused_or(found: T | UsageError) -> T:
    """Raise what all parties refused alike; otherwise what was found."""
    if isinstance(found, UsageError):
        raise found
    return found


def opened_stores(
    storage: Mapping[str, Place], parties: tuple[str, ...], protocol: str
) -> tuple[Store, ...]:
    """Every party's folder, for parties that are all in this process.

    Raises
    ------
    UsageError
        A party has no place (TC-1075).
    """
    missing = [name for name in parties if name not in storage]
    if missing:
        raise UsageError(
            f"{', '.join(missing)} {'has' if len(missing) == 1 else 'have'} no folder to store in.",
            next_step="give a tacit.storage.Place for every party, or one folder for all.",
            case=75,
            stage="storage",
        )
    stores: list[Store] = []
    try:
        for name in parties:
            stores.append(Store(storage[name], name, parties, protocol))
    except BaseException:
        for store in stores:
            store.close()
        raise
    return tuple(stores)


def record_of(
    name: str,
    value: Any,
    bounds: tuple[float, float] | None = None,
    declared: bool = False,
) -> ArrayRecord:
    """What is public about an array: anything with a type and a shape."""
    dtype, held = value.dtype, value.held if isinstance(value, SecretValue) else None
    return ArrayRecord(
        name,
        dtype.kind,
        dtype.fraction_bits,
        dtype.bits,
        dtype.signed,
        tuple(value.shape),
        bounds_text(bounds),
        bounds_text(held),
        declared,
    )


def save_step(keeper: Keeper, draft: Draft, values: Sequence[SecretValue]) -> Step[Header]:
    """Seal shares under a name, as its next version, at every party. 6 rounds.

    Returns
    -------
    Header
        Of this party's file.

    Raises
    ------
    StorageError
        A disk is full or cannot be written: what was saved before stays.
    """
    party, store = keeper.party, keeper.store
    agreed, nonces = yield from _take_stock(keeper, draft.purpose, draft.name)
    fresh = tagged_hash("stored identity", keeper.session, draft.name.encode(), *nonces)
    arrays = tuple(
        msgspec.structs.replace(record, held=bounds_text(value.held))
        for record, value in zip(draft.arrays, values, strict=True)
    )
    header = Header(
        purpose=draft.purpose,
        name=draft.name,
        version=agreed.last.get((draft.purpose, draft.name), 0) + 1,
        identity=fresh[:16],
        epoch=0,
        mark=fresh[16:],
        protocol=store.protocol,
        ring=party.ring.bits,
        parties=tuple(party.names),
        party=store.party,
        index=party.index,
        session=keeper.session,
        kind=draft.kind,
        public=draft.public,
        uses=draft.uses,
        arrays=arrays,
    )
    with store.writing(header) as (holding, out):
        for value in values:
            parts = keeper.form.parts(party.index, value.share)
            for part in keeper.form.held(party.index):
                for piece in _pieces(parts[part], value):
                    out.write(piece)
    yield from confirm(party, header.digest(), f"what is saved as {draft.name}")
    store.promote(holding)
    if draft.keep:
        held = [h for h in store.holdings(draft.name, draft.purpose) if h.sealed]
        for old in held[: -draft.keep]:
            store.destroy(old)
    return holding.header


def load_step(
    keeper: Keeper, purpose: Purpose, name: str, version: int | None
) -> Step[Loaded | UsageError]:
    """Open a stored version at every party; the newest where `version` is None. 5 rounds.

    Returns
    -------
    Header, tuple of SecretValue
        Or the error that all parties found alike, for the session to raise: nothing is stored
        under this name.

    Raises
    ------
    StorageError
        A party lacks the version (TC-2319), or its file is damaged.
    VerificationError
        Two holders' copies of a part differ (TC-5213).
    """
    agreed, _ = yield from _take_stock(keeper, purpose, name)
    try:
        digest = agreed.digest(purpose, name, version)
    except UsageError as error:
        return error
    return (yield from opened(keeper, purpose, name, digest, agreed.without.get(digest)))


def resume_step(keeper: Keeper, name: str) -> Step[Loaded | None]:
    """The newest checkpoint that opens at every party, with refreshed shares; None if none does.

    A checkpoint that is damaged at one party is passed over at all.
    """
    agreed, _ = yield from _take_stock(keeper, "checkpoint", name, intact=True)
    digest = agreed.newest_checkpoint(name)
    if digest is None:
        return None
    mine = keeper.store.holdings(name, "checkpoint")
    without = agreed.without.get(digest)
    if without is not None:
        # The others went on without this one: it takes up what they have, and nothing older.
        usable = [h for h in mine if h.header.digest() == digest]
        header = yield from known_to_all(keeper, usable[0].header if usable else None, digest)
        (header,) = yield from _refresh(keeper, usable, [header])
        for old in mine:
            if old not in usable:
                keeper.store.destroy(old)
        return (yield from opened(keeper, "checkpoint", name, header.digest(), without))
    chosen = set(agreed.digests.values())
    usable = [h for h in mine if h.header.digest() in chosen]
    renewed = yield from _refresh(keeper, usable)
    for old in mine:
        if old not in usable:
            keeper.store.destroy(old)
    newest = max(renewed, key=lambda header: header.version)
    return (yield from opened(keeper, "checkpoint", name, newest.digest()))


def refresh_step(keeper: Keeper) -> Step[tuple[Header, ...]]:
    """New shares of everything that is stored, in place of the old ones. 9 rounds.

    Raises
    ------
    StorageError
        A party lacks something that others have, or a disk is full; the old shares stay.
    """
    agreed, _ = yield from _take_stock(keeper, None, None)
    for purpose, name, version in sorted(agreed.missing):
        agreed.digest(purpose, name, version, of_all=True)  # type: ignore[arg-type]
    chosen = set(agreed.digests.values())
    usable = [h for h in keeper.store.holdings() if h.header.digest() in chosen]
    renewed = yield from _refresh(keeper, usable)
    return tuple(renewed)


def delete_step(
    keeper: Keeper, purpose: Purpose, name: str, version: int | None
) -> Step[int | UsageError]:
    """Destroy a version, or all of a name, with its keys, at every party; how many there were."""
    agreed, _ = yield from _take_stock(keeper, purpose, name)
    known = {*agreed.digests, *agreed.missing, *agreed.deleted}
    held = [h for h in keeper.store.holdings(name, purpose) if version in (None, h.header.version)]
    alive = {e for e in known if version in (None, e[2])} - _deleted_everywhere(agreed, keeper)
    if not alive:
        return _unknown(agreed, purpose, name, version)
    for holding in held:
        keeper.store.intend(holding)
    intent = tagged_hash("deletion", keeper.session, repr((purpose, name, version)).encode())
    yield from confirm(keeper.party, intent, f"deleting {name}")
    for holding in held:
        keeper.store.bury(holding)
    return len(alive)


def _finish_deletions(store: Store, agreed: Agreed, holdings: Sequence[Holding]) -> None:
    """Delete what this party was about to when a session ended, if another party did.

    Another party's word alone deletes nothing; its intention alone, confirmed by nobody, neither.
    """
    own = {(h.header.purpose, h.header.name, h.header.version): h for h in holdings}
    for intent in store.intended():
        entry = (intent.purpose, intent.name, intent.version)
        if entry in own and entry in agreed.deleted:
            store.bury(own[entry])
        elif entry in own:
            store.forget(intent)


def _deleted_everywhere(agreed: Agreed, keeper: Keeper) -> set[tuple[str, str, int]]:
    everyone = len(keeper.party.names)
    return {entry for entry, who in agreed.deleted.items() if len(who) == everyone}


def _unknown(agreed: Agreed, purpose: Purpose, name: str, version: int | None) -> UsageError:
    try:
        agreed.digest(purpose, name, version)
    except UsageError as error:
        return error
    raise AssertionError("a version that all have is neither stored nor deleted")


def _take_stock(
    keeper: Keeper, purpose: Purpose | None, name: str | None, intact: bool = False
) -> Step[tuple[Agreed, list[bytes]]]:
    """What all parties have of a name, and a nonce of each; leftovers of crashes are removed.

    4 rounds. What a party drops here, all have agreed on: the inventories are compared by an
    echo first, so that no party can show different ones to two others.
    """
    store, party = keeper.store, keeper.party
    holdings = store.holdings(name, purpose)
    # What was only prepared when a session ended counts where it opens from start to end.
    listed = [h for h in holdings if (h.sealed and not intact) or store.intact(h)]
    own = inventory(listed, store.tombstones(name), keeper.randomness.token(16))
    messages = yield from exchange(party, msgspec.msgpack.encode(own))
    inventories = decoded(messages, party.names)
    yield from confirm(
        party, tagged_hash("inventories", keeper.session, *messages), "what is stored"
    )
    agreed = settle(inventories, party.names, readmits=store.protocol == OF_FOUR)
    chosen = {*agreed.digests.values(), *agreed.without}
    replaced = {*agreed.digests, *agreed.incomplete}
    for holding in listed:
        header = holding.header
        entry = (header.purpose, header.name, header.version)
        if header.digest() in chosen:
            store.promote(holding)
        elif entry in replaced or not (entry in agreed.missing or entry in agreed.deleted):
            store.destroy(holding)  # another epoch of what all have, or a save that never finished
    for holding in holdings:
        if holding not in listed and not holding.sealed:
            store.destroy(holding)
    _finish_deletions(store, agreed, [h for h in holdings if h.path.exists()])
    return agreed, [found.nonce for found in inventories]


def _refresh(
    keeper: Keeper, old: Sequence[Holding], known: Sequence[Header] = ()
) -> Step[list[Header]]:
    """Write the next epoch of these entries, and replace the old one when all have it.

    Parameters
    ----------
    keeper : Keeper
    old : sequence of Holding
        What this party has of them.
    known : sequence of Header
        The entries, where not every party has them.
    """
    headers = [holding.header for holding in old] or known
    if not headers:
        return []
    coin = yield from toss(keeper.party, keeper.session, keeper.randomness)
    mark = tagged_hash("refresh mark", coin)[:16]
    renewed = [
        msgspec.structs.replace(h, epoch=h.epoch + 1, mark=mark, session=keeper.session)
        for h in headers
    ]
    new = [
        refreshed(keeper.store, holding, header, form_of(header), coin)
        for holding, header in zip(old, renewed, strict=bool(old))
    ]
    coin[:] = bytes(len(coin))
    yield from confirm(
        keeper.party,
        tagged_hash("refreshed", keeper.session, *(header.digest() for header in renewed)),
        "the refreshed shares",
    )
    for holding in new:
        keeper.store.promote(holding)
    for holding in old:
        keeper.store.destroy(holding)
    return [holding.header for holding in new] or renewed


def _pieces(part: NDArray[Any], value: SecretValue) -> Iterator[memoryview]:
    """The bytes of a part in C order, without a copy of it; padding of packed bits cleared."""
    if value.dtype.kind == "bool":
        size = value.share.size
        whole, rest = size // 64, size % 64
        yield from _runs(part[:whole])
        if rest:
            yield byte_view(part[whole : whole + 1] & np.uint64((1 << rest) - 1))
        return
    yield from _runs(part)


def _runs(part: NDArray[Any]) -> Iterator[memoryview]:
    if part.flags.c_contiguous:
        if part.size:
            yield byte_view(part)
        return
    step = CHUNK_BYTES // RING64.element_bytes
    for start in range(0, part.size, step):
        yield byte_view(np.asarray(part.flat[start : start + step]))
