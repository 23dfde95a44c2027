"""Refreshed shares: the same secret; an old set and another party's new set say nothing.

What an adversary has that was at one party before the refresh and at another after it: all
additive parts, but of two epochs. Its guesses of the secret, sums with every part once, are
uniform whatever the secret; of one epoch (bites) they are the secret.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tacit
from tacit.encoding.rings import RINGS
from tacit.protocols import PROTOCOLS
from tacit.sessions.storage_steps import load_step
from tacit.sharing import AdditiveForm
from tacit.storage.refreshing import ZeroSharing

COUNT = 4096
FALSE_ALARM = 6.8  # standard deviations; 64 bits of some 170 guesses: below 10^-6 in all


def parts(mpc: tacit.Computation, name: str) -> list[Any]:
    """What each party has stored."""
    session: Any = mpc.session
    loaded = session._keep(lambda keeper: load_step(keeper, "entry", name, None))
    return [values[0].share for _, values in loaded]


def ones(words: Any) -> Any:
    raw = np.ascontiguousarray(words).view(np.uint8).reshape(-1, 8)
    return np.unpackbits(raw, axis=1).sum(axis=0, dtype=np.int64), len(raw)


def most_deviation(words: Any) -> float:
    count, size = ones(words)
    return float(np.abs(count - size / 2).max() / np.sqrt(size / 4))


def guesses(
    form: AdditiveForm, before: tuple[int, Any], after: tuple[int, Any], ring: Any
) -> Iterator[Any]:
    """All sums with every additive part once, from a party's old set and another's new set."""
    sources = [form.parts(*before), form.parts(*after)]
    choices = [[s[part] for s in sources if part in s] for part in range(form.count)]
    for choice in product(*choices):
        total = choice[0]
        for share in choice[1:]:
            total = total ^ share if ring is None else ring.add(total, share)
        yield total


@pytest.mark.parametrize("kind", ["fixed", "bool"])
@pytest.mark.parametrize(
    ("protocol", "bits", "tried"),
    [("replicated3", 64, 12), ("replicated3", 128, 12), ("fantastic4", 64, 48)],
)
def test_an_old_set_and_another_partys_new_set_say_nothing(
    tmp_path: Path, kind: str, protocol: str, bits: int, tried: int
) -> None:
    ring = None if kind == "bool" else RINGS[bits]
    plain = np.zeros(COUNT * (64 if kind == "bool" else 1), bool if kind == "bool" else float)
    form = PROTOCOLS[protocol].form
    assert form is not None
    with tacit.local(protocol, storage=tmp_path, ring=bits) as mpc:
        mpc.save(mpc.share(plain, owner="alice"), "x")
        old = parts(mpc, "x")
        mpc.refresh()
        new = parts(mpc, "x")
        made = 0
        for one, other in permutations(range(len(mpc.parties)), 2):
            for guess in guesses(form, (one, old[one]), (other, new[other]), ring):
                made += 1
                assert most_deviation(guess) < FALSE_ALARM
            for same in (old, new):  # bites: of one epoch, any two parties know the secret
                for guess in guesses(form, (one, same[one]), (other, same[other]), ring):
                    assert not ones(guess)[0].any()
        assert made == tried
        np.testing.assert_array_equal(mpc.load("x").reveal(to="all"), plain)


def test_every_part_changes_and_every_delta_is_uniform(tmp_path: Path) -> None:
    with tacit.local("replicated3", storage=tmp_path) as mpc:
        mpc.save(mpc.share(np.zeros(COUNT), owner="alice"), "x")
        seen = [parts(mpc, "x")]
        for _ in range(2):
            mpc.refresh()
            seen.append(parts(mpc, "x"))
    for part in range(3):
        for one, other in ((0, 1), (1, 2), (0, 2)):
            difference = seen[other][part].own - seen[one][part].own
            assert most_deviation(difference) < FALSE_ALARM


def test_deltas_sum_to_zero_and_differ_by_array_entry_and_epoch() -> None:
    class Header:
        epoch, identity, mark = 1, b"i", b"m"

    zero = ZeroSharing(bytearray(32), Header, 4)  # type: ignore[arg-type]
    blank = np.zeros(64, np.uint64)
    for ring in (RINGS[64], None):
        deltas = [zero.add(blank, array=0, part=p, start=0, ring=ring) for p in range(4)]
        total = np.bitwise_xor.reduce(deltas) if ring is None else sum(deltas)
        assert not total.any()  # type: ignore[union-attr]
        assert all(delta.any() for delta in deltas)
    one = zero.add(blank, array=0, part=1, start=0, ring=None)
    np.testing.assert_array_equal(
        zero.add(blank[:32], array=0, part=1, start=32, ring=None), one[32:]
    )
    for other in (
        zero.add(blank, array=1, part=1, start=0, ring=None),
        zero.add(blank, array=0, part=2, start=0, ring=None),
        ZeroSharing(bytearray(b"\1" * 32), Header, 4).add(  # type: ignore[arg-type]
            blank, array=0, part=1, start=0, ring=None
        ),
    ):
        assert (other != one).all()
