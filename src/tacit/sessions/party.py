"""The view from inside one party: every party's process runs the same lines of code."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec
from numpy.typing import ArrayLike, NDArray

from tacit.encoding.fixed import decode
from tacit.encoding.limits import Limits
from tacit.encoding.ring import RING64, Ring
from tacit.encoding.types import DType
from tacit.errors import DeadlineError, HandshakeError, ShapeError, UsageError
from tacit.functions.inputs import refusal
from tacit.operations.crossing import accepted, input_step, reveal_step
from tacit.operations.operation import Attributes, Operation
from tacit.operations.promotion import encoded
from tacit.operations.types import ArrayType, SecretValue, public_type
from tacit.programs.calling import Code
from tacit.protocols import Protocol, SecurityModel
from tacit.protocols.interface import Party, Rounding, checked_rounding
from tacit.recovery import Stage
from tacit.rounds.contract import Step
from tacit.rounds.cost import Cost
from tacit.rounds.randomness import SystemRandomness
from tacit.sessions.entries import Compute, Evaluate, Open, Put, Tell, owner_lost
from tacit.sessions.footing import Terms
from tacit.sessions.guard import Guard
from tacit.sessions.handles import Handle, Reference
from tacit.sessions.incidents import Incident
from tacit.sessions.party_storage import PartyStorage
from tacit.sessions.references import PartyReference, References
from tacit.sessions.segmenting import run_in_segments
from tacit.sessions.storing import permitted
from tacit.sessions.surroundings import DriverLike, GroundLike, MeshLike
from tacit.sessions.threads import threads_a_party
from tacit.sessions.turns import OneThread
from tacit.sessions.watching import OnRounds, Watch
from tacit.storage.store import Store

__all__ = ["Evaluate", "PartyReference", "PartySession"]

T = TypeVar("T")
M = TypeVar("M", bound=msgspec.Struct)


class _Agreed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A digest of what a party agreed to."""

    digest: bytes


