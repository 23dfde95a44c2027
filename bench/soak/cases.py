"""Cases: a program, a protocol and a fault, drawn from a seed; how they must end."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.soak.faults import Corruption, Disturbance, Fault
from bench.soak.job import Orders
from bench.soak.programs import PROGRAMS, Found, judged
from tacit.errors import PeerFaultError, TacitError, TransportError
from tacit.network import NetworkSettings
from tacit.protocols import protocol_named
from tacit.sessions import PartyProcesses
from tacit.sessions.session import checked_parties

__all__ = ["PROTOCOLS", "SETTINGS", "Case", "Outcome", "alive", "drawn", "run"]

PROTOCOLS: Final[Mapping[str, tuple[Fault, ...]]] = {
    "fantastic4": ("none", "kill", "kill", "pause", "long pause", "tamper", "tamper", "tamper"),
    "replicated3_active": ("none", "kill", "pause", "tamper"),
    "replicated3": ("none", "kill", "pause"),
}
"""What goes wrong under each, more often what is named more often."""

SETTINGS: Final = NetworkSettings(heartbeat_timeout=4.0, patience=6.0, close_timeout=1.0)
"""Short waits: an honest party on a busy machine must not look like a lost one."""

SHORT_PAUSE, LONG_PAUSE = 1.0, 30.0
"""Seconds: far below the time-outs, and far above."""

MOST_SECONDS: Final = 180.0
"""A case that takes longer hangs."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case.

    Attributes
    ----------
    number : int
        Its place in the run; with the run's seed it fixes all the others.
    program, protocol : str
    seed : int
        Of the program.
    fault : Fault
    victim : str
        The party that fails or deviates.
    moment : float
        When, as a fraction of the seconds that the program takes.
    corruption : Corruption or None
        What the victim does where it deviates.
    """

    number: int
    program: str
    protocol: str
    seed: int
    fault: Fault
    victim: str
    moment: float
    corruption: Corruption | None

    def __str__(self) -> str:
        how = "" if self.corruption is None else f" ({self.corruption.how}"
        how += "" if self.corruption is None else ", always)" * self.corruption.always or ")"
        return f"case {self.number}: {self.program} under {self.protocol}, {self.fault}{how}" + (
            "" if self.fault == "none" else f" at {self.victim}"
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a case ended.

    Attributes
    ----------
    case : Case
    end : {"right", "recovered", "ended", "wrong", "hung"}
        With the right result at all; with it after a fault; with the error that the protocol
        promises; anything else; not at all.
    seconds : float
        From the moment when all parties were there.
    problem : str
        What is wrong.
    """

    case: Case
    end: str
    seconds: float
    problem: str = ""


def drawn(seed: int, number: int) -> Case:
    """The case with this number in a run with this seed."""
    rng = np.random.default_rng([seed, number])
    protocol = rng.choice(["fantastic4", "fantastic4", "fantastic4", *PROTOCOLS])
    parties = checked_parties(protocol_named(protocol), None)
    faults = PROTOCOLS[protocol]
    fault = faults[rng.integers(len(faults))]
    corruption = None
    if fault == "tamper":
        how = str(rng.choice(["flip", "flip", "flip", "check", "short", "silent"]))
        corruption = Corruption(
            int(rng.integers(1, 150)),
            bool(rng.integers(2)),
            how,  # type: ignore[arg-type]
            int(rng.integers(1 << 30)),
        )
    return Case(
        number,
        str(rng.choice(sorted(PROGRAMS))),
        str(protocol),
        int(rng.integers(1 << 30)),
        fault,
        parties[rng.integers(len(parties))],
        float(rng.random()),
        corruption,
    )


def run(case: Case, pace: float, evidence: Path | None = None) -> Outcome:
    """Run a case to its end.

    Parameters
    ----------
    case : Case
    pace : float
        Seconds that such a program takes without a fault.
    """
    parties = checked_parties(protocol_named(case.protocol), None)
    goes_on = protocol_named(case.protocol).security.outcome == "guaranteed output"
    corrupt = "" if case.corruption is None else case.victim
    orders = {
        name: Orders(case.program, case.seed, corrupt, case.corruption if name == corrupt else None)
        for name in parties
    }
    found: dict[str, list[Found]] = {}
    error: TacitError | None = None
    hung = threading.Event()
    with PartyProcesses(
        parties,
        "bench.soak.job",
        orders,
        protocol=case.protocol,
        settings=SETTINGS,
        threads=1,
        tolerate=1 if goes_on else 0,
    ) as processes:
        start = time.monotonic()
        numbers = processes.identifiers

        def stop() -> None:
            hung.set()
            for number in numbers.values():
                os.kill(number, signal.SIGKILL)

        watchdog = threading.Timer(MOST_SECONDS, stop)
        watchdog.start()
        pause = SHORT_PAUSE if case.fault == "pause" else LONG_PAUSE
        disturbance = Disturbance(numbers[case.victim], case.fault, case.moment * pace, pause)
        try:
            found = processes.results()
        except TacitError as caught:
            error = caught
        finally:
            seconds = time.monotonic() - start
            watchdog.cancel()
            disturbance.end()
        overcome = len(processes.incidents)
    problem = _problem(case, found, error, goes_on)
    end = "right" if error is None and not overcome else "recovered" if error is None else "ended"
    if hung.is_set():
        end, problem = "hung", f"no end after {MOST_SECONDS:.0f} seconds"
    elif problem:
        end = "wrong"
    left = [name for name, number in numbers.items() if alive(number)]
    if left and not problem:
        end, problem = "wrong", f"processes are left: {', '.join(left)}"
    return Outcome(case, end, seconds, problem)


def _problem(
    case: Case, found: Mapping[str, list[Found]], error: TacitError | None, goes_on: bool
) -> str:
    """What is not as the protocol promises; empty if all is."""
    disturbed = case.fault in ("kill", "long pause", "tamper")
    if error is not None:
        if disturbed and not goes_on and isinstance(error, TransportError | PeerFaultError):
            return ""
        return f"an error that nobody promised: {error}"
    honest = list(checked_parties(protocol_named(case.protocol), None))
    if disturbed:
        honest.remove(case.victim)
    missing = [name for name in honest if name not in found]
    if missing:
        return f"no result at {', '.join(missing)}"
    if any(found[name] != found[honest[0]] for name in honest):
        return "honest parties have different results"
    results = found[honest[0]]
    refused = {one.get("party") for one in results if one.get("refused") == "lost"}
    if refused - {case.victim if disturbed else None}:
        return f"the input of an honest party was refused as that of a lost one: {refused}"
    return judged(case.program, case.seed, results)


def alive(process: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def without_fault(case: Case) -> Case:
    """The same program with nothing going wrong."""
    return replace(case, fault="none", corruption=None)


def plain_data(outcome: Outcome) -> dict[str, Any]:
    """For the log."""
    return {
        "case": outcome.case.number,
        "what": str(outcome.case),
        "end": outcome.end,
        "seconds": round(outcome.seconds, 3),
        "problem": outcome.problem,
    }
