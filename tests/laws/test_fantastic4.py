"""The core of ``fantastic4``: sharing, products, gates, input, reveal; against plain integers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from itertools import combinations, permutations
from typing import Any

import numpy as np
import pytest
from simulation import FOUR, Simulation, integers

from tacit.encoding import RING64, RING128, Ring
from tacit.errors import InternalError, UsageError
from tacit.protocols import PROTOCOLS
from tacit.protocols.fantastic4 import arithmetic, boolean
from tacit.protocols.fantastic4.arithmetic import (
    NEGATIVE,
    PRODUCT_ROLES,
    product_terms,
)
from tacit.protocols.fantastic4.groups import BITS, elements_of, small_field
from tacit.protocols.fantastic4.joint import Message, exchange, learn, total
from tacit.rounds import Adversary
from tacit.rounds.randomness import SeededRandomness, deal_pairwise_seeds
from tacit.sharing import (
    Replicated4,
    reconstruct4,
    reconstruct4_bits,
    split4,
    split4_bits,
)

RNG = np.random.default_rng(5)
ALL = (0, 1, 2, 3)
RINGS = pytest.mark.parametrize("over", [RING64, RING128], ids=repr)


def simulation(over: Ring = RING64, **others: Any) -> Simulation:
    return Simulation(3, protocol="fantastic4", over=over, **others)


# Sharings.


@RINGS
def test_any_two_parties_reconstruct(over: Ring) -> None:
    x = over.elements(integers(RNG, (3, 5)))
    parts = split4(x, SeededRandomness(1).token, over)
    assert [sorted(p.shares) for p in parts] == [[j for j in ALL if j != i] for i in ALL]
    np.testing.assert_array_equal(over.integers(reconstruct4(parts, over)), over.integers(x))
    for i, j in combinations(ALL, 2):
        shares = {**parts[i].shares, **parts[j].shares}
        np.testing.assert_array_equal(
            over.integers(reduce(over.add, shares.values())), over.integers(x)
        )


def test_bits_reconstruct() -> None:
    bits = RNG.integers(0, 2, (3, 30), dtype=np.uint8)
    np.testing.assert_array_equal(
        reconstruct4_bits(split4_bits(bits, SeededRandomness(1).token)), bits
    )


def test_parts_are_handled_as_arrays() -> None:
    x = integers(RNG, (4, 6))
    s = simulation()
    parts = s.share(x)
    assert (parts[0].shape, parts[0].size, parts[0].ndim) == ((4, 6), 24, 2)
    assert repr(parts[0]) == "Replicated4(shape=(4, 6))"
    np.testing.assert_array_equal(s.open([p[1:3, ::2] for p in parts]), x[1:3, ::2])
    np.testing.assert_array_equal(s.open([p.reshape(3, 8) for p in parts]), x.reshape(3, 8))
    np.testing.assert_array_equal(s.open([p.map(np.transpose) for p in parts]), x.T)
    np.testing.assert_array_equal(s.open([p.section(5, 11) for p in parts]), x.reshape(-1)[5:11])
    turned = [p.map(np.transpose).section(5, 11) for p in parts]
    np.testing.assert_array_equal(s.open(turned), x.T.reshape(-1)[5:11])
    rooms = [p.blank(24) for p in parts]
    for room, part in zip(rooms, parts, strict=True):
        room.write(0, part[:2])
        room.write(12, part[2:])
    np.testing.assert_array_equal(s.open(rooms), x.reshape(-1))


def test_parts_of_bits_are_handled_as_arrays() -> None:
    bits = RNG.integers(0, 2, (2, 75), dtype=np.uint8)
    s = simulation()
    parts = s.share_bits(bits)
    assert (parts[0].shape, parts[0].size, parts[0].planes) == ((2, 75), 150, ())
    assert repr(parts[0]) == "Replicated4Bits(shape=(2, 75), planes=())"
    np.testing.assert_array_equal(s.open_bits([p.map(np.transpose) for p in parts]), bits.T)
    np.testing.assert_array_equal(s.open_bits([p.reshape(150) for p in parts]), bits.reshape(-1))
    cut = [p.section(64, 150) for p in parts]
    np.testing.assert_array_equal(s.open_bits(cut), bits.reshape(-1)[64:])
    rooms = [p.blank(150) for p in parts]
    for room, part in zip(rooms, parts, strict=True):
        room.write(0, part.section(0, 128))
        room.write(128, part.section(128, 150))
    np.testing.assert_array_equal(s.open_bits(rooms), bits.reshape(-1))
    planes = s.share_bits(bits, planes=1)
    np.testing.assert_array_equal(s.open_bits([p.plane(1) for p in planes]), bits[1])
    with pytest.raises(ValueError, match="plain bits"):
        planes[0].map(np.transpose)


# Products.


def test_the_six_terms_add_up_to_the_product() -> None:
    """By coefficients: every x_a y_b, squares too, exactly once."""
    counted = np.zeros((4, 4), int)
    for a, b in combinations(ALL, 2):
        sign = -1 if (a, b) in NEGATIVE else 1
        for i, left in ((a, 1), (b, sign)):
            for j, right in ((a, 1), (b, sign)):
                counted[i, j] += sign * left * right
    np.testing.assert_array_equal(counted, np.ones((4, 4)))


def test_the_terms_of_a_party_are_those() -> None:
    """Enumerated: all shares of two numbers over a ring of 2 bits, 65,536 cases."""
    grid = np.indices((4,) * 8).reshape(8, -1).astype(np.uint64)
    x, y = grid[:4], grid[4:]
    s = simulation()
    seen: dict[tuple[int, int], Any] = {}
    for i, party in enumerate(s.parties):
        left, right = (Replicated4({j: v[j] for j in ALL if j != i}) for v in (x, y))
        for pair, term in product_terms(party, left, right, RING64.multiply).items():
            assert i not in pair
            if pair in seen:
                np.testing.assert_array_equal(seen[pair], term)
            seen[pair] = term
    assert sorted(seen) == list(combinations(ALL, 2))
    product = sum(seen.values()) % 4
    np.testing.assert_array_equal(product, x.sum(axis=0) * y.sum(axis=0) % 4)


def test_each_term_is_shared_by_the_two_that_know_it() -> None:
    pairs = {tuple(sorted({0, 1, 2, 3} - {s, b})) for s, b, _ in PRODUCT_ROLES}
    assert pairs == set(combinations(ALL, 2))
    for sender, backup, receiver in PRODUCT_ROLES:
        assert len({sender, backup, receiver}) == 3


@RINGS
@pytest.mark.parametrize("shape", [(), (0,), (1,), (130,), (3, 4)])
def test_multiply(over: Ring, shape: tuple[int, ...]) -> None:
    x, y = integers(RNG, shape), integers(RNG, shape)
    s = simulation(over)
    product = s.open(s.run(lambda p, a, b: p.multiply(a, b), s.share(x), s.share(y)))
    wide = x.astype(object) * y.astype(object)
    half = 1 << (over.bits - 1)
    np.testing.assert_array_equal(product.astype(object), (wide + half) % (2 * half) - half)


@RINGS
@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((3, 4), (4, 5)),
        ((7,), (7, 2)),
        ((5, 7), (7,)),
        ((7,), (7,)),
        ((2, 3, 4), (4, 2)),
        ((2, 0), (0, 3)),
    ],
)
def test_matmul(over: Ring, left: tuple[int, ...], right: tuple[int, ...]) -> None:
    x, y = integers(RNG, left, 20), integers(RNG, right, 20)
    s = simulation(over)
    product = s.open(s.run(lambda p, a, b: p.matmul(a, b), s.share(x), s.share(y)))
    np.testing.assert_array_equal(product.astype(np.int64), np.matmul(x, y))


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 200])
def test_and_xor_not(size: int) -> None:
    a, b = RNG.integers(0, 2, (2, size), dtype=np.uint8)
    s = simulation()
    parts = s.share_bits(a), s.share_bits(b)
    np.testing.assert_array_equal(
        s.open_bits(s.run(lambda p, x, y: p.bitwise_and(x, y), *parts)), a & b
    )
    np.testing.assert_array_equal(s.open_bits(s.local(lambda p, x, y: p.xor(x, y), *parts)), a ^ b)
    np.testing.assert_array_equal(s.open_bits(s.local(lambda p, x: p.invert(x), parts[0])), 1 - a)
    mixed = s.local(lambda p, x: p.xor_public(x, b), parts[0])
    np.testing.assert_array_equal(s.open_bits(mixed), a ^ b)
    both = s.local(lambda p, x, y: p.concatenate_bits([x, y]), *parts)
    np.testing.assert_array_equal(s.open_bits(both), np.concatenate([a, b]))
    stacked = s.local(lambda p, x, y: p.stack_planes([x, y]), *parts)
    np.testing.assert_array_equal(s.open_bits(stacked), np.stack([a, b]))
    gates = s.run(lambda p, x: p.bitwise_and(x, x), stacked)
    np.testing.assert_array_equal(s.open_bits(gates), np.stack([a, b]))


@RINGS
@pytest.mark.parametrize("kind", ["multiply", "matmul", "bitwise_and"])
def test_the_kernel_sends_what_the_messages_one_by_one_do(
    kind: str, over: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Byte for byte, digests too, and the same shares."""
    x, y, bits = integers(RNG, 130), integers(RNG, 130), RNG.integers(0, 2, (2, 130))

    def transcript() -> tuple[Any, Any]:
        driver = Adversary(FOUR, None)
        s = Simulation(3, driver, "fantastic4", over=over)
        a, b = (s.share(v.reshape(10, 13)) for v in (x, y))
        if kind == "matmul":
            b = [part.map(np.transpose) for part in b]
        if kind == "bitwise_and":
            a, b = s.share_bits(bits[0]), s.share_bits(bits[1])
        parts = s.run(lambda p, u, v: getattr(p, kind)(u, v), a, b)
        messages = [(m.sender, m.receiver, m.payload) for m in driver.sent]
        return messages, [{j: v.tobytes() for j, v in p.shares.items()} for p in parts]

    fast = transcript()
    slow, slow_bits = replace(elements_of(over), joint=None), replace(BITS, joint=None)
    monkeypatch.setattr(arithmetic, "elements_of", lambda ring: slow)
    monkeypatch.setattr(boolean, "BITS", slow_bits)
    assert transcript() == fast


