"""Connecting and the handshake: who may come, what is compared, what both ends get."""

from __future__ import annotations

import datetime
import socket
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from linked import LOOPBACK, QUICK, agreement, in_threads, linked

from tacit.errors import (
    AddressError,
    CertificateError,
    DeadlineError,
    HandshakeError,
    MessageError,
    PartyLostError,
    TransportError,
    UsageError,
)
from tacit.network import Address, Authority, Credentials, Listener, Mesh, NetworkSettings, connect

THREE = ("alice", "bob", "carol")
TWO = ("alice", "bob")
IMPATIENT = replace(QUICK, start_deadline=4.0)
"""Where one party waits in vain, and the other finds out why long before."""
LONELY = replace(QUICK, start_deadline=0.5)
"""Where nobody comes."""


def keys(mesh: Mesh) -> dict[str, Any]:
    others = [peer for peer in range(len(mesh.names)) if peer != mesh.index]
    return {
        "index": mesh.index,
        "session": mesh.session_id,
        "one": {mesh.names[peer]: mesh.pairwise_key(peer, "one") for peer in others},
        "two": {mesh.names[peer]: mesh.pairwise_key(peer, "two") for peer in others},
    }


def test_all_parties_get_one_session_and_each_pair_its_own_keys() -> None:
    outcomes = linked(THREE, keys)
    assert [outcomes[name]["index"] for name in THREE] == [0, 1, 2]
    assert len({outcomes[name]["session"] for name in THREE}) == 1
    for purpose in ("one", "two"):
        pairs = {
            frozenset((own, other)): outcomes[own][purpose][other]
            for own in THREE
            for other in THREE
            if own != other
        }
        for own in THREE:
            for other in THREE:
                if own != other:
                    assert outcomes[own][purpose][other] == pairs[frozenset((own, other))]
        assert len(set(pairs.values())) == 3
        assert all(len(key) == 16 for key in pairs.values())
    assert outcomes["alice"]["one"]["bob"] != outcomes["alice"]["two"]["bob"]


def test_a_second_run_has_another_session_and_other_keys() -> None:
    first, second = linked(TWO, keys), linked(TWO, keys)
    assert first["alice"]["session"] != second["alice"]["session"]
    assert first["alice"]["one"] != second["alice"]["one"]


def test_names_that_are_no_dns_names_work() -> None:
    names = ("Bank A", "Hôpital São João", "tacit-x-61")
    outcomes = linked(names, lambda mesh: mesh.name)
    assert outcomes == {name: name for name in names}


MISMATCHES = {
    "participants": (agreement("alice", "bob", "carol"), 4, "alice, bob, carol"),
    "protocol": (agreement(*TWO, protocol="shamir"), 5, "'shamir'"),
    "parameter": (agreement(*TWO, parameters={"fraction": "16"}), 6, "fraction"),
    "extra parameter": (
        agreement(*TWO, parameters={"fraction": "18", "rounding": "exact"}),
        6,
        "'nothing'",
    ),
    "job": (agreement(*TWO, job=bytes(32)), 7, "digest"),
}


@pytest.mark.parametrize("what", MISMATCHES)
def test_each_mismatch_is_its_own_error_at_both_ends(what: str) -> None:
    changed, case, text = MISMATCHES[what]
    outcomes = linked(TWO, keys, agreements={"bob": changed})
    for name in TWO:
        error = outcomes[name]
        assert isinstance(error, HandshakeError), error
        assert error.case == case
        assert set(error.parties) == set(TWO)
        assert text in error.message


def test_another_order_of_participants_is_refused() -> None:
    swapped = agreement("bob", "alice")
    lonely = dict.fromkeys(TWO, LONELY)
    outcomes = linked(TWO, keys, agreements={"bob": swapped}, settings=lonely)
    # Each believes that the other must dial.
    assert all(isinstance(error, DeadlineError) for error in outcomes.values()), outcomes


def test_heartbeat_timeouts_must_be_equal() -> None:
    other = replace(QUICK, heartbeat_timeout=7.0)
    outcomes = linked(TWO, keys, settings={"bob": other})
    for error in outcomes.values():
        assert isinstance(error, HandshakeError)
        assert "heartbeat_timeout" in error.message


# ---- certificates


def refused(
    credentials: dict[str, Credentials], settings: NetworkSettings = IMPATIENT
) -> dict[str, Any]:
    return linked(TWO, keys, credentials=credentials, settings=dict.fromkeys(TWO, settings))


