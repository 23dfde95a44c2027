"""The consortium's file: names, addresses, the root and every party's keys, signed.

JSON, for people to read. What is signed is the canonical encoding of its contents, so that spaces
and line ends do not matter. The signature is by a key of its own (Ed25519, RFC 8032) that the root
certifies for this and nothing else.

**Who is trusted with what.** The authority's signature says that a file is the authority's, no
more: an authority that lies could sign two files. So the parties compare the file's *fingerprint*
with each other once by other means (telephone, paper). Each party's kit checks that its own keys
stand in the file; where all hold the same file, all therefore know each other's right keys.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Meta, Struct

from tacit.encoding.digest import tagged_hash
from tacit.errors import ConfigurationError, UsageError
from tacit.network import Address, Trust
from tacit.network.issuing import FILE_PURPOSE
from tacit.network.names import check_name

__all__ = ["FORMAT", "Consortium", "Member", "Revoked", "read", "short", "sign"]

FORMAT: Final = 1
"""The version of the file, which readers compare."""

_TYPE: Final = "tacit consortium"
_FINGERPRINT_BYTES: Final = 20

Name = Annotated[str, Meta(max_length=64)]
Hex = Annotated[str, Meta(pattern="^([0-9a-f]{64})?$")]


class Member(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A party of a consortium.

    Attributes
    ----------
    name : str
    address : str
        ``host:port``, where the other parties reach it.
    service : str
        ``host:port``, where clients of a service reach it. Empty for the port after the address's.
    data : bool
        Whether it holds rows. A party without computes with the others and holds none.
    key, evidence : str
        Fingerprints of its keys for links and for evidence (SHA-256 of the SubjectPublicKeyInfo).
        Empty while it has no certificate.
    """

    name: Name
    address: Annotated[str, Meta(max_length=300)]
    service: Annotated[str, Meta(max_length=300)] = ""
    data: bool = True
    key: Hex = ""
    evidence: Hex = ""


class Revoked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key that is no longer accepted.

    Attributes
    ----------
    name : str
        Whose it was.
    role : str
    key : str
        Its fingerprint.
    at : str
        When, ISO 8601.
    """

    name: Name
    role: Literal["party", "client", "evidence"]
    key: Hex
    at: Annotated[str, Meta(max_length=40)]


class Consortium(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every party of a consortium has the same of.

    Attributes
    ----------
    name : str
    edition : int
        Counts up with every change; a kit never takes an older one again.
    created : str
        When this edition was signed, ISO 8601.
    protocol : str
        What the parties run unless they say otherwise.
    root : str
        The authority's certificate, PEM. It never changes.
    parties : tuple of Member
        In party order: those with data first.
    revoked : tuple of Revoked
    """

    name: Name
    edition: Annotated[int, Meta(ge=1)]
    created: Annotated[str, Meta(max_length=40)]
    protocol: Annotated[str, Meta(max_length=64)]
    root: Annotated[str, Meta(max_length=16_384)]
    parties: Annotated[tuple[Member, ...], Meta(min_length=2, max_length=64)]
    revoked: Annotated[tuple[Revoked, ...], Meta(max_length=10_000)] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The parties' names, by index."""
        return tuple(member.name for member in self.parties)

    @property
    def owners(self) -> tuple[str, ...]:
        """Those that hold data."""
        return tuple(member.name for member in self.parties if member.data)

    @property
    def addresses(self) -> dict[str, Address]:
        """Where each party listens for the others."""
        return {member.name: Address.parse(member.address) for member in self.parties}

    @property
    def services(self) -> dict[str, Address]:
        """Where each party listens for clients of a service."""
        return {member.name: _service(member) for member in self.parties}

    @property
    def missing(self) -> tuple[str, ...]:
        """The parties that have no certificate yet."""
        return tuple(m.name for m in self.parties if not (m.key and m.evidence))

    @property
    def trust(self) -> Trust:
        """The keys that are accepted, and those that are not."""
        return Trust(
            keys={m.name: m.key or "none" for m in self.parties},
            evidence={m.name: m.evidence or "none" for m in self.parties},
            revoked=frozenset(r.key for r in self.revoked),
        )

    @property
    def fingerprint(self) -> str:
        """What the parties compare out of band: 160 bits in ten groups, of everything in here."""
        return short(tagged_hash("consortium file", _canonical(self)).hex())

    def member(self, name: str) -> Member:
        """The party of this name.

        Raises
        ------
        UsageError
            There is none (TC-1056).
        """
        for member in self.parties:
            if member.name == name:
                return member
        raise UsageError(
            f"{name} is no party of the consortium {self.name}.",
            next_step=f"name one of {', '.join(self.names)}.",
            case=56,
        )

    def changes(self, later: Consortium) -> dict[str, tuple[str, str]]:
        """The parties with another key in a later edition: fingerprints, old and new.

        Of the key for links or, where that stays, of the one for evidence. A party whose keys were
        revoked, and that has new ones now, is among them.
        """
        found: dict[str, tuple[str, str]] = {}
        for member in later.parties:
            before = self.member(member.name)
            for old, new, role in (
                (before.key, member.key, "party"),
                (before.evidence, member.evidence, "evidence"),
            ):
                known = old or self._revoked_key(member.name, role)
                if known and (old or new) and known != new:
                    found.setdefault(member.name, (known, new))
        return found

    def _revoked_key(self, name: str, role: str) -> str:
        """The last key that a party had and has no more; empty if it never had one."""
        keys = [r.key for r in self.revoked if (r.name, r.role) == (name, role)]
        return keys[-1] if keys else ""

    def is_followed_by(self, later: Consortium) -> bool:
        """Whether an authority makes a later edition like this: the same parties and protocol.

        What changes from edition to edition are addresses and keys, and there is ever more that was
        revoked. Anything else would change who computes, or how, behind the parties' backs.
        """
        return (
            (self.name, self.protocol) == (later.name, later.protocol)
            and [(m.name, m.data) for m in self.parties]
            == [(m.name, m.data) for m in later.parties]
            and {r.key for r in self.revoked} <= {r.key for r in later.revoked}
        )


