"""Texts that others wrote, without what a terminal would obey or a reader would be misled by."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["plain"]

_OBEYED: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but tab and line feed, and those that reverse the direction of a text."""


def plain(text: str) -> str:
    """The text with a replacement character for each of these."""
    return _OBEYED.sub("\N{REPLACEMENT CHARACTER}", text)
