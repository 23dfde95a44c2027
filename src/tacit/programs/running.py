"""A graph as one protocol step: independent nodes run side by side, their rounds merged.

Every node starts as soon as its operands are there. In each round all nodes under way move one
round on, in the same order everywhere, and what they send travels in one message a peer: the
rounds of a graph are those of its longest chain. A node that pipelines chunks has messages of its
own under way, so it waits until it is alone. The schedule depends on the graph and its shapes,
which are public and the same at all parties, so that all of them draw their masks in one order.

A run can also be cut: go on from where another one stood, and stop where it stood later
(``frames.py``, ``segments.py``).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from numpy.typing import NDArray

from tacit.operations.types import Operand, SecretValue, operand_types
from tacit.programs.control import Until
from tacit.programs.frames import Frame, Schedule, Turns, Values, begun
from tacit.programs.inference import CheckedNode
from tacit.programs.public import computed
from tacit.programs.turning import closed, next_body, opened, taken
from tacit.protocols.interface import Party
from tacit.rounds.combine import merged
from tacit.rounds.contract import Round, Step

__all__ = ["LOOK", "PAUSE", "Manner", "frame_step", "graph_step"]

PAUSE: Final = Round(depth=0)
"""Yielded where a manner pauses: nothing is under way but what the frame says."""


LOOK: Final = Round(depth=0)
"""Yielded where nothing has travelled for long, at the same place at all parties: nothing does so
now either, but the driver looks whether time is up or somebody has left. It is no round that is
counted, and it merges with none."""

_LONG: Final = 4096
"""So many nodes: some ten milliseconds of public arithmetic."""


class Manner:
    """How the parts of a graph are run. A plan counts them instead. Made anew for every run.

    Attributes
    ----------
    pauses : bool
        Whether :data:`PAUSE` is yielded wherever a run can be cut at no cost.
    looks : bool
        Whether :data:`LOOK` is yielded in loops that do not communicate.
    """

    pauses = False
    looks = True
    _since = 0

    def works(self, effort: int) -> None:
        """A graph of that effort is about to run."""
        self._since += effort

    def looked(self) -> None:
        """A round, or an empty one, is about to travel."""
        self._since = 0

    @property
    def is_due(self) -> bool:
        """Whether it is time to look; at the same places at all parties."""
        return self._since >= _LONG

    def graph(self, party: Party, schedule: Schedule, operands: Sequence[Operand]) -> Step[Values]:
        """Run a body."""
        return graph_step(party, schedule, operands, self)

    def enters(self, party: Party, schedule: Schedule, operands: Sequence[Operand]) -> bool:
        """Whether a body's run may be cut in the middle."""
        return False

    def operation(
        self, party: Party, node: CheckedNode, operands: Sequence[Operand]
    ) -> Step[Sequence[Any]]:
        """Run an operation of the table."""
        assert node.operation is not None
        return node.operation.evaluate(party, operands, node.attributes)

    def check(self, party: Party, node: CheckedNode, operands: Sequence[Operand]) -> None:
        """Refuse public operands that an operation cannot take; the same at all parties."""
        assert node.operation is not None
        assert node.operation.check is not None
        values = [None if isinstance(one, SecretValue) else one for one in operands]
        node.operation.check(operand_types(operands), values, node.attributes, party.ring)

    def clear(
        self, schedule: Schedule, node: CheckedNode, operands: Sequence[Any]
    ) -> Sequence[NDArray[Any]]:
        """Compute an operation in the clear."""
        return computed(node.node.operation, operands, node.attributes, node.results)

    def goes_on(self, condition: NDArray[Any], rounds: int) -> bool:
        """Whether a loop goes on after so many rounds."""
        return bool(condition.item())


def graph_step(
    party: Party, schedule: Schedule, operands: Sequence[Operand], manner: Manner | None = None
) -> Step[Values]:
    """Run a graph.

    Parameters
    ----------
    party : Party
    schedule : Schedule
    operands : sequence of SecretValue or ndarray
        Its inputs, of the types that it declares.
    manner : Manner
        How its parts are run.

    Returns
    -------
    list of SecretValue or ndarray
        Its results.

    Notes
    -----
    Rounds: the longest chain's. Bytes: the sum over the nodes that run. A value is let go after its
    last use.
    """
    frame = begun(schedule, operands)
    yield from frame_step(party, frame, manner)
    return frame.results()


