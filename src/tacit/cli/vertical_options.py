"""Options of ``tacit train`` for owners with different columns of the same customers."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["NOT_CHECKED", "KeyOption", "MetricsOption", "VerticalOption"]

_PANEL = "Different columns of the same customers"

NOT_CHECKED = (
    "Nobody checked that row k of every file is the same customer, only that there are equally many"
    " rows. With --key COLUMN the owners compare that column on shares."
)

VerticalOption = Annotated[
    bool,
    typer.Option(
        "--vertical",
        help="The owners have different columns of the same customers, row k of every file the same"
        " one; the label is in one of the files. Held-out rows are scored and measured on shares.",
        rich_help_panel=_PANEL,
    ),
]
KeyOption = Annotated[
    str,
    typer.Option(
        help="A column of every file that says which customer a row is of, and no feature. Its"
        " values are compared in order, as digests on shares; one bit is opened: whether all files"
        " agree.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
MetricsOption = Annotated[
    str,
    typer.Option(
        help="What is measured of held-out rows on shares, as in 'tacit evaluate'.",
        rich_help_panel=_PANEL,
    ),
]
