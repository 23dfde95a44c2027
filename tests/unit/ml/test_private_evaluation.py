"""One's model against another's rows, in this process: what is found, who learns it, what fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hub import Adversary, Crash, Ground, Hub, Sent, honest
from simulation import FOUR
from sklearn import metrics

from tacit.errors import RecoveryError, SchemaError, TacitError, UsageError
from tacit.ml.measures import Findings
from tacit.ml.private_evaluation import job
from tacit.ml.private_evaluation.records import EvaluationResult, EvaluationSettings
from tacit.ml.private_evaluation.rows import (
    Grouping,
    group_names,
    parse_grouping,
    table_schema,
)
from tacit.models import ClearModel, ModelForm, save, share_model, sharing
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
        Column("debt", "number", bounds=(-1, 1), missing="zero"),
        Column("new", "boolean"),
        Column("bad", "boolean"),
    ),
)
FORM = ModelForm(kind="mlp", schema=SCHEMA, hidden=(4,))
ROWS = 120


def a_model() -> ClearModel:
    rng = np.random.default_rng(8)
    return ClearModel(FORM, [rng.normal(size=shape) for shape in FORM.shapes])


@cache
def table() -> list[list[str]]:
    """Rows of the bank, header first."""
    rng = np.random.default_rng(9)
    rows = [["region", "debt", "age", "gone", "new"]]
    for place in range(ROWS):
        age, debt, new = rng.integers(18, 99), rng.uniform(-1, 1), rng.integers(2)
        u = [(age - 58) / 40, debt, new]
        gone = int(a_model().decision_function([u])[0] + 4 * rng.logistic() > 2)
        region = "isles" if place < 4 else ("north" if place % 5 < 3 else "south")
        rows.append([region, repr(float(debt)), str(age), str(gone), str(new)])
    return rows


def written(path: Path, rows: list[list[str]] | None = None) -> str:
    path.write_text("\n".join(",".join(row) for row in rows or table()) + "\n")
    return str(path)


def expected(members: Any = slice(None)) -> dict[str, float]:
    rows = np.array(table()[1:])[members]
    features = np.stack(
        [(rows[:, 2].astype(float) - 58) / 40, rows[:, 1].astype(float), rows[:, 4].astype(float)],
        axis=1,
    )
    truth, scores = rows[:, 3].astype(int), a_model().decision_function(features)
    return {
        "auc": metrics.roc_auc_score(truth, scores),
        "brier": metrics.brier_score_loss(truth, 1 / (1 + np.exp(-scores))),
        "rows": float(len(rows)),
    }


def unheard(message: Any) -> None:
    """Nobody looks at this party."""


@dataclass
class Case:
    """What the parties are told; alice has the model, bob the rows."""

    folder: Path
    protocol: str = "replicated3"
    common: dict[str, Any] = field(default_factory=dict)
    own: dict[str, dict[str, Any]] = field(default_factory=dict)
    rows: list[list[str]] | None = None

    @property
    def parties(self) -> tuple[str, ...]:
        return FOUR if self.protocol == "fantastic4" else FOUR[:3]

    def settings(self, name: str) -> EvaluationSettings:
        options: dict[str, Any] = {
            "owners": ("bob",),
            "model_owner": "alice",
            "label": "gone",
            "metrics": "auc,brier,rows,recall@10%,calibration",
            "minimum": 10,
            "digits": 6,
            "reveal_to": ("alice", "bob"),
            **self.common,
        }
        if name == "alice" and options["model_owner"]:
            options["model"] = str(a_model().save(self.folder / "model.json"))
        if name == "bob":
            options["file"] = written(self.folder / "rows.csv", self.rows)
        return EvaluationSettings(**{**options, **self.own.get(name, {})})

    def program(self, name: str) -> Any:
        def run(ground: Ground) -> EvaluationResult:
            configuration = msgspec.msgpack.encode(self.settings(name))
            protocol = PROTOCOLS[self.protocol]
            if self.protocol == "fantastic4":
                session = PartySession.guarded(
                    protocol,
                    ground,  # type: ignore[arg-type]
                    job=b"job",
                    threads=1,
                )
                with session:
                    context = PartyContext(name, configuration, session, unheard)
                    return job.run_party(context)
            with ground.connect(self.parties, self.protocol, b"job", {}) as mesh:
                session = PartySession.over(protocol, mesh, threads=1)  # type: ignore[arg-type]
                with session:
                    context = PartyContext(name, configuration, session, unheard)
                    return job.run_party(context)

        return run

    def run(self, adversary: Adversary = honest) -> Hub:
        hub = Hub(self.parties, adversary)
        hub.run({name: self.program(name) for name in self.parties})
        return hub

    def findings(self, adversary: Adversary = honest) -> dict[str, Findings | None]:
        hub = self.run(adversary)
        errors = {n: e for n, e in hub.outcome.errors.items() if not isinstance(e, Crash)}
        assert not errors
        return {name: result.findings for name, result in hub.outcome.results.items()}

    def errors(self) -> Mapping[str, TacitError]:
        found = self.run().outcome.errors
        assert all(isinstance(error, TacitError) for error in found.values())
        return found  # type: ignore[return-value]


def agrees(found: Findings, expectation: Mapping[str, float], group: str | None = None) -> None:
    values = found.overall if group is None else found.groups[group]
    for name, value in expectation.items():
        assert values[name] == pytest.approx(value, abs=1e-3), (group, name)


@pytest.mark.parametrize("protocol", ["replicated3", "replicated3_active", "fantastic4"])
def test_both_sides_learn_the_metrics_and_helpers_nothing(tmp_path: Path, protocol: str) -> None:
    by = Grouping("region", categories=("north", "south", "isles"))
    found = Case(tmp_path, protocol, {"by": by}).findings()
    assert found["alice"] == found["bob"]
    assert all(found[name] is None for name in found if name not in ("alice", "bob"))
    learned = found["alice"]
    assert learned is not None
    agrees(learned, expected())
    # The four of the isles are hidden, and so is the smaller of the others.
    regions = np.array([row[0] for row in table()[1:]])
    assert [(regions == name).sum() for name in ("north", "south", "isles")] == [69, 47, 4]
    agrees(learned, expected(regions == "north"), "region=north")
    assert learned.hidden == ["region=south", "region=isles"]
    assert set(learned.groups["region=south"].values()) == {None}
    assert sum(b.rows for b in learned.calibration) == ROWS


def test_groups_of_features(tmp_path: Path) -> None:
    ages = np.array([int(row[2]) for row in table()[1:]])
    learned = Case(
        tmp_path, common={"by": Grouping("age", edges=(18.0, 50.0, 98.0)), "reveal_to": ("carol",)}
    ).findings()["carol"]
    assert learned is not None
    assert list(learned.groups) == ["age 18 to 50", "age 50 to 98"]
    agrees(learned, expected(ages < 50), "age 18 to 50")
    agrees(learned, expected(ages >= 50), "age 50 to 98")


def test_a_stored_model(tmp_path: Path) -> None:
    for name in FOUR[:3]:
        create_key(tmp_path / f"{name}.key")
    places = {n: Place(str(tmp_path / n), str(tmp_path / f"{n}.key")) for n in FOUR[:3]}

    def keep(ground: Ground) -> None:
        with ground.connect(FOUR[:3], "replicated3", b"job", {}) as mesh:
            session = PartySession.over(PROTOCOLS["replicated3"], mesh, threads=1)  # type: ignore[arg-type]
            with session:
                session.attach(places[ground.name])
                own = a_model() if ground.name == "carol" else None
                save(session, FORM, share_model(session, "carol", FORM, own), "risk", reveal_to=())

    hub = Hub(FOUR[:3])
    hub.run(dict.fromkeys(FOUR[:3], keep))
    assert not hub.outcome.errors
    own = {name: {"storage": places[name]} for name in FOUR[:3]}
    common = {"model_owner": "", "stored": "risk", "reveal_to": ("bob",)}
    learned = Case(tmp_path, common=common, own=own).findings()["bob"]
    assert learned is not None
    agrees(learned, expected())
    errors = Case(tmp_path, common={**common, "stored": "other"}, own=own).errors()
    assert {error.code for error in errors.values()} == {"TC-1087"}


def changed(line: int, column: int, value: str) -> list[list[str]]:
    rows = [list(row) for row in table()]
    rows[line][column] = value
    return rows


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([row[:3] + row[4:] for row in table()], "TC-2101"),  # no label
        ([row[:2] + row[3:] for row in table()], "TC-2101"),  # no age
        (changed(7, 3, "2"), "TC-2108"),
        (changed(7, 1, "nan"), "TC-2104"),
        (changed(7, 2, "17"), "TC-2106"),
        (changed(7, 0, "moon"), "TC-2107"),
        (table()[:1], "TC-2110"),
    ],
)
def test_what_is_wrong_with_the_rows_is_told_to_their_owner(
    tmp_path: Path, rows: list[list[str]], code: str
) -> None:
    by = Grouping("region", categories=("north", "south", "isles"))
    errors = Case(tmp_path, common={"by": by}, rows=rows).errors()
    assert errors["bob"].code == code
    for name in ("alice", "carol"):
        assert "TC-2199" in errors[name].message
        assert code not in errors[name].message
        assert "gone" not in errors[name].message
        assert "line" not in errors[name].message


def test_labels_of_one_class(tmp_path: Path) -> None:
    rows = [table()[0], *([*row[:3], "0", row[4]] for row in table()[1:])]
    learned = Case(tmp_path, rows=rows).findings()["alice"]
    assert learned is not None
    assert learned.overall["auc"] is None
    assert learned.overall["recall@10%"] is None
    assert learned.overall["brier"] is not None


def test_too_few_rows(tmp_path: Path) -> None:
    errors = Case(tmp_path, rows=table()[:9]).errors()
    assert {error.code for error in errors.values()} == {"TC-1073"}


def test_a_model_out_of_range(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its owner's program refuses it; where that is changed, all parties do, on shares."""
    model = a_model()
    model.parameters[2][:] = 1e5
    case = Case(tmp_path, "replicated3_active")
    own = {"alice": {"model": str(model.save(tmp_path / "huge.json"))}}
    errors = replace(case, own=own).errors()
    assert errors["alice"].code == "TC-1376"
    monkeypatch.setattr(sharing, "check_range", lambda model: None)
    errors = replace(case, own=own).errors()
    assert {error.code for error in errors.values()} == {"TC-5400"}
    assert "alice" in errors["bob"].message


