"""Handshakes of later stages with a party that says different things to different ones."""

from __future__ import annotations

import dataclasses
import threading
from typing import Any

import msgspec
import numpy as np
import pytest
from grounds import FOUR, SETTINGS, Town, connected
from linked import synchronously

from tacit.errors import HandshakeError, TacitError
from tacit.network import Ground, Mesh
from tacit.network.handshake import Handshake
from tacit.rounds.contract import Round, Step

THREE = FOUR[:3]


@pytest.mark.parametrize("kept", [(), ("bob",), ("bob", "carol")])
@pytest.mark.parametrize("what", ["hello", "confirmation"])
def test_who_speaks_to_some_only_is_named_and_no_honest_one_is(
    monkeypatch: pytest.MonkeyPatch, what: str, kept: tuple[str, ...]
) -> None:
    """In a later stage dave says hello, or confirms, to these alone; each honest one names him."""
    greet, confirmed = Handshake.greet, Handshake._confirmed

    def withheld(handshake: Handshake, peer: int, wanted: str) -> bool:
        return (
            handshake.own.name == "dave"
            and bool(handshake.occasion)
            and wanted in ("confirmation", what)
            and handshake.names[peer] not in kept
        )

    def greets(handshake: Handshake, peer: int) -> None:
        if not withheld(handshake, peer, "hello"):
            greet(handshake, peer)

    def confirms(
        handshake: Handshake, session: bytes, peer: int, sends: dict[int, bytes], seconds: float
    ) -> bool:
        said = {p: m for p, m in sends.items() if not withheld(handshake, p, "confirmation")}
        return confirmed(handshake, session, peer, said, seconds)

    monkeypatch.setattr(Handshake, "greet", greets)
    monkeypatch.setattr(Handshake, "_confirmed", confirms)

    def steps(mesh: Mesh) -> Step[None]:
        sent, got = np.zeros(1, np.uint64), {p: np.zeros(1, np.uint64) for p in range(4)}
        others = [peer for peer in range(4) if peer != mesh.index]
        yield Round(
            send=dict.fromkeys(others, (sent,)), receive={peer: (got[peer],) for peer in others}
        )

    def attempt(patience: float) -> None:
        monkeypatch.setattr("tacit.network.handshake.MARGIN", patience)
        monkeypatch.setattr("tacit.network.mesh.MARGIN", patience)
        settings = dataclasses.replace(SETTINGS, heartbeat_timeout=2 * patience, close_timeout=0.5)
        later = dataclasses.replace(settings, start_deadline=2.5 * patience, patience=patience)
        left = threading.Event()

        def body(ground: Ground) -> Any:
            with connected(ground, FOUR):
                pass
            ground.settings = later
            try:
                with connected(ground, FOUR, "1") as mesh:
                    if ground.name == "dave":
                        left.wait(120)
                    mesh.driver.run(steps(mesh), patience=patience)
            except TacitError as error:
                if ground.name != "dave":
                    left.set()
                return error
            return None

        outcomes = Town(settings=settings).run(body)
        direct = []
        for name in THREE:
            error = outcomes[name]
            assert isinstance(error, TacitError), outcomes
            if error.reporter is None:
                direct.append(name)
                assert error.parties == ("dave",), outcomes
        assert direct
        assert not set(direct) & set(kept)

    synchronously(1.0, attempt)


def test_nonces_that_differ_do_not_matter_in_a_later_stage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Dave shows each another nonce: in a first session two honest ones would disagree by it."""
    hear = Handshake.hear

    def hears(handshake: Handshake, peer: int) -> bool:
        there = hear(handshake, peer)
        if there and handshake.names[peer] == "dave" and (handshake.occasion or weak):
            said = handshake.hellos[peer]
            nonce = handshake.own.name.encode().ljust(32)
            handshake.hellos[peer] = msgspec.structs.replace(said, nonce=nonce)
        return there

    monkeypatch.setattr(Handshake, "hear", hears)

    def body(ground: Ground) -> Any:
        ids = []
        for stage in ("0", "1", "1"):
            with connected(ground, FOUR, stage) as mesh:
                ids.append(mesh.session_id)
        return ids

    weak = False
    outcomes = Town().run(body)
    assert len(outcomes["alice"]) == 3, outcomes
    assert all(outcomes[name] == outcomes["alice"] for name in FOUR)
    assert len(set(outcomes["alice"])) == 3
    # With nonces, as in a first session, honest parties accuse honest ones.
    weak = True
    errors = Town(settings=dataclasses.replace(SETTINGS, start_deadline=3.0)).run(body)
    accused = {
        party
        for name in THREE
        if isinstance(errors[name], HandshakeError)
        for party in set(errors[name].parties) - {name}
    }
    assert accused & set(THREE)