def frame_step(
    party: Party, frame: Frame, manner: Manner | None = None, until: Frame | None = None
) -> Step[None]:
    """Run a graph on from where it stands: to its end, or to where another run of it stood.

    Parameters
    ----------
    party : Party
    frame : Frame
        Where it stands; changed on the way.
    manner : Manner
        How its parts are run.
    until : Frame, optional
        What has begun there begins here, ends where it has ended, and stops where it stood.
    """
    manner = Manner() if manner is None else manner
    manner.works(frame.schedule.effort)
    checked = frame.schedule.checked
    active = [
        (place, _entered(party, frame, place, manner, until)) for place in sorted(frame.inside)
    ]
    alone: list[tuple[int, Step[Any], Round]] = []
    between: list[tuple[int, Step[Any]]] = []

    def start(place: int) -> None:
        node = checked.nodes[place]
        given = [frame.values[value] for value in node.node.operands]
        if node.public:
            arrays = [one for one in given if not isinstance(one, SecretValue)]
            frame.finished(place, manner.clear(frame.schedule, node, arrays))
            return
        if place in frame.schedule.checking:
            manner.check(party, node, given)
        if node.operation is not None:
            active.append((place, manner.operation(party, node, given)))
        else:
            frame.inside[place] = opened(node.attributes, given)
            active.append((place, _entered(party, frame, place, manner, until)))

    try:
        while True:
            rounds: list[Round] = []
            moved: list[tuple[int, Step[Any]]] = []
            fresh = manner.pauses
            queue, active = deque(active), []
            while True:
                if not queue:
                    if fresh and not rounds and not alone:
                        yield PAUSE
                    fresh = False
                    starting = _startable(frame, until)
                    for place in starting:
                        start(place)
                    queue.extend(between)
                    queue.extend(active)
                    between, active = [], []
                    if not queue:
                        if not starting:
                            break
                        continue  # what was computed in the clear lets others begin
                place, step = queue.popleft()
                try:
                    one = next(step)
                    while one is LOOK:
                        yield one
                        one = next(step)
                except StopIteration as stop:
                    if stop.value is not None:
                        frame.finished(place, stop.value)
                    continue
                if one is PAUSE:
                    between.append((place, step))
                elif one.split:
                    alone.append((place, step, one))
                else:
                    rounds.append(one)
                    moved.append((place, step))
            active = moved
            if rounds:
                manner.looked()
                yield rounds[0] if len(rounds) == 1 else merged(rounds)
            elif alone:
                place, step, one = alone.pop(0)
                yield one
                found = yield from _exclusively(step, alone)
                if found is not None:
                    frame.finished(place, found)
            else:
                break
    finally:
        for _, step in (*active, *between):
            step.close()
        for _, step, _ in alone:
            step.close()


def _startable(frame: Frame, until: Frame | None) -> list[int]:
    """The nodes that begin now; those behind the end of the run stay ready."""
    found = sorted(frame.ready)
    frame.ready.clear()
    if until is not None:
        frame.ready.extend(place for place in found if not until.has(place))
        found = [place for place in found if until.has(place)]
    return found


def _exclusively(step: Step[Any], others: Sequence[Any]) -> Step[Any]:
    """A step to its end that nothing runs beside; no pause while others have begun."""
    try:
        while True:
            try:
                one = next(step)
            except StopIteration as stop:
                return stop.value
            if one is not PAUSE or not others:
                yield one
    finally:
        step.close()


def _entered(
    party: Party, frame: Frame, place: int, manner: Manner, until: Frame | None
) -> Step[Sequence[Any] | None]:
    """The step of a node with bodies that has begun."""
    node = frame.schedule.checked.nodes[place]
    operands = [frame.values[value] for value in node.node.operands]
    target = None if until is None else until.inside.get(place)
    bodies = frame.schedule.bodies
    return _turning(party, bodies, node.attributes, operands, frame.inside[place], manner, target)


def _turning(
    party: Party,
    bodies: Sequence[Schedule],
    attributes: Any,
    operands: Sequence[Any],
    turns: Turns,
    manner: Manner,
    target: Turns | None,
) -> Step[Sequence[Any] | None]:
    """Turn after turn of a node with bodies: its results, or None where it stops at `target`."""
    while True:
        stops = target is not None and turns.turn == target.turn
        inside = target.body if target is not None and stops else None
        if turns.body is None:
            if stops and inside is None:
                return None
            if isinstance(attributes, Until):
                going = yield from _holds(party, bodies, attributes, operands, turns, manner)
                following = next_body(bodies, attributes, operands, turns) if going else None
            else:
                following = next_body(bodies, attributes, operands, turns)
            if following is None:
                return (yield from closed(party, bodies, attributes, turns))
            if inside is not None or manner.enters(party, *following):
                turns.body = begun(*following)
            else:
                found = yield from manner.graph(party, *following)
        if turns.body is not None:
            yield from frame_step(party, turns.body, manner, inside)
            if stops:
                return None
            found = turns.body.results()
            turns.body = None
        taken(attributes, turns, found)
        manner.works(1)
        if manner.is_due:
            manner.looked()
            if manner.looks:
                yield LOOK
        if manner.pauses:
            yield PAUSE


def _holds(
    party: Party,
    bodies: Sequence[Schedule],
    a: Until,
    operands: Sequence[Any],
    turns: Turns,
    manner: Manner,
) -> Step[bool]:
    """Whether a loop's condition holds for another turn."""
    given = [*turns.carries, *operands[a.carried : a.carried + a.captured]]
    (going,) = yield from manner.graph(party, bodies[a.condition], given)
    return manner.goes_on(going, turns.turn)
