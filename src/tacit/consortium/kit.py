"""A kit: what one party or client of a consortium has on its machine, in one folder.

========================== ==============================================================
``consortium.json``        the consortium's file, signed; the same at all
``authority.pem``          the root, taken over once: a file of another root is refused
``party.pem, party.key``   certificate and key for links (``client.pem, client.key``)
``evidence.pem, .key``     those for signed evidence, of parties alone
``pending/``               keys and request that wait for the authority's answer
========================== ==============================================================

Keys are files of 0600 in a folder of 0700, made on this machine, and stay on it.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from tacit.consortium.file import Consortium, read
from tacit.errors import CertificateError, ConfigurationError, StorageError
from tacit.network import Address, Credentials, evidence_signer
from tacit.network.certificates import (
    AUTHORITY_FILE,
    CERTIFICATE_FILE,
    EVIDENCE_CERTIFICATE_FILE,
    EVIDENCE_KEY_FILE,
    KEY_FILE,
)
from tacit.network.names import client_name, party_name
from tacit.network.trust import key_fingerprint

__all__ = [
    "CLIENT_CERTIFICATE_FILE",
    "CLIENT_KEY_FILE",
    "CONSORTIUM_FILE",
    "PENDING",
    "Kit",
    "Role",
    "private_file",
]

CONSORTIUM_FILE: Final = "consortium.json"
CLIENT_CERTIFICATE_FILE: Final = "client.pem"
CLIENT_KEY_FILE: Final = "client.key"
PENDING: Final = "pending"

Role = Literal["party", "client"]


@dataclass(frozen=True, slots=True)
class Kit:
    """A party's or client's place in a consortium.

    Attributes
    ----------
    folder : Path
    role : str
        ``"party"`` or ``"client"``.
    consortium : Consortium
        As its authority signed it, checked.
    credentials : Credentials
        Who this is; with the trust in others that the consortium's file gives.
    until : datetime
        The first of its certificates' last moments.
    """

    folder: Path
    role: Role
    consortium: Consortium
    credentials: Credentials
    until: datetime.datetime

    @classmethod
    def load(cls, folder: Path | str, *, at: datetime.datetime | None = None) -> Kit:
        """Read a kit and check everything in it that can be checked without the others.

        Parameters
        ----------
        folder : path
        at : datetime, optional
            When the certificates must be valid; now by default.

        Raises
        ------
        StorageError
            Others can read a key (TC-2304).
        ConfigurationError
            This is no kit, or one that waits for the authority (TC-2024); the consortium's file is
            damaged, of another format, changed, or of another root (TC-2020 to TC-2023); not all
            parties have a certificate yet (TC-2025).
        CertificateError
            A certificate is not of this root, expired (TC-3208), not valid yet (TC-3209), revoked
            (TC-3215), for another key or name (TC-3204, TC-3205), or this party's keys are not
            those in the consortium's file (TC-3216).
        """
        folder = Path(folder)
        when = at or datetime.datetime.now(datetime.UTC)
        role: Role = "client" if (folder / CLIENT_KEY_FILE).exists() else "party"
        names = (
            (CLIENT_CERTIFICATE_FILE, CLIENT_KEY_FILE, "", "")
            if role == "client"
            else (CERTIFICATE_FILE, KEY_FILE, EVIDENCE_CERTIFICATE_FILE, EVIDENCE_KEY_FILE)
        )
        root = _file(folder, AUTHORITY_FILE)
        consortium = read(_file(folder, CONSORTIUM_FILE), folder / CONSORTIUM_FILE, root)
        certificate = _file(folder, names[0])
        key = private_file(folder / names[1])
        evidence = _file(folder, names[2]) if names[2] else b""
        evidence_key = private_file(folder / names[3]) if names[3] else b""
        found = _certificate(certificate, root, "this kit", when)
        der = found.public_bytes(Encoding.DER)
        name = party_name(der) if role == "party" else client_name(der)
        until = min(found.not_valid_after_utc, _root_end(root))
        if evidence:
            until = min(until, _certificate(evidence, root, name, when).not_valid_after_utc)
        _fitting(found, key, name)
        trust = consortium.trust
        credentials = Credentials(name, root, certificate, key, evidence, evidence_key, trust)
        if role == "client":
            trust.client(der)
        else:
            consortium.member(name)
            trust.party(der)
            _, evidence_der = evidence_signer(credentials)
            trust.check_evidence(name, evidence_der)
        if consortium.missing:
            raise ConfigurationError(
                f"{', '.join(consortium.missing)} had no certificate when the consortium's file in"
                f" {folder} was signed (edition {consortium.edition}).",
                next_step="install the edition that the authority made after all parties were"
                " approved: tacit consortium install consortium.json --kit DIR.",
                case=25,
            )
        return cls(folder, role, consortium, credentials, until)

    @property
    def name(self) -> str:
        """Whose kit this is."""
        return self.credentials.name

    @property
    def addresses(self) -> Mapping[str, Address]:
        """Where each party listens for the others."""
        return self.consortium.addresses

    @property
    def services(self) -> Mapping[str, Address]:
        """Where each party listens for clients of a service."""
        return self.consortium.services

    @property
    def fingerprint(self) -> str:
        """Of the consortium's file: the same at all, compared out of band."""
        return self.consortium.fingerprint

    @property
    def key(self) -> str:
        """The fingerprint of this party's or client's own key for links."""
        certificate = x509.load_pem_x509_certificate(self.credentials.certificate)
        return key_fingerprint(certificate.public_bytes(Encoding.DER))

    @property
    def days_left(self) -> int:
        """Whole days until a certificate of this kit, or the root, ends."""
        return (self.until - datetime.datetime.now(datetime.UTC)).days

    def agreed(self) -> dict[str, str]:
        """What parties compare of it in every handshake: the edition that each has."""
        text = f"{self.consortium.name}, edition {self.consortium.edition}, {self.fingerprint}"
        return {"consortium": text}


