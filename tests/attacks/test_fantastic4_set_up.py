"""The set-up of ``fantastic4``'s keys: every message altered, contributions split, copied, chosen.

Keys that come out are those of all three holders or none: a session in which anybody deviates ends
before an input.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from simulation import FOUR

from tacit import kernels
from tacit.errors import MessageError, VerificationError
from tacit.protocols.fantastic4 import Fantastic4Party, keys
from tacit.rounds import Adversary, Message, Tamper
from tacit.rounds.adversary import Rewrite, cut, drop, flip, lengthen, replace
from tacit.rounds.randomness import SeededRandomness, deal_pairwise_seeds

ALL = (0, 1, 2, 3)
WIDTH = 32


def set_up(
    tamper: Any = None, seed: int = 1, session: bytes = b"session"
) -> tuple[list[Any], Adversary]:
    """The parties after their set-up, and its wire."""
    driver = Adversary(FOUR, tamper)
    source = SeededRandomness(seed)
    seeds = deal_pairwise_seeds(FOUR, source)
    parties: list[Any] = [Fantastic4Party(FOUR, i, seeds[i], session) for i in ALL]
    driver.run([keys.set_up(p, SeededRandomness(100 * seed + p.index)) for p in parties], "set-up")
    return parties, driver


def drawn(key: kernels.StreamKey) -> bytes:
    out = np.empty(16, np.uint8)
    kernels.fill(key, 1, 0, out)
    return out.tobytes()


def test_three_holders_have_each_key_and_nobody_else() -> None:
    parties, driver = set_up()
    streams = [{j: drawn(key) for j, key in p.keys.items()} for p in parties]
    for j in ALL:
        assert j not in streams[j]
        assert len({streams[i][j] for i in ALL if i != j}) == 1
    assert len({streams[(j + 1) % 4][j] for j in ALL}) == 4
    cost = driver.cost()
    declared = keys.SET_UP_COST
    assert cost.rounds == declared.rounds == 4
    assert tuple(cost.bytes_sent.values()) == tuple(declared.bytes_sent)
    assert tuple(cost.check_bytes.values()) == tuple(declared.check_bytes)


def test_keys_depend_on_the_session_and_on_every_contribution() -> None:
    first = set_up()[0][0].keys[1]
    assert drawn(first) != drawn(set_up(session=b"another")[0][0].keys[1])
    assert drawn(first) != drawn(set_up(seed=2)[0][0].keys[1])


def test_no_contribution_leaves_before_all_commitments_were_compared() -> None:
    """Rounds: commitments, echoes, contributions, checks; and who gets what about which key."""
    _, driver = set_up()
    assert {m.round for m in driver.sent} == {1, 2, 3, 4}
    assert all(len(m.payload) == m.check_bytes == 2 * WIDTH for m in driver.sent)
    opened = {m.payload for m in driver.sent if m.round == 3}
    before = b"".join(m.payload for m in driver.sent if m.round < 3)
    assert not any(payload[:WIDTH] in before for payload in opened)


@pytest.mark.parametrize("round_number", [1, 2, 3, 4])
def test_every_altered_message_ends_it(round_number: int) -> None:
    _, honest = set_up()
    for message in (m for m in honest.sent if m.round == round_number):
        for position in (0, 5, WIDTH, 2 * WIDTH - 1):
            driver = Tamper(flip(position), message.sender, message.receiver, round_number)
            with pytest.raises(VerificationError) as caught:
                set_up(driver)
            assert caught.value.code == "TC-5201"
            assert caught.value.stage == "set-up"
            # Until the commitments have been compared, the third holder may have split its own.
            assert len(caught.value.parties) == (1 if round_number > 2 else 2)
            # An altered commitment may be noticed by the one that sent it.
            sender = FOUR[message.sender]
            reports = round_number == 1 and f" sent {sender} in" in caught.value.message
            assert reports or sender in caught.value.parties


@pytest.mark.parametrize("deviation", [drop(), replace(b""), cut(1), lengthen(b"\x00")])
def test_lengths(deviation: Rewrite) -> None:
    for round_number in (1, 2, 3, 4):
        with pytest.raises(MessageError) as caught:
            set_up(Tamper(deviation, 2, 3, round_number))
        assert caught.value.parties == ("carol",)


def split(session: bytes = b"session") -> list[Tamper]:
    """Carol gives alice and bob different contributions to key 3, each with its own commitment."""
    other = bytes(range(WIDTH))

    def rewrite(value: Callable[[], bytes]) -> Rewrite:
        # Between carol (2) and bob (1) the common keys are 0 and 3: key 3 comes second.
        return lambda message, seen: (message.payload[:WIDTH] + value(),)

    return [
        Tamper(rewrite(lambda: keys._commitment(session, 3, 2, other)), 2, 1, 1),
        Tamper(rewrite(lambda: other), 2, 1, 3),
    ]


def test_split_contributions_are_refused() -> None:
    """By the echoes, before anything is opened; carol, who did it, is among the two named."""
    with pytest.raises(VerificationError, match="commitments") as caught:
        set_up(split())
    assert caught.value.code == "TC-5201"
    assert "carol" in caught.value.parties
    assert "carol" in caught.value.message


def test_split_contributions_with_echoes_that_fit_each_name_the_culprit_too() -> None:
    """Carol shows each of the two an echo of what that one saw: they find it out by each other."""

    def echo(message: Message, seen: Sequence[Message]) -> Sequence[bytes]:
        told = {
            (3, m.sender): m.payload[WIDTH:]
            for m in seen
            if m.round == 1 and (m.sender, m.receiver) in ((0, 2), (1, 2))
        }
        told[3, 2] = keys._commitment(b"session", 3, 2, bytes(range(WIDTH)))
        return (
            message.payload[:WIDTH] + keys._over_holders("key commitments", b"session", 3, told),
        )

    with pytest.raises(VerificationError, match="commitments") as caught:
        set_up([*split(), Tamper(echo, 2, 1, 2)])
    assert set(caught.value.parties) in ({"alice", "carol"}, {"bob", "carol"})


def test_without_echoes_they_are_not_and_two_honest_parties_disagree(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the echoes are for: alice and bob would later look like the pair at fault."""
    honest = keys._require

    def lenient(party: Any, suspects: Any, holds: bool, what: str) -> None:
        honest(party, suspects, holds or what in ("the commitments", "the check value"), what)

    monkeypatch.setattr(keys, "_require", lenient)
    parties, _ = set_up(split())
    assert drawn(parties[0].keys[3]) != drawn(parties[1].keys[3])


