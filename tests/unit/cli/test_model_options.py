"""What options about the model mean, and which do not go together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tacit.cli.app import app
from tacit.cli.model_options import ModelChoice, chosen_model
from tacit.cli.train import parse_recipients
from tacit.cli.training import TrainingRequest
from tacit.errors import TacitError, UsageError
from tacit.ml.plan import EarlyStopping, Optimiser


def test_by_default_a_logistic_model_as_before() -> None:
    assert chosen_model() == ModelChoice()


def test_a_perceptron_has_layers_and_momentum_by_default() -> None:
    choice = chosen_model(model="mlp")
    assert choice.hidden == (32, 16)
    assert choice.optimiser == Optimiser(momentum=0.9)
    adam = chosen_model(model="mlp", optimiser="adam", hidden="8")
    assert adam.optimiser.momentum == 0.0
    assert adam.learning_rate < choice.learning_rate


def test_everything_said_is_heard() -> None:
    choice = chosen_model(
        model="mlp",
        hidden="4, 3",
        activation="tanh",
        dropout=0.1,
        learning_rate=0.3,
        momentum=0.5,
        nesterov=True,
        schedule="step",
        drop="0.5,3",
        warm_up=7,
        l2=0.01,
        class_weights="1,12.5",
        early_stopping=True,
        validation_size=0.2,
        patience=5,
        start_from="old",
        keep="new",
        store=Path("stores"),
    )
    assert choice.hidden == (4, 3)
    assert choice.optimiser == Optimiser(
        momentum=0.5, nesterov=True, schedule="step", drop=0.5, drop_every=3, warm_up=7
    )
    assert choice.class_weights == (1.0, 12.5)
    assert choice.stopping == EarlyStopping(fraction=0.2, patience=5)
    assert choice.start is not None
    assert (choice.start.name, choice.keep, choice.l2) == ("old", "new", 0.01)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"model": "forest"}, "TC-1043"),
        ({"model": "mlp", "activation": "gelu"}, "TC-1043"),
        ({"optimiser": "lion"}, "TC-1043"),
        ({"schedule": "wave"}, "TC-1043"),
        ({"hidden": "8"}, "TC-1047"),
        ({"dropout": 0.1}, "TC-1047"),
        ({"nesterov": True}, "TC-1047"),
        ({"optimiser": "adam", "momentum": 0.9}, "TC-1047"),
        ({"keep": "m"}, "TC-1047"),
        ({"start_from": "m"}, "TC-1047"),
        ({"start_from": "absent.json"}, "TC-2030"),
        ({"keep": "../m", "store": Path("s")}, "TC-1085"),
        ({"model": "mlp", "hidden": "8,x"}, "TC-1045"),
        ({"model": "mlp", "hidden": "8,0"}, "TC-1045"),
        ({"model": "mlp", "hidden": ""}, None),
        ({"model": "mlp", "hidden": ",".join("8" * 17)}, "TC-1045"),
        ({"model": "mlp", "dropout": 1.0}, "TC-1045"),
        ({"model": "mlp", "dropout": float("nan")}, "TC-1045"),
        ({"momentum": 1.0}, "TC-1045"),
        ({"learning_rate": 0.0}, "TC-1045"),
        ({"learning_rate": float("nan")}, "TC-1045"),
        ({"class_weights": "1"}, "TC-1045"),
        ({"class_weights": "0,1"}, "TC-1045"),
        ({"class_weights": "1,nan"}, "TC-1045"),
        ({"drop": "0,1"}, "TC-1045"),
        ({"drop": "0.5"}, "TC-1045"),
        ({"validation_size": 0.9}, "TC-1045"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], code: str | None) -> None:
    if code is None:
        assert chosen_model(**options).hidden == (32, 16)
        return
    with pytest.raises(TacitError) as caught:
        chosen_model(**options)
    assert caught.value.code == code
    assert caught.value.next_step


def test_a_model_must_go_somewhere() -> None:
    assert parse_recipients("nobody", ("a", "b"), ("a", "b", "c")) == ()
    files = {name: Path(name) for name in "abc"}
    with pytest.raises(UsageError) as caught:
        TrainingRequest(files=files, label="y").check()
    assert caught.value.code == "TC-1047"
    kept = chosen_model(keep="m", store=Path("s"))
    TrainingRequest(files=files, label="y", model=kept).check()
    begun = chosen_model(start_from="m", store=Path("s"))
    with pytest.raises(UsageError) as refused:
        TrainingRequest(
            files=files, label="y", model=begun, reveal_to=("a",), compare_pooled=True
        ).check()
    assert refused.value.code == "TC-1047"


@pytest.mark.parametrize("option", ["--batch-size=100000000000000000000", "--seed=-1"])
def test_numbers_that_nothing_can_hold_are_refused(option: str) -> None:
    files = ["a=a.csv", "b=b.csv", "c=c.csv", "--label", "y", "--schema", "s.json"]
    result = CliRunner().invoke(app, ["train", *files, option])
    assert result.exit_code == 2
    assert option.partition("=")[0] in result.output
