"""What a party of ``fantastic4`` sees does not move with what the others put in.

By counting: the real code runs over Z_2^2 with every value of the streams that an observer does not
know; what it receives is uniform, whatever the share that it lacks. On real rings by chi-square, as
``test_views.py`` does it: the observer's keys and shares are fixed, the key that it lacks is drawn
anew for each run, the share that it lacks is one of two choices. The digests are part of the view.

False alarms: each case makes fewer than 1.2 · 10^6 tests and there are fewer than 170 cases; the
limit is the chi-square quantile (15 degrees of freedom) of 4.9 · 10^-15, so all together alarm
without cause with nominal probability below 10^-6. Seeds are fixed.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from chi_square import combined, statistics
from numpy.typing import NDArray
from scipy import stats
from simulation import FOUR, Listener, Simulation, bit_parts_of, parts_of

from tacit import kernels
from tacit.encoding import RING64, RING128, Ring
from tacit.protocols.fantastic4 import Fantastic4Party, arithmetic, io, joint
from tacit.protocols.fantastic4.arithmetic import NEGATIVE, share_terms
from tacit.protocols.fantastic4.groups import Group, elements_of
from tacit.protocols.fantastic4.joint import Message, exchange

OBSERVERS = pytest.mark.parametrize("observer", range(4), ids=FOUR)

# By counting, over Z_2^2.

MODULUS = 4
LANES = 4


def small_group(simulation: Simulation, observer: int, known: Any) -> tuple[Group, int]:
    """Integers modulo 4, element k under the k-th assignment to the observer's unknown masks.

    Streams that it knows are constants; those of the key that it lacks run through all values on up
    to four lanes.
    """
    lacking = id(simulation.parties[(observer + 1) % 4].keys[observer])
    names = {id(key): j for p in simulation.parties for j, key in p.keys.items()}
    assert names[lacking] == observer
    places: dict[int, int] = {}
    size = MODULUS**LANES

    def fill(key: Any, nonce: int, lane: int, out: Any) -> None:
        j = names[id(key)]
        if j == observer:
            place = places.setdefault(lane, len(places))
            assert place < LANES
            out[...] = np.arange(size) // MODULUS**place % MODULUS
        else:
            out[...] = known[j, lane % 8]

    def add(a: Any, b: Any) -> Any:
        return (a + b) % MODULUS

    def subtract(a: Any, b: Any) -> Any:
        return (a - b) % MODULUS

    return Group(np.dtype(np.uint8), add, subtract, np.multiply, fill), size


def terms_mod_4(p: Any, x: Any, y: Any, size: int) -> Any:
    """F_ab of one pair of numbers, the same under every assignment."""
    terms = {}
    for a, b in itertools.combinations(p.held, 2):
        s = -1 if (a, b) in NEGATIVE else 1
        value = s * (x[a] + s * x[b]) * (y[a] + s * y[b]) % MODULUS
        terms[a, b] = np.full(size, value, np.uint8)
    return terms


def counted(observer: int, x: Any, y: Any, known: Any) -> NDArray[np.int64]:
    """How often each view of a product occurs over all masks that the observer lacks."""
    listener = Listener(observer, names=FOUR)
    simulation = Simulation(2, listener, "fantastic4")
    group, size = small_group(simulation, observer, known)
    simulation.run(lambda p: share_terms(p, terms_mod_4(p, x, y, size), group))
    code = np.zeros(size, np.int64)
    for array in listener.heard:
        code = code * MODULUS + array
    return np.bincount(code, minlength=MODULUS ** len(listener.heard))


@OBSERVERS
def test_every_view_of_a_product_is_uniform(observer: int) -> None:
    """Two messages to parties 2 and 3, one to 0 and 1: each view equally often."""
    rng = np.random.default_rng(observer)
    for _ in range(3):
        x, y, known = rng.integers(0, 4, 4), rng.integers(0, 4, 4), rng.integers(0, 4, (4, 8))
        for x[observer], y[observer] in itertools.product(range(4), repeat=2):
            histogram = counted(observer, x, y, known)
            assert histogram.size == (16 if observer >= 2 else 4)
            assert (histogram == MODULUS**LANES // histogram.size).all()


def one_lane(party: Any, message: Message, nonce: int, lane: int) -> Any:
    """Planted: all messages of an exchange masked by the same piece of a stream."""
    return HONEST_PIECE(party, message, nonce, 0)


def key_of_the_receiver(party: Any, message: Message, nonce: int, lane: int) -> Any:
    """Planted: the mask comes from a key that the receiver holds."""
    other = 6 - message.sender - message.backup - message.receiver
    keys = party.keys
    try:
        party.keys = {j: keys.get(other if j == message.receiver else j) for j in keys}
        if party.index == other:
            party.keys = keys
        return HONEST_PIECE(party, message, nonce, lane)
    finally:
        party.keys = keys


def no_mask(party: Any, message: Message, nonce: int, lane: int) -> Any:
    """Planted: the value itself is sent."""
    bare = Message(
        message.sender, message.backup, message.receiver, message.group, message.shape,
        message.value, masked=False,
    )  # fmt: skip
    return HONEST_PIECE(party, bare, nonce, lane)


HONEST_PIECE = joint._piece


@pytest.mark.parametrize("weak", [one_lane, key_of_the_receiver, no_mask])
def test_counting_sees_a_planted_error(weak: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joint, "_piece", weak)
    rng = np.random.default_rng(9)
    x, y, known = rng.integers(0, 4, 4), rng.integers(0, 4, 4), rng.integers(0, 4, (4, 8))
    histogram = counted(3, x, y, known)
    assert len(set(histogram)) > 1


# On real rings.

RUNS = 96
SIZE = 66
ALARMS, TESTS, CASES = 1e-6, 1_200_000, 170
LIMIT = float(stats.chi2.isf(ALARMS / (TESTS * CASES), 15))


def parties(observer: int, run: int, over: Ring) -> list[Any]:
    """Parties with keys of which that of the observer's index alone depends on the run."""
    seeds = dict.fromkeys(range(4), bytes(16))
    made = [Fantastic4Party(FOUR, i, seeds, ring=over) for i in range(4)]
    fixed = {j: np.random.default_rng([7, j]).bytes(16) for j in range(4)}
    fixed[observer] = np.random.default_rng([8, observer, run]).bytes(16)
    for party in made:
        party.keys = {j: kernels.StreamKey(fixed[j]) for j in party.held}
    return made