def test_the_key_check_alone_refuses_them_too(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = keys._require

    def lenient(party: Any, suspects: Any, holds: bool, what: str) -> None:
        honest(party, suspects, holds or what == "the commitments", what)

    monkeypatch.setattr(keys, "_require", lenient)
    with pytest.raises(VerificationError, match="check value"):
        set_up(split())


def test_a_copied_commitment_cannot_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Carol repeats dave's commitments, echoes and contributions: they name their holder."""
    honest = keys._require

    def never_at_carol(party: Any, suspects: Any, holds: bool, what: str) -> None:
        honest(party, suspects, holds or party.index == 2, what)

    monkeypatch.setattr(keys, "_require", never_at_carol)
    rewrites = [Tamper(copy_in(now), 2, to, now) for now in (1, 2, 3) for to in (0, 1, 3)]
    with pytest.raises(VerificationError, match="opening") as caught:
        set_up(rewrites)
    assert caught.value.parties == ("carol",)


def copy_in(now: int) -> Rewrite:
    """Dave's messages of a round as carol's. Both hold keys 0 (with bob) and 1 (with alice)."""

    def copy(message: Message, seen: Sequence[Message]) -> Sequence[bytes]:
        said = {m.receiver: m.payload[:WIDTH] for m in seen if (m.round, m.sender) == (now, 3)}
        if message.receiver == 3:
            return (said[1] + said[0],)
        return (said[message.receiver] + message.payload[WIDTH:],)

    return copy


def test_a_contribution_chosen_after_the_others_is_refused() -> None:
    """Rushing: carol opens to something that depends on what dave opened."""

    def chosen(message: Message, seen: Sequence[Message]) -> Sequence[bytes]:
        theirs = next(m for m in seen if m.round == 3 and m.sender == 3)
        return (theirs.payload,)

    with pytest.raises(VerificationError, match="opening") as caught:
        set_up(Tamper(chosen, 2, 0, 3))
    assert caught.value.parties == ("carol",)
