"""Which stored entries all parties have: from what each says, the same answer everywhere.

Replacing works in two phases. (1) Every party writes the new file as prepared and says so. (2)
When all have said so, each calls it sealed, and only then drops the old one. So whatever the
moment of a crash, one of two things is true: all parties still have the old file, or all have
the new one, prepared or sealed. :func:`settle` finds which.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import msgspec
from msgspec import Struct

from tacit.errors import MessageError, StorageError, UsageError
from tacit.storage.records import Header, Purpose
from tacit.storage.store import Holding, Tombstone

__all__ = ["Agreed", "Inventory", "decoded", "inventory", "settle"]

Entry: TypeAlias = tuple[str, str, int]
"""Purpose, name, version."""


class Item(Struct, frozen=True, array_like=True):
    """A file that a party has: what all parties' files of this epoch have in common."""

    purpose: Purpose
    name: str
    version: int
    epoch: int
    sealed: bool
    digest: bytes
    among: int = 0
    """How many parties saved it."""

    @property
    def entry(self) -> Entry:
        """Which version of what it is."""
        return self.purpose, self.name, self.version


class Inventory(Struct, frozen=True, array_like=True):
    """What one party has and what it has deleted; public among the parties."""

    items: tuple[Item, ...]
    deleted: tuple[Tombstone, ...]
    nonce: bytes


def inventory(
    holdings: Sequence[Holding], tombstones: Sequence[Tombstone], nonce: bytes
) -> Inventory:
    """What a party tells the others."""
    items = tuple(_item(h.header, h.sealed) for h in holdings)
    return Inventory(items, tuple(tombstones), nonce)


def _item(header: Header, sealed: bool) -> Item:
    return Item(
        header.purpose,
        header.name,
        header.version,
        header.epoch,
        sealed,
        header.digest(),
        len(header.parties),
    )


def decoded(messages: Sequence[bytes], names: Sequence[str]) -> list[Inventory]:
    """The parties' inventories. Raises MessageError (TC-5121) for anything else."""
    found = []
    for name, message in zip(names, messages, strict=True):
        try:
            found.append(msgspec.msgpack.decode(message, type=Inventory))
        except msgspec.DecodeError:
            raise MessageError(
                f"{name} sent something that is no list of stored entries.",
                next_step="make sure that all parties run the same version.",
                case=21,
                parties=[name],
                stage="storage",
            ) from None
    return found