def dealt(observer: int, choice: int, number: int, words: int) -> list[NDArray[np.uint64]]:
    """Four shares: the observer's three fixed, the one that it lacks by the choice."""
    shares = []
    for k in range(4):
        rng = np.random.default_rng([number, k, 1 + choice if k == observer else 0])
        shares.append(rng.integers(0, 1 << 64, words, dtype=np.uint64))
    return shares


def by_owner(name: str, owner: int) -> Callable[..., Any]:
    return lambda p, x, y, a, b, secret: getattr(p, name)(
        owner, secret[name] if p.index == owner else None, secret[name].shape
    )


def informed(p: Any, x: Any) -> Any:
    """The form of a message in which R learns a value that a mask hides already."""
    r = p.random((SIZE,))
    c = p.add(x, r).shares
    value = p.ring.add(c[2], c[3]) if p.index in (0, 1) else None
    group = elements_of(p.ring)
    messages = [Message(0, 1, 2, group, (SIZE,), value, masked=False)]
    return exchange(p, messages)


STEPS: dict[str, Callable[..., Any]] = {
    "multiply": lambda p, x, y, a, b, secret: p.multiply(x, y),
    "matmul": lambda p, x, y, a, b, secret: p.matmul(x.reshape(6, 11), y.reshape(11, 6)),
    "bitwise_and": lambda p, x, y, a, b, secret: p.bitwise_and(a, b),
    "truncate": lambda p, x, y, a, b, secret: p.truncate(x, 18, "probabilistic"),
    "bit_to_arithmetic": lambda p, x, y, a, b, secret: p.bit_to_arithmetic(a),
    "inject": lambda p, x, y, a, b, secret: p.inject(a, x),
    "select": lambda p, x, y, a, b, secret: p.select(a, x, y),
    "to_bits": lambda p, x, y, a, b, secret: p.to_bits(x.section(0, 3)),
    "from_bits": lambda p, x, y, a, b, secret: p.from_bits(p.stack_planes([a, b])),
    "permute": lambda p, x, y, a, b, secret: p.permute(
        p.permutation(2, 3), x.reshape(2, 3, 11), inverse=True
    ),
    "permute_bits": lambda p, x, y, a, b, secret: p.permute_bits(
        p.permutation(6, 11), a.reshape(6, 11)
    ),
    "value behind a mask": lambda p, x, y, a, b, secret: informed(p, x),
    **{
        f"{name} by {FOUR[o]}": by_owner(name, o)
        for name in ("input", "input_bits")
        for o in range(4)
    },
}


