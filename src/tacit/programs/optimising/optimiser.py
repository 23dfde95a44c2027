"""The passes in their order, over the bodies and the main graph, until nothing changes any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import msgspec

from tacit.encoding.ring import RING64
from tacit.programs.bounding.analysis import analysed
from tacit.programs.building import Value
from tacit.programs.control import Loop, Over, bodies_of
from tacit.programs.graph import Graph, Hint
from tacit.programs.inference import Checked, CheckedNode, checked_graph
from tacit.programs.optimising.bounded import deciding
from tacit.programs.optimising.chaining import chained
from tacit.programs.optimising.choosing import chosen
from tacit.programs.optimising.comparing import ordered, reusing
from tacit.programs.optimising.dead import living
from tacit.programs.optimising.folding import folded
from tacit.programs.optimising.hoisting import (
    changing_inputs,
    hoistable,
    known_to_run,
    without,
)
from tacit.programs.optimising.knowing import Intervals
from tacit.programs.optimising.pruning import pruned
from tacit.programs.optimising.rewriting import Draft, Rule, first_of, rewritten
from tacit.programs.optimising.scaling import scaled_once
from tacit.programs.optimising.sharing import shared
from tacit.programs.optimising.summing import summing
from tacit.programs.program import Program, ProgramForm

__all__ = ["optimised"]

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


def optimised(program: Program) -> Program:
    """A program with the same inputs and outputs, that costs no more and usually less.

    Results differ by what rounding differs: see ``docs/optimiser.md``.
    """
    return _settled(program, summed=True) or _settled(program, summed=False) or program


Bounded: TypeAlias = Callable[[Intervals], Rule]


def _settled(program: Program, *, summed: bool) -> Program | None:
    """The passes until nothing changes; None where less can be shown of the result than before.

    What is shown not to wrap as it was written must not be refused as it is rewritten. Sums of
    products wait for a turn, so that what is the same is one by then.
    """
    shown = 0
    for turn in range(_MOST_TURNS):
        found = analysed(program, RING64, strict=True, most_tried=_MOST_TRIED)
        if not turn:
            shown = len(found.problems)
        elif summed and len(found.problems) > shown:
            return None
        rules: Sequence[Bounded] = (deciding, summing) if summed and turn else (deciding,)
        changed = _once(program, found.seen, rules)
        if changed == program.form and (turn or not summed):
            break
        program = Program(changed)
    return program


def _once(
    program: Program, intervals: Sequence[Intervals], rules: Sequence[Bounded]
) -> ProgramForm:
    form = program.form
    bodies: list[Checked] = []
    for number, checked in enumerate(program.bodies):
        graph, _ = _passed(checked, bodies, [rule(intervals[number]) for rule in rules])
        bodies.append(checked_graph(graph, bodies))
    graph, origins = _passed(program.main, bodies, [rule(intervals[-1]) for rule in rules])
    graph, bodies, moved = _hoisted(checked_graph(graph, bodies), bodies)
    origins = [origins[place] for place in moved]
    main, kept = pruned(graph, tuple(one.graph for one in bodies))
    hints = tuple(_followed(hint, origins) for hint in form.hints)
    return msgspec.structs.replace(
        form, main=main, bodies=kept, hints=tuple(one for one in hints if one is not None)
    )


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


def _hoisted(main: Checked, bodies: list[Checked]) -> tuple[Graph, list[Checked], list[int]]:
    """Nodes of loops of the main graph that are the same in every round, before the loops.

    Loops in bodies keep theirs: what is outside of all loops is where most is gained.
    """
    graphs = [one.graph for one in bodies]
    uses = Counter(
        body
        for checked in (main, *bodies)
        for node in checked.nodes
        for body in bodies_of(node.attributes)
    )

    def rule(draft: Draft, node: CheckedNode, operands: Sequence[Value]) -> Sequence[Value] | None:
        if not isinstance(node.attributes, Loop | Over) or uses[node.attributes.body] != 1:
            return None
        number = node.attributes.body
        bounds = [draft.array(one) for one in operands[:2]]
        ends = bounds if len(bounds) == 2 else [None, None]
        if not known_to_run(node.attributes, *ends):
            return None
        body = bodies[number]
        changing = changing_inputs(node.attributes)
        found = without(body, hoistable(body, changing))
        if not found.nodes:
            return None
        # The body's captures follow what changes, as the loop's last operands.
        captures = operands[len(operands) - (len(body.graph.inputs) - changing) :]
        values: dict[int, Value] = {changing + k: one for k, one in enumerate(captures)}
        first = len(body.graph.inputs)
        for k, constant in enumerate(body.graph.constants):
            values[first + k] = draft.constant(constant.array)
        for one in found.nodes:
            results = draft.copy(one, [values[value] for value in one.node.operands])
            values.update({one.first + k: result for k, result in enumerate(results)})
        graphs[number] = found.body
        return draft.copy(node, [*operands, *(values[value] for value in found.captures)])

    graph, places = rewritten(main, rule)
    again: list[Checked] = []
    for one in graphs:
        again.append(checked_graph(one, again))
    return graph, again, places
