"""A corrupt party tells two honest ones different things outside joint messages.

What follows must never be that the two honest ones accuse each other: then the corrupt party would
count as proven honest, and the last stage would trust it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from guarded import run, shared
from hub import Hub, Sent
from simulation import FOUR

import tacit
from tacit.sessions import entries
from tacit.storage import messages as storage_messages
from tacit.storage import places

LIAR = "dave"
HONEST = ("alice", "bob", "carol")


class Size(msgspec.Struct):
    """How many numbers a party has."""

    count: int


def sizes(mpc: tacit.Computation, name: str) -> Any:
    """A program whose shapes depend on what all told."""
    session: Any = mpc.session
    x = shared(mpc, name, "alice", [1, 2, 3, 4, 5, 6])
    told = session.gather(Size(2), Size, stage="sizes")
    # The one that is served hears nobody else: it takes what it would say itself.
    count = max(size.count for size in told.values())
    y = x[:count] * x[:count]
    return y.reveal(to="all").tolist()


def lies_to(*receivers: str) -> Callable[[Sent], Sequence[bytes]]:
    """Dave says 2 to some, and another number to each of these."""

    def tell(message: Sent) -> Sequence[bytes]:
        honest = msgspec.msgpack.encode(Size(2))
        if (message.kind, message.sender, message.payload) == ("control", LIAR, honest) and (
            message.receiver in receivers
        ):
            return (msgspec.msgpack.encode(Size(3 + receivers.index(message.receiver))),)
        return (message.payload,)

    return tell


def named(hub: Hub) -> set[frozenset[str]]:
    """Whom the honest parties' verdicts name."""
    found = set()
    for name in HONEST:
        seen = hub.outcome.results.get(name)
        for incident in [] if seen is None else seen.incidents:
            about = incident.pair or ((incident.party,) if incident.party else ())
            if about:
                found.add(frozenset(about))
    return found


@pytest.mark.parametrize("receivers", [("alice",), ("bob",), ("carol",), ("alice", "bob"), HONEST])
def test_numbers_told_to_some_and_others_to_others(receivers: tuple[str, ...]) -> None:
    hub = run(sizes, lies_to(*receivers), corrupt=LIAR)
    assert all(LIAR in about for about in named(hub))
    values = {
        name: hub.outcome.results[name].value for name in HONEST if name in hub.outcome.results
    }
    assert len(values) == 3, hub.outcome.errors
    assert len({str(value) for value in values.values()}) == 1


def test_without_the_comparison_two_honest_parties_accuse_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The weak copy: everybody goes on with what it was told."""
    monkeypatch.setattr(entries.Tell, "_compare", lambda self, guard, heard: None)
    hub = run(sizes, lies_to("alice"), corrupt=LIAR)
    assert any(LIAR not in about for about in named(hub))


# Storage: the nonce at the end of what dave says it has stored differs for one receiver.


def saving(folder: Path) -> Callable[[tacit.Computation, str], Any]:
    def program(mpc: tacit.Computation, name: str) -> Any:
        session: Any = mpc.session
        session.attach(places(folder, FOUR)[name])
        x = shared(mpc, name, "alice", [1, 2, 3])
        try:
            mpc.save(x, "x")
            saved = True
        except tacit.errors.UsageError:
            saved = False
        return saved, (x * x).reveal(to="all").tolist()

    return program


def other_inventory(receiver: str) -> Callable[[Sent], Sequence[bytes]]:
    def tell(message: Sent) -> Sequence[bytes]:
        # Three items: nothing stored, nothing deleted, a nonce of 16 bytes.
        start = msgspec.msgpack.encode([[], [], bytes(16)])[:-16]
        if (message.kind, message.sender, message.receiver) == (
            "round",
            LIAR,
            receiver,
        ) and message.payload.startswith(start):
            return (message.payload[:-1] + bytes([message.payload[-1] ^ 1]),)
        return (message.payload,)

    return tell


@pytest.mark.parametrize("receiver", HONEST)
def test_inventories_told_differently(receiver: str, tmp_path: Path) -> None:
    """Nobody is named; the four go on, and do not store any more in this session."""
    hub = run(saving(tmp_path), other_inventory(receiver), corrupt=LIAR)
    assert named(hub) == set()
    for name in HONEST:
        assert name in hub.outcome.results, hub.outcome.errors
        assert hub.outcome.results[name].value == (False, [1, 4, 9])
        assert [i.kind for i in hub.outcome.results[name].incidents] == ["unclear"]


def test_naming_who_differs_would_name_the_honest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The weak copy: a party whose word differs from mine is at fault."""
    honest = storage_messages.confirm

    def confirm(member: Any, digest: bytes, what: str) -> Any:
        try:
            yield from honest(member, digest, what)
        except tacit.errors.VerificationError as error:
            error.parties = ("bob",) if member.names[member.index] == "alice" else ("alice",)
            raise

    monkeypatch.setattr("tacit.sessions.storage_steps.confirm", confirm)
    hub = run(saving(tmp_path), other_inventory("alice"), corrupt=LIAR)
    assert any(LIAR not in about for about in named(hub))
