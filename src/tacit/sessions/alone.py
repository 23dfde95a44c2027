"""One party of a job, in this process: the others run on their own machines.

The same jobs as under a controlling process (``worker.py``): a module with ``run_party(context)``.
Who the others are and where comes from the party's kit; what it says of its progress goes to
whoever called, and its result is returned here and nowhere else.
"""

from __future__ import annotations

import importlib
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from tacit.consortium import Kit
from tacit.encoding.digest import tagged_hash
from tacit.errors import AddressError, TacitError, UsageError
from tacit.network import Address, Listener, NetworkSettings, OnWait
from tacit.network.addresses import resolve
from tacit.protocols import protocol_named
from tacit.sessions.context import PartyContext
from tacit.sessions.failures import described, told
from tacit.sessions.joining import joined
from tacit.sessions.memory import keep_freed_memory
from tacit.sessions.messages import Incident, Progress
from tacit.sessions.party import PartySession
from tacit.sessions.session import checked_parties

__all__ = ["job_digest_of", "party_session", "run_alone"]

_NOT_LOCAL = 4
"""The case of AddressError where the host is none of this machine's."""


def run_alone(
    kit: Kit,
    module: str,
    configuration: Any,
    *,
    protocol: str | None = None,
    parties: Sequence[str] | None = None,
    parameters: Mapping[str, str] | None = None,
    settings: NetworkSettings | None = None,
    threads: int | None = None,
    listen: Address | None = None,
    on_progress: Callable[[str, Progress], None] | None = None,
    on_incident: Callable[[str, Incident], None] | None = None,
    on_wait: OnWait | None = None,
    hold_inputs: bool = False,
    on_inputs_complete: Callable[[], None] | None = None,
) -> Any:
    """Run this party's part of a job to its end.

    Parameters
    ----------
    kit : Kit
        Who this party is, and where the others are.
    module : str
        The importable module of the job. Its ``run_party(context)`` runs here.
    configuration : Struct or plain data
        The job's settings for this party.
    protocol : str, optional
        The consortium's by default; compared in the handshake.
    parties : sequence of str, optional
        Who takes part, by index; all of the consortium by default, in its order.
    parameters : mapping of str to str
        What else the parties compare before they start; text by text, so that an error names what
        differs and what each has.
    settings : NetworkSettings, optional
        Time limits; ``start_deadline`` is how long to wait for the others to start.
    threads : int, optional
        For matrix products; all cores by default.
    listen : Address, optional
        Where to listen, if not at this party's address in the consortium's file.
    on_progress, on_incident : callable, optional
        Called with this party's name and the message.
    on_wait : callable, optional
        Told now and then whom this party waits for.
    hold_inputs : bool
        The job needs all inputs, as trainings and evaluations do: until then a loss ends it, from
        the set-up on.
    on_inputs_complete : callable, optional
        Called when this party knows that all have all inputs.

    Returns
    -------
    object
        What ``run_party`` returned.

    Raises
    ------
    TacitError
        What went wrong, here or at another party. Errors of other libraries lose their text, which
        could hold a value.
    """
    keep_freed_memory()
    job = importlib.import_module(module)
    with party_session(
        kit,
        job_digest_of(module),
        protocol=protocol,
        parties=parties,
        parameters=parameters,
        settings=settings,
        threads=threads,
        listen=listen,
        on_wait=on_wait,
        hold_inputs=hold_inputs,
    ) as session:

        def tell(message: Progress | Incident) -> None:
            listener = on_progress if isinstance(message, Progress) else on_incident
            if listener is not None:
                listener(kit.name, message)  # type: ignore[arg-type]

        encoded = msgspec.msgpack.encode(configuration)
        context = PartyContext(kit.name, encoded, session, tell)
        session.on_incident(lambda incident: context.incident(told(incident)))
        if on_inputs_complete is not None:
            session.on_inputs_complete(on_inputs_complete)
        try:
            return job.run_party(context)
        except TacitError:
            raise
        except Exception as error:
            raise described(error) from error


@contextmanager
def party_session(
    kit: Kit,
    job: bytes,
    *,
    protocol: str | None = None,
    parties: Sequence[str] | None = None,
    parameters: Mapping[str, str] | None = None,
    settings: NetworkSettings | None = None,
    threads: int | None = None,
    listen: Address | None = None,
    on_wait: OnWait | None = None,
    hold_inputs: bool = False,
) -> Iterator[PartySession]:
    """This party's session with the others of its consortium, as a context manager.

    Parameters and errors as of :func:`run_alone`; `job` is the digest of what all run.
    """
    if kit.role != "party":
        raise UsageError(
            f"The kit in {kit.folder} is that of the client {kit.name}, not a party's.",
            next_step="name the folder with a party's kit; clients ask a service, with"
            " `tacit query`.",
            case=57,
        )
    chosen = protocol_named(protocol or kit.consortium.protocol)
    names = checked_parties(chosen, tuple(parties or kit.consortium.names))
    for name in names:
        kit.consortium.member(name)
    if kit.name not in names:
        raise UsageError(
            f"{kit.name} is none of the parties {', '.join(names)} of this job.",
            next_step="name this party among them, or use the kit of one of them.",
            case=58,
        )
    guarded = chosen.security.outcome == "guaranteed output"
    listener = None
    if guarded or kit.name != names[-1]:
        listener = own_port(kit, listen)
    try:
        with joined(
            chosen,
            names,
            kit.credentials,
            kit.addresses,
            listener,
            job=job,
            parameters={**kit.agreed(), **(parameters or {})},
            settings=settings or NetworkSettings(start_deadline=600.0),
            threads=threads,
            on_wait=on_wait,
            hold_inputs=hold_inputs,
        ) as session:
            yield session
    finally:
        if listener is not None:
            listener.close()


def own_port(kit: Kit, listen: Address | None = None) -> Listener:
    """This party's open port.

    At its address in the consortium's file if this machine has that address, and else, behind a
    router that forwards to it, at this port on all addresses of the machine. Who may speak there is
    decided by TLS.

    Raises
    ------
    AddressError
        The port is taken, or this user may not listen there.
    """
    if listen is not None:
        return Listener(listen)
    address = kit.addresses[kit.name]
    try:
        return Listener(address)
    except AddressError as error:
        if error.case != _NOT_LOCAL:
            raise
    family, _ = resolve(address)[0]
    return Listener(Address("::" if family == socket.AF_INET6 else "0.0.0.0", address.port))


def job_digest_of(module: str) -> bytes:
    """What the handshake compares for a job of this module."""
    return tagged_hash("job", module.encode())
