"""A consortium's certificate authority and the parties' certificates (X.509, ECDSA P-256).

A party's name is the DNS name in its certificate's subject alternative names. The dialling end
checks that the other end has the name it dialled; the listening end learns the name from the
certificate that the root vouches for. Nothing else says who a party is. A second certificate is for
the key with which a party signs evidence, see ``evidence.py``.
"""

from __future__ import annotations

import datetime
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from tacit.errors import CertificateError, StorageError, UsageError

__all__ = ["Authority", "Credentials", "check_name", "check_pair", "dns_name", "party_name"]

NAME_BYTES: Final = 64
"""The longest party name, in bytes of UTF-8."""

_PLAIN = re.compile(r"(?!tacit-x-)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_ENCODED = "tacit-x-"
_EARLIER = datetime.timedelta(minutes=5)

AUTHORITY_FILE: Final = "authority.pem"
CERTIFICATE_FILE: Final = "party.pem"
KEY_FILE: Final = "party.key"
EVIDENCE_CERTIFICATE_FILE: Final = "evidence.pem"
EVIDENCE_KEY_FILE: Final = "evidence.key"

EVIDENCE_PURPOSE: Final = ObjectIdentifier("2.25.284620185712911634837269250937123004197")
"""The extended key usage of certificates for evidence: a number of tacit's own (ITU-T X.667)."""


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


def party_name(certificate: bytes) -> str:
    """The party's name in a DER certificate.

    Raises
    ------
    CertificateError
        The certificate names no party, or more than one.
    """
    try:
        parsed = x509.load_der_x509_certificate(certificate)
        extension = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        found = list(extension.value)
        dns = extension.value.get_values_for_type(x509.DNSName)
        if len(found) != 1 or len(dns) != 1:
            raise ValueError
        return _party(dns[0])
    except (ValueError, x509.ExtensionNotFound):
        raise CertificateError(
            "a certificate does not name exactly one party.",
            next_step="have the consortium's authority issue a new certificate.",
            case=1,
        ) from None


def _party(dns: str) -> str:
    if _PLAIN.fullmatch(dns):
        return dns
    labels = dns.split(".")
    if not all(label.startswith(_ENCODED) for label in labels):
        raise ValueError
    party = bytes.fromhex("".join(label.removeprefix(_ENCODED) for label in labels)).decode()
    if dns_name(party) != dns:
        raise ValueError
    return party


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
    """

    name: str
    authority: bytes
    certificate: bytes
    key: bytes
    evidence_certificate: bytes = b""
    evidence_key: bytes = b""

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
        return cls(party_name(der), authority, certificate, key, *evidence)


def _write_private(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


class Authority:
    """A throw-away certificate authority: its key exists only in this object's memory.

    Parameters
    ----------
    lifetime : timedelta
        How long the certificates are valid from now on. They begin five minutes ago, for
        clocks that differ.
    """

    def __init__(self, lifetime: datetime.timedelta = datetime.timedelta(days=1)) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._until = datetime.datetime.now(datetime.UTC) + lifetime
        self._subject = _subject("tacit throw-away authority")
        builder = self._builder(self._subject, self._key.public_key(), self._until)
        self._certificate = (
            builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(certificates=True), critical=True)
            .sign(self._key, hashes.SHA256())
        )

    @property
    def certificate(self) -> bytes:
        """The root certificate, PEM."""
        return self._certificate.public_bytes(Encoding.PEM)

    def issue(self, name: str, lifetime: datetime.timedelta | None = None) -> Credentials:
        """Make a party's keys, for its links and for evidence, and their certificates.

        Parameters
        ----------
        name : str
            The party's name.
        lifetime : timedelta, optional
            How long the certificates are valid from now on, at most as long as the authority's
            own, which is the default.

        Returns
        -------
        Credentials

        Raises
        ------
        UsageError
            This cannot be a party's name.
        """
        check_name(name)
        until = self._until
        if lifetime is not None:
            until = min(until, datetime.datetime.now(datetime.UTC) + lifetime)
        key = ec.generate_private_key(ec.SECP256R1())
        purposes = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
        certificate = self._certified(name, key.public_key(), until, purposes, critical=False)
        signer = Ed25519PrivateKey.generate()
        evidence = self._certified(
            name, signer.public_key(), until, [EVIDENCE_PURPOSE], critical=True
        )
        return Credentials(
            name, self.certificate, certificate, _secret(key), evidence, _secret(signer)
        )

    def _certified(
        self,
        name: str,
        key: ec.EllipticCurvePublicKey | Ed25519PublicKey,
        until: datetime.datetime,
        purposes: list[ObjectIdentifier],
        *,
        critical: bool,
    ) -> bytes:
        """A certificate for a party's key, PEM."""
        certificate = (
            self._builder(_subject(name), key, until)
            .add_extension(
                x509.SubjectAlternativeName([x509.DNSName(dns_name(name))]), critical=True
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(purposes), critical=critical)
            .sign(self._key, hashes.SHA256())
        )
        return certificate.public_bytes(Encoding.PEM)

    def _builder(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey | Ed25519PublicKey,
        until: datetime.datetime,
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(min(now, until) - _EARLIER)
            .not_valid_after(until)
        )

    def __repr__(self) -> str:
        return "Authority()"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("an authority cannot be pickled: its key stays in this process")


def _secret(key: ec.EllipticCurvePrivateKey | Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        key_cert_sign=certificates,
        crl_sign=certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


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
