"""Large products, opened to parties 2 and 3 and checked by sketches: what a deviation gets.

Whatever is altered, its receiver stops with an error that names nobody, and nobody sends anything
afterwards. A sender that knew the columns of the sketch, or met with too few, gets a wrong product
accepted: against weakened copies that succeeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from simulation import FOUR, Simulation, integers

from tacit.errors import DisputeError, MessageError, TacitError, VerificationError
from tacit.protocols.fantastic4 import large_products
from tacit.rounds import Adversary, Message, Tamper
from tacit.rounds.adversary import Rewrite, add_one, cut, drop, flip, lengthen
from tacit.rounds.contract import Step
from tacit.sharing import Replicated4

ROWS, INNER, WIDTH = 3, 5, 66
X = integers(np.random.default_rng(4), (ROWS, INNER), 25)
Y = integers(np.random.default_rng(5), (INNER, WIDTH), 25)
PAYLOAD = 8 * ROWS * WIDTH


@pytest.fixture(autouse=True)
def every_matrix_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_products, "ENOUGH", float("inf"))


def with_sequel(p: Any, x: Any, y: Any) -> Step[Any]:
    """The product, then one that depends on it."""
    result = yield from p.matmul_truncate(x, y, 18)
    yield from p.multiply(result, result)
    return result


def run(tamper: Any = None, seed: int = 3) -> tuple[Any, Adversary, TacitError | None]:
    driver = Adversary(FOUR, tamper)
    s = Simulation(seed, driver, "fantastic4")
    try:
        return s.run(with_sequel, s.share(X), s.share(Y)), driver, None
    except TacitError as error:
        return None, driver, error


def first_round() -> list[Message]:
    _, driver, error = run()
    assert error is None
    return [m for m in driver.sent if m.round == 1]


def refused(message: Message, rewrite: Rewrite, seed: int = 3) -> TacitError:
    results, driver, error = run(Tamper(rewrite, message.sender, message.receiver, 1), seed)
    assert results is None
    assert error is not None
    assert driver.failed is None or driver.failed == message.receiver
    assert message.receiver not in driver.returned
    assert max(m.round for m in driver.sent) == 1
    return error


def test_who_speaks_in_the_first_round() -> None:
    spoken = {(m.sender, m.receiver): len(m.payload) for m in first_round()}
    sketch = 8 * ROWS * large_products.COLUMNS
    both = {(s, r): PAYLOAD + sketch for s in (0, 1) for r in (2, 3)}
    assert spoken == both | {(2, 3): 2 * sketch, (3, 2): 2 * sketch}


def test_every_altered_message_stops_its_receiver_and_names_nobody() -> None:
    rng = np.random.default_rng(6)
    for message in first_round():
        size = len(message.payload)
        # The first byte, the top bit of an element, the last byte, and some anywhere.
        places = [(0, 1), (7, 0x80), (size - 1, 0x80), (size - 8, 1)]
        places += [(int(at), 1 << int(rng.integers(8))) for at in rng.integers(0, size, 40)]
        for position, mask in places:
            error = refused(message, flip(position, mask))
            assert isinstance(error, VerificationError)
            assert error.code == "TC-5206"
            assert not error.parties


def test_lost_and_wrong_lengths() -> None:
    for message in first_round():
        for rewrite in (drop(), cut(), cut(8), lengthen(bytes(8))):
            assert isinstance(refused(message, rewrite), MessageError)


def test_sent_to_one_and_not_to_the_other() -> None:
    for sender in (0, 1):
        for receiver in (2, 3):
            _, driver, error = run(Tamper(add_one(7), sender, receiver, 1))
            assert isinstance(error, VerificationError)
            assert driver.failed == receiver


def test_a_lie_about_a_local_share_is_found() -> None:
    for liar in range(4):
        for index in range(4):
            if index == liar:
                continue
            driver = Adversary(FOUR)
            s = Simulation(3, driver, "fantastic4")
            x, y = s.share(X), s.share(Y)
            lie = x[liar].shares[index].copy()
            lie[1, 1] += np.uint64(1 << 40)
            x[liar] = Replicated4({**x[liar].shares, index: lie})
            with pytest.raises(VerificationError):
                s.run(with_sequel, x, y)
            assert max(m.round for m in driver.sent) == 1


def test_for_evidence_two_parties_are_named() -> None:
    """Then products go the other way, where every message has a backup."""
    driver = Adversary(FOUR, Tamper(add_one(7), 0, 3, 1))
    s = Simulation(3, driver, "fantastic4")
    for party in s.parties:
        party.evidence = True
    with pytest.raises(DisputeError) as raised:
        s.run(with_sequel, s.share(X), s.share(Y))
    assert raised.value.parties == (FOUR[0], FOUR[1])


# Weakened copies.


def overlooked(error: TacitError | None) -> bool:
    """Whether the receiver took the message: what follows may find that two hold different ones."""
    return error is None or error.code != "TC-5206"


@pytest.mark.parametrize("columns", [1, 2, 48])
def test_columns_decide_how_often_a_top_bit_is_overlooked(
    columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One column finds a changed top bit every other time; of sixty-four runs in all."""
    monkeypatch.setattr(large_products, "COLUMNS", columns)
    tamper = Tamper(flip(7, 0x80), 0, 3, 1)
    count = sum(overlooked(run(tamper, seed)[2]) for seed in range(64))
    low, high = {1: (16, 48), 2: (4, 32), 48: (0, 0)}[columns]
    assert low <= count <= high


def even_combination(columns: Any) -> list[int]:
    """Rows of R whose sum is even in every column: more rows than columns, so there are some."""
    basis: dict[int, tuple[int, int]] = {}
    for place, row in enumerate(columns):
        word = sum(int(value & 1) << j for j, value in enumerate(row))
        made = 1 << place
        while word and word.bit_length() in basis:
            other, from_rows = basis[word.bit_length()]
            word, made = word ^ other, made ^ from_rows
        if not word:
            return [i for i in range(len(columns)) if made >> i & 1]
        basis[word.bit_length()] = word, made
    raise AssertionError("the rows are independent")


def forged(places: Sequence[int]) -> Rewrite:
    """The top bits of some elements of the first row are changed: the sketch stays the same."""

    def rewrite(message: Message, _: Sequence[Message]) -> Sequence[bytes]:
        changed = bytearray(message.payload)
        for place in places:
            changed[8 * place + 7] ^= 0x80
        return [bytes(changed)]

    return rewrite


def public_columns(party: Any, nonce: int, sender: int, rows: int) -> Any:
    """Insecure: columns that everybody knows."""
    rng = np.random.default_rng(nonce)
    return rng.integers(0, 1 << 64, (rows, large_products.COLUMNS), dtype=np.uint64)


@pytest.mark.parametrize("receiver", [2, 3])
def test_a_sender_that_knows_the_columns_gets_a_wrong_product_accepted(
    receiver: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = public_columns(None, next(Simulation(3, None, "fantastic4").parties[0]._nonces), 0,
                             WIDTH)  # fmt: skip
    rewrite = forged(even_combination(columns))
    assert not overlooked(run(Tamper(rewrite, 0, receiver, 1))[2])
    monkeypatch.setattr(large_products, "_columns", public_columns)
    _, _, error = run(Tamper(rewrite, 0, receiver, 1))
    assert overlooked(error)


def test_the_sender_lacks_the_key_of_the_columns() -> None:
    s = Simulation(3, None, "fantastic4")
    for sender in (0, 1):
        with pytest.raises(KeyError):
            large_products._columns(s.parties[sender], 1, sender, WIDTH)
