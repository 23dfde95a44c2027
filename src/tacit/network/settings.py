"""Time limits of the network, passed in as one frozen object."""

from __future__ import annotations

from dataclasses import dataclass

from tacit.errors import UsageError

__all__ = ["NetworkSettings"]


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """How long to wait for what. All in seconds.

    Attributes
    ----------
    heartbeat_timeout : float
        A party that is awaited and from which no byte came for this long is lost. Each party
        sends a heartbeat on every link that was idle for a quarter of it, from a thread of the
        native extension, so that long computations do not look like a loss. All parties use the
        same value (the handshake compares it).
    start_deadline : float
        How long a party waits for all others to be there, from the call of ``connect`` on.
    handshake_timeout : float
        How long one accepted connection may take for its TLS handshake.
    close_timeout : float
        How long ``close`` waits for a party that takes nothing more of what is still queued. It
        goes on for as long as one does, at half a megabit a second on average at least: a queue
        of 32 MiB takes 8.5 minutes at most. Ctrl-C ends the wait, and what the others have not
        got by then is lost.
    patience : float
        How long one round of a guarded session waits for a party that is alive but does not
        send what is due: the bound of the synchronous model. Other sessions wait on.
    """

    heartbeat_timeout: float = 5.0
    start_deadline: float = 30.0
    handshake_timeout: float = 10.0
    close_timeout: float = 1.0
    patience: float = 60.0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if not 0.05 <= value <= 86_400:
                raise UsageError(
                    f"{name} is {value} seconds.",
                    next_step=f"give {name} between 0.05 and 86,400 seconds.",
                )
