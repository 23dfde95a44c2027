"""``replicated3_active``: whatever one party sends, nothing wrong is ever opened.

Two kinds of corrupt party. One alters a single message on its way and goes on as before: every
message of every primitive is altered in turn. The other adds a number to what it sends *and* to
its own copy, so that its later messages fit: the additive attack, the only one that multiplications
are open to. The second shows what proofs are for: against a copy of the protocol whose proofs are
left out (here, not in the package) it opens a wrong result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import comb
from typing import Any

import numpy as np
import pytest
from simulation import NAMES, Simulation
from steps import BITS, INPUTS, NUMBERS

from tacit.errors import MessageError, PeerFaultError, VerificationError
from tacit.protocols.replicated3_active import (
    arithmetic,
    boolean,
    buckets,
    conversion,
    shuffle,
    sign,
    truncation,
    verification,
)
from tacit.rounds import Adversary, Message, Round, Step, Tamper
from tacit.rounds.adversary import cut, delay, drop, flip, lengthen, replay

SIZE = 70
PROTOCOL = "replicated3_active"
SMALL: dict[str, Callable[..., Any]] = {
    "multiply": NUMBERS["multiply"],
    "matmul": lambda p, x, y: p.matmul(x.reshape(7, 10), y.reshape(10, 7)),
    "truncate": NUMBERS["truncate"],
    "truncate exactly": NUMBERS["truncate exactly"],
    "multiply_truncate": NUMBERS["multiply_truncate"],
    "matmul_truncate": lambda p, x, y: p.matmul_truncate(x.reshape(7, 10), y.reshape(10, 7), 18),
    "sum_products_truncate": NUMBERS["sum_products_truncate"],
    "most_significant_bit": NUMBERS["most_significant_bit"],
    "to_bits": NUMBERS["to_bits"],
    "permute": lambda p, x, y: p.permute(p.permutation(2, 35), x.reshape(2, 35)),
    "permute and back": lambda p, x, y: there_and_back(p, x),
    "permute_bits": lambda p, x, a: p.permute_bits(p.permutation(2, 35), a.reshape(2, 35)),
    **{name: step for name, step in BITS.items() if not name.startswith(("permute", "reveal"))},
    "relu": lambda p, x, y: relu(p, x),
    "input": lambda p, x, y: p.input(
        1, np.arange(SIZE, dtype=np.uint64) if p.index == 1 else None, (SIZE,)
    ),
    "input_bits": lambda p, x, y: p.input_bits(
        2, np.ones(SIZE, np.uint8) if p.index == 2 else None, (SIZE,)
    ),
}
GIVES_BITS = {
    "most_significant_bit", "to_bits", "bitwise_and", "permute_bits", "input_bits",
}  # fmt: skip


def there_and_back(p: Any, x: Any) -> Step[Any]:
    secret = p.permutation(1, SIZE)
    mixed = yield from p.permute(secret, x.reshape(1, SIZE))
    return (yield from p.permute(secret, mixed, True))


def relu(p: Any, x: Any) -> Step[Any]:
    negative = yield from p.most_significant_bit(x)
    return (yield from p.inject(p.invert(negative), x))


def released(name: str) -> Callable[..., Any]:
    """The primitive, and its result opened to all."""

    def step(p: Any, x: Any, y: Any) -> Step[Any]:
        result = yield from SMALL[name](p, x, y)
        opened = p.reveal_bits if name in GIVES_BITS else p.reveal
        return (yield from opened(result, (0, 1, 2)))

    return step


def attempt(
    name: str, driver: Adversary, seed: int = 3
) -> tuple[dict[int, Any], PeerFaultError | None]:
    """What each party got, and the error that stopped the session."""
    simulation = Simulation(seed, driver, protocol=PROTOCOL)
    x = np.arange(SIZE) * 1000 - 30_000
    bits = name in BITS or name == "permute_bits"
    second = simulation.share_bits(np.arange(SIZE) % 2) if bits else simulation.share(x[::-1])
    try:
        simulation.run(released(name), simulation.share(x), second, stage=name)
    except PeerFaultError as error:
        return driver.returned, error
    return driver.returned, None


def honest(name: str) -> tuple[Any, list[Message]]:
    driver = Adversary(NAMES)
    results, error = attempt(name, driver)
    assert error is None
    for other in (1, 2):
        np.testing.assert_array_equal(results[other], results[0])
    return results[0], driver.sent


def at(message: Message, rewrite: Any) -> Tamper:
    return Tamper(rewrite, sender=message.sender, receiver=message.receiver, index=message.index)


def positions(message: Message, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Every bit of the first byte, and random bits behind it."""
    size = len(message.payload)
    random = [(int(rng.integers(size)), 1 << int(rng.integers(8))) for _ in range(3)]
    return [*((0, 1 << bit) for bit in range(0, 8, 3)), (size - 1, 128), *random]


