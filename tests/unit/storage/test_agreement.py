"""What all parties have after a crash: every moment of a replacement, all parties' combinations."""

from __future__ import annotations

import itertools

import pytest

from tacit.errors import MessageError, StorageError, UsageError
from tacit.storage.agreement import Agreed, Inventory, Item, decoded, settle
from tacit.storage.store import Tombstone

NAMES = ("alice", "bob", "carol")
OLD, NEW = b"old epoch", b"new epoch"
ENTRY = ("entry", "x", 1)


def item(epoch: int, sealed: bool, digest: bytes, version: int = 1) -> Item:
    return Item("entry", "x", version, epoch, sealed, digest)


def agreed(*held: list[Item], deleted: tuple[int, ...] = ()) -> Agreed:
    stones = [(Tombstone("x", 1, b""),) if party in deleted else () for party in range(3)]
    found = [Inventory(tuple(items), stones[p], b"") for p, items in enumerate(held)]
    return settle(found, NAMES)


def refreshing(moment: int) -> list[Item]:
    """What a party has at a moment of replacing epoch 0 by epoch 1."""
    old, prepared, sealed = item(0, True, OLD), item(1, False, NEW), item(1, True, NEW)
    return [[old], [old, prepared], [old, sealed], [sealed]][moment]


def saving(moment: int) -> list[Item]:
    return [[], [item(0, False, NEW)], [item(0, True, NEW)]][moment]


def test_whenever_all_stop_there_is_an_epoch_that_all_have() -> None:
    """A party is past the confirmation (moments 2 and 3) only if all have prepared."""
    reachable = 0
    for moments in itertools.product(range(4), repeat=3):
        if max(moments) >= 2 and min(moments) < 1:
            continue
        reachable += 1
        digest = agreed(*map(refreshing, moments)).digest("entry", "x", None)
        assert digest == (OLD if min(moments) == 0 else NEW)
        for party, moment in enumerate(moments):
            assert digest in [i.digest for i in refreshing(moment)], (moments, party)
    assert reachable == 34


def test_without_waiting_for_the_others_there_may_be_none() -> None:
    """Bites: a party that replaces before all have prepared."""
    found = agreed(*map(refreshing, (3, 0, 1)))
    with pytest.raises(StorageError) as caught:
        found.digest("entry", "x", None)
    assert caught.value.code == "TC-2319"
    assert caught.value.parties == ("bob",)


def test_a_save_that_never_finished_does_not_exist_and_one_that_did_is_whole() -> None:
    for moments in itertools.product(range(3), repeat=3):
        if max(moments) == 2 and min(moments) == 0:
            continue
        found = agreed(*map(saving, moments))
        assert (ENTRY in found.digests) == (min(moments) > 0)
        assert found.missing == {}


def test_a_party_that_lacks_a_version_is_named_and_older_ones_stay_usable() -> None:
    one, two = item(0, True, OLD), item(0, True, NEW, version=2)
    found = agreed([one, two], [one, two], [one])
    assert found.digest("entry", "x", 1) == OLD
    with pytest.raises(StorageError, match="carol does not have x version 2"):
        found.digest("entry", "x", None)
    assert found.last["entry", "x"] == 2


def test_unknown_and_deleted_names_are_told_apart() -> None:
    with pytest.raises(UsageError, match="not stored"):
        agreed([], [], []).digest("entry", "x", None)
    with pytest.raises(UsageError, match="was deleted"):
        agreed([], [], [], deleted=(0, 1, 2)).digest("entry", "x", None)
    half = agreed([item(0, True, OLD)], [item(0, True, OLD)], [], deleted=(2,))
    with pytest.raises(UsageError, match="was deleted"):
        half.digest("entry", "x", 1)
    assert half.last["entry", "x"] == 1


def test_what_is_no_inventory_names_its_sender() -> None:
    with pytest.raises(MessageError) as caught:
        decoded([b"\xc1"], ["bob"])
    assert caught.value.parties == ("bob",)
