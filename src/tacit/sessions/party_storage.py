"""What one party keeps in its own folder, and how a guard stands by."""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from typing import TypeVar

from tacit.errors import UsageError
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.rounds.randomness import SystemRandomness
from tacit.sessions.entries import Keep
from tacit.sessions.guard import Guard
from tacit.sessions.handles import Reference
from tacit.sessions.references import PartyReference, References
from tacit.sessions.session import Session
from tacit.sessions.storage_steps import (
    Draft,
    Keeper,
    Loaded,
    delete_step,
    load_step,
    refresh_step,
    refused_or,
    resume_step,
    save_step,
)
from tacit.sessions.storing import restore
from tacit.storage.records import Header, Purpose
from tacit.storage.store import Place, Store

__all__ = ["PartyStorage"]

T = TypeVar("T")


class PartyStorage(Session):
    """The part of a party's session that saves and loads in that party's folder."""

    name: str
    references: References
    _store: Store | None
    _guard: Guard | None

    @property
    @abc.abstractmethod
    def party(self) -> Party:
        """This party in the protocol that runs now."""

    @abc.abstractmethod
    def run(self, step: Step[T], stage: str) -> T:
        """Drive this party's copy of a protocol step."""

    def attach(self, place: Place) -> None:
        """Give this party its folder. Every party does so before any saves or loads.

        Raises
        ------
        StorageError
            The folder or the key cannot be used, or is another party's.
        """
        if self._store is not None:
            self._store.close()
        self._store = Store(place, self.name, self.parties, self.protocol.name)

    @property
    def stores(self) -> bool:
        """Whether this party has a folder."""
        return self._store is not None

    def keeper(self) -> Keeper:
        """This party with its folder, for steps of storage."""
        assert self._store is not None
        assert self.protocol.form is not None
        session = self.party.session_id
        return Keeper(self.party, self._store, self.protocol.form, session, SystemRandomness())

    def save_parts(self, references: Sequence[Reference], draft: Draft) -> Header:
        """Seal this party's parts in its folder.

        After a party has left, a checkpoint is not written: its header has the version 0.
        """

        def work() -> Header:
            values = [r.part for r in references if isinstance(r, PartyReference)]
            return self._driven(save_step(self.keeper(), draft, values))

        def skipped() -> Header:
            return Header(
                purpose=draft.purpose,
                name=draft.name,
                version=0,
                identity=bytes(16),
                epoch=0,
                mark=bytes(16),
                protocol=self.protocol.name,
                ring=self.ring.bits,
                parties=self.parties,
                party=self.name,
                index=self.position(self.name),
                session=bytes(32),
                kind=draft.kind,
                public=draft.public,
                uses=draft.uses,
                arrays=draft.arrays,
            )

        instead = skipped if draft.purpose == "checkpoint" else None
        return self._kept(f"save {draft.purpose} {draft.name}", work, instead)

    def load_parts(self, name: str, version: int | None) -> tuple[Header, tuple[Reference, ...]]:
        """Open this party's parts from its folder."""

        def work() -> tuple[Header, tuple[Reference, ...]] | UsageError:
            loaded = self._driven(load_step(self.keeper(), "entry", name, version))
            return loaded if isinstance(loaded, UsageError) else self._loaded(loaded)

        return refused_or(self._kept(f"load {name} {version}", work))

    def resume_parts(self, name: str) -> tuple[Header, tuple[Reference, ...]] | None:
        """Refresh and open this party's parts of the newest checkpoint."""

        def work() -> tuple[Header, tuple[Reference, ...]] | None:
            loaded = self._driven(resume_step(self.keeper(), name))
            return None if loaded is None else self._loaded(loaded)

        return self._kept(f"resume {name}", work)

    def _kept(self, what: str, work: Callable[[], T], instead: Callable[[], T] | None = None) -> T:
        """A step of storage, and the barrier after it where there is a guard."""
        if self._guard is None:
            return work()
        guard = self._guard
        guard.seal()
        return guard.perform(Keep(guard.next_barrier, what, work, instead))

    def _driven(self, step: Step[T]) -> T:
        return (
            self.run(step, "storage") if self._guard is None else self._guard.drive(step, "storage")
        )

    def _loaded(self, loaded: Loaded) -> tuple[Header, tuple[Reference, ...]]:
        header, values = loaded
        references = tuple(map(self.references.of, values))
        for place, reference in enumerate(references):
            restore(reference, header, place)
        return header, references

    def list_parts(self) -> list[Header]:
        """What this party's folder lists."""
        return [h.header for h in self.keeper().store.holdings() if h.sealed]

    def delete_parts(self, name: str, version: int | None, purpose: Purpose) -> int:
        """Destroy a version, or all of a name, at every party; how many there were."""

        def work() -> int | UsageError:
            return self._driven(delete_step(self.keeper(), purpose, name, version))

        def skipped() -> int | UsageError:
            return 0

        instead = skipped if purpose == "checkpoint" else None
        return refused_or(self._kept(f"delete {purpose} {name} {version}", work, instead))

    def refresh_parts(self) -> tuple[Header, ...]:
        """Replace all stored shares by fresh ones of the same secrets, at every party."""
        return self._kept("refresh", lambda: self._driven(refresh_step(self.keeper())))
