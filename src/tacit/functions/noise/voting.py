"""The label that most teachers vote for, after noise: only the label may leave.

Source: Papernot, Song, Mironov, Raghunathan, Talwar, Erlingsson 2018, "Scalable private learning
with PATE" (GNMax), with discrete Gaussian noise on the counts inside the computation.
"""

from __future__ import annotations

from typing import Any

from tacit.functions.costs import Costs, in_sequence
from tacit.functions.noise.gaussian import discrete_gaussian, discrete_gaussian_cost
from tacit.functions.noise.plans import GaussianPlan
from tacit.functions.searching import extremum, extremum_cost
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = ["noisy_argmax", "noisy_argmax_cost"]


def noisy_argmax(party: Party, votes: Any, plan: GaussianPlan) -> Step[Any]:
    """The position of the largest count of each row, after noise on every count.

    Parameters
    ----------
    party : Party
    votes : arithmetic sharing, (queries, classes)
        Integers: how many teachers vote for each class.
    plan : GaussianPlan
        Of the noise on a count; its deviation in votes.

    Returns
    -------
    arithmetic sharing, (queries,)
        Integers from 0; secret. The caller opens them, and nothing else.

    Notes
    -----
    One teacher that changes its vote changes two counts by one each: sensitivity sqrt(2). What
    opening the labels costs is in ``tacit.privacy``. Rounds: the noise's and those of an extremum.
    """
    noise = yield from discrete_gaussian(party, votes.shape, plan)
    noisy = party.add(votes, noise)
    _, index = yield from extremum(party, noisy, largest=True, with_index=True)
    return index


def noisy_argmax_cost(costs: Costs, shape: tuple[int, int], plan: GaussianPlan) -> Declaration:
    """Of `noisy_argmax` of counts of this shape."""
    return in_sequence(
        discrete_gaussian_cost(costs, shape[0] * shape[1], plan),
        extremum_cost(costs, *shape, with_index=True),
    )
