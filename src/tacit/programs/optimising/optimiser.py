"""The passes in their order, over the bodies and the main graph, until nothing changes any more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import msgspec

from tacit.encoding.ring import RING64
from tacit.errors import TacitError
from tacit.programs.bounding.analysis import Found, analysed
from tacit.programs.form import ProgramForm
from tacit.programs.graph import Graph, Hint
from tacit.programs.inference import Checked, checked_graph
from tacit.programs.optimising.bounded import deciding
from tacit.programs.optimising.chaining import chained
from tacit.programs.optimising.choosing import chosen
from tacit.programs.optimising.comparing import ordered, reusing
from tacit.programs.optimising.dead import living
from tacit.programs.optimising.folding import folded
from tacit.programs.optimising.holding import holds
from tacit.programs.optimising.knowing import Intervals
from tacit.programs.optimising.looping import Loops
from tacit.programs.optimising.one_sided import one_sided
from tacit.programs.optimising.pruning import pruned
from tacit.programs.optimising.rewriting import Rule, first_of, rewritten
from tacit.programs.optimising.scaling import scaled_once
from tacit.programs.optimising.sharing import shared
from tacit.programs.optimising.summing import summing
from tacit.programs.program import Program

__all__ = ["MEMORY", "optimised"]

MEMORY: Final = 1 << 30
"""Bytes that a party may hold at most, unless it does so anyway."""

_UNDER_WAY: Final = 16
"""A function holds no more than so many times what its operands take."""

_MOST_TRIES: Final = 6

_MOST_TURNS: Final = 8

_MOST_TRIED: Final = 3_000
"""Bounds of loops that are not found after so many nodes stay unknown: compiling is to be quick."""

Changed: TypeAlias = tuple[Graph, list[int]]
Pass: TypeAlias = Callable[[Checked], Changed]


def passes(bodies: Sequence[Checked]) -> tuple[Pass, ...]:
    """Of one graph, which runs bodies: each gives the new graph and its nodes' former places."""
    return (
        lambda checked: rewritten(checked, folded),
        lambda checked: rewritten(checked, chosen),
        lambda checked: rewritten(checked, ordered),
        lambda checked: rewritten(checked, shared(bodies)),
        lambda checked: rewritten(checked, reusing(checked)),
        lambda checked: rewritten(checked, scaled_once),
        lambda checked: rewritten(checked, chained),
        living,
    )


Bounded: TypeAlias = Callable[[Intervals], Rule]


@dataclass(frozen=True, slots=True)
class _Manner:
    """How far the passes go.

    Attributes
    ----------
    summed : bool
        Whether sums of products are rewritten.
    room : int
        Bytes that the rows of a loop may take at once.
    """

    summed: bool
    room: int


@dataclass(frozen=True, slots=True)
class _Settled:
    """What the passes made of a program.

    Attributes
    ----------
    program : Program
    largest : int
        Bytes that the rows of a loop that was spread take at once, about.
    held : bool
        Whether it is known to be accepted where the program was that it comes from.
    """

    program: Program
    largest: int
    held: bool


def optimised(program: Program, memory: int = MEMORY) -> Program:
    """A program with the same inputs and outputs, that costs no more and usually less.

    Results differ by what rounding differs: see ``docs/optimiser.md``.
    """
    found = _within(program, memory)
    return found.program if found.held or holds(program, found.program) else program


def _within(program: Program, memory: int) -> _Settled:
    """With as many rows at once as there is room for."""
    found = _best(program, memory)
    if not found.largest or found.largest * _UNDER_WAY < memory:
        return found
    before = _peak(program)
    if before is None:
        return found
    size, held = 0, before
    for _ in range(_MOST_TRIES):
        peak = _peak(found.program)
        if peak is None or peak <= max(memory, before):
            return found
        # What is held grows with the rows that go through at once: a straight line.
        slope = (peak - held) / (found.largest - size) if found.largest != size else 0
        size, held = found.largest, peak
        room = int(0.95 * (size - (peak - memory) / slope)) if slope > 0 else 0
        if memory <= before or not 0 < room < size:
            break
        found = _best(program, room)
    return _best(program, 0)


def _best(program: Program, room: int) -> _Settled:
    for manner in (_Manner(True, room), _Manner(False, room), _Manner(True, 0)):
        found = _settled(program, manner)
        if found is not None:
            return found
    found = _settled(program, _Manner(False, 0), sure=True)
    assert found is not None
    return found


def _peak(program: Program) -> int | None:
    """Bytes that a party holds at most, as planned."""
    try:
        return program.plan("replicated3", seconds=False).memory_peak
    except TacitError:  # parties of other protocols, loops on what is not known beforehand
        return None


def _settled(program: Program, manner: _Manner, *, sure: bool = False) -> _Settled | None:
    """The passes until nothing changes; None where less can be shown of the result than before.

    What is shown not to wrap as it was written must not be refused as it is rewritten; not looked
    at if `sure`. Sums of products wait for a turn, so that what is the same is one by then.
    """
    before = program
    shown = largest = 0
    ran = held = False
    for turn in range(_MOST_TURNS):
        try:
            found = analysed(program, RING64, strict=True, most_tried=_MOST_TRIED)
        except TacitError:  # an invariant of a loop does not follow any more
            return _Settled(before, 0, held=True) if sure else None
        if not turn:
            shown, ran = len(found.problems), not _wraps(found)
        elif not sure and len(found.problems) > shown:
            return None
        summed = manner.summed and turn > 0
        rules: Sequence[Bounded] = (
            (deciding, one_sided, summing) if summed else (deciding, one_sided)
        )
        changed, size = _once(program, found.seen, rules, manner.room)
        largest = max(largest, size)
        if changed == program.form and summed == manner.summed:
            held = not found.problems or (shown > 0 and ran and not _wraps(found))
            break
        program = Program(changed)
    return _Settled(program, largest, held)


def _wraps(found: Found) -> bool:
    return any(one.why == "wraps" for one in found.problems)


def _once(
    program: Program, intervals: Sequence[Intervals], rules: Sequence[Bounded], room: int
) -> tuple[ProgramForm, int]:
    form = program.form
    bodies: list[Checked] = []
    for number, checked in enumerate(program.bodies):
        graph, _ = _passed(checked, bodies, [rule(intervals[number]) for rule in rules])
        bodies.append(checked_graph(graph, bodies))
    graph, origins = _passed(program.main, bodies, [rule(intervals[-1]) for rule in rules])
    loops = Loops(checked_graph(graph, bodies), bodies, room)
    loops.rewrite()
    origins = [origins[place] for place in loops.origins]
    main, kept = pruned(loops.main.graph, tuple(one.graph for one in loops.bodies))
    hints = tuple(_followed(hint, origins) for hint in form.hints)
    changed = msgspec.structs.replace(
        form, main=main, bodies=kept, hints=tuple(one for one in hints if one is not None)
    )
    return changed, loops.largest


def _passed(checked: Checked, bodies: Sequence[Checked], bounded: Sequence[Rule]) -> Changed:
    graph, origins = rewritten(checked, first_of(bounded))
    checked = checked_graph(graph, bodies)
    for one in passes(bodies):
        graph, places = one(checked)
        origins = [origins[place] for place in places]
        checked = checked_graph(graph, bodies)
    return checked.graph, origins


def _followed(hint: Hint, origins: Sequence[int]) -> Hint | None:
    """A hint about what became of its nodes."""
    places = [new for new, old in enumerate(origins) if hint.first <= old <= hint.last]
    return Hint(places[0], places[-1], hint.protocol) if places else None
