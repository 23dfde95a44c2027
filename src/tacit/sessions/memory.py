"""Keeping freed memory in a party's process, where large arrays come and go all the time.

By default glibc maps every large array afresh and gives it back when it is freed; the page
faults then cost more than the protocols' arithmetic (a product of 10^6 numbers took three times
as long). Only processes that belong to tacit change this, never a user's own.
"""

from __future__ import annotations

import ctypes
import sys

__all__ = ["KEPT_BYTES", "keep_freed_memory"]

KEPT_BYTES = 256 << 20
"""Freed memory at the end of the heap that is kept for the next arrays."""

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4


def keep_freed_memory() -> None:
    """Let this process reuse freed arrays' memory instead of returning it. Only with glibc."""
    if not sys.platform.startswith("linux"):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(_M_MMAP_MAX, 0)
    mallopt(_M_TOP_PAD, 32 << 20)
    mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES)
