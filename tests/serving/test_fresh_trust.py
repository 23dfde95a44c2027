"""Which clients a running service accepts, while the consortium changes."""

from __future__ import annotations

from pathlib import Path

import msgspec
import structlog
from consortia import Ring

from tacit.consortium.file import sign
from tacit.consortium.installing import install
from tacit.serving.trust import FreshTrust


def test_a_client_is_revoked_also_while_a_party_waits_for_new_keys(tmp_path: Path) -> None:
    ring = Ring(tmp_path)
    ring.approved("eve", "client")
    install(ring.place("bank_a"), [ring.file])
    trust = FreshTrust(ring.kit("bank_a"), structlog.get_logger())
    before = trust()
    ring.authority.revoke("bank_c")
    ring.authority.revoke("eve", "client")
    install(ring.place("bank_a"), [ring.file], accept=["bank_c"])
    trust._next = 0.0
    eve = [r.key for r in ring.authority.consortium.revoked if r.name == "eve"]
    assert len(eve) == 1
    assert eve[0] not in before.revoked
    assert eve[0] in trust().revoked


def test_a_file_that_no_authority_makes_changes_nothing(tmp_path: Path) -> None:
    ring = Ring(tmp_path)
    kit = ring.kit("bank_a")
    trust = FreshTrust(kit, structlog.get_logger())
    before, authority = trust(), ring.authority
    for change in ({"edition": 1}, {"edition": 99, "protocol": "replicated3_active"}):
        later = msgspec.structs.replace(authority.consortium, **change)  # type: ignore[arg-type]
        (kit.folder / "consortium.json").write_bytes(
            sign(later, authority._file_key, authority._signer)
        )
        trust._next = 0.0
        assert trust() is before
    (kit.folder / "consortium.json").write_text("{")
    trust._next = 0.0
    assert trust() is before
