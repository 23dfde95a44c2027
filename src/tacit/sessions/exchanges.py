"""Inputs and outputs of a guarded session, those of a party that others serve included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from numpy.typing import NDArray

from tacit.errors import InternalError, PartyLostError
from tacit.operations.crossing import checked_within, from_opened, input_step, reveal_step, to_open
from tacit.operations.types import SecretValue
from tacit.protocols.service import put_in
from tacit.rounds.contract import Step
from tacit.rounds.cost import Cost
from tacit.sessions.entries import Outcome, Passed, Put
from tacit.sessions.footing import FAULTS, ROUNDS, Footing, Terms
from tacit.sessions.references import PartyReference, References
from tacit.sessions.serving import Service

__all__ = ["Exchanges"]

T = TypeVar("T")

SERVICE_START: Final = 10.0
"""Seconds for the links to the one that is served: less than others wait for the stage's."""


class Exchanges(Footing):
    """A party that puts in, opens and serves, or is served, in the stage that it is in."""

    def __init__(self, terms: Terms, references: References) -> None:
        self._service: Service | None = None
        self._owners: frozenset[str] = frozenset()
        self._rejected: dict[int, Outcome] = {}
        super().__init__(terms, references)

    def cost(self) -> Cost:
        """What this party sent, in all stages."""
        cost = self._spent
        for mesh in (self._mesh, None if self._service is None else self._service.mesh):
            if mesh is not None:
                cost = cost + mesh.driver.cost()
        return cost

    def put(self, entry: Put) -> None:
        """An input: from a member, or from the one that is served."""
        served = entry.owner == self.stage.served
        if not served:
            self._owners |= {entry.owner}
        if self.blind:
            entry.outcome = self._outcome_elsewhere(entry, served)
            return
        value: SecretValue | None = None
        if served:
            entry.outcome, value = self._put_served(entry)
        else:
            reference = entry.reference
            place = self.stage.members.index(entry.owner)
            step = input_step(
                self.party, place, entry.elements, reference.dtype, reference.shape, entry.limits
            )
            value = self.drive(step, "share")
            entry.outcome = "refused" if value is None else "accepted"
        if value is not None:
            entry.reference.hold(value)
            self._rejected.pop(entry.barrier, None)
        else:
            self._rejected[entry.barrier] = entry.outcome
        self._serve(lambda service: service.give_word(entry.outcome))

    def _outcome_elsewhere(self, entry: Put, own: bool) -> Outcome:
        """What became of an input where this party does not compute; its own it hands in first."""
        if self._catch_up is not None:
            return self._catch_up.rejected.get(entry.barrier, "accepted")
        if self._service is None:
            raise InternalError("a party that is not served waits to be told")
        if own:
            assert entry.elements is not None
            axes = entry.reference.shape or (1,)
            bits = entry.reference.dtype.kind == "bool"
            self._service.hand_in(entry.elements.reshape(axes), axes, bits=bits)
        return self._service.get_word()

    def _put_served(self, entry: Put) -> tuple[Outcome, SecretValue | None]:
        dtype, shape = entry.reference.dtype, entry.reference.shape
        axes, bits = shape or (1,), dtype.kind == "bool"
        summand = self._serve(lambda service: service.take_in(axes, bits=bits))
        one, other = (self.stage.members.index(name) for name in self.stage.trusted)
        party = self.party

        def step() -> Step[tuple[Outcome, SecretValue | None]]:
            share = yield from put_in(party, summand, axes, bits=bits, helpers=(one, other))
            if share is None:
                return "lost", None
            value = yield from checked_within(party, share, dtype, shape, entry.limits)
            return ("refused" if value is None else "accepted"), value

        outcome, value = self.drive(step(), "share")
        if outcome == "lost":
            self._serve_no_longer("its input did not arrive at both that serve it")
        return outcome, value

    def reveal(self, reference: PartyReference, to: tuple[int, ...]) -> NDArray[Any] | None:
        """Open an array to those of `to` that are there; what this party gets of it."""
        stage = self.stage
        names = [self.names[index] for index in to]
        served = stage.served in names
        axes, bits = reference.shape or (1,), reference.dtype.kind == "bool"
        if self.blind:
            if not served:
                return None
            if self._service is None:
                raise InternalError("an output was passed by")
            opened = self._service.get_out(axes, bits=bits, **self._served_places())
            return from_opened(opened, reference.dtype, reference.shape, self.ring)
        present = tuple(stage.members.index(name) for name in names if name in stage.members)
        value: NDArray[Any] | None = None
        if present:
            value = self.drive(reveal_step(self.party, reference.part, present), "reveal")
        elif served:
            # All of the stage keep pace. Else one that is served alone could, output after output,
            # keep one of the two waiting just long enough that the others name that one.
            self.gather(Passed(self.passed), Passed, "reveal")
        if served and self._service is not None:
            share = to_open(self.party, reference.part)
            self._serve(
                lambda service: service.hand_out(share, axes, bits=bits, **self._served_places())
            )
        return value

    def _served_places(self) -> dict[str, Any]:
        (suspect,) = set(self.stage.members) - set(self.stage.trusted)
        return {
            "members": self._places(self.stage),
            "index": self.home,
            "suspect": self.names.index(suspect),
        }

    # Serving.

    def _connect_service(self) -> None:
        stage = self.stage
        assert stage.served is not None
        three = tuple(n for n in self.names if n == stage.served or n in stage.trusted)
        try:
            mesh = self.ground.connect(
                three,
                "service",
                self._terms.job,
                self._handshake("serving"),
                # Honest parties leave a conference that far apart: a corrupt one that says nothing
                # to one of them in the last round keeps that one waiting until the round's end.
                ROUNDS * self._patience + SERVICE_START,
            )
            self._service = Service(mesh, stage.served, self.ring, self._patience / 8)
        except FAULTS as error:
            if self.name == stage.served:
                raise
            self._note("lost", stage.served, None, error.message, "service")

    def _serve(self, action: Callable[[Service], T]) -> T | None:
        """Do something for the one that is served; any failure ends that, and nothing else.

        What fails here says nothing of the stage. If the other one that serves has left it, the
        links of the stage say so, and who is served then takes part again. Were it concluded from
        these links, one that is served could bring it about: by lies to one of the two, who says
        to the other what neither can tell from a failure of the stage.
        """
        if self._service is None or self.blind:
            return None
        try:
            return action(self._service)
        except FAULTS as error:
            told = error.reporter in self.stage.trusted and self.stage.served not in error.parties
            self._serve_no_longer(error.message, noted=not told)
            return None

    def _serve_no_longer(self, reason: str, *, noted: bool = True) -> None:
        if self._service is None:
            return
        service, self._service = self._service, None
        self._spent = self._spent + service.mesh.driver.cost()
        service.abort(
            PartyLostError(
                f"{service.served} is not served any longer: {reason}",
                next_step="look at that party's machine and network; the others go on.",
                case=12,
                parties=[service.served],
                stage="service",
            )
        )
        if noted:
            self._note("lost", service.served, None, reason, "service")

    def _retire_service(self, fault: BaseException) -> None:
        service, self._service = self._service, None
        if service is not None:
            service.abort(fault)
            self._spent = self._spent + service.mesh.driver.cost()
