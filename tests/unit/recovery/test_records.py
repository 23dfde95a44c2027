"""Records of a fault: written whole, checked by an outsider, refused when anything is changed."""

from __future__ import annotations

import base64
import copy
import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from conferences import NAMES, OCCASION
from typer.testing import CliRunner

from tacit.cli.app import app
from tacit.errors import EvidenceError, StorageError
from tacit.network import Authority, Trust, evidence_signer
from tacit.network.trust import key_fingerprint
from tacit.recovery import (
    Keys,
    Occasion,
    Seen,
    SeenDispute,
    Signed,
    Signer,
    Statement,
    Verdict,
    confer,
)
from tacit.recovery.evidence import (
    AUTHORITY,
    RECORD,
    SUMMARY,
    check,
    records,
    write,
    write_after_pair,
)
from tacit.recovery.statements import encoded

ALICE, BOB, CAROL, DAVE = NAMES


class Consortium:
    """Four parties with certificates, and conferences among them."""

    def __init__(self, authority: Authority | None = None) -> None:
        self.authority = authority or Authority()
        credentials = {name: self.authority.issue(name) for name in NAMES}
        made = {name: evidence_signer(c) for name, c in credentials.items()}
        self.signers = {name: Signer(name, key) for name, (key, _) in made.items()}
        self.certificates = {name: der for name, (_, der) in made.items()}
        self.keys = Keys({name: key.public_key() for name, (key, _) in made.items()})

    def said(self, party: str, seen: Seen, occasion: Occasion = OCCASION, base: int = 0) -> Signed:
        body = Statement(
            occasion=occasion,
            party=party,
            passed=base,
            reached=base,
            proofs=(),
            transcript=b"",
            operation="matmul",
            at=1_700_000_000.0,
            seen=seen,
        )
        return self.signers[party].sign("statement", occasion, encoded(body))

    def confer(
        self, own: dict[str, Signed], answers: dict[str, tuple[bool, bytes | None]]
    ) -> dict[str, Verdict]:
        talks = {
            party: confer(
                said,
                NAMES,
                self.signers[party],
                self.keys,
                lambda _, party=party: answers[party],
                occasion=OCCASION,
                base=0,
                evidence=True,
            )
            for party, said in own.items()
        }
        sent = {party: next(talk) for party, talk in talks.items()}
        verdicts = {}
        while talks:
            came = {p: {q: said[p] for q, said in sent.items() if q != p} for p in talks}
            for party, talk in list(talks.items()):
                try:
                    sent[party] = talk.send(came[party])
                except StopIteration as stop:
                    verdicts[party] = stop.value
                    del talks[party]
        return verdicts

    def lost(self) -> Verdict:
        """Dave is gone."""
        first = self.said(ALICE, Seen("silent", DAVE, "TC-3401"))
        on = Seen("heard", ALICE, said=first)
        return self.confer(
            {ALICE: first, BOB: self.said(BOB, on), CAROL: self.said(CAROL, on)}, {}
        )[BOB]

    def pair(self) -> Verdict:
        """Alice and bob contradict each other about a message to carol."""
        dispute = SeenDispute(7, ALICE, BOB, CAROL, DAVE, b"r", b"v")
        first = self.said(CAROL, Seen("dispute", code="TC-5300", dispute=dispute))
        own = {p: self.said(p, Seen("heard", CAROL, said=first)) for p in (ALICE, BOB, DAVE)}
        answers = {ALICE: (True, b"r"), BOB: (True, b"v")}
        return self.confer({**own, CAROL: first}, answers)[DAVE]

    def write(self, folder: Path, verdict: Verdict) -> Path:
        return write(
            folder,
            verdict,
            holder=BOB,
            members=NAMES,
            base=0,
            evidence=True,
            certificates=self.certificates,
            authority=self.authority.certificate,
        )


@pytest.fixture(scope="module")
def consortium() -> Consortium:
    return Consortium()


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["blame", "verify", *arguments], catch_exceptions=True)