@pytest.mark.parametrize("name", SMALL)
def test_every_altered_message_ends_in_an_abort_or_changes_nothing(name: str) -> None:
    """Nothing but an honest run's result reaches an honest party. Inputs are their owner's."""
    right, messages = honest(name)
    rng = np.random.default_rng(5)
    altered, caught = 0, 0
    for message in messages:
        if not message.payload:
            continue
        for position, mask in positions(message, rng):
            driver = Adversary(NAMES, at(message, flip(position, mask)))
            results, error = attempt(name, driver)
            altered += 1
            mine = {party: r for party, r in results.items() if party != message.sender}
            if name.startswith("input") and message.round == 1:
                # Another input, from a party that then opens by its first: whoever lacks the
                # altered share sees the two copies differ, the other has the input. (Bits behind
                # the last value change nothing.)
                if error is None:
                    np.testing.assert_array_equal(*mine.values())
                continue
            for result in mine.values():
                np.testing.assert_array_equal(result, right)
            if error is None:
                # Bits behind the last value, or a product changed by a multiple of 2^64.
                assert len(mine) == 2
                continue
            assert isinstance(error, VerificationError)
            assert driver.failed != message.sender
            caught += 1
    assert caught > 0.6 * altered or name.startswith("input")


@pytest.mark.parametrize("name", ["multiply_truncate", "most_significant_bit", "inject", "permute"])
@pytest.mark.parametrize(
    "kind",
    [drop, cut, lengthen, replay, delay],
    ids=lambda kind: str(kind.__name__),
)
def test_every_missing_or_misplaced_message_ends_in_an_abort(name: str, kind: Any) -> None:
    right, messages = honest(name)
    for message in messages:
        rewrite = kind()
        driver = Adversary(NAMES, at(message, rewrite))
        results, error = attempt(name, driver)
        for party, result in results.items():
            if party != message.sender:
                np.testing.assert_array_equal(result, right)
        if kind is not replay or message.index:
            assert isinstance(error, MessageError | VerificationError), message


# The additive attack.


class Additive(Adversary):
    """One party adds to its messages and to its own copies of what it sent.

    Parameters
    ----------
    corrupt : int
        Which party.
    rounds : dict of int to int
        For each of the driver's rounds, the place of the word of the payload to which it adds one.
    xor : bool
        Flip the lowest bit instead.
    """

    def __init__(self, corrupt: int, rounds: dict[int, int], word: int = 1) -> None:
        super().__init__(NAMES)
        self.corrupt = corrupt
        self.rounds = rounds
        self.word = np.uint64(word)

    def advance(self, party: int, step: Step[Any]) -> Round:
        current = super().advance(party, step)
        if party == self.corrupt:
            place = self.rounds.get(self.round_number + 1)
            for arrays in current.send.values() if place is not None else ():
                words = arrays[0].reshape(-1).view(np.uint64)
                words[place] += self.word
        return current


CORRUPT = pytest.mark.parametrize("corrupt", [0, 1, 2], ids=NAMES)

