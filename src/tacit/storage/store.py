"""One party's folder of sealed entries.

::

    DIR/party.json            whose folder this is
    DIR/lock                  one session at a time
    DIR/entries/*.prepared    complete, but not yet known to lie at every party
    DIR/entries/*.sealed      known to lie at every party
    DIR/entries/*.deleted     what was deleted: names and numbers only
    DIR/entries/*.deleting    about to be deleted, if all parties agreed
    DIR/entries/*.dropped     about to be removed
    DIR/keys/*.key            a wrapped key for each sealed file

An entry is written as prepared, the parties tell each other that they have it, and then it is
renamed. What one party has sealed, every party had at least prepared: so after a crash at any
moment there is something that all have (:mod:`tacit.storage.agreement`).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec
from msgspec import Struct

from tacit.errors import StorageError
from tacit.storage.keys import FileKeys, OwnerKey, create_key
from tacit.storage.records import Header, Purpose, checked_name, decode_header
from tacit.storage.sealed import SealedReader, SealedWriter, read_header
from tacit.storage.writing import PART, move, remove, write_whole

__all__ = [
    "ENVIRONMENT",
    "OF_FOUR",
    "OF_THREE",
    "FolderOwner",
    "Holding",
    "Place",
    "Store",
    "Tombstone",
    "change_key",
    "listing",
    "owner_of",
    "places",
]

ENVIRONMENT: Final = "TACIT_STORAGE_KEY"
"""The variable with the storage key, and with ``_NAME`` behind it that of one party."""

OF_FOUR: Final = "fantastic4"
"""The protocol whose folders three of the four parties can use as well."""

OF_THREE: Final = "replicated3_active"
"""The protocol in which they do."""

_OWNER: Final = "party.json"
_PREPARED: Final = ".prepared"
_SEALED: Final = ".sealed"
_DELETED: Final = ".deleted"
_DELETING: Final = ".deleting"
_DROPPED: Final = ".dropped"
_FILE: Final = re.compile(r"\.\d+\.\d+\.[0-9a-f]{32}\.(prepared|sealed)$")
"""The end of a sealed file's name: version, epoch, number, state."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a party keeps what it stores.

    Attributes
    ----------
    folder : str
        Its own folder.
    key : str, a path or "env:NAME"
        Its storage key: a file as :func:`~tacit.storage.create_key` makes it, or a variable of
        the environment.
    """

    folder: str
    key: str

    def owner_key(self) -> OwnerKey:
        """Read the key. Raises StorageError."""
        if self.key.startswith("env:"):
            return OwnerKey.from_environment(self.key.removeprefix("env:"))
        return OwnerKey.from_file(Path(self.key))


def places(folder: Path | str, parties: tuple[str, ...]) -> dict[str, Place]:
    """The places of parties that all keep their folders on this machine.

    Parameters
    ----------
    folder : path
        Party NAME keeps its entries in ``folder/NAME``.
    parties : tuple of str

    Returns
    -------
    dict of str to Place
        The key of NAME is the environment's ``TACIT_STORAGE_KEY_NAME`` (in capitals) where that
        is set, else the file ``folder/_keys/NAME.key``, which is made if the party has nothing
        stored yet. Keys beside the folders are for one machine: elsewhere keep them apart.
    """
    base = Path(folder).absolute()
    found = {}
    for name in parties:
        variable = f"{ENVIRONMENT}_{''.join(c if c.isalnum() else '_' for c in name).upper()}"
        key = base / "_keys" / f"{name}.key"
        if variable in os.environ:
            found[name] = Place(str(base / name), f"env:{variable}")
            continue
        if not key.exists() and not (base / name).exists():
            create_key(key)
        found[name] = Place(str(base / name), str(key))
    return found


class FolderOwner(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose folder one is.

    Attributes
    ----------
    format : int
        Of the folder, 1.
    party : str
    parties : tuple of str
        All parties, by index.
    protocol : str
    """

    format: int
    party: str
    parties: tuple[str, ...]
    protocol: str


