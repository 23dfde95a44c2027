"""What one output tells by its kind alone: rows, groups, counts, models, bits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tacit.programs.explaining.dominance import effective_rows
from tacit.programs.explaining.finding import SEVERITIES, Finding, Severity
from tacit.programs.explaining.rows import per_row, rows_of
from tacit.programs.explaining.values import Source, Value
from tacit.programs.explaining.walk import Walk

__all__ = ["Audience", "of_output"]

_ONE: Final = 2.0
"""Fewer rows in effect than so many are one row, nearly in the clear."""

_ROUNDED: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Audience:
    """A recipient.

    Attributes
    ----------
    walk : Walk
    party : str
        Its name; empty for any party that gives nothing.
    few : int
        Statistics go over so many rows at least.
    """

    walk: Walk
    party: str
    few: int

    def foreign(self, inputs: Collection[int]) -> list[int]:
        """Those inputs that others give."""
        given = self.walk.program.inputs
        return [i for i in sorted(inputs) if not self.party or given[i].owner != self.party]

    def foreign_of(self, source: Source) -> list[str]:
        """The names of others' inputs that a source depends on."""
        if source.how == "input":
            numbers = [i for i, s in self.walk.of_input.items() if s == source.number]
        else:
            numbers = sorted(frozenset[int]().union(*(one.inputs for one in source.of)))
        return self.names(self.foreign(numbers))

    def names(self, numbers: Sequence[int]) -> list[str]:
        """Names of inputs."""
        return [self.walk.program.inputs[i].name for i in numbers]

    def others_learn(self, output: str) -> bool:
        """Whether somebody else learns an output."""
        return any(
            one.name == output and one.to != (self.party,) for one in self.walk.program.outputs
        )

    def number(self, name: str) -> int:
        """The number of an input."""
        return next(i for i, one in enumerate(self.walk.program.inputs) if one.name == name)


def of_output(
    audience: Audience,
    name: str,
    value: Value,
    told: Collection[tuple[str, int]],
    named: Collection[tuple[str, int]],
    unsolved: bool,
) -> Iterator[Finding]:
    """Findings of one output for one recipient.

    Parameters
    ----------
    audience : Audience
    name : str
    value : Value
    told : collection of (output, input)
        What has a worse finding already.
    named : collection of (output, input)
        What has a finding that is not low already.
    unsolved : bool
        Whether it was too large to be solved together with others.
    """
    foreign = audience.foreign(value.inputs)
    inputs = tuple(audience.names(foreign))

    def finding(severity: Severity, kind: str, what: str, why: str, advice: str) -> Finding:
        return Finding(severity, kind, (name,), inputs, (audience.party,), what, why, advice)

    if not value.inputs or 0 in value.shape:
        yield finding(
            "note", "constant", f"{name} depends on no secret input.",
            "Everybody can compute it from the program alone.",
            "leave it out.",
        )  # fmt: skip
        return
    if not foreign:
        if audience.others_learn(name):
            return
        yield finding(
            "note", "own-only", f"{name} depends on {audience.party}'s own inputs alone.",
            f"{audience.party} could compute it without anybody.",
            "leave it out, or compute it in the clear.",
        )  # fmt: skip
        return
    open_inputs = [i for i in foreign if (name, i) not in told]
    for one in _picked(audience, value, name, open_inputs, named):
        told_here = {audience.number(i) for i in one.inputs} if one.severity == "high" else set()
        open_inputs = [i for i in open_inputs if i not in told_here]
        yield one
    if value.trained:
        every = tuple(audience.names(sorted(value.inputs)))
        yield Finding(
            "medium", "trained", (name,), every, (audience.party,),
            f"{name} is fitted to {' and '.join(every)}.",
            "What is learned from rows can remember single ones: models are known to give away"
            " rows they were trained on, and whether somebody was among them.",
            "train with differential privacy, keep the model secret and reveal predictions only, or"
            " agree on the risk.",
        )  # fmt: skip
        return
    if not open_inputs:
        return
    yield from _by_rows(audience, value, name, open_inputs, finding, unsolved)


