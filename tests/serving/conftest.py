"""A service over TLS whose parties are threads of this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from consortia import free_ports
from serving_world import form, model

from tacit.consortium import Kit
from tacit.consortium.authority import AuthorityFolder
from tacit.consortium.sealing import Secret
from tacit.models import ClearModel
from tacit.network import NetworkSettings
from tacit.serving import job
from tacit.serving.desk import Desk
from tacit.serving.job import ServedModel, ServiceJob
from tacit.serving.settings import ServiceSettings
from tacit.sessions import run_alone

NAMES = ("alice", "bob", "carol")


@dataclass
class Running:
    """The service of the tests."""

    authority: AuthorityFolder
    kits: dict[str, Path]
    clear: ClearModel
    operations: dict[str, int]
    desks: list[Desk] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)

    def client(self, name: str) -> Path:
        """The kit of a new client."""
        (kit,) = self.authority.issue([name], "client")
        return kit


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Three parties with a small perceptron, a budget of 40 rows, rounded to 3 places."""
    folder = tmp_path_factory.mktemp("service")
    ports = free_ports(9)
    authority = AuthorityFolder.create(
        folder / "authority",
        "ring",
        {name: f"127.0.0.1:{ports[i]}" for i, name in enumerate(NAMES)},
        Secret(passphrase="correct horse battery staple"),
        protocol="replicated3",
        services={name: f"127.0.0.1:{ports[3 + i]}" for i, name in enumerate(NAMES)},
    )
    kits = dict(zip(NAMES, authority.issue(NAMES), strict=True))
    clear = model(form(hidden=(3,)))
    clear.save(folder / "model.json")
    running = Running(authority, kits, clear, {n: ports[6 + i] for i, n in enumerate(NAMES)})

    class Caught(Desk):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            running.desks.append(self)

    patch = pytest.MonkeyPatch()
    patch.setattr(job, "Desk", Caught)
    started = {name: threading.Event() for name in NAMES}

    def party(name: str) -> None:
        kit = Kit.load(kits[name])
        at = kit.services[name]
        settings = ServiceJob(
            model=ServedModel(owner="bob", file=str(folder / "model.json")),
            service=ServiceSettings(digits=3, budget=40, request_rows=4),
            kit=str(kits[name]),
            listen=(at.host, at.port),
            operations=("127.0.0.1", running.operations[name]),
            state=str(folder / name),
        )
        try:
            run_alone(
                kit,
                "tacit.serving.job",
                settings,
                threads=1,
                settings=NetworkSettings(start_deadline=120),
                on_progress=lambda who, progress: started[name].set(),
            )
        except BaseException as error:
            running.errors.append(error)
            started[name].set()

    threads = [threading.Thread(target=party, args=(name,)) for name in NAMES]
    for thread in threads:
        thread.start()
    for event in started.values():
        assert event.wait(120)
    assert not running.errors
    yield running
    for desk in running.desks:
        desk.close()
    for thread in threads:
        thread.join(120)
    patch.undo()
    assert not running.errors
    assert not any(thread.is_alive() for thread in threads)


def packed(value: Any) -> bytes:
    """MessagePack."""
    return msgspec.msgpack.encode(value)


@pytest.fixture
def rows(service: Running) -> np.ndarray:
    """Random rows."""
    return np.random.default_rng(3).uniform(-1, 1, (2, 3))
