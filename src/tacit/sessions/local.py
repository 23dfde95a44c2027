"""All parties in this process: deterministic, easy to debug, nothing to set up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from numpy.typing import NDArray

from tacit.encoding.fixed import decode
from tacit.encoding.limits import Limits
from tacit.encoding.ring import RING64, Ring
from tacit.encoding.types import DType, fixed
from tacit.errors import RangeError, UsageError
from tacit.operations.checking import left_range
from tacit.operations.crossing import accepted, input_step, reveal_step
from tacit.operations.operation import Attributes, Operation
from tacit.operations.types import ArrayType, SecretValue
from tacit.operations.watching import WATCHED, Noted, Watched
from tacit.protocols import Protocol
from tacit.protocols.interface import Party, Rounding
from tacit.rounds.contract import Step
from tacit.rounds.cost import Cost
from tacit.rounds.lockstep import LockstepDriver
from tacit.rounds.randomness import Randomness, SystemRandomness, deal_pairwise_seeds
from tacit.rounds.virtual import VirtualTime
from tacit.sessions.handles import Handle, Reference
from tacit.sessions.session import Session
from tacit.sessions.storage_steps import (
    Draft,
    Keeper,
    Loaded,
    delete_step,
    load_step,
    opened_stores,
    refresh_step,
    refused_or,
    resume_step,
    save_step,
)
from tacit.sessions.storing import restore
from tacit.sessions.threads import threads_a_party
from tacit.storage.records import Header, Purpose
from tacit.storage.store import Place, Store

__all__ = ["LocalReference", "LocalSession"]

T = TypeVar("T")


class LocalReference(Reference):
    """A secret array whose parts all lie in this process, one per party."""

    __slots__ = ("parts",)

    def __init__(self, parts: tuple[SecretValue, ...]) -> None:
        super().__init__(parts[0].dtype, parts[0].shape)
        self.parts = parts


class LocalSession(Session):
    """Parties in this process, driven in lockstep.

    Parameters
    ----------
    protocol : Protocol
        The protocol they run.
    parties : tuple of str
        Their names, by index.
    randomness : Randomness
        Where the parties' keys come from; the system by default. A seeded one gives
        reproducible shares, for tests and examples only.
    driver : LockstepDriver, optional
        Moves the messages; a virtual-time or an adversarial driver where wanted.
    rounding : {"probabilistic", "nearest", "exact"}
        How fixed-point products, sums and functions round.
    ring : Ring
        What shares are elements of.
    fractions : DType
        What float arrays become by default.
    checked : bool
        Whether every operation is tested for having left its range (``operations/checking.py``).
    storage : mapping of str to Place, optional
        Where each party keeps what is saved.
    threads : int, optional
        Threads for matrix products; by default all cores, as the parties compute in turn, and
        one in virtual time, whose clock sees one thread.
    """

    place = "in this process"

    @property
    def in_one_process(self) -> bool:
        """All parties compute in turn, unless time is virtual."""
        return not isinstance(self.driver, VirtualTime)

    def __init__(
        self,
        protocol: Protocol,
        parties: tuple[str, ...],
        randomness: Randomness | None = None,
        driver: LockstepDriver | None = None,
        *,
        rounding: Rounding = "probabilistic",
        ring: Ring = RING64,
        fractions: DType = fixed,
        checked: bool = False,
        storage: Mapping[str, Place] | None = None,
        threads: int | None = None,
    ) -> None:
        super().__init__(protocol, parties, rounding, ring, fractions)
        source = randomness or SystemRandomness()
        seeds = deal_pairwise_seeds(parties, source)
        self.members = tuple(
            protocol.party(parties, index, seeds[index], rounding=rounding, ring=ring)
            for index in range(len(parties))
        )
        self.threads = _threads(threads, driver)
        for member in self.members:
            member.threads = self.threads
        self.driver = driver or LockstepDriver(parties)
        self.checked = checked
        self._broken = ""
        setup = protocol.setup
        if setup is not None:
            self._run(lambda party: setup(party, source), "set-up")
        self._session = SystemRandomness().token(32)
        self._folders: tuple[Store, ...] = ()
        if storage is not None:
            self._folders = opened_stores(storage, parties, protocol.name)

    def check_open(self) -> None:
        """Refuse to go on after the end, or after an error between the parties."""
        super().check_open()
        if self._broken:
            raise UsageError(
                f"An error ended this session before ({self._broken}).",
                next_step="open a new session; the parties of this one no longer agree.",
                case=33,
            )

    def _run(self, step: Callable[[Party], Step[T]], stage: str) -> list[T]:
        try:
            return self.driver.run([step(member) for member in self.members], stage)
        except BaseException as error:
            # Some parties drew masks for this step and others did not: never go on from here.
            self._broken = type(error).__name__
            raise

    def input_elements(
        self,
        owner: int,
        elements: NDArray[Any] | None,
        dtype: DType,
        shape: tuple[int, ...],
        limits: Limits,
    ) -> Reference:
        """Share encoded elements; only the owner's step is given them."""
        if self.checked and elements is not None and not dtype.range_is_narrow:
            self._check_input(elements)
        parts = self._run(
            lambda party: input_step(
                party, owner, elements if party.index == owner else None, dtype, shape, limits
            ),
            "share",
        )
        return LocalReference(tuple(accepted(part, self.parties[owner]) for part in parts))

    def execute(
        self,
        operation: Operation,
        operands: Sequence[Handle],
        attributes: Attributes,
        results: tuple[ArrayType, ...],
    ) -> tuple[Reference, ...]:
        """Compute an operation at all parties in lockstep."""

        def part(handle: Handle, index: int) -> Any:
            return handle.parts[index] if isinstance(handle, LocalReference) else handle

        notes: list[Sequence[Noted]] = [()] * len(self.members)

        def evaluate(party: Party) -> Step[tuple[SecretValue, ...]]:
            acting: Any = party
            if self.checked and operation.name in WATCHED:
                acting = Watched(party)
                notes[party.index] = acting.notes
            parts = [part(handle, party.index) for handle in operands]
            return operation.evaluate(acting, parts, attributes)

        computed = self._run(evaluate, operation.name)
        if self.checked:
            self._check(operation, operands, attributes, computed, part, notes)
        return tuple(LocalReference(parts) for parts in zip(*computed, strict=True))

    def _check_input(self, elements: NDArray[Any]) -> None:
        limit = 1 << self.ring.magnitude_bits
        numbers = self.ring.integers(elements)
        if numbers.size and (numbers.max() >= limit or numbers.min() < -limit):
            raise RangeError(
                f"checked: an input holds an integer of {limit:.4g} or more in magnitude.",
                next_step="share smaller integers: beyond it, sums and comparisons may wrap.",
                case=75,
                stage="share",
            )

    def _check(
        self,
        operation: Operation,
        operands: Sequence[Handle],
        attributes: Attributes,
        computed: Sequence[tuple[SecretValue, ...]],
        part: Callable[[Handle, int], Any],
        notes: Sequence[Sequence[Noted]],
    ) -> None:
        """Raise if the operation left its range: one bit, which the parties open to each other."""
        left = self._run(
            lambda party: left_range(
                party,
                operation,
                [part(handle, party.index) for handle in operands],
                attributes,
                computed[party.index],
                notes[party.index],
            ),
            "check",
        )
        if left[0] is not None:
            where = f" (first in it: {left[0]})" if left[0] else ""
            shapes = " and ".join(
                f"{'secret' if isinstance(h, Reference) else 'public'} {h.dtype!r} {h.shape}"
                for h in operands
            )
            raise RangeError(
                f"checked: {operation.name} of {shapes} left its range{where}: a result, a product"
                " before its truncation or an operand lies outside what it is exact for.",
                next_step="look at the magnitudes of its operands (docs/types.md), scale them down,"
                " clip them, or use fewer fractional bits or the 128-bit ring.",
                case=74,
                stage=operation.name,
            )

    def open(
        self, reference: Reference, to: tuple[int, ...], answer: tuple[int, ...]
    ) -> dict[str, NDArray[Any]]:
        """Open to the parties in `to`; the values of those in `answer`."""
        assert isinstance(reference, LocalReference)
        opened = self._run(
            lambda party: reveal_step(party, reference.parts[party.index], to), "reveal"
        )
        revealed: dict[str, NDArray[Any]] = {}
        for index in answer:
            elements = opened[index]
            assert elements is not None
            revealed[self.parties[index]] = decode(elements, reference.dtype, self.ring)
        return revealed

    def _cost(self) -> Cost:
        return self.driver.cost()

    def _seconds(self) -> float:
        """Those of the network where one is simulated."""
        driver = self.driver
        return driver.seconds if isinstance(driver, VirtualTime) else super()._seconds()

    def _close(self) -> None:
        self.members = ()
        for folder in self._folders:
            folder.close()

    # What is stored.

    @property
    def stores(self) -> bool:
        """Whether the parties have folders."""
        return bool(self._folders)

    def _keep(self, step: Callable[[Keeper], Step[T]]) -> list[T]:
        """Drive a step of storage. These draw no masks: an error leaves the session usable."""
        form = self.protocol.form
        assert form is not None
        return self.driver.run(
            [
                step(Keeper(party, store, form, self._session, SystemRandomness()))
                for party, store in zip(self.members, self._folders, strict=True)
            ],
            "storage",
        )

    def save_parts(self, references: Sequence[Reference], draft: Draft) -> Header:
        """Every party seals its parts in its own folder."""

        def values(index: int) -> list[SecretValue]:
            return [r.parts[index] for r in references if isinstance(r, LocalReference)]

        return self._keep(lambda k: save_step(k, draft, values(k.party.index)))[0]

    def load_parts(self, name: str, version: int | None) -> tuple[Header, tuple[Reference, ...]]:
        """Every party opens its parts from its own folder."""
        found = self._keep(lambda k: load_step(k, "entry", name, version))
        return self._loaded([refused_or(loaded) for loaded in found])

    def resume_parts(self, name: str) -> tuple[Header, tuple[Reference, ...]] | None:
        """Every party refreshes and opens its parts of the newest checkpoint."""
        found = [one for one in self._keep(lambda k: resume_step(k, name)) if one is not None]
        return self._loaded(found) if found else None

    def _loaded(self, found: Sequence[Loaded]) -> tuple[Header, tuple[Reference, ...]]:
        header = found[0][0]
        parts = zip(*(values for _, values in found), strict=True)
        references = tuple(LocalReference(values) for values in parts)
        for place, reference in enumerate(references):
            restore(reference, header, place)
        return header, references

    def list_parts(self) -> list[Header]:
        """What the first party's folder lists."""
        return [h.header for h in self._folders[0].holdings() if h.sealed]

    def delete_parts(self, name: str, version: int | None, purpose: Purpose) -> int:
        """Destroy a version, or all of a name, at every party; how many there were."""
        return refused_or(self._keep(lambda k: delete_step(k, purpose, name, version))[0])

    def refresh_parts(self) -> tuple[Header, ...]:
        """Replace all stored shares by fresh ones of the same secrets, at every party."""
        return self._keep(refresh_step)[0]


def _threads(threads: int | None, driver: LockstepDriver | None) -> int:
    if not isinstance(driver, VirtualTime):
        return threads_a_party(threads)
    if threads not in (None, 1):
        raise UsageError(
            "Virtual time counts the work of one thread a party.",
            next_step="leave threads away, or the network.",
            case=39,
        )
    return 1
