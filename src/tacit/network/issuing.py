"""Writing certificates: what an authority does with its key (X.509, ECDSA P-256).

Used by the throw-away authority of a run on one machine, and by a consortium's, which persists.
"""

from __future__ import annotations

import datetime
from typing import Final, Literal, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from tacit.network.certificates import EVIDENCE_PURPOSE, Credentials
from tacit.network.names import check_name, client_dns_name, dns_name

__all__ = ["CLIENT_PURPOSE", "FILE_PURPOSE", "Authority", "Issuer", "private_pem"]

CLIENT_PURPOSE: Final = ObjectIdentifier("2.25.178782311378388212005799462960808090651")
"""The extended key usage of clients' certificates, beside client authentication."""

FILE_PURPOSE: Final = ObjectIdentifier("2.25.323029925201849134690340953476911480898")
"""The extended key usage of the key that signs a consortium's file."""

_EARLIER: Final = datetime.timedelta(minutes=5)

LinkKey: TypeAlias = ec.EllipticCurvePublicKey
Role: TypeAlias = Literal["party", "client", "evidence", "file"]

_PURPOSES: Final[dict[Role, list[ObjectIdentifier]]] = {
    "party": [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH],
    "client": [ExtendedKeyUsageOID.CLIENT_AUTH, CLIENT_PURPOSE],
    "evidence": [EVIDENCE_PURPOSE],
    "file": [FILE_PURPOSE],
}


class Issuer:
    """An authority's key and its root certificate.

    Parameters
    ----------
    key : EllipticCurvePrivateKey
        P-256. Shows nothing of itself.
    root : Certificate
        Self-signed with it.
    earlier : timedelta
        How long before now certificates begin to be valid, for clocks that differ.
    """

    def __init__(
        self,
        key: ec.EllipticCurvePrivateKey,
        root: x509.Certificate,
        earlier: datetime.timedelta = _EARLIER,
    ) -> None:
        self._key = key
        self._earlier = earlier
        self.root = root

    @classmethod
    def create(
        cls, subject: str, lifetime: datetime.timedelta, earlier: datetime.timedelta = _EARLIER
    ) -> Issuer:
        """A new key with its root certificate, valid for so long from now on."""
        key = ec.generate_private_key(ec.SECP256R1())
        until = datetime.datetime.now(datetime.UTC) + lifetime
        name = _subject(subject)
        root = (
            _builder(name, name, key.public_key(), until, earlier)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(certificates=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        return cls(key, root, earlier)

    @property
    def certificate(self) -> bytes:
        """The root certificate, PEM."""
        return self.root.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The private key, PEM (PKCS #8): for sealing alone."""
        return private_pem(self._key)

    def certify(
        self,
        name: str,
        key: LinkKey | Ed25519PublicKey,
        role: Role,
        lifetime: datetime.timedelta | None = None,
    ) -> bytes:
        """A certificate for a key, PEM, at most as long valid as the root.

        Parameters
        ----------
        name : str
            Of the party or client; of the consortium for the key that signs its file.
        key : EllipticCurvePublicKey or Ed25519PublicKey
            P-256 for links, Ed25519 for what is signed.
        role : str
            What the certificate is for: one purpose a key.
        lifetime : timedelta, optional
            From now on; the root's by default.
        """
        until = self.root.not_valid_after_utc
        if lifetime is not None:
            until = min(until, datetime.datetime.now(datetime.UTC) + lifetime)
        builder = _builder(_subject(name), self.root.subject, key, until, self._earlier)
        if role != "file":
            dns = client_dns_name(name) if role == "client" else dns_name(name)
            builder = builder.add_extension(
                x509.SubjectAlternativeName([x509.DNSName(dns)]), critical=True
            )
        certificate = (
            builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(certificates=False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage(_PURPOSES[role]), critical=role in ("evidence", "file")
            )
            .sign(self._key, hashes.SHA256())
        )
        return certificate.public_bytes(Encoding.PEM)

    def __repr__(self) -> str:
        return "Issuer()"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("an authority cannot be pickled: its key stays in this process")


class Authority:
    """A throw-away certificate authority: its key exists only in this object's memory.

    Parameters
    ----------
    lifetime : timedelta
        How long the certificates are valid from now on. They begin five minutes ago, for
        clocks that differ.
    """

    def __init__(self, lifetime: datetime.timedelta = datetime.timedelta(days=1)) -> None:
        self._issuer = Issuer.create("tacit throw-away authority", lifetime)

    @property
    def certificate(self) -> bytes:
        """The root certificate, PEM."""
        return self._issuer.certificate

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
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._issuer.certify(name, key.public_key(), "party", lifetime)
        signer = Ed25519PrivateKey.generate()
        evidence = self._issuer.certify(name, signer.public_key(), "evidence", lifetime)
        return Credentials(
            name,
            self.certificate,
            certificate,
            private_pem(key),
            evidence,
            private_pem(signer),
        )

    def issue_client(self, name: str, lifetime: datetime.timedelta | None = None) -> Credentials:
        """Make a client's key and certificate: no party accepts it for a party's.

        Parameters, result and errors as of :meth:`issue`.
        """
        check_name(name)
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._issuer.certify(name, key.public_key(), "client", lifetime)
        return Credentials(name, self.certificate, certificate, private_pem(key))

    def __repr__(self) -> str:
        return "Authority()"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("an authority cannot be pickled: its key stays in this process")


def private_pem(key: ec.EllipticCurvePrivateKey | Ed25519PrivateKey) -> bytes:
    """A private key, PEM (PKCS #8), in the clear: for a file of 0600, or for sealing."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: LinkKey | Ed25519PublicKey,
    until: datetime.datetime,
    earlier: datetime.timedelta,
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, until) - earlier)
        .not_valid_after(until)
    )


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
