"""What stays of a fault: signed bodies that an outsider can check, without any share.

A record is a folder: ``evidence.json`` (the verdict, what it rests on, the certificates of the
keys), ``authority.pem`` and ``summary.txt`` for people. It appears whole or not at all. Checking it
needs the authority's certificate and nothing else: every signature is verified, the verdict is
computed again from what was signed, and it must be the one that the record claims.

What a holder can leave out. A statement that was left out would make its author look absent, so an
absence counts only if at least two others signed that they did not hear it, and whatever somebody
signed to have heard must be in the record.
"""

from __future__ import annotations

import datetime
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from tacit.errors import CertificateError, EvidenceError, RecoveryError, VerificationError
from tacit.network import Trust, evidence_key
from tacit.network.trust import ANY
from tacit.recovery.statements import (
    STATEMENT_BYTES,
    Exhibit,
    Forwarded,
    Keys,
    Occasion,
    Purpose,
    Signed,
    Statement,
    read,
)
from tacit.recovery.validity import Rules
from tacit.recovery.verdict import Accepted, Basis, Verdict, disputed, judge
from tacit.storage.writing import PART, move, write_whole

__all__ = ["Checked", "check", "records", "write", "write_after_pair"]

FORMAT: Final = 1
RECORD: Final = "evidence.json"
AUTHORITY: Final = "authority.pem"
SUMMARY: Final = "summary.txt"

_LIMIT: Final = 1 << 23
_ATTESTING: Final = 2


