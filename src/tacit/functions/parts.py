"""Functions as parts of longer computations, for checked mode."""

from __future__ import annotations

from tacit.protocols.interface import Party

__all__ = ["as_part"]


def as_part(party: Party) -> Party:
    """The party for a function inside a longer computation: the function's own steps are its own.

    In checked mode a training step's products and sums are tested one by one
    (``operations/watching.py``). A sigmoid within it is not looked into: its intermediate values
    overflow on purpose, under exact zeros. Elsewhere this is the party itself.
    """
    inner: Party = getattr(party, "unwatched", party)
    return inner
