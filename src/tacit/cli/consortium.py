"""``tacit consortium``: who the parties are, their certificates, and each one's kit."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from tacit.cli.consortium_status import show_status
from tacit.cli.terminal import Terminal, literal
from tacit.consortium.authority import DAYS, AuthorityFolder
from tacit.consortium.installing import install as take_over
from tacit.consortium.kit import Role
from tacit.consortium.requests import Request, make_request, read_request
from tacit.consortium.sealing import KEY_VARIABLE, PASSPHRASE_VARIABLE, Secret
from tacit.errors import PolicyDeniedError, StorageError, UsageError
from tacit.storage import create_key

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""The parties of a consortium: an authority that certifies them, and a kit for each.

The authority is a folder at one organisation. Keys are made at their sites and never leave them:

1. authority: `tacit consortium new ring --parties bank_a=a.org:7600,bank_b=b.org:7600,…`
2. each site: `tacit consortium request bank_a --kit kit`, and sends `kit/pending/bank_a.csr`
3. authority: `tacit consortium approve bank_a.csr --authority ring`, comparing the fingerprint by
   telephone; when all are approved it sends `ring/consortium.json` and `ring/answers/bank_a.cert`
4. each site: `tacit consortium install consortium.json bank_a.cert --kit kit`; all compare the
   consortium's fingerprint once
5. each site, at the same time: `tacit doctor --kit kit`

None of the files that are sent is secret.""",
)

AuthorityOption = Annotated[
    Path,
    typer.Option(
        "--authority",
        "-a",
        envvar="TACIT_AUTHORITY",
        help="The authority's folder.",
        show_default=False,
    ),
]
KitOption = Annotated[
    Path,
    typer.Option(
        "--kit", "-k", envvar="TACIT_KIT", help="The folder of this site's kit.", show_default=False
    ),
]
KeyFileOption = Annotated[
    Path | None,
    typer.Option(
        "--key-file",
        help="A file with the key that seals the authority's keys; `new` makes it if it is not"
        f" there. Without: the variable {KEY_VARIABLE} or {PASSPHRASE_VARIABLE}, or you are asked"
        " for a passphrase.",
        show_default=False,
    ),
]
DaysOption = Annotated[int, typer.Option(min=1, max=3650, help="Days of validity.")]
ClientOption = Annotated[
    bool, typer.Option("--client", help="A client of a service, not a party.", show_default=False)
]

INTERRUPTED = 130
"""The exit status after Ctrl-C."""

_OUT = Terminal(soft_wrap=True)


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The new authority's folder.")],
    parties: Annotated[
        str,
        typer.Option(help="NAME=HOST:PORT of every party, with commas.", show_default=False),
    ],
    protocol: Annotated[str, typer.Option(help="What the parties run by default.")] = "replicated3",
    helper: Annotated[
        list[str] | None,
        typer.Option(help="A party that holds no data (repeat for more).", show_default=False),
    ] = None,
    service: Annotated[
        str,
        typer.Option(
            help="NAME=HOST:PORT where clients of a service reach a party, with commas; by default"
            " the port after the party's own.",
            show_default=False,
        ),
    ] = "",
    name: Annotated[
        str,
        typer.Option(help="The consortium's name; by default the folder's.", show_default=False),
    ] = "",
    key_file: KeyFileOption = None,
) -> None:
    """Make an authority. Its root is valid for twenty years and never changes. Example:

    tacit consortium new ring --parties bank_a=a.org:7600,bank_b=b.org:7600,bank_c=c.org:7600
    """
    if key_file is not None and not key_file.exists():
        create_key(key_file)
        _OUT.print(
            f"Key of the authority: {literal(key_file)}. Keep a copy apart from {literal(folder)}."
        )
    authority = AuthorityFolder.create(
        folder,
        name or folder.absolute().name,
        _pairs(parties),
        _secret(key_file, confirm=True),
        protocol=protocol,
        helpers=tuple(helper or ()),
        services=_pairs(service) if service else {},
    )
    consortium = authority.consortium
    _OUT.print(
        f"[green]✓[/] Authority of the consortium {escape(consortium.name)} in {literal(folder)}."
    )
    _OUT.print("Now each party makes its keys at its own site:")
    for member in consortium.names:
        _OUT.print(f"  tacit consortium request {escape(member)} --kit kit", style="cyan")


