"""Two parties known to be honest serve a third one that no longer computes.

After a message has proved that one of A and B is corrupt, C and D go on with A, and B, which may
be the honest one, runs its program without parts: it waits at every barrier until both C and D say
that they have passed it, gets its outputs and hands in its inputs, all over links of these three
(:mod:`tacit.protocols.service`). B confirms every output, so C and D never get so far that an
output could be lost.

If a link fails, B is not served any longer, whosever fault it is. If one of the two that serve has
left the stage, the other one hears so in the stage, and B takes part in what follows
(``guard.py``).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.ring import Ring
from tacit.errors import VerificationError
from tacit.protocols.service import ServiceParty, deliver, deposit
from tacit.rounds.contract import Round, Step
from tacit.rounds.randomness import SystemRandomness
from tacit.sessions.entries import Outcome
from tacit.sessions.surroundings import MeshLike

__all__ = ["Service"]

_OUTCOMES: Final[tuple[Outcome, ...]] = ("accepted", "refused", "lost")


class Service:
    """The links between the two that serve and the one that is served, at one of these three.

    Parameters
    ----------
    mesh : MeshLike
        Among the three.
    served : str
        Whom the two others serve.
    ring : Ring
    patience : float
        How long the two wait for the one they serve, in seconds: well below what the others of
        their stage wait for them, so that it cannot make them late there.
    """

    def __init__(self, mesh: MeshLike, served: str, ring: Ring, patience: float) -> None:
        self.mesh = mesh
        self.served = served
        self.patience = patience
        others = [peer for peer in range(3) if peer != mesh.index]
        seeds = {peer: mesh.pairwise_key(peer, "prss") for peer in others}
        self.party = ServiceParty(
            mesh.names, mesh.index, mesh.names.index(served), seeds, mesh.session_id, ring
        )

    # At the two that serve.

    def announce(self, barrier: int) -> None:
        """Tell the one that is served that this party has passed a barrier."""
        said = np.array([barrier], np.int64)
        self._run(_only(check={self.party.served: (said,)}), "barrier")

    def hand_out(
        self,
        share: Any,
        shape: tuple[int, ...],
        *,
        bits: bool,
        members: tuple[int, int, int],
        index: int,
        suspect: int,
    ) -> None:
        """Give the one that is served an output, and wait until it confirms."""
        self._meet("reveal")
        service = self.party

        def step() -> Step[None]:
            yield from deliver(
                service, share, shape, bits=bits, members=members, index=index, suspect=suspect
            )
            yield Round(check_receive={service.served: (np.empty(1, np.uint8),)})

        self._run(step(), "reveal", self.patience)

    def take_in(self, shape: tuple[int, ...], *, bits: bool) -> NDArray[Any]:
        """This party's summand of an input of the one that is served."""
        self._meet("share")
        summand: NDArray[Any] | None = self._run(
            deposit(self.party, None, shape, bits=bits), "share", self.patience
        )
        assert summand is not None
        return summand

    def give_word(self, outcome: Outcome) -> None:
        """Tell the one that is served what became of an input."""
        said = np.array([_OUTCOMES.index(outcome)], np.uint8)
        self._run(_only(check={self.party.served: (said,)}), "share")

    def _meet(self, stage: str) -> None:
        """Wait for the other one that serves, before the one that is served has to do anything.

        The corrupt one that stayed in their stage can keep one of the two behind the other there.
        Then the one that is served waits for that one, and is not to blame for it.
        """
        (other,) = (peer for peer in self.party.helpers if peer != self.mesh.index)
        here, there = np.zeros(1, np.uint8), np.empty(1, np.uint8)
        self._run(_only(check={other: (here,)}, check_receive={other: (there,)}), stage)

    # At the one that is served.

    def await_announcement(self, barrier: int) -> None:
        """Wait until both that serve have passed a barrier.

        Raises
        ------
        VerificationError
            They are elsewhere (TC-5214): this party runs another program.
        """
        said = {peer: np.empty(1, np.int64) for peer in self.party.helpers}
        self._run(_only(check_receive={peer: (box,) for peer, box in said.items()}), "barrier")
        for peer, box in said.items():
            if int(box[0]) != barrier:
                name = self.mesh.names[peer]
                raise VerificationError(
                    f"{name} is at point {int(box[0])} of the program where {self.mesh.name} is at"
                    f" {barrier}.",
                    next_step="make sure that all parties run the same program and version.",
                    case=14,
                    parties=[name],
                    stage="barrier",
                )

    def get_out(
        self,
        shape: tuple[int, ...],
        *,
        bits: bool,
        members: tuple[int, int, int],
        index: int,
        suspect: int,
    ) -> NDArray[Any]:
        """An output of this party, which it confirms."""
        self._run(_only(), "reveal")  # the two that serve meet
        service = self.party

        def step() -> Step[NDArray[Any] | None]:
            opened = yield from deliver(
                service, None, shape, bits=bits, members=members, index=index, suspect=suspect
            )
            yield Round(check={peer: (np.zeros(1, np.uint8),) for peer in service.helpers})
            return opened

        opened: NDArray[Any] | None = self._run(step(), "reveal")
        assert opened is not None
        return opened

    def hand_in(self, values: NDArray[Any], shape: tuple[int, ...], *, bits: bool) -> None:
        """An input of this party."""
        self._run(_only(), "share")  # the two that serve meet
        self._run(deposit(self.party, values, shape, SystemRandomness(), bits=bits), "share")

    def get_word(self) -> Outcome:
        """What became of an input: the two that serve agree, so one of them is enough."""
        said = {peer: np.zeros(1, np.uint8) for peer in self.party.helpers}
        self._run(_only(check_receive={peer: (box,) for peer, box in said.items()}), "share")
        first, _ = said.values()
        return _OUTCOMES[int(first[0]) % len(_OUTCOMES)]

    def close(self) -> None:
        """Say goodbye."""
        self.mesh.close()

    def abort(self, error: BaseException) -> None:
        """Tell the others that this party leaves, and why."""
        self.mesh.abort(error)

    def _run(self, step: Step[Any], stage: str, patience: float | None = None) -> Any:
        return self.mesh.driver.run(step, stage=stage, patience=patience)


def _only(**boxes: Any) -> Step[None]:
    yield Round(**boxes)
