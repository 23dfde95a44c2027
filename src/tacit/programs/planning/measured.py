"""What links and processors were measured to be, between the parties that will run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from tacit.errors import ProgramError
from tacit.programs.planning.clock import Pace

__all__ = ["Measured", "measured_for", "processors_here"]


def processors_here() -> int:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Measured:
    """The network of a session, as it was measured. Give it to ``program.plan`` as the network.

    Made by ``mpc.calibrate()``. Holds timings alone.

    Attributes
    ----------
    parties : int
    pace : Pace
        Links, processors, and what a message and a byte cost.
    start_seconds : float
        What a run costs before its first round: telling the parties what to run.
    """

    parties: int
    pace: Pace
    start_seconds: float = 0.0

    def require_for(self, parties: int) -> None:
        """Refuse to say anything of more or fewer parties (TC-1568)."""
        if parties != self.parties:
            raise ProgramError(
                f"The network was measured among {self.parties} parties, and the protocol runs"
                f" with {parties}.",
                next_step="calibrate in a session of that protocol.",
                case=68,
            )

    def describe(self) -> str:
        """In a few words."""
        pace = self.pace
        if pace.processors is None:
            link = pace.network
            return (
                f"measured ({link.latency_seconds * 2e3:.3g} ms round trip,"
                f" {link.bits_per_second / 1e9:.3g} Gbit/s)"
            )
        return (
            f"measured ({self.parties} parties on {pace.processors} processors,"
            f" {pace.message_seconds * 1e6:.0f} µs a message, {pace.byte_seconds * 1e9:.2g} ns a"
            " byte)"
        )


def measured_for(protocol: str, networks: Mapping[str, Measured]) -> Measured:
    """What was measured in a session of a protocol (TC-1568 if nothing was)."""
    if protocol not in networks:
        raise ProgramError(
            f"No network was measured in a session of {protocol}.",
            next_step=f"calibrate in one; there are: {', '.join(networks) or 'none'}.",
            case=68,
        )
    return networks[protocol]