def test_a_model_of_another_schema(tmp_path: Path) -> None:
    other = msgspec.structs.replace(SCHEMA, columns=SCHEMA.columns[1:])
    path = str(other.save(tmp_path / "schema.json"))
    errors = Case(tmp_path, own={"bob": {"schema": path}}).errors()
    assert errors["bob"].code == "TC-2211"
    assert all("TC-2199" in errors[name].message for name in ("alice", "carol"))
    path = str(SCHEMA.save(tmp_path / "schema.json"))
    assert Case(tmp_path, own={"bob": {"schema": path}}).findings()["bob"] is not None


def test_groups_of_a_private_column_are_refused_by_all_parties(tmp_path: Path) -> None:
    """The file is not even opened: there is none."""
    columns = (msgspec.structs.replace(SCHEMA.columns[0], private=True), *SCHEMA.columns[1:])
    form = msgspec.structs.replace(FORM, schema=msgspec.structs.replace(SCHEMA, columns=columns))
    model = replace(a_model(), form=form).save(tmp_path / "private.json")
    case = Case(
        tmp_path,
        common={"by": Grouping("age", edges=(18.0, 50.0, 98.0))},
        own={"alice": {"model": str(model)}, "bob": {"file": str(tmp_path / "gone.csv")}},
    )
    errors = case.errors()
    assert {name: error.code for name, error in errors.items()} == dict.fromkeys(
        FOUR[:3], "TC-2216"
    )


