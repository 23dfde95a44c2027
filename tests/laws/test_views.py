"""What a party sees does not move with what the others put in: measured on the real code.

One observer at a time. Its seeds and its shares are fixed; the seed that it does not hold is
drawn anew for each run, and the share that it does not hold is one of two choices. A message
masked by a key that the observer holds is then a constant of each choice, which a test with
fresh seeds for all would take for noise.

For every byte that the observer receives, and for sums, differences and XORs of every two and
three messages (messages under one mask are each uniform, together they are not), the two
choices' distributions of both half-bytes are compared by a chi-square test.

False alarms: each case makes fewer than 4 · 10^5 tests and there are fewer than 200 cases; the
limit is the chi-square quantile (15 degrees of freedom) of 1.25 · 10^-14, so all together alarm
without cause with nominal probability below 10^-6. Seeds are fixed: a result stays what it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from chi_square import combined, statistics
from numpy.typing import NDArray
from scipy import stats
from simulation import NAMES, Listener

from tacit import kernels
from tacit.encoding import RING64, RING128, Ring
from tacit.kernels import wide
from tacit.protocols import PROTOCOLS
from tacit.protocols.replicated3.arithmetic import flat
from tacit.protocols.replicated3_active import verification
from tacit.rounds import Round, Step
from tacit.sharing import Replicated, ReplicatedBits

Bytes = NDArray[np.uint8]

RUNS = 96
SIZE = 130  # Three blocks of 64: each party plays each role.
ALARMS, TESTS, CASES = 1e-6, 400_000, 200
LIMIT = float(stats.chi2.isf(ALARMS / (TESTS * CASES), 15))


@dataclass(frozen=True)
class Observed:
    """A step to observe: what it is given and how it runs."""

    name: str
    numbers: int
    bits: int
    step: Callable[..., Any]
    owner: int | None = None


def owners(name: str) -> list[Observed]:
    return [Observed(f"{name} by {NAMES[o]}", 0, 0, getattr_step(name, o), o) for o in range(3)]


def getattr_step(name: str, owner: int) -> Callable[..., Any]:
    def step(party: Any, secret: Any) -> Any:
        return getattr(party, name)(owner, secret if party.index == owner else None, (SIZE,))

    return step


def rows_of(a: Any) -> Any:
    return a.reshape(1, SIZE)


PRIMITIVES = [
    *owners("input"),
    *owners("input_bits"),
    Observed("multiply", 2, 0, lambda p, x, y: p.multiply(x, y)),
    Observed("matmul", 2, 0, lambda p, x, y: p.matmul(x.reshape(10, 13), y.reshape(13, 10))),
    Observed("truncate", 1, 0, lambda p, x: p.truncate(x, 18)),
    Observed("truncate exactly", 1, 0, lambda p, x: p.truncate(x, 18, "exact")),
    Observed("multiply_truncate 16", 2, 0, lambda p, x, y: p.multiply_truncate(x, y, 16)),
    Observed("multiply_truncate 18", 2, 0, lambda p, x, y: p.multiply_truncate(x, y, 18)),
    Observed("multiply_truncate 40", 2, 0, lambda p, x, y: p.multiply_truncate(x, y, 40)),
    Observed(
        "matmul_truncate",
        2,
        0,
        lambda p, x, y: p.matmul_truncate(x.reshape(10, 13), y.reshape(13, 10), 18),
    ),
    Observed(
        "sum_products_truncate",
        2,
        0,
        lambda p, x, y: p.sum_products_truncate([(x, y), (y, y)], 18),
    ),
    Observed("bitwise_and", 0, 2, lambda p, a, b: p.bitwise_and(a, b)),
    Observed("most_significant_bit", 1, 0, lambda p, x: p.most_significant_bit(x)),
    Observed("to_bits", 1, 0, lambda p, x: p.to_bits(x)),
    Observed("from_bits", 0, 2, lambda p, a, b: p.from_bits(p.stack_planes([a, b]))),
    Observed("bit_to_arithmetic", 0, 1, lambda p, a: p.bit_to_arithmetic(a)),
    Observed("inject", 1, 1, lambda p, x, a: p.inject(a, x)),
    Observed("lookup", 0, 2, lambda p, a, b: p.lookup(a, b, [[0, 1, 2, 4], [5, 0, 0, 1 << 63]])),
    Observed("select", 2, 1, lambda p, x, y, a: p.select(a, x, y)),
    Observed("permute", 1, 0, lambda p, x: p.permute(p.permutation(2, 65), x.reshape(2, 65))),
    Observed("permute back", 1, 0, lambda p, x: p.permute(p.permutation(1, 130), x[None], True)),
    Observed("permute_bits", 0, 1, lambda p, a: p.permute_bits(p.permutation(1, 130), rows_of(a))),
]


LONG = {
    "multiply", "truncate", "truncate exactly", "multiply_truncate 18", "multiply_truncate 40",
    "multiply_truncate 80", "most_significant_bit", "to_bits", "bit_to_arithmetic", "inject",
}  # fmt: skip
"""What is observed over 128 bits too: the steps whose kernels differ."""

LONG_PRIMITIVES = [
    *(step for step in PRIMITIVES if step.name in LONG),
    Observed("multiply_truncate 80", 2, 0, lambda p, x, y: p.multiply_truncate(x, y, 80)),
]


def parties(
    observer: int, run: int, over: Ring = RING64, protocol: str = "replicated3"
) -> list[Any]:
    """Fresh parties: only the seed between the other two depends on the run."""
    lacking = {(observer + 1) % 3, (observer + 2) % 3}
    seeds: list[dict[int, bytes]] = [{}, {}, {}]
    for i, j in ((0, 1), (0, 2), (1, 2)):
        stamp = run if {i, j} == lacking else -1
        seed = np.random.default_rng([7, i, j, stamp + 1]).bytes(16)
        seeds[i][j] = seeds[j][i] = seed
    return [PROTOCOLS[protocol].party(NAMES, i, seeds[i], ring=over) for i in range(3)]


def dealt(observer: int, choice: int, number: int, words: int) -> list[NDArray[np.uint64]]:
    """Three shares: the observer's two fixed, the third by the choice."""
    shares = []
    for k in range(3):
        stamp = 1 + choice if k == (observer + 2) % 3 else 0
        rng = np.random.default_rng([number, k, stamp])
        shares.append(rng.integers(0, 1 << 64, words, dtype=np.uint64))
    return shares


