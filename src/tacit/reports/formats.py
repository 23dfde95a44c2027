"""Numbers as people read them."""

from __future__ import annotations

import math

__all__ = ["count", "digits", "duration", "in_words", "percent", "shortened", "size"]

_WORDS = (
    *("zero", "one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
)


def count(value: int) -> str:
    """``12,345``."""
    return f"{value:,}"


def digits(value: float | None, places: int = 3) -> str:
    """Fixed places; a dash where there is no number."""
    if value is None or math.isnan(value):
        return "–"
    text = f"{value:.{places}f}"
    return text.replace("-", "−")


def in_words(value: int) -> str:
    """``three`` up to twelve, digits above."""
    return _WORDS[value] if 0 <= value < len(_WORDS) else count(value)


def percent(value: float | None, places: int = 1) -> str:
    """``59.2 %``."""
    return "–" if value is None or math.isnan(value) else f"{100 * value:.{places}f} %"


def size(value: float) -> str:
    """Bytes in decimal units: ``12.3 MB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(value) < 999.5 or unit == "GB":
            return f"{value:.0f} {unit}" if unit == "B" or value >= 99.5 else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError("unreachable")


def duration(seconds: float) -> str:
    """``0.42 s``, ``12.3 s``, ``3 min 05 s``."""
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


def shortened(name: str, most: int = 26) -> str:
    """A name of at most so many characters, cut in the middle, where endings differ most."""
    if len(name) <= most:
        return name
    kept = most - 1
    return f"{name[: kept - kept // 2]}…{name[-(kept // 2) :]}"
