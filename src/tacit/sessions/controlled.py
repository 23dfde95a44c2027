"""One operating-system process per party, and this process in control of them.

Commands are sent ahead: only reveal, measure and close wait, and inputs that the parties check.
The plain values of an input go to its owner's process alone, and only recipients' processes
return revealed values.
"""

from __future__ import annotations

import sys
import warnings
import weakref
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Raw
from numpy.typing import NDArray

from tacit.encoding.limits import Limits
from tacit.encoding.ring import RING64, Ring
from tacit.encoding.types import DType, fixed
from tacit.errors import IncidentWarning, InternalError, PartyLostError, TacitError
from tacit.network import NetworkSettings
from tacit.operations.operation import Attributes, Operation
from tacit.operations.types import ArrayType
from tacit.programs.calling import PROGRAM, Code
from tacit.programs.planning.measured import processors_here
from tacit.protocols import Protocol, SecurityModel, protocol_named
from tacit.protocols.interface import Rounding
from tacit.rounds.cost import Cost
from tacit.sessions.channel import Buffer, byte_view
from tacit.sessions.handles import Handle, Reference
from tacit.sessions.joining import RING, ROUNDING
from tacit.sessions.messages import (
    Apply,
    Checked,
    Delete,
    Finish,
    Finished,
    Incident,
    Input,
    Kept,
    Load,
    Measure,
    Measured,
    Message,
    Progress,
    PublicOperand,
    Refresh,
    Reveal,
    Revealed,
    Save,
    Stored,
    encode,
)
from tacit.sessions.processes import PartyProcesses
from tacit.sessions.session import Session
from tacit.sessions.storage_steps import Draft
from tacit.sessions.storing import restore
from tacit.sessions.turns import in_turn
from tacit.sessions.watching import OnRounds
from tacit.storage.records import Header, Purpose, decode_header
from tacit.storage.store import Place

__all__ = ["ProcessSession", "RemoteReference"]

_SERVICE = "tacit.sessions.service"


class RemoteReference(Reference):
    """A secret array whose parts lie in the parties' processes, under a number."""

    __slots__ = ("number",)

    def __init__(self, number: int, dtype: DType, shape: tuple[int, ...]) -> None:
        super().__init__(dtype, shape)
        self.number = number


