"""The phases of a run: each input is shared, the graph is computed, each output is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tacit.encoding.limits import Limits, input_limits
from tacit.encoding.ring import Ring
from tacit.encoding.types import DType
from tacit.errors import ProgramError
from tacit.operations.crossing import input_step, reveal_step
from tacit.operations.types import SecretValue, public_type
from tacit.programs.graph import EVERYBODY
from tacit.programs.planning.counting import Assumed, Counting
from tacit.programs.planning.party import CountingParty
from tacit.programs.planning.pieces import Real, operand_of
from tacit.programs.planning.profile import Profiler
from tacit.programs.planning.tally import Tally, tallied
from tacit.programs.program import Program
from tacit.programs.running import graph_step
from tacit.protocols import Protocol
from tacit.protocols.interface import Rounding
from tacit.rounds.contract import Step

__all__ = ["Counted", "counted"]


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """What was counted of a program under one protocol.

    Attributes
    ----------
    phases : list of (str, Tally)
    party : CountingParty
    notes : tuple of str
        What the figures rest on.
    memory_peak : int
        Bytes of shares and messages that a party holds at most.
    """

    phases: list[tuple[str, Tally]]
    party: CountingParty
    notes: tuple[str, ...]
    memory_peak: int


def counted(
    program: Program,
    protocol: Protocol,
    parties: Sequence[str],
    *,
    rounding: Rounding,
    ring: Ring,
    public: Mapping[str, Any],
    profiler: Profiler | None = None,
    seed: int = 0,
) -> Counted:
    """Count a program without computing it.

    Parameters
    ----------
    program : Program
    protocol : Protocol
    parties : sequence of str
        By index; owners and recipients are among them.
    rounding, ring
        As of a session.
    public : mapping of str to array_like
        Public inputs that are known beforehand.
    profiler : Profiler, optional
        Runs every different operation once, where seconds are asked for.
    seed : int
        Of the order that sorts find.
    """
    party = CountingParty(protocol, rounding, ring, seed)
    party.timed = profiler is not None
    manner = Counting(program, party, profiler=profiler)
    phases = list(_phases(program, party, manner, parties, public))
    return Counted(phases, party, tuple(manner.notes), party.held.peak)


def _phases(
    program: Program,
    party: CountingParty,
    manner: Counting,
    parties: Sequence[str],
    public: Mapping[str, Any],
) -> Iterator[tuple[str, Tally]]:
    acting: Any = party
    operands: list[Any] = []
    assumed = []
    relevant = manner.relevant[id(program.main)]
    for place, one in enumerate(program.inputs):
        kind = one.type
        if kind.public:
            given = one.name in public
            value = np.asarray(public[one.name] if given else 1, kind.dtype.numpy)
            value = np.ascontiguousarray(_shaped(value, kind.shape, one.name))
            value = value.reshape(kind.shape)
            if public_type(value) != kind.array_type():
                value = value.astype(kind.dtype.numpy)
            if not given and place in relevant:
                assumed.append(one.name)
                value = value.view(Assumed)
            operands.append(value)
        elif one.owner:
            limits = input_limits(kind.dtype, one.bounds, party.ring)
            owner = parties.index(one.owner)
            name = f"share {one.name}"
            step = input_step(acting, owner, None, kind.dtype, kind.shape, limits)
            real = _input_of(owner, kind.dtype, kind.shape, limits)
            tally, shared = tallied(party, manner.crossing(name, step, real))
            yield name, tally
            operands.append(shared)
        else:
            operands.append(party.secret(kind.dtype, kind.shape))
    if assumed:
        manner.notes.setdefault(
            f"public {', '.join(assumed)}: taken as 1, and the cost may depend on it; give"
            " public={name: value} to plan for what it will be"
        )
    given_to = graph_step(acting, manner.schedule, operands, manner)
    tally, results = tallied(party, given_to)
    yield "compute", tally
    for output, value in zip(program.outputs, results, strict=True):
        if isinstance(value, SecretValue) and output.to:
            to = parties if output.to == EVERYBODY else output.to
            recipients = tuple(sorted(parties.index(name) for name in to))
            name = f"reveal {output.name}"
            opening = reveal_step(acting, value, recipients)
            tally, _ = tallied(party, manner.crossing(name, opening, _reveal_of(value, recipients)))
            yield name, tally


def _input_of(owner: int, dtype: DType, shape: tuple[int, ...], limits: Limits) -> Real:
    """Sharing what is within its limits."""

    def real(party: Any) -> Callable[[], Step[Any]]:
        elements = None
        if party.index == owner and dtype.kind == "bool":
            elements = np.zeros(shape, np.uint8)
        elif party.index == owner:
            inside = min(max(0, limits[0]), limits[1])
            elements = party.ring.elements(np.full(shape, inside, np.int64))
        return lambda: input_step(party, owner, elements, dtype, shape, limits)

    return real


def _reveal_of(value: SecretValue, to: tuple[int, ...]) -> Real:
    def real(party: Any) -> Callable[[], Step[Any]]:
        found = operand_of(value, party)
        assert isinstance(found, SecretValue)
        return lambda: reveal_step(party, found, to)

    return real


def _shaped(value: Any, shape: tuple[int, ...], name: str) -> Any:
    try:
        return np.broadcast_to(value, shape)
    except ValueError:
        raise ProgramError(
            f"The public input {name!r} has shape {np.shape(value)}, and the program takes"
            f" {shape}.",
            next_step="give a value of that shape.",
            case=63,
        ) from None
