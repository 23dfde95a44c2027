"""The active party takes nothing that communicates from the passive one but reveal."""

from __future__ import annotations

import pytest
from simulation import NAMES

from tacit.encoding import RING128
from tacit.errors import InternalError, UsageError
from tacit.protocols.interface import Party
from tacit.protocols.replicated3 import Replicated3Party
from tacit.protocols.replicated3_active import Replicated3ActiveParty

SEEDS = {1: bytes(16), 2: bytes([1]) * 16}

SAME = {"reveal", "reveal_bits"}
"""Steps that hold against an active party as they are: ``io.py`` says why."""


def communicating() -> set[str]:
    return {
        name
        for name, member in vars(Party).items()
        if callable(member) and "Step" in str(getattr(member, "__annotations__", {}).get("return"))
    }


def test_every_step_is_set_anew() -> None:
    assert communicating() <= set(vars(Replicated3ActiveParty))
    same = {
        name
        for name in communicating()
        if getattr(Replicated3ActiveParty, name) is getattr(Replicated3Party, name)
    }
    assert same == SAME


def test_no_other_step_of_the_passive_party_can_be_run() -> None:
    """What the passive party has beyond the interface is refused before it sends anything."""
    steps = {
        name
        for name, member in vars(Replicated3Party).items()
        if callable(member) and "Step" in str(getattr(member, "__annotations__", {}).get("return"))
    }
    inherited = steps - set(vars(Replicated3ActiveParty))
    assert inherited <= {"lookup"}
    party = Replicated3ActiveParty(NAMES, 0, SEEDS)
    bits = party.random_bits((3,))
    with pytest.raises(InternalError):
        next(party.lookup(bits, bits, [[0, 1, 2, 3]]))


def test_it_refuses_the_ring_of_its_proofs() -> None:
    with pytest.raises(UsageError, match="64 bits"):
        Replicated3ActiveParty(NAMES, 0, SEEDS, ring=RING128)


def test_it_shows_no_keys() -> None:
    assert repr(Replicated3ActiveParty(NAMES, 0, SEEDS)) == "Replicated3ActiveParty('alice')"
