"""From a key that is made at its site, and stays there, to a certificate.

1. *At the site*: :func:`make_request` makes the keys in the kit's folder and a request, which says
   no secret: two certification requests (PKCS #10, RFC 2986), each signed with its key.
2. *At the authority*: whoever has it compares the request's fingerprint with the site by other
   means and approves it (``authority.py``); the answer is an :class:`Answer`.
3. *At the site*: the answer and the consortium's file are installed (``installing.py``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID
from msgspec import Meta, Struct

from tacit.consortium.file import short
from tacit.consortium.kit import CLIENT_KEY_FILE, PENDING, Role, private_file
from tacit.encoding.digest import tagged_hash
from tacit.errors import ConfigurationError, StorageError, UsageError
from tacit.network.certificates import EVIDENCE_KEY_FILE, KEY_FILE
from tacit.network.issuing import private_pem
from tacit.network.names import check_name
from tacit.network.trust import key_fingerprint_of
from tacit.storage.writing import write_whole

__all__ = ["Answer", "Request", "make_request", "private_folder", "read_request"]

REQUEST_TYPE: Final = "tacit request"
ANSWER_TYPE: Final = "tacit certificates"
FORMAT: Final = 1

Pem = Annotated[str, Meta(max_length=16_384)]
Name = Annotated[str, Meta(max_length=64)]


class _RequestFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    type: str
    format: int
    name: Name
    role: Role
    link: Pem
    evidence: Pem = ""


class Answer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the authority sends back: certificates, which are no secret.

    Attributes
    ----------
    type : str
    format : int
    name : str
    role : str
    link, evidence : str
        Certificates, PEM; `evidence` is empty for a client.
    """

    type: str
    format: int
    name: Name
    role: Role
    link: Pem
    evidence: Pem = ""

    def to_bytes(self) -> bytes:
        """The file's bytes."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


class Request:
    """A request whose signatures were checked: who made it has the keys.

    Attributes
    ----------
    name : str
    role : str
    link : EllipticCurvePublicKey
    evidence : Ed25519PublicKey or None
        None of a client.
    """

    def __init__(
        self,
        name: str,
        role: Role,
        link: ec.EllipticCurvePublicKey,
        evidence: Ed25519PublicKey | None,
    ) -> None:
        self.name = name
        self.role = role
        self.link = link
        self.evidence = evidence

    @property
    def fingerprint(self) -> str:
        """What site and authority compare out of band: of name, role and both keys."""
        keys = [key_fingerprint_of(self.link).encode()]
        if self.evidence is not None:
            keys.append(key_fingerprint_of(self.evidence).encode())
        return short(
            tagged_hash("certificate request", self.name.encode(), self.role.encode(), *keys).hex()
        )

    def __repr__(self) -> str:
        return f"Request({self.name!r}, {self.role!r}, {self.fingerprint})"


def private_folder(folder: Path) -> Path:
    """Make a folder for its owner alone, if it is not there.

    Raises
    ------
    StorageError
        It cannot be made (TC-2302).
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise StorageError(
            f"cannot make the folder {folder}: {error.strerror}.",
            next_step="choose a folder that you may write to, on a disk with room.",
            case=2,
        ) from None
    return folder


def make_request(
    folder: Path, name: str, role: Role = "party", *, new_keys: bool = False
) -> tuple[Path, Request]:
    """Make a request at the site, and the keys if there are none or other ones are wanted.

    Parameters
    ----------
    folder : Path
        The kit. New keys wait in ``folder/pending`` until their certificates are installed, so that
        a kit that works goes on working.
    name : str
        The party or client.
    role : {"party", "client"}
    new_keys : bool
        Make other keys although there are some.

    Returns
    -------
    tuple of Path and Request
        The file to send to the authority, ``folder/pending/NAME.csr``, and what is in it.

    Raises
    ------
    UsageError
        The folder is another's kit (TC-1058).
    StorageError
        Nothing can be written there.
    """
    check_name(name)
    pending = folder / PENDING
    files = _key_files(role)
    other = next(iter(pending.glob("*.csr")), None) if pending.exists() else None
    stranger = (folder / _key_files("party" if role == "client" else "client")[0]).exists()
    if stranger or (other is not None and other.name != f"{name}.csr"):
        raise UsageError(
            f"{folder} is the kit of another party or client.",
            next_step="give each a folder of its own.",
            case=58,
        )
    private_folder(folder)
    private_folder(pending)
    source = pending
    if not new_keys and not (pending / files[0]).exists() and (folder / files[0]).exists():
        source = folder
    elif new_keys or not all((pending / file).exists() for file in files):
        write_whole(pending / files[0], private_pem(ec.generate_private_key(ec.SECP256R1())))
        if role == "party":
            write_whole(pending / files[1], private_pem(Ed25519PrivateKey.generate()))
    link = _private(source / files[0])
    request = _RequestFile(
        type=REQUEST_TYPE,
        format=FORMAT,
        name=name,
        role=role,
        link=_signed(name, link),
        evidence=_signed(name, _private(source / files[1])) if role == "party" else "",
    )
    data = msgspec.json.format(msgspec.json.encode(request), indent=2) + b"\n"
    path = pending / f"{name}.csr"
    write_whole(path, data)
    return path, read_request(data, path)


def read_request(data: bytes, where: Path) -> Request:
    """A request from anybody, its signatures checked.

    Raises
    ------
    ConfigurationError
        It is none, of another format, or a signature is wrong (TC-2026).
    """
    try:
        file = msgspec.json.decode(data, type=_RequestFile)
        check_name(file.name)
        if file.type != REQUEST_TYPE or file.format != FORMAT:
            raise ValueError
        link = _checked(file.link, file.name)
        evidence = _checked(file.evidence, file.name) if file.role == "party" else None
        if not (
            isinstance(link, ec.EllipticCurvePublicKey) and isinstance(link.curve, ec.SECP256R1)
        ):
            raise ValueError
        if not (evidence is None or isinstance(evidence, Ed25519PublicKey)):
            raise ValueError
    except (msgspec.MsgspecError, UsageError, ValueError, TypeError, UnsupportedAlgorithm):
        raise ConfigurationError(
            f"{where} is no request for a certificate, or was changed or cut short.",
            next_step="have the site make it with `tacit consortium request NAME`, with the same"
            " release of tacit, and send it again.",
            case=26,
        ) from None
    return Request(file.name, file.role, link, evidence)


def _key_files(role: Literal["party", "client"]) -> tuple[str, ...]:
    return (CLIENT_KEY_FILE,) if role == "client" else (KEY_FILE, EVIDENCE_KEY_FILE)


def _private(path: Path) -> ec.EllipticCurvePrivateKey | Ed25519PrivateKey:
    try:
        key = load_pem_private_key(private_file(path), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey | Ed25519PrivateKey)
    except (ValueError, TypeError, UnsupportedAlgorithm, AssertionError):
        raise ConfigurationError(
            f"{path} is damaged: it holds no key.",
            next_step="make new keys: tacit consortium request NAME --new-keys.",
            case=24,
        ) from None
    return key


def _signed(name: str, key: ec.EllipticCurvePrivateKey | Ed25519PrivateKey) -> str:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    algorithm = None if isinstance(key, Ed25519PrivateKey) else hashes.SHA256()
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, algorithm)
    return request.public_bytes(Encoding.PEM).decode()


def _checked(pem: str, name: str) -> object:
    """The key in a certification request, if its signature and its name are right."""
    request = x509.load_pem_x509_csr(pem.encode())
    named = [attribute.value for attribute in request.subject]
    if not request.is_signature_valid or named != [name]:
        raise ValueError
    return request.public_key()
