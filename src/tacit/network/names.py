"""Names of parties and clients, and how a certificate says them.

A party's name is the DNS name in its certificate's subject alternative names. A client's stands
under a label of its own there, so that no client's certificate can ever be read as a party's, nor a
party's as a client's, whatever the authority was asked to write.
"""

from __future__ import annotations

import re
from typing import Final

from cryptography import x509

from tacit.errors import CertificateError, UsageError

__all__ = ["check_name", "client_dns_name", "client_name", "dns_name", "party_name"]

NAME_BYTES: Final = 64
"""The longest party name, in bytes of UTF-8."""

_PLAIN = re.compile(r"(?!tacit-x-)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_ENCODED: Final = "tacit-x-"
_CLIENT: Final = "tacit-client."
_NEXT: Final = "have the consortium's authority issue a new certificate."


def check_name(name: str) -> None:
    """Refuse what cannot be a party's name.

    Raises
    ------
    UsageError
        The name is empty, longer than 64 bytes, or has control characters.
    """
    if not (0 < len(name.encode()) <= NAME_BYTES and name.isprintable()):
        raise UsageError(
            "a party's name is empty, longer than 64 bytes, or has characters that do not print.",
            next_step="use names such as bank_a.",
            case=11,
        )


def dns_name(party: str) -> str:
    """The DNS name that stands for a party in its certificate.

    Names of lower-case letters, digits, ``_`` and ``-`` stand for themselves; all others are
    written in hexadecimal, so that different parties never share one.
    """
    check_name(party)
    if _PLAIN.fullmatch(party):
        return party
    digits = party.encode().hex()
    return ".".join(_ENCODED + digits[at : at + 48] for at in range(0, len(digits), 48))


def client_dns_name(client: str) -> str:
    """The DNS name that stands for a client: a party's never has this form."""
    return _CLIENT + dns_name(client)


def party_name(certificate: bytes) -> str:
    """The party's name in a DER certificate.

    Raises
    ------
    CertificateError
        The certificate names no party, or more than one.
    """
    try:
        return _name(_only_dns_name(certificate))
    except (ValueError, x509.ExtensionNotFound):
        raise CertificateError(
            "a certificate does not name exactly one party.", next_step=_NEXT, case=1
        ) from None


def client_name(certificate: bytes) -> str:
    """The client's name in a DER certificate.

    Raises
    ------
    CertificateError
        The certificate is not a client's.
    """
    try:
        dns = _only_dns_name(certificate)
        if not dns.startswith(_CLIENT):
            raise ValueError
        return _name(dns.removeprefix(_CLIENT))
    except (ValueError, x509.ExtensionNotFound):
        raise CertificateError(
            "a certificate is not a client's.",
            next_step="ask the consortium's authority for a client's certificate: `tacit"
            " consortium request NAME --client`.",
            case=17,
        ) from None


def _only_dns_name(certificate: bytes) -> str:
    parsed = x509.load_der_x509_certificate(certificate)
    extension = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    found = list(extension.value)
    dns = extension.value.get_values_for_type(x509.DNSName)
    if len(found) != 1 or len(dns) != 1:
        raise ValueError
    return dns[0]


def _name(dns: str) -> str:
    if _PLAIN.fullmatch(dns):
        return dns
    labels = dns.split(".")
    if not all(label.startswith(_ENCODED) for label in labels):
        raise ValueError
    party = bytes.fromhex("".join(label.removeprefix(_ENCODED) for label in labels)).decode()
    if dns_name(party) != dns:
        raise ValueError
    return party
