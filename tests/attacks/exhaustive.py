"""Every message of small programs tampered with in every way, under both active protocols.

A corrupt party runs the protocol's code, speaks last in every round, and one of its messages is
tampered with: every bit of the first bytes, bytes at random places of the rest, cut, lengthened,
dropped, sent twice, out of order, replayed from earlier or from another session, sent to one party
and to no other, or made of what the others just sent. The honest parties do not wait for each
other: each goes on as far as it gets. None may end with anything but an honest run's result, and
whoever raises must suspect the corrupt party, and no honest one alone.

``PYTHONPATH=tests python tests/attacks/exhaustive.py`` runs everything and prints how many messages
were tampered with, and how often; the tests run a part of it.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from running_ahead import RunningAhead
from simulation import FOUR, NAMES, Simulation

from tacit.errors import DisputeError, MessageError, PeerFaultError, VerificationError
from tacit.rounds import Step

__all__ = ["FIRST_BYTES", "PROTOCOLS", "Count", "Target", "attack", "lie", "programs"]

PROTOCOLS = ("fantastic4", "replicated3_active")
X = np.array([5, -7, 1 << 40, -(1 << 50), 0, 3])
BITS = np.array([1, 0, 0, 1, 1, 0], np.uint8)
FIRST_BYTES = 2

Program = Callable[..., Step[Any]]


# The programs: step(party, x, a), with numbers x and bits a.


def _relu(p: Any, x: Any, a: Any) -> Step[Any]:
    sign = yield from p.most_significant_bit(x)
    return (yield from p.inject(p.invert(sign), x))


def _there_and_back(p: Any, x: Any, a: Any) -> Step[Any]:
    secret = p.permutation(2, 3)
    mixed = yield from p.permute(secret, x.reshape(2, 3))
    return (yield from p.permute(secret, mixed, True))


def _bits_there_and_back(p: Any, x: Any, a: Any) -> Step[Any]:
    secret = p.permutation(2, 3)
    mixed = yield from p.permute_bits(secret, a.reshape(2, 3))
    return (yield from p.permute_bits(secret, mixed, True))


def _input(owner: int) -> Program:
    elements = X.astype(np.uint64)
    return lambda p, x, a: p.input(owner, elements if p.index == owner else None, X.shape)


def _input_bits(owner: int) -> Program:
    return lambda p, x, a: p.input_bits(owner, BITS if p.index == owner else None, BITS.shape)


def programs(size: int) -> Mapping[str, Program]:
    """The programs for this many parties, by name."""
    everybody = tuple(range(size))
    return {
        "multiply": lambda p, x, a: p.multiply(x, x),
        "matmul": lambda p, x, a: p.matmul(x.reshape(2, 3), x.reshape(3, 2)),
        "truncate": lambda p, x, a: p.truncate(x, 18),
        "truncate, nearest": lambda p, x, a: p.truncate(x, 18, "nearest"),
        "truncate, exact": lambda p, x, a: p.truncate(x, 18, "exact"),
        "multiply_truncate": lambda p, x, a: p.multiply_truncate(x, x, 18),
        "matmul_truncate": lambda p, x, a: p.matmul_truncate(x.reshape(2, 3), x.reshape(3, 2), 18),
        "sum_products_truncate": lambda p, x, a: p.sum_products_truncate([(x, x), (x, x)], 18),
        "compare": lambda p, x, a: p.most_significant_bit(x),
        "ReLU": _relu,
        "bitwise_and": lambda p, x, a: p.bitwise_and(a, a),
        "to_bits": lambda p, x, a: p.to_bits(x),
        "from_bits": lambda p, x, a: p.from_bits(p.stack_planes([a, a, a])),
        "bit_to_arithmetic": lambda p, x, a: p.bit_to_arithmetic(a),
        "inject": lambda p, x, a: p.inject(a, x),
        "select": lambda p, x, a: p.select(a, x, x),
        "permute, there and back": _there_and_back,
        "permute_bits, there and back": _bits_there_and_back,
        **{f"input of {owner}": _input(owner) for owner in everybody},
        **{f"input_bits of {owner}": _input_bits(owner) for owner in everybody},
        "reveal": lambda p, x, a: p.reveal(x, everybody),
        "reveal to one": lambda p, x, a: p.reveal(x, (1,)),
        "reveal_bits": lambda p, x, a: p.reveal_bits(a, everybody),
        "reveal_bits to one": lambda p, x, a: p.reveal_bits(a, (0,)),
    }


@dataclass(frozen=True, repr=False)
class Message:
    """One message of an honest run: its link, place on the link, round and bytes."""

    sender: int
    receiver: int
    index: int
    round: int
    payload: bytes


class Target:
    """Parties and sharings whose runs are all equal: nonces begin anew with each."""

    def __init__(self, protocol: str, name: str) -> None:
        self.protocol = protocol
        self.name = name
        self.simulation = Simulation(6, protocol=protocol)
        self.size = len(self.simulation.parties)
        self.program = programs(self.size)[name]
        self.x = self.simulation.share(X)
        self.a = self.simulation.share_bits(BITS)
        self.messages: list[Message] = []
        self.right = self.run(self._listen).results
        assert len(self.right) == self.size
        self.earlier = [m.payload for m in self.messages]
        listened, self.messages = self.messages, []
        self.run(self._listen, first=1 << 40)
        self.elsewhere = {(m.sender, m.receiver, m.index): m.payload for m in self.messages}
        self.messages = listened

    def step(self, party: Any) -> Step[Any]:
        """The program; under abort its result is opened, since that is what must be right."""
        result = yield from self.program(party, self.x[party.index], self.a[party.index])
        if self.size == 4 or result is None or isinstance(result, np.ndarray):
            return result
        opened = party.reveal_bits if hasattr(result, "planes") else party.reveal
        return (yield from opened(result, range(self.size)))

    def run(self, carry: Any, last: int | None = None, first: int = 1) -> RunningAhead:
        """One run; messages that nobody touches arrive unchanged."""
        for party in self.simulation.parties:
            party._nonces = itertools.count(first)
        steps = {party.index: self.step(party) for party in self.simulation.parties}
        self.driver = RunningAhead(steps, carry, last=last)
        self.driver.run()
        return self.driver

    def _listen(self, sender: int, receiver: int, index: int, payload: bytes) -> bytes:
        self.messages.append(Message(sender, receiver, index, self.driver.rounds[sender], payload))
        return payload

    def own(self) -> list[Message]:
        """The messages of the program itself, without those of the opening that follows."""
        if self.size == 4 or self.name.startswith("reveal"):
            return self.messages
        last = max(m.round for m in self.messages)
        return [m for m in self.messages if m.round < last]


# The ways to tamper.

Rewrite = Callable[[bytes, list[bytes]], "bytes | tuple[bytes, ...] | None"]
"""(payload, what the others sent to the same receiver in this round): what arrives instead."""


def changed(place: int, mask: int) -> Rewrite:
    def rewrite(payload: bytes, heard: list[bytes]) -> bytes:
        data = bytearray(payload)
        data[place] ^= mask
        return bytes(data)

    return rewrite


def fitted(data: bytes, size: int) -> bytes:
    return (data * (size // max(1, len(data)) + 1))[:size] if data else bytes(size)


def mixed(payload: bytes, heard: list[bytes]) -> bytes:
    """Adaptive: the message plus what the others said."""
    said = fitted(b"".join(heard), len(payload))
    return bytes(a ^ b for a, b in zip(payload, said, strict=True))


def echoed(payload: bytes, heard: list[bytes]) -> bytes:
    """Adaptive: what another just said to the same party, in place of the message."""
    return fitted(b"".join(heard[:1]), len(payload))


def agreed(payload: bytes, heard: list[bytes]) -> bytes:
    """Adaptive: an altered message whose end repeats the end of another's, a digest often."""
    end = fitted(heard[-1][-32:] if heard else b"", min(32, len(payload)))
    data = bytes([payload[0] ^ 1]) + payload[1:]
    return (data[: len(data) - len(end)] + end) if heard else data


