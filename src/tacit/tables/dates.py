"""Dates of an owner's file as days since 1970-01-01, and their parts.

Text is read as year, month, day (``2024-03-01``, ``2024/3/1``, ``20240301``) or day, month, year
with points (``1.3.2024``), optionally with a time of day and a zone (``T12:30:05Z``, `` 12:30``).
Days and months in an order that the text does not tell (``03/04/2024``) are read as the whole
column of the file shows: one first number above 12 makes it day first, one second number above 12
month first. A column that shows neither, or both, is refused: nothing is guessed.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tacit.tables.column import PARTS, Part

__all__ = [
    "days_of_text",
    "days_of_timestamps",
    "has_unclear_order",
    "is_temporal",
    "part_of",
    "shows_order",
]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_COMPACT: Final = r"^(\d{4})(\d{2})(\d{2})$"
_PATTERN: Final = (
    r"^(?P<first>\d{1,4})(?P<mark>[-./])(?P<second>\d{1,2})(?P<again>[-./])(?P<third>\d{1,4})"
    r"(?:[T ] ?(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second_of>\d{2}(?:\.\d{1,9})?))?"
    r" ?(?P<zone>Z|UTC|[+-]\d{2}:?\d{2})?)?$"
)
_TINY: Final = 1e-6
"""Of an hour: what floating point may take away from a full one."""


def is_temporal(stored: pa.DataType) -> bool:
    """Whether Arrow stores dates or timestamps so."""
    return bool(pa.types.is_date(stored) or pa.types.is_timestamp(stored))


def days_of_timestamps(array: pa.Array) -> Floats:
    """Days since 1970 of dates or timestamps; meaningless where null."""
    if pa.types.is_date(array.type):
        days = pc.cast(pc.cast(array, pa.date32()), pa.int32()).fill_null(0)
        return np.asarray(days.to_numpy(zero_copy_only=False), np.float64)
    micro = pc.cast(pc.cast(array, pa.timestamp("us", array.type.tz), safe=False), pa.int64())
    return np.asarray(micro.fill_null(0).to_numpy(zero_copy_only=False)) / 86_400e6


def shows_order(array: pa.Array) -> tuple[bool, bool]:
    """Whether texts like 31/12/2024 show that the day comes first, and that the month does."""
    fields = _fields(array)
    unclear = _unclear(fields)
    first, second = fields["first"], fields["second"]
    return bool((unclear & (first > 12)).any()), bool((unclear & (second > 12)).any())


def has_unclear_order(array: pa.Array) -> bool:
    """Whether there is a text like 03/04/2024."""
    return bool(_unclear(_fields(array)).any())


def days_of_text(array: pa.Array, day_first: bool) -> tuple[Floats, Mask, Mask]:
    """Days since 1970 of text.

    Parameters
    ----------
    array : Arrow array of text, without blanks around it
    day_first : bool
        How 03/04/2024 is meant.

    Returns
    -------
    days : (n,) float64
        Meaningless where it is no date.
    wrong : (n,) bool
        Neither null nor a date that exists.
    unclear : (n,) bool
        Of an order that the text does not tell.
    """
    fields = _fields(array)
    first, second, third = fields["first"], fields["second"], fields["third"]
    year_first = fields["digits"] == 4
    unclear = _unclear(fields)
    month_first = unclear & (not day_first)
    year = np.where(year_first, first, third)
    month = np.where(year_first | ~month_first, second, first)
    day = np.where(year_first, third, np.where(month_first, second, first))
    valid = fields["matched"] & (fields["mark"] == fields["again"])
    valid &= year_first | (fields["digits_of_third"] == 4)
    valid &= (month >= 1) & (month <= 12) & (day >= 1) & (year >= 1)
    months = np.where(valid, (year - 1970) * 12 + month - 1, 0).astype(np.int64)
    days = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    days = days + np.where(valid, day - 1, 0)
    valid &= days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) == months
    time, sound = _time_of_day(fields)
    valid &= sound
    present = ~_numpy(array.is_null())
    return days + time, present & ~valid, unclear


def _time_of_day(fields: dict[str, Any]) -> tuple[Floats, Mask]:
    """As a part of a day, the zone taken away; and whether it exists."""
    hour, minute, second = fields["hour"], fields["minute"], fields["second_of"]
    zone = fields["zone"]
    kinds, which = np.unique(zone, return_inverse=True)
    shift = np.array([_offset(str(kind)) for kind in kinds])[which]
    sound = (hour < 24) & (minute < 60) & (second < 61)
    return (hour + minute / 60 + second / 3600 - shift) / 24, sound


def _offset(zone: str) -> float:
    """Hours east of UTC."""
    if zone in ("", "Z", "UTC"):
        return 0.0
    sign = -1.0 if zone[0] == "-" else 1.0
    return sign * (int(zone[1:3]) + int(zone[-2:]) / 60)


def _unclear(fields: dict[str, Any]) -> Mask:
    """Day and month in an order that the text does not tell; with points the day comes first."""
    unclear: Mask = fields["matched"] & (fields["digits"] < 4) & (fields["mark"] != ".")
    return unclear


def _fields(array: pa.Array) -> dict[str, Any]:
    """The numbers in each text; zeros where there are none."""
    array = pc.cast(array, pa.string())
    dashed = pc.replace_substring_regex(array, _COMPACT, r"\1-\2-\3")
    found = pc.extract_regex(dashed, _PATTERN)
    texts = {found.type.field(k).name: found.field(k) for k in range(found.type.num_fields)}
    matched = ~_numpy(found.is_null())

    def numbers(name: str, kind: pa.DataType) -> Any:
        text = texts[name]
        text = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
        return np.where(matched, _plain(pc.cast(text, kind).fill_null(0)), 0)

    def text(name: str) -> Any:
        return np.where(matched, _plain(texts[name].fill_null("")), "").astype(str)

    return {
        "matched": matched,
        "digits": np.where(matched, _plain(pc.utf8_length(texts["first"]).fill_null(0)), 0),
        "digits_of_third": np.where(
            matched, _plain(pc.utf8_length(texts["third"]).fill_null(0)), 0
        ),
        **{name: numbers(name, pa.int64()) for name in ("first", "second", "third")},
        **{name: numbers(name, pa.float64()) for name in ("hour", "minute", "second_of")},
        **{name: text(name) for name in ("mark", "again", "zone")},
    }


def part_of(days: Floats, part: Part) -> NDArray[np.int64]:
    """The position of each day's part among ``PARTS[part]``."""
    whole = np.floor(days)
    if part == "weekday":
        found = (whole.astype(np.int64) + 3) % len(PARTS[part])  # 1970-01-01 was a Thursday
    elif part == "month":
        dates = whole.astype(np.int64).astype("datetime64[D]")
        found = dates.astype("datetime64[M]").astype(np.int64) % 12
    else:
        found = np.minimum(np.floor((days - whole) * 24 + _TINY), 23).astype(np.int64)
    return np.asarray(found, np.int64)


def _numpy(mask: Any) -> Mask:
    return np.array(mask.to_numpy(zero_copy_only=False), dtype=np.bool_)


def _plain(array: Any) -> Any:
    return array.to_numpy(zero_copy_only=False)
