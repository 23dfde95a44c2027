"""Every message of every small program tampered with: see ``exhaustive.py``, which runs all ways.

Here every message is tampered with in some of the ways, in the next message in others.
"""

from __future__ import annotations

from typing import Any

import pytest
from exhaustive import PROTOCOLS, Count, attack, lie, programs
from simulation import Simulation

from tacit.protocols.fantastic4 import joint
from tacit.protocols.replicated3_active import arithmetic
from tacit.rounds import Step

LONG = {
    "truncate, nearest", "truncate, exact", "compare", "ReLU", "to_bits", "multiply_truncate",
    "matmul_truncate", "sum_products_truncate", "truncate", "permute, there and back",
    "permute_bits, there and back",
}  # fmt: skip

CASES = [
    pytest.param(protocol, name, id=f"{protocol}: {name}")
    for protocol in PROTOCOLS
    for name in programs(len(Simulation(1, protocol=protocol).parties))
]


@pytest.mark.parametrize(("protocol", "name"), CASES)
def test_nothing_wrong_is_returned_and_the_right_ones_are_suspected(
    protocol: str, name: str
) -> None:
    slow = protocol != "fantastic4" or "ReLU" in name or "truncate," in name
    part = (9 if slow else 4) if name in LONG else 2
    count = attack(protocol, name, others=4, part=part)
    assert count.messages
    assert count.tamperings > 2 * count.messages
    # Some change nothing: bits behind the last value, or the same message again.
    assert count.harmless < 0.5 * count.tamperings or "input" in name


@pytest.mark.parametrize(("protocol", "name"), CASES)
def test_a_lie_about_a_local_share_is_found_or_changes_nothing(protocol: str, name: str) -> None:
    """A party that alters a share of its own and then computes with it as if it were right."""
    found, lies = lie(protocol, name)
    # What an input or an opening does not touch, it does not find either.
    assert found or "input" in name
    assert lies


def test_without_digests_it_is_not_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joint, "digest_of", lambda *_: bytes(32))
    with pytest.raises(AssertionError, match="something wrong"):
        attack("fantastic4", "multiply", first=1, others=0)


def test_without_proofs_it_is_not_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def unproved(party: Any, pending: Any) -> Step[None]:
        return
        yield

    monkeypatch.setattr(arithmetic, "prove", unproved)
    with pytest.raises(AssertionError, match="something wrong"):
        attack("replicated3_active", "multiply", first=1, others=0)


def test_counts_add_up() -> None:
    one = attack("fantastic4", "reveal to one", first=1, others=1)
    both = one + one + Count()
    assert (both.messages, both.tamperings) == (2 * one.messages, 2 * one.tamperings)
    assert sum(both.ways.values()) == both.tamperings
