"""Labels from teachers on shares and from stored models, in this process; students in the clear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hub import Adversary, Crash, Ground, Hub, Sent, honest
from simulation import FOUR

from tacit.errors import DataError, PolicyDeniedError, RangeError, SchemaError, UsageError
from tacit.ml.distillation import job
from tacit.ml.distillation.public_rows import PublicRows, drawn_rows
from tacit.ml.distillation.records import (
    DistillationResult,
    DistillationSettings,
    PateSettings,
)
from tacit.ml.distillation.shards import assigned
from tacit.ml.distillation.student import train_student
from tacit.ml.distillation.units import units_of
from tacit.ml.privacy.terms import PRIVACY, Spent, spent_text
from tacit.models import ClearModel, ModelForm, save, share_model
from tacit.protocols import PROTOCOLS
from tacit.sessions import PartySession
from tacit.sessions.context import PartyContext
from tacit.storage import Place, create_key
from tacit.tables.column import Column
from tacit.tables.schema import Schema

SCHEMA = Schema(
    label="bad",
    columns=(
        Column("age", "integer", bounds=(18, 98)),
        Column("debt", "number", bounds=(-1, 1)),
        Column("kind", "category", categories=("a", "b")),
        Column("bad", "boolean"),
    ),
)
PATE = PateSettings(teachers=40, most_rows=10, epochs=6, batch_size=8, sigma=6.0)
PARTIES = FOUR[:3]
OWNERS = ("alice", "bob")


def replace_struct(value: PateSettings, **changes: Any) -> PateSettings:
    return msgspec.structs.replace(value, **changes)


def unheard(message: Any) -> None:
    """Nobody looks at this party."""


def truth(age: Any, debt: Any) -> Any:
    return (age - 58) / 40 + debt > 0


def own_file(path: Path, name: str, rows: int = 400) -> str:
    rng = np.random.default_rng(sum(map(ord, name)))
    lines = ["age,debt,kind,bad,customer"]
    for row in range(rows):
        age, debt = int(rng.integers(18, 99)), float(rng.uniform(-1, 1))
        lines.append(f"{age},{debt:.3f},{'ab'[row % 2]},{int(truth(age, debt))},c{row // 4}")
    path.write_text("\n".join(lines) + "\n")
    return str(path)


@dataclass
class Case:
    """What the parties are told."""

    folder: Path
    protocol: str = "replicated3"
    common: dict[str, Any] = field(default_factory=dict)
    own: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def parties(self) -> tuple[str, ...]:
        return FOUR if self.protocol == "fantastic4" else PARTIES

    def settings(self, name: str) -> DistillationSettings:
        options: dict[str, Any] = {
            "owners": OWNERS,
            "pate": PATE,
            "schema": str(SCHEMA.save(self.folder / "schema.json")),
            "synthetic": 30,
            "reveal_to": ("alice", "carol"),
            **self.common,
        }
        if name in options["owners"]:
            options["file"] = own_file(self.folder / f"{name}.csv", name)
        return DistillationSettings(**{**options, **self.own.get(name, {})})

    def program(self, name: str) -> Any:
        def run(ground: Ground) -> DistillationResult:
            configuration = msgspec.msgpack.encode(self.settings(name))
            protocol = PROTOCOLS[self.protocol]
            if self.protocol == "fantastic4":
                with PartySession.guarded(
                    protocol,
                    ground,  # type: ignore[arg-type]
                    job=b"job",
                    threads=1,
                ) as session:
                    return job.run_party(PartyContext(name, configuration, session, unheard))
            with (
                ground.connect(self.parties, self.protocol, b"job", {}) as mesh,
                PartySession.over(protocol, mesh, threads=1) as session,  # type: ignore[arg-type]
            ):
                return job.run_party(PartyContext(name, configuration, session, unheard))

        return run

    def run(self, adversary: Adversary = honest) -> dict[str, Any]:
        """Each party's result, or its error; nothing of one that crashed."""
        hub = Hub(self.parties, adversary)
        hub.run({name: self.program(name) for name in self.parties})
        errors = {n: e for n, e in hub.outcome.errors.items() if not isinstance(e, Crash)}
        return {**hub.outcome.results, **errors}


def accuracy(result: DistillationResult) -> float:
    rows = drawn_rows(SCHEMA, 30, 0)
    labels = np.array(result.releases[-1].targets)
    return float(np.mean(labels == (rows[:, 0] + rows[:, 1] > 0)))


