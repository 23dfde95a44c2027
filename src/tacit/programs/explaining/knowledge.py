"""What a recipient can work out: from its outputs, its own inputs, and what follows from both.

Round by round: equations determine elements of sources; an element of a source that can be undone
gives a new equation about its operands; until nothing more follows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from tacit.operations.types import ArrayType
from tacit.programs.explaining.budget import Budget
from tacit.programs.explaining.forms import Form, indexed
from tacit.programs.explaining.isolating import Isolated
from tacit.programs.explaining.regions import Region
from tacit.programs.explaining.system import Equation, solved
from tacit.programs.explaining.undoing import Known, Undoing
from tacit.programs.explaining.values import Source, Value

__all__ = ["Fact", "Knowledge", "knowledge_of"]

_ROUNDS = 12


@dataclass(frozen=True, slots=True, eq=False)
class Fact:
    """A source of which somebody knows elements.

    Attributes
    ----------
    source : Source
    region : Region
        Which.
    outputs : tuple of str
        From these outputs.
    through : tuple of str
        Operations that were undone on the way.
    packed : bool
        Whether they were digits of a number.
    together : bool
        Whether several results that each tell a part were needed.
    """

    source: Source
    region: Region
    outputs: tuple[str, ...]
    through: tuple[str, ...] = ()
    packed: bool = False
    together: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Knowledge:
    """What somebody knows in the end.

    Attributes
    ----------
    facts : list of Fact
    isolated : list of (Isolated, output names)
    unsolved : set of str
        Outputs with too many elements for the equations to be solved together.
    """

    facts: list[Fact] = field(default_factory=list)
    isolated: list[tuple[Isolated, tuple[str, ...]]] = field(default_factory=list)
    unsolved: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True, eq=False)
class _Given:
    equation: Equation
    outputs: frozenset[str]
    through: tuple[str, ...] = ()
    together: bool = False


def knowledge_of(
    outputs: Sequence[tuple[str, Value]],
    own: Mapping[int, Region],
    sources: Sequence[Source],
    few: int,
    solving: Budget,
    naming: Budget,
    trying: Budget,
) -> Knowledge:
    """What follows from outputs.

    Parameters
    ----------
    outputs : sequence of (name, Value)
        What is learned.
    own : mapping of int to Region
        Elements of sources that are known before: one's own inputs.
    sources : sequence of Source
    few : int
        Statistics over fewer rows are reported.
    solving, naming, trying : Budget
        How much work is left for what follows, for which outputs it follows from, and for
        functions.
    """
    found = Knowledge()
    known = dict(own)
    given = [_Given(Equation(n, v), frozenset([n])) for n, v in outputs if v.inputs]
    undoing = Undoing(trying)
    for start in given:
        made, shape = start.equation.value.made, start.equation.value.shape
        if made is not None:
            whole = Region.everything(shape)
            undoing.learned(Known(made, whole, start.outputs, ()), lambda v: _is_known(v, known))
    given += _undone(undoing, known)
    isolated: dict[tuple[int, int], Isolated] = {}
    for _ in range(_ROUNDS):
        result = solved([one.equation for one in given], sources, known, few, solving)
        found.unsolved.update(given[n].equation.name for n in result.left_out)
        for one in result.isolated:
            if (one.source, one.first) not in isolated:
                isolated[one.source, one.first] = one
                found.isolated.append((one, _outputs(given, one.equations)))
        if not result.elements:
            break
        new: list[_Given] = []
        for number, region in result.elements.items():
            source = sources[number]
            because = _relevant(
                given, result.because[number], source, region, sources, known, naming
            )
            names = tuple(sorted(frozenset().union(*(given[n].outputs for n in because))))
            through = tuple(dict.fromkeys(t for n in because for t in given[n].through))
            packed = not result.split.isdisjoint(because)
            together = any(given[n].together for n in because)
            found.facts.append(Fact(source, region, names, through, packed, together))
            known[number] = region.joined(known.get(number))
            new += _following(source, region, names, through)
            if source.made is not None:
                one_known = Known(source.made, region, frozenset(names), through)
                undoing.learned(one_known, lambda v: _is_known(v, known))
        new += _products(sources, known, given + new)
        new += _undone(undoing, known)
        if not new:
            break
        given += new
    found.unsolved.update(undoing.skipped)
    return found


def _undone(undoing: Undoing, known: Mapping[int, Region]) -> list[_Given]:
    """Equations about numbers whose functions were undone."""
    found: list[_Given] = []
    for one in undoing.undone():
        if not one.value.form or _is_known(one.value, known):
            continue
        part = _restricted(one.value, one.region.shape, one.region)
        if part is not None and one.region.count:
            equation = Equation(min(one.outputs, default=""), part)
            found.append(_Given(equation, one.outputs, one.through, one.together))
    return found


def _relevant(
    given: Sequence[_Given],
    because: frozenset[int],
    source: Source,
    region: Region,
    sources: Sequence[Source],
    known: Mapping[int, Region],
    naming: Budget,
) -> Sequence[int]:
    """One equation that is enough, if there is one; else all that were used."""
    for number in sorted(because):
        alone = solved([given[number].equation], sources, known, 0, naming)
        there = alone.elements.get(source.number)
        if there is not None and there.covers(region):
            return [number]
    return sorted(because)


def _outputs(given: Sequence[_Given], numbers: Sequence[int]) -> tuple[str, ...]:
    return tuple(sorted(frozenset().union(*(given[n].outputs for n in numbers))))


def _following(
    source: Source, region: Region, outputs: tuple[str, ...], through: tuple[str, ...]
) -> list[_Given]:
    """Equations about the operands of an operation that can be undone."""
    if source.how not in ("invertible", "guarded"):
        return []
    found: list[_Given] = []
    for value in source.of:
        if not value.form:
            continue
        part = _restricted(value, source.shape, region)
        if part is not None:
            equation = Equation(outputs[0] if outputs else "", part)
            found.append(_Given(equation, frozenset(outputs), (*through, source.operation)))
    return found


def _restricted(value: Value, shape: tuple[int, ...], region: Region) -> Value | None:
    """The elements of an operand that belong to elements of the result."""
    if region.whole:
        return value
    if value.shape != shape:
        return None
    if region.around is not None:
        form = indexed(value.form, region.around, value.shape)
        if form is not None:
            extents = zip(region.around, value.shape, strict=True)
            return _with(value, form, tuple(len(range(*s.indices(e))) for s, e in extents))
    return None if region.mask is None else _rows(value, np.flatnonzero(region.mask))


def _rows(value: Value, flat: NDArray[np.int64]) -> Value | None:
    form: Form = {}
    for number, block in value.form.items():
        if not isinstance(block, np.ndarray):
            return None
        form[number] = block[flat]
    return _with(value, form, (flat.size,))


def _with(value: Value, form: Form, shape: tuple[int, ...]) -> Value:
    kind = ArrayType(value.type.dtype, shape)
    return replace(value, type=kind, form=form, reach={})


def _is_known(value: Value, known: Mapping[int, Region]) -> bool:
    return all(s in known and known[s].whole for s in value.form)


def _products(
    sources: Sequence[Source], known: Mapping[int, Region], given: Sequence[_Given]
) -> list[_Given]:
    """A product and one factor give the other one, as far as it is not multiplied by zero."""
    done = {id(one.equation.value) for one in given}
    found: list[_Given] = []
    for number, region in known.items():
        source = sources[number]
        if source.how != "product" or len(source.of) != 2 or not region.whole:
            continue
        for one, other in (source.of, source.of[::-1]):
            if one.form and _is_known(one, known) and other.form and not _is_known(other, known):
                sums = source.operation in ("matmul", "convolution")
                enough = not sums or prod(source.shape) >= prod(other.shape)
                if enough and id(other) not in done:
                    outputs = _from(number, given)
                    equation = Equation(min(outputs, default=""), other)
                    through = (source.operation,)
                    found.append(_Given(equation, outputs, through))
    return found


def _from(number: int, given: Sequence[_Given]) -> frozenset[str]:
    several = (one.outputs for one in given if number in one.equation.value.form)
    return frozenset[str]().union(*several)
