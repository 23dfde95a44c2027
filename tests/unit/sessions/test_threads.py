"""Threads a party: the setting, its default, and that results do not depend on it."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

import tacit
from tacit import kernels
from tacit.errors import UsageError
from tacit.kernels import wide
from tacit.protocols import PROTOCOLS, protocol_named
from tacit.sessions import LocalSession
from tacit.sessions.threads import threads_a_party

CORES = 6


@pytest.fixture(autouse=True)
def six_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TACIT_THREADS", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(CORES)), raising=False)


@pytest.mark.parametrize(
    ("asked", "told", "side_by_side", "expected"),
    [
        (None, None, 1, 6),
        (None, None, 3, 2),
        (None, None, 4, 1),
        (None, None, 7, 1),
        (None, "", 3, 2),
        (None, "5", 3, 5),
        (3, "5", 3, 3),
        (64, None, 3, 64),
    ],
)
def test_where_the_number_comes_from(
    monkeypatch: pytest.MonkeyPatch,
    asked: int | None,
    told: str | None,
    side_by_side: int,
    expected: int,
) -> None:
    if told is not None:
        monkeypatch.setenv("TACIT_THREADS", told)
    assert threads_a_party(asked, side_by_side) == expected


@pytest.mark.parametrize(
    ("asked", "told"),
    [(0, None), (-1, None), (1.5, None), (True, None), (10**6, None)]
    + [(None, told) for told in ("0", "-2", "1.5", "all", " 2", "२")],
)
def test_what_is_no_number_of_threads(
    monkeypatch: pytest.MonkeyPatch, asked: Any, told: str | None
) -> None:
    if told is not None:
        monkeypatch.setenv("TACIT_THREADS", told)
    with pytest.raises(UsageError) as caught:
        tacit.local(threads=asked)
    assert caught.value.code == "TC-1038"


def products(monkeypatch: pytest.MonkeyPatch, protocol: str, threads: int, ring: int) -> Any:
    """Matrix products of every kind, and the threads that the kernels were asked to use."""
    asked: set[int] = set()

    def watched(product: Any) -> Any:
        def called(*arguments: Any, threads: int = 1, **options: Any) -> Any:
            asked.add(threads)
            return product(*arguments, threads=threads, **options)

        return called

    for module in (kernels, wide):
        monkeypatch.setattr(module, "matmul", watched(module.matmul))
    plain = np.linspace(-1.0, 1.0, 180 * 180).reshape(180, 180)
    with tacit.local(protocol, threads=threads, ring=ring, seed=3) as mpc:
        x = mpc.share(plain, owner="alice")
        wider = mpc.share(plain[:2], owner="carol")
        whole = mpc.share(np.arange(36).reshape(6, 6), owner="bob")
        results = [
            y.reveal(to="all")
            for y in (x @ x, wider @ x, x @ wider.T, x @ plain, plain @ x, whole @ whole, x[0] @ x)
        ]
    monkeypatch.undo()
    return asked, results


@pytest.mark.parametrize(
    ("protocol", "ring"),
    [(name, ring) for name, protocol in PROTOCOLS.items() for ring in protocol.rings],
)
def test_every_matrix_product_uses_them_and_none_changes(
    monkeypatch: pytest.MonkeyPatch, protocol: str, ring: int
) -> None:
    one, expected = products(monkeypatch, protocol, 1, ring)
    three, results = products(monkeypatch, protocol, 3, ring)
    assert (one, three) == ({1}, {3})
    for result, other in zip(results, expected, strict=True):
        np.testing.assert_array_equal(result, other)


def test_parties_in_this_process_compute_in_turn_with_all_cores() -> None:
    names = ("alice", "bob", "carol")
    with LocalSession(protocol_named("replicated3"), names) as session:
        assert {member.threads for member in session.members} == {CORES}


def test_virtual_time_counts_one_thread() -> None:
    with tacit.local(network=tacit.LAN) as mpc:
        session: Any = mpc.session
        assert {member.threads for member in session.members} == {1}
    with pytest.raises(UsageError) as caught:
        tacit.local(network=tacit.LAN, threads=2)
    assert caught.value.code == "TC-1039"
