"""What parties see when four become three, three others, and four again: by counting over Z_4.

The real steps run with every value of every stream that an observer does not know. What the
observer knows of the secret and of its shares, before and after, is fixed; the share that it lacks
runs through all values. The views must come equally often whatever that share is. Bits take the
same code with XOR in place of addition; ``test_fallback_bits_are_hidden`` looks at real ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import permutations, product
from typing import Any

import numpy as np
import pytest
from chi_square import combined, statistics
from numpy.typing import NDArray
from scipy import stats
from simulation import FOUR, NAMES, Listener, Simulation, bit_parts_of
from small_rings import Masks, SmallRing

from tacit import kernels
from tacit.protocols import service
from tacit.protocols.fallback import transfer
from tacit.protocols.fantastic4 import joint
from tacit.protocols.fantastic4.joint import Message
from tacit.protocols.fantastic4.readmission import readmit
from tacit.protocols.service import ServiceParty, deliver, deposit, put_in
from tacit.rounds import LockstepDriver
from tacit.sharing import Replicated, Replicated4
from tacit.sharing.fallback import drop, members_without

PAIRS = pytest.mark.parametrize(("suspect", "dropped"), list(permutations(range(4), 2)))
"""A, who stays at first, and B, who leaves at once."""

MODULUS = 4
RING_BITS = 2
MASK_BITS = 8
SIZE = 1 << MASK_BITS

Views = NDArray[np.int64]


def of_three(x: Sequence[int], dropped: int, into: int) -> list[Any]:
    """What each of the four holds after the drop, None at the one that left."""
    ring: Any = SmallRing(RING_BITS, None)
    parts = []
    for i in range(4):
        shares = {j: np.full(SIZE, x[j], np.uint8) for j in range(4) if j != i}
        parts.append(drop(Replicated4(shares), i, dropped, into, ring))
    return parts


def name_keys(masks: Masks, simulation: Simulation) -> None:
    """The keys of pairs, each under the position of the third, who lacks it."""
    for p in simulation.parties:
        masks.names[id(p.key_own)] = (p.index + 1) % 3
        masks.names[id(p.key_next)] = (p.index + 2) % 3
        p.ring = SmallRing(RING_BITS, masks.integers(RING_BITS))


def counted(heard: Sequence[Any]) -> Views:
    """How often each view occurs."""
    code = np.zeros(SIZE, np.int64)
    for array in heard:
        for row in array.reshape(-1, SIZE):
            code = code * MODULUS + row
    return np.unique(code, return_counts=True)  # type: ignore[return-value]


def same(views: Sequence[Any]) -> bool:
    first = views[0]
    return all(
        np.array_equal(first[0], other[0]) and np.array_equal(first[1], other[1]) for other in views
    )


def lacking(observer: int, seed: int = 3) -> list[list[int]]:
    """Four sharings that look alike to a party of the first four."""
    x = np.random.default_rng(seed).integers(0, MODULUS, 4)
    return [[v if j == observer else int(x[j]) for j in range(4)] for v in range(MODULUS)]


# From three to three others.


def transferred(
    x: Sequence[int],
    suspect: int,
    dropped: int,
    observer: int,
    weaken: Callable[[Simulation], None] = lambda s: None,
) -> Any:
    old, new = members_without(dropped), members_without(suspect)
    listener = Listener(new.index(observer))
    s = Simulation(2, listener)
    masks = Masks(new.index(observer), MASK_BITS)
    name_keys(masks, s)
    weaken(s)
    parts = of_three(x, dropped, suspect)
    results = s.run(
        lambda p, part: transfer(p, part, (SIZE,), bits=False, old=old, new=new),
        [parts[i] for i in new],
    )
    total = results[0].own.astype(int) + results[0].next + results[1].next
    assert (total % MODULUS == sum(x) % MODULUS).all()
    mine = results[new.index(observer)]
    # What it received, and what it now holds.
    return counted([*listener.heard, mine.own, mine.next])


@PAIRS
def test_views_of_the_transfer(suspect: int, dropped: int) -> None:
    for observer in members_without(suspect):
        views = [transferred(x, suspect, dropped, observer) for x in lacking(observer)]
        assert same(views)


@PAIRS
def test_a_mask_whose_key_the_receiver_holds_is_seen(suspect: int, dropped: int) -> None:
    """Planted: an owner's share is drawn from the key that it has in common with the receiver."""
    new = members_without(suspect)
    seen = []
    for owner in (new.index(member) for member in new if member != dropped):

        def weaken(s: Simulation, owner: int = owner) -> None:
            wrong = s.parties[owner].key_next
            s.parties[owner].key_own = s.parties[owner - 1].key_next = wrong

        receiver = new[(owner + 1) % 3]
        views = [transferred(x, suspect, dropped, receiver, weaken) for x in lacking(receiver)]
        seen.append(not same(views))
    assert any(seen)


