"""The process of one party: ``python -m tacit.sessions.worker DESCRIPTOR``.

Started by ``processes.py``, never by hand. It opens its port, connects with the other parties
over mutual TLS and runs the job module that its controlling process names: a module with a
function ``run_party(context)``, whose result goes back in MessagePack. When the controlling
process goes away, so does this one, whatever it is computing.
"""

from __future__ import annotations

import importlib
import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from threading import Thread
from typing import Any

import msgspec
from msgspec import Raw

from tacit.network import Address, Credentials, Listener, NetworkSettings
from tacit.protocols import protocol_named
from tacit.sessions.channel import Channel, ChannelClosed
from tacit.sessions.context import PartyContext
from tacit.sessions.failures import described, told
from tacit.sessions.joining import joined
from tacit.sessions.memory import keep_freed_memory
from tacit.sessions.messages import (
    Failed,
    Finished,
    Incident,
    InputsComplete,
    Listening,
    Peers,
    Progress,
    Ready,
    Start,
    encode,
)

__all__ = ["main"]


def main() -> int:
    """Run one party to its end."""
    keep_freed_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the controlling process ends this one
    channel = Channel(socket.socket(fileno=int(sys.argv[1])))
    Thread(target=_end_with_it, args=(channel,), name="end", daemon=True).start()
    try:
        try:
            result = _run(channel)
        except ChannelClosed:
            raise
        except BaseException as error:
            channel.send(encode(Failed(described(error).as_dict())))
            while True:  # what the controlling process still sends is read and dropped
                channel.receive()
        channel.send(encode(Finished(Raw(msgspec.msgpack.encode(result)))))
    except ChannelClosed:
        return 1
    return 0


def _end_with_it(channel: Channel) -> None:
    """End this process when the controlling one is gone: a long program reads no commands."""
    closing = select.poll()
    closing.register(channel, 0)  # nothing but that the other end has closed
    closing.poll()
    os._exit(1)


def _run(channel: Channel) -> Any:
    header, _ = channel.receive()
    start = msgspec.msgpack.decode(header, type=Start)
    with Listener(Address("127.0.0.1", 0)) as listener:
        here = listener.address
        channel.send(encode(Listening(here.host, here.port)))
        job = importlib.import_module(start.module)
        header, _ = channel.receive()
        peers = msgspec.msgpack.decode(header, type=Peers)
        with joined(
            protocol_named(start.protocol),
            start.participants,
            credentials(start),
            {name: Address(*address) for name, address in peers.addresses.items()},
            listener,
            job=start.job,
            parameters=start.parameters,
            settings=NetworkSettings(**start.settings),
            threads=start.threads,
            hold_inputs=start.hold_inputs,
        ) as session:
            configuration = bytes(start.configuration)
            context = PartyContext(start.name, configuration, session, _to(channel), channel)
            session.on_incident(lambda incident: context.incident(told(incident)))
            session.on_inputs_complete(lambda: channel.send(encode(InputsComplete())))
            channel.send(encode(Ready()))
            return job.run_party(context)


def _to(channel: Channel) -> Callable[[Progress | Incident], None]:
    return lambda message: channel.send(encode(message))


def credentials(start: Start) -> Credentials:
    """What proves who this party is."""
    return Credentials(
        start.name,
        start.authority,
        start.certificate,
        start.key,
        start.evidence_certificate,
        start.evidence_key,
    )


if __name__ == "__main__":
    sys.exit(main())
