"""Control flow: the parameters of nodes that run bodies. Conditions and counts are public.

=========  ============================================================  ========================
node       operands                                                      results
=========  ============================================================  ========================
``call``   the body's inputs                                             the body's
``cond``   which branch (a public integer), the branches' inputs         a branch's
``fori``   first, end (public int64), carries, captures                  carries at the end
``scan``   carries, arrays cut along their first axis, captures          carries, results stacked
``while``  carries, captures of the condition, captures of the body      carries at the end
=========  ============================================================  ========================

Bodies take: for ``fori`` the counter, carries, captures; for ``scan`` carries, slices, captures;
for ``while`` carries and captures (condition and body each its own). A carry has the same type in
every round. Captures are values from outside that stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tacit.operations.operation import Attributes

__all__ = ["CONTROL", "Call", "Choice", "Loop", "Over", "Until", "bodies_of"]


class Call(Attributes, frozen=True):
    """Run a body."""

    body: int


class Choice(Attributes, frozen=True):
    """Run one of several bodies, of equal inputs and results; out of range the nearest one."""

    branches: tuple[int, ...]


class Loop(Attributes, frozen=True):
    """Run a body for each integer from a first one to before an end."""

    body: int
    carried: int


class Over(Attributes, frozen=True):
    """Run a body over the first axis of arrays."""

    body: int
    carried: int
    sliced: int
    length: int
    reverse: bool = False


class Until(Attributes, frozen=True):
    """Run a body as long as a public condition holds."""

    condition: int
    body: int
    carried: int
    captured: int
    """How many captures are the condition's."""


CONTROL: Final[Mapping[str, type[Attributes]]] = {
    "call": Call,
    "cond": Choice,
    "fori": Loop,
    "scan": Over,
    "while": Until,
}
"""The forms of control flow and their parameters."""


def bodies_of(attributes: Attributes) -> tuple[int, ...]:
    """The numbers of the bodies that a node runs; none for operations of the table."""
    match attributes:
        case Call(body) | Loop(body=body) | Over(body=body):
            return (body,)
        case Choice(branches):
            return branches
        case Until(condition, body):
            return condition, body
    return ()