def test_parties_that_do_not_agree(tmp_path: Path) -> None:
    errors = Case(tmp_path, own={"bob": {"minimum": 5}}).errors()
    assert {error.code for error in errors.values()} == {"TC-2210"}
    assert all(isinstance(error, SchemaError) for error in errors.values())


def test_more_than_one_data_owner(tmp_path: Path) -> None:
    other = written(tmp_path / "more.csv", [table()[0], *table()[61:]])
    case = Case(
        tmp_path,
        common={"owners": ("bob", "carol")},
        own={"carol": {"file": other}},
        rows=table()[:61],
    )
    learned = case.findings()["alice"]
    assert learned is not None
    agrees(learned, expected())


def columns_of(*names: str) -> list[list[str]]:
    places = [table()[0].index(name) for name in names]
    return [[row[place] for place in places] for row in table()]


@pytest.mark.parametrize("protocol", ["replicated3", "fantastic4"])
def test_owners_with_different_columns(tmp_path: Path, protocol: str) -> None:
    common = {
        "owners": ("bob", "carol"),
        "vertical": True,
        "by": Grouping("region", categories=("north", "south", "isles")),
        "metrics": "auc,brier,rows",
    }
    theirs = written(tmp_path / "theirs.csv", columns_of("region", "debt"))
    own = {"carol": {"file": theirs}}
    case = Case(tmp_path, protocol, common, own, columns_of("new", "gone", "age"))
    learned = case.findings()["alice"]
    assert learned is not None
    agrees(learned, expected())
    regions = np.array([row[0] for row in table()[1:]])
    agrees(learned, expected(regions == "north"), "region=north")
    assert learned.groups["region=isles"]["rows"] is None


