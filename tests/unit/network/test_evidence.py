"""Keys for evidence: whose they are, and that one purpose never serves for another."""

from __future__ import annotations

import datetime
import socket
import time
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tacit import _native
from tacit.errors import CertificateError
from tacit.network import Address, Authority, Credentials, Listener, evidence_key, evidence_signer
from tacit.network.certificates import dns_name

AUTHORITY = Authority()
ALICE = AUTHORITY.issue("alice")


def der(pem: bytes) -> bytes:
    return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


def test_what_a_party_signs_is_checked_with_the_key_in_its_certificate() -> None:
    key, certificate = evidence_signer(ALICE)
    public = evidence_key(certificate, ALICE.authority, "alice")
    public.verify(key.sign(b"statement"), b"statement")


@pytest.mark.parametrize(
    "certificate",
    [
        b"",
        b"nonsense",
        der(ALICE.certificate),  # for links
        der(ALICE.authority),
        der(AUTHORITY.issue("bob").evidence_certificate),
        der(Authority().issue("alice").evidence_certificate),
    ],
)
def test_other_certificates_are_no_evidence(certificate: bytes) -> None:
    with pytest.raises(CertificateError) as caught:
        evidence_key(certificate, ALICE.authority, "alice")
    assert caught.value.parties == ("alice",)


def test_a_certificate_is_valid_for_a_time() -> None:
    now = datetime.datetime.now(datetime.UTC)
    certificate = der(ALICE.evidence_certificate)
    for away in (-1, 2):
        with pytest.raises(CertificateError):
            evidence_key(certificate, ALICE.authority, "alice", now + datetime.timedelta(days=away))
    short = AUTHORITY.issue("alice", datetime.timedelta(seconds=-60))
    with pytest.raises(CertificateError):
        evidence_signer(short)


def test_the_own_key_must_belong_to_its_certificate() -> None:
    other = AUTHORITY.issue("alice")
    for wrong in (
        replace(ALICE, evidence_key=other.evidence_key),
        replace(ALICE, evidence_key=ALICE.key),
        replace(ALICE, evidence_key=b""),
        replace(ALICE, evidence_certificate=b""),
        replace(ALICE, evidence_certificate=ALICE.certificate, evidence_key=ALICE.key),
    ):
        with pytest.raises(CertificateError):
            evidence_signer(wrong)


def test_nothing_of_a_key_is_shown() -> None:
    assert repr(ALICE) == "Credentials('alice')"


def shakes(dialling: Credentials, listening: Credentials) -> bool:
    """Whether a TLS handshake succeeds at both ends."""
    with Listener(Address("127.0.0.1", 0)) as listener:
        one = socket.create_connection(("127.0.0.1", listener.address.port))
        other = None
        while other is None:
            other = listener.accept()
    identities = [
        _native.Identity(who.authority, who.certificate, who.key) for who in (dialling, listening)
    ]
    ends = [
        _native.Link.dial(one.detach(), identities[0], dns_name("bob")),
        _native.Link.accept(other.detach(), identities[1]),
    ]
    done = [False, False]
    until = time.monotonic() + 120
    try:
        while not all(done) and time.monotonic() < until:
            done = [end.handshake() for end in ends]
    except _native.LinkFailure:
        return False
    finally:
        for end in ends:
            end.close()
    return all(done)


def test_a_certificate_for_evidence_is_useless_for_links() -> None:
    bob = AUTHORITY.issue("bob")

    def misused(who: Credentials) -> Credentials:
        return replace(who, certificate=who.evidence_certificate, key=who.evidence_key)

    assert shakes(ALICE, bob)
    assert not shakes(misused(ALICE), bob)
    assert not shakes(ALICE, misused(bob))
