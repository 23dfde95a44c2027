"""Measuring the network and the processors of a session, for plans.

Short programs run in the session, in a shorter and a longer form each: three that compute, two of
many small rounds, and one of large messages. The model that plans have
(``programs/planning/clock.py``) says what each difference takes, and its figures are set, all at
once, so that each takes about what it took. What timings leave open (whether a large message or
the arithmetic around it took long) is as it usually is. Everybody learns timings, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.types import DType, int64
from tacit.errors import ProgramError
from tacit.operations.table import OPERATIONS
from tacit.operations.types import ArrayType
from tacit.programs.building import GraphBuilder
from tacit.programs.form import ProgramForm
from tacit.programs.graph import FORMAT, Output
from tacit.programs.planning.clock import Pace
from tacit.programs.planning.making import Conditions, priced
from tacit.programs.planning.measured import Measured
from tacit.programs.planning.pricing import Priced
from tacit.programs.planning.profile import Profiler
from tacit.programs.program import Program
from tacit.rounds.cost import Declaration
from tacit.rounds.virtual import Network
from tacit.sessions.session import Session

__all__ = ["calibrated"]

RUNS: Final = 5

ROOM: Final = 8_000_000
"""Bytes of an operation of a probe, all parties: protocols that send more get shorter arrays."""

STEPS: Final = 5
"""Steps of Gauss and Newton; the model is nearly linear."""


NUDGE: Final = 0.05
"""How far figures are changed for slopes, in logarithms."""


@dataclass(frozen=True, slots=True)
class _Figure:
    """One figure of a pace.

    Attributes
    ----------
    change : callable
        The pace with another one.
    usual : float
        What it is about.
    certain : float
        How much that counts: a factor of e away counts like so large a relative error of a probe.
    """

    change: Callable[[Pace, float], Pace]
    usual: float
    certain: float


@dataclass(frozen=True, slots=True)
class _Probe:
    """A chain of one operation on one array.

    Attributes
    ----------
    operation : str
    shape : tuple of int
    dtype : DType
    lengths : (int, int)
        Of the shorter and the longer chain.
    operands : int
        How often the operation takes the array.
    """

    operation: str
    shape: tuple[int, ...]
    dtype: DType
    lengths: tuple[int, int]
    operands: int = 1

    def program(self, length: int) -> Program:
        """The chain of so many operations."""
        builder = GraphBuilder()
        of_array = ArrayType(self.dtype, self.shape)
        value = builder.input(of_array, "x")
        operation = OPERATIONS[self.operation]
        for _ in range(length):
            operands = [value] * self.operands
            (value,) = builder.node(self.operation, operands, operation.attributes(), [of_array])
        form = ProgramForm(FORMAT, "probe", builder.graph([value]), (Output("y", ()),))
        return Program(form)


@dataclass(slots=True)
class _Found:
    """What a probe took, and what says how long it should."""

    priced: tuple[Priced, Priced]
    seconds: tuple[float, float]

    @property
    def difference(self) -> float:
        """What the longer form takes more."""
        return max(1e-9, self.seconds[1] - self.seconds[0])

    def expected(self, pace: Pace) -> float:
        """What the longer form should take more."""
        shorter, longer = (sum(one.seconds(pace)) for one in self.priced)
        return longer - shorter


def calibrated(session: Session, processors: int | None = None) -> Measured:
    """Measure a session; a few seconds.

    Parameters
    ----------
    session : Session
        Parties in processes, or one party's, or all in virtual time. Every party calls it.
    processors : int, optional
        How many all parties share, where they run on one machine and the session does not know.

    Returns
    -------
    Measured
        For ``program.plan(session.protocol.name, measured)``. Who learns what: timings, as
        everybody sees them who takes part.

    Raises
    ------
    ProgramError
        One process computes for all parties (TC-1569): a plan's ``in_process`` is for that.
    """
    if session.in_one_process:
        raise ProgramError(
            "All parties compute in this process: there is no network to measure.",
            next_step="see plan.in_process, which is for such a session; or open one with"
            " processes=True.",
            case=69,
        )
    profiler = Profiler(session.protocol, session.ring)

    def run(operation: str, shape: tuple[int, ...], *rest: Any) -> _Found:
        return _run(session, _Probe(operation, shape, *rest), profiler)

    costs = session.protocol.costs_with(session.rounding, session.ring)
    side = _within(lambda n: costs["matmul"]((n, n), (n, n)), 256)
    streamed = _within(costs["most_significant_bit"], 1 << 17)
    sent = _within(costs["multiply"], 1 << 17)
    products = run("matmul", (side, side), session.fractions, (1, 5), 2)
    others = run("relu", (streamed,), session.fractions, (1, 5))
    chained = run("sigmoid", (max(128, streamed // 4),), session.fractions, (1, 3))
    small = run("multiply", (1,), int64, (50, 450), 2)
    smooth = run("sigmoid", (128,), session.fractions, (2, 26))
    large = run("multiply", (sent,), int64, (2, 10), 2)
    processors = session.processors if processors is None else processors
    pace = Pace(Network(5e-6 if processors else 100e-6, 1e12 if processors else 1e9))
    figures = [_Figure(_scale, 1.2, 0.2), _Figure(_product_scale, 1.1, 0.2)]
    if processors is None:
        figures += [_Figure(_latency, 100e-6, 0.01), _Figure(_line, 1e-9, 0.01)]
    else:
        pace = replace(pace, processors=processors)
        figures += [_Figure(_message, 25e-6, 0.2), _Figure(_byte, 0.4e-9, 0.2)]
    pace = _solved([others, chained, products, small, smooth, large], pace, figures)
    start = small.seconds[0] - sum(small.priced[0].seconds(pace))
    return Measured(len(session.parties), pace, max(0.0, start))


def _within(cost: Callable[[int], Declaration], size: int) -> int:
    """A size whose messages come to `ROOM` bytes at most: the same at every party."""
    while size > 32 and sum(cost(size).bytes_sent) > ROOM:
        size //= 2
    return size


def _run(session: Session, probe: _Probe, profiler: Profiler) -> _Found:
    """Time both forms of a probe, in turn."""
    owner = session.parties[0]
    mine = getattr(session, "name", owner) == owner
    values = np.zeros(probe.shape, probe.dtype.numpy) if mine else None
    shared = session.share(values, owner, dtype=probe.dtype, shape=probe.shape)
    programs = [probe.program(length) for length in probe.lengths]
    times: list[list[float]] = [[] for _ in programs]
    for run in range(RUNS + 1):
        for place, program in enumerate(programs):
            with session.measure() as cost:
                session.run_program(program, [shared])
            if run:  # the first one is slower
                times[place].append(cost.seconds)
    conditions = Conditions(Network(0.0, 1e12), session.rounding, session.ring.bits)
    found = [
        priced(program, session.protocol, session.parties, conditions, profiler)
        for program in programs
    ]
    return _Found((found[0], found[1]), (median(times[0]), median(times[1])))


def _scale(pace: Pace, value: float) -> Pace:
    return replace(pace, compute_scale=value)


def _product_scale(pace: Pace, value: float) -> Pace:
    return replace(pace, product_scale=value)


def _latency(pace: Pace, value: float) -> Pace:
    return replace(pace, network=replace(pace.network, latency_seconds=value))


def _line(pace: Pace, value: float) -> Pace:
    """Seconds a bit."""
    return replace(pace, network=replace(pace.network, bits_per_second=1 / value))


def _message(pace: Pace, value: float) -> Pace:
    return replace(pace, message_seconds=value)


def _byte(pace: Pace, value: float) -> Pace:
    return replace(pace, byte_seconds=value)


def _solved(probes: Sequence[_Found], pace: Pace, figures: Sequence[_Figure]) -> Pace:
    """The pace at which probes should take about what they took: least squares of logarithms."""
    usual = np.log([figure.usual for figure in figures])
    certain = np.array([figure.certain for figure in figures])
    took = np.log([one.difference for one in probes])

    def paced(logs: NDArray[np.float64]) -> Pace:
        made = pace
        for figure, value in zip(figures, np.exp(logs), strict=True):
            made = figure.change(made, float(value))
        return made

    def errors(logs: NDArray[np.float64]) -> NDArray[np.float64]:
        at = paced(logs)
        expected = np.log([max(1e-9, one.expected(at)) for one in probes])
        return np.concatenate([expected - took, certain * (logs - usual)])

    logs = usual.copy()
    for _ in range(STEPS):
        now = errors(logs)
        slopes = [(errors(logs + nudge) - now) / NUDGE for nudge in NUDGE * np.eye(len(figures))]
        step, *_ = np.linalg.lstsq(np.array(slopes).T, -now, rcond=None)
        logs += np.clip(step, -1.5, 1.5)
    return paced(logs)
