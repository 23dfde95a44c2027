"""Grounds of parties in threads of this process, and conferences for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from linked import JOB, LOOPBACK, QUICK, Outcome, in_threads

from tacit.network import (
    Address,
    Authority,
    Conference,
    Ground,
    Listener,
    Mesh,
    NetworkSettings,
)

FOUR = ("alice", "bob", "carol", "dave")
SETTINGS = replace(QUICK, close_timeout=1.0)
"""A ground closes the links of a conference one after the other."""


class Town:
    """An authority, the parties' credentials and open ports."""

    def __init__(self, names: tuple[str, ...] = FOUR, settings: NetworkSettings = SETTINGS) -> None:
        self.names = names
        self.settings = settings
        self.authority = Authority()
        self.credentials = {name: self.authority.issue(name) for name in names}
        self.listeners = {name: Listener(Address(LOOPBACK, 0)) for name in names}
        self.addresses = {name: listener.address for name, listener in self.listeners.items()}

    def ground(self, name: str) -> Ground:
        return Ground(
            name,
            self.names,
            self.credentials[name],
            self.addresses,
            self.listeners[name],
            settings=self.settings,
        )

    def run(
        self,
        body: Callable[[Ground], Any],
        *,
        others: Mapping[str, Callable[[], Any]] | None = None,
    ) -> dict[str, Outcome]:
        """Let each party run `body` with its ground; `others` run something else instead."""

        def party(name: str) -> Callable[[], Any]:
            def run() -> Any:
                with self.ground(name) as ground:
                    return body(ground)

            return run

        functions: dict[str, Callable[[], Any]] = {name: party(name) for name in self.names}
        try:
            return in_threads({**functions, **(others or {})})
        finally:
            for listener in self.listeners.values():
                listener.close()


def connected(ground: Ground, members: tuple[str, ...], stage: str = "0", **more: str) -> Mesh:
    """A mesh for a stage."""
    return ground.connect(members, "any", JOB, {"stage": stage, **more})


def talk(own: str, members: tuple[str, ...], rounds: int = 2, size: int = 10) -> Conference[Any]:
    """Everybody sends everybody else a letter a round; what was heard in each round."""
    heard = []
    for number in range(rounds):
        letters = {
            peer: f"{own} to {peer} in {number}".encode().ljust(size, b".")
            for peer in members
            if peer != own
        }
        came = yield letters
        for peer, letter in came.items():
            wanted = f"{peer} to {own} in {number}".encode().ljust(size, b".")
            assert letter == wanted, (letter[:80], wanted[:80])
        heard.append(sorted(came))
    return heard


def all_but(name: str, members: tuple[str, ...] = FOUR) -> list[str]:
    return sorted(set(members) - {name})
