"""What the parties do together, one entry after the other: the log that a recovery repeats.

All parties make the same entries in the same order. An entry is run once, and again for each time
the session goes on in another way: with other parties, another protocol, converted parts. What it
gave the first time stays: values that were revealed are final.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import Struct
from numpy.typing import NDArray

from tacit.encoding.digest import tagged_hash
from tacit.encoding.limits import Limits
from tacit.errors import PartyLostError, TacitError, UsageError, VerificationError
from tacit.operations.types import ArrayType, SecretValue
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.sessions.handles import Handle, Reference
from tacit.sessions.references import PartyReference

if TYPE_CHECKING:
    from tacit.sessions.guard import Guard

__all__ = [
    "Compute",
    "Entry",
    "Evaluate",
    "Farewell",
    "Keep",
    "Mark",
    "Open",
    "Outcome",
    "Put",
    "Tell",
    "owner_lost",
    "weight",
]

T = TypeVar("T")

Outcome: TypeAlias = Literal["accepted", "refused", "lost"]
"""Of an input: refused, out of range; lost, the one that is served did not hand it in."""

Evaluate: TypeAlias = Callable[[Party, Sequence[Any]], Step[tuple[SecretValue, ...]]]
"""``evaluate(party, parts)``: a step that computes secret values from this party's parts."""


class Entry(Generic[T]):
    """One thing that all parties do together.

    Attributes
    ----------
    name : str
        Named in errors and statements.
    kept : bool
        Whether it stays in the log until the next barrier; others end with one of their own.
    """

    name = ""
    kept = False

    def public(self) -> Sequence[bytes]:
        """What decides what is done, for the transcript that parties compare."""
        return ()

    def weight(self) -> int:
        """Bytes that the log keeps in memory for it, the same at all parties."""
        return 0

    def refusal(self, guard: Guard) -> TacitError | None:
        """The error that all members raise alike instead, in this stage."""
        return None

    def run(self, guard: Guard) -> T:
        """Do it, in the stage that the guard is in."""
        raise NotImplementedError


class Mark(Entry[None]):
    """A barrier and nothing else."""

    def __init__(self, barrier: int, name: str = "barrier") -> None:
        self.name = name
        self._barrier = barrier

    def run(self, guard: Guard) -> None:
        """Wait for the others."""
        guard.barrier(self._barrier)


class Compute(Entry[None]):
    """Secret arrays from secret arrays. Keeps its operands' parts alive, not its results'."""

    kept = True

    def __init__(
        self,
        name: str,
        evaluate: Evaluate,
        operands: Sequence[Handle],
        results: Sequence[PartyReference],
        public: bytes,
    ) -> None:
        self.name = name
        self._evaluate = evaluate
        self._operands = tuple(operands)
        self._numbers = tuple(reference.number for reference in results)
        self._public = public
        made: list[Handle] = [h for h in operands if not isinstance(h, Reference)]
        self._weight = sum(weight(handle) for handle in (*made, *results))

    def public(self) -> Sequence[bytes]:
        """Name, operands, results and parameters."""
        return self.name.encode(), self._public, *map(_identity, self._operands)

    def weight(self) -> int:
        """Results and public arrays: operands were results, or older than the log."""
        return self._weight

    def run(self, guard: Guard) -> None:
        """Compute this party's parts, if it takes part."""
        if guard.blind:
            return
        parts = [h.part if isinstance(h, PartyReference) else h for h in self._operands]
        values = guard.drive(self._evaluate(guard.party, parts), self.name)
        for number, value in zip(self._numbers, values, strict=True):
            reference = guard.references.get(number)
            if reference is not None:
                reference.hold(value)


