"""The driver that runs one party's steps over TLS links."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from tacit.rounds.contract import Step
from tacit.rounds.cost import Cost, Counter

__all__ = ["LinkDriver"]

T = TypeVar("T")


class LinkDriver:
    """Drives one party's copy of every step over the links to the other parties.

    Made by ``mesh.connect``. Used from one thread.

    Attributes
    ----------
    names : tuple of str
        The parties' names, by index.
    index : int
        This party's index.
    counter : Counter
        Rounds, payload bytes and check bytes of this party.
    round_number : int
        Rounds driven so far, sends and receives of split rounds counted each; named in errors.
    """

    names: tuple[str, ...]
    index: int
    counter: Counter
    round_number: int

    def run(self, step: Step[T], *, stage: str = "", deadline: float | None = None) -> T:
        """Run this party's copy of a step to its end.

        Parameters
        ----------
        step : Step
            The generator. All parties run their copies of the same steps in the same order.
        stage : str
            The phase of the work, named in errors.
        deadline : float, optional
            Seconds from now after which a party that is alive but does not finish ends the
            session with a DeadlineError. Default: no limit.

        Returns
        -------
        object
            The step's result.

        Raises
        ------
        PartyLostError, DeadlineError, MessageError
            These name the party at fault. The session is over; so it is after any exception
            of the step itself, which is raised unchanged after the others have been told.
        """
        raise NotImplementedError

    def cost(self) -> Cost:
        """What this party sent so far (its own name only), without seconds."""
        raise NotImplementedError
