"""Clients over TLS: what they get, and what a bad one is told; nothing stops the others."""

from __future__ import annotations

import socket
import ssl
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Running, packed

import tacit
from tacit.consortium import Kit
from tacit.consortium.installing import install
from tacit.errors import (
    CertificateError,
    DataError,
    PartyLostError,
    PolicyDeniedError,
    TacitError,
    UsageError,
)
from tacit.network import Address, Authority
from tacit.serving import endpoint
from tacit.serving.lines import Line
from tacit.serving.messages import Ask, Exchange, Give
from tacit.serving.tls import client_context


def said(kit: Path, path: str, body: bytes, party: str = "alice") -> tuple[int, bytes]:
    """One request to one party, whatever it is."""
    opened = Kit.load(kit)
    line = Line(party, opened.services[party], opened.credentials)
    assert line.send("POST", path, body, insist=True), line.failure
    answer = line.receive()
    line.close()
    assert answer is not None
    return answer


def test_scores_of_rows_of_any_kind(service: Running, rows: Any, tmp_path: Path) -> None:
    expected = service.clear.probability(rows)
    names = ("x0", "x1", "x2")
    file = tmp_path / "rows.csv"
    text = "\n".join(",".join(map(repr, map(float, row[::-1]))) for row in rows)
    file.write_text("x2,x1,x0\n" + text + "\n")
    columns = {name: rows[:, place].tolist() for place, name in enumerate(names)}
    dicts = [dict(zip(names, map(float, row), strict=True)) for row in rows]
    with tacit.Client(service.client("ann")) as client:
        for given in (file, columns, dicts, rows):
            found = client.predict_proba(given)
            assert found.shape == (2, 2)
            assert np.abs(found[:, 1] - expected).max() <= 1e-3, type(given)
        assert np.array_equal(found[:, 1], np.round(found[:, 1], 3))
        assert client.predict(rows).tolist() == (found[:, 1] >= 0.5).astype(int).tolist()
        described = client.describe()
        assert described.budget == 40 - 4 * 2 - 2
        assert described.members == ("alice", "bob", "carol")
        assert client.schema == service.clear.form.schema


def test_many_rows_go_in_several_requests(service: Running) -> None:
    rows = np.random.default_rng(5).uniform(-1, 1, (11, 3))
    with tacit.Client(service.client("max")) as client:
        found = client.probability(rows)
    assert np.abs(found - service.clear.probability(rows)).max() <= 1e-3


def test_a_budget_ends(service: Running, rows: Any) -> None:
    with tacit.Client(service.client("bea")) as client:
        client.probability(np.zeros((38, 3)))
        with pytest.raises(PolicyDeniedError) as refusal:
            client.probability(np.zeros((3, 3)))
        assert refusal.value.code == "TC-4013"
        assert client.describe().budget == 2
    with tacit.Client(service.client("bob2")) as other:
        assert other.probability(rows).shape == (2,)


def test_clients_at_the_same_time_get_their_own(service: Running) -> None:
    def asked(place: int) -> bool:
        rows = np.random.default_rng(place).uniform(-1, 1, (1 + place % 3, 3))
        with tacit.Client(kits[place]) as client:
            good = [
                np.abs(client.probability(rows) - service.clear.probability(rows)).max() <= 1e-3
                for _ in range(3)
            ]
        return all(good)

    kits = [service.client(f"client{place}") for place in range(6)]
    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(asked, range(6)))


