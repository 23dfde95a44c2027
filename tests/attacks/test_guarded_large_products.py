"""A wrong message of a large product in a guarded session: a restart, then as if nothing had been.

It names nobody, so the four start again with ``evidence``, where products have backups. Who
deviates again is then one of a pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from guarded import run, shared
from hub import Sent
from simulation import FOUR

import tacit
from tacit.protocols.fantastic4 import large_products

X = np.random.default_rng(4).normal(size=(20, 9)).round(3)
Y = np.random.default_rng(5).normal(size=(9, 30)).round(3)
PAYLOAD = 8 * 20 * 30
"""Bytes of a product; a message of the first round has its sketches as well."""


@pytest.fixture(autouse=True)
def every_matrix_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_products, "ENOUGH", float("inf"))


def program(mpc: tacit.Computation, name: str) -> Any:
    x = shared(mpc, name, "alice", X, dtype=tacit.fixed)
    y = shared(mpc, name, "bob", Y, dtype=tacit.fixed)
    return (x @ y).reveal(to="all")


class Altering:
    """Alters long messages of one party to another, so many of them."""

    def __init__(self, sender: str, receiver: str, times: int) -> None:
        self.link, self.times = (sender, receiver), times

    def __call__(self, message: Sent) -> Sequence[bytes]:
        long = message.kind == "round" and len(message.payload) >= PAYLOAD
        if (message.sender, message.receiver) != self.link or not long or not self.times:
            return (message.payload,)
        self.times -= 1
        changed = bytearray(message.payload)
        changed[71] ^= 0x80
        return (bytes(changed),)


@pytest.mark.parametrize(("sender", "receiver"), [("alice", "dave"), ("bob", "carol")])
@pytest.mark.parametrize("times", [1, 2])
def test_the_result_is_right(sender: str, receiver: str, times: int) -> None:
    altering = Altering(sender, receiver, times)
    hub = run(program, altering, corrupt=sender)
    assert altering.times == 0
    for name in FOUR:
        if name == sender:
            continue
        seen = hub.outcome.results[name]
        np.testing.assert_allclose(seen.value, X @ Y, atol=1e-3)
        assert seen.incidents[0].kind == "unclear"
        assert len(seen.incidents) == times
