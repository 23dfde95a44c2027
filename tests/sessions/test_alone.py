"""Parties that nobody controls: each joins the others from its kit, in a thread of its own here."""

from __future__ import annotations

import contextlib
import shutil
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from alone_job import Settings
from consortia import THREE, Ring
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

import tacit
from tacit import Computation, _native
from tacit.consortium import Kit
from tacit.consortium.authority import AuthorityFolder
from tacit.consortium.installing import install
from tacit.errors import (
    AddressError,
    CertificateError,
    DeadlineError,
    HandshakeError,
    InternalError,
    PartyLostError,
    TransportError,
    UsageError,
)
from tacit.network import Address, Awaited, Credentials, NetworkSettings, Trust
from tacit.network.dialling import identity_of
from tacit.network.issuing import private_pem
from tacit.sessions import party_session, run_alone

FOUR = (*THREE, "regulator")
QUICK = NetworkSettings(
    heartbeat_timeout=10.0,
    start_deadline=60.0,
    handshake_timeout=20.0,
    close_timeout=1.0,
    patience=30.0,
)
IMPATIENT = replace(QUICK, start_deadline=4.0)
"""Where somebody waits in vain, and the others find out why long before."""
LONELY = replace(QUICK, start_deadline=0.7)
"""Where nobody else is there."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Ring:
    return Ring(tmp_path_factory.mktemp("ring"))


@pytest.fixture
def ring(made: Ring, tmp_path: Path) -> Ring:
    """A copy that a test may change."""
    shutil.copytree(made.base, tmp_path / "copy")
    copy = object.__new__(Ring)
    copy.base, copy.secret = tmp_path / "copy", made.secret
    copy.folder = copy.base / "ring"
    copy.authority = AuthorityFolder(copy.folder, made.secret)
    return copy


def in_threads(functions: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    outcomes: dict[str, Any] = {}

    def run(name: str, function: Callable[[], Any]) -> None:
        try:
            outcomes[name] = function()
        except BaseException as error:
            outcomes[name] = error

    threads = [threading.Thread(target=run, args=item) for item in functions.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(240)
    return outcomes


def together(
    kits: Mapping[str, Kit], settings: NetworkSettings = QUICK, **options: Mapping[str, Any]
) -> dict[str, Any]:
    """Run the job at all parties side by side: each one's result, or what it raised.

    `options` are keyword arguments of ``run_alone`` by party.
    """

    def party(place: int, name: str) -> Callable[[], Any]:
        own: dict[str, Any] = {"settings": settings, **options.get(name, {})}
        number = own.pop("configuration", Settings(float(place)))
        return lambda: run_alone(kits[name], "alone_job", number, **own)

    return in_threads({name: party(place, name) for place, name in enumerate(kits)})


def kits(ring: Ring, names: tuple[str, ...] = THREE) -> dict[str, Kit]:
    return {name: ring.kit(name) for name in names}


def test_three_kits_make_a_session(made: Ring) -> None:
    waits: list[tuple[Awaited, ...]] = []
    progress: list[str] = []
    outcomes = together(
        kits(made),
        bank_a={
            "on_wait": waits.append,
            "on_progress": lambda name, message: progress.append(f"{name} {message.phase}"),
        },
    )
    assert outcomes == {name: {"total": [3.0], "name": name} for name in THREE}
    assert waits[-1] == ()
    assert progress == ["bank_a sharing"] * 2


def test_four_kits_make_a_guarded_session(tmp_path: Path) -> None:
    ring = Ring(tmp_path, FOUR, "fantastic4", helpers=["regulator"])
    outcomes = together(kits(ring, FOUR), regulator={"configuration": Settings(None)})
    assert outcomes == {name: {"total": [3.0], "name": name} for name in FOUR}
    # What they do not agree on is said, not waited for.
    differing = together(
        kits(ring, FOUR),
        regulator={"configuration": Settings(None), "parameters": {"epochs": "3"}},
    )
    assert all(isinstance(error, TransportError) for error in differing.values())
    told = [error for error in differing.values() if isinstance(error, HandshakeError)]
    assert told
    assert "epochs" in told[0].message


@pytest.mark.parametrize(
    ("option", "word"),
    [
        ({"parameters": {"training.epochs": "3"}}, "training.epochs"),
        ({"parameters": {"rounding": "exact"}}, "rounding"),
        ({"protocol": "replicated3_active"}, "protocol"),
        ({"parties": ("bank_b", "bank_a", "bank_c")}, "participants"),
        ({"settings": replace(IMPATIENT, heartbeat_timeout=3.0)}, "heartbeat"),
    ],
)
def test_what_differs_is_named(made: Ring, option: dict[str, Any], word: str) -> None:
    outcomes = together(kits(made), IMPATIENT, bank_c=option)
    assert all(isinstance(error, TransportError) for error in outcomes.values()), outcomes
    assert any(
        isinstance(e, HandshakeError) and word in e.message and "bank_c" in e.parties
        for e in outcomes.values()
    ), outcomes


def test_an_older_edition_is_noticed(ring: Ring) -> None:
    ring.authority.move({"bank_a": str(ring.kit("bank_a").addresses["bank_a"])}, {})
    install(ring.place("bank_a"), [ring.file])
    outcomes = together(kits(ring), IMPATIENT)
    said = [e.message for e in outcomes.values() if isinstance(e, HandshakeError)]
    assert said
    assert all("edition 5" in text and "edition 4" in text for text in said)


def test_one_that_does_not_come_is_named(made: Ring) -> None:
    present = kits(made, ("bank_a", "bank_b"))
    waits: list[tuple[Awaited, ...]] = []
    outcomes = together(present, IMPATIENT, bank_b={"on_wait": waits.append})
    for error in outcomes.values():
        assert isinstance(error, DeadlineError)
        assert error.parties == ("bank_c",)
    assert [one.name for one in waits[-1]] == ["bank_c"]
    outcomes = together(kits(made, ("bank_c",)), LONELY)
    error = outcomes["bank_c"]
    assert isinstance(error, AddressError)
    assert "refused" in error.message


def test_addresses_that_cannot_be(ring: Ring) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", ring.kit("bank_a").addresses["bank_a"].port))
        taken.listen()
        error = together(kits(ring, ("bank_a",)))["bank_a"]
    assert isinstance(error, AddressError)
    assert error.code == "TC-3101"
    ring.authority.move({"bank_a": "no-such-host.invalid:7600"}, {})
    install(ring.place("bank_b"), [ring.file])
    error = together(kits(ring, ("bank_b",)))["bank_b"]
    assert isinstance(error, AddressError)
    assert error.code == "TC-3103"


def test_behind_a_router_a_party_listens_on_all_addresses(ring: Ring) -> None:
    port = ring.kit("bank_a").addresses["bank_a"].port
    from tacit.sessions.alone import own_port

    ring.authority.move({"bank_a": f"203.0.113.1:{port}"}, {})  # RFC 5737: nobody's address
    install(ring.place("bank_a"), [ring.file])
    with own_port(ring.kit("bank_a")) as listener:
        assert listener.address == Address("0.0.0.0", port)
    with own_port(ring.kit("bank_a"), Address("127.0.0.1", 0)) as listener:
        assert listener.address.host == "127.0.0.1"


def test_kits_that_are_none_of_this_job(ring: Ring) -> None:
    install(ring.place("alice"), [ring.file, ring.approved("alice", "client")])
    for kit, options, code in (
        (ring.kit("alice"), {}, "TC-1057"),
        (ring.kit("bank_a"), {"parties": ("bank_b", "bank_c", "mallory")}, "TC-1056"),
        (ring.kit("bank_a"), {"protocol": "fantastic4"}, "TC-1021"),
    ):
        with pytest.raises(UsageError) as caught:
            run_alone(kit, "alone_job", None, **options)
        assert caught.value.code == code


def test_a_foreign_error_loses_its_text(made: Ring) -> None:
    outcomes = together(kits(made), bank_b={"configuration": Settings(1.0, fail=True)})
    error = outcomes.pop("bank_b")
    assert isinstance(error, InternalError)
    assert "4711" not in str(error)
    for other in outcomes.values():
        assert isinstance(other, PartyLostError)
        assert "4711" not in str(other)


# Who may not come.


def intruder(ring: Ring, name: str) -> Credentials:
    """What an authority that lies can make: a party's certificate for keys of its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = ring.authority._issuer.certify(name, key.public_key(), "party")
    genuine = ring.kit(name).credentials
    return replace(genuine, certificate=certificate, key=private_pem(key))


