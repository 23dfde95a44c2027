"""Keys that exactly two parties have, from the TLS session between them.

The TLS 1.3 exporter (RFC 8446 section 7.5; E. Rescorla, *Keying Material Exporters for TLS*,
RFC 5705) turns the session's master secret into independent keys: an authenticated key agreement,
because both ends of the link proved who they are, with forward secrecy, because the master secret
comes from fresh Diffie-Hellman values. The context binds each key to the session id and its
purpose, so that no key outlives or leaves its session.
"""

from __future__ import annotations

from typing import Final, Protocol

from tacit.encoding.digest import tagged_hash

__all__ = ["KEY_BYTES", "Exporter", "pairwise_key"]

KEY_BYTES: Final = 16
"""AES-128, the streams of the protocols."""

_LABEL: Final = b"EXPORTER-tacit-stream-key"


class Exporter(Protocol):
    """What has TLS sessions: the native links."""

    def export(self, peer: int, label: bytes, context: bytes, length: int) -> bytes:
        """Keying material of the link to one peer."""
        ...


def pairwise_key(links: Exporter, peer: int, session_id: bytes, purpose: str) -> bytes:
    """The 16-byte key that this party and `peer` have for one purpose in one session.

    Parameters
    ----------
    links : Exporter
        The TLS sessions.
    peer : int
        The other party's index.
    session_id : bytes
        What the handshake agreed on.
    purpose : str
        A constant in the code, such as ``"replicated3 stream"``.

    Returns
    -------
    bytes
        Equal at both ends, unknown to everybody else.
    """
    context = tagged_hash("pairwise key", session_id, purpose.encode())
    return links.export(peer, _LABEL, context, KEY_BYTES)
