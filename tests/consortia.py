"""Consortia for tests: an authority with its key file, and kits made as sites make them."""

from __future__ import annotations

import itertools
import os
import random
import socket
from collections.abc import Sequence
from pathlib import Path

from tacit.consortium import Kit
from tacit.consortium.authority import AuthorityFolder
from tacit.consortium.installing import install
from tacit.consortium.requests import make_request, read_request
from tacit.consortium.sealing import Secret
from tacit.storage import OwnerKey, create_key

FIRST, COUNT = 20_000, 12_000
_numbers = itertools.count(random.Random(os.getpid()).randrange(COUNT))

THREE = ("bank_a", "bank_b", "bank_c")


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens on now.

    Below those that the system gives to connections, since they stay free until somebody listens;
    each test process begins elsewhere.
    """
    found: list[int] = []
    while len(found) < count:
        port = FIRST + next(_numbers) % COUNT
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
    return found


def free_block(count: int) -> int:
    """The first of so many free ports in a row."""
    while True:
        ports = free_ports(count)
        if ports == list(range(ports[0], ports[0] + count)):
            return ports[0]


class Ring:
    """A consortium in a folder, with kits in ``folder/kits/NAME``.

    Attributes
    ----------
    folder : Path
        The authority's.
    authority : AuthorityFolder
    secret : Secret
    """

    def __init__(
        self,
        base: Path,
        names: Sequence[str] = THREE,
        protocol: str = "replicated3",
        helpers: Sequence[str] = (),
    ) -> None:
        self.base = base
        self.folder = base / "ring"
        key = base / "authority.key"
        self.secret = Secret(key=OwnerKey.from_file(key if key.exists() else create_key(key)))
        ports = free_ports(len(names))
        self.authority = AuthorityFolder.create(
            self.folder,
            "ring",
            {name: f"127.0.0.1:{port}" for name, port in zip(names, ports, strict=True)},
            self.secret,
            protocol=protocol,
            helpers=helpers,
        )
        answers = {name: self.approved(name) for name in names}
        for name, answer in answers.items():
            install(self.place(name), [self.file, answer])

    @property
    def file(self) -> Path:
        """The consortium's file."""
        return self.folder / "consortium.json"

    def place(self, name: str) -> Path:
        """The folder of a kit."""
        return self.base / "kits" / name

    def approved(self, name: str, role: str = "party", *, new_keys: bool = False) -> Path:
        """A request of the site, approved: the answer."""
        path, _ = make_request(
            self.place(name),
            name,
            "client" if role == "client" else "party",
            new_keys=new_keys,
        )
        return self.authority.approve(read_request(path.read_bytes(), path)).answer

    def kit(self, name: str) -> Kit:
        """A kit, loaded."""
        return Kit.load(self.place(name))
