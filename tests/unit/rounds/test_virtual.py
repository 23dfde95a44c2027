"""Virtual time: latency, bandwidth, computation and overlap, in exact numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tacit.rounds import LAN, METRO, WAN, Network, Round, Step, VirtualTime, pipelined

NAMES = ("alice", "bob", "carol")


class Clock:
    """A clock that steps move by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def exchange(
    index: int, rounds: int, size: int, work: Callable[[], None] | None = None
) -> Step[Any]:
    for _ in range(rounds):
        if work:
            work()
        mine, got = np.zeros(size, np.uint8), np.empty(size, np.uint8)
        yield Round(send={(index + 1) % 3: (mine,)}, receive={(index - 1) % 3: (got,)})


def simulate(
    network: Network, steps: list[Step[Any]], clock: Clock | None = None, scale: float = 1.0
) -> VirtualTime:
    driver = VirtualTime(NAMES, network, scale, clock=clock or Clock())
    driver.run(steps)
    return driver


def test_the_named_networks() -> None:
    assert (LAN.latency_seconds, LAN.bits_per_second) == (0.1e-3, 10e9)
    assert (METRO.latency_seconds, METRO.bits_per_second) == (5e-3, 1e9)
    assert (WAN.latency_seconds, WAN.bits_per_second) == (40e-3, 100e6)


@pytest.mark.parametrize("network", [LAN, METRO, WAN])
def test_a_round_is_a_latency_and_its_bytes(network: Network) -> None:
    driver = simulate(network, [exchange(i, 5, 1000) for i in range(3)])
    expected = 5 * (network.latency_seconds + 8000 / network.bits_per_second)
    assert driver.seconds == pytest.approx(expected)
    assert driver.cost().seconds == driver.seconds
    assert driver.cost().rounds == 5


def test_computation_moves_the_clock_of_its_party_alone() -> None:
    clock = Clock()

    def work() -> None:
        clock.now += 2.0

    steps = [exchange(0, 1, 0, work), exchange(1, 1, 0), exchange(2, 1, 0)]
    driver = simulate(Network(1.0, 1e9), steps, clock, scale=0.5)
    # Alice works for 1 s, so Bob has her message at 2; Carol has Bob's at 1, Alice Carol's at 1.
    assert driver.clocks == pytest.approx([1.0, 2.0, 1.0])


def test_time_after_the_last_round_counts() -> None:
    clock = Clock()

    def step(index: int) -> Step[None]:
        yield Round()
        clock.now += 3.0

    assert simulate(LAN, [step(i) for i in range(3)], clock).seconds == pytest.approx(3.0)


def test_messages_of_one_party_share_its_uplink() -> None:
    def both(index: int) -> Step[None]:
        if index == 0:
            data = np.zeros(1000, np.uint8)
            yield Round(send={1: (data,), 2: (data,)})
        else:
            yield Round(receive={0: (np.empty(1000, np.uint8),)})

    driver = simulate(Network(1.0, 8000.0), [both(i) for i in range(3)])
    assert driver.clocks == pytest.approx([0.0, 2.0, 3.0])


def test_links_can_differ() -> None:
    network = Network(1.0, 1e9, links={(0, 1): Network(7.0, 1e9)})
    driver = simulate(network, [exchange(i, 1, 0) for i in range(3)])
    assert driver.clocks == pytest.approx([1.0, 7.0, 1.0])


def test_sending_does_not_wait() -> None:
    def step(index: int) -> Step[None]:
        data = np.zeros(0, np.uint8)
        for _ in range(4):
            yield Round(send={(index + 1) % 3: (data,)}, depth=0)
        for _ in range(4):
            yield Round(receive={(index - 1) % 3: (np.empty(0, np.uint8),)})

    assert simulate(Network(1.0, 1e9), [step(i) for i in range(3)]).seconds == pytest.approx(1.0)


def test_pipelined_chunks_hide_latency_and_overlap_work() -> None:
    """Four chunks of two rounds: one after the other 8 latencies, in flight 2."""
    network = Network(1.0, 1e12)

    def chunked(in_flight: int) -> float:
        steps = [
            pipelined(lambda _, i=i: exchange(i, 2, 10), range(4), in_flight) for i in range(3)
        ]
        return simulate(network, steps).seconds

    assert chunked(1) == pytest.approx(8.0)
    assert chunked(2) == pytest.approx(4.0)
    assert chunked(4) == pytest.approx(2.0)


