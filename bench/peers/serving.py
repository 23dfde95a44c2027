"""How a peer's script is spoken to: one workload a call, or one JSON line after another.

``python <peer>_workloads.py WORKLOAD [--repeats N]`` prints one JSON object a line and repeat.
``python <peer>_workloads.py --serve`` reads lines ``{"workload": "matmul_256"}`` until the end of
its input; after each it makes one warm, timed repeat and prints one line. ``--list`` prints the
names of the workloads, those that the peer skips too.

A line holds ``peer``, ``version``, ``workload`` and either ``seconds`` and ``max_error`` (see
`inputs.Workload.error`), with ``bytes`` (sent by all parties together) and ``scaled_from``
(elements really computed) where they are known, or ``skipped`` or ``error`` with the reason. After
an error the parties are started anew.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TextIO


class Skipped(Exception):
    """The peer does not do this workload; the message says why."""


class Session(Protocol):
    """A peer whose parties are up."""

    def measure(self, workload: str) -> dict[str, Any]:
        """Run a workload once, warm, and return the fields that a line adds: seconds, ...

        Raises
        ------
        Skipped
            If the peer does not do this workload.
        """

    def close(self) -> None:
        """End the parties."""


def main(peer: str, version: str, workloads: tuple[str, ...], start: Callable[[], Session]) -> None:
    """Run a peer's command line.

    Parameters
    ----------
    peer, version : str
        What the lines say of the peer.
    workloads : tuple of str
        The names that the peer knows.
    start : callable
        Starts the parties and returns their session.
    """
    parser = argparse.ArgumentParser(description=f"Run the bench's workloads on {peer} {version}.")
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("workload", nargs="?", choices=workloads, metavar="WORKLOAD")
    chosen.add_argument("--serve", action="store_true", help="read JSON lines from stdin")
    chosen.add_argument("--list", action="store_true", help="print the names of the workloads")
    parser.add_argument("--repeats", type=int, default=3, metavar="N", help="default: 3")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(workloads))
        return

    out = _take_stdout()
    session = start()
    try:
        for name in _requests(arguments):
            line: dict[str, Any] = {"peer": peer, "version": version, "workload": name}
            try:
                line.update(session.measure(name))
            except Skipped as reason:
                line["skipped"] = str(reason)
            except Exception as failure:
                traceback.print_exc()
                line["error"] = str(failure)
                session.close()
                session = start()
            print(json.dumps(line), file=out, flush=True)
    finally:
        session.close()


def _requests(arguments: argparse.Namespace) -> Iterator[str]:
    """Yield the names of the workloads to run, one for each line to print."""
    if not arguments.serve:
        for _ in range(arguments.repeats):
            yield arguments.workload
        return
    for line in sys.stdin:
        if line.strip():
            yield json.loads(line)["workload"]


def _take_stdout() -> TextIO:
    """Return the real standard output, and send whatever libraries print to standard error."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return out
