"""Costs add, subtract and count."""

from __future__ import annotations

import numpy as np

from tacit.rounds import Cost, Counter, Declaration, Round


def test_costs_add_and_subtract_by_name() -> None:
    a = Cost(3, {"alice": 10, "bob": 5}, {"alice": 1}, 0.5)
    b = Cost(2, {"bob": 7, "carol": 1}, {"carol": 2}, 0.25)
    total = a + b
    assert total == Cost(5, {"alice": 10, "bob": 12, "carol": 1}, {"alice": 1, "carol": 2}, 0.75)
    back = total - b
    assert back.rounds == 3
    assert {n: v for n, v in back.bytes_sent.items() if v} == {"alice": 10, "bob": 5}
    assert total.total_bytes == 23


def test_a_counter_counts_what_is_sent_not_what_is_awaited() -> None:
    counter = Counter()
    counter.count(
        Round(
            send={1: (np.zeros(3, np.uint64), np.zeros(2, np.uint16)), 2: (np.zeros(1, np.uint8),)},
            receive={1: (np.zeros(100, np.uint64),)},
            check={2: (np.zeros(32, np.uint8),)},
            check_receive={1: (np.zeros(32, np.uint8),)},
        )
    )
    counter.count(Round(depth=0))
    assert (counter.rounds, counter.bytes_sent, counter.check_bytes) == (1, 29, 32)


def test_declarations_default_to_no_check_bytes() -> None:
    assert tuple(Declaration(1, (8, 8, 8)).check_bytes) == (0, 0, 0)
