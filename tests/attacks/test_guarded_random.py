"""A corrupt party that does anything at random, in any stage, conference and service: by the seed.

``python tests/attacks/test_guarded_random.py FIRST LAST``, with both folders on the path, runs
more.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest
from faults import Run, check_in_turn, complete, in_turn, run
from hub import Crash, Late, Sent, Status
from misbehaviour import false_cause
from simulation import FOUR


@cache
def span() -> tuple[int, int]:
    """From which of a party's messages on there may be an attack: inputs are complete."""
    sent = run().hub.sent
    first = max(m.number for m in sent[: complete(sent)]) + 1
    return first, min(sum(m.sender == p for m in sent) for p in FOUR)


class Anything:
    """One party's messages from a certain one on, changed now and then."""

    def __init__(self, seed: int, span: tuple[int, int]) -> None:
        self.rng = np.random.default_rng([77, seed])
        self.party = FOUR[seed % 4]
        self.start = int(self.rng.integers(*span))
        self.rate = float(self.rng.choice([0.01, 0.05, 0.3, 1.0]))
        ways = [
            "bit",
            "bits",
            "drop",
            "cut",
            "long",
            "twice",
            "replay",
            "abort",
            "swap",
            "late",
            "crash",
        ]
        chosen = self.rng.permutation(len(ways) - 1)[: self.rng.integers(1, 5)]
        self.ways = [ways[k] for k in chosen] + (["crash"] if self.rng.random() < 0.1 else [])
        peers = [name for name in FOUR if name != self.party]
        self.victims = set(self.rng.choice(peers, self.rng.integers(1, 4), replace=False))
        self.lies = self.rng.random() < 0.5
        self.spoken: dict[str, bytes] = {}
        self.done: list[str] = []

    def __call__(self, message: Sent) -> Sequence[Any]:
        payload = message.payload
        if message.sender != self.party:
            return (payload,)
        before = self.spoken.get(message.receiver, b"")
        self.spoken[message.receiver] = payload
        spared = message.receiver not in self.victims or self.rng.random() > self.rate
        if message.number < self.start or spared:
            return (payload,)
        way = self.rng.choice(self.ways)
        self.done.append(f"{way} {message}")
        data = np.frombuffer(payload, np.uint8).copy()
        match way:
            case "bit" | "bits" if data.size:
                places = self.rng.integers(0, data.size, 1 if way == "bit" else 4)
                data[places] ^= np.uint8(1 << int(self.rng.integers(8)))
                return (data.tobytes(),)
            case "drop":
                return ()
            case "cut":
                return (payload[: int(self.rng.integers(0, len(payload) + 1))],)
            case "long":
                return (payload + self.rng.bytes(int(self.rng.integers(1, 9))),)
            case "late":
                return (Late(float(self.rng.uniform(0, 80)), payload),)
            case "twice":
                return (payload, payload)
            case "replay":
                return (before,)
            case "swap":
                return (payload[::-1],)
            case "abort" if message.kind in ("round", "control"):
                return (("abort", false_cause(message)),)
            case "crash":
                raise Crash
        return (payload,)

    def claimed(self, mesh: str, true: Status) -> Status:
        """What its heartbeats say, now and then not the truth."""
        if not self.lies or mesh.startswith("conference"):
            return true
        rng = np.random.default_rng([len(self.done), len(mesh)])
        members = [n for n in mesh.split("/")[0].split() if n != self.party]
        waits = frozenset(str(n) for n in members if rng.random() < 0.5)
        return max(0, true[0] + int(rng.integers(-3, 4))), waits


def attacked(seed: int) -> Run:
    """One run; all that must hold is asserted."""
    anything = Anything(seed, span())
    found = run(anything, anything.party, seed, claimed=anything.claimed)
    found.check(f"seed {seed}: {anything.done[:3]}")
    return found


def attacked_in_turn(seed: int) -> Run:
    """The same where everybody puts in something, one after the other."""
    # The set-up ends after a party's first 15 messages; 196 is the fewest that any of them sends.
    anything = Anything(seed, (15, 196))
    programs = dict.fromkeys(FOUR, in_turn)
    found = run(anything, anything.party, seed, programs, anything.claimed)
    check_in_turn(found, f"seed {seed}: {anything.done[:3]}")
    return found


@pytest.mark.parametrize("part", range(4))
def test_anything_at_random(part: int) -> None:
    for seed in range(12 * part, 12 * part + 12):
        attacked(seed)


@pytest.mark.parametrize("part", range(2))
def test_anything_at_random_while_inputs_come_in(part: int) -> None:
    for seed in range(12 * part, 12 * part + 12):
        attacked_in_turn(seed)


def main(first: int, last: int) -> None:
    """Many seeds."""
    kinds: Counter[str] = Counter()
    for seed in range(first, last):
        try:
            found = (attacked_in_turn if seed % 2 else attacked)(seed)
        except BaseException as error:
            print(f"seed {seed}: {error!r}"[:600], flush=True)
            kinds["WRONG"] += 1
            continue
        name = found.honest[0]
        kinds[" and ".join(i.kind for i in found.incidents(name)) or "nothing"] += 1
    print(kinds)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
