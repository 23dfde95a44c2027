"""Matrices taken apart."""

from __future__ import annotations

from typing import Any

from tacit.arrays import linalg
from tacit.frontends.jax.rules import Call, rule

__all__: list[str] = []


@rule("cholesky")
def _cholesky(call: Call, x: Any) -> Any:
    return linalg.cholesky(x)
