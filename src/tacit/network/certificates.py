"""A consortium's certificate authority and the parties' certificates."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Authority", "Credentials", "party_name"]


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """What one party needs to prove who it is, and to check the others.

    Attributes
    ----------
    name : str
        The party's name.
    authority : bytes
        The consortium's root certificate, PEM. The only one that is trusted.
    certificate : bytes
        The party's certificate, PEM.
    key : bytes
        The party's private key, PEM (PKCS #8). Never printed.
    """

    name: str
    authority: bytes
    certificate: bytes
    key: bytes

    def save(self, directory: Path) -> None:
        """Write ``authority.pem``, ``party.pem`` and ``party.key`` (0600) into a 0700 directory."""
        raise NotImplementedError

    @classmethod
    def load(cls, directory: Path) -> Credentials:
        """Read what :meth:`save` wrote; the name comes from the certificate."""
        raise NotImplementedError


class Authority:
    """A throw-away certificate authority: its key exists only in this object's memory.

    Parameters
    ----------
    lifetime : timedelta
        How long the certificates are valid, from five minutes ago on.
    """

    def __init__(self, lifetime: datetime.timedelta = datetime.timedelta(days=1)) -> None:
        raise NotImplementedError

    def issue(self, name: str) -> Credentials:
        """Make a key and a certificate for the party `name`."""
        raise NotImplementedError


def party_name(certificate: bytes) -> str:
    """The party's name in a DER certificate.

    Raises
    ------
    CertificateError
        The certificate names no party, or more than one.
    """
    raise NotImplementedError
