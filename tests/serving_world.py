"""A service in this process: parties on the hub, and clients that talk to their desks directly.

Clients are scripts: generators that are sent every party's answers and yield what each party gets.
They run when a party waits for news, so a run is a function of its seed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hub import Ground, Hub, Sent
from numpy.typing import NDArray

from tacit.errors import TacitError
from tacit.models import ClearModel, ModelForm
from tacit.protocols import PROTOCOLS
from tacit.serving.desk import Desk
from tacit.serving.engine import Engine
from tacit.serving.limits import Budget, Limits
from tacit.serving.masks import decoded_scores
from tacit.serving.messages import Ask, Give, PartyAnswer
from tacit.serving.reconstruction import agreed_mask, agreed_refusal, agreed_score
from tacit.serving.settings import ServiceSettings
from tacit.sessions import PartySession
from tacit.tables import Schema
from tacit.tables.column import Column

NAMES = {"fantastic4": ("alice", "bob", "carol", "dave")}
THREE = ("alice", "bob", "carol")

Told = Mapping[str, PartyAnswer | TacitError | None]
Script = Generator[Mapping[str, Sequence[Any]], Told, Any]


def form(features: int = 3, hidden: tuple[int, ...] = ()) -> ModelForm:
    """A small model's form."""
    columns = [Column(f"x{i}", "number", (-1.0, 1.0)) for i in range(features)]
    schema = Schema(label="y", columns=(*columns, Column("y", "boolean")))
    return ModelForm(kind="mlp" if hidden else "logistic", schema=schema, hidden=hidden)


def model(of: ModelForm, seed: int = 1) -> ClearModel:
    """With random parameters."""
    rng = np.random.default_rng(seed)
    return ClearModel(of, [rng.normal(size=shape) for shape in of.shapes])


@dataclass
class World:
    """One service and its clients.

    Attributes
    ----------
    results : dict of str to object
        What each client's script returned, or the error it raised.
    """

    protocol: str
    clear: ClearModel
    settings: ServiceSettings = field(default_factory=ServiceSettings)
    adversary: Callable[[Sent], Sequence[Any]] | None = None
    corrupt: str | None = None
    seed: int = 0
    clients: dict[str, Script] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)
    desks: dict[str, Desk] = field(default_factory=dict)
    budgets: dict[str, Budget] = field(default_factory=dict)
    sessions: dict[str, PartySession] = field(default_factory=dict)
    engines: dict[str, Engine] = field(default_factory=dict)
    lies: dict[str, Callable[[str, PartyAnswer], PartyAnswer]] = field(default_factory=dict)
    clock: float = 1_000.0
    clocks: dict[str, float] = field(default_factory=dict)
    turns: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """The parties."""
        return NAMES.get(self.protocol, THREE)

    def run(self, **clients: Script) -> Hub:
        """Serve until all clients are through."""
        self.clients = dict(clients)
        self._sent: dict[str, Mapping[str, Sequence[Any]]] = {}
        self._ids: dict[str, bytes] = {}
        hub = Hub(self.names, self.adversary or (lambda m: (m.payload,)), self.corrupt, self.seed)
        self.hub = hub
        hub.run(dict.fromkeys(self.names, self._party))
        return hub

    def _party(self, ground: Ground) -> list[Any]:
        protocol, of = PROTOCOLS[self.protocol], self.clear.form
        if self.protocol == "fantastic4":
            session = PartySession.guarded(protocol, ground, job=b"service", threads=1)
        else:
            mesh = ground.connect(self.names, self.protocol, b"service", {})
            session = PartySession.over(protocol, mesh, threads=1)
        with session:
            references = []
            owner = self.names[0]
            for parameter in self.clear.parameters:
                own = parameter if ground.name == owner else None
                references.append(session.share(own, owner, dtype=of.dtype, shape=parameter.shape))
            budget = self.budgets.setdefault(ground.name, Budget(None))
            limits = Limits(self.settings, of.digest(), budget, self.names)
            clock = lambda: self.clocks.get(ground.name, self.clock)  # noqa: E731
            desk = Desk(self.settings, of.widths[0], limits, clock)
            self.desks[ground.name], self.sessions[ground.name] = desk, session
            engine = Engine(session, of, references, self.settings, desk, limits)
            self.engines[ground.name] = engine
            engine.run(self._pause)
            return session.incidents

    def _pause(self, seconds: float) -> None:
        """Clients go on, and the time does."""
        self.turns += 1
        self.clock += 0.01
        if self.turns > 3_000:
            raise AssertionError("clients are not through after 3000 turns")
        if not all(name in self.desks or name in self.hub.dead for name in self.names):
            return
        for client, script in list(self.clients.items()):
            self._step(client, script)
        if not self.clients:
            for desk in self.desks.values():
                desk.close()

    def _step(self, client: str, script: Script) -> None:
        told: dict[str, PartyAnswer | TacitError | None] = {}
        try:
            if client not in self._sent:
                self._sent[client] = next(script)
            for party, messages in self._sent[client].items():
                if party in self.hub.dead:
                    continue
                desk = self.desks[party]
                for message in messages:
                    try:
                        if isinstance(message, Ask):
                            desk.ask(client, message)
                        elif isinstance(message, Give):
                            desk.give(client, message)
                        answer = desk.answer(client, message.id)
                    except TacitError as error:
                        told[party] = error
                        continue
                    if answer is not None and party in self.lies:
                        answer = self.lies[party](client, answer)
                    told[party] = answer
            self._sent[client] = script.send(told)
        except StopIteration as stop:
            self.results[client] = stop.value
            del self.clients[client]
        except TacitError as error:
            self.results[client] = error
            del self.clients[client]


