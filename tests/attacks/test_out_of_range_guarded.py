"""An input out of range in a guarded session: refused by all alike, and nobody is blamed for more.

A corrupt owner leaves out its encoder. All others raise the same error; no conference takes place,
and their session goes on among the four. So it is for an owner that was dropped and is served.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from guarded import run, shared
from hub import Sent
from simulation import FOUR

import tacit
from tacit.encoding import RING64
from tacit.errors import InputRefusedError
from tacit.ml.evaluation import ScoreCounts
from tacit.ml.kept import KeptTraining
from tacit.ml.metrics import BINS
from tacit.ml.plan import TrainingPlan
from tacit.ml.ways import TrainingJob

LIMITS = (-128, 127)
HONEST = [name for name in FOUR if name != "carol"]


def put(mpc: tacit.Computation, name: str, value: int) -> str:
    """What carol shares past its encoder: the error that this party gets, or nothing."""
    session: Any = mpc.session
    own = RING64.elements(np.array([0, value], object)) if name == "carol" else None
    try:
        session.input_elements(2, own, tacit.int8, (2,), LIMITS)
    except InputRefusedError as error:
        return f"{error.code} {error.parties[0]}"
    return ""


def program(mpc: tacit.Computation, name: str) -> Any:
    x = shared(mpc, name, "alice", [3, -4])
    found = [put(mpc, name, value) for value in (128, 127, -(1 << 63))]
    y = shared(mpc, name, "bob", [5, 6])
    return found, (x * y).reveal(to="all").tolist()


def test_it_is_refused_by_all_alike_and_the_four_go_on() -> None:
    hub = run(program)
    assert hub.outcome.errors == {}
    for name in FOUR:
        seen = hub.outcome.results[name]
        assert seen.value == (["TC-5400 carol", "", "TC-5400 carol"], [15, -24])
        assert seen.incidents == []
        assert len(seen.stage.members) == 4


def test_one_that_is_dropped_and_served_is_refused_too() -> None:
    """carol alters a digest first: a pair, of which it is dropped, and still may put in."""
    served = set()
    for place in (20, 30, 50, 70, 90):
        hub = run(program, alteration(place), corrupt="carol")
        for name in HONEST:
            assert name not in hub.outcome.errors, hub.outcome.errors
            seen = hub.outcome.results[name]
            assert seen.value == (["TC-5400 carol", "", "TC-5400 carol"], [15, -24])
            served |= {seen.stage.served for i in seen.incidents if i.operation == "share"}
    assert "carol" in served


def evaluated(mpc: tacit.Computation, name: str) -> Any:
    """The last phase of a training with guaranteed output; the model was opened before it."""
    plan = TrainingPlan((1, 1, 1, 1), 1, 1, 1, 1.0)
    job = TrainingJob(plan, b"", np.zeros(1, bool))
    session: Any = mpc.session
    zeros = np.zeros(BINS, np.int64)
    counts = ScoreCounts(zeros - 1 if name == "carol" else zeros + 2, zeros, 0.5)
    found, whose = KeptTraining(session, job, None, None).evaluate(counts, range(4), range(4))
    assert found is not None
    return whose, found.negatives.tolist(), found.squared_error


def test_counts_out_of_range_do_not_take_the_model_from_the_others() -> None:
    """A recipient that has the model already could else end the job before the others keep it."""
    hub = run(evaluated)
    assert hub.outcome.errors == {}
    for name in FOUR:
        assert hub.outcome.results[name].value == ((0, 1, 3), [6] * BINS, 1.5)


def alteration(place: int) -> Callable[[Sent], Sequence[bytes]]:
    """An adversary that alters one message of carol that has check values."""
    count = 0

    def altered(message: Sent) -> Sequence[bytes]:
        nonlocal count
        if message.sender == "carol" and len(message.payload) >= 32:
            count += 1
            if count == place:
                return (message.payload[:-1] + bytes([message.payload[-1] ^ 1]),)
        return (message.payload,)

    return altered
