"""Corrupt clients and a corrupt party against a service; with weak copies on which they succeed."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hub import Crash, Sent
from serving_world import (
    Script,
    World,
    answers_in,
    form,
    masked,
    model,
    query,
    refused,
    rows_of,
    scored,
)

from tacit.serving import agreement, engine, masks, reconstruction
from tacit.serving.messages import Ask, Give, PartyAnswer
from tacit.serving.settings import ServiceSettings

PROTOCOLS = ["replicated3", "replicated3_active", "fantastic4"]


def close_to(world: World, name: str, rows: Any) -> bool:
    """Whether a client got the right scores."""
    found = world.results[name]
    return not isinstance(found, Exception) and np.allclose(
        found, world.clear.probability(rows), atol=2e-4
    )


def shifted(data: bytes) -> bytes:
    """Words that are 2^20 larger: a little in a row, much in a score."""
    return (np.frombuffer(data, "<u8") + np.uint64(1 << 20)).tobytes()


# Clients.


def out_of_range(world: World, rows: np.ndarray, factor: int = 1 << 8) -> Script:
    """A client whose encoder does not keep to the bounds."""
    of = world.clear.form
    id, mask = yield from masked(world, len(rows))
    elements = of.encoded(rows) * np.uint64(factor)
    give = Give(id, (elements - mask[:, :-1]).astype("<u8").tobytes())
    words, good = yield from scored(world, dict.fromkeys(world.names, give), len(rows))
    return (words - mask[:, -1]).view(np.int64), good


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_row_out_of_range_gets_no_score_and_stops_nobody(protocol: str) -> None:
    world = World(protocol, model(form()))
    rows = rows_of(world, 3)
    rows[1] = 0.001  # stays within, even enlarged
    hub = world.run(eve=out_of_range(world, rows), ann=query(world, rows))
    assert hub.outcome.errors == {}
    values, good = world.results["eve"]
    assert good.tolist() == [False, True, False]
    # What it gets of a refused row is that of a row of zeros: nothing about the model but its
    # intercept, and nothing that grows with the factor.
    intercept = world.clear.intercept * 2**18
    assert np.abs(values[[0, 2]] - intercept).max() <= 4
    assert close_to(world, "ann", rows)
    assert all(not incidents for incidents in hub.outcome.results.values())


def test_without_the_range_check_a_client_reads_the_model_enlarged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The weak copy: one query magnifies the weights by the factor, beyond what rounding hides."""

    def everything(party: Any, x: Any, limits: Any) -> Any:
        yield from ()
        return np.full(x.shape, True)

    monkeypatch.setattr(masks, "within", everything)
    world = World("fantastic4", model(form()))
    rows = rows_of(world, 1)
    world.run(eve=out_of_range(world, rows))
    values, good = world.results["eve"]
    assert good.all()
    linear = rows @ world.clear.coefficients * 2**8 + world.clear.intercept
    assert np.abs(values / 2**18 - linear).max() < 0.01


def equivocating(world: World, rows: np.ndarray, told: Sequence[int]) -> Script:
    """A client that gives some parties another d."""
    of = world.clear.form
    id, mask = yield from masked(world, len(rows))
    d = (of.encoded(rows) - mask[:, :-1]).astype("<u8").tobytes()
    gives = {
        party: Give(id, shifted(d) if place in told else d)
        for place, party in enumerate(world.names)
    }
    words, good = yield from scored(world, gives, len(rows))
    return (words - mask[:, -1]).view(np.int64), good


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_client_that_tells_parties_different_things_gets_an_error(protocol: str) -> None:
    world = World(protocol, model(form()))
    rows = rows_of(world, 2)
    told = (1, 3) if protocol == "fantastic4" else (1,)
    hub = world.run(eve=equivocating(world, rows, told), ann=query(world, rows))
    assert hub.outcome.errors == {}
    assert world.results["eve"].code == "TC-6005"
    assert close_to(world, "ann", rows)
    assert all(not incidents for incidents in hub.outcome.results.values())


def test_four_parties_go_on_with_what_three_were_told() -> None:
    """The fourth takes the others' d: all add the same, and nobody is accused."""
    world = World("fantastic4", model(form()))
    rows = rows_of(world, 2)
    hub = world.run(eve=equivocating(world, rows, (2,)))
    assert hub.outcome.errors == {}
    values, good = world.results["eve"]
    assert good.all()
    assert np.allclose(values / 2**18, world.clear.decision_function(rows), atol=1e-4)
    assert all(not incidents for incidents in hub.outcome.results.values())