class Finding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The verdict as the record claims it."""

    kind: Literal["unclear", "lost", "convicted", "pair"]
    party: str | None
    pair: tuple[str, str] | None
    by_silence: bool
    restart: int
    reason: str
    basis: Basis


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What ``evidence.json`` holds."""

    format: int
    holder: str
    written: float
    occasion: Occasion
    members: Annotated[tuple[str, ...], msgspec.Meta(min_length=2, max_length=4)]
    base: int
    digests_kept: bool
    finding: Finding
    certificates: dict[str, bytes]
    exhibits: Annotated[tuple[Exhibit, ...], msgspec.Meta(max_length=64)]
    follows: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{16}-[0-9]+-[0-9]+)?$")] = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """A record that holds.

    Attributes
    ----------
    folder : Path
        Where it is.
    holder : str
        Who wrote it.
    members : tuple of str
        Who conferred.
    verdict : Verdict
        What follows from the signatures.
    statements : tuple of Statement
        What the parties said.
    fingerprint : str
        SHA-256 of the authority's certificate, in hexadecimal digits.
    """

    folder: Path
    holder: str
    members: tuple[str, ...]
    verdict: Verdict
    statements: tuple[Statement, ...]
    fingerprint: str


def write(
    folder: Path,
    verdict: Verdict,
    *,
    holder: str,
    members: tuple[str, ...],
    base: int,
    evidence: bool,
    certificates: Mapping[str, bytes],
    authority: bytes,
    at: float | None = None,
) -> Path:
    """Write the record of a conference below `folder`.

    Parameters
    ----------
    folder : Path
        This party's folder for evidence; made if needed.
    verdict : Verdict
        What the conference returned.
    holder : str
        This party.
    members, base, evidence
        As the conference was held with.
    certificates : mapping of str to bytes
        The members' certificates for evidence, DER.
    authority : bytes
        The consortium's root certificate, PEM.
    at : float, optional
        Seconds since 1970; now by default.

    Returns
    -------
    Path
        The record's folder; the same one if it is there already.

    Raises
    ------
    StorageError
        The disk is full or the folder cannot be written.
    """
    record = Record(
        format=FORMAT,
        holder=holder,
        written=time.time() if at is None else at,
        occasion=verdict.occasion,
        members=members,
        base=base,
        digests_kept=evidence,
        finding=_finding(verdict),
        certificates={party: certificates[party] for party in members},
        exhibits=verdict.evidence,
    )
    return _write(folder, record, authority)


def write_after_pair(
    folder: Path,
    before: Path,
    statements: Mapping[str, Signed],
    *,
    holder: str,
    occasion: Occasion,
    members: tuple[str, ...],
    certificates: Mapping[str, bytes],
    authority: bytes,
    at: float | None = None,
) -> Path | None:
    """Write the record of a stage that failed after a pair was named: its third party is at fault.

    Parameters
    ----------
    folder : Path
        As of :func:`write`.
    before : Path
        The record of the pair, in the same folder.
    statements : mapping of str to Signed
        What the two that are in the stage and not in the pair signed about its end.
    occasion : Occasion
        Of the stage.
    members : tuple of str
        Who computed in it.
    holder, certificates, authority, at
        As of :func:`write`.

    Returns
    -------
    Path or None
        The record's folder; None if the statements prove nothing.

    Raises
    ------
    StorageError
        The disk is full or the folder cannot be written.
    EvidenceError
        The record before does not hold.
    """
    pair = check(before)
    exhibits = tuple(Exhibit(p, "statement", statements[p]) for p in members if p in statements)
    draft = Record(
        format=FORMAT,
        holder=holder,
        written=time.time() if at is None else at,
        occasion=occasion,
        members=members,
        base=pair.verdict.restart,
        digests_kept=False,
        finding=_finding(pair.verdict),
        certificates={party: certificates[party] for party in members},
        exhibits=exhibits,
        follows=before.name,
    )
    rules = Rules(occasion, members, _keys(draft, authority, folder, ANY), draft.base)
    verdict = _second(draft, rules, pair.verdict, _accepted(draft, rules, folder)[0])
    if verdict is None:
        return None
    record = msgspec.structs.replace(draft, finding=_finding(verdict))
    return _write(folder, record, authority)


def _finding(verdict: Verdict) -> Finding:
    return Finding(
        kind=verdict.kind,
        party=verdict.party,
        pair=verdict.pair,
        by_silence=verdict.by_silence,
        restart=verdict.restart,
        reason=verdict.reason,
        basis=verdict.basis,
    )


def _write(folder: Path, record: Record, authority: bytes) -> Path:
    occasion = record.occasion
    name = f"{occasion.session.hex()[:16]}-{occasion.stage}-{occasion.attempt}"
    path = folder / name
    if path.exists():
        return path
    part = folder / f".{name}.{secrets.token_hex(4)}{PART}"
    part.mkdir(parents=True, mode=0o700)
    write_whole(part / RECORD, msgspec.json.format(msgspec.json.encode(record), indent=1))
    write_whole(part / AUTHORITY, authority)
    write_whole(part / SUMMARY, _summary(record).encode())
    move(part, path)
    return path


def records(folder: Path) -> list[Path]:
    """The records in a folder, oldest first: itself, or what lies below it.

    Raises
    ------
    EvidenceError
        There is none (TC-2400).
    """
    if (folder / RECORD).is_file():
        return [folder]
    found = [path.parent for path in folder.glob(f"**/{RECORD}") if PART not in path.parent.name]
    if not found:
        raise EvidenceError(
            f"{folder} holds no record of a fault.",
            next_step="name the folder that a party wrote evidence into, or one record in it.",
            case=0,
            stage="evidence",
        )
    return sorted(found, key=lambda path: (os.stat(path / RECORD).st_mtime, path.name))


def check(folder: Path, authority: bytes | None = None, trust: Trust = ANY) -> Checked:
    """Check one record.

    Parameters
    ----------
    folder : Path
        The record.
    authority : bytes, optional
        The consortium's root certificate, PEM, from a source that is trusted. Without, the one in
        the folder is taken: then everything rests on its fingerprint.
    trust : Trust
        The keys that parties are known by, beyond the authority's word; by default any.

    Raises
    ------
    EvidenceError
        A file is missing or malformed (TC-2401), a certificate is not from the authority
        (TC-2402), something was changed (TC-2403), left out (TC-2404), or the verdict does not
        follow from what was signed (TC-2405); a party's key is another than it is known by
        (TC-2406).
    """
    record, own = _load(folder)
    root = own if authority is None else authority
    if _fingerprint(root, folder) != _fingerprint(own, folder):
        raise EvidenceError(
            f"{folder} is of another authority than the one given.",
            next_step="take the authority's certificate of the consortium that ran the job.",
            case=2,
            stage="evidence",
        )
    rules = Rules(record.occasion, record.members, _keys(record, root, folder, trust), record.base)
    statements, answers = _accepted(record, rules, folder)
    verdict: Verdict | None
    if record.follows:
        before = check(folder.parent / record.follows, root, trust).verdict
        verdict = _second(record, rules, before, statements)
    else:
        _require_whole(record, rules, statements, answers, folder)
        try:
            verdict = judge(rules, statements, answers, evidence=record.digests_kept)
        except RecoveryError as error:
            raise _unfounded(folder, error.message) from None
    if verdict is None or record.finding != _finding(verdict):
        raise _unfounded(folder, "nothing" if verdict is None else verdict.reason)
    said = [
        rules.statement(party, signed.body)
        for party in record.members
        for signed in statements.get(party, ())
    ]
    return Checked(
        folder,
        record.holder,
        record.members,
        verdict,
        tuple(s for s in said if s is not None),
        _fingerprint(root, folder),
    )


def _load(folder: Path) -> tuple[Record, bytes]:
    try:
        with (folder / RECORD).open("rb") as file:
            data = file.read(_LIMIT + 1)
        authority = (folder / AUTHORITY).read_bytes()
        record = msgspec.json.decode(data, type=Record)
        whole = len(data) <= _LIMIT and record.format == FORMAT
        whole = whole and len(set(record.members)) == len(record.members)
    except (OSError, msgspec.MsgspecError, UnicodeError, RecursionError):
        whole = False
    if not whole:
        raise EvidenceError(
            f"{folder} has no readable {RECORD} of format {FORMAT} with its {AUTHORITY}.",
            next_step="get the whole folder again from the party that holds it.",
            case=1,
            stage="evidence",
        )
    return record, authority


def _fingerprint(authority: bytes, folder: Path) -> str:
    try:
        return x509.load_pem_x509_certificate(authority).fingerprint(hashes.SHA256()).hex()
    except ValueError:
        raise EvidenceError(
            f"the authority's certificate for {folder} is none.",
            next_step="give the consortium's root certificate as a PEM file.",
            case=2,
            stage="evidence",
        ) from None


def _keys(record: Record, authority: bytes, folder: Path, trust: Trust) -> Keys:
    keys = {}
    try:
        at = datetime.datetime.fromtimestamp(record.written, datetime.UTC)
        for party in record.members:
            keys[party] = evidence_key(record.certificates[party], authority, party, at)
    except (KeyError, ValueError, OverflowError, OSError, CertificateError):
        raise EvidenceError(
            f"{folder} does not hold a certificate of this authority for each of"
            f" {', '.join(record.members)}, valid at its date.",
            next_step="compare the authority's certificate, and get the folder again from the"
            " party that holds it.",
            case=2,
            stage="evidence",
        ) from None
    for party in record.members:
        try:
            trust.check_evidence(party, record.certificates[party])
        except CertificateError as error:
            raise EvidenceError(
                f"{folder} rests on a key that is not the one of {party}: {error.message}",
                next_step="take the consortium's file that held when the job ran, whose fingerprint"
                " the parties compared. If this was it, the authority certified somebody else.",
                case=6,
                parties=[party],
                stage="evidence",
            ) from None
    return Keys(keys)


def _accepted(record: Record, rules: Rules, folder: Path) -> tuple[Accepted, Accepted]:
    """Statements and answers by author; every signature in the record holds."""
    found: dict[str, dict[str, dict[bytes, Signed]]] = {"statement": {}, "answer": {}}
    for exhibit in record.exhibits:
        if not _signed(rules, exhibit.party, exhibit.purpose, exhibit.signed):
            raise EvidenceError(
                f"{folder} was changed: a {exhibit.purpose} does not have the signature of"
                f" {exhibit.party}.",
                next_step="get the folder again from the party that holds it; this copy proves"
                " nothing.",
                case=3,
                stage="evidence",
            )
        if exhibit.purpose in found:
            of_author = found[exhibit.purpose].setdefault(exhibit.party, {})
            of_author[exhibit.signed.body] = exhibit.signed
    ordered = {
        purpose: {party: tuple(said[body] for body in sorted(said)) for party, said in of.items()}
        for purpose, of in found.items()
    }
    return ordered["statement"], ordered["answer"]


def _require_whole(
    record: Record, rules: Rules, statements: Accepted, answers: Accepted, folder: Path
) -> None:
    """Refuse a record in which something was left out."""
    missing: list[str] = []
    dispute = disputed(rules, statements)
    asked = () if dispute is None else (dispute.sender, dispute.backup)
    subjects: tuple[tuple[Literal["statement", "answer"], Accepted, tuple[str, ...]], ...] = (
        ("statement", statements, record.members),
        ("answer", answers, asked),
    )
    for subject, accepted, authors in subjects:
        bundles = [
            read(exhibit.signed.body, Forwarded)
            for exhibit in record.exhibits
            if exhibit.purpose == "forwarded"
        ]
        heard = {b.party: b.heard for b in bundles if b is not None and b.subject == subject}
        for author in authors:
            mute = [p for p, of in heard.items() if p != author and author not in dict(of)]
            if author not in accepted and len(mute) < _ATTESTING:
                missing.append(f"the {subject} of {author}")
        for forwarder, of in heard.items():
            for author, signed in of:
                if author == forwarder or len(signed.body) > STATEMENT_BYTES:
                    continue
                known = {said.body for said in accepted.get(author, ())}
                if signed.body not in known and _signed(rules, author, subject, signed):
                    missing.append(f"a {subject} of {author} that {forwarder} heard")
    if missing:
        raise EvidenceError(
            f"{folder} is incomplete: {', '.join(dict.fromkeys(missing))} is missing.",
            next_step="get the whole folder from the party that holds it, or that of another one.",
            case=4,
            stage="evidence",
        )


def _second(record: Record, rules: Rules, before: Verdict, statements: Accepted) -> Verdict | None:
    """The conviction of the one of a pair that went on, by the two that are known to be honest."""
    occasion, pair = record.occasion, before.pair
    if pair is None or len(record.members) != 3:
        return None
    left = [party for party in record.members if party in pair]
    honest = [party for party in record.members if party not in pair]
    said = [
        rules.statement(party, found[0].body)
        for party in honest
        for found in [statements.get(party, ())]
        if len(found) == 1
    ]
    fits = (
        (occasion.session, occasion.stage) == (before.occasion.session, 1)
        and record.base == before.restart
        and len(left) == 1
        and len(said) == len(honest)
        and all(s is not None and s.seen.kind != "stopped" for s in said)
    )
    if not fits:
        return None
    one, other = honest
    reason = (
        f"{one} and {other}, honest by the record before, both say that their stage with"
        f" {left[0]} failed"
    )
    kind: Literal["lost", "convicted"] = "lost" if before.by_silence else "convicted"
    return Verdict(
        occasion, kind, left[0], None, False, before.restart, reason, before.basis, record.exhibits
    )


def _signed(rules: Rules, author: str, purpose: Purpose, signed: Signed) -> bool:
    try:
        rules.keys.verify(author, purpose, rules.occasion, signed)
    except VerificationError:
        return False
    return author in rules.members


def _unfounded(folder: Path, reason: str) -> EvidenceError:
    return EvidenceError(
        f"{folder} claims something else than what follows from the signatures: {reason}.",
        next_step="this copy was changed, or its writer lied; get another party's folder.",
        case=5,
        stage="evidence",
    )


def _summary(record: Record) -> str:
    finding = record.finding
    about = finding.party or " or ".join(finding.pair or ()) or "nobody"
    when = datetime.datetime.fromtimestamp(record.written, datetime.UTC)
    return (
        f"Evidence of a fault, written by {record.holder} on {when:%Y-%m-%d %H:%M:%S} UTC.\n"
        f"Session {record.occasion.session.hex()}, stage {record.occasion.stage},"
        f" attempt {record.occasion.attempt}.\n"
        f"Verdict: {finding.kind}, {about}. {finding.reason}.\n"
        "Check it, on any machine:  tacit blame verify THIS_FOLDER --authority AUTHORITY.pem\n"
    )