class Tombstone(Struct, frozen=True, forbid_unknown_fields=True):
    """That a version was deleted."""

    name: str
    version: int
    identity: bytes
    purpose: Purpose = "entry"


@dataclass(frozen=True, slots=True)
class Holding:
    """A sealed file that a party has.

    Attributes
    ----------
    header : Header
        As the file says; proved when the file is opened.
    path : Path
    sealed : bool
        Whether every party is known to have it.
    """

    header: Header
    path: Path
    sealed: bool


class Store:
    """What one party has stored. A context manager; one session at a time.

    Parameters
    ----------
    place : Place
        The party's folder, made where it is missing, and its key.
    party : str
        The party.
    parties : tuple of str
        All parties, by index.
    protocol : str
        The protocol that shares are of.

    Raises
    ------
    StorageError
        The folder is another party's or protocol's (TC-2317), is used by another session
        (TC-2318), or cannot be used; the key cannot be read.

    Notes
    -----
    Folders of ``fantastic4`` open for three of the four parties under ``replicated3_active``, who
    go on without the fourth (:mod:`tacit.sessions.opening`).
    """

    def __init__(self, place: Place, party: str, parties: tuple[str, ...], protocol: str) -> None:
        self.folder = Path(place.folder)
        self.party = party
        self.parties = parties
        self.protocol = protocol
        self._all = parties
        owner = place.owner_key()
        self._entries = self.folder / "entries"
        self._lock = -1
        try:
            for folder in (self._entries, self.folder / "keys"):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise StorageError(
                f"{self.folder} is used by another session.",
                next_step="close that session first; two must not write one folder.",
                case=18,
                stage="storage",
            ) from None
        except OSError as error:
            self.close()
            raise StorageError(
                f"{self.folder} cannot be used for storage: {error.strerror}.",
                next_step="choose a folder that this party can write.",
                case=2,
                stage="storage",
            ) from None
        self._keys = FileKeys(self.folder / "keys", owner)
        try:
            self._check_owner()
            self._sweep()
        except BaseException:
            self.close()
            raise

    def __repr__(self) -> str:
        return f"Store({str(self.folder)!r}, party={self.party!r})"

    def _check_owner(self) -> None:
        own = FolderOwner(1, self.party, self.parties, self.protocol)
        file = self.folder / _OWNER
        if not file.exists():
            write_whole(file, msgspec.json.encode(own, order="deterministic"))
            return
        found = owner_of(self.folder)
        if found is not None and found != own and _went_on(found, own):
            self._all = found.parties
        elif found != own:
            whose = "damaged" if found is None else f"that of {found.party} in {found.protocol}"
            raise StorageError(
                f"{self.folder} is not the folder of {self.party} among"
                f" {', '.join(self.parties)} in {self.protocol}: it is {whose}.",
                next_step="give every party its own folder, and the same parties and protocol as"
                " when it was made.",
                case=17,
                parties=[self.party],
                stage="storage",
            )

    def _sweep(self) -> None:
        """Finish what a crash cut short: half-written files, deletions, keys that seal nothing."""
        for folder in (self.folder, self._entries, self.folder / "keys"):
            for left in folder.glob(f".*{PART}"):
                remove(left)
        buried = {(t.name, t.purpose, str(t.version)) for t in self.tombstones()}
        for path in self._paths():
            name, purpose, version, _, _ = path.stem.rsplit(".", 4)
            if (name, purpose, version) in buried:
                self._destroy(path)
        for intent in self.intended():
            if (intent.name, intent.purpose, str(intent.version)) in buried:
                self.forget(intent)
        for path in self._entries.glob(f"*{_DROPPED}"):
            self._destroy(path)
        used = {_number_of(path) for path in self._paths()}
        for number in self._keys.numbers() - used:
            self._keys.destroy(number)

    def close(self) -> None:
        """Let other sessions use the folder. May be called again."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        with contextlib.suppress(Exception):  # the interpreter may be ending
            self.close()

    # Reading.

    def holdings(self, name: str | None = None, purpose: Purpose | None = None) -> list[Holding]:
        """What is here, oldest version and epoch first.

        Raises
        ------
        StorageError
            A file's header is damaged (TC-2316) or another party's (TC-2317).
        """
        found = []
        for path in self._paths():
            header = decode_header(read_header(path), path)
            if name not in (None, header.name) or purpose not in (None, header.purpose):
                continue
            self._check_header(header, path)
            found.append(Holding(header, path, path.suffix == _SEALED))
        return sorted(
            found, key=lambda h: (h.header.name, h.header.purpose, h.header.version, h.header.epoch)
        )

    def _check_header(self, header: Header, path: Path) -> None:
        whole = self.protocol if self._all == self.parties else OF_FOUR
        of_all = (header.parties, header.protocol) == (self._all, whole)
        of_three = whole == OF_FOUR and _three_of(header.parties, header.protocol, self._all)
        if (
            header.party != self.party
            or not (of_all or of_three)
            or header.index != header.parties.index(self.party)
        ):
            raise StorageError(
                f"{path} holds shares of {header.party}, not of {self.party}.",
                next_step="put back the party's own files; shares of one party are of no use to"
                " another.",
                case=17,
                parties=[header.party],
                stage="storage",
            )

    def tombstones(self, name: str | None = None) -> list[Tombstone]:
        """What was deleted here."""
        return _tombstones(self._entries, name, _DELETED)

    @contextlib.contextmanager
    def reading(self, holding: Holding) -> Iterator[SealedReader]:
        """The contents of a file, for a ``with`` block that ends with ``finish()``.

        Raises
        ------
        StorageError
            The file or its key is damaged, gone or foreign (TC-2311 to TC-2317).
        """
        with SealedReader(holding.path, self._keys.open(holding.header.number)) as reader:
            header = decode_header(reader.header, holding.path)
            self._check_header(header, holding.path)
            if header != holding.header:
                raise StorageError(
                    f"{holding.path} was exchanged while it was being opened.",
                    next_step="make sure that only this party writes its folder, and try again.",
                    case=16,
                    stage="storage",
                )
            yield reader

    def intact(self, holding: Holding) -> bool:
        """Whether a file opens under its key from start to end. Reads all of it."""
        try:
            with self.reading(holding) as reader:
                reader.drain()
        except StorageError:
            return False
        return True

    # Writing.

    @contextlib.contextmanager
    def writing(self, header: Header) -> Iterator[tuple[Holding, SealedWriter]]:
        """Write a new prepared file in a ``with`` block; it is durable when the block ends.

        Parameters
        ----------
        header : Header
            Its party, index and number are filled in here.

        Yields
        ------
        Holding
            The file as it will be.
        SealedWriter
            Takes its contents.

        Raises
        ------
        StorageError
            It cannot be written (TC-2315); nothing of it stays.
        """
        number = secrets.token_bytes(16)
        own = msgspec.structs.replace(
            header, party=self.party, index=header.parties.index(self.party), number=number
        )
        stem = f"{checked_name(own.name)}.{own.purpose}.{own.version}.{own.epoch}"
        path = self._entries / f"{stem}.{number.hex()}{_PREPARED}"
        key = self._keys.create(number)
        try:
            with SealedWriter(path, own.encode(), key) as writer:
                yield Holding(own, path, False), writer
        except BaseException:
            with contextlib.suppress(StorageError):
                remove(path)  # first: a file without its key must not look like one that is whole
                self._keys.destroy(number)
            raise

    def promote(self, holding: Holding) -> Holding:
        """A prepared file becomes a sealed one. Nothing to do if it is one."""
        if holding.sealed:
            return holding
        path = holding.path.with_suffix(_SEALED)
        move(holding.path, path)
        return Holding(holding.header, path, True)

    def destroy(self, holding: Holding) -> None:
        """Overwrite the key of a file, then remove both. A crash in between is made up for."""
        self._destroy(holding.path)

    def _destroy(self, path: Path) -> None:
        dropped = path.with_suffix(_DROPPED)
        move(path, dropped)
        self._keys.destroy(_number_of(path))
        remove(dropped)

    def intend(self, holding: Holding) -> None:
        """Note that a file is about to be deleted, before the parties confirm it."""
        self._mark(holding, _DELETING)

    def intended(self, name: str | None = None) -> list[Tombstone]:
        """What was about to be deleted when a session ended."""
        return _tombstones(self._entries, name, _DELETING)

    def forget(self, intent: Tombstone) -> None:
        """Drop an intention to delete."""
        remove(self._entries / f"{intent.name}.{intent.purpose}.{intent.version}{_DELETING}")

    def bury(self, holding: Holding) -> None:
        """Destroy a file and leave word that it was deleted."""
        stone = self._mark(holding, _DELETED)
        self.destroy(holding)
        self.forget(stone)

    def _mark(self, holding: Holding, ending: str) -> Tombstone:
        header = holding.header
        stone = Tombstone(header.name, header.version, header.identity, header.purpose)
        path = self._entries / f"{header.name}.{header.purpose}.{header.version}{ending}"
        write_whole(path, msgspec.json.encode(stone, order="deterministic"))
        return stone

    def _paths(self) -> list[Path]:
        return _files(self._entries)


def _went_on(folder: FolderOwner, own: FolderOwner) -> bool:
    """Whether a session is one of three of the four parties of a folder."""
    same = (folder.format, folder.party, folder.protocol) == (own.format, own.party, OF_FOUR)
    return same and _three_of(own.parties, own.protocol, folder.parties)


def _three_of(parties: tuple[str, ...], protocol: str, four: tuple[str, ...]) -> bool:
    return (
        protocol == OF_THREE
        and len(four) == 4
        and len(parties) == len(set(parties)) == 3
        and set(parties) < set(four)
    )


def _number_of(path: Path) -> bytes:
    """The number of a sealed file, which its name ends with."""
    return bytes.fromhex(path.stem.rpartition(".")[2])


def change_key(place: Place, key: str) -> Place:
    """Put what a party has stored under a new storage key. Local; sealed files stay as they are.

    Parameters
    ----------
    place : Place
        The party's folder and its present key.
    key : str, a path or "env:NAME"
        The new key.

    Returns
    -------
    Place
        The folder with the new key. After a crash on the way, call it again.

    Raises
    ------
    StorageError
        The folder is no party's (TC-2317) or in use, or a key cannot be read.

    Notes
    -----
    Who had the old key and a copy of the folder still opens that copy: refresh afterwards, so that
    it is of no use.
    """
    owner = owner_of(Path(place.folder))
    if owner is None:
        raise StorageError(
            f"{place.folder} is no party's folder.",
            next_step="name the folder that a party saved in.",
            case=17,
            stage="storage",
        )
    moved = Place(place.folder, key)
    new = moved.owner_key()
    with Store(place, owner.party, owner.parties, owner.protocol) as folder:
        for number in sorted(folder._keys.numbers()):
            folder._keys.rewrap(number, new)
    return moved


def owner_of(folder: Path) -> FolderOwner | None:
    """Whose folder this is, as it says; None if it does not."""
    try:
        return msgspec.json.decode((folder / _OWNER).read_bytes(), type=FolderOwner)
    except (msgspec.DecodeError, OSError):
        return None


def _files(entries: Path) -> list[Path]:
    return sorted(path for path in entries.glob("*") if _FILE.search(path.name))


def _tombstones(entries: Path, name: str | None, ending: str) -> list[Tombstone]:
    found = []
    for path in sorted(entries.glob(f"*{ending}")):
        with contextlib.suppress(msgspec.DecodeError):
            stone = msgspec.json.decode(path.read_bytes(), type=Tombstone)
            if name in (None, stone.name):
                found.append(stone)
    return found


def listing(folder: Path | str) -> list[Header]:
    """What is sealed in a party's folder, from public headers alone: no key, no session.

    Parameters
    ----------
    folder : path
        The party's own.

    Raises
    ------
    StorageError
        A header is damaged (TC-2316).
    """
    sealed = [p for p in _files(Path(folder) / "entries") if p.suffix == _SEALED]
    headers = [decode_header(read_header(path), path) for path in sealed]
    return sorted(headers, key=lambda h: (h.purpose, h.name, h.version, h.epoch))
