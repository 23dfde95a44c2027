"""What a party learned stands in its files, and in no ``repr``: those end in logs."""

from __future__ import annotations

import numpy as np

from tacit.frontends.records import OutputRecord, RunResult
from tacit.ml.records import CountRecord
from tacit.models.clear import ClearModel, ModelRecord
from tacit.models.form import ModelForm
from tacit.tables import Column, Schema


def test_results_show_no_numbers() -> None:
    schema = Schema(
        label="y", columns=(Column("x", "number", bounds=(0, 1)), Column("y", "boolean"))
    )
    form = ModelForm(kind="logistic", schema=schema)
    model = ClearModel(form, [np.array([[0.4711]]), np.array([0.4711])])
    output = OutputRecord.of("mean", np.array([0.4711]))
    shown = [
        output,
        RunResult(session_id=b"", outputs=[output], phases=[]),
        model,
        ModelRecord(form=form, parameters=[[0.4711], [0.4711]]),
        CountRecord(negatives=[4711], positives=[4711], squared_error=0.4711),
    ]
    data = repr(np.array([0.4711]).tobytes())[2:-1]
    for one in shown:
        assert "4711" not in repr(one)
        assert data not in repr(one)
    assert "mean" in repr(output)