def with_credentials(kit: Kit, **changes: Any) -> Kit:
    return replace(kit, credentials=replace(kit.credentials, **changes))


def test_an_authority_that_lies_cannot_take_a_partys_place(made: Ring) -> None:
    """Pins: the certificate is right in every respect but the key."""
    parties = kits(made)
    parties["bank_c"] = replace(parties["bank_c"], credentials=intruder(made, "bank_c"))
    outcomes = together(parties, IMPATIENT)
    assert all(isinstance(error, TransportError) for error in outcomes.values())
    told = {name for name, error in outcomes.items() if "another key" in error.message}
    assert "bank_c" in told
    assert len(told) > 1  # it may give up before it has tried both
    assert all(outcomes[name].parties == ("bank_c",) for name in told)


def test_without_pins_it_could(made: Ring) -> None:
    """The weakened copy: the same intruder, and parties that believe the authority alone."""
    parties = {n: with_credentials(k, trust=Trust()) for n, k in kits(made).items()}
    forged = replace(intruder(made, "bank_c"), trust=Trust())
    parties["bank_c"] = replace(parties["bank_c"], credentials=forged)
    outcomes = together(parties)
    assert outcomes["bank_a"]["total"] == [3.0]


def test_a_dialled_party_with_another_key_is_refused_by_who_dials(made: Ring) -> None:
    parties = kits(made)
    parties["bank_a"] = replace(parties["bank_a"], credentials=intruder(made, "bank_a"))
    outcomes = together(parties, IMPATIENT)
    refusals = [e for e in outcomes.values() if isinstance(e, CertificateError)]
    assert refusals
    assert {(e.code, e.parties) for e in refusals} == {("TC-3216", ("bank_a",))}
    assert all(isinstance(e, TransportError) for e in outcomes.values())


