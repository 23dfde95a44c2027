"""Certificates: names, files, and what is never shown."""

from __future__ import annotations

import datetime
import pickle
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from tacit.errors import CertificateError, StorageError, UsageError
from tacit.network import Authority, Credentials
from tacit.network.certificates import check_pair, dns_name, party_name

party_names = st.text(min_size=1, max_size=16).filter(
    lambda name: name.isprintable() and len(name.encode()) <= 64
)


def der(credentials: Credentials) -> bytes:
    certificate = x509.load_pem_x509_certificate(credentials.certificate)
    return certificate.public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    "name",
    ["alice", "bank_a", "a", "0-0", "Alice", "ALICE", "Bank of Ålesund", "x" * 64, "tacit-x-"],
)
def test_the_name_survives_the_certificate(name: str) -> None:
    credentials = Authority().issue(name)
    assert party_name(der(credentials)) == name
    check_pair(credentials)


@given(party_names, party_names)
def test_different_parties_never_share_a_dns_name(one: str, other: str) -> None:
    same = dns_name(one).lower() == dns_name(other).lower()
    assert same == (one == other)
    assert len(dns_name(one)) <= 253
    assert all(0 < len(label) <= 63 for label in dns_name(one).split("."))


def test_plain_names_stand_for_themselves() -> None:
    assert dns_name("bank_a") == "bank_a"
    assert dns_name("Bank") == "tacit-x-42616e6b"


@pytest.mark.parametrize("name", ["", "x" * 65, "a\nb", "\x1b[31m"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(UsageError):
        Authority().issue(name)


def certified(*names: x509.GeneralName) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=True)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    "certificate",
    [
        b"",
        b"not a certificate",
        certified(),
        certified(x509.DNSName("alice"), x509.DNSName("bob")),
        certified(x509.DNSName("alice"), x509.RFC822Name("a@b.c")),
        certified(x509.DNSName("Alice")),
        certified(x509.DNSName("tacit-x-zz")),
        certified(x509.DNSName("tacit-x-616c696365")),  # "alice", which stands for itself
        certified(x509.DNSName("*.example")),
    ],
)
def test_a_certificate_names_exactly_one_party(certificate: bytes) -> None:
    with pytest.raises(CertificateError):
        party_name(certificate)


def test_files_are_private_and_load_again(tmp_path: Path) -> None:
    credentials = Authority().issue("alice")
    directory = tmp_path / "a" / "private"
    directory.mkdir(parents=True, mode=0o755)
    credentials.save(directory)
    credentials.save(directory)
    assert directory.stat().st_mode & 0o777 == 0o700
    for path in directory.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
    assert Credentials.load(directory) == credentials


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    Authority().issue("alice").save(tmp_path)
    (tmp_path / "party.key").chmod(0o640)
    with pytest.raises(StorageError) as caught:
        Credentials.load(tmp_path)
    assert "chmod 600" in caught.value.next_step


def test_missing_and_malformed_files(tmp_path: Path) -> None:
    with pytest.raises(CertificateError):
        Credentials.load(tmp_path)
    Authority().issue("alice").save(tmp_path)
    (tmp_path / "party.pem").write_bytes(b"nonsense")
    with pytest.raises(CertificateError):
        Credentials.load(tmp_path)


def test_a_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        Authority().issue("alice").save(tmp_path / "file")


def test_certificate_key_and_name_must_belong_together() -> None:
    authority = Authority()
    alice, bob = authority.issue("alice"), authority.issue("bob")
    with pytest.raises(CertificateError) as caught:
        check_pair(Credentials("alice", alice.authority, alice.certificate, bob.key))
    assert caught.value.case == 4
    with pytest.raises(CertificateError) as caught:
        check_pair(Credentials("bob", alice.authority, alice.certificate, alice.key))
    assert caught.value.case == 5
    with pytest.raises(CertificateError):
        check_pair(Credentials("alice", alice.authority, alice.certificate, b"no key"))


def test_keys_are_neither_shown_nor_pickled() -> None:
    authority = Authority()
    credentials = authority.issue("alice")
    assert repr(credentials) == "Credentials('alice')"
    assert repr(authority) == "Authority()"
    for secret in (authority, credentials):
        with pytest.raises(TypeError):
            pickle.dumps(secret)


def test_certificates_are_short_lived_and_for_tls_ends_only() -> None:
    authority = Authority(datetime.timedelta(hours=2))
    certificate = x509.load_pem_x509_certificate(authority.issue("alice").certificate)
    left = certificate.not_valid_after_utc - datetime.datetime.now(datetime.UTC)
    assert datetime.timedelta(hours=1) < left <= datetime.timedelta(hours=2)
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert not constraints.ca
    root = x509.load_pem_x509_certificate(authority.certificate)
    assert root.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0
    certificate.verify_directly_issued_by(root)


@pytest.mark.parametrize("file", ["evidence.key", "evidence.pem"])
def test_keys_for_evidence_may_be_missing_but_not_be_read_by_others(
    tmp_path: Path, file: str
) -> None:
    credentials = Authority().issue("alice")
    credentials.save(tmp_path)
    (tmp_path / "evidence.key").chmod(0o604)
    with pytest.raises(StorageError):
        Credentials.load(tmp_path)
    (tmp_path / "evidence.key").chmod(0o600)
    (tmp_path / file).unlink()
    loaded = Credentials.load(tmp_path)
    assert loaded.key == credentials.key
    assert b"" in (loaded.evidence_key, loaded.evidence_certificate)
    bare = Credentials("alice", credentials.authority, credentials.certificate, credentials.key)
    bare.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["authority.pem", "party.key", "party.pem"]
    )
    assert Credentials.load(tmp_path) == bare
