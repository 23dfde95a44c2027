"""One party of four as a process: ``ground_party.py NAME DIRECTORY ARGUMENTS SETTINGS``.

It passes messages around in a ring. After a fault it confers with the others and goes on in a
smaller ring with those that it heard, as often as needed, until a ring of a later stage is done.
What it prints is one line of JSON each.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from tacit.errors import PeerFaultError, TacitError, TransportError
from tacit.network import Address, Conference, Credentials, Ground, Listener, NetworkSettings
from tacit.rounds.contract import Round, Step

NAMES = ("alice", "bob", "carol", "dave")


class End(msgspec.Struct, frozen=True):
    """Everybody has finished the ring."""


def say(**message: Any) -> None:
    print(json.dumps(message), flush=True)


def die() -> None:
    say(dying=time.monotonic())
    os.kill(os.getpid(), signal.SIGKILL)


class Party:
    """Who it is, and where it is to die (`who`, `where`, `at`)."""

    def __init__(self, ground: Ground, arguments: dict[str, Any]) -> None:
        self.ground = ground
        self.arguments = arguments

    def dies(self, where: str, at: int) -> None:
        wanted = (self.ground.name, where, at)
        if wanted == tuple(self.arguments.get(key) for key in ("who", "where", "at")):
            die()

    def ring(self, index: int, count: int, stage: int) -> Step[None]:
        sent, received = np.full(64, index, np.uint64), np.zeros(64, np.uint64)
        number = 0
        while stage == 0 or number < self.arguments.get("rounds", 50):
            if stage == 0:
                self.dies("round", number)
            yield Round(
                send={(index - 1) % count: (sent,)}, receive={(index + 1) % count: (received,)}
            )
            assert (received == (index + 1) % count + number).all()
            sent += np.uint64(1)
            number += 1

    def talk(self, members: tuple[str, ...]) -> Conference[set[str]]:
        heard = set(members)
        for number in range(2):
            self.dies("conference", number)
            came = yield {peer: b"here" for peer in members if peer != self.ground.name}
            heard &= {*came, self.ground.name}
        return heard

    def live(self) -> None:
        members, stage = NAMES, 0
        while True:
            try:
                self.dies("connect", stage)
                mesh = self.ground.connect(members, "ring", bytes(32), {"stage": str(stage)})
                say(connected=stage, at=time.monotonic(), members=members)
                with mesh:
                    ring = self.ring(mesh.index, len(members), stage)
                    mesh.driver.run(ring, stage="ring", patience=60.0)
                    mesh.gather(End(), End, stage="end", patience=60.0)
                say(done=members)
                return
            except (TransportError, PeerFaultError) as error:
                say(fault=error.as_dict())
            heard = self.ground.confer(members, self.talk(members), self.arguments["seconds"])
            members = tuple(name for name in members if name in heard)
            stage += 1
            say(conferred=members, at=time.monotonic())
            if len(members) < 2:
                return


def main() -> None:
    name, directory, arguments, settings = sys.argv[1:]

    def interrupt(*_: object) -> None:
        raise TransportError("somebody stops the ring.", case=1)

    signal.signal(signal.SIGUSR1, interrupt)
    try:
        listener = Listener(Address("127.0.0.1", 0))
        say(port=listener.address.port)
        ports = json.loads(sys.stdin.readline())
        ground = Ground(
            name,
            NAMES,
            Credentials.load(Path(directory)),
            {party: Address("127.0.0.1", port) for party, port in ports.items()},
            listener,
            settings=NetworkSettings(**json.loads(settings)),
        )
        with ground:
            Party(ground, json.loads(arguments)).live()
    except TacitError as error:
        say(error=error.as_dict())


if __name__ == "__main__":
    main()
