"""A party's place on the network for a whole guarded session: meshes and conferences in turn."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, TypeAlias, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tacit.network.addresses import Address, Listener
from tacit.network.certificates import Credentials
from tacit.network.mesh import Mesh
from tacit.network.settings import NetworkSettings

__all__ = ["Conference", "Ground"]

T = TypeVar("T")

Conference: TypeAlias = Generator[dict[str, bytes], dict[str, bytes], T]
"""Yields what goes to each peer, is sent what came from each: who said nothing is not there."""


class Ground:
    """A party's place on the network, from its first session to the end of its process.

    Attributes
    ----------
    name : str
        This party.
    names : tuple of str
        All parties of the first stage, by index.
    signing_key : Ed25519PrivateKey
        What this party signs evidence with.
    evidence_certificates : dict of str to bytes
        Everybody's certificate for evidence (DER), once the first mesh stands.
    evidence_keys : dict of str to Ed25519PublicKey
        The keys in them, checked against the authority.
    """

    def __init__(
        self,
        name: str,
        names: tuple[str, ...],
        credentials: Credentials,
        addresses: Mapping[str, Address],
        listener: Listener | None = None,
        *,
        settings: NetworkSettings | None = None,
    ) -> None:
        self.name = name
        self.names = names
        self.settings = settings or NetworkSettings()
        self.signing_key: Ed25519PrivateKey
        self.evidence_certificates: dict[str, bytes] = {}
        self.evidence_keys: dict[str, Ed25519PublicKey] = {}
        raise NotImplementedError

    def connect(
        self,
        members: tuple[str, ...],
        protocol: str,
        job: bytes,
        parameters: Mapping[str, str],
    ) -> Mesh:
        """Fresh links among members; all arguments alike at all, and never twice the same."""
        raise NotImplementedError

    def confer(self, members: tuple[str, ...], conference: Conference[T], seconds: float) -> T:
        """Drive a conference; a dead, silent or corrupt peer costs time, never an exception."""
        raise NotImplementedError

    def close(self) -> None:
        """Leave the network. May be called more than once."""
        raise NotImplementedError

    def __reduce__(self) -> Any:
        raise TypeError("links cannot be pickled")
