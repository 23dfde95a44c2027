"""Pitfall: parties get different values of a "broadcast", and half of them drop their old shares.

A party that tells the others different things (about what it has, or its part of the coin) is
found out before anybody replaces a share; old shares stay until all have confirmed. Bites: with
the echo taken out, the same lie leaves the honest parties without a common epoch.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest

import tacit
from tacit.errors import StorageError, VerificationError
from tacit.protocols import protocol_named
from tacit.rounds import Adversary, Message, Tamper
from tacit.rounds.adversary import flip
from tacit.sessions import LocalSession, storage_steps
from tacit.storage import listing, places
from tacit.storage.records import decode_header
from tacit.storage.sealed import read_header

NAMES = ("alice", "bob", "carol")
X = np.arange(8.0)


def save(folder: Path) -> None:
    with tacit.local("replicated3", storage=folder) as mpc:
        mpc.save(mpc.share(X, owner="alice"), "x")


def epochs(folder: Path) -> list[list[int]]:
    """Those that each party has, sealed or prepared."""
    found = []
    for name in NAMES:
        paths = [*(folder / name / "entries").glob("*.*")]
        found.append(sorted(decode_header(read_header(path), path).epoch for path in paths))
    return found


def refresh(folder: Path, tamper: Sequence[Tamper] = ()) -> None:
    driver = Adversary(NAMES, tamper)
    session = LocalSession(
        protocol_named("replicated3"), NAMES, driver=driver, storage=places(folder, NAMES)
    )
    with session:
        session.refresh()


def load(folder: Path) -> None:
    with tacit.local("replicated3", storage=folder) as mpc:
        np.testing.assert_array_equal(mpc.load("x").reveal(to="all"), X)


ROUNDS = {3: "inventories", 4: "inventories", 5: "commitments", 6: "echo", 7: "openings", 8: "swap"}


@pytest.mark.parametrize("number", ROUNDS)
@pytest.mark.parametrize("liar", range(3))
def test_a_lie_to_one_party_replaces_nothing(tmp_path: Path, liar: int, number: int) -> None:
    save(tmp_path)
    receiver = (liar + 1) % 3
    with pytest.raises(VerificationError):
        refresh(tmp_path, [Tamper(flip(5, 1), sender=liar, receiver=receiver, round=number)])
    load(tmp_path)


def torn(folder: Path) -> None:
    """All have both epochs: they stopped when all had prepared and nobody had replaced."""
    save(folder)
    confirm = storage_steps.confirm

    def stop(member: object, digest: bytes, what: str) -> object:
        yield from confirm(member, digest, what)  # type: ignore[arg-type]
        if what == "the refreshed shares":
            raise ZeroDivisionError

    storage_steps.confirm = stop  # type: ignore[assignment]
    try:
        with pytest.raises(ZeroDivisionError):
            refresh(folder)
    finally:
        storage_steps.confirm = confirm
    assert epochs(folder) == [[0, 1]] * 3


def hide_the_new_epoch(message: Message, _: Sequence[Message]) -> list[bytes]:
    """Carol's inventory without what she prepared, of the same length."""
    items, *rest = msgspec.msgpack.decode(message.payload)
    items[1][3] = 2  # an epoch and a digest that nobody else has
    items[1][5] = bytes(32)
    return [msgspec.msgpack.encode([items, *rest])]


LIE = [Tamper(hide_the_new_epoch, sender=2, receiver=1, round=2)]


def test_different_inventories_for_different_parties_are_found(tmp_path: Path) -> None:
    torn(tmp_path)
    with pytest.raises(VerificationError) as caught:
        refresh(tmp_path, LIE)
    assert caught.value.code == "TC-5210"
    assert epochs(tmp_path) == [[0, 1]] * 3
    load(tmp_path)


def test_without_the_echo_the_honest_parties_keep_different_epochs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torn(tmp_path)
    confirm = storage_steps.confirm
    monkeypatch.setattr(
        storage_steps,
        "confirm",
        lambda member, digest, what: confirm(
            member, b"" if what == "what is stored" else digest, what
        ),
    )
    with pytest.raises((VerificationError, StorageError)):
        refresh(tmp_path, LIE)
    monkeypatch.undo()
    kept = [{header.digest() for header in listing(tmp_path / name)} for name in NAMES]
    assert kept[0].isdisjoint(kept[1]), "alice and bob have no common epoch"
    shutil.rmtree(tmp_path)
