"""Pitfall: two tensors masked with the same keystream reveal their difference.

All (key, nonce, lane, range) of a run like a training's are recorded; no party draws from
overlapping ranges twice. A range is drawn by the two holders of its key, once each.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from simulation import FOUR, NAMES, Listener, Simulation
from streams import Watched, overlaps

import tacit
from tacit import kernels
from tacit.encoding import RING64, RING128, Ring
from tacit.protocols import PROTOCOLS
from tacit.protocols.fantastic4.joint import SALT_LANES
from tacit.rounds import Step, pipelined, together
from tacit.rounds.randomness import SeededRandomness
from tacit.sessions import LocalSession
from tacit.storage import places


def training(p: Any, rows: int = 300, columns: int = 7, batches: int = 3) -> Step[Any]:
    """Inputs, batches of products, signs, injections and selections, openings at the end."""
    data = [
        np.arange(rows * columns, dtype=np.uint64) * np.uint64(k + 3) % np.uint64(1 << 18)
        for k in range(3)
    ]
    parts = []
    for owner in range(3):
        values = data[owner].reshape(rows, columns)
        parts.append(
            (yield from p.input(owner, values if p.index == owner else None, values.shape))
        )
    labels = yield from p.input_bits(1, np.arange(rows) % 2 if p.index == 1 else None, (rows,))
    x = p.add(p.add(parts[0], parts[1]), parts[2])
    w = p.random((columns, 1)).map(lambda share: share >> np.uint64(50))
    y = yield from p.bit_to_arithmetic(labels)
    for batch in range(batches):
        xb = x[batch * 100 : batch * 100 + 100]
        z = yield from p.matmul_truncate(xb, w, 18)
        negative, small = yield from together(
            p.most_significant_bit(z), p.most_significant_bit(p.add_public(z, -(1 << 18)))
        )
        kept, limited = yield from together(
            p.inject(p.invert(negative), z),
            p.select(small, z, p.public(np.full((100, 1), 1 << 18))),
        )
        both = p.xor(negative, p.random_bits(negative.shape))
        both = yield from p.bitwise_and(both, small)
        error = p.subtract(p.add(kept, limited), y[batch * 100 : batch * 100 + 100].reshape(100, 1))
        rounded = yield from p.truncate(error, 3, "nearest")
        gradient = yield from p.matmul_truncate(xb.map(np.transpose), rounded, 24)
        w = p.subtract(w, (yield from p.truncate(gradient, 4)))
        planes = yield from p.to_bits(w)
        w = p.add((yield from p.from_bits(planes)), p.multiply_public(w, 0))
    squares = yield from pipelined(
        lambda k: p.multiply_truncate(x[k * 50 : k * 50 + 50], x[k * 50 : k * 50 + 50], 18),
        range(6),
        in_flight=3,
    )
    secret = p.permutation(2, 25)
    mixed = yield from p.permute(secret, squares[0].reshape(2, 25, 7))
    squares[0] = (yield from p.permute(secret, mixed, True)).reshape(50, 7)
    total = yield from p.sum_products_truncate([(squares[0], squares[1])] * 2, 30)
    exact = yield from p.truncate(total, 10, "exact")
    product = yield from p.multiply(exact, exact)
    product = yield from p.matmul(product, w)
    return (yield from p.reveal(product, (0, 2)))


OF_THREE = pytest.mark.parametrize("protocol", ["replicated3", "replicated3_active"])


@OF_THREE
def test_no_range_is_drawn_twice(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Watched(monkeypatch)
    Simulation(4, driver, protocol).run(training)
    assert len(driver.draws) > 500
    assert len({d.lane for d in driver.draws}) > (5 if protocol == "replicated3" else 1)
    assert overlaps(driver.draws) == []


@OF_THREE
def test_each_range_is_drawn_by_the_two_holders_of_its_key(
    protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And with equal lengths: otherwise masks do not cancel, or something is masked by nobody.

    Of a coin, which is public, all three draw.
    """
    driver = Watched(monkeypatch)
    simulation = Simulation(4, driver, protocol)
    simulation.run(training)
    secret = {seed for seeds in simulation.seeds for seed in seeds.values()}
    ranges: dict[Any, list[int]] = {}
    for d in driver.draws:
        ranges.setdefault((d.key, d.nonce, d.lane, d.start, d.size), []).append(d.party)
    for (key, *_), parties in ranges.items():
        assert len(parties) == len(set(parties)) == (2 if key in secret else 3)
        assert key in secret or protocol == "replicated3_active"
        assert len(key) == 16


def permuted(p: Any, primitive: Any, x: Any) -> Step[Any]:
    """There and back, the permutation drawn inside the step."""
    secret = p.permutation(4, 50)
    mixed = yield from primitive(secret, x)
    return (yield from primitive(secret, mixed, True))


