"""Lies where three parties become four again, and to and from a party that is served.

At most one party is corrupt. To a readmission every one of the three can lie, and is found by the
other holder of each share. At the links of a served party B the two that serve are honest: B
itself can lie when it puts something in, and whatever it sends is some input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from simulation import FOUR, NAMES, Simulation

from tacit.errors import DisputeError, MessageError, TacitError, VerificationError
from tacit.protocols import service
from tacit.protocols.fantastic4 import joint, readmission
from tacit.protocols.fantastic4.readmission import readmit
from tacit.protocols.service import ServiceParty, deliver, deposit, put_in
from tacit.rounds import Adversary, LockstepDriver, Message, Tamper
from tacit.rounds.adversary import Rewrite, cut, drop, flip, lengthen, replace
from tacit.rounds.randomness import SeededRandomness
from tacit.sharing.fallback import drop as leave
from tacit.sharing.fallback import members_without

SHAPE = (70,)
X = np.arange(70) * 1000 - 30_000
BITS = np.arange(70, dtype=np.uint8) % 2
KINDS = pytest.mark.parametrize("bits", [False, True], ids=["numbers", "bits"])


def at(message: Message, rewrite: Rewrite) -> Tamper:
    return Tamper(rewrite, message.sender, message.receiver, message.round)


def places(message: Message) -> Iterator[Rewrite]:
    """Bits of the first bytes, and at random places of the rest."""
    size = len(message.payload)
    for position in range(2):
        for bit in range(8):
            yield flip(position, 1 << bit)
    for position in np.random.default_rng(1).integers(0, size, 12):
        yield flip(int(position), 1 << int(position) % 8)


def three_of_four(bits: bool, dropped: int, into: int | None = None) -> list[Any]:
    four = Simulation(1, protocol="fantastic4")
    parts = four.share_bits(BITS) if bits else four.share(X)
    return [leave(part, i, dropped, into) for i, part in enumerate(parts)]


# From three to four.


def readmitted(
    bits: bool, back: int, tamper: Any = None
) -> tuple[Any, Simulation, Adversary, TacitError | None]:
    driver = Adversary(FOUR, tamper)
    s = Simulation(2, driver, "fantastic4")
    parts = three_of_four(bits, back)

    def step(p: Any, part: Any) -> Any:
        result = yield from readmit(p, part, SHAPE, bits=bits, back=back)
        yield from p.bitwise_and(result, result) if bits else p.multiply(result, result)
        return result

    try:
        return s.run(step, parts), s, driver, None
    except (DisputeError, MessageError) as error:
        return None, s, driver, error


@KINDS
@pytest.mark.parametrize("back", range(4))
def test_every_lie_in_a_readmission_stops_its_receiver(bits: bool, back: int) -> None:
    results, s, honest, error = readmitted(bits, back)
    assert error is None
    assert ((s.open_bits(results) == BITS) if bits else (s.open(results) == X)).all()
    first = [m for m in honest.sent if m.round == 1]
    assert len(first) == 6  # three messages and three digests
    assert not any(back in (m.sender, m.receiver) for m in first)
    for message in first:
        rewrites = [*places(message), drop(), cut(), lengthen(), replace(b"")]
        for rewrite in rewrites:
            _, _, driver, error = readmitted(bits, back, at(message, rewrite))
            assert error is not None
            assert FOUR[message.sender] in error.parties
            assert driver.failed in (None, message.receiver)
            assert max(m.round for m in driver.sent) == 1


def test_a_readmission_without_comparison_gives_something_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The weak copy: a receiver takes what it is sent."""
    honest = joint.compared

    def deaf(party: Any, *arguments: Any) -> Any:
        try:
            yield from honest(party, *arguments)
        except DisputeError:
            return

    monkeypatch.setattr(joint, "compared", deaf)
    driver = Adversary(FOUR, Tamper(flip(), 1, 0, 1))
    s = Simulation(2, driver, "fantastic4")
    results = s.run(
        lambda p, part: readmission.readmit(p, part, SHAPE, bits=False, back=3),
        three_of_four(False, 3),
    )
    # Two holders of one share no longer have the same.
    assert (results[0].shares[3] != results[1].shares[3]).any()


# A served party. A is 0, B is 3, and 1 and 2 serve; at its links these are 0, 1 and 2.

SUSPECT, SERVED = 0, 3
MEMBERS = members_without(SERVED)


def three(s: Simulation) -> list[ServiceParty]:
    return [ServiceParty(NAMES, i, 2, s.seeds[i], b"links") for i in range(3)]


def delivered(
    bits: bool, parts: list[Any], tamper: Any = None
) -> tuple[Any, Adversary, TacitError | None]:
    driver = Adversary(NAMES, tamper)
    steps = [
        deliver(
            p,
            parts[i],
            SHAPE,
            bits=bits,
            members=MEMBERS,
            index=i,
            suspect=SUSPECT,
        )
        for i, p in enumerate(three(Simulation(5)), 1)
    ]
    try:
        return driver.run(steps)[2], driver, None
    except TacitError as error:
        return None, driver, error


@KINDS
def test_an_output_reaches_the_served_party(bits: bool) -> None:
    value, driver, error = delivered(bits, three_of_four(bits, SERVED, SUSPECT))
    assert error is None
    assert ((value == BITS) if bits else (value.view(np.int64) == X)).all()
    assert {m.receiver for m in driver.sent} == {2}


