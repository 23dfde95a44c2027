"""The authority's folder: its sealed keys, what it certifies and what it refuses."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path

import msgspec
import pytest
from consortia import Ring, free_ports
from cryptography import x509

from tacit.consortium import Kit
from tacit.consortium.authority import AuthorityFolder
from tacit.consortium.file import sign
from tacit.consortium.installing import install
from tacit.consortium.requests import make_request, read_request
from tacit.consortium.sealing import Secret, seal, unseal
from tacit.errors import CertificateError, ConfigurationError, StorageError, UsageError
from tacit.storage import OwnerKey, create_key

ADDRESSES = {"bank_a": "a.example:7600", "bank_b": "[::1]:7600", "bank_c": "10.0.0.3:7600"}


def secret() -> Secret:
    return Secret(key=OwnerKey(bytes(range(32))))


def new(folder: Path) -> AuthorityFolder:
    return AuthorityFolder.create(folder, "ring", ADDRESSES, secret(), protocol="replicated3")


def test_the_root_never_changes(tmp_path: Path) -> None:
    first = new(tmp_path / "ring")
    root = first.consortium.root
    path, _ = make_request(tmp_path / "kit", "bank_a")
    first.approve(read_request(path.read_bytes(), path))
    again = AuthorityFolder(tmp_path / "ring", secret())
    assert again.consortium.root == root
    years = x509.load_pem_x509_certificate(root.encode())
    assert (years.not_valid_after_utc - years.not_valid_before_utc).days > 19 * 365
    with pytest.raises(UsageError) as caught:
        new(tmp_path / "ring")
    assert caught.value.code == "TC-1058"
    assert AuthorityFolder(tmp_path / "ring", secret()).consortium.root == root


def test_only_its_secret_opens_the_keys(tmp_path: Path) -> None:
    new(tmp_path / "ring")
    for wrong in (
        Secret(key=OwnerKey(bytes(32))),
        Secret(passphrase="correct horse battery"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            AuthorityFolder(tmp_path / "ring", wrong)
        assert caught.value.code == "TC-2029"
    assert b"PRIVATE" not in (tmp_path / "ring" / "authority.key").read_bytes()
    for hidden in (secret(), Secret(passphrase="correct horse battery")):
        assert repr(hidden) == "Secret()"


def test_a_passphrase_seals_too(tmp_path: Path) -> None:
    sealed = seal(b"keys", Secret(passphrase="correct horse battery"))
    assert unseal(sealed, Secret(passphrase="correct horse battery"), tmp_path) == b"keys"
    with pytest.raises(ConfigurationError) as caught:
        unseal(sealed, Secret(passphrase="correct horse batterz"), tmp_path)
    assert caught.value.code == "TC-2029"
    with pytest.raises(UsageError) as refused:
        seal(b"keys", Secret(passphrase="short"))
    assert refused.value.code == "TC-1059"


def test_damage_to_the_sealed_keys_is_noticed(tmp_path: Path) -> None:
    path = Path("authority.key")
    sealed = seal(b"keys", secret())
    data = json.loads(sealed)
    spoiled = [sealed[: len(sealed) // 2], b"", b"{}"]
    for part in ("sealed", "wrapped", "nonce", "number"):
        digits = data[part]
        changed = {**data, part: ("1" if digits[0] == "0" else "0") + digits[1:]}
        spoiled.append(json.dumps(changed).encode())
    for bad in spoiled:
        with pytest.raises(ConfigurationError) as caught:
            unseal(bad, secret(), path)
        assert caught.value.code == "TC-2028"


def test_the_secret_from_its_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TACIT_AUTHORITY_KEY", raising=False)
    monkeypatch.delenv("TACIT_AUTHORITY_PASSPHRASE", raising=False)
    assert Secret.from_surroundings(None) is None
    monkeypatch.setenv("TACIT_AUTHORITY_PASSPHRASE", "correct horse battery")
    found = Secret.from_surroundings(None)
    assert found is not None
    assert found.kind == "passphrase"
    key = create_key(tmp_path / "key")
    found = Secret.from_surroundings(key)
    assert found is not None
    assert found.kind == "key"
    key.chmod(0o644)
    with pytest.raises(StorageError):
        Secret.from_surroundings(key)


@pytest.mark.parametrize(
    ("parties", "options", "code"),
    [
        ({"bank_a": "a:1", "bank_b": "b:1"}, {}, "TC-1021"),
        ({**ADDRESSES, "bank_d": "d:1"}, {}, "TC-1021"),
        (ADDRESSES, {"helpers": ["nobody"]}, "TC-1021"),
        ({**ADDRESSES, "bank_c": "nowhere"}, {}, "TC-1010"),
        ({**ADDRESSES, "bank_c": "c.example:0"}, {}, "TC-1010"),
        ({**ADDRESSES, "bank_c": "c.example:65535"}, {}, "TC-1010"),
        ({**ADDRESSES, "bank_c": "c.example:70000"}, {}, "TC-1010"),
        ({"a": "a:1", "b": "b:1", "c\n": "c:1"}, {}, "TC-1011"),
    ],
)
def test_what_cannot_be_a_consortium(
    tmp_path: Path, parties: dict[str, str], options: dict[str, list[str]], code: str
) -> None:
    with pytest.raises(UsageError) as caught:
        AuthorityFolder.create(
            tmp_path / "ring", "ring", parties, secret(), protocol="replicated3", **options
        )
    assert caught.value.code == code
    assert not (tmp_path / "ring" / "authority.key").exists()


def test_the_party_without_data_comes_last(tmp_path: Path) -> None:
    authority = AuthorityFolder.create(
        tmp_path / "ring",
        "ring",
        {"regulator": "r:1", **ADDRESSES},
        secret(),
        protocol="fantastic4",
        helpers=["regulator"],
    )
    assert authority.consortium.names == ("bank_a", "bank_b", "bank_c", "regulator")
    assert authority.consortium.owners == ("bank_a", "bank_b", "bank_c")


def test_requests_that_are_not_approved(tmp_path: Path) -> None:
    ring = Ring(tmp_path)
    for name, role, code in (
        ("mallory", "party", "TC-1056"),  # is no party
        ("bank_a", "client", "TC-1058"),  # has a party's name
    ):
        path, _ = make_request(tmp_path / f"{name}-{role}", name, role)  # type: ignore[arg-type]
        with pytest.raises(UsageError) as caught:
            ring.authority.approve(read_request(path.read_bytes(), path))
        assert caught.value.code == code
    # Keys that are another's: the same request under another name needs other signatures.
    path, _ = make_request(tmp_path / "thief", "bank_b")
    data = json.loads(path.read_bytes())
    own, _ = make_request(ring.place("bank_a"), "bank_a")
    stolen = json.loads(own.read_bytes())
    data["link"] = stolen["link"]
    with pytest.raises(ConfigurationError) as damaged:
        read_request(json.dumps(data).encode(), path)
    assert damaged.value.code == "TC-2026"
    # Keys that were revoked do not come back.
    path, made = make_request(ring.place("bank_a"), "bank_a")
    ring.authority.revoke("bank_a")
    with pytest.raises(UsageError) as caught:
        ring.authority.approve(read_request(path.read_bytes(), path))
    assert caught.value.code == "TC-1058"
    assert "revoked" in caught.value.message
    assert made.name == "bank_a"


@pytest.mark.parametrize("cut", [0, 1, 200, -3])
def test_a_torn_request_is_refused(tmp_path: Path, cut: int) -> None:
    path, _ = make_request(tmp_path / "kit", "bank_a")
    with pytest.raises(ConfigurationError) as caught:
        read_request(path.read_bytes()[:cut], path)
    assert caught.value.code == "TC-2026"


def test_a_request_says_its_fingerprint_and_keeps_its_keys(tmp_path: Path) -> None:
    path, first = make_request(tmp_path / "kit", "bank_a")
    _, again = make_request(tmp_path / "kit", "bank_a")
    assert again.fingerprint == first.fingerprint
    _, fresh = make_request(tmp_path / "kit", "bank_a", new_keys=True)
    assert fresh.fingerprint != first.fingerprint
    assert b"PRIVATE" not in path.read_bytes()
    with pytest.raises(UsageError):
        make_request(tmp_path / "kit", "bank_b")
    with pytest.raises(ConfigurationError) as caught:
        Kit.load(tmp_path / "kit")
    assert caught.value.code == "TC-2024"
    assert "bank_a.csr" in caught.value.next_step


def test_an_answer_for_another_kit_is_refused(tmp_path: Path) -> None:
    ring = Ring(tmp_path)
    answer = ring.approved("bank_b", new_keys=True)
    with pytest.raises(CertificateError) as caught:
        install(ring.place("bank_a"), [answer])
    assert caught.value.code == "TC-3204"
    assert ring.kit("bank_a").name == "bank_a"
    for data, code in ((b"", "TC-2027"), (b"{}", "TC-2027"), (answer.read_bytes()[:-9], "TC-2027")):
        answer.write_bytes(data)
        with pytest.raises(ConfigurationError) as torn:
            install(ring.place("bank_b"), [answer])
        assert torn.value.code == code
    with pytest.raises(StorageError):
        install(ring.place("bank_b"), [tmp_path / "nowhere"])


def test_an_installation_that_was_cut_short_is_done_again(tmp_path: Path) -> None:
    """After the keys were replaced and before the certificates: the kit says so, and heals."""
    ring = Ring(tmp_path)
    answer = ring.approved("bank_b", new_keys=True)
    place = ring.place("bank_b")
    shutil.copy(place / "pending" / "party.key", place / "party.key")
    with pytest.raises(CertificateError):
        ring.kit("bank_b")
    install(place, [ring.file, answer], accept=["bank_b"])
    assert ring.kit("bank_b").fingerprint == ring.authority.consortium.fingerprint
    assert not (place / "pending").exists()


def test_kits_that_the_authority_makes(tmp_path: Path) -> None:
    authority = AuthorityFolder.create(
        tmp_path / "ring",
        "ring",
        {n: f"127.0.0.1:{p}" for n, p in zip(ADDRESSES, free_ports(3), strict=True)},
        secret(),
        protocol="replicated3",
    )
    kits = authority.issue(authority.consortium.names)
    assert [Kit.load(kit).name for kit in kits] == list(ADDRESSES)
    client = authority.issue(["alice"], "client")
    assert Kit.load(client[0]).role == "client"


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    ring = Ring(tmp_path)
    for act in (
        lambda: ring.authority.renew("mallory"),
        lambda: ring.authority.renew("alice", "client"),
        lambda: ring.authority.revoke("mallory"),
        lambda: ring.authority.move({"mallory": "m:1"}, {}),
    ):
        with pytest.raises(UsageError) as caught:
            act()
        assert caught.value.code == "TC-1056"
    ring.authority.revoke("bank_a")
    with pytest.raises(UsageError):
        ring.authority.renew("bank_a")
    with pytest.raises(ConfigurationError) as missing:
        AuthorityFolder(tmp_path / "nowhere", secret())
    assert missing.value.code == "TC-2024"
    (ring.folder / "register.json").write_text("{")
    with pytest.raises(ConfigurationError) as torn:
        AuthorityFolder(ring.folder, ring.secret)
    assert torn.value.code == "TC-2028"


def test_two_commands_at_once_both_count(tmp_path: Path) -> None:
    ring = Ring(tmp_path)
    requests = []
    for name in ("bank_a", "bank_b", "bank_c"):
        path, _ = make_request(ring.place(name), name, new_keys=True)
        requests.append(read_request(path.read_bytes(), path))
    folders = [AuthorityFolder(ring.folder, ring.secret) for _ in requests]
    before = ring.authority.consortium
    threads = [
        threading.Thread(target=folder.approve, args=(request,))
        for folder, request in zip(folders, requests, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    after = AuthorityFolder(ring.folder, ring.secret).consortium
    assert after.edition == before.edition + 3
    assert len(before.changes(after)) == 3
    assert len(after.revoked) == 6


def test_keys_that_were_replaced_are_revoked_also_after_a_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = Ring(tmp_path)
    ring.approved("eve", "client")
    (old,) = ring.authority._entry("eve", "client").keys  # type: ignore[union-attr]

    def power_cut(self: object, *rest: object) -> None:
        raise KeyboardInterrupt

    for broken in ("_edit", "_put"):
        with monkeypatch.context() as patch:
            patch.setattr(AuthorityFolder, broken, power_cut)
            with pytest.raises(KeyboardInterrupt):
                ring.approved("eve", "client", new_keys=broken == "_edit")
    ring.authority = AuthorityFolder(ring.folder, ring.secret)
    ring.approved("eve", "client")
    assert old in ring.authority.consortium.trust.revoked


@pytest.mark.parametrize("name", ["evil\x1b[2J", "a\nb", ""])
def test_what_would_be_printed_is_checked(tmp_path: Path, name: str) -> None:
    """An authority that lies cannot write to a party's terminal either."""
    ring = Ring(tmp_path)
    authority = ring.authority
    twisted = msgspec.structs.replace(authority.consortium, name=name, edition=99)
    ring.file.write_bytes(sign(twisted, authority._file_key, authority._signer))
    with pytest.raises(ConfigurationError) as caught:
        install(ring.place("bank_a"), [ring.file])
    assert caught.value.code == "TC-2020"