@app.command()
def request(
    name: Annotated[str, typer.Argument(help="The party or client.", show_default=False)],
    kit: KitOption,
    client: ClientOption = False,
    new_keys: Annotated[
        bool,
        typer.Option("--new-keys", help="Make other keys, for instance after the old ones leaked."),
    ] = False,
) -> None:
    """Make keys at this site and a request for certificates; the keys stay here.

    In a kit that works, the request is for the keys that it has, unless --new-keys is given; it
    goes on working until the answer is installed.
    """
    path, made = make_request(kit, name, _role(client), new_keys=new_keys)
    _OUT.print(f"[green]✓[/] Send this file to the authority; it is no secret: {literal(path)}")
    _OUT.print(f"Fingerprint, to read to the authority by telephone: [bold]{made.fingerprint}[/]")


@app.command()
def approve(
    file: Annotated[Path, typer.Argument(metavar="NAME.csr", help="What the site sent.")],
    authority: AuthorityOption,
    fingerprint: Annotated[
        str,
        typer.Option(help="The fingerprint that the site read to you, instead of a question."),
    ] = "",
    days: DaysOption = DAYS,
    key_file: KeyFileOption = None,
) -> None:
    """Certify a request, after comparing its fingerprint with the site by telephone.

    Without the comparison whoever can change your mail can take the party's place.
    """
    asked = read_request(_bytes(file), file)
    opened = AuthorityFolder(authority, _secret(key_file))
    _compare(asked, opened, fingerprint)
    done = opened.approve(asked, days)
    _OUT.print(f"[green]✓[/] {escape(asked.name)} is certified for {days} days.")
    _OUT.print(f"Send it: {literal(done.answer)}")
    _tell_edition(opened, changed=done.changed)


@app.command()
def issue(
    names: Annotated[
        list[str] | None, typer.Argument(help="Parties; all by default.", show_default=False)
    ] = None,
    *,
    authority: AuthorityOption,
    client: ClientOption = False,
    days: DaysOption = DAYS,
    key_file: KeyFileOption = None,
) -> None:
    """Make whole kits here, keys included: the second choice, and for trying things out.

    Whoever can read the authority's folder then has the parties' keys. Better: `request` at each
    site.
    """
    opened = AuthorityFolder(authority, _secret(key_file))
    if client and not names:
        raise UsageError(
            "Which clients?", next_step="name them: tacit consortium issue alice --client.", case=56
        )
    for kit in opened.issue(names or opened.consortium.names, _role(client), days):
        _OUT.print(f"[green]✓[/] {literal(kit)}")
    _OUT.print(
        "[yellow]Keys were made here.[/] Bring each folder to its party by a way that nobody else"
        " reads, and delete it here."
    )
    _tell_edition(opened, changed=not client)


@app.command()
def install(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE ...", help="consortium.json, NAME.cert, or both."),
    ],
    kit: KitOption,
    accept: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A party whose keys may be others than before: you compared its fingerprint"
            " (repeat for more).",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Take over what the authority sent into this site's kit.

    Everything is checked first: the signature, the root that this kit knows, that the file is not
    older, that the certificates are for the keys here, and that no other party's keys changed.
    """
    done = take_over(kit, files, accept=tuple(accept or ()))
    if done.kit is None:
        missing = ", ".join(done.consortium.missing) if done.consortium else ""
        _OUT.print(f"[green]✓[/] Installed. Not approved yet: {escape(missing)}.")
        _OUT.print("Install the authority's consortium.json again when all are.")
        return
    known = done.kit.consortium
    _OUT.print(
        f"[green]✓[/] {escape(done.kit.name)}, {escape(done.kit.role)} of {escape(known.name)},"
        f" edition {known.edition}, {done.kit.days_left} days left."
    )
    _OUT.print(f"Fingerprint of the consortium: [bold]{known.fingerprint}[/]")
    _OUT.print(
        "Read it to every other party by telephone, once for each edition: who has the same knows"
        " everybody's right keys, even if the authority lied."
    )
    if done.kit.role == "party":
        _OUT.print(
            f"Then, at the same time as the others: tacit doctor --kit {literal(kit)}", style="cyan"
        )


@app.command()
def status(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", envvar="TACIT_KIT", help="An authority's folder, or a kit's."
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show who has which certificate, the days left, and the fingerprints to compare."""
    show_status(folder, _OUT, as_json=as_json)


@app.command()
def renew(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Whose certificates; of all parties by default.", show_default=False),
    ] = None,
    *,
    authority: AuthorityOption,
    client: ClientOption = False,
    days: DaysOption = DAYS,
    key_file: KeyFileOption = None,
) -> None:
    """Certify the keys that somebody has for longer: nobody else has to do anything.

    For other keys the site makes a request with --new-keys.
    """
    opened = AuthorityFolder(authority, _secret(key_file))
    for name in names or opened.consortium.names:
        done = opened.renew(name, _role(client), days)
        _OUT.print(f"[green]✓[/] {escape(name)}, {days} days. Send it: {literal(done.answer)}")
    _OUT.print("Each installs its own: tacit consortium install NAME.cert --kit kit", style="cyan")