@pytest.mark.parametrize("protocol", ["replicated3", "replicated3_active", "fantastic4"])
def test_recipients_learn_noisy_majorities_and_nobody_else(tmp_path: Path, protocol: str) -> None:
    pate = replace_struct(PATE, every=3)
    found = Case(tmp_path, protocol, {"pate": pate}).run()
    assert found["alice"].releases == found["carol"].releases
    assert [release.epochs for release in found["alice"].releases] == [3, 6]
    assert found["bob"].releases == []
    assert accuracy(found["alice"]) > 0.65
    spent = found["bob"].spent
    assert spent == found["alice"].spent
    # Two releases of 30 labels: 60 · 2 / (2 · 6²) = 1.67 by zCDP, and 1.67 + 2 sqrt(1.67 ln 10^6).
    assert 7 < spent.epsilon < 11.5
    assert found["alice"].rows == {"alice": 400, "bob": 400}


def test_a_party_lost_after_the_inputs_changes_nothing(tmp_path: Path) -> None:
    counted = Case(tmp_path, "fantastic4")
    seen: list[Sent] = []

    def watch(sent: Sent) -> Sequence[bytes]:
        seen.append(sent)
        return (sent.payload,)

    counted.run(watch)
    last = max(sent.number for sent in seen if sent.sender == "bob")

    def crash(sent: Sent) -> Sequence[bytes]:
        if sent.sender == "bob" and sent.number > 0.9 * last:
            raise Crash
        return (sent.payload,)

    found = Case(tmp_path, "fantastic4").run(crash)
    assert "bob" not in found
    assert accuracy(found["alice"]) > 0.65


def test_labels_of_a_model_without_a_guarantee_are_refused(tmp_path: Path) -> None:
    form = ModelForm(kind="logistic", schema=SCHEMA)
    protected = msgspec.structs.replace(
        form, notes={PRIVACY: spent_text(Spent(epsilon=2.0, delta=1e-6, approximation=0.0))}
    )
    clear = [np.array([[4.0], [4.0], [0.0], [0.0]]), np.zeros(1)]
    for name in PARTIES:
        create_key(tmp_path / f"{name}.key")
    places = {n: Place(str(tmp_path / n), str(tmp_path / f"{n}.key")) for n in PARTIES}

    def keep(ground: Ground) -> None:
        with (
            ground.connect(PARTIES, "replicated3", b"job", {}) as mesh,
            PartySession.over(PROTOCOLS["replicated3"], mesh, threads=1) as session,  # type: ignore[arg-type]
        ):
            session.attach(places[ground.name])
            for model, name in ((form, "open"), (protected, "private")):
                own = ClearModel(model, clear) if ground.name == "carol" else None
                save(session, model, share_model(session, "carol", model, own), name)

    hub = Hub(PARTIES)
    hub.run(dict.fromkeys(PARTIES, keep))
    assert not hub.outcome.errors
    own = {name: {"storage": places[name]} for name in PARTIES}
    common = {"pate": None, "schema": None, "owners": (), "stored": "open"}
    refused = Case(tmp_path, common=common, own=own).run()
    assert all(isinstance(error, PolicyDeniedError) for error in refused.values())
    asked = Case(tmp_path, common={**common, "unprotected": True}, own=own).run()
    assert asked["alice"].spent is None
    allowed = Case(tmp_path, common={**common, "stored": "private"}, own=own).run()
    assert allowed["alice"].spent.epsilon == 2.0
    rows = drawn_rows(SCHEMA, 30, 0)
    expected = ClearModel(form, clear).probability(rows)
    np.testing.assert_allclose(allowed["alice"].releases[0].targets, expected, atol=1e-3)
    assert allowed["bob"].releases == []


def test_other_public_rows_are_noticed(tmp_path: Path) -> None:
    header = "age,debt,kind"
    (tmp_path / "one.csv").write_text(f"{header}\n40,0.5,a\n60,0.1,b\n")
    (tmp_path / "other.csv").write_text(f"{header}\n40,0.5,a\n60,0.2,b\n")
    own = {name: {"public_rows": str(tmp_path / "one.csv")} for name in PARTIES}
    own["bob"] = {"public_rows": str(tmp_path / "other.csv")}
    found = Case(tmp_path, own=own).run()
    assert all(isinstance(error, SchemaError) for error in found.values())
    assert found["alice"].code == "TC-2210"


