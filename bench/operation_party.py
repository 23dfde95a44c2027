"""The job of a party that computes one operation on many elements and says what it took.

Every party runs the same lines. The input is shared section by section into one vector, so that
nothing but its shares remains, and the result is checked in some sections against NumPy.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from msgspec import Struct, msgpack
from numpy.typing import NDArray

import tacit
from bench.every_operation import EVERY
from bench.processes import forget_peak_memory, peak_memory
from tacit import Computation, SecretArray
from tacit.operations.types import SecretValue
from tacit.sessions import PartyContext
from tacit.sessions.party import PartyReference

__all__ = ["OPERATIONS", "Report", "Settings", "run_party"]

SECTION = 1 << 20
"""Elements that are shared at a time."""

CHECKED = 1 << 12
"""Elements at the start and at the end of the vector that are revealed and compared."""


class Settings(Struct, frozen=True):
    """What to compute.

    Attributes
    ----------
    operation : str
        One of `OPERATIONS`, or of those of ``every_operation.py`` for their memory alone.
    size : int
        On how many elements.
    repeats : int
        How often.
    depth : int
        How many times in a row, each on the result before; for those that can.
    """

    operation: str
    size: int
    repeats: int = 1
    depth: int = 1


class Report(Struct, frozen=True):
    """What one party found.

    Attributes
    ----------
    seconds : list of float
        Of each repeat, from a common start.
    rounds, bytes : int
        Of one repeat, this party's.
    shares : int
        Bytes of the shares that went in and came out.
    peak_memory : int
        The most memory that the process had resident during the repeats, in bytes: with the
        interpreter, its libraries and the shares.
    max_error : float
        Against NumPy, relative above 1; 0 for an operation without a plain one.
    """

    seconds: list[float]
    rounds: int
    bytes: int
    shares: int
    peak_memory: int
    max_error: float


@dataclass(frozen=True)
class Operation:
    """Something element-wise on one vector, and NumPy's answer."""

    secret: Callable[[SecretArray], SecretArray]
    plain: Callable[[NDArray[Any]], NDArray[Any]] | None


OPERATIONS: dict[str, Operation] = {
    "multiply": Operation(lambda x: x * x, np.square),
    "compare": Operation(lambda x: x < 2.0, lambda x: x < 2.0),
    "relu": Operation(lambda x: tacit.relu(x), lambda x: np.maximum(x, 0.0)),
    "exp": Operation(lambda x: tacit.exp(x), np.exp),
    "log": Operation(lambda x: tacit.log(x), np.log),
    "sigmoid": Operation(lambda x: tacit.sigmoid(x), lambda x: 1.0 / (1.0 + np.exp(-x))),
    "sqrt": Operation(lambda x: tacit.sqrt(x), np.sqrt),
    "division": Operation(lambda x: x / x, np.ones_like),
}
"""By name. They use their one operand twice where they need two."""


def run_party(context: PartyContext) -> Report:
    """Run the operation at one party."""
    settings = msgpack.decode(context.configuration, type=Settings)
    mpc = Computation(context.session)
    x = _shared(context, settings.size)
    operation = OPERATIONS.get(settings.operation)
    if operation is None:
        every = EVERY[settings.operation]
        operation, x = Operation(every.secret, None), every.prepare(x)
    result = operation.secret(x[:1])  # code and constants are there when the clock starts
    forget_peak_memory(os.getpid())
    seconds = []
    for _ in range(settings.repeats):
        del result
        _together(context, mpc)
        before, start = mpc.total_cost, time.perf_counter()
        result = operation.secret(x)
        for _ in range(settings.depth - 1):
            result = operation.secret(result)
        seconds.append(time.perf_counter() - start)
        spent = mpc.total_cost - before
    peak = peak_memory(os.getpid())
    return Report(
        seconds,
        spent.rounds,
        spent.total_bytes,
        _bytes_of(x) + _bytes_of(result),
        peak,
        max(_errors(operation, result), default=0.0),
    )


def _values(start: int, count: int) -> NDArray[np.float64]:
    """Numbers in [1/64, 4), multiples of 2^-16: some below and some above every threshold."""
    places = np.arange(start, start + count, dtype=np.uint64)
    mixed = (places * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(46)
    values: NDArray[np.float64] = (np.maximum(mixed, 1 << 10)) / 65_536.0
    return values


def _shared(context: PartyContext, size: int) -> SecretArray:
    """The numbers as an input of the first party, section by section."""
    session = context.session
    owner = session.parties[0]
    vector: Any = None
    for start in range(0, size, SECTION):
        count = min(SECTION, size - start)
        own = _values(start, count) if context.name == owner else None
        part = session.share(own, owner, dtype=tacit.fixed, shape=(count,))
        assert isinstance(part, PartyReference)
        vector = part.part.share.blank(size) if vector is None else vector
        vector.write(start, part.part.share)
    return SecretArray(session, session.references.of(SecretValue(tacit.fixed, vector)))


def _together(context: PartyContext, mpc: Computation) -> None:
    """Return when all parties are here."""
    owner = mpc.parties[0]
    own = np.zeros(1) if context.name == owner else None
    mpc.share(own, owner, dtype=tacit.fixed, shape=(1,)).reveal(to="all")


def _bytes_of(array: SecretArray) -> int:
    reference = array.reference
    assert isinstance(reference, PartyReference)
    share = reference.part.share
    return int(share.own.nbytes + share.next.nbytes)


def _errors(operation: Operation, result: SecretArray) -> Iterator[float]:
    if operation.plain is None:
        return
    size = result.shape[0]
    count = min(CHECKED, size)
    for start in (0, size - count):
        found = result[start : start + count].reveal(to="all").astype(np.float64)
        expected = operation.plain(_values(start, count)).astype(np.float64)
        yield float(np.max(np.abs(found - expected) / np.maximum(1.0, np.abs(expected))))
