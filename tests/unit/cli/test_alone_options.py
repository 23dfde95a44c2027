"""``--as`` and ``--kit``: what is refused before anybody is dialled; what is said while waiting."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from consortia import Ring
from rich.console import Console

from tacit.cli.alone import WaitLines, check_place, listening, own_part
from tacit.cli.training import TrainingRequest
from tacit.consortium import Kit
from tacit.consortium.installing import install
from tacit.errors import ConfigurationError, UsageError
from tacit.network import Address, Awaited


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Ring:
    names = ("regulator", "bank_a", "bank_b", "bank_c")
    return Ring(tmp_path_factory.mktemp("ring"), names, "fantastic4", helpers=["regulator"])


def test_one_party_and_its_file(ring: Ring) -> None:
    place = ring.place("bank_a")
    kit, files = own_part("bank_a=a.csv", place, [])
    assert (kit.name, files) == ("bank_a", {"bank_a": Path("a.csv")})
    assert own_part("regulator", ring.place("regulator"), [])[1] == {}
    for own, folder, others, code in (
        ("bank_b=b.csv", place, [], "TC-1058"),
        ("bank_a=a.csv", None, [], "TC-1040"),
        ("bank_a=a.csv", place, ["bank_b=b.csv"], "TC-1040"),
    ):
        with pytest.raises(UsageError) as caught:
            own_part(own, folder, others)
        assert caught.value.code == code
    install(ring.place("app"), [ring.file, ring.approved("app", "client")])
    for name in ("bank_a", "app"):  # the advice leads to no second error
        with pytest.raises(UsageError, match=f"the kit of {name}; clients ask") as caught:
            own_part(f"{name}=a.csv", ring.place("app"), [])
        assert caught.value.code == "TC-1057"
    with pytest.raises(ConfigurationError):
        own_part("bank_a=a.csv", ring.base / "nowhere", [])
    assert listening("[::1]:7600") == Address("::1", 7600)
    assert listening(None) is None


def request(kit: Kit, **options: object) -> TrainingRequest:
    files = {kit.name: Path("a.csv")} if kit.name != "regulator" else {}
    chosen = {"protocol": "fantastic4", "reveal_to": ("bank_a",), "files": files, **options}
    return TrainingRequest(label="y", kit=kit, **chosen)  # type: ignore[arg-type]


def test_what_a_party_is_told_names_nothing_of_the_others(ring: Ring, tmp_path: Path) -> None:
    owners = ("bank_a", "bank_b", "bank_c")
    for name in (*owners, "regulator"):
        asked = request(ring.kit(name), out=tmp_path / name, checkpoint=tmp_path / name / "shares")
        asked.check()
        assert asked.owners == owners
        assert asked.parties == (*owners, "regulator")
        told = asked.settings(name)
        assert (told.file is None) == (name == "regulator")
        keys = sorted(path.name for path in (tmp_path / name / "shares" / "_keys").iterdir())
        assert keys == [f"{name}.key"]
    texts = [request(ring.kit(name)).settings(name).agreed() for name in owners]
    assert texts[0] == texts[1] == texts[2]
    assert texts[0]["training.epochs"] == "3"
    assert not any("a.csv" in text for text in texts[0].values())


def test_what_cannot_be(ring: Ring) -> None:
    kit = ring.kit("bank_a")
    for options, code in (
        ({"protocol": "replicated3"}, "TC-1021"),
        ({"files": {}}, "TC-1040"),
        ({"compare_pooled": True}, "TC-1047"),
    ):
        with pytest.raises(UsageError) as caught:
            request(kit, **options).check()
        assert caught.value.code == code
    with pytest.raises(UsageError):
        check_place(
            ring.kit("regulator"),
            {"regulator": Path("r.csv")},
            kit.consortium.owners,
            kit.consortium.names,
            "fantastic4",
        )


def test_a_wait_is_said_once_and_again_when_it_changes(
    ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.StringIO()
    now = [0.0]
    monkeypatch.setattr("tacit.cli.alone.time.monotonic", lambda: now[0])
    lines = WaitLines(ring.kit("bank_a"), Console(file=out, width=200))
    for second in range(40):
        now[0] = float(second)
        lines((Awaited("bank_b", Address("b.example", 7600), "connection refused"),))
    now[0] = 41.0
    lines(())
    lines(())
    said = out.getvalue().splitlines()
    waiting = "waiting for bank_b at b.example:7600 (connection refused)"
    assert said[1:] == [waiting, f"{waiting} 30 s", "✓ all parties are here after 41.0 s"]
