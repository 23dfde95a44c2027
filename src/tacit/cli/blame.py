"""``tacit blame verify``: does evidence of a fault hold, and what does it prove? Offline."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from tacit.cli.terminal import Terminal
from tacit.consortium.file import read
from tacit.errors import EvidenceError
from tacit.network.trust import ANY
from tacit.recovery.evidence import Checked, check, records

__all__ = ["blame"]

blame = typer.Typer(
    no_args_is_help=True, help="Evidence that parties keep of a fault.", rich_markup_mode="markdown"
)


@blame.callback()
def _root() -> None:
    """Evidence that parties keep of a fault."""


@blame.command()
def verify(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", help="A record, or a folder with records.", show_default=False
        ),
    ],
    authority: Annotated[
        Path | None,
        typer.Option(
            "--authority",
            metavar="FILE",
            help="The consortium's root certificate (PEM), from a source that you trust."
            " Without: the one in the record, whose fingerprint you must compare.",
            show_default=False,
        ),
    ] = None,
    consortium: Annotated[
        Path | None,
        typer.Option(
            "--consortium",
            metavar="FILE",
            help="The consortium's file (consortium.json) whose fingerprint the parties compared:"
            " its root, and the keys that it has for each party. Then not even the authority's word"
            " is needed.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check the evidence of a fault: who, when, what, and what that proves.

    Needs no share, no key and no connection. Every signature is checked, and the verdict is
    computed again from what the parties signed. Example:

        tacit blame verify evidence --authority authority.pem
    """
    root, trust = None if authority is None else _read(authority), ANY
    if consortium is not None:
        known = read(_read(consortium), consortium, root)
        root, trust = known.root.encode(), known.trust
    found = [check(path, root, trust) for path in records(folder)]
    if as_json:
        shown = [_plain(checked) for checked in found]
        print(json.dumps({"records": shown, "authority_given": root is not None}))
        return
    console = Terminal()
    for checked in found:
        _show(console, checked)
    if root is None:
        for fingerprint in sorted({checked.fingerprint for checked in found}):
            console.print(
                "[bold yellow]Compare the authority.[/] Its certificate was taken from the"
                " evidence itself. All of this holds only if the consortium's certificate has"
                " the SHA-256 fingerprint",
                soft_wrap=True,
            )
            console.print(f"  {fingerprint}", soft_wrap=True)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise EvidenceError(
            f"{path} cannot be read: {error.strerror}.",
            next_step="give the consortium's root certificate as a PEM file.",
            case=2,
            stage="evidence",
        ) from None


def _who(checked: Checked) -> str:
    verdict = checked.verdict
    if verdict.pair is not None:
        return f"{verdict.pair[0]} or {verdict.pair[1]}"
    return verdict.party or "nobody"


def _what(checked: Checked) -> str:
    words = {"lost": "lost", "convicted": "convicted", "pair": "one of the two is at fault"}
    return words.get(checked.verdict.kind, "no party is named")


def _proves(checked: Checked) -> tuple[str, str]:
    """What follows, and under which assumption."""
    verdict = checked.verdict
    who, others = _who(checked), [m for m in checked.members if m not in (verdict.pair or ())]
    one = "at most one party is corrupt or failed"
    intime = "messages between honest parties arrive within the time-out"
    if verdict.kind == "unclear":
        return "Nothing about any party: the four started again with more digests kept.", "none"
    if verdict.basis == "words":
        if verdict.kind == "lost":
            return f"{who} itself said that it stopped; that is no sign of ill will.", "none"
        return f"{who} signed what no honest party signs.", "none"
    if verdict.pair is not None:
        proof = f"{who} is at fault, not known which; {' and '.join(others)} are honest."
        return proof, f"{one}; {intime}" if verdict.by_silence else one
    if verdict.basis == "silence":
        return f"{who} was not there in time; that is no sign of ill will.", f"{one}; {intime}"
    return f"{who} is at fault: parties that cannot all lie contradict it.", one


def _when(checked: Checked) -> list[tuple[str, str, str]]:
    """Each party's clock, what it was doing, and what it saw, as it says."""
    rows = []
    for said in checked.statements:
        try:
            clock = datetime.datetime.fromtimestamp(said.at, datetime.UTC)
            when = f"{clock:%Y-%m-%d %H:%M:%S} UTC"
        except (ValueError, OverflowError, OSError):
            when = "at no possible time"
        seen = said.seen
        if seen.dispute is not None:
            about = f": {seen.dispute.sender} against {seen.dispute.backup}"
        else:
            about = f": {seen.peer}" if seen.peer else ""
        doing = f" during {_plain_text(said.operation)}" if said.operation else ""
        rows.append((said.party, when, f"{seen.kind}{about}{doing}"))
    return rows


def _plain_text(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


def _plain(checked: Checked) -> dict[str, Any]:
    verdict = checked.verdict
    proof, assumption = _proves(checked)
    return {
        "folder": str(checked.folder),
        "holder": checked.holder,
        "session": verdict.occasion.session.hex(),
        "stage": verdict.occasion.stage,
        "attempt": verdict.occasion.attempt,
        "parties": list(checked.members),
        "kind": verdict.kind,
        "who": [verdict.party] if verdict.party else list(verdict.pair or ()),
        "basis": verdict.basis,
        "reason": verdict.reason,
        "restart": verdict.restart,
        "statements": [
            {"party": party, "at": when, "saw": what} for party, when, what in _when(checked)
        ],
        "proves": proof,
        "assuming": assumption,
        "authority_sha256": checked.fingerprint,
    }


def _show(console: Console, checked: Checked) -> None:
    verdict = checked.verdict
    proof, assumption = _proves(checked)
    console.print("[green]✓[/] The evidence holds:", end=" ")
    console.print(str(checked.folder), markup=False, soft_wrap=True)
    rows = [
        ("Who", f"{_who(checked)}: {_what(checked)}"),
        ("What", verdict.reason),
        ("Job", f"session {verdict.occasion.session.hex()[:16]}…, stage {verdict.occasion.stage},"
         f" attempt {verdict.occasion.attempt}; kept by {checked.holder}"),
        *((party, f"{when}, {what}") for party, when, what in _when(checked)),
        ("Proves", proof),
        ("Assuming", assumption),
    ]  # fmt: skip
    for name, text in rows:
        console.print(f"  {name:<10}", end="", markup=False)
        console.print(_plain_text(text), markup=False, soft_wrap=True)
