"""Loops of a program: over the first axis of arrays, or a number of rounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tacit.arrays import functions as tacit
from tacit.frontends.onnx.values import secretly, session_of

__all__ = ["scanned"]


def scanned(
    body: Callable[[Any, Any], Any],
    initial: Sequence[Any],
    xs: Sequence[Any],
    length: int | None = None,
) -> tuple[Sequence[Any], Sequence[Any]]:
    """``body(carry, slices)`` gives the next carry and what is stacked; all are lists.

    Carries become secret before the first round, as they are after it.
    """
    session = session_of(*initial, *xs)
    return tacit.scan(body, [secretly(value, session) for value in initial], xs, length)