def view(
    step: Observed,
    observer: int,
    choice: int,
    run: int,
    over: Ring = RING64,
    protocol: str = "replicated3",
) -> list[Bytes]:
    """All arrays that the observer receives in one run."""
    driver = Listener(observer)
    group = parties(observer, run, over, protocol)
    arguments: list[list[Any]] = []
    if step.owner is not None:
        chosen = choice if step.owner != observer else 0
        secret = np.random.default_rng([99, chosen]).integers(0, 1 << 64, SIZE, dtype=np.uint64)
        if "bits" in step.name:
            secret = secret & np.uint64(1)
        arguments.append([secret] * 3)
    for k in range(step.numbers):
        words = dealt(observer, choice, k, SIZE * over.element_bytes // 8)
        s = [share.view(over.dtype) for share in words]
        arguments.append([Replicated(s[i], s[(i + 1) % 3]) for i in range(3)])
    for k in range(step.bits):
        s = dealt(observer, choice, 50 + k, -(-SIZE // 64))
        arguments.append([ReplicatedBits(s[i], s[(i + 1) % 3], (SIZE,)) for i in range(3)])
    driver.run([step.step(p, *(a[p.index] for a in arguments)) for p in group])
    return driver.heard


def largest(
    step: Observed,
    observer: int,
    runs: int = RUNS,
    over: Ring = RING64,
    protocol: str = "replicated3",
) -> float:
    """The largest statistic of all positions and pairs; 0 if nothing is received."""
    samples = [
        combined(
            [
                view(step, observer, choice, run + choice * runs, over, protocol)
                for run in range(runs)
            ]
        )
        for choice in range(2)
    ]
    values = statistics(samples[0], samples[1])
    assert values.size < TESTS
    return float(values.max(initial=0.0))


OBSERVERS = pytest.mark.parametrize("observer", [0, 1, 2], ids=NAMES)


def test_there_are_fewer_cases_than_the_limit_allows() -> None:
    assert 3 * (len(PRIMITIVES) + len(LONG_PRIMITIVES) + len(ACTIVE)) < CASES
    assert {step.name for step in LONG_PRIMITIVES} == LONG
    assert LIMIT < 1.5 * RUNS  # Two constants that differ give 2 · RUNS.


@OBSERVERS
@pytest.mark.parametrize("step", PRIMITIVES, ids=lambda s: s.name)
def test_the_view_does_not_move(step: Observed, observer: int) -> None:
    assert largest(step, observer) < LIMIT


@OBSERVERS
@pytest.mark.parametrize("step", LONG_PRIMITIVES, ids=lambda s: s.name)
def test_the_view_does_not_move_over_128_bits(step: Observed, observer: int) -> None:
    assert largest(step, observer, over=RING128) < LIMIT


ACTIVE = [step for step in PRIMITIVES if step.name in {
    "multiply", "matmul", "truncate", "bitwise_and", "from_bits",
    "bit_to_arithmetic", "inject", "permute", "permute back", "permute_bits",
    "most_significant_bit",
}]  # fmt: skip


@OBSERVERS
@pytest.mark.parametrize("step", ACTIVE, ids=lambda s: s.name)
def test_the_view_does_not_move_under_active_security(step: Observed, observer: int) -> None:
    """The proofs' openings included."""
    assert largest(step, observer, protocol="replicated3_active") < LIMIT


@OBSERVERS
def test_a_proof_without_its_mask_is_seen(observer: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is opened is r x alone."""

    def unmasked(coin: Any, x: Any, a: Any) -> Any:
        return RING128.multiply(x, coin.challenge)

    monkeypatch.setattr(verification, "_masked", unmasked)
    monkeypatch.setattr(verification, "require_zero", lambda party, values: empty_round())
    (step,) = [s for s in ACTIVE if s.name == "multiply"]
    assert largest(step, observer, protocol="replicated3_active") > LIMIT


def empty_round() -> Step[None]:
    yield Round()


@OBSERVERS
def test_a_weak_truncation_over_128_bits_is_seen(
    observer: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A's message to C without its mask."""
    honest = wide.truncation_open

    def weak(*arguments: Any) -> None:
        honest(*arguments)
        *_, ab, _ca, nonce, _m, _own, _next, message, _field = arguments
        mask = np.empty_like(message)
        wide.fill(ab, nonce, 2, mask)
        RING128.add(message, mask, out=message)

    monkeypatch.setattr(wide, "truncation_open", weak)
    (step,) = [s for s in LONG_PRIMITIVES if s.name == "truncate"]
    assert largest(step, observer, over=RING128) > LIMIT


def test_something_is_received_by_everyone() -> None:
    for step in PRIMITIVES:
        heard = [len(view(step, observer, 0, 0)) for observer in range(3)]
        if step.name.startswith("permute"):
            # The party that adds its two shares only sends: first of the chain, or last.
            assert heard == ([2, 2, 0] if "back" in step.name else [0, 2, 2]), step.name
        elif step.owner is not None:
            assert sum(heard) == 1, step.name
        else:
            assert min(heard) >= 1, step.name


# Planted errors: the test must see each.


def send_back(party: Any, z: NDArray[np.uint64]) -> Step[Replicated]:
    z_next = np.empty_like(z)
    yield Round(send={party.previous: (z,)}, receive={party.next: (z_next,)})
    return Replicated(z, z_next)


def terms(x: Replicated, y: Replicated) -> NDArray[np.uint64]:
    z = np.empty(x.size, np.uint64)
    kernels.cross_terms(flat(x.own), flat(x.next), flat(y.own), flat(y.next), z)
    return z


def stream(key: Any, party: Any, lane: int = 0) -> NDArray[np.uint64]:
    out = np.empty(SIZE, np.uint64)
    kernels.fill(key, party, lane, out)
    return out


def without_a_mask(party: Any, x: Replicated, y: Replicated) -> Step[Replicated]:
    """Multiplication whose share of zero was forgotten."""
    return send_back(party, terms(x, y))


def mask_of_the_receiver(party: Any, x: Replicated, y: Replicated) -> Step[Replicated]:
    """Masked with k_i alone, which party i-1, the receiver, holds too."""
    return send_back(party, terms(x, y) + stream(party.key_own, party.nonce()))


def one_mask_twice(party: Any, x: Replicated, y: Replicated) -> Step[None]:
    """Two products under one share of zero."""
    nonce = party.nonce()
    mask = stream(party.key_own, nonce) - stream(party.key_next, nonce)
    first, second = terms(x, y) + mask, terms(y, y) + mask
    got = np.empty((2, SIZE), np.uint64)
    yield Round(send={party.previous: (first, second)}, receive={party.next: (got[0], got[1])})


def input_masked_for_all(party: Any, secret: Any) -> Step[None]:
    """Alice's input masked with the key that she shares with the receiver, not with the other."""
    if party.index == 0:
        yield Round(send={1: (secret - stream(party.key_next, 1),)})
    elif party.index == 1:
        yield Round(receive={0: (np.empty(SIZE, np.uint64),)})
    else:
        yield Round()


def one_bit_short(party: Any, x: Replicated, y: Replicated) -> Step[Replicated]:
    """A share of zero whose lowest bit is always clear."""
    nonce = party.nonce()
    mask = stream(party.key_own, nonce) - stream(party.key_next, nonce)
    return send_back(party, terms(x, y) + (mask & ~np.uint64(1)))


@OBSERVERS
@pytest.mark.parametrize(
    "weak", [without_a_mask, mask_of_the_receiver, one_mask_twice, one_bit_short]
)
def test_a_weak_multiplication_is_seen(weak: Callable[..., Any], observer: int) -> None:
    assert largest(Observed(weak.__name__, 2, 0, weak), observer) > LIMIT


def test_a_weak_input_is_seen() -> None:
    weak = Observed("weak", 0, 0, input_masked_for_all, 0)
    assert largest(weak, 1) > LIMIT


@OBSERVERS
@pytest.mark.parametrize("error", ["key of the receiver", "no mask"])
def test_a_weak_truncation_is_seen(
    error: str, observer: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real protocol with A's message to C masked by CA instead of AB, or not at all."""
    honest = kernels.truncation_open

    def weak(*arguments: Any) -> None:
        honest(*arguments)
        *_, ab, ca, nonce, _m, _own, _next, message, _field = arguments
        mask = np.empty_like(message)
        kernels.fill(ab, nonce, 2, mask)
        message += mask  # Now (c >> m) in the clear.
        if error == "key of the receiver":
            kernels.fill(ca, nonce, 2, mask)
            message -= mask

    monkeypatch.setattr(kernels, "truncation_open", weak)
    (step,) = [s for s in PRIMITIVES if s.name == "truncate"]
    assert largest(step, observer) > LIMIT


@pytest.mark.parametrize("name", ["bit_to_arithmetic", "most_significant_bit"])
def test_one_nonce_for_rotated_roles_is_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real protocols with one nonce for all thirds: three messages together give it away."""
    (step,) = [s for s in PRIMITIVES if s.name == name]
    monkeypatch.setattr(type(parties(0, 0)[0]), "nonce", lambda self: 1)
    assert max(largest(step, observer) for observer in range(3)) > LIMIT
