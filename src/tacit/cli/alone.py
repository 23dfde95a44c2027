"""One party of a command on this machine, while the others run the same command on theirs."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from tacit.cli.terminal import literal
from tacit.consortium import Kit
from tacit.errors import UsageError
from tacit.network import Address, Awaited
from tacit.network.addresses import is_local
from tacit.protocols import protocol_named

if TYPE_CHECKING:
    pass

__all__ = [
    "SOON",
    "AsOption",
    "KitOption",
    "ListenOption",
    "WaitLines",
    "WaitOption",
    "check_place",
    "listening",
    "own_kit",
    "own_part",
]

SOON = 30
"""Days before certificates end from which on it is said."""

_PANEL = "Several machines"
_AGAIN = 30.0
"""Seconds after which the same wait is said again."""

AsOption = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="NAME[=FILE]",
        help="Be this one party, with its file; the others run the same command on their machines"
        " with theirs. A party without data gives its name alone.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
KitOption = Annotated[
    Path | None,
    typer.Option(
        "--kit",
        "-k",
        envvar="TACIT_KIT",
        metavar="DIR",
        help="Be one party, the others on their machines: its kit (tacit consortium).",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
WaitOption = Annotated[
    float,
    typer.Option(
        min=1.0, help="With --kit: seconds to wait for the others to start.", rich_help_panel=_PANEL
    ),
]
ListenOption = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help="With --kit: where to listen, if not at this party's address in the consortium's file;"
        " for instance behind a router that forwards to it.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]


def own_part(own: str, kit: Path | None, files: Collection[str]) -> tuple[Kit, dict[str, Path]]:
    """The kit, and this party's file by its name, or nothing for a party without data.

    Raises
    ------
    UsageError
        ``--kit`` is missing, or other files are named (TC-1040), or the kit is a client's (TC-1057)
        or another's (TC-1058).
    TacitError
        What :meth:`~tacit.consortium.Kit.load` finds wrong.
    """
    if files:
        _needs_kit()
    _, _, file = own.partition("=")
    loaded = own_kit(own, kit)
    return loaded, {loaded.name: Path(file)} if file else {}


def _needs_kit() -> NoReturn:
    raise UsageError(
        "--as needs --kit, and no other party's file.",
        next_step="write: tacit train --as bank_a=a.csv --kit DIR --label LABEL, and so at"
        " every party with its own name, file and kit.",
        case=40,
    )


def own_kit(own: str, kit: Path | None) -> Kit:
    """The kit of the party that ``--as`` names; see :func:`own_part`."""
    if kit is None:
        _needs_kit()
    name = own.partition("=")[0]
    loaded = Kit.load(kit)
    if loaded.role != "party":
        raise UsageError(
            f"The kit in {kit} is that of the client {loaded.name}, not a party's.",
            next_step=f"name the folder with the kit of {name}; clients ask a service, with"
            " `tacit query`.",
            case=57,
        )
    if loaded.name != name:
        raise UsageError(
            f"The kit in {kit} is that of {loaded.name}, not of {name}.",
            next_step=f"say --as {loaded.name}, or name the folder with the kit of {name}.",
            case=58,
        )
    return loaded


def check_place(
    kit: Kit,
    files: Mapping[str, Path],
    owners: tuple[str, ...],
    parties: tuple[str, ...],
    protocol: str,
) -> None:
    """Refuse what this party can see to be wrong before it looks for the others.

    Raises
    ------
    UsageError
        The consortium's parties are too few or too many for the protocol (TC-1021), or this party
        holds data and gives none, or the other way round (TC-1040).
    """
    needed = protocol_named(protocol).security.parties
    if len(parties) != needed:
        raise UsageError(
            f"{protocol} runs with {needed} parties, and the consortium {kit.consortium.name} has"
            f" {len(parties)}.",
            next_step=f"take the consortium's protocol, {kit.consortium.protocol}.",
            case=21,
        )
    if (kit.name in owners) != bool(files):
        holds = "holds data" if kit.name in owners else "holds no data"
        raise UsageError(
            f"{kit.name} {holds} in the consortium {kit.consortium.name}.",
            next_step=f"say --as {kit.name}" + ("=FILE." if kit.name in owners else "."),
            case=40,
        )


class WaitLines:
    """Says whom this party waits for, when that changes and now and then.

    Parameters
    ----------
    kit : Kit
    console : Console
    listen : Address, optional
        Where this party listens, if not at its address in the consortium's file.
    """

    def __init__(self, kit: Kit, console: Console, listen: Address | None = None) -> None:
        self._console = console
        self._said: tuple[Awaited, ...] | None = None
        self._at = self._begun = time.monotonic()
        address = kit.addresses[kit.name]
        console.print(
            f"{escape(kit.name)} of {escape(kit.consortium.name)}"
            f" (edition {kit.consortium.edition}), for the others at {literal(address)}"
        )
        if listen is not None:
            console.print(f"listening at {literal(listen)}")
        elif not is_local(address):
            console.print(
                f"[yellow]{literal(address.host)} is no address of this machine:[/] listening at"
                f" port {address.port} of all its addresses, for a router that forwards to it",
                soft_wrap=True,
            )
        if kit.days_left < SOON:
            console.print(
                f"[yellow]The certificates of {escape(kit.name)} end in {kit.days_left} days:[/]"
                f" have the authority renew them, `tacit consortium renew {escape(kit.name)}`",
                soft_wrap=True,
            )

    def __call__(self, awaited: tuple[Awaited, ...]) -> None:
        """Take the news."""
        now = time.monotonic()
        if awaited == self._said and now - self._at < _AGAIN:
            return
        if not awaited and not self._said:
            return
        seconds = now - self._begun
        since = "" if self._said is None or not awaited else f" [dim]{seconds:.0f} s[/]"
        self._said, self._at = awaited, now
        if not awaited:
            self._console.print(f"[green]✓[/] all parties are here after {seconds:.1f} s")
            return
        for one in awaited:
            self._console.print(f"waiting for {literal(one)}{since}", soft_wrap=True)


def listening(text: str | None) -> Address | None:
    """``--listen`` as an address."""
    return None if text is None else Address.parse(text)
