"""What a passive protocol does not notice, shown so that nobody relies on it.

``docs/security/replicated3.md`` states these limits. A test that fails means that the protocol has
become stronger: then the page and these tests change together.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from simulation import NAMES, Simulation
from steps import NUMBERS, run

from tacit.errors import PeerFaultError, VerificationError
from tacit.protocols import PROTOCOLS
from tacit.rounds import Adversary, Step, Tamper
from tacit.rounds.adversary import add_one

X = np.arange(1, 101)


def product_then_square(p: Any, x: Any) -> Step[Any]:
    product = yield from p.multiply(x, x)
    square = yield from p.multiply(product, product)
    return (yield from p.reveal(square, (0, 1, 2)))


@pytest.mark.parametrize("sender", [0, 1, 2], ids=NAMES)
def test_an_altered_multiplication_is_not_noticed(sender: int) -> None:
    """One added to one message of the first product: the result is wrong, and no error comes."""
    driver = Adversary(NAMES, Tamper(add_one(7), sender=sender, round=1))
    simulation = Simulation(8, driver)
    results = simulation.run(product_then_square, simulation.share(X))
    opened = results[0].view(np.int64)
    for other in results[1:]:
        np.testing.assert_array_equal(other.view(np.int64), opened)
    honest = X**4
    assert opened[7] != honest[7]
    np.testing.assert_array_equal(np.delete(opened, 7), np.delete(honest, 7))


def product(p: Any, x: Any) -> Step[Any]:
    return (yield from p.reveal((yield from p.multiply(x, x)), (0, 1, 2)))


@pytest.mark.parametrize("sender", [0, 1, 2], ids=NAMES)
def test_one_who_alters_its_share_and_opens_it_consistently_is_not_noticed(sender: int) -> None:
    """It sends z + 1 in the product and the same z + 1 in the opening: the result is one more."""
    previous, following = (sender - 1) % 3, (sender + 1) % 3
    driver = Adversary(
        NAMES,
        [
            Tamper(add_one(7), sender=sender, receiver=previous, round=1),
            Tamper(add_one(7), sender=sender, receiver=following, round=2),
        ],
    )
    simulation = Simulation(8, driver)
    results = simulation.run(product, simulation.share(X))
    wrong = results[following].view(np.int64) - X**2
    assert wrong[7] == 1
    assert np.count_nonzero(wrong) == 1


@pytest.mark.parametrize("sender", [0, 1, 2], ids=NAMES)
def test_an_inconsistent_alteration_is_noticed_at_the_next_opening(sender: int) -> None:
    """The receiver's copy differs from the sender's own: comparing the copies finds that."""
    driver = Adversary(NAMES, Tamper(add_one(7), sender=sender, round=1))
    simulation = Simulation(8, driver)
    with pytest.raises(VerificationError) as caught:
        simulation.run(product, simulation.share(X))
    assert NAMES[sender] in caught.value.parties


def test_a_wrong_input_is_not_noticed() -> None:
    """A party may share whatever it likes: correctness of inputs is not part of the promise."""
    driver = Adversary(NAMES, Tamper(add_one(0), sender=0, receiver=1, round=1))
    simulation = Simulation(8, driver)

    def step(p: Any) -> Step[Any]:
        words = X.astype(np.uint64)
        x = yield from p.input(0, words if p.index == 0 else None, X.shape)
        return (yield from p.reveal(x, (1,)))

    results = simulation.run(step)
    assert results[1][0] == X[0] + 1


def honest_results(name: str) -> Any:
    return run(name)[0]


@pytest.mark.parametrize("name", sorted(set(NUMBERS) - {"reveal"}))
def test_altered_messages_change_results_without_an_error(name: str) -> None:
    """In every primitive there is a message whose alteration ends in wrong shares silently."""
    honest = honest_results(name)
    silent = 0
    for message in run(name)[1].sent:
        try:
            results, _ = run(
                name,
                Tamper(
                    add_one(), sender=message.sender, receiver=message.receiver, index=message.index
                ),
            )
        except PeerFaultError:
            continue
        silent += any(
            not np.array_equal(a.own, b.own) or not np.array_equal(a.next, b.next)
            for a, b in zip(results, honest, strict=True)
        )
    assert silent > 0


def test_the_security_model_promises_no_more() -> None:
    security = PROTOCOLS["replicated3"].security
    assert security.adversary == "passive"
    assert security.outcome == "none"
    assert security.threshold == 1


def test_two_parties_together_know_everything() -> None:
    """The threshold is one: any two reconstruct alone."""
    simulation = Simulation(8)
    a, b, c = simulation.share(X)
    for first, second in ((a, b), (b, c), (c, a)):
        np.testing.assert_array_equal((first.own + first.next + second.next).view(np.int64), X)


def test_who_hears_all_links_knows_everything() -> None:
    """Links must be encrypted: an input's message and an opening give shares to an eavesdropper.

    Here the opening of a secret to one party alone is read off the wire of the three.
    """
    driver = Adversary(NAMES)
    simulation = Simulation(8, driver)
    shared = simulation.share(X)
    simulation.run(lambda p, a: p.reveal(a, (0, 1, 2)), shared)
    shares = {
        m.sender: np.frombuffer(m.payload[: 8 * X.size], np.uint64)
        for m in driver.sent
        if len(m.payload) > 8 * X.size - 1 and m.receiver == (m.sender + 1) % 3
    }
    np.testing.assert_array_equal((shares[0] + shares[1] + shares[2]).view(np.int64), X)
