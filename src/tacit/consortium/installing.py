"""Taking over what the authority sent into a kit: certificates, and the consortium's file.

Nothing is replaced before everything was checked, keys and certificates before the file that says
they are the ones, and what waited is removed last: after a crash in between the same command again
finishes the job.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from msgspec import Struct

from tacit.consortium.file import Consortium, read, short
from tacit.consortium.kit import (
    CLIENT_CERTIFICATE_FILE,
    CLIENT_KEY_FILE,
    CONSORTIUM_FILE,
    PENDING,
    Kit,
    private_file,
)
from tacit.consortium.requests import ANSWER_TYPE, FORMAT, Answer, private_folder
from tacit.errors import CertificateError, ConfigurationError, PolicyDeniedError, StorageError
from tacit.network.certificates import (
    AUTHORITY_FILE,
    CERTIFICATE_FILE,
    EVIDENCE_CERTIFICATE_FILE,
    EVIDENCE_KEY_FILE,
    KEY_FILE,
)
from tacit.storage.writing import write_whole

__all__ = ["Installed", "install"]


class _Kind(Struct, frozen=True):
    type: str = ""


@dataclass(frozen=True, slots=True)
class Installed:
    """What an installation did.

    Attributes
    ----------
    kit : Kit or None
        The kit, if it is complete now.
    consortium : Consortium or None
        The file that was taken over, if there was one.
    first : bool
        Whether the kit had no root before: now is the time to compare fingerprints.
    """

    kit: Kit | None
    consortium: Consortium | None
    first: bool


def install(folder: Path, files: Sequence[Path], *, accept: Sequence[str] = ()) -> Installed:
    """Take over what the authority sent.

    Parameters
    ----------
    folder : Path
        The kit that `make_request` began, or one that works.
    files : sequence of Path
        ``consortium.json``, the answer ``NAME.cert``, or both, in any order.
    accept : sequence of str
        Parties whose keys may be others than before: their fingerprints were compared.

    Raises
    ------
    ConfigurationError
        A file is neither, or is damaged, changed, or another authority's (TC-2020 to TC-2023,
        TC-2027); the edition is older than the kit's (TC-2027).
    PolicyDeniedError
        A party's key changed, and nobody said that this is right (TC-4021).
    CertificateError
        A certificate is for keys that this kit does not have (TC-3204), or not of this root
        (TC-3206).
    """
    answer, fresh = _sorted(files)
    root_file = folder / AUTHORITY_FILE
    root = root_file.read_bytes() if root_file.exists() else None
    current = None
    if (folder / CONSORTIUM_FILE).exists() and root is not None:
        try:
            current = read((folder / CONSORTIUM_FILE).read_bytes(), CONSORTIUM_FILE, root)
        except ConfigurationError:
            current = None  # a torn file is what a new one is installed for
    consortium = None
    if fresh is not None:
        path, data = fresh
        consortium = read(data, path, root)
        if current is not None:
            _not_backwards(path, current, consortium, accept)
    known = consortium or current
    if known is None:
        raise ConfigurationError(
            f"{folder} has no consortium file yet.",
            next_step="give both files that the authority sent: tacit consortium install"
            f" consortium.json NAME.cert --kit {folder}.",
            case=27,
        )
    writes: list[tuple[str, bytes]] = []
    if answer is not None:
        writes += _credentials(folder, answer, known.root.encode())
    private_folder(folder)
    for name, content in writes:
        write_whole(folder / name, content)
    if consortium is not None and fresh is not None:
        if root is None:
            write_whole(root_file, consortium.root.encode())
        write_whole(folder / CONSORTIUM_FILE, fresh[1])
    kit = None if known.missing else Kit.load(folder)
    if answer is not None and (folder / PENDING).exists():
        _forget(folder / PENDING)
    return Installed(kit, consortium, root is None)


def _sorted(files: Sequence[Path]) -> tuple[Answer | None, tuple[Path, bytes] | None]:
    answer, consortium = None, None
    for path in files:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise StorageError(
                f"{path} cannot be read: {error.strerror}.",
                next_step="name the files that the authority sent.",
                case=2,
            ) from None
        try:
            kind = msgspec.json.decode(data, type=_Kind).type
            if kind == ANSWER_TYPE:
                answer = msgspec.json.decode(data, type=Answer)
                if answer.format != FORMAT:
                    raise msgspec.ValidationError
                continue
        except msgspec.MsgspecError:
            kind = ""
        if kind != "tacit consortium":
            raise ConfigurationError(
                f"{path} is neither a consortium file nor an authority's answer, or was cut short.",
                next_step="name the files consortium.json and NAME.cert that the authority sent.",
                case=27,
            )
        consortium = (path, data)
    return answer, consortium


def _not_backwards(
    path: Path, current: Consortium, later: Consortium, accept: Sequence[str]
) -> None:
    if later.edition < current.edition:
        raise ConfigurationError(
            f"{path} is edition {later.edition}, older than edition {current.edition} in the kit.",
            next_step="get the newest file from the authority: an old one could bring back a key"
            " that was revoked.",
            case=27,
        )
    if later.edition == current.edition and later.fingerprint != current.fingerprint:
        raise ConfigurationError(
            f"{path} and the kit's file are both edition {later.edition}, and differ: the authority"
            " signed two.",
            next_step="do not use it. Ask the authority why, and compare fingerprints with the"
            " other parties.",
            case=27,
        )
    if not current.is_followed_by(later):
        raise ConfigurationError(
            f"{path} has other parties, another protocol or fewer revoked keys than the kit's file:"
            " no edition changes that.",
            next_step="do not use it. Ask the authority why; for another consortium make a new kit"
            " and compare all fingerprints anew.",
            case=27,
        )
    changed = {n: keys for n, keys in current.changes(later).items() if n not in accept}
    if changed:
        told = "; ".join(
            f"{name} from {short(old)} to {short(new) if new else 'none'}"
            for name, (old, new) in changed.items()
        )
        options = " ".join(f"--accept {name}" for name in changed)
        raise PolicyDeniedError(
            f"keys of parties change in edition {later.edition}: {told}.",
            next_step="call these parties, compare the new fingerprint with what `tacit consortium"
            f" status --kit DIR` shows there, and then repeat with {options}.",
            case=21,
            parties=list(changed),
        )


def _credentials(folder: Path, answer: Answer, root: bytes) -> list[tuple[str, bytes]]:
    """Certificates with the keys that they are for, and the names of their files."""
    if answer.role == "client":
        pairs = [(answer.link, CLIENT_CERTIFICATE_FILE, CLIENT_KEY_FILE)]
    else:
        pairs = [
            (answer.link, CERTIFICATE_FILE, KEY_FILE),
            (answer.evidence, EVIDENCE_CERTIFICATE_FILE, EVIDENCE_KEY_FILE),
        ]
    found = []
    for pem, certificate_file, key_file in pairs:
        key = _key_for(folder, key_file, pem, root, answer.name)
        found += [(key_file, key), (certificate_file, pem.encode())]
    return found


def _key_for(folder: Path, key_file: str, pem: str, root: bytes, name: str) -> bytes:
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(root))
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        raise CertificateError(
            f"the certificate for {name} is damaged or not from this consortium's authority.",
            next_step="install the answer and the consortium's file of the same authority.",
            case=6,
        ) from None
    for path in (folder / PENDING / key_file, folder / key_file):
        if not path.exists():
            continue
        key = private_file(path)
        try:
            if load_pem_private_key(key, password=None).public_key() == certificate.public_key():
                return key
        except (ValueError, TypeError, UnsupportedAlgorithm):
            continue
    raise CertificateError(
        f"the answer for {name} is for other keys than those in {folder}.",
        next_step="install it in the kit whose request it answers, or make a new request.",
        case=4,
    )


def _forget(pending: Path) -> None:
    shutil.rmtree(pending, ignore_errors=True)