def test_a_record_is_checked_by_who_has_the_authoritys_certificate(
    consortium: Consortium, tmp_path: Path
) -> None:
    root = tmp_path / "root.pem"
    root.write_bytes(consortium.authority.certificate)
    for name, verdict in (("a", consortium.lost()), ("b", consortium.pair())):
        folder = consortium.write(tmp_path / name, verdict)
        found = check(folder, root.read_bytes())
        assert found.verdict == verdict
        assert found.holder == BOB
        shown = run(str(tmp_path / name), "--authority", str(root))
        assert shown.exit_code == 0, shown.output
        assert "Compare the authority" not in shown.output
        assert "matmul" in shown.output
        assert "2023-11-14 22:13:20 UTC" in shown.output
    assert consortium.lost().party == DAVE
    assert consortium.pair().pair == (ALICE, BOB)


def test_what_is_printed_says_what_it_proves_and_when(
    consortium: Consortium, tmp_path: Path
) -> None:
    consortium.write(tmp_path, consortium.pair())
    shown = run(str(tmp_path))
    assert "alice or bob" in shown.output
    assert "carol and dave are honest" in shown.output
    assert "at most one party is corrupt" in shown.output
    assert "arrive" not in shown.output
    assert "Compare the authority" in shown.output
    plain = json.loads(run(str(tmp_path), "--json").output)
    (record,) = plain["records"]
    assert plain["authority_given"] is False
    assert record["who"] == [ALICE, BOB]
    assert record["kind"] == "pair"
    assert record["basis"] == "contradiction"
    assert record["authority_sha256"] in shown.output.replace("\n", "")


def second(consortium: Consortium, folder: Path, **changes: Any) -> Path | None:
    """After the pair of alice and bob, bob was dropped, and alice failed."""
    occasion = msgspec.structs.replace(OCCASION, stage=1)
    seen = {CAROL: Seen("failed check"), DAVE: Seen("silent", ALICE)}
    said = {
        party: consortium.said(party, found, occasion, base=consortium.pair().restart)
        for party, found in seen.items()
    }
    given: dict[str, Any] = {"holder": DAVE, "occasion": occasion, "members": (ALICE, CAROL, DAVE)}
    given |= {"statements": said, "certificates": consortium.certificates}
    given |= {"authority": consortium.authority.certificate, **changes}
    return write_after_pair(folder, consortium.write(folder, consortium.pair()), **given)


def test_the_second_of_a_pair_is_convicted_by_the_two_honest_ones(
    consortium: Consortium, tmp_path: Path
) -> None:
    folder = second(consortium, tmp_path)
    assert folder is not None
    found = check(folder, consortium.authority.certificate)
    assert (found.verdict.kind, found.verdict.party) == ("convicted", ALICE)
    shown = run(str(tmp_path)).output
    assert "alice or bob" in shown
    assert "alice: convicted" in shown
    record = json.loads((folder / RECORD).read_bytes())
    for change in (
        claim(party=CAROL),
        drop_exhibits("statement", CAROL),
        lambda r: r.update(members=[BOB, CAROL, DAVE]),
        lambda r: r.update(follows=""),
    ):
        changed = copy.deepcopy(record)
        change(changed)
        (folder / RECORD).write_text(json.dumps(changed))
        with pytest.raises(EvidenceError, match=r"TC-240[245]"):
            check(folder)
    record["follows"] = "../" + record["follows"]
    (folder / RECORD).write_text(json.dumps(record))
    with pytest.raises(EvidenceError, match="TC-2401"):
        check(folder)


def test_one_word_convicts_nobody(consortium: Consortium, tmp_path: Path) -> None:
    occasion = msgspec.structs.replace(OCCASION, stage=1)
    one = {CAROL: consortium.said(CAROL, Seen("silent", ALICE), occasion)}
    by_alice = {**one, ALICE: consortium.said(ALICE, Seen("silent", CAROL), occasion)}
    stopped = {**one, DAVE: consortium.said(DAVE, Seen("stopped"), occasion)}
    for number, said in enumerate((one, by_alice, stopped)):
        assert second(consortium, tmp_path / str(number), statements=said) is None
    four = {"members": NAMES}
    assert second(consortium, tmp_path / "four", **four) is None


