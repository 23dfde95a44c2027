"""What a demo stages: ``--kill bank_b@40%`` and ``--cheat regulator@60%``.

A *mishap* is a party, a part of the training's steps, and what happens there: its process is
killed, or sends altered shares from then on. A :class:`Director` tells the parties' processes and
does the killing. Demos alone have one; ``tacit train`` knows nothing of it.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from tacit.cli.demos.staged import Orders
from tacit.errors import UsageError
from tacit.ml.records import TrainingSettings
from tacit.protocols import protocol_named
from tacit.sessions.messages import Progress

__all__ = ["Director", "Mishap", "parse_mishaps"]

Kind: TypeAlias = Literal["kill", "cheat"]

_SPEC: Final = re.compile(r"(?P<party>.+)@\s*(?P<percent>[0-9]{1,3}(?:\.[0-9]+)?)\s*%?")


@dataclass(frozen=True, slots=True)
class Mishap:
    """What is staged at a party.

    Attributes
    ----------
    kind : {"kill", "cheat"}
    party : str
    at : float
        Which part of the training's steps is done when it happens, 0 to 1.
    """

    kind: Kind
    party: str
    at: float

    def __str__(self) -> str:
        return f"{self.party}@{self.at:.4g}"

    @property
    def when(self) -> str:
        """As a reader says it."""
        return f"{100 * self.at:.4g} %"

    @property
    def note(self) -> str:
        """What the report says was staged."""
        if self.kind == "kill":
            return (
                f"Staged: this demo killed {self.party}'s process (SIGKILL) when {self.when} of the"
                " training's steps were done."
            )
        return (
            f"Staged: this demo let {self.party}'s process send altered shares from"
            f" {self.when} of the training's steps on."
        )


def parse_mishaps(
    kills: Sequence[str], cheats: Sequence[str], parties: Sequence[str], protocol: str
) -> tuple[Mishap, ...]:
    """The options ``--kill`` and ``--cheat``, in the order of what happens.

    Parameters
    ----------
    kills, cheats : sequence of str
        ``"PARTY@PERCENT%"`` each.
    parties : sequence of str
    protocol : str

    Raises
    ------
    UsageError
        Not of that form, no party's name, not between 0 and 100 (TC-1065); more than the
        protocol survives (TC-1066).
    """
    found = [_parse("kill", spec, parties) for spec in kills]
    found += [_parse("cheat", spec, parties) for spec in cheats]
    if not found:
        return ()
    security = protocol_named(protocol).security
    options = " and ".join(sorted({f"--{mishap.kind}" for mishap in found}, reverse=True))
    if security.outcome != "guaranteed output":
        raise UsageError(
            f"{protocol} does not survive what {options} would do: a fault ends the run.",
            next_step="add --protocol fantastic4, which goes on without any one of its parties.",
            case=66,
        )
    if len({mishap.party for mishap in found}) > 1:
        names = ", ".join(sorted({mishap.party for mishap in found}))
        raise UsageError(
            f"{options} would let several parties fail ({names}), and {protocol} tolerates one"
            " faulty party in a run.",
            next_step="let one party fail; both options may name the same one, first to cheat and"
            " then to be killed.",
            case=66,
        )
    if len({mishap.kind for mishap in found}) < len(found):
        raise UsageError(
            f"{options} names {found[0].party} more than once.",
            next_step="give each option once.",
            case=66,
        )
    found.sort(key=lambda mishap: (mishap.at, mishap.kind))
    if [mishap.kind for mishap in found] == ["kill", "cheat"] or (
        len(found) == 2 and found[0].at == found[1].at
    ):
        raise UsageError(
            f"{found[0].party} would be killed before it could cheat.",
            next_step="give --cheat a smaller percentage than --kill, or leave one of them out.",
            case=66,
        )
    return tuple(found)


def _parse(kind: Kind, spec: str, parties: Sequence[str]) -> Mishap:
    example = f"write for instance --{kind} {parties[min(1, len(parties) - 1)]}@40%"
    match = _SPEC.fullmatch(spec.strip())
    if match is None:
        raise UsageError(
            f"--{kind} {spec!r} is not PARTY@PERCENT%.",
            next_step=f"{example}: at 40 % of the training's steps.",
            case=65,
        )
    name, percent = match["party"].strip(), float(match["percent"])
    if name not in parties:
        raise UsageError(
            f"--{kind} names {name!r}, which is no party of this demo.",
            next_step=f"name one of {', '.join(parties)}.",
            case=65,
        )
    if not 0 <= percent <= 100:
        raise UsageError(
            f"--{kind} {spec!r} is not between 0 % and 100 % of the training's steps.",
            next_step=f"{example}. Before the training no fault is survived: rows that are not"
            " shared yet would be missing.",
            case=65,
        )
    return Mishap(kind, name, percent / 100)


class Director:
    """Tells the parties' processes what is staged, and kills.

    Parameters
    ----------
    mishaps : sequence of Mishap
        Of one party, in order.
    """

    module: Final = "tacit.cli.demos.staged"
    """The job of every party's process."""

    def __init__(self, mishaps: Sequence[Mishap]) -> None:
        self.mishaps = tuple(mishaps)
        self._waiting = list(mishaps)

    def orders(self, party: str, settings: TrainingSettings) -> Orders:
        """What one party's process is told; the others' settings hold nothing of it."""
        own = {mishap.kind: mishap.at for mishap in self.mishaps if mishap.party == party}
        return Orders(settings, halt_at=own.get("kill"), cheat_at=own.get("cheat"))

    def progress(self, party: str, message: Progress, identifiers: Mapping[str, int]) -> str | None:
        """Take a progress message; what was done on it, for people, if anything was."""
        if message.phase != "training" or message.unit != "steps" or not self._waiting:
            return None
        mishap = self._waiting[0]
        if party != mishap.party or message.done < mishap.at * message.total:
            return None
        self._waiting.pop(0)
        where = f"step {message.done:,.0f} of {message.total:,.0f}"
        if mishap.kind == "kill":
            with suppress(ProcessLookupError):  # a convict is ended by those it deceived
                os.kill(identifiers[party], signal.SIGKILL)
            return f"the demo killed {party}'s process (SIGKILL) at {where}"
        return f"{party}'s process sends altered shares from {where} on"