# To and from a served party.


class Drawn:
    """The served party's own randomness: constants, or every value once."""

    def __init__(self, masks: Masks, known: bool) -> None:
        self.masks, self.known = masks, known

    def token(self, size: int) -> bytes:
        values = np.full(size, 3) if self.known else self.masks._symbol(RING_BITS)
        return np.asarray(values, np.uint8).tobytes()


def servers(
    suspect: int, dropped: int, observer: int, listener: LockstepDriver
) -> tuple[list[ServiceParty], Masks]:
    """The three at the links of the served party, and what an observer among them lacks."""
    new = members_without(suspect)
    s = Simulation(4, listener)
    served = new.index(dropped)
    three = [ServiceParty(NAMES, i, served, s.seeds[i]) for i in range(3)]
    masks = Masks(new.index(observer), MASK_BITS)
    for p in three:
        if p.index != served:
            masks.names[id(p.key)] = served
        p.ring = SmallRing(RING_BITS, masks.integers(RING_BITS))  # type: ignore[assignment]
    return three, masks


def delivered(parts: Sequence[Any], suspect: int, dropped: int) -> Any:
    """What the served party hears of an output; and that it is right."""
    members, new = members_without(dropped), members_without(suspect)
    listener = Listener(new.index(dropped))
    three, _ = servers(suspect, dropped, dropped, listener)
    results = listener.run(
        [
            deliver(
                three[k], parts[i], (SIZE,), bits=False, members=members, index=i, suspect=suspect
            )
            for k, i in enumerate(new)
        ]
    )
    return results[new.index(dropped)], counted(listener.heard)


def sharing_of_three(shares: Sequence[int], dropped: int) -> list[Any]:
    """Any sharing among the three that stay, as steps give them."""
    arrays = [np.full(SIZE, share, np.uint8) for share in shares]
    parts: list[Any] = [Replicated(arrays[i], arrays[(i + 1) % 3]) for i in range(3)]
    parts.insert(dropped, None)
    return parts


@PAIRS
def test_a_delivery_shows_the_output_alone(suspect: int, dropped: int) -> None:
    """Whatever the shares are, which need not be fresh, the view depends on their sum alone."""
    for secret in range(MODULUS):
        views = []
        for a, b in product(range(MODULUS), repeat=2):
            shares = a, b, (secret - a - b) % MODULUS
            value, view = delivered(sharing_of_three(shares, dropped), suspect, dropped)
            assert (value == secret).all()
            views.append(view)
        assert same(views)


def test_a_delivery_without_a_mask_shows_the_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    real = service._group

    def unmasked(party: ServiceParty, bits: bool) -> Any:
        group: Any = real(party, bits)

        class Bare:
            dtype, add, subtract, empty = group.dtype, group.add, group.subtract, group.empty

            @staticmethod
            def fill(key: Any, nonce: int, lane: int, out: Any) -> None:
                out[...] = 0

        return Bare

    monkeypatch.setattr(service, "_group", unmasked)
    views = [delivered(sharing_of_three((a, 0, (1 - a) % 4), 3), 0, 3)[1] for a in range(4)]
    assert not same(views)