class Agreed(Struct, frozen=True):
    """What all parties have.

    Attributes
    ----------
    digests : mapping of (purpose, name, version) to bytes
        The digest of the epoch to use.
    missing : mapping of (purpose, name, version) to tuple of str
        Versions that are sealed somewhere, and the parties that do not have them.
    deleted : mapping of (purpose, name, version) to tuple of str
        Deleted versions, and the parties that deleted them.
    last : mapping of (purpose, name) to int
        The highest version number that any party has ever used.
    incomplete : mapping of (purpose, name, version) to bytes
        Of the missing ones those that all but one have: three can share them with the fourth.
    without : mapping of bytes to str
        For the digest of each of these, who does not have it.
    left : mapping of str to int
        For the name of checkpoints, the newest that three saved without the fourth.
    """

    digests: Mapping[Entry, bytes]
    missing: Mapping[Entry, tuple[str, ...]]
    deleted: Mapping[Entry, tuple[str, ...]]
    last: Mapping[tuple[str, str], int]
    incomplete: Mapping[Entry, bytes] = msgspec.field(default_factory=dict)
    without: Mapping[bytes, str] = msgspec.field(default_factory=dict)
    left: Mapping[str, int] = msgspec.field(default_factory=dict)

    def newest_checkpoint(self, name: str) -> bytes | None:
        """The digest of the newest checkpoint that can be gone on from; None if there is none.

        Raises
        ------
        StorageError
            Three parties went on without the fourth, and not all three have their checkpoints
            (TC-2319): nobody goes back to one of before that.
        """
        usable = {**self.digests, **self.incomplete}
        versions = [v for purpose, what, v in usable if (purpose, what) == ("checkpoint", name)]
        newest = max(versions, default=0)
        left = self.left.get(name, 0)
        if left > newest:
            return self.digest("checkpoint", name, left)
        return usable["checkpoint", name, newest] if versions else None

    def digest(
        self, purpose: Purpose, name: str, version: int | None, *, of_all: bool = False
    ) -> bytes:
        """The digest of a version, the newest by default; with `of_all` only if all have it.

        Raises
        ------
        UsageError
            Nobody has stored it, or it was deleted (TC-1087).
        StorageError
            Not all parties have it (TC-2319); names those that lack it.
        """
        known = {*self.digests, *self.missing}
        entry = (purpose, name, version)
        if version is None:
            versions = [v for p, n, v in known if (p, n) == (purpose, name)]
            entry = (purpose, name, max(versions, default=0))
        found = self.digests.get(entry)  # type: ignore[arg-type]
        if found is None and not of_all:
            found = self.incomplete.get(entry)  # type: ignore[arg-type]
        if found is not None:
            return found
        number = "" if version is None else f" version {version}"
        lacking = self.missing.get(entry)  # type: ignore[arg-type]
        if lacking:
            raise StorageError(
                f"{', '.join(lacking)} {'does' if len(lacking) == 1 else 'do'} not have"
                f" {name} version {entry[2]}, or another epoch of it than the others.",
                next_step="restore that party's folder as it was after the last session that saved"
                " or refreshed, or load an older version with version=.",
                case=19,
                parties=lacking,
                stage="storage",
            )
        gone = any((p, n) == (purpose, name) for p, n, v in self.deleted if version in (None, v))
        raise UsageError(
            f"{name!r}{number} {'was deleted' if gone else 'is not stored'}.",
            next_step="check the name and the folder; in Python mpc.stored() says what there is.",
            case=87,
            stage="storage",
        )


def settle(
    inventories: Sequence[Inventory], names: Sequence[str], *, readmits: bool = False
) -> Agreed:
    """What all parties have, from everybody's inventory.

    For each version the highest epoch that all have in the same form counts, sealed or
    prepared. Where there is none: the version is missing if it is sealed anywhere, else its save
    never finished and it does not exist. With `readmits`, what all but one of four have can be
    used as well (:mod:`tacit.sessions.opening`).
    """
    deleted: dict[Entry, list[str]] = {}
    last: dict[tuple[str, str], int] = {}
    for name, own in zip(names, inventories, strict=True):
        for stone in own.deleted:
            deleted.setdefault((stone.purpose, stone.name, stone.version), []).append(name)
        used = [item.entry for item in own.items]
        for purpose, what, version in used + [(t.purpose, t.name, t.version) for t in own.deleted]:
            last[purpose, what] = max(version, last.get((purpose, what), 0))
    digests: dict[Entry, bytes] = {}
    missing: dict[Entry, tuple[str, ...]] = {}
    incomplete: dict[Entry, bytes] = {}
    without: dict[bytes, str] = {}
    left: dict[str, int] = {}
    by_party = [{item.digest: item for item in own.items} for own in inventories]
    common = set.intersection(*(set(own) for own in by_party))
    for entry in {item.entry for own in inventories for item in own.items}:
        shared = [by_party[0][d] for d in common if by_party[0][d].entry == entry]
        if shared:
            digests[entry] = max(shared, key=lambda item: item.epoch).digest
        elif entry not in deleted:
            sealed = [item for own in inventories for item in own.items if item.entry == entry]
            sealed = [item for item in sealed if item.sealed]
            if sealed:
                newest = max(sealed, key=lambda item: item.epoch)
                lacking = [
                    n for n, own in zip(names, by_party, strict=True) if newest.digest not in own
                ]
                missing[entry] = tuple(lacking)
                if readmits and newest.among < len(names) and entry[0] == "checkpoint":
                    left[entry[1]] = max(entry[2], left.get(entry[1], 0))
                if readmits and len(lacking) == 1:
                    incomplete[entry] = newest.digest
                    without[newest.digest] = lacking[0]
    gone = {e: tuple(who) for e, who in deleted.items()}
    return Agreed(digests, missing, gone, last, incomplete, without, left)
