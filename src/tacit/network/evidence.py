"""Keys that sign evidence, and the certificates that say whose they are (X.509, Ed25519).

A party has two certificates of its consortium's authority: one for its links (ECDSA P-256, for
client and server authentication) and one for the statements it signs. The second names a purpose of
its own as its only extended key usage, critical, so that no TLS library takes it; and what lacks
that purpose signs no evidence: one purpose per key. Signatures are Ed25519 (RFC 8032).
"""

from __future__ import annotations

import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from tacit.errors import CertificateError
from tacit.network.certificates import EVIDENCE_PURPOSE, Credentials, party_name

__all__ = ["evidence_key", "evidence_signer"]

_NEXT: Final = "have the consortium's authority issue new credentials for that party."


def evidence_key(
    certificate: bytes,
    authority: bytes,
    party: str,
    at: datetime.datetime | None = None,
) -> Ed25519PublicKey:
    """The key that checks what a party signed, if the authority vouches for it.

    Parameters
    ----------
    certificate : bytes
        The party's certificate for evidence, DER. From anybody.
    authority : bytes
        The consortium's root certificate, PEM. Trusted.
    party : str
        Whose certificate it must be.
    at : datetime, optional
        When the certificate must be valid; now by default.

    Returns
    -------
    Ed25519PublicKey

    Raises
    ------
    CertificateError
        It is malformed, of another authority, for another name or purpose, or not valid then.
    """
    when = at or datetime.datetime.now(datetime.UTC)
    try:
        root = x509.load_pem_x509_certificate(authority)
        found = x509.load_der_x509_certificate(certificate)
        found.verify_directly_issued_by(root)
        key = found.public_key()
        purposes = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        fits = (
            isinstance(key, Ed25519PublicKey)
            and list(purposes) == [EVIDENCE_PURPOSE]
            and party_name(certificate) == party
            and found.not_valid_before_utc <= when <= found.not_valid_after_utc
        )
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, CertificateError):
        fits = False
    except x509.ExtensionNotFound:
        fits = False
    if not fits:
        raise CertificateError(
            f"the certificate for evidence of {party} is malformed, of another authority, for"
            " another party or purpose, or not valid at that time.",
            next_step=_NEXT,
            case=13,
            parties=[party],
        )
    assert isinstance(key, Ed25519PublicKey)
    return key


def evidence_signer(credentials: Credentials) -> tuple[Ed25519PrivateKey, bytes]:
    """A party's own key for evidence and its certificate (DER), checked to belong together.

    Raises
    ------
    CertificateError
        The credentials have none, or they do not fit each other.
    """
    name = credentials.name
    try:
        parsed = x509.load_pem_x509_certificate(credentials.evidence_certificate)
        certificate = parsed.public_bytes(Encoding.DER)
        key = load_pem_private_key(credentials.evidence_key, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise CertificateError(
            f"the credentials of {name} have no key for evidence, or not a readable one.",
            next_step=_NEXT,
            case=14,
            parties=[name],
        ) from None
    public = evidence_key(certificate, credentials.authority, name)
    if not isinstance(key, Ed25519PrivateKey) or key.public_key() != public:
        raise CertificateError(
            f"the certificate and the key for evidence of {name} do not belong together.",
            next_step="use the files that the authority issued together.",
            case=4,
            parties=[name],
        )
    return key, certificate