def test_another_key_for_evidence_is_refused(tmp_path: Path) -> None:
    ring = Ring(tmp_path, FOUR, "fantastic4", helpers=["regulator"])
    parties = kits(ring, FOUR)
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    certificate = ring.authority._issuer.certify("bank_b", key.public_key(), "evidence")
    parties["bank_b"] = with_credentials(
        parties["bank_b"], evidence_certificate=certificate, evidence_key=private_pem(key)
    )
    outcomes = together(parties, IMPATIENT, regulator={"configuration": Settings(None)})
    refusals = [e for e in outcomes.values() if isinstance(e, CertificateError)]
    assert refusals
    assert all(isinstance(e, TransportError) for e in outcomes.values())
    assert refusals[0].code == "TC-3216"


def test_a_revoked_party_is_turned_away_and_told(ring: Ring) -> None:
    parties = kits(ring)
    revoked = parties["bank_c"]
    ring.authority.revoke("bank_c")
    trust = replace(
        parties["bank_a"].credentials.trust, revoked=frozenset({revoked.key})
    )  # as in the newest file
    for name in ("bank_a", "bank_b"):
        parties[name] = with_credentials(parties[name], trust=trust)
    # It comes to bank_a alone, and is gone when bank_b begins to wait for it.
    waiting = dict.fromkeys(THREE, QUICK) | {"bank_b": IMPATIENT}
    gone = threading.Event()
    outcomes: dict[str, Any] = {}

    def party(name: str) -> None:
        if name == "bank_b":
            assert gone.wait(120)
        outcomes.update(together({name: parties[name]}, waiting[name]))
        if name == "bank_c":
            gone.set()

    in_threads({name: partial(party, name) for name in THREE})
    assert isinstance(outcomes["bank_b"], DeadlineError)
    assert outcomes["bank_b"].parties == ("bank_c",)
    for name in ("bank_a", "bank_c"):
        assert isinstance(outcomes[name], CertificateError)
        assert (outcomes[name].code, outcomes[name].parties) == ("TC-3215", ("bank_c",))
    # Whoever turned it away says so, whatever another one says that missed it.
    assert outcomes["bank_c"].reporter == "bank_a"
    assert outcomes["bank_a"].reporter is None