def answers_in(told: Told) -> dict[str, PartyAnswer]:
    """Those that are answers."""
    return {party: a for party, a in told.items() if isinstance(a, PartyAnswer)}


def masked(world: World, rows: int, id: bytes | None = None) -> Script:
    """Ask until there is a mask: its number and the mask."""
    ask = Ask(id or secrets.token_bytes(16), rows)
    columns = world.clear.form.widths[0] + 1
    while True:
        told = yield {party: [ask] for party in world.names}
        found = agreed_mask(answers_in(told), rows, columns)
        if found is not None:
            return ask.id, found
        refused(told)


def refused(told: Told, enough: int = 2) -> None:
    """Raise what enough parties refuse."""
    errors = [e for e in told.values() if isinstance(e, TacitError)]
    if len(errors) >= enough:
        raise errors[0]
    error = agreed_refusal(answers_in(told))
    if error is not None:
        raise error


def scored(world: World, messages: Mapping[str, Give], rows: int) -> Script:
    """Give until there is a score: masked words and marks."""
    while True:
        told = yield {party: [give] for party, give in messages.items()}
        found = agreed_score(answers_in(told), rows)
        if found is not None:
            return found
        refused(told)


def query(world: World, rows: NDArray[np.float64], pause: int = 0) -> Script:
    """What an honest client does: the probabilities of its rows."""
    for _ in range(pause):
        yield {}
    of = world.clear.form
    id, mask = yield from masked(world, len(rows))
    correction = (of.encoded(rows) - mask[:, :-1]).astype("<u8").tobytes()
    give = Give(id, correction)
    words, good = yield from scored(world, dict.fromkeys(world.names, give), len(rows))
    values = (words - mask[:, -1]).view(np.int64)
    assert good.all()
    return decoded_scores(values, of.fraction_bits, world.settings.digits)


def rows_of(world: World, count: int, seed: int = 7) -> NDArray[np.float64]:
    """Random rows within [-1, 1]."""
    return np.random.default_rng(seed).uniform(-1, 1, (count, world.clear.form.widths[0]))