def test_silence_is_no_ill_will_and_rests_on_time(consortium: Consortium, tmp_path: Path) -> None:
    consortium.write(tmp_path, consortium.lost())
    shown = run(str(tmp_path)).output
    assert "no sign of ill will" in shown
    assert "arrive within the time-out" in shown


def test_a_record_appears_whole_and_once(
    consortium: Consortium, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = consortium.write(tmp_path, consortium.lost())
    assert {p.name for p in folder.iterdir()} == {RECORD, AUTHORITY, SUMMARY}
    assert consortium.write(tmp_path, consortium.pair()) == folder  # one of an occasion
    assert records(tmp_path) == [folder] == records(folder)

    def full(*_: Any) -> None:
        raise StorageError("the disk is full.", case=15)

    monkeypatch.setattr("tacit.recovery.evidence.move", full)
    with pytest.raises(StorageError):
        consortium.write(tmp_path / "other", consortium.lost())
    with pytest.raises(EvidenceError, match="TC-2400"):
        records(tmp_path / "other")


def test_nothing_in_a_record_is_a_key(consortium: Consortium, tmp_path: Path) -> None:
    folder = consortium.write(tmp_path, consortium.pair())
    whole = b"".join(path.read_bytes() for path in folder.iterdir())
    assert b"PRIVATE" not in whole


Change = Callable[[dict[str, Any]], object]


def drop_exhibits(purpose: str, party: str) -> Change:
    def change(record: dict[str, Any]) -> None:
        record["exhibits"] = [
            e for e in record["exhibits"] if (e["purpose"], e["party"]) != (purpose, party)
        ]

    return change


def claim(**fields: Any) -> Change:
    return lambda record: record["finding"].update(fields)


def drop_and_claim_lost(party: str) -> Change:
    """A holder who makes an honest party look absent: without its statement, and all bundles."""

    def change(record: dict[str, Any]) -> None:
        drop_exhibits("statement", party)(record)
        record["exhibits"] = [e for e in record["exhibits"] if e["purpose"] != "forwarded"]
        record["finding"].update(kind="lost", party=party, pair=None)

    return change


def flip(field: str) -> Change:
    def change(record: dict[str, Any]) -> None:
        signed = record["exhibits"][0]["signed"]
        at = 0 if field == "body" else 1
        data = bytearray(base64.b64decode(signed[at]))
        data[-1] ^= 1
        signed[at] = base64.b64encode(data).decode()

    return change


CHANGES: dict[str, tuple[Change, str]] = {
    "another party": (claim(pair=[ALICE, CAROL]), "TC-2405"),
    "another kind": (claim(kind="lost", pair=None, party=ALICE), "TC-2405"),
    "another restart": (claim(restart=3), "TC-2405"),
    "another reason": (claim(reason="alice did it"), "TC-2405"),
    "another basis": (claim(basis="words"), "TC-2405"),
    "another beginning": (lambda r: r.update(base=1), "TC-2405"),
    "a body": (flip("body"), "TC-2403"),
    "a signature": (flip("signature"), "TC-2403"),
    "another author": (lambda r: r["exhibits"][0].update(party=BOB), "TC-2403"),
    "a stranger": (lambda r: r["exhibits"][0].update(party="eve"), "TC-2403"),
    "another purpose": (lambda r: r["exhibits"][0].update(purpose="answer"), "TC-2403"),
    "another occasion": (lambda r: r["occasion"].__setitem__(2, 1), "TC-2403"),
    "no statement of alice": (drop_exhibits("statement", ALICE), "TC-2404"),
    "no answer of bob": (drop_exhibits("answer", BOB), "TC-2404"),
    "alice made absent": (drop_and_claim_lost(ALICE), "TC-2404"),
    "no certificate": (lambda r: r["certificates"].pop(DAVE), "TC-2402"),
    "exchanged certificates": (
        lambda r: r["certificates"].update({DAVE: r["certificates"][CAROL]}),
        "TC-2402",
    ),
    "before the certificates": (lambda r: r.update(written=10.0), "TC-2402"),
    "at no time": (lambda r: r.update(written=1e300), "TC-2402"),
    "another format": (lambda r: r.update(format=2), "TC-2401"),
    "a member twice": (lambda r: r.update(members=[ALICE, ALICE]), "TC-2401"),
    "a field too many": (lambda r: r.update(more=1), "TC-2401"),
    "a field too few": (lambda r: r.pop("exhibits"), "TC-2401"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_whatever_is_changed_is_refused(consortium: Consortium, tmp_path: Path, name: str) -> None:
    folder = consortium.write(tmp_path, consortium.pair())
    record = json.loads((folder / RECORD).read_bytes())
    change, number = CHANGES[name]
    changed = copy.deepcopy(record)
    change(changed)
    (folder / RECORD).write_text(json.dumps(changed))
    with pytest.raises(EvidenceError, match=number):
        check(folder, consortium.authority.certificate)
    shown = run(str(folder))
    assert isinstance(shown.exception, EvidenceError)
    assert shown.exception.exit_status == 3


@pytest.mark.parametrize("missing", [RECORD, AUTHORITY])
def test_a_missing_file_is_said(consortium: Consortium, tmp_path: Path, missing: str) -> None:
    folder = consortium.write(tmp_path, consortium.pair())
    (folder / missing).unlink()
    with pytest.raises(EvidenceError, match="TC-2401"):
        check(folder)
    (folder / missing).write_bytes(b"\xff not what it should be")
    with pytest.raises(EvidenceError, match=r"TC-240[12]"):
        check(folder)


def test_another_authority_is_refused(consortium: Consortium, tmp_path: Path) -> None:
    folder = consortium.write(tmp_path, consortium.pair())
    other = Authority().certificate
    with pytest.raises(EvidenceError, match="TC-2402"):
        check(folder, other)
    (folder / AUTHORITY).write_bytes(other)
    with pytest.raises(EvidenceError, match="TC-2402"):
        check(folder)  # the certificates in the record are not of that one
    with pytest.raises(EvidenceError, match="TC-2402"):
        check(folder, b"no certificate")


def test_another_consortium_with_the_same_names_is_told_by_its_fingerprint(
    consortium: Consortium, tmp_path: Path
) -> None:
    """Anybody can make an authority and evidence of its own: only the fingerprint tells."""
    forged = Consortium()
    mine = consortium.write(tmp_path / "mine", consortium.lost())
    theirs = forged.write(tmp_path / "theirs", forged.lost())
    assert check(mine).fingerprint != check(theirs).fingerprint
    with pytest.raises(EvidenceError, match="TC-2402"):
        check(theirs, consortium.authority.certificate)


def test_an_authority_that_lies_cannot_make_evidence_for_who_has_the_pins(
    consortium: Consortium, tmp_path: Path
) -> None:
    """It certifies keys of its own for all parties, and lets them convict one of them."""
    pins = {name: key_fingerprint(der) for name, der in consortium.certificates.items()}
    trust = Trust(evidence=pins)
    root = consortium.authority.certificate
    genuine = consortium.write(tmp_path / "genuine", consortium.lost())
    assert check(genuine, root, trust).verdict.party == DAVE
    liar = Consortium(consortium.authority)
    forged = liar.write(tmp_path / "forged", liar.lost())
    assert check(forged, root).verdict.party == DAVE  # the root alone is not enough
    with pytest.raises(EvidenceError, match="TC-2406"):
        check(forged, root, trust)


def test_evidence_outlives_the_certificates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What counts is the date of the record, not that of the check."""
    consortium = Consortium()
    folder = consortium.write(tmp_path, consortium.lost())

    class Later(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
            return super().now(tz) + datetime.timedelta(days=400)

    monkeypatch.setattr("tacit.network.evidence.datetime.datetime", Later)
    assert check(folder).verdict.party == DAVE
