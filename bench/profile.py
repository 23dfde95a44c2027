"""``python -m bench.profile WORKLOAD``: where the time of a party goes.

The parties of its protocol in processes of their own over TLS, as in the bench, each under
cProfile. Shows for each party how its time divides into kernels, links (waiting and working apart)
and Python, and the functions that take most. The control channel is left out; what it costs is
the difference to the bench's median, which is shown beside.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Callable, Sequence
from statistics import median

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bench import training, workloads
from bench.profiled_party import Entry, PartyProfile, Settings
from bench.tables import duration, in_milliseconds
from tacit.cli.demos import fraud
from tacit.protocols.registry import protocol_named
from tacit.sessions import launch
from tacit.sessions.session import checked_parties

__all__ = ["KINDS", "main", "profiled", "profiled_training", "seconds_of"]

KINDS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("links", lambda name: "tacit._native.Links" in name),
    ("kernels", lambda name: name.startswith("tacit._native.")),
    ("NumPy and other C", lambda name: ".py:" not in name),
    ("Python: network, rounds", lambda name: name.startswith(("network/", "rounds/"))),
    ("Python: protocols, sharing", lambda name: name.startswith(("protocols/", "sharing/"))),
    ("Python: functions, circuits", lambda name: name.startswith(("functions/", "circuits/"))),
    ("Python: the rest", lambda name: True),
)


def profiled(workload: str, repeats: int, size: int | None = None) -> dict[str, PartyProfile]:
    """Profile a workload; what each party found, by name."""
    variant = workloads.VARIANTS.get(workload, workloads.Variant(workload))
    settings = Settings(variant.workload, repeats, size or variant.size)
    names = checked_parties(protocol_named(variant.protocol), None)
    return _launched(dict.fromkeys(names, settings), variant.protocol, variant.ring)


def profiled_training(rows: int, repeats: int = 1) -> dict[str, PartyProfile]:
    """Profile the main job, from the reading of the files on."""
    with tempfile.TemporaryDirectory(prefix="tacit-bench-") as folder:
        owners = training.settings_of(fraud.generate(folder, rows=rows))
        return _launched(
            {
                name: Settings("training", repeats, training=settings)
                for name, settings in owners.items()
            }
        )


def _launched(
    settings: dict[str, Settings], protocol: str = "replicated3", ring: int = 64
) -> dict[str, PartyProfile]:
    found = launch(
        tuple(settings),
        "bench.profiled_party",
        settings,
        protocol=protocol,
        parameters={"ring": str(ring)},
    )
    return {name: msgspec.convert(result, PartyProfile) for name, result in found.items()}


def main() -> int:
    """Profile what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description=__doc__)
    choices = (*workloads.all_names(), "training")
    parser.add_argument(
        "workload", choices=choices, metavar="WORKLOAD", help="one of the bench's, or training"
    )
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="default: 5")
    parser.add_argument("--functions", type=int, default=25, metavar="N", help="default: 25")
    arguments = parser.parse_args()
    name, repeats = arguments.workload, arguments.repeats
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    if name == "training":
        parties = profiled_training(training.SMALL_ROWS)
    else:
        parties = profiled(name, repeats)
    console.print(_overview(name, parties))
    busiest = max(parties, key=lambda party: parties[party].busy)
    console.print(_functions(busiest, parties[busiest].entries, arguments.functions))
    if name != "training":
        with contextlib.closing(workloads.TacitSession()) as session:
            driven = [session.measure(name)["seconds"] for _ in range(repeats)]
        inside = max(party.wall for party in parties.values())
        console.print(
            f"Driven from another process (the bench's median): {duration(median(driven))};"
            f" inside the parties: {duration(inside)}; the difference is the control channel."
        )
    return 0


def _overview(workload: str, parties: dict[str, PartyProfile]) -> Table:
    table = _table(f"{workload}, one repeat: elapsed / of it on the processor")
    for name in parties:
        table.add_column(name, justify="right")
    found = parties.values()
    table.add_row("undisturbed", *(_both(p.wall, p.busy) for p in found))
    table.add_row("inside the system", *(duration(p.system) for p in found))
    table.add_row("page faults", *(f"{p.faults:,.0f}" for p in found))
    table.add_row("rounds", *(f"{p.rounds:,.0f}" for p in found))
    table.add_row("a round", *(duration(p.wall / max(1, p.rounds)) for p in found))
    table.add_section()
    table.add_row("under the profiler", *(_both(*seconds_of(party.entries)) for party in found))
    for kind, _ in KINDS:
        table.add_row(f"  {kind}", *(_both(*seconds_of(party.entries, kind)) for party in found))
    return table


def seconds_of(entries: Sequence[Entry], kind: str | None = None) -> tuple[float, float]:
    """Elapsed and processor seconds of one of the `KINDS`, or of all."""
    mine = [entry for entry in entries if kind is None or _kind(entry.function) == kind]
    return sum(entry.wall for entry in mine), sum(entry.busy for entry in mine)


def _kind(function: str) -> str:
    return next(kind for kind, belongs in KINDS if belongs(function))


def _both(wall: float, busy: float) -> str:
    return f"{in_milliseconds(wall)} / {in_milliseconds(busy)} ms"


def _functions(party: str, entries: Sequence[Entry], count: int) -> Table:
    table = _table(f"Functions of {party}, by own processor time, one repeat")
    for header in ("calls", "elapsed", "on the processor", "µs a call"):
        table.add_column(header, justify="right")
    for entry in sorted(entries, key=lambda entry: -entry.busy)[:count]:
        table.add_row(
            entry.function,
            f"{entry.calls:,.0f}",
            duration(entry.wall),
            duration(entry.busy),
            f"{entry.busy / entry.calls * 1e6:,.1f}",
        )
    return table


def _table(title: str) -> Table:
    table = Table(
        title=title, title_justify="left", title_style="bold", header_style="dim", box=SIMPLE_HEAD
    )
    table.add_column("")
    return table


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("Interrupted.")