class ProcessSession(Session):
    """Parties in processes of their own on this machine, linked by mutual TLS.

    Parameters
    ----------
    protocol : Protocol
        The protocol they run.
    parties : tuple of str
        Their names, by index.
    settings : NetworkSettings, optional
        Time limits.
    rounding : {"probabilistic", "nearest", "exact"}
        How fixed-point products, sums and functions round.
    ring : Ring
        What shares are elements of.
    fractions : DType
        What float arrays become by default.
    storage : mapping of str to Place, optional
        Where each party keeps what is saved; its process alone is told, and reads its key.
    threads : int, optional
        Threads of each party for matrix products; by default the cores divided among them.

    Notes
    -----
    An error in a party surfaces at the next call that waits. After an error the session is
    over. Arrays that nothing refers to any more are released in the parties with the next
    command.

    Under a protocol that guarantees output the session survives the loss of one process, or its
    deviation: results come from the living recipients, :attr:`incidents` says what happened, and
    a warning is issued once. An input of the lost party is refused with a PartyLostError.
    """

    place = "one process each on this machine, mutual TLS"

    @property
    def processors(self) -> int:
        """All that this process may use."""
        return processors_here()

    def __init__(
        self,
        protocol: Protocol,
        parties: tuple[str, ...],
        settings: NetworkSettings | None = None,
        *,
        rounding: Rounding = "probabilistic",
        ring: Ring = RING64,
        fractions: DType = fixed,
        storage: Mapping[str, Place] | None = None,
        threads: int | None = None,
    ) -> None:
        super().__init__(protocol, parties, rounding, ring, fractions)
        self._next_number = 0
        self._stores = storage is not None
        self._freed: deque[int] = deque()
        self.processes = PartyProcesses(
            parties,
            _SERVICE,
            {} if storage is None else {name: _absolute(storage[name]) for name in parties},
            protocol=protocol.name,
            parameters={ROUNDING: rounding, RING: str(ring.bits)},
            settings=settings,
            threads=threads,
            tolerate=1 if protocol.security.outcome == "guaranteed output" else 0,
        )
        self.processes.watch = _unheard
        self._warned = 0

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """The faults that the parties have overcome so far, as the first that told of each says."""
        found: dict[tuple[int, str, tuple[str, ...]], Incident] = {}
        for _, incident in self.processes.incidents:
            found.setdefault((incident.stage, incident.kind, incident.dropped), incident)
        return tuple(found.values())

    @property
    def security(self) -> SecurityModel:
        """What the protocol promises; after a fault that was overcome, what holds from then on."""
        gone = [incident for incident in self.incidents if incident.dropped]
        if not gone:
            return self.protocol.security
        model = protocol_named(gone[-1].protocol).security
        # With two suspects a second fault shows which of them it was, and is overcome too.
        return replace(model, outcome="guaranteed output") if gone[-1].kind == "pair" else model

    def _warn(self) -> None:
        """Warn of every incident once, between commands."""
        incidents = self.incidents
        while self._warned < len(incidents):
            incident = incidents[self._warned]
            self._warned += 1
            warnings.warn(_in_words(incident), IncidentWarning, stacklevel=_users_level())

    def _answers(self, names: Sequence[str]) -> Iterator[tuple[str, Message, list[Buffer]]]:
        """The next message of each of these parties; nothing of one that is lost."""
        for name in names:
            try:
                message, buffers = self.processes.receive(name)
            except TacitError:
                if name not in self.processes.lost or self.processes.failure is not None:
                    raise
                continue
            yield name, message, buffers
        self._warn()

    def check_open(self) -> None:
        """Refuse to go on after the end, with the cause if it was an error."""
        failure = self.processes.failure
        if failure is not None:
            raise TacitError.from_dict(failure.as_dict())
        super().check_open()

    def _new(self, dtype: DType, shape: tuple[int, ...]) -> RemoteReference:
        reference = RemoteReference(self._next_number, dtype, shape)
        self._next_number += 1
        # Only notes the number: a finalizer may run in the middle of anything.
        weakref.finalize(reference, self._freed.append, reference.number).atexit = False
        return reference

    def _releases(self) -> tuple[int, ...]:
        freed = self._freed
        return tuple(freed.popleft() for _ in range(len(freed)))

    def input_elements(
        self,
        owner: int,
        elements: NDArray[Any] | None,
        dtype: DType,
        shape: tuple[int, ...],
        limits: Limits,
    ) -> Reference:
        """Send the elements to the owner's process, and word of them to the others."""
        if elements is None:
            raise InternalError("the controlling process has no elements to share")
        low, high = limits
        command = encode(
            Input(
                self._releases(),
                self._next_number,
                owner,
                dtype.kind,
                dtype.fraction_bits,
                dtype.bits,
                dtype.signed,
                shape,
                (str(low), str(high)),
            )
        )
        payload = byte_view(elements.astype(np.uint8) if dtype.kind == "bool" else elements)
        for index, name in enumerate(self.parties):
            self.processes.send(name, command, (payload,) if index == owner else ())
        if self.protocol.security.adversary == "active":
            self._await_check()
        return self._new(dtype, shape)

    def _await_check(self) -> None:
        """Wait until all parties have checked an input; what all refused is raised."""
        refused = None
        for _, message, _ in self._answers(self.parties):
            if not isinstance(message, Checked):
                raise InternalError(f"a party answered {type(message).__name__} to an input")
            refused = message.refused or refused
        if refused is not None:
            raise TacitError.from_dict(refused)

    def execute(
        self,
        operation: Operation,
        operands: Sequence[Handle],
        attributes: Attributes,
        results: tuple[ArrayType, ...],
    ) -> tuple[Reference, ...]:
        """Tell every party to compute an operation, without waiting for it."""
        return self._apply(operation, operands, attributes, results)

    def execute_watched(
        self,
        code: Code,
        operands: Sequence[Handle],
        results: tuple[ArrayType, ...],
        tell: OnRounds,
    ) -> tuple[Reference, ...]:
        """Have a program computed, and wait for it: the party that is ahead says how far it is."""
        furthest = -1

        def heard(party: str, message: Progress) -> None:
            nonlocal furthest
            if message.done > furthest:
                furthest = int(message.done)
                tell(furthest, int(message.total) or None)

        self.processes.watch = heard
        try:
            references = self._apply(PROGRAM, operands, code, results, watched=True)
            self._cost()
        finally:
            self.processes.watch = _unheard
        return references

    def _apply(
        self,
        operation: Operation,
        operands: Sequence[Handle],
        attributes: Attributes,
        results: tuple[ArrayType, ...],
        *,
        watched: bool = False,
    ) -> tuple[Reference, ...]:
        release = self._releases()
        buffers: list[Buffer] = []
        numbers: list[int | PublicOperand] = []
        for handle in operands:
            if isinstance(handle, RemoteReference):
                numbers.append(handle.number)
            else:
                assert isinstance(handle, np.ndarray)
                numbers.append(PublicOperand(handle.dtype.str, handle.shape))  # type: ignore[arg-type]
                buffers.append(byte_view(handle))
        references = tuple(self._new(result.dtype, result.shape) for result in results)
        self._broadcast(
            Apply(
                release,
                operation.name,
                tuple(numbers),
                Raw(encode(attributes)),
                tuple(reference.number for reference in references),
                watched,
            ),
            buffers,
        )
        return references

    def open(
        self, reference: Reference, to: tuple[int, ...], answer: tuple[int, ...]
    ) -> dict[str, NDArray[Any]]:
        """Have an array opened, and wait for what the processes of `answer` return.

        Raises
        ------
        PartyLostError
            All of `answer` are lost.
        """
        assert isinstance(reference, RemoteReference)
        self._broadcast(Reveal(self._releases(), reference.number, to, answer))
        revealed: dict[str, NDArray[Any]] = {}
        names = [self.parties[index] for index in answer]
        for name, message, buffers in self._answers(names):
            if not isinstance(message, Revealed):
                raise InternalError(f"a party answered {type(message).__name__} to a reveal")
            if message.dtype == "elements":
                array = self.ring.integers(buffers[0].view(self.ring.dtype))
            else:
                array = buffers[0].view(message.dtype)
            revealed[name] = array.reshape(message.shape)
        if not revealed:
            raise PartyLostError(
                f"{' and '.join(names)} left the session, and nobody else was to learn this.",
                next_step="reveal it to a party that is still there, if the owners agree.",
                case=15,
                parties=names,
                stage="reveal",
            )
        return revealed

    @in_turn
    def reveal_to_all(self, reference: Reference) -> NDArray[Any]:
        """Open a secret array to every party; the plain array, from the first that is there."""
        reference.uses.check_recipients(self.parties)
        everyone = self.recipients("all")
        while True:
            answer = next(i for i in everyone if self.parties[i] not in self.processes.lost)
            try:
                return self.open(reference, everyone, (answer,))[self.parties[answer]]
            except PartyLostError:
                # Lost before it answered: what all may know, another one tells.
                if self.processes.failure is not None:
                    raise

    # What is stored.

    @property
    def stores(self) -> bool:
        """Whether the parties have folders."""
        return self._stores

    def save_parts(self, references: Sequence[Reference], draft: Draft) -> Header:
        """Have every party seal its parts."""
        numbers = tuple(r.number for r in references if isinstance(r, RemoteReference))
        kept = self._ask(Save(self._releases(), numbers, Raw(encode(draft))))
        return self._headers(kept)[0]

    def load_parts(self, name: str, version: int | None) -> tuple[Header, tuple[Reference, ...]]:
        """Have every party open its parts."""
        found = self._load(name, version, resume=False)
        assert found is not None
        return found

    def resume_parts(self, name: str) -> tuple[Header, tuple[Reference, ...]] | None:
        """Have every party refresh and open its parts of the newest checkpoint."""
        return self._load(name, None, resume=True)

    def _load(
        self, name: str, version: int | None, resume: bool
    ) -> tuple[Header, tuple[Reference, ...]] | None:
        kept = self._ask(Load(self._releases(), name, version, self._next_number, resume))
        headers = self._headers(kept)
        if not headers:
            return None
        references = tuple(self._new(a.dtype, a.shape) for a in headers[0].arrays)
        for place, reference in enumerate(references):
            restore(reference, headers[0], place)
        return headers[0], references

    def list_parts(self) -> list[Header]:
        """What the first party's folder lists."""
        return self._headers(self._ask(Stored(self._releases())), compared=False)

    def delete_parts(self, name: str, version: int | None, purpose: Purpose) -> int:
        """Have every party destroy a version, or all of a name; how many there were."""
        kept = self._ask(Delete(self._releases(), name, version, purpose))
        return next(iter(kept.values())).count

    def refresh_parts(self) -> tuple[Header, ...]:
        """Have every party replace its stored shares by fresh ones of the same secrets."""
        return tuple(self._headers(self._ask(Refresh(self._releases()))))

    def _ask(self, command: msgspec.Struct) -> dict[str, Kept]:
        """Every party's answer to a command about what is stored; what all refused is raised."""
        self._broadcast(command)
        found: dict[str, Kept] = {}
        for name, message, _ in self._answers(self.parties):
            if not isinstance(message, Kept):
                raise InternalError(f"a party answered {type(message).__name__} about storage")
            found[name] = message
        refused = next((kept.refused for kept in found.values() if kept.refused is not None), None)
        if refused is not None:
            raise TacitError.from_dict(refused)
        return found

    def _headers(self, kept: Mapping[str, Kept], compared: bool = True) -> list[Header]:
        """The first party's headers; those of the others must describe the same entries."""
        lists = [
            [decode_header(data, Path(name)) for data in answer.headers]
            for name, answer in kept.items()
        ]
        digests = [[header.digest() for header in headers] for headers in lists]
        if compared and any(other != digests[0] for other in digests):
            raise InternalError("the parties answered with different entries")
        return lists[0]

    def _cost(self) -> Cost:
        self._broadcast(Measure(self._releases()))
        counted: dict[str, Measured] = {}
        for name, message, _ in self._answers(self.parties):
            if not isinstance(message, Measured):
                raise InternalError(f"a party answered {type(message).__name__} to a measurement")
            counted[name] = message
        return Cost(
            rounds=max(measured.rounds for measured in counted.values()),
            bytes_sent={name: measured.bytes_sent for name, measured in counted.items()},
            check_bytes={name: measured.check_bytes for name, measured in counted.items()},
        )

    def _broadcast(self, command: msgspec.Struct, buffers: Sequence[Buffer] = ()) -> None:
        header = encode(command)
        for name in self.parties:
            self.processes.send(name, header, buffers)

    def _close(self) -> None:
        if self.processes.failure is not None:
            return
        try:
            self._broadcast(Finish())
            for _, message, _ in self._answers(self.parties):
                if not isinstance(message, Finished):
                    raise InternalError(f"a party answered {type(message).__name__} at the end")
            self.processes.close()
        finally:
            self.processes.kill()

    def _abandon(self, error: BaseException) -> None:
        self.processes.kill()


def _unheard(party: str, message: Progress) -> None:
    """Nobody asked how far a party is, or does any more."""


def _users_level() -> int:
    """How far up the caller is who is not tacit, as `warnings.warn` counts."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals["__name__"].startswith("tacit."):
        frame, level = frame.f_back, level + 1
    return level


def _in_words(incident: Incident) -> str:
    """An incident for people."""
    who = incident.party or " or ".join(incident.pair or ()) or "nobody in particular"
    found = {
        "lost": f"{who} was lost",
        "convicted": f"{who} deviated from the protocol",
        "pair": f"{who} deviated or was lost",
    }.get(incident.kind, "parties contradicted each other")
    return (
        f"{found}: {incident.reason}. The session goes on under {incident.protocol}:"
        f" {incident.security.removesuffix('.')}."
    )


def _absolute(place: Place) -> Place:
    """A place as a process in another folder finds it."""
    key = place.key if place.key.startswith("env:") else str(Path(place.key).absolute())
    return Place(str(Path(place.folder).absolute()), key)