def deposited(value: int, suspect: int, dropped: int, observer: int) -> Any:
    """What an observer sees of an input of the served party: A, C or D."""
    members, new = members_without(dropped), members_without(suspect)
    serving = observer != suspect
    listener = Listener(new.index(observer)) if serving else LockstepDriver(NAMES)
    three, masks = servers(suspect, dropped, observer if serving else dropped, listener)
    source = Drawn(masks, known=False)
    values = np.full(SIZE, value, np.uint8)
    handed = listener.run(
        [
            deposit(p, values if p.index == p.served else None, (SIZE,), source, bits=False)
            for p in three
        ]
    )
    heard = list(listener.heard) if isinstance(listener, Listener) else []
    inside = Listener(members.index(observer))
    s = Simulation(2, inside, "replicated3_active")
    masks.observer = members.index(observer)
    masks.names.clear()
    masks.symbols.clear()
    name_keys(masks, s)
    first, second = (members.index(i) for i in members if i != suspect)
    summands = [handed[new.index(i)] if i != suspect else None for i in members]
    results = s.run(
        lambda p, summand: put_in(p, summand, (SIZE,), bits=False, helpers=(first, second)),
        summands,
    )
    total = results[0].own.astype(int) + results[0].next + results[1].next
    assert (total % MODULUS == value).all()
    mine = results[members.index(observer)]
    return counted([*heard, *inside.heard, mine.own, mine.next])


@PAIRS
def test_views_of_an_input_of_the_served_party(suspect: int, dropped: int) -> None:
    for observer in members_without(dropped):
        assert same([deposited(value, suspect, dropped, observer) for value in range(MODULUS)])


# From three to four.


def readmitted(x: Sequence[int], back: int, observer: int) -> tuple[Any, Any]:
    """Counts of what a party hears and holds, and of what it holds afterwards alone."""
    members = members_without(back)
    listener = Listener(observer, names=FOUR)
    s = Simulation(2, listener, "fantastic4")
    masks = Masks(observer, MASK_BITS)
    masks.names = {id(key): j for p in s.parties for j, key in p.keys.items()}
    for p in s.parties:
        p.ring = SmallRing(RING_BITS, masks.integers(RING_BITS))
    parts = of_three(x, back, members[0])
    results = s.run(lambda p, part: readmit(p, part, (SIZE,), bits=False, back=back), parts)
    shares = {**results[0].shares, 0: results[1].shares[0]}
    assert (sum(share.astype(int) for share in shares.values()) % MODULUS == sum(x) % MODULUS).all()
    mine = list(results[observer].shares.values())
    return counted([*listener.heard, *mine]), counted(mine)


BACK = pytest.mark.parametrize("back", range(4))


@BACK
def test_views_of_a_readmission(back: int) -> None:
    for observer in range(4):
        assert same([readmitted(x, back, observer)[0] for x in lacking(observer)])