def test_pipelined_bandwidth_is_not_hidden() -> None:
    network = Network(1.0, 8e3)
    steps = [pipelined(lambda _, i=i: exchange(i, 1, 1000), range(4), 4) for i in range(3)]
    assert simulate(network, steps).seconds == pytest.approx(5.0)


def test_several_runs_add_up() -> None:
    driver = VirtualTime(NAMES, Network(1.0, 1e9), clock=Clock())
    for _ in range(3):
        driver.run([exchange(i, 2, 0) for i in range(3)])
    assert driver.seconds == pytest.approx(6.0)


def test_real_computation_is_measured_with_the_processor_clock() -> None:
    def step(index: int) -> Step[None]:
        yield Round()
        np.linalg.norm(np.random.default_rng(1).normal(size=100_000))

    driver = VirtualTime(NAMES, LAN)
    driver.run([step(i) for i in range(3)])
    assert driver.seconds > 0
    still = VirtualTime(NAMES, LAN, compute_scale=0.0)
    still.run([step(i) for i in range(3)])
    assert still.seconds == 0.0


@pytest.mark.parametrize(("latency", "bandwidth"), [(-1.0, 1.0), (0.0, 0.0), (0.0, float("nan"))])
def test_impossible_networks_are_refused(latency: float, bandwidth: float) -> None:
    with pytest.raises(ValueError, match="latency"):
        Network(latency, bandwidth)


# TCP's slow start, and what sending costs.


def test_a_long_message_waits_for_its_window_to_open() -> None:
    """15 windows leave in bursts of 1, 2, 4 and 8, a round trip apart."""
    network = Network(1.0, 8e6, first_window=1000)
    driver = simulate(network, [exchange(i, 1, 15_000) for i in range(3)])
    stalls = sum(2.0 - 1000 * 2**burst / 1e6 for burst in range(3))
    assert driver.seconds == pytest.approx(1.0 + 15_000 / 1e6 + stalls)


def test_an_open_window_stays_open() -> None:
    network = Network(1.0, 8e6, first_window=1000)
    driver = simulate(network, [exchange(i, 2, 15_000) for i in range(3)])
    first = driver.seconds
    driver.run([exchange(i, 1, 15_000) for i in range(3)])
    assert driver.seconds - first == pytest.approx(1.0 + 15_000 / 1e6)


def test_short_messages_open_the_window_only_as_far_as_they_fill_it() -> None:
    network = Network(1.0, 8e9, first_window=1000)
    few = simulate(network, [exchange(i, 10, 400) for i in range(3)])
    assert few.seconds == pytest.approx(10.0, rel=1e-3)
    few.run([exchange(i, 1, 2000) for i in range(3)])
    assert few.seconds == pytest.approx(13.0, rel=1e-3)  # stalled once
    full = simulate(network, [exchange(i, 10, 1000) for i in range(3)])
    full.run([exchange(i, 1, 2000) for i in range(3)])
    assert full.seconds == pytest.approx(11.0, rel=1e-3)


def test_a_window_that_fills_the_line_never_stalls() -> None:
    network = Network(1.0, 8e3, first_window=2000)  # a round trip holds 2,000 bytes
    driver = simulate(network, [exchange(i, 1, 100_000) for i in range(3)])
    assert driver.seconds == pytest.approx(101.0)


def test_messages_and_bytes_cost_processor_time_at_both_ends() -> None:
    driver = VirtualTime(
        NAMES, Network(1.0, 8e12), message_seconds=0.25, byte_seconds=0.001, clock=Clock()
    )
    driver.run([exchange(i, 3, 1000) for i in range(3)])
    assert driver.seconds == pytest.approx(3 * (1.0 + 2 * 0.25 + 2 * 1.0))


def test_encryption_overlaps_with_sending() -> None:
    driver = VirtualTime(NAMES, Network(0.0, 8e3), byte_seconds=0.0005, clock=Clock())
    driver.run([exchange(i, 1, 1000) for i in range(3)])
    assert driver.seconds == pytest.approx(1.0 + 0.5)  # sent in 1 s, then decrypted