def test_another_authority_is_refused_by_name() -> None:
    outcomes = refused({"bob": Authority().issue("bob")})
    # Bob does not trust alice's authority, alice never gets as far as his certificate.
    assert isinstance(outcomes["bob"], CertificateError)
    assert outcomes["bob"].case == 6
    assert outcomes["bob"].parties == ("alice",)
    assert isinstance(outcomes["alice"], TransportError)


def test_a_forged_certificate_is_refused_and_its_owner_told() -> None:
    genuine, foreign = Authority(), Authority()
    forged = foreign.issue("bob")
    mixed = Credentials("bob", genuine.certificate, forged.certificate, forged.key)
    outcomes = refused({"alice": genuine.issue("alice"), "bob": mixed})
    assert isinstance(outcomes["bob"], CertificateError)
    assert outcomes["bob"].case == 10
    assert isinstance(outcomes["alice"], CertificateError)
    assert outcomes["alice"].case == 6


@pytest.mark.parametrize("late", TWO)
def test_an_expired_certificate_is_refused(late: str) -> None:
    authority = Authority()
    lifetimes = {late: -datetime.timedelta(minutes=1)}
    outcomes = refused({name: authority.issue(name, lifetimes.get(name)) for name in TWO})
    if late == "alice":
        assert isinstance(outcomes["bob"], CertificateError)
        assert outcomes["bob"].case == 8
        assert outcomes["bob"].parties == ("alice",)
    else:
        assert isinstance(outcomes["alice"], CertificateError)
        assert outcomes["alice"].case == 8
        assert isinstance(outcomes["bob"], CertificateError)
        assert outcomes["bob"].case == 10


def test_the_name_dialled_must_be_in_the_certificate() -> None:
    authority = Authority()
    with Listener(Address(LOOPBACK, 0)) as mallory, Listener(Address(LOOPBACK, 0)) as own:
        everybody = ("mallory", "bob")
        outcomes = in_threads(
            {
                "mallory": lambda: connect(
                    "mallory",
                    agreement(*everybody),
                    authority.issue("mallory"),
                    {},
                    mallory,
                    settings=IMPATIENT,
                ),
                # Bob is told that alice is where mallory listens.
                "bob": lambda: connect(
                    "bob",
                    agreement("alice", "bob"),
                    authority.issue("bob"),
                    {"alice": mallory.address},
                    own,
                    settings=IMPATIENT,
                ),
            }
        )
    assert isinstance(outcomes["bob"], CertificateError)
    assert outcomes["bob"].case == 7
    assert isinstance(outcomes["mallory"], TransportError)


def test_a_stranger_with_a_valid_certificate_is_turned_away() -> None:
    authority = Authority()
    with Listener(Address(LOOPBACK, 0)) as listener, Listener(Address(LOOPBACK, 0)) as own:
        outcomes = in_threads(
            {
                "alice": lambda: connect(
                    "alice",
                    agreement("alice", "bob"),
                    authority.issue("alice"),
                    {},
                    listener,
                    settings=IMPATIENT,
                ),
                "eve": lambda: connect(
                    "eve",
                    agreement("alice", "eve"),
                    authority.issue("eve"),
                    {"alice": listener.address},
                    own,
                    settings=IMPATIENT,
                ),
            }
        )
    for error in outcomes.values():
        assert type(error) is TransportError
        assert error.case == 2
        assert error.parties == ("eve",)


def test_scanners_do_not_disturb_the_connection() -> None:
    with Listener(Address(LOOPBACK, 0)) as alice, Listener(Address(LOOPBACK, 0)) as bob:
        target = (LOOPBACK, alice.address.port)
        with socket.create_connection(target) as silent, socket.create_connection(target) as loud:
            loud.sendall(b"GET / HTTP/1.1\r\n\r\n")
            authority = Authority()
            meshes = in_threads(
                {
                    "alice": lambda: connect(
                        "alice", agreement(*TWO), authority.issue("alice"), {}, alice
                    ),
                    "bob": lambda: connect(
                        "bob",
                        agreement(*TWO),
                        authority.issue("bob"),
                        {"alice": alice.address},
                        bob,
                    ),
                }
            )
            silent.close()
    sessions = {mesh.session_id for mesh in meshes.values()}
    assert len(sessions) == 1
    in_threads({name: mesh.close for name, mesh in meshes.items()})


