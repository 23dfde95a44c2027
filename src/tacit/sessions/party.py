"""The view from inside one party: every party's process runs the same lines of code."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeAlias, TypeVar

import msgspec
from numpy.typing import ArrayLike, NDArray

from tacit.encoding.fixed import decode
from tacit.encoding.limits import Limits
from tacit.encoding.ring import RING64, Ring
from tacit.encoding.types import DType
from tacit.errors import ShapeError, UsageError
from tacit.network import LinkDriver, Mesh
from tacit.programs.operation import Attributes, Operation
from tacit.programs.promotion import encoded
from tacit.programs.types import ArrayType, SecretValue, public_type
from tacit.protocols import Protocol
from tacit.protocols.interface import Party, Rounding
from tacit.rounds.contract import Step
from tacit.rounds.cost import Cost
from tacit.rounds.randomness import SystemRandomness
from tacit.sessions.execution import accepted, input_step, reveal_step
from tacit.sessions.references import PartyReference, References
from tacit.sessions.session import Handle, Reference, Session
from tacit.sessions.storage_steps import (
    Draft,
    Keeper,
    Loaded,
    delete_step,
    load_step,
    refresh_step,
    refused_or,
    resume_step,
    save_step,
)
from tacit.sessions.storing import restore
from tacit.sessions.threads import threads_a_party
from tacit.sessions.turns import OneThread
from tacit.storage.records import Header, Purpose
from tacit.storage.store import Place, Store

__all__ = ["Evaluate", "PartyReference", "PartySession"]

T = TypeVar("T")


Evaluate: TypeAlias = Callable[[Party, Sequence[Any]], Step[tuple[SecretValue, ...]]]
"""``evaluate(party, parts)``: a step that computes secret values from this party's parts."""


