"""Kits: what a site checks by itself before it speaks to anybody."""

from __future__ import annotations

import datetime
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from consortia import THREE, Ring
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from tacit.consortium import Kit
from tacit.consortium.file import Consortium, read, sign
from tacit.consortium.installing import install
from tacit.errors import CertificateError, ConfigurationError, PolicyDeniedError, TacitError
from tacit.network.trust import Trust


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Ring:
    return Ring(tmp_path_factory.mktemp("ring"))


@pytest.fixture
def ring(made: Ring, tmp_path: Path) -> Ring:
    """A copy that a test may spoil."""
    shutil.copytree(made.base, tmp_path / "copy")
    copy = object.__new__(Ring)
    copy.base = tmp_path / "copy"
    copy.folder = copy.base / "ring"
    copy.secret = made.secret
    copy.authority = type(made.authority)(copy.folder, made.secret)
    return copy


def refused(folder: Path, **options: object) -> TacitError:
    with pytest.raises(TacitError) as caught:
        Kit.load(folder, **options)  # type: ignore[arg-type]
    assert caught.value.next_step
    return caught.value


def test_all_parties_hold_the_same_file_and_their_own_keys(made: Ring) -> None:
    kits = [made.kit(name) for name in THREE]
    assert [kit.name for kit in kits] == list(THREE)
    assert len({kit.fingerprint for kit in kits}) == 1
    assert len({kit.key for kit in kits}) == 3
    for kit in kits:
        assert kit.role == "party"
        assert kit.days_left in (364, 365)
        assert kit.credentials.trust.keys[kit.name] == kit.key
        assert kit.consortium.owners == THREE
        assert kit.services[kit.name].port == kit.addresses[kit.name].port + 1
        for file in kit.folder.iterdir():
            assert file.stat().st_mode & 0o077 == 0
        assert "KEY" not in repr(kit)


def test_keys_never_leave_the_site(made: Ring) -> None:
    private = {
        line
        for name in THREE
        for file in made.place(name).glob("*.key")
        for line in file.read_bytes().splitlines()[1:-1]
    }
    assert private
    for file in made.folder.rglob("*"):
        if file.is_file():
            assert not private & set(file.read_bytes().splitlines())


def spoil_json(path: Path, change: Callable[[dict[str, object]], None]) -> None:
    data = json.loads(path.read_bytes())
    change(data)
    path.write_text(json.dumps(data))


def elsewhere(data: dict[str, object]) -> None:
    data["consortium"]["parties"][1]["address"] = "evil.example:7600"  # type: ignore[index]


def later(data: dict[str, object]) -> None:
    data["format"] = 2


SPOILED: dict[str, tuple[Callable[[Path], object], int | str]] = {
    "torn": (lambda k: (k / "consortium.json").write_bytes(b'{"type": "tacit con'), "TC-2020"),
    "empty": (lambda k: (k / "consortium.json").write_bytes(b""), "TC-2020"),
    "later format": (lambda k: spoil_json(k / "consortium.json", later), "TC-2021"),
    "changed": (lambda k: spoil_json(k / "consortium.json", elsewhere), "TC-2022"),
    "open key": (lambda k: (k / "party.key").chmod(0o644), "TC-2304"),
    "open evidence key": (lambda k: (k / "evidence.key").chmod(0o640), "TC-2304"),
    "no key": (lambda k: (k / "party.key").unlink(), "TC-2024"),
    "no certificate": (lambda k: (k / "party.pem").unlink(), "TC-2024"),
    "torn certificate": (lambda k: (k / "party.pem").write_bytes(b"-----BEGIN"), "TC-3203"),
    "torn key": (lambda k: (k / "party.key").write_bytes(b"-----BEGIN"), "TC-3204"),
    "another's certificate": (
        lambda k: shutil.copy(k.parent / "bank_b" / "party.pem", k / "party.pem"),
        "TC-3204",
    ),
    "another's evidence": (
        lambda k: shutil.copy(k.parent / "bank_b" / "evidence.pem", k / "evidence.pem"),
        "TC-3213",
    ),
}


@pytest.mark.parametrize("spoiled", SPOILED)
def test_a_spoiled_kit_says_what_is_wrong(ring: Ring, spoiled: str) -> None:
    act, code = SPOILED[spoiled]
    act(ring.place("bank_a"))
    assert refused(ring.place("bank_a")).code == code


def test_spaces_and_line_ends_do_not_matter(ring: Ring) -> None:
    spoil_json(ring.place("bank_a") / "consortium.json", lambda data: None)
    assert ring.kit("bank_a").fingerprint == ring.kit("bank_b").fingerprint


