"""What goes wrong: a party's process is killed, paused, or corrupt.

Kills and pauses come from outside, at a random moment. A corrupt party follows the protocol and
rewrites what it sends: one message, or all from some round on; payload or check values, by
one bit, by another length, or by falling silent.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any, Literal, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from tacit.network import LinkDriver
from tacit.rounds.contract import Arrays, Outbox, Round, Step

__all__ = ["FAULTS", "Corruption", "Disturbance", "Fault", "altered", "corrupt"]

Fault: TypeAlias = Literal["none", "kill", "pause", "long pause", "tamper"]
FAULTS: tuple[Fault, ...] = ("none", "kill", "pause", "long pause", "tamper")


class Corruption(msgspec.Struct, frozen=True):
    """What a corrupt party does.

    Attributes
    ----------
    first : int
        The round of the session in which it begins, the set-up not counted.
    always : bool
        Whether it goes on in all later rounds, in sessions after a recovery too.
    how : {"flip", "check", "short", "silent"}
        A bit of a payload, or of a check value; a message that is cut; no message any more.
    seed : int
        Which message and bit.
    """

    first: int
    always: bool
    how: Literal["flip", "check", "short", "silent"]
    seed: int


def corrupt(what: Corruption) -> None:
    """Let this process's party deviate from now on, whatever links it has."""
    rng = np.random.default_rng(what.seed)
    rounds = 0
    honest = LinkDriver.run

    def rewritten(step: Step[Any]) -> Step[Any]:
        nonlocal rounds
        try:
            while True:
                try:
                    current = next(step)
                except StopIteration as stop:
                    return stop.value
                rounds += 1
                due = rounds > what.first if what.always else rounds == what.first
                if due and what.how == "silent":
                    time.sleep(3600)
                yield altered(current, what.how, rng) if due else current
        finally:
            step.close()

    def run(self: LinkDriver, step: Step[Any], **limits: Any) -> Any:
        return honest(self, rewritten(step), **limits)

    LinkDriver.run = run  # type: ignore[method-assign]


def altered(current: Round, how: str, rng: np.random.Generator) -> Round:
    """A round of which one message is another one; the arrays of the honest one stay."""
    box = current.check if how == "check" and current.check else current.send
    sent = [peer for peer, arrays in box.items() if any(array.nbytes for array in arrays)]
    if not sent:
        return current
    peer = sent[rng.integers(len(sent))]
    changed: dict[int, Arrays] = {**box, peer: _rewritten(box[peer], how, rng)}
    send: Outbox = changed if box is current.send else current.send
    check: Outbox = changed if box is current.check else current.check
    return Round(send, current.receive, check, current.check_receive, current.depth, current.split)


def _rewritten(arrays: Arrays, how: str, rng: np.random.Generator) -> Arrays:
    place = next(k for k, array in enumerate(arrays) if array.nbytes)
    flat: NDArray[np.uint8] = np.ascontiguousarray(arrays[place]).reshape(-1).view(np.uint8).copy()
    if how == "short":
        flat = flat[:-1]
    else:
        flat[rng.integers(flat.size)] ^= np.uint8(1 << rng.integers(8))
    return (*arrays[:place], flat, *arrays[place + 1 :])


class Disturbance(threading.Thread):
    """Kills or pauses a process at some moment, from a thread of its own.

    Parameters
    ----------
    process : int
        Its number.
    fault : Fault
    after : float
        Seconds from now.
    seconds : float
        How long a pause lasts.
    """

    def __init__(self, process: int, fault: Fault, after: float, seconds: float) -> None:
        super().__init__(daemon=True)
        self.process = process
        self.fault = fault
        self.after = after
        self.seconds = seconds
        self.happened = False
        self._over = threading.Event()
        self.start()

    def run(self) -> None:
        """Wait, then act."""
        if self._over.wait(self.after):
            return
        try:
            if self.fault == "kill":
                os.kill(self.process, signal.SIGKILL)
                self.happened = True
            elif self.fault in ("pause", "long pause"):
                os.kill(self.process, signal.SIGSTOP)
                self.happened = True
                self._over.wait(self.seconds)
                os.kill(self.process, signal.SIGCONT)
        except ProcessLookupError:
            pass  # it had finished

    def end(self) -> None:
        """Do nothing any more; a paused process goes on."""
        self._over.set()
        self.join()
