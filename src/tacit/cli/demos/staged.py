"""The job of a party's process in a demo that stages a fault: the training, with orders.

One party is told when to halt, so that it can be killed at that very step, or from when on to
send altered shares. All others run the same training as ever. ``tacit train`` starts
``tacit.ml.job`` and cannot reach this module.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, Final

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tacit.ml import job
from tacit.ml.records import OwnerResult, TrainingSettings
from tacit.network import LinkDriver
from tacit.rounds.contract import Arrays, Round, Step
from tacit.sessions.context import PartyContext

__all__ = ["Orders", "cheat", "run_party"]

_UNTIL_KILLED: Final = 30.0
"""Seconds that a party waits for its end; if nobody kills it, it goes on."""


class Orders(Struct, frozen=True):
    """What one party's process is told.

    Attributes
    ----------
    training : TrainingSettings
        As in any training.
    halt_at, cheat_at : float or None
        At which part of the training's steps this party waits to be killed, or begins to cheat.
    """

    training: TrainingSettings
    halt_at: float | None = None
    cheat_at: float | None = None


def run_party(context: PartyContext) -> OwnerResult:
    """Run the training at one party, and follow the orders."""
    orders = msgspec.msgpack.decode(context.configuration, type=Orders)
    plain = replace(context, configuration=msgspec.msgpack.encode(orders.training))
    halt_at, cheat_at = orders.halt_at, orders.cheat_at

    def watch(phase: str, done: int, total: int) -> None:
        nonlocal halt_at, cheat_at
        if phase != "training":
            return
        if cheat_at is not None and done >= cheat_at * total:
            cheat_at = None
            context.progress(phase, done, total, "steps")
            cheat()
        if halt_at is not None and done >= halt_at * total:
            halt_at = None
            context.progress(phase, done, total, "steps")
            time.sleep(_UNTIL_KILLED)

    return job.run_party(plain, watch)


def cheat(seed: int = 1) -> None:
    """Let this process send altered shares from now on, over whatever links it has.

    In every round one message to another party holds another bit than the protocol says.
    """
    rng = np.random.default_rng(seed)
    honest = LinkDriver.run

    def run(self: LinkDriver, step: Step[Any], **limits: Any) -> Any:
        return honest(self, _rewritten(step, rng), **limits)

    LinkDriver.run = run  # type: ignore[method-assign]


def _rewritten(step: Step[Any], rng: np.random.Generator) -> Step[Any]:
    try:
        while True:
            try:
                current = next(step)
            except StopIteration as stop:
                return stop.value
            yield _altered(current, rng)
    finally:
        step.close()


def _altered(current: Round, rng: np.random.Generator) -> Round:
    """A round of which one message is another one; the party's own arrays stay as they are."""
    box = current.send
    sent = [peer for peer, arrays in box.items() if any(array.nbytes for array in arrays)]
    if not sent:
        return current
    peer = sent[rng.integers(len(sent))]
    return replace(current, send={**box, peer: _flipped(box[peer], rng)})


def _flipped(arrays: Arrays, rng: np.random.Generator) -> Arrays:
    place = next(k for k, array in enumerate(arrays) if array.nbytes)
    flat: NDArray[np.uint8] = np.ascontiguousarray(arrays[place]).reshape(-1).view(np.uint8).copy()
    flat[rng.integers(flat.size)] ^= np.uint8(1 << rng.integers(8))
    return (*arrays[:place], flat, *arrays[place + 1 :])
