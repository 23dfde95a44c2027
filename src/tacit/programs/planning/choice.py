"""Which protocol: plans for all that fit the parties and the threat model, and the one to take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from rich.console import Group
from rich.text import Text

from tacit.errors import ProgramError
from tacit.programs.planning.making import Conditions, parties_of, plan_of
from tacit.programs.planning.measured import Measured
from tacit.programs.planning.plan import Plan, as_text, bytes_text, seconds_text
from tacit.programs.planning.showing import table_of
from tacit.programs.program import Program
from tacit.protocols import PROTOCOLS, Protocol, SecurityModel

__all__ = ["Plans", "Threat", "fitting", "plans_of"]

ADVERSARIES: Final = ("passive", "active")
OUTCOMES: Final = ("none", "abort", "identifiable abort", "fairness", "guaranteed output")
_SHORT: Final = {"guaranteed": "guaranteed output"}


@dataclass(frozen=True, slots=True)
class Threat:
    """What a protocol must hold against; None is content with anything.

    Attributes
    ----------
    adversary : {"passive", "active"}, optional
        Parties that are corrupt follow the protocol, or do anything.
    outcome : str, optional
        What honest parties get if one deviates: ``"abort"`` at least, or ``"guaranteed output"``
        (``"guaranteed"`` for short), or what lies between.

    Raises
    ------
    ProgramError
        There is no such adversary or outcome (TC-1565).
    """

    adversary: str | None = None
    outcome: str | None = None

    def __post_init__(self) -> None:
        if self.outcome in _SHORT:
            object.__setattr__(self, "outcome", _SHORT[self.outcome])
        for what, given, known in (
            ("adversary", self.adversary, ADVERSARIES),
            ("outcome", self.outcome, OUTCOMES),
        ):
            if given is not None and given not in known:
                raise ProgramError(
                    f"There is no {what} {given!r}.",
                    next_step=f"choose one of: {', '.join(known)}.",
                    case=65,
                )

    def lacks(self, model: SecurityModel) -> str:
        """Why a protocol is too weak; empty where it is not."""
        if self.adversary == "active" and model.adversary == "passive":
            return "holds against passive parties only"
        if self.outcome is not None and OUTCOMES.index(model.outcome) < OUTCOMES.index(
            self.outcome
        ):
            return (
                f"ends in {model.outcome} if a party deviates"
                if model.outcome != "none"
                else "promises nothing if a party deviates"
            )
        return ""


@dataclass(frozen=True, slots=True, eq=False)
class Plans:
    """The plans of a program under every protocol that fits.

    Attributes
    ----------
    plans : tuple of Plan
        The recommended one first, then by seconds.
    refused : dict of str to str
        The protocols that do not fit, and why.
    why : str
        Why the first is recommended.
    """

    plans: tuple[Plan, ...]
    refused: dict[str, str]
    why: str

    @property
    def recommended(self) -> Plan:
        """The plan to take."""
        return self.plans[0]

    def __getitem__(self, protocol: str) -> Plan:
        for plan in self.plans:
            if plan.protocol == protocol:
                return plan
        raise KeyError(protocol)

    def __len__(self) -> int:
        return len(self.plans)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return {
            "recommended": self.recommended.protocol,
            "why": self.why,
            "plans": [plan.as_dict() for plan in self.plans],
            "refused": self.refused,
        }

    def __rich__(self) -> Any:
        first = self.recommended
        table = table_of(
            "", "protocol", "against", "outcome", "rounds", "bytes", "seconds", "memory"
        )
        table.columns[0].no_wrap = True
        for place, plan in enumerate(self.plans):
            model = PROTOCOLS[plan.protocol].security
            table.add_row(
                plan.protocol,
                model.adversary,
                model.outcome.removesuffix(" output") if model.outcome != "none" else "–",
                f"{plan.rounds:,}",
                bytes_text(plan.total_bytes) + ("" if plan.exact else " ≈"),
                seconds_text(plan.seconds) if plan.seconds else "–",
                bytes_text(plan.memory_peak),
                style="" if place else "bold",
            )
        networks = dict.fromkeys(plan.network for plan in self.plans)
        where = first.network if len(networks) == 1 else "each measured"
        parts: list[Any] = [Text(f"{first.program} · {where}", style="bold"), table]
        parts.append(Text(f"Recommended: {first.protocol}. {self.why}"))
        parts += [Text(f"Not {name}: it {why}.") for name, why in self.refused.items()]
        parts += [
            Text(f"Note: {note}.")
            for note in dict.fromkeys(note for plan in self.plans for note in plan.notes)
        ]
        return Group(*parts)

    def __str__(self) -> str:
        return as_text(self)

    def __repr__(self) -> str:
        return f"Plans({', '.join(repr(plan) for plan in self.plans)})"


def fitting(
    program: Program, threat: Threat, parties: Sequence[str] | None, ring_bits: int
) -> tuple[list[Protocol], dict[str, str]]:
    """The protocols that fit parties, threat model and ring; and why the others do not."""
    fit: list[Protocol] = []
    refused: dict[str, str] = {}
    for protocol in PROTOCOLS.values():
        count = protocol.security.parties
        why = threat.lacks(protocol.security)
        if parties is not None and len(parties) != count:
            why = f"runs with {count} parties, not {len(parties)}"
        elif ring_bits not in protocol.rings:
            why = f"does not run over a ring of {ring_bits} bits"
        elif not why:
            try:
                parties_of(program, protocol, parties)
            except ProgramError:
                if parties is not None:
                    raise
                why = f"runs with {count} parties, and the program names more"
        if why:
            refused[protocol.name] = why
        else:
            fit.append(protocol)
    return fit, refused


def plans_of(
    program: Program,
    threat: Threat,
    parties: Sequence[str] | None,
    conditions: Conditions,
    measured: Mapping[str, Measured] | None = None,
) -> Plans:
    """Plans under all protocols that fit; with `measured`, on the network measured for each.

    Raises
    ------
    ProgramError
        None does (TC-1564).
    """
    fit, refused = fitting(program, threat, parties, conditions.ring_bits)
    if measured is not None:
        for protocol in fit:
            if protocol.name not in measured:
                refused[protocol.name] = "was not calibrated"
        fit = [protocol for protocol in fit if protocol.name in measured]
    if not fit:
        reasons = "; ".join(f"{name} {why}" for name, why in refused.items())
        raise ProgramError(
            f"No protocol fits: {reasons}.",
            next_step="ask for less, or for another number of parties.",
            case=64,
        )
    plans = []
    for protocol in fit:
        under = conditions
        if measured is not None:
            under = replace(conditions, network=measured[protocol.name])
        plans.append(plan_of(program, protocol, parties, under))
    plans.sort(key=lambda plan: (plan.seconds, plan.total_bytes))
    return Plans(tuple(plans), refused, _why(plans, threat))


def _why(plans: Sequence[Plan], threat: Threat) -> str:
    first, rest = plans[0], plans[1:]
    model = PROTOCOLS[first.protocol].security
    asked = [] if threat.adversary is None else [f"{threat.adversary} security"]
    asked += [] if threat.outcome is None else [threat.outcome]
    for_what = f" that give{'s' if not rest else ''} {' and '.join(asked)}" if asked else ""
    best = "It is the only one" if not rest else f"It is the fastest of {len(plans)}"
    sentences = [f"{best}{for_what}." if asked or rest else "It is the only one that fits."]
    if model.adversary == "passive":
        sentences.append(
            "It trusts every party to follow the protocol"
            + (" (no threat model was given)." if threat.adversary is None else ".")
        )
        for plan in rest:
            stronger = PROTOCOLS[plan.protocol].security
            if stronger.adversary == "active":
                ratio = plan.seconds / first.seconds if first.seconds else 0.0
                times = f"at {ratio:.1f} × the seconds" if ratio else "for more bytes"
                sentences.append(
                    f"{plan.protocol} holds against a party that deviates in any way, {times}."
                )
                break
    return " ".join(sentences)
