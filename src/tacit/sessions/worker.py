"""The process of one party: ``python -m tacit.sessions.worker DESCRIPTOR``.

Started by ``processes.py``, never by hand. It opens its port, connects with the other parties
over mutual TLS and runs the job module that its controlling process names: a module with a
function ``run_party(context)``, whose result goes back in MessagePack. When the controlling
process goes away, so does this one.
"""

from __future__ import annotations

import importlib
import signal
import socket
import sys
import traceback
from types import ModuleType
from typing import Any

import msgspec
from msgspec import Raw

from tacit.encoding import RING64, ring_of
from tacit.errors import InternalError, MessageError, TacitError
from tacit.network import (
    Address,
    Agreement,
    Credentials,
    Ground,
    Listener,
    NetworkSettings,
    connect,
)
from tacit.protocols import protocol_named
from tacit.sessions.channel import Channel, ChannelClosed
from tacit.sessions.context import PartyContext
from tacit.sessions.incidents import Incident
from tacit.sessions.memory import keep_freed_memory
from tacit.sessions.messages import Failed, Finished, Listening, Peers, Ready, Start, encode
from tacit.sessions.messages import Incident as Told
from tacit.sessions.party import PartySession
from tacit.sessions.processes import RING, ROUNDING
from tacit.sessions.session import checked_rounding

__all__ = ["described", "main"]


def main() -> int:
    """Run one party to its end."""
    keep_freed_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the controlling process ends this one
    channel = Channel(socket.socket(fileno=int(sys.argv[1])))
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


def _run(channel: Channel) -> Any:
    header, _ = channel.receive()
    start = msgspec.msgpack.decode(header, type=Start)
    protocol = protocol_named(start.protocol)
    ring = ring_of(int(start.parameters.get(RING, RING64.bits)))
    settings = NetworkSettings(**start.settings)
    with Listener(Address("127.0.0.1", 0)) as listener:
        here = listener.address
        channel.send(encode(Listening(here.host, here.port)))
        job = importlib.import_module(start.module)
        header, _ = channel.receive()
        peers = msgspec.msgpack.decode(header, type=Peers)
        addresses = {name: Address(*address) for name, address in peers.addresses.items()}
        rounding = checked_rounding(start.parameters.get(ROUNDING, "probabilistic"))
        if protocol.security.outcome == "guaranteed output" and ring == RING64:
            ground = Ground(
                start.name,
                start.participants,
                credentials(start),
                addresses,
                listener,
                settings=settings,
            )
            with ground:
                session = PartySession.guarded(
                    protocol,
                    ground,
                    job=start.job,
                    parameters=start.parameters,
                    rounding=rounding,
                    ring=ring,
                    threads=start.threads,
                    patience=settings.patience,
                )
                return _job(job, start, session, channel)
        mesh = connect(
            start.name,
            Agreement(start.participants, start.protocol, start.job, start.parameters),
            credentials(start),
            addresses,
            listener,
            settings=settings,
        )
    with mesh:
        session = PartySession.over(
            protocol, mesh, rounding=rounding, ring=ring, threads=start.threads
        )
        return _job(job, start, session, channel)


def _job(job: ModuleType, start: Start, session: PartySession, channel: Channel) -> Any:
    context = PartyContext(start.name, bytes(start.configuration), session, channel)
    session.on_incident(lambda incident: context.incident(_told(incident)))
    with session:
        channel.send(encode(Ready()))
        return job.run_party(context)


def _told(incident: Incident) -> Told:
    return Told(
        stage=incident.stage,
        kind=incident.kind,
        party=incident.party,
        pair=incident.pair,
        dropped=incident.dropped,
        reason=incident.reason,
        protocol=incident.protocol,
        security=incident.security.describe(),
        evidence=None if incident.evidence is None else str(incident.evidence),
        at=incident.at,
    )


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


def described(error: BaseException) -> TacitError:
    """An error as one that may travel: others than tacit's own lose their text.

    The text of a foreign exception can hold a value of the party's data, so only its type and
    the lines of code it passed through go on.
    """
    if isinstance(error, TacitError):
        return error
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    place = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames))
    if isinstance(error, MemoryError):
        return TacitError(
            f"A party ran out of memory ({place}).",
            next_step="use smaller arrays or batches, or a machine with more memory.",
            case=1,
        )
    if isinstance(error, msgspec.DecodeError):
        return MessageError(
            f"A control message has the wrong form ({place}).",
            next_step="report this: the two processes run different versions of tacit.",
            case=11,
            stage="control",
        )
    return InternalError(
        f"{type(error).__name__} in a party's process ({place}).",
        next_step="report this with the lines named here; the values are left out on purpose.",
        case=1,
    )


if __name__ == "__main__":
    sys.exit(main())
