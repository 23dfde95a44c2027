"""The job of a party that serves a controlling process: it executes what arrives, in order."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tacit.encoding.types import DType
from tacit.errors import InputRefusedError, InternalError, PartyLostError, UsageError
from tacit.programs.calling import Code
from tacit.programs.table import RUNNABLE, names_of
from tacit.sessions.channel import Buffer, Channel, byte_view
from tacit.sessions.context import PartyContext
from tacit.sessions.handles import Reference
from tacit.sessions.messages import (
    Apply,
    Checked,
    Command,
    Delete,
    Finish,
    Input,
    Kept,
    Load,
    Measure,
    Measured,
    Progress,
    PublicOperand,
    Refresh,
    Reveal,
    Revealed,
    Save,
    Stored,
    encode,
)
from tacit.sessions.party import PartySession
from tacit.sessions.storage_steps import Draft
from tacit.sessions.storing import permitted_in_all
from tacit.storage.records import Uses
from tacit.storage.store import Place

__all__ = ["run_party"]

_DECODE = msgspec.msgpack.Decoder(Command).decode
_ATTRIBUTES = {
    name: msgspec.msgpack.Decoder(operation.attributes).decode
    for name, operation in RUNNABLE.items()
}


def run_party(context: PartyContext) -> None:
    """Execute commands until the controlling process ends the session or is gone."""
    place = msgspec.msgpack.decode(context.configuration, type=Place | None)
    if place is not None:
        context.session.attach(place)
    channel = context.channel
    assert channel is not None  # this job is for parties that a process controls
    service = _Service(context.session, channel)
    while True:
        header, buffers = channel.receive()
        command = _DECODE(header)
        if isinstance(command, Apply):
            service.apply(command, buffers)
        elif isinstance(command, Input):
            service.input(command, buffers)
        elif isinstance(command, Reveal):
            service.reveal(command)
        elif isinstance(command, Measure):
            service.measure(command)
        elif isinstance(command, Save | Load | Delete | Refresh | Stored):
            service.storage(command)
        else:
            assert isinstance(command, Finish)
            return


class _Service:
    def __init__(self, session: PartySession, channel: Channel) -> None:
        self._session = session
        self._channel = channel
        self._held: dict[int, Reference] = {}

    def input(self, command: Input, buffers: Sequence[Buffer]) -> None:
        self._release(command.release)
        dtype = DType(command.kind, command.fraction_bits, command.bits, command.signed)
        elements: NDArray[Any] | None = None
        if buffers:
            element_type: Any = np.uint8 if dtype.kind == "bool" else self._session.ring.dtype
            elements = buffers[0].view(element_type).reshape(command.shape)
        low, high = map(int, command.limits)
        try:
            shared = self._session.input_elements(
                command.owner, elements, dtype, command.shape, (low, high)
            )
        except (InputRefusedError, PartyLostError) as error:
            if isinstance(error, PartyLostError) and self._session.stage is None:
                raise
            # All parties found it alike, and the session goes on.
            self._channel.send(encode(Checked(error.as_dict())))
            return
        self._held[command.result] = shared
        if self._session.protocol.security.adversary == "active":
            self._channel.send(encode(Checked()))

    def apply(self, command: Apply, buffers: Sequence[Buffer]) -> None:
        operation = RUNNABLE[command.operation]
        attributes = _ATTRIBUTES[command.operation](command.attributes)
        public = iter(buffers)
        operands = [
            _array(operand, next(public))
            if isinstance(operand, PublicOperand)
            else self._held[operand]
            for operand in command.operands
        ]
        secret = [operand for operand in operands if isinstance(operand, Reference)]
        uses = permitted_in_all(secret, names_of(command.operation, attributes))
        if command.watched and isinstance(attributes, Code):
            results = self._session.execute_watched(attributes, operands, (), self._rounds)
        else:
            results = self._session.execute(operation, operands, attributes, ())
        for reference in results:
            reference.uses = uses
        del operands, secret
        self._release(command.release)
        self._held.update(zip(command.results, results, strict=True))

    def _rounds(self, done: int, total: int | None) -> None:
        self._channel.send(encode(Progress("computing", done, total or 0, "rounds")))

    def reveal(self, command: Reveal) -> None:
        self._release(command.release)
        value = self._held[command.value]
        value.uses.check_recipients([self._session.parties[index] for index in command.to])
        revealed = self._session.open(value, command.to, command.answer)
        if self._session.position(self._session.name) in command.answer:
            array = revealed[self._session.name]
            kind = array.dtype.str
            if array.dtype.hasobject:
                kind, array = "elements", self._session.ring.elements(array)
            reply = Revealed(kind, array.shape)  # type: ignore[arg-type]
            self._channel.send(encode(reply), [byte_view(array)])

    def storage(self, command: Save | Load | Delete | Refresh | Stored) -> None:
        self._release(command.release)
        try:
            reply = self._kept(command)
        except UsageError as error:  # found before anything was sent, or by all parties alike
            reply = Kept((), refused=error.as_dict())
        self._channel.send(encode(reply))

    def _kept(self, command: Save | Load | Delete | Refresh | Stored) -> Kept:
        session = self._session
        if isinstance(command, Save):
            draft = msgspec.msgpack.decode(command.draft, type=Draft)
            values = [self._held[number] for number in command.values]
            uses = reduce(Uses.both, (value.uses for value in values), draft.uses)
            draft = msgspec.structs.replace(draft, uses=uses)
            return Kept((session.save_parts(values, draft).encode(),))
        if isinstance(command, Delete):
            return Kept((), session.delete_parts(command.name, command.version, command.purpose))
        if isinstance(command, Load):
            found = (
                session.resume_parts(command.name)
                if command.resume
                else session.load_parts(command.name, command.version)
            )
            if found is None:
                return Kept(())
            header, references = found
            self._held.update(enumerate(references, command.first))
            return Kept((header.encode(),))
        refreshing = isinstance(command, Refresh)
        headers = session.refresh_parts() if refreshing else session.list_parts()
        return Kept(tuple(header.encode() for header in headers))

    def measure(self, command: Measure) -> None:
        self._release(command.release)
        cost, own = self._session.total_cost, self._session.name
        sent, checks = cost.bytes_sent.get(own, 0), cost.check_bytes.get(own, 0)
        self._channel.send(encode(Measured(cost.rounds, sent, checks)))

    def _release(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            if self._held.pop(number, None) is None:
                raise InternalError("a secret array was released twice")


def _array(operand: PublicOperand, buffer: Buffer) -> Any:
    return buffer.view(operand.dtype).reshape(operand.shape)
