"""One schema from what several owners drafted; deterministic, so all of them reach the same."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final, NoReturn

import msgspec

from tacit.errors import SchemaError
from tacit.tables.column import Column, ColumnType, Missing
from tacit.tables.drafts import Draft
from tacit.tables.inference import written_differently
from tacit.tables.schema import Schema

__all__ = ["doubts", "merge"]

_UNIT: Final = (0.0, 1.0)

_OTHER_UNIT: Final = 64.0
"""Numbers of one column that are so many times larger at one owner may have another unit."""


def merge(drafts: Mapping[str, Draft]) -> Schema:
    """The joint schema of all owners' drafts; the same for every order of `drafts`.

    Columns come in the order of the alphabetically first owner. Bounds and categories are united;
    booleans, integers and numbers widen to each other where values allow it. A column is private
    if it is in any draft; its bounds and categories are those of the drafts that have them.

    Parameters
    ----------
    drafts : mapping of str to Draft
        By owner.

    Raises
    ------
    SchemaError
        Mismatched columns (TC-2202), types (TC-2203), labels or policies (TC-2205), categories
        or bounds that are not known to all (TC-2204, all of them at once); names owner and column.
    """
    owners = sorted(drafts)
    first = drafts[owners[0]]
    by_owner = {owner: {c.name: c for c in drafts[owner].columns} for owner in owners}
    for owner in owners[1:]:
        if drafts[owner].label != first.label:
            _mismatch(5, owner, f'"{drafts[owner].label}" is its label, not "{first.label}"')
        lacking = [c.name for c in first.columns if c.name not in by_owner[owner]]
        extra = [c.name for c in drafts[owner].columns if c.name not in by_owner[owners[0]]]
        if lacking or extra or len(drafts[owner].columns) != len(first.columns):
            same = [n for n in extra if n.casefold() in {name.casefold() for name in lacking}]
            parts = [f"{owner} lacks {_quoted(lacking)}"] if lacking else []
            parts += [f"{owners[0]} lacks {_quoted(extra)}, which {owner} has"] if extra else []
            raise SchemaError(
                f"Mismatched columns: {'; '.join(parts) or f'{owner} has a column twice'}.",
                next_step="write column names alike: upper and lower case count."
                if same
                else "give all files the same columns: rename those that mean the same, and exclude"
                " the others (--exclude).",
                case=2,
                parties=(owner,),
            )
    columns: list[Column] = []
    untold: list[_UntoldError] = []
    for column in first.columns:
        versions = {owner: by_owner[owner][column.name] for owner in owners}
        private = any(version.private for version in versions.values())
        try:
            columns.append(msgspec.structs.replace(_merged(versions), private=private))
        except _UntoldError as error:
            untold.append(error)
    if untold:
        raise _not_known(untold)
    return Schema(label=first.label, columns=tuple(columns))


def doubts(drafts: Mapping[str, Draft]) -> list[str]:
    """What owners should ask each other about drafts that can be merged, in sentences."""
    found = []
    by_column: dict[str, dict[str, Column]] = {}
    for owner in sorted(drafts):
        for column in drafts[owner].columns:
            by_column.setdefault(column.name, {})[owner] = column
    for name, versions in by_column.items():
        sizes = {
            owner: max(map(abs, c.limits))
            for owner, c in versions.items()
            if c.type in ("number", "integer") and c.limits is not None
        }
        if sizes and max(sizes.values()) >= _OTHER_UNIT * min(sizes.values()):
            low, high = (pick(sizes, key=sizes.__getitem__) for pick in (min, max))
            found.append(
                f"{name}: up to {sizes[low]:,.10g} at {low}, up to {sizes[high]:,.10g} at {high}."
                " Is it the same unit?"
            )
        texts = {text for column in versions.values() for text in column.categories or ()}
        for alike in written_differently(texts):
            found.append(f"{name}: {' and '.join(alike)} are different categories. On purpose?")
    return found


def _merged(versions: Mapping[str, Column]) -> Column:
    """One column as drafted by several owners, made one."""
    first_owner, first = next(iter(versions.items()))
    for owner, column in versions.items():
        if _family(column) != _family(first):
            _differs(owner, column, first_owner, first)
    common: dict[str, Any] = {
        "missing": _policy(versions),
        "unit": _agreed(versions, "unit", ""),
        "clip": _agreed(versions, "clip", None),
        "encode": _agreed(versions, "encode", "one_hot"),
        "standardise": _agreed(versions, "standardise", True),
        "parts": _agreed(versions, "parts", ()),
    }
    if first.type == "category":
        shown = _categories(versions)
        return Column(first.name, "category", categories=shown, **common)
    if first.type == "date":
        days = [column.bounds for column in versions.values() if column.bounds is not None]
        if not days:
            raise _UntoldError("bounds", tuple(versions), first.name)
        span = (min(str(low) for low, _ in days), max(str(high) for _, high in days))
        return Column(first.name, "date", bounds=span, **common)
    return _merged_numbers(versions, common)


def _family(column: Column) -> str:
    return "number" if column.type in ("number", "integer", "boolean") else column.type


def _differs(owner: str, column: Column, first_owner: str, first: Column) -> NoReturn:
    text = f"is of type {column.type}, but {first.type} in {first_owner}'s file"
    _mismatch(3, owner, f'column "{first.name}" {text}')


def _merged_numbers(versions: Mapping[str, Column], common: dict[str, Any]) -> Column:
    first = next(iter(versions.values()))
    types = {column.type for column in versions.values()}
    known = [_UNIT if c.type == "boolean" else c.limits for c in versions.values()]
    bounds = [pair for pair in known if pair is not None]
    if not bounds:
        raise _UntoldError("bounds", tuple(versions), first.name)
    joint = (min(low for low, _ in bounds), max(high for _, high in bounds))
    if joint == _UNIT and "number" not in types and common["clip"] is None:
        return Column(first.name, "boolean", missing=common["missing"])
    for owner, column in versions.items():
        if column.type == "boolean":
            _mismatch(3, owner, f'column "{first.name}" is boolean, but a number elsewhere')
    kind: ColumnType = "number" if "number" in types else "integer"
    return Column(first.name, kind, bounds=joint, **common)


def _policy(versions: Mapping[str, Column]) -> Missing:
    """The one that any owner needs; those without missing values refuse them."""
    return _agreed(versions, "missing", "refuse")  # type: ignore[no-any-return]


def _agreed(versions: Mapping[str, Column], entry: str, default: Any) -> Any:
    """An entry of the owners that set it, who must set it alike."""
    chosen: tuple[str, Any] | None = None
    for owner, column in versions.items():
        value = getattr(column, entry)
        if value == default:
            continue
        if chosen is not None and chosen[1] != value:
            what = f'"{entry}" of column "{column.name}" is {value!r}, but {chosen[1]!r} in'
            _mismatch(5, owner, f"{what} {chosen[0]}'s")
        chosen = (owner, value)
    return default if chosen is None else chosen[1]


def _categories(versions: Mapping[str, Column]) -> tuple[str, ...]:
    """All that are shown; a private column's owner need not show its own where others do."""
    name = next(iter(versions.values())).name
    hidden = [owner for owner, column in versions.items() if column.categories is None]
    if len(hidden) == len(versions) or not all(versions[owner].private for owner in hidden):
        raise _UntoldError("categories", tuple(hidden), name)
    joint = {text for column in versions.values() for text in column.categories or ()}
    return tuple(sorted(joint))


