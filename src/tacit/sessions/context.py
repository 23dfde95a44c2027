"""What a job that runs inside a party's process is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tacit.sessions.channel import Channel
from tacit.sessions.messages import Incident, Progress
from tacit.sessions.party import PartySession
from tacit.sessions.surroundings import MeshLike

__all__ = ["PartyContext"]


@dataclass(frozen=True, slots=True, repr=False)
class PartyContext:
    """What a job module gets.

    Attributes
    ----------
    name : str
        This party.
    configuration : bytes
        The job's settings for this party, in MessagePack: decode them with the job's own type.
    session : PartySession
        The session as this party sees it.
    tell : callable
        Takes progress and incidents to whoever looks at this party: its controlling process, or
        the terminal in front of it.
    channel : Channel, optional
        The way to the controlling process, where there is one.
    """

    name: str
    configuration: bytes
    session: PartySession
    tell: Callable[[Progress | Incident], None]
    channel: Channel | None = None

    @property
    def mesh(self) -> MeshLike:
        """The links of the stage that the session is in: a fault there is not overcome."""
        return self.session.mesh

    def progress(
        self, phase: str, done: float, total: float = 0, unit: str = "", note: str = ""
    ) -> None:
        """Say how far this party is. Never a value of anybody's data.

        A `note` may hold a number that was revealed to this party by agreement.
        """
        self.tell(Progress(phase, done, total, unit, note))

    def incident(self, incident: Incident) -> None:
        """Tell of a fault that this party's session has overcome."""
        self.tell(incident)
