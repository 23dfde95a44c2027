"""A few of ``attacks/test_guarded_faults.py`` over TLS, in real time, with one corrupt party."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from grounds import SETTINGS, Town
from linked import JOB, synchronously

import tacit
from tacit.errors import CertificateError, MessageError, TransportError
from tacit.network import Authority, Ground, LinkDriver, Mesh
from tacit.protocols import PROTOCOLS
from tacit.rounds.contract import Arrays, Round, Step
from tacit.sessions import PartySession, footing

X = np.array([5, -7, 90_000])
RIGHT = [(X * X).tolist(), [True, False, True]]


def job(ground: Ground, patience: float) -> Any:
    """An input, a product, a comparison; twice, so that there is something after a fault."""
    session = PartySession.guarded(
        PROTOCOLS["fantastic4"], ground, job=JOB, patience=patience, threads=1
    )
    with session:
        mpc = tacit.Computation(session)
        x = mpc.share(X if ground.name == "bob" else None, "bob", dtype=tacit.int64, shape=X.shape)
        found = []
        for _ in range(2):
            found.append((x * x).reveal(to="all").tolist())
            found.append((x > 0).reveal(to="all").tolist())
        return found, [(i.kind, i.party, i.pair) for i in session.incidents]


Rewrite = Callable[[Round], Round]


def misbehaving(
    rewrite: Rewrite, first: int, stages: int, patience: float
) -> Callable[[Ground], Any]:
    """The job with this party's rounds rewritten from a certain one on, in its first meshes."""

    def corrupt(ground: Ground) -> Any:
        connect, meshes = ground.connect, []

        def connected(*arguments: Any, **more: Any) -> Mesh:
            mesh = connect(*arguments, **more)
            meshes.append(mesh)
            if len(meshes) <= stages:
                rewriting(mesh.driver, rewrite, first if len(meshes) == 1 else 10)
            return mesh

        ground.connect = connected  # type: ignore[method-assign]
        return job(ground, patience)

    return corrupt


def rewriting(driver: LinkDriver, rewrite: Rewrite, first: int) -> None:
    run = driver.run

    def rewritten(step: Step[Any]) -> Step[Any]:
        current = next(step)
        try:
            while True:
                yield rewrite(current) if driver.round_number >= first else current
                current = step.send(None)
        except StopIteration as stop:
            return stop.value

    driver.run = lambda step, **more: run(rewritten(step), **more)  # type: ignore[method-assign]


def changed(arrays: Arrays) -> Arrays:
    first = arrays[0].copy()
    first.reshape(-1).view(np.uint8)[:1] ^= 1
    return (first, *arrays[1:])


def altered(current: Round) -> Round:
    return replace(current, send={p: changed(a) for p, a in current.send.items()})


def wrong_digest(current: Round) -> Round:
    return replace(current, check={p: changed(a) for p, a in current.check.items()})


def silent(current: Round) -> Round:
    return replace(current, send={}, check={})


def silent_to_alice(current: Round) -> Round:
    return replace(
        current,
        send={p: a for p, a in current.send.items() if p != 0},
        check={p: a for p, a in current.check.items() if p != 0},
    )


def short(current: Round) -> Round:
    cut = {p: (a[0].reshape(-1)[:-1].copy(), *a[1:]) for p, a in current.send.items()}
    return replace(current, send=cut)


def accusing(current: Round) -> Round:
    raise MessageError("Made up.", parties=["alice"])


@pytest.mark.parametrize("stages", [1, 2])
@pytest.mark.parametrize(
    "rewrite", [altered, wrong_digest, silent, silent_to_alice, short, accusing]
)
def test_the_others_get_the_right_results(
    rewrite: Rewrite, stages: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bob misbehaves from some round on, among four, or among those that follow as well."""

    def attempt(patience: float) -> None:
        # Who is silent twice lets the others wait for so long: all start at once here.
        monkeypatch.setattr(footing, "STAGE_START", 3 * patience)
        corrupt = misbehaving(rewrite, 20, stages, patience)
        check(Town().run(lambda g: corrupt(g) if g.name == "bob" else job(g, patience)))

    synchronously(2.0, attempt)


def check(outcomes: Mapping[str, Any]) -> None:
    """All but bob have the right results, and blame nobody else."""
    told = None
    for name in ("alice", "carol", "dave"):
        outcome = outcomes[name]
        if isinstance(outcome, BaseException):
            raise AssertionError(f"{name} ended with {outcome!r}") from outcome
        found, incidents = outcome
        assert found == [*RIGHT, *RIGHT], name
        assert incidents, name
        for _, party, pair in incidents:
            assert party in (None, "bob"), incidents
            assert pair is None or "bob" in pair
        told = told or incidents
        assert incidents[0] == told[0]


def test_a_certificate_of_another_authority_is_refused_before_anything() -> None:
    """Its holder is told so; for the others it never came."""

    def attempt(seconds: float) -> None:
        town = Town(settings=replace(SETTINGS, start_deadline=seconds))
        town.credentials["carol"] = Authority().issue("carol")
        outcomes = town.run(lambda ground: job(ground, 30.0))
        for name, outcome in outcomes.items():
            assert isinstance(outcome, TransportError), (name, outcome)
            if name == "carol":
                assert isinstance(outcome, CertificateError), outcome
            else:
                # Who refused a certificate cannot be named: nobody knows who it was.
                told = "a party that connected refused" in outcome.message
                said = (*outcome.parties, *str(outcome).split())
                assert told or "carol" in said, (name, outcome)

    synchronously(2.0, attempt)