def _picked(
    audience: Audience,
    value: Value,
    name: str,
    foreign: Sequence[int],
    named: Collection[tuple[str, int]],
) -> Iterator[Finding]:
    """What the recipient can single out by its own numbers: the worst alone."""
    found: list[Finding] = []
    given = audience.walk.program.inputs
    for pick, reaches in value.picked.items():
        rows = {i: reach.rows for i, reach in reaches.items() if i in foreign}
        mine = all(audience.party and given[i].owner == audience.party for i in pick.inputs)
        if not mine or not rows or value.type.dtype.kind == "bool":
            continue
        own = " and ".join(audience.names(sorted(pick.inputs)))
        asked = any(_kept(value, i) for i in pick.inputs) and not any(
            _kept(value, i) for i in foreign
        )
        few = tuple(i for i in foreign if (name, i) not in named)
        if asked and few and pick.among.intersection(foreign):
            found.append(_queries(audience, value, name, own, few))
        elif not asked and max(rows.values()) < audience.few:
            fewer = any(value.reach[i].rows > rows[i] for i in rows if i in value.reach)
            if fewer or pick.direct:
                found.append(_chosen(audience, name, own, tuple(sorted(rows)), rows, value.count))
    order = {severity: place for place, severity in enumerate(SEVERITIES)}
    yield from sorted(found, key=lambda one: order[one.severity])[:1]


def _kept(value: Value, number: int) -> bool:
    """Whether different elements belong to different rows of an input, be there one or more."""
    reach = value.reach.get(number)
    return reach is not None and reach.axis is not None and reach.axis < len(value.shape)


def _chosen(
    audience: Audience,
    name: str,
    own: str,
    foreign: tuple[int, ...],
    rows: Mapping[int, int],
    count: bool,
) -> Finding:
    most = max(rows.values())
    about = " and ".join(audience.names(foreign))
    given = audience.walk.program.inputs
    vectors = any(len(one.type.shape) == 1 for one in given if one.name in own.split(" and "))
    single = "one row" if most <= 1 else f"as few as {most} rows"
    return Finding(
        "high" if most <= 1 and not count else "medium",
        "chosen-weights", (name,), tuple(audience.names(foreign)), (audience.party,),
        f"{audience.party} can single out {single} of {about} in {name} by what it gives as {own}.",
        f"{own} weighs, selects or looks up the numbers of others: with a single 1, and zeros else,"
        " what comes out is a value of one row, or a column as it is.",
        f"fix {own} in the program (public numbers), declare bounds that keep the weights alike, or"
        f" withhold what goes over too few: tacit.where(({own} != 0).sum() >= {audience.few}, …,"
        f" 0){'; or, if it is one question to a model, give it the shape (1, n)' * vectors}.",
    )  # fmt: skip


def _queries(
    audience: Audience, value: Value, name: str, own: str, foreign: tuple[int, ...]
) -> Finding:
    about = " and ".join(audience.names(foreign))
    return Finding(
        "medium", "queries", (name,), tuple(audience.names(foreign)), (audience.party,),
        f"Each row of {own} is a question to {about} that {audience.party} chooses.",
        "Answers to enough chosen questions rebuild a model, or tell what it was made of. That is"
        " the usual case of a prediction for one's own row.",
        "bound how many questions may be asked, reveal classes or rounded scores only, or agree on"
        " the risk.",
    )  # fmt: skip


def _dominated(audience: Audience, value: Value, foreign: Sequence[int]) -> float | None:
    """How many rows a weighted sum goes over in effect, if those are too few."""
    found = effective_rows(audience.walk, value, foreign)
    if found is None:
        return None
    effective, plain = found
    return effective if effective < audience.few - _ROUNDED and plain >= audience.few else None