@KINDS
def test_servers_with_different_shares_are_not_believed(bits: bool) -> None:
    """A fault of a machine; two corrupt parties are beyond what is promised."""
    parts = three_of_four(bits, SERVED, SUSPECT)
    wrong = parts[2].own ^ np.uint64(1)  # party 2 holds 0 in common with 1
    numbers = {"own": wrong, "next": parts[2].next}
    parts[2] = type(parts[2])(**numbers, **({"shape": SHAPE} if bits else {}))
    value, _, error = delivered(bits, parts)
    assert value is None
    assert isinstance(error, VerificationError)
    assert error.code == "TC-5204"
    assert set(error.parties) == {NAMES[0], NAMES[1]}


def test_servers_at_different_places_are_not_believed() -> None:
    """Their masks would not fit, and the output would be noise."""
    parts = three_of_four(False, SERVED, SUSPECT)
    parties = three(Simulation(5))
    parties[1].nonce()
    steps = [
        deliver(p, parts[i], SHAPE, bits=False, members=MEMBERS, index=i, suspect=SUSPECT)
        for i, p in enumerate(parties, 1)
    ]
    with pytest.raises(VerificationError, match="do not have the same share"):
        LockstepDriver(NAMES).run(steps)


def test_without_the_digests_noise_would_be_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The weak copy: the served party does not compare."""
    monkeypatch.setattr(service.np, "array_equal", lambda a, b: True)
    parts = three_of_four(False, SERVED, SUSPECT)
    parties = three(Simulation(5))
    parties[1].nonce()
    steps = [
        deliver(p, parts[i], SHAPE, bits=False, members=MEMBERS, index=i, suspect=SUSPECT)
        for i, p in enumerate(parties, 1)
    ]
    value = LockstepDriver(NAMES).run(steps)[2]
    assert value is not None
    assert (value.view(np.int64) != X).any()


def deposited(bits: bool, tamper: Any = None) -> list[Any]:
    """The two summands."""
    driver = Adversary(NAMES, tamper)
    values = BITS if bits else X.astype(np.int64).view(np.uint64)
    source = SeededRandomness(9)
    steps = [
        deposit(p, values if p.index == 2 else None, SHAPE, source, bits=bits)
        for p in three(Simulation(5))
    ]
    return driver.run(steps)[:2]


def shared(
    bits: bool, summands: list[Any], tamper: Any = None, protocol: str = "replicated3_active"
) -> tuple[Any, Simulation, Adversary, TacitError | None]:
    """What A (0), C (1) and D (2) make of it."""
    driver = Adversary(NAMES, tamper)
    s = Simulation(6, driver, protocol)
    parts = [None, *summands]
    try:
        results = s.run(lambda p, part: put_in(p, part, SHAPE, bits=bits, helpers=(1, 2)), parts)
        return results, s, driver, None
    except TacitError as error:
        return None, s, driver, error


@KINDS
def test_whatever_the_served_party_sends_is_an_input(bits: bool) -> None:
    """It tells the two that serve what it likes: the three end with one sharing of one value."""
    rewrites: list[Callable[[], Rewrite]] = [lambda: flip(3, 8), lambda: flip(15, 1)]
    for rewrite in rewrites:
        for receiver in (0, 1):
            summands = deposited(bits, Tamper(rewrite(), 2, receiver))
            results, s, _, error = shared(bits, summands)
            assert error is None
            if bits:
                total = np.bitwise_xor(*summands)
                value = s.open_bits(results)
                raw = np.unpackbits(total.view(np.uint8), bitorder="little")[: SHAPE[0]]
                np.testing.assert_array_equal(value, raw)
            else:
                total = summands[0] + summands[1]
                np.testing.assert_array_equal(s.open(results), total.view(np.int64))


@KINDS
@pytest.mark.parametrize("missing", [(0,), (1,), (0, 1)])
def test_an_input_that_did_not_come_is_missed_by_all_three_alike(
    bits: bool, missing: tuple[int, ...]
) -> None:
    summands = [None if i in missing else part for i, part in enumerate(deposited(bits))]
    results, _, _, error = shared(bits, summands)
    assert error is None
    assert results == [None, None, None]


def test_if_the_two_did_not_ask_each_other_the_three_would_go_different_ways(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The weak copy: each goes by what it has."""

    def alone(party: Any, mine: bool, helpers: tuple[int, int]) -> Any:
        yield from ()
        return mine or party.index not in helpers

    monkeypatch.setattr(service, "_both_have", alone)
    results, _, _, error = shared(False, [deposited(False)[0], None])
    assert results is None
    assert isinstance(error, MessageError)


@KINDS
def test_every_lie_of_the_third_party_stops_the_two_that_serve(bits: bool) -> None:
    """A sends digests alone: that it has an input, and in no case one of its own."""
    _, _, honest, error = shared(bits, deposited(bits))
    assert error is None
    own = [m for m in honest.sent if m.sender == 0]
    assert own
    for message in own:
        assert message.check_bytes == len(message.payload)
        for rewrite in [*places(message), drop(), cut(), lengthen()]:
            results, _, driver, error = shared(bits, deposited(bits), at(message, rewrite))
            assert results is None
            assert error is not None
            assert NAMES[0] in error.parties
            assert driver.failed in (None, message.receiver)


def test_the_third_party_believes_no_two_words() -> None:
    """Beyond what is promised: the two that serve contradict each other."""
    _, _, honest, _ = shared(False, deposited(False))
    words = [m for m in honest.sent if m.receiver == 0 and m.round == 2]
    assert [len(m.payload) for m in words] == [1, 1]
    for message in words:
        for said in (b"\x00", b"\x02", b"\xff"):
            results, _, _, error = shared(False, deposited(False), at(message, replace(said)))
            assert results is None
            assert isinstance(error, VerificationError)
            assert error.code == "TC-5205"