def incremented(payload: bytes, heard: list[bytes]) -> bytes:
    """One more in the first element, with its carries."""
    size = min(8, len(payload))
    value = (int.from_bytes(payload[:size], "little") + 1) % (1 << 8 * size)
    return value.to_bytes(size, "little") + payload[size:]


SAME_LENGTH: dict[str, Rewrite] = {
    "zeros": lambda payload, heard: bytes(len(payload)),
    "ones": lambda payload, heard: b"\xff" * len(payload),
    "plus one": incremented,
    "mixed with what the others said": mixed,
    "what another said": echoed,
    "altered, another's end": agreed,
}
OTHER_LENGTH: dict[str, Rewrite] = {
    "dropped": lambda payload, heard: None,
    "empty": lambda payload, heard: b"",
    "cut": lambda payload, heard: payload[:-1],
    "halved": lambda payload, heard: payload[: len(payload) // 2],
    "lengthened": lambda payload, heard: payload + b"\x00",
    "doubled": lambda payload, heard: payload * 2,
    "sent twice": lambda payload, heard: (payload, payload),
}
WAYS = ("replayed", "of another session", "swapped with the next", "to this one alone")


def bits(size: int, rng: np.random.Generator, first: int, others: int) -> Iterator[tuple[int, int]]:
    """Every bit of the first bytes, and random changes anywhere."""
    for place in range(min(first, size)):
        yield from ((place, 1 << bit) for bit in range(8))
    for place in rng.integers(0, size, others):
        yield int(place), int(rng.integers(1, 256))


@dataclass
class Count:
    """What was done.

    Attributes
    ----------
    messages, tamperings : int
        Messages tampered with, and runs.
    ways : Counter of str
        Runs by the kind of tampering.
    harmless : int
        Runs in which every honest party ended with the right result: nothing that counts was
        changed.
    """

    messages: int = 0
    tamperings: int = 0
    ways: Counter[str] = field(default_factory=Counter)
    harmless: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(
            self.messages + other.messages,
            self.tamperings + other.tamperings,
            self.ways + other.ways,
            self.harmless + other.harmless,
        )


def attack(
    protocol: str, name: str, first: int = FIRST_BYTES, others: int = 8, part: int = 1
) -> Count:
    """Tamper with every message of a program; assert what must hold after each.

    Parameters
    ----------
    first, others : int
        Bytes of which every bit is flipped, and random places.
    part : int
        Of all tamperings only every so many-th: of every message some, of the next one others.
    """
    target = Target(protocol, name)
    count = Count()
    rng = np.random.default_rng(17)
    turns = itertools.count()
    for message in target.own():
        count.messages += 1
        for way, carry in _carries(target, message, rng, first, others):
            if next(turns) % part:
                continue
            driver = target.run(carry, last=message.sender)
            count.tamperings += 1
            count.ways[way.split(":")[0]] += 1
            what = f"{name}: {way}, {message.sender} -> {message.receiver}, {message.round}"
            check(target, message, driver, what)
            honest = [i for i in range(target.size) if i != message.sender]
            count.harmless += all(i in driver.results for i in honest)
    return count


def lie(protocol: str, name: str) -> tuple[int, int]:
    """Every party alters each share that it holds, of the numbers and of the bits, and goes on.

    Returns
    -------
    int, int
        How many lies an honest party found, and how many there were.
    """
    target = Target(protocol, name)
    found = lies = 0
    for corrupt in range(target.size):
        for held in (target.x, target.a):
            honest = held[corrupt]
            for part, altered in enumerate(_altered(honest)):
                held[corrupt] = altered
                driver = target.run(_unchanged, last=corrupt)
                held[corrupt] = honest
                said = Message(corrupt, corrupt, 0, 0, b"")
                check(target, said, driver, f"{name}: party {corrupt} lies about part {part}")
                lies += 1
                found += any(party != corrupt for party in driver.errors)
    return found, lies


def _altered(part: Any) -> Iterator[Any]:
    """The part with two bits of the first element of one share changed, for each share."""
    for k in range(3 if hasattr(part, "shares") else 2):
        place = itertools.count()

        def alter(share: Any, k: int = k, place: Any = place) -> Any:
            share = np.array(share)
            if next(place) == k:
                share.reshape(-1)[0] ^= np.uint64(1 << 30 | 1)
            return share

        yield (part.map_words if hasattr(part, "map_words") else part.map)(alter)


def _unchanged(sender: int, receiver: int, index: int, payload: bytes) -> bytes:
    return payload


def check(target: Target, message: Message, driver: RunningAhead, what: str) -> None:
    """No honest party ends with anything wrong, or suspects only honest ones."""
    corrupt, names = message.sender, (FOUR if target.size == 4 else NAMES)
    own_input = "input" in target.name and target.name.endswith(str(corrupt))
    results = {i: r for i, r in driver.results.items() if i != corrupt}
    right = target.right
    if own_input and target.size == 3 and results:
        # Another input, which is its owner's to choose: the same for both others.
        right = dict.fromkeys(results, next(iter(results.values())))
    for party, result in results.items():
        assert same(result, right[party]), f"party {party} got something wrong; {what}"
    for party, error in driver.errors.items():
        if party == corrupt:
            continue
        assert isinstance(error, PeerFaultError), what
        if isinstance(error, MessageError):
            assert error.parties == (str(corrupt),), what
        elif target.size == 4:
            assert isinstance(error, DisputeError) or error.code == "TC-5203", what
            assert names[corrupt] in error.parties, what
            assert names[party] not in error.parties, what
            if isinstance(error, DisputeError):
                assert error.dispute is not None
                assert names[corrupt] in error.dispute.suspects, what
        else:
            assert isinstance(error, VerificationError), what
            assert not error.parties or names[corrupt] in error.parties, what
    late = "twice" in what or "swapped" in what or "input" in target.name
    if target.size == 4 and message.receiver in driver.errors and not late:
        # Nothing that depends on it left: whoever got it stopped in its round.
        assert driver.rounds[message.receiver] == message.round, what


def same(result: Any, other: Any) -> bool:
    if result is None or other is None:
        return result is other
    if isinstance(result, np.ndarray):
        return np.array_equal(result, other)
    return all(np.array_equal(share, other.shares[j]) for j, share in result.shares.items())


def _carries(
    target: Target, message: Message, rng: np.random.Generator, first: int, others: int
) -> Iterator[tuple[str, Any]]:
    size = len(message.payload)
    if size:
        for place, mask in bits(size, rng, first, others):
            yield f"bits:{place}, {mask}", _rewriting(target, message, changed(place, mask))
        for way, rewrite in SAME_LENGTH.items():
            yield way, _rewriting(target, message, rewrite)
    for way, rewrite in OTHER_LENGTH.items():
        yield way, _rewriting(target, message, rewrite)
    link = (message.sender, message.receiver)
    before = [m.payload for m in target.messages if (m.sender, m.receiver) == link]
    before = [p for p in before[: message.index] if len(p) == size]
    if before:
        yield "replayed", _rewriting(target, message, lambda payload, heard: before[-1])
    old = target.elsewhere.get((*link, message.index), b"")
    if len(old) == size and old != message.payload:
        yield "of another session", _rewriting(target, message, lambda payload, heard: old)
    yield "swapped with the next", _swapping(message)
    yield "to this one alone", _alone(target, message)


def _rewriting(target: Target, message: Message, rewrite: Rewrite) -> Any:
    heard: list[bytes] = []

    def carry(sender: int, receiver: int, index: int, payload: bytes) -> Any:
        if sender != message.sender:
            if receiver == message.receiver and target.driver.rounds[sender] == message.round:
                heard.append(payload)
            return payload
        if (receiver, index) != (message.receiver, message.index):
            return payload
        return rewrite(payload, heard)

    return carry


def _swapping(message: Message) -> Any:
    held: list[bytes] = []

    def carry(sender: int, receiver: int, index: int, payload: bytes) -> Any:
        if (sender, receiver) != (message.sender, message.receiver):
            return payload
        if index == message.index:
            held.append(payload)
            return None
        return (payload, *held) if index == message.index + 1 else payload

    return carry


def _alone(target: Target, message: Message) -> Any:
    def carry(sender: int, receiver: int, index: int, payload: bytes) -> Any:
        silent = sender == message.sender and receiver != message.receiver
        return None if silent and target.driver.rounds[sender] == message.round else payload

    return carry


def main() -> None:
    """Everything, with a line for each program."""
    total = Count()
    for protocol in PROTOCOLS:
        size = len(Simulation(1, protocol=protocol).parties)
        for name in programs(size):
            count = attack(protocol, name, others=16)
            total += count
            print(f"{protocol:20} {name:28} {count.messages:5} messages {count.tamperings:6} runs")
    print(
        f"{total.messages} messages tampered with in {total.tamperings} runs, each by its sender;"
    )
    print(f"nothing wrong was returned. Without any effect: {total.harmless}.")
    for way, runs in total.ways.most_common():
        print(f"  {runs:6}  {way}")


if __name__ == "__main__":
    main()
