"""Whatever one of four does, at whatever message: the others end with the right results.

In stage 0 every party misbehaves in every way. Then a corrupt party that stayed after a pair was
found misbehaves again, among three; and so does one that was dropped and is served.
``PYTHONPATH=tests:tests/attacks python tests/attacks/test_guarded_faults.py`` does it at every
message in every way.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from itertools import cycle
from typing import Any

import pytest
from faults import Run, complete, run
from hub import Sent, Status
from misbehaviour import WAYS, Tampering, messages_of, sample
from simulation import FOUR

FIRST = " ".join(FOUR) + "/0"
STAGE_ONE = [("alice", "bob"), ("alice", "dave"), ("carol", "dave"), ("bob", "dave")]
"""Pairs of which the first is corrupt and stays."""
SERVED = [("dave", "alice"), ("bob", "alice"), ("carol", "bob")]
"""Pairs of which the first is corrupt and is dropped."""


@cache
def honest_run() -> tuple[Sent, ...]:
    """All messages of a run without a fault."""
    found = run()
    assert found.check() == []
    return tuple(found.hub.sent)


def attacked(way: str, message: Sent) -> str:
    """One party misbehaves from one of its messages on: what the others say of it."""
    found = run(Tampering(way, message), message.sender)
    late = honest_run().index(message) > complete(honest_run())
    told = found.check(f"{way}, {message}", inputs=late)
    return " and ".join(kind for kind, _, _ in told) or "nothing"


@pytest.mark.parametrize("party", FOUR)
def test_any_message_of_any_party(party: str) -> None:
    own = [m for m in messages_of(party, honest_run()) if m.kind != "close"]
    kinds = Counter(
        attacked(way, message) for way, message in zip(cycle(WAYS), sample(own, 14), strict=False)
    )
    assert kinds["pair"]
    assert kinds["lost"]


# After a pair.


def begun(corrupt: str, peer: str, before_inputs: bool = False) -> Sent:
    """The message that the corrupt party cuts, so that the two are a pair."""
    after = 0 if before_inputs else complete(honest_run())
    mine = [m for m in honest_run()[after + 1 :] if (m.sender, m.receiver) == (corrupt, peer)]
    return next(m for m in mine if m.kind == "round")


def twice(first: Sent, then: Callable[[Sent], Sequence[Any]]) -> Callable[[Sent], Sequence[Any]]:
    """Cuts one message in stage 0, and does something else in later stages."""
    cuts = Tampering("cut", first)
    return lambda m: cuts(m) if m.mesh == FIRST or m.kind == "conference" else then(m)


@cache
def after_the_pair(corrupt: str, peer: str, before_inputs: bool) -> tuple[Sent, ...]:
    """The corrupt party's messages in stage 1 and to those that serve it."""
    first = begun(corrupt, peer, before_inputs)
    found = run(twice(first, lambda m: (m.payload,)), corrupt)
    told = found.check(inputs=False)
    assert [(kind, set(pair)) for kind, _, pair in told] == [("pair", {corrupt, peer})]
    return tuple(
        m
        for m in messages_of(corrupt, found.hub.sent)
        if m.mesh != FIRST and m.kind in ("round", "control")
    )


def attacked_again(
    corrupt: str, peer: str, way: str, message: Sent, before_inputs: bool = False
) -> Run:
    """A pair, and then more."""
    first = begun(corrupt, peer, before_inputs)
    return run(twice(first, Tampering(way, message)), corrupt)


def stays(corrupt: str, peer: str, way: str, message: Sent, before_inputs: bool = False) -> None:
    """The corrupt one of the pair stayed: the three honest ones finish, the dropped one too."""
    found = attacked_again(corrupt, peer, way, message, before_inputs)
    found.check(f"{way}, {message}", inputs=not before_inputs)


def is_served(corrupt: str, peer: str, way: str, message: Sent) -> None:
    """The corrupt one of the pair was dropped: nobody blames the one that stayed."""
    found = attacked_again(corrupt, peer, way, message)
    found.check(f"{way}, {message}")
    for name in found.honest:
        assert max(i.stage for i in found.incidents(name)) == 1, f"{name}: {way}, {message}"


@pytest.mark.parametrize(("corrupt", "peer"), STAGE_ONE)
def test_the_corrupt_one_of_a_pair_stays_and_goes_on(corrupt: str, peer: str) -> None:
    own = after_the_pair(corrupt, peer, False)
    for way, message in zip(cycle(WAYS), sample(own, 12), strict=False):
        stays(corrupt, peer, way, message)


def test_inputs_after_a_pair() -> None:
    """A pair from the set-up on: inputs among three, and from one that is served."""
    own = after_the_pair("alice", "bob", True)
    for way, message in zip(cycle(WAYS), sample(own[:40], 12), strict=False):
        stays("alice", "bob", way, message, before_inputs=True)


@pytest.mark.parametrize(("corrupt", "peer"), SERVED)
def test_the_corrupt_one_of_a_pair_is_served_and_goes_on(corrupt: str, peer: str) -> None:
    own = after_the_pair(corrupt, peer, False)
    assert own
    for message in own:
        for way in WAYS:
            is_served(corrupt, peer, way, message)


@pytest.mark.parametrize(("corrupt", "peer"), SERVED)
def test_a_served_party_that_lies_about_whom_it_waits_for(corrupt: str, peer: str) -> None:
    """Nobody may then be named to the one it keeps waiting, who tells the other just that."""
    own = after_the_pair(corrupt, peer, False)
    for message in own:
        for other in {name for m in own for name in m.mesh.split("/")[0].split()} - {corrupt}:

            def claimed(mesh: str, true: Status, other: str = other) -> Status:
                return true if mesh == FIRST else (0, frozenset({other}))

            first = begun(corrupt, peer)
            adversary = twice(first, Tampering("dropped", message))
            found = run(adversary, corrupt, claimed=claimed)
            found.check(f"{message}, waits for {other}")
            for name in found.honest:
                assert max(i.stage for i in found.incidents(name)) == 1, (name, message, other)


def main(stride: int) -> None:
    """Everything, or every so many-th message."""
    kinds: Counter[tuple[str, str]] = Counter()
    messages = 0
    for party in FOUR:
        own = [m for m in messages_of(party, honest_run()) if m.kind != "close"][::stride]
        messages += len(own)
        for message in own:
            for way in WAYS:
                kinds[way, attacked(way, message)] += 1
    for corrupt, peer in STAGE_ONE:
        own = list(after_the_pair(corrupt, peer, False)[::stride])
        messages += len(own)
        for message in own:
            for way in WAYS:
                stays(corrupt, peer, way, message)
                kinds[way, "pair, then the other one"] += 1
    for corrupt, peer in SERVED:
        own = list(after_the_pair(corrupt, peer, False))
        messages += len(own)
        for message in own:
            for way in WAYS:
                is_served(corrupt, peer, way, message)
                kinds[way, "pair, and served"] += 1
    print(f"{messages} messages in {sum(kinds.values())} runs: all honest parties were right.")
    for (way, kind), runs in sorted(kinds.items()):
        print(f"  {runs:5}  {way}: {kind}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