@BACK
@pytest.mark.parametrize("weak", ["key of the receiver", "no mask"])
def test_a_planted_error_is_seen(back: int, weak: str, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = joint._piece

    def piece(party: Any, message: Message, nonce: int, lane: int) -> Any:
        if weak == "no mask":
            # The value itself goes to the receiver; the mask still makes up the sharing.
            made = honest(party, message, nonce, lane)
            if made.rest is not None and message.value is not None:
                made.rest[...] = message.value
            return made
        keys = party.keys
        party.keys = {**keys, message.receiver: keys.get(message.other, keys.get(message.receiver))}
        try:
            return honest(party, message, nonce, lane)
        finally:
            party.keys = keys

    monkeypatch.setattr(joint, "_piece", piece)
    caught = []
    for observer in members_without(back):
        views = []
        for x in lacking(observer):
            members = members_without(back)
            listener = Listener(observer, names=FOUR)
            s = Simulation(2, listener, "fantastic4")
            masks = Masks(observer, MASK_BITS)
            masks.names = {id(key): j for p in s.parties for j, key in p.keys.items()}
            for p in s.parties:
                p.ring = SmallRing(RING_BITS, masks.integers(RING_BITS))
            s.run(
                lambda p, part: readmit(p, part, (SIZE,), bits=False, back=back),
                of_three(x, back, members[0]),
            )
            views.append(counted(listener.heard))
        caught.append(not same(views))
    assert any(caught)


@BACK
def test_an_old_set_of_the_one_that_comes_back_and_a_new_set_of_another_say_nothing(
    back: int,
) -> None:
    """It was corrupt before, another one is corrupt now: all four shares must be new."""
    for now in range(4):
        assert same([readmitted(x, back, now)[1] for x in lacking(back)])


def test_only_one_new_share_would_give_the_secret() -> None:
    """The weak form: a new x_d, taken off one of the old shares, the others as they were.

    x_0 = y_0 - x_3, x_1 = y_1, x_2 = y_2 with y_0 = (x_0 + x_3 of before): one corrupt party
    before (3), one after (1), and the old x_3, which 3 lacked, is what they have together.
    """
    for old in product(range(MODULUS), repeat=4):
        for drawn in range(MODULUS):
            new = [(old[0] + old[3] - drawn) % MODULUS, old[1], old[2], drawn]
            known_before = {j: old[j] for j in (0, 1, 2)}
            known_after = {j: new[j] for j in (0, 2, 3)}
            lacked = (known_after[0] + known_after[3] - known_before[0]) % MODULUS
            guess = (sum(known_before.values()) + lacked) % MODULUS
            assert guess == sum(old) % MODULUS


# Bits, as they are.

RUNS = 96
LIMIT = float(stats.chi2.isf(1e-6 / 200_000, 15))
BIT_SIZE = 130


def bit_view(step: str, observer: int, choice: int, run: int) -> Any:
    """What an observer hears: its keys and shares fixed, those that it lacks drawn anew."""
    words = 3

    def dealt(count: int, lacks: int) -> list[Any]:
        return [
            np.random.default_rng([k, 1 + choice if k == lacks else 0]).integers(
                0, 1 << 64, words, dtype=np.uint64
            )
            for k in range(count)
        ]

    def key(*holders: int) -> bytes:
        fresh = observer not in holders
        seed = [7, *sorted(holders), *([run + 1 + choice * RUNS] if fresh else [])]
        return np.random.default_rng(seed).bytes(16)

    seeds = [{j: key(i, j) for j in range(3) if j != i} for i in range(3)]
    if step == "readmit":
        listener = Listener(observer, checks=True, names=FOUR)
        s = Simulation(2, listener, "fantastic4")
        for p in s.parties:
            p.keys = {j: kernels.StreamKey(key(*(i for i in range(4) if i != j))) for j in p.held}
        four = bit_parts_of(dealt(4, observer), (BIT_SIZE,))
        parts = [drop(part, i, 3) for i, part in enumerate(four)]
        s.run(lambda p, part: readmit(p, part, (BIT_SIZE,), bits=True, back=3), parts)
        return listener.heard
    # A is 0, B is 3: the three others are 1, 2, 3, by position 0, 1, 2.
    listener = Listener(observer, checks=True, names=NAMES)
    four = bit_parts_of(dealt(4, observer + 1), (BIT_SIZE,))
    parts = [drop(four[i], i, 3, 0) for i in (1, 2, 3)]
    if step == "transfer":
        s = Simulation(2, listener)
        for p, seed in zip(s.parties, seeds, strict=True):
            p.__init__(NAMES, p.index, seed)
        s.run(
            lambda p, part: transfer(p, part, (BIT_SIZE,), bits=True, old=(0, 1, 2), new=(1, 2, 3)),
            parts,
        )
        return listener.heard
    raise AssertionError(step)


@pytest.mark.parametrize(
    ("step", "observer"),
    [("readmit", 0), ("readmit", 1), ("readmit", 2), ("transfer", 1), ("transfer", 2)],
)
def test_fallback_bits_are_hidden(step: str, observer: int) -> None:
    samples = [
        combined([bit_view(step, observer, choice, run) for run in range(RUNS)])
        for choice in range(2)
    ]
    assert samples[0].size
    values = statistics(samples[0], samples[1])
    assert values.size < 200_000
    assert float(values.max()) < LIMIT