class Open(Entry["NDArray[Any] | None"]):
    """A secret array to some parties. The first value that comes of it is the one that counts."""

    name = "reveal"
    kept = True

    def __init__(self, reference: PartyReference, to: tuple[int, ...]) -> None:
        self._reference = reference
        self._to = to
        self._opened: NDArray[Any] | None = None

    def public(self) -> Sequence[bytes]:
        """The array and the recipients."""
        return b"open", _identity(self._reference), bytes(self._to)

    def run(self, guard: Guard) -> NDArray[Any] | None:
        """Open it to those recipients that are still there."""
        opened = guard.reveal(self._reference, self._to)
        if self._opened is None:
            self._opened = opened
        return self._opened


class Put(Entry["Outcome"]):
    """An input, and the barrier after it: all honest parties have it, or nobody goes on with it.

    Gives what became of it: the same at all parties.
    """

    name = "share"

    def __init__(
        self,
        barrier: int,
        owner: str,
        elements: NDArray[Any] | None,
        limits: Limits,
        reference: PartyReference,
    ) -> None:
        self._barrier = barrier
        self.owner = owner
        self.elements = elements
        self.limits = limits
        self.reference = reference
        self.outcome: Outcome = "accepted"

    @property
    def barrier(self) -> int:
        """The number of the barrier after it."""
        return self._barrier

    def public(self) -> Sequence[bytes]:
        """The owner, the type and the limits."""
        return b"share", self.owner.encode(), _identity(self.reference), repr(self.limits).encode()

    def refusal(self, guard: Guard) -> TacitError | None:
        """An owner that is lost puts nothing in."""
        stage = guard.stage
        done = guard.agreed >= self._barrier
        if done or self.owner in stage.members or self.owner == stage.served:
            return None
        return owner_lost(self.owner)

    def run(self, guard: Guard) -> Outcome:
        """Share it, unless all have passed the barrier after it already."""
        if guard.passed < self._barrier:
            guard.put(self)
            guard.barrier(self._barrier)
        return self.outcome


class Keep(Entry[T]):
    """A step of storage and the barrier after it. Only while all parties are there.

    Parameters
    ----------
    what : str
        What is stored or loaded.
    work : callable
        Does it, and gives what the caller gets.
    instead : callable, optional
        Gives that where it cannot be done any more; without it the caller gets an error.
    """

    name = "storage"

    def __init__(
        self,
        barrier: int,
        what: str,
        work: Callable[[], T],
        instead: Callable[[], T] | None = None,
    ) -> None:
        self._barrier = barrier
        self._what = what
        self._work = work
        self._instead = instead
        self._done: list[T] = []

    def public(self) -> Sequence[bytes]:
        """What is stored or loaded."""
        return b"storage", self._what.encode()

    def refusal(self, guard: Guard) -> TacitError | None:
        """Shares at rest are those of all parties: without one of them there are none."""
        possible = _all_there(guard) or self._instead is not None
        if possible or guard.passed >= self._barrier:
            return None
        gone = " and ".join(guard.stage.dropped)
        return UsageError(
            f"Nothing is stored or loaded after {gone} left the session: what is at rest is shared"
            " among all parties."
            if gone
            else "Nothing is stored or loaded any more in this session, after a fault that named"
            " nobody.",
            next_step="what was saved before is untouched; open a session with all parties to use"
            " it.",
            case=94,
            stage="storage",
        )

    def run(self, guard: Guard) -> T:
        """Do it, unless all have passed the barrier after it already."""
        if guard.passed < self._barrier:
            whole = _all_there(guard) or self._instead is None
            self._done[:] = [self._work() if whole else self._instead()]  # type: ignore[misc]
            guard.barrier(self._barrier)
        return self._done[0]


def _all_there(guard: Guard) -> bool:
    """Whether the parties can store: all compute, and no fault has come up yet.

    Checks of what is stored compare what third parties said, so they name nobody. In an attempt
    that keeps evidence a fault must name somebody: there are no such checks in it.
    """
    return guard.stage.number == 0 and not guard.stage.evidence


class Relayed(Struct, frozen=True, forbid_unknown_fields=True):
    """What a party was told: a digest by name."""

    digests: dict[str, bytes]


