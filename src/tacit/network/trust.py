"""Which of the certificates that the authority vouches for are accepted.

TLS checks that the consortium's root signed a certificate, that it is valid today and for the name
that was dialled. Here comes what TLS does not know: the keys that the parties have compared with
each other (pins), so that not even the authority can put another key in a party's place, and what
was revoked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tacit.errors import CertificateError
from tacit.network.names import client_name, party_name

__all__ = ["ANY", "Trust", "key_fingerprint", "key_fingerprint_of"]

_FETCH = (
    "compare fingerprints with that party out of band (`tacit consortium status --kit DIR` shows"
    " them), and install the consortium's newest file at all parties."
)


def key_fingerprint(certificate: bytes) -> str:
    """SHA-256 of the public key in a DER certificate (its SubjectPublicKeyInfo), hexadecimal.

    It stays when a certificate is renewed for the same key (C. Evans, C. Palmer, R. Sleevi, RFC
    7469, section 2.4, where browsers pinned keys so).

    Raises
    ------
    CertificateError
        It is no certificate.
    """
    try:
        return key_fingerprint_of(x509.load_der_x509_certificate(certificate).public_key())
    except ValueError:
        raise CertificateError(
            "what should be a certificate is none.",
            next_step="have the consortium's authority issue a new certificate.",
            case=3,
        ) from None


def key_fingerprint_of(key: PublicKeyTypes) -> str:
    """The same of a key."""
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest()


@dataclass(frozen=True, slots=True)
class Trust:
    """What is accepted beyond the authority's word. By default: whatever it vouches for.

    Attributes
    ----------
    keys : mapping of str to str
        For each party the fingerprint of the key of its links. If there are any, no other key is
        accepted, and no party without one.
    evidence : mapping of str to str
        The same for the keys that sign evidence.
    revoked : frozenset of str
        Fingerprints of keys that are no longer accepted for anything.
    """

    keys: Mapping[str, str] = field(default_factory=dict)
    evidence: Mapping[str, str] = field(default_factory=dict)
    revoked: frozenset[str] = frozenset()

    def party(self, certificate: bytes) -> str:
        """The party that a DER certificate, checked by TLS, is accepted for.

        Raises
        ------
        CertificateError
            It names no party (TC-3201), is revoked (TC-3215) or is not for the key that this
            party is known by (TC-3216).
        """
        name = party_name(certificate)
        self._check(name, key_fingerprint(certificate), self.keys)
        return name

    def client(self, certificate: bytes) -> str:
        """The client that a DER certificate, checked by TLS, is accepted for.

        Raises
        ------
        CertificateError
            It is not a client's (TC-3217), or is revoked (TC-3215).
        """
        name = client_name(certificate)
        self._check(name, key_fingerprint(certificate), {})
        return name

    def check_evidence(self, party: str, certificate: bytes) -> None:
        """Refuse a certificate for evidence, else found right, whose key is not the party's.

        Raises
        ------
        CertificateError
            It is revoked (TC-3215), or another key than the party is known by (TC-3216).
        """
        self._check(party, key_fingerprint(certificate), self.evidence)

    def _check(self, name: str, fingerprint: str, pins: Mapping[str, str]) -> None:
        if fingerprint in self.revoked:
            raise CertificateError(
                f"the certificate of {name} was revoked by the consortium's authority.",
                next_step="that party makes new keys (`tacit consortium request`) and has them"
                " approved; nobody should accept the old ones again.",
                case=15,
                parties=[name],
            )
        if pins and pins.get(name) != fingerprint:
            raise CertificateError(
                f"{name} shows another key than the one it has in the consortium's file.",
                next_step=_FETCH,
                case=16,
                parties=[name],
            )


ANY: Final = Trust()
"""Whatever the authority vouches for."""
