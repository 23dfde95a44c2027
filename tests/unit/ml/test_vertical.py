"""Owners with different columns of the same rows: the same model as with all columns at one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from hub import Adversary, Crash, Ground, Hub, Sent, honest
from simulation import FOUR
from sklearn import metrics

from tacit.errors import TacitError
from tacit.ml import job
from tacit.ml.plaintext import pooled_moments, train_plaintext
from tacit.ml.plan import TrainingPlan
from tacit.ml.records import OwnerResult, TrainingSettings
from tacit.ml.vertical import key_digest
from tacit.models import ClearModel
from tacit.protocols import PROTOCOLS
from tacit.sessions import PartySession
from tacit.sessions.context import PartyContext
from tacit.storage import places
from tacit.tables import moments, split, standardised
from tacit.tables.column import Column
from tacit.tables.drafts import Draft
from tacit.tables.parts import join, part_of
from tacit.tables.schema import Schema

ROWS = 240
SCHEMA = Schema(
    label="y",
    columns=(
        Column("claims", "number", bounds=(-8, 8)),
        Column("calls", "integer", bounds=(0, 64)),
        Column("income", "number", bounds=(-4, 4)),
        Column("y", "boolean"),
        Column("plan", "category", categories=("a", "b")),
    ),
)

Table = dict[str, list[Any]]


def tables() -> dict[str, Table]:
    rng = np.random.default_rng(21)
    income, claims = rng.normal(size=ROWS).clip(-4, 4), rng.normal(size=ROWS).clip(-8, 8)
    calls, plan = rng.integers(0, 65, ROWS), rng.choice(["a", "b"], ROWS)
    z = 1.5 * income + 0.08 * (calls - 30) + (plan == "a") - claims
    keys = [f"k{place}" for place in rng.permutation(ROWS)]
    return {
        "alice": {"key": keys, "income": income.tolist(), "y": (z + rng.logistic(size=ROWS) > 0)},
        "bob": {"plan": plan.tolist(), "calls": calls.tolist(), "key": [f" {k}" for k in keys]},
        "carol": {"key": keys, "claims": claims.tolist()},
    }


def unheard(message: Any) -> None:
    """Nobody looks at this party."""


@dataclass
class Case:
    """A training in this process; alice has the labels."""

    folder: Path
    protocol: str = "replicated3"
    options: dict[str, Any] = field(default_factory=dict)
    files: dict[str, Table] = field(default_factory=tables)
    schema: Schema | None = SCHEMA

    @property
    def parties(self) -> tuple[str, ...]:
        return FOUR if self.protocol == "fantastic4" else FOUR[:3]

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.csv"

    def settings(self, name: str) -> TrainingSettings:
        guaranteed = self.protocol == "fantastic4"
        schema = None
        if self.schema is not None:
            schema = str(self.schema.save(self.folder / "schema.json"))
        options: dict[str, Any] = {
            "vertical": True,
            "epochs": 2,
            "batch_size": 64,
            "test_size": 0.25,
            "seed": 3,
            "reveal_to": ("alice", "bob"),
            "metrics": "auc,brier,recall@10%,calibration",
            **self.options,
        }
        if name in self.files:
            table = {k: [str(v) for v in values] for k, values in self.files[name].items()}
            lines = [",".join(row) for row in zip(*table.values(), strict=True)]
            self.path(name).write_text("\n".join([",".join(table), *lines]) + "\n")
            options["file"] = str(self.path(name))
        return TrainingSettings(
            **{"file": None, **options},
            label="y",
            owners=len(self.files),
            schema=schema,
            storage=places(self.folder / "shares", self.parties)[name] if guaranteed else None,
        )

    def program(self, name: str) -> Callable[[Ground], OwnerResult]:
        settings = msgspec.msgpack.encode(self.settings(name))
        protocol = PROTOCOLS[self.protocol]

        def run(ground: Ground) -> OwnerResult:
            if self.protocol == "fantastic4":
                session = PartySession.guarded(
                    protocol,
                    ground,  # type: ignore[arg-type]
                    job=b"job",
                    threads=1,
                )
                with session:
                    return job.run_party(PartyContext(name, settings, session, unheard))
            with ground.connect(self.parties, self.protocol, b"job", {}) as mesh:
                session = PartySession.over(protocol, mesh, threads=1)  # type: ignore[arg-type]
                with session:
                    return job.run_party(PartyContext(name, settings, session, unheard))

        return run

    def run(self, adversary: Adversary = honest) -> Hub:
        hub = Hub(self.parties, adversary)
        hub.run({name: self.program(name) for name in self.parties})
        return hub

    def results(self, adversary: Adversary = honest) -> dict[str, OwnerResult]:
        outcome = self.run(adversary).outcome
        assert not {n: e for n, e in outcome.errors.items() if not isinstance(e, Crash)}
        return outcome.results

    def codes(self) -> dict[str, str]:
        errors = self.run().outcome.errors
        assert all(isinstance(error, TacitError) for error in errors.values())
        return {name: error.code for name, error in errors.items()}  # type: ignore[attr-defined]


class Pooled:
    """All columns of all rows, in the order of the schema."""

    def __init__(self, index: Any = slice(None)) -> None:
        t = tables()
        plan = np.array(t["bob"]["plan"])
        self.features = np.stack(
            [
                np.array(t["carol"]["claims"]) / 8,
                np.array(t["bob"]["calls"]) / 32 - 1,
                np.array(t["alice"]["income"]) / 4,
                plan == "a",
                plan == "b",
            ],
            axis=1,
        )[index]
        self.labels = np.array(t["alice"]["y"]).astype(np.uint8)[index]

    def take(self, numbers: Any) -> tuple[Any, Any]:
        return self.features[numbers], self.labels[numbers]

    def chunks(self, indices: Any = None, rows: int = 0) -> Any:
        yield self.features if indices is None else self.features[indices], self.labels


def in_the_clear(plan: TrainingPlan, schema: Schema) -> ClearModel:
    """The same training with all columns in one place."""
    train, _ = split(ROWS, 0.25, 3)
    rows = Pooled(train)
    mask = standardised(schema)
    local = moments(Pooled(), train)  # type: ignore[arg-type]
    mean, inverse = pooled_moments([local], mask)
    one = replace(plan, parts=(), order=(), label_owner=0)
    parameters = train_plaintext(one, [rows], mean, inverse)
    form = job.ModelForm(
        kind=plan.kind, schema=schema, hidden=plan.hidden, activation=plan.activation
    )
    return ClearModel(form, parameters)


@pytest.mark.parametrize(
    ("protocol", "options"),
    [
        ("replicated3", {}),
        ("replicated3", {"kind": "mlp", "hidden": (5,), "learning_rate": 0.2}),
        ("fantastic4", {"kind": "mlp", "hidden": (4,), "learning_rate": 0.2, "key": "key"}),
    ],
)
def test_the_model_of_all_columns(tmp_path: Path, protocol: str, options: dict[str, Any]) -> None:
    results = Case(tmp_path, protocol, options).results()
    learned = results["alice"]
    assert learned.columns == {
        "alice": ("income", "y"),
        "bob": ("calls", "plan"),
        "carol": ("claims",),
    }
    assert results["carol"].model is None
    assert results["carol"].findings is None
    model, expected = learned.clear_model, in_the_clear(learned.plan, learned.schema)
    assert model is not None
    for found, exact in zip(model.parameters, expected.parameters, strict=True):
        np.testing.assert_allclose(found, exact, atol=0.02)
    _, test = split(ROWS, 0.25, 3)
    held_out = Pooled(test)
    p = model.probability(held_out.features)
    assert learned.findings is not None
    assert learned.findings.rows == 60
    assert learned.findings.overall["auc"] == pytest.approx(
        metrics.roc_auc_score(held_out.labels, p), abs=2e-3
    )
    assert learned.findings.overall["brier"] == pytest.approx(
        metrics.brier_score_loss(held_out.labels, p), abs=1e-3
    )
    # Who has the labels also trains alone, on its own column.
    assert learned.alone_model is not None
    assert results["bob"].alone_model is None


def test_a_schema_from_drafts_and_an_owner_with_the_label_alone(tmp_path: Path) -> None:
    files = tables()
    files["carol"]["income"] = files["alice"].pop("income")
    case = Case(
        tmp_path, options={"exclude": ("key",), "share_categories": True}, files=files, schema=None
    )
    results = case.results()
    assert results["bob"].schema.features == ("plan=a", "plan=b", "calls", "claims", "income")
    assert results["alice"].alone_model is None
    assert results["bob"].findings is not None


def without(name: str, column: str) -> dict[str, Table]:
    files = tables()
    del files[name][column]
    return files


def with_column(name: str, column: str, values: list[Any]) -> dict[str, Table]:
    files = tables()
    files[name][column] = values
    return files


def with_rows(name: str, rows: int) -> dict[str, Table]:
    files = tables()
    files[name] = {column: values[:rows] for column, values in files[name].items()}
    return files


@pytest.mark.parametrize(
    ("files", "code"),
    [
        (without("alice", "y"), "TC-2205"),  # nobody has the label
        (with_column("bob", "y", [1, 0] * (ROWS // 2)), "TC-2205"),  # two have
        (with_column("bob", "claims", [0] * ROWS), "TC-2202"),  # a column in two files
        (without("carol", "claims"), "TC-2202"),  # a column in none
        (with_rows("bob", ROWS - 1), "TC-2212"),
        (with_column("bob", "key", ["k0"] * ROWS), "TC-2213"),
    ],
)
def test_files_that_do_not_fit_are_refused_by_all_alike(
    tmp_path: Path, files: dict[str, Table], code: str
) -> None:
    case = Case(tmp_path, options={"key": "key"}, files=files)
    assert case.codes() == dict.fromkeys(FOUR[:3], code)


def test_fewer_held_out_rows_than_a_group_must_have_are_not_measured(tmp_path: Path) -> None:
    case = Case(tmp_path, options={"minimum": 61})  # 60 rows are held out
    assert case.codes() == dict.fromkeys(FOUR[:3], "TC-1073")


def test_a_swapped_row_is_seen_by_its_key_alone(tmp_path: Path) -> None:
    files = tables()
    for values in files["bob"].values():
        values[7], values[8] = values[8], values[7]
    assert set(Case(tmp_path, options={"key": "key"}, files=files).codes().values()) == {"TC-2213"}
    # Without a key nobody sees it: the weakness that the option is for.
    assert Case(tmp_path, files=files).results()["alice"].findings is not None


def test_labels_are_their_owner_s_affair(tmp_path: Path) -> None:
    files = with_column("alice", "y", [2, *[0, 1] * (ROWS // 2 - 1), 0])
    errors = Case(tmp_path, files=files).run().outcome.errors
    assert errors["alice"].code == "TC-2108"  # type: ignore[attr-defined]
    assert "TC-2199" in str(errors["bob"])


def test_an_owner_that_is_lost_in_the_middle(tmp_path: Path) -> None:
    case = Case(tmp_path, "fantastic4", {"epochs": 1})
    sent = max(m.number for m in case.run().sent if m.sender == "carol")

    def crash(message: Sent) -> Any:
        if message.sender == "carol" and message.number >= 0.6 * sent:
            raise Crash
        return (message.payload,)

    again = Case(tmp_path / "again", "fantastic4", {"epochs": 1})
    again.folder.mkdir()
    results = again.results(crash)
    assert "carol" not in results
    model, findings = results["alice"].clear_model, results["alice"].findings
    assert model is not None
    assert findings is not None
    expected = in_the_clear(results["alice"].plan, results["alice"].schema)
    np.testing.assert_allclose(model.parameters[0], expected.parameters[0], atol=0.02)


def test_keys_are_compared_as_text_in_their_order(tmp_path: Path) -> None:
    csv, parquet = tmp_path / "a.csv", tmp_path / "b.parquet"
    csv.write_text("x,id\n" + "".join(f"0, {k} \n" for k in range(9000)))
    pa.parquet.write_table(pa.table({"id": list(range(9000))}), parquet)
    first = key_digest(str(csv), "id", b"run", owner="a")
    assert first == key_digest(str(parquet), "id", b"run", owner="b")
    assert first != key_digest(str(parquet), "id", b"another run", owner="b")
    pa.parquet.write_table(pa.table({"id": [*range(8998), 8999, 8998]}), parquet)
    assert first != key_digest(str(parquet), "id", b"run", owner="b")


def test_parts_of_a_schema() -> None:
    part = part_of(SCHEMA, {"calls", "plan"})
    assert part.label == ""
    assert part.features == ("calls", "plan=a", "plan=b")
    drafts = {
        "b": Draft("", part.columns),
        "a": Draft("y", part_of(SCHEMA, {"y", "income", "claims"}).columns),
    }
    joint = join(drafts, "y", SCHEMA)
    assert joint == SCHEMA  # what was agreed on, whoever has which column
    joint = join(drafts, "y")
    assert [column.name for column in joint.columns] == ["calls", "plan", "claims", "income", "y"]