# ---- addresses


def test_nobody_listens() -> None:
    with socket.socket() as taken:  # so that nobody else may listen there
        taken.bind((LOOPBACK, 0))
        address = Address(LOOPBACK, taken.getsockname()[1])
        with pytest.raises(AddressError) as caught:
            connect(
                "bob",
                agreement(*TWO),
                Authority().issue("bob"),
                {"alice": address},
                settings=LONELY,
            )
    assert caught.value.case == 6
    assert caught.value.parties == ("alice",)
    assert str(address) in caught.value.message
    assert "refused" in caught.value.message


def test_every_address_of_a_host_is_tried() -> None:
    # "localhost" is often ::1 first; alice listens on 127.0.0.1 alone.
    with Listener(Address(LOOPBACK, 0)) as alice, Listener(Address(LOOPBACK, 0)) as bob:
        authority = Authority()
        addresses = {"alice": Address("localhost", alice.address.port)}
        outcomes = in_threads(
            {
                "alice": lambda: connect(
                    "alice", agreement(*TWO), authority.issue("alice"), {}, alice, settings=QUICK
                ),
                "bob": lambda: connect(
                    "bob",
                    agreement(*TWO),
                    authority.issue("bob"),
                    addresses,
                    bob,
                    settings=QUICK,
                ),
            }
        )
    in_threads({name: mesh.close for name, mesh in outcomes.items()})


def test_an_unknown_host() -> None:
    with pytest.raises(AddressError) as caught:
        connect(
            "bob",
            agreement(*TWO),
            Authority().issue("bob"),
            {"alice": Address("no-such-host.invalid", 7600)},
            settings=IMPATIENT,
        )
    assert caught.value.case == 3


def test_a_missing_party_is_named() -> None:
    with pytest.raises(DeadlineError) as caught:
        connect(
            "alice",
            agreement(*THREE),
            Authority().issue("alice"),
            {"alice": Address(LOOPBACK, 0)},
            settings=LONELY,
        )
    assert caught.value.parties == ("bob", "carol")


@pytest.mark.parametrize(
    ("name", "holder", "addresses"),
    [
        ("dave", "dave", {}),
        ("bob", "alice", {"alice": Address(LOOPBACK, 1)}),
        ("bob", "bob", {}),
    ],
)
def test_wrong_calls(name: str, holder: str, addresses: dict[str, Address]) -> None:
    with pytest.raises(UsageError):
        connect(name, agreement(*TWO), Authority().issue(holder), addresses)


def test_the_listening_port_is_closed_whatever_happens() -> None:
    listener = Listener(Address(LOOPBACK, 0))
    with pytest.raises(UsageError):
        connect("dave", agreement(*TWO), Authority().issue("dave"), {}, listener)
    Listener(listener.address).close()


# ---- small messages to all


class Schema(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    columns: list[str]


class Other(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rows: int


def test_gather_brings_everybodys_message() -> None:
    outcomes = linked(
        THREE, lambda mesh: mesh.gather(Schema([mesh.name]), Schema, stage="schemas", deadline=60.0)
    )
    for name in THREE:
        assert outcomes[name] == {party: Schema([party]) for party in THREE}


def test_gather_refuses_another_kind_of_message() -> None:
    def body(mesh: Mesh) -> Any:
        message = Other(3) if mesh.name == "bob" else Schema([])
        return mesh.gather(message, Schema, stage="schemas")

    outcomes = linked(THREE, body)
    assert isinstance(outcomes["alice"], MessageError)
    assert outcomes["alice"].parties == ("bob",)
    assert outcomes["alice"].stage == "schemas"


def test_gather_refuses_what_is_too_long() -> None:
    outcomes = linked(TWO, lambda mesh: mesh.gather(Schema(["x" * 2**20]), Schema, stage="s"))
    assert isinstance(outcomes["alice"], UsageError | PartyLostError)
    assert any(isinstance(error, UsageError) for error in outcomes.values())


def test_a_closed_mesh_says_so() -> None:
    outcomes = linked(TWO, lambda mesh: mesh)
    for mesh in outcomes.values():
        with pytest.raises(TransportError) as caught:
            mesh.pairwise_key(1 - mesh.index, "late")
        assert caught.value.case == 1
        mesh.close()
