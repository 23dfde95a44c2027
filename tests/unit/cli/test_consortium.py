"""``tacit consortium``: the ceremony as people type it, in this process."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from consortia import free_ports
from typer.testing import CliRunner, Result

from tacit.cli.consortium import app
from tacit.consortium import Kit
from tacit.errors import PolicyDeniedError, StorageError, UsageError

NAMES = ("bank_a", "bank_b", "bank_c")
FINGERPRINT = re.compile(r"([0-9a-f]{4} ){9}[0-9a-f]{4}")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("AUTHORITY_KEY", "AUTHORITY_PASSPHRASE", "AUTHORITY", "KIT"):
        monkeypatch.delenv(f"TACIT_{variable}", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def tacit(*arguments: str, answers: str | None = None) -> Result:
    result = CliRunner().invoke(app, list(arguments), input=answers)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


def fingerprint(result: Result) -> str:
    found = FINGERPRINT.search(result.output)
    assert found is not None, result.output
    return found[0]


def new() -> None:
    addresses = zip(NAMES, free_ports(3), strict=True)
    parties = ",".join(f"{name}=127.0.0.1:{port}" for name, port in addresses)
    tacit("new", "ring", "--parties", parties, "--key-file", "key")


KEY = ("--authority", "ring", "--key-file", "key")


def test_the_ceremony(here: Path) -> None:
    new()
    for name in NAMES:
        asked = tacit("request", name, "--kit", name)
        request = f"{name}/pending/{name}.csr"
        with pytest.raises(PolicyDeniedError) as caught:  # nobody compared anything
            tacit("approve", request, *KEY)
        assert caught.value.code == "TC-4022"
        with pytest.raises(PolicyDeniedError):
            tacit("approve", request, *KEY, "--fingerprint", "0000 1111")
        tacit("approve", request, *KEY, "--fingerprint", fingerprint(asked).upper())
    first = tacit("install", "ring/consortium.json", "ring/answers/bank_a.cert", "--kit", "bank_a")
    assert "telephone" in first.output
    for name in NAMES[1:]:
        tacit("install", f"ring/answers/{name}.cert", "ring/consortium.json", "--kit", name)
    shown = {
        fingerprint(tacit("status", folder)) for folder in ("ring", "bank_a", "bank_b", "bank_c")
    }
    assert shown == {Kit.load(here / "bank_a").fingerprint}
    status = json.loads(tacit("status", "ring", "--json").output)
    assert [c["name"] for c in status["certificates"]] == list(NAMES)
    assert all(c["days_left"] in (364, 365) for c in status["certificates"])

    renewed = tacit("renew", "bank_a", *KEY, "--days", "30")
    assert "Edition" not in renewed.output
    tacit("install", "ring/answers/bank_a.cert", "--kit", "bank_a")
    assert "29 days left: renew" in tacit("status", "bank_a").output
    again = tacit("request", "bank_a", "--kit", "bank_a")  # the keys it has: nothing to compare
    tacit("approve", "bank_a/pending/bank_a.csr", *KEY)
    assert FINGERPRINT.search(again.output)

    tacit("move", *KEY, "--address", "bank_c=10.1.2.3:7600", "--service", "bank_c=10.1.2.3:443")
    assert "10.1.2.3:7600" in tacit("status", "ring").output
    tacit("revoke", "bank_c", *KEY)
    assert "no key yet" in tacit("status", "ring").output
    assert "Revoked" in tacit("status", "ring").output


def test_clients_and_kits_made_centrally(here: Path) -> None:
    new()
    made = tacit("issue", *KEY)
    assert "Keys were made here" in made.output
    assert [Kit.load(here / "ring" / "kits" / name).name for name in NAMES] == list(NAMES)
    asked = tacit("request", "alice", "--client", "--kit", "alice")
    tacit("approve", "alice/pending/alice.csr", *KEY, "--fingerprint", fingerprint(asked))
    tacit("install", "ring/consortium.json", "ring/answers/alice.client.cert", "--kit", "alice")
    assert "a client" in tacit("status", "alice").output
    assert "alice" in tacit("status", "ring").output
    tacit("revoke", "alice", "--client", *KEY)
    with pytest.raises(UsageError):
        tacit("issue", "--client", *KEY)


def test_what_is_missing_is_asked_for(here: Path) -> None:
    new()
    with pytest.raises(UsageError) as caught:  # no terminal, no key
        tacit("issue", "--authority", "ring")
    assert caught.value.code == "TC-1059"
    with pytest.raises(UsageError):
        tacit("new", "other", "--parties", "bank_a", "--key-file", "key")
    with pytest.raises(UsageError):
        tacit("new", "other", "--parties", "bank_a=a:1,bank_a=b:1,bank_c=c:1", "--key-file", "key")
    with pytest.raises(StorageError):
        tacit("approve", "nowhere.csr", *KEY, "--fingerprint", "1")