ADDITIVE = {
    "multiply": 1, "matmul": 1, "multiply_truncate": 4, "truncate": 5, "inject": 3,
    "most_significant_bit": 8, "bitwise_and": 1, "to_bits": 8, "bit_to_arithmetic": 2,
    "permute": 4, "permute_bits": 4, "sum_products_truncate": 6, "truncate exactly": 7,
}  # fmt: skip
"""Rounds of products, ANDs and passes before the proof."""

WITHOUT_PROOF = (arithmetic, boolean, conversion, sign, truncation)


def unproved(party: Any, pending: Any) -> Step[None]:
    """The weakened copy: nothing is proved. Insecure; it exists only here."""
    return
    yield


@CORRUPT
@pytest.mark.parametrize("name", ADDITIVE)
def test_an_additive_attack_is_found_before_anything_is_opened(name: str, corrupt: int) -> None:
    for number in range(1, ADDITIVE[name] + 1):
        driver = Additive(corrupt, {number: 0})
        results, error = attempt(name, driver)
        if name.startswith("permute") and driver_sent_nothing(driver, corrupt, number):
            assert error is None
            continue
        assert isinstance(error, VerificationError), number
        assert error.code == "TC-5202"
        assert error.parties == ()
        assert not results


def driver_sent_nothing(driver: Adversary, party: int, number: int) -> bool:
    return not any(m.sender == party and m.round == number for m in driver.sent)