def test_wrong_rows_are_the_clients_own_affair(service: Running, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("x0,x1,x2\n0,0,0\n0,1.5,0\n")
    with tacit.Client(service.client("cat")) as client:
        for given, place in ((file, "line 3"), ([[0, 0, 0], [0, 1.5, 0]], "row 2")):
            with pytest.raises(DataError) as error:
                client.probability(given)
            assert place in error.value.message
            assert "x1" in error.value.message
            assert "1.5" not in error.value.message
        for wrong in ([[1, 2]], [{"x0": 0}], [[np.nan, 0, 0]], [[0, 0, "word"]], [[0, None, 0]]):
            with pytest.raises(TacitError):
                client.probability(wrong)
        assert client.probability(np.zeros((0, 3))).shape == (0,)
        assert client.describe().budget == 40


def test_what_is_no_message_is_refused(service: Running, rows: Any) -> None:
    kit = service.client("eve")
    digest = service.clear.form.digest()
    ask = Ask(bytes(16), 1)
    cases: list[tuple[bytes, int]] = [
        (b"", 400),
        (b"\xc1junk", 400),
        (packed({"form": digest, "asks": [[bytes(3), 1]]}), 400),
        (packed({"form": digest, "asks": [[bytes(16), 0]]}), 400),
        (packed({"form": digest, "asks": [[bytes(16), 1 << 40]]}), 400),
        (packed({"form": digest, "more": 1}), 400),
        (packed(Exchange(bytes(32), (ask,))), 409),
        (bytes(3 << 20), 413),
    ]
    for body, status in cases:
        found, text = said(kit, "/v1/exchange", body)
        assert found == status, body[:40]
        assert b"TC-6006" in text
    assert said(kit, "/v1/nothing", b"")[0] == 404
    with tacit.Client(service.client("fay")) as client:
        assert client.probability(rows).shape == (2,)


def test_a_wrong_correction_is_refused_alone(service: Running, rows: Any) -> None:
    kit, digest = service.client("gus"), service.clear.form.digest()
    for give in (Give(bytes(16), b""), Give(bytes(16), bytes(24))):
        status, body = said(kit, "/v1/exchange", packed(Exchange(digest, (), (give,))))
        assert status == 200
        assert b"TC-6002" in body
    status, body = said(kit, "/v1/exchange", packed(Exchange(digest, (Ask(bytes(16), 9),))))
    assert b"TC-6006" in body  # more rows than go together


def test_who_is_no_client_gets_nothing(service: Running) -> None:
    opened = Kit.load(service.kits["alice"])
    line = Line("bob", opened.services["bob"], opened.credentials)
    assert line.send("GET", "/v1/service", b"", insist=True)
    answer = line.receive()
    line.close()
    assert answer is not None
    assert answer[0] == 403  # a party's certificate
    with pytest.raises(UsageError):
        tacit.Client(service.kits["alice"])
    stranger = Authority().issue_client("ann")
    for credentials in (stranger,):
        client = tacit.Client.at(credentials, opened.services, timeout=3)
        with pytest.raises(PartyLostError):
            client.probability([[0, 0, 0]])
    address = opened.services["bob"]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with pytest.raises((ssl.SSLError, urllib.error.URLError, ConnectionError)):
        urllib.request.urlopen(f"https://{address}/v1/service", context=context, timeout=60).read()


def test_a_revoked_client_is_refused_by_a_running_service(service: Running, rows: Any) -> None:
    with tacit.Client(service.client("kim"), timeout=60) as client:
        assert client.probability(rows).shape == (2,)
        service.authority.revoke("kim", "client")
        for kit in service.kits.values():
            install(kit, [service.authority.folder / "consortium.json"])
        time.sleep(1.1)  # a party looks at its file every second
        with pytest.raises(CertificateError) as error:
            client.probability(rows[:1])  # over connections that stand
        assert error.value.code == "TC-3215"
    with tacit.Client(service.client("lea")) as other:
        assert other.probability(rows).shape == (2,)


def test_another_party_at_an_address_is_noticed(service: Running) -> None:
    kit = Kit.load(service.client("hal"))
    services = dict(kit.services)
    services["alice"], services["bob"] = services["bob"], services["alice"]
    with (
        tacit.Client.at(kit.credentials, services, timeout=3) as client,
        pytest.raises(PartyLostError) as error,
    ):
        client.probability([[0, 0, 0]])
    assert "TLS" in error.value.message


def test_nobody_listens(service: Running) -> None:
    kit = Kit.load(service.client("ida"))
    services = {name: Address("127.0.0.1", 9) for name in kit.services}
    with (
        tacit.Client.at(kit.credentials, services, timeout=3) as client,
        pytest.raises(PartyLostError) as error,
    ):
        client.probability([[0, 0, 0]])
    assert error.value.code == "TC-3413"


def test_health_and_metrics(service: Running, rows: Any) -> None:
    with tacit.Client(service.client("joe")) as client:
        client.probability(rows)
    for party, port in service.operations.items():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=60) as found:
            assert found.status == 200
            assert party in found.read().decode()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as found:
            text = found.read().decode()
        lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[:1] != "#")
        assert float(lines["tacit_serving_rows_total"]) >= 2
        assert float(lines["tacit_serving_members"]) == 3
        assert float(lines["tacit_serving_stage"]) == 0
        assert float(lines["tacit_serving_seconds_count"]) > 0
        assert "joe" not in text


@pytest.mark.parametrize(
    "start",
    [b"", b"\r\n", b"GET /v1/ser", b"POST /v1/exchange HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc"],
)
def test_half_a_request_does_not_hold_a_connection(
    service: Running, start: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "_REQUEST_SECONDS", 0.2)
    kit = Kit.load(service.client("ann"))
    address = kit.services["alice"]
    plain = socket.create_connection((address.host, address.port), timeout=60)
    with (
        client_context(kit.credentials).wrap_socket(plain, server_hostname="alice") as line,
        pytest.raises((ConnectionError, ssl.SSLEOFError)),
    ):
        line.sendall(start)
        raise ConnectionError if line.recv(9) == b"" else AssertionError


def test_who_leaves_within_a_request_is_no_failure(
    service: Running, caplog: pytest.LogCaptureFixture
) -> None:
    kit = Kit.load(service.client("ann"))
    address = kit.services["alice"]
    plain = socket.create_connection((address.host, address.port), timeout=60)
    with client_context(kit.credentials).wrap_socket(plain, server_hostname="alice") as line:
        line.sendall(b"POST /v1/exchange HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc")
        time.sleep(0.1)
    time.sleep(0.2)
    assert not [record for record in caplog.records if record.exc_info]
