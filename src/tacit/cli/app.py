"""The ``tacit`` command: its commands, its errors and its exit statuses."""

from __future__ import annotations

import json
import signal
import sys
from importlib.metadata import version
from typing import Annotated, Any

import typer
from rich.markup import escape

from tacit.cli.blame import blame
from tacit.cli.check import check
from tacit.cli.consortium import app as consortium
from tacit.cli.demo import demo
from tacit.cli.distil import distil
from tacit.cli.doctor import doctor
from tacit.cli.evaluate import evaluate
from tacit.cli.explain import explain
from tacit.cli.new import new
from tacit.cli.plan import plan
from tacit.cli.query import query
from tacit.cli.refresh import refresh
from tacit.cli.run import run
from tacit.cli.schema import schema
from tacit.cli.serve import serve
from tacit.cli.terminal import Terminal
from tacit.cli.train import train
from tacit.errors import InternalError, StorageError, TacitError
from tacit.network import interruptible, was_dropped

__all__ = ["main"]

_INTERRUPTED = 130

EXIT_STATUSES = """
Exit status: 0 done · 1 other error · 2 wrong call · 3 configuration, files, schemas ·
4 network · 5 not agreed · 6 a party deviated · 7 a bug in tacit · 8 a service did not answer ·
130 interrupted (Ctrl-C).
"""

app = typer.Typer(
    name="tacit",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Compute together, reveal nothing: secure multi-party computation for Python.",
    epilog=EXIT_STATUSES,
)
app.command()(train)
app.command()(evaluate)
app.command()(distil)
app.command()(check)
app.command()(plan)
app.command()(run)
app.command()(new)
app.command()(demo)
app.command()(explain)
app.command()(serve)
app.command()(query)
app.command()(refresh)
app.command()(doctor)
app.add_typer(blame, name="blame")
app.add_typer(consortium, name="consortium")
app.add_typer(schema, name="schema")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tacit {version('tacit')}")
        raise typer.Exit


@app.callback()
def _root(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and exit.", callback=_show_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Options of all commands."""


def main() -> None:
    """Run the command line and exit with the documented status."""
    interruption = _Interruption()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interruption)
    as_json = "--json" in sys.argv[1:]
    try:
        with interruptible():
            app(standalone_mode=True)
    except TacitError as error:
        _report(error, as_json)
        raise SystemExit(error.exit_status) from None
    except SystemExit as end:
        if end.code == _INTERRUPTED:  # typer's translation of KeyboardInterrupt
            Terminal(stderr=True).print(
                "Interrupted: everything that this command started was stopped."
            )
        raise
    except KeyboardInterrupt:
        raise SystemExit(_INTERRUPTED) from None
    except BrokenPipeError:
        raise SystemExit(1) from None
    except OSError as error:
        _report(_storage_error(error), as_json)
        raise SystemExit(StorageError.exit_status) from None
    except Exception as error:
        problem = InternalError(
            f"{type(error).__name__} in tacit itself.",
            next_step="report this with the lines below.",
            case=0,
        )
        _report(problem, as_json)
        raise SystemExit(problem.exit_status) from error


class _Interruption:
    """Unwinds once: a second signal must not interrupt the clean-up, unless the first was lost."""

    def __init__(self) -> None:
        self._unwinding = False

    def __call__(self, number: int, frame: Any) -> None:
        if was_dropped() or not self._unwinding:
            self._unwinding = True
            raise KeyboardInterrupt


def _storage_error(error: OSError) -> StorageError:
    return StorageError(
        f"{error.strerror or type(error).__name__}"
        + (f": {error.filename}" if error.filename else "")
        + ".",
        next_step="check the path, its permissions and the free space of the disk.",
        case=2,
    )


def _report(error: TacitError, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"error": error.as_dict()}), file=sys.stderr)
        return
    console = Terminal(stderr=True)
    console.print(f"[bold red]Error {error.code}[/]", end=" ")
    if error.stage:
        console.print(f"[dim](stage: {escape(error.stage)})[/]", end="")
    console.print()
    console.print(error.message, markup=False, soft_wrap=True)
    if error.next_step:
        console.print("[bold]What to do:[/]", end=" ")
        console.print(error.next_step, markup=False, soft_wrap=True)
    if error.stage == "connect" and {"--kit", "-k"} & set(sys.argv):
        console.print(
            "To see what keeps the parties apart, run this at all of them at the same time:"
            " tacit doctor --kit DIR",
            soft_wrap=True,
        )