def _by_rows(
    audience: Audience,
    value: Value,
    name: str,
    foreign: Sequence[int],
    finding: Callable[[Severity, str, str, str, str], Finding],
    unsolved: bool,
) -> Iterator[Finding]:
    about = " and ".join(audience.names(foreign))
    each = [i for i in foreign if per_row(value, i)]
    rows = rows_of(audience.walk, value, foreign)
    if each:
        named = " and ".join(audience.names(each))
        yield finding(
            "medium", "row-by-row", f"{name} has a result for each row of {named}.",
            "Each is about one row (a person, a transaction), such as a prediction.",
            f"aggregate over at least {audience.few} rows, or reveal each to the row's owner"
            " alone.",
        )  # fmt: skip
    elif rows >= audience.few and (few := _dominated(audience, value, foreign)) is not None:
        yield finding(
            "high" if few < _ONE else "medium", "dominated",
            f"{name} goes over many rows of {about}, but its weights make that {few:.1f} in"
            " effect.",
            "One row, or a few, have nearly all the weight: the result is theirs, nearly in the"
            " clear.",
            f"take weights that are more alike: (sum of weights)² / (sum of squares) should be"
            f" {audience.few} or more.",
        )  # fmt: skip
    elif value.group and value.minimum is None:
        yield finding(
            "medium", "no-minimum", f"{name} is a statistic of groups of {about} that may be tiny.",
            "It is withheld by a count of other rows than those that it goes over, as far as can be"
            " seen: its own group may be one person." if value.miscounted
            else "Who is in a group is secret, and so is how many are: a group of one is one"
            " person.",
            f"withhold small groups: tacit.where(count >= {audience.few}, statistic, 0), before"
            " revealing, with a count of the same yes-or-nos.",
        )  # fmt: skip
    elif value.minimum is not None and 0 < value.minimum < audience.few:
        yield finding(
            "low", "low-minimum", f"{name} withholds groups of fewer than {value.minimum} only.",
            f"Groups may be as small as {value.minimum}.",
            f"agree that this is enough, or raise it to {audience.few}.",
        )  # fmt: skip
    elif rows < audience.few and value.minimum is None:
        one = "one row" if rows <= 1 else f"{rows} rows"
        bits = value.type.dtype.kind == "bool"
        yield finding(
            "low" if bits else "medium", "bit" if bits else "few-rows",
            f"{name} may go over {one} of {about} only.",
            "So little is hidden among others; it is a yes or no." if bits
            else "So little is hidden among others.",
            f"let it go over at least {audience.few} rows.",
        )  # fmt: skip
    elif value.count and value.minimum is None:
        yield finding(
            "low", "count", f"{name} counts rows of {about}.",
            "A count of 0, of 1 or of all says something about each of them.",
            f"withhold small ones: tacit.where(count >= {audience.few}, count, 0), or round it.",
        )  # fmt: skip
    elif value.type.dtype.kind == "bool":
        yield finding(
            "low", "bit", f"{name} gives yes or no about {about}.",
            "Asked again with other limits it gives the value.",
            "bound how often the program may run.",
        )  # fmt: skip
    others = audience.foreign(value.inputs)
    owners = {audience.walk.program.inputs[i].owner for i in others}
    own = value.inputs - frozenset(others)
    if audience.party and own and len(owners) == 1 and not each and not value.group and value.form:
        (owner,) = owners
        linear = all(audience.walk.sources[s].how == "input" for s in value.form)
        if linear:
            yield finding(
                "low", "others-total", f"{audience.party} can subtract its own part of {name}.",
                f"What is left is a statistic of {owner or 'the other'}'s {about} alone.",
                "add a third owner, or agree that each may learn the other's statistic.",
            )  # fmt: skip
    if unsolved and not each:
        yield finding(
            "medium", "unsolved", f"{name} is too large to be solved together with other outputs.",
            "Only its own kind was looked at: a difference with other outputs, or of its own"
            " elements, may be one row.",
            "reveal fewer elements, or look at it yourself.",
        )  # fmt: skip
