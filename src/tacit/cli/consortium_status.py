"""What ``tacit consortium status`` shows, of an authority or of a kit."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from tacit.cli.alone import SOON
from tacit.cli.terminal import literal
from tacit.consortium.authority import KEYS_FILE
from tacit.consortium.file import Consortium, short
from tacit.consortium.kit import Kit
from tacit.consortium.register import Entry, listed

__all__ = ["show_status"]


def show_status(folder: Path, console: Console, *, as_json: bool) -> None:
    """Print who has which certificate."""
    if (folder / KEYS_FILE).exists():
        consortium, register = listed(folder)
        entries: dict[tuple[str, str], Entry] = {(e.name, e.role): e for e in register.entries}
        own = ""
        kit = None
    else:
        kit = Kit.load(folder)
        consortium, entries, own = kit.consortium, {}, kit.name
    if as_json:
        print(json.dumps(_plain(consortium, entries, kit)))
        return
    console.print(
        f"Consortium [bold]{escape(consortium.name)}[/], edition {consortium.edition} of"
        f" {consortium.created}, {literal(consortium.protocol)}"
    )
    console.print(f"Fingerprint, the same at all: [bold]{consortium.fingerprint}[/]")
    for member in consortium.parties:
        entry = entries.get((member.name, "party"))
        left = "" if entry is None else _left(entry)
        if kit is not None and member.name == own and kit.role == "party":
            left = f"this kit, {_days(kit.days_left)}"
        console.print(
            f"\n[bold]{literal(member.name)}[/] at {literal(member.address)}"
            + ("" if member.data else ", no data")
            + (f", {left}" if left else "")
        )
        console.print(f"  key {short(member.key)}" if member.key else "  [yellow]no key yet[/]")
        if member.evidence:
            console.print(f"  for evidence {short(member.evidence)}")
    clients = [
        (c, short(e.keys[0]), _left(e)) for (c, role), e in entries.items() if role != "party"
    ]
    if kit is not None and kit.role == "client":
        clients.append((kit.name, short(kit.key), f"this kit, {_days(kit.days_left)}"))
    for client, key, left in clients:
        console.print(f"\n[bold]{escape(client)}[/], a client, {left}\n  key {literal(key)}")
    for revoked in consortium.revoked:
        if revoked.role != "evidence":
            console.print(f"\nRevoked {revoked.at}: {escape(revoked.name)}, {short(revoked.key)}")


def _left(entry: Entry) -> str:
    return "[red]revoked[/]" if entry.revoked else _days(entry.days_left)


def _days(days: int) -> str:
    if days < 0:
        return "[red]expired[/]"
    return f"[yellow]{days} days left: renew[/]" if days < SOON else f"{days} days left"


def _plain(
    consortium: Consortium, entries: dict[tuple[str, str], Entry], kit: Kit | None
) -> dict[str, object]:
    return {
        "consortium": consortium.name,
        "edition": consortium.edition,
        "fingerprint": consortium.fingerprint,
        "protocol": consortium.protocol,
        "parties": [
            {"name": m.name, "address": m.address, "data": m.data, "key": m.key}
            for m in consortium.parties
        ],
        "certificates": [
            {
                "name": e.name,
                "role": e.role,
                "until": e.until,
                "days_left": e.days_left,
                "revoked": e.revoked,
                "how": e.how,
            }
            for e in entries.values()
        ],
        "revoked": [{"name": r.name, "role": r.role, "key": r.key} for r in consortium.revoked],
        "kit": None
        if kit is None
        else {"name": kit.name, "role": kit.role, "days_left": kit.days_left, "key": kit.key},
    }