# Local arithmetic.


@RINGS
def test_linear_maps(over: Ring) -> None:
    x, y = integers(RNG, (3, 4), 40), integers(RNG, (3, 4), 40)
    s = simulation(over)
    parts = s.share(x), s.share(y)
    cases: list[tuple[Callable[..., Any], Any]] = [
        (lambda p, a, b: p.add(a, b), x + y),
        (lambda p, a, b: p.subtract(a, b), x - y),
        (lambda p, a, b: p.negate(a), -x),
        (lambda p, a, b: p.add_public(a, 7), x + 7),
        (lambda p, a, b: p.add_public(a, y[:1]), x + y[:1]),
        (lambda p, a, b: p.multiply_public(a, -3), -3 * x),
        (lambda p, a, b: p.linear_combination([a, b], [2, -5], 9), 2 * x - 5 * y + 9),
        (lambda p, a, b: p.sum(a, 1, True), x.sum(1, keepdims=True)),
        (lambda p, a, b: p.broadcast(a, (2, 3, 4)), np.broadcast_to(x, (2, 3, 4))),
        (lambda p, a, b: p.concatenate([a, b], 1), np.concatenate([x, y], 1)),
        (lambda p, a, b: p.public(y), y),
    ]
    for step, expected in cases:
        np.testing.assert_array_equal(s.open(s.local(step, *parts)).astype(np.int64), expected)