class _Signed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file: what it is, its contents, and the signature."""

    type: str
    format: int
    consortium: Consortium
    signer: Annotated[str, Meta(max_length=16_384)]
    signature: Annotated[str, Meta(pattern="^[0-9a-f]{128}$")]


class _Header(Struct, frozen=True):
    """What tells another version of the format from damage."""

    type: str = ""
    format: int = 0


def short(fingerprint: str) -> str:
    """A fingerprint as people compare it: 160 bits in ten groups of four digits.

    Enough against who looks for two files or keys that look alike (2^80 attempts).
    """
    digits = fingerprint[: 2 * _FINGERPRINT_BYTES]
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def sign(consortium: Consortium, key: Ed25519PrivateKey, signer: bytes) -> bytes:
    """The file's bytes.

    Parameters
    ----------
    consortium : Consortium
    key : Ed25519PrivateKey
    signer : bytes
        Its certificate by the root, PEM.
    """
    signature = key.sign(_signed_bytes(consortium)).hex()
    file = _Signed(
        type=_TYPE,
        format=FORMAT,
        consortium=consortium,
        signer=signer.decode(),
        signature=signature,
    )
    return msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n"


def read(data: bytes, where: Path | str, root: bytes | None = None) -> Consortium:
    """A consortium's file, its signature checked.

    Parameters
    ----------
    data : bytes
        From anybody.
    where : path
        For errors.
    root : bytes, optional
        The root certificate that it must have, PEM.

    Raises
    ------
    ConfigurationError
        It is none or cut short (TC-2020), of a format that this release does not read (TC-2021),
        changed since it was signed (TC-2022), or another consortium's (TC-2023).
    """
    try:
        header = msgspec.json.decode(data, type=_Header)
    except msgspec.MsgspecError:
        header = _Header()
    if header.type == _TYPE and header.format != FORMAT:
        raise ConfigurationError(
            f"{where} has format {header.format}, and this release reads format {FORMAT}.",
            next_step="install the same release of tacit at all parties and at the authority.",
            case=21,
        )
    try:
        file = msgspec.json.decode(data, type=_Signed)
        check_name(file.consortium.name)
        for member in file.consortium.parties:
            check_name(member.name)
            if not member.address.isprintable() or not member.service.isprintable():
                raise ValueError
            Address.parse(member.address)
            _service(member)
        fits = file.type == _TYPE and len(set(file.consortium.names)) == len(file.consortium.names)
    except (msgspec.MsgspecError, UsageError, ValueError):
        fits = False
    if not fits:
        raise ConfigurationError(
            f"{where} is no consortium file, or was cut short.",
            next_step="get the file from the consortium's authority again.",
            case=20,
        )
    consortium = file.consortium
    if root is not None and consortium.root.encode() != root:
        raise ConfigurationError(
            f"{where} is of another authority than this kit.",
            next_step="install the file of your own consortium. An authority's root never changes;"
            " if somebody says that it did, make a new kit and compare all fingerprints anew.",
            case=23,
        )
    try:
        authority = x509.load_pem_x509_certificate(consortium.root.encode())
        signer = x509.load_pem_x509_certificate(file.signer.encode())
        signer.verify_directly_issued_by(authority)
        purposes = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        key = signer.public_key()
        fits = isinstance(key, Ed25519PublicKey) and list(purposes) == [FILE_PURPOSE]
        if isinstance(key, Ed25519PublicKey):
            key.verify(bytes.fromhex(file.signature), _signed_bytes(consortium))
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.ExtensionNotFound):
        fits = False
    if not fits:
        raise ConfigurationError(
            f"{where} was changed after the authority signed it.",
            next_step="get the file from the consortium's authority again; do not use this one.",
            case=22,
        )
    return consortium


def now() -> str:
    """The time, ISO 8601."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def _service(member: Member) -> Address:
    if member.service:
        return Address.parse(member.service)
    address = Address.parse(member.address)
    return Address(address.host, address.port + 1)


def _canonical(consortium: Consortium) -> bytes:
    return msgspec.json.encode(consortium, order="deterministic")


def _signed_bytes(consortium: Consortium) -> bytes:
    return tagged_hash("consortium signature", _canonical(consortium))
