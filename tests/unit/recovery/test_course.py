"""Which stage follows which verdict, on every path."""

from __future__ import annotations

import itertools

import pytest
from conferences import NAMES, OCCASION

from tacit.errors import RecoveryError
from tacit.recovery import Stage, Verdict, after, after_pair, first
from tacit.recovery.course import over

ALICE, BOB, CAROL, DAVE = NAMES
NOBODY: frozenset[str] = frozenset()


def verdict(
    kind: str,
    party: str | None = None,
    pair: tuple[str, str] | None = None,
    by_silence: bool = False,
    restart: int = 5,
) -> Verdict:
    return Verdict(OCCASION, kind, party, pair, by_silence, restart, "a reason")  # type: ignore[arg-type]


def next_stage(
    found: Verdict,
    stage: Stage | None = None,
    without_data: frozenset[str] = NOBODY,
    ring_bits: int = 64,
) -> Stage:
    stage = stage or first(NAMES, "fantastic4")
    return after(stage, found, without_data=without_data, ring_bits=ring_bits)


def test_the_first_stage_is_of_all() -> None:
    stage = first(NAMES, "fantastic4")
    assert (stage.number, stage.protocol, stage.members) == (0, "fantastic4", NAMES)
    assert (stage.dropped, stage.pair, stage.served, stage.trusted) == ((), None, None, ())
    assert not stage.evidence


@pytest.mark.parametrize("ring_bits", [64, 128])
def test_an_unclear_fault_starts_the_four_again_once_with_digests(ring_bits: int) -> None:
    again = next_stage(verdict("unclear"), ring_bits=ring_bits)
    assert (again.number, again.members, again.attempt, again.evidence) == (0, NAMES, 1, True)
    with pytest.raises(RecoveryError, match="TC-5501"):
        next_stage(verdict("unclear"), again, ring_bits=ring_bits)


def test_a_set_up_that_fails_without_a_name_is_not_repeated() -> None:
    with pytest.raises(RecoveryError, match="TC-5503"):
        next_stage(verdict("unclear", restart=0))
    assert next_stage(verdict("lost", BOB, restart=0)).number == 1


@pytest.mark.parametrize("evidence", [False, True])
@pytest.mark.parametrize("kind", ["lost", "convicted"])
@pytest.mark.parametrize("party", NAMES)
def test_without_a_party_the_three_others_go_on(party: str, kind: str, evidence: bool) -> None:
    stage = first(NAMES, "fantastic4")
    if evidence:
        stage = next_stage(verdict("unclear"))
    three = next_stage(verdict(kind, party), stage)
    assert (three.number, three.protocol) == (1, "replicated3_active")
    assert three.members == tuple(name for name in NAMES if name != party)
    assert (three.dropped, three.pair, three.served, three.trusted) == ((party,), None, None, ())
    for second in (lambda: next_stage(verdict("lost", NAMES[0]), three), _after(three)):
        with pytest.raises(RecoveryError, match="TC-5500"):
            second()


def _after(stage: Stage, lost: bool = False):  # type: ignore[no-untyped-def]
    return lambda: after_pair(stage, lost=lost)


@pytest.mark.parametrize("by_silence", [False, True])
@pytest.mark.parametrize("pair", list(itertools.combinations(NAMES, 2)))
def test_of_a_pair_one_is_dropped_and_served(pair: tuple[str, str], by_silence: bool) -> None:
    for without_data in map(frozenset, [(), (pair[0],), (pair[1],), pair, set(NAMES) - set(pair)]):
        three = next_stage(verdict("pair", pair=pair, by_silence=by_silence), None, without_data)
        bare = [party for party in pair if party in without_data]
        dropped = bare[0] if len(bare) == 1 else pair[1]
        kept = pair[0] if dropped == pair[1] else pair[1]
        honest = tuple(name for name in NAMES if name not in pair)
        assert three.served == dropped
        assert three.dropped == (dropped,)
        assert three.trusted == honest
        assert set(three.members) == {*honest, kept}
        assert list(three.members) == sorted(three.members, key=NAMES.index)
        assert three.by_silence == by_silence
        for lost in (False, True):
            last = after_pair(three, lost=lost)
            active = by_silence and lost
            assert last.number == 2
            assert last.protocol == ("replicated3_active" if active else "replicated3")
            assert last.dropped == (kept,)
            assert set(last.members) == {*honest, dropped}
            assert list(last.members) == sorted(last.members, key=NAMES.index)
            assert last.trusted == (honest if active else last.members)
            assert last.served is None
            for again in (_after(last), _after(last, True)):
                with pytest.raises(RecoveryError, match="TC-5500"):
                    again()


@pytest.mark.parametrize(
    "found", [verdict("lost", BOB), verdict("convicted", BOB), verdict("pair", pair=(BOB, CAROL))]
)
def test_over_128_bits_a_named_fault_ends_the_job(found: Verdict) -> None:
    with pytest.raises(RecoveryError, match="TC-5502") as caught:
        next_stage(found, ring_bits=128)
    assert BOB in caught.value.parties
    assert "a reason" in str(caught.value)


def test_the_end_says_who_was_gone_and_why() -> None:
    error = over(next_stage(verdict("lost", CAROL)), "dave is lost")
    assert "carol" in str(error)
    assert "dave is lost" in str(error)
    assert error.exit_status == 6
