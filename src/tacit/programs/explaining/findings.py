"""The findings of a program: what each recipient may learn about others' inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from tacit.programs.explaining.finding import SEVERITIES, Finding, at_least
from tacit.programs.explaining.knowledge import Fact, Knowledge, knowledge_of
from tacit.programs.explaining.outputs import Audience, of_output
from tacit.programs.explaining.regions import Region
from tacit.programs.explaining.values import ALL, Source, Value
from tacit.programs.explaining.walk import Walk
from tacit.programs.graph import EVERYBODY

__all__ = ["findings_of", "parties_of"]

_AGGREGATE = (
    "reveal statistics over many rows only, or keep the output secret (to=None) and go on with it"
)


def parties_of(walk: Walk) -> tuple[str, ...]:
    """All parties that the program names: owners, then other recipients."""
    program = walk.program
    named = [name for output in program.outputs for name in output.to if output.to != EVERYBODY]
    return tuple(dict.fromkeys([*program.owners, *named]))


def findings_of(walk: Walk, few: int) -> tuple[Finding, ...]:
    """All findings, the worst first.

    Parameters
    ----------
    walk : Walk
    few : int
        How many rows a statistic goes over at least.
    """
    parties = parties_of(walk)
    program = walk.program
    open_to_all = any(output.to == EVERYBODY for output in program.outputs)
    found: list[Finding] = list(_of_inputs(walk))
    for party in [*parties, *([""] if open_to_all else [])]:
        found += _of_party(walk, party, few)
    merged = _merged(found, parties, open_to_all)
    order = {severity: place for place, severity in enumerate(SEVERITIES)}
    return tuple(sorted(merged, key=lambda one: (order[one.severity], one.outputs)))


def _merged(
    found: Sequence[Finding], parties: Sequence[str], open_to_all: bool
) -> Iterator[Finding]:
    """One finding for all recipients that it holds for."""
    people: dict[tuple[object, ...], list[str]] = {}
    first: dict[tuple[object, ...], Finding] = {}
    for one in found:
        key = one.severity, one.kind, one.outputs, one.inputs, one.what, one.why
        people.setdefault(key, []).extend(one.recipients)
        first.setdefault(key, one)
    for group, one in first.items():
        names = list(dict.fromkeys(people[group]))
        if open_to_all and "" in names:
            others = [name for name in parties if name not in names]
            names = ["everybody"] if not others else [f"everybody but {' and '.join(others)}"]
        yield Finding(
            one.severity, one.kind, one.outputs, one.inputs, tuple(names), one.what, one.why,
            one.advice,
        )  # fmt: skip


def _of_inputs(walk: Walk) -> Iterator[Finding]:
    """Inputs that are given for nothing, outputs that nobody gets."""
    used = frozenset[int]().union(*(value.inputs for value in walk.outputs))
    for number, one in enumerate(walk.program.inputs):
        if number in walk.of_input and number not in used:
            yield Finding(
                "low", "unused-input", (), (one.name,), (),
                f"No output depends on {one.name}.",
                "Its owner gives it for nothing.",
                "leave it out of the program, or look whether an output is missing.",
            )  # fmt: skip
    for output in walk.program.outputs:
        if not output.to:
            yield Finding(
                "note", "kept-secret", (output.name,), (), (),
                f"Nobody learns {output.name}: it stays secret, in the session.",
                "Whoever reveals it later, or computes on, decides what it tells.",
                "explain the program that goes on with it as well.",
            )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Names:
    """Names of inputs and owners for sentences."""

    walk: Walk

    def of(self, source: Source) -> str:
        one = self.walk.program.inputs[self.number(source)]
        return f"{one.name} ({one.owner + chr(39) + 's' if one.owner else 'shared already'})"

    def number(self, source: Source) -> int:
        return next(i for i, s in self.walk.of_input.items() if s == source.number)


def _of_party(walk: Walk, party: str, few: int) -> Iterator[Finding]:
    program = walk.program
    learned = [
        (output.name, value)
        for output, value in zip(program.outputs, walk.outputs, strict=True)
        if output.to == EVERYBODY or party in output.to
    ]
    if not learned:
        return
    own = {
        source: Region.everything(walk.shapes[source])
        for number, source in walk.of_input.items()
        if party and program.inputs[number].owner == party
    }
    audience = Audience(walk, party, few)
    knowledge = knowledge_of(
        learned, own, walk.sources, few, walk.solving, walk.naming, walk.trying
    )
    unsolved = knowledge.unsolved | walk.large
    walk.unsolved |= unsolved & {name for name, _ in learned}
    told = {
        (name, number) for number in _whole(walk, knowledge) for name, _ in learned
    }  # nothing is left to tell of them
    named: set[tuple[str, int]] = set()
    for one in _of_facts(walk, party, knowledge, learned, audience):
        pairs = {(output, audience.number(name)) for output in one.outputs for name in one.inputs}
        if one.severity == "high":
            told |= pairs
        if at_least(one.severity, "medium"):
            named |= pairs
        yield one
    yield from _of_isolated(walk, party, knowledge, audience, told)
    for name, value in learned:
        yield from of_output(audience, name, value, told, named, name in unsolved)


def _whole(walk: Walk, knowledge: Knowledge) -> frozenset[int]:
    """The inputs of which everything is known."""
    known: dict[int, Region] = {}
    for fact in knowledge.facts:
        number = fact.source.number
        known[number] = fact.region.joined(known.get(number))
    return frozenset(i for i, s in walk.of_input.items() if s in known and known[s].whole)


def _of_facts(
    walk: Walk,
    party: str,
    knowledge: Knowledge,
    learned: Sequence[tuple[str, Value]],
    audience: Audience,
) -> Iterator[Finding]:
    names = _Names(walk)
    values = dict(learned)
    whole = {walk.program.inputs[i].name for i in _whole(walk, knowledge)}
    for fact in knowledge.facts:
        source = fact.source
        if source.how == "input":
            yield _revealed(names, fact, values, party)
        else:
            inputs = audience.foreign_of(source)
            if (
                not whole.issuperset(inputs)
                and source.how in _TELLING
                and _rows_before(source) < audience.few
            ):
                yield _told(fact, tuple(inputs), party)


def _rows_before(source: Source) -> int:
    """How many rows each operand of an operation goes over already."""
    return max((one.reach[ALL].rows for one in source.of if ALL in one.reach), default=1)


def _revealed(names: _Names, fact: Fact, values: Mapping[str, Value], party: str) -> Finding:
    source = fact.source
    count, size = fact.region.count, prod(source.shape)
    which = f"All {size:,} elements of " if count == size else f"{count:,} of {size:,} elements of "
    which = "" if size == 1 else which
    place = ""
    if count == 1 < size and fact.region.first is not None:
        place = f" (that at [{', '.join(map(str, fact.region.first))}])"
    outputs = " and ".join(fact.outputs) or "the outputs"
    several = len(fact.outputs) > 1
    undone = f" after undoing {', '.join(fact.through)}" if fact.through else ""
    if fact.packed:
        kind = "packed"
        why = f"{outputs} holds several numbers as its digits: within these bounds, times weights that grow faster than they can add up, they can be taken apart again{undone}."  # noqa: E501
    elif fact.together:
        kind = "together"
        why = f"{outputs} each tell a part of each number (bits, signs, ranges), and together all of it{undone}."  # noqa: E501
    elif several:
        kind = "difference"
        why = f"{outputs} are different combinations of the same elements: solved as equations{undone}, they leave one element each."  # noqa: E501
    elif any(
        names.walk.program.inputs[i].owner == party and party
        for i in values[fact.outputs[0]].inputs
    ):
        kind = "own-subtracted"
        why = f"{outputs} is known, and so is the recipient's own part; what is left can be solved for the elements{undone}."  # noqa: E501
    else:
        kind = "reveals-input"
        why = f"{outputs} is made of it by steps that can be undone{undone}."
    return Finding(
        "high", kind, fact.outputs, (names.walk.program.inputs[names.number(source)].name,),
        (party,),
        f"{which}{names.of(source)}{place} can be worked out exactly.",
        why,
        "reveal them one by one, if they are meant to be known, or a sum with equal weights."
        if fact.packed
        else _AGGREGATE + ("; leave one of these outputs out, or round them." if several else "."),
    )  # fmt: skip


_TELLING: Mapping[str, tuple[str, str, str, str]] = {
    "sign": (
        "high", "up to sign", "{op} shows the size of each element; only its sign is hidden.",
        "aggregate over many rows before revealing",
    ),
    "part": (
        "medium", "partly", "{op} leaves part of the elements as they are, or nearly so.",
        "aggregate over many rows before revealing",
    ),
    "order": (
        "high", "values without their places",
        "{op} shows every value; only whose it is is hidden, and a rare value tells that too.",
        "reveal quantiles over many rows, rounded, instead of the sorted values",
    ),
    "extreme": (
        "medium", "a value of one row",
        "{op} gives the value of a single row, often the one that stands out.",
        "reveal a quantile further inside, or a rounded value; add noise (differential privacy)",
    ),
    "index": (
        "medium", "which row", "{op} tells which row, or which class, comes before others.",
        "reveal it only if the position is meant to be known",
    ),
    "bit": (
        "low", "a yes or no", "{op} gives one bit about each of its elements.",
        "repeated with other limits it gives the value: bound how often the program may run",
    ),
}  # fmt: skip


def _told(fact: Fact, inputs: tuple[str, ...], party: str) -> Finding:
    severity, title, why, advice = _TELLING[fact.source.how]
    count = fact.region.count
    about = " and ".join(inputs)
    results = "The result" if count == 1 else f"{count:,} results"
    shown = f"{results} of {fact.source.operation} on {about}"
    return Finding(
        severity, fact.source.how, fact.outputs, inputs, (party,),  # type: ignore[arg-type]
        f"{shown} can be worked out: {title}.",
        why.format(op=fact.source.operation),
        advice + ".",
    )  # fmt: skip


def _of_isolated(
    walk: Walk,
    party: str,
    knowledge: Knowledge,
    audience: Audience,
    told: set[tuple[str, int]],
) -> Iterator[Finding]:
    """Statistics of few rows: of one output, or of the difference of several."""
    done: set[tuple[object, ...]] = set()
    for one, outputs in knowledge.isolated:
        source = walk.sources[one.source]
        inputs = audience.foreign_of(source)
        if one.effective is not None and len(outputs) == 1:
            continue
        if not inputs or (len(outputs) == 1 and one.rows > 1 and source.rows is None):
            continue
        if all((o, audience.number(i)) in told for o in outputs for i in inputs):
            continue
        key = outputs, tuple(inputs), one.rows
        if key in done:
            continue
        done.add(key)
        rows = f"{one.rows} row{'s' if one.rows > 1 else ''}"
        if one.effective is not None:
            rows = f"{one.effective:.1f} rows in effect"
        about = " and ".join(inputs)
        alone = len(outputs) == 1
        told.update((o, audience.number(i)) for o in outputs for i in inputs)
        yield Finding(
            "high" if one.rows == 1 or not alone else "medium",
            "few-rows" if alone else "difference",
            outputs, tuple(inputs), (party,),
            f"A statistic of only {rows} of {about} can be worked out.",
            f"{outputs[0]} goes over so few rows."
            if alone
            else f"{' and '.join(outputs)} differ in these rows alone: subtracting one from the"
            " other leaves them."
            if one.effective is None
            else f"{' and '.join(outputs)} can be combined so that few rows have nearly all the"
            " weight.",
            f"let every statistic, and every difference of two, go over at least {audience.few}"
            " rows.",
        )  # fmt: skip