def test_public_bits() -> None:
    s = simulation()
    bits = RNG.integers(0, 2, 70, dtype=np.uint8)
    np.testing.assert_array_equal(s.open_bits(s.local(lambda p: p.public_bits(bits))), bits)


@RINGS
def test_random_numbers_and_bits_are_consistent_and_fresh(over: Ring) -> None:
    s = simulation(over)
    drawn = [s.open(s.local(lambda p: p.random((50,)))).astype(object) for _ in range(2)]
    assert len({*drawn[0], *drawn[1]}) == 100
    bits = s.open_bits(s.local(lambda p: p.random_bits((4000,))))
    assert 1700 < int(bits.sum()) < 2300


# Input and reveal.


@RINGS
@pytest.mark.parametrize("owner", ALL)
def test_input_and_reveal(over: Ring, owner: int) -> None:
    x = integers(RNG, (5, 3))
    elements = over.elements(x)
    s = simulation(over)
    parts = s.run(lambda p: p.input(owner, elements if p.index == owner else None, (5, 3)))
    np.testing.assert_array_equal(s.open(parts).astype(np.int64), x)
    for to in ((), (owner,), (0, 3), ALL):
        opened = s.run(lambda p, a, to=to: p.reveal(a, to), parts)
        assert [i for i in ALL if opened[i] is not None] == sorted(to)
        for i in to:
            np.testing.assert_array_equal(over.low_words(opened[i]), x)