@contextlib.contextmanager
def knocking(kit: Kit, credentials: Credentials, name: str) -> Iterator[Callable[[], bool]]:
    """Somebody that dials a party over and over; whether it came through TLS."""
    identity, over, inside = identity_of(credentials), threading.Event(), threading.Event()
    address = kit.addresses[name]

    def knock() -> None:
        while not over.wait(0.05):
            try:
                connection = socket.create_connection((address.host, address.port), 10)
            except OSError:
                continue
            connection.setblocking(False)
            link = _native.Link.dial(connection.detach(), identity, name)
            with contextlib.suppress(_native.LinkFailure):
                for _ in range(500):
                    if link.handshake():
                        inside.set()
                        break
                    over.wait(0.02)
            link.close()

    thread = threading.Thread(target=knock)
    thread.start()
    try:
        yield inside.is_set
    finally:
        over.set()
        thread.join(60)


def test_a_client_that_knocks_disturbs_nobody_and_is_no_party(ring: Ring) -> None:
    """Its certificate is the authority's and good for TLS; it takes no party's place."""
    install(ring.place("alice"), [ring.file, ring.approved("alice", "client")])
    for name in THREE:
        install(ring.place(name), [ring.file])
    alice = ring.kit("alice")
    waits: list[tuple[Awaited, ...]] = []
    with knocking(alice, alice.credentials, "bank_a") as came_in:
        lonely = together(kits(ring, ("bank_a",)), IMPATIENT, bank_a={"on_wait": waits.append})
        assert came_in()
        outcomes = together(kits(ring))
    assert isinstance(lonely["bank_a"], TransportError)
    assert any("does not name exactly one party" in str(one) for wait in waits for one in wait)
    assert outcomes["bank_b"]["total"] == [3.0]


def test_the_root_of_another_consortium_opens_nothing(made: Ring, tmp_path: Path) -> None:
    other = Ring(tmp_path / "other").kit("bank_c").credentials
    parties = kits(made)
    parties["bank_c"] = replace(parties["bank_c"], credentials=other)
    outcomes = together(parties, IMPATIENT)
    error = outcomes["bank_c"]
    assert isinstance(error, CertificateError)
    assert error.code == "TC-3206"
    assert isinstance(outcomes["bank_a"], TransportError)


def test_certificates_of_kits_say_what_they_are_for(ring: Ring) -> None:
    from cryptography.x509.oid import ExtendedKeyUsageOID as Usage

    install(ring.place("alice"), [ring.file, ring.approved("alice", "client")])
    party, client = (
        x509.load_pem_x509_certificate(ring.kit(name).credentials.certificate)
        for name in ("bank_a", "alice")
    )
    used = [
        set(c.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
        for c in (party, client)
    ]
    assert Usage.SERVER_AUTH in used[0]
    assert Usage.SERVER_AUTH not in used[1]  # no client can be dialled as a party
    assert party.public_bytes(Encoding.DER) != client.public_bytes(Encoding.DER)


def test_each_refreshes_its_own_folder(
    made: Ring, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``tacit refresh FOLDER --kit DIR`` at every party: new shares of the same secrets."""
    from tacit.cli.refresh import refresh
    from tacit.storage import places

    def work(name: str) -> Callable[[], Any]:
        def run() -> Any:
            place = places(tmp_path / name, (name,))[name]
            with party_session(made.kit(name), bytes(32), settings=QUICK) as session:
                session.attach(place)
                mpc = Computation(session)
                values = np.array([1.5, -2.0]) if name == "bank_a" else None
                mpc.save(mpc.share(values, "bank_a", dtype=tacit.fixed, shape=(2,)), "kept")
            folder = Path(place.folder)
            refresh([folder], None, 2.0, kit=made.place(name), wait=60.0, as_json=True)
            with party_session(made.kit(name), bytes(32), settings=QUICK) as session:
                session.attach(place)
                return Computation(session).load("kept").reveal(to="all").tolist()

        return run

    outcomes = in_threads({name: work(name) for name in THREE})
    assert outcomes == {name: [1.5, -2.0] for name in THREE}
    assert '"epoch": 1' in capsys.readouterr().out
    with pytest.raises(UsageError) as caught:
        refresh([tmp_path / "bank_b" / "bank_b"], kit=made.place("bank_a"))
    assert caught.value.code == "TC-1048"
