"""A function of JAX as a body that is ready to be computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax

from tacit.frontends.jax import (  # noqa: F401  the modules that register rules
    choice,
    contraction,
    convolution,
    decompositions,
    elementwise,
    folds,
    fused_rules,
    indexing,
    loops,
    reductions,
    shapes,
    special,
)
from tacit.frontends.jax.body import Body
from tacit.frontends.jax.fusion import fused
from tacit.frontends.jax.moving_positions import with_positions
from tacit.frontends.jax.reading import read, traced
from tacit.frontends.jax.secrecy import find_secrets, without_unused
from tacit.frontends.jax.support import require_supported

__all__ = ["Imported", "imported"]


@dataclass(frozen=True, slots=True)
class Imported:
    """A function as a body.

    Attributes
    ----------
    body : Body
        Marked, checked, and shortened.
    results : tree
        The form of the function's results.
    """

    body: Body
    results: Any


def imported(
    function: Callable[..., Any], specs: Sequence[Any], secret: Sequence[bool]
) -> Imported:
    """Trace a function of arrays; `secret` says for each leaf of `specs` whether it is secret.

    Raises
    ------
    ProgramError
        It uses primitives that are not supported: all of them are named (TC-1520).
    """
    closed, results = traced(function, specs)
    body = read(closed)
    without_unused(body)
    find_secrets(body, secret)
    fused(body)
    without_unused(body)
    with_positions(body)
    require_supported(body)
    return Imported(body, jax.tree.structure(results))
