"""A party's certificates and keys, as it holds them.

A party has two certificates of its consortium's authority: one for its links (ECDSA P-256), whose
DNS name is the party's (:mod:`tacit.network.names`), and one for the key with which it signs
evidence, see ``evidence.py``. The dialling end checks that the other end has the name it dialled;
the listening end learns the name from the certificate that the root vouches for. Nothing else says
who a party is. Who writes certificates: ``issuing.py``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ObjectIdentifier

from tacit.errors import CertificateError, StorageError
from tacit.network.names import check_name, dns_name, party_name
from tacit.network.trust import ANY, Trust

__all__ = ["Credentials", "check_name", "check_pair", "dns_name", "party_name"]

AUTHORITY_FILE: Final = "authority.pem"
CERTIFICATE_FILE: Final = "party.pem"
KEY_FILE: Final = "party.key"
EVIDENCE_CERTIFICATE_FILE: Final = "evidence.pem"
EVIDENCE_KEY_FILE: Final = "evidence.key"

EVIDENCE_PURPOSE: Final = ObjectIdentifier("2.25.284620185712911634837269250937123004197")
"""The extended key usage of certificates for evidence: a number of tacit's own (ITU-T X.667)."""


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
    evidence_certificate, evidence_key : bytes
        The same for the key with which the party signs evidence; empty if it has none.
    trust : Trust
        Whose certificates are accepted beyond the authority's word.
    """

    name: str
    authority: bytes
    certificate: bytes
    key: bytes
    evidence_certificate: bytes = b""
    evidence_key: bytes = b""
    trust: Trust = ANY

    def __repr__(self) -> str:
        return f"Credentials({self.name!r})"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("credentials cannot be pickled: use save() and load()")

    def save(self, directory: Path) -> None:
        """Write the credentials into a private directory.

        ``authority.pem``, ``party.pem`` and ``party.key``, and ``evidence.pem`` and
        ``evidence.key`` if there are any. The directory is made, or made private (0700); the
        files are for their owner alone (0600).

        Raises
        ------
        StorageError
            The directory or a file cannot be written.
        """
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            directory.chmod(0o700)
            for name, content in (
                (AUTHORITY_FILE, self.authority),
                (CERTIFICATE_FILE, self.certificate),
                (KEY_FILE, self.key),
                (EVIDENCE_CERTIFICATE_FILE, self.evidence_certificate),
                (EVIDENCE_KEY_FILE, self.evidence_key),
            ):
                if not content:  # those of an earlier authority would not fit
                    (directory / name).unlink(missing_ok=True)
                    continue
                _write_private(directory / name, content)
        except OSError as error:
            raise StorageError(
                f"cannot write credentials into {directory}: {error.strerror}.",
                next_step="choose a directory that you may write to, on a disk with room.",
                case=2,
            ) from None

    @classmethod
    def load(cls, directory: Path) -> Credentials:
        """Read what :meth:`save` wrote; the name comes from the certificate.

        Raises
        ------
        CertificateError
            A file is missing or malformed.
        StorageError
            The key file can be read by others.
        """
        try:
            for file in (directory / KEY_FILE, directory / EVIDENCE_KEY_FILE):
                if file.name == EVIDENCE_KEY_FILE and not file.exists():
                    continue
                if file.stat().st_mode & 0o077:
                    raise StorageError(
                        f"{file} can be read by others.",
                        next_step="chmod 600 that file, and replace the key if others had access.",
                        case=4,
                    )
            evidence = [
                file.read_bytes() if file.exists() else b""
                for file in (directory / EVIDENCE_CERTIFICATE_FILE, directory / EVIDENCE_KEY_FILE)
            ]
            authority, certificate, key = (
                (directory / name).read_bytes()
                for name in (AUTHORITY_FILE, CERTIFICATE_FILE, KEY_FILE)
            )
            der = x509.load_pem_x509_certificate(certificate).public_bytes(Encoding.DER)
        except OSError as error:
            raise CertificateError(
                f"cannot read credentials from {directory}: {error.strerror}.",
                next_step="name the directory that holds authority.pem, party.pem and party.key.",
                case=2,
            ) from None
        except ValueError:
            raise CertificateError(
                f"{directory / CERTIFICATE_FILE} is no certificate.",
                next_step="have the consortium's authority issue a new certificate.",
                case=3,
            ) from None
        return cls(party_name(der), authority, certificate, key, evidence[0], evidence[1])


def _write_private(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def check_pair(credentials: Credentials) -> None:
    """Refuse credentials whose certificate is for another name or another key.

    Raises
    ------
    CertificateError
        It says which does not fit.
    """
    try:
        certificate = x509.load_pem_x509_certificate(credentials.certificate)
        key = load_pem_private_key(credentials.key, password=None)
        fits = certificate.public_key() == key.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        fits = False
    if not fits:
        raise CertificateError(
            f"the certificate and the private key of {credentials.name} do not belong together.",
            next_step="use the files that the authority issued together.",
            case=4,
        )
    named = party_name(certificate.public_bytes(Encoding.DER))
    if named != credentials.name:
        raise CertificateError(
            f"the certificate of {credentials.name} is for {named}.",
            next_step="start the party under the name in its certificate.",
            case=5,
        )