class Tell(Entry["dict[str, Struct]"]):
    """A small public message of every member to every other, and the barrier after it.

    With four parties each tells the others what it heard. Who hears from both others that somebody
    told them something else knows that this one is corrupt: an honest one told all the same, and at
    most one of the two others says something else of it. Without that a corrupt party could let
    the programs of two honest ones go different ways, who would then accuse each other. All that
    go on have the same: of what three honest parties heard of a corrupt one, nobody's is unique.
    """

    def __init__(
        self,
        barrier: int,
        name: str,
        message: Struct,
        kind: type[Struct],
        patience: float | None = None,
    ) -> None:
        self._barrier = barrier
        self._patience = patience
        self.name = name
        self._message = message
        self._kind = kind
        self._heard: dict[str, Struct] = {}

    def public(self) -> Sequence[bytes]:
        """What it is about."""
        return b"tell", self.name.encode()

    def run(self, guard: Guard) -> dict[str, Struct]:
        """Tell and hear, unless all have passed the barrier after it already."""
        if guard.passed < self._barrier:
            if guard.blind:
                self._heard = {guard.name: self._message}
            else:
                heard = guard.gather(self._message, self._kind, self.name, self._patience)
                if guard.stage.number == 0:
                    self._compare(guard, heard)
                self._heard = heard
            guard.barrier(self._barrier)
        return self._heard

    def _compare(self, guard: Guard, heard: dict[str, Struct]) -> None:
        """Go on only if of every author another one heard the same.

        Raises
        ------
        VerificationError
            Somebody told each another thing (TC-5222).
        """
        own = Relayed({name: _said(name, message) for name, message in heard.items()})
        relayed = guard.gather(own, Relayed, self.name)
        for author in heard:
            others = {
                relayed[name].digests.get(author)
                for name in heard
                if name not in (author, guard.name)
            }
            if author != guard.name and own.digests[author] not in others:
                raise VerificationError(
                    f"{author} told {guard.name} something else than the other parties"
                    f" ({self.name}).",
                    next_step=f"{author} deviated or is faulty; compare versions and logs.",
                    case=22,
                    parties=[author],
                    stage=self.name,
                )


def _said(author: str, message: Struct) -> bytes:
    return tagged_hash("told to all", author.encode(), msgspec.msgpack.encode(message))


class Farewell(Entry[None]):
    """Wait until all know that all have finished: then nobody needs anybody any more."""

    name = "end"

    def run(self, guard: Guard) -> None:
        """Say that this party passed the last barrier, and hear it of all."""
        if not guard.blind:
            guard.gather(Passed(guard.passed), Passed, "end")


class Passed(Struct, frozen=True, forbid_unknown_fields=True):
    """A party has passed a barrier."""

    barrier: int


def owner_lost(owner: str) -> PartyLostError:
    """The error of an input whose owner is lost; the session goes on."""
    return PartyLostError(
        f"{owner} left the session before its input was shared.",
        next_step="go on without this input, or start again when that party is back; the other"
        " parties' session can be used further.",
        case=11,
        parties=[owner],
        stage="share",
    )


def weight(operand: Handle | ArrayType) -> int:
    """Bytes of a part of a secret array in memory, or of a public array: of four parties."""
    if not isinstance(operand, Reference):
        return int(operand.nbytes) if hasattr(operand, "nbytes") else 0
    size = 1
    for extent in operand.shape:
        size *= extent
    return 3 * (size // 8 if operand.dtype.kind == "bool" else 8 * size) + 64


def _identity(operand: Handle) -> bytes:
    if isinstance(operand, PartyReference):
        text = f"{operand.number} {operand.dtype.name} {operand.shape}"
    elif isinstance(operand, Reference):
        text = "foreign"
    else:
        text = f"public {operand.dtype.str} {operand.shape}"
    return tagged_hash("operand", text.encode())