@CORRUPT
@pytest.mark.parametrize(
    ("name", "number"),
    [("multiply", 1), ("inject", 3), ("most_significant_bit", 8), ("bitwise_and", 1)],
)
def test_without_proofs_the_additive_attack_opens_a_wrong_result(
    name: str, number: int, corrupt: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    right, _ = honest(name)
    for module in WITHOUT_PROOF:
        monkeypatch.setattr(module, "prove", unproved)
    results, error = attempt(name, Additive(corrupt, {number: 0}))
    assert error is None
    assert (results[(corrupt + 1) % 3] != right).any()
    np.testing.assert_array_equal(results[(corrupt + 1) % 3], results[(corrupt + 2) % 3])


@CORRUPT
def test_without_checks_a_wrong_pass_moves_wrong_elements(
    corrupt: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unchecked(party: Any, values: Any) -> Step[None]:
        yield Round()

    right, _ = honest("permute")
    monkeypatch.setattr(shuffle, "require_zero", unchecked)
    found = []
    for number in range(2, 5):
        results, error = attempt("permute", Additive(corrupt, {number: 0}))
        assert error is None
        found.append((results[(corrupt + 1) % 3] != right).any())
    assert sum(found) == 2  # In one of the three passes the party only listens.


def test_a_failed_pass_ends_the_checks_there() -> None:
    """What later checks would show of an error's place tells a permutation its maker lacks."""
    _, messages = honest("permute")
    last = max(m.round for m in messages)
    for number in range(1, 5):
        driver = Additive(0, {number: 0})
        _, error = attempt("permute", driver)
        if error is None:
            continue
        # 1 product, 3 passes, 1 coin; the check of pass k is round 6 + k of 10 with the opening.
        assert max(m.round for m in driver.sent) == 5 + number < last


# How likely a cheat passes: the bounds are met where parameters are made small.


def test_false_ands_pass_as_often_as_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    """One word, a bucket of one, one opened: the false triple is dealt in half the runs."""
    plan = buckets.BucketPlan(1, 1, 1, 1, 2)
    monkeypatch.setattr(buckets, "bucket_plan", lambda words: plan)
    passed = 0
    for seed in range(200):
        # Round 1: the AND. Round 2: the triples; the same bit of one of the two is false.
        simulation = Simulation(seed, Flipping(1, {1: 0, 2: 0}), protocol=PROTOCOL)
        bits = simulation.share_bits(np.ones(5, np.uint8))
        try:
            simulation.run(lambda p, a, b: p.bitwise_and(a, b), bits, bits)
        except VerificationError:
            continue
        passed += 1
    # 100 on average, 7 the standard deviation.
    assert 65 < passed < 135


class Flipping(Additive):
    """Flips the lowest bit, so that two false words are false alike."""

    def advance(self, party: int, step: Step[Any]) -> Round:
        current = Adversary.advance(self, party, step)
        if party == self.corrupt:
            place = self.rounds.get(self.round_number + 1)
            for arrays in current.send.values() if place is not None else ():
                arrays[0].reshape(-1)[place] ^= np.uint64(1)
        return current


def test_a_false_product_passes_only_if_the_challenge_was_guessed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """z + 1 and c + g pass for the challenge g alone: one in four if it has two bits."""
    tossed = verification.toss

    def weak(party: Any, sealed: Any) -> Step[Any]:
        coin = yield from tossed(party, sealed)
        coin.challenge["low"] &= np.uint64(3)
        return coin

    monkeypatch.setattr(verification, "toss", weak)
    passed = 0
    for seed in range(200):
        simulation = Simulation(seed, Guessing(2, guess=2), protocol=PROTOCOL)
        x = simulation.share(np.arange(5))
        try:
            simulation.run(lambda p, a: p.multiply(a, a), x)
        except VerificationError:
            continue
        passed += 1
    # 50 on average, 6 the standard deviation.
    assert 20 < passed < 80


class Guessing(Adversary):
    """Adds 1 to z and `guess` to c in the first round."""

    def __init__(self, corrupt: int, guess: int) -> None:
        super().__init__(NAMES)
        self.corrupt, self.guess = corrupt, np.uint64(guess)

    def advance(self, party: int, step: Step[Any]) -> Round:
        current = super().advance(party, step)
        if party == self.corrupt and self.round_number == 0:
            ((z, c),) = current.send.values()
            z.view(np.uint64)[0] += np.uint64(1)
            c.view(np.uint64)[0] += self.guess
        return current


@pytest.mark.parametrize(
    "words", [1, 2, 3, 7, 16, 100, 1000, 6233, 50_007, 50_008, 375_000, 1 << 21]
)
def test_false_ands_pass_with_probability_below_one_in_2_to_the_40(words: int) -> None:
    plan = buckets.bucket_plan(words)
    assert plan.balls * plan.width >= words > (plan.balls - 1) * plan.width
    assert plan.triples == plan.bucket * plan.balls + plan.opened
    assert buckets.passing_probability(words) <= 2.0**-40
    if words <= 100:
        worst = min(comb(plan.triples, plan.bucket * false) for false in range(1, words + 1))
        assert worst >= 1 << 40
        assert buckets.passing_probability(words) == 1 / worst


# The coin.


def test_one_party_alone_tells_the_third_nothing_of_the_coin() -> None:
    """Each sends one piece and a hash of the other: both are needed, so both have got all."""
    _, messages = honest("multiply")
    coins = [m for m in messages if m.round == 2]
    assert len(coins) == 6
    assert all(len(m.payload) == m.check_bytes == 48 for m in coins)
    for receiver in range(3):
        pieces = [m.payload[:16] for m in coins if m.receiver == receiver]
        assert len(set(pieces)) == 2


def rushing(message: Message, seen: Sequence[Message]) -> Sequence[bytes]:
    """Send what the other party sent to the same receiver: a copied piece and its hash."""
    (other,) = [
        m
        for m in seen
        if m.round == message.round
        and m.receiver == message.receiver
        and m.sender != message.sender
    ]
    return (other.payload,)


@CORRUPT
def test_a_copied_piece_of_the_coin_is_found(corrupt: int) -> None:
    driver = Adversary(NAMES, Tamper(rushing, sender=corrupt, round=2))
    _, error = attempt("multiply", driver)
    assert isinstance(error, VerificationError)
    assert error.code == "TC-5200"


def test_inputs_are_among_the_attacked_steps() -> None:
    assert set(INPUTS) <= set(SMALL)