def private_file(path: Path) -> bytes:
    """The bytes of a key's file.

    Raises
    ------
    StorageError
        Others can read it (TC-2304).
    ConfigurationError
        It is not there (TC-2024).
    """
    data = _file(path.parent, path.name)
    if path.stat().st_mode & 0o077:
        raise StorageError(
            f"{path} can be read by others.",
            next_step=f"chmod 600 {path}; if others had access, make new keys (`tacit consortium"
            " request --new-keys`) and have the old ones revoked.",
            case=4,
        )
    return data


def _file(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        waiting = next((folder / PENDING).glob("*.csr"), None)
        raise ConfigurationError(
            f"{folder} waits for the authority's answer: there is no {name}."
            if waiting is not None
            else f"{folder} is no kit: {name}: {error.strerror}.",
            next_step=f"send {waiting} to the consortium's authority, and install"
            " what it sends back: tacit consortium install consortium.json NAME.cert --kit DIR."
            if waiting is not None
            else "name a folder that `tacit consortium request` made, or one from the authority.",
            case=24,
        ) from None


def _certificate(pem: bytes, root: bytes, whose: str, when: datetime.datetime) -> x509.Certificate:
    try:
        found = x509.load_pem_x509_certificate(pem)
    except ValueError:
        raise CertificateError(
            f"a certificate of {whose} is damaged.",
            next_step="install the authority's answer again.",
            case=3,
        ) from None
    try:
        authority = x509.load_pem_x509_certificate(root)
        found.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        raise CertificateError(
            f"the certificate of {whose} is not from this consortium's authority.",
            next_step="install the authority's answer together with its consortium file.",
            case=6,
        ) from None
    begin = max(found.not_valid_before_utc, authority.not_valid_before_utc)
    end = min(found.not_valid_after_utc, authority.not_valid_after_utc)
    if when > end:
        raise CertificateError(
            f"the certificate of {whose} expired on {end:%Y-%m-%d %H:%M} UTC.",
            next_step="have the authority renew it: `tacit consortium renew NAME`, then install its"
            " answer.",
            case=8,
        )
    if when < begin:
        raise CertificateError(
            f"the certificate of {whose} is not valid before {begin:%Y-%m-%d %H:%M} UTC.",
            next_step="correct the clock of this machine, or of the authority's.",
            case=9,
        )
    return found


def _root_end(root: bytes) -> datetime.datetime:
    return x509.load_pem_x509_certificate(root).not_valid_after_utc


def _fitting(certificate: x509.Certificate, key: bytes, name: str) -> None:
    try:
        own = load_pem_private_key(key, password=None)
        fits = own.public_key() == certificate.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        fits = False
    if not fits:
        raise CertificateError(
            f"the certificate and the private key of {name} do not belong together.",
            next_step="install the authority's answer to the request that was made with this key.",
            case=4,
        )
