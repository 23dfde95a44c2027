"""What every learner has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

__all__ = ["Learner", "Values"]

Values: TypeAlias = tuple[Any, ...]
"""A party's part of a learner's state: arithmetic sharings."""


class Learner(Protocol):
    """One kind of model with its way to learn.

    All of it depends on the plan and on public numbers alone, so that a step can be run again by
    another set of parties.

    Attributes
    ----------
    shapes : tuple of tuple of int
        Of the arrays of its state, all with the plan's fraction bits.
    """

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]: ...

    def check(self) -> None:
        """Refuse a plan whose numbers steps cannot hold. Raises RangeError before any step."""

    def initial(self, party: Party) -> Values:
        """Its state before the first step: public numbers. Local."""

    def begun(self, party: Party, parameters: Sequence[Any]) -> Step[Values]:
        """Its state before the first step, from parameters for standardised rows."""

    def step(
        self, party: Party, values: Values, x: Any, y: Any, number: int
    ) -> Step[tuple[Values, Any]]:
        """One minibatch.

        Parameters
        ----------
        values : tuple of arithmetic sharings
            The state; it is left as it is.
        x, y : arithmetic sharing, (n, d) and (n,)
            Standardised rows, and labels 0 and 1, with the plan's fraction bits.
        number : int
            Of the step, from 0.

        Returns
        -------
        values : tuple of arithmetic sharings
            The next state.
        residuals : arithmetic sharing, (n,)
            Probabilities minus labels, before the step.
        """

    def parameters(self, party: Party, values: Values) -> Step[list[Any]]:
        """The model's weights (inputs, outputs) and biases, for standardised rows."""
