"""One party as a process: ``party.py NAME DIRECTORY SCENARIO ARGUMENTS SETTINGS``.

Prints its port, reads everybody's ports, connects, runs the scenario and prints its result or
its error, each as one line of JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tacit.errors import DataError, TacitError
from tacit.network import (
    Address,
    Agreement,
    Awaited,
    Credentials,
    Listener,
    Mesh,
    NetworkSettings,
    OnWait,
    connect,
)
from tacit.rounds.contract import Round, Step

NAMES = ("alice", "bob", "carol")


def say(**message: Any) -> None:
    print(json.dumps(message), flush=True)


def ring(mesh: Mesh, rounds: int, size: int = 64, at: int = -1, act: Any = None) -> Step[int]:
    """Pass messages around; before round `at`, `act`."""
    previous, following = (mesh.index + 2) % 3, (mesh.index + 1) % 3
    sent = np.full(size, mesh.index, np.uint64)
    received = np.zeros(size, np.uint64)
    for number in range(rounds):
        if number == at:
            act()
        sent += np.uint64(1)
        yield Round(send={previous: (sent,)}, receive={following: (received,)})
        assert (received == following + number + 1).all()
    return rounds


def complete(mesh: Mesh, rounds: int, size: int) -> dict[str, Any]:
    mesh.driver.run(ring(mesh, rounds, size), stage="ring")
    cost = mesh.driver.cost()
    return {
        "rounds": cost.rounds,
        "bytes_sent": cost.bytes_sent,
        "session": mesh.session_id.hex(),
        "keys": {
            mesh.names[peer]: mesh.pairwise_key(peer, "test").hex()
            for peer in range(3)
            if peer != mesh.index
        },
    }


def killed(mesh: Mesh, who: str, at: int) -> Any:
    """One party is killed in the middle of the work."""
    act = (lambda: os.kill(os.getpid(), signal.SIGKILL)) if mesh.name == who else None
    return mesh.driver.run(ring(mesh, 10**9, at=at if act else -1, act=act), stage="training")


def frozen(mesh: Mesh, who: str, at: int) -> Any:
    """One party is stopped like a machine that hangs."""
    act = (lambda: os.kill(os.getpid(), signal.SIGSTOP)) if mesh.name == who else None
    return mesh.driver.run(ring(mesh, 10**9, at=at if act else -1, act=act), stage="training")


def stuck(mesh: Mesh, who: str, at: int, deadline: float) -> Any:
    """One party is alive but does not go on."""
    act = signal.pause if mesh.name == who else None
    steps = ring(mesh, 10**9, at=at if act else -1, act=act)
    return mesh.driver.run(steps, stage="training", deadline=deadline)


def fails(mesh: Mesh, who: str, at: int) -> Any:
    """One party has an error of its own, about its own data."""

    def act() -> None:
        raise DataError("row 17 of /home/secret.csv holds 4711", case=3, stage="load")

    chosen = mesh.name == who
    steps = ring(mesh, 10**9, at=at if chosen else -1, act=act)
    return mesh.driver.run(steps, stage="training")


def waiting(mesh: Mesh, who: str) -> Any:
    """All wait for one party that says so and does nothing."""
    act = (lambda: (say(pausing=True), signal.pause())) if mesh.name == who else None
    say(running=True)
    return mesh.driver.run(ring(mesh, 10**9, at=5 if act else -1, act=act), stage="training")


def coming(mesh: Mesh) -> None:
    """Parties that say whom they wait for while they connect (see `main`)."""


SCENARIOS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (complete, killed, frozen, stuck, fails, waiting, coming)
}


def saying() -> OnWait:
    """Says whom this party waits for, when that changes."""
    last: list[str] = []

    def told(awaited: tuple[Awaited, ...]) -> None:
        names = [each.name for each in awaited]
        if names != last:
            last[:] = names
            say(awaited=names)

    return told


def main() -> None:
    name, directory, scenario, arguments, settings = sys.argv[1:]
    try:
        listener = Listener(Address("127.0.0.1", 0))
        say(port=listener.address.port)
        ports = json.loads(sys.stdin.readline())
        mesh = connect(
            name,
            Agreement(NAMES, "replicated3", bytes(32)),
            Credentials.load(Path(directory)),
            {party: Address("127.0.0.1", port) for party, port in ports.items()},
            listener,
            settings=NetworkSettings(**json.loads(settings)),
            on_wait=saying() if scenario == coming.__name__ else None,
        )
        with mesh:
            say(result=SCENARIOS[scenario](mesh, **json.loads(arguments)))
    except TacitError as error:
        say(error=error.as_dict())
    except KeyboardInterrupt:
        say(interrupted=True)
        sys.exit(130)


if __name__ == "__main__":
    main()
