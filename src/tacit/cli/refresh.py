"""``tacit refresh``: new shares of everything that the parties have stored, in place of the old."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from tacit.cli.alone import KitOption, ListenOption, WaitLines, WaitOption, listening
from tacit.cli.network_options import HeartbeatOption
from tacit.cli.terminal import Terminal
from tacit.cli.train import parse_owners
from tacit.consortium import Kit
from tacit.errors import UsageError
from tacit.network import NetworkSettings
from tacit.protocols import protocol_named
from tacit.sessions import ProcessSession, party_session
from tacit.sessions.alone import job_digest_of
from tacit.storage import Header, Place, places
from tacit.storage.store import FolderOwner, owner_of

__all__ = ["refresh"]


def refresh(
    folders: Annotated[
        list[Path],
        typer.Argument(
            metavar="DIR ...",
            help="The parties' folders, or one folder with all of them inside.",
            show_default=False,
        ),
    ],
    key: Annotated[
        list[str] | None,
        typer.Option(
            "--key",
            metavar="NAME=FILE",
            help="A party's storage key (repeat for more). Without: the variable"
            " TACIT_STORAGE_KEY_NAME, else _keys/NAME.key beside the party's folder.",
            show_default=False,
        ),
    ] = None,
    heartbeat: HeartbeatOption = 5.0,
    kit: KitOption = None,
    wait: WaitOption = 600.0,
    listen: ListenOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Replace all stored shares and checkpoints by fresh shares of the same secrets.

    Who copied one party's folder before and copies another's later then learns nothing from both
    together. The parties' processes toss a coin over mutual TLS and add a sharing of zero to what
    each has; old files and their keys are destroyed when all have the new ones, and a crash on the
    way leaves one epoch that all have. Run it every few months, and after a disk or a backup of one
    party may have been copied. Example:

        tacit refresh shares

        tacit refresh /bank_a/shares /bank_b/shares /bank_c/shares --key bank_a=a.key …

    On several machines every party runs it at the same time, with its own folder and kit:

        tacit refresh shares/bank_a --kit kit
    """
    keys = parse_owners(list(key or ()))
    settings = NetworkSettings(heartbeat_timeout=heartbeat, start_deadline=wait)
    if kit is not None:
        here = Kit.load(kit)
        place, own = _own(here, folders, keys)
        with party_session(
            here,
            job_digest_of("tacit refresh"),
            protocol=own.protocol,
            parties=own.parties,
            settings=settings,
            listen=listening(listen),
            on_wait=WaitLines(here, Terminal(stderr=as_json)),
        ) as alone:
            alone.attach(place)
            _tell(alone.refresh(), own.parties, as_json=as_json)
        return
    owners = _owners(folders)
    first = next(iter(owners.values()))[1]
    protocol = protocol_named(first.protocol)
    storage = _places(owners, keys)
    with ProcessSession(protocol, first.parties, settings, storage=storage) as session:
        renewed = session.refresh()
    _tell(renewed, first.parties, as_json=as_json)


def _tell(renewed: Sequence[Header], parties: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"parties": parties, "refreshed": [_plain(h) for h in renewed]}))
    else:
        _show(renewed, parties)


def _own(kit: Kit, folders: Sequence[Path], keys: Mapping[str, Path]) -> tuple[Place, FolderOwner]:
    """This party's folder and key, and what the folder says of itself.

    Raises
    ------
    UsageError
        It is not exactly this party's one folder (TC-1048).
    """
    found = [(path, who) for path in folders if (who := owner_of(path)) is not None]
    if len(folders) != 1 or [who.party for _, who in found] != [kit.name]:
        raise UsageError(
            f"With --kit, one folder is named: that of {kit.name}.",
            next_step="name the folder in which this party keeps its own shares.",
            case=48,
        )
    path, who = found[0]
    return _places({kit.name: (path, who)}, keys)[kit.name], who


def _owners(folders: Sequence[Path]) -> dict[str, tuple[Path, FolderOwner]]:
    """Each party's folder, and what it says of itself.

    Raises
    ------
    UsageError
        These are not the folders of all parties of one group (TC-1048).
    """
    found: list[tuple[Path, FolderOwner]] = []
    for folder in folders:
        inside = [folder] if owner_of(folder) is not None else sorted(folder.glob("*/"))
        found += [(path, who) for path in inside if (who := owner_of(path)) is not None]
    owners = {who.party: (path, who) for path, who in found}
    groups = {(who.parties, who.protocol) for _, who in found}
    if len(groups) != 1 or len(owners) != len(found) or set(owners) != set(found[0][1].parties):
        names = ", ".join(who.party for _, who in found) or "nobody"
        raise UsageError(
            f"These are not the folders of all parties of one group, but of {names}.",
            next_step="name the folder of every party that saved together, each once.",
            case=48,
        )
    return owners


def _places(
    owners: Mapping[str, tuple[Path, FolderOwner]], keys: Mapping[str, Path]
) -> dict[str, Place]:
    found = {}
    for name, (path, _) in owners.items():
        usual = places(path.parent, (name,))[name].key
        found[name] = Place(str(path.absolute()), str(keys[name]) if name in keys else usual)
    return found


def _plain(header: Header) -> dict[str, object]:
    return {
        "name": header.name,
        "purpose": header.purpose,
        "version": header.version,
        "epoch": header.epoch,
    }


def _show(renewed: Sequence[Header], parties: Sequence[str]) -> None:
    console = Terminal()
    if not renewed:
        console.print("Nothing is stored: there was nothing to refresh.")
        return
    table = Table(title=f"Refreshed at {escape(', '.join(parties))}")
    for column in ("name", "purpose", "version", "epoch", "arrays"):
        table.add_column(column)
    for header in renewed:
        arrays = ", ".join(f"{a.dtype!r} {a.shape}" for a in header.arrays)
        table.add_row(header.name, header.purpose, str(header.version), str(header.epoch), arrays)
    console.print(table)
