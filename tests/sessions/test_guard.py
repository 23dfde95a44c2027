"""Guarded sessions: without a fault as any other; with one, the right result at all others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from guarded import guarded, run, shared
from hub import Crash, Ground, Hub, Sent
from simulation import FOUR

import tacit
from tacit.errors import InputRefusedError, PartyLostError, RecoveryError
from tacit.protocols import PROTOCOLS
from tacit.sessions import PartySession


def shared_or_known(mpc: tacit.Computation, name: str, owner: str, values: list[int]) -> Any:
    """An input; of an owner that is lost, what the others go on with instead."""
    try:
        return shared(mpc, name, owner, values)
    except PartyLostError:
        return mpc.constant(np.array(values))


def program(mpc: tacit.Computation, name: str) -> Any:
    x = shared_or_known(mpc, name, "alice", [3, -4])
    y = shared_or_known(mpc, name, "bob", [5, 6])
    z = x * y
    first = z.reveal(to="all").tolist()
    w = (z + x) * z
    positive = w > 0
    return first, w.reveal(to="all").tolist(), positive.reveal(to=["carol", "dave"])


EXPECTED = ([15, -24], [270, 672])


def test_without_a_fault() -> None:
    hub = run(program)
    assert hub.outcome.errors == {}
    for name in FOUR:
        seen = hub.outcome.results[name]
        assert seen.value[:2] == EXPECTED
        assert seen.incidents == []
    assert hub.clock == 0.0


def test_without_a_fault_it_costs_what_any_session_costs() -> None:
    """Barriers travel outside the counted rounds."""

    def plain(ground: Ground) -> Any:
        with ground.connect(FOUR, "fantastic4", b"job", {}) as mesh:
            session = PartySession.over(PROTOCOLS["fantastic4"], mesh, threads=1)
            return program(tacit.Computation(session), ground.name), session.total_cost

    hub = Hub(FOUR)
    found = hub.run(dict.fromkeys(FOUR, plain)).results
    results = run(program).outcome.results
    for name in FOUR:
        value, cost = found[name]
        assert results[name].value[:2] == value[:2]
        for part in ("rounds", "bytes_sent", "check_bytes"):
            assert getattr(results[name].cost, part) == getattr(cost, part), part


def test_the_log_is_bounded() -> None:
    """Barriers come by themselves, and what the program has dropped goes with them."""

    def many(mpc: tacit.Computation, name: str) -> Any:
        x = shared(mpc, name, "alice", np.zeros((1 << 17,), np.int64))
        session: Any = mpc.session
        longest, alive, first = 0, 0, session._guard.passed
        for _ in range(100):
            x = x + 1
            longest = max(longest, len(session._guard._log))
            alive = max(alive, len(list(session.references.alive())))
        small = mpc.constant(np.arange(3))
        for _ in range(200):
            small = small + 1
            longest = max(longest, len(session._guard._log))
        return longest, alive, session._guard.passed - first, small.reveal(to="all").tolist()

    for seen in run(many).outcome.results.values():
        longest, alive, barriers, values = seen.value
        assert longest <= 64
        assert alive <= 30  # 64 MiB hold 21 of these arrays, each 3 MiB at a party
        assert barriers >= 100 // 22 + 200 // 64
        assert values == [200, 201, 202]


def test_a_party_that_is_interrupted_is_a_lost_one() -> None:
    """Ctrl-C, a full disk, a bug of its own: it stops with its error, the others go on."""

    def stopping(error: BaseException) -> Any:
        def stops(mpc: tacit.Computation, name: str) -> Any:
            x = shared_or_known(mpc, name, "alice", [3, -4])
            y = shared_or_known(mpc, name, "bob", [5, 6])
            (x * y).reveal(to="all")
            raise error

        return stops

    for error in (KeyboardInterrupt(), OSError(28, "No space left on device")):
        hub = run(program, programs={"carol": guarded(stopping(error))})
        assert hub.outcome.errors == {"carol": error}
        for name in ("alice", "bob", "dave"):
            seen = hub.outcome.results[name]
            assert seen.value[:2] == EXPECTED
            (incident,) = seen.incidents
            assert (incident.kind, incident.party) == ("lost", "carol")


def test_a_second_loss_ends_the_session_with_its_reason() -> None:
    def adversary(message: Sent) -> Sequence[bytes]:
        if message.sender == "bob" and message.number == 60:
            raise Crash
        if message.sender == "dave" and message.mesh.startswith("alice carol dave"):
            raise Crash
        return (message.payload,)

    hub = run(program, adversary)
    for name in ("alice", "carol"):
        error = hub.outcome.errors[name]
        assert isinstance(error, RecoveryError)
        assert error.code == "TC-5500"
        assert "bob" in error.message


# One party crashes at some message.


def test_a_crash_at_any_message() -> None:
    """Set-up, barriers and the end included; every fourth message of each party."""
    honest = run(program).sent
    for lost in FOUR:
        others = [name for name in FOUR if name != lost]
        last = max(m.number for m in honest if m.sender == lost)
        for number in range(FOUR.index(lost), last + 1, 4):
            hub = run(program, crash_at(lost, number))
            assert isinstance(hub.outcome.errors.pop(lost), Crash)
            assert hub.outcome.errors == {}, (lost, number)
            assert hub.clock == 0.0
            for name in others:
                seen = hub.outcome.results[name]
                assert seen.value[:2] == EXPECTED, (lost, number, name)
                for incident in seen.incidents:
                    assert (incident.kind, incident.party) == ("lost", lost)
                    assert seen.security.outcome == "abort"
                    assert seen.stage.members == tuple(others)


def crash_at(lost: str, number: int) -> Any:
    def adversary(message: Sent) -> Sequence[bytes]:
        if (message.sender, message.number) == (lost, number):
            raise Crash
        return (message.payload,)

    return adversary


# After a message proved that one of bob and dave is corrupt, dave is served.

PAIR = 72
"""A message of bob to dave within the second input: altered, it gives the pair of these two."""


def longer(mpc: tacit.Computation, name: str) -> Any:
    """Inputs and outputs of everybody after the fault; one of bob is out of its bounds."""
    x = shared(mpc, name, "alice", [3, -4])
    y = shared(mpc, name, "carol", [5, 6])
    z = x * y
    found = [z.reveal(to="all").tolist()]
    for owner in FOUR:
        w = shared_or_known(mpc, name, owner, [7, 8])
        z = z + w * x
        for to in FOUR:
            found.append({n: v.tolist() for n, v in z.reveal(to=[to]).items()})
        found.append((w > z).reveal(to="all").tolist())
    found.append(out_of_bounds(mpc, name))
    found.append((z - y).reveal(to="all").tolist())
    return found


def out_of_bounds(mpc: tacit.Computation, name: str) -> str:
    session: Any = mpc.session
    elements = np.array([5, 1_000], np.uint64) if name == "bob" else None
    try:
        session.input_elements(1, elements, tacit.int64, (2,), (0, 10))
    except InputRefusedError as error:
        return error.code
    except PartyLostError:
        return "lost"
    return "accepted"


def expected(name: str) -> list[Any]:
    x, y, w = np.array([3, -4]), np.array([5, 6]), np.array([7, 8])
    z = x * y
    found: list[Any] = [z.tolist()]
    for _ in FOUR:
        z = z + w * x
        found += [{to: z.tolist()} if to == name else {} for to in FOUR]
        found.append((w > z).tolist())
    return [*found, "TC-5400", (z - y).tolist()]


def test_who_is_served_gets_its_outputs_and_puts_in_its_inputs() -> None:
    hub = run(longer, deviating(lambda after: None), corrupt="bob")
    assert hub.outcome.errors == {}
    for name in FOUR:
        seen = hub.outcome.results[name]
        assert seen.value == expected(name), name
        (incident,) = seen.incidents
        assert (incident.kind, incident.pair, incident.dropped) == (
            "pair",
            ("bob", "dave"),
            ("dave",),
        )
        assert seen.security.outcome == "guaranteed output"
    assert hub.outcome.results["dave"].stage.members == ("alice", "bob", "carol")


@pytest.mark.parametrize("moment", range(1, 240, 17))
def test_who_is_served_joins_when_the_other_one_is_lost(moment: int) -> None:
    """Wherever the three are in the program: the one that joins catches up."""

    def crash(after: int) -> None:
        if after == moment:
            raise Crash

    hub = run(longer, deviating(crash), corrupt="bob")
    hub.outcome.errors.pop("bob", None)
    assert hub.outcome.errors == {}
    outcomes = set()
    for name in ("alice", "carol", "dave"):
        seen = hub.outcome.results[name]
        *most, refused, last = seen.value
        assert [*most, last] == [*expected(name)[:-2], expected(name)[-1]]
        assert refused in ("TC-5400", "lost")
        outcomes.add(refused)
    assert len(outcomes) == 1


def deviating(then: Callable[[int], None]) -> Any:
    def adversary(message: Sent) -> Sequence[bytes]:
        if message.sender == "bob":
            if message.number == PAIR:
                return (bytes([message.payload[0] ^ 1]) + message.payload[1:],)
            if message.number > PAIR:
                then(message.number - PAIR)
        return (message.payload,)

    return adversary


@pytest.mark.parametrize("held", [False, True])
def test_a_loss_in_the_set_up_where_all_inputs_are_needed(held: bool) -> None:
    """Without the wish from the start on, the others would begin, and miss its inputs later."""

    def members(mpc: tacit.Computation, name: str) -> Any:
        session: Any = mpc.session
        return session.stage.members

    def adversary(message: Sent) -> Sequence[bytes]:
        if message.sender == "carol" and message.number == 3:
            raise Crash
        return (message.payload,)

    outcome = run(members, adversary, hold_inputs=held).outcome
    for name in ("alice", "bob", "dave"):
        if held:
            error = outcome.errors[name]
            assert isinstance(error, RecoveryError)
            assert error.code == "TC-5508"
        else:
            assert outcome.results[name].value == ("alice", "bob", "dave")


def test_all_that_have_all_inputs_say_so() -> None:
    told: list[str] = []

    def held(mpc: tacit.Computation, name: str) -> Any:
        session: Any = mpc.session
        session.on_inputs_complete(lambda: told.append(name))
        x = shared(mpc, name, "alice", [3, -4])
        assert not told
        session.inputs_complete()
        return x.reveal(to="all").tolist()

    outcome = run(held, hold_inputs=True).outcome
    assert outcome.errors == {}
    assert sorted(told) == list(FOUR)
