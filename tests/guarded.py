"""Programs of guarded sessions over the network in this process, and what a fault makes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hub import Ground, Hub, Sent
from simulation import FOUR

import tacit
from tacit.protocols import PROTOCOLS
from tacit.sessions import PartySession

Program = Callable[[tacit.Computation, str], Any]


@dataclass
class Seen:
    """What a party's program got, and what its session tells afterwards."""

    value: Any
    incidents: list[Any] = field(default_factory=list)
    security: Any = None
    stage: Any = None
    cost: Any = None


def guarded(program: Program, **options: Any) -> Callable[[Ground], Seen]:
    """A program for the hub: runs `program` in a guarded session."""

    def run(ground: Ground) -> Seen:
        session = PartySession.guarded(
            PROTOCOLS["fantastic4"],
            ground,  # type: ignore[arg-type]
            job=b"job",
            threads=1,
            **options,
        )
        with session:
            value = program(tacit.Computation(session), ground.name)
            return Seen(
                value, session.incidents, session.security, session.stage, session.total_cost
            )

    return run


def run(
    program: Program,
    adversary: Callable[[Sent], Sequence[bytes]] | None = None,
    *,
    corrupt: str | None = None,
    seed: int = 0,
    programs: Mapping[str, Callable[[Ground], Any]] | None = None,
    **options: Any,
) -> Hub:
    """Run the same program at all four parties."""
    hub = Hub(FOUR, adversary or (lambda message: (message.payload,)), corrupt, seed)
    hub.run({name: guarded(program, **options) for name in FOUR} | dict(programs or {}))
    return hub


def shared(mpc: tacit.Computation, name: str, owner: str, values: Any, **kind: Any) -> Any:
    """An input of one party, as a secret array."""
    array = np.asarray(values)
    own = array if name == owner else None
    return mpc.share(own, owner, dtype=kind.get("dtype", tacit.int64), shape=array.shape)