class _UntoldError(Exception):
    """What (bounds or categories) which owners do not show of which column."""

    def __init__(self, what: str, owners: tuple[str, ...], column: str) -> None:
        super().__init__()
        self.what, self.owners, self.column = what, owners, column


def _not_known(untold: Collection[_UntoldError]) -> SchemaError:
    columns: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for one in untold:
        columns.setdefault((one.what, one.owners), []).append(one.column)
    parts = [
        f"the {what} of {_quoted(names)}, which {', '.join(owners)} did not show"
        for (what, owners), names in columns.items()
    ]
    return SchemaError(
        f"Not known to all: {'; '.join(parts)}.",
        next_step="write into a draft, or into a schema (--schema), what all can agree on without"
        " looking at the data; or let every owner show its list of categories"
        " (--share-categories), or exclude the column (--exclude).",
        case=4,
        parties=sorted({owner for one in untold for owner in one.owners}),
    )


def _mismatch(case: int, owner: str, what: str) -> NoReturn:
    raise SchemaError(
        f"Mismatched columns: in {owner}'s file, {what}.",
        next_step="make the files alike, or give a schema (--schema).",
        case=case,
        parties=(owner,),
    )


def _quoted(names: Collection[str]) -> str:
    shown = ", ".join(f'"{name}"' for name in sorted(names)[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