class PartySession(PartyStorage):
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
    guard : Guard, optional
        Where the session goes on after a fault (:meth:`guarded`): then the party and its links
        are the guard's.

    Attributes
    ----------
    name : str
        This party's name.
    references : References
        The arrays of this session that are in use.
    """

    place = "seen from one party"

    def __init__(
        self,
        protocol: Protocol,
        party: Party | None,
        driver: DriverLike | None,
        guard: Guard | None = None,
    ) -> None:
        if guard is not None:
            names, rounding, ring = guard.names, guard.rounding, guard.ring
            self.name, self.references = guard.name, guard.references
        else:
            assert party is not None
            names, rounding, ring = party.names, party.rounding, party.ring
            self.name, self.references = names[party.index], References()
        super().__init__(protocol, names, rounding, ring)
        self._party = party
        self._driver = driver
        self._mesh: MeshLike | None = None
        self._guard = guard
        self._calls = OneThread(self.name)
        self._stage = ""
        self._deadline: float | None = None
        self._store: Store | None = None

    @classmethod
    def over(
        cls,
        protocol: Protocol,
        mesh: MeshLike,
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
        session._mesh = mesh
        if protocol.setup is not None:
            session.run(protocol.setup(party, SystemRandomness()), "set-up")
        return session

    @classmethod
    def guarded(
        cls,
        protocol: Protocol,
        ground: GroundLike,
        *,
        job: bytes,
        parameters: Mapping[str, str] | None = None,
        rounding: Rounding = "probabilistic",
        ring: Ring = RING64,
        threads: int | None = None,
        patience: float = 60.0,
        hold_inputs: bool = False,
    ) -> PartySession:
        """The session of a party that goes on with the right result after one party's fault.

        Parameters
        ----------
        protocol : Protocol
            One whose outcome is guaranteed: ``fantastic4``.
        ground : GroundLike
            This party's place on the network; its owner closes it after the session.
        job : bytes
            What all parties run, and `parameters` what else they must agree on; compared in
            every handshake.
        rounding, ring, threads
            As in :meth:`over`.
        patience : float
            Seconds that a party which is alive may keep the others waiting. An honest party
            that takes longer counts as lost.
        hold_inputs : bool
            As :meth:`hold_inputs`, from the start on: else a loss right after it is overcome, and
            the session begins without that party.

        Raises
        ------
        TransportError
            Not all parties came to the start.
        RecoveryError
            More than one party is lost or deviates.

        Notes
        -----
        Until a fault the session is that of :meth:`over`, with the same messages and costs, and
        barriers beside them (``guard.py``). Leaving it waits until all have finished.
        """
        terms = Terms(
            protocol=protocol.name,
            ground=ground,
            job=job,
            parameters=dict(parameters or {}),
            rounding=checked_rounding(rounding),
            ring=ring,
            threads=threads_a_party(threads),
            patience=patience,
        )
        guard = Guard(terms, References())
        session = cls(protocol, None, None, guard)
        try:
            guard.start(hold_inputs=hold_inputs)
        except BaseException as error:
            guard.abandon(error)
            raise
        return session

    @property
    def party(self) -> Party:
        """This party in the protocol that runs now; do not keep it beyond a call."""
        if self._guard is not None:
            return self._guard.party
        assert self._party is not None
        return self._party

    @property
    def driver(self) -> DriverLike:
        """This party's links to those that compute now; do not keep them beyond a call."""
        if self._guard is not None:
            return self._guard.mesh.driver
        assert self._driver is not None
        return self._driver

    @property
    def mesh(self) -> MeshLike:
        """The links of the stage that the session is in; do not keep them beyond a call."""
        if self._guard is not None:
            return self._guard.mesh
        assert self._mesh is not None
        return self._mesh

    @property
    def session_id(self) -> bytes:
        """Of the session as a whole: that of its first links, the same at all parties."""
        return self.mesh.session_id if self._guard is None else self._guard.identity

    @property
    def incidents(self) -> list[Incident]:
        """The faults that this session has overcome so far."""
        return [] if self._guard is None else list(self._guard.incidents)

    @property
    def stage(self) -> Stage | None:
        """Who computes now, and how; None in a session that ends with the first fault."""
        return None if self._guard is None else self._guard.stage

    @property
    def security(self) -> SecurityModel:
        """What holds now: after a fault, less than in the beginning."""
        if self._guard is not None:
            return self._guard.security
        model = self.protocol.security
        if model.outcome == "guaranteed output":
            return replace(model, outcome="abort")
        return model

    def on_incident(self, tell: Callable[[Incident], None]) -> None:
        """Have a function called for each fault that the session overcomes, past ones included."""
        if self._guard is not None:
            self._guard.on_incident = tell
            for incident in self._guard.incidents:
                tell(incident)

    def on_inputs_complete(self, tell: Callable[[], None]) -> None:
        """Have a function called when a job that holds inputs has all of them, at all parties."""
        if self._guard is not None:
            self._guard.on_inputs_complete = tell

    def keep_evidence(self, folder: Path) -> None:
        """Write what proves a fault into a folder of this party, from now on."""
        if self._guard is not None:
            self._guard.evidence = folder

    def seal(self) -> None:
        """Wait until all parties are here; what is computed is not computed again after a fault.

        Before everything that has an effect outside the session. Nothing in a session that ends
        with the first fault.
        """
        self.check_open()
        if self._guard is not None:
            with self._calls.turn():
                self._guard.seal()

    def hold_inputs(self) -> None:
        """Say that without all inputs nothing is to be computed.

        Until :meth:`inputs_complete` a fault ends the session, with the same RecoveryError at
        all parties.
        """
        if self._guard is not None:
            self._guard.hold_inputs()

    def inputs_complete(self) -> None:
        """Wait until all parties have all inputs; from here on the session survives a fault."""
        self.check_open()
        if self._guard is not None:
            with self._calls.turn():
                self._guard.inputs_complete()

    def gather(
        self, message: M, kind: type[M], *, stage: str, patience: float | None = None
    ) -> dict[str, M]:
        """Send one small public message to every other party that is there, and hear theirs.

        Parameters
        ----------
        message : Struct
            What to send.
        kind : type of Struct
            What each other party's message must be.
        stage : str
            Named in errors.
        patience : float, optional
            Seconds to wait for a party that is alive; the session's by default.

        Returns
        -------
        dict of str to Struct
            By name, with this party's own; of those that compute, the same names at all of them.
        """
        self.check_open()
        with self._calls.turn():
            if self._guard is None:
                assert self._mesh is not None
                return self._mesh.gather(message, kind, stage=stage, deadline=patience)
            tell = Tell(self._guard.next_barrier, stage, message, kind, patience)
            heard = self._guard.perform(tell)
            return cast("dict[str, M]", heard)

    def who_differs(
        self, digest: bytes, *, stage: str, patience: float | None = None
    ) -> str | None:
        """Another party whose digest of what all agreed on is not this one's; None if all agree.

        Parameters
        ----------
        digest : bytes
            Of what must be the same at all parties.
        stage, patience
            As in :meth:`gather`.
        """
        told = self.gather(_Agreed(digest), _Agreed, stage=stage, patience=patience)
        return next((name for name, other in told.items() if other.digest != digest), None)

    def agree_on_program(self, digest: bytes, *, patience: float | None = None) -> None:
        """Refuse to run a program, or public inputs, that another party does not run."""
        other = self.who_differs(digest, stage="program", patience=patience)
        if other is not None:
            raise HandshakeError(
                f"{self.name} and {other} do not run the same program on the same public inputs.",
                next_step="compare Program.digest and the public inputs at all parties.",
                case=11,
                parties=[self.name, other],
                stage="program",
            )

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
        if self._guard is not None:
            self._guard.label, self._guard.until = self._stage, self._deadline

    def check_deadline(self) -> None:
        """Refuse to go on when the stage's time is up, where this party works by itself.

        Raises
        ------
        DeadlineError
            It is.
        """
        if self._deadline is not None and time.monotonic() >= self._deadline:
            raise DeadlineError(
                f"{self.name} did not finish in time (stage {self._stage!r}): it still computes by"
                " itself, as the others may.",
                next_step="give the stage more time, or look for a loop of public numbers that"
                " does not end.",
                case=1,
                parties=[self.name],
                stage=self._stage,
            )

    def run(self, step: Step[T], stage: str) -> T:
        """Drive this party's copy of a protocol step, once: a fault in it is raised.

        A guarded session goes on after a fault in the next call that it guards.
        """
        self._calls.check()
        left = None if self._deadline is None else max(0.0, self._deadline - time.monotonic())
        with self._calls.turn():
            try:
                return self.driver.run(step, stage=self._stage or stage, deadline=left)
            except BaseException as error:
                if self._guard is not None:
                    self._guard.note(error)
                raise

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
        if (values is None) == (owner == self.name):
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
        name = self.parties[owner]
        if self._guard is not None:
            guard = self._guard
            with self._calls.turn():
                reference = guard.references.new(dtype, shape)
                entry = Put(guard.next_barrier, name, elements, limits, reference)
                outcome = guard.perform(entry)
            if outcome != "accepted":
                raise owner_lost(name) if outcome == "lost" else refusal(name)
            return reference
        step = input_step(self.party, owner, elements, dtype, shape, limits)
        shared = self.run(step, "share")
        return self.references.of(accepted(shared, name))

    def execute(
        self,
        operation: Operation,
        operands: Sequence[Handle],
        attributes: Attributes,
        results: tuple[ArrayType, ...],
    ) -> tuple[Reference, ...]:
        """Compute this party's part of an operation; of a program, segment by segment."""
        if self._guard is not None and isinstance(attributes, Code):
            return run_in_segments(self, attributes, operands)

        def evaluate(party: Party, parts: Sequence[Any]) -> Step[tuple[SecretValue, ...]]:
            return operation.evaluate(party, parts, attributes)

        if self._guard is None:
            return self._computed(operation.name, evaluate, operands, results)
        if not results:
            types = [
                ArrayType(h.dtype, h.shape) if isinstance(h, Reference) else public_type(h)
                for h in operands
            ]
            results = operation.result_types(types, attributes)
        public = msgspec.msgpack.encode(attributes)
        return self._computed(operation.name, evaluate, operands, results, public)

    def execute_watched(
        self,
        code: Code,
        operands: Sequence[Handle],
        results: tuple[ArrayType, ...],
        tell: OnRounds,
    ) -> tuple[Reference, ...]:
        """Compute this party's part of a program, and tell of its rounds."""
        if self._guard is None:
            return super().execute_watched(code, operands, results, tell)
        watch = Watch(tell, self.rounds_of(code, operands))
        return run_in_segments(self, code, operands, watch)

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
            :class:`~tacit.operations.types.SecretValue` of each reference, and public arrays as
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

        Raises
        ------
        PolicyDeniedError
            A stored operand may not be used in `name` (TC-4001).
        """
        uses = permitted([h for h in operands if isinstance(h, Reference)], name)
        made = self._computed(name, evaluate, operands, results, public)
        for reference in made:
            reference.uses = uses
        return made

    def _computed(
        self,
        name: str,
        evaluate: Evaluate,
        operands: Sequence[Handle],
        results: Sequence[ArrayType],
        public: bytes = b"",
    ) -> tuple[PartyReference, ...]:
        """`compute`, where the caller sees to what stored operands may be used for."""
        self.check_open()
        if self._guard is not None:
            guard = self._guard
            with self._calls.turn():
                made = tuple(guard.references.new(t.dtype, t.shape) for t in results)
                guard.perform(Compute(name, evaluate, operands, made, public))
                guard.keep_up()
            return made
        parts = [h.part if isinstance(h, PartyReference) else h for h in operands]
        values = self.run(evaluate(self.party, parts), name)
        return tuple(map(self.references.of, values))

    def open(
        self, reference: Reference, to: tuple[int, ...], answer: tuple[int, ...]
    ) -> dict[str, NDArray[Any]]:
        """Open to the parties in `to`; the values if this one is among them."""
        assert isinstance(reference, PartyReference)
        if self._guard is not None:
            with self._calls.turn():
                self._guard.seal()
                opened = self._guard.perform(Open(reference, to))
        else:
            opened = self.run(reveal_step(self.party, reference.part, to), "reveal")
        return {} if opened is None else {self.name: decode(opened, reference.dtype, self.ring)}

    def _cost(self) -> Cost:
        return self.driver.cost() if self._guard is None else self._guard.cost()

    def _close(self) -> None:
        """The links belong to the guard, or to the mesh, which is closed by whoever made it."""
        if self._guard is not None:
            self._guard.close()
        if self._store is not None:
            self._store.close()

    def _abandon(self, error: BaseException) -> None:
        if self._guard is not None:
            self._guard.abandon(error)
        if self._store is not None:
            self._store.close()
