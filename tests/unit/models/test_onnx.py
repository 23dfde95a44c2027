"""Models as ONNX files give what they give in the clear."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from tacit.errors import ConfigurationError, StorageError
from tacit.models import ClearModel, ModelForm
from tacit.models.onnx import onnx_model, save_onnx
from tacit.tables import Column, Schema

SCHEMA = Schema(
    label="late",
    columns=(
        Column("amount", "number", (0, 100)),
        Column("kind", "category", None, ("a", "b")),
        Column("late", "boolean"),
    ),
)
ROWS = np.random.default_rng(6).uniform(-1, 1, (50, 3))
FORMS = [
    ModelForm(kind="logistic", schema=SCHEMA),
    *(
        ModelForm(kind="mlp", schema=SCHEMA, hidden=(4, 3), activation=activation)  # type: ignore[arg-type]
        for activation in ("relu", "tanh", "logistic", "identity")
    ),
]


def model(form: ModelForm) -> ClearModel:
    rng = np.random.default_rng(5)
    found = ClearModel(form, [rng.normal(size=shape) for shape in form.shapes])
    found.parameters[-1][:] -= np.mean(found.decision_function(ROWS))  # both labels occur
    return found


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.title)
def test_it_gives_what_the_model_gives(form: ModelForm, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    from onnx.reference import ReferenceEvaluator

    clear = model(form)
    path = save_onnx(clear, tmp_path / "model.onnx")
    label, probabilities = ReferenceEvaluator(onnx.load(path)).run(
        None, {"rows": ROWS.astype(np.float32)}
    )
    assert label.dtype == np.int64
    clearly = np.abs(clear.decision_function(ROWS)) > 1e-4
    np.testing.assert_array_equal(label[clearly], clear.predict(ROWS)[clearly])
    assert 0 < label.sum() < 50
    np.testing.assert_allclose(probabilities, clear.predict_proba(ROWS), atol=1e-5)
    assert probabilities.dtype == np.float32


def test_the_schema_travels_with_it() -> None:
    pytest.importorskip("onnx")
    properties = {p.key: p.value for p in onnx_model(model(FORMS[0])).metadata_props}
    assert msgspec.json.decode(properties["schema"], type=Schema) == SCHEMA
    assert properties["features"].split("\n") == list(SCHEMA.features)


def test_without_onnx_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def none_of_it(name: str, *args: Any) -> Any:
        if name == "onnx":
            raise ImportError(name)
        return real(name, *args)

    monkeypatch.setattr(builtins, "__import__", none_of_it)
    with pytest.raises(ConfigurationError, match="not installed") as error:
        onnx_model(model(FORMS[0]))
    assert "tacit[onnx]" in error.value.next_step


def test_a_path_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    with pytest.raises(StorageError):
        save_onnx(model(FORMS[0]), tmp_path / "no" / "model.onnx")
