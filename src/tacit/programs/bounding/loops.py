"""Loops: bounds of their carries that hold in every round.

Declared bounds are an invariant: the first carry must be within them, and a round that begins
within them must end there; a loop whose body may leave them is refused. For carries without a
declaration, in this order:

1. few rounds are followed one by one;
2. an interval is sought that a round keeps. A carry that becomes a · carry + d keeps what
   d / (1 - a) reaches for |a| < 1 (a decay, a momentum), and gains at most n · d in n counted
   rounds for a = 1 (a sum, a descent whose steps are bounded); what d is follows from the linear
   form of the body's result, in which the carry itself cancels (Sankaranarayanan, Sipma and Manna,
   VMCAI 2005, for such templates; Cousot and Cousot, POPL 1977, for widening);
3. more rounds are followed one by one, as far as the work allows;
4. nothing is known.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tacit.errors import RangeError
from tacit.operations.intervals import union
from tacit.operations.types import ArrayType, Bounds
from tacit.programs.bounding.facts import Fact, fresh, known_array, within
from tacit.programs.bounding.forms import Form, difference
from tacit.programs.bounding.forms import symbol as symbol_form
from tacit.programs.bounding.problems import interval, not_inductive, outside
from tacit.programs.control import Loop, Over, Until
from tacit.programs.inference import CheckedNode

if TYPE_CHECKING:
    from tacit.programs.bounding.analysis import Analysis

__all__ = ["MOST_NODES", "of_fori", "of_scan", "of_while"]

FEW: Final = 8
"""So many rounds are followed one by one before anything else is tried."""

MOST_NODES: Final = 6_000
"""So many nodes of bodies are looked at while rounds are followed one by one."""

_TRIES: Final = 8


@dataclass(frozen=True, eq=False)
class _Rounds:
    """A loop as the analysis sees it.

    Attributes
    ----------
    body : int
    carried : int
    first : int
        The body's first carry among its inputs.
    before, after : list of Fact
        The inputs before and after the carries, over all rounds.
    each : callable, optional
        Those of one round, by its number.
    trips : int, optional
        How often the body runs, at most.
    exactly : bool
        Whether it runs so often.
    """

    body: int
    carried: int
    before: list[Fact]
    after: list[Fact]
    each: Callable[[int], tuple[list[Fact], list[Fact]]] | None
    trips: int | None
    exactly: bool

    @property
    def first(self) -> int:
        return len(self.before)


def of_fori(
    analysis: Analysis, number: int, place: int, node: CheckedNode, given: list[Fact]
) -> list[Fact]:
    """A loop over integers."""
    a: Loop = node.attributes
    ends, carries = given[:2], given[2 : 2 + a.carried]
    captures = given[2 + a.carried :]
    known = [None if e.bounds is None else (int(e.bounds[0]), int(e.bounds[1])) for e in ends]
    low, high = known
    exactly = low is not None and high is not None and low[0] == low[1] and high[0] == high[1]
    trips, counted = None, None
    if low is not None and high is not None:
        trips = max(high[1] - low[0], 0)
        counted = (low[0], max(high[1] - 1, low[0]))
    counter = analysis.value(analysis.graphs[a.body].types[0], counted, False)

    def each(k: int) -> tuple[list[Fact], list[Fact]]:
        assert low is not None
        return [analysis.number(low[0] + k)], captures

    loop = _Rounds(
        a.body, a.carried, [counter], captures, each if exactly else None, trips, exactly
    )
    return _carried(analysis, number, place, node, loop, carries)[0]


def of_scan(
    analysis: Analysis, number: int, place: int, node: CheckedNode, given: list[Fact]
) -> list[Fact]:
    """A loop over rows; its stacked results are within those of any round."""
    a: Over = node.attributes
    carries, cut = given[: a.carried], given[a.carried : a.carried + a.sliced]
    captures = given[a.carried + a.sliced :]
    body = analysis.graphs[a.body]
    types = body.types[a.carried : a.carried + a.sliced]

    def rows() -> list[Fact]:
        return [analysis.value(t, f.bounds, f.declared) for t, f in zip(types, cut, strict=True)]

    def each(k: int) -> tuple[list[Fact], list[Fact]]:
        index = a.length - 1 - k if a.reverse else k
        found = [
            fact if f.array is None else known_array(analysis.symbols.new(), f.array[index])
            for fact, f in zip(rows(), cut, strict=True)
        ]
        return [], [*found, *captures]

    loop = _Rounds(a.body, a.carried, [], [*rows(), *captures], each, a.length, True)
    kept, others = _carried(analysis, number, place, node, loop, carries)
    stacked = [
        analysis.value(t, f.bounds, f.declared)
        for t, f in zip(node.results[a.carried :], others, strict=True)
    ]
    if not a.length:
        stacked = [analysis.value(t, (0, 0), False) for t in node.results[a.carried :]]
    return [*kept, *stacked]


def of_while(
    analysis: Analysis, number: int, place: int, node: CheckedNode, given: list[Fact]
) -> list[Fact]:
    """A loop on a public condition: nothing is known of how often it runs."""
    a: Until = node.attributes
    carries, rest = given[: a.carried], given[a.carried :]
    of_condition, of_body = rest[: a.captured], rest[a.captured :]
    invariants = any(analysis.declared(a.body, k) for k in range(a.carried))
    if not invariants and _counts(analysis, a, carries, of_condition):
        followed = _followed(analysis, a, carries, of_condition, of_body)
        if followed is not None:
            return followed
    loop = _Rounds(a.body, a.carried, [], of_body, None, None, False)
    found, _ = _carried(analysis, number, place, node, loop, carries)
    condition = analysis.graphs[a.condition]
    types = condition.types[: a.carried]
    anything = [analysis.value(t, f.bounds, f.declared) for t, f in zip(types, found, strict=True)]
    analysis.graph(a.condition, [*anything, *of_condition])
    return found


def _counts(
    analysis: Analysis, a: Until, carries: Sequence[Fact], of_condition: Sequence[Fact]
) -> bool:
    """Whether the condition is known before the first round."""
    with analysis.trying():
        (going,) = analysis.graph(a.condition, [*carries, *of_condition])
    return going.array is not None


def _followed(
    analysis: Analysis,
    a: Until,
    carries: Sequence[Fact],
    of_condition: Sequence[Fact],
    of_body: Sequence[Fact],
) -> list[Fact] | None:
    """Follow the rounds while the condition is known; None if it is not, or not for long."""
    end = analysis.visited + MOST_NODES // 4
    rounds = []
    current = list(carries)
    try:
        with analysis.trying():
            while analysis.visited < end:
                (going,) = analysis.graph(a.condition, [*current, *of_condition])
                if going.array is None:
                    return None
                if not going.array.item():
                    break
                rounds.append(current)
                current = analysis.graph(a.body, [*current, *of_body])
            else:
                return None
    except RangeError:
        return None
    for before in rounds:  # once more, to be noted
        analysis.graph(a.condition, [*before, *of_condition])
        analysis.graph(a.body, [*before, *of_body])
    analysis.graph(a.condition, [*current, *of_condition])
    return current


def _carried(
    analysis: Analysis,
    number: int,
    place: int,
    node: CheckedNode,
    loop: _Rounds,
    carries: list[Fact],
) -> tuple[list[Fact], list[Fact]]:
    """What is known of the carries at the end, and of the other results over all rounds."""
    where = analysis.where(number, place)
    declared = [analysis.declared(loop.body, loop.first + k) for k in range(loop.carried)]
    for k, (fact, bounds) in enumerate(zip(carries, declared, strict=True)):
        if bounds is not None and not within(fact.bounds, bounds):
            raise analysis.failure(outside(where, f"carry {k}", bounds, fact.bounds))
    if loop.trips == 0:
        count = len(analysis.graphs[loop.body].graph.results) - loop.carried
        return carries, [Fact() for _ in range(count)]
    if loop.each is not None and loop.trips is not None and loop.trips <= FEW:
        found = _unrolled(analysis, loop, carries, declared)
        if found is not None:
            return found
    boxes = _invariant(analysis, loop, carries, declared, dropping=False)
    if boxes is None and loop.each is not None and loop.trips is not None:
        size = max(_size(analysis, loop.body), 1)
        if FEW < loop.trips <= MOST_NODES // size:
            found = _unrolled(analysis, loop, carries, declared)
            if found is not None:
                return found
    if boxes is None:
        boxes = _invariant(analysis, loop, carries, declared, dropping=True)
        assert boxes is not None
        for k, box in enumerate(boxes):
            kind = _types(analysis, loop)[k]
            if box is None and carries[k].bounds is not None and not kind.public:
                text = f"carry {k} begins within {interval(carries[k].bounds)} and may leave any"
                text += " bounds as the rounds go on"
                analysis.problem(number, place, "loop", text + _room(analysis, loop, boxes))
    results = analysis.graph(loop.body, _inputs(analysis, loop, boxes))
    for k, bounds in enumerate(declared):
        if bounds is not None and not within(results[k].bounds, bounds):
            raise analysis.failure(not_inductive(where, f"carry {k}", bounds, results[k].bounds))
    types = _types(analysis, loop)
    kept = []
    for k, (t, box) in enumerate(zip(types, boxes, strict=True)):
        bounds = box
        if loop.exactly and box is not None and results[k].bounds is not None:
            bounds = _meet(box, results[k].bounds)
        kept.append(analysis.value(t, bounds, bounds is not None))
    return kept, results[loop.carried :]


def _room(analysis: Analysis, loop: _Rounds, boxes: Sequence[Bounds | None]) -> str:
    """How wide an invariant of the carries without bounds may be for the body to hold it."""
    if not analysis.strict or analysis.is_trying:
        return ""
    low, high = -18, 62
    while low < high:
        middle = (low + high + 1) // 2
        limit = 2**middle if middle >= 0 else 2.0**middle
        facts = [(-limit, limit) if box is None else box for box in boxes]
        try:
            with analysis.trying():
                found = analysis.graph(loop.body, _inputs(analysis, loop, facts))
            known = all(
                fact.bounds is not None or t.public
                for fact, t in zip(found, _types(analysis, loop), strict=False)
            )
            low, high = (middle, high) if known else (low, middle - 1)
        except RangeError:
            high = middle - 1
    return f"; limits up to ±{2.0**low:g} leave room for a round" if low > -18 else ""


def _meet(box: Bounds, result: Bounds | None) -> Bounds:
    assert result is not None
    low, high = max(box[0], result[0]), min(box[1], result[1])
    return (low, high) if low <= high else box


def _types(analysis: Analysis, loop: _Rounds) -> list[ArrayType]:
    return analysis.graphs[loop.body].types[loop.first : loop.first + loop.carried]


def _size(analysis: Analysis, body: int) -> int:
    return len(analysis.graphs[body].nodes)


def _inputs(analysis: Analysis, loop: _Rounds, boxes: Sequence[Bounds | None]) -> list[Fact]:
    carries = [
        analysis.value(t, box, box is not None)
        for t, box in zip(_types(analysis, loop), boxes, strict=True)
    ]
    return [*loop.before, *carries, *loop.after]


# One by one.


def _unrolled(
    analysis: Analysis, loop: _Rounds, carries: list[Fact], declared: list[Bounds | None]
) -> tuple[list[Fact], list[Fact]] | None:
    """Every round by itself; None where an operation could wrap in one of them.

    Followed twice: only rounds of a loop that ends well are noted.
    """
    try:
        with analysis.trying():
            rounds = list(_each_round(analysis, loop, carries))
    except RangeError:
        return None
    if not all(_keeps(results[: loop.carried], declared) for results in rounds):
        return None
    if not analysis.is_trying:
        rounds = list(_each_round(analysis, loop, carries, limited=False))
    others = [results[loop.carried :] for results in rounds]
    together = [analysis.together([row[k] for row in others]) for k in range(len(others[0]))]
    return rounds[-1][: loop.carried], together


def _keeps(results: Sequence[Fact], declared: Sequence[Bounds | None]) -> bool:
    return all(
        bounds is None or within(fact.bounds, bounds)
        for fact, bounds in zip(results, declared, strict=True)
    )


def _each_round(
    analysis: Analysis, loop: _Rounds, carries: list[Fact], *, limited: bool = True
) -> Iterator[list[Fact]]:
    assert loop.each is not None
    assert loop.trips is not None
    end = analysis.visited + 2 * MOST_NODES
    for k in range(loop.trips):
        if limited and analysis.visited > end:
            raise RangeError("Too many rounds.", next_step="", case=73)
        before, after = loop.each(k)
        results = analysis.graph(loop.body, [*before, *carries, *after])
        carries = results[: loop.carried]
        yield results


# Invariants.


def _invariant(
    analysis: Analysis,
    loop: _Rounds,
    carries: list[Fact],
    declared: list[Bounds | None],
    *,
    dropping: bool,
) -> list[Bounds | None] | None:
    """Intervals that every round keeps; None where none is found for one of the carries.

    With `dropping` those carries for which none is found are given up, one after the other.
    """
    starts = [fact.bounds for fact in carries]
    types = _types(analysis, loop)
    boxes: list[Bounds | None] = [
        start if bounds is None else bounds for start, bounds in zip(starts, declared, strict=True)
    ]
    if not dropping and any(
        box is None and not t.public for box, t in zip(boxes, types, strict=True)
    ):
        return None
    for tried in range(_TRIES + loop.carried + 1):
        symbols = [analysis.symbols.new() for _ in boxes]
        facts = [_carry(s, t, box) for s, t, box in zip(symbols, types, boxes, strict=True)]
        try:
            with analysis.trying():
                results = analysis.graph(loop.body, [*loop.before, *facts, *loop.after])
        except RangeError:
            given_up = [
                box if known is not None else None
                for box, known in zip(boxes, declared, strict=True)
            ]
            if not dropping or given_up == boxes:
                return given_up if dropping else None
            boxes = given_up
            continue
        wider = list(boxes)
        for k, result in enumerate(results[: loop.carried]):
            box, start = boxes[k], starts[k]
            if declared[k] is not None or box is None or start is None:
                continue
            if within(result.bounds, box):
                continue
            gain = _gain(result.form, symbols[k], loop.trips, start)
            if gain is not None and within(gain, box):
                continue
            if result.bounds is None or tried >= _TRIES:
                wider[k] = None
            else:
                wider[k] = _wider(result, symbols[k], box, start, gain, types[k])
        if wider == boxes:
            return boxes
        if not dropping and any(
            w is None and b is not None and not t.public
            for w, b, t in zip(wider, boxes, types, strict=True)
        ):
            return None
        boxes = wider
    if not dropping:
        return None
    return [box if known is not None else None for box, known in zip(boxes, declared, strict=True)]


def _carry(own: Hashable, kind: ArrayType, box: Bounds | None) -> Fact:
    if box is None:
        return fresh(own, kind, None, False)
    form = None if kind.dtype.kind == "bool" else symbol_form(own, box)
    return Fact(box, not kind.public, form)


def _gain(form: Form | None, own: Hashable, trips: int | None, start: Bounds) -> Bounds | None:
    """What a carry that gains d in every round reaches in all of them."""
    if form is None or trips is None or form.terms.get(own, (0, 0))[0] != 1:
        return None
    change = difference(form, symbol_form(own, form.terms[own][1]))
    if change is None:
        return None
    low, high = change.range
    return start[0] + trips * min(low, 0), start[1] + trips * max(high, 0)


def _wider(
    result: Fact, own: Hashable, box: Bounds, start: Bounds, gain: Bounds | None, kind: ArrayType
) -> Bounds:
    """A wider interval to be tried next."""
    assert result.bounds is not None
    if gain is not None:
        return _slightly(union(gain, start), kind)
    factor = 0.0 if result.form is None else float(result.form.terms.get(own, (0, 0))[0])
    if result.form is not None and factor and abs(factor) < 1:
        rest = dict(result.form.terms)
        del rest[own]
        low, high = Form(result.form.constant, rest, result.form.error).range
        if factor > 0:
            found = low / (1 - factor), high / (1 - factor)
        else:
            size = max(abs(low), abs(high)) / (1 + factor)
            found = -size, size
        return _slightly(union(found, start), kind)
    return _slightly(union(result.bounds, box), kind)


def _slightly(bounds: Bounds, kind: ArrayType) -> Bounds:
    """A little wider, so that roundings do not keep it from being stable."""
    if kind.dtype.kind != "fixed":
        return bounds
    unit = 1.0 if kind.public else kind.dtype.resolution
    more = 2.0**-10 * max(abs(bounds[0]), abs(bounds[1])) + 4 * unit
    return bounds[0] - more, bounds[1] + more