@pytest.mark.parametrize("owner", ALL)
def test_input_and_reveal_bits(owner: int) -> None:
    bits = RNG.integers(0, 2, (3, 50), dtype=np.uint8)
    s = simulation()
    parts = s.run(lambda p: p.input_bits(owner, bits if p.index == owner else None, (3, 50)))
    np.testing.assert_array_equal(s.open_bits(parts), bits)
    for value in s.run(lambda p, a: p.reveal_bits(a, ALL), parts):
        np.testing.assert_array_equal(value, bits)


def test_an_input_without_its_values_is_a_bug() -> None:
    s = simulation()
    with pytest.raises(InternalError, match="shape"):
        s.run(lambda p: p.input(0, None, (3,)))


# Joint message passing.


@pytest.mark.parametrize("roles", list(permutations(ALL, 3)))
def test_every_kind_of_message_becomes_a_sharing(roles: tuple[int, int, int]) -> None:
    """Numbers, bits and small fields of one exchange, each with its own roles."""
    s = simulation()
    sender, backup, receiver = roles
    kinds = [
        (elements_of(RING64), integers(RNG, (4,)).view(np.uint64)),
        (BITS, RNG.integers(0, 1 << 63, 3, dtype=np.uint64)),
        (small_field(np.uint8), RNG.integers(0, 256, (2, 3), dtype=np.uint8)),
        (small_field(np.uint16), RNG.integers(0, 1 << 16, (), dtype=np.uint16).reshape(())),
        (small_field(np.uint32), RNG.integers(0, 1 << 32, 0, dtype=np.uint32)),
    ]
    shown = integers(RNG, (3,)).view(np.uint64)

    def step(p: Any) -> Any:
        knows = p.index in (sender, backup)
        messages = [
            Message(sender, backup, receiver, group, value.shape, value if knows else None)
            for group, value in kinds
        ]
        group = elements_of(RING64)
        tell = Message(
            sender, backup, receiver, group, (3,), shown if knows else None, masked=False
        )
        swapped = Message(backup, sender, receiver, group, (3,), shown if knows else None)
        pieces = yield from exchange(p, [*messages, tell, swapped])
        told = pieces[-2].rest
        assert (told is None) == (p.index == tell.other)
        if told is not None:
            np.testing.assert_array_equal(told, shown)
        return [total(p, [piece], piece.message.shape) for piece in (*pieces[:-2], pieces[-1])]

    held = s.run(step)
    for k, (group, value) in enumerate([*kinds, (elements_of(RING64), shown)]):
        shares = [[held[i][k][j] for i in ALL if i != j] for j in ALL]
        for copies in shares:
            for other in copies[1:]:
                np.testing.assert_array_equal(copies[0], other)
        np.testing.assert_array_equal(reduce(group.add, [copies[0] for copies in shares]), value)
        for j in (sender, backup):
            assert not shares[j][0].any()
    # One digest for the roles, one for the swapped ones, and the payload once.
    cost = s.driver.cost()
    assert cost.rounds == 1
    assert sorted(cost.check_bytes.values()) == [0, 0, 32, 32]
    sizes = sum(value.nbytes for _, value in kinds)
    assert cost.bytes_sent[FOUR[sender]] == sizes + shown.nbytes
    assert cost.bytes_sent[FOUR[backup]] == shown.nbytes


def test_learn_gives_the_values() -> None:
    s = simulation()
    value = np.arange(3, dtype=np.uint16)
    message = lambda p: Message(  # noqa: E731
        0, 1, 2, small_field(np.uint16), (3,), value if p.index < 2 else None, masked=False
    )
    told = s.run(lambda p: learn(p, [message(p)]))
    assert told[3] == [None]
    for i in range(3):
        np.testing.assert_array_equal(told[i][0], value)


def test_a_message_whose_sender_lacks_the_value_is_a_bug() -> None:
    s = simulation()
    with pytest.raises(InternalError, match="agreed shape"):
        s.run(lambda p: exchange(p, [Message(0, 1, 2, BITS, (3,))]))


# Parties.


def test_four_names() -> None:
    seeds = deal_pairwise_seeds(FOUR, SeededRandomness(1))
    with pytest.raises(UsageError, match="four parties"):
        PROTOCOLS["fantastic4"].party(FOUR[:3], 0, seeds[0])
    assert repr(PROTOCOLS["fantastic4"].party(FOUR, 1, seeds[1])) == "Fantastic4Party('bob')"


def test_no_step_before_the_set_up() -> None:
    seeds = deal_pairwise_seeds(FOUR, SeededRandomness(1))
    party = PROTOCOLS["fantastic4"].party(FOUR, 1, seeds[1])
    with pytest.raises(InternalError, match="set-up"):
        next(party.input(0, None, (3,)))