def view(step: Callable[..., Any], observer: int, choice: int, run: int, over: Ring) -> Any:
    """All arrays that the observer receives in one run, digests too."""
    listener = Listener(observer, checks=True, names=FOUR)
    words = SIZE * over.element_bytes // 8
    x, y = (
        parts_of([s.view(over.dtype) for s in dealt(observer, choice, k, words)]) for k in (0, 1)
    )
    a, b = (bit_parts_of(dealt(observer, choice, k, 2), (SIZE,)) for k in (2, 3))
    group = parties(observer, run, over)
    steps = []
    for p in group:
        rng = np.random.default_rng([99, choice])
        secret = rng.integers(0, 1 << 64, words, dtype=np.uint64).view(over.dtype)
        owned = {"input": secret, "input_bits": rng.integers(0, 2, SIZE, dtype=np.uint8)}
        i = p.index
        steps.append(step(p, x[i], y[i], a[i], b[i], owned))
    listener.run(steps)
    return listener.heard


def largest(step: Callable[..., Any], observer: int, over: Ring = RING64) -> float:
    """The largest statistic of all positions and combinations; 0 if nothing is received."""
    samples = [
        combined([view(step, observer, choice, run + choice * RUNS, over) for run in range(RUNS)])
        for choice in range(2)
    ]
    values = statistics(samples[0], samples[1])
    assert values.size < TESTS
    return float(values.max(initial=0.0))


def test_there_are_fewer_cases_than_the_limit_allows() -> None:
    assert 4 * 2 * len(STEPS) < CASES
    assert LIMIT < 1.5 * RUNS


@OBSERVERS
@pytest.mark.parametrize(
    ("name", "over"), [*((name, RING64) for name in STEPS), ("multiply", RING128)]
)
def test_the_view_does_not_move(name: str, over: Ring, observer: int) -> None:
    """An owner's own view is left out: it knows what it put in."""
    if not name.endswith(f"by {FOUR[observer]}"):
        assert largest(STEPS[name], observer, over) < LIMIT


@pytest.mark.parametrize("weak", [one_lane, key_of_the_receiver, no_mask])
def test_a_planted_error_is_seen(weak: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the messages one by one, of which the kernel's are a copy (``test_fantastic4.py``)."""
    slow = replace(elements_of(RING64), joint=None)
    monkeypatch.setattr(arithmetic, "elements_of", lambda ring: slow)
    monkeypatch.setattr(joint, "_piece", weak)
    assert largest(STEPS["multiply"], 3) > LIMIT


def test_an_input_with_one_mask_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The owner's second mask left out: the party that lacks it then has all it needs."""
    left_out: list[Any] = []
    honest = elements_of(RING64)

    def fill(key: Any, nonce: int, lane: int, out: Any) -> None:
        honest.fill(key, nonce, lane, out)
        if any(key is other for other in left_out):
            out[...] = 0

    def step(p: Any, *arguments: Any) -> Any:
        if 2 in p.keys:
            left_out.append(p.keys[2])
        return STEPS["input by alice"](p, *arguments)

    weak = replace(honest, fill=fill)
    monkeypatch.setattr(io, "elements_of", lambda ring: weak)
    assert largest(step, 2) > LIMIT
