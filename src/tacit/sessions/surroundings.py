"""What a guarded session needs of the network, so that tests can put another one in its place.

``network.Ground``, ``network.Mesh`` and ``network.LinkDriver`` are these over TLS. A session uses
nothing else of them, so every fault of a network can be rehearsed in one process, in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Protocol, TypeAlias, TypeVar

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tacit.rounds.contract import Step
from tacit.rounds.cost import Cost, Counter

__all__ = ["DriverLike", "GroundLike", "MeshLike", "Talk"]

T = TypeVar("T")
M = TypeVar("M", bound=msgspec.Struct)

Talk: TypeAlias = Generator[dict[str, bytes], dict[str, bytes], T]
"""A conversation: yields what goes to each peer, is sent what came from each; none, no entry."""


class DriverLike(Protocol):
    """Drives one party's copy of every step of one mesh."""

    names: tuple[str, ...]
    index: int
    counter: Counter
    round_number: int
    testify: Callable[[BaseException], bytes] | None

    def run(
        self,
        step: Step[T],
        *,
        stage: str = "",
        deadline: float | None = None,
        patience: float | None = None,
    ) -> T:
        """Run a step to its end; `patience` is how long one round waits for a party alive."""
        ...

    def cost(self) -> Cost:
        """What this party sent so far."""
        ...

    def standing(self) -> tuple[int, tuple[str, ...], bool] | None:
        """The own round and whom this party awaited a while before it stopped, and if it stayed."""
        ...

    def settled(self) -> Mapping[str, tuple[int, tuple[str, ...]]]:
        """Where every peer has stood for long: round and whom it awaits, as it told."""
        ...

    def abort(self, error: BaseException) -> None:
        """Tell all others of the mesh why this party stops, then close. Never raises."""
        ...

    def close(self) -> None:
        """Say goodbye and close."""
        ...


class MeshLike(Protocol):
    """One party's links to the others of one stage, after their handshake."""

    names: tuple[str, ...]
    index: int
    name: str
    session_id: bytes

    @property
    def driver(self) -> DriverLike:
        """Runs steps over the links."""
        ...

    def pairwise_key(self, peer: int, purpose: str) -> bytes:
        """A 16-byte key that this party and `peer` have and nobody else."""
        ...

    def gather(
        self,
        message: msgspec.Struct,
        kind: type[M],
        *,
        stage: str,
        deadline: float | None = None,
        patience: float | None = None,
    ) -> dict[str, M]:
        """Send one small message to every other party and receive theirs; with one's own."""
        ...

    def abort(self, error: BaseException) -> None:
        """Tell all others why this party stops, then close. Never raises."""
        ...

    def close(self) -> None:
        """Say goodbye and close."""
        ...


class GroundLike(Protocol):
    """One party's place on the network for a whole guarded session."""

    name: str
    names: tuple[str, ...]
    authority: bytes

    @property
    def evidence_keys(self) -> Mapping[str, Ed25519PublicKey]:
        """Everybody's key for evidence, once the first mesh stands."""
        ...

    @property
    def evidence_certificates(self) -> Mapping[str, bytes]:
        """The certificates of these keys, DER."""
        ...

    @property
    def signing_key(self) -> Ed25519PrivateKey:
        """What this party signs evidence with."""
        ...

    def connect(
        self,
        members: tuple[str, ...],
        protocol: str,
        job: bytes,
        parameters: Mapping[str, str],
        seconds: float | None = None,
    ) -> MeshLike:
        """Fresh links among members, which all call this alike; within `seconds` if given."""
        ...

    def confer(self, members: tuple[str, ...], conference: Talk[T], seconds: float) -> T:
        """Hold a conversation; a dead or silent peer costs `seconds`, never an exception."""
        ...

    def close(self) -> None:
        """Leave the network."""
        ...
