"""What every session can do with what its parties have stored on their own disks."""

from __future__ import annotations

import abc
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from functools import reduce
from typing import TYPE_CHECKING

from tacit.errors import UsageError
from tacit.sessions.handles import NO_LIMITS, Reference
from tacit.sessions.storage_steps import Draft, record_of
from tacit.sessions.turns import in_turn
from tacit.storage.records import Header, Purpose, Uses, bounds_from, checked_name

if TYPE_CHECKING:
    from tacit.protocols import Protocol

__all__ = ["Storing", "permitted", "permitted_in_all", "restore"]


def permitted(references: Sequence[Reference], operation: str) -> Uses:
    """What the result of an operation may be used for.

    Raises
    ------
    PolicyDeniedError
        An operand may not be used in it (TC-4001).
    """
    return permitted_in_all(references, (operation,))


def permitted_in_all(references: Sequence[Reference], operations: Iterable[str]) -> Uses:
    """What results may be used for that are computed in several operations, or in none.

    A program without operations hands its inputs on: their limits hold for its outputs.

    Raises
    ------
    PolicyDeniedError
        An operand may not be used in one of them (TC-4001).
    """
    for operation in sorted(operations):
        for reference in references:
            reference.uses.check_operation(operation)
    return reduce(Uses.both, (r.uses for r in references if not r.uses.everything), NO_LIMITS)


class Storing(abc.ABC):
    """The part of a session that saves and loads. Every party keeps its own shares."""

    protocol: Protocol
    parties: tuple[str, ...]

    @property
    @abc.abstractmethod
    def stores(self) -> bool:
        """Whether the parties of this session have folders."""

    @abc.abstractmethod
    def turn(self) -> AbstractContextManager[None]:
        """The turn of one call."""

    @abc.abstractmethod
    def check_open(self) -> None:
        """Refuse to go on after the end."""

    @in_turn
    def save(
        self,
        references: Sequence[Reference],
        name: str,
        *,
        names: Sequence[str] = ("",),
        kind: str = "array",
        public: bytes = b"",
        uses: Uses | None = None,
        purpose: Purpose = "entry",
        keep: int = 0,
    ) -> Header:
        """Seal secret arrays at every party as the next version of a name.

        Parameters
        ----------
        references : sequence of Reference
            Of this session.
        name : str
        names : sequence of str
            What each array is called in the entry.
        kind : str
            What they make together, such as an estimator's class.
        public : bytes
            What else is public about it, the same at every party.
        uses : Uses, optional
            What later sessions may do with it; everything by default. What the arrays
            themselves may be used for limits it.
        purpose : {"entry", "checkpoint"}
        keep : int
            How many versions stay; 0 for all.

        Returns
        -------
        Header

        Raises
        ------
        UsageError
            A bad name (TC-1085), or no party has a folder (TC-1088).
        StorageError
            A disk is full or cannot be written.
        """
        self.require_storage()
        limits = [r.uses for r in references]
        records = tuple(
            record_of(n, r, r.bounds, r.declared) for n, r in zip(names, references, strict=True)
        )
        draft = Draft(
            name=checked_name(name),
            purpose=purpose,
            kind=kind,
            public=public,
            uses=reduce(Uses.both, limits, uses or NO_LIMITS),
            arrays=records,
            keep=keep,
        )
        return self.save_parts(references, draft)

    @in_turn
    def load(self, name: str, version: int | None = None) -> tuple[Header, tuple[Reference, ...]]:
        """Open a version of a stored entry, the newest by default.

        Raises
        ------
        UsageError
            Nothing is stored under this name (TC-1087).
        StorageError
            A party lacks the version (TC-2319), or its file is damaged.
        """
        self.require_storage()
        return self.load_parts(checked_name(name), version)

    @in_turn
    def resume(self, name: str) -> tuple[Header, tuple[Reference, ...]] | None:
        """The newest checkpoint of a name that all parties have, refreshed; None if none."""
        self.require_storage()
        return self.resume_parts(checked_name(name))

    @in_turn
    def stored(self) -> list[Header]:
        """What is stored, from public headers alone; of another process's parties, the first's."""
        self.require_storage()
        return self.list_parts()

    @in_turn
    def delete(self, name: str, version: int | None = None, purpose: Purpose = "entry") -> int:
        """Destroy a version, or all of a name, at every party; how many there were.

        Raises
        ------
        UsageError
            Nothing is stored under this name (TC-1087).
        """
        self.require_storage()
        return self.delete_parts(checked_name(name), version, purpose)

    @in_turn
    def refresh(self) -> tuple[Header, ...]:
        """Replace all stored shares by fresh ones of the same secrets, at every party."""
        self.require_storage()
        return self.refresh_parts()

    def require_storage(self) -> None:
        """Raises UsageError (TC-1088) where the parties have no folders."""
        if not self.stores:
            raise UsageError(
                "This session has no storage.",
                next_step='open it with tacit.local(..., storage="FOLDER").',
                case=88,
                stage="storage",
            )
        if self.protocol.form is None:
            raise UsageError(
                f"Shares of {self.protocol.name} cannot be stored.",
                next_step="convert to a protocol with additive shares, such as replicated3.",
                case=89,
                stage="storage",
            )

    # What each kind of session does in its own way.

    @abc.abstractmethod
    def save_parts(self, references: Sequence[Reference], draft: Draft) -> Header:
        """Every party seals its parts."""

    @abc.abstractmethod
    def load_parts(self, name: str, version: int | None) -> tuple[Header, tuple[Reference, ...]]:
        """Every party opens its parts."""

    @abc.abstractmethod
    def resume_parts(self, name: str) -> tuple[Header, tuple[Reference, ...]] | None:
        """Every party refreshes and opens its parts of the newest checkpoint."""

    @abc.abstractmethod
    def list_parts(self) -> list[Header]:
        """What a party's folder lists."""

    @abc.abstractmethod
    def delete_parts(self, name: str, version: int | None, purpose: Purpose) -> int:
        """Every party destroys its parts."""

    @abc.abstractmethod
    def refresh_parts(self) -> tuple[Header, ...]:
        """Every party replaces its parts."""


def restore(reference: Reference, header: Header, place: int) -> None:
    """Note on a loaded array what its record says is known of it, and its permitted uses."""
    record = header.arrays[place]
    reference.bounds = bounds_from(record.bounds)
    reference.declared = record.declared
    reference.uses = header.uses
