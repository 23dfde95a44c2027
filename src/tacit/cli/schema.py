"""``tacit schema``: from owners' files to one schema that every owner has signed off."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tacit.cli.signoff import SignOff
from tacit.cli.terminal import Terminal, literal
from tacit.errors import SchemaError
from tacit.tables import Column, Draft, Inferred, Schema, doubts, infer, merge, private_columns

__all__ = ["schema"]

schema = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""The schema that all owners agree on before they share anything.

    1. Every owner drafts one from its own file, alone:
       `tacit schema infer a.csv --label y -o a.json`

    2. Owners look at their drafts, correct them and send them to each other; each merges them:
       `tacit schema merge a.json b.json c.json -o schema.json`

    3. Each owner checks its file, looks at the schema and signs it off:
       `tacit check a.csv -s schema.json` · `tacit schema show schema.json` ·
       `tacit schema sign schema.json --name bank_a`

    4. A training refuses any other one: `tacit train … -s schema.json --schema-digest HEX`
    """,
)

_File = Annotated[Path, typer.Argument(help="A schema (JSON).", show_default=False)]
_AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@schema.command("infer")
def infer_schema(
    file: Annotated[Path, typer.Argument(help="Your CSV or Parquet file.", show_default=False)],
    label: Annotated[
        str, typer.Option("--label", help="The column to predict, 0 or 1.", show_default=False)
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Where the draft goes; else it is printed.", show_default=False
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(help="A column that is no feature (repeat for more).", show_default=False),
    ] = None,
    private: Annotated[
        list[str] | None,
        typer.Option(
            help="A column of which nobody may be told a number: the draft marks it private and has"
            " its name and type alone. Merging takes the other owners' bounds and categories"
            " (repeat for more).",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Draft a schema from your own file, without any connection.

    Bounds are rounded outwards, numbers to powers of two and dates to years, so that extremes do
    not show. What was guessed is said column by column; look at it before you send the draft to
    anybody. Example:

        tacit schema infer a.csv --label is_fraud --exclude account -o a.json
    """
    found = infer(file, label, exclude=tuple(exclude or ()))
    drafted = found.draft
    if private:
        _require_columns(file, drafted, private, label)
        drafted = drafted.private(private)
    console = Terminal(stderr=True)
    _show_guesses(console, file, found, set(private or ()))
    if out is None:
        plain = msgspec.to_builtins(drafted)
        print(json.dumps({"version": plain.pop("version"), **plain}, indent=2, ensure_ascii=False))
    else:
        console.print(f"Draft: {literal(drafted.save(out))}", soft_wrap=True)


def _require_columns(file: Path, drafted: Draft, names: list[str], label: str) -> None:
    known = {column.name for column in drafted.columns} - {label}
    for name in names:
        if name not in known:
            raise SchemaError(
                f'{file}: there is no feature "{name}" to keep private.',
                next_step="name columns as in the file's header; every metric of a model tells of"
                " the label, so it cannot be private.",
                case=6,
            )


def _show_guesses(console: Console, file: Path, found: Inferred, private: set[str]) -> None:
    console.print(f"{literal(file)}: {found.rows:,} rows. What was guessed:", soft_wrap=True)
    for column in found.draft.columns:
        remarks = [_summary(column), *found.remarks[column.name]]
        if column.name in private:
            remarks.append(_kept_back(column))
        console.print(
            f"  [bold]{escape(column.name)}[/]: {escape('; '.join(remarks))}.", soft_wrap=True
        )
    for name, why in found.left_out.items():
        why = why.rpartition(": ")[2].rstrip(".")
        name = name or "(no name)"
        console.print(f"  [yellow]{escape(name)}[/] is left out: {escape(why)}.", soft_wrap=True)
    shown = [c.name for c in found.draft.columns if c.categories and c.name not in private]
    if shown:
        console.print(
            f"The draft lists all texts of {escape(', '.join(shown))}: whoever gets it sees them."
            " --private leaves them out.",
            soft_wrap=True,
        )


def _kept_back(column: Column) -> str:
    if column.missing == "refuse":
        return "private: the draft has its name and type alone"
    return (
        "private: the draft has its name and type alone, and not that values are missing (if the"
        f' others may know, write "missing": "{column.missing}" into it)'
    )


def _summary(column: Column) -> str:
    """A column in a few words."""
    parts: list[str] = [column.type]
    if column.bounds is not None:
        low, high = column.bounds
        parts.append(f"{_number(low)} to {_number(high)}")
    if column.unit:
        parts.append(column.unit)
    if column.missing != "refuse":
        parts.append(
            {
                "mean": "missing values become the mean",
                "zero": "missing values become 0",
                "category": "missing values are a category",
            }[column.missing]
        )
    return ", ".join(parts)


def _number(bound: float | str) -> str:
    return bound if isinstance(bound, str) else f"{bound:,.10g}"


@schema.command("merge")
def merge_schemas(
    files: Annotated[
        list[Path], typer.Argument(help="All owners' drafts (JSON).", show_default=False)
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Where the schema goes.")] = Path(
        "schema.json"
    ),
) -> None:
    """Make one schema of all owners' drafts: the same one at every owner, whatever the order.

    Owners are called by the names of the files. Bounds and categories are united; a column is
    private if one draft says so. Whether your own file fits says `tacit check`. Example:

        tacit schema merge bank_a.json bank_b.json bank_c.json -o schema.json
    """
    drafts: dict[str, Draft] = {}
    for path in files:
        if path.stem in drafts:
            raise SchemaError(
                f"Two drafts are called {path.stem}.",
                next_step="call each file by its owner's name.",
                case=8,
            )
        drafts[path.stem] = Draft.load(path)
    joint = merge(drafts)
    console = Terminal(stderr=True)
    for doubt in doubts(drafts):
        console.print(f"[yellow]Look at[/] {escape(doubt)}", soft_wrap=True)
    if private := private_columns(joint):
        console.print(f"Private: {escape(', '.join(private))}.", soft_wrap=True)
    console.print(f"Schema: {literal(joint.save(out))}", soft_wrap=True)
    print(joint.digest().hex())


@schema.command("show")
def show_schema(file: _File, as_json: _AsJson = False) -> None:
    """Show a schema and the digest that every owner signs off."""
    loaded = Schema.load(file)
    if as_json:
        print(json.dumps({"digest": loaded.digest().hex(), **msgspec.to_builtins(loaded)}))
        return
    _show(Terminal(), loaded)


def _show(console: Console, loaded: Schema) -> None:
    table = Table(title=f"Predicts {escape(loaded.label)}", title_justify="left")
    for heading in ("column", "type", "values", "missing", "statistics", "preparation"):
        table.add_column(heading)
    for column in loaded.columns:
        values = ", ".join(column.categories or ())
        if column.bounds is not None:
            low, high = column.bounds
            values = f"{_number(low)} to {_number(high)} {column.unit}".rstrip()
        if len(values) > 60:
            values = f"{len(column.categories or ()):,} categories: {values[:40]}…"
        table.add_row(
            *map(
                escape,
                (
                    column.name,
                    column.type,
                    values,
                    column.missing,
                    "private" if column.private else "public",
                    _preparation(column, loaded.label),
                ),
            )
        )
    console.print(table)
    if private_columns(loaded):
        console.print(
            "Of private columns nobody is told a number (no drift, no groups). The values of all"
            " columns are secret.",
            soft_wrap=True,
        )
    console.print(f"Digest: [bold]{loaded.digest().hex()}[/]", soft_wrap=True)


def _preparation(column: Column, label: str) -> str:
    parts: list[str] = []
    if column.name == label:
        return "label"
    if column.clip is not None:
        parts.append(f"clipped at quantiles {column.clip[0]:g} and {column.clip[1]:g}")
    if column.is_numeric and column.standardise:
        parts.append("standardised")
    if column.type == "category":
        parts.append("encoded " + {"one_hot": "one-hot", "target": "by the label"}[column.encode])
    return ", ".join([*parts, *column.parts])


@schema.command("sign")
def sign_schema(
    file: _File,
    name: Annotated[str, typer.Option(help="Who signs it off.", show_default=False)],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Where the sign-off goes; NAME.signoff.json by default.",
            show_default=False,
        ),
    ] = None,
    as_json: _AsJson = False,
) -> None:
    """Sign a schema off: keep its digest, for `tacit train --schema-digest`.

    The sign-off is a note of yours on your own disk. Parties compare digests before any share is
    sent, and a party that was given one refuses every other schema.
    """
    loaded = Schema.load(file)
    today = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    signed = SignOff(name=name, schema_digest=loaded.digest().hex(), signed=today)
    target = signed.save(out or Path(f"{name}.signoff.json"))
    if as_json:
        data: dict[str, Any] = msgspec.to_builtins(signed)
        print(json.dumps({**data, "file": str(target)}))
        return
    console = Terminal()
    _show(console, loaded)
    console.print(f"Signed off by {escape(name)}: {literal(target)}", soft_wrap=True)
