"""Models: their form, their scores on shares and in the clear, their files, their storage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from simulation import Simulation

import tacit
from tacit.errors import ConfigurationError, RangeError, ShapeError, TacitError, UsageError
from tacit.models import ClearModel, ModelForm, load, probabilities, save, scores
from tacit.models.scoring import scores_cost
from tacit.protocols import PROTOCOLS
from tacit.tables import Column, Schema

SCHEMA = Schema(
    label="late",
    columns=(
        Column("amount", "number", (0, 100)),
        Column("age", "integer", (0, 120)),
        Column("kind", "category", None, ("a", "b")),
        Column("late", "boolean"),
    ),
)
MLP = ModelForm(kind="mlp", schema=SCHEMA, hidden=(5, 3), rows=10)
LINEAR = ModelForm(kind="logistic", schema=SCHEMA)


def model(form: ModelForm, seed: int = 1) -> ClearModel:
    rng = np.random.default_rng(seed)
    parameters = [rng.normal(size=shape) for shape in form.shapes]
    parameters[0][1] *= 300.0  # as folding does to a column that varies little
    return ClearModel(form, parameters)


def rows(count: int) -> NDArray[np.float64]:
    found = np.random.default_rng(2).uniform(-1, 1, (count, 4))
    found[:, 1] *= 0.01
    return found


def test_a_form_says_what_its_parameters_are() -> None:
    assert MLP.widths == (4, 5, 3, 1)
    assert MLP.shapes == ((4, 5), (5,), (5, 3), (3,), (3, 1), (1,))
    assert MLP.names == ("W1", "b1", "W2", "b2", "W3", "b3")
    assert LINEAR.shapes == ((4, 1), (1,))
    again = ModelForm.from_bytes(MLP.to_bytes())
    assert again == MLP
    assert again.digest() == MLP.digest() != LINEAR.digest()
    other = msgspec.structs.replace(MLP, notes={"optimiser": "adam"})
    assert other.digest() != MLP.digest()


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "mlp"},
        {"kind": "logistic", "hidden": (3,)},
        {"kind": "mlp", "hidden": (0,)},
        {"kind": "mlp", "hidden": (5_000,)},
        {"kind": "logistic", "fraction_bits": 40},
        {"kind": "logistic", "rows": -1},
    ],
)
def test_forms_that_do_not_exist_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        ModelForm(schema=SCHEMA, **wrong)
    assert caught.value.code == "TC-1053"


def test_bytes_that_are_no_form_are_refused() -> None:
    for data in (b"", b"{}", b"\xff", MLP.to_bytes()[:-1], b"[1]"):
        with pytest.raises(TacitError) as caught:
            ModelForm.from_bytes(data)
        assert caught.value.code == "TC-1054"


def test_rows_outside_the_scale_are_refused() -> None:
    for bad in (np.nan, 1.001, np.inf):
        wrong = rows(3)
        wrong[1, 2] = bad
        with pytest.raises(RangeError) as caught:
            MLP.encoded(wrong)
        assert caught.value.code == "TC-1353"
    for shape in ((3, 5), (4,), (0, 3)):
        with pytest.raises(ShapeError) as shaped:
            MLP.encoded(np.zeros(shape))
        assert shaped.value.code == "TC-1188"
    assert MLP.encoded(np.zeros((0, 4))).shape == (0, 4)


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
@pytest.mark.parametrize("protocol", ["replicated3", "fantastic4"])
def test_scores_on_shares_are_the_clear_model_s(activation: Any, protocol: str) -> None:
    for form in (msgspec.structs.replace(MLP, activation=activation), LINEAR):
        clear, x = model(form), rows(17)
        simulation = Simulation(protocol=protocol)
        one = 1 << form.fraction_bits
        shared = [simulation.share(np.rint(p * one).astype(np.int64)) for p in clear.parameters]
        encoded = simulation.share(form.encoded(x).view(np.int64))

        def step(party: Any, x: Any, *parameters: Any, form: ModelForm = form) -> Any:
            return scores(party, form, parameters, x)

        found = simulation.open(simulation.run(step, encoded, *shared)) / one
        assert found.shape == (17,)
        assert np.abs(found - clear.decision_function(x)).max() < 2e-3
        declared = scores_cost(PROTOCOLS[protocol].costs, form, 17)
        assert simulation.driver.cost().rounds == declared.rounds


def test_probabilities_on_shares() -> None:
    clear, x, one = model(LINEAR), rows(9), 1 << 18
    simulation = Simulation()
    shared = [simulation.share(np.rint(p * one).astype(np.int64)) for p in clear.parameters]

    def step(party: Any, x: Any, *parameters: Any) -> Any:
        return probabilities(party, LINEAR, parameters, x)

    encoded = simulation.share(LINEAR.encoded(x).view(np.int64))
    found = simulation.open(simulation.run(step, encoded, *shared)) / one
    assert np.abs(found - clear.probability(x)).max() < 1e-3
    declared = scores_cost(PROTOCOLS["replicated3"].costs, LINEAR, 9, probability=True)
    assert simulation.driver.cost().rounds == declared.rounds


@pytest.mark.parametrize("form", [MLP, LINEAR])
def test_a_clear_model_is_scikit_learn_s(form: ModelForm, tmp_path: Path) -> None:
    clear, x = model(form), rows(8)
    again = ClearModel.load(clear.save(tmp_path / "model.json"))
    assert again.form == form
    assert all((a == b).all() for a, b in zip(again.parameters, clear.parameters, strict=True))
    found = again.to_sklearn()
    assert np.abs(found.predict_proba(x) - clear.predict_proba(x)).max() < 1e-9
    assert (found.predict(x) == clear.predict(x)).all()


def test_files_that_are_no_model_are_refused(tmp_path: Path) -> None:
    good = model(LINEAR).save(tmp_path / "model.json").read_text()
    (tmp_path / "empty").write_text("")
    (tmp_path / "cut").write_text(good[:-5])
    (tmp_path / "later").write_text(good.replace('"version": 1', '"version": 2', 1))
    short = msgspec.json.decode(good)
    short["parameters"][0].pop()
    (tmp_path / "short").write_bytes(msgspec.json.encode(short))
    for name in ("empty", "cut", "later", "short", "absent"):
        with pytest.raises(ConfigurationError) as caught:
            ClearModel.load(tmp_path / name)
        assert caught.value.code == "TC-2030", name
    with pytest.raises(ShapeError):
        model(MLP).coefficients  # noqa: B018


def test_a_secret_model_outlives_its_session(tmp_path: Path) -> None:
    clear = model(MLP)
    with tacit.local("replicated3", storage=tmp_path) as mpc:
        shared = [mpc.share(p, owner="alice") for p in clear.parameters]
        session = shared[0].session
        header = save(session, MLP, [s._reference for s in shared], "fraud", reveal_to=("bob",))
        assert header.kind == "model"
        with pytest.raises(ShapeError):
            save(session, LINEAR, [s._reference for s in shared], "fraud")
        mpc.save(shared[0], "array")
    with tacit.local("replicated3", storage=tmp_path) as mpc:
        session = mpc.share(1, owner="alice").session
        form, references = load(session, "fraud")
        assert form == MLP
        weights = session.reveal(references[0], to="bob")["bob"]
        assert np.abs(weights - clear.parameters[0]).max() < 1e-5
        with pytest.raises(TacitError) as refused:
            session.reveal(references[0], to="alice")
        assert refused.value.code == "TC-4002"
        with pytest.raises(UsageError) as caught:
            load(session, "array")
        assert caught.value.code == "TC-1055"
