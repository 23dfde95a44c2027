"""``tacit doctor``: is this party ready for a job with the others? One line a check."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer
from rich.console import Console
from rich.markup import escape

from tacit.cli.alone import SOON
from tacit.cli.terminal import Terminal
from tacit.consortium import Kit
from tacit.errors import AddressError, TacitError, TransportError, UsageError
from tacit.network import Address, Listener
from tacit.network.probing import Found, Greeting, greeting, probe
from tacit.sessions.alone import own_port

__all__ = ["doctor"]

_SKEW: Final = 60.0
"""Seconds between two clocks from which on it is a problem."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line.

    Attributes
    ----------
    party : str
        Whom it is about.
    what : str
    ok : bool or None
        None for what could not be checked.
    text : str
    fix : str
        What to do.
    """

    party: str
    what: str
    ok: bool | None
    text: str
    fix: str = ""


Say: TypeAlias = Callable[[Check], None]


def doctor(
    kit: Annotated[
        Path,
        typer.Option(
            "--kit", "-k", envvar="TACIT_KIT", help="This party's kit.", show_default=False
        ),
    ],
    wait: Annotated[
        float,
        typer.Option(min=1.0, help="Seconds to wait for the others to run `tacit doctor` too."),
    ] = 60.0,
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Where to listen, if not at this party's address in the consortium's file.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check whether this party and the others reach each other and would agree.

    Run it at all parties at the same time: then both directions between each two are tried: name
    service, port, certificates and their keys, clocks, release, the consortium's file and protocol.
    It disturbs no job that runs. Example:

        tacit doctor --kit kit
    """
    console = Terminal(soft_wrap=True, quiet=as_json)
    checks: list[Check] = []

    def say(check: Check) -> None:
        checks.append(check)
        _print(console, check)

    try:
        mine = Kit.load(kit)
        if mine.role != "party":
            raise UsageError(
                f"The kit in {kit} is that of the client {mine.name}, not a party's.",
                next_step="clients have nothing to check here: ask the service, `tacit query`.",
                case=57,
            )
    except TacitError as error:
        say(Check("", "kit", False, f"{error.code}: {error.message}", error.next_step))
    else:
        _check(mine, wait, None if listen is None else Address.parse(listen), say, console)
    wrong = sum(check.ok is False for check in checks)
    unknown = sum(check.ok is None for check in checks)
    if as_json:
        print(json.dumps({"ready": not wrong + unknown, "checks": [asdict(c) for c in checks]}))
    if wrong or unknown:
        raise TransportError(
            f"{wrong} of {len(checks)} checks failed, and {unknown} could not be made.",
            next_step="see the lines above; then run `tacit doctor` at all parties again.",
            case=13,
            stage="doctor",
        )
    console.print("[bold green]Ready.[/]")


def _check(mine: Kit, wait: float, listen: Address | None, say: Say, console: Console) -> None:
    known = mine.consortium
    days = mine.days_left
    say(
        Check(
            mine.name,
            "kit",
            True,
            f"{mine.name} of {known.name}, edition {known.edition}, {days} days left",
            ""
            if days >= SOON
            else f"have the authority renew it: tacit consortium renew {mine.name}",
        )
    )
    console.print(f"  [dim]fingerprint, the same at all: {mine.fingerprint}[/]")
    listener: Listener | None = None
    try:
        listener = own_port(mine, listen)
    except AddressError as error:
        say(Check(mine.name, "own port", False, f"{error.code}: {error.message}", error.next_step))
    else:
        text = f"listening at {listener.address}"
        said = mine.addresses[mine.name]
        if listener.address.host != said.host and listen is None:
            text += f": {said.host} is no address of this machine, so a router must forward to it"
        say(Check(mine.name, "own port", True, text))
    terms = {**mine.agreed(), "protocol": known.protocol}
    try:
        with console.status(f"waiting up to {wait:g} s for the others to run tacit doctor too"):
            found = probe(mine.credentials, mine.addresses, listener, terms, wait)
    finally:
        if listener is not None:
            listener.close()
    here = greeting(mine.name, terms)
    for name, seen in found.items():
        for check in _about(name, mine.addresses[name], seen, here, listening=listener is not None):
            say(check)