class PartySession(Session):
    """A session as one party sees it.

    All parties' processes make the same calls in the same order; only the owner passes values
    to :meth:`share`, and only recipients get them from :meth:`reveal`. Public operands must be
    equal at all parties. All calls of a process come from one thread, because threads would not
    take turns in the same order everywhere; a second thread is refused (TC-1035). Only closing may
    be done from another.

    Parameters
    ----------
    protocol : Protocol
        The protocol they run.
    party : Party
        This party.
    driver : LinkDriver
        Its links to the others.
    """

    place = "seen from one party"

    def __init__(self, protocol: Protocol, party: Party, driver: LinkDriver) -> None:
        super().__init__(protocol, party.names, party.rounding, party.ring)
        self.party = party
        self.driver = driver
        self.references = References()
        self._calls = OneThread(self.name)
        self._stage = ""
        self._deadline: float | None = None
        self._store: Store | None = None

    @classmethod
    def over(
        cls,
        protocol: Protocol,
        mesh: Mesh,
        *,
        rounding: Rounding = "probabilistic",
        ring: Ring = RING64,
        threads: int | None = None,
    ) -> PartySession:
        """The session of a party whose links stand: its keys come from those links.

        `rounding` and `ring` must be the same at all parties: they belong into the parameters
        that they compare in their handshake. `threads` is this party's own affair: all cores by
        default, as it has the machine for itself.
        """
        seeds = {
            peer: mesh.pairwise_key(peer, "prss")
            for peer in range(len(mesh.names))
            if peer != mesh.index
        }
        party = protocol.party(
            mesh.names, mesh.index, seeds, mesh.session_id, rounding=rounding, ring=ring
        )
        party.threads = threads_a_party(threads)
        session = cls(protocol, party, mesh.driver)
        if protocol.setup is not None:
            session.run(protocol.setup(party, SystemRandomness()), "set-up")
        return session

    @property
    def name(self) -> str:
        """This party's name."""
        return self.parties[self.party.index]

    def turn(self) -> AbstractContextManager[None]:
        """Nothing to wait for: a second thread is refused."""
        return nullcontext()

    def check_open(self) -> None:
        """Refuse to go on after the end, or from another thread than before."""
        self._calls.check()
        super().check_open()

    def enter_stage(self, name: str, seconds: float | None = None) -> None:
        """Begin a stage of the work, which errors name.

        Parameters
        ----------
        name : str
            Such as ``"training"``.
        seconds : float, optional
            Its deadline from now; a party that is alive but not done by then ends the session.
        """
        self._stage = name
        self._deadline = None if seconds is None else time.monotonic() + seconds

    def run(self, step: Step[T], stage: str) -> T:
        """Drive this party's copy of a protocol step."""
        self._calls.check()
        left = None if self._deadline is None else max(0.0, self._deadline - time.monotonic())
        with self._calls.turn():
            return self.driver.run(step, stage=self._stage or stage, deadline=left)

    def share(
        self,
        values: ArrayLike | None,
        owner: str,
        *,
        dtype: DType | None = None,
        shape: tuple[int, ...] | None = None,
        bounds: tuple[float, float] | None = None,
    ) -> Reference:
        """Share an array: the owner passes it, the others None; all pass type, shape and bounds.

        Bounds are public and decide which operations are refused, so they must be the same at
        every party.
        """
        self.check_open()
        position = self.position(owner)
        if dtype is None or shape is None:
            raise UsageError(
                "Inside a party, share() needs dtype and shape, the same at every party.",
                next_step="pass both, for instance dtype=tacit.fixed, shape=(128, 30).",
                case=29,
                stage="share",
            )
        self.check_room(dtype)
        if (values is None) == (position == self.party.index):
            raise UsageError(
                f"{self.name} {'passes no' if values is None else 'passes'} values for an input"
                f" of {owner}.",
                next_step="the owner passes its array, every other party None.",
                case=24,
                stage="share",
            )
        shape = tuple(shape)
        elements = None
        if values is not None:
            elements = encoded(values, dtype, bounds, self.ring)
            if elements.shape != shape:
                raise ShapeError(
                    f"The array of {owner} has shape {elements.shape}, not {shape}.",
                    next_step="pass the shape that all parties agreed on.",
                    case=19,
                    parties=[owner],
                    stage="share",
                )
        limits = self.input_limits(dtype, bounds, elements)
        reference = self.input_elements(position, elements, dtype, shape, limits)
        reference.declare(bounds)
        return reference

    def input_elements(
        self,
        owner: int,
        elements: NDArray[Any] | None,
        dtype: DType,
        shape: tuple[int, ...],
        limits: Limits,
    ) -> PartyReference:
        """Share encoded elements, given at the owner alone."""
        step = input_step(self.party, owner, elements, dtype, shape, limits)
        shared = self.run(step, "share")
        return self.references.of(accepted(shared, self.parties[owner]))

    def execute(
        self,
        operation: Operation,
        operands: Sequence[Handle],
        attributes: Attributes,
        results: tuple[ArrayType, ...],
    ) -> tuple[Reference, ...]:
        """Compute this party's part of an operation."""

        def evaluate(party: Party, parts: Sequence[Any]) -> Step[tuple[SecretValue, ...]]:
            return operation.evaluate(party, parts, attributes)

        if not results:
            types = [
                ArrayType(h.dtype, h.shape) if isinstance(h, Reference) else public_type(h)
                for h in operands
            ]
            results = operation.result_types(types, attributes)
        public = msgspec.msgpack.encode(attributes)
        return self.compute(operation.name, evaluate, operands, results=results, public=public)

    def compute(
        self,
        name: str,
        evaluate: Evaluate,
        operands: Sequence[Handle],
        *,
        results: Sequence[ArrayType],
        public: bytes = b"",
    ) -> tuple[PartyReference, ...]:
        """Compute secret arrays from secret arrays, by any step.

        This is the unit that a recovery repeats: after the loss of a party `evaluate` may be
        called again, for a party of another protocol. So it depends on its arguments and on what
        all parties know alone, changes nothing outside, and leaves the parts as they are.

        Parameters
        ----------
        name : str
            What it computes; the same at all parties, named in errors.
        evaluate : callable
            ``evaluate(party, parts)`` gives the step; `parts` are this party's
            :class:`~tacit.programs.types.SecretValue` of each reference, and public arrays as
            they are.
        operands : sequence
            References of this session, or public arrays.
        results : sequence of ArrayType
            The types of what the step returns, in order.
        public : bytes
            Whatever else decides what is computed, such as encoded parameters: parties compare
            it before they rely on each other's progress.

        Returns
        -------
        tuple of PartyReference
            One for each value that the step returns.
        """
        self.check_open()
        parts = [h.part if isinstance(h, PartyReference) else h for h in operands]
        values = self.run(evaluate(self.party, parts), name)
        return tuple(map(self.references.of, values))

    def open(
        self, reference: Reference, to: tuple[int, ...], answer: tuple[int, ...]
    ) -> dict[str, NDArray[Any]]:
        """Open to the parties in `to`; the values if this one is among them."""
        assert isinstance(reference, PartyReference)
        opened = self.run(reveal_step(self.party, reference.part, to), "reveal")
        return {} if opened is None else {self.name: decode(opened, reference.dtype, self.ring)}

    def _cost(self) -> Cost:
        return self.driver.cost()

    def _close(self) -> None:
        """The links belong to the mesh, which is closed by whoever made it."""
        if self._store is not None:
            self._store.close()

    # What is stored.

    def attach(self, place: Place) -> None:
        """Give this party its folder. Every party does so before any saves or loads.

        Raises
        ------
        StorageError
            The folder or the key cannot be used, or is another party's.
        """
        if self._store is not None:
            self._store.close()
        self._store = Store(place, self.name, self.parties, self.protocol.name)

    @property
    def stores(self) -> bool:
        """Whether this party has a folder."""
        return self._store is not None

    def keeper(self) -> Keeper:
        """This party with its folder, for steps of storage."""
        assert self._store is not None
        assert self.protocol.form is not None
        session = self.party.session_id
        return Keeper(self.party, self._store, self.protocol.form, session, SystemRandomness())

    def save_parts(self, references: Sequence[Reference], draft: Draft) -> Header:
        """Seal this party's parts in its folder."""
        values = [r.part for r in references if isinstance(r, PartyReference)]
        return self.run(save_step(self.keeper(), draft, values), "storage")

    def load_parts(self, name: str, version: int | None) -> tuple[Header, tuple[Reference, ...]]:
        """Open this party's parts from its folder."""
        loaded = self.run(load_step(self.keeper(), "entry", name, version), "storage")
        return self._loaded(refused_or(loaded))

    def resume_parts(self, name: str) -> tuple[Header, tuple[Reference, ...]] | None:
        """Refresh and open this party's parts of the newest checkpoint."""
        loaded = self.run(resume_step(self.keeper(), name), "storage")
        return None if loaded is None else self._loaded(loaded)

    def _loaded(self, loaded: Loaded) -> tuple[Header, tuple[Reference, ...]]:
        header, values = loaded
        references = tuple(map(self.references.of, values))
        for place, reference in enumerate(references):
            restore(reference, header, place)
        return header, references

    def list_parts(self) -> list[Header]:
        """What this party's folder lists."""
        return [h.header for h in self.keeper().store.holdings() if h.sealed]

    def delete_parts(self, name: str, version: int | None, purpose: Purpose) -> int:
        """Destroy a version, or all of a name, at every party; how many there were."""
        step = delete_step(self.keeper(), purpose, name, version)
        return refused_or(self.run(step, "storage"))

    def refresh_parts(self) -> tuple[Header, ...]:
        """Replace all stored shares by fresh ones of the same secrets, at every party."""
        return self.run(refresh_step(self.keeper()), "storage")