def test_time(made: Ring) -> None:
    now = datetime.datetime.now(datetime.UTC)
    folder = made.place("bank_a")
    assert refused(folder, at=now + datetime.timedelta(days=366)).code == "TC-3208"
    assert refused(folder, at=now - datetime.timedelta(hours=2)).code == "TC-3209"
    Kit.load(folder, at=now - datetime.timedelta(minutes=50))
    Kit.load(folder, at=now + datetime.timedelta(days=364))


def test_another_consortiums_file_is_refused(ring: Ring, tmp_path: Path) -> None:
    other = Ring(tmp_path / "other")
    with pytest.raises(ConfigurationError) as caught:
        install(ring.place("bank_a"), [other.file])
    assert caught.value.code == "TC-2023"
    shutil.copy(other.file, ring.place("bank_a") / "consortium.json")
    assert refused(ring.place("bank_a")).code == "TC-2023"
    shutil.copy(other.place("bank_a") / "party.pem", ring.place("bank_b") / "party.pem")
    assert refused(ring.place("bank_b")).code == "TC-3206"


def test_a_file_signed_by_another_certified_key_is_refused(made: Ring) -> None:
    """A party's key for evidence is certified by the root, and signs no consortium's file."""
    kit = made.kit("bank_a")
    data = kit.credentials.evidence_key
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(data, password=None)
    assert isinstance(key, Ed25519PrivateKey)
    forged = sign(kit.consortium, key, kit.credentials.evidence_certificate)
    with pytest.raises(ConfigurationError) as caught:
        read(forged, "forged")
    assert caught.value.code == "TC-2022"


def test_a_kit_of_a_client_is_one(ring: Ring) -> None:
    answer = ring.approved("alice", "client")
    done = install(ring.place("alice"), [ring.file, answer])
    assert done.first
    kit = ring.kit("alice")
    assert (kit.name, kit.role) == ("alice", "client")
    der = x509.load_pem_x509_certificate(kit.credentials.certificate).public_bytes(Encoding.DER)
    trust = ring.kit("bank_a").credentials.trust
    assert trust.client(der) == "alice"
    with pytest.raises(CertificateError) as caught:
        trust.party(der)
    assert caught.value.code == "TC-3201"
    own = ring.kit("bank_a").credentials.certificate
    with pytest.raises(CertificateError) as caught:
        trust.client(x509.load_pem_x509_certificate(own).public_bytes(Encoding.DER))
    assert caught.value.code == "TC-3217"
    ring.authority.revoke("alice", "client")
    with pytest.raises(CertificateError) as caught:
        ring.authority.consortium.trust.client(der)
    assert caught.value.code == "TC-3215"


def test_a_revoked_party_finds_it_out_and_so_do_the_others(ring: Ring) -> None:
    ring.authority.revoke("bank_b")
    install(ring.place("bank_a"), [ring.file], accept=["bank_b"])
    assert refused(ring.place("bank_a")).code == "TC-2025"
    with pytest.raises(PolicyDeniedError):
        install(ring.place("bank_b"), [ring.file])
    install(ring.place("bank_b"), [ring.file], accept=["bank_b"])
    assert refused(ring.place("bank_b")).code == "TC-3215"


def test_a_party_with_new_keys_is_taken_over_when_somebody_says_so(ring: Ring) -> None:
    before = ring.kit("bank_b").key
    answer = ring.approved("bank_b", new_keys=True)
    with pytest.raises(PolicyDeniedError) as caught:
        install(ring.place("bank_a"), [ring.file])
    assert caught.value.code == "TC-4021"
    assert caught.value.parties == ("bank_b",)
    assert ring.kit("bank_a").consortium.edition == 4  # as it was
    install(ring.place("bank_a"), [ring.file], accept=["bank_b"])
    install(ring.place("bank_b"), [ring.file, answer], accept=["bank_b"])
    after = ring.kit("bank_b")
    assert after.key != before
    assert before in ring.kit("bank_a").credentials.trust.revoked
    assert after.fingerprint == ring.kit("bank_a").fingerprint


def test_a_renewal_changes_nothing_for_others(ring: Ring) -> None:
    edition, key = ring.authority.consortium.edition, ring.kit("bank_a").key
    done = ring.authority.renew("bank_a", days=700)
    assert not done.changed
    assert ring.authority.consortium.edition == edition
    install(ring.place("bank_a"), [done.answer])
    kit = ring.kit("bank_a")
    assert kit.key == key
    assert kit.days_left in (699, 700)


