"""A consortium's authority: a folder that persists, with a root that never changes.

====================== ===================================================================
``consortium.json``    the consortium's file, for everybody
``authority.key``      the root's key and the key that signs the file, sealed
``register.json``      what was issued, to whom and until when
``answers/NAME.cert``  certificates to send back; no secret
``kits/NAME/``         kits made here, with keys: only by ``issue``, the second choice
====================== ===================================================================

The root is valid for twenty years, certificates for one. A certificate is renewed for the same
keys, so that nobody else needs to do anything; other keys make a new edition of the consortium's
file.
"""

from __future__ import annotations

import datetime
import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from msgspec import Struct
from msgspec.structs import replace

from tacit.consortium.file import Consortium, Member, Revoked, now, sign
from tacit.consortium.installing import install
from tacit.consortium.kit import CONSORTIUM_FILE, Role
from tacit.consortium.register import Entry, Register, listed, no_authority, write_register
from tacit.consortium.requests import (
    ANSWER_TYPE,
    FORMAT,
    Answer,
    Request,
    make_request,
    private_folder,
)
from tacit.consortium.sealing import Secret, seal, unseal
from tacit.errors import ConfigurationError, UsageError
from tacit.network import Address
from tacit.network.issuing import Issuer, private_pem
from tacit.network.names import check_name
from tacit.network.trust import key_fingerprint_of
from tacit.protocols import protocol_named
from tacit.storage.writing import write_whole

__all__ = ["DAYS", "KEYS_FILE", "Approval", "AuthorityFolder"]

KEYS_FILE: Final = "authority.key"
ROOT_DAYS: Final = 20 * 365
DAYS: Final = 365
"""How long certificates are valid by default."""
_EARLIER: Final = datetime.timedelta(hours=1)
"""Certificates begin an hour ago, for clocks that differ."""


class _Keys(Struct, frozen=True, forbid_unknown_fields=True):
    """What is sealed: private keys, PEM, and the certificate of the key that signs the file."""

    root: str
    file: str
    signer: str


class Approval(Struct, frozen=True):
    """What an approval did.

    Attributes
    ----------
    answer : Path
        The file to send back.
    edition : int
        Of the consortium's file now.
    changed : bool
        Whether that file changed, so that all parties need it.
    """

    answer: Path
    edition: int
    changed: bool


