"""From a party's credentials and the others' addresses to its session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from tacit.encoding import RING64, ring_of
from tacit.network import (
    Address,
    Agreement,
    Credentials,
    Ground,
    Listener,
    NetworkSettings,
    OnWait,
    connect,
)
from tacit.protocols import Protocol
from tacit.protocols.interface import checked_rounding
from tacit.sessions.party import PartySession

__all__ = ["RING", "ROUNDING", "joined"]

ROUNDING: Final = "rounding"
"""The handshake's parameter that says how truncations round; probabilistic if it is not there."""

RING: Final = "ring"
"""The handshake's parameter for the bits of the ring; 64 if it is not there."""


@contextmanager
def joined(
    protocol: Protocol,
    participants: tuple[str, ...],
    credentials: Credentials,
    addresses: Mapping[str, Address],
    listener: Listener | None,
    *,
    job: bytes,
    parameters: Mapping[str, str],
    settings: NetworkSettings,
    threads: int | None = None,
    on_wait: OnWait | None = None,
    hold_inputs: bool = False,
) -> Iterator[PartySession]:
    """A party's session with all others, guarded where the protocol guarantees output.

    A context manager: leaving it normally says goodbye, leaving it by an exception tells the others
    that this party stops. The port is closed in the end; where the session is not guarded, as soon
    as all links stand.

    Parameters
    ----------
    protocol : Protocol
    participants : tuple of str
        The parties' names, by index.
    credentials : Credentials
        Who this party is.
    addresses : mapping of str to Address
        Where each party listens.
    listener : Listener, optional
        This party's open port; needed unless it is the last one and the session is not guarded.
    job : bytes
        Digest of what all run, and `parameters` what else they must agree on.
    settings : NetworkSettings
    threads : int, optional
        For matrix products.
    on_wait : callable, optional
        Told now and then whom this party waits for.
    hold_inputs : bool
        The job needs all inputs: until then a loss ends it, from the set-up on.

    Raises
    ------
    TransportError
        Not all came, or they do not agree; the error says who and on what.
    """
    ring = ring_of(int(parameters.get(RING, RING64.bits)))
    rounding = checked_rounding(parameters.get(ROUNDING, "probabilistic"))
    name = credentials.name
    if protocol.security.outcome == "guaranteed output" and ring == RING64:
        ground = Ground(
            name,
            participants,
            credentials,
            addresses,
            listener,
            settings=settings,
            on_wait=on_wait,
        )
        with (
            ground,
            PartySession.guarded(
                protocol,
                ground,
                job=job,
                parameters=parameters,
                rounding=rounding,
                ring=ring,
                threads=threads,
                patience=settings.patience,
                hold_inputs=hold_inputs,
            ) as session,
        ):
            yield session
        return
    mesh = connect(
        name,
        Agreement(participants, protocol.name, job, parameters),
        credentials,
        addresses,
        listener,
        settings=settings,
        on_wait=on_wait,
    )
    with (
        mesh,
        PartySession.over(protocol, mesh, rounding=rounding, ring=ring, threads=threads) as session,
    ):
        yield session
