"""What commands print to: names of columns, categories and parties come from files and others.

Colours are the terminal's own doing. An escape sequence inside a text is not: it could clear the
screen, or paint a line that no command printed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment

from tacit.reports.plain import plain

__all__ = ["Terminal", "literal"]


def literal(value: object) -> str:
    """A path, a name or another thing as text in which rich finds no markup."""
    return escape(str(value))


class Terminal(Console):
    """A console that prints the texts it is given, and obeys nothing in them.

    Parameters
    ----------
    **options
        Of :class:`rich.console.Console`; by default nothing is highlighted.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"highlight": False, **options})

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Segments, as the console's; what moves the cursor is left to those that say so."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=plain(segment.text))