class AuthorityFolder:
    """An authority that was opened with its secret.

    Parameters
    ----------
    folder : Path
    secret : Secret

    Raises
    ------
    ConfigurationError
        There is no authority (TC-2024), a file is damaged (TC-2020 to TC-2022, TC-2028), or the
        secret is another one (TC-2029).
    """

    def __init__(self, folder: Path, secret: Secret) -> None:
        self.folder = folder
        try:
            sealed = (folder / KEYS_FILE).read_bytes()
        except OSError:
            raise no_authority(folder) from None
        self.consortium: Consortium
        self._register: Register
        self.consortium, self._register = listed(folder)
        keys = msgspec.json.decode(unseal(sealed, secret, folder / KEYS_FILE), type=_Keys)
        root_key = load_pem_private_key(keys.root.encode(), password=None)
        file_key = load_pem_private_key(keys.file.encode(), password=None)
        root = x509.load_pem_x509_certificate(self.consortium.root.encode())
        assert isinstance(root_key, ec.EllipticCurvePrivateKey)
        assert isinstance(file_key, Ed25519PrivateKey)
        if root_key.public_key() != root.public_key():
            raise ConfigurationError(
                f"{folder / KEYS_FILE} is the key of another authority than {CONSORTIUM_FILE}.",
                next_step="restore both files from the same copy.",
                case=28,
            )
        self._issuer = Issuer(root_key, root, _EARLIER)
        self._file_key = file_key
        self._signer = keys.signer.encode()

    def __repr__(self) -> str:
        return f"AuthorityFolder({self.folder})"

    @classmethod
    def create(
        cls,
        folder: Path,
        name: str,
        parties: Mapping[str, str],
        secret: Secret,
        *,
        protocol: str,
        helpers: Sequence[str] = (),
        services: Mapping[str, str] | None = None,
    ) -> AuthorityFolder:
        """Make a new authority.

        Parameters
        ----------
        folder : Path
            Must hold none yet.
        name : str
            The consortium's.
        parties : mapping of str to str
            ``host:port`` by name, in party order.
        secret : Secret
            What seals the keys.
        protocol : str
            What the parties run unless they say otherwise.
        helpers : sequence of str
            Parties that hold no data; they come last.
        services : mapping of str to str, optional
            Where clients of a service reach each party, if not at the port after its address's.

        Raises
        ------
        UsageError
            A name, address, number of parties or protocol is not possible, or there is an authority
            in the folder already (TC-1058).
        StorageError
            The folder cannot be written.
        """
        secret.check_strength()
        if (folder / KEYS_FILE).exists() or (folder / CONSORTIUM_FILE).exists():
            raise UsageError(
                f"{folder} holds an authority already; its root is never replaced.",
                next_step="choose another folder, or see this one with `tacit consortium status`.",
                case=58,
            )
        check_name(name)
        ordered = [n for n in parties if n not in helpers] + [n for n in parties if n in helpers]
        needed = protocol_named(protocol).security.parties
        if len(ordered) != needed or not set(helpers) <= set(parties):
            raise UsageError(
                f"{protocol} runs with {needed} parties, and {len(ordered)} are named"
                f"{'' if set(helpers) <= set(parties) else ', helpers among them that are none'}.",
                next_step="name every party once, with its address, and helpers among them; or"
                " choose another protocol.",
                case=21,
            )
        members = tuple(
            _member(n, parties[n], (services or {}).get(n, ""), data=n not in helpers)
            for n in ordered
        )
        issuer = Issuer.create(
            f"tacit consortium {name}", datetime.timedelta(days=ROOT_DAYS), _EARLIER
        )
        file_key = Ed25519PrivateKey.generate()
        signer = issuer.certify(name, file_key.public_key(), "file")
        consortium = Consortium(
            name=name,
            edition=1,
            created=now(),
            protocol=protocol,
            root=issuer.certificate.decode(),
            parties=members,
        )
        keys = _Keys(issuer.key_pem.decode(), private_pem(file_key).decode(), signer.decode())
        private_folder(folder)
        write_whole(folder / CONSORTIUM_FILE, sign(consortium, file_key, signer))
        write_whole(folder / KEYS_FILE, seal(msgspec.json.encode(keys), secret))
        return cls(folder, secret)

    # What it does.

    def knows(self, request: Request) -> bool:
        """Whether a request is for the very keys that its maker is certified for now."""
        entry = self._entry(request.name, request.role)
        return (
            entry is not None and not entry.revoked and list(entry.keys) == _fingerprints(request)
        )

    def approve(
        self,
        request: Request,
        days: int = DAYS,
        how: Literal["approved", "issued"] = "approved",
    ) -> Approval:
        """Certify the keys of a request, whose fingerprint was compared out of band.

        Other keys than the ones that this party or client had before replace them: the old ones are
        revoked.

        Raises
        ------
        UsageError
            It is of a party that is not of this consortium (TC-1056), or of a client with a party's
            name or of keys that are another's or were revoked (TC-1058).
        """
        keys = _fingerprints(request)
        self._check_request(request, keys)
        return self._certify(request.name, request.role, request.link, request.evidence, days, how)

    def issue(self, names: Sequence[str], role: Role = "party", days: int = DAYS) -> list[Path]:
        """Make keys and kits here, for who cannot make a request: the second choice.

        Whoever reads this folder has those parties' keys, until they take new ones. Each kit has to
        reach its party by a way that nobody reads, and is best deleted here then.

        Returns
        -------
        list of Path
            The kits' folders, in the order of `names`.

        Raises
        ------
        UsageError
            As of :meth:`approve`.
        """
        kits, answers = [], []
        for name in names:
            kit = self.folder / "kits" / _file_name(name, role)
            _, request = make_request(kit, name, role, new_keys=True)
            answers.append(self.approve(request, days, "issued").answer)
            kits.append(kit)
        for kit, answer in zip(kits, answers, strict=True):
            install(kit, [self.folder / CONSORTIUM_FILE, answer], accept=self.consortium.names)
        return kits

    def renew(self, name: str, role: Role = "party", days: int = DAYS) -> Approval:
        """Certify the keys that somebody has for longer. The consortium's file stays as it is.

        Raises
        ------
        UsageError
            Nothing was issued to it, or it was revoked (TC-1056).
        """
        entry = self._entry(name, role)
        if entry is None or entry.revoked:
            raise UsageError(
                f"The {role} {name} has no certificate that could be renewed.",
                next_step=f"have it make a request: tacit consortium request {name}"
                f"{' --client' if role == 'client' else ''}.",
                case=56,
            )
        link = x509.load_pem_x509_certificate(entry.link.encode()).public_key()
        evidence = None
        if entry.evidence:
            evidence = x509.load_pem_x509_certificate(entry.evidence.encode()).public_key()
        assert isinstance(link, ec.EllipticCurvePublicKey)
        assert evidence is None or isinstance(evidence, Ed25519PublicKey)
        return self._certify(name, role, link, evidence, days, "renewed")

    def revoke(self, name: str, role: Role = "party") -> int:
        """Accept the keys of a party or client no more; the new edition of the file.

        Raises
        ------
        UsageError
            Nothing was issued to it (TC-1056).
        """
        with self._locked():
            entry = self._entry(name, role)
            if entry is None:
                raise UsageError(
                    f"The {role} {name} has no certificate.",
                    next_step="`tacit consortium status` lists those that were issued.",
                    case=56,
                )
            # The file first: after a crash in between the same command again finishes the job.
            self._edit(self._without(self.consortium, entry))
            self._put(replace(entry, revoked=True))
        return self.consortium.edition

    def move(self, addresses: Mapping[str, str], services: Mapping[str, str]) -> int:
        """Give parties other addresses; the new edition of the file.

        Raises
        ------
        UsageError
            There is no such party (TC-1056), or this is no address.
        """
        with self._locked():
            for name in (*addresses, *services):
                self.consortium.member(name)
            parties = tuple(
                _moved(m, addresses.get(m.name, m.address), services.get(m.name, m.service))
                for m in self.consortium.parties
            )
            self._edit(replace(self.consortium, parties=parties))
        return self.consortium.edition

    # How.

    def _check_request(self, request: Request, keys: Sequence[str]) -> None:
        if request.role == "party":
            self.consortium.member(request.name)
        elif request.name in self.consortium.names:
            raise UsageError(
                f"{request.name} is a party: no client has its name.",
                next_step="choose another name for the client.",
                case=58,
            )
        revoked = {r.key for r in self.consortium.revoked}
        others = {
            key
            for entry in self._register.entries
            if (entry.name, entry.role) != (request.name, request.role)
            for key in entry.keys
        }
        if revoked & set(keys) or others & set(keys):
            raise UsageError(
                f"The request of {request.name} is for keys that were revoked or are another's.",
                next_step=f"have it make new ones: tacit consortium request {request.name}"
                " --new-keys.",
                case=58,
            )

    def _certify(
        self,
        name: str,
        role: Role,
        link: ec.EllipticCurvePublicKey,
        evidence: Ed25519PublicKey | None,
        days: int,
        how: Literal["approved", "issued", "renewed"],
    ) -> Approval:
        lifetime = datetime.timedelta(days=days)
        certificate = self._issuer.certify(name, link, role, lifetime)
        signing = b""
        if evidence is not None:
            signing = self._issuer.certify(name, evidence, "evidence", lifetime)
        keys = [key_fingerprint_of(link)]
        if evidence is not None:
            keys.append(key_fingerprint_of(evidence))
        until = x509.load_pem_x509_certificate(certificate).not_valid_after_utc
        answer = Answer(
            type=ANSWER_TYPE,
            format=FORMAT,
            name=name,
            role=role,
            link=certificate.decode(),
            evidence=signing.decode(),
        )
        with self._locked():
            before = self._entry(name, role)
            changed = self.consortium
            if before is not None and not before.revoked and set(before.keys) - set(keys):
                changed = self._without(changed, before, but=keys)
            if role == "party":
                changed = _pinned(changed, name, keys)
            edited = changed != self.consortium
            if edited:  # the file first: until the old keys are in it, they are remembered here
                self._edit(changed)
            self._put(
                Entry(
                    name=name,
                    role=role,
                    link=answer.link,
                    evidence=answer.evidence,
                    keys=tuple(keys),
                    until=until.isoformat(timespec="seconds"),
                    at=now(),
                    how=how,
                )
            )
            path = private_folder(self.folder / "answers") / f"{_file_name(name, role)}.cert"
            write_whole(path, answer.to_bytes())
        return Approval(path, self.consortium.edition, edited)

    def _without(self, consortium: Consortium, entry: Entry, but: Sequence[str] = ()) -> Consortium:
        """The consortium where these keys are revoked, and pinned no more."""
        known = {r.key for r in consortium.revoked}
        at = now()
        added = tuple(
            Revoked(name=entry.name, role=entry.role if place == 0 else "evidence", key=key, at=at)
            for place, key in enumerate(entry.keys)
            if key not in known and key not in but
        )
        changed = replace(consortium, revoked=(*consortium.revoked, *added))
        return _pinned(changed, entry.name, ("", "")) if entry.role == "party" else changed

    def _entry(self, name: str, role: Role) -> Entry | None:
        return next((e for e in self._register.entries if (e.name, e.role) == (name, role)), None)

    def _put(self, entry: Entry) -> None:
        others = tuple(
            e for e in self._register.entries if (e.name, e.role) != (entry.name, entry.role)
        )
        self._register = replace(self._register, entries=(*others, entry))
        write_register(self.folder, self._register)

    def _edit(self, changed: Consortium) -> None:
        changed = replace(changed, edition=self.consortium.edition + 1, created=now())
        data = sign(changed, self._file_key, self._signer)
        write_whole(self.folder / CONSORTIUM_FILE, data)
        self.consortium = changed

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One command at a time changes the folder, and from what is there now."""
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            self.consortium, self._register = listed(self.folder)
            yield
        finally:
            os.close(descriptor)


def _member(name: str, address: str, service: str, *, data: bool) -> Member:
    check_name(name)
    return _moved(Member(name=name, address="", data=data), address, service)


def _moved(member: Member, address: str, service: str) -> Member:
    parsed = Address.parse(address)
    if service:
        Address.parse(service)
    if not 0 < parsed.port <= 65_535 - (not service):
        raise UsageError(
            f"{member.name} has no port of its own in {address}.",
            next_step="name a port from 1 to 65534; clients of a service take the next one.",
            case=10,
        )
    return replace(member, address=str(parsed), service=service)


def _pinned(consortium: Consortium, name: str, keys: Sequence[str]) -> Consortium:
    parties = tuple(
        replace(m, key=keys[0], evidence=keys[1]) if m.name == name else m
        for m in consortium.parties
    )
    return replace(consortium, parties=parties)


def _fingerprints(request: Request) -> list[str]:
    found = [key_fingerprint_of(request.link)]
    if request.evidence is not None:
        found.append(key_fingerprint_of(request.evidence))
    return found


def _file_name(name: str, role: Role) -> str:
    plain = "".join(c if c.isalnum() or c in "-_." else "_" for c in name)
    return f"{plain}.client" if role == "client" else plain
