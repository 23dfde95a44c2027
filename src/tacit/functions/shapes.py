"""Any shape in, the same shape out, vectors in between."""

from __future__ import annotations

from typing import Any

__all__ = ["flat", "shaped"]


def flat(x: Any) -> Any:
    """An arithmetic sharing as a vector."""
    return x if x.ndim == 1 else x.map(lambda share: share.reshape(-1))


def shaped(x: Any, shape: tuple[int, ...]) -> Any:
    """An arithmetic sharing under another shape of the same size, also ``()``."""
    return x if x.shape == shape else x.map(lambda share: share.reshape(shape))