def test_an_older_file_does_not_come_back(ring: Ring) -> None:
    old = ring.base / "old.json"
    shutil.copy(ring.file, old)
    ring.authority.move({"bank_b": "127.0.0.1:7999"}, {})
    install(ring.place("bank_a"), [ring.file])
    assert str(ring.kit("bank_a").addresses["bank_b"]) == "127.0.0.1:7999"
    with pytest.raises(ConfigurationError) as caught:
        install(ring.place("bank_a"), [old])
    assert caught.value.code == "TC-2027"


def test_two_files_of_one_edition_show_a_lying_authority(ring: Ring) -> None:
    """The authority signs another file of the same edition for one party alone."""
    authority = ring.authority
    twin = msgspec.structs.replace(authority.consortium, created="2000-01-01T00:00:00+00:00")
    forged = ring.base / "twin.json"
    forged.write_bytes(sign(twin, authority._file_key, authority._signer))
    with pytest.raises(ConfigurationError) as caught:
        install(ring.place("bank_a"), [forged])
    assert "signed two" in caught.value.message


def test_a_lying_authority_cannot_swap_a_partys_own_key(ring: Ring) -> None:
    """Each kit looks for its own keys in the file: with one file for all, all keys are right."""
    authority = ring.authority
    kit = ring.kit("bank_b")
    parties = tuple(
        msgspec.structs.replace(m, key="0" * 64) if m.name == "bank_b" else m
        for m in authority.consortium.parties
    )
    lie = msgspec.structs.replace(authority.consortium, parties=parties, edition=9)
    forged = ring.base / "lie.json"
    forged.write_bytes(sign(lie, authority._file_key, authority._signer))
    with pytest.raises(PolicyDeniedError):  # the others are asked first
        install(ring.place("bank_a"), [forged])
    shutil.copy(forged, kit.folder / "consortium.json")
    assert refused(kit.folder).code == "TC-3216"


def edition(ring: Ring, **changed: object) -> Path:
    """A later edition that a lying authority signs."""
    authority = ring.authority
    later = msgspec.structs.replace(
        authority.consortium, edition=authority.consortium.edition + 1, **changed
    )
    path = ring.base / "later.json"
    path.write_bytes(sign(later, authority._file_key, authority._signer))
    return path


def test_another_key_for_evidence_needs_a_word_too(ring: Ring) -> None:
    parties = tuple(
        msgspec.structs.replace(m, evidence="0" * 64) if m.name == "bank_b" else m
        for m in ring.authority.consortium.parties
    )
    with pytest.raises(PolicyDeniedError) as caught:
        install(ring.place("bank_a"), [edition(ring, parties=parties)])
    assert caught.value.parties == ("bank_b",)


def test_new_keys_after_a_revocation_need_a_word_of_their_own(ring: Ring) -> None:
    """Accepting that a party has no key is not accepting whatever key comes next."""
    ring.authority.revoke("bank_b")
    install(ring.place("bank_a"), [ring.file], accept=["bank_b"])
    install(ring.place("bank_a"), [ring.file])  # the same again says nothing new
    ring.authority.move({"bank_c": "127.0.0.1:7998"}, {})
    install(ring.place("bank_a"), [ring.file])
    ring.approved("bank_b", new_keys=True)
    with pytest.raises(PolicyDeniedError) as caught:
        install(ring.place("bank_a"), [ring.file])
    assert caught.value.parties == ("bank_b",)
    install(ring.place("bank_a"), [ring.file], accept=["bank_b"])
    assert ring.kit("bank_a").consortium.missing == ()


def test_no_edition_changes_the_protocol_the_parties_or_what_was_revoked(ring: Ring) -> None:
    ring.approved("eve", "client")
    ring.authority.revoke("eve", "client")
    install(ring.place("bank_a"), [ring.file])
    parties = ring.authority.consortium.parties
    renamed = (*parties[:2], msgspec.structs.replace(parties[2], name="bank_d"))
    for change in (
        {"protocol": "replicated3_active"},
        {"parties": renamed},
        {"parties": parties[::-1]},
        {"revoked": ()},
    ):
        with pytest.raises(ConfigurationError) as caught:
            install(ring.place("bank_a"), [edition(ring, **change)], accept=["bank_d"])
        assert caught.value.code == "TC-2027"


def test_the_file_survives_its_own_format(made: Ring) -> None:
    consortium = read(made.file.read_bytes(), made.file)
    assert isinstance(consortium, Consortium)
    assert consortium == made.authority.consortium
    assert isinstance(consortium.trust, Trust)
    assert consortium.missing == ()
    assert len(consortium.fingerprint.replace(" ", "")) == 40
