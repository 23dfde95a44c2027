"""Steps that sessions of every kind drive for what is stored: save, load, refresh, delete.

They draw no masks and no nonces of the protocol, so an error in one leaves the session's streams
in step. Files are written between rounds; a party goes on to replace something only after all
have confirmed (:mod:`tacit.storage.agreement`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tacit.encoding.digest import DIGEST_BYTES, tagged_hash
from tacit.encoding.ring import RING64
from tacit.encoding.rings import ring_of
from tacit.errors import StorageError, UsageError, VerificationError
from tacit.programs.types import SecretValue
from tacit.protocols.interface import Party
from tacit.rounds.contract import Round, Step
from tacit.rounds.randomness import Randomness
from tacit.sharing.additive import AdditiveForm, Parts
from tacit.storage.agreement import Agreed, decoded, inventory, settle
from tacit.storage.messages import confirm, exchange, toss
from tacit.storage.records import ArrayRecord, Header, Purpose, Uses, bounds_from, bounds_text
from tacit.storage.refreshing import refreshed
from tacit.storage.sealed import CHUNK_BYTES, byte_view
from tacit.storage.store import Holding, Place, Store

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
    return (yield from _open(keeper, purpose, name, digest))


def resume_step(keeper: Keeper, name: str) -> Step[Loaded | None]:
    """The newest checkpoint that opens at every party, with refreshed shares; None if none does.

    A checkpoint that is damaged at one party is passed over at all.
    """
    agreed, _ = yield from _take_stock(keeper, "checkpoint", name, intact=True)
    versions = [version for purpose, _, version in agreed.digests if purpose == "checkpoint"]
    if not versions:
        return None
    chosen = set(agreed.digests.values())
    mine = keeper.store.holdings(name, "checkpoint")
    usable = [h for h in mine if h.header.digest() in chosen]
    renewed = yield from _refresh(keeper, usable)
    for old in mine:
        if old not in usable:
            keeper.store.destroy(old)
    newest = max(renewed, key=lambda h: h.header.version)
    return (yield from _open(keeper, "checkpoint", name, newest.header.digest()))


def refresh_step(keeper: Keeper) -> Step[tuple[Header, ...]]:
    """New shares of everything that is stored, in place of the old ones. 9 rounds.

    Raises
    ------
    StorageError
        A party lacks something that others have, or a disk is full; the old shares stay.
    """
    agreed, _ = yield from _take_stock(keeper, None, None)
    for purpose, name, version in sorted(agreed.missing):
        agreed.digest(purpose, name, version)  # type: ignore[arg-type]
    chosen = set(agreed.digests.values())
    usable = [h for h in keeper.store.holdings() if h.header.digest() in chosen]
    renewed = yield from _refresh(keeper, usable)
    return tuple(h.header for h in renewed)


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
    agreed = settle(inventories, party.names)
    chosen = set(agreed.digests.values())
    for holding in listed:
        header = holding.header
        entry = (header.purpose, header.name, header.version)
        if header.digest() in chosen:
            store.promote(holding)
        elif entry in agreed.digests or not (entry in agreed.missing or entry in agreed.deleted):
            store.destroy(holding)  # another epoch of what all have, or a save that never finished
    for holding in holdings:
        if holding not in listed and not holding.sealed:
            store.destroy(holding)
    _finish_deletions(store, agreed, [h for h in holdings if h.path.exists()])
    return agreed, [found.nonce for found in inventories]


def _refresh(keeper: Keeper, old: Sequence[Holding]) -> Step[list[Holding]]:
    """Write the next epoch of these entries, and replace the old one when all have it."""
    if not old:
        return []
    coin = yield from toss(keeper.party, keeper.session, keeper.randomness)
    mark = tagged_hash("refresh mark", coin)[:16]
    new = []
    for holding in old:
        header = msgspec.structs.replace(
            holding.header, epoch=holding.header.epoch + 1, mark=mark, session=keeper.session
        )
        new.append(refreshed(keeper.store, holding, header, keeper.form, coin))
    coin[:] = bytes(len(coin))
    digests = [holding.header.digest() for holding in new]
    yield from confirm(
        keeper.party,
        tagged_hash("refreshed", keeper.session, *digests),
        "the refreshed shares",
    )
    sealed = [keeper.store.promote(holding) for holding in new]
    for holding in old:
        keeper.store.destroy(holding)
    return sealed


def _open(keeper: Keeper, purpose: Purpose, name: str, digest: bytes) -> Step[Loaded]:
    found = [h for h in keeper.store.holdings(name, purpose) if h.header.digest() == digest]
    holding = found[0]
    header = holding.header
    if header.ring != keeper.party.ring.bits:
        raise StorageError(
            f"{name} is stored over a ring of {header.ring} bits, and this session has"
            f" {keeper.party.ring.bits}.",
            next_step=f"open the session with ring={header.ring}.",
            case=20,
            stage="storage",
        )
    arrays: list[Parts] = []
    with keeper.store.reading(holding) as source:
        for record in header.arrays:
            parts: dict[int, NDArray[Any]] = {}
            for part in keeper.form.held(keeper.party.index):
                parts[part] = _room(record, header.ring)
                source.read_into(byte_view(parts[part]))
            arrays.append(parts)
        source.finish()
    yield from _compare_copies(keeper, header, arrays)
    index = keeper.party.index
    values = []
    for record, held in zip(header.arrays, arrays, strict=True):
        if record.kind == "bool":
            share = keeper.form.bits(index, held, record.shape)
        else:
            share = keeper.form.numbers(index, held)
        values.append(SecretValue(record.dtype, share, bounds_from(record.held)))
    return header, tuple(values)


def _room(record: ArrayRecord, bits: int) -> NDArray[Any]:
    if record.kind == "bool":
        return np.empty(record.part_bytes(bits) // 8, np.uint64)
    return ring_of(bits).empty(record.shape)


def _compare_copies(keeper: Keeper, header: Header, arrays: Sequence[Parts]) -> Step[None]:
    """Holders of the same part compare it by a hash that goes to nobody else. 1 round.

    Raises
    ------
    VerificationError
        They differ (TC-5213): the two folders are not of one moment, or one was changed.
    """
    party, form = keeper.party, keeper.form
    own = {
        part: tagged_hash(
            "stored part",
            keeper.session,
            header.identity,
            part.to_bytes(1, "little"),
            *(parts[part].reshape(-1).view(np.uint8) for parts in arrays),
        )
        for part in form.held(party.index)
    }
    sent, found = {}, {}
    for peer in range(len(party.names)):
        shared = form.common(party.index, peer) if peer != party.index else ()
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