@pytest.mark.parametrize("protocol", ["replicated3_active", "fantastic4"])
def test_if_each_party_believed_its_client_alone_the_session_would_break(
    protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The weak copy: every party goes on with the d that it was told itself."""
    honest = engine.agreed_plan

    def believing(heard: Any, members: Any, needed: int, masked: Any, most: int) -> Any:
        return honest(heard, members, 1, masked, most)

    def own_correction(self: Any, given: Any, place: Any) -> Any:
        request = self._desk._masked[given.key]
        data = request.correction or given.correction
        return np.frombuffer(data, "<u8").reshape(place.rows, -1)

    monkeypatch.setattr(engine, "agreed_plan", believing)
    monkeypatch.setattr(engine.Engine, "_correction", own_correction)
    world = World(protocol, model(form(hidden=(2,))))
    rows = rows_of(world, 1)
    hub = world.run(eve=equivocating(world, rows, (2,)), ann=query(world, rows, pause=2))
    harmed = bool(hub.outcome.errors) or any(hub.outcome.results.values())
    assert harmed


def replaying(world: World, rows: np.ndarray, victim: dict[str, bytes]) -> Script:
    """A client that gives another's d, heard from a corrupt party, under its own mask."""
    id, mask = yield from masked(world, len(rows))
    while "d" not in victim:
        yield {}
    give = Give(id, victim["d"])
    words, good = yield from scored(world, dict.fromkeys(world.names, give), len(rows))
    return (words - mask[:, -1]).view(np.int64), good


def watched(world: World, rows: np.ndarray, seen: dict[str, bytes]) -> Script:
    """An honest client whose d a corrupt party passes on."""
    of = world.clear.form
    id, mask = yield from masked(world, len(rows))
    d = seen["d"] = (of.encoded(rows) - mask[:, :-1]).astype("<u8").tobytes()
    seen["id"] = id
    words, good = yield from scored(world, dict.fromkeys(world.names, Give(id, d)), len(rows))
    assert good.all()
    return masks.decoded_scores((words - mask[:, -1]).view(np.int64), of.fraction_bits, None)


def test_another_clients_correction_is_worth_nothing() -> None:
    world = World("fantastic4", model(form()))
    rows, seen = rows_of(world, 2), dict[str, bytes]()
    world.run(ann=watched(world, rows, seen), eve=replaying(world, rows, seen))
    _, good = world.results["eve"]
    assert not good.any()  # r' - r + x is a uniform number: within the limits once in 2^37
    assert close_to(world, "ann", rows)


def test_another_clients_request_is_not_there() -> None:
    """Requests are their client's, whose name is in its certificate: a number opens nothing."""
    world = World("fantastic4", model(form()))
    rows, seen = rows_of(world, 1), dict[str, bytes]()

    def stealing() -> Script:
        while "id" not in seen:
            yield {}
        told = yield {party: [Give(seen["id"], bytes(8 * 3))] for party in world.names}
        refused(told)

    world.run(ann=watched(world, rows, seen), eve=stealing())
    assert world.results["eve"].code == "TC-6002"
    assert close_to(world, "ann", rows)


def test_a_mask_is_used_once() -> None:
    """A second d under the same mask would show the difference of two rows."""
    world = World("fantastic4", model(form()))
    rows = rows_of(world, 1)

    def twice() -> Script:
        of = world.clear.form
        id, mask = yield from masked(world, 1)
        d = (of.encoded(rows) - mask[:, :-1]).astype("<u8").tobytes()
        first = yield from scored(world, dict.fromkeys(world.names, Give(id, d)), 1)
        other = Give(id, shifted(d))
        again = yield from scored(world, dict.fromkeys(world.names, other), 1)
        return first, again

    hub = world.run(eve=twice())
    first, again = world.results["eve"]
    assert first[0].tolist() == again[0].tolist()  # the same answer: nothing was computed
    scores = [m for m in hub.sent if m.kind == "round"]
    assert scores
    assert all(b.spent(world.clear.form.digest(), "eve") == 1 for b in world.budgets.values())


def test_a_second_correction_before_the_score_is_refused() -> None:
    world = World("replicated3", model(form()))
    rows = rows_of(world, 1)

    def changing() -> Script:
        of = world.clear.form
        id, mask = yield from masked(world, 1)
        d = (of.encoded(rows) - mask[:, :-1]).astype("<u8").tobytes()
        yield {"alice": [Give(id, d)]}
        told = yield {"alice": [Give(id, shifted(d))]}
        refused(told, 1)

    world.run(eve=changing())
    assert world.results["eve"].code == "TC-6006"


# A party.


def lying_masks(client: str, answer: PartyAnswer) -> PartyAnswer:
    """Parts that are not those of the sharing."""
    if answer.state != "mask":
        return answer
    parts = {place: shifted(part) for place, part in answer.parts.items()}
    return PartyAnswer(
        answer.id,
        "mask",
        protocol=answer.protocol,
        members=answer.members,
        index=answer.index,
        parts=parts,
    )


def lying_scores(client: str, answer: PartyAnswer) -> PartyAnswer:
    """A score that is not what was opened."""
    if answer.state != "score":
        return answer
    return PartyAnswer(answer.id, "score", masked=shifted(answer.masked), good=answer.good)


@pytest.mark.parametrize("lie", [lying_masks, lying_scores])
def test_a_lying_party_changes_no_score_of_four(lie: Any) -> None:
    for liar in ("alice", "dave"):
        world = World("fantastic4", model(form()))
        world.lies[liar] = lie
        rows = rows_of(world, 2)
        world.run(ann=query(world, rows))
        assert close_to(world, "ann", rows), liar


def test_a_lying_party_is_noticed_by_clients_of_three() -> None:
    """Every part has two holders: without both the client has no mask, and gives no row."""
    world = World("replicated3_active", model(form()), ServiceSettings(keep_seconds=1))
    world.lies["bob"] = lying_masks
    rows = rows_of(world, 1)
    world.run(ann=query(world, rows))
    assert world.results["ann"].code == "TC-6001"  # expired


def test_with_one_party_believed_a_liar_shifts_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """The weak copy: a client that takes what one says computes with another's r."""
    monkeypatch.setattr(reconstruction, "AGREEING", 1)
    harmed = []
    for liar in ("alice", "bob", "carol"):
        world = World("replicated3", model(form()))
        world.lies[liar] = lying_masks
        rows = rows_of(world, 1) / 2
        world.run(ann=query(world, rows))
        assert isinstance(world.results["ann"], np.ndarray)
        harmed.append(not close_to(world, "ann", rows))
    assert any(harmed)


def test_a_party_cannot_admit_a_client_or_change_its_row() -> None:
    """One proposal is not enough: neither for a mask nor for another d."""
    from tacit.serving.messages import Given, Key, Proposal, Wanted

    id = bytes(16)
    honest = Proposal(5.0, (), (Given("ann", id, b"right"),))
    liar = Proposal(9e9, (Wanted("eve", id, 1),), (Given("ann", id, b"wrong"),), True)
    names = ("alice", "bob", "carol", "dave")
    for place in range(4):
        heard = {n: liar if i == place else honest for i, n in enumerate(names)}
        plan = agreement.agreed_plan(heard, names, 3, {Key("ann", id): 1}, 10)
        assert plan.masks == ()
        assert [g.correction for g in plan.batch] == [b"right"]
        assert plan.clock == 5.0
        assert plan.closing == {names[place]}


def test_parties_that_are_told_different_proposals_stop_before_they_compute() -> None:
    """Among three: each of two honest parties hears another d from the third, which is theirs."""

    def adversary(message: Sent) -> Sequence[bytes]:
        # The first word of a plan's digest: of three, the corrupt one cannot make both agree.
        if message.sender == "carol" and message.kind == "control" and b"digest" in message.payload:
            return (message.payload[:-1] + bytes([message.payload[-1] ^ 1]),)
        return (message.payload,)

    world = World("replicated3_active", model(form()), adversary=adversary, corrupt="carol")
    hub = world.run(ann=query(world, rows_of(world, 1)))
    codes = {getattr(error, "code", "") for error in hub.outcome.errors.values()}
    assert "TC-5223" in codes


@pytest.mark.parametrize("number", range(75, 360, 29))
@pytest.mark.parametrize("lost", ["alice", "carol"])
def test_a_party_that_dies_costs_no_answer(lost: str, number: int) -> None:
    """At any message: clients in flight get the right scores, and later ones do."""

    def adversary(message: Sent) -> Sequence[bytes]:
        if (message.sender, message.number) == (lost, number):
            raise Crash
        return (message.payload,)

    world = World("fantastic4", model(form()), adversary=adversary)
    rows = rows_of(world, 2)
    hub = world.run(
        ann=query(world, rows), ben=query(world, rows, pause=9), cat=query(world, rows, pause=80)
    )
    assert isinstance(hub.outcome.errors.pop(lost), Crash)
    assert hub.outcome.errors == {}
    for name in ("ann", "ben", "cat"):
        assert close_to(world, name, rows), (name, world.results[name])


def test_masks_of_before_a_loss_are_good_afterwards() -> None:
    """A client that got its mask from four parties gives its row to three."""
    state = {"crash": False}

    def adversary(message: Sent) -> Sequence[bytes]:
        if state["crash"] and message.sender == "bob":
            raise Crash
        return (message.payload,)

    world = World("fantastic4", model(form()), adversary=adversary)
    rows = rows_of(world, 1)

    def slow() -> Script:
        of = world.clear.form
        id, mask = yield from masked(world, 1)
        state["crash"] = True
        for _ in range(20):
            yield {}
        d = (of.encoded(rows) - mask[:, :-1]).astype("<u8").tobytes()
        words, good = yield from scored(world, dict.fromkeys(world.names, Give(id, d)), 1)
        assert good.all()
        return masks.decoded_scores((words - mask[:, -1]).view(np.int64), 18, None)

    hub = world.run(ann=slow())
    assert isinstance(hub.outcome.errors.pop("bob"), Crash)
    assert hub.outcome.errors == {}
    assert close_to(world, "ann", rows)


def test_junk_requests_expire() -> None:
    """Requests that one party alone was told of go away, and hold nobody up."""
    world = World("replicated3", model(form()), ServiceSettings(keep_seconds=1))
    rows = rows_of(world, 1)

    def flooding() -> Script:
        for _ in range(20):
            told = yield {"alice": [Ask(secrets.token_bytes(16), 1) for _ in range(20)]}
            assert answers_in(told)
        for _ in range(200):
            yield {}
        return world.desks["alice"].queued()

    world.run(eve=flooding(), ann=query(world, rows, pause=10))
    assert close_to(world, "ann", rows)
    assert world.results["eve"] == 0