@pytest.mark.parametrize(
    ("primitive", "protocol"),
    [(p, name) for name in ("replicated3", "replicated3_active") for p in PROTOCOLS[name].costs],
)
def test_every_primitive_alone(
    primitive: str, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sizes with work for every role, at every protocol step."""
    mine = np.arange(200, dtype=np.uint64)
    steps: dict[str, Any] = {
        "input": lambda p, x, a: p.input(0, mine if p.index == 0 else None, (200,)),
        "input_bits": lambda p, x, a: p.input_bits(0, mine % 2 if p.index == 0 else None, (200,)),
        "reveal": lambda p, x, a: p.reveal(x, (0, 1, 2)),
        "reveal_bits": lambda p, x, a: p.reveal_bits(a, (0, 1, 2)),
        "multiply": lambda p, x, a: p.multiply(x, x),
        "matmul": lambda p, x, a: p.matmul(x.reshape(20, 10), x.reshape(10, 20)),
        "truncate": lambda p, x, a: p.truncate(x, 18, "exact"),
        "multiply_truncate": lambda p, x, a: p.multiply_truncate(x, x, 18),
        "matmul_truncate": lambda p, x, a: p.matmul_truncate(
            x.reshape(20, 10), x.reshape(10, 20), 18
        ),
        "sum_products_truncate": lambda p, x, a: p.sum_products_truncate([(x, x)], 18),
        "bitwise_and": lambda p, x, a: p.bitwise_and(a, a),
        "most_significant_bit": lambda p, x, a: p.most_significant_bit(x),
        "to_bits": lambda p, x, a: p.to_bits(x),
        "from_bits": lambda p, x, a: p.from_bits(p.stack_planes([a, a, a])),
        "bit_to_arithmetic": lambda p, x, a: p.bit_to_arithmetic(a),
        "inject": lambda p, x, a: p.inject(a, x),
        "lookup": lambda p, x, a: p.lookup(a, p.invert(a), [[1, 2, 3, 4], [0, 0, 0, 1]]),
        "select": lambda p, x, a: p.select(a, x, x),
        "permute": lambda p, x, a: permuted(p, p.permute, x.reshape(4, 50)),
        "permute_bits": lambda p, x, a: permuted(p, p.permute_bits, a.reshape(4, 50)),
    }  # fmt: skip
    driver = Watched(monkeypatch)
    simulation = Simulation(4, driver, protocol)
    x, a = simulation.share(np.arange(200)), simulation.share_bits(np.arange(200) % 2)
    simulation.run(steps[primitive], x, a)
    simulation.run(steps[primitive], x, a)
    assert bool(driver.draws) != primitive.startswith("reveal")
    assert overlaps(driver.draws) == []


# Four parties: a range is drawn by the holders of its key, all three or (salts) the two that hash.


@pytest.mark.parametrize(("run", "over"), [("training", RING64), ("everything", RING128)])
def test_no_range_is_drawn_twice_by_four_parties(
    run: str, over: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = Watched(monkeypatch, FOUR)
    step = training if run == "training" else everything
    Simulation(4, driver, "fantastic4", over=over).run(step)
    assert len(driver.draws) > 100
    assert overlaps(driver.draws) == []
    ranges: dict[Any, list[int]] = {}
    for d in driver.draws:
        ranges.setdefault((d.key, d.nonce, d.lane), []).append(d.party)
    for (_, _, lane), parties in ranges.items():
        assert len(set(parties)) == len(parties)
        assert len(parties) in ((2,) if lane >= SALT_LANES else (2, 3))
    assert {lane >= SALT_LANES for _, _, lane in ranges} == {False, True}


def test_a_stuck_counter_of_four_parties_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Watched(monkeypatch, FOUR)
    simulation = Simulation(4, driver, "fantastic4")
    monkeypatch.setattr(type(simulation.parties[0]), "nonce", lambda self: 1)
    x = simulation.share(np.arange(200))
    simulation.run(lambda p, v: together(p.multiply(v, v), p.multiply(v, v)), x)
    assert overlaps(driver.draws)


# The check bites.


def test_a_stuck_counter_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Watched(monkeypatch)
    simulation = Simulation(4, driver)
    monkeypatch.setattr(type(simulation.parties[0]), "nonce", lambda self: 1)
    x = simulation.share(np.arange(200))
    simulation.run(lambda p, v: together(p.multiply(v, v), p.multiply(v, v)), x)
    assert overlaps(driver.draws)


@pytest.mark.parametrize("name", ["inject", "bit_to_arithmetic", "lookup", "most_significant_bit"])
def test_one_nonce_for_rotated_roles_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One operation whose thirds share a nonce: AB of one third and CA of the next draw alike."""
    driver = Watched(monkeypatch)
    simulation = Simulation(4, driver)
    monkeypatch.setattr(type(simulation.parties[0]), "nonce", lambda self: 1)
    x, a = simulation.share(np.arange(200)), simulation.share_bits(np.arange(200) % 2)
    steps: dict[str, Any] = {
        "inject": lambda p, v, b: p.inject(b, v),
        "bit_to_arithmetic": lambda p, v, b: p.bit_to_arithmetic(b),
        "lookup": lambda p, v, b: p.lookup(b, b, [[0, 1, 2, 3]]),
        "most_significant_bit": lambda p, v, b: p.most_significant_bit(v),
    }
    simulation.run(steps[name], x, a)
    assert overlaps(driver.draws)


def test_a_session_repeated_with_its_seeds_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Why a resumed or retried session takes fresh seeds; with those nothing overlaps."""
    driver = Watched(monkeypatch)
    for _ in range(2):
        Simulation(4, driver).run(training)
    assert overlaps(driver.draws)
    driver.draws.clear()
    for seed in (4, 5):
        Simulation(seed, driver).run(training)
    assert overlaps(driver.draws) == []


def test_ranges_that_only_touch_at_their_ends_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Watched(monkeypatch)
    simulation = Simulation(4, driver)

    def step(p: Any) -> Step[None]:
        kernels.fill(p.key_own, 9, 0, np.empty(5, np.uint64), 0)
        kernels.fill(p.key_own, 9, 0, np.empty(5, np.uint64), 3)
        yield from p.reveal(p.random((3,)), (0,))

    simulation.run(step)
    assert overlaps(driver.draws) == []
    driver.draws.clear()

    def reuse(p: Any) -> Step[None]:
        kernels.fill(p.key_own, 9, 0, np.empty(5, np.uint64), 0)
        kernels.fill(p.key_own, 9, 0, np.empty(5, np.uint64), 2)
        yield from p.reveal(p.random((3,)), (0,))

    simulation.run(reuse)
    assert len(overlaps(driver.draws)) == 3


def test_two_masks_of_one_range_reveal_the_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is at stake: with the counter stuck, the receiver subtracts two inputs' messages."""
    driver = Listener(1)
    simulation = Simulation(4, driver)
    monkeypatch.setattr(type(simulation.parties[0]), "nonce", lambda self: 1)
    secrets = [np.arange(50, dtype=np.uint64) * np.uint64(k) for k in (7, 3)]
    for secret in secrets:
        simulation.run(lambda p, s=secret: p.input(0, s if p.index == 0 else None, s.shape))
    first, second = (np.frombuffer(h.tobytes(), np.uint64) for h in driver.heard)
    np.testing.assert_array_equal(first - second, secrets[0] - secrets[1])


def everything(p: Any) -> Step[Any]:
    """Every kind of mask over a ring of 128 bits, on sizes that fill no block."""
    x, y = p.random((150,)), p.random((150,))
    product = yield from p.multiply(x, y)
    for bits in (16, 40, 80):
        product = p.add(product, (yield from p.multiply_truncate(x, y, bits)))
    rounded = yield from p.truncate(product, 20, "exact")
    negative, planes = yield from together(p.most_significant_bit(rounded), p.to_bits(y))
    back = yield from p.from_bits(planes)
    chosen = yield from p.select(negative, rounded, back)
    digits = yield from p.bit_to_arithmetic(negative)
    moved = yield from p.permute(p.permutation(1, 150), p.add(chosen, digits).reshape(1, 150))
    return (yield from p.reveal(moved, (0, 1, 2)))


def test_no_range_is_drawn_twice_over_128_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Watched(monkeypatch)
    Simulation(1, driver, over=RING128).run(everything)
    assert len(driver.draws) > 100
    assert {draw.party for draw in driver.draws} == {0, 1, 2}
    assert overlaps(driver.draws) == []


# What is stored goes on in sessions of its own.


def run_with_storage(folder: Path, driver: Watched, seed: int | None = None) -> None:
    """A session that goes on with what the last one stored, computes, refreshes and stores."""
    randomness = None if seed is None else SeededRandomness(seed)
    session = LocalSession(
        PROTOCOLS["replicated3"], NAMES, randomness, driver, storage=places(folder, NAMES)
    )
    with session:
        mpc = tacit.Computation(session)
        if session.stored():
            session.refresh()
            x = mpc.load("x")
        else:
            x = mpc.share(np.arange(40.0), owner="alice")
        mpc.save(x * x * 0.01, "x")


def test_a_session_that_goes_on_uses_no_mask_of_the_last(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    driver = Watched(monkeypatch)
    keys = []
    for _ in range(3):
        before = len(driver.draws)
        run_with_storage(tmp_path, driver)
        keys.append({draw.key for draw in driver.draws[before:]})
    assert len(keys[1]) > 3, "the refresh draws from keys of its own"
    assert keys[0].isdisjoint(keys[1])
    assert (keys[0] | keys[1]).isdisjoint(keys[2])


def test_with_the_seed_of_the_last_session_masks_come_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Bites: so ``tacit.local`` refuses a seed with storage."""
    driver = Watched(monkeypatch)
    for _ in range(2):
        run_with_storage(tmp_path, driver, seed=1)
    assert overlaps(driver.draws) != []
