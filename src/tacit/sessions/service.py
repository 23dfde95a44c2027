"""The job of a party that serves a controlling process: it executes what arrives, in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tacit.encoding.types import DType
from tacit.errors import InternalError
from tacit.programs.table import OPERATIONS
from tacit.sessions.channel import Buffer, byte_view
from tacit.sessions.context import PartyContext
from tacit.sessions.messages import (
    Apply,
    Command,
    Finish,
    Input,
    Measure,
    Measured,
    PublicOperand,
    Reveal,
    Revealed,
    encode,
)
from tacit.sessions.session import Reference

__all__ = ["run_party"]

_DECODE = msgspec.msgpack.Decoder(Command).decode
_ATTRIBUTES = {
    name: msgspec.msgpack.Decoder(operation.attributes).decode
    for name, operation in OPERATIONS.items()
}


def run_party(context: PartyContext) -> None:
    """Execute commands until the controlling process ends the session or is gone."""
    service = _Service(context)
    while True:
        header, buffers = context.channel.receive()
        command = _DECODE(header)
        if isinstance(command, Apply):
            service.apply(command, buffers)
        elif isinstance(command, Input):
            service.input(command, buffers)
        elif isinstance(command, Reveal):
            service.reveal(command)
        elif isinstance(command, Measure):
            service.measure(command)
        else:
            assert isinstance(command, Finish)
            return


class _Service:
    def __init__(self, context: PartyContext) -> None:
        self._session = context.session
        self._channel = context.channel
        self._held: dict[int, Reference] = {}

    def input(self, command: Input, buffers: Sequence[Buffer]) -> None:
        self._release(command.release)
        dtype = DType(command.kind, command.fraction_bits, command.bits, command.signed)
        elements: NDArray[Any] | None = None
        if buffers:
            element_type: Any = np.uint8 if dtype.kind == "bool" else self._session.ring.dtype
            elements = buffers[0].view(element_type).reshape(command.shape)
        self._held[command.result] = self._session.input_elements(
            command.owner, elements, dtype, command.shape
        )

    def apply(self, command: Apply, buffers: Sequence[Buffer]) -> None:
        operation = OPERATIONS[command.operation]
        attributes = _ATTRIBUTES[command.operation](command.attributes)
        public = iter(buffers)
        operands = [
            _array(operand, next(public))
            if isinstance(operand, PublicOperand)
            else self._held[operand]
            for operand in command.operands
        ]
        results = self._session.execute(operation, operands, attributes, ())
        del operands
        self._release(command.release)
        self._held.update(zip(command.results, results, strict=True))

    def reveal(self, command: Reveal) -> None:
        self._release(command.release)
        revealed = self._session.open(self._held[command.value], command.to, command.answer)
        if self._session.party.index in command.answer:
            array = revealed[self._session.name]
            reply = Revealed(array.dtype.str, array.shape)  # type: ignore[arg-type]
            self._channel.send(encode(reply), [byte_view(array)])

    def measure(self, command: Measure) -> None:
        self._release(command.release)
        counter = self._session.driver.counter
        reply = Measured(counter.rounds, counter.bytes_sent, counter.check_bytes)
        self._channel.send(encode(reply))

    def _release(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            if self._held.pop(number, None) is None:
                raise InternalError("a secret array was released twice")


def _array(operand: PublicOperand, buffer: Buffer) -> Any:
    return buffer.view(operand.dtype).reshape(operand.shape)