def test_an_owner_with_fewer_rows_than_teachers(tmp_path: Path) -> None:
    found = Case(tmp_path, common={"pate": replace_struct(PATE, teachers=401)}).run()
    assert all(isinstance(error, SchemaError) for error in found.values())


# Shards, units, public rows, students.


def test_an_owner_whose_labels_are_all_the_same_is_not_told_apart(tmp_path: Path) -> None:
    """With one row of the other label it would go on: that it ended would tell of that row."""
    file = tmp_path / "same.csv"
    lines = Path(own_file(file, "bob")).read_text().splitlines()
    fields = [line.split(",") for line in lines[1:]]
    file.write_text("\n".join([lines[0], *(",".join([*f[:3], "0", f[4]]) for f in fields)]) + "\n")
    pate = replace_struct(PATE, epochs=1)
    found = Case(tmp_path, common={"pate": pate}, own={"bob": {"file": str(file)}}).run()
    assert isinstance(found["bob"], DistillationResult)
    assert found["alice"].releases


def test_a_unit_is_in_one_shard(tmp_path: Path) -> None:
    path = own_file(tmp_path / "a.csv", "alice")
    units = units_of(path, "customer", owner="alice")
    assert len(set(units.tolist())) == 100
    labels = (np.arange(400) % 7 == 0).astype(np.uint8)
    rng = np.random.default_rng(3)
    for balance in (True, False):
        index = assigned(labels, units, 30, 13, balance=balance, owner="alice", rng=rng)
        assert index.shape == (30, 13)
        shards = [set(units[row].tolist()) for row in index]
        assert sum(map(len, shards)) == len(set.union(*shards))
        if balance:
            both = [0 < labels[row].sum() < 13 for row in index]
            assert all(
                labels[row].sum() == 6 for row, mixed in zip(index, both, strict=True) if mixed
            )
    with pytest.raises(DataError, match="fewer privacy units"):
        assigned(labels, units, 101, 3, balance=True, owner="alice", rng=rng)
    with pytest.raises(DataError):
        units_of(path, "nobody", owner="alice")


def test_one_unit_changes_one_teacher(tmp_path: Path) -> None:
    """With the same coins, other labels of one unit change the rows of one shard alone."""
    units = np.arange(90) // 3
    labels = (np.arange(90) % 2).astype(np.uint8)
    other = labels.copy()
    other[units == 4] ^= 1
    found = [
        assigned(own, units, 10, 9, balance=True, owner="a", rng=np.random.default_rng(5))
        for own in (labels, other)
    ]
    differing = [
        place
        for place in range(10)
        if not np.array_equal(found[0][place], found[1][place])
        or not np.array_equal(labels[found[0][place]], other[found[1][place]])
    ]
    assert len(differing) == 1


def test_public_rows(tmp_path: Path) -> None:
    rows = drawn_rows(SCHEMA, 500, 1)
    assert np.abs(rows).max() <= 1
    assert (rows[:, 2:].sum(axis=1) == 1).all()
    assert np.array_equal(rows, drawn_rows(SCHEMA, 500, 1))
    with pytest.raises(UsageError, match="0 public rows"):
        PublicRows(SCHEMA, None, 0, 1)
    (tmp_path / "none.csv").write_text("age,debt,kind\n")
    with pytest.raises((DataError, UsageError)):
        PublicRows(SCHEMA, tmp_path / "none.csv", 0, 1)


@pytest.mark.parametrize("hidden", [(), (6,)])
@pytest.mark.parametrize("soft", [False, True])
def test_a_student_learns_what_the_teacher_says(hidden: tuple[int, ...], soft: bool) -> None:
    rows = drawn_rows(SCHEMA, 400, 2)
    score = 5 * (rows[:, 0] + rows[:, 1])
    targets = 1 / (1 + np.exp(-score)) if soft else (score > 0).astype(float)
    student = train_student(SCHEMA, rows, targets.tolist(), hidden=hidden)
    assert student.agreement > 0.9
    assert (student.rows, student.held_out) == (320, 80)
    again = train_student(SCHEMA, rows, targets.tolist(), hidden=hidden)
    np.testing.assert_array_equal(student.model.parameters[0], again.model.parameters[0])


def test_labels_that_are_all_the_same_teach_nothing() -> None:
    rows = drawn_rows(SCHEMA, 50, 2)
    with pytest.raises(RangeError, match="same label"):
        train_student(SCHEMA, rows, [0.0] * 50)