@app.command()
def revoke(
    name: Annotated[str, typer.Argument(help="The party or client.", show_default=False)],
    authority: AuthorityOption,
    client: ClientOption = False,
    key_file: KeyFileOption = None,
) -> None:
    """Accept the keys of a party or client no more, wherever the new file is installed.

    Parties of a job compare the edition they have, so one with an older file is noticed.
    """
    opened = AuthorityFolder(authority, _secret(key_file))
    opened.revoke(name, _role(client))
    _OUT.print(f"[green]✓[/] The keys of {escape(name)} are revoked.")
    _tell_edition(opened, changed=True)


@app.command()
def move(
    authority: AuthorityOption,
    address: Annotated[
        str, typer.Option(help="NAME=HOST:PORT for the other parties, with commas.")
    ] = "",
    service: Annotated[
        str, typer.Option(help="NAME=HOST:PORT for clients of a service, with commas.")
    ] = "",
    key_file: KeyFileOption = None,
) -> None:
    """Give parties other addresses, for instance where one was mistyped."""
    opened = AuthorityFolder(authority, _secret(key_file))
    opened.move(_pairs(address) if address else {}, _pairs(service) if service else {})
    _tell_edition(opened, changed=True)


# How.


def _role(client: bool) -> Role:
    return "client" if client else "party"


def _pairs(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in text.split(","):
        name, equals, address = item.strip().partition("=")
        if not (name and equals and address) or name in found:
            raise UsageError(
                f"{item.strip()!r} is not NAME=HOST:PORT, or names somebody twice.",
                next_step="write bank_a=a.example.org:7600,bank_b=10.0.0.2:7600 and so on.",
                case=40,
            )
        found[name] = address
    return found


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise StorageError(
            f"{file} cannot be read: {error.strerror}.",
            next_step="name the file that the site sent.",
            case=2,
        ) from None


def _secret(key_file: Path | None, *, confirm: bool = False) -> Secret:
    found = Secret.from_surroundings(key_file)
    if found is not None:
        return found
    if not sys.stdin.isatty():
        raise UsageError(
            "Nothing opens the authority's keys, and there is no terminal to ask for a passphrase.",
            next_step=f"give --key-file FILE, or set {KEY_VARIABLE} or {PASSPHRASE_VARIABLE}.",
            case=59,
        )
    try:
        typed = typer.prompt(
            "Passphrase of the authority", hide_input=True, confirmation_prompt=confirm
        )
    except typer.Abort:
        raise typer.Exit(INTERRUPTED) from None
    return Secret(passphrase=typed)


def _compare(asked: Request, opened: AuthorityFolder, fingerprint: str) -> None:
    _OUT.print(f"Request of the {escape(asked.role)} [bold]{escape(asked.name)}[/]:")
    _OUT.print(f"  fingerprint {asked.fingerprint}", style="bold")
    if opened.knows(asked):
        _OUT.print(f"These are the keys that {escape(asked.name)} has already: nothing to compare.")
        return
    if fingerprint:
        same = "".join(fingerprint.split()).lower() == "".join(asked.fingerprint.split())
    elif sys.stdin.isatty():
        try:
            same = typer.confirm(
                f"Call {asked.name}, by a number you know. Does it read you the same fingerprint?"
            )
        except typer.Abort:
            raise typer.Exit(INTERRUPTED) from None
    else:
        same = False
    if not same:
        raise PolicyDeniedError(
            f"the fingerprint of the request of {asked.name} was not confirmed.",
            next_step="compare it with the site by telephone, then repeat and say yes, or give"
            " --fingerprint with what the site read. If they differ, somebody changed the request"
            " on its way.",
            case=22,
            parties=[asked.name],
        )


def _tell_edition(opened: AuthorityFolder, *, changed: bool) -> None:
    consortium = opened.consortium
    if consortium.missing:
        _OUT.print(f"Still without certificates: {escape(', '.join(consortium.missing))}.")
    elif changed:
        _OUT.print(
            f"Edition {consortium.edition} of the consortium's file, for [bold]all[/] parties and"
            f" clients: {literal(opened.folder / 'consortium.json')}"
        )
        _OUT.print(f"Its fingerprint: [bold]{consortium.fingerprint}[/]")
        _OUT.print(
            "Each installs it: tacit consortium install consortium.json NAME.cert --kit kit",
            style="cyan",
        )
