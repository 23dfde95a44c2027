"""Sorts that were told how narrow their keys are: wrong, without a word, if they are wider."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from tacit.errors import RangeError
from tacit.operations.types import ArrayType, Bounds
from tacit.programs.inference import CheckedNode

__all__ = ["keys_unknown", "require_key_bits", "says_key_bits"]


def _told(node: CheckedNode) -> tuple[int | None, ...]:
    """What a node says of its keys, one by one; nothing where it sorts by none."""
    told = getattr(node.attributes, "key_bits", None)
    return told if isinstance(told, tuple) else (told,)


def says_key_bits(node: CheckedNode) -> bool:
    """Whether a node relies on how narrow its keys are."""
    return any(width is not None for width in _told(node))


def keys_unknown(node: CheckedNode) -> RangeError:
    """The error of a sort about whose keys nothing is known."""
    return _too_wide(node, None, max(width for width in _told(node) if width is not None))


def require_key_bits(
    node: CheckedNode, types: Sequence[ArrayType], bounds: Sequence[Bounds | None]
) -> None:
    """Refuse a sort whose keys may be wider than it was told.

    Raises
    ------
    RangeError
        They may (TC-1373).
    """
    widths = _told(node)
    keys = len(types) if node.node.operation in ("sort_by", "lexsort") else len(widths)
    first = keys - len(widths)
    for width, t, known in zip(widths, types[first:keys], bounds[first:keys], strict=True):
        if width is None:
            continue
        size = None if known is None else ceil(max(abs(known[0]), abs(known[1])) * t.dtype.scale)
        if size is None or size.bit_length() > width:
            raise _too_wide(node, known, width)


def _too_wide(node: CheckedNode, known: Bounds | None, width: int) -> RangeError:
    within = "any bounds" if known is None else f"({known[0]:.6g}, {known[1]:.6g})"
    return RangeError(
        f"{node.node.operation}: keys within {within} are sorted as if they had {width} bits.",
        next_step="make the program again with the bounds that its inputs have.",
        case=73,
        stage=node.node.operation,
    )