def test_columns_that_do_not_fit_together(tmp_path: Path) -> None:
    common = {"owners": ("bob", "carol"), "vertical": True, "metrics": "auc"}
    bob = columns_of("new", "gone", "age")
    for name, (theirs, code) in {
        "twice": (columns_of("debt", "age"), "TC-2202"),
        "missing": (columns_of("region"), "TC-2202"),
        "shorter": (columns_of("debt")[:-1], "TC-2212"),
        "labels": (columns_of("debt", "gone"), "TC-2205"),
        "keys": ([["new2", *row] for row in columns_of("debt")], "TC-2101"),
    }.items():
        own = {"carol": {"file": written(tmp_path / f"{name}.csv", theirs)}}
        key = {"key": "customer"} if name == "keys" else {}
        found = Case(tmp_path, common={**common, **key}, own=own, rows=bob).errors()
        assert found["carol"].code == code, name


def crash_of(name: str, after: int) -> Adversary:
    """A process that ends at its message number `after`."""

    def adversary(message: Sent) -> Any:
        if message.sender == name and message.number >= after:
            raise Crash
        return (message.payload,)

    return adversary


def test_a_party_that_is_lost_in_the_middle(tmp_path: Path) -> None:
    """Guaranteed output: when all have put in theirs, the others learn the right numbers."""
    case = Case(tmp_path, "fantastic4", {"metrics": "auc,brier,rows"})
    hub = case.run()
    sent = max(m.number for m in hub.sent if m.sender == "bob")
    found = case.findings(crash_of("bob", int(0.7 * sent)))
    assert "bob" not in found
    assert found["alice"] is not None
    agrees(found["alice"], expected())


def test_a_party_that_is_lost_before_its_rows_are_in(tmp_path: Path) -> None:
    hub = Case(tmp_path, "fantastic4", {"metrics": "auc"}).run(crash_of("bob", 30))
    assert isinstance(hub.outcome.errors.pop("bob"), Crash)
    assert {type(error) for error in hub.outcome.errors.values()} == {RecoveryError}
    assert not hub.outcome.results


def test_groupings() -> None:
    assert parse_grouping("region") == Grouping("region")
    assert parse_grouping("region=a, b") == Grouping("region", categories=("a", "b"))
    assert parse_grouping("age:18,30.5,99") == Grouping("age", edges=(18.0, 30.5, 99.0))
    assert group_names(SCHEMA, Grouping("new")) == ("new=no", "new=yes")
    assert group_names(SCHEMA, None) == ()
    for text in ("region=", "=a", "region=a,a", "age:5", "age:9,1", "age:x,y", ":1,2"):
        with pytest.raises(UsageError) as found:
            parse_grouping(text)
        assert found.value.code == "TC-1074"


@pytest.mark.parametrize(
    ("label", "by"),
    [
        ("bad", Grouping("region")),  # not in the schema, no groups named
        ("bad", Grouping("age")),  # a number without edges
        ("bad", Grouping("new", edges=(0.0, 1.0))),
        ("bad", Grouping("bad")),
        ("age", None),  # the label is a feature
    ],
)
def test_groups_that_cannot_be(label: str, by: Grouping | None) -> None:
    with pytest.raises(UsageError) as found:
        table_schema(SCHEMA, label, by)
    assert found.value.code == "TC-1074"