def _about(
    name: str, address: Address, seen: Found, here: Greeting, *, listening: bool
) -> Iterator[Check]:
    """The lines about one other party, as far as they could be tried."""
    if not seen.hosts:
        yield Check(
            name,
            "name service",
            False,
            seen.problem or f"{address.host} is unknown",
            f"correct the address of {name}: tacit consortium move --address {name}=HOST:PORT at"
            " the authority, or the name service of this machine.",
        )
        return
    yield Check(name, "name service", True, f"{address.host} is {', '.join(seen.hosts)}")
    yield Check(
        name,
        "outwards",
        seen.reached,
        f"{address} takes connections" if seen.reached else f"{address}: {seen.problem}",
        "" if seen.reached else _unreached(name, seen.problem),
    )
    if not seen.reached:
        pass
    elif not seen.spoke:
        yield Check(
            name,
            "certificate",
            None,
            seen.problem,
            f"start `tacit doctor` at {name} while this one runs. If it runs there, another program"
            " has the port, or a gateway in between changes what passes.",
        )
    else:
        yield Check(
            name,
            "certificate",
            seen.certified,
            "accepted at both ends" if seen.certified else seen.problem,
            ""
            if seen.certified
            else "install the newest consortium.json at both, and renew what has expired: tacit"
            " consortium status shows it.",
        )
    if listening:
        yield Check(
            name,
            "inwards",
            seen.called,
            f"{name} reaches this party" if seen.called else _silent(name, seen),
            ""
            if seen.called
            else f"start `tacit doctor` at {name} while this one runs; if it runs there, see what"
            " it says, and let this machine's firewall admit its connections to this port.",
        )
    if seen.greeting is not None:
        yield from _agreeing(name, seen, seen.greeting, here)


def _agreeing(name: str, seen: Found, there: Greeting, here: Greeting) -> Iterator[Check]:
    pairs = {
        "release": (here.release, there.release),
        "wire version": (str(here.wire), str(there.wire)),
        **{k: (here.terms.get(k, "-"), there.terms.get(k, "-")) for k in here.terms},
    }
    differing = [f"{k}: here {a}, there {b}" for k, (a, b) in pairs.items() if a != b]
    yield Check(
        name,
        "agreement",
        not differing,
        "; ".join(differing) or f"release {here.release}, same file, same protocol",
        "install the same release of tacit and the newest consortium.json at both."
        if differing
        else "",
    )
    fine = abs(seen.skew) - seen.seconds / 2 < _SKEW
    yield Check(
        name,
        "clock",
        fine,
        f"{seen.skew:+.1f} s, answers in {1e3 * seen.seconds:.0f} ms",
        "" if fine else "set the clocks by NTP: certificates are judged by them.",
    )


def _unreached(name: str, problem: str) -> str:
    if problem == "no answer":
        return f"is that host right, is it on, and does its firewall admit this machine? ({name})"
    if "refused" in problem:
        return f"start `tacit doctor` at {name} while this one runs, or correct the port."
    return "check routes and firewalls between the machines."


def _silent(name: str, seen: Found) -> str:
    return seen.refusal or f"{name} did not reach this party"


def _print(console: Console, check: Check) -> None:
    mark = {True: "[green]✓[/]", False: "[red]✗[/]", None: "[yellow]?[/]"}[check.ok]
    about = f"{check.party:<12} {check.what:<13}" if check.party else f"{check.what:<13}"
    console.print(f"{mark} {escape(about)} {escape(check.text)}")
    if check.fix:
        console.print(f"  [dim]→ {escape(check.fix)}[/]")
