"""Whether an optimised program is accepted wherever the program was that it comes from.

Fewer operations may reach further: of two factors that each fit the product may need more bits
than there is room for, within the widest bounds that fit. A program that was shown not to wrap, or
that ran, must not be refused for having been optimised.
"""

from __future__ import annotations

from typing import Final

from tacit.encoding.ring import RING64, Ring
from tacit.encoding.wide import RING128
from tacit.errors import TacitError
from tacit.programs.bounding.analysis import analysed
from tacit.programs.program import Program

__all__ = ["holds"]

_MOST_TRIED: Final = 3_000
"""As while optimising: looking at it again is to be quick."""


def holds(before: Program, after: Program) -> bool:
    """Whether `after` is shown not to wrap if `before` is, and runs if that does.

    Over the smallest ring where it is or does: in a larger one all the more.
    """
    for ring in (RING64, RING128):
        if _is_shown(before, ring):
            return _is_shown(after, ring)
        if _runs(before, ring):
            return _runs(after, ring)
    return True


def _runs(program: Program, ring: Ring) -> bool:
    try:
        analysed(program, ring, most_tried=_MOST_TRIED)
    except TacitError:
        return False
    return True


def _is_shown(program: Program, ring: Ring) -> bool:
    try:
        return not analysed(program, ring, strict=True, most_tried=_MOST_TRIED).problems
    except TacitError:
        return False
